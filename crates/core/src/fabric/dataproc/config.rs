//! What a DataprocClusterConfig says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::extra::Extra;
use crate::secret::{Secret, Text};
use crate::source::Source;

/// A valid `DataprocClusterConfig` 1-0-0. All spans in it are places in `source`.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file.
    pub source: Arc<Source>,
    /// The cluster's name, which is its id within project and region.
    pub name: Text,
    /// The project's id; `None`: the one that goes with the credentials.
    pub project: Option<Text>,
    /// The region, such as `europe-west1`.
    pub region: Text,
    /// The zone of Compute Engine; `None`: Dataproc chooses one of the region.
    pub zone: Option<Text>,
    /// Who asks.
    pub credentials: Credentials,
    /// The e-mail address of a service account as which to ask, by IAM's `generateAccessToken`.
    pub impersonate: Option<String>,
    /// The project whose quota requests count against; `None`: the one that the credentials name, if any.
    pub quota_project: Option<String>,
    /// The beginning of the URLs of Dataproc, without a slash at the end; `None`: that of the region.
    pub endpoint: Option<String>,
    /// The same of Cloud Storage.
    pub storage_endpoint: Option<String>,
    /// Such as `2.2-debian12`; `None`: Dataproc's newest.
    pub image_version: Option<Text>,
    /// The machines that lead: one, or three that stand in for each other.
    pub master: Option<Group>,
    /// The machines that store and compute.
    pub workers: Option<Group>,
    /// The machines that only compute.
    pub secondary_workers: Option<Secondary>,
    /// The master is all there is.
    pub single_node: bool,
    /// Where the machines are in the network.
    pub network: Network,
    /// As whom the machines ask Google; `None`: the default account of Compute Engine.
    pub service_account: Option<Text>,
    /// What they may ask for.
    pub service_account_scopes: Vec<Text>,
    /// Programs that each machine runs before the cluster is ready.
    pub initialization_actions: Vec<InitializationAction>,
    /// What to install besides what the image has, such as `FLINK`.
    pub optional_components: Vec<Text>,
    /// Settings of the cluster's software, by `prefix:key`.
    pub properties: BTreeMap<String, Text>,
    /// The id of an autoscaling policy of project and region, or its resource name.
    pub autoscaling_policy: Option<Text>,
    /// The cluster deletes itself once no job has run for so long.
    pub idle_ttl: Option<Duration>,
    /// The cluster deletes itself at this age.
    pub max_age: Option<Duration>,
    /// Labels, besides those by which the cluster is found again.
    pub labels: BTreeMap<String, Text>,
    /// The resource name of a key of Cloud KMS that encrypts the disks and the arguments of jobs.
    pub kms_key: Option<Text>,
    /// The bucket for what jobs need and what their drivers say; `None`: Dataproc's own.
    pub staging_bucket: Option<Text>,
    /// The bucket for what is thrown away; `None`: Dataproc's own.
    pub temp_bucket: Option<Text>,
    /// Whether the web pages of the cluster's services can be reached; `None`: Dataproc's default.
    pub component_gateway: Option<bool>,
    /// What Dataproc is to do when primary workers do not come up.
    pub on_failed_workers: FailedWorkers,
    /// What is laid over the body of `clusters.create`.
    pub extra: Option<Extra>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Application Default Credentials. <https://cloud.google.com/docs/authentication/application-default-credentials>
    Default,
    /// A file of credentials in one of Google's forms, such as a service account's key. The path is absolute.
    File(PathBuf),
    /// The content of such a file.
    Json(Secret),
    /// An access token, sent as it is.
    Token(Secret),
}

/// The members of a file of credentials that nobody else is to see.
/// <https://google.aip.dev/auth/4112>, <https://google.aip.dev/auth/4113>, <https://google.aip.dev/auth/4117>
const SECRET_MEMBERS: [&str; 3] = ["private_key", "client_secret", "refresh_token"];

impl Credentials {
    /// What nobody else is to see of them, as far as it is known without reading a file.
    pub fn secrets(&self) -> Vec<Secret> {
        let json = match self {
            Self::Default | Self::File(_) => return Vec::new(),
            Self::Token(token) => return vec![token.clone()],
            Self::Json(json) => json,
        };
        let value: serde_json::Value = serde_json::from_str(json.expose()).unwrap_or_default();
        let members = SECRET_MEMBERS.iter().filter_map(|name| value.get(name)?.as_str());
        members.map(Secret::new).chain([json.clone()]).collect()
    }
}

/// Machines of one kind and role.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// So many of them; `None`: Dataproc's default.
    pub instances: Option<u32>,
    /// Such as `n2-standard-4`; `None`: Dataproc's default.
    pub machine_type: Option<Text>,
    /// Such as `Intel Ice Lake`.
    pub min_cpu_platform: Option<Text>,
    /// A custom image of Compute Engine.
    pub image: Option<Text>,
    /// Their disks.
    pub disks: Disks,
    /// GPUs and the like.
    pub accelerators: Vec<Accelerator>,
}

/// The disks of each machine of a group.
#[derive(Clone, Debug, Default)]
pub struct Disks {
    /// Such as `pd-balanced`; `None`: Dataproc's default.
    pub boot_type: Option<Text>,
    /// In GB.
    pub boot_size_gb: Option<u32>,
    /// I/O operations a second; of `hyperdisk-balanced` only.
    pub boot_iops: Option<u32>,
    /// MB a second; of `hyperdisk-balanced` only.
    pub boot_throughput: Option<u32>,
    /// So many local SSDs.
    pub local_ssds: Option<u32>,
    /// How they are attached: `scsi` or `nvme`.
    pub local_ssd_interface: Option<Text>,
}

impl Disks {
    /// Whether nothing is said about them.
    pub fn is_empty(&self) -> bool {
        self.boot_type.is_none()
            && self.boot_size_gb.is_none()
            && self.boot_iops.is_none()
            && self.boot_throughput.is_none()
            && self.local_ssds.is_none()
            && self.local_ssd_interface.is_none()
    }
}

/// Cards of one kind in each machine of a group.
#[derive(Clone, Debug)]
pub struct Accelerator {
    /// Such as `nvidia-tesla-t4`.
    pub kind: Text,
    /// So many, ≥ 1.
    pub count: u32,
}

/// The machines that only compute.
#[derive(Clone, Debug, Default)]
pub struct Secondary {
    /// What they share with other groups.
    pub group: Group,
    /// How they may be taken away; `None`: Dataproc's default, which is [`Preemptibility::Preemptible`].
    pub preemptibility: Option<Preemptibility>,
    /// The machine types to choose from, by rank.
    pub selections: Vec<Selection>,
    /// So many of them are standard machines before any is a Spot one.
    pub standard_base: Option<u32>,
    /// Of those beyond the base, so many of a hundred are standard machines.
    pub standard_percent: Option<u32>,
}

/// Machine types of one rank.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Such as `n2-standard-4`; not empty.
    pub machine_types: Vec<Text>,
    /// The lowest is tried first.
    pub rank: Option<u32>,
}

/// How machines may be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preemptibility {
    /// At any time.
    Spot,
    /// At any time, and after 24 hours at the latest.
    Preemptible,
    /// Not at all.
    NonPreemptible,
}

impl Preemptibility {
    /// As Dataproc and configuration files write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "SPOT",
            Self::Preemptible => "PREEMPTIBLE",
            Self::NonPreemptible => "NON_PREEMPTIBLE",
        }
    }

    /// The one that is written so.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Spot, Self::Preemptible, Self::NonPreemptible]
            .into_iter()
            .find(|of| of.as_str() == name)
    }
}

/// Where the machines are in the network.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// A network with subnetworks of its own making; never beside `subnetwork`.
    pub network: Option<Text>,
    /// A subnetwork.
    pub subnetwork: Option<Text>,
    /// Whether they have no addresses outside of it; `None`: as the image has it.
    pub internal_ip_only: Option<bool>,
    /// Tags of the network, by which firewalls know the machines.
    pub tags: Vec<Text>,
    /// Compute Engine's metadata of each machine.
    pub metadata: BTreeMap<String, Text>,
}

/// A program that each machine runs before the cluster is ready.
#[derive(Clone, Debug)]
pub struct InitializationAction {
    /// Its URI in Cloud Storage.
    pub executable_file: Text,
    /// It may take so long; `None`: ten minutes.
    pub timeout: Option<Duration>,
}

/// What Dataproc is to do when primary workers do not come up (`actionOnFailedPrimaryWorkers`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailedWorkers {
    /// Nothing, which makes a cluster in ERROR.
    #[default]
    NoAction,
    /// It deletes those, and the cluster lives on with the others if they are enough.
    Delete,
}

impl FailedWorkers {
    /// As Dataproc and configuration files write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAction => "NO_ACTION",
            Self::Delete => "DELETE",
        }
    }

    /// The one that is written so.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::NoAction, Self::Delete].into_iter().find(|of| of.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_is_to_see() {
        let seen = |of: Credentials| {
            let secrets = of.secrets();
            secrets.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(seen(Credentials::Default), [""; 0]);
        assert_eq!(seen(Credentials::File("/k.json".into())), [""; 0]);
        assert_eq!(seen(Credentials::Token(Secret::new("t"))), ["t"]);
        let json = r#"{"type": "service_account", "private_key": "a\nb", "client_secret": "c"}"#;
        assert_eq!(seen(Credentials::Json(Secret::new(json))), ["a\nb", "c", json]);
        assert_eq!(seen(Credentials::Json(Secret::new("x"))), ["x"]);
    }

    #[test]
    fn words_of_the_api_come_back() {
        for word in ["SPOT", "PREEMPTIBLE", "NON_PREEMPTIBLE"] {
            assert_eq!(Preemptibility::from_name(word).map(Preemptibility::as_str), Some(word));
        }
        for word in ["NO_ACTION", "DELETE"] {
            assert_eq!(FailedWorkers::from_name(word).map(FailedWorkers::as_str), Some(word));
        }
        assert_eq!((Preemptibility::from_name("spot"), FailedWorkers::from_name("")), (None, None));
    }
}

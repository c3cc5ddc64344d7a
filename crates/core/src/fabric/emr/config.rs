//! What a ClusterConfig 1-*-* says.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::secret::{Secret, Text};
use crate::source::{Source, Span};

/// A valid `ClusterConfig`. An optional text that is empty in the file is `None`. All spans in it are places in `source`.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file.
    pub source: Arc<Source>,
    /// The cluster's name.
    pub name: Text,
    /// Where EMR puts the logs.
    pub log_uri: Option<Text>,
    /// The AWS region.
    pub region: Text,
    /// How to sign requests.
    pub credentials: Credentials,
    /// The IAM roles.
    pub roles: Roles,
    /// The release as the file has it; see [`Config::release`].
    pub ami_version: Text,
    /// The EC2 key pair for SSH.
    pub key_name: Option<Text>,
    /// Where the machines are.
    pub location: Location,
    /// The one instance that leads; its count is 1.
    pub master: Group,
    /// The instances that store and compute; none when their count is 0 or less.
    pub core: Option<Group>,
    /// The instances that only compute; none when their count is 0 or less.
    pub task: Option<Group>,
    /// Labels.
    pub tags: Vec<Tag>,
    /// Scripts that each instance runs before its applications start.
    pub bootstrap: Vec<Bootstrap>,
    /// Settings of applications.
    pub configurations: Vec<Configuration>,
    /// What to install.
    pub applications: Vec<Text>,
    /// The name of an EMR security configuration.
    pub security_configuration: Option<Text>,
}

/// How to sign requests to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// `iam`: the role of the EC2 instance this runs on.
    Instance,
    /// `env`: `AWS_ACCESS_KEY_ID` (or `AWS_ACCESS_KEY`), `AWS_SECRET_ACCESS_KEY` (or `AWS_SECRET_KEY`),
    /// `AWS_SESSION_TOKEN`.
    Environment,
    /// `default`: the default chain of AWS.
    Chain,
    /// A key.
    Key {
        /// The access key id.
        id: Secret,
        /// The secret access key.
        secret: Secret,
        /// Where the two stand in the user's own file, quotes included.
        at: [Span; 2],
    },
}

/// The IAM roles of a cluster. Empty ones are left out.
#[derive(Clone, Debug)]
pub struct Roles {
    /// The role of the instances (`JobFlowRole`).
    pub instances: Option<Text>,
    /// The role of EMR itself (`ServiceRole`).
    pub service: Option<Text>,
}

/// Where the machines are.
#[derive(Clone, Debug)]
pub enum Location {
    /// An availability zone.
    Zone(Text),
    /// A subnet of a VPC.
    Subnet(Text),
}

/// A release of EMR in EMR's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// `AmiVersion`: major versions below 4.
    Ami(String),
    /// `ReleaseLabel`, such as `emr-7.5.0`.
    Label(String),
}

/// A group of instances.
#[derive(Clone, Debug)]
pub struct Group {
    /// The EC2 instance type.
    pub instance_type: Text,
    /// So many of them, ≥ 1.
    pub count: u32,
    /// The spot price to bid, in US dollars; `None`: on demand.
    pub bid: Option<Text>,
    /// Their EBS volumes; `None`: those of the instance type.
    pub ebs: Option<Ebs>,
}

/// The EBS volumes of an instance.
#[derive(Clone, Debug)]
pub struct Ebs {
    /// Whether the instance is EBS-optimised.
    pub optimized: bool,
    /// The volumes.
    pub volumes: Vec<Volumes>,
}

/// Volumes of one kind.
#[derive(Clone, Debug)]
pub struct Volumes {
    /// So many of them on each instance.
    pub per_instance: i64,
    /// Such as `gp3`.
    pub volume_type: Text,
    /// In GiB.
    pub size_gb: i64,
    /// I/O operations a second. Never of gp2, to which EMR refuses it.
    pub iops: Option<i64>,
    /// MiB a second; of gp3 only.
    pub throughput: Option<i64>,
}

/// A label.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Its name.
    pub key: Text,
    /// Its value.
    pub value: Text,
}

/// A script that each instance runs before its applications start.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// For people.
    pub name: Text,
    /// The script's URI.
    pub path: Text,
    /// Its arguments.
    pub args: Vec<Text>,
}

/// Settings of one file of one application.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The file, such as `core-site`.
    pub classification: Text,
    /// The settings.
    pub properties: BTreeMap<String, Text>,
    /// Configurations inside this one.
    pub configurations: Vec<Configuration>,
}

impl Config {
    /// The release that `ami_version` means.
    pub fn release(&self) -> Release {
        // A configuration that has been read has a version that can be.
        Release::parse(self.ami_version.expose())
            .unwrap_or_else(|| Release::Label(self.ami_version.expose().to_owned()))
    }
}

impl Release {
    /// Reads `7.5.0`, `emr-7.5.0` or an AMI version such as `3.11.0`: two or three numbers.
    pub fn parse(version: &str) -> Option<Self> {
        let numbers = version.strip_prefix("emr-").unwrap_or(version);
        let parts: Vec<_> = numbers.split('.').collect();
        let number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !(2..=3).contains(&parts.len()) || !parts.iter().all(number) {
            return None;
        }
        let major: u32 = parts[0].parse().ok()?;
        if major >= 4 {
            Some(Self::Label(format!("emr-{numbers}")))
        } else {
            (numbers == version).then(|| Self::Ami(version.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        let label = |s: &str| Some(Release::Label(s.to_owned()));
        assert_eq!(Release::parse("4.5.0"), label("emr-4.5.0"));
        assert_eq!(Release::parse("10.1.0"), label("emr-10.1.0"));
        assert_eq!(Release::parse("emr-6.15.0"), label("emr-6.15.0"));
        assert_eq!(Release::parse("3.11.0"), Some(Release::Ami("3.11.0".to_owned())));
        assert_eq!(Release::parse("2.4"), Some(Release::Ami("2.4".to_owned())));
        for wrong in
            ["", "latest", "7", "7.5.x", "7..0", "emr-3.1.0", "emr-", "1.2.3.4", "99999999999.0"]
        {
            assert_eq!(Release::parse(wrong), None, "{wrong}");
        }
    }
}

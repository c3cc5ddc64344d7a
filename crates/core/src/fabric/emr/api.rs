//! What goes to the EMR API and what comes back: its members by its own names. Only what this fabric needs.
//!
//! Source: the published model of the API, `elasticmapreduce-2009-03-31`
//! (<https://docs.aws.amazon.com/emr/latest/APIReference/API_Operations.html>).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::secret::Text;

/// A text as it is sent, secrets and all: it is for bodies of requests only, so `Debug` tells nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Exposed(String);

impl Exposed {
    /// Takes a text to be sent.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Text> for Exposed {
    fn from(text: &Text) -> Self {
        Self(text.expose().to_owned())
    }
}

impl fmt::Debug for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exposed({} bytes)", self.0.len())
    }
}

/// The body of `RunJobFlow`.
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_RunJobFlow.html>
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct RunJobFlow {
    pub name: Exposed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_uri: Option<Exposed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ami_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_label: Option<String>,
    pub instances: Instances,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepConfig>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bootstrap_actions: Vec<BootstrapAction>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<Application>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configurations: Vec<Configuration>,
    pub visible_to_all_users: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_flow_role: Option<Exposed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_role: Option<Exposed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_configuration: Option<Exposed>,
}

/// `JobFlowInstancesConfig`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct Instances {
    pub instance_groups: Vec<InstanceGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec2_key_name: Option<Exposed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec2_subnet_id: Option<Exposed>,
    pub keep_job_flow_alive_when_no_steps: bool,
}

/// `PlacementType`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct Placement {
    pub availability_zone: Exposed,
}

/// `InstanceGroupConfig`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct InstanceGroup {
    pub instance_role: &'static str,
    pub instance_type: Exposed,
    pub instance_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid_price: Option<Exposed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ebs_configuration: Option<EbsConfiguration>,
}

/// `EbsConfiguration`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EbsConfiguration {
    pub ebs_optimized: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ebs_block_device_configs: Vec<EbsBlockDevice>,
}

/// `EbsBlockDeviceConfig`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EbsBlockDevice {
    pub volume_specification: VolumeSpecification,
    pub volumes_per_instance: i64,
}

/// `VolumeSpecification`; throughput in MiB a second.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct VolumeSpecification {
    pub volume_type: Exposed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iops: Option<i64>,
    #[serde(rename = "SizeInGB")]
    pub size_in_gb: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<i64>,
}

/// `BootstrapActionConfig`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct BootstrapAction {
    pub name: Exposed,
    pub script_bootstrap_action: Script,
}

/// `ScriptBootstrapActionConfig`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct Script {
    pub path: Exposed,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Exposed>,
}

/// `Application`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct Application {
    pub name: Exposed,
}

/// `Configuration`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<Exposed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configurations: Vec<Configuration>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Exposed>,
}

/// `Tag`, as it is sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct Tag {
    pub key: Exposed,
    pub value: Exposed,
}

/// `StepConfig`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct StepConfig {
    pub name: Exposed,
    pub action_on_failure: &'static str,
    pub hadoop_jar_step: HadoopJarStep,
}

/// `HadoopJarStepConfig`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct HadoopJarStep {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Tag>,
    pub jar: Exposed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub main_class: Option<Exposed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Exposed>,
}

/// The body of `AddJobFlowSteps`.
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_AddJobFlowSteps.html>
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct AddJobFlowSteps {
    pub job_flow_id: String,
    pub steps: Vec<StepConfig>,
}

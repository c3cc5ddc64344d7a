//! The body of `clusters.create`: pure, and the same for the same files.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::config::{
    Accelerator, Config, Disks, Group, InitializationAction, Preemptibility, Secondary, Selection,
};
use super::forms::{self, SINGLE_NODE};
use super::limits::{USUAL_IDLE_TTL, USUAL_MAX_AGE};
use crate::secret::Text;

/// The body of `clusters.create`. `labels` are ours, beside those of the file. A cluster that is launched for one run ends
/// itself also where the file does not say when: nobody else might. The project is only in it where the file names one.
pub(super) fn cluster(
    config: &Config,
    labels: &BTreeMap<String, String>,
    transient: bool,
) -> Value {
    let mut body = Members::default();
    body.text("clusterName", Some(&config.name));
    body.text("projectId", config.project.as_ref());
    body.put("config", Some(cluster_config(config, transient)));
    let given = config.labels.iter().map(|(key, text)| (key.clone(), json!(text.expose())));
    let ours = labels.iter().map(|(key, value)| (key.clone(), json!(value)));
    body.object("labels", Members(given.chain(ours).collect()));
    let mut body = Value::Object(body.0);
    if let Some(extra) = &config.extra {
        extra.lay_over(&mut body);
    }
    body
}

/// The resource name of an autoscaling policy; `None` where that would need a project, and there is none.
pub(super) fn resource_of_policy(config: &Config, policy: &Text) -> Option<String> {
    let name = policy.expose();
    if forms::region_of_policy(name).is_some() {
        return Some(name.to_owned());
    }
    let (project, region) = (config.project.as_ref()?.expose(), config.region.expose());
    Some(format!("projects/{project}/regions/{region}/autoscalingPolicies/{name}"))
}

/// Members of a JSON object; what is not given is not sent.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn put(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value);
        }
    }

    fn text(&mut self, name: &str, text: Option<&Text>) {
        self.put(name, text.map(|text| json!(text.expose())));
    }

    fn number(&mut self, name: &str, number: Option<u32>) {
        self.put(name, number.map(Value::from));
    }

    /// An int64, which JSON of protocol buffers has as a string.
    fn int64(&mut self, name: &str, number: Option<u32>) {
        self.put(name, number.map(|n| json!(n.to_string())));
    }

    fn duration(&mut self, name: &str, duration: Option<Duration>) {
        self.put(name, duration.map(|of| json!(format!("{}s", of.as_secs()))));
    }

    fn list(&mut self, name: &str, values: impl Iterator<Item = Value>) {
        let values: Vec<_> = values.collect();
        self.put(name, (!values.is_empty()).then_some(Value::Array(values)));
    }

    fn texts(&mut self, name: &str, texts: &[Text]) {
        self.list(name, texts.iter().map(|text| json!(text.expose())));
    }

    fn map(&mut self, name: &str, map: &BTreeMap<String, Text>) {
        let map = map.iter().map(|(key, text)| (key.clone(), json!(text.expose())));
        self.object(name, Self(map.collect()));
    }

    /// One that is not empty.
    fn object(&mut self, name: &str, of: Self) {
        self.put(name, (!of.0.is_empty()).then_some(Value::Object(of.0)));
    }
}

fn cluster_config(config: &Config, transient: bool) -> Value {
    let mut body = Members::default();
    body.text("configBucket", config.staging_bucket.as_ref());
    body.text("tempBucket", config.temp_bucket.as_ref());
    body.object("gceClusterConfig", machines_in_common(config));
    let single = config.single_node.then(|| Group { instances: Some(1), ..Group::default() });
    let master = config.master.clone().or_else(|| single.clone()).map(|mut master| {
        master.instances = single.map_or(master.instances, |single| single.instances);
        master
    });
    for (name, of) in [("masterConfig", &master), ("workerConfig", &config.workers)] {
        body.object(name, of.as_ref().map(group).unwrap_or_default());
    }
    let secondary = config.secondary_workers.as_ref().map(secondary).unwrap_or_default();
    body.object("secondaryWorkerConfig", secondary);
    body.object("softwareConfig", software(config));
    body.list("initializationActions", config.initialization_actions.iter().map(action));
    let mut encryption = Members::default();
    // Not `gcePdKmsKeyName`, which is of disks alone.
    encryption.text("kmsKey", config.kms_key.as_ref());
    body.object("encryptionConfig", encryption);
    let mut scaling = Members::default();
    let policy = config.autoscaling_policy.as_ref();
    let policy = policy.and_then(|policy| resource_of_policy(config, policy));
    scaling.put("policyUri", policy.map(Value::String));
    body.object("autoscalingConfig", scaling);
    body.object("lifecycleConfig", lifecycle(config, transient));
    let mut endpoints = Members::default();
    endpoints.put("enableHttpPortAccess", config.component_gateway.map(Value::Bool));
    body.object("endpointConfig", endpoints);
    Value::Object(body.0)
}

/// What Compute Engine is told of all machines.
fn machines_in_common(config: &Config) -> Members {
    let (mut body, network) = (Members::default(), &config.network);
    body.text("zoneUri", config.zone.as_ref());
    body.text("networkUri", network.network.as_ref());
    body.text("subnetworkUri", network.subnetwork.as_ref());
    body.put("internalIpOnly", network.internal_ip_only.map(Value::Bool));
    body.text("serviceAccount", config.service_account.as_ref());
    body.texts("serviceAccountScopes", &config.service_account_scopes);
    body.texts("tags", &network.tags);
    body.map("metadata", &network.metadata);
    body
}

fn group(group: &Group) -> Members {
    let mut body = Members::default();
    body.number("numInstances", group.instances);
    body.text("machineTypeUri", group.machine_type.as_ref());
    body.text("minCpuPlatform", group.min_cpu_platform.as_ref());
    body.text("imageUri", group.image.as_ref());
    body.object("diskConfig", disks(&group.disks));
    body.list("accelerators", group.accelerators.iter().map(accelerator));
    body
}

fn disks(disks: &Disks) -> Members {
    let mut body = Members::default();
    body.text("bootDiskType", disks.boot_type.as_ref());
    body.number("bootDiskSizeGb", disks.boot_size_gb);
    body.int64("bootDiskProvisionedIops", disks.boot_iops);
    body.int64("bootDiskProvisionedThroughput", disks.boot_throughput);
    body.number("numLocalSsds", disks.local_ssds);
    body.text("localSsdInterface", disks.local_ssd_interface.as_ref());
    body
}

fn accelerator(of: &Accelerator) -> Value {
    json!({"acceleratorTypeUri": of.kind.expose(), "acceleratorCount": of.count})
}

fn secondary(secondary: &Secondary) -> Members {
    let mut body = group(&secondary.group);
    let preemptibility = secondary.preemptibility.map(Preemptibility::as_str);
    body.put("preemptibility", preemptibility.map(Value::from));
    let mut mix = Members::default();
    mix.number("standardCapacityBase", secondary.standard_base);
    mix.number("standardCapacityPercentAboveBase", secondary.standard_percent);
    let mut policy = Members::default();
    policy.object("provisioningModelMix", mix);
    policy.list("instanceSelectionList", secondary.selections.iter().map(selection));
    body.object("instanceFlexibilityPolicy", policy);
    body
}

fn selection(selection: &Selection) -> Value {
    let mut body = Members::default();
    body.texts("machineTypes", &selection.machine_types);
    body.number("rank", selection.rank);
    Value::Object(body.0)
}

fn software(config: &Config) -> Members {
    let mut body = Members::default();
    body.text("imageVersion", config.image_version.as_ref());
    body.texts("optionalComponents", &config.optional_components);
    let mut properties = Members::default();
    for (key, value) in &config.properties {
        properties.text(key, Some(value));
    }
    properties.put(SINGLE_NODE, config.single_node.then(|| json!("true")));
    body.object("properties", properties);
    body
}

fn action(action: &InitializationAction) -> Value {
    let mut body = Members::default();
    body.text("executableFile", Some(&action.executable_file));
    body.duration("executionTimeout", action.timeout);
    Value::Object(body.0)
}

/// When the cluster ends itself. One that people launch stays until they, or their file, say otherwise.
fn lifecycle(config: &Config, transient: bool) -> Members {
    let mut body = Members::default();
    body.duration("idleDeleteTtl", config.idle_ttl.or(transient.then_some(USUAL_IDLE_TTL)));
    body.duration("autoDeleteTtl", config.max_age.or(transient.then_some(USUAL_MAX_AGE)));
    body
}

#[cfg(test)]
pub(super) mod tests;

//! What is sent for a cluster and for steps: pure, and the same for the same files.

use super::api;
use super::config::{
    Bootstrap, Config, Configuration, Ebs, Group, Location, Release, Tag, Volumes,
};
use super::lower::lower;
use crate::config::playbook::{OnFailure, Step};
use crate::fabric::{ClusterId, Token};
use crate::secret::Text;

/// The key of the tag that tells which order brought a cluster up.
pub const RUN_TAG: &str = "dataflow-runner:run";

/// The body of `RunJobFlow`. With steps the cluster ends itself once they are done; without, it stays until it is
/// asked to go. The token becomes the last tag.
pub fn run_job_flow(config: &Config, steps: &[&Step], token: Option<&Token>) -> api::RunJobFlow {
    let (ami_version, release_label) = match config.release() {
        Release::Ami(version) => (Some(version), None),
        Release::Label(label) => (None, Some(label)),
    };
    let run = token.map(|token| api::Tag {
        key: api::Exposed::new(RUN_TAG),
        value: api::Exposed::new(token.as_str()),
    });
    api::RunJobFlow {
        name: (&config.name).into(),
        log_uri: optional(config.log_uri.as_ref()),
        ami_version,
        release_label,
        instances: instances(config, steps.is_empty()),
        steps: steps.iter().map(|step| step_config(step)).collect(),
        bootstrap_actions: config.bootstrap.iter().map(bootstrap).collect(),
        applications: config
            .applications
            .iter()
            .map(|name| api::Application { name: name.into() })
            .collect(),
        configurations: config.configurations.iter().map(configuration).collect(),
        visible_to_all_users: true,
        job_flow_role: optional(config.roles.instances.as_ref()),
        service_role: optional(config.roles.service.as_ref()),
        tags: config.tags.iter().map(tag).chain(run).collect(),
        security_configuration: optional(config.security_configuration.as_ref()),
    }
}

/// The body of `AddJobFlowSteps`.
pub fn add_job_flow_steps(cluster: &ClusterId, steps: &[&Step]) -> api::AddJobFlowSteps {
    api::AddJobFlowSteps {
        job_flow_id: cluster.as_str().to_owned(),
        steps: steps.iter().map(|step| step_config(step)).collect(),
    }
}

fn optional(text: Option<&Text>) -> Option<api::Exposed> {
    text.map(Into::into)
}

fn instances(config: &Config, keep_alive: bool) -> api::Instances {
    let (zone, subnet) = match &config.location {
        Location::Zone(zone) => (Some(zone), None),
        Location::Subnet(subnet) => (None, Some(subnet)),
    };
    let groups = [
        ("MASTER", Some(&config.master)),
        ("CORE", config.core.as_ref()),
        ("TASK", config.task.as_ref()),
    ];
    api::Instances {
        instance_groups: groups
            .into_iter()
            .filter_map(|(role, of)| Some(group(role, of?)))
            .collect(),
        ec2_key_name: optional(config.key_name.as_ref()),
        placement: zone.map(|zone| api::Placement { availability_zone: zone.into() }),
        ec2_subnet_id: optional(subnet),
        keep_job_flow_alive_when_no_steps: keep_alive,
    }
}

fn group(role: &'static str, group: &Group) -> api::InstanceGroup {
    api::InstanceGroup {
        instance_role: role,
        instance_type: (&group.instance_type).into(),
        instance_count: group.count,
        market: group.bid.as_ref().map(|_| "SPOT"),
        bid_price: optional(group.bid.as_ref()),
        ebs_configuration: group.ebs.as_ref().map(ebs),
    }
}

fn ebs(ebs: &Ebs) -> api::EbsConfiguration {
    api::EbsConfiguration {
        ebs_optimized: ebs.optimized,
        ebs_block_device_configs: ebs.volumes.iter().map(volumes).collect(),
    }
}

fn volumes(volumes: &Volumes) -> api::EbsBlockDevice {
    api::EbsBlockDevice {
        volume_specification: api::VolumeSpecification {
            volume_type: (&volumes.volume_type).into(),
            iops: volumes.iops,
            size_in_gb: volumes.size_gb,
            throughput: volumes.throughput,
        },
        volumes_per_instance: volumes.per_instance,
    }
}

fn bootstrap(action: &Bootstrap) -> api::BootstrapAction {
    api::BootstrapAction {
        name: (&action.name).into(),
        script_bootstrap_action: api::Script {
            path: (&action.path).into(),
            args: action.args.iter().map(Into::into).collect(),
        },
    }
}

fn configuration(of: &Configuration) -> api::Configuration {
    let classification = Some(&of.classification).filter(|name| !name.expose().is_empty());
    api::Configuration {
        classification: optional(classification),
        configurations: of.configurations.iter().map(configuration).collect(),
        properties: of.properties.iter().map(|(k, v)| (k.clone(), v.into())).collect(),
    }
}

fn tag(tag: &Tag) -> api::Tag {
    api::Tag { key: (&tag.key).into(), value: (&tag.value).into() }
}

/// One step as it is sent.
pub(super) fn step_config(step: &Step) -> api::StepConfig {
    let lowered = lower(step);
    let exposed = |word: crate::fabric::line::Word| api::Exposed::new(word.value);
    let properties = lowered.properties.into_iter();
    api::StepConfig {
        name: (&step.name).into(),
        action_on_failure: action_on_failure(step.rules.on_failure),
        hadoop_jar_step: api::HadoopJarStep {
            properties: properties
                .map(|(key, word)| api::Tag { key: api::Exposed::new(key), value: exposed(word) })
                .collect(),
            jar: exposed(lowered.jar),
            main_class: lowered.main_class.map(exposed),
            args: lowered.args.into_iter().map(exposed).collect(),
        },
    }
}

/// What EMR itself is to do. Which steps need which it does not know, and what takes the cluster down is for the
/// engine to say: so nothing else is started, and the engine does the rest.
fn action_on_failure(rule: OnFailure) -> &'static str {
    match rule {
        OnFailure::Continue | OnFailure::SkipDependents => "CONTINUE",
        OnFailure::CancelAndWait | OnFailure::TerminateCluster => "CANCEL_AND_WAIT",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::super::config::{Credentials, Roles};
    use super::*;
    use crate::config::sample::{step, text};
    use crate::source::Source;

    pub(in super::super) fn config() -> Config {
        let group =
            |of: &str, count| Group { instance_type: text(of), count, bid: None, ebs: None };
        Config {
            source: Arc::new(Source::new("cluster.json", "")),
            name: text("n"),
            log_uri: None,
            region: text("eu-west-1"),
            credentials: Credentials::Chain,
            roles: Roles { instances: None, service: None },
            ami_version: text("7.5.0"),
            key_name: None,
            location: Location::Subnet(text("subnet-1")),
            master: group("m5.xlarge", 1),
            core: None,
            task: None,
            tags: Vec::new(),
            bootstrap: Vec::new(),
            configurations: Vec::new(),
            applications: Vec::new(),
            security_configuration: None,
        }
    }

    fn sent(config: &Config, steps: &[&Step], token: Option<&Token>) -> Value {
        serde_json::to_value(run_job_flow(config, steps, token)).expect("it is JSON")
    }

    #[test]
    fn what_is_not_given_is_not_sent() {
        let expected = json!({
            "Name": "n",
            "ReleaseLabel": "emr-7.5.0",
            "Instances": {
                "InstanceGroups": [{"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}],
                "Ec2SubnetId": "subnet-1",
                "KeepJobFlowAliveWhenNoSteps": true
            },
            "VisibleToAllUsers": true
        });
        assert_eq!(sent(&config(), &[], None), expected);
    }

    #[test]
    fn steps_end_the_cluster_and_the_token_is_the_last_tag() {
        let mut config = config();
        config.tags = vec![Tag { key: text("a"), value: text("") }];
        config.location = Location::Zone(text("eu-west-1a"));
        config.ami_version = text("3.11.0");
        let body = sent(&config, &[&step("s", "true", &[])], Some(&Token::new("r-1.1.1")));
        assert_eq!(
            body["Tags"],
            json!([
                {"Key": "a", "Value": ""},
                {"Key": "dataflow-runner:run", "Value": "r-1.1.1"}
            ])
        );
        assert_eq!(body["AmiVersion"], "3.11.0");
        assert_eq!(body["ReleaseLabel"], Value::Null);
        let instances = &body["Instances"];
        assert_eq!(instances["Placement"], json!({"AvailabilityZone": "eu-west-1a"}));
        assert_eq!(instances["Ec2SubnetId"], Value::Null);
        assert_eq!(instances["KeepJobFlowAliveWhenNoSteps"], false);
        assert_eq!(
            body["Steps"],
            json!([{
                "Name": "s",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["true"]}
            }])
        );
    }

    #[test]
    fn groups_come_in_emrs_order_with_their_bid_and_volumes() {
        let mut config = config();
        let volume = Volumes {
            per_instance: 2,
            volume_type: text("gp3"),
            size_gb: 100,
            iops: Some(4000),
            throughput: Some(250),
        };
        let ebs = Some(Ebs { optimized: true, volumes: vec![volume] });
        config.core = Some(Group { instance_type: text("c"), count: 2, bid: None, ebs });
        let bid = Some(text("0.10"));
        config.task = Some(Group { instance_type: text("t"), count: 3, bid, ebs: None });
        assert_eq!(
            sent(&config, &[], None)["Instances"]["InstanceGroups"],
            json!([
                {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1},
                {"InstanceRole": "CORE", "InstanceType": "c", "InstanceCount": 2, "EbsConfiguration": {
                    "EbsOptimized": true,
                    "EbsBlockDeviceConfigs": [{"VolumesPerInstance": 2, "VolumeSpecification":
                        {"VolumeType": "gp3", "SizeInGB": 100, "Iops": 4000, "Throughput": 250}}]
                }},
                {"InstanceRole": "TASK", "InstanceType": "t", "InstanceCount": 3, "BidPrice": "0.10", "Market": "SPOT"}
            ])
        );
    }

    #[test]
    fn rules_that_emr_does_not_know_are_the_engines() {
        let sent = |rule| {
            let mut step = step("s", "true", &[]);
            step.rules.on_failure = rule;
            add_job_flow_steps(&ClusterId::new("j-1"), &[&step]).steps[0].action_on_failure
        };
        assert_eq!(
            OnFailure::ALL.map(sent),
            ["CANCEL_AND_WAIT", "CONTINUE", "CONTINUE", "CANCEL_AND_WAIT"]
        );
    }

    #[test]
    fn bodies_do_not_show_what_is_in_them() {
        let shown =
            format!("{:?}", run_job_flow(&config(), &[&step("s", "hunter2", &["hunter3"])], None));
        assert!(!shown.contains("hunter"), "{shown}");
    }
}

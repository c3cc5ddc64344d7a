//! Clusters and steps in EMR's words.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::cluster::{Cluster, State};
use super::step::Step;

/// The cluster's ARN.
pub(super) fn arn(region: &str, id: &str) -> String {
    let partition = match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    format!("arn:{partition}:elasticmapreduce:{region}:123456789012:cluster/{id}")
}

/// EMR's times: seconds with three places.
pub(super) fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
}

/// An object of the members that there are.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

fn time(time: Option<Timestamp>) -> Option<Value> {
    time.map(|time| json!(seconds(time)))
}

fn given(order: &Value, member: &str) -> Option<Value> {
    order.get(member).cloned()
}

fn status(cluster: &Cluster) -> Value {
    let death = cluster.death.as_ref();
    let reason = object([
        ("Code", death.and_then(|death| death.code).map(|code| json!(code))),
        ("Message", death.and_then(|death| death.message.as_ref()).map(|text| json!(text))),
    ]);
    let details: Vec<Value> = death
        .into_iter()
        .flat_map(|death| &death.details)
        .map(|detail| {
            json!({
                "ErrorCode": detail.code, "ErrorData": detail.data, "ErrorMessage": detail.message,
            })
        })
        .collect();
    object([
        ("State", Some(json!(cluster.state.word()))),
        ("StateChangeReason", Some(reason)),
        (
            "Timeline",
            Some(object([
                ("CreationDateTime", time(Some(cluster.created))),
                ("ReadyDateTime", time(cluster.ready)),
                ("EndDateTime", time(cluster.ended)),
            ])),
        ),
        ("ErrorDetails", (!details.is_empty()).then_some(Value::Array(details))),
    ])
}

/// `DescribeCluster`'s.
pub(super) fn cluster(cluster: &Cluster) -> Value {
    let order = &cluster.order;
    let ami = given(order, "AmiVersion");
    let up = cluster.ready.is_some();
    object([
        ("Id", Some(json!(cluster.id))),
        ("Name", given(order, "Name")),
        ("Status", Some(status(cluster))),
        ("Ec2InstanceAttributes", Some(attributes(cluster))),
        ("InstanceCollectionType", Some(json!("INSTANCE_GROUP"))),
        ("LogUri", order["LogUri"].as_str().map(|uri| json!(log_uri(uri)))),
        ("RequestedAmiVersion", ami.clone()),
        ("RunningAmiVersion", ami),
        ("ReleaseLabel", given(order, "ReleaseLabel")),
        ("AutoTerminate", Some(json!(!cluster.stays()))),
        ("TerminationProtected", Some(json!(cluster.is_protected()))),
        ("UnhealthyNodeReplacement", Some(json!(false))),
        ("VisibleToAllUsers", given(order, "VisibleToAllUsers")),
        ("Applications", Some(given(order, "Applications").unwrap_or_else(|| json!([])))),
        ("Tags", Some(given(order, "Tags").unwrap_or_else(|| json!([])))),
        ("ServiceRole", given(order, "ServiceRole")),
        ("NormalizedInstanceHours", Some(json!(0))),
        (
            "MasterPublicDnsName",
            up.then(|| json!(format!("ip-10-0-0-1.{}.compute.internal", cluster.region))),
        ),
        ("Configurations", Some(given(order, "Configurations").unwrap_or_else(|| json!([])))),
        ("SecurityConfiguration", given(order, "SecurityConfiguration")),
        ("ScaleDownBehavior", Some(json!("TERMINATE_AT_TASK_COMPLETION"))),
        ("ClusterArn", Some(json!(arn(&cluster.region, &cluster.id)))),
        ("StepConcurrencyLevel", Some(json!(cluster.concurrency()))),
        ("PlacementGroups", Some(json!([]))),
    ])
}

/// EMR gives the log URI back in another scheme and with a slash at its end
/// (aws-cli's `emr_ec2` and mrjob normalise it for that reason).
fn log_uri(uri: &str) -> String {
    let uri = uri.strip_prefix("s3://").map_or(uri.to_owned(), |rest| format!("s3n://{rest}"));
    if uri.ends_with('/') { uri } else { uri + "/" }
}

fn attributes(cluster: &Cluster) -> Value {
    let instances = &cluster.order["Instances"];
    let zone = instances["Placement"].get("AvailabilityZone").cloned();
    let subnet = given(instances, "Ec2SubnetId");
    let one = |value: &Option<Value>| json!(value.iter().collect::<Vec<_>>());
    object([
        ("Ec2KeyName", given(instances, "Ec2KeyName")),
        ("RequestedEc2SubnetIds", Some(one(&subnet))),
        ("Ec2SubnetId", subnet),
        ("RequestedEc2AvailabilityZones", Some(one(&zone))),
        (
            "Ec2AvailabilityZone",
            Some(zone.unwrap_or_else(|| json!(format!("{}a", cluster.region)))),
        ),
        ("IamInstanceProfile", given(&cluster.order, "JobFlowRole")),
        ("AdditionalMasterSecurityGroups", Some(json!([]))),
        ("AdditionalSlaveSecurityGroups", Some(json!([]))),
    ])
}

/// `ListClusters`'.
pub(super) fn cluster_summary(cluster: &Cluster) -> Value {
    object([
        ("Id", Some(json!(cluster.id))),
        ("Name", given(&cluster.order, "Name")),
        ("Status", Some(status(cluster))),
        ("NormalizedInstanceHours", Some(json!(0))),
        ("ClusterArn", Some(json!(arn(&cluster.region, &cluster.id)))),
    ])
}

/// `ListSteps`' and `DescribeStep`'s.
pub(super) fn step(step: &Step) -> Value {
    let jar = &step.config["HadoopJarStep"];
    let properties: Map<String, Value> = jar["Properties"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair["Key"].as_str()?.to_owned(), pair["Value"].clone())))
        .collect();
    let failure = step.failure.as_ref().map(|failure| {
        object([
            ("Reason", Some(json!(failure.reason))),
            ("Message", failure.message.as_ref().map(|text| json!(text))),
            ("LogFile", failure.log_file.as_ref().map(|text| json!(text))),
        ])
    });
    object([
        ("Id", Some(json!(step.id))),
        ("Name", given(&step.config, "Name")),
        (
            "Config",
            Some(object([
                ("Jar", given(jar, "Jar")),
                ("Properties", Some(Value::Object(properties))),
                ("MainClass", given(jar, "MainClass")),
                ("Args", Some(given(jar, "Args").unwrap_or_else(|| json!([])))),
            ])),
        ),
        ("ActionOnFailure", given(&step.config, "ActionOnFailure")),
        (
            "Status",
            Some(object([
                ("State", Some(json!(step.state.word()))),
                ("StateChangeReason", Some(json!({}))),
                ("FailureDetails", failure),
                (
                    "Timeline",
                    Some(object([
                        ("CreationDateTime", time(Some(step.created))),
                        ("StartDateTime", time(step.started)),
                        ("EndDateTime", time(step.ended)),
                    ])),
                ),
            ])),
        ),
    ])
}

/// `ListBootstrapActions`'.
pub(super) fn bootstrap_actions(cluster: &Cluster) -> Vec<Value> {
    let actions = cluster.order["BootstrapActions"].as_array();
    let script = |action: &Value, member| action["ScriptBootstrapAction"].get(member).cloned();
    actions
        .into_iter()
        .flatten()
        .map(|action| {
            object([
                ("Name", given(action, "Name")),
                ("ScriptPath", script(action, "Path")),
                ("Args", Some(script(action, "Args").unwrap_or_else(|| json!([])))),
            ])
        })
        .collect()
}

/// `ListInstanceGroups`'.
pub(super) fn instance_groups(cluster: &Cluster) -> Vec<Value> {
    let groups = cluster.order["Instances"]["InstanceGroups"].as_array();
    (1..)
        .zip(groups.into_iter().flatten())
        .map(|(n, group)| instance_group(cluster, n, group))
        .collect()
}

fn instance_group(cluster: &Cluster, n: usize, group: &Value) -> Value {
    let up = cluster.ready.is_some() && cluster.state.takes_steps();
    let word = match cluster.state {
        State::Starting => "PROVISIONING",
        State::Bootstrapping => "BOOTSTRAPPING",
        State::Running | State::Waiting => "RUNNING",
        State::Terminating => "TERMINATING",
        State::Terminated | State::TerminatedWithErrors => "TERMINATED",
    };
    let timeline = object([
        ("CreationDateTime", time(Some(cluster.created))),
        ("ReadyDateTime", time(cluster.ready)),
        ("EndDateTime", time(cluster.ended)),
    ]);
    let ebs = &group["EbsConfiguration"];
    let devices: Vec<Value> = ebs["EbsBlockDeviceConfigs"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|device| json!({"VolumeSpecification": device["VolumeSpecification"], "Device": "/dev/sdb"}))
        .collect();
    let role = given(group, "InstanceRole");
    object([
        ("Id", Some(json!(format!("ig-{}{n}", &cluster.id[2..])))),
        ("Name", given(group, "Name").or_else(|| role.clone())),
        ("Market", Some(given(group, "Market").unwrap_or_else(|| json!("ON_DEMAND")))),
        ("InstanceGroupType", role),
        ("BidPrice", given(group, "BidPrice")),
        ("InstanceType", given(group, "InstanceType")),
        ("RequestedInstanceCount", given(group, "InstanceCount")),
        ("RunningInstanceCount", Some(if up { group["InstanceCount"].clone() } else { json!(0) })),
        ("Status", Some(json!({"State": word, "StateChangeReason": {}, "Timeline": timeline}))),
        ("EbsBlockDevices", Some(Value::Array(devices))),
        ("EbsOptimized", given(ebs, "EbsOptimized")),
    ])
}

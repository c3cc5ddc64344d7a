//! EMR's rules that its shapes do not tell.
//!
//! Sources: the guide's limits of steps (256 a call and active, 10,240 characters a step), aws-cli's
//! `MAX_BOOTSTRAP_ACTION_NUMBER`, the API reference of `RunJobFlow` (names, releases, instance groups) and `Tag`.
//! Where EMR would let something pass that can only be a mistake, such as an empty subnet, the fake is stricter.

use std::collections::BTreeSet;

use serde_json::Value;

use super::refusal::Refusal;

/// Steps of one call, and active steps of one cluster.
pub(super) const STEPS: usize = 256;

type Check = Result<(), Refusal>;

fn rule(holds: bool, message: impl Into<String>) -> Check {
    if holds { Ok(()) } else { Err(Refusal::validation(message)) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A `RunJobFlow` that fits its shape.
///
/// # Errors
/// It breaks a rule.
pub(super) fn launch(body: &Value) -> Check {
    name(body["Name"].as_str().unwrap_or_default())?;
    release(body)?;
    no_empty_texts(body)?;
    place(&body["Instances"])?;
    groups(list(&body["Instances"]["InstanceGroups"]))?;
    let actions = list(&body["BootstrapActions"]).len();
    rule(actions <= 16, "Maximum number of bootstrap actions is 16")?;
    tags(list(&body["Tags"]))?;
    let level = body["StepConcurrencyLevel"].as_i64().unwrap_or(1);
    rule((1..=256).contains(&level), "The step concurrency level must be between 1 and 256")?;
    steps(list(&body["Steps"]))
}

/// The steps of a call.
///
/// # Errors
/// They break a rule.
pub(super) fn steps(steps: &[Value]) -> Check {
    rule(steps.len() <= STEPS, "Maximum number of steps in a request is 256")?;
    for step in steps {
        name(step["Name"].as_str().unwrap_or_default())?;
        let length = characters(&step["HadoopJarStep"]);
        rule(length <= 10_240, format!("A step has {length} characters, more than 10240"))?;
        let jar = step["HadoopJarStep"]["Jar"].as_str().unwrap_or_default();
        rule(!jar.is_empty(), "The jar of a step must not be empty")?;
    }
    Ok(())
}

/// All characters of all strings within.
fn characters(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(values) => values.iter().map(characters).sum(),
        Value::Object(members) => members.values().map(characters).sum(),
        _ => 0,
    }
}

fn name(name: &str) -> Check {
    rule(!name.is_empty(), "A name must not be empty")?;
    rule(
        !name.contains(['<', '>', '$', '|', '`']),
        format!("Name '{name}' contains a character that is not allowed: < > $ | `"),
    )
}

fn release(body: &Value) -> Check {
    let numbers = |text: &str| -> Option<Vec<u32>> {
        text.split('.').map(|part| part.parse().ok()).collect()
    };
    match (body["ReleaseLabel"].as_str(), body["AmiVersion"].as_str()) {
        (Some(label), None) => {
            let known = label.strip_prefix("emr-").and_then(numbers);
            let known = known.is_some_and(|parts| parts.len() == 3 && parts[0] >= 4);
            rule(known, format!("The supplied release label is invalid: {label}."))
        }
        (None, Some(ami)) => {
            let known = numbers(ami).is_some_and(|parts| {
                (2..=3).contains(&parts.len()) && parts.first().is_some_and(|major| *major < 4)
            });
            rule(known, format!("The supplied ami version is invalid: {ami}."))
        }
        _ => Err(Refusal::validation("Exactly one of ReleaseLabel and AmiVersion must be given")),
    }
}

/// The optional texts: who has none leaves them out.
fn no_empty_texts(body: &Value) -> Check {
    for of in [body, &body["Instances"], &body["Instances"]["Placement"]] {
        for (member, value) in of.as_object().into_iter().flatten() {
            rule(value.as_str() != Some(""), format!("{member} must not be empty"))?;
        }
    }
    Ok(())
}

fn place(instances: &Value) -> Check {
    let subnet = !instances["Ec2SubnetId"].is_null();
    let zone = !instances["Placement"].is_null();
    rule(!(subnet && zone), "Only one of Ec2SubnetId and Placement may be given")
}

fn groups(groups: &[Value]) -> Check {
    let count = |role: &str| groups.iter().filter(|group| group["InstanceRole"] == role).count();
    rule(count("MASTER") == 1, "There must be exactly one master instance group")?;
    rule(count("CORE") <= 1, "There must be at most one core instance group")?;
    rule(count("TASK") == 0 || count("CORE") == 1, "Task instances need a core instance group")?;
    for group in groups {
        let count = group["InstanceCount"].as_i64().unwrap_or_default();
        rule(count >= 1, "An instance group must have at least one instance")?;
        rule(group["InstanceRole"] != "MASTER" || count == 1, "There must be one master instance")?;
        rule(
            group["Market"] == "SPOT" || group["BidPrice"].is_null(),
            "A bid price needs the spot market",
        )?;
        for device in list(&group["EbsConfiguration"]["EbsBlockDeviceConfigs"]) {
            volume(&device["VolumeSpecification"])?;
        }
    }
    Ok(())
}

fn volume(volume: &Value) -> Check {
    let kind = volume["VolumeType"].as_str().unwrap_or_default();
    let known = ["gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"].contains(&kind);
    rule(known, format!("The volume type '{kind}' is not supported"))?;
    let takes_iops = ["gp3", "io1", "io2"].contains(&kind);
    rule(takes_iops || volume["Iops"].is_null(), format!("Iops do not go with {kind}"))?;
    let takes_throughput = kind == "gp3";
    rule(
        takes_throughput || volume["Throughput"].is_null(),
        format!("Throughput does not go with {kind}"),
    )?;
    rule(volume["SizeInGB"].as_i64().is_some_and(|size| size >= 1), "A volume must have a size")
}

fn tags(tags: &[Value]) -> Check {
    rule(tags.len() <= 50, "A cluster can have 50 tags at most")?;
    let mut keys = BTreeSet::new();
    for tag in tags {
        let key = tag["Key"].as_str().unwrap_or_default();
        let length = key.chars().count();
        rule((1..=128).contains(&length), "A tag's key must have 1 to 128 characters")?;
        rule(!key.to_lowercase().starts_with("aws:"), "A tag's key must not begin with aws:")?;
        rule(keys.insert(key), format!("Tag key '{key}' is given twice"))?;
        let value = tag["Value"].as_str().unwrap_or_default();
        rule(value.chars().count() <= 256, "A tag's value must have 256 characters at most")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        json!({
            "Name": "a name", "ReleaseLabel": "emr-7.5.0",
            "Instances": {"InstanceGroups": [
                {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1},
                {"InstanceRole": "CORE", "InstanceType": "m5.xlarge", "InstanceCount": 2, "Market": "SPOT", "BidPrice": "0.1",
                    "EbsConfiguration": {"EbsBlockDeviceConfigs": [{"VolumeSpecification":
                        {"VolumeType": "gp3", "SizeInGB": 10, "Iops": 3000, "Throughput": 125}}]}}],
                "Ec2SubnetId": "subnet-1"},
            "Tags": [{"Key": "a", "Value": ""}]
        })
    }

    /// The body with one member replaced.
    fn with(pointer: &str, value: Value) -> Value {
        let mut body = body();
        let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("it is there")[member] = value;
        body
    }

    #[test]
    fn what_may_be() {
        assert_eq!(launch(&body()), Ok(()));
        assert_eq!(launch(&with("/Tags", json!([]))), Ok(()));
        let mut old = with("/AmiVersion", json!("3.11.0"));
        old.as_object_mut().expect("an object").remove("ReleaseLabel");
        assert_eq!(launch(&old), Ok(()));
    }

    #[test]
    fn what_may_not() {
        let tag = |key: String, value: String| json!([{"Key": key, "Value": value}]);
        let many = |count: usize| -> Value {
            (0..count).map(|n| json!({"Key": format!("k{n}"), "Value": "v"})).collect()
        };
        let action = json!({"Name": "a", "ScriptBootstrapAction": {"Path": "s3://b/a"}});
        let volume = "/Instances/InstanceGroups/1/EbsConfiguration/EbsBlockDeviceConfigs/0/VolumeSpecification";
        for (pointer, value) in [
            ("/Name", json!("a$b")),
            ("/Name", json!("")),
            ("/ReleaseLabel", json!("emr-3.5.0")),
            ("/ReleaseLabel", json!("7.5.0")),
            ("/AmiVersion", json!("3.11.0")),
            ("/LogUri", json!("")),
            ("/Instances/Ec2SubnetId", json!("")),
            ("/Instances/Placement", json!({"AvailabilityZone": "eu-west-1a"})),
            ("/Instances/InstanceGroups/0/InstanceCount", json!(2)),
            ("/Instances/InstanceGroups/1/InstanceCount", json!(0)),
            ("/Instances/InstanceGroups/1/InstanceRole", json!("TASK")),
            ("/Instances/InstanceGroups/1/Market", json!("ON_DEMAND")),
            ("/Instances/InstanceGroups", json!([])),
            (&format!("{volume}/VolumeType"), json!("gp2")),
            (&format!("{volume}/VolumeType"), json!("io1")),
            (&format!("{volume}/VolumeType"), json!("tape")),
            (&format!("{volume}/SizeInGB"), json!(0)),
            ("/BootstrapActions", Value::Array(vec![action; 17])),
            ("/Tags", many(51)),
            ("/Tags", tag("aws:a".to_owned(), String::new())),
            ("/Tags", tag(String::new(), String::new())),
            ("/Tags", tag("k".repeat(129), String::new())),
            ("/Tags", tag("k".to_owned(), "v".repeat(257))),
            ("/Tags", json!([{"Key": "a"}, {"Key": "a"}])),
            ("/StepConcurrencyLevel", json!(257)),
        ] {
            assert!(launch(&with(pointer, value.clone())).is_err(), "{pointer} {value}");
        }
    }

    #[test]
    fn steps_have_limits() {
        let step = |arg: usize| json!({"Name": "s", "HadoopJarStep": {"Jar": "0123456789", "Args": ["x".repeat(arg)]}});
        assert_eq!(steps(&[step(10_230)]), Ok(()));
        assert!(steps(&[step(10_231)]).is_err());
        assert_eq!(steps(&vec![step(1); 256]), Ok(()));
        assert!(steps(&vec![step(1); 257]).is_err());
        assert!(steps(&[json!({"Name": "s", "HadoopJarStep": {"Jar": ""}})]).is_err());
        assert!(steps(&[json!({"Name": "a|b", "HadoopJarStep": {"Jar": "x"}})]).is_err());
    }
}

//! The JSON Schema of each kind of file.

use super::kind_of;
use crate::schema::{Files, JsonSchema, Mode, PREFIX, Published, Schema};

/// Record and field of what 1-*-* files of 0.7.x must have; all else was taken for empty where it was absent. Tested to be
/// what is refused.
const NEEDED: &[(&str, &str)] = &[
    ("ClusterConfig", "name"),
    ("ClusterConfig", "region"),
    ("ClusterConfig", "credentials"),
    ("ClusterConfig", "ec2"),
    ("PlaybookConfig", "region"),
    ("PlaybookConfig", "credentials"),
    ("PlaybookConfig", "steps"),
    ("Credentials", "accessKeyId"),
    ("Credentials", "secretAccessKey"),
    ("Ec2", "amiVersion"),
    ("Ec2", "location"),
    ("Ec2", "instances"),
    ("Classic", "availabilityZone"),
    ("Vpc", "subnetId"),
    ("Instances", "master"),
    ("Master", "type"),
    ("Step", "name"),
    ("Step", "actionOnFailure"),
    ("Step", "jar"),
];

/// A JSON Schema, for editors, of the files that have a published schema. Where the newest of a model reads all files of
/// the model, its JSON Schema takes all their keys. What no Avro schema can say it does not say either.
///
/// `None`: the schema is of no known kind, or not valid; the published ones are.
pub fn json_schema(published: &Published) -> Option<JsonSchema> {
    let key = published.key();
    let kind = kind_of(&key)?;
    let mode = kind.mode();
    let all = format!("^{PREFIX}{}/avro/1-[0-9]+-[0-9]+$", published.name).replace('.', "\\.");
    let reads_all = mode == Mode::Lenient && kind.newest()?.version == published.version;
    let files = Files {
        key: &key,
        keys: reads_all.then_some(&*all),
        title: &format!("{} {}", published.name, published.version),
        mode,
        needed: NEEDED,
    };
    let document = published.document();
    Some(JsonSchema::of_files(&Schema::parse(&document).0?, &files))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::config::load;
    use crate::document::Document;
    use crate::schema::{find, published};
    use crate::source::Source;

    fn is_read(file: &Value) -> bool {
        load(&Document::plain(Arc::new(Source::new("x", file.to_string())))).0.is_some()
    }

    /// The records of `value` that is of the part `of` of a JSON Schema, by name and place.
    fn records(
        schema: &Value,
        of: &Value,
        value: &Value,
        at: &str,
        found: &mut Vec<(String, String)>,
    ) {
        if value.is_null() {
            return;
        }
        if let Some(name) = of["$ref"].as_str().and_then(|name| name.strip_prefix("#/definitions/"))
        {
            found.push((name.rsplit('.').next().unwrap_or(name).to_owned(), at.to_owned()));
            let properties = &schema["definitions"][name]["properties"];
            for (key, inner) in value.as_object().into_iter().flatten() {
                records(schema, &properties[key], inner, &format!("{at}/{key}"), found);
            }
            return;
        }
        for (i, item) in value.as_array().into_iter().flatten().enumerate() {
            records(schema, &of["items"], item, &format!("{at}/{i}"), found);
        }
        let either = ["anyOf", "allOf"].iter().filter_map(|key| of[key].as_array()).flatten();
        for one in either.filter(|one| one["patternProperties"].is_null()) {
            records(schema, one, value, at, found);
        }
    }

    fn lenient(name: &str) -> Value {
        let data = match name {
            "ClusterConfig" => json!({
                "name": "etl",
                "logUri": "s3://logs/",
                "region": "eu-west-1",
                "credentials": {"accessKeyId": "env", "secretAccessKey": "env"},
                "roles": {"jobflow": "a", "service": "b"},
                "ec2": {
                    "amiVersion": "7.5.0",
                    "keyName": "key",
                    "location": {"vpc": {"subnetId": "subnet-1"}},
                    "instances": {
                        "master": {"type": "m5.xlarge", "ebsConfiguration": {
                            "ebsOptimized": true,
                            "ebsBlockDeviceConfigs": [{
                                "volumesPerInstance": 1,
                                "volumeSpecification": {"sizeInGB": 10, "volumeType": "gp3", "iops": 3000, "throughput": 125},
                            }],
                        }},
                        // No instances: their type does not matter.
                        "core": {"type": "m5.xlarge", "count": 0, "ebsConfiguration": null},
                        "task": {"type": "m5.xlarge", "count": 0, "bid": "0.1", "ebsConfiguration": null},
                    },
                },
                "tags": [{"key": "team", "value": "data"}],
                "bootstrapActionConfigs": [{"name": "a", "scriptBootstrapAction": {"path": "s3://a", "args": []}}],
                "configurations": [{"classification": "core-site", "properties": {}, "configurations": []}],
                "applications": ["Spark"],
                "securityConfiguration": "s",
            }),
            _ => json!({
                "region": "eu-west-1",
                "credentials": {"accessKeyId": "env", "secretAccessKey": "env"},
                "steps": [{
                    "type": "CUSTOM_JAR", "name": "a", "actionOnFailure": "CONTINUE", "jar": "s3://a.jar", "arguments": [],
                }],
                "tags": [{"key": "team", "value": "data"}],
            }),
        };
        let version = if name == "ClusterConfig" { "1-1-0" } else { "1-0-1" };
        json!({"schema": format!("{PREFIX}{name}/avro/{version}"), "data": data})
    }

    /// Each field is taken out of a file that has all of them: it is required if the file is refused then.
    #[test]
    fn what_lenient_files_need_is_what_they_are_refused_without() {
        let mut needed = BTreeMap::new();
        let mut fields = 0;
        for name in ["ClusterConfig", "PlaybookConfig"] {
            let whole = lenient(name);
            assert!(is_read(&whole));
            let published = find(whole["schema"].as_str().expect("a key")).expect("published");
            let schema = serde_json::to_value(json_schema(&published)).expect("JSON");
            let mut places = Vec::new();
            records(&schema, &schema["properties"]["data"], &whole["data"], "/data", &mut places);
            // One location excludes the other.
            let mut classic = whole.clone();
            if name == "ClusterConfig" {
                let location = json!({"classic": {"availabilityZone": "eu-west-1a"}});
                classic["data"]["ec2"]["location"] = location;
                places.push(("Classic".into(), "/data/ec2/location/classic".into()));
            }
            for (record, at) in places {
                let file = if record == "Classic" { &classic } else { &whole };
                let keys = file.pointer(&at).and_then(Value::as_object).expect("a record").keys();
                for key in keys.filter(|key| record != "Location" || *key != "vpc") {
                    let mut less = file.clone();
                    let of = less.pointer_mut(&at).and_then(Value::as_object_mut).expect("there");
                    of.remove(key);
                    needed.insert((record.clone(), key.clone()), !is_read(&less));
                    fields += 1;
                    // Null is absent.
                    less.pointer_mut(&at).expect("there")[key] = Value::Null;
                    assert_eq!(
                        !is_read(&less),
                        needed[&(record.clone(), key.clone())],
                        "{at}/{key}"
                    );
                }
            }
        }
        assert!(fields > 50, "{fields}");
        let refused = needed.iter().filter(|(_, needed)| **needed).map(|((r, f), _)| (&**r, &**f));
        assert_eq!(refused.collect::<BTreeSet<_>>(), NEEDED.iter().copied().collect());
    }

    #[test]
    fn a_newest_schema_takes_the_keys_of_all_that_it_reads() {
        for published in published() {
            let schema = serde_json::to_value(json_schema(published)).expect("JSON");
            let key = &schema["properties"]["schema"];
            let all = match published.key().as_str().trim_start_matches(PREFIX) {
                "ClusterConfig/avro/1-1-0" => Some("ClusterConfig"),
                "PlaybookConfig/avro/1-0-1" => Some("PlaybookConfig"),
                _ => None,
            };
            match all {
                Some(name) => assert_eq!(
                    (&key["pattern"], &key["examples"]),
                    (
                        &json!(format!(
                            "^iglu:com\\.snowplowanalytics\\.dataflowrunner/{name}/avro/1-[0-9]+-[0-9]+$"
                        )),
                        &json!([published.key()])
                    )
                ),
                None => assert_eq!(key["const"], json!(published.key())),
            }
            let lenient = published.version.starts_with("1-")
                && matches!(published.name, "ClusterConfig" | "PlaybookConfig");
            assert_eq!(schema["additionalProperties"].is_null(), lenient, "{}", published.key());
        }
    }
}

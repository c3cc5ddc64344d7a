use std::path::Path;

use super::super::extra::Extra;
use super::super::{Credentials, FailedWorkers, Network};
use super::*;
use crate::config::sample::text;
use crate::config::{self, Config as File};
use crate::document::Document;
use crate::schema;
use crate::source::Source;
use std::sync::Arc;

/// The least that a file can say.
pub(in super::super) fn config() -> Config {
    Config {
        source: Arc::new(Source::new("cluster.json", "")),
        name: text("etl"),
        project: None,
        region: text("us-central1"),
        zone: None,
        credentials: Credentials::Default,
        impersonate: None,
        quota_project: None,
        endpoint: None,
        storage_endpoint: None,
        image_version: None,
        master: None,
        workers: None,
        secondary_workers: None,
        single_node: false,
        network: Network::default(),
        service_account: None,
        service_account_scopes: Vec::new(),
        initialization_actions: Vec::new(),
        optional_components: Vec::new(),
        properties: BTreeMap::new(),
        autoscaling_policy: None,
        idle_ttl: None,
        max_age: None,
        labels: BTreeMap::new(),
        kms_key: None,
        staging_bucket: None,
        temp_bucket: None,
        component_gateway: None,
        on_failed_workers: FailedWorkers::default(),
        extra: None,
    }
}

fn ours() -> BTreeMap<String, String> {
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    [
        label(crate::fabric::dataproc::names::RUN, "r-1"),
        label(crate::fabric::dataproc::names::ORDER, "r-1_1"),
    ]
    .into()
}

fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).expect("a fixture")).expect("JSON")
}

fn read(file: &Value) -> Option<Box<Config>> {
    let source = Source::new("folder/cluster.json", file.to_string());
    match config::load(&Document::plain(Arc::new(source))).0? {
        File::Dataproc(config) => Some(config),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_given_is_not_sent() {
    let sent = |transient| cluster(&config(), &BTreeMap::new(), transient);
    assert_eq!(sent(false), json!({"clusterName": "etl", "config": {}}));
    let lifecycle = json!({"idleDeleteTtl": "7200s", "autoDeleteTtl": "86400s"});
    let expected = json!({"clusterName": "etl", "config": {"lifecycleConfig": lifecycle}});
    assert_eq!(sent(true), expected);
}

#[test]
fn a_whole_file_as_it_is_sent() {
    let config = read(&fixture("valid/dataproc.json")).expect("valid");
    let sent = cluster(&config, &ours(), true);
    let expected = fixture("dataproc/create.json");
    assert_eq!(sent, expected, "{sent:#}");
    let config = read(&fixture("valid/dataproc-single-node.json")).expect("valid");
    let sent = cluster(&config, &ours(), false);
    let expected = fixture("dataproc/create-single-node.json");
    assert_eq!(sent, expected, "{sent:#}");
}

#[test]
fn the_file_says_when_a_cluster_ends_itself_if_it_says_so() {
    let of = |idle: Option<u64>, age: Option<u64>, transient| {
        let (idle_ttl, max_age) = (idle.map(Duration::from_secs), age.map(Duration::from_secs));
        let config = Config { idle_ttl, max_age, ..config() };
        cluster(&config, &BTreeMap::new(), transient)["config"]["lifecycleConfig"].clone()
    };
    assert_eq!(of(Some(300), None, false), json!({"idleDeleteTtl": "300s"}));
    let both = json!({"idleDeleteTtl": "300s", "autoDeleteTtl": "86400s"});
    assert_eq!(of(Some(300), None, true), both);
    let both = json!({"idleDeleteTtl": "7200s", "autoDeleteTtl": "600s"});
    assert_eq!(of(None, Some(600), true), both);
}

#[test]
fn a_single_node_has_one_master_and_no_workers() {
    let single = Config { single_node: true, ..config() };
    let sent = cluster(&single, &BTreeMap::new(), false);
    let properties = json!({"dataproc:dataproc.allow.zero.workers": "true"});
    let expected =
        json!({"masterConfig": {"numInstances": 1}, "softwareConfig": {"properties": properties}});
    assert_eq!(sent["config"], expected);
}

#[test]
fn policies_by_id_and_by_name() {
    let name = "projects/p/locations/us-central1/autoscalingPolicies/x";
    let resource = |project: Option<&str>, policy: &str| {
        resource_of_policy(&Config { project: project.map(text), ..config() }, &text(policy))
    };
    assert_eq!(resource(None, name).as_deref(), Some(name));
    assert_eq!(resource(None, "x"), None);
    let expected = "projects/acme-etl/regions/us-central1/autoscalingPolicies/x";
    assert_eq!(resource(Some("acme-etl"), "x").as_deref(), Some(expected));
}

#[test]
fn extra_is_laid_over_all_else() {
    let extra = r#"{"config": {"lifecycleConfig": null, "workerConfig": {"numInstances": 5}}}"#;
    let config = Config { extra: Extra::parse(text(extra)).ok(), ..config() };
    let sent = cluster(&config, &ours(), true);
    assert_eq!(sent["config"], json!({"workerConfig": {"numInstances": 5}}));
    assert_eq!(sent["labels"], json!(ours()));
}

/// What comes of a file, in whatever way.
fn print(config: &Config) -> String {
    let body = cluster(config, &BTreeMap::new(), false);
    let credentials = match &config.credentials {
        Credentials::Default => String::new(),
        Credentials::File(path) => format!("{}", path.display()),
        Credentials::Json(secret) | Credentials::Token(secret) => secret.expose().to_owned(),
    };
    let strings =
        [&config.impersonate, &config.quota_project, &config.endpoint, &config.storage_endpoint];
    let (region, on) = (config.region.expose(), config.on_failed_workers);
    format!("{region} {body} {credentials} {strings:?} {on:?}")
}

/// The paths of all fields of a record of a schema, with `*` for the items of a list.
fn fields(of: &Value, records: &mut BTreeMap<String, Value>, at: &str, found: &mut Vec<String>) {
    match of {
        Value::String(name) => {
            if let Some(record) = records.get(name).cloned() {
                fields(&record, records, at, found);
            }
        }
        Value::Array(union) => union.iter().for_each(|of| fields(of, records, at, found)),
        Value::Object(of) if of["type"] == "array" => {
            fields(&of["items"], records, &format!("{at}/*"), found);
        }
        Value::Object(record) if record["type"] == "record" => {
            records.insert(record["name"].as_str().expect("a name").to_owned(), of.clone());
            for field in record["fields"].as_array().expect("fields") {
                let at = format!("{at}/{}", field["name"].as_str().expect("a name"));
                found.push(at.clone());
                fields(&field["type"], records, &at, found);
            }
        }
        _ => {}
    }
}

/// The value at a path in which `*` is the first item.
fn pointer(path: &str) -> String {
    format!("/data{}", path.replace('*', "0"))
}

/// A file that says something at each path but the few of which another must be left out.
fn with(path: &str) -> Value {
    let mut file = fixture("valid/dataproc.json");
    let data = &mut file["data"];
    let worker = json!({
        "numInstances": 3, "machineType": "n2-standard-4", "minCpuPlatform": "Intel Ice Lake",
        "image": "etl", "bootDiskType": "hyperdisk-balanced", "bootDiskSizeGb": 10,
        "bootDiskProvisionedIops": 3000, "bootDiskProvisionedThroughput": 140, "numLocalSsds": 2,
        "localSsdInterface": "scsi", "accelerators": [{"type": "nvidia-l4", "count": 2}],
    });
    data["workers"] = worker.clone();
    for (name, value) in worker.as_object().expect("an object") {
        data["secondaryWorkers"][name] = value.clone();
    }
    match path {
        "/credentials/json" => data["credentials"] = json!({"json": "{}"}),
        "/credentials/token" => data["credentials"] = json!({"token": "t"}),
        "/region" => data["zone"] = json!(null),
        "/tempBucket" => data["extra"] = json!("{}"),
        "/network/network" => data["network"] = json!({"network": "default"}),
        "/secondaryWorkers/preemptibility" => {
            data["secondaryWorkers"]["standardCapacityBase"] = json!(null);
            data["secondaryWorkers"]["standardCapacityPercentAboveBase"] = json!(null);
        }
        "/singleNode" => {
            let data = data.as_object_mut().expect("an object");
            for name in ["workers", "secondaryWorkers", "autoscalingPolicy"] {
                data.remove(name);
            }
            data.insert("singleNode".to_owned(), json!(true));
        }
        _ => {}
    }
    file
}

/// A field that nobody reads, or that is read and not sent, would be promised in vain.
#[test]
fn every_field_of_the_schema_is_read_and_does_something() {
    let published = schema::find("DataprocClusterConfig").expect("published");
    let schema: Value = serde_json::from_str(published.text).expect("JSON");
    let (mut records, mut paths) = (BTreeMap::new(), Vec::new());
    fields(&schema, &mut records, "", &mut paths);
    assert!(paths.len() > 75, "{paths:?}");
    for path in paths {
        let mut file = with(&path);
        let before = print(&read(&file).unwrap_or_else(|| panic!("{path}: {file}")));
        let at = pointer(&path);
        let (parent, name) = at.rsplit_once('/').expect("a path");
        let removed =
            file.pointer_mut(parent).and_then(|parent| parent.as_object_mut()?.remove(name));
        assert!(removed.is_some(), "{path} is in no file");
        // Where it must be there, another value has to do.
        let after = read(&file).or_else(|| {
            let other = match removed.expect("seen") {
                Value::Number(_) => json!(7),
                Value::Array(_) => json!(["n2-standard-2"]),
                _ if path == "/region" => json!("us-central1"),
                _ if path == "/project" => json!("other-project"),
                _ if path.ends_with("executableFile") => json!("gs://other/x"),
                _ => json!("other"),
            };
            file.pointer_mut(parent)?.as_object_mut()?.insert(name.to_owned(), other);
            read(&file)
        });
        let after = after.unwrap_or_else(|| panic!("{path}: {file}"));
        assert_ne!(print(&after), before, "{path}");
    }
}

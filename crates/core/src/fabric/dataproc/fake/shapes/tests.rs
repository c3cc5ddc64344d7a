use serde_json::json;

use super::*;

const CLUSTERS: &str = "/v1/projects/p/regions/r/clusters";
const JOBS: &str = "/v1/projects/p/regions/r/jobs";

fn query(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn check(verb: &str, path: &str, text: &str, body: &Value) -> Result<Value, Refusal> {
    let query = query(text);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Route::find(verb, path, &query).expect("a method").check(&query, body.as_bytes())
}

fn refused(verb: &str, path: &str, query: &str, body: &Value) -> String {
    let refusal = check(verb, path, query, body).expect_err("it does not fit");
    assert_eq!((refusal.code, refusal.status), (400, "INVALID_ARGUMENT"));
    refusal.message.replace("Invalid JSON payload received. ", "")
}

#[test]
fn paths_lead_to_methods() {
    for (verb, path, method, name, value) in [
        ("POST", CLUSTERS, "clusters.create", "region", "r"),
        ("GET", "/v1/projects/p/regions/r/clusters/c1", "clusters.get", "clusterName", "c1"),
        ("DELETE", "/v1/projects/p/regions/r/clusters/c1", "clusters.delete", "projectId", "p"),
        ("POST", "/v1/projects/p/regions/r/jobs:submit", "jobs.submit", "region", "r"),
        ("POST", "/v1/projects/p/regions/r/jobs/j-1:cancel", "jobs.cancel", "jobId", "j-1"),
        ("GET", "/v1/projects/p/regions/r/operations/o", "operations.get", "operationId", "o"),
        ("GET", "/storage/v1/b/logs/o", "objects.list", "bucket", "logs"),
        ("GET", "/storage/v1/b/logs/o/a%2Fb%20c", "objects.get", "object", "a/b c"),
    ] {
        let route = Route::find(verb, path, &[]).expect(path);
        assert_eq!((route.short(), route.var(name)), (method, value));
    }
    for (verb, path) in [
        ("PUT", CLUSTERS),
        ("GET", "/v1/projects/p/regions/r/clusters/"),
        ("GET", "/v1/projects/p/regions/r/clusters/c1:start"),
        ("POST", "/v1/projects/p/regions/r/jobs/:cancel"),
        ("GET", "/storage/v1/b/logs/o/a/b"),
        ("GET", "/v2/projects/p/regions/r/clusters"),
    ] {
        assert!(Route::find(verb, path, &[]).is_none(), "{verb} {path}");
    }
}

#[test]
fn what_fits() {
    let cluster = json!({"projectId": "p", "clusterName": "c1", "labels": {"a": "b"}, "config": {
        "lifecycleConfig": {"idleDeleteTtl": "3600.5s", "autoDeleteTime": "2026-11-23T00:00:00Z"},
        "masterConfig": {"numInstances": 1, "diskConfig": {"bootDiskProvisionedIops": "10"}},
        "softwareConfig": {"optionalComponents": ["FLINK"], "properties": {"spark:a": "b"}},
        "initializationActions": [{"executableFile": "gs://b/i.sh", "executionTimeout": "60s"}]}});
    let query = "requestId=a&actionOnFailedPrimaryWorkers=DELETE&alt=json&prettyPrint=false";
    assert_eq!(check("POST", CLUSTERS, query, &cluster), Ok(cluster));
    assert_eq!(
        check("GET", JOBS, "jobStateMatcher=ACTIVE&pageSize=5", &Value::Null),
        Ok(Value::Null)
    );
    let cancel = check("POST", "/v1/projects/p/regions/r/jobs/j:cancel", "", &Value::Null);
    assert_eq!(cancel, Ok(json!({})), "no body is an empty message");
}

#[test]
fn enumerations_are_numbers_only_for_those_who_say_so() {
    let body = json!({"projectId": "p", "clusterName": "c", "config": {"softwareConfig": {"optionalComponents": [14]}}});
    let int = "$alt=json;enum-encoding=int&actionOnFailedPrimaryWorkers=2";
    assert!(check("POST", CLUSTERS, int, &body).is_ok());
    assert!(
        refused("POST", CLUSTERS, "", &body)
            .contains("config.softwareConfig.optionalComponents[0]")
    );
    assert!(refused("GET", JOBS, "jobStateMatcher=1", &Value::Null).contains("jobStateMatcher"));
}

#[test]
fn unknown_names() {
    let said = refused("GET", JOBS, "state=ACTIVE", &Value::Null);
    assert!(said.starts_with("Unknown name \"state\": Cannot bind query parameter."), "{said}");
    let body =
        json!({"projectId": "p", "clusterName": "c", "config": {"masterConfig": {"num": 1}}});
    let said = refused("POST", CLUSTERS, "", &body);
    assert_eq!(said, "Unknown name \"num\" at 'config.masterConfig': Cannot find field.");
    let said = refused("GET", JOBS, "", &json!({"a": 1}));
    assert_eq!(said, "There is no body here.");
}

#[test]
fn wrong_values() {
    for (member, value) in [
        ("labels", json!({"a": 1})),
        ("labels", json!(["a"])),
        ("clusterName", json!(17)),
        ("clusterName", json!(null)),
        ("config", json!({"lifecycleConfig": {"idleDeleteTtl": "3600"}})),
        ("config", json!({"lifecycleConfig": {"idleDeleteTtl": "-1s"}})),
        ("config", json!({"lifecycleConfig": {"idleDeleteTtl": 3600}})),
        ("config", json!({"lifecycleConfig": {"autoDeleteTime": "tomorrow"}})),
        ("config", json!({"masterConfig": {"numInstances": "1"}})),
        ("config", json!({"masterConfig": {"numInstances": 1.5}})),
        ("config", json!({"masterConfig": {"preemptibility": "spot"}})),
        ("config", json!({"masterConfig": {"diskConfig": {"bootDiskProvisionedIops": 10}}})),
        ("config", json!({"gceClusterConfig": {"internalIpOnly": "true"}})),
        ("config", json!({"initializationActions": {}})),
    ] {
        let mut body = json!({"projectId": "p", "clusterName": "c"});
        body[member] = value;
        let said = refused("POST", CLUSTERS, "", &body);
        assert!(said.contains("Invalid value at") || said.contains("is missing"), "{said}");
    }
    for query in ["pageSize=many", "jobStateMatcher=active", "prettyPrint=yes"] {
        assert!(refused("GET", JOBS, query, &Value::Null).contains("Invalid value at"), "{query}");
    }
}

#[test]
fn what_is_read_only_or_missing() {
    let body = json!({"projectId": "p", "clusterName": "c", "clusterUuid": "u"});
    assert_eq!(refused("POST", CLUSTERS, "", &body), "'clusterUuid' is output only.");
    let said = refused("POST", CLUSTERS, "", &json!({"projectId": "p"}));
    assert_eq!(said, "Required field 'clusterName' is missing.");
    let submit = "/v1/projects/p/regions/r/jobs:submit";
    let said = refused("POST", submit, "", &json!({"job": {"placement": {}, "status": {}}}));
    assert_eq!(said, "Required field 'job.placement.clusterName' is missing.");
    let refusal = check("POST", submit, "", &json!({"job": {"placement": {}, "status": {}}}));
    assert_eq!(refusal.expect_err("two").violations.len(), 2, "all of them are told");
}

#[test]
fn replies_fit_too() {
    let route = Route::find("GET", "/v1/projects/p/regions/r/operations/o", &[]).expect("a method");
    let cluster = "type.googleapis.com/google.cloud.dataproc.v1.Cluster";
    let told = |response: Value| json!({"name": "n", "done": true, "response": response});
    let right = json!({"@type": cluster, "projectId": "p", "clusterName": "c", "clusterUuid": "u"});
    assert_eq!(route.misfits(&told(right), false), []);
    let wrong = json!({"@type": cluster, "projectId": "p", "clusterName": "c", "uuid": "u"});
    assert_eq!(route.misfits(&told(wrong), false).len(), 1);
    assert_eq!(route.misfits(&json!({"name": 1, "finished": true}), false).len(), 2);
}

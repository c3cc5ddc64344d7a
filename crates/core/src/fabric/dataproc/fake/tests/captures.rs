//! The fake beside what was captured (`fixtures/wire/dataproc`, `fixtures/wire/gcs`): it takes what Google's own clients
//! send, and says at least what they were content with.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::*;

/// What Cloud Storage's stand-in says and the fake leaves out: rights are told only to those who ask for them
/// (`projection=full`), and what was composed of parts has no MD5.
const LEFT_OUT: [&str; 2] = ["/acl", "/md5Hash"];

fn captured(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/wire");
    fs::read_to_string(folder.join(name)).expect("it is there")
}

/// The members with their types; of a list the first.
fn members(value: &Value, at: &str, all: &mut BTreeSet<(String, &'static str)>) {
    let kind = match value {
        Value::Object(of) => {
            for (name, value) in of {
                members(value, &format!("{at}/{name}"), all);
            }
            "object"
        }
        Value::Array(values) => {
            if let Some(first) = values.first() {
                members(first, &format!("{at}/0"), all);
            }
            "list"
        }
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
    };
    // What is false or empty is left out on the wire.
    if *value != json!(false) && *value != json!("") {
        all.insert((at.to_owned(), kind));
    }
}

fn holds(ours: &Value, theirs: &Value, left_out: &[&str], what: &str) {
    let (mut own, mut wanted) = (BTreeSet::new(), BTreeSet::new());
    members(ours, "", &mut own);
    members(theirs, "", &mut wanted);
    wanted
        .retain(|(at, _)| !left_out.iter().any(|out| at.replace("/items/0", "").starts_with(out)));
    assert!(wanted.len() > 1, "{what}");
    for member in &wanted {
        assert!(own.contains(member), "{what}: {member:?} is not in {ours}");
    }
}

/// What must have been before a call, and its path then.
fn prepared(bench: &Bench, call: &Value) -> String {
    let path = text(&call["path"]);
    let place = "/v1/projects/p/regions/us-central1";
    let send = |method: &'static str, path: &str, sent: &Value| {
        let json = [("content-type", "application/json")];
        let body = if sent.is_null() { String::new() } else { sent.to_string() };
        let url = format!("{}{place}/{path}", bench.fake.url());
        super::body(&bench.send(method, url, &json, body.as_bytes()))
    };
    if path.contains("/clusters?") && call["method"] == "POST" {
        return path;
    }
    let order = json!({"projectId": "p", "clusterName": "c1", "config": {"configBucket": "logs", "gceClusterConfig": {}}});
    let made = send("POST", "clusters?requestId=made", &order);
    let is_over = !call["reply"]["done"].is_null();
    let own = |name: &str| {
        path.replace(&format!("{place}/operations/{name}"), &format!("/v1/{}", text(&made["name"])))
    };
    if path.contains("/create1") {
        bench.pass(if is_over { 90 } else { 0 });
        return own("create1");
    }
    bench.pass(90);
    if path.contains("/del1") {
        let deleted = send("DELETE", "clusters/c1?requestId=deleted", &Value::Null);
        bench.pass(if is_over { 30 } else { 0 });
        return path.replace(
            &format!("{place}/operations/del1"),
            &format!("/v1/{}", text(&deleted["name"])),
        );
    }
    if path.contains("/jobs") && !path.contains(":submit") {
        let mut order = job("j1", "c1");
        order["reference"]["projectId"] = json!("p");
        send("POST", "jobs:submit", &json!({"job": order, "requestId": "j1"}));
        bench.pass(if call["reply"]["status"]["state"] == "DONE" { 100 } else { 5 });
    }
    let uuid = text(&made["metadata"]["clusterUuid"]);
    path.replace("clusterUuid=u", &format!("clusterUuid={uuid}"))
}

#[test]
fn what_googles_own_clients_send_is_taken_and_answered() {
    let calls = captured("dataproc/calls.jsonl");
    let mut seen = BTreeSet::new();
    for line in calls.lines() {
        let call: Value = serde_json::from_str(line).expect("JSON");
        let bench = Bench::new(Script::default().bucket("logs"));
        let url = format!("{}{}", bench.fake.url(), prepared(&bench, &call));
        let method = ["GET", "POST", "DELETE"].into_iter().find(|known| call["method"] == *known);
        let sent = if call["body"].is_null() { String::new() } else { call["body"].to_string() };
        let json = [("content-type", "application/json")];
        let reply = bench.send(method.expect("a method"), url, &json, sent.as_bytes());
        assert_eq!(call["status"], reply.status, "{line}: {}", body(&reply));
        holds(&body(&reply), &call["reply"], &[], line);
        if let Some(state) = call["reply"]["status"]["state"].as_str() {
            assert_eq!(body(&reply)["status"]["state"], state, "{line}");
        }
        let said = bench.fake.world(|world| world.violations().to_vec());
        assert!(said.iter().all(|said| said.contains("an id of its own")), "{said:?}");
        seen.insert(bench.fake.requests().last().expect("a request").operation);
    }
    let all = [
        "clusters.create",
        "clusters.delete",
        "clusters.get",
        "clusters.list",
        "jobs.cancel",
        "jobs.get",
        "jobs.list",
        "jobs.submit",
        "operations.get",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn objects_are_told_as_a_stand_in_of_cloud_storage_tells_them() {
    let bench = Bench::new(Script::default().bucket("logs"));
    let theirs: Value = serde_json::from_str(&captured("gcs/object_insert.json")).expect("JSON");
    let name = text(&theirs["name"]);
    let query = format!("uploadType=media&name={}", crate::http::encode::encode(&name));
    let url = format!("{}/upload/storage/v1/b/logs/o?{query}", bench.fake.url());
    let plain = [("content-type", "text/plain")];
    let ours = body(&bench.send("POST", url, &plain, b"line1\n"));
    holds(&ours, &theirs, &LEFT_OUT, "insert");
    for member in ["name", "bucket", "size", "contentType", "crc32c", "kind", "storageClass"] {
        assert_eq!(ours[member], theirs[member], "{member}");
    }
    let theirs: Value = serde_json::from_str(&captured("gcs/object_list.json")).expect("JSON");
    let ours = body(&bench.storage("logs/o?prefix=google-cloud"));
    holds(&ours, &theirs, &LEFT_OUT, "list");
}

//! The fake's replies beside those of others (`fixtures/wire/emr`).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

/// Members that others send and EMR's published shapes do not allow, or that EMR leaves out where there is none.
const WRONG: &[&str] = &[
    // Empty, though two of its members are required.
    "/Cluster/KerberosAttributes",
    // Empty ones, where EMR sends none.
    "/Cluster/Applications/0/Args",
    "/Cluster/Applications/0/AdditionalInfo",
    // A code that the shape does not know.
    "/InstanceGroups/0/Status/StateChangeReason/Code",
    // No step has been given any.
    "/Step/Config/Properties/k",
];

/// What the fake says in the same place.
fn ours(file: &str) -> Value {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    let of = json!({"ClusterId": id});
    let steps = ["a", "b"].map(|name| step(name, "CONTINUE"));
    match file {
        "run-job-flow" => bench.call("RunJobFlow", order(true, &[])),
        "add-job-flow-steps" => {
            bench.call("AddJobFlowSteps", json!({"JobFlowId": id, "Steps": steps}))
        }
        "terminate-job-flows" => bench.call("TerminateJobFlows", json!({"JobFlowIds": [id]})),
        "describe-cluster-unknown" => {
            bench.refused("DescribeCluster", json!({"ClusterId": "j-BAD"})).json()
        }
        "list-clusters-terminated" => {
            bench.call("TerminateJobFlows", json!({"JobFlowIds": [id]}));
            bench.pass(60);
            bench.call("ListClusters", json!({}))
        }
        "describe-cluster-running" => {
            bench.submit(&id, &steps);
            bench.call("DescribeCluster", of)
        }
        "list-instance-groups-running" => bench.call("ListInstanceGroups", of),
        "list-steps-running" => {
            bench.submit(&id, &steps[..1]);
            bench.call("ListSteps", of)
        }
        "list-steps-pending" => {
            bench.submit(&id, &steps);
            bench.call("ListSteps", of)
        }
        "describe-step-pending" => {
            let ids = bench.submit(&id, &steps);
            bench.call("DescribeStep", json!({"ClusterId": id, "StepId": ids[1]}))
        }
        other => panic!("what is {other}?"),
    }
}

/// The members with their types; of a list the first.
fn members(value: &Value, at: &str, all: &mut Vec<(String, &'static str)>) {
    let kind = match value {
        Value::Object(members_of) => {
            for (name, value) in members_of {
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
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
    };
    all.push((at.to_owned(), kind));
}

#[test]
fn the_fake_has_every_member_that_others_have() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/wire/emr");
    let (mut seen, mut wrong) = (0, BTreeSet::new());
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let captured: Value =
            serde_json::from_slice(&fs::read(&path).expect("it can be read")).expect("JSON");
        let (mut theirs, mut own) = (Vec::new(), Vec::new());
        members(&captured["reply"], "", &mut theirs);
        let ours = ours(name);
        members(&ours, "", &mut own);
        for member in theirs.iter().filter(|member| !own.contains(member)) {
            let (at, _) = member;
            assert!(WRONG.contains(&at.as_str()), "{name}: {member:?} is not in {ours}");
            wrong.insert(at.clone());
        }
        seen += 1;
    }
    assert_eq!(seen, 10);
    assert_eq!(wrong.len(), WRONG.len(), "{wrong:?}");
}

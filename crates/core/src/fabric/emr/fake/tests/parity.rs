//! The fake takes what the program sends: every body of the parity fixtures.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

/// What 0.7.x sent too, though nothing comes of it: EMR says why.
const REFUSED: [&str; 5] =
    ["12-core-null", "22-task-without-core", "35-ebs-device-bare", "40-release-5", "53-tags-twice"];

#[test]
fn every_body_of_the_parity_fixtures_is_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/emr/parity");
    let (mut taken, mut refused) = (0, BTreeSet::new());
    for entry in fs::read_dir(root).expect("it is there") {
        let folder = entry.expect("an entry").path();
        let body = |name: &str| -> Option<Value> {
            let text = fs::read_to_string(folder.join(name)).ok()?;
            Some(serde_json::from_str(&text).expect("JSON"))
        };
        for name in ["up.json", "transient.json", "steps.json"] {
            let Some(mut body) = body(name) else { continue };
            let mut bench = Bench::new(Script::default());
            let reply = if body["JobFlowId"].is_string() {
                body["JobFlowId"] = json!(bench.ready());
                bench.try_call("AddJobFlowSteps", body)
            } else {
                bench.try_call("RunJobFlow", body)
            };
            if let Err(refusal) = reply {
                let case = folder.file_name().and_then(|name| name.to_str()).expect("a name");
                assert!(REFUSED.contains(&case), "{case}/{name}: {refusal:?}");
                refused.insert(case.to_owned());
                continue;
            }
            let id = bench.world.clusters[0].id.clone();
            bench.call("DescribeCluster", json!({"ClusterId": id}));
            bench.call("ListInstanceGroups", json!({"ClusterId": id}));
            bench.call("ListBootstrapActions", json!({"ClusterId": id}));
            bench.call("ListSteps", json!({"ClusterId": id}));
            taken += 1;
        }
    }
    assert_eq!(refused, REFUSED.map(str::to_owned).into());
    assert!(taken >= 100, "{taken}");
}

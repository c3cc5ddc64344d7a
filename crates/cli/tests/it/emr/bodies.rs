//! The bodies of requests as they leave the program, for every pair of `fixtures/emr/parity` whose text does not
//! depend on the time.

use std::fs;
use std::path::{Path, PathBuf};

use dataflow_runner_core::fabric::emr::fake::{Fake, Script, Tempo};
use serde_json::{Value, json};

use super::{Site, hasten};
use crate::harness::{Place, Ran};

/// The goldens were made for a time of their own.
const OF_A_TIME: [&str; 1] = ["72-template-functions"];

const RUN_TAG: &str = "dataflow-runner:run";

fn pairs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/emr/parity");
    let entries =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut pairs: Vec<_> = entries
        .filter(|path| path.is_dir() && !OF_A_TIME.iter().any(|name| path.ends_with(name)))
        .collect();
    pairs.sort();
    pairs
}

fn golden(pair: &Path, name: &str) -> Value {
    let text = fs::read_to_string(pair.join(name)).expect("a golden");
    serde_json::from_str(&text).expect("JSON")
}

/// Runs a command on a copy of a pair and gives the body of the request it made.
fn body(pair: &Path, operation: &str, line: &str) -> Value {
    let mut place = Place::new().with("pass", "hunter2");
    for name in ["cluster.json", "playbook.json", "vars.json"] {
        if let Ok(text) = fs::read(pair.join(name)) {
            place = place.with(name, text);
        }
    }
    // A question and all has ended, however many steps there are.
    let script = Script { tempo: Tempo::notch_of(100_000), ..Script::default() };
    let fake = Fake::start(script).expect("a port");
    let mut words: Vec<&str> = line.split(' ').collect();
    if pair.join("vars.json").exists() {
        words.extend(["--vars-file", "vars.json"]);
    }
    let mut command = place.command(words);
    hasten(&mut command, &fake);
    command.env("PASS", "hunter2");
    let ran = Ran::from(command.output().expect("it starts"));
    let sent = fake.requests().into_iter().find(|request| request.operation == operation);
    let sent = sent.unwrap_or_else(|| panic!("{}: no {operation}: {}", pair.display(), ran.stderr));
    sent.body
}

/// Without the tag of the order, which has to be there.
fn untagged(mut body: Value, pair: &Path) -> Value {
    let tags = body["Tags"].as_array_mut().expect("tags");
    let before = tags.len();
    tags.retain(|tag| tag["Key"] != RUN_TAG);
    assert_eq!(tags.len(), before - 1, "{}", pair.display());
    if tags.is_empty() {
        body.as_object_mut().expect("members").remove("Tags");
    }
    body
}

#[test]
fn up_sends_what_0_7_sent() {
    for pair in pairs() {
        let body = body(&pair, "RunJobFlow", "up -emr-config cluster.json");
        assert_eq!(untagged(body, &pair), golden(&pair, "up.json"), "{}", pair.display());
    }
}

#[test]
fn run_transient_sends_what_0_7_sent() {
    for pair in pairs() {
        let line = "run-transient -emr-config cluster.json -emr-playbook playbook.json";
        let body = untagged(body(&pair, "RunJobFlow", line), &pair);
        assert_eq!(body, golden(&pair, "transient.json"), "{}", pair.display());
    }
}

#[test]
fn every_group_has_its_volumes() {
    let full = pairs().into_iter().find(|pair| pair.ends_with("02-full")).expect("a pair");
    let mut file = golden(&full, "cluster.json");
    let volume = json!({"volumeType": "gp3", "sizeInGB": 50, "iops": 3000, "throughput": 250});
    let device = json!({"volumesPerInstance": 2, "volumeSpecification": volume});
    let ebs = json!({"ebsOptimized": true, "ebsBlockDeviceConfigs": [device]});
    for group in ["master", "core", "task"] {
        file["data"]["ec2"]["instances"][group]["ebsConfiguration"] = ebs.clone();
    }
    let site = Site::new(Script::default()).with("c.json", file.to_string());
    site.up();
    let order = site.fake.world(|world| world.clusters[0].order.clone());
    let groups = order["Instances"]["InstanceGroups"].as_array().expect("groups");
    assert_eq!(groups.len(), 3);
    let volume = json!({"VolumeType": "gp3", "SizeInGB": 50, "Iops": 3000, "Throughput": 250});
    let device = json!({"VolumesPerInstance": 2, "VolumeSpecification": volume});
    for group in groups {
        let sent = &group["EbsConfiguration"];
        assert_eq!(*sent, json!({"EbsOptimized": true, "EbsBlockDeviceConfigs": [device]}));
    }
}

//! One playbook, as it is, on this machine and on Dataproc: the same end, and the same of each step.

use std::os::unix::fs::PermissionsExt;

use dataflow_runner_core::fabric::dataproc::fake::{End, Script, StepScript};
use serde_json::Value;

use super::{Site, TRANSIENT};
use crate::harness::{Ran, cluster, playbook};

const STEPS: &str = r#"
    {"id": "begin", "type": "COMMAND", "command": "true"},
    {"id": "spark", "type": "SPARK", "jar": "./app.jar", "mainClass": "a.Count", "arguments": ["in", "out"], "dependsOn": ["begin"], "retries": {"maxAttempts": 2}},
    {"id": "hadoop", "type": "CUSTOM_JAR", "jar": "./examples.jar", "arguments": ["wordcount", "in", "out"], "dependsOn": ["begin"]},
    {"id": "end", "type": "COMMAND", "command": "true", "dependsOn": ["spark", "hadoop"]}"#;

/// What became of a step, but whether anybody saw it run.
fn told(ran: &Ran, step: &str) -> Vec<(String, Value, Value, Value)> {
    let events = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    let own = events.filter(|event| event["step"] == step && event["event"] != "step-changed");
    let word = |event: &Value| event["event"].as_str().expect("a word").to_owned();
    own.map(|event| {
        let [attempt, state, code] =
            ["attempt", "state", "exitCode"].map(|field| event[field].clone());
        (word(&event), attempt, state, code)
    })
    .collect()
}

/// Folders of tools whose programs end with these codes, one after the other; the last stands for all further ones.
fn tools(site: &Site, spark: &[u8]) -> String {
    let tool = |name: &str, program: &str, codes: &[u8]| {
        let folder = site.place.path(name);
        let bin = folder.join("bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        let codes: Vec<_> = codes.iter().map(u8::to_string).collect();
        let count = folder.join("count").display().to_string();
        let text = format!(
            "#!/bin/sh\necho x >> '{count}'\nset -- {}\nn=$(wc -l < '{count}')\nwhile [ \"$n\" -gt 1 ] && [ $# -gt 1 ]; do shift; n=$((n - 1)); done\nexit $1\n",
            codes.join(" ")
        );
        let path = bin.join(program);
        std::fs::write(&path, text).expect("a program");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
        folder.display().to_string()
    };
    let (spark, hadoop) = (tool("spark", "spark-submit", spark), tool("hadoop", "hadoop", &[0]));
    cluster(&format!(r#", "slots": 2, "tools": {{"spark": "{spark}", "hadoop": "{hadoop}"}}"#))
}

#[test]
fn it_ends_the_same_on_this_machine_and_there() {
    for (codes, code) in [(&[0][..], 0), (&[3, 0], 0), (&[3, 4], 1)] {
        let fates = codes.iter().map(|&code| match code {
            0 => StepScript::done(60),
            // In the words of Spark's own master.
            code => {
                let words = format!("User application exited with status {code}");
                StepScript::ends(End::Fails(words), 60)
            }
        });
        let fates: Vec<_> = fates.collect();
        let site = Site::new(Script::default().bucket("mine").attempts("spark", fates));
        let local = tools(&site, codes);
        let there = site.fake.cluster_file(r#", "stagingBucket": "mine""#);
        let site = site
            .with("p.json", playbook(STEPS))
            .with("app.jar", "PK")
            .with("examples.jar", "PK")
            .with("c.json", there)
            .with("l.json", local);
        let line = format!("{TRANSIENT} --output json");
        let there = site.done(&line, code);
        let here = site.done(&line.replace("c.json", "l.json"), code);
        for step in ["begin", "spark", "hadoop", "end"] {
            let what = format!("{codes:?} {step}: {}\n{}", here.stdout, there.stdout);
            assert_eq!(told(&here, step), told(&there, step), "{what}");
            assert!(!told(&here, step).is_empty(), "{what}");
        }
        let outcome = |ran: &Ran| {
            let last: Value =
                serde_json::from_str(ran.stdout.lines().last().expect("its end")).expect("JSON");
            last["outcome"].clone()
        };
        assert_eq!(outcome(&here), outcome(&there));
        site.nothing_is_left();
    }
}

//! Every pair of files below `fixtures/emr/parity`, and the requests it becomes. What the files are and how the
//! expected bodies came about is told in the README there.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataflow_runner_core::config::playbook::{Playbook, Step};
use dataflow_runner_core::config::{Config, load};
use dataflow_runner_core::document::Document;
use dataflow_runner_core::fabric::emr;
use dataflow_runner_core::fabric::emr::request::{add_job_flow_steps, run_job_flow};
use dataflow_runner_core::fabric::{ClusterId, RunId, Token};
use dataflow_runner_core::source::Source;
use dataflow_runner_core::template::{Inputs, Limits, Map, Template};
use jiff::Zoned;
use jiff::tz::TimeZone;
use serde_json::{Map as Object, Value};

/// The tag that 0.7.x did not send.
const RUN_TAG: &str = "dataflow-runner:run";

/// A pair of files, read.
struct Case {
    folder: PathBuf,
    cluster: Box<emr::Config>,
    playbook: Playbook,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/emr/parity")
}

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(root()).expect("there are fixtures");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut folders: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn cases() -> Vec<Case> {
    folders().into_iter().map(Case::read).collect()
}

impl Case {
    fn read(folder: PathBuf) -> Self {
        let variables = fs::read_to_string(folder.join("vars.json")).unwrap_or("{}".into());
        let Config::Emr(cluster) = config(&folder.join("cluster.json"), &variables).0 else {
            panic!("{}: not a cluster of EMR", folder.display())
        };
        let Config::Playbook(playbook) = config(&folder.join("playbook.json"), &variables).0 else {
            panic!("{}: not a playbook", folder.display())
        };
        Self { folder, cluster, playbook }
    }

    fn steps(&self) -> Vec<&Step> {
        self.playbook.steps.iter().collect()
    }

    /// A body that is expected.
    fn golden(&self, name: &str) -> Value {
        let path = self.folder.join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// What is wrong with a body, if anything.
    fn differs(&self, name: &str, found: &Value) -> Option<String> {
        let expected = self.golden(name);
        (expected != *found).then(|| {
            let folder = self.folder.file_name().unwrap_or_default().to_string_lossy();
            format!("{folder}/{name}\nexpected: {expected}\nfound:    {found}")
        })
    }
}

/// A file, rendered as the README says, and read; how many warnings there are. There are no errors.
fn config(path: &Path, variables: &str) -> (Config, usize) {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let variables: Object<String, Value> = serde_json::from_str(variables).expect("JSON");
    let variables: Map = variables.into_iter().map(|(name, value)| (name, value.into())).collect();
    let env = |name: &str| (name == "PASS").then(|| OsString::from("hunter2"));
    let read = |path: &Path| match path.to_str() {
        Some("pass") => Ok(b"hunter2".to_vec()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let inputs = Inputs {
        variables: &variables,
        now: &|| Zoned::new(jiff::Timestamp::UNIX_EPOCH, TimeZone::UTC),
        env: &env,
        read: &read,
        limits: Limits { output: 1 << 20, steps: 100_000 },
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let source = Arc::new(Source::new(name, text));
    let rendered = Template::parse(&source).and_then(|template| template.render(&inputs));
    let rendered = rendered.unwrap_or_else(|e| panic!("{}: {e:?}", path.display()));
    let document =
        Document::of(rendered).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let (config, diagnostics) = load(&document);
    let told = diagnostics.sorted();
    let config = config.unwrap_or_else(|| panic!("{}: {told:#?}", path.display()));
    (config, told.len())
}

/// A body without the tag of the run, which must be the last of the tags, and be there once.
fn set_aside(mut body: Value, token: &Token) -> Value {
    let tags = body["Tags"].as_array_mut().expect("there are tags");
    let last = tags.pop().expect("there is a tag");
    assert_eq!(last, serde_json::json!({"Key": RUN_TAG, "Value": token.as_str()}));
    assert!(tags.iter().all(|tag| tag["Key"] != RUN_TAG));
    if tags.is_empty() {
        body.as_object_mut().expect("an object").remove("Tags");
    }
    body
}

fn json(body: &impl serde::Serialize) -> Value {
    serde_json::to_value(body).expect("JSON")
}

fn all_right(wrong: impl Iterator<Item = String>) {
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{} differ\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn up_sends_the_cluster_and_keeps_it_alive() {
    let token = Token::of(&RunId::new("r-1"), 1, 1);
    all_right(cases().iter().filter_map(|case| {
        let body = json(&run_job_flow(&case.cluster, &[], Some(&token)));
        case.differs("up.json", &set_aside(body, &token))
    }));
}

#[test]
fn run_transient_sends_the_steps_inside() {
    let token = Token::of(&RunId::new("r-1"), 1, 1);
    all_right(cases().iter().filter_map(|case| {
        let body = json(&run_job_flow(&case.cluster, &case.steps(), Some(&token)));
        case.differs("transient.json", &set_aside(body, &token))
    }));
}

#[test]
fn without_a_token_there_is_no_tag() {
    all_right(cases().iter().filter_map(|case| {
        case.differs("transient.json", &json(&run_job_flow(&case.cluster, &case.steps(), None)))
    }));
}

#[test]
fn run_sends_all_steps_in_one_call() {
    let cluster = ClusterId::new("j-PARITY");
    all_right(cases().iter().filter_map(|case| {
        case.differs("steps.json", &json(&add_job_flow_steps(&cluster, &case.steps())))
    }));
}

#[test]
fn the_cases_are_distinct_and_told() {
    let readme = fs::read_to_string(root().join("README.md")).expect("UTF-8");
    let told: Vec<_> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_digit()))
        .map(|(name, _)| name.to_owned())
        .collect();
    let folders = folders();
    let names = folders.iter().map(|folder| folder.file_name().unwrap_or_default());
    let names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    assert_eq!(told, names, "the README tells of each");
    let read = |path: PathBuf| fs::read_to_string(path).expect("UTF-8");
    let pairs: BTreeSet<_> = folders
        .iter()
        .map(|folder| (read(folder.join("cluster.json")), read(folder.join("playbook.json"))))
        .collect();
    assert_eq!(pairs.len(), folders.len());
    assert!(pairs.len() >= 60, "{}", pairs.len());
}

#[test]
fn the_example_has_neither_faults_nor_warnings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/emr");
    let variables = r#"{"bucket": "example", "subnet": "subnet-0a1b2c3d", "day": "2026-11-21"}"#;
    for name in ["cluster.json", "playbook.json"] {
        assert_eq!(config(&folder.join(name), variables).1, 0, "{name}");
    }
}

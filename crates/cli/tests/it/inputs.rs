//! What is kept of the inputs of runs, and when it goes away.

use std::path::PathBuf;
use std::process::Stdio;

use dataflow_runner_core::fabric::emr::fake::Script;
use serde_json::Value;

use crate::emr::Site;
use crate::harness::{Place, Ran, cluster, playbook, playbook_1, script};

const TRANSIENT: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

/// What gives a step a secret.
const SECRET: &str = r#", "name": "{{systemEnv "HOME"}}""#;

/// The folders of all runs.
fn runs(place: &Place) -> Vec<PathBuf> {
    let Ok(runs) = std::fs::read_dir(place.state().join("runs")) else { return Vec::new() };
    runs.map(|run| run.expect("a run").path()).collect()
}

/// What was kept of the inputs of the only run.
fn kept(place: &Place) -> Option<String> {
    let runs = runs(place);
    assert_eq!(runs.len(), 1, "{runs:?}");
    std::fs::read_to_string(runs[0].join("inputs.json")).ok()
}

fn json(text: Option<String>) -> Value {
    serde_json::from_str(&text.expect("they are kept")).expect("JSON")
}

#[test]
fn they_are_kept_until_the_run_has_succeeded() {
    let noop = r#", "onResult": {"continueJob": [0], "terminateJobWithSuccess": [3]}"#;
    for (body, more, code, stays) in
        [("true", "", 0, false), ("exit 3", noop, 0, false), ("exit 4", "", 1, true)]
    {
        let place = Place::new()
            .with("c.json", cluster(""))
            .with("p.json", playbook(&script("a", body, more)));
        let ran = place.run(TRANSIENT);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        let kept = kept(&place);
        assert_eq!(kept.is_some(), stays, "{body}");
        assert_eq!(
            std::fs::read_dir(&runs(&place)[0]).expect("a folder").count(),
            1 + usize::from(stays)
        );
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_them() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new()
        .with("c.json", cluster(""))
        .with("p.json", playbook(&script("a", "exit 1", SECRET)));
    assert_eq!(place.run(TRANSIENT).code, Some(1));
    for file in [runs(&place)[0].join("inputs.json"), place.state().join("key")] {
        let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn secrets_are_not_in_them() {
    let keys = r#""accessKeyId": "env", "secretAccessKey": "env""#;
    let literal = r#""accessKeyId": "AKIACANARYCANARY1", "secretAccessKey": "CANARY/2""#;
    let arguments =
        r#""false", "{{systemEnv "PASS"}}", "{{base64File "pass"}}", "{{.of_env}}", "{{.plain}}""#;
    let text = playbook_1(r#""CANCEL_AND_WAIT""#)
        .replace(keys, literal)
        .replace(r#""echo", "hello""#, arguments);
    assert!(text.contains("CANARY") && text.contains("systemEnv"), "{text}");
    let place =
        Place::new().with("c.json", cluster("")).with("p.json", text).with("pass", "CANARY3");
    let variables = ["--var-env", "of_env=OF_ENV", "--var", "plain=p1ain"];
    let mut command = place.command(TRANSIENT.iter().chain(&variables));
    command.env("PASS", "CANARY4").env("OF_ENV", "CANARY5");
    let ran = Ran::from(command.output().expect("it starts"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let kept = kept(&place).expect("they are kept");
    // The third one's base64, too.
    for secret in ["CANARY", "Q0FOQVJZ"] {
        assert!(!kept.contains(secret), "{kept}");
    }
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    assert_eq!(kept["variables"], serde_json::json!({"plain": "p1ain"}));
    assert_eq!(kept["environment"], serde_json::json!({"of_env": "OF_ENV"}));
    assert!(kept["secrets"]["step-1"].is_string(), "{kept}");
    let text = kept["playbook"]["text"].as_str().expect("a text");
    assert!(text.contains(r#""accessKeyId": "(a credential, not kept)""#), "{text}");
    assert!(text.contains(r#""{{systemEnv "PASS"}}""#), "{text}");
}

#[test]
fn up_keeps_its_cluster_file_and_down_nothing() {
    let place =
        Place::new().with("c.json", cluster(r#", "workFolder": "folder""#)).with("folder", "");
    let ran = place.words("up --config c.json");
    assert_ne!(ran.code, Some(0), "there is a file where the folder should be: {}", ran.stderr);
    let kept = json(kept(&place));
    assert_eq!(kept["config"]["path"], "c.json");
    assert_eq!(
        kept["config"]["folder"],
        place.path("").canonicalize().expect("here").to_str().expect("UTF-8")
    );
    assert!(kept["playbook"].is_null());

    let place = Place::new().with("c.json", cluster(""));
    assert_ne!(place.words("down --config c.json --cluster none").code, Some(0));
    assert_eq!(self::kept(&place), None);
}

#[test]
fn a_run_whose_inputs_cannot_be_kept_is_not_begun() {
    let step = script("a", "touch \"$HOME/done\"", SECRET);
    let place = Place::new().with("c.json", cluster("")).with("p.json", playbook(&step));
    std::fs::create_dir_all(place.state().join("key")).expect("a folder");
    let ran = place.run(TRANSIENT);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("error[cannot-record-run]: cannot make the key `"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("name another folder with --state-dir"), "{}", ran.stderr);
    assert!(!place.path("../home/done").exists());
    assert!(runs(&place).is_empty(), "nothing was begun");
}

#[test]
fn programs_that_need_a_key_at_once_agree_on_one() {
    let step = script("a", "exit 1", SECRET);
    let place = Place::new().with("c.json", cluster("")).with("p.json", playbook(&step));
    let start = |_| {
        let mut command = place.command(TRANSIENT);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    let all: Vec<_> = (0..4).map(start).collect();
    for mut one in all {
        assert_eq!(one.wait().expect("it ends").code(), Some(1));
    }
    let digests: Vec<_> = runs(&place)
        .into_iter()
        .map(|run| {
            json(std::fs::read_to_string(run.join("inputs.json")).ok())["secrets"]["a"].clone()
        })
        .collect();
    assert_eq!(digests.len(), 4);
    assert!(digests.iter().all(|one| one.is_string() && *one == digests[0]), "{digests:?}");
}

#[test]
fn who_was_left_alone_can_be_gone_on_with() {
    let site = Site::new(Script::default());
    let id = site.up();
    let up = runs(&site.place);
    assert!(up.len() == 1 && !up[0].join("inputs.json").exists(), "it succeeded");
    std::fs::remove_dir_all(&up[0]).expect("removed");
    let ran = site.words(&format!("run --async -emr-playbook p.json -emr-cluster {id}"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(json(kept(&site.place))["config"].is_null(), "there was none");
}

#[cfg(unix)]
#[test]
fn who_is_hung_up_can_go_on() {
    let place = crate::signals::place("");
    let run = crate::signals::Waiting::start(&place, &[], &[]);
    run.signal(rustix::process::Signal::HUP);
    let (ended, said, step) = run.end();
    crate::signals::sweep(&step);
    assert_eq!(ended, Some(129), "{said}");
    let kept = json(kept(&place));
    assert!(kept["playbook"]["text"].as_str().is_some_and(|text| text.contains("sleep 1000")));
}

//! What goes well.

use dataflow_runner_core::fabric::emr::fake::{Script, State};

use super::{Site, said};
use crate::harness::{emr_cluster, emr_playbook};

#[test]
fn up_brings_a_cluster_up_and_prints_its_id() {
    let site = Site::new(Script::default());
    let ran = site.words("up -emr-config c.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        said(&ran),
        [
            r#"info msg="Run r-… started on emr""#,
            r#"info msg="Launching EMR cluster...""#,
            r#"info msg="EMR cluster with ID [j-…] is coming up""#,
            r#"info msg="EMR cluster launched successfully; Jobflow ID: j-…""#,
        ]
    );
    let id = site.fake.world(|world| world.clusters[0].id.clone());
    assert_eq!(ran.stdout, format!("{id}\n"));
    assert!(ran.stderr.contains(&format!("EMR cluster launched successfully; Jobflow ID: {id}")));
    assert_eq!(site.orders(), ["RunJobFlow"]);
}

#[test]
fn run_adds_all_steps_in_one_call_and_waits_for_them() {
    let site = Site::new(Script::default());
    let id = site.up();
    // 0.7.x needs no cluster file here.
    let ran = site.words(&format!("run -emr-playbook p.json -emr-cluster {id}"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ended = "completed successfully - StartTime: TIME - EndTime: TIME\"";
    let lines = said(&ran);
    for line in [
        "info msg=\"Successfully added 2 steps to the EMR cluster with jobflow id 'j-…'...\""
            .to_owned(),
        format!("info msg=\"Step 'first' with id 's-…' {ended}"),
        format!("info msg=\"Step 'second' with id 's-…' {ended}"),
        "info msg=\"All steps completed successfully\"".to_owned(),
    ] {
        assert_eq!(lines.iter().filter(|said| **said == line).count(), 1, "{line}\n{}", ran.stderr);
    }
    assert_eq!(
        lines.last().map(String::as_str),
        Some("info msg=\"All steps completed successfully\"")
    );
    assert_eq!(
        (ran.stdout.as_str(), site.orders()),
        ("", vec!["RunJobFlow".to_owned(), "AddJobFlowSteps".to_owned()])
    );
    site.nothing_was_twice();
}

#[test]
fn down_takes_a_cluster_down() {
    let site = Site::new(Script::default());
    let id = site.up();
    let ran = site.words(&format!("down -emr-config c.json -emr-cluster {id}"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        said(&ran).last().map(String::as_str),
        Some("info msg=\"EMR cluster terminated successfully\"")
    );
    assert_eq!(site.fake.world(|world| world.clusters[0].state), State::Terminated);
    site.nothing_is_left();
}

#[test]
fn run_transient_puts_the_steps_into_the_launch() {
    let site = Site::new(Script::default());
    let ran = site.words("run-transient -emr-config c.json -emr-playbook p.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines = said(&ran);
    for line in [
        "Transient EMR run with jobflow ID [j-…] started successfully",
        "EMR cluster with ID [j-…] is terminated successfully",
        "Step 'first' with id 's-…' completed successfully - StartTime: TIME - EndTime: TIME",
        "Step 'second' with id 's-…' completed successfully - StartTime: TIME - EndTime: TIME",
        "Transient EMR run completed successfully",
    ] {
        let line = format!("info msg=\"{line}\"");
        assert_eq!(lines.iter().filter(|said| **said == line).count(), 1, "{line}\n{}", ran.stderr);
    }
    // The far side ends it by itself, even if this program dies.
    assert_eq!(site.orders(), ["RunJobFlow"]);
    let order = site.fake.world(|world| world.clusters[0].order.clone());
    assert_eq!(order["Instances"]["KeepJobFlowAliveWhenNoSteps"], false);
    assert_eq!(order["Steps"].as_array().map(Vec::len), Some(2));
    site.nothing_is_left();
}

#[test]
fn run_async_does_not_wait() {
    let site = Site::new(Script::default());
    let id = site.up();
    let ran = site.words(&format!("run --async -emr-playbook p.json -emr-cluster {id}"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines = said(&ran);
    assert_eq!(
        lines[lines.len() - 2..],
        [
            r#"info msg="Successfully added 2 steps to the EMR cluster with jobflow id 'j-…'...""#,
            r#"info msg="All steps were submitted; nobody waits for how they end (--async)""#,
        ]
    );
    assert_eq!(
        site.fake.world(|world| world.steps().filter(|step| step.ended.is_some()).count()),
        0
    );
}

/// The words of 0.7.x, and what it never said no to.
#[test]
fn wrong_usage_is_told_in_the_words_of_0_7() {
    let site = Site::new(Script::default());
    for (line, words) in [
        ("up", "--emr-config needs to be specified"),
        ("run", "--emr-playbook needs to be specified"),
        ("run -emr-playbook p.json", "--emr-cluster needs to be specified"),
        ("down -emr-config c.json", "--emr-cluster needs to be specified"),
        ("run-transient -emr-config c.json", "--emr-playbook needs to be specified"),
        ("up -emr-config c.json -vars a", "--vars must have an even number of keys and values"),
        (
            "run -emr-playbook p.json -emr-cluster j-1 -consul localhost:8500",
            "--lock or --softLock is needed to make use of --consul",
        ),
        (
            "run -emr-playbook p.json -emr-cluster j-1 -lock a -softLock b",
            "--lock and --softLock are mutually exclusive",
        ),
        (
            "run -emr-playbook p.json -emr-cluster j-1 -async -lock a",
            "--async and --lock or --softLock are not compatible",
        ),
    ] {
        let ran = site.words(line);
        assert_eq!(ran.code, Some(2), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
    }
    assert_eq!(site.fake.calls("*"), 0);
}

#[test]
fn invalid_files_send_nothing() {
    let site = Site::new(Script::default()).playing(r#"{"schema": "x", "data": {}}"#);
    for line in [
        "run -emr-playbook p.json -emr-cluster j-1",
        "run-transient -emr-config c.json -emr-playbook p.json",
    ] {
        let ran = site.words(line);
        assert_eq!(ran.code, Some(3), "{line}: {}", ran.stderr);
    }
    assert_eq!(site.fake.calls("*"), 0);
}

/// A held lock is a warning and 17; a lock of a run that succeeded is free again.
#[test]
fn a_held_lock_is_17() {
    let site = Site::new(Script::default());
    let line = "run-transient -emr-config c.json -emr-playbook p.json -lock held.lock";
    std::fs::write(site.place.path("held.lock"), "1\n").expect("a file");
    let ran = site.words(line);
    assert_eq!(ran.code, Some(17), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("level=warning msg=\"lock already held at held.lock"),
        "{}",
        ran.stderr
    );
    assert_eq!(site.fake.calls("*"), 0);
    std::fs::remove_file(site.place.path("held.lock")).expect("it is there");
    assert_eq!(site.words(line).code, Some(0));
    assert!(!site.place.path("held.lock").exists());
}

#[test]
fn events_of_a_run_are_lines_of_json() {
    let site = Site::new(Script::default());
    let ran = site.words("run-transient -emr-config c.json -emr-playbook p.json --output json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let last = ran.stdout.lines().last().expect("events");
    assert!(
        last.contains(r#""event":"run-ended""#) && last.contains(r#""kind":"succeeded""#),
        "{last}"
    );
}

/// Variables as 0.7.x took them, in both files.
#[test]
fn variables_go_into_the_files() {
    let cluster = emr_cluster().replace(r#""name": "c""#, r#""name": "{{.name}}""#);
    let playbook = emr_playbook(&["{{.step}}"], "CONTINUE");
    let site = Site::new(Script::default()).with("c.json", cluster).playing(playbook);
    let line = "run-transient -emr-config c.json -emr-playbook p.json -vars name,nightly,step,load";
    let ran = site.words(line);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    site.fake.world(|world| {
        assert_eq!(world.clusters[0].name(), "nightly");
        assert_eq!(world.clusters[0].steps[0].name(), "load");
    });
}

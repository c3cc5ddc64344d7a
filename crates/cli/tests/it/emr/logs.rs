//! `--log-failed-steps`.

use std::time::Duration;

use dataflow_runner_core::fabric::emr::fake::{Death, Fault, Script, StepScript, Tempo};

use super::Site;

const TRANSIENT: &str =
    "run-transient -emr-config c.json -emr-playbook p.json -log-failed-steps --log-wait 1s";

fn failing() -> Script {
    let logs: [(&str, &str); 3] = [
        ("controller", "INFO Command exiting with ret '1'\n"),
        (
            "stderr",
            "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space\n\tat a.B.main(B.java:1)\n",
        ),
        ("stdout", "half way\n"),
    ];
    let script = Script { log_delivery: Duration::ZERO, ..Script::default() };
    script.step("first", StepScript::fails(60).with_logs(&logs))
}

#[test]
fn the_logs_of_failed_steps_are_shown() {
    let site = Site::new(failing());
    let ran = site.words(TRANSIENT);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let id = site.fake.world(|world| world.clusters[0].steps[0].id.clone());
    for name in ["controller", "stderr", "stdout"] {
        let head = format!("Content of log file '{name}");
        assert!(ran.stderr.contains(&head), "{head}: {}", ran.stderr);
    }
    assert!(ran.stderr.contains(&format!("for step {id}:")), "{}", ran.stderr);
    for text in
        ["java.lang.OutOfMemoryError: Java heap space", "half way", "Command exiting with ret '1'"]
    {
        assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
    }
    site.nothing_is_left();
}

#[test]
fn without_it_no_log_is_read_whole() {
    let site = Site::new(failing());
    let ran = site.words("run-transient -emr-config c.json -emr-playbook p.json --log-wait 1s");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(!ran.stderr.contains("half way"), "{}", ran.stderr);
}

#[test]
fn logs_that_cannot_be_read_do_not_hide_the_failure() {
    let site = Site::new(failing());
    site.fake.world(|world| world.denied.insert("ListObjectsV2".to_owned()));
    let ran = site.words(TRANSIENT);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("Step 'first'") && ran.stderr.contains("was FAILED"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("AccessDenied"), "{}", ran.stderr);
}

#[test]
fn a_failed_bootstrap_shows_its_log() {
    let script = Script { log_delivery: Duration::ZERO, ..Script::default() };
    let mut script = script.failing_to_bootstrap(9);
    for cluster in &mut script.clusters {
        cluster.bootstrap_logs =
            vec![("stderr".to_owned(), "install.sh: no such package\n".to_owned())];
    }
    assert_eq!(
        script.clusters[0].death.as_ref().map(|(_, death)| death.code),
        Some(Death::bootstrap().code)
    );
    let site = Site::at(Tempo::notch_of(400), script);
    let ran = site.words("up -emr-config c.json --log-wait 1s");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("install.sh: no such package"), "{}", ran.stderr);
}

#[test]
fn a_bucket_that_stumbles_is_asked_again() {
    let site = Site::new(failing());
    site.fake.fail("ListObjectsV2", 1..=1, Fault::unavailable());
    site.fake.fail("GetObject", 1..=1, Fault::cut());
    let ran = site.words(TRANSIENT);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("java.lang.OutOfMemoryError"), "{}", ran.stderr);
}

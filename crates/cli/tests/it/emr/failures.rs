//! What goes wrong with clusters and steps, each told in a sentence of its own; never a success that is not proven.

use std::time::Duration;

use dataflow_runner_core::fabric::emr::fake::{
    ClusterScript, Death, FailureDetails, Fate, Moment, Script, StepEnd, StepScript, Tempo,
};

use super::{Site, said};
use crate::harness::{Ran, emr_playbook};

const TRANSIENT: &str = "run-transient -emr-config c.json -emr-playbook p.json";

/// Fails unless each was said, in this order.
fn assert_said(ran: &Ran, code: i32, texts: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    let said = said(ran);
    let mut lines = said.iter();
    for text in texts {
        assert!(lines.any(|line| line.contains(text)), "{text}\n{}", ran.stderr);
    }
}

fn dying(moment: Moment, death: Death) -> Script {
    Script { clusters: vec![ClusterScript::dying(moment, death)], ..Script::default() }
}

#[test]
fn a_failed_step_is_named_and_the_rest_is_cancelled() {
    let details = FailureDetails {
        reason: "Unknown Error.".to_owned(),
        message: Some("Exception in thread main".to_owned()),
        log_file: Some("s3://l/j/steps/s/stderr.gz".to_owned()),
    };
    let fails = StepScript::ends(60, StepEnd::Failed(Some(details)));
    let site = Site::new(Script::default().step("first", fails));
    let id = site.up();
    let ran = site.words(&format!("run -emr-playbook p.json -emr-cluster {id}"));
    assert_said(
        &ran,
        1,
        &[
            "error msg=\"Step 'first' with id 's-…' was FAILED - StartTime: TIME - EndTime: TIME - Reason: ",
            "warning msg=\"Step 'second' with id 's-…' was CANCELLED",
            "error msg=\"2/2 steps failed to complete successfully\"",
        ],
    );
    for part in ["Unknown Error.", "Exception in thread main", "s3://l/j/steps/s/stderr.gz"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert_eq!(site.fake.world(|world| world.runs("second")), 0);
}

#[test]
fn what_is_to_continue_goes_on_and_the_run_fails_all_the_same() {
    let site = Site::new(Script::default().step("first", StepScript::fails(60)))
        .playing(emr_playbook(&["first", "second"], "CONTINUE"));
    assert_said(
        &site.words(TRANSIENT),
        1,
        &[
            "error msg=\"Step 'first' with id 's-…' was FAILED - StartTime: TIME - EndTime: TIME",
            "info msg=\"Step 'second' with id 's-…' completed successfully - StartTime: TIME - EndTime: TIME",
            "error msg=\"1/2 steps failed to complete successfully\"",
        ],
    );
    site.nothing_is_left();
}

/// 0.7.x read one page, the newest: it took the run for a success.
#[test]
fn the_oldest_of_sixty_steps_failed() {
    let names: Vec<String> = (0..60).map(|number| format!("step{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // Ten steps a question.
    let script = Script::default().step("step0", StepScript::fails(60));
    let site = Site::at(Tempo::notch_of(600), script).playing(emr_playbook(&names, "CONTINUE"));
    assert_said(
        &site.words(TRANSIENT),
        1,
        &[
            "error msg=\"Step 'step0' with id 's-…' was FAILED",
            "1/60 steps failed to complete successfully",
        ],
    );
}

/// TERMINATED without a reason: <https://github.com/snowplow/dataflow-runner/pull/103>.
#[test]
fn a_cluster_that_ended_without_a_word_is_no_success() {
    for pending in [Fate::Kept, Fate::Interrupted, Fate::Cancelled] {
        let cluster = ClusterScript {
            running_steps: pending,
            pending_steps: pending,
            ..ClusterScript::dying(Moment::Ready(Duration::from_secs(30)), Death::unsaid())
        };
        let site = Site::new(Script { clusters: vec![cluster], ..Script::default() });
        let ran = site.words(TRANSIENT);
        assert_eq!(ran.code, Some(1), "{pending:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("2/2 steps failed to complete successfully"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("completed successfully"), "{}", ran.stderr);
        site.nothing_is_left();
    }
}

#[test]
fn a_cluster_that_is_lost_is_told_with_its_reason() {
    for (death, words) in [
        (Death::spot(), "spot"),
        (Death::instance(), "The master node was terminated"),
        (Death::user(), "somebody asked for it"),
        (Death::internal(), "Internal error"),
    ] {
        let site = Site::new(dying(Moment::Ready(Duration::from_secs(70)), death));
        let ran = site.words(TRANSIENT);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        // The first had a minute, and it was proven.
        assert!(ran.stderr.contains("Step 'second'"), "{}", ran.stderr);
        site.nothing_is_left();
    }
}

#[test]
fn up_says_why_a_cluster_failed_to_launch() {
    for (death, words) in [
        (
            Death::invalid("The VPC/subnet configuration was invalid"),
            "The VPC/subnet configuration was invalid",
        ),
        (Death::capacity(), "Insufficient capacity"),
        (Death::internal(), "Internal error"),
    ] {
        let site = Site::new(dying(Moment::Starting, death));
        let ran = site.words("up -emr-config c.json");
        assert_said(
            &ran,
            1,
            &["error msg=\"EMR cluster failed to launch with state TERMINATED_WITH_ERRORS"],
        );
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        assert_eq!((ran.stdout.as_str(), site.orders()), ("", vec!["RunJobFlow".to_owned()]));
    }
}

#[test]
fn a_bootstrap_failure_is_tried_three_times_more() {
    for line in ["up -emr-config c.json", TRANSIENT] {
        let site = Site::at(Tempo::notch_of(400), Script::default().failing_to_bootstrap(2));
        let ran = site.words(line);
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.stderr);
        assert_eq!(
            ran.stderr.matches("could not start the cluster due to bootstrap failure").count(),
            2,
            "{}",
            ran.stderr
        );
        assert_eq!(site.orders(), ["RunJobFlow"; 3]);
        site.nothing_was_twice();
    }
}

#[test]
fn a_bootstrap_failure_that_stays_is_a_failure() {
    for line in ["up -emr-config c.json", TRANSIENT] {
        let site = Site::at(Tempo::notch_of(400), Script::default().failing_to_bootstrap(9));
        let ran = site.words(line);
        assert_eq!(ran.code, Some(1), "{line}: {}", ran.stderr);
        let text = "could not start the cluster due to bootstrap failure";
        assert_eq!(ran.stderr.matches(text).count(), 4, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("bootstrap action 1 returned a non-zero return code"),
            "{}",
            ran.stderr
        );
        assert_eq!(site.orders(), ["RunJobFlow"; 4]);
        site.nothing_is_left();
    }
}

#[test]
fn steps_that_nobody_ran_are_no_success() {
    for end in [StepEnd::Cancelled, StepEnd::Interrupted] {
        let site = Site::new(Script::default().step("second", StepScript::ends(60, end)));
        let ran = site.words(TRANSIENT);
        assert_said(
            &ran,
            1,
            &[
                "Step 'first' with id 's-…' completed successfully",
                "1/2 steps failed to complete successfully",
            ],
        );
        site.nothing_is_left();
    }
}

#[test]
fn a_cluster_that_is_gone_takes_no_steps() {
    let site = Site::new(Script::default());
    let id = site.up();
    assert_eq!(site.words(&format!("down -emr-config c.json -emr-cluster {id}")).code, Some(0));
    let ran = site.words(&format!("run -emr-playbook p.json -emr-cluster {id}"));
    assert!(matches!(ran.code, Some(1 | 4)), "{}", ran.stderr);
    assert_eq!(site.fake.world(|world| world.steps().count()), 0);
}

//! How steps and clusters end.

use std::time::Duration;

use dataflow_runner_core::fabric::dataproc::fake::{
    ClusterScript, End, Fate, Script, State, StepScript,
};

use super::{CANCEL, CREATE, DELETE, SUBMIT, Site, TRANSIENT, UP};

#[test]
fn a_failed_step_tells_its_exit_code_and_its_last_words() {
    let bad = StepScript::exits(7, 10).writing(&[(1, "no such table\n")]);
    let site = Site::new(Script::default().step("first", bad));
    let ran = site.done(&format!("{TRANSIENT} --log-failed-steps"), 1);
    assert!(ran.stderr.contains("exit code 7"), "{}", ran.stderr);
    assert!(ran.stderr.contains("no such table"), "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    let report = site.done("report --json", 0).stdout;
    assert!(report.contains(r#""exitCode": 7"#), "{report}");
    site.nothing_is_left();
}

#[test]
fn an_exit_code_may_end_the_run_well() {
    let site = Site::playing(
        Script::default().step("first", StepScript::exits(3, 10)),
        &[("first", r#", "onResult": {"terminateJobWithSuccess": [3]}"#), ("second", "")],
    );
    site.done(TRANSIENT, 0);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    site.nothing_is_left();
}

/// The last line of the output comes a little later than the end of the job, or never.
#[test]
fn an_exit_code_that_comes_late_is_waited_for() {
    let late = Duration::from_secs(100);
    let fates = Script { late_output: late, ..Script::default() };
    let site = Site::playing(
        fates.step("first", StepScript::exits(3, 10)),
        &[("first", r#", "onResult": {"terminateJobWithSuccess": [3]}"#), ("second", "")],
    );
    let mut command = site.command(TRANSIENT);
    let ran = command.env("DATAFLOW_RUNNER_LOG_WAIT", "1m").output().expect("it starts");
    let ran = crate::harness::Ran::from(ran);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    site.nothing_is_left();
}

#[test]
fn a_failure_without_a_code_is_a_failure() {
    for (rule, second) in [
        ("", 0),
        (r#", "onResult": {"terminateJobWithSuccess": [3]}"#, 0),
        (r#", "actionOnFailure": "CONTINUE""#, 1),
    ] {
        let site = Site::playing(
            Script::default().step("first", StepScript::fails(10)),
            &[("first", rule), ("second", "")],
        );
        site.says(TRANSIENT, 1, "exit code unknown");
        assert_eq!(site.submissions(["first", "second"]), [1, second], "{rule}");
        site.nothing_is_left();
    }
}

#[test]
fn a_step_that_failed_is_tried_again() {
    let fates = [StepScript::exits(1, 10), StepScript::exits(1, 10), StepScript::done(10)];
    let site = Site::playing(
        Script::default().attempts("first", fates),
        &[("first", r#", "retries": {"maxAttempts": 3}"#), ("second", "")],
    );
    site.done(TRANSIENT, 0);
    assert_eq!(site.submissions(["first", "second"]), [3, 1]);
    let ids = site.fake.world(|world| {
        world.jobs_of("first").map(|job| job.id.clone()).collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!(ids.len(), 3, "each attempt is a job of its own");
    site.nothing_is_left();
}

#[test]
fn a_time_limit_ends_a_step() {
    let site = Site::playing(
        Script::default().step("first", StepScript::never_ends()),
        &[("first", r#", "timeoutSeconds": 1"#), ("second", "")],
    );
    site.says(TRANSIENT, 1, "it took longer than its limit of 1 s");
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    assert_eq!(site.fake.calls(CANCEL), 1);
    site.nothing_is_left();
}

#[test]
fn a_failure_may_take_the_cluster_down() {
    let site = Site::playing(
        Script::default().step("first", StepScript::exits(1, 10)),
        &[("first", r#", "actionOnFailure": "TERMINATE_CLUSTER""#), ("second", "")],
    );
    let id = site.up();
    site.done(&format!("run --config c.json --playbook p.json --cluster {id}"), 1);
    assert_eq!(site.orders(), [CREATE, SUBMIT, DELETE]);
    site.nothing_is_left();
}

#[test]
fn a_state_that_nobody_knows_is_in_doubt_and_no_success() {
    let odd = StepScript::ends(End::Word("PAUSED"), 10);
    let site = Site::new(Script::default().step("first", odd));
    let id = site.up();
    let line = format!("run --config c.json --playbook p.json --cluster {id}");
    let ran = site.done(&format!("{line} --lost-contact-after 0.3s"), 5);
    assert!(ran.stderr.contains("PAUSED"), "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    site.nothing_was_twice();
}

#[test]
fn somebody_else_cancels_a_step() {
    let site = Site::new(Script::default().step("first", StepScript::ends(End::Cancelled, 10)));
    site.done(TRANSIENT, 1);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    site.nothing_is_left();
}

/// It holds machines and quota until it is deleted.
#[test]
fn a_cluster_that_breaks_is_told_of_and_deleted() {
    let detail = "Cannot start master: Timed out waiting for 3 datanodes";
    for line in [UP, TRANSIENT] {
        let site = Site::new(Script::default().cluster(ClusterScript::fails(detail)));
        let ran = site.says(line, 1, detail);
        assert_eq!(ran.stdout, "", "{line}");
        assert_eq!(site.orders(), [CREATE, DELETE], "{line}");
        assert_eq!(site.submissions(["first"]), [0]);
        site.nothing_is_left();
    }
    let site = Site::new(Script::default());
    let id = site.up();
    site.fake.world(|world| {
        let cluster = world.cluster_mut("fake").expect("it is up");
        cluster.script = cluster.script.clone().turning(0, State::Error, detail);
    });
    // That of others is theirs.
    let ran = site.done(&format!("run --config c.json --playbook p.json --cluster {id}"), 4);
    assert!(ran.stderr.contains(detail), "{}", ran.stderr);
    assert_eq!(site.clusters(), (1, 1));
}

/// By its time of its own, or by somebody: what Dataproc says of its steps is what became of them.
#[test]
fn a_cluster_that_goes_in_mid_run_ends_the_run() {
    for fate in [Fate::Error, Fate::Cancelled] {
        let gone = ClusterScript { jobs: fate, ..ClusterScript::default() };
        let fates = Script::default().step("first", StepScript::never_ends());
        let site = Site::new(fates.cluster(gone.clone().turning(600, State::Deleting, "")));
        site.done(TRANSIENT, 1);
        assert_eq!(site.submissions(["first", "second"]), [1, 0], "{fate:?}");
        site.nothing_is_left();

        let fates = Script::default().step("first", StepScript::never_ends()).cluster(gone);
        let site = Site::new(fates);
        let file = site.fake.cluster_file(r#", "maxAgeSeconds": 1200"#);
        let site = site.with("c.json", file);
        site.done(TRANSIENT, 1);
        assert_eq!(site.submissions(["first", "second"]), [1, 0], "{fate:?}");
        site.nothing_is_left();

        let fates = Script::default().step("first", StepScript::never_ends());
        let gone = ClusterScript { jobs: fate, ..ClusterScript::default() };
        let site = Site::new(fates.cluster(gone.turning(600, State::Deleting, "")));
        let id = site.up();
        site.done(&format!("run --config c.json --playbook p.json --cluster {id}"), 1);
        site.nothing_is_left();
    }
}

/// Nobody says how its steps ended.
#[test]
fn steps_that_stay_as_they_were_when_their_cluster_went_hang_nobody() {
    let gone = ClusterScript { jobs: Fate::Kept, ..ClusterScript::default() };
    let fates = Script::default().step("first", StepScript::never_ends());
    let site = Site::new(fates.cluster(gone.turning(600, State::Deleting, "")));
    site.says(TRANSIENT, 1, "the cluster ended first");
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    site.nothing_was_twice();
    assert_eq!(site.clusters(), (1, 0));
}

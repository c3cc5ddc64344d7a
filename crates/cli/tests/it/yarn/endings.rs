//! How steps end.

use dataflow_runner_core::fabric::yarn::fake::{ChildScript, End, Script, StepScript, Tempo};

use super::{RUN, Site};

#[test]
fn a_failed_step_tells_its_exit_code_and_its_last_words() {
    let bad = StepScript::exits(7, 10).writing("", "no such table\n");
    let site = Site::new(Script::default().step("first", bad));
    let ran = site.done(&format!("{RUN} --log-failed-steps"), 1);
    assert!(ran.stderr.contains("exit code 7"), "{}", ran.stderr);
    assert!(ran.stderr.contains("no such table"), "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    let status = site.done("status --json", 0).stdout;
    let reason = r#""reason": "exit code 7\nno such table""#;
    assert!(status.contains(reason), "{status}");
    site.nothing_is_left();
}

#[test]
fn an_exit_code_may_end_the_run_well() {
    let site = Site::playing(
        Script::default().step("first", StepScript::exits(3, 10)),
        &[("first", r#", "onResult": {"terminateJobWithSuccess": [3]}"#), ("second", "")],
    );
    site.done(RUN, 0);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    site.nothing_is_left();
}

#[test]
fn a_step_that_failed_is_tried_again() {
    let fates = [StepScript::exits(1, 10), StepScript::exits(1, 10), StepScript::exits(0, 10)];
    let site = Site::playing(
        Script::default().attempts("first", fates),
        &[("first", r#", "retries": {"maxAttempts": 3}"#), ("second", "")],
    );
    site.done(RUN, 0);
    assert_eq!(site.submissions(["first", "second"]), [3, 1]);
    site.nothing_is_left();
}

#[test]
fn a_time_limit_ends_a_step_and_all_that_it_started() {
    let endless = StepScript::never_ends().starting(ChildScript::never_ends("MAPREDUCE"));
    // The far side's own limit comes much later than ours.
    let tempo = Tempo::second_in_ms(50);
    let site = Site::playing(
        Script { tempo, ..Script::default().step("first", endless) },
        &[("first", r#", "timeoutSeconds": 1"#), ("second", "")],
    );
    let ran = site.done(RUN, 1);
    assert!(ran.stderr.contains("it took longer than its limit of 1 s"), "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    assert_eq!(site.fake.calls("timeout"), 1);
    site.nothing_is_left();
}

#[test]
fn what_yarn_says_of_a_failure_is_explained() {
    let words = "Container is running beyond the 'PHYSICAL' memory limit.".to_owned();
    let site = Site::new(
        Script::default().step("first", StepScript::ends(End::Container(-104, words), 10)),
    );
    let ran = site.done(RUN, 1);
    assert!(ran.stderr.contains("raise `memoryMb`"), "{}", ran.stderr);
    site.nothing_is_left();
}

/// A cluster that has forgotten a step is no proof that it did not run.
#[test]
fn a_step_that_was_forgotten_is_not_repeated() {
    let site = Site::new(Script::default().step("first", StepScript::never_ends()));
    let mut command = site.command(&format!("{RUN} --lost-contact-after 0.5s"));
    let child = command.stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    while site.fake.world(|world| world.alive().count()) == 0 {
        std::thread::yield_now();
    }
    site.fake.world(|world| world.restart(false));
    let ran = crate::harness::Ran::from(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
}

#[test]
fn one_that_remembers_goes_on_with_a_step() {
    let site = Site::new(Script::default().step("first", StepScript::exits(0, 60)));
    let mut command = site.command(RUN);
    let child = command.stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    while site.fake.world(|world| world.submissions("first")) == 0 {
        std::thread::yield_now();
    }
    site.fake.world(|world| world.restart(true));
    let ran = crate::harness::Ran::from(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 1]);
    site.nothing_is_left();
}

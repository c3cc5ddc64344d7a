//! What drivers write: logs, and the exit codes in them.

use super::*;
use crate::fabric::dataproc::fake::End;

fn failing(script: StepScript, late: u64) -> (There, ClusterId, StepId) {
    let late_output = Duration::from_secs(late);
    let there = There::new(Script { late_output, ..Script::default() }.step("a", script));
    let on = there.up();
    let id = there.start(&on, 2, &command("a"));
    (there, on, id)
}

#[test]
fn the_exit_code_of_a_program_is_in_its_output() {
    let (there, on, id) = failing(StepScript::exits(7, 10), 0);
    let told = there.later(600, &on, &id);
    assert_eq!((told.state, told.exit_code), (StepState::Failed, Some(7)));
    let reason = "exit code 7: Google Cloud Dataproc Agent reports job failure.";
    assert_eq!(told.reason.as_deref(), Some(reason));
}

#[test]
fn a_code_that_is_to_come_is_waited_for() {
    let (there, on, id) = failing(StepScript::exits(7, 10), 30);
    let told = loop {
        let told = there.later(1, &on, &id);
        if told.native.starts_with("ERROR") {
            break told;
        }
    };
    assert_eq!((told.state, told.exit_code, told.ended), (StepState::Running, None, None));
    assert!(told.native.contains("awaiting its exit code"), "{}", told.native);
    let told = there.later(60, &on, &id);
    assert_eq!((told.state, told.exit_code), (StepState::Failed, Some(7)));
}

#[test]
fn a_code_that_never_comes_is_unknown() {
    let (mut there, on, id) = failing(StepScript::exits(7, 10), 100_000);
    there.pass(600);
    assert_eq!(there.status(&on, &id).state, StepState::Running);
    there.dataproc.code_wait = Duration::ZERO;
    let told = there.status(&on, &id);
    assert_eq!((told.state, told.exit_code), (StepState::Failed, None));
    assert!(
        told.reason.as_deref().is_some_and(|why| why.contains("exit code unknown")),
        "{told:?}"
    );
}

#[test]
fn what_promises_no_code_is_not_waited_for() {
    let end = End::Fails("User application exited with status 42".into());
    let (there, on, id) = failing(StepScript::ends(end, 10), 100_000);
    let told = there.later(600, &on, &id);
    assert_eq!((told.state, told.exit_code), (StepState::Failed, Some(42)));
    let there = There::new(
        Script::default().step("j", StepScript::ends(End::Fails("Job failed".into()), 10)),
    );
    let on = there.up();
    let jar = crate::config::playbook::Program::CustomJar {
        jar: sample::text("gs://b/x.jar"),
        main_class: None,
    };
    let id = there.start(&on, 2, &sample::step_of("j", jar, &[]));
    let told = there.later(600, &on, &id);
    assert_eq!((told.state, told.exit_code), (StepState::Failed, None));
    assert_eq!(told.reason.as_deref(), Some("Job failed; exit code unknown"));
}

#[test]
fn output_that_may_not_be_read_is_told() {
    let (mut there, on, id) = failing(StepScript::exits(7, 10), 0);
    there.dataproc.code_wait = Duration::ZERO;
    there.fake.fail("objects.list", 1.., Fault::denied("storage.objects.list"));
    let told = there.later(600, &on, &id);
    assert_eq!((told.state, told.exit_code), (StepState::Failed, None));
    let reason = told.reason.unwrap_or_default();
    assert!(
        reason.contains("exit code unknown") && reason.contains("storage.objects.list"),
        "{reason}"
    );
}

#[test]
fn output_is_read_as_it_grows_across_objects() {
    let second = Duration::from_secs;
    let output = vec![
        (second(0), "one\n".to_owned()),
        (second(100), "two\n".to_owned()),
        (second(200), "three\n".to_owned()),
    ];
    let script = StepScript { output, ..StepScript::done(300) };
    let small = Script { output_size: 6, ..Script::default() };
    let there = There::new(small.step("a", script));
    let on = there.up();
    let id = there.start(&on, 2, &command("a"));
    assert_eq!(Fabric::logs(&there.dataproc, &on, &id).expect("it answers"), []);
    there.pass(60);
    let logs = Fabric::logs(&there.dataproc, &on, &id).expect("it answers");
    let [log] = &logs[..] else { panic!("{logs:?}") };
    assert_eq!((log.name.as_str(), log.size), ("driveroutput", Some(4)));
    let mut read = Vec::new();
    let mut follow = || {
        loop {
            let chunk = there.dataproc.read(log, read.len() as u64).expect("it answers");
            read.extend(chunk.bytes);
            if chunk.at_end {
                return String::from_utf8_lossy(&read).into_owned();
            }
        }
    };
    assert_eq!(follow(), "one\n");
    there.pass(100);
    assert_eq!(follow(), "one\ntwo\n");
    there.pass(600);
    assert_eq!(follow(), "one\ntwo\nthree\n");
}

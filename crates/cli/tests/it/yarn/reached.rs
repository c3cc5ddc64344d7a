//! What is done about a run by its journal alone.

use dataflow_runner_core::fabric::yarn::fake::{Script, StepScript};

use super::{RUN, Site};

fn failed() -> Site {
    let bad = StepScript::exits(1, 10)
        .writing("one\ntwo\n", "java.lang.OutOfMemoryError: Java heap space\n");
    let site = Site::new(Script::default().step("first", bad));
    site.done(RUN, 1);
    for file in ["c.json", "p.json"] {
        std::fs::remove_file(site.place.path(file)).expect("it is there");
    }
    site
}

#[test]
fn logs_come_from_where_the_launcher_left_them() {
    let site = failed();
    let ran = site.done("logs", 0);
    assert_eq!(ran.stdout, "java.lang.OutOfMemoryError: Java heap space\none\ntwo\n");
    assert!(ran.stderr.contains("probable cause: "), "{}", ran.stderr);
    assert_eq!(site.done("logs last first --file stdout", 0).stdout, "one\ntwo\n");
}

#[test]
fn a_run_that_ended_is_told_of_and_cancelled_without_harm() {
    let site = failed();
    let told = site.done("status", 0).stdout;
    assert!(told.contains("first") && told.contains("FAILED"), "{told}");
    site.done("cancel last", 0);
    site.nothing_is_left();
}

#[test]
fn logs_of_a_step_that_runs_are_followed() {
    let endless = StepScript::never_ends().writing("tick\n", "");
    let site = Site::new(Script::default().step("first", endless));
    let mut command = site.command(RUN);
    let mut child = command.stderr(std::process::Stdio::null()).spawn().expect("it starts");
    let alive =
        || site.fake.world(|world| world.launchers("first").any(|app| app.started.is_some()));
    while !alive() {
        std::thread::yield_now();
    }
    let ran = site.done("logs last first --file stdout", 0);
    assert_eq!(ran.stdout, "tick\n", "{}", ran.stderr);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    site.done("cancel last", 0);
    site.nothing_is_left();
}

//! What is done about a run by its journal alone.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use dataflow_runner_core::clock::until;
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

/// A run whose first step writes this and does not end by itself.
fn running(text: &str) -> (Site, Child) {
    let site =
        Site::new(Script::default().step("first", StepScript::never_ends().writing(text, "")));
    let run = site.command(RUN).stderr(Stdio::null()).spawn().expect("it starts");
    let began =
        || site.fake.world(|world| world.launchers("first").any(|app| app.started.is_some()));
    while !began() {
        std::thread::yield_now();
    }
    (site, run)
}

impl Site {
    /// The first step has written this; it ends now, or not.
    fn writes(&self, text: &str, ends: bool) {
        self.fake.world(|world| {
            let now = world.now;
            let app = world.applications.first_mut().expect("it is there");
            text.clone_into(&mut app.script.stdout);
            let ran = app.started.map(|started| until(started, now));
            app.script.runs = ran.filter(|_| ends).map(|ran| ran + Duration::from_secs(1));
        });
    }

    /// Somebody who looks.
    fn looker(&self, line: &str) -> (Child, BufReader<ChildStdout>) {
        let mut command = self.command(line);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        (child, stdout)
    }
}

fn line(from: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("text");
    line
}

/// From its node, and then from where its launcher left them: each byte once.
#[test]
fn logs_are_followed_to_the_end_of_the_step() {
    let (site, mut run) = running("one\n");
    let (follower, mut printed) = site.looker("logs last first --follow --file stdout");
    assert_eq!(line(&mut printed), "one\n");
    site.writes("one\ntwo\n", false);
    assert_eq!(line(&mut printed), "two\n");
    site.writes("one\ntwo\nthree", true);
    let mut rest = String::new();
    printed.read_to_string(&mut rest).expect("text");
    let said = follower.wait_with_output().expect("it ends");
    assert_eq!((rest.as_str(), said.status.code()), ("three", Some(0)));
    let said = String::from_utf8_lossy(&said.stderr);
    assert!(said.contains(": RUNNING") && said.contains(": SUCCEEDED"), "{said}");
    assert_eq!(run.wait().expect("it ends").code(), Some(0), "the run goes on");
    site.nothing_is_left();
}

#[test]
fn a_run_is_watched_to_its_end() {
    let (site, mut run) = running("");
    let (watcher, mut printed) = site.looker("status last --watch");
    let first = line(&mut printed);
    assert!(first.contains(": running; "), "{first}");
    site.writes("", true);
    let mut rest = String::new();
    printed.read_to_string(&mut rest).expect("text");
    assert_eq!(watcher.wait_with_output().expect("it ends").status.code(), Some(0));
    let last = rest.lines().last().expect("its end");
    assert!(last.contains("2 of 2 steps done"), "{last}");
    assert_eq!(run.wait().expect("it ends").code(), Some(0));
    site.nothing_is_left();
}

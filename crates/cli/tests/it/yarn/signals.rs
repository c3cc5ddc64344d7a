//! What signals do to a run, and what is done about one whose driver is dead.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use dataflow_runner_core::fabric::yarn::fake::{ChildScript, Fault, Script, State, StepScript};
use rustix::process::{Pid, Signal, kill_process};

use super::{RUN, Site};

/// The first step never ends, nor does what it starts.
fn endless() -> Script {
    let script = StepScript::never_ends().starting(ChildScript::never_ends("MAPREDUCE"));
    Script::default().step("first", script)
}

/// Starts a command and reads messages until the first step runs.
fn running(site: &Site, mut command: Command) -> (Child, BufReader<std::process::ChildStderr>) {
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("is RUNNING") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).expect("text"), 0, "it ended");
    }
    while site.fake.world(|world| world.alive().count()) < 2 {
        std::thread::yield_now();
    }
    (child, stderr)
}

fn signalled(site: &Site, line: &str, signal: Signal) -> (Option<i32>, String) {
    let (mut child, mut stderr) = running(site, site.command(line));
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
    kill_process(pid, signal).expect("it is there");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("text");
    (child.wait().expect("it ends").code(), rest)
}

fn states(site: &Site) -> Vec<State> {
    site.fake.world(|world| world.applications.iter().map(|app| app.state).collect())
}

#[test]
fn a_signal_kills_the_launcher_and_its_children() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let site = Site::new(endless());
        let (ended, rest) = signalled(&site, RUN, signal);
        assert_eq!(ended, Some(code), "{rest}");
        assert_eq!(states(&site), [State::Killed; 2]);
        site.nothing_is_left();
    }
}

#[test]
fn what_is_to_be_left_is_left_and_may_be_cancelled() {
    for (line, signal, code) in [
        (format!("{RUN} --on-interrupt leave"), Signal::INT, 130),
        (RUN.to_owned(), Signal::HUP, 129),
    ] {
        let site = Site::new(endless());
        let (ended, rest) = signalled(&site, &line, signal);
        assert_eq!(ended, Some(code), "{rest}");
        assert_eq!(site.fake.calls("kill"), 0);
        site.done("cancel last", 0);
        assert_eq!(states(&site), [State::Killed; 2]);
        site.nothing_is_left();
    }
}

#[test]
fn a_run_whose_driver_died_is_attached() {
    let site = Site::new(Script::default().step("first", StepScript::exits(0, 120)));
    let mut command = site.command(RUN);
    let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
    while site.fake.world(|world| world.submissions("first")) == 0 {
        std::thread::yield_now();
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    site.fake.drain().expect("it answers itself");
    site.done("attach last", 0);
    assert_eq!(site.submissions(["first", "second"]), [1, 1]);
    site.nothing_is_left();
}

/// A file may be large, and who is told to stop does not wait for its end.
#[test]
fn a_signal_while_files_are_put_in_place_orders_nothing() {
    let site = Site::playing(Script::default(), &[("first", r#", "files": ["./data"]"#)]);
    let site = Site { place: site.place.with("data", "x"), ..site };
    let (tell, told) = mpsc::channel();
    site.fake.fail_by(move |operation| {
        (operation == "CREATE data").then(|| {
            // Of the first try; it tries again until it hears it.
            told.iter().for_each(|pid| kill_process(pid, Signal::INT).expect("it is there"));
            Fault::Cut
        })
    });
    let mut command = site.command(RUN);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
    tell.send(pid).expect("it is awaited");
    drop(tell);
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{said}");
    assert_eq!(site.submissions(["first"]), [0]);
}

//! One run is driven by one process.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use dataflow_runner_core::event::{Driver, Event, EventKind};
use dataflow_runner_core::journal::{self, Journal};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

use crate::crash::World;
use crate::harness::{Place, Ran};
use crate::program::Program;
use crate::signals::{self, Waiting, sweep};

const RUN: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

/// The folder of the only run.
fn run(place: &Place) -> PathBuf {
    let runs = fs::read_dir(place.state().join("runs")).expect("runs");
    let runs: Vec<_> = runs.map(|run| run.expect("a run").path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

fn attach(place: &Place) -> Child {
    let mut command = place.command(["attach", "last"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts")
}

fn end(child: Child) -> Ran {
    Ran::from(child.wait_with_output().expect("it ends"))
}

fn attached(place: &Place) -> Vec<u32> {
    let contents = journal::read(&run(place)).expect("it can be read");
    let driver = |event: Event| match event.kind {
        EventKind::Attached { driver } => Some(driver.pid),
        _ => None,
    };
    contents.events.into_iter().filter_map(driver).collect()
}

/// A run whose step goes on, though its driver was killed; the step's process.
fn left(place: &Place) -> String {
    let mut waiting = Waiting::start(place, &[], &[]);
    waiting.child.kill().expect("it runs");
    waiting.end().2
}

fn lives(step: &str) -> bool {
    let pid = step.parse().ok().filter(|pid| *pid > 1).and_then(Pid::from_raw);
    test_kill_process(pid.expect("a process")).is_ok()
}

/// An event as a process of another host would write it, whom no lock keeps away.
pub(crate) fn written_elsewhere(place: &Place) {
    let (run, elsewhere) = (run(place), tempfile::tempdir().expect("a folder"));
    let file = "journal.jsonl";
    fs::copy(run.join(file), elsewhere.path().join(file)).expect("copied");
    let (mut copy, contents) = Journal::resume(elsewhere.path()).expect("nobody has the copy");
    let last = contents.events.last().expect("events");
    let driver = Driver { host: "elsewhere".into(), pid: 4711, start: None };
    let kind = EventKind::Attached { driver };
    copy.append(&Event { seq: last.seq + 1, at: last.at, kind }).expect("written");
    drop(copy);
    let before = fs::metadata(run.join(file)).expect("it is there").len();
    let all = fs::read(elsewhere.path().join(file)).expect("it is there");
    let mut journal = fs::File::options().append(true).open(run.join(file)).expect("opened");
    let more = &all[usize::try_from(before).expect("small")..];
    journal.write_all(more).expect("written");
}

/// Says that something is done, when it is dropped.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn of_two_that_attach_at_once_one_drives() {
    let place = signals::place("");
    let step = left(&place);
    let run = run(&place);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also if it fails.
        let _ends = Ends(&done);
        // Who only looks is in nobody's way.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                journal::glance(&run).expect("it can be read");
            }
        });
        for round in 1..=20 {
            let mut both = [attach(&place), attach(&place)];
            let refused = loop {
                let ended = |child: &mut Child| child.try_wait().expect("it is ours").is_some();
                match both.each_mut().map(ended) {
                    [false, false] => std::thread::yield_now(),
                    [true, true] => panic!("round {round}: {:?}", both.map(end)),
                    [first, _] => break usize::from(!first),
                }
            };
            let [one, other] = both;
            let (refused, mut drives) = if refused == 0 { (one, other) } else { (other, one) };
            let refused = end(refused);
            assert_eq!(refused.code, Some(17), "round {round}: {}", refused.stderr);
            let named = format!("is driven by process {} on host ", drives.id());
            assert!(refused.stderr.contains(&named), "{round} {named}: {}", refused.stderr);
            drives.kill().expect("it runs");
            drives.wait().expect("it ends");
            let drivers = attached(&place);
            assert_eq!((drivers.len(), drivers.last()), (round, Some(&drives.id())));
        }
    });
    let ran = place.words("cancel last");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!lives(&step));
}

#[test]
fn who_drives_is_named_to_who_would_like_to() {
    let place = signals::place("");
    let first = Waiting::start(&place, &[], &[]);
    let told = || fs::read_to_string(run(&place).join("journal.jsonl")).expect("a journal");
    // The step may run before its driver knows.
    while !told().contains("\"event\":\"submitted\"") {
        std::thread::yield_now();
    }
    let before = told();
    for line in ["attach last", "resume last", "attach last --take-over"] {
        let ran = place.words(line);
        assert_eq!(ran.code, Some(17), "{line}: {}", ran.stderr);
        let named = format!("is driven by process {} on host ", first.child.id());
        assert!(ran.stderr.contains(&named), "{line}: {}", ran.stderr);
    }
    assert_eq!(told(), before);
    first.signal(Signal::TERM);
    assert_eq!(first.end().0, Some(143));
    // It has ended: that is what is told.
    let ran = place.words("attach last");
    assert_eq!(ran.code, Some(143), "{}", ran.stderr);
}

#[test]
fn a_driver_of_another_host_is_replaced_only_by_who_says_so() {
    let place = signals::place("");
    let step = left(&place);
    written_elsewhere(&place);
    for line in ["attach last", "resume last", "cancel last"] {
        let ran = place.words(line);
        assert_eq!(ran.code, Some(17), "{line}: {}", ran.stderr);
        let named = "was driven last by process 4711 on host elsewhere, and has no end";
        assert!(ran.stderr.contains(named), "{}", ran.stderr);
        assert!(ran.stderr.contains("--take-over") && lives(&step), "{}", ran.stderr);
    }
    let ran = place.words("cancel last --take-over");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!lives(&step));
}

#[test]
fn a_driver_that_was_replaced_writes_and_orders_nothing_more() {
    let place = signals::place("");
    let old = Waiting::start(&place, &[], &[]);
    written_elsewhere(&place);
    let journal = run(&place).join("journal.jsonl");
    let before = fs::read(&journal).expect("a journal");
    let pid = i32::try_from(old.child.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::TERM).expect("it runs");
    let (code, said, step) = old.end();
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("another process drives the run now"), "{said}");
    assert_eq!(fs::read(&journal).expect("a journal"), before);
    assert!(lives(&step), "nothing was cancelled: {said}");
    sweep(&step);
}

/// Whoever asks how it stands while it is driven gets an answer, and never one of before.
#[test]
fn who_looks_while_another_drives_sees_all_of_it() {
    const STEPS: usize = 60;
    let step = |n: usize| {
        let needs = n.checked_sub(1).map(|n| format!(r#", "dependsOn": ["s{n}"]"#));
        (format!("s{n}"), needs.unwrap_or_default())
    };
    let steps: Vec<_> = (0..STEPS).map(step).collect();
    let steps: Vec<_> = steps.iter().map(|(id, needs)| (&**id, "exit 0", &**needs)).collect();
    let mut world = World::new(&steps);
    let mut first = world.start(&RUN);
    world.step();
    first.kill().expect("it runs");
    first.wait().expect("it ends");
    (0..STEPS).for_each(|_| world.open_gate());
    let place = &world.place;
    let mut driver = Program::start(place.command(["attach", "last"]));
    driver.says("Attached to run");
    std::thread::scope(|scope| {
        for line in ["status last --json", "runs --json", "report last --json"] {
            scope.spawn(move || {
                let mut before = (0, None);
                while before.0 == 0 {
                    let told = place.words(line);
                    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{line}");
                    let told: Value = serde_json::from_str(&told.stdout).expect("one object");
                    let ended = match told["state"].as_str() {
                        Some("running") => 0,
                        Some("succeeded") => 1,
                        other => panic!("{line}: {other:?}"),
                    };
                    let now = (ended, done(&told));
                    assert!(now >= before, "{line}: {before:?} {told}");
                    before = now;
                }
                assert!(before.1.is_none_or(|done| done == STEPS), "{line} {before:?}");
            });
        }
    });
    let (code, said) = driver.end();
    assert_eq!(code, Some(0), "{said}");
}

/// How many steps are done, as a line of JSON tells; none, where it does not tell of steps.
fn done(told: &Value) -> Option<usize> {
    let steps = told["steps"].as_array()?;
    Some(steps.iter().filter(|step| step["state"] == "SUCCEEDED").count())
}

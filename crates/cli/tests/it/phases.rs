//! Signals at each phase of a run on this machine: how the program ends, what its journal tells, and what is left.

use std::fs::{self, File};
use std::path::PathBuf;

use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::event::{EventKind, Outcome};
use dataflow_runner_core::journal;
use rustix::process::Signal;

use crate::harness::{Place, cluster, playbook, script};
use crate::program::{Program, each};
use crate::signals::{self, sweep};
use crate::stops::lives;

const INT: Signal = Signal::INT;
const TERM: Signal = Signal::TERM;
const HUP: Signal = Signal::HUP;

const RUN: &str = "run-transient --config c.json --playbook p.json";
/// A step that does not heed TERM; it is killed in an hour.
const STUBBORN: &str = "trap '' TERM;";
/// The first time, the step fails.
const FAILS_ONCE: &str = "[ -e \"$HOME/again\" ] || { : > \"$HOME/again\"; exit 3; };";

/// How the one run of a place stands before it is taken up again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// There is none.
    Nothing,
    /// Its step runs, and its driver was killed.
    Left,
    /// Its step failed.
    Failed,
    /// Its step was told to end, and runs on; its driver was told to end twice.
    InDoubt,
}

struct Row {
    before: Before,
    /// What the step does before it runs for ever.
    step: &'static str,
    line: &'static str,
    signals: &'static [Signal],
    code: i32,
    end: End,
    /// The step runs on.
    lives: bool,
}

/// What the journal tells of the end.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Left,
    Cancelled,
    InDoubt,
}

const fn row(
    before: Before,
    step: &'static str,
    line: &'static str,
    signals: &'static [Signal],
    (code, end, lives): (i32, End, bool),
) -> Row {
    Row { before, step, line, signals, code, end, lives }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row(Before::Nothing, "", "run --on-interrupt cancel", &[INT], (130, End::Cancelled, false)),
    row(Before::Nothing, "", "run --on-interrupt cancel", &[TERM], (143, End::Cancelled, false)),
    row(Before::Nothing, "", "run --on-interrupt cancel", &[HUP], (129, End::Left, true)),
    row(Before::Nothing, "", "run --on-interrupt leave", &[INT], (130, End::Left, true)),
    row(Before::Nothing, "", "run --on-interrupt leave", &[TERM], (143, End::Left, true)),
    row(Before::Nothing, STUBBORN, "run", &[INT, TERM], (5, End::InDoubt, true)),
    row(Before::Nothing, STUBBORN, "run", &[TERM, HUP], (5, End::InDoubt, true)),
    row(Before::Left, STUBBORN, "attach last --on-interrupt cancel", &[INT, INT], (5, End::InDoubt, true)),
    row(Before::Left, STUBBORN, "attach last --on-interrupt cancel", &[TERM, HUP], (5, End::InDoubt, true)),
    row(Before::InDoubt, STUBBORN, "attach last", &[INT], (130, End::Left, true)),
    row(Before::InDoubt, STUBBORN, "attach last", &[HUP], (129, End::Left, true)),
    row(Before::InDoubt, STUBBORN, "attach last --on-interrupt cancel", &[INT, INT], (5, End::InDoubt, true)),
    row(Before::Left, "", "resume last", &[INT], (130, End::Cancelled, false)),
    row(Before::Left, "", "resume last", &[TERM], (143, End::Cancelled, false)),
    row(Before::Left, "", "resume last", &[HUP], (129, End::Left, true)),
    row(Before::Left, "", "resume last --on-interrupt leave", &[TERM], (143, End::Left, true)),
    row(Before::Left, STUBBORN, "resume last", &[INT, INT], (5, End::InDoubt, true)),
    row(Before::Failed, FAILS_ONCE, "resume last", &[INT], (130, End::Cancelled, false)),
    row(Before::Failed, FAILS_ONCE, "resume last", &[HUP], (129, End::Left, true)),
    row(Before::Failed, FAILS_ONCE, "resume last --on-interrupt leave", &[INT], (130, End::Left, true)),
    // What was asked of `cancel` is not done, however it is told to go.
    row(Before::Left, STUBBORN, "cancel last", &[INT, INT], (5, End::InDoubt, true)),
    row(Before::Left, STUBBORN, "cancel last", &[TERM, INT], (5, End::InDoubt, true)),
    row(Before::Left, STUBBORN, "cancel last", &[HUP], (5, End::Left, true)),
];

/// The folder of the only run.
fn folder(place: &Place) -> Option<PathBuf> {
    let run = fs::read_dir(place.state().join("runs")).ok()?.next()?;
    Some(run.expect("it can be listed").path())
}

/// The events of the only run.
fn events(place: &Place) -> Vec<EventKind> {
    let contents = folder(place).and_then(|folder| journal::read(&folder).ok());
    contents.map(|it| it.events.into_iter().map(|event| event.kind).collect()).unwrap_or_default()
}

fn outcome(place: &Place) -> Option<Outcome> {
    let contents = journal::read(&folder(place).expect("a run")).expect("a journal");
    RunState::fold(&contents.events).expect("legal").outcome
}

impl Row {
    fn start(&self, place: &Place, line: &str) -> Program {
        let line = match line.strip_prefix("run") {
            Some(flags) => format!("{RUN}{flags}"),
            None => line.to_owned(),
        };
        Program::start(place.command(line.split(' ')))
    }

    fn check(&self) {
        let place = signals::place(self.step);
        let place = place.with("c.json", cluster(r#", "killAfterSeconds": 3600"#));
        let what = format!("{} {:?}", self.line, self.signals);
        // A pipe with a name gives its line when somebody has written it.
        let number = || fs::read_to_string(place.path("pipe")).expect("the step writes its number");
        let step = match self.before {
            Before::Nothing => None,
            Before::Left | Before::InDoubt => {
                let mut program = self.start(&place, "run");
                let step = number();
                match self.before {
                    Before::Left => program.kill(),
                    _ => {
                        program.signals_to_the_end(INT);
                        assert_eq!(program.end().0, Some(5), "{what}");
                    }
                }
                Some(step)
            }
            Before::Failed => {
                assert_eq!(self.start(&place, "run").end().0, Some(1), "{what}");
                None
            }
        };
        let before = events(&place).len();
        let mut program = self.start(&place, self.line);
        let step = step.unwrap_or_else(number);
        let step = step.trim();
        let cancels = self.line.starts_with("cancel") || self.before == Before::InDoubt;
        program.until("it has begun", |_| {
            let events = events(&place);
            let mut new = events.iter().skip(before);
            new.any(|kind| match kind {
                EventKind::CancelIntended { .. } | EventKind::TerminateIntended { .. } => true,
                _ => !cancels,
            })
        });
        let (first, more) = self.signals.split_first().expect("a signal");
        program.signal(*first);
        if !more.is_empty() {
            program.says("Interrupted by SIG");
        }
        more.iter().for_each(|signal| program.signals_to_the_end(*signal));
        let (code, said) = program.end();
        assert_eq!((code, lives(step)), (Some(self.code), self.lives), "{what}: {said}");
        let signal = first.as_raw();
        match (outcome(&place), &self.end) {
            (Some(Outcome::InDoubt { .. }), End::InDoubt) => {}
            (Some(Outcome::Interrupted { signal: was, left }), End::Left | End::Cancelled) => {
                assert_eq!((was, left), (signal, self.end == End::Left), "{what}: {said}");
            }
            (other, end) => panic!("{what}: {other:?} is not {end:?}: {said}"),
        }
        if self.lives {
            sweep(step);
        }
    }
}

#[test]
fn each_command_is_interrupted_in_every_way() {
    each(ROWS, Row::check);
}

/// The driver goes on with what it was asked for.
#[test]
fn who_asked_a_driver_to_cancel_may_go() {
    for (signal, code) in [(INT, 130), (TERM, 143), (HUP, 129)] {
        let place = signals::place(STUBBORN);
        let place = place.with("c.json", cluster(r#", "killAfterSeconds": 3600"#));
        let mut driver = Program::start(place.command(RUN.split(' ')));
        let step = fs::read_to_string(place.path("pipe")).expect("the step writes its number");
        let mut asks = Program::start(place.command(["cancel", "last"]));
        asks.says("Asked process");
        driver.says("Interrupted by SIGTERM: cancelling");
        asks.signal(signal);
        assert_eq!(asks.end().0, Some(code));
        assert_eq!(outcome(&place), None, "it goes on");
        sweep(step.trim());
        let (ended, said) = driver.end();
        assert_eq!(ended, Some(143), "{said}");
    }
}

/// What is said while files are put in place is heard once they are, before anything is ordered.
#[test]
fn a_signal_while_files_are_staged_orders_nothing() {
    let ways: [(&[Signal], i32); 4] =
        [(&[INT], 130), (&[TERM], 143), (&[HUP], 129), (&[INT, INT], 130)];
    each(&ways, |(signals, code)| {
        let step = script("a", "true", r#", "files": ["./big"]"#);
        let place = Place::new().with("c.json", cluster("")).with("p.json", playbook(&step));
        // So large that the signal is heard before all of it is there.
        let big = File::create(place.path("big")).expect("a file");
        big.set_len(32 << 20).expect("it has holes");
        let staged = place.state().join("clusters/staged");
        fs::create_dir_all(&staged).expect("a folder");
        let held = File::open(&staged).expect("a folder");
        held.lock().expect("it is free");
        let mut program = Program::start(place.command(RUN.split(' ')));
        program.until("it is recorded", |_| {
            folder(&place).is_some_and(|folder| folder.join("inputs.json").exists())
        });
        let (first, more) = signals.split_first().expect("a signal");
        program.signal(*first);
        more.iter().for_each(|signal| program.insists(*signal));
        held.unlock().expect("it is held");
        let (ended, said) = program.end();
        assert_eq!(ended, Some(*code), "{signals:?}: {said}");
        let ordered = |kind: &EventKind| matches!(kind, EventKind::LaunchIntended { .. });
        assert!(!events(&place).iter().any(ordered), "{signals:?}: {said}");
        let left = *first == HUP;
        assert_eq!(outcome(&place), Some(Outcome::Interrupted { signal: first.as_raw(), left }));
    });
}

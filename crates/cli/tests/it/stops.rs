//! What an interruption does to who drives a run that he did not begin.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::event::{Event, EventKind, Outcome};
use dataflow_runner_core::journal;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::harness::Place;
use crate::signals::{self, Waiting};

/// A run whose step goes on, though its driver was killed; the step's process.
pub(crate) fn left() -> (Place, String) {
    let place = signals::place("");
    let mut waiting = Waiting::start(&place, &[], &[]);
    // The step may run before its driver knows.
    let knows = |kind: &EventKind| matches!(kind, EventKind::Submitted { .. });
    while !events(&place).iter().any(|event| knows(&event.kind)) {
        std::thread::yield_now();
    }
    waiting.child.kill().expect("it runs");
    let step = waiting.end().2;
    (place, step)
}

fn pid(number: &str) -> Pid {
    let number = number.parse().ok().filter(|pid| *pid > 1);
    number.and_then(Pid::from_raw).expect("a process")
}

pub(crate) fn lives(step: &str) -> bool {
    test_kill_process(pid(step)).is_ok()
}

fn events(place: &Place) -> Vec<Event> {
    let run = std::fs::read_dir(place.state().join("runs")).expect("runs").next();
    journal::read(&run.expect("a run").expect("it").path()).expect("a journal").events
}

fn outcome(place: &Place) -> Option<Outcome> {
    RunState::fold(&events(place)).expect("legal").outcome
}

/// Starts it, and sends it a signal once it says this.
pub(crate) fn interrupted(
    place: &Place,
    line: &str,
    text: &str,
    signal: Signal,
) -> (Option<i32>, String) {
    let mut command = place.command(line.split(' '));
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut said = String::new();
    while !said.contains(text) {
        assert_ne!(stderr.read_line(&mut said).expect("text"), 0, "{line}: {said}");
    }
    kill_process(pid(&child.id().to_string()), signal).expect("it is there");
    stderr.read_to_string(&mut said).expect("text");
    (child.wait().expect("it ends").code(), said)
}

#[test]
fn who_attached_leaves_or_cancels() {
    let (place, step) = left();
    let ways = [
        ("attach last", Signal::INT, 130, true),
        ("attach last", Signal::TERM, 143, true),
        ("attach last", Signal::HUP, 129, true),
        ("attach last --on-interrupt leave", Signal::INT, 130, true),
        ("attach last --on-interrupt cancel", Signal::HUP, 129, true),
        ("attach last --on-interrupt cancel", Signal::TERM, 143, false),
    ];
    for (line, signal, code, left) in ways {
        let (ended, said) = interrupted(&place, line, "Attached to run", signal);
        assert_eq!((ended, lives(&step)), (Some(code), left), "{line}: {said}");
        let expected = Outcome::Interrupted { signal: signal.as_raw(), left };
        assert_eq!(outcome(&place), Some(expected), "{line}: {said}");
    }
}

/// The program at a terminal of its own, which `script` (util-linux) makes.
struct Terminal {
    child: Child,
    said: String,
}

impl Terminal {
    fn attach(place: &Place) -> Self {
        let inner = place.command(["attach", "last"]);
        let mut command = Command::new("script");
        let line = format!("'{}' attach last", inner.get_program().display());
        command.args(["-qec", &line, "/dev/null"]).env_clear().current_dir(place.path("."));
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("SHELL", "/bin/sh").env("TERM", "xterm");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Self { child: command.spawn().expect("script is there"), said: String::new() }
    }

    /// Reads until this is said, then types.
    fn at(&mut self, text: &str, keys: &str) {
        let mut bytes = [0; 256];
        while !self.said.contains(text) {
            let read = self.child.stdout.as_mut().expect("a pipe").read(&mut bytes);
            let read = read.expect("text");
            assert_ne!(read, 0, "it never said `{text}`: {}", self.said);
            self.said += &String::from_utf8_lossy(&bytes[..read]);
        }
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(keys.as_bytes()).expect("it listens");
        stdin.flush().expect("it listens");
    }

    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        self.child.stdout.as_mut().expect("a pipe").read_to_end(&mut rest).expect("text");
        let code = self.child.wait().expect("it ends").code();
        (code, self.said + &String::from_utf8_lossy(&rest))
    }
}

#[test]
fn who_attached_at_a_terminal_is_asked() {
    const CTRL_C: &str = "\u{3}";
    const CTRL_D: &str = "\u{4}";
    let (place, step) = left();
    let answers = [("n\n", true), ("\n", true), (CTRL_C, true), (CTRL_D, true), ("y\n", false)];
    for (answer, left) in answers {
        let mut terminal = Terminal::attach(&place);
        terminal.at("Attached to run", CTRL_C);
        terminal.at("[y/N]", answer);
        let (code, said) = terminal.end();
        assert_eq!((code, lives(&step)), (Some(130), left), "{answer:?}: {said}");
        assert_eq!(outcome(&place), Some(Outcome::Interrupted { signal: 2, left }), "{said}");
    }
}

//! What signals do to a run.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};

use crate::harness::{Place, cluster, playbook, script};

/// A run whose one step waits to be ended.
pub(crate) struct Waiting {
    pub(crate) child: Child,
    stderr: BufReader<ChildStderr>,
    /// The process of the step.
    pub(crate) step: String,
}

impl Waiting {
    pub(crate) fn start(place: &Place, before: &[&str], more: &[&str]) -> Self {
        let args = ["run-transient", "--config", "c.json", "--playbook", "p.json"];
        let mut command = place.command(args.iter().chain(more));
        if let [program, rest @ ..] = before {
            let inner = std::mem::replace(&mut command, Command::new(program));
            command.args(rest).arg(inner.get_program()).args(inner.get_args());
            command.env_clear().current_dir(place.path("."));
            let env = inner.get_envs().filter_map(|(name, value)| Some((name, value?)));
            command.envs(env);
        }
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        // A pipe with a name gives its line when somebody has written it: no polling.
        let step = std::fs::read_to_string(place.path("pipe")).expect("the step writes its number");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, stderr, step: step.trim().to_owned() }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid(&self.child.id().to_string()), signal).expect("it is there");
    }

    /// Reads messages until one has `text` in it.
    pub(crate) fn until(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(
                self.stderr.read_line(&mut line).expect("text"),
                0,
                "it never said `{text}`"
            );
        }
    }

    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).expect("text");
        (self.child.wait().expect("it ends").code(), rest, self.step)
    }
}

/// A place with a run whose step does this, and then waits.
pub(crate) fn place(body: &str) -> Place {
    let body = format!("{body} echo $$ > pipe; while :; do sleep 1000 & wait $!; done");
    let place = Place::new().with("c.json", cluster(r#", "killAfterSeconds": 1"#));
    let pipe = place.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there");
    assert!(made.success());
    let body = body.replace("pipe", &format!("'{}'", pipe.display()));
    place.with("p.json", playbook(&script("wait", &body, "")))
}

/// Whether a process is there.
fn lives(process: &str) -> bool {
    test_kill_process(pid(process)).is_ok()
}

/// Ends a step that was left running.
pub(crate) fn sweep(step: &str) {
    kill_process_group(pid(step), Signal::KILL).expect("the step leads a group");
}

fn pid(text: &str) -> Pid {
    // 0 and 1 would mean others, in some calls everybody.
    let number = text.parse().ok().filter(|number| *number > 1);
    number.and_then(Pid::from_raw).expect("the number of a process")
}

#[test]
fn int_and_term_cancel_and_clean_up() {
    for (signal, name, code) in [(Signal::INT, "INT", 130), (Signal::TERM, "TERM", 143)] {
        let place = place("");
        let run = Waiting::start(&place, &[], &[]);
        run.signal(signal);
        let (ended, said, step) = run.end();
        assert_eq!(ended, Some(code), "{said}");
        assert!(!lives(&step), "the step is gone");
        assert!(said.contains(&format!("Interrupted by SIG{name}: cancelling")), "{said}");
        assert!(said.contains("was CANCELLED"), "{said}");
        assert!(said.contains("is terminated successfully"), "{said}");
        assert!(said.trim_end().ends_with(&format!("msg=\"Run ended by SIG{name}\"")), "{said}");
    }
}

#[test]
fn a_step_that_ignores_term_is_killed() {
    let place = place("trap '' TERM;");
    let run = Waiting::start(&place, &[], &[]);
    run.signal(Signal::INT);
    let (ended, said, step) = run.end();
    assert_eq!(ended, Some(130), "{said}");
    assert!(!lives(&step), "the step is gone");
}

#[test]
fn hup_leaves_and_so_does_int_if_told() {
    let leave = ["--on-interrupt", "leave"];
    for (signal, flags, code) in [(Signal::HUP, &[][..], 129), (Signal::INT, &leave, 130)] {
        let place = place("");
        let run = Waiting::start(&place, &[], flags);
        run.signal(signal);
        let (ended, said, step) = run.end();
        assert_eq!(ended, Some(code), "{said}");
        assert!(lives(&step), "the step runs on: {said}");
        assert!(said.contains("everything is left as it is"), "{said}");
        sweep(&step);
    }
}

#[test]
fn a_second_signal_stops_waiting_and_is_in_doubt() {
    let place = place("trap '' TERM;").with("c.json", cluster(r#", "killAfterSeconds": 60"#));
    let mut run = Waiting::start(&place, &[], &[]);
    run.signal(Signal::INT);
    run.until("Interrupted by SIGINT");
    // One that comes at once is the same wish, so it is said until it is heard.
    while run.child.try_wait().expect("it is our child").is_none() {
        run.signal(Signal::INT);
        std::thread::yield_now();
    }
    let (ended, said, step) = run.end();
    assert_eq!(ended, Some(5), "{said}");
    assert!(said.contains("something may be running"), "{said}");
    sweep(&step);
}

#[test]
fn what_timeout_sends_twice_is_one_signal() {
    // timeout(1) sends its signal to the program and then to the group that both are in.
    let place = place("");
    let run = Waiting::start(&place, &[], &[]);
    for _ in 0..20 {
        run.signal(Signal::TERM);
    }
    let (ended, said, step) = run.end();
    assert_eq!(ended, Some(143), "{said}");
    assert!(!lives(&step), "the step is gone");
    assert!(said.contains("is terminated successfully"), "{said}");
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let place = place("");
    let run = Waiting::start(&place, &["nohup"], &[]);
    run.signal(Signal::HUP);
    run.signal(Signal::TERM);
    let (ended, said, _) = run.end();
    assert_eq!(ended, Some(143), "{said}");
    assert!(!said.contains("SIGHUP"), "{said}");
}

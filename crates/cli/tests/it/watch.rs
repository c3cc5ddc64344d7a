//! `status --watch`, `report`, and how runs are named.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};

use dataflow_runner_core::event::{Driver, Event, EventKind, Goal, Outcome};
use dataflow_runner_core::fabric::{ClusterId, RunId};
use dataflow_runner_core::journal::{self, Header, Journal};
use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Place, cluster, playbook, script};
use crate::signals::{Waiting, place as waiting_place};

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("a number"), signal).expect("it is there");
}

/// The program as it watches a run.
struct Watcher {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watcher {
    fn start(place: &Place, line: &str) -> Self {
        let mut command = place.command(line.split(' '));
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> Option<String> {
        self.lines.next().map(|line| line.expect("text"))
    }

    /// How it ended, and what else it said.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let rest = self.lines.by_ref().map(|line| line.expect("text")).collect();
        let output = self.child.wait_with_output().expect("it ends");
        (output.status.code(), rest, String::from_utf8(output.stderr).expect("text"))
    }
}

#[test]
fn a_run_is_watched_to_its_end_and_each_change_is_a_line() {
    let place = waiting_place("");
    let run = Waiting::start(&place, &[], &[]);
    let mut lines = Watcher::start(&place, "status --watch");
    let mut objects = Watcher::start(&place, "status last --watch --json");
    let line = lines.next().expect("how it stands now");
    assert!(line.contains("level=info msg=\"Run r-") && line.contains(": running; "), "{line}");
    assert!(line.contains("0 of 1 steps done; wait "), "{line}");
    let first: Value = serde_json::from_str(&objects.next().expect("an object")).expect("JSON");
    assert_eq!((&first["state"], &first["steps"][0]["id"]), (&"running".into(), &"wait".into()));

    run.signal(Signal::TERM);
    assert_eq!(run.end().0, Some(143));
    let (code, rest, said) = lines.end();
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let last = rest.last().expect("its end");
    assert!(
        last.contains("interrupted by SIGTERM") && last.contains("1 of 1 steps done, 1 cancelled"),
        "{last}"
    );
    let (code, rest, _) = objects.end();
    assert_eq!(code, Some(0));
    let last: Value = serde_json::from_str(rest.last().expect("its end")).expect("JSON");
    assert_eq!((&last["state"], &last["outcome"]["signal"]), (&"interrupted".into(), &15.into()));
    // What is over is shown once.
    let again = place.words("status --watch --output human");
    assert_eq!((again.stdout.lines().count(), again.code), (1, Some(0)), "{}", again.stdout);
}

#[test]
fn a_signal_ends_the_watching_and_nothing_else() {
    let place = waiting_place("");
    let mut run = Waiting::start(&place, &[], &[]);
    let journal = std::fs::read_dir(place.state().join("runs")).expect("runs").next();
    let journal = journal.expect("a run").expect("it").path().join("journal.jsonl");
    let told = || std::fs::read_to_string(&journal).expect("a journal");
    // The step may run before its driver knows.
    while !told().contains("\"event\":\"submitted\"") {
        std::thread::yield_now();
    }
    let before = told();
    for (number, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut watcher = Watcher::start(&place, "status --watch");
        assert!(watcher.next().is_some(), "it watches");
        signal(&watcher.child, number);
        assert_eq!(watcher.end().0, Some(code));
        assert_eq!(run.child.try_wait().expect("its state"), None, "the run goes on");
        assert_eq!(told(), before, "nobody but its driver tells of it");
    }
    run.signal(Signal::INT);
    assert_eq!(run.end().0, Some(130));
}

#[test]
fn a_run_that_nobody_drives_is_not_waited_for() {
    let place = Place::new();
    let id = Made::new("r-20261122T101500Z-aaaaaa", 0).write(&place);
    let shown = place.words("status --watch --json");
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let told: Value = serde_json::from_str(&shown.stdout).expect("one object");
    assert_eq!(told["state"], "left");
    assert!(
        shown.stderr.contains(&format!("Nobody drives run {id}, and it has no end: `attach {id}`")),
        "{}",
        shown.stderr
    );
}

#[test]
fn a_journal_that_is_damaged_is_not_watched() {
    let place = Place::new();
    let id = Made::new("r-20261122T101500Z-aaaaaa", 0).write(&place);
    let path = place.state().join("runs").join(id).join("journal.jsonl");
    let text = std::fs::read_to_string(&path).expect("a journal");
    std::fs::write(&path, text.replacen("memory", "mammal", 1)).expect("it is written");
    for command in ["status --watch", "report", "report --json"] {
        let shown = place.words(command);
        assert_eq!((shown.stdout.as_str(), shown.code), ("", Some(1)), "{command}");
        assert!(shown.stderr.contains("its checksum does not fit"), "{}", shown.stderr);
    }
}

#[test]
fn a_report_tells_every_attempt() {
    let retry = r#", "retries": {"maxAttempts": 2}, "dependsOn": ["good"]"#;
    let steps = [
        script("good", "true", ""),
        script("bad", "exit 3", retry),
        script("never", "true", r#", "dependsOn": ["bad"]"#),
    ];
    let place = Place::new().with("c.json", cluster("")).with("p.json", playbook(&steps.join(",")));
    let run = place.words("run-transient --config c.json --playbook p.json");
    assert_eq!(run.code, Some(1), "{}", run.stderr);

    let shown = place.words("report --json");
    assert_eq!((shown.stderr.as_str(), shown.code), ("", Some(0)));
    let told: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!((&told["exitCode"], &told["state"]), (&1.into(), &"failed".into()));
    assert!(told["drivers"][0]["pid"].is_u64(), "{told}");
    let bad = &told["steps"][1];
    let attempts = bad["attempts"].as_array().expect("a list");
    let codes: Vec<_> = attempts.iter().map(|it| (&it["attempt"], &it["exitCode"])).collect();
    assert_eq!(codes, [(&1.into(), &3.into()), (&2.into(), &3.into())]);
    assert!(attempts.iter().all(|it| it["ranSeconds"].is_number() && it["link"].is_string()));
    assert_eq!(told["steps"][2]["state"], "SKIPPED");
    assert_eq!(told["counts"]["attempts"], 3);

    let shown = place.words("report last");
    assert_eq!((shown.stderr.as_str(), shown.code), ("", Some(0)));
    for text in [
        "  exit code: 1\n",
        "  steps:     3: 1 succeeded, 1 failed, 1 skipped; attempts: 3\n",
        "    attempt 2 FAILED, exit code 3, ",
        "  SKIPPED    never: step `bad` failed\n",
        "  started by process ",
    ] {
        assert!(shown.stdout.contains(text), "{text} in {}", shown.stdout);
    }
    let long = shown.stdout.lines().filter(|line| !line.contains("look at:"));
    assert_eq!(long.filter(|line| line.chars().count() > 80).collect::<Vec<_>>(), [""; 0]);
}

/// A run as another program left it.
struct Made {
    id: &'static str,
    /// So many seconds after the first of all runs it was begun.
    begun: i64,
    name: Option<&'static str>,
    ended: bool,
}

impl Made {
    fn new(id: &'static str, begun: i64) -> Self {
        Self { id, begun, name: None, ended: false }
    }

    fn write(self, place: &Place) -> &'static str {
        let first: Timestamp = "2026-11-22T10:15:00Z".parse().expect("a time");
        let at = Timestamp::from_second(first.as_second() + self.begun).expect("a time");
        let run = RunId::new(self.id);
        let header = Header {
            version: journal::VERSION,
            run: run.clone(),
            program: "0.8.0".into(),
            created: at,
            fabric: "memory".into(),
            reach: BTreeMap::new(),
            time_zone: String::new(),
            noop_exit_code: 0,
        };
        let started = EventKind::RunStarted {
            run,
            goal: Goal::Down,
            fabric: "memory".into(),
            playbook: None,
            tags: BTreeMap::new(),
            steps: Vec::new(),
            cluster: Some(ClusterId::new("c-1")),
            name: self.name.map(Into::into),
            driver: Some(Driver { host: "etl".into(), pid: 7, start: None }),
            max_parallel: None,
            left_out: Vec::new(),
        };
        let mut journal = Journal::create(&state(place), &header).expect("a journal");
        let mut write =
            |seq, kind| journal.append(&Event { seq, at, kind }).expect("it is written");
        write(1, started);
        if self.ended {
            write(2, EventKind::RunEnded { outcome: Outcome::Succeeded });
        }
        self.id
    }
}

fn state(place: &Place) -> PathBuf {
    place.state()
}

#[test]
fn runs_are_named_and_the_newest_is_first_whatever_its_id() {
    const OLD: &str = "r-20261122T101500Z-aaaaaa";
    const NEW: &str = "r-20261122T101502Z-aaaaaa";
    let place = Place::new();
    Made { name: Some("nightly"), ended: true, ..Made::new(OLD, 0) }.write(&place);
    // Names may look like anything, also like the beginning of an id.
    Made { name: Some("r-2026"), ..Made::new("k-ffff", 1) }.write(&place);
    Made { name: Some("nightly"), ..Made::new(NEW, 2) }.write(&place);
    let listed = || {
        let listed = place.words("runs").stdout;
        let id = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        listed.lines().map(id).collect::<Vec<_>>()
    };
    assert_eq!(listed(), [NEW, "k-ffff", OLD]);
    assert!(place.words("runs").stdout.contains("memory    (nightly)"));
    let shown = |run: &str| {
        let told = place.run(["status", "--json", run]);
        let told: Value = serde_json::from_str(&told.stdout).unwrap_or_else(|_| told.stderr.into());
        told["run"].as_str().map(str::to_owned).unwrap_or(told.to_string())
    };
    assert_eq!(shown("last"), NEW);
    assert_eq!(shown("nightly"), NEW);
    assert_eq!(shown("r-2026"), "k-ffff");
    assert_eq!(shown("r-20261122T101500"), OLD);
    assert!(shown("r-20").contains("say more of its id"), "{}", shown("r-20"));
    assert_eq!(shown(OLD), OLD);
    assert!(shown("Nightly").contains("there is no run Nightly"));
    let told = place.words("status nightly");
    assert!(told.stdout.contains("  name:      nightly\n"), "{}", told.stdout);

    Made { name: Some(OLD), ..Made::new("k-0000", 3) }.write(&place);
    assert_eq!(listed(), ["k-0000", NEW, "k-ffff", OLD]);
    assert_eq!((shown("last"), shown(OLD)), ("k-0000".to_owned(), OLD.to_owned()));
    let told = place.words("runs --json --state succeeded");
    let told: Value = serde_json::from_str(&told.stdout).expect("one object");
    assert_eq!((&told["run"], &told["name"]), (&OLD.into(), &"nightly".into()));
}

/// Ids tell when a run was asked for; it may have waited for a lock since.
#[test]
fn a_run_of_late_is_told_of_whatever_its_id() {
    let place = Place::new();
    Made::new("r-20200101T000000Z-aaaaaa", 100 * 365 * 86_400).write(&place);
    Made::new("r-20200101T000001Z-aaaaaa", 0).write(&place);
    Made::new("k-0000", 100 * 365 * 86_400).write(&place);
    let listed = place.words("runs --since 1h").stdout;
    let ids: Vec<_> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, ["k-0000", "r-20200101T000000Z-aaaaaa"]);
}

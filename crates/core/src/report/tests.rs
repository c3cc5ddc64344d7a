use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use super::*;
use crate::config::playbook::StepType;
use crate::event::{Attempt, Driver, Skip, StepInfo, Stop};
use crate::fabric::{ClusterId, ClusterState, Error, ErrorKind, StepId, StepState, Token};
use crate::journal::{self, Contents, Journal};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// Events, each so many seconds after the epoch.
fn report(kinds: Vec<(i64, EventKind)>, driven: bool) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    let header = Header {
        version: journal::VERSION,
        run: RunId::new("r-1"),
        program: "0.8.0".into(),
        created: at(0),
        fabric: "memory".into(),
        reach: BTreeMap::new(),
        time_zone: String::new(),
        noop_exit_code: 0,
    };
    let mut journal = Journal::create(folder.path(), &header).expect("a journal");
    for ((second, kind), seq) in kinds.into_iter().zip(1..) {
        journal.append(&Event { seq, at: at(second), kind }).expect("it is written");
    }
    let contents =
        journal::read(&journal::folder(folder.path(), &header.run)).expect("it is there");
    Report::of(&contents, driven).expect("it makes sense")
}

fn driver(pid: u32) -> Driver {
    Driver { host: "etl".into(), pid, start: None }
}

fn infos(ids: &[&str]) -> Vec<StepInfo> {
    let info = |id: &&str| StepInfo {
        id: (*id).into(),
        name: id.to_uppercase(),
        step_type: StepType::Command,
        digest: String::new(),
        needs: None,
        rules: None,
    };
    ids.iter().map(info).collect()
}

fn started(ids: &[&str], left_out: &[&str]) -> EventKind {
    EventKind::RunStarted {
        run: RunId::new("r-1"),
        goal: Goal::RunTransient,
        fabric: "memory".into(),
        playbook: Some("p".into()),
        tags: BTreeMap::from([("team".into(), "data".into())]),
        steps: infos(ids),
        cluster: None,
        name: Some("nightly".into()),
        driver: Some(driver(1)),
        max_parallel: None,
        left_out: left_out.iter().map(|&id| id.into()).collect(),
    }
}

fn token(order: u32, sending: u32) -> Token {
    Token::of(&RunId::new("r-1"), order, sending)
}

fn launch(order: u32, sending: u32, steps: Vec<Attempt>) -> EventKind {
    EventKind::LaunchIntended { token: token(order, sending), steps, ask_first: false }
}

fn launched(order: u32, sending: u32, cluster: &str, adopted: bool) -> EventKind {
    let (token, cluster) = (token(order, sending), ClusterId::new(cluster));
    EventKind::Launched { token, cluster, adopted }
}

fn cluster(id: &str, state: ClusterState, reason: Option<&str>) -> EventKind {
    EventKind::ClusterChanged {
        cluster: ClusterId::new(id),
        state,
        native: "N".into(),
        reason: reason.map(Into::into),
        cause: None,
    }
}

fn of(step: &str, attempt: u32) -> Attempt {
    Attempt { step: step.into(), attempt }
}

fn submit(order: u32, sending: u32, steps: Vec<Attempt>) -> EventKind {
    EventKind::SubmitIntended {
        token: token(order, sending),
        steps,
        ids: Vec::new(),
        ask_first: false,
    }
}

fn submitted(order: u32, sending: u32, ids: &[&str], adopted: bool) -> EventKind {
    let ids = ids.iter().map(|&id| StepId::new(id)).collect();
    EventKind::Submitted { token: token(order, sending), ids, adopted }
}

fn lost(order: u32, sending: u32) -> EventKind {
    EventKind::OrderLost { token: token(order, sending), error: error() }
}

fn error() -> Error {
    Error::new(ErrorKind::Unavailable, "memory", "submit", "no answer")
}

fn running(step: &str, attempt: u32) -> EventKind {
    EventKind::StepChanged {
        step: step.into(),
        attempt,
        state: StepState::Running,
        native: "AT_WORK".into(),
        started: None,
        reason: None,
    }
}

fn ended(step: &str, attempt: u32, state: StepState) -> EventKind {
    let failed = state != StepState::Succeeded;
    EventKind::StepEnded {
        step: step.into(),
        attempt,
        state,
        native: "OVER".into(),
        reason: failed.then(|| "it broke".into()),
        exit_code: Some(i32::from(failed)),
        started: None,
        ended: None,
        link: Some("s3://logs/".into()),
        noop: false,
    }
}

fn skipped(step: &str, why: Skip) -> EventKind {
    EventKind::StepSkipped { step: step.into(), why }
}

fn over(outcome: Outcome) -> EventKind {
    EventKind::RunEnded { outcome }
}

fn failed() -> Outcome {
    Outcome::Failed { failed: 1, total: 3, reason: None }
}

/// A step, where it stands, and where its attempts do.
type Stood<'a> = (&'a str, Stand, Vec<(u32, Stand)>);

fn stands(report: &Report) -> Vec<Stood<'_>> {
    let attempts =
        |step: &StepReport| step.attempts.iter().map(|it| (it.attempt, it.state)).collect();
    report.steps.iter().map(|step| (step.id.as_str(), step.state, attempts(step))).collect()
}

#[test]
fn every_attempt_is_told_with_its_times() {
    let again = EventKind::RetryScheduled { step: "a".into(), attempt: 2, not_before: at(60) };
    let cancel = EventKind::CancelIntended { steps: vec!["a".into()], why: Stop::TimedOut };
    let told = report(
        vec![
            (0, started(&["a", "b", "c"], &["b"])),
            (0, launch(1, 1, vec![])),
            (1, launched(1, 1, "j-1", false)),
            (9, cluster("j-1", ClusterState::Ready, None)),
            (10, submit(2, 1, vec![of("a", 1)])),
            (11, submitted(2, 1, &["s-1"], false)),
            (20, running("a", 1)),
            (30, cancel),
            (31, ended("a", 1, StepState::Cancelled)),
            (31, again),
            (60, submit(3, 1, vec![of("a", 2)])),
            (61, submitted(3, 1, &["s-2"], false)),
            (62, EventKind::ContactLost { error: error() }),
            (90, EventKind::ContactRestored),
            (91, ended("a", 2, StepState::Failed)),
            (91, skipped("c", Skip::StepFailed("a".into()))),
            (92, EventKind::Warning { message: "look".into() }),
            (93, over(failed())),
        ],
        false,
    );
    use Stand::{Cancelled, Failed, LeftOut, Skipped};
    let expected = [
        ("a", Failed, vec![(1, Cancelled), (2, Failed)]),
        ("b", LeftOut, vec![]),
        ("c", Skipped, vec![]),
    ];
    assert_eq!(stands(&told), expected);
    let first = &told.steps[0].attempts[0];
    let times = (first.ordered, first.submitted, first.running, first.ended);
    assert_eq!(times, (at(10), Some(at(11)), Some(at(20)), Some(at(31))));
    assert_eq!((first.waited_seconds, first.ran_seconds), (Some(10.0), Some(11.0)));
    assert_eq!(first.cancel, Some(Asked { at: at(30), why: Stop::TimedOut }));
    assert_eq!(first.native_id, Some(StepId::new("s-1")));
    let second = &told.steps[0].attempts[1];
    assert_eq!(
        (second.waited_seconds, second.ran_seconds),
        (Some(31.0), None),
        "never seen to run"
    );
    assert_eq!((second.exit_code, second.link.as_deref()), (Some(1), Some("s3://logs/")));
    assert_eq!(told.seconds, Seconds { total: 93.0, waiting: 41.0, running: 11.0 });
    let counts =
        Counts { steps: 3, failed: 1, skipped: 1, left_out: 1, attempts: 2, ..Counts::default() };
    assert_eq!((told.counts, told.counts.done()), (counts, 3));
    let lost = NoContact { since: at(62), until: Some(at(90)), error: error().to_string() };
    assert_eq!(told.contact_lost, [lost]);
    assert_eq!(told.warnings, [Warned { at: at(92), message: "look".into() }]);
    let reasons: Vec<_> = told.steps.iter().map(|step| step.reason.as_deref()).collect();
    assert_eq!(
        reasons,
        [Some("it broke"), Some("it is left out, as was asked"), Some("step `a` failed")]
    );
    let j = told.cluster().expect("one");
    assert_eq!((j.launched, j.ready, j.ended), (Some(at(1)), Some(at(9)), None));
}

#[test]
fn orders_that_went_astray_are_counted_once() {
    let absent = |proven| EventKind::OrderNotFound { token: token(2, 1), absent: true, proven };
    let refused = EventKind::OrderRefused { token: token(2, 2), error: error(), last: false };
    let mut kinds = vec![
        (0, started(&["a", "b"], &[])),
        (0, launch(1, 1, vec![])),
        (1, lost(1, 1)),
        (2, launched(1, 1, "j-1", true)),
        (3, submit(2, 1, vec![of("a", 1)])),
        (4, lost(2, 1)),
        (5, lost(2, 1)),
        (6, absent(false)),
        (70, absent(true)),
    ];
    let told = report(kinds.clone(), true);
    assert_eq!(stands(&told)[0], ("a", Stand::Waiting, vec![(1, Stand::Waiting)]));
    kinds.extend([
        (71, submit(2, 2, vec![of("a", 1)])),
        (72, refused),
        (73, submit(2, 3, vec![of("a", 1)])),
    ]);
    let told = report(kinds.clone(), true);
    let orders = Orders { lost: 2, found: 1, resent: 2, refused: 1, unanswered: 1 };
    assert_eq!(told.orders, orders);
    assert_eq!(stands(&told)[0], ("a", Stand::Pending, vec![(1, Stand::Pending)]));
    let a = &told.steps[0].attempts[0];
    assert_eq!((a.sent, &a.token, a.ordered), (3, &token(2, 3), at(3)));
    let given_up = EventKind::OrderRefused { token: token(2, 3), error: error(), last: true };
    kinds.extend([(74, given_up), (74, ended("a", 1, StepState::Failed))]);
    let told = report(kinds, false);
    assert_eq!(stands(&told)[0], ("a", Stand::Failed, vec![(1, Stand::Failed)]));
    assert_eq!(told.summary.standing, Standing::Left);
}

#[test]
fn what_a_broken_cluster_took_along_was_never_begun() {
    let steps = || vec![of("a", 1)];
    let relaunch = EventKind::RelaunchScheduled { launch: 2, not_before: at(20) };
    let told = report(
        vec![
            (0, started(&["a"], &[])),
            (0, launch(1, 1, steps())),
            (1, launched(1, 1, "j-1", false)),
            (2, submitted(1, 1, &["s-1"], false)),
            (9, cluster("j-1", ClusterState::Failed, Some("bootstrap"))),
            (9, relaunch),
            (20, launch(2, 1, steps())),
            (21, launched(2, 1, "j-2", false)),
        ],
        true,
    );
    assert_eq!(
        stands(&told),
        [("a", Stand::Pending, vec![(1, Stand::Dropped), (1, Stand::Pending)])]
    );
    let clusters: Vec<_> = told.clusters.iter().map(|it| (it.id.as_str(), it.state)).collect();
    let expected = [("j-1", Some(ClusterState::Failed)), ("j-2", Some(ClusterState::Starting))];
    assert_eq!(clusters, expected);
    assert_eq!(told.clusters[0].reason.as_deref(), Some("bootstrap"));
    assert_eq!(told.clusters[0].ended, Some(at(9)));
    assert_eq!(told.steps[0].attempts[0].cluster, Some(ClusterId::new("j-1")));
}

#[test]
fn a_run_that_was_taken_up_tells_of_all_who_drove_it() {
    let doubt = Outcome::InDoubt { reason: "who knows".into() };
    let resumed = EventKind::Resumed {
        driver: driver(3),
        cluster: Some(ClusterId::new("j-1")),
        steps: infos(&["b", "new"]),
        left_out: vec!["new".into()],
        given_up: vec![],
    };
    let told = report(
        vec![
            (0, started(&["a", "b", "c"], &[])),
            (0, launch(1, 1, vec![])),
            (1, launched(1, 1, "j-1", false)),
            (2, cluster("j-1", ClusterState::Ready, None)),
            (3, submit(2, 1, vec![of("a", 1)])),
            (4, submitted(2, 1, &["s-1"], false)),
            (5, running("a", 1)),
            (6, EventKind::ContactLost { error: error() }),
            (7, over(doubt)),
            (50, EventKind::Attached { driver: driver(2) }),
            (51, EventKind::Interrupted { signal: 2, leave: false }),
            (52, ended("a", 1, StepState::Failed)),
            (52, skipped("b", Skip::Interrupted)),
            (52, skipped("c", Skip::Interrupted)),
            (53, over(Outcome::Interrupted { signal: 2, left: false })),
            (80, resumed),
        ],
        true,
    );
    let drivers: Vec<_> = told.drivers.iter().map(|it| (it.at, it.how, it.pid)).collect();
    let expected =
        [(at(0), "started", Some(1)), (at(50), "attached", Some(2)), (at(80), "resumed", Some(3))];
    assert_eq!(drivers, expected);
    let expected = [
        ("b", Stand::Waiting, vec![]),
        ("new", Stand::LeftOut, vec![]),
        ("a", Stand::Removed, vec![(1, Stand::Failed)]),
    ];
    assert_eq!(stands(&told), expected);
    assert_eq!(told.steps[0].reason, None, "it waits again");
    assert_eq!((told.counts.steps, told.counts.waiting, told.counts.done()), (2, 1, 1));
    assert_eq!(told.contact_lost[0].until, Some(at(50)));
    assert_eq!(told.interruptions, [Interruption { at: at(51), signal: 2, leave: false }]);
    assert_eq!(told.clusters.len(), 1);
    assert_eq!(told.summary.standing, Standing::Running);
    assert_eq!(told.outcome, None);
}

/// Programs read these names: add to them, never change one.
#[test]
fn the_names_of_the_json_are_these() {
    let told = report(
        vec![
            (0, started(&["a"], &[])),
            (0, launch(1, 1, vec![of("a", 1)])),
            (1, launched(1, 1, "j-1", false)),
            (1, EventKind::ContactLost { error: error() }),
            (2, EventKind::Interrupted { signal: 15, leave: true }),
            (2, EventKind::Warning { message: "look".into() }),
            (2, EventKind::TerminateIntended { cluster: ClusterId::new("j-1"), why: Stop::Done }),
        ],
        false,
    );
    let told = serde_json::to_value(told).expect("it is JSON");
    let names = |pointer: &str| {
        let object = told.pointer(pointer).and_then(|it| it.as_object());
        object.expect(pointer).keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    for (pointer, expected) in [
        (
            "",
            "begun clusters contactLost counts drivers ended fabric goal interruptions lastNews name orders outcome playbook program run seconds state steps tags warnings",
        ),
        ("/drivers/0", "at host how pid"),
        ("/clusters/0", "cause ended id launched native ready reason state terminate token"),
        ("/clusters/0/terminate", "at why"),
        ("/steps/0", "attempts id name noop notBefore reason state type"),
        (
            "/steps/0/attempts/0",
            "attempt cancel cluster ended exitCode link native nativeId ordered ranSeconds reason running sent state submitted token waitedSeconds",
        ),
        ("/counts", "attempts cancelled failed leftOut live skipped steps succeeded waiting"),
        ("/seconds", "running total waiting"),
        ("/orders", "found lost refused resent unanswered"),
        ("/contactLost/0", "error since until"),
        ("/interruptions/0", "at leave signal"),
        ("/warnings/0", "at message"),
    ] {
        let mut names: Vec<_> = names(pointer).split(' ').map(str::to_owned).collect();
        names.sort();
        assert_eq!(names.join(" "), expected, "{pointer}");
    }
    assert_eq!(told["state"], "left");
    assert_eq!(told["steps"][0]["state"], "PENDING");
}

#[test]
fn journals_of_all_versions_are_told_of() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/journals");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the fixtures are there") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_none_or(|end| end != "jsonl") {
            continue;
        }
        let run = tempfile::tempdir().expect("a folder");
        std::fs::copy(&path, run.path().join("journal.jsonl")).expect("it is copied");
        let contents: Contents = journal::read(run.path()).expect("it loads");
        let told = Report::of(&contents, false).unwrap_or_else(|illegal| panic!("{illegal}"));
        let glance = journal::glance(run.path()).expect("it loads");
        assert_eq!(Summary::of(glance), told.summary, "{path:?}");
        let drives = contents.events.iter().filter(|event| {
            matches!(
                event.kind,
                EventKind::RunStarted { .. }
                    | EventKind::Attached { .. }
                    | EventKind::Resumed { .. }
            )
        });
        assert_eq!(
            (told.outcome.is_some(), told.drivers.len()),
            (true, drives.count()),
            "{path:?}"
        );
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}

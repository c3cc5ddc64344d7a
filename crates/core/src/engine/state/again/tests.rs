//! What a driver begins anew and what stands, and what a run that goes on may and may not be told.

use std::num::NonZeroU32;
use std::time::Duration;

use super::super::{Again, Order};
use super::*;
use crate::config::sample;
use crate::engine::tests::Bench;
use crate::event::{Driver, Event, EventKind, Outcome, Stop};
use crate::fabric::ClusterState;
use crate::fabric::{Cause, Error, ErrorKind, StepId, Token};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// Of no steps, where none is named.
fn plan(names: &str) -> Plan {
    if names.is_empty() { Plan::empty() } else { Bench::dag(names, &[]).plan() }
}

/// At its beginning.
fn state(goal: Goal, names: &str) -> RunState {
    let steps = StepInfo::all(&plan(names));
    let cluster = (!goal.launches()).then(|| ClusterId::new("given"));
    let kind = EventKind::RunStarted {
        run: crate::fabric::RunId::new("r"),
        goal,
        fabric: "memory".into(),
        playbook: None,
        cluster,
        name: None,
        tags: Default::default(),
        steps,
        driver: None,
        max_parallel: None,
        left_out: Vec::new(),
    };
    RunState::start(&Event { seq: 1, at: at(0), kind }).expect("legal")
}

fn driver() -> Driver {
    Driver { host: "here".into(), pid: 1, start: None }
}

fn follow(state: &mut RunState, second: i64, kind: EventKind) -> Result<(), String> {
    let event = Event { seq: state.seq + 1, at: at(second), kind };
    state.apply(&event).map_err(|illegal| illegal.message)
}

fn attached(mut state: RunState, second: i64) -> RunState {
    follow(&mut state, second, EventKind::Attached { driver: driver() }).expect("legal");
    state
}

/// How a run is resumed: as it was, if nothing else is said.
#[derive(Default)]
struct How<'a> {
    cluster: Option<&'a str>,
    steps: Option<&'a str>,
    left_out: &'a [&'a str],
    given_up: &'a [&'a str],
}

fn resumed(state: &RunState, how: &How<'_>) -> Result<RunState, String> {
    let all = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let kind = EventKind::Resumed {
        driver: driver(),
        cluster: how.cluster.map(ClusterId::new),
        steps: how.steps.map_or_else(Vec::new, |names| StepInfo::all(&plan(names))),
        left_out: all(how.left_out),
        given_up: all(how.given_up),
    };
    let mut state = state.clone();
    follow(&mut state, 100, kind).map(|()| state)
}

fn refused(state: &RunState, how: &How<'_>) -> String {
    resumed(state, how).expect_err("it cannot be")
}

/// On the cluster that was there before.
const GIVEN: How<'_> = How { cluster: Some("given"), steps: None, left_out: &[], given_up: &[] };

fn live(id: &str, state: StepState) -> Phase {
    Phase::Live { id: StepId::new(id), state, since: at(5), running: Some(at(4)) }
}

fn order(number: u32, steps: Vec<usize>, launch: bool) -> Order {
    Order {
        token: Token::new(format!("r.{number}.1")),
        intended: at(1),
        launch,
        ask_first: false,
        steps,
        taken: false,
        lost: None,
        asked: Some(at(7)),
        times_asked: 5,
        absent: true,
    }
}

fn failure() -> Outcome {
    Outcome::Failed { failed: 1, total: 1, reason: None }
}

fn doubt() -> Outcome {
    Outcome::InDoubt { reason: "nobody knows".into() }
}

/// It ended, in doubt of its first step.
fn doubtful(names: &str, phase: Phase) -> RunState {
    let mut state = state(Goal::Run, names);
    (state.steps[0].phase, state.steps[0].attempt) = (phase, 1);
    state.busy.insert(0);
    state.outcome = Some(doubt());
    state
}

#[test]
fn who_attaches_waits_and_asks_anew() {
    let mut before = state(Goal::RunTransient, "a b");
    (before.steps[0].phase, before.steps[0].attempt) = (live("s", StepState::Running), 1);
    before.steps[0].cancel = Some((at(6), Stop::Interrupted));
    before.busy.insert(0);
    before.orders.insert(3, order(3, vec![1], false));
    before.contact_lost = Some((at(8), Error::new(ErrorKind::Unavailable, "m", "x", "gone")));
    before.outcome = Some(doubt());
    let cluster = &mut before.cluster;
    (cluster.id, cluster.state) = (Some(ClusterId::new("c")), Some(ClusterState::Ready));
    cluster.terminate = Some((at(6), Stop::Interrupted));
    cluster.going_down = Some(at(6));
    let after = attached(before, 50);
    assert_eq!((&after.outcome, &after.contact_lost, after.last_end), (&None, &None, at(50)));
    let expected = Phase::Live {
        id: StepId::new("s"),
        state: StepState::Pending,
        since: at(50),
        running: Some(at(4)),
    };
    assert_eq!(after.steps[0].phase, expected, "that it ran is known for good");
    assert_eq!(after.steps[0].cancel, Some((Timestamp::MIN, Stop::Interrupted)));
    let order = &after.orders[&3];
    assert_eq!((order.lost, order.asked), (Some(at(50)), None));
    assert_eq!((order.times_asked, order.absent), (0, false), "both looks are to be made anew");
    let cluster = &after.cluster;
    assert_eq!(cluster.state, None, "it is looked at first");
    assert_eq!(cluster.terminate, Some((Timestamp::MIN, Stop::Interrupted)));
    assert_eq!(cluster.going_down, Some(at(50)));
}

#[test]
fn what_is_known_for_good_stands() {
    let mut before = state(Goal::Run, "a");
    before.cluster.state = Some(ClusterState::Failed);
    let after = attached(before, 50);
    assert_eq!(after.cluster.state, Some(ClusterState::Failed));
    assert_eq!(after.cluster.going_down, None, "nobody asked it to");
    for (goal, leave, stands) in [
        (Goal::Run, false, true),
        (Goal::Run, true, false),
        // Its one order is out: what was interrupted is the wait.
        (Goal::Down, false, false),
        (Goal::Down, true, false),
    ] {
        let mut before = state(goal, if goal == Goal::Run { "a" } else { "" });
        before.interrupted = Some((15, leave));
        let after = attached(before, 50);
        assert_eq!(after.interrupted.is_some(), stands, "{goal:?} {leave}");
    }
}

#[test]
fn only_an_open_end_is_attached_to_and_only_a_failure_resumed() {
    let error = Error::new(ErrorKind::Auth, "m", "x", "no");
    for (outcome, attach, resume) in [
        (None, true, false),
        (Some(Outcome::Succeeded), false, false),
        (Some(Outcome::Noop { step: "a".into() }), false, false),
        (Some(Outcome::Submitted), true, true),
        (Some(failure()), false, true),
        (Some(Outcome::Refused { error }), false, true),
        (Some(Outcome::Interrupted { signal: 2, left: true }), true, true),
        (Some(Outcome::Interrupted { signal: 2, left: false }), false, true),
        (Some(doubt()), true, true),
    ] {
        let mut state = state(Goal::Run, "a");
        state.outcome.clone_from(&outcome);
        let attached = follow(&mut state.clone(), 50, EventKind::Attached { driver: driver() });
        assert_eq!(attached.is_ok(), attach, "{outcome:?}");
        // Whether all steps were submitted is no failure yet.
        if outcome != Some(Outcome::Submitted) {
            assert_eq!(resumed(&state, &GIVEN).is_ok(), resume, "{outcome:?}");
        }
    }
}

#[test]
fn all_but_what_is_done_waits_again_with_all_its_attempts() {
    let mut before = state(Goal::Run, "a b c d e f");
    let again = Some(Again { order: 4, sent: 2, not_before: at(9) });
    let phases = [
        Phase::Ended(StepState::Succeeded),
        Phase::Ended(StepState::Failed),
        Phase::Ended(StepState::Cancelled),
        Phase::Skipped,
        Phase::LeftOut,
        Phase::Waiting { not_before: Some(at(1000)) },
    ];
    for (step, phase) in before.steps.iter_mut().zip(phases) {
        (step.phase, step.attempt) = (phase, 2);
        step.cancel = Some((at(3), Stop::Interrupted));
    }
    before.steps[5].again = again;
    before.outcome = Some(failure());
    before.interrupted = Some((2, false));
    before.noop = Some(0);
    before.refused = Some(Error::new(ErrorKind::Auth, "m", "x", "no"));
    before.had_effect = true;
    let after = resumed(&before, &How { left_out: &["d"], ..GIVEN }).expect("legal");
    let waits = Phase::Waiting { not_before: None };
    for (place, run) in after.steps.iter().enumerate() {
        let (phase, attempt) = match place {
            0 => (&Phase::Ended(StepState::Succeeded), 2),
            3 => (&Phase::LeftOut, 2),
            // The order for it came to nothing, so it was no attempt.
            5 => (&waits, 1),
            _ => (&waits, 2),
        };
        assert_eq!((&run.phase, run.attempt), (phase, attempt), "{}", run.id);
        if place > 0 {
            assert_eq!((run.earlier, &run.cancel, run.again), (attempt, &None, None), "{}", run.id);
        }
    }
    assert_eq!((after.interrupted, after.noop, &after.refused), (None, None, &None));
    assert!(!after.had_effect, "if it is refused now, nothing runs because of it");
    assert_eq!(after.outcome, None);
}

#[test]
fn what_is_left_out_is_a_step_that_waits() {
    let mut before = state(Goal::Run, "a b");
    before.steps[0].phase = Phase::Ended(StepState::Succeeded);
    before.outcome = Some(failure());
    assert_eq!(refused(&before, &How { left_out: &["a"], ..GIVEN }), "step `a` does not wait");
    assert_eq!(refused(&before, &How { left_out: &["x"], ..GIVEN }), "there is no step `x`");
}

#[test]
fn a_doubtful_step_goes_on_or_is_given_up() {
    for phase in [live("s", StepState::Unknown), Phase::Ordered] {
        let mut before = doubtful("a b", phase);
        before.orders.insert(1, order(1, vec![0], false));
        let after = resumed(&before, &How { given_up: &["a"], ..GIVEN }).expect("legal");
        assert_eq!(after.steps[0].phase, Phase::Waiting { not_before: None });
        assert_eq!((after.steps[0].earlier, after.busy.len(), after.orders.len()), (1, 0, 0));
        assert!(!after.had_effect);
        let out = How { given_up: &["a"], left_out: &["a"], ..GIVEN };
        assert_eq!(resumed(&before, &out).expect("legal").steps[0].phase, Phase::LeftOut);
        let told = refused(&before, &How { given_up: &["b"], ..GIVEN });
        assert_eq!(told, "step `b` is not in doubt");
        assert!(refused(&before, &How { given_up: &["x"], ..GIVEN }).contains("no step `x`"));
    }
    let before = doubtful("a b", live("s", StepState::Unknown));
    let after = resumed(&before, &GIVEN).expect("legal");
    assert_eq!(after.busy.iter().collect::<Vec<_>>(), [&0], "it is asked about");
    assert!(after.had_effect);
}

#[test]
fn what_went_in_one_order_is_given_up_together() {
    let mut before = doubtful("a b", Phase::Ordered);
    (before.steps[1].phase, before.steps[1].attempt) = (Phase::Ordered, 1);
    before.busy.insert(1);
    before.orders.insert(1, order(1, vec![0, 1], false));
    assert_eq!(
        refused(&before, &How { given_up: &["a"], ..GIVEN }),
        "an order is given up in part"
    );
    let after = resumed(&before, &How { given_up: &["a", "b"], ..GIVEN }).expect("legal");
    assert_eq!((after.busy.len(), after.orders.len()), (0, 0));
    // Another order is none of its business.
    before.orders.insert(1, order(1, vec![0], false));
    before.orders.insert(2, order(2, vec![1], false));
    let after = resumed(&before, &How { given_up: &["a"], ..GIVEN }).expect("legal");
    assert_eq!(after.orders.keys().collect::<Vec<_>>(), [&2]);
}

#[test]
fn other_steps_come_in_where_none_is_live() {
    let mut before = state(Goal::Run, "a b");
    (before.steps[0].phase, before.steps[0].attempt) = (Phase::Ended(StepState::Succeeded), 3);
    before.outcome = Some(failure());
    let after = resumed(&before, &How { steps: Some("c a"), ..GIVEN }).expect("legal");
    assert_eq!((after.place("a"), after.place("c"), after.place("b")), (Some(1), Some(0), None));
    assert_eq!(after.steps[1].phase, Phase::Ended(StepState::Succeeded), "what is done is done");
    assert_eq!((after.steps[1].attempt, after.steps[0].attempt), (3, 0));
    let busy = doubtful("a b", live("s", StepState::Unknown));
    let others = How { steps: Some("a c"), ..GIVEN };
    assert_eq!(refused(&busy, &others), "steps are still live");
    before.orders.insert(1, order(1, Vec::new(), true));
    assert_eq!(refused(&before, &others), "steps are still live");
    let twice: Vec<_> = [sample::step("a", "x", &[]), sample::step("a", "y", &[])].into();
    let infos: Vec<_> = twice
        .iter()
        .flat_map(|step| StepInfo::all(&Bench::new(Goal::Run, vec![step.clone()]).plan()))
        .collect();
    assert_eq!(places_of(&infos), None);
}

#[test]
fn it_goes_on_where_it_was_or_elsewhere() {
    let gone = |goal| {
        let mut state = state(goal, "a");
        let cluster = &mut state.cluster;
        cluster.id = Some(ClusterId::new("given"));
        cluster.state = Some(ClusterState::Failed);
        cluster.cause = Some(Cause::Bootstrap);
        cluster.terminate = Some((at(3), Stop::RunFailed));
        (cluster.going_down, cluster.launches) = (Some(at(3)), 2);
        state.outcome = Some(failure());
        state
    };
    let same = resumed(&gone(Goal::RunTransient), &GIVEN).expect("legal").cluster;
    assert_eq!((same.terminate, same.going_down, same.cause), (None, None, None));
    assert_eq!((same.state, same.launches), (Some(ClusterState::Failed), 2));
    let other = How { cluster: Some("other"), ..How::default() };
    let moved = resumed(&gone(Goal::Run), &other).expect("legal").cluster;
    let expected = Cluster { id: Some(ClusterId::new("other")), ..Cluster::default() };
    assert_eq!(moved, expected);
    let fresh = resumed(&gone(Goal::RunTransient), &How::default()).expect("legal").cluster;
    assert_eq!(fresh, Cluster::default(), "three launches more");
    assert_eq!(refused(&gone(Goal::Run), &How::default()), "there is no cluster");
    let busy = doubtful("a", live("s", StepState::Unknown));
    assert_eq!(refused(&busy, &other), "steps are still live on another cluster");
    resumed(&busy, &How { given_up: &["a"], ..other }).expect("nobody asks about it any more");
}

/// With what the state of a step and its rules are, whether more may be ordered.
#[test]
fn whether_more_may_be_ordered() {
    let patient = Bench::dag("a", &[]).step("a", |step| {
        step.rules.retries.max_attempts = NonZeroU32::new(2).expect("not zero");
        step.rules.retries.delay = Duration::from_secs(1);
    });
    let (plain, patient) = (plan("a"), patient.plan());
    for (phase, once, with_retries) in [
        (Phase::Waiting { not_before: None }, true, true),
        (Phase::Ordered, false, true),
        (live("s", StepState::Running), false, true),
        (Phase::Ended(StepState::Failed), false, true),
        (Phase::Ended(StepState::Cancelled), false, true),
        (Phase::Ended(StepState::Succeeded), false, false),
        (Phase::Skipped, false, false),
        (Phase::LeftOut, false, false),
    ] {
        let mut run = state(Goal::Run, "a");
        run.steps[0].phase = phase.clone();
        let both = [&plain, &patient].map(|plan| run.may_order(plan, false));
        assert_eq!(both, [once, with_retries], "{phase:?}");
        // One that is ended orders no more, whoever ends it; one that was left does.
        assert!(!run.may_order(&patient, true), "{phase:?}");
        run.interrupted = Some((15, false));
        assert!(!run.may_order(&patient, false), "{phase:?}");
        run.interrupted = Some((15, true));
        assert_eq!(run.may_order(&patient, false), with_retries, "{phase:?}");
        // An order without an answer may have to be given again in any case.
        run.interrupted = Some((15, false));
        run.orders.insert(1, order(1, vec![0], false));
        assert!(run.may_order(&plain, false), "{phase:?}");
    }
    assert!(!state(Goal::Down, "").may_order(&Plan::empty(), false));
}

#[test]
fn a_cluster_may_be_launched_as_long_as_it_is_not_up() {
    let plan = Plan::empty();
    let mut up = state(Goal::Up, "");
    assert!(up.may_order(&plan, false), "there is none yet");
    up.cluster.id = Some(ClusterId::new("c"));
    for (state, may) in
        [(None, true), (Some(ClusterState::Starting), true), (Some(ClusterState::Ready), false)]
    {
        up.cluster.state = state;
        up.cluster.was_ready = state == Some(ClusterState::Ready);
        assert_eq!(up.may_order(&plan, false), may, "its set-up may fail: {state:?}");
    }
    (up.cluster.state, up.cluster.was_ready) = (Some(ClusterState::Starting), false);
    up.cluster.terminate = Some((at(1), Stop::Interrupted));
    assert!(!up.may_order(&plan, false), "it goes down");
    // Where a step has run, the set-up has not failed.
    let mut transient = state(Goal::RunTransient, "a");
    transient.cluster.id = Some(ClusterId::new("c"));
    transient.steps[0].phase = live("s", StepState::Running);
    assert!(!transient.may_order(&self::plan("a"), false));
    transient.steps[0].phase = Phase::Live {
        id: StepId::new("s"),
        state: StepState::Pending,
        since: at(1),
        running: None,
    };
    assert!(transient.may_order(&self::plan("a"), false));
}

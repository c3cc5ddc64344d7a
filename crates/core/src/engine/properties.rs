//! Laws of every run: random graphs, rules, outcomes, faults and interruptions on the strictest of fabrics.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use proptest::prelude::*;

use super::decide::{Action, decide};
use super::state::{Phase, RunState};
use super::tests::{Bench, Kills, Ran};
use super::{Event, EventKind, Goal, Outcome};
use crate::config::playbook::{OnFailure, OnResult, Retries, Step};
use crate::config::sample;
use crate::fabric::memory::{End, Fault, Operation, StepScript};
use crate::fabric::{ClusterState, ErrorKind, Pace, StepState};

fn id(step: usize) -> String {
    format!("s{step}")
}

fn step() -> impl Strategy<Value = Step> {
    let rules = [
        OnFailure::CancelAndWait,
        OnFailure::Continue,
        OnFailure::SkipDependents,
        OnFailure::TerminateCluster,
    ];
    let codes = prop_oneof![3 => Just(vec![]), 1 => Just(vec![3])];
    let timeout = prop_oneof![3 => Just(None), 1 => (1..200_u64).prop_map(Some)];
    (prop::sample::select(rules.to_vec()), 1..4_u32, 0..60_u64, timeout, codes).prop_map(
        |(on_failure, attempts, delay, timeout, noop)| {
            let mut step = sample::step("", "true", &[]);
            step.rules.on_failure = on_failure;
            step.rules.retries = Retries {
                max_attempts: NonZeroU32::new(attempts).expect("at least 1"),
                delay: Duration::from_secs(delay),
                backoff: 2.0,
            };
            step.rules.timeout = timeout.map(Duration::from_secs);
            step.rules.on_result =
                OnResult { continue_job: vec![0], terminate_job_with_success: noop };
            step
        },
    )
}

/// Steps, each needing some of those before it (or, as in a file that does not say, the one before).
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let edges = prop_oneof![1 => Just(None), 4 => prop::collection::vec(any::<prop::sample::Index>(), 0..3).prop_map(Some)];
    prop::collection::vec((step(), edges), 1..9).prop_map(|all| {
        let build =
            |(place, (mut step, edges)): (usize, (Step, Option<Vec<prop::sample::Index>>))| {
                step.id = id(place);
                step.depends_on = edges.map(|edges| {
                    let before = edges.iter().filter(|_| place > 0);
                    before.map(|edge| sample::text(&id(edge.index(place.max(1))))).collect()
                });
                step
            };
        all.into_iter().enumerate().map(build).collect()
    })
}

fn script() -> impl Strategy<Value = StepScript> {
    let end = prop_oneof![
        6 => Just(End::Exit(0)),
        3 => Just(End::Exit(1)),
        1 => Just(End::Exit(3)),
        1 => Just(End::Cancelled),
        1 => Just(End::Unknown),
        1 => Just(End::Never),
    ];
    (0..3_u32, 0..5_u32, end, 0..4_u32).prop_map(|(pending, running, end, stubborn)| StepScript {
        pending,
        running,
        end,
        stubborn,
    })
}

fn fault() -> impl Strategy<Value = ((Operation, u32), Fault)> {
    let operations = [
        Operation::Launch,
        Operation::FindCluster,
        Operation::Inspect,
        Operation::Terminate,
        Operation::Reserve,
        Operation::Submit,
        Operation::Find,
        Operation::Poll,
        Operation::Cancel,
    ];
    let kinds = [ErrorKind::Quota, ErrorKind::Unavailable, ErrorKind::Auth, ErrorKind::Conflict];
    let fault = prop_oneof![
        prop::sample::select(kinds.to_vec()).prop_map(Fault::Refuse),
        Just(Fault::LoseRequest),
        Just(Fault::LoseAnswer),
    ];
    ((prop::sample::select(operations.to_vec()), 1..12_u32), fault)
}

/// Drivers that are killed at events and calls, and people who come back.
fn fate() -> impl Strategy<Value = (Kills, usize, Vec<bool>)> {
    let places = || prop::collection::btree_set(1..60_usize, 0..4);
    let kills =
        (places(), places(), places()).prop_map(|(after_events, before_calls, after_calls)| {
            Kills { after_events, before_calls, after_calls }
        });
    let left_out = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(any::<bool>(), 9)];
    (kills, 0..3_usize, left_out)
}

/// The same, with drivers that come and go.
fn comings_and_goings() -> impl Strategy<Value = Bench> {
    (bench(), fate()).prop_map(|(mut bench, (kills, comebacks, left_out))| {
        (bench.kills, bench.comebacks) = (kills, comebacks);
        bench.room = usize::MAX;
        let out = bench.steps.iter().zip(left_out).filter(|(_, out)| *out);
        bench.left_out = out.map(|(step, _)| step.id.clone()).collect();
        bench
    })
}

fn bench() -> impl Strategy<Value = Bench> {
    let goal = prop::sample::select(&[Goal::Run, Goal::RunTransient, Goal::Up, Goal::Down][..]);
    let world = (
        prop::collection::btree_map(fault().prop_map(|f| f.0), fault().prop_map(|f| f.1), 0..5),
        0..4_u32,
        prop_oneof![4 => Just(None), 1 => (0..12_u32, prop::sample::select(&[ClusterState::Failed, ClusterState::Stopped, ClusterState::Broken][..])).prop_map(Some)],
        0..10_u64,
    );
    let dear = prop_oneof![1 => Just(None), 1 => (1..3_usize, 2..5_u32).prop_map(Some)];
    let carries = (any::<bool>(), prop_oneof![3 => Just(0_usize), 1 => 1..6_usize], any::<bool>());
    let far = (any::<bool>(), any::<bool>(), 1..4_u32, 1..4_u32, dear, carries);
    let here = (
        prop::collection::vec((1..60_usize, prop::sample::select(&[1, 2, 15][..])), 0..3),
        prop_oneof![6 => Just(usize::MAX), 1 => 0..6000_usize],
        prop_oneof![2 => Just(1800_u64), 1 => 30..300_u64],
    );
    let scripts = prop::collection::vec(prop::collection::vec(script(), 1..4), 9);
    (goal, steps(), scripts, world, far, here).prop_map(
        |(
            goal,
            steps,
            scripts,
            (faults, notches, cluster_ends, late),
            (queue, rings, slots, most, dear, (carries, broken, detach)),
            (signals, room, limit),
        )| {
            let has_steps = matches!(goal, Goal::Run | Goal::RunTransient);
            let mut bench = Bench::new(goal, if has_steps { steps } else { Vec::new() });
            bench.script.steps = scripts.into_iter().enumerate().map(|(n, s)| (id(n), s)).collect();
            // What never ends by itself and has no limit is waited for until a signal comes: for ever, here.
            for step in bench.steps.iter().filter(|step| step.rules.timeout.is_none()) {
                let scripts = bench.script.steps.get_mut(&step.id).into_iter().flatten();
                scripts.filter(|s| s.end == End::Never).for_each(|s| s.end = End::Exit(0));
            }
            bench.script.faults = faults;
            bench.script.notches = notches;
            bench.script.cluster_ends = cluster_ends;
            bench.script.late = Duration::from_secs(late);
            bench.capabilities.ordered_queue = queue;
            bench.capabilities.parallel = NonZeroU32::new(slots);
            if rings {
                let minute = Duration::from_secs(60);
                bench.capabilities.pace = Pace { rings, ..Pace::steady(minute, minute) };
            }
            if let Some((at_once, every)) = dear {
                bench.capabilities.pace.at_once = NonZeroUsize::new(at_once);
                bench.capabilities.pace.cluster_every = NonZeroU32::new(every);
            }
            bench.capabilities.launch_with_steps = queue && carries;
            bench.script.bootstrap_failures = broken;
            bench.script.tells = (most == 2).then_some(1);
            bench.settings.detach = detach && queue;
            bench.script.reserves = detach && !queue;
            bench.max_parallel = most;
            bench.signals = signals;
            bench.room = room;
            bench.settings.contact_limit = Duration::from_secs(limit);
            bench
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn laws_of_every_run(bench in bench()) {
        let ran = bench.run();
        prop_assert_eq!(&ran.violations, &Vec::<String>::new());
        journal_is_legal_and_decisions_repeat(&bench, &ran);
        no_step_before_its_needs(&bench, &ran);
        every_step_ends_once(&bench, &ran);
        no_more_at_once_than_may_be(&bench, &ran);
        success_is_proven(&ran);
        nothing_is_left_unsaid(&bench, &ran);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn laws_hold_whoever_is_killed_and_comes_back(bench in comings_and_goings()) {
        let ran = bench.run();
        prop_assert_eq!(&ran.violations, &Vec::<String>::new());
        if ran.events.is_empty() {
            return Ok(());
        }
        journal_is_legal_and_decisions_repeat(&bench, &ran);
        no_step_before_its_needs(&bench, &ran);
        every_step_ends_once(&bench, &ran);
        no_more_at_once_than_may_be(&bench, &ran);
        success_is_proven(&ran);
        nothing_is_left_unsaid(&bench, &ran);
        what_is_done_is_done(&ran);
    }
}

/// A step that succeeded never runs again, and one that is left out never runs.
fn what_is_done_is_done(ran: &Ran) {
    let mut done = BTreeSet::new();
    for event in &ran.events {
        match &event.kind {
            EventKind::StepEnded { step, state: StepState::Succeeded, .. } => {
                done.insert(step.clone());
            }
            EventKind::RunStarted { left_out, .. } => done.extend(left_out.iter().cloned()),
            EventKind::Resumed { left_out, .. } => {
                let state = RunState::fold(
                    ran.events.iter().filter(|e| e.seq < event.seq).collect::<Vec<_>>(),
                )
                .expect("legal");
                done.retain(|id| {
                    let place = state.place(id).expect("it is of the run");
                    state.steps[place].phase != Phase::LeftOut || left_out.contains(id)
                });
            }
            EventKind::SubmitIntended { steps, .. } | EventKind::LaunchIntended { steps, .. } => {
                for attempt in steps {
                    assert!(!done.contains(&attempt.step), "{} again", attempt.step);
                }
            }
            _ => {}
        }
    }
}

/// Every prefix of the journal folds, and the same state and time give the same actions.
fn journal_is_legal_and_decisions_repeat(bench: &Bench, ran: &Ran) {
    let plan = bench.plan();
    let mut state = RunState::start(&ran.events[0]).expect("the first event is legal");
    for event in &ran.events[1..] {
        state.apply(event).unwrap_or_else(|illegal| panic!("{illegal}: {event:?}"));
        let think = || decide(&plan, &bench.capabilities, &bench.settings, &state, event.at);
        assert_eq!(think(), think());
    }
    let finished = decide(&plan, &bench.capabilities, &bench.settings, &state, state.at);
    assert_eq!(finished.actions, Vec::<Action>::new(), "after the end there is nothing to do");
    let last = &ran.events.last().expect("there are events").kind;
    assert_eq!(last, &EventKind::RunEnded { outcome: ran.outcome.clone() });
}

/// A step is ordered only when each step it needs has succeeded, or failed for good under CONTINUE.
fn no_step_before_its_needs(bench: &Bench, ran: &Ran) {
    let plan = bench.plan();
    let mut last: BTreeMap<String, StepState> = BTreeMap::new();
    for event in &ran.events {
        match &event.kind {
            EventKind::SubmitIntended { steps, .. } | EventKind::LaunchIntended { steps, .. } => {
                let together: Vec<&str> = steps.iter().map(|a| a.step.as_str()).collect();
                for attempt in steps {
                    let place = plan
                        .steps()
                        .iter()
                        .position(|s| s.id == attempt.step)
                        .expect("it is of the plan");
                    for &need in plan.needs(place) {
                        let needed = &plan.steps()[need];
                        let before = together.iter().position(|s| *s == needed.id);
                        let queued = before
                            .is_some_and(|at| together[at + 1..].contains(&attempt.step.as_str()));
                        let done = last.get(&needed.id) == Some(&StepState::Succeeded)
                            || bench.left_out.contains(&needed.id);
                        let forgiven = needed.rules.on_failure == OnFailure::Continue
                            && last.contains_key(&needed.id);
                        assert!(
                            queued || done || forgiven,
                            "{} before {}",
                            attempt.step,
                            needed.id
                        );
                    }
                }
            }
            EventKind::StepEnded { step, state, .. } => drop(last.insert(step.clone(), *state)),
            EventKind::RetryScheduled { step, .. } => drop(last.remove(step)),
            EventKind::Resumed { .. } => last.retain(|_, state| *state == StepState::Succeeded),
            _ => {}
        }
    }
}

/// Each attempt ends at most once, each step is skipped or ends, unless the run gave up waiting.
fn every_step_ends_once(bench: &Bench, ran: &Ran) {
    let mut ends: BTreeMap<(String, u32), usize> = BTreeMap::new();
    for event in &ran.events {
        if let EventKind::StepEnded { step, attempt, .. } = &event.kind {
            *ends.entry((step.clone(), *attempt)).or_default() += 1;
        }
    }
    assert!(ends.values().all(|&times| times == 1), "{ends:?}");
    let state = fold(ran);
    for (step, spec) in state.steps.iter().zip(&bench.steps) {
        assert!(
            step.attempt - step.earlier <= spec.rules.retries.max_attempts.get(),
            "{} of {:?}",
            step.attempt,
            spec.rules.retries
        );
    }
    if matches!(ran.outcome, Outcome::Succeeded | Outcome::Noop { .. } | Outcome::Failed { .. }) {
        let open = state.steps.iter().filter(|s| !s.is_settled());
        let unknown = |p: &Phase| matches!(p, Phase::Live { state: StepState::Unknown, .. });
        let bad: Vec<_> = open.filter(|s| !unknown(&s.phase)).collect();
        assert!(bad.is_empty(), "{bad:?} at the end of {:?}", ran.outcome);
    }
}

fn no_more_at_once_than_may_be(bench: &Bench, ran: &Ran) {
    if bench.capabilities.ordered_queue && bench.plan().is_plain_chain() {
        return;
    }
    let most = bench.plan().parallel(&bench.capabilities);
    let mut state = RunState::start(&ran.events[0]).expect("legal");
    for event in &ran.events[1..] {
        state.apply(event).expect("legal");
        assert!(state.busy.len() <= most, "{} at once after {event:?}", state.busy.len());
    }
}

/// Success says that every step was seen to succeed, or that a no-op rule was met.
fn success_is_proven(ran: &Ran) {
    let state = fold(ran);
    let good = |phase: &Phase| matches!(phase, Phase::Ended(StepState::Succeeded) | Phase::LeftOut);
    match &ran.outcome {
        Outcome::Succeeded => assert!(state.steps.iter().all(|s| good(&s.phase))),
        Outcome::Noop { step } => {
            let place = state.place(step).expect("it is of the run");
            assert!(good(&state.steps[place].phase));
            assert!(state.steps.iter().all(|s| good(&s.phase) || s.phase == Phase::Skipped));
        }
        Outcome::Failed { failed, total, .. } => {
            assert_eq!(*total, state.steps.len());
            assert_eq!(*failed, state.steps.iter().filter(|s| !good(&s.phase)).count());
        }
        _ => {}
    }
}

/// What still stands after the run is said to be there: an orphan is always in doubt, or was to be left.
fn nothing_is_left_unsaid(bench: &Bench, ran: &Ran) {
    let left_alone = bench.signals.iter().any(|(_, signal)| *signal == 1);
    let may_stay = matches!(ran.outcome, Outcome::InDoubt { .. }) || left_alone;
    for (cluster, busy) in &ran.left_over {
        let stays = match bench.goal {
            Goal::Up => ran.outcome == Outcome::Succeeded,
            Goal::Run => busy.is_empty() || ran.outcome == Outcome::Submitted,
            // Its one order is out, or was refused.
            Goal::Down => !matches!(ran.outcome, Outcome::Succeeded),
            Goal::RunTransient => false,
        };
        assert!(stays || may_stay, "{cluster} with {busy:?} is left after {:?}", ran.outcome);
    }
}

fn fold(ran: &Ran) -> RunState {
    RunState::fold(ran.events.iter().collect::<Vec<&Event>>()).expect("legal")
}

//! The engine on the strictest of fabrics, with a clock turned by hand.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::*;
use crate::config::playbook::{OnFailure, OnResult, Playbook, Retries, Step};
use crate::config::sample;
use crate::diagnostic::Diagnostics;
use crate::event::Skip;
use crate::fabric::memory::{End, Fault, Memory, Operation, Script, StepScript};
use crate::fabric::{Capabilities, Pace};

mod cadence;
mod comebacks;
mod crossings;
mod dear;
mod mortal;

pub(super) use mortal::Kills;
use mortal::{Killed, Mortal};

/// One run on `memory`: what is asked of it, and what came of it.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) goal: Goal,
    pub(super) steps: Vec<Step>,
    pub(super) max_parallel: u32,
    pub(super) capabilities: Capabilities,
    pub(super) script: Script,
    pub(super) settings: Settings,
    /// Signals, each after so many events.
    pub(super) signals: Vec<(usize, i32)>,
    /// Those that come together are a while apart; the engine is busy meanwhile.
    pub(super) apart: bool,
    /// So many bytes fit into the journal.
    pub(super) room: usize,
    /// That they did not is found only when the journal is synced.
    pub(super) lazy: bool,
    /// Where a driver is killed; each time another attaches.
    pub(super) kills: Kills,
    /// Who finds an open end attaches, and who finds a failure resumes, so many times.
    pub(super) comebacks: usize,
    /// Steps that are not to run.
    pub(super) left_out: Vec<String>,
}

pub(super) struct Ran {
    pub(super) outcome: Outcome,
    pub(super) events: Vec<Event>,
    pub(super) violations: Vec<String>,
    pub(super) left_over: Vec<(ClusterId, Vec<String>)>,
    pub(super) calls: BTreeMap<Operation, u32>,
}

impl Bench {
    pub(super) fn new(goal: Goal, steps: Vec<Step>) -> Self {
        Self {
            goal,
            steps,
            max_parallel: 100,
            capabilities: Memory::usual(),
            script: Script { notches: 1, ..Script::default() },
            settings: Settings::default(),
            signals: Vec::new(),
            apart: false,
            room: usize::MAX,
            lazy: false,
            kills: Kills::default(),
            comebacks: 0,
            left_out: Vec::new(),
        }
    }

    /// Steps `a`, `b`, … without needs, but those given as `(of, need)`.
    pub(super) fn dag(names: &str, edges: &[(&str, &str)]) -> Self {
        let steps = names.split(' ').map(|name| {
            let mut step = sample::step(name, "true", &[]);
            let needs = edges.iter().filter(|(of, _)| *of == name);
            step.depends_on = Some(needs.map(|(_, need)| sample::text(need)).collect());
            step
        });
        Self::new(Goal::Run, steps.collect())
    }

    pub(super) fn step(mut self, id: &str, change: impl FnOnce(&mut Step)) -> Self {
        let step = self.steps.iter_mut().find(|s| s.id == id).expect("there is such a step");
        change(step);
        self
    }

    pub(super) fn does(mut self, id: &str, scripts: &[StepScript]) -> Self {
        self.script.steps.insert(id.to_owned(), scripts.to_vec());
        self
    }

    pub(super) fn fault(mut self, operation: Operation, nth: u32, fault: Fault) -> Self {
        self.script.faults.insert((operation, nth), fault);
        self
    }

    pub(super) fn goal(mut self, goal: Goal) -> Self {
        self.goal = goal;
        self
    }

    pub(super) fn run(&self) -> Ran {
        let clock = Arc::new(Clock::turned_by_hand(Timestamp::UNIX_EPOCH));
        let given = ClusterId::new("given");
        let fabric =
            Memory::new(self.capabilities.clone(), self.script.clone(), Arc::clone(&clock));
        let launches = self.goal.launches();
        let fabric = if launches { fabric } else { fabric.with_cluster(&given) };
        let plan = self.plan();
        let mut events: Vec<Event> = Vec::new();
        let mut comebacks = self.comebacks;
        let mortal = Mortal { fabric: &fabric, kills: &self.kills, calls: AtomicUsize::new(0) };
        let mut start = Start::Fresh(Fresh {
            id: RunId::new("r"),
            goal: self.goal,
            cluster: (!launches).then_some(given),
            name: None,
            left_out: self.left_out.clone(),
        });
        let outcome = loop {
            let driven = self.drive(start, &plan, &mortal, &clock, &mut events);
            if events.is_empty() {
                // Killed before anything was to be found again.
                return Ran::of(Outcome::Submitted, events, &fabric);
            }
            let state = Box::new(RunState::fold(&events).expect("the events are legal"));
            start = match driven.or_else(|| state.outcome.clone()) {
                None => Start::Attach { state, cancel: None },
                Some(outcome) if comebacks == 0 || outcome.is_success() && !outcome.is_open() => {
                    break outcome;
                }
                Some(outcome) => {
                    comebacks -= 1;
                    if outcome.is_open() {
                        Start::Attach { state, cancel: None }
                    } else {
                        Start::Resume { resume: resume(&state), state }
                    }
                }
            };
        };
        Ran::of(outcome, events, &fabric)
    }

    /// One driver, to the end of the run or to its own.
    fn drive(
        &self,
        start: Start,
        plan: &Plan,
        fabric: &Mortal<'_>,
        clock: &Clock,
        events: &mut Vec<Event>,
    ) -> Option<Outcome> {
        let (bell, begun) = (Bell::new(), Instant::now());
        let mut journal = match self.lazy {
            true => Journal::in_lazy_memory(self.room),
            false => Journal::in_memory(self.room),
        };
        let run = Run {
            plan,
            fabric,
            clock,
            bell: &bell,
            settings: self.settings,
            driver: Driver { host: "here".into(), pid: 1, start: None },
            journal: &mut journal,
        };
        let driven = std::panic::catch_unwind(AssertUnwindSafe(|| {
            run.execute(start, &mut |event| {
                events.push(event.clone());
                let due = self.signals.iter().filter(|(after, _)| *after == events.len());
                let apart = if self.apart { ONE_WISH } else { Duration::ZERO };
                let mut at = begun;
                due.for_each(|(_, signal)| {
                    bell.signal_at(*signal, at);
                    at += apart;
                });
                assert!(events.len() < 20_000, "a run without end: {:?}", &events[19_980..]);
                if self.kills.after_events.contains(&events.len()) {
                    mortal::kill();
                }
            })
        }));
        match driven {
            Ok(outcome) => Some(outcome),
            Err(killed) if killed.is::<Killed>() => None,
            Err(other) => std::panic::resume_unwind(other),
        }
    }

    pub(super) fn plan(&self) -> Plan {
        if self.steps.is_empty() {
            return Plan::empty();
        }
        let mut faults = Diagnostics::new();
        let playbook = Playbook {
            max_parallel: NonZeroU32::new(self.max_parallel),
            ..sample::playbook(self.steps.clone())
        };
        Plan::new(playbook, &mut faults).unwrap_or_else(|| panic!("{faults:?}"))
    }
}

/// All that is not done, where that can be: on the cluster that is there, else on another.
fn resume(state: &RunState) -> Resume {
    let gone = state.cluster.state.is_some_and(ClusterState::is_final);
    let cluster = state.cluster.id.clone().filter(|_| !(gone && state.goal.launches()));
    let out = state.steps.iter().filter(|step| step.phase == Phase::LeftOut);
    let left_out = out.map(|step| step.id.clone()).collect();
    // Nobody can say how they ended; somebody says that they are to run again.
    let given_up = state.busy.iter().map(|&place| state.steps[place].id.clone()).collect();
    Resume { cluster, left_out, given_up, changed: false }
}

impl Ran {
    fn of(outcome: Outcome, events: Vec<Event>, fabric: &Memory) -> Self {
        let operations = [
            Operation::Reserve,
            Operation::Launch,
            Operation::Submit,
            Operation::Poll,
            Operation::Cancel,
            Operation::Terminate,
        ];
        Self {
            outcome,
            events,
            violations: fabric.violations(),
            left_over: fabric.left_over(),
            calls: operations.into_iter().map(|o| (o, fabric.calls(o))).collect(),
        }
    }

    /// How each step came out, in the order in which they did.
    fn ends(&self) -> String {
        let ends = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::StepEnded { step, attempt, state, .. } => {
                Some(format!("{step}{attempt}:{}", &state.as_str()[..4]))
            }
            EventKind::StepSkipped { step, why } => Some(format!("{step}:{}", name(why))),
            _ => None,
        });
        ends.collect::<Vec<_>>().join(" ")
    }

    /// The kinds of all events of a life of orders, in short.
    fn orders(&self) -> String {
        let short = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::SubmitIntended { token, .. } | EventKind::LaunchIntended { token, .. } => {
                Some(format!("?{token}"))
            }
            EventKind::Submitted { adopted, .. } | EventKind::Launched { adopted, .. } => {
                Some(if *adopted { "found" } else { "ok" }.to_owned())
            }
            EventKind::OrderLost { .. } => Some("lost".into()),
            EventKind::OrderNotFound { proven, .. } => {
                Some(if *proven { "absent" } else { "no" }.into())
            }
            EventKind::OrderRefused { last, .. } => {
                Some(if *last { "never" } else { "later" }.into())
            }
            _ => None,
        });
        short.collect::<Vec<_>>().join(" ")
    }

    fn failed(&self) -> Option<(usize, usize)> {
        match self.outcome {
            Outcome::Failed { failed, total, .. } => Some((failed, total)),
            _ => None,
        }
    }

    fn count(&self, of: impl Fn(&EventKind) -> bool) -> usize {
        self.events.iter().filter(|event| of(&event.kind)).count()
    }

    fn clean(self) -> Self {
        assert_eq!(self.violations, [""; 0]);
        RunState::fold(&self.events).expect("the events are legal");
        self
    }
}

fn name(why: &Skip) -> &'static str {
    match why {
        Skip::DependencyFailed(_) => "need",
        Skip::StepFailed(_) => "fail",
        Skip::Noop(_) => "noop",
        Skip::Interrupted => "intr",
        Skip::ClusterGone => "gone",
        Skip::JournalFailed => "disk",
    }
}

fn retries(max: u32) -> Retries {
    Retries {
        max_attempts: NonZeroU32::new(max).expect("not zero"),
        delay: Duration::from_secs(10),
        backoff: 2.0,
    }
}

const FAILS: StepScript = StepScript { pending: 0, running: 1, end: End::Exit(1), stubborn: 0 };
const SLOW: StepScript = StepScript { pending: 0, running: 8, end: End::Exit(0), stubborn: 0 };

#[test]
fn a_chain_runs_in_order_and_a_transient_cluster_goes_down() {
    let mut bench = Bench::dag("a b c", &[("b", "a"), ("c", "b")]).goal(Goal::RunTransient);
    bench.steps[1].depends_on = None;
    let ran = bench.run().clean();
    assert_eq!(ran.outcome, Outcome::Succeeded);
    assert_eq!(ran.ends(), "a1:SUCC b1:SUCC c1:SUCC");
    assert_eq!(ran.orders(), "?r.1.1 ok ?r.2.1 ok ?r.3.1 ok ?r.4.1 ok");
    assert_eq!(ran.left_over, []);
}

#[test]
fn steps_run_at_once_within_the_slots_and_the_playbooks_limit() {
    let most = |bench: Bench| {
        let (mut live, mut most) = (0_usize, 0);
        for event in bench.run().clean().events {
            match event.kind {
                EventKind::SubmitIntended { steps, .. } => live += steps.len(),
                EventKind::StepEnded { .. } => live -= 1,
                _ => {}
            }
            most = most.max(live);
        }
        most
    };
    assert_eq!(most(Bench::dag("a b c d e", &[])), 2, "the fabric has two slots");
    let mut narrow = Bench::dag("a b c d e", &[]);
    narrow.max_parallel = 1;
    assert_eq!(most(narrow), 1);
    let mut wide = Bench::dag("a b c d e", &[]);
    wide.capabilities.parallel = None;
    wide.max_parallel = 4;
    assert_eq!(most(wide), 4);
}

#[test]
fn a_plain_chain_is_one_order_where_the_fabric_has_a_queue() {
    let mut bench =
        Bench::new(Goal::Run, ["a", "b", "c"].map(|id| sample::step(id, "true", &[])).to_vec());
    bench.capabilities.ordered_queue = true;
    let ran = bench.run().clean();
    assert_eq!(
        (ran.orders().as_str(), ran.ends().as_str()),
        ("?r.1.1 ok", "a1:SUCC b1:SUCC c1:SUCC")
    );
    let failing = bench.does("a", &[FAILS]).run().clean();
    assert_eq!(failing.ends(), "a1:FAIL b1:CANC c1:CANC");
    assert_eq!(failing.failed(), Some((3, 3)));
}

#[test]
fn cancel_and_wait_starts_nothing_more_and_lets_end_what_runs() {
    let ran = Bench::dag("a b c d", &[("c", "b"), ("d", "a")])
        .does("a", &[FAILS])
        .does("b", &[SLOW])
        .run()
        .clean();
    assert_eq!(ran.ends(), "a1:FAIL c:fail d:fail b1:SUCC");
    assert_eq!(ran.failed(), Some((3, 4)));
    assert_eq!(ran.calls[&Operation::Cancel], 0);
}

#[test]
fn continue_goes_on_as_if_it_had_succeeded_and_still_fails() {
    let ran = Bench::dag("a b", &[("b", "a")])
        .step("a", |s| s.rules.on_failure = OnFailure::Continue)
        .does("a", &[FAILS])
        .run()
        .clean();
    assert_eq!((ran.ends().as_str(), ran.failed()), ("a1:FAIL b1:SUCC", Some((1, 2))));
}

#[test]
fn skip_dependents_goes_on_as_far_as_the_graph_allows() {
    let ran = Bench::dag("a b c d", &[("b", "a"), ("c", "b")])
        .step("a", |s| s.rules.on_failure = OnFailure::SkipDependents)
        .does("d", &[SLOW])
        .does("a", &[FAILS])
        .run()
        .clean();
    assert_eq!(ran.ends(), "a1:FAIL b:need c:need d1:SUCC");
    assert_eq!(ran.failed(), Some((3, 4)));
}

#[test]
fn terminate_cluster_ends_all_at_once_and_the_cluster_too() {
    let ran = Bench::dag("a b c", &[("c", "a")])
        .step("a", |s| s.rules.on_failure = OnFailure::TerminateCluster)
        .does("a", &[FAILS])
        .does("b", &[StepScript::never_ends()])
        .run()
        .clean();
    assert_eq!(ran.ends(), "a1:FAIL c:fail b1:CANC");
    assert_eq!(ran.failed(), Some((3, 3)));
    assert_eq!(ran.left_over, [], "also a cluster that was there before");
}

#[test]
fn a_failed_step_is_tried_again_with_growing_delays() {
    let bench = Bench::dag("a b", &[("b", "a")]).step("a", |s| s.rules.retries = retries(3));
    let ran = bench.does("a", &[FAILS, FAILS, StepScript::exits(0)]).run().clean();
    assert_eq!(
        (ran.ends().as_str(), &ran.outcome),
        ("a1:FAIL a2:FAIL a3:SUCC b1:SUCC", &Outcome::Succeeded)
    );
    let waits: Vec<i64> = ran
        .events
        .windows(2)
        .filter_map(|pair| match &pair[1].kind {
            EventKind::RetryScheduled { not_before, .. } => {
                Some(not_before.duration_since(pair[1].at).as_secs())
            }
            _ => None,
        })
        .collect();
    assert_eq!(waits, [10, 20]);
    let hopeless = Bench::dag("a b", &[("b", "a")])
        .step("a", |s| s.rules.retries = retries(2))
        .does("a", &[FAILS])
        .run()
        .clean();
    assert_eq!(hopeless.ends(), "a1:FAIL a2:FAIL b:fail");
}

#[test]
fn a_step_over_its_time_is_cancelled_and_has_failed() {
    let bench = Bench::dag("a", &[]).step("a", |s| s.rules.timeout = Some(Duration::from_secs(60)));
    let ran =
        bench.does("a", &[StepScript { stubborn: 1, ..StepScript::never_ends() }]).run().clean();
    assert_eq!(ran.ends(), "a1:FAIL");
    let reason = ran.events.iter().find_map(|e| match &e.kind {
        EventKind::StepEnded { reason, .. } => reason.clone(),
        _ => None,
    });
    assert_eq!(reason.as_deref(), Some("it took longer than its limit of 60 s"));
    assert_eq!(
        ran.count(|k| matches!(k, EventKind::CancelIntended { why: Stop::TimedOut, .. })),
        1
    );
}

#[test]
fn an_order_to_stop_that_shows_no_effect_is_repeated() {
    let bench = Bench::dag("a", &[]).step("a", |s| s.rules.timeout = Some(Duration::from_secs(60)));
    let ran =
        bench.does("a", &[StepScript { stubborn: 12, ..StepScript::never_ends() }]).run().clean();
    assert!(ran.calls[&Operation::Cancel] > 1, "{:?}", ran.calls);
    assert_eq!(ran.ends(), "a1:FAIL");
}

#[test]
fn a_timed_out_step_is_tried_again_if_it_may() {
    let bench = Bench::dag("a", &[]).step("a", |s| {
        s.rules.timeout = Some(Duration::from_secs(60));
        s.rules.retries = retries(2);
    });
    let ran = bench.does("a", &[StepScript::never_ends(), StepScript::exits(0)]).run().clean();
    assert_eq!(ran.ends(), "a1:FAIL a2:SUCC");
}

#[test]
fn on_a_fabric_that_rings_the_time_runs_from_the_order() {
    let mut bench =
        Bench::dag("a", &[]).step("a", |s| s.rules.timeout = Some(Duration::from_secs(60)));
    bench.capabilities.pace =
        Pace { rings: true, ..Pace::steady(Duration::from_secs(3600), Duration::from_secs(3600)) };
    let ran = bench.does("a", &[StepScript::never_ends()]).run().clean();
    let cancel = ran
        .events
        .iter()
        .find(|e| matches!(e.kind, EventKind::CancelIntended { .. }))
        .expect("it is cancelled");
    assert_eq!(cancel.at.duration_since(Timestamp::UNIX_EPOCH).as_secs(), 60);
}

fn noop_rules() -> OnResult {
    OnResult { continue_job: vec![0], terminate_job_with_success: vec![3] }
}

#[test]
fn a_noop_ends_the_run_early_with_success() {
    let bench = Bench::dag("a b c", &[("c", "a")]).step("a", |s| s.rules.on_result = noop_rules());
    let ran = bench.does("a", &[StepScript::exits(3)]).does("b", &[SLOW]).run().clean();
    assert_eq!(ran.ends(), "a1:SUCC c:noop b1:SUCC");
    assert_eq!(ran.outcome, Outcome::Noop { step: "a".into() });
}

#[test]
fn a_failure_beside_a_noop_is_a_failure() {
    let bench = Bench::dag("a b c", &[("c", "a")]).step("a", |s| s.rules.on_result = noop_rules());
    let slow_failure = StepScript { end: End::Exit(1), ..SLOW };
    let ran = bench.does("a", &[StepScript::exits(3)]).does("b", &[slow_failure]).run().clean();
    assert_eq!(ran.failed(), Some((2, 3)));
}

#[test]
fn exit_codes_mean_what_the_playbook_says() {
    let rules = OnResult { continue_job: vec![0, 7], terminate_job_with_success: vec![] };
    let bench = || Bench::dag("a", &[]).step("a", |s| s.rules.on_result = rules.clone());
    assert_eq!(bench().does("a", &[StepScript::exits(7)]).run().outcome, Outcome::Succeeded);
    assert_eq!(bench().does("a", &[StepScript::exits(8)]).run().failed(), Some((1, 1)));
    let no_zero = OnResult { continue_job: vec![7], terminate_job_with_success: vec![] };
    let ran = Bench::dag("a", &[]).step("a", |s| s.rules.on_result = no_zero).run();
    assert_eq!(ran.failed(), Some((1, 1)), "0 is no success where the playbook does not name it");
}

#[test]
fn a_step_cancelled_by_somebody_is_no_success() {
    let cancelled = StepScript { end: End::Cancelled, ..SLOW };
    let ran = Bench::dag("a b", &[("b", "a")]).does("a", &[cancelled]).run().clean();
    assert_eq!((ran.ends().as_str(), ran.failed()), ("a1:CANC b:fail", Some((2, 2))));
}

#[test]
fn an_interrupt_cancels_and_takes_down_and_says_so() {
    for goal in [Goal::Run, Goal::RunTransient] {
        let mut bench = Bench::dag("a b c", &[("c", "a")]).goal(goal);
        bench.signals = vec![(if goal == Goal::Run { 5 } else { 10 }, 15)];
        let ran = bench
            .does("a", &[StepScript::never_ends()])
            .does("b", &[StepScript::never_ends()])
            .run()
            .clean();
        assert_eq!(ran.outcome, Outcome::Interrupted { signal: 15, left: false }, "{goal:?}");
        assert!(ran.ends().contains("a1:CANC"), "{goal:?} {}", ran.ends());
        let left = usize::from(goal == Goal::Run);
        assert_eq!(ran.left_over.len(), left, "a cluster that was there before stays");
        assert!(ran.left_over.iter().all(|(_, busy)| busy.is_empty()));
    }
}

#[test]
fn a_cluster_that_is_being_brought_up_is_taken_down_on_a_signal() {
    let mut bench = Bench::new(Goal::Up, Vec::new());
    bench.script.notches = 50;
    bench.signals = vec![(3, 2)];
    let ran = bench.run().clean();
    assert_eq!(ran.outcome, Outcome::Interrupted { signal: 2, left: false });
    assert_eq!(ran.left_over, []);
}

#[test]
fn hanging_up_leaves_everything_as_it_is() {
    let mut bench = Bench::dag("a", &[]);
    bench.signals = vec![(5, 1)];
    let ran = bench.does("a", &[StepScript::never_ends()]).run().clean();
    assert_eq!(ran.outcome, Outcome::Interrupted { signal: 1, left: true });
    assert_eq!(ran.calls[&Operation::Cancel], 0);
    assert_eq!(ran.left_over[0].1, ["a"]);
}

#[test]
fn a_second_signal_stops_waiting_and_is_in_doubt_if_something_may_run() {
    let mut bench = Bench::dag("a", &[]);
    // The second comes with the second order to stop.
    bench.signals = vec![(5, 2), (8, 2)];
    let stubborn = StepScript { stubborn: 1000, ..StepScript::never_ends() };
    let ran = bench.does("a", &[stubborn]).run().clean();
    assert!(matches!(ran.outcome, Outcome::InDoubt { .. }), "{:?}", ran.outcome);
}

#[test]
fn a_cluster_that_is_to_go_down_is_asked_again_whatever_comes_between() {
    let mut bench = Bench::dag("a", &[])
        .step("a", |s| s.rules.on_failure = OnFailure::TerminateCluster)
        .does("a", &[FAILS])
        .fault(Operation::Terminate, 1, Fault::Refuse(ErrorKind::Quota));
    let plain = bench.run();
    let asked = |e: &Event| matches!(e.kind, EventKind::TerminateIntended { .. });
    let at = plain.events.iter().position(asked).expect("it is to go down") + 1;
    bench.signals = vec![(at + 1, 2)];
    let ran = bench.run().clean();
    assert_eq!(
        (ran.outcome, ran.left_over),
        (Outcome::Interrupted { signal: 2, left: false }, vec![])
    );
}

#[test]
fn up_and_down() {
    let up = Bench::new(Goal::Up, Vec::new()).run().clean();
    assert_eq!((&up.outcome, up.left_over.len()), (&Outcome::Succeeded, 1));
    let down = Bench::new(Goal::Down, Vec::new()).run().clean();
    assert_eq!((&down.outcome, down.left_over.len()), (&Outcome::Succeeded, 0));
}

#[test]
fn a_launch_that_fails_fails_the_run() {
    for end in [ClusterState::Failed, ClusterState::Stopped] {
        let mut bench = Bench::dag("a", &[]).goal(Goal::RunTransient);
        bench.script = Script { notches: 9, cluster_ends: Some((2, end)), ..bench.script };
        let ran = bench.run().clean();
        assert_eq!((ran.ends().as_str(), ran.failed()), ("a:gone", Some((1, 1))));
        let up = Bench { goal: Goal::Up, steps: Vec::new(), ..bench }.run().clean();
        assert_eq!(up.failed(), Some((0, 0)));
    }
}

/// Of a fabric that keeps a broken cluster until it is told to delete it.
#[test]
fn a_broken_cluster_is_told_of_and_taken_down_by_whoever_launched_it() {
    for (after, begun) in [(2, false), (12, true)] {
        let mut bench = Bench::dag("a", &[]).goal(Goal::RunTransient);
        bench.script.notches = 9;
        bench.capabilities.pace.cluster_every = NonZeroU32::new(2);
        bench.script.cluster_ends = Some((after, ClusterState::Broken));
        bench = bench.does("a", &[StepScript::never_ends()]);
        let ran = bench.run().clean();
        assert_eq!(ran.ends(), if begun { "a1:CANC" } else { "a:gone" });
        let Outcome::Failed { reason: Some(reason), .. } = &ran.outcome else {
            panic!("{:?}", ran.outcome)
        };
        assert!(reason.starts_with("the cluster does not work: "), "{reason}");
        assert_eq!(ran.left_over.len(), 0, "it is left there");
        if !begun {
            let up = Bench { goal: Goal::Up, steps: Vec::new(), ..bench }.run().clean();
            assert_eq!((up.failed(), up.left_over.len()), (Some((0, 0)), 0));
        }
    }
}

#[test]
fn a_cluster_of_others_that_breaks_stays_theirs() {
    let mut bench = Bench::dag("a b", &[("b", "a")]).goal(Goal::Run);
    bench.capabilities.pace.cluster_every = NonZeroU32::new(2);
    bench.script.cluster_ends = Some((1, ClusterState::Broken));
    let ran = bench.run().clean();
    assert_eq!(ran.calls[&Operation::Terminate], 0);
    assert!(matches!(ran.outcome, Outcome::Failed { .. }), "{:?}", ran.outcome);
}

#[test]
fn a_cluster_that_is_not_there_is_refused_before_anything_is_ordered() {
    for goal in [Goal::Run, Goal::Down] {
        let steps = if goal == Goal::Run { Bench::dag("a", &[]).steps } else { Vec::new() };
        let ran = Bench::new(goal, steps)
            .fault(Operation::Inspect, 1, Fault::Refuse(ErrorKind::NotFound))
            .run()
            .clean();
        assert!(matches!(ran.outcome, Outcome::Refused { .. }), "{:?}", ran.outcome);
        assert_eq!(ran.calls[&Operation::Submit] + ran.calls[&Operation::Terminate], 0);
    }
}

#[test]
fn a_refused_order_is_final_or_sent_again() {
    let ran = Bench::dag("a b", &[("b", "a")])
        .fault(Operation::Submit, 1, Fault::Refuse(ErrorKind::Quota))
        .run()
        .clean();
    assert_eq!(
        (ran.orders().as_str(), &ran.outcome),
        ("?r.1.1 later ?r.1.2 ok ?r.2.1 ok", &Outcome::Succeeded)
    );
    let ran = Bench::dag("a b", &[("b", "a")])
        .fault(Operation::Submit, 1, Fault::Refuse(ErrorKind::Auth))
        .run()
        .clean();
    assert_eq!((ran.orders().as_str(), ran.ends().as_str()), ("?r.1.1 never", "a1:FAIL b:fail"));
    assert!(
        matches!(ran.outcome, Outcome::Refused { .. }),
        "nothing was ever taken: {:?}",
        ran.outcome
    );
    let ran = Bench::dag("a b", &[("b", "a")])
        .fault(Operation::Submit, 2, Fault::Refuse(ErrorKind::Auth))
        .run()
        .clean();
    assert_eq!((ran.ends().as_str(), ran.failed()), ("a1:SUCC b1:FAIL", Some((1, 2))));
}

#[test]
fn a_launch_refused_for_good_is_refused() {
    let ran = Bench::dag("a", &[])
        .goal(Goal::RunTransient)
        .fault(Operation::Launch, 1, Fault::Refuse(ErrorKind::Auth))
        .run()
        .clean();
    assert!(matches!(ran.outcome, Outcome::Refused { .. }));
    assert_eq!(ran.ends(), "a:gone");
}

#[test]
fn a_lost_answer_is_asked_for_never_repeated_blindly() {
    let lost = |fault| Bench::dag("a", &[]).fault(Operation::Submit, 1, fault);
    let ran = lost(Fault::LoseAnswer).run().clean();
    assert_eq!((ran.orders().as_str(), &ran.outcome), ("?r.1.1 lost found", &Outcome::Succeeded));
    let ran = lost(Fault::LoseRequest).run().clean();
    assert_eq!(
        (ran.orders().as_str(), &ran.outcome),
        ("?r.1.1 lost no absent ?r.1.2 ok", &Outcome::Succeeded)
    );
    let mut late = lost(Fault::LoseAnswer);
    late.script.late = Duration::from_secs(9);
    assert_eq!(
        late.run().clean().orders(),
        "?r.1.1 lost found",
        "the first look comes after all is settled"
    );
    let launch = Bench::new(Goal::Up, Vec::new());
    let ran = launch.fault(Operation::Launch, 1, Fault::LoseAnswer).run().clean();
    assert_eq!((ran.orders().as_str(), ran.left_over.len()), ("?r.1.1 lost found", 1));
    let launch = Bench::new(Goal::Up, Vec::new());
    let ran = launch.fault(Operation::Launch, 1, Fault::LoseRequest).run().clean();
    assert_eq!(
        (ran.orders().as_str(), ran.left_over.len()),
        ("?r.1.1 lost no absent ?r.1.2 ok", 1)
    );
}

#[test]
fn ids_that_are_given_out_before_are_the_same_whatever_the_sending() {
    let mut bench = Bench::dag("a", &[]).fault(Operation::Submit, 1, Fault::LoseRequest);
    bench.script.reserves = true;
    let ran = bench.run().clean();
    assert_eq!(ran.orders(), "?r.1.1 lost no absent ?r.1.2 ok");
    let intended = ran.events.iter().filter_map(|event| match &event.kind {
        EventKind::SubmitIntended { ids, .. } => Some(ids.clone()),
        _ => None,
    });
    let given = vec![StepId::new("given-0")];
    assert_eq!(intended.collect::<Vec<_>>(), [given.clone(), given]);
    assert_eq!(ran.calls[&Operation::Reserve], 1);
    // What comes late after all is the same order once more, not a second one.
    bench.script.faults = [((Operation::Submit, 1), Fault::LoseAnswer)].into();
    (bench.script.late, bench.capabilities.settle) = (Duration::from_secs(60), Duration::ZERO);
    let ran = bench.run().clean();
    assert_eq!(
        (ran.orders().as_str(), &ran.outcome),
        ("?r.1.1 lost absent ?r.1.2 ok", &Outcome::Succeeded)
    );
}

#[test]
fn without_an_id_nothing_is_sent() {
    let refused = |kind| {
        let mut bench = Bench::dag("a", &[]).fault(Operation::Reserve, 1, Fault::Refuse(kind));
        bench.script.reserves = true;
        let ran = bench.run().clean();
        (ran.orders(), ran.calls[&Operation::Submit], ran.outcome)
    };
    let later = ("?r.1.1 later ?r.1.2 ok".to_owned(), 1, Outcome::Succeeded);
    assert_eq!(refused(ErrorKind::Unavailable), later);
    let (_, sent, outcome) = refused(ErrorKind::Auth);
    assert!(sent == 0 && matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
}

#[test]
fn a_question_about_a_lost_order_may_go_unanswered_too() {
    let ran = Bench::dag("a", &[])
        .fault(Operation::Submit, 1, Fault::LoseAnswer)
        .fault(Operation::Find, 1, Fault::Refuse(ErrorKind::Unavailable))
        .fault(Operation::Find, 2, Fault::Refuse(ErrorKind::Unavailable))
        .run()
        .clean();
    assert_eq!(
        (ran.orders().as_str(), &ran.outcome),
        ("?r.1.1 lost lost lost found", &Outcome::Succeeded)
    );
}

#[test]
fn failed_polls_never_fail_a_run() {
    let mut bench = Bench::dag("a", &[]);
    for nth in 1..=7 {
        bench = bench.fault(Operation::Poll, nth, Fault::Refuse(ErrorKind::Unavailable));
    }
    let ran = bench.run().clean();
    assert_eq!(ran.outcome, Outcome::Succeeded);
    assert_eq!(ran.count(|k| matches!(k, EventKind::ContactLost { .. })), 1);
    assert_eq!(ran.count(|k| matches!(k, EventKind::ContactRestored)), 1);
}

#[test]
fn contact_lost_for_too_long_is_doubt_and_refusal_if_nothing_was_ordered() {
    let deaf = |operation| {
        let mut bench = Bench::dag("a", &[]);
        bench.settings.contact_limit = Duration::from_secs(300);
        for nth in 1..=1000 {
            bench = bench.fault(operation, nth, Fault::Refuse(ErrorKind::Unavailable));
        }
        bench.run().clean()
    };
    let ran = deaf(Operation::Poll);
    assert!(matches!(ran.outcome, Outcome::InDoubt { .. }), "{:?}", ran.outcome);
    let ended = ran.events.last().expect("there are events").at;
    assert!(ended.duration_since(Timestamp::UNIX_EPOCH).as_secs() >= 300);
    let ran = deaf(Operation::Inspect);
    assert!(matches!(ran.outcome, Outcome::Refused { .. }));
    let ended = ran.events.last().expect("there are events").at;
    assert!(ended.duration_since(Timestamp::UNIX_EPOCH).as_secs() <= 61, "nothing runs: {ended}");
    assert!(matches!(deaf(Operation::Submit).outcome, Outcome::Refused { .. }));
}

#[test]
fn an_unknown_end_is_doubt_on_a_cluster_that_stays_and_failure_on_one_that_is_gone() {
    let unknown = StepScript { end: End::Unknown, ..SLOW };
    let bench = |goal| Bench::dag("a b", &[("b", "a")]).goal(goal).does("a", &[unknown]);
    let ran = bench(Goal::Run).run().clean();
    assert!(matches!(ran.outcome, Outcome::InDoubt { .. }), "{:?}", ran.outcome);
    let ran = bench(Goal::RunTransient).run().clean();
    assert_eq!(ran.failed(), Some((2, 2)));
    assert_eq!(ran.left_over, []);
}

#[test]
fn a_cluster_that_ends_under_its_steps_ends_them() {
    let mut bench = Bench::dag("a b c", &[("c", "a")]).goal(Goal::RunTransient);
    bench.signals = vec![(10, 15)];
    bench.script.notches = 0;
    let stubborn = StepScript { stubborn: 1000, ..StepScript::never_ends() };
    let ran = bench.does("a", &[stubborn]).does("b", &[stubborn]).run().clean();
    assert_eq!(ran.outcome, Outcome::Interrupted { signal: 15, left: false });
    assert!(ran.ends().contains("a1:CANC b1:CANC"), "{}", ran.ends());
}

/// The orders that were taken though their intent did not fit into the journal.
fn unrecorded_orders(events: &[Event], room: usize) -> Vec<&Token> {
    const CHECKSUM: usize = 26;
    let mut written = 0;
    let mut recorded = Vec::new();
    let mut unrecorded = Vec::new();
    for event in events {
        written += serde_json::to_string(event).expect("it serialises").len() + CHECKSUM;
        match &event.kind {
            EventKind::LaunchIntended { token, .. } | EventKind::SubmitIntended { token, .. }
                if written <= room =>
            {
                recorded.push(token);
            }
            EventKind::Launched { token, .. } | EventKind::Submitted { token, .. }
                if !recorded.contains(&token) =>
            {
                unrecorded.push(token);
            }
            _ => {}
        }
    }
    unrecorded
}

#[test]
fn a_full_disk_starts_nothing_more_and_follows_what_runs() {
    let mut bench = Bench::dag("a b c d", &[("c", "a"), ("d", "b")]).goal(Goal::RunTransient);
    let whole = bench.run().events.len();
    let mut stopped = 0;
    for (room, lazy) in (0..4000).step_by(37).flat_map(|room| [(room, false), (room, true)]) {
        (bench.room, bench.lazy) = (room, lazy);
        let ran = bench.run();
        assert_eq!(ran.violations, [""; 0]);
        assert_eq!(ran.left_over, [], "room {room}");
        if ran.events.len() < whole {
            stopped += 1;
        }
        assert!(unrecorded_orders(&ran.events, room).is_empty(), "room {room}, lazy: {lazy}");
        let failed_at =
            ran.events.iter().position(|e| matches!(e.kind, EventKind::JournalFailed { .. }));
        let Some(at) = failed_at else { continue };
        let later = &ran.events[at..];
        assert!(
            !later.iter().any(|e| matches!(
                e.kind,
                EventKind::Submitted { .. } | EventKind::Launched { .. }
            )),
            "room {room}"
        );
        assert!(ran.failed().is_some(), "room {room}: {:?}", ran.outcome);
    }
    for room in (0..1500).step_by(37) {
        let ran = Bench { room, ..Bench::new(Goal::Up, Vec::new()) }.run();
        let up = usize::from(ran.outcome == Outcome::Succeeded);
        assert_eq!(ran.left_over.len(), up, "room {room}: {:?}", ran.outcome);
        let full = ran.count(|k| matches!(k, EventKind::JournalFailed { .. })) > 0;
        assert!(!full || up == 0, "room {room}: what is not recorded is not left there");
    }
    assert!(stopped > 20);
}

#[test]
fn a_step_of_the_state_that_cannot_be_is_refused() {
    let ran = Bench::dag("a b", &[("b", "a")]).run().clean();
    let mut refused = 0;
    for (at, event) in ran.events.iter().enumerate().skip(1) {
        let mut state = RunState::fold(&ran.events[..at]).expect("legal so far");
        state.apply(event).expect("legal");
        assert!(state.clone().apply(event).is_err(), "the same event twice: {event:?}");
        let again = Event { seq: event.seq + 1, ..event.clone() };
        let harmless =
            matches!(event.kind, EventKind::ClusterChanged { .. } | EventKind::StepChanged { .. });
        refused += usize::from(state.apply(&again).is_err());
        assert!(state.seq == event.seq || harmless, "{event:?} may not happen again");
    }
    assert!(refused > 5);
}

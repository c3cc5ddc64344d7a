//! A fabric as the big clouds are: it queues chains, clusters take their steps along, each question has its price.

use std::num::{NonZeroU32, NonZeroUsize};

use super::*;

/// A chain `a`, `b`, … on such a fabric.
fn chain(names: &str, goal: Goal) -> Bench {
    let steps = names.split(' ').map(|name| sample::step(name, "true", &[])).collect();
    let mut bench = Bench::new(goal, steps);
    bench.capabilities.ordered_queue = true;
    bench.capabilities.launch_with_steps = true;
    bench.capabilities.parallel = NonZeroU32::new(1);
    bench.capabilities.pace = Pace {
        launching: Duration::from_secs(30),
        at_once: NonZeroUsize::new(2),
        cluster_every: NonZeroU32::new(4),
        ..Pace::steady(Duration::from_secs(15), Duration::from_secs(15))
    };
    bench
}

const QUOTA: Fault = Fault::Refuse(ErrorKind::Quota);

#[test]
fn a_transient_chain_goes_with_its_cluster_which_ends_itself() {
    let ran = chain("a b c", Goal::RunTransient).run().clean();
    assert_eq!(ran.outcome, Outcome::Succeeded);
    assert_eq!(ran.ends(), "a1:SUCC b1:SUCC c1:SUCC");
    assert_eq!(ran.orders(), "?r.1.1 ok ok", "one order, and then the ids");
    let orders = [Operation::Launch, Operation::Submit, Operation::Terminate];
    assert_eq!(orders.map(|order| ran.calls[&order]), [1, 0, 0]);
    assert_eq!(ran.left_over, []);
}

#[test]
fn steps_that_went_along_fail_as_others_do() {
    let ran = chain("a b c", Goal::RunTransient).does("b", &[FAILS]).run().clean();
    assert_eq!((ran.ends().as_str(), ran.failed()), ("a1:SUCC b1:FAIL c1:CANC", Some((2, 3))));
    assert_eq!((ran.calls[&Operation::Terminate], ran.left_over), (0, vec![]));
}

#[test]
fn a_chain_with_rules_of_ours_is_driven_from_here() {
    let bench = chain("a b", Goal::RunTransient).step("a", |s| s.rules.retries = retries(2));
    let ran = bench.does("a", &[FAILS, StepScript::exits(0)]).run().clean();
    assert_eq!(ran.ends(), "a1:FAIL a2:SUCC b1:SUCC");
    assert_eq!((ran.calls[&Operation::Submit], ran.calls[&Operation::Terminate]), (3, 1));
}

#[test]
fn what_went_along_is_found_after_a_lost_answer() {
    let bench = chain("a b", Goal::RunTransient);
    let ran = bench.fault(Operation::Launch, 1, Fault::LoseAnswer).run().clean();
    assert_eq!(ran.orders(), "?r.1.1 lost found ok");
    assert_eq!((ran.outcome, ran.calls[&Operation::Launch]), (Outcome::Succeeded, 1));
    let bench = chain("a b", Goal::RunTransient);
    let ran = bench.fault(Operation::Launch, 1, Fault::LoseRequest).run().clean();
    assert_eq!(ran.orders(), "?r.1.1 lost no absent ?r.1.2 ok ok");
    assert_eq!(ran.outcome, Outcome::Succeeded);
}

#[test]
fn an_order_that_never_shows_ends_in_doubt() {
    let mut bench = chain("a", Goal::Run).fault(Operation::Submit, 1, Fault::LoseAnswer);
    bench.capabilities.settle = Duration::from_secs(7200);
    let ran = bench.run().clean();
    let Outcome::InDoubt { reason } = &ran.outcome else { panic!("{:?}", ran.outcome) };
    assert!(reason.contains("`r.1.1`") && reason.contains("`given`"), "{reason}");
    assert_eq!(ran.calls[&Operation::Submit], 1);
}

#[test]
fn a_cluster_whose_set_up_fails_is_launched_again_three_times() {
    for goal in [Goal::Up, Goal::RunTransient] {
        let steps = if goal == Goal::Up { Vec::new() } else { chain("a b", goal).steps };
        let mut bench = Bench { steps, ..chain("a", goal) };
        bench.script.bootstrap_failures = 3;
        let ran = bench.run().clean();
        assert_eq!((ran.outcome, ran.calls[&Operation::Launch]), (Outcome::Succeeded, 4));
        bench.script.bootstrap_failures = 4;
        let ran = bench.run().clean();
        let Outcome::Failed { failed, .. } = ran.outcome else { panic!("{:?}", ran.outcome) };
        assert_eq!((failed, ran.calls[&Operation::Launch]), (bench.steps.len(), 4));
        assert_eq!(ran.left_over, []);
    }
}

#[test]
fn the_pause_before_another_launch_is_within_its_limit_and_not_always_the_same() {
    let mut bench = chain("a", Goal::RunTransient);
    bench.script.bootstrap_failures = 3;
    bench.settings.bootstrap_retry = Duration::from_secs(100);
    let pauses: Vec<i64> = bench
        .run()
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::RelaunchScheduled { not_before, .. } => {
                Some(not_before.duration_since(event.at).as_secs())
            }
            _ => None,
        })
        .collect();
    assert!(pauses.iter().all(|pause| (0..=100).contains(pause)), "{pauses:?}");
    assert!(pauses.len() == 3 && pauses.windows(2).any(|pair| pair[0] != pair[1]), "{pauses:?}");
}

#[test]
fn an_interruption_ends_the_launching_for_good() {
    let mut bench = chain("a", Goal::RunTransient);
    bench.script.bootstrap_failures = 1;
    let relaunch = |event: &Event| matches!(event.kind, EventKind::RelaunchScheduled { .. });
    let at = bench.run().events.iter().position(relaunch).expect("it is launched again") + 1;
    bench.signals = vec![(at, 15)];
    let ran = bench.run().clean();
    assert_eq!(ran.outcome, Outcome::Interrupted { signal: 15, left: false });
    assert_eq!((ran.calls[&Operation::Launch], ran.ends().as_str()), (1, "a:intr"));
}

#[test]
fn a_cluster_that_is_late_to_end_itself_is_ended() {
    let mut bench = chain("a", Goal::RunTransient);
    bench.script.never_ends_itself = true;
    let ran = bench.run().clean();
    assert_eq!((ran.outcome, ran.calls[&Operation::Terminate]), (Outcome::Succeeded, 1));
    assert_eq!(ran.left_over, []);
}

#[test]
fn not_being_our_turn_is_no_loss_of_contact() {
    let mut bench = chain("a", Goal::Run);
    bench.settings.contact_limit = Duration::from_secs(60);
    for nth in 1..40 {
        bench = bench.fault(Operation::Inspect, nth, QUOTA).fault(Operation::Poll, nth, QUOTA);
    }
    let ran = bench.fault(Operation::Submit, 1, QUOTA).run().clean();
    assert_eq!(ran.outcome, Outcome::Succeeded);
    assert_eq!(ran.count(|kind| matches!(kind, EventKind::ContactLost { .. })), 0);
}

#[test]
fn who_may_not_ask_about_the_cluster_may_run_steps_all_the_same() {
    let mut bench = chain("a b", Goal::Run);
    for nth in 1..40 {
        bench = bench.fault(Operation::Inspect, nth, Fault::Refuse(ErrorKind::Auth));
    }
    let ran = bench.run().clean();
    assert_eq!((&ran.outcome, ran.ends().as_str()), (&Outcome::Succeeded, "a1:SUCC b1:SUCC"));
    assert_eq!(ran.count(|kind| matches!(kind, EventKind::Warning { .. })), 1);
    let mut down = bench;
    (down.goal, down.steps) = (Goal::Down, Vec::new());
    assert!(matches!(down.run().clean().outcome, Outcome::Refused { .. }));
}

#[test]
fn a_run_that_is_handed_over_ends_once_the_steps_are_taken() {
    let mut bench = chain("a b", Goal::Run).does("a", &[SLOW]);
    bench.settings.detach = true;
    let ran = bench.run().clean();
    assert_eq!((&ran.outcome, ran.orders().as_str()), (&Outcome::Submitted, "?r.1.1 ok"));
    assert_eq!((ran.calls[&Operation::Poll], ran.calls[&Operation::Cancel]), (0, 0));
    let refused = bench.fault(Operation::Submit, 1, Fault::Refuse(ErrorKind::Config)).run();
    assert!(matches!(refused.outcome, Outcome::Refused { .. }));
}

#[test]
fn one_question_a_tick_and_each_fourth_about_the_cluster() {
    let names = (0..40).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
    let slow = StepScript { running: 30, ..SLOW };
    let ran = chain(&names, Goal::Run).does("s0", &[slow]).run().clean();
    let first = |of: &dyn Fn(&EventKind) -> bool| {
        ran.events.iter().find(|event| of(&event.kind)).expect("it happens").at
    };
    let began = first(&|kind| matches!(kind, EventKind::Submitted { .. }));
    let ended = first(&|kind| matches!(kind, EventKind::StepEnded { .. }));
    // Thirty looks at it, each fourth tick for the cluster.
    let ticks = ended.duration_since(began).as_secs() / 15;
    assert!((40..=42).contains(&ticks), "{ticks}");
}

#[test]
fn a_cluster_without_work_has_its_steps_asked_about_at_once() {
    let slow = StepScript { running: 30, ..SLOW };
    let mut bench = chain("a", Goal::Run).does("a", &[slow]);
    bench.script.says_idle = true;
    let ran = bench.run().clean();
    let at = |of: &dyn Fn(&EventKind) -> bool| {
        ran.events.iter().find(|event| of(&event.kind)).expect("it happens").at
    };
    let began = at(&|kind| matches!(kind, EventKind::Submitted { .. }));
    let ended = at(&|kind| matches!(kind, EventKind::StepEnded { .. }));
    // No tick is lost on the cluster.
    assert_eq!(ended.duration_since(began).as_secs() / 15, i64::from(ran.calls[&Operation::Poll]));
}

#[test]
fn a_cluster_that_dies_with_steps_in_its_queue_is_noticed() {
    let mut bench = chain("a b c", Goal::Run).does("a", &[StepScript::never_ends()]);
    bench.script.cluster_ends = Some((3, ClusterState::Failed));
    let ran = bench.run().clean();
    assert_eq!((ran.ends().as_str(), ran.failed()), ("a1:CANC b1:CANC c1:CANC", Some((3, 3))));
}

/// As where only one step may be described at a time.
#[test]
fn a_question_that_tells_less_than_it_was_asked_loses_nothing() {
    let mut bench = chain("a b c d", Goal::Run).does("c", &[SLOW]);
    bench.script.tells = Some(1);
    let ran = bench.run().clean();
    assert_eq!(
        (&ran.outcome, ran.ends().as_str()),
        (&Outcome::Succeeded, "a1:SUCC b1:SUCC c1:SUCC d1:SUCC")
    );
    // Two have ended unseen when the cluster goes: they are asked about one after the other.
    let mut gone = chain("a b c d", Goal::RunTransient);
    gone.script.tells = Some(1);
    gone.capabilities.pace.cluster_every = NonZeroU32::new(2);
    let ran = gone.run().clean();
    assert_eq!(
        (&ran.outcome, ran.ends().as_str()),
        (&Outcome::Succeeded, "a1:SUCC b1:SUCC c1:SUCC d1:SUCC")
    );
}

#[test]
fn a_cluster_that_does_not_show_at_once_is_waited_for() {
    let absent = Fault::Refuse(ErrorKind::NotFound);
    for goal in [Goal::Up, Goal::RunTransient] {
        let steps = if goal == Goal::Up { Vec::new() } else { chain("a", goal).steps };
        let bench = Bench { steps, ..chain("a", goal) }.fault(Operation::Inspect, 1, absent);
        let ran = bench.run().clean();
        assert_eq!(ran.outcome, Outcome::Succeeded, "{goal:?}");
    }
}

#[test]
fn a_cluster_that_does_not_show_at_once_is_taken_down_all_the_same() {
    let absent = Fault::Refuse(ErrorKind::NotFound);
    let bench = Bench { steps: Vec::new(), ..chain("a", Goal::Up) };
    let launched = |event: &Event| matches!(event.kind, EventKind::Launched { .. });
    let at = bench.run().events.iter().position(launched).expect("it is launched") + 1;
    let mut bench =
        bench.fault(Operation::Inspect, 1, absent).fault(Operation::Terminate, 1, absent);
    bench.signals = vec![(at, 2)];
    let ran = bench.run().clean();
    assert_eq!(ran.outcome, Outcome::Interrupted { signal: 2, left: false });
    assert_eq!((ran.left_over, ran.calls[&Operation::Terminate]), (vec![], 2));
}

#[test]
fn steps_that_are_driven_from_here_wait_for_the_next_cluster() {
    let mut bench = chain("a b", Goal::RunTransient).step("a", |s| s.rules.retries = retries(2));
    bench.script.bootstrap_failures = 1;
    let ran = bench.run().clean();
    assert_eq!(ran.outcome, Outcome::Succeeded);
    assert_eq!((ran.calls[&Operation::Launch], ran.ends().as_str()), (2, "a1:SUCC b1:SUCC"));
    // Where there is no next one they never start.
    bench.script.bootstrap_failures = 4;
    let ran = bench.run().clean();
    assert_eq!((ran.calls[&Operation::Launch], ran.ends().as_str()), (4, "a:gone b:gone"));
}

#[test]
fn what_a_cluster_that_is_gone_did_before_is_heard_one_by_one() {
    let mut bench = chain("a b c", Goal::Run);
    bench.script.cluster_ends = Some((1, ClusterState::Stopped));
    bench.script.tells = Some(1);
    bench.script.runs_unwatched = true;
    let ran = bench.run().clean();
    assert_eq!(ran.outcome, Outcome::Succeeded, "{}", ran.ends());
}

#[test]
fn a_cluster_that_never_goes_down_is_in_doubt() {
    for goal in [Goal::Down, Goal::Up] {
        let mut bench = Bench { steps: Vec::new(), ..chain("a", goal) };
        bench.script.notches = 3;
        bench.script.never_stops = true;
        bench.signals = if goal == Goal::Up { vec![(4, 15)] } else { Vec::new() };
        let ran = bench.run().clean();
        let Outcome::InDoubt { reason } = &ran.outcome else { panic!("{:?}", ran.outcome) };
        assert!(
            reason.contains("going down since") && reason.contains("look at cluster"),
            "{reason}"
        );
    }
}

#[test]
fn steps_of_which_nothing_is_told_for_long_are_in_doubt() {
    let mut bench = chain("a b", Goal::Run);
    bench.script.tells = Some(0);
    let ran = bench.run().clean();
    let Outcome::InDoubt { reason } = &ran.outcome else { panic!("{:?}", ran.outcome) };
    assert!(
        reason.contains("nothing is told of step `a`") && reason.contains("`given`"),
        "{reason}"
    );
}

#[test]
fn a_cluster_that_cannot_be_asked_about_keeps_nobody_from_the_steps() {
    for kind in [ErrorKind::Quota, ErrorKind::Auth, ErrorKind::Unavailable] {
        let mut bench = chain("a b c d e f", Goal::Run);
        for nth in 2..400 {
            bench = bench.fault(Operation::Inspect, nth, Fault::Refuse(kind));
        }
        assert_eq!(bench.run().clean().outcome, Outcome::Succeeded, "{kind:?}");
    }
}

#[test]
fn a_cluster_that_takes_no_steps_is_a_refusal_that_says_why() {
    let states = [ClusterState::Stopping, ClusterState::Unknown, ClusterState::Stopped];
    for state in states {
        let mut bench = chain("a b", Goal::Run);
        bench.script.cluster_ends = Some((0, state));
        let ran = bench.run().clean();
        let Outcome::Refused { error } = &ran.outcome else { panic!("{:?}", ran.outcome) };
        assert!(error.message.contains("cluster `given` takes no steps"), "{error}");
        assert_eq!(ran.calls[&Operation::Submit], 0);
    }
}

#[test]
fn the_ids_of_what_went_along_are_asked_for_at_once() {
    let ran = chain("a b", Goal::RunTransient).run().clean();
    let at = |of: &dyn Fn(&EventKind) -> bool| {
        ran.events.iter().find(|event| of(&event.kind)).expect("it happens").at
    };
    let launched = at(&|kind| matches!(kind, EventKind::Launched { .. }));
    assert_eq!(at(&|kind| matches!(kind, EventKind::Submitted { .. })), launched);
}

#[test]
fn the_steps_of_a_cluster_that_is_gone_are_asked_about_without_a_wait() {
    let mut bench = chain("a b c d e", Goal::Run).does("a", &[StepScript::never_ends()]);
    bench.script.cluster_ends = Some((3, ClusterState::Failed));
    let ran = bench.run().clean();
    let gone = |event: &&Event| {
        matches!(event.kind, EventKind::ClusterChanged { state: ClusterState::Failed, .. })
    };
    let gone = ran.events.iter().find(gone).expect("it is gone").at;
    assert_eq!(ran.failed(), Some((5, 5)));
    assert_eq!(ran.events.last().expect("it ends").at, gone);
}

#[test]
fn what_went_along_with_a_cluster_that_never_came_up_goes_along_with_the_next() {
    let mut bench = chain("a b", Goal::RunTransient);
    // Where questions are cheap the steps are asked about in the same breath.
    bench.capabilities.pace = Pace::steady(Duration::from_secs(15), Duration::from_secs(15));
    bench.script.bootstrap_failures = 1;
    let ran = bench.run().clean();
    assert_eq!((&ran.outcome, ran.calls[&Operation::Launch]), (&Outcome::Succeeded, 2));
}

/// The first sending was lost, so its attempts are those of an order that is sent again; what that is for never began.
#[test]
fn an_attempt_that_a_broken_cluster_took_along_is_the_first_on_the_next() {
    let mut bench =
        chain("a b", Goal::RunTransient).fault(Operation::Launch, 1, Fault::LoseRequest);
    for nth in 1..=6 {
        bench = bench.fault(Operation::Find, nth, Fault::Refuse(ErrorKind::Unavailable));
    }
    bench.script.bootstrap_failures = 1;
    let ran = bench.run().clean();
    assert_eq!(ran.ends(), "a1:SUCC b1:SUCC");
    assert_eq!(ran.outcome, Outcome::Succeeded);
}

#[test]
fn who_comes_back_after_the_cluster_is_gone_hears_how_all_its_steps_ended() {
    let mut bench = chain("a b c d e f", Goal::RunTransient);
    bench.script.cluster_ends = Some((3, ClusterState::Stopped));
    bench.script.runs_unwatched = true;
    let gone = bench.run().clean().events.into_iter().find(|event| {
        matches!(&event.kind, EventKind::ClusterChanged { state: ClusterState::Stopped, .. })
    });
    let gone = usize::try_from(gone.expect("it goes").seq).expect("it is small");
    bench.kills.after_events = [gone].into();
    let ran = bench.run().clean();
    assert_eq!(ran.ends(), "a1:SUCC b1:SUCC c1:SUCC d1:SUCC e1:SUCC f1:SUCC");
    assert_eq!(ran.outcome, Outcome::Succeeded);
}

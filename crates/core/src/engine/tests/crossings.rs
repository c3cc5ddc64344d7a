//! Signals, refusals and losses that cross with orders and ends.

use super::*;

#[test]
fn a_launch_that_is_refused_for_good_after_one_that_was_lost_is_not_sent_again() {
    for goal in [Goal::Up, Goal::RunTransient] {
        let steps = if goal == Goal::Up { Vec::new() } else { Bench::dag("a", &[]).steps };
        let ran = Bench::new(goal, steps)
            .fault(Operation::Launch, 1, Fault::LoseRequest)
            .fault(Operation::Launch, 2, Fault::Refuse(ErrorKind::Auth))
            .run()
            .clean();
        assert_eq!(ran.orders(), "?r.1.1 lost no absent ?r.1.2 never");
        assert!(matches!(ran.outcome, Outcome::Refused { .. }), "{:?}", ran.outcome);
    }
}

#[test]
fn a_signal_between_the_intent_and_the_order_keeps_the_order_back() {
    for (signal, left) in [(15, false), (1, true)] {
        let mut bench = Bench::dag("a b", &[]);
        // The fourth event is the second intent: both are told before the first order goes out.
        bench.signals = vec![(4, signal)];
        let ran = bench.run().clean();
        assert_eq!(ran.calls[&Operation::Submit], 0);
        assert_eq!(ran.outcome, Outcome::Interrupted { signal, left });
    }
    let mut bench = Bench::new(Goal::Up, Vec::new());
    bench.signals = vec![(2, 15)];
    let ran = bench.run().clean();
    assert_eq!((ran.calls[&Operation::Launch], ran.left_over.len()), (0, 0));
    assert_eq!(ran.outcome, Outcome::Interrupted { signal: 15, left: false });
}

#[test]
fn signals_that_come_together_are_one_and_its_orders_go_out() {
    for signals in [[15, 15], [15, 1], [2, 15]] {
        let mut bench = Bench::dag("a", &[]).goal(Goal::RunTransient);
        bench.signals = signals.map(|signal| (6, signal)).to_vec();
        let ran = bench.does("a", &[StepScript::never_ends()]).run().clean();
        assert_eq!(ran.outcome, Outcome::Interrupted { signal: signals[0], left: false });
        assert_eq!(ran.left_over, []);
    }
}

/// A request may take its time, and two signals come meanwhile.
#[test]
fn of_signals_that_come_apart_and_are_heard_together_the_second_counts() {
    for (goal, at) in [(Goal::RunTransient, 3), (Goal::RunTransient, 6), (Goal::Run, 4)] {
        let stubborn = StepScript { stubborn: 1000, ..StepScript::never_ends() };
        let mut bench = Bench::dag("a b", &[("b", "a")]).goal(goal).does("a", &[stubborn]);
        bench.signals = vec![(at, 15), (at, 2)];
        bench.apart = true;
        let ran = bench.run().clean();
        assert!(matches!(ran.outcome, Outcome::InDoubt { .. }), "{goal:?} {at} {:?}", ran.outcome);
        let order = if goal == Goal::Run { Operation::Cancel } else { Operation::Terminate };
        assert_eq!(ran.calls[&order], 1, "what they ask for went out: {goal:?} {at}");
        assert!(!ran.ends().contains("CANC"), "nothing is waited for: {}", ran.ends());
    }
    let mut bench = Bench::dag("a", &[]);
    bench.signals = vec![(1, 15), (1, 2)];
    bench.apart = true;
    let ran = bench.run().clean();
    assert_eq!(ran.outcome, Outcome::Interrupted { signal: 15, left: false }, "nothing runs");
}

#[test]
fn what_a_signal_asks_for_goes_out_before_the_next_question() {
    for (goal, at) in [(Goal::Up, 3), (Goal::Run, 4)] {
        let steps = if goal == Goal::Up { Vec::new() } else { Bench::dag("a", &[]).steps };
        // That is not answered.
        let question = if goal == Goal::Up { Operation::Inspect } else { Operation::Poll };
        let mut bench = Bench::new(goal, steps).does("a", &[StepScript::never_ends()]).fault(
            question,
            1,
            Fault::Refuse(ErrorKind::Unavailable),
        );
        bench.signals = vec![(at, 15)];
        let ran = bench.run().clean();
        let [ordered, signal, next] = [0, 1, 2].map(|n| &ran.events[at - 1 + n].kind);
        let ordered = matches!(ordered, EventKind::Launched { .. } | EventKind::Submitted { .. });
        let is_order =
            matches!(next, EventKind::TerminateIntended { .. } | EventKind::CancelIntended { .. });
        assert!(matches!(signal, EventKind::Interrupted { .. }), "{:?}", ran.events);
        assert!(ordered && is_order, "{goal:?}: {:?}", ran.events);
    }
}

#[test]
fn a_failed_attempt_whose_retry_a_noop_prevents_is_a_failure() {
    let ran = Bench::dag("a b", &[])
        .step("a", |s| s.rules.retries = retries(2))
        .step("b", |s| s.rules.on_result = noop_rules())
        .does("a", &[FAILS])
        .does("b", &[StepScript { running: 2, ..StepScript::exits(3) }])
        .run()
        .clean();
    assert_eq!(ran.ends(), "a1:FAIL b1:SUCC a:noop");
    assert_eq!(ran.failed(), Some((1, 2)));
    // One that no fabric ever took has not failed.
    let ran = Bench::dag("a b", &[])
        .step("b", |s| s.rules.on_result = noop_rules())
        .fault(Operation::Submit, 1, Fault::Refuse(ErrorKind::Quota))
        .fault(Operation::Submit, 3, Fault::Refuse(ErrorKind::Quota))
        .does("b", &[StepScript { running: 0, ..StepScript::exits(3) }])
        .run()
        .clean();
    assert_eq!(ran.ends(), "b1:SUCC a:noop");
    assert_eq!(ran.outcome, Outcome::Noop { step: "b".into() });
}

#[test]
fn a_cluster_that_vanishes_under_its_steps_is_doubt_not_an_endless_wait() {
    for goal in [Goal::Run, Goal::RunTransient] {
        let mut bench = Bench::dag("a b", &[("b", "a")]).goal(goal);
        for nth in 2..=1000 {
            bench = bench.fault(Operation::Poll, nth, Fault::Refuse(ErrorKind::NotFound));
        }
        let ran = bench.does("a", &[SLOW]).run().clean();
        assert!(matches!(ran.outcome, Outcome::InDoubt { .. }), "{goal:?} {:?}", ran.outcome);
        assert!(ran.calls[&Operation::Poll] < 10, "{goal:?} {:?}", ran.calls);
        let terminates = u32::from(goal == Goal::RunTransient);
        assert_eq!(ran.calls[&Operation::Terminate], terminates, "{goal:?}");
    }
}

#[test]
fn a_fabric_that_knows_all_at_once_is_not_asked_again_for_an_unknown_end() {
    let mut bench = Bench::dag("a", &[]).does("a", &[StepScript { end: End::Unknown, ..SLOW }]);
    let minute = Duration::from_secs(60);
    bench.capabilities.pace = Pace { rings: true, ..Pace::steady(minute, minute) };
    let ran = bench.run().clean();
    assert!(matches!(ran.outcome, Outcome::InDoubt { .. }), "{:?}", ran.outcome);
    let [.., seen, ended] = &ran.events[..] else { panic!("{:?}", ran.events) };
    assert_eq!(seen.at, ended.at);
}

#[test]
fn a_cluster_that_comes_up_in_a_state_nobody_knows_is_doubt() {
    let mut bench = Bench::new(Goal::Up, Vec::new());
    bench.script.notches = 9;
    bench.script.cluster_ends = Some((2, ClusterState::Unknown));
    let ran = bench.run().clean();
    assert!(matches!(ran.outcome, Outcome::InDoubt { .. }), "{:?}", ran.outcome);
}

#[test]
fn questions_for_a_lost_order_grow_seldom() {
    let mut bench = Bench::dag("a", &[]).fault(Operation::Submit, 1, Fault::LoseAnswer);
    bench.capabilities.settle = Duration::ZERO;
    bench.settings.contact_limit = Duration::from_secs(300);
    for nth in 1..=1000 {
        bench = bench.fault(Operation::Find, nth, Fault::Refuse(ErrorKind::Unavailable));
    }
    let ran = bench.run().clean();
    assert!(matches!(ran.outcome, Outcome::InDoubt { .. }), "{:?}", ran.outcome);
    let asked = ran.count(|k| matches!(k, EventKind::OrderLost { .. }));
    assert!((5..15).contains(&asked), "{asked}");
}

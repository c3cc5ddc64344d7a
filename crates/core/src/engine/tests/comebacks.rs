//! Runs that another process may have begun, and drivers that died between two events that belong together.

use super::*;

/// Two drivers without a common journal, as two pods are, one after the other: the first is killed as its bench says,
/// the second begins the same run afresh.
fn by_two(bench: &Bench, first: Kills) -> Ran {
    let clock = Arc::new(Clock::turned_by_hand(Timestamp::UNIX_EPOCH));
    let given = ClusterId::new("given");
    let fabric = Memory::new(bench.capabilities.clone(), bench.script.clone(), Arc::clone(&clock));
    let launches = bench.goal.launches();
    let fabric = if launches { fabric } else { fabric.with_cluster(&given) };
    let (plan, mut outcome, mut events) = (bench.plan(), None, Vec::new());
    for kills in [first, Kills::default()] {
        events.clear();
        let cluster = (!launches).then(|| given.clone());
        let start = Start::Fresh(Fresh::new(RunId::new("r"), bench.goal, cluster));
        let mortal = Mortal { fabric: &fabric, kills: &kills, calls: AtomicUsize::new(0) };
        let bench = Bench { kills: kills.clone(), ..copy(bench) };
        outcome = bench.drive(start, &plan, &mortal, &clock, &mut events);
    }
    Ran::of(outcome.expect("the second lives"), events, &fabric)
}

fn copy(bench: &Bench) -> Bench {
    Bench {
        capabilities: bench.capabilities.clone(),
        script: bench.script.clone(),
        settings: bench.settings,
        steps: bench.steps.clone(),
        ..Bench::new(bench.goal, Vec::new())
    }
}

fn asking(mut bench: Bench) -> Bench {
    bench.settings.ask_first = true;
    bench
}

/// Kills after the first event of that kind.
fn after_event(bench: &Bench, of: impl Fn(&EventKind) -> bool) -> Kills {
    let at = bench.run().events.iter().position(|event| of(&event.kind)).expect("it happens") + 1;
    Kills { after_events: [at].into(), ..Kills::default() }
}

#[test]
fn the_first_order_is_asked_for_until_one_is_proven_absent() {
    let ran = asking(Bench::dag("a b", &[("b", "a")])).run().clean();
    assert_eq!(ran.orders(), "?r.1.1 no absent ?r.1.2 ok ?r.2.1 ok");
    assert_eq!((&ran.outcome, ran.calls[&Operation::Submit]), (&Outcome::Succeeded, 2));
    let intended: Vec<_> = ran
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::SubmitIntended { ask_first, .. } => Some((*ask_first, event.at)),
            _ => None,
        })
        .collect();
    assert_eq!(intended.iter().map(|it| it.0).collect::<Vec<_>>(), [true, false, false]);
    // At once, then after `settle`; what was not sent is no reason to wait.
    let looked = ran.events.iter().filter(|e| matches!(e.kind, EventKind::OrderNotFound { .. }));
    let seconds: Vec<_> =
        looked.map(|event| event.at.duration_since(intended[0].1).as_secs()).collect();
    assert_eq!(seconds, [0, 10]);
    assert_eq!(intended[1].1.duration_since(intended[0].1).as_secs(), 10);
    let plain = Bench::dag("a b", &[("b", "a")]).run().clean();
    assert_eq!(plain.orders(), "?r.1.1 ok ?r.2.1 ok", "nobody else begins such a run");
}

#[test]
fn a_launch_is_asked_for_too_and_what_is_proven_absent_is_so_for_all() {
    let bench = asking(Bench::dag("a", &[]).goal(Goal::RunTransient));
    let ran = bench.run().clean();
    assert_eq!(ran.orders(), "?r.1.1 no absent ?r.1.2 ok ?r.2.1 ok");
    // Where all is seen at once, one look proves it.
    let mut local = asking(Bench::dag("a", &[]));
    local.capabilities.settle = Duration::ZERO;
    assert_eq!(local.run().clean().orders(), "?r.1.1 absent ?r.1.2 ok");
}

#[test]
fn what_another_ordered_is_adopted_and_the_rest_ordered() {
    let chain = || Bench::dag("a b", &[("b", "a")]).goal(Goal::RunTransient);
    let bench = asking(chain());
    let submitted = |nth: u32| {
        move |kind: &EventKind| {
            matches!(kind, EventKind::Submitted { token, .. }
                if token.numbers().is_some_and(|(order, _)| order == nth))
        }
    };
    for (nth, orders) in [
        (2, "?r.1.1 found ?r.2.1 found ?r.3.1 no absent ?r.3.2 ok"),
        (3, "?r.1.1 found ?r.2.1 found ?r.3.1 found"),
    ] {
        let kills = after_event(&bench, submitted(nth));
        let ran = by_two(&bench, kills).clean();
        assert_eq!((ran.orders().as_str(), &ran.outcome), (orders, &Outcome::Succeeded));
        let calls = [Operation::Launch, Operation::Submit].map(|of| ran.calls[&of]);
        assert_eq!((calls, ran.left_over), ([1, 2], vec![]), "none was given twice");
    }
    // Who does not ask repeats what was done.
    let kills = after_event(&bench, submitted(3));
    let ran = by_two(&Bench { settings: Settings::default(), ..copy(&bench) }, kills);
    assert!(ran.calls[&Operation::Launch] > 1 || !ran.violations.is_empty());
}

/// The first driver brought all to its end, and its journal is lost: what became of the steps is still known there.
#[test]
fn what_another_ordered_is_adopted_when_the_cluster_is_gone() {
    let gone = |kind: &EventKind| matches!(kind, EventKind::ClusterChanged { state, .. } if state.is_final());
    let chain = || asking(Bench::dag("a b", &[("b", "a")]).goal(Goal::RunTransient));
    let bad = chain().does("a", &[StepScript::exits(1)]);
    for (bench, orders, ends) in [
        (chain(), "?r.1.1 found ?r.2.1 found ?r.3.1 found", "a1:SUCC b1:SUCC"),
        (bad, "?r.1.1 found ?r.2.1 found", "a1:FAIL b:fail"),
    ] {
        let ran = by_two(&bench, after_event(&bench, gone)).clean();
        assert_eq!((ran.orders().as_str(), ran.ends().as_str()), (orders, ends));
        assert_eq!(ran.calls[&Operation::Launch], 1);
    }
}

#[test]
fn what_cannot_be_told_is_in_doubt_and_not_ordered() {
    let mut bench = asking(Bench::dag("a", &[]).goal(Goal::RunTransient));
    for nth in 1..=1000 {
        bench = bench.fault(Operation::FindCluster, nth, Fault::Refuse(ErrorKind::Auth));
    }
    let ran = bench.run().clean();
    let Outcome::InDoubt { reason } = &ran.outcome else { panic!("{:?}", ran.outcome) };
    assert!(reason.contains("look for a cluster of run `r` on fabric `memory`"), "{reason}");
    assert_eq!(ran.calls[&Operation::Launch], 0);
    let ended = ran.events.last().expect("there are events").at;
    assert_eq!(ended.duration_since(Timestamp::UNIX_EPOCH).as_secs(), 30 * 60);
}

#[test]
fn what_another_may_have_ordered_is_looked_for_seven_days_back() {
    let ran = asking(Bench::dag("a", &[])).run().clean();
    let asked = ran
        .events
        .iter()
        .position(|event| matches!(event.kind, EventKind::SubmitIntended { ask_first: true, .. }));
    let upto = &ran.events[..=asked.expect("it asks")];
    let mut state = RunState::fold(upto).expect("legal");
    let order = state.orders.get_mut(&1).expect("it is open");
    assert_eq!(order.lost, Some(order.intended), "it counts as lost from the start");
    assert_eq!(order.intended.duration_since(order.since()).as_secs(), 7 * 24 * 3600);
    order.ask_first = false;
    assert_eq!(order.since(), order.intended);
}

/// The order was refused for good, and its driver died before it could say what that means for the step.
#[test]
fn the_next_driver_says_what_a_refusal_means() {
    for (nth, orders, ends, failed) in [
        (2, "?r.1.1 ok ?r.2.1 never", "a1:SUCC b1:FAIL c:fail", Some((2, 3))),
        (1, "?r.1.1 never", "a1:FAIL b:fail c:fail", None),
    ] {
        let mut bench = Bench::dag("a b c", &[("b", "a"), ("c", "b")]).fault(
            Operation::Submit,
            nth,
            Fault::Refuse(ErrorKind::Auth),
        );
        let plain = bench.run().clean();
        let refused =
            |event: &Event| matches!(event.kind, EventKind::OrderRefused { last: true, .. });
        let at = plain.events.iter().position(refused).expect("it is refused") + 1;
        bench.kills.after_events = [at].into();
        let ran = bench.run().clean();
        assert_eq!(ran.count(|kind| matches!(kind, EventKind::Attached { .. })), 1);
        assert_eq!((ran.orders().as_str(), ran.ends().as_str()), (orders, ends));
        assert_eq!(ran.failed(), failed, "{:?}", ran.outcome);
        if nth == 1 {
            assert_eq!(plain.outcome, ran.outcome, "nothing was ever taken");
        }
        let reason = ran.events.iter().find_map(|event| match &event.kind {
            EventKind::StepEnded { native, reason, .. } if native == "REFUSED" => reason.clone(),
            _ => None,
        });
        assert_eq!(reason.as_deref(), Some("the fabric refused it"));
    }
}

/// Nobody asks about steps that were given up, and only about those.
#[test]
fn what_is_given_up_is_not_asked_about() {
    let unknown = StepScript { end: End::Unknown, ..SLOW };
    let bench = Bench::dag("a b", &[("b", "a")]).does("a", &[unknown, StepScript::exits(0)]);
    let doubt = bench.run().clean();
    assert!(matches!(doubt.outcome, Outcome::InDoubt { .. }), "{:?}", doubt.outcome);
    let mut bench = bench;
    // It attaches first, as the end is open, and to no avail.
    bench.comebacks = 1;
    assert!(matches!(bench.run().clean().outcome, Outcome::InDoubt { .. }));
    let state = RunState::fold(&doubt.events).expect("legal");
    let start = Start::Resume { resume: resume(&state), state: Box::new(state) };
    let clock = Arc::new(Clock::turned_by_hand(doubt.events.last().expect("events").at));
    let fabric = Memory::new(bench.capabilities.clone(), bench.script.clone(), Arc::clone(&clock))
        .with_cluster(&ClusterId::new("given"));
    let mortal = Mortal { fabric: &fabric, kills: &bench.kills, calls: AtomicUsize::new(0) };
    let mut events = doubt.events.clone();
    let outcome = bench.drive(start, &bench.plan(), &mortal, &clock, &mut events);
    let ran = Ran::of(outcome.expect("it lives"), events, &fabric).clean();
    assert_eq!(
        (&ran.outcome, ran.ends().as_str()),
        (&Outcome::Succeeded, "b:fail a2:SUCC b1:SUCC")
    );
    assert_eq!(ran.orders(), "?r.1.1 ok ?r.2.1 ok ?r.3.1 ok", "the numbers of orders go on");
}

//! The queue of steps.

use std::time::Duration;

use super::*;
use crate::fabric::emr::fake::{StepEnd, StepScript};

const NONE: [&str; 0] = [];

#[test]
fn one_at_a_time_in_order() {
    let mut bench = Bench::new(Script::default().step("b", StepScript::completes(30)));
    let id = bench.ready();
    assert_eq!(bench.state(&id), "WAITING");
    bench.submit(&id, &[step("a", "CONTINUE"), step("b", "CONTINUE"), step("c", "CONTINUE")]);
    assert_eq!(bench.states(&id), ["RUNNING", "PENDING", "PENDING"]);
    assert_eq!(bench.state(&id), "RUNNING");
    bench.pass(60);
    assert_eq!(bench.states(&id), ["COMPLETED", "RUNNING", "PENDING"]);
    bench.pass(30);
    assert_eq!(bench.states(&id), ["COMPLETED", "COMPLETED", "RUNNING"]);
    bench.pass(60);
    assert_eq!(bench.states(&id), ["COMPLETED", "COMPLETED", "COMPLETED"]);
    assert_eq!(bench.state(&id), "WAITING");
    let ends: Vec<_> = bench.world.steps().map(|step| (step.started, step.ended)).collect();
    assert_eq!(ends[1].0, ends[0].1, "the next starts when the one before it ends");
    assert_eq!(ends[2].0, ends[1].1);
}

/// However the clock jumps, what happens in between is the same.
#[test]
fn a_jump_of_the_clock_leaves_nothing_out() {
    let mut slow = Bench::new(Script::default());
    let mut fast = Bench::new(Script::default());
    let steps = [step("a", "CONTINUE"), step("b", "CANCEL_AND_WAIT")];
    let (id, same) = (slow.launch(false, &steps), fast.launch(false, &steps));
    (0..500).for_each(|_| slow.pass(1));
    fast.pass(500);
    assert_eq!(slow.status(&id), fast.status(&same));
    let list = json!({"ClusterId": id});
    assert_eq!(slow.call("ListSteps", list.clone()), fast.call("ListSteps", list));
}

#[test]
fn several_at_once_where_the_cluster_allows_it() {
    let mut bench = Bench::new(Script::default());
    let mut order = order(true, &[]);
    order["StepConcurrencyLevel"] = json!(2);
    let reply = bench.call("RunJobFlow", order);
    let id = reply["JobFlowId"].as_str().expect("an id").to_owned();
    bench.pass(180);
    bench.submit(&id, &["a", "b", "c"].map(|name| step(name, "CONTINUE")));
    assert_eq!(bench.states(&id), ["RUNNING", "RUNNING", "PENDING"]);
    for rule in ["CANCEL_AND_WAIT", "TERMINATE_CLUSTER"] {
        let steps = json!({"JobFlowId": id, "Steps": [step("d", rule)]});
        assert_eq!(bench.refused("AddJobFlowSteps", steps).code, "ValidationException");
    }
}

#[test]
fn a_failed_step_and_what_its_rule_says() {
    for (rule, states, state) in [
        ("CONTINUE", ["FAILED", "RUNNING", "PENDING"], "RUNNING"),
        ("CANCEL_AND_WAIT", ["FAILED", "CANCELLED", "CANCELLED"], "WAITING"),
        ("TERMINATE_CLUSTER", ["FAILED", "CANCELLED", "CANCELLED"], "TERMINATING"),
        ("TERMINATE_JOB_FLOW", ["FAILED", "CANCELLED", "CANCELLED"], "TERMINATING"),
    ] {
        let mut bench = Bench::new(Script::default().step("a", StepScript::fails(10)));
        let id = bench.ready();
        bench.submit(&id, &[step("a", rule), step("b", "CONTINUE"), step("c", "CONTINUE")]);
        bench.pass(10);
        assert_eq!(bench.states(&id), states, "{rule}");
        assert_eq!(bench.state(&id), state, "{rule}");
        assert_eq!(bench.world.runs("c"), 0, "{rule}");
    }
}

#[test]
fn after_cancel_and_wait_the_cluster_takes_steps_again() {
    let mut bench = Bench::new(Script::default().step("a", StepScript::fails(10)));
    let id = bench.ready();
    bench.submit(&id, &[step("a", "CANCEL_AND_WAIT"), step("b", "CONTINUE")]);
    bench.pass(10);
    bench.submit(&id, &[step("c", "CONTINUE")]);
    assert_eq!(bench.states(&id), ["FAILED", "CANCELLED", "RUNNING"]);
}

#[test]
fn cancelling_takes_its_time_and_fires_no_rule() {
    let mut bench = Bench::new(Script::default().step("a", StepScript::never_ends()));
    let id = bench.ready();
    let ids = bench.submit(&id, &["a", "b", "c"].map(|name| step(name, "CANCEL_AND_WAIT")));
    let body = json!({"ClusterId": id, "StepIds": [ids[0], ids[1]]});
    let reply = bench.call("CancelSteps", body.clone());
    assert_eq!(reply["CancelStepsInfoList"][0], json!({"StepId": ids[0], "Status": "SUBMITTED"}));
    assert_eq!(bench.states(&id), ["CANCEL_PENDING", "CANCEL_PENDING", "PENDING"]);
    let again = bench.call("CancelSteps", body.clone());
    assert_eq!(again["CancelStepsInfoList"][0]["Status"], "FAILED");
    bench.pass(5);
    assert_eq!(bench.states(&id), ["CANCELLED", "CANCELLED", "RUNNING"]);
    let late = bench.call("CancelSteps", body);
    assert_eq!(late["CancelStepsInfoList"][1]["Status"], "FAILED");
    assert_eq!(bench.world.violations(), NONE);
}

#[test]
fn the_next_starts_no_earlier_than_the_one_before_it_is_cancelled() {
    let waits = StepScript { waits: Duration::from_secs(40), ..StepScript::completes(60) };
    let mut bench = Bench::new(Script::default().step("a", waits));
    let id = bench.ready();
    let ids = bench.submit(&id, &[step("a", "CONTINUE"), step("b", "CONTINUE")]);
    bench.pass(30);
    bench.call("CancelSteps", json!({"ClusterId": id, "StepIds": [ids[0]]}));
    bench.pass(30);
    assert_eq!(bench.states(&id), ["CANCELLED", "RUNNING"]);
    let next = bench.world.steps().nth(1).expect("there are two");
    assert_eq!(next.started, Some(add(next.created, Duration::from_secs(30))));
}

#[test]
fn a_step_may_end_before_it_is_cancelled_or_refuse_to_be() {
    let stubborn = StepScript { stubborn: Duration::from_secs(100), ..StepScript::completes(60) };
    let refusing = StepScript { refuses_cancel: true, ..StepScript::completes(60) };
    let mut bench = Bench::new(Script::default().step("a", stubborn).step("b", refusing));
    let id = bench.ready();
    let ids = bench.submit(&id, &[step("a", "CONTINUE"), step("b", "CONTINUE")]);
    let reply = bench.call("CancelSteps", json!({"ClusterId": id, "StepIds": ids}));
    assert_eq!(reply["CancelStepsInfoList"][1]["Status"], "FAILED");
    bench.pass(120);
    assert_eq!(bench.states(&id), ["COMPLETED", "COMPLETED"]);
}

#[test]
fn steps_end_as_they_are_told() {
    let ends = [
        ("CANCELLED", StepEnd::Cancelled),
        ("INTERRUPTED", StepEnd::Interrupted),
        ("PAUSED", StepEnd::Word("PAUSED")),
    ];
    for (state, end) in ends {
        let mut bench = Bench::new(Script::default().step("a", StepScript::ends(10, end)));
        let id = bench.ready();
        bench.submit(&id, &[step("a", "CANCEL_AND_WAIT"), step("b", "CONTINUE")]);
        bench.pass(10);
        assert_eq!(bench.states(&id), [state, "RUNNING"], "only a failure fires the rule");
    }
}

#[test]
fn scripts_go_by_name_and_attempt() {
    let mut script = Script::default();
    script.steps.insert("a".to_owned(), vec![StepScript::fails(1), StepScript::completes(1)]);
    let mut bench = Bench::new(script);
    let id = bench.ready();
    for state in ["FAILED", "COMPLETED", "COMPLETED"] {
        bench.submit(&id, &[step("a", "CONTINUE")]);
        bench.pass(1);
        assert_eq!(bench.states(&id).last().map(String::as_str), Some(state));
    }
    assert_eq!((bench.world.runs("a"), bench.world.submissions("a")), (3, 3));
}

#[test]
fn a_step_ends_by_hand() {
    let mut bench = Bench::new(Script::default().step("a", StepScript::never_ends()));
    let id = bench.ready();
    let ids = bench.submit(&id, &[step("a", "CONTINUE")]);
    bench.pass(100_000);
    assert_eq!(bench.states(&id), ["RUNNING"]);
    bench.world.finish(&ids[0], StepEnd::Failed(None));
    assert_eq!(bench.states(&id), ["FAILED"]);
}

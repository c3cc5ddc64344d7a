//! How clusters come up and end.

use std::time::Duration;

use super::*;
use crate::fabric::emr::fake::{ClusterScript, Death, Fate, Moment, StepScript};

/// A script for one kind of cluster, whose step `f` fails.
fn script(cluster: ClusterScript) -> Script {
    let script = Script::default().step("f", StepScript::fails(10));
    Script { clusters: vec![cluster], ..script }
}

fn reason(status: &Value) -> (&str, &str, &str) {
    let reason = &status["StateChangeReason"];
    let text = |member: &str| reason[member].as_str().unwrap_or_default();
    (status["State"].as_str().unwrap_or_default(), text("Code"), text("Message"))
}

#[test]
fn a_cluster_comes_up_in_its_time() {
    let mut bench = Bench::new(Script::default());
    let id = bench.launch(true, &[]);
    let mut seen = Vec::new();
    for seconds in [0, 119, 1, 59, 1] {
        bench.pass(seconds);
        seen.push(bench.state(&id));
    }
    assert_eq!(seen, ["STARTING", "STARTING", "BOOTSTRAPPING", "BOOTSTRAPPING", "WAITING"]);
    let timeline = &bench.status(&id)["Timeline"];
    assert_eq!(timeline["CreationDateTime"], json!(1_711_360_800.0));
    assert_eq!(timeline["ReadyDateTime"], json!(1_711_360_980.0));
    assert!(timeline["EndDateTime"].is_null());
    bench.pass(1_000_000);
    assert_eq!(bench.state(&id), "WAITING");
}

#[test]
fn a_cluster_that_does_not_stay_ends_with_its_steps() {
    for (name, said) in [
        ("a", ("TERMINATING", "ALL_STEPS_COMPLETED", "Steps completed")),
        ("f", ("TERMINATING", "STEP_FAILURE", "Steps completed with errors")),
    ] {
        let mut bench = Bench::new(script(ClusterScript::default()));
        let id = bench.launch(false, &[step(name, "CONTINUE")]);
        bench.pass(240);
        assert_eq!(reason(&bench.status(&id)), said);
        bench.pass(60);
        assert_eq!(bench.state(&id), "TERMINATED");
        assert_eq!(bench.world.alive().count(), 0);
    }
}

#[test]
fn cancel_and_wait_ends_a_cluster_that_does_not_stay() {
    let mut bench = Bench::new(script(ClusterScript::default()));
    let id = bench.launch(false, &[step("f", "CANCEL_AND_WAIT"), step("b", "CONTINUE")]);
    bench.pass(400);
    assert_eq!(bench.states(&id), ["FAILED", "CANCELLED"]);
    assert_eq!((bench.state(&id).as_str(), bench.world.runs("b")), ("TERMINATED", 0));
}

#[test]
fn terminated_with_an_empty_reason_after_a_failed_step() {
    let mut bench =
        Bench::new(script(ClusterScript { failed: Some(Death::unsaid()), ..Default::default() }));
    let id = bench.launch(false, &[step("f", "CONTINUE"), step("b", "CONTINUE")]);
    bench.pass(400);
    let status = bench.status(&id);
    assert_eq!(status["State"], "TERMINATED");
    assert_eq!(status["StateChangeReason"], json!({}));
    assert_eq!(bench.states(&id), ["FAILED", "COMPLETED"]);
}

#[test]
fn a_step_that_terminates_the_cluster() {
    let mut bench = Bench::new(script(ClusterScript::default()));
    let id = bench.launch(true, &[step("f", "TERMINATE_CLUSTER"), step("b", "CONTINUE")]);
    bench.pass(400);
    let said = ("TERMINATED_WITH_ERRORS", "STEP_FAILURE", "Shut down as step failed");
    assert_eq!(reason(&bench.status(&id)), said);
}

#[test]
fn every_death_shows_its_reason_and_details() {
    for (moment, death) in [
        (Moment::Starting, Death::invalid("The VPC/subnet configuration was invalid")),
        (Moment::Starting, Death::capacity()),
        (Moment::Starting, Death::fleet_timeout()),
        (Moment::Bootstrapping, Death::bootstrap()),
        (Moment::After(Duration::from_secs(10)), Death::internal()),
        (Moment::Ready(Duration::from_secs(10)), Death::instance()),
        (Moment::Ready(Duration::from_secs(10)), Death::spot()),
        (Moment::Ready(Duration::from_secs(10)), Death::user()),
        (Moment::Ready(Duration::from_secs(10)), Death::unsaid()),
    ] {
        let mut bench = Bench::new(script(ClusterScript::dying(moment, death.clone())));
        let id = bench.launch(true, &[step("a", "CONTINUE"), step("b", "CONTINUE")]);
        bench.pass(500);
        let status = bench.status(&id);
        let last = if death.errors { "TERMINATED_WITH_ERRORS" } else { "TERMINATED" };
        let message = death.message.as_deref().unwrap_or_default();
        assert_eq!(reason(&status), (last, death.code.unwrap_or_default(), message));
        let details = status["ErrorDetails"].as_array().map_or(0, Vec::len);
        assert_eq!(details, death.details.len());
        assert_eq!(bench.states(&id), ["CANCELLED", "CANCELLED"]);
        let ready = !status["Timeline"]["ReadyDateTime"].is_null();
        assert_eq!(ready, matches!(moment, Moment::Ready(_)), "{death:?}");
    }
}

#[test]
fn the_first_launches_fail_to_bootstrap() {
    let mut bench = Bench::new(Script::default().failing_to_bootstrap(2));
    let ids: Vec<String> = (0..4).map(|_| bench.launch(true, &[])).collect();
    bench.pass(1000);
    let states: Vec<String> = ids.iter().map(|id| bench.state(id)).collect();
    let failed = "TERMINATED_WITH_ERRORS";
    assert_eq!(states, [failed, failed, "WAITING", "WAITING"]);
}

#[test]
fn an_idle_cluster_ends_only_when_idle() {
    let idle = Some(Duration::from_secs(100));
    let mut bench = Bench::new(script(ClusterScript { idle, ..Default::default() }));
    let id = bench.ready();
    bench.pass(90);
    bench.submit(&id, &[step("a", "CONTINUE")]);
    bench.pass(90);
    assert_eq!(bench.state(&id), "WAITING");
    bench.pass(70);
    assert_eq!(reason(&bench.status(&id)).0, "TERMINATING");
}

#[test]
fn what_becomes_of_steps_when_the_cluster_ends() {
    for (running, pending, states) in [
        (Fate::Cancelled, Fate::Cancelled, ["CANCELLED", "CANCELLED"]),
        (Fate::Interrupted, Fate::Kept, ["INTERRUPTED", "PENDING"]),
        (Fate::Kept, Fate::Cancelled, ["RUNNING", "CANCELLED"]),
    ] {
        let cluster = ClusterScript {
            running_steps: running,
            pending_steps: pending,
            ..ClusterScript::dying(Moment::Ready(Duration::from_secs(30)), Death::spot())
        };
        let mut bench = Bench::new(script(cluster));
        let id = bench.launch(false, &[step("a", "CONTINUE"), step("b", "CONTINUE")]);
        bench.pass(100_000);
        assert_eq!(bench.states(&id), states);
        assert_eq!(bench.state(&id), "TERMINATED_WITH_ERRORS");
    }
}

#[test]
fn terminating_comes_before_terminated() {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    bench.submit(&id, &[step("a", "CONTINUE"), step("b", "CONTINUE")]);
    assert_eq!(bench.call("TerminateJobFlows", json!({"JobFlowIds": [id]})), json!({}));
    let said = ("TERMINATING", "USER_REQUEST", "Terminated by user request");
    assert_eq!(reason(&bench.status(&id)), said);
    assert_eq!(bench.states(&id), ["CANCELLED", "CANCELLED"]);
    bench.call("TerminateJobFlows", json!({"JobFlowIds": [id]}));
    bench.pass(60);
    assert_eq!(bench.state(&id), "TERMINATED");
    bench.call("TerminateJobFlows", json!({"JobFlowIds": [id]}));
    assert_eq!(bench.state(&id), "TERMINATED");
}

#[test]
fn the_protected_is_spared_and_the_rest_goes() {
    let protected = ClusterScript { protected: true, ..Default::default() };
    let mut bench = Bench::new(
        Script { clusters: vec![protected], ..Script::default() }.then(Default::default()),
    );
    let (spared, other) = (bench.ready(), bench.ready());
    let refusal = bench.refused("TerminateJobFlows", json!({"JobFlowIds": [spared, other]}));
    assert_eq!(refusal.code, "ValidationException");
    assert!(refusal.message.contains("termination protected"));
    assert_eq!(
        (bench.state(&spared).as_str(), bench.state(&other).as_str()),
        ("WAITING", "TERMINATING")
    );
}

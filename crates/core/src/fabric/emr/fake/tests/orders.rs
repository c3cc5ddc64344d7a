//! What is taken, what is refused, and what is noted.

use super::*;

#[test]
fn what_is_not_there_is_named_in_each_operations_words() {
    let mut bench = Bench::new(Script::default());
    let steps = [step("a", "CONTINUE")];
    let id = "j-0000000000000";
    for (operation, body) in [
        ("AddJobFlowSteps", json!({"JobFlowId": id, "Steps": steps})),
        ("TerminateJobFlows", json!({"JobFlowIds": [id]})),
    ] {
        let refusal = bench.refused(operation, body);
        let said = (refusal.code, refusal.error_code, refusal.message.as_str());
        assert_eq!(said, ("ValidationException", None, "Specified job flow ID does not exist."));
    }
    let odd = bench.refused("TerminateJobFlows", json!({"JobFlowIds": ["no-such-cluster"]}));
    assert_eq!(odd.message, "Specified job flow ID not valid.");
    for (operation, body) in [
        ("DescribeCluster", json!({"ClusterId": id})),
        ("ListSteps", json!({"ClusterId": id})),
        ("DescribeStep", json!({"ClusterId": id, "StepId": "s-1"})),
        ("CancelSteps", json!({"ClusterId": id, "StepIds": ["s-1"]})),
        ("ListBootstrapActions", json!({"ClusterId": id})),
        ("ListInstanceGroups", json!({"ClusterId": id})),
    ] {
        assert_eq!(
            bench.refused(operation, body).json(),
            json!({"__type": "InvalidRequestException", "ErrorCode": "NoSuchCluster",
                "Message": format!("Cluster id '{id}' is not valid.")})
        );
    }
}

#[test]
fn steps_are_taken_until_the_cluster_ends() {
    let mut bench = Bench::new(Script::default());
    let id = bench.launch(true, &[]);
    for seconds in [0, 120, 60, 10] {
        bench.pass(seconds);
        bench.submit(&id, &[step(&format!("s{seconds}"), "CONTINUE")]);
    }
    for seconds in [0, 60] {
        bench.call("TerminateJobFlows", json!({"JobFlowIds": [id]}));
        bench.pass(seconds);
        let late = json!({"JobFlowId": id, "Steps": [step("late", "CONTINUE")]});
        let refusal = bench.refused("AddJobFlowSteps", late);
        assert_eq!(refusal.code, "ValidationException");
        assert!(refusal.message.contains("may not be modified"), "{refusal:?}");
    }
    assert_eq!(bench.world.submissions("late"), 0);
}

#[test]
fn two_hundred_and_fifty_six_at_once() {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    let steps = |count: usize, name: &str| -> Vec<Value> {
        (0..count).map(|n| step(&format!("{name}{n}"), "CONTINUE")).collect()
    };
    let many = json!({"JobFlowId": id, "Steps": steps(257, "a")});
    assert_eq!(bench.refused("AddJobFlowSteps", many).code, "ValidationException");
    bench.submit(&id, &steps(256, "b"));
    let one = json!({"JobFlowId": id, "Steps": steps(1, "c")});
    let refusal = bench.refused("AddJobFlowSteps", one);
    assert!(refusal.message.contains("active steps"), "{refusal:?}");
    bench.pass(60);
    bench.submit(&id, &steps(1, "c"));
}

#[test]
fn ten_clusters_and_no_more_are_terminated_at_once() {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    let eleven = json!({"JobFlowIds": vec![&id; 11]});
    assert_eq!(bench.refused("TerminateJobFlows", eleven).code, "ValidationException");
    let one_unknown = json!({"JobFlowIds": [id, "j-0000000000000"]});
    bench.refused("TerminateJobFlows", one_unknown);
    assert_eq!(bench.state(&id), "WAITING", "all or none");
}

#[test]
fn what_is_denied() {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    bench.world.denied = ["ListSteps", "AddTags"].map(str::to_owned).into();
    let refusal = bench.refused("ListSteps", json!({"ClusterId": id}));
    assert_eq!((refusal.status, refusal.code), (400, "AccessDeniedException"));
    assert!(refusal.message.contains("elasticmapreduce:ListSteps"));
    let mut tagged = order(true, &[]);
    tagged["Tags"] = json!([{"Key": "dataflow-runner:run", "Value": "r-1.1.1"}]);
    let refusal = bench.refused("RunJobFlow", tagged);
    assert!(refusal.message.contains("elasticmapreduce:AddTags"), "{refusal:?}");
    assert_eq!(bench.world.clusters.len(), 1, "nothing was made");
    bench.launch(true, &[]);
}

#[test]
fn an_order_carried_out_twice_is_noted() {
    let mut bench = Bench::new(Script::default());
    let mut tagged = order(true, &[]);
    tagged["Tags"] = json!([{"Key": "dataflow-runner:run", "Value": "r-1.1.1"}]);
    bench.call("RunJobFlow", tagged.clone());
    bench.try_call("RunJobFlow", tagged).expect("EMR knows no better");
    assert_eq!(bench.world.violations().len(), 1, "{:?}", bench.world.violations());

    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    let body = json!({"JobFlowId": id, "Steps": [step("a", "CONTINUE"), step("b", "CONTINUE")]});
    bench.call("AddJobFlowSteps", body.clone());
    bench.pass(120);
    bench.call("AddJobFlowSteps", body.clone());
    bench.try_call("AddJobFlowSteps", body).expect("EMR knows no better");
    assert_eq!(bench.world.violations().len(), 1, "{:?}", bench.world.violations());
}

#[test]
fn an_unknown_operation_is_noted() {
    let mut bench = Bench::new(Script::default());
    let refusal = bench.refused("DescribeJobFlows", json!({}));
    assert_eq!(refusal.code, "UnknownOperationException");
    assert_eq!(bench.world.violations().len(), 1);
}

#[test]
fn the_log_uri_comes_back_in_another_scheme() {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    let reply = bench.call("DescribeCluster", json!({"ClusterId": id}));
    assert_eq!(reply["Cluster"]["LogUri"], "s3n://logs/emr/");
}

#[test]
fn ids_have_emrs_shape_and_differ() {
    let mut bench = Bench::new(Script::default());
    let mut all = std::collections::BTreeSet::new();
    for n in 0..40 {
        let steps: Vec<Value> = (0..25).map(|s| step(&format!("{n}-{s}"), "CONTINUE")).collect();
        let id = bench.launch(true, &[]);
        all.extend(bench.submit(&id, &steps));
        all.insert(id);
    }
    assert_eq!(all.len(), 40 * 26);
    for id in all {
        let (kind, rest) = id.split_at(2);
        assert!(matches!(kind, "j-" | "s-"), "{id}");
        assert_eq!(rest.len(), 13, "{id}");
        assert!(rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()), "{id}");
    }
}

//! What becomes of clusters.

use super::*;

#[test]
fn a_cluster_comes_up_and_goes_in_its_time() {
    let bench = Bench::new(Script::default());
    let made = bench.create("c1");
    assert_eq!(made["done"], Value::Null);
    let metadata = &made["metadata"];
    let kind = "type.googleapis.com/google.cloud.dataproc.v1.ClusterOperationMetadata";
    assert_eq!((metadata["@type"].as_str(), &metadata["clusterName"]), (Some(kind), &json!("c1")));
    assert_eq!(metadata["status"]["state"], "RUNNING");
    let mut seen = Vec::new();
    for seconds in [0, 89, 1] {
        bench.pass(seconds);
        seen.push(bench.state("c1"));
    }
    assert_eq!(seen, ["CREATING", "CREATING", "RUNNING"]);
    let done = bench.operation(&made);
    assert_eq!((&done["done"], &done["response"]["clusterName"]), (&json!(true), &json!("c1")));
    assert_eq!(done["response"]["clusterUuid"], metadata["clusterUuid"]);
    assert_eq!(bench.get("clusters/c1")["statusHistory"][0]["state"], "CREATING");

    let deleted = body(&bench.delete("c1", "1"));
    assert_eq!((bench.state("c1").as_str(), &deleted["done"]), ("DELETING", &Value::Null));
    bench.pass(29);
    assert_eq!(bench.operation(&deleted)["done"], Value::Null);
    bench.pass(1);
    assert_eq!(bench.state("c1"), "404");
    let empty = "type.googleapis.com/google.protobuf.Empty";
    assert_eq!(bench.operation(&deleted)["response"]["@type"], empty);
    assert_eq!(bench.fake.world(|world| world.alive().count()), 0);
    bench.is_clean();
}

#[test]
fn a_cluster_that_fails_stays_until_it_is_deleted_and_holds_quota() {
    let script = Script { most_clusters: Some(1), ..Script::default() };
    let script =
        script.cluster(ClusterScript::fails("Init action failed.")).then(ClusterScript::default());
    let bench = Bench::new(script);
    let made = bench.create("c1");
    bench.pass(100_000);
    let status = &bench.get("clusters/c1")["status"];
    assert_eq!(
        (&status["state"], &status["detail"]),
        (&json!("ERROR"), &json!("Init action failed."))
    );
    let error = &bench.operation(&made)["error"];
    assert_eq!(error["message"], "Init action failed.");
    let (code, _, message) = bench.refused("POST", "clusters?requestId=2", &cluster("c2"));
    assert!(code == 400 && message.contains("Insufficient 'CPUS' quota"), "{message}");
    let (code, status, _) =
        bench.refused("POST", "jobs:submit", &json!({"job": job("j", "c1"), "requestId": "j"}));
    assert_eq!((code, status.as_str()), (400, "FAILED_PRECONDITION"));
    bench.delete("c1", "1");
    bench.pass(30);
    assert_eq!(bench.operation(&made)["error"]["message"], "Init action failed.", "it stays so");
    assert_eq!(bench.create_with("2", &cluster("c2")).status, 200);
    bench.is_clean();
}

#[test]
fn the_same_request_makes_one_cluster() {
    let bench = Bench::new(Script::default());
    let first = bench.create("c1");
    let again = bench.create("c1");
    assert_eq!(first["name"], again["name"]);
    assert_eq!(bench.fake.world(|world| world.clusters.len()), 1);
    let (code, status, message) = bench.refused("POST", "clusters?requestId=other", &cluster("c1"));
    assert_eq!((code, status.as_str()), (409, "ALREADY_EXISTS"));
    assert!(message.starts_with("Already exists: Failed to create cluster: Cluster projects/"));
    bench.is_clean();
    // What is asked is another thing now, which nobody should do.
    assert_eq!(body(&bench.create_with("c1", &cluster("c2")))["name"], first["name"]);
    let said = bench.fake.world(|world| world.violations().to_vec());
    assert!(said[0].contains("comes again with something else"), "{said:?}");
}

#[test]
fn a_name_is_free_again_when_its_cluster_is_gone() {
    let bench = Bench::ready(Script::default());
    let old = text(&bench.get("clusters/c1")["clusterUuid"]);
    bench.delete("c1", "1");
    assert_eq!(bench.create_with("2", &cluster("c1")).status, 409, "it is DELETING still");
    bench.pass(30);
    assert_eq!(bench.create_with("3", &cluster("c1")).status, 200);
    let path = format!("clusters/c1?requestId=2&clusterUuid={old}");
    let (code, status, _) = bench.refused("DELETE", &path, &Value::Null);
    assert_eq!((code, status.as_str()), (404, "NOT_FOUND"), "it is another cluster");
    assert_eq!(bench.state("c1"), "CREATING");
    bench.is_clean();
}

#[test]
fn who_deletes_twice() {
    let bench = Bench::ready(Script::default());
    let first = body(&bench.delete("c1", "1"));
    assert_eq!(body(&bench.delete("c1", "1"))["name"], first["name"], "the same request");
    let (code, status, message) = bench.refused("DELETE", "clusters/c1?requestId=2", &Value::Null);
    assert_eq!((code, status.as_str()), (400, "FAILED_PRECONDITION"));
    assert!(message.contains("pending delete operations"));
    bench.pass(30);
    assert_eq!(bench.delete("c1", "3").status, 404);
    assert_eq!(body(&bench.delete("c1", "1"))["done"], true, "the first operation still");
    assert_eq!(bench.ask("GET", "operations/none", &Value::Null).status, 404);
    bench.is_clean();
}

#[test]
fn an_operation_may_be_done_before_its_cluster_is() {
    let early = Some(Duration::from_secs(1));
    let cluster =
        ClusterScript { create_takes: early, delete_takes: early, ..ClusterScript::default() };
    let bench = Bench::new(Script::default().cluster(cluster));
    let made = bench.create("c1");
    bench.pass(1);
    let done = bench.operation(&made);
    assert_eq!((&done["done"], bench.state("c1").as_str()), (&json!(true), "CREATING"));
    let deleted = body(&bench.delete("c1", "1"));
    bench.pass(1);
    assert_eq!(
        (&bench.operation(&deleted)["done"], bench.state("c1").as_str()),
        (&json!(true), "DELETING")
    );
    bench.is_clean();
}

#[test]
fn a_cluster_that_is_deleted_before_it_is_ready() {
    let bench = Bench::new(Script::default());
    let made = bench.create("c1");
    bench.delete("c1", "1");
    let error = &bench.operation(&made)["error"];
    assert_eq!(error["message"], "Cluster was deleted while it was being created.");
    bench.pass(1000);
    assert_eq!(bench.state("c1"), "404");
}

#[test]
fn every_state_can_come() {
    let states = [
        State::Updating,
        State::ErrorDueToUpdate,
        State::Repairing,
        State::Stopping,
        State::Stopped,
        State::Starting,
        State::Running,
        State::Word("MOLTING"),
        State::Deleting,
    ];
    let mut script = ClusterScript::default();
    for (n, state) in (1..).zip(states) {
        script = script.turning(n * 10, state, "so it is");
    }
    let bench = Bench::ready(Script::default().cluster(script));
    for (n, state) in states.into_iter().enumerate() {
        bench.pass(10);
        assert_eq!(bench.state("c1"), state.word());
        let id = format!("j{n}");
        let taken = bench.submit_with(&job(&id, "c1"), &id).status == 200;
        assert_eq!(
            taken,
            ["UPDATING", "ERROR_DUE_TO_UPDATE", "RUNNING"].contains(&state.word()),
            "{state:?}"
        );
    }
    bench.is_clean();
}

#[test]
fn substates_and_details_are_told() {
    let turn = Turn::new(5, State::Running, "the agent is silent").in_substate("STALE_STATUS");
    let script = ClusterScript { turns: vec![turn], ..ClusterScript::default() };
    let bench = Bench::ready(Script::default().cluster(script));
    bench.pass(5);
    let status = &bench.get("clusters/c1")["status"];
    assert_eq!(status["substate"], "STALE_STATUS");
    assert_eq!(status["detail"], "the agent is silent");
    bench.is_clean();
}

/// A cluster with this `lifecycleConfig`.
fn mortal(config: &Value) -> Value {
    let mut order = cluster("c1");
    order["config"]["lifecycleConfig"] = config.clone();
    order
}

#[test]
fn an_idle_cluster_ends_only_when_nothing_runs_on_it() {
    let bench = Bench::new(Script::default().step("long", StepScript::done(1000)));
    bench.create_with("1", &mortal(&json!({"idleDeleteTtl": "600s"})));
    bench.pass(90 + 599);
    bench.submit("long-1");
    bench.pass(1001);
    assert_eq!(bench.state("c1"), "RUNNING", "it works");
    assert_eq!(bench.get("clusters/c1")["config"]["lifecycleConfig"]["idleStartTime"], Value::Null);
    bench.pass(1 + 599);
    let idle = &bench.get("clusters/c1")["config"]["lifecycleConfig"]["idleStartTime"];
    assert!(idle.is_string(), "{idle}");
    bench.pass(1);
    assert_eq!(bench.state("c1"), "DELETING");
    bench.pass(30);
    assert_eq!(bench.state("c1"), "404");
    bench.is_clean();
}

#[test]
fn a_cluster_ends_at_its_age_whatever_it_does() {
    let bench = Bench::new(Script::default().step("long", StepScript::never_ends()));
    bench.create_with("1", &mortal(&json!({"autoDeleteTtl": "600s"})));
    bench.pass(90);
    bench.submit("long-1");
    bench.pass(509);
    assert_eq!(bench.state("c1"), "RUNNING");
    bench.pass(1);
    assert_eq!(
        (bench.state("c1").as_str(), bench.job_state("long-1").as_str()),
        ("DELETING", "ERROR")
    );
    let now = bench.fake.world(|world| crate::clock::add(world.now, Duration::from_secs(1000)));
    bench.pass(30);
    bench.create_with("2", &mortal(&json!({"autoDeleteTime": now.to_string()})));
    bench.pass(969);
    assert_eq!(bench.state("c1"), "RUNNING");
    bench.pass(1);
    assert_eq!(bench.state("c1"), "DELETING");
    bench.is_clean();
}

#[test]
fn an_idle_cluster_can_be_stopped() {
    let bench = Bench::new(Script::default());
    bench.create_with("1", &mortal(&json!({"idleStopTtl": "300s"})));
    bench.pass(90 + 300);
    assert_eq!(bench.state("c1"), "STOPPED");
    bench.pass(100_000);
    assert_eq!(bench.state("c1"), "STOPPED");
}

#[test]
fn what_dataproc_does_not_take() {
    let bench = Bench::new(Script::default());
    let with = |path: &str, value: Value| {
        let mut order = cluster("c1");
        let (parent, name) = path.rsplit_once('/').expect("a path");
        let mut at = &mut order;
        for part in parent.split('/').skip(1) {
            at = &mut at[part];
        }
        at[name] = value;
        order
    };
    let many: serde_json::Map<String, Value> =
        (0..33).map(|n| (format!("k{n}"), json!(""))).collect();
    let long = "c".repeat(52);
    let zero = json!({"dataproc:dataproc.allow.zero.workers": "true"});
    let orders = [
        with("/clusterName", json!("C1")),
        with("/clusterName", json!("1c")),
        with("/clusterName", json!("c1-")),
        with("/clusterName", json!("c_1")),
        with("/clusterName", json!(long)),
        with("/projectId", json!("other")),
        with("/labels", json!({"A": "b"})),
        with("/labels", json!({"a": "B"})),
        with("/labels", json!({"a": "x".repeat(64)})),
        with("/labels", json!(many)),
        with("/config", Value::Null),
        with(
            "/virtualClusterConfig",
            json!({"stagingBucket": "b", "kubernetesClusterConfig": {"gkeClusterConfig": {}}}),
        ),
        with("/config/lifecycleConfig", json!({"idleDeleteTtl": "299s"})),
        with("/config/lifecycleConfig", json!({"idleDeleteTtl": "1209601s"})),
        with("/config/lifecycleConfig", json!({"autoDeleteTtl": "599s"})),
        with(
            "/config/lifecycleConfig",
            json!({"autoDeleteTtl": "600s", "autoDeleteTime": "2126-01-01T00:00:00Z"}),
        ),
        with("/config/masterConfig", json!({"numInstances": 2})),
        with("/config/workerConfig", json!({"numInstances": 1})),
        with("/config/workerConfig", json!({"diskConfig": {"bootDiskSizeGb": 9}})),
        with(
            "/config",
            json!({"softwareConfig": {"properties": zero}, "workerConfig": {"numInstances": 2}}),
        ),
        with("/config/gceClusterConfig", json!({"networkUri": "a", "subnetworkUri": "b"})),
        with("/config/initializationActions", json!([{"executableFile": "/i.sh"}])),
        with("/config/configBucket", json!("gs://b/")),
    ];
    for order in orders {
        let (code, status, message) = bench.refused("POST", "clusters?requestId=1", &order);
        assert_eq!((code, status.as_str()), (400, "INVALID_ARGUMENT"), "{message}: {order}");
    }
    let none = with("/config/configBucket", json!("none"));
    assert_eq!(bench.create_with("1", &none).status, 404, "there is no such bucket");
    for id in ["x".repeat(41), "a.b".to_owned()] {
        assert_eq!(
            bench.refused("POST", &format!("clusters?requestId={id}"), &cluster("c1")).0,
            400
        );
    }
    assert_eq!(bench.fake.world(|world| world.clusters.len()), 0);
    let right =
        json!({"softwareConfig": {"properties": {"dataproc:dataproc.allow.zero.workers": "true"}}});
    assert_eq!(bench.create_with("1", &with("/config", right)).status, 200);
    assert_eq!(bench.get("clusters/c1")["config"]["workerConfig"], Value::Null);
    bench.is_clean();
}

#[test]
fn what_should_never_be_done_is_noted() {
    let bench = Bench::new(Script::default());
    let labelled = |name: &str| {
        let mut order = cluster(name);
        order["labels"] = json!({"dataflow-runner-order": "r-1_1"});
        order
    };
    bench.ask("POST", "clusters", &cluster("c1"));
    bench.create_with("2", &labelled("c2"));
    bench.create_with("3", &labelled("c3"));
    bench.ask("DELETE", "clusters/c1", &Value::Null);
    bench.ask("GET", "autoscalingPolicies", &Value::Null);
    let said = bench.fake.world(|world| world.violations().to_vec());
    assert_eq!(said.len(), 4, "{said:?}");
}

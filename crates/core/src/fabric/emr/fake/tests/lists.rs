//! Lists: pages, filters, and what is not shown yet or no more.

use std::time::Duration;

use super::*;

fn ids(reply: &Value, member: &str) -> Vec<String> {
    let items = reply[member].as_array().expect("a list").iter();
    items.map(|item| item["Id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn steps_come_newest_first_in_pages_of_fifty() {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    let steps: Vec<Value> = (0..75).map(|n| step(&format!("s{n}"), "CONTINUE")).collect();
    let submitted = bench.submit(&id, &steps);
    let first = bench.call("ListSteps", json!({"ClusterId": id}));
    let marker = first["Marker"].clone();
    assert!(marker.is_string());
    let second = bench.call("ListSteps", json!({"ClusterId": id, "Marker": marker}));
    assert!(second["Marker"].is_null());
    let mut listed = ids(&first, "Steps");
    assert_eq!(listed.len(), 50);
    listed.extend(ids(&second, "Steps"));
    listed.reverse();
    assert_eq!(listed, submitted);
    let other = json!({"ClusterId": id, "StepStates": ["PENDING"], "Marker": marker});
    assert_eq!(bench.refused("ListSteps", other).code, "InvalidRequestException");
}

#[test]
fn steps_by_id_and_state() {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    let steps: Vec<Value> = (0..12).map(|n| step(&format!("s{n}"), "CONTINUE")).collect();
    let submitted = bench.submit(&id, &steps);
    let some =
        bench.call("ListSteps", json!({"ClusterId": id, "StepIds": [submitted[3], submitted[5]]}));
    assert_eq!(ids(&some, "Steps"), [submitted[5].clone(), submitted[3].clone()]);
    let running =
        bench.call("ListSteps", json!({"ClusterId": id, "StepStates": ["RUNNING", "FAILED"]}));
    assert_eq!(ids(&running, "Steps"), [submitted[0].clone()]);
    let ten = json!({"ClusterId": id, "StepIds": &submitted[..10]});
    assert_eq!(ids(&bench.call("ListSteps", ten), "Steps").len(), 10);
    let eleven = json!({"ClusterId": id, "StepIds": &submitted[..11]});
    assert_eq!(bench.refused("ListSteps", eleven).code, "InvalidRequestException");
    let unknown = json!({"ClusterId": id, "StepIds": ["s-NONE"]});
    assert_eq!(bench.refused("ListSteps", unknown).message, "Step id 's-NONE' is not valid.");
}

#[test]
fn only_the_latest_thousand_are_seen() {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    let mut all = Vec::new();
    for round in 0..5 {
        let steps: Vec<Value> =
            (0..201).map(|n| step(&format!("s{round}-{n}"), "CONTINUE")).collect();
        all.extend(bench.submit(&id, &steps));
        bench.pass(201 * 60);
    }
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let mut body = json!({"ClusterId": id});
        if let Some(marker) = marker {
            body["Marker"] = marker;
        }
        let reply = bench.call("ListSteps", body);
        seen.extend(ids(&reply, "Steps"));
        marker = reply.get("Marker").cloned();
        if marker.is_none() {
            break;
        }
    }
    seen.reverse();
    assert_eq!(seen, all[5..]);
    let old = json!({"ClusterId": id, "StepId": all[4]});
    assert_eq!(bench.refused("DescribeStep", old).code, "InvalidRequestException");
    let step = bench.call("DescribeStep", json!({"ClusterId": id, "StepId": all[5]}));
    assert_eq!(step["Step"]["Id"], json!(all[5]));
}

#[test]
fn clusters_by_state_and_time() {
    let mut bench = Bench::new(Script::default());
    let first = bench.ready();
    let second = bench.launch(true, &[]);
    let all = bench.call("ListClusters", json!({}));
    assert_eq!(ids(&all, "Clusters"), [second.clone(), first.clone()]);
    let waiting = bench.call("ListClusters", json!({"ClusterStates": ["WAITING"]}));
    assert_eq!(ids(&waiting, "Clusters"), std::slice::from_ref(&first));
    let created = 1_711_360_800.0;
    let after = bench.call("ListClusters", json!({"CreatedAfter": created + 1.0}));
    assert_eq!(ids(&after, "Clusters"), [second]);
    let before = bench.call("ListClusters", json!({"CreatedBefore": created + 1.0}));
    assert_eq!(ids(&before, "Clusters"), [first]);
}

#[test]
fn what_is_new_shows_late() {
    let late = Duration::from_secs(20);
    let mut bench =
        Bench::new(Script { late_clusters: late, late_steps: late, ..Script::default() });
    let id = bench.launch(true, &[]);
    assert_eq!(bench.state(&id), "STARTING", "by its id it shows at once");
    assert!(ids(&bench.call("ListClusters", json!({})), "Clusters").is_empty());
    bench.pass(20);
    assert_eq!(ids(&bench.call("ListClusters", json!({})), "Clusters"), std::slice::from_ref(&id));
    let step = bench.submit(&id, &[step("a", "CONTINUE")]);
    for body in [json!({"ClusterId": id}), json!({"ClusterId": id, "StepIds": step})] {
        assert!(ids(&bench.call("ListSteps", body), "Steps").is_empty());
    }
    bench.pass(20);
    assert_eq!(ids(&bench.call("ListSteps", json!({"ClusterId": id})), "Steps"), step);
}

#[test]
fn another_region_sees_nothing() {
    let mut bench = Bench::new(Script::default());
    let id = bench.ready();
    let there = |bench: &mut Bench, operation: &str, body: Value| {
        bench.world.call(operation, "us-east-1", &body)
    };
    let listed = there(&mut bench, "ListClusters", json!({})).expect("it answers");
    assert!(ids(&listed, "Clusters").is_empty());
    let described = there(&mut bench, "DescribeCluster", json!({"ClusterId": id}));
    assert_eq!(described.expect_err("it is elsewhere").error_code, Some("NoSuchCluster"));
}

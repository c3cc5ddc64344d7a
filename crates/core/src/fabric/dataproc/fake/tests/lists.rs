//! Lists: pages, filters, and what is not shown yet.

use super::*;

fn labelled(name: &str, value: &str) -> Value {
    let mut order = cluster(name);
    order["labels"] = json!({"team": value});
    order
}

fn clusters(bench: &Bench, query: &str) -> Vec<String> {
    names(&bench.get(&format!("clusters?{query}")), "clusters", "/clusterName")
}

fn jobs(bench: &Bench, query: &str) -> Vec<String> {
    names(&bench.get(&format!("jobs?{query}")), "jobs", "/reference/jobId")
}

#[test]
fn clusters_by_label_name_and_state() {
    let bench = Bench::ready(Script::default());
    bench.create_with("2", &labelled("c2", "a"));
    bench.create_with("3", &labelled("c3", "b"));
    bench.delete("c1", "1");
    assert_eq!(clusters(&bench, ""), ["c1", "c2", "c3"]);
    for (filter, wanted) in [
        ("labels.team+%3D+a", vec!["c2"]),
        ("labels.team=*", vec!["c2", "c3"]),
        ("labels.goog-dataproc-cluster-name=c3", vec!["c3"]),
        ("clusterName%20=%20c1", vec!["c1"]),
        ("status.state=ACTIVE", vec!["c2", "c3"]),
        ("status.state=INACTIVE", vec!["c1"]),
        ("status.state=CREATING+AND+labels.team=b", vec!["c3"]),
        ("status.state=ERROR", vec![]),
    ] {
        assert_eq!(clusters(&bench, &format!("filter={filter}")), wanted, "{filter}");
    }
    for filter in ["team=a", "status.state=READY", "labels.team"] {
        assert_eq!(bench.refused("GET", &format!("clusters?filter={filter}"), &Value::Null).0, 400);
    }
    bench.pass(30);
    assert_eq!(clusters(&bench, ""), ["c2", "c3"], "what is gone is not listed");
    bench.is_clean();
}

#[test]
fn jobs_by_cluster_label_and_state() {
    let bench = Bench::ready(Script::default().step("long", StepScript::never_ends()));
    bench.create("c2");
    bench.pass(90);
    for (id, cluster, run) in [("a", "c1", "r-1"), ("long-b", "c1", "r-2"), ("long-c", "c2", "r-1")]
    {
        let mut order = job(id, cluster);
        order["labels"] = json!({"dataflow-runner-run": run});
        assert_eq!(bench.submit_with(&order, id).status, 200);
    }
    bench.pass(62);
    assert_eq!(jobs(&bench, ""), ["long-c", "long-b", "a"], "newest first");
    for (query, wanted) in [
        ("clusterName=c1", vec!["long-b", "a"]),
        ("filter=labels.dataflow-runner-run+=+r-1", vec!["long-c", "a"]),
        ("filter=labels.dataflow-runner-run=r-1+AND+status.state=ACTIVE", vec!["long-c"]),
        ("filter=status.state=NON_ACTIVE", vec!["a"]),
        ("jobStateMatcher=ACTIVE", vec!["long-c", "long-b"]),
        ("jobStateMatcher=NON_ACTIVE", vec!["a"]),
        ("jobStateMatcher=ALL&clusterName=c2", vec!["long-c"]),
        ("jobStateMatcher=2&$alt=json;enum-encoding=int", vec!["a"]),
        ("clusterName=none", vec![]),
    ] {
        assert_eq!(jobs(&bench, query), wanted, "{query}");
    }
    for filter in ["status.state=DONE", "clusterName=c1", "labels.a"] {
        assert_eq!(bench.refused("GET", &format!("jobs?filter={filter}"), &Value::Null).0, 400);
    }
    bench.is_clean();
}

/// All pages of a list.
fn pages(bench: &Bench, path: &str, list: &str, at: &str) -> Vec<Vec<String>> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let page = bench.get(&format!("{path}&pageToken={}", crate::http::encode::encode(&token)));
        all.push(names(&page, list, at));
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => return all,
        }
    }
}

#[test]
fn lists_come_in_pages() {
    let bench = Bench::ready(Script { page: 3, ..Script::default() });
    bench.create("c2");
    for n in 0..5 {
        bench.submit(&format!("j{n}"));
    }
    let at = "/reference/jobId";
    assert_eq!(
        pages(&bench, "jobs?pageSize=2", "jobs", at),
        [vec!["j4", "j3"], vec!["j2", "j1"], vec!["j0"]]
    );
    assert_eq!(
        pages(&bench, "jobs?pageSize=100", "jobs", at),
        [vec!["j4", "j3", "j2"], vec!["j1", "j0"]]
    );
    assert_eq!(pages(&bench, "clusters?pageSize=1", "clusters", "/clusterName"), [["c1"], ["c2"]]);
    let token = text(&bench.get("jobs?pageSize=2")["nextPageToken"]);
    let other = format!("jobs?pageSize=2&clusterName=c1&pageToken={token}");
    assert_eq!(bench.refused("GET", &other, &Value::Null).0, 400, "the token is of another query");
    assert_eq!(bench.refused("GET", "jobs?pageSize=-1", &Value::Null).0, 400);
    bench.is_clean();
}

#[test]
fn what_is_new_shows_late_in_lists_but_at_once_by_its_name() {
    let late = Duration::from_secs(20);
    let bench = Bench::new(Script { late_clusters: late, late_jobs: late, ..Script::default() });
    bench.create("c1");
    assert_eq!((clusters(&bench, "").len(), bench.state("c1").as_str()), (0, "CREATING"));
    bench.pass(20);
    assert_eq!(clusters(&bench, ""), ["c1"]);
    bench.pass(70);
    bench.submit("j");
    assert_eq!((jobs(&bench, "").len(), bench.job_state("j").as_str()), (0, "PENDING"));
    bench.pass(20);
    assert_eq!(jobs(&bench, ""), ["j"]);
}

#[test]
fn another_region_or_project_sees_nothing() {
    let bench = Bench::ready(Script::default());
    bench.submit("j");
    for place in ["fake-project/regions/us-central1", "other/regions/europe-west1"] {
        let url = |path: &str| format!("{}/v1/projects/{place}/{path}", bench.fake.url());
        let get = |path: &str| bench.send("GET", url(path), &[], &[]);
        assert_eq!(body(&get("clusters")), json!({}));
        assert_eq!(body(&get("jobs")), json!({}));
        assert_eq!((get("clusters/c1").status, get("jobs/j").status), (404, 404));
    }
    bench.is_clean();
}

#[test]
fn a_cluster_of_somebody_else() {
    let bench = Bench::new(Script::default());
    let uuid = bench.fake.world(|world| world.add_cluster("c1", &[("team", "a")]));
    assert_eq!(bench.get("clusters/c1")["clusterUuid"], uuid);
    assert_eq!(clusters(&bench, "filter=labels.team=a+status.state=RUNNING"), ["c1"]);
    bench.submit("j");
    bench.is_clean();
}

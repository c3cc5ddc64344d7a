//! `runs --orphans` on EMR.

use dataflow_runner_core::fabric::emr::fake::{Fault, Script};
use serde_json::Value;

use super::Site;
use crate::harness::{Ran, cluster};

fn told(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The folder of the only run of which the cluster is.
fn forget(site: &Site, cluster: &str) {
    let runs = std::fs::read_dir(site.place.state().join("runs")).expect("runs");
    let folders = runs.map(|run| run.expect("a run").path());
    let of = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path.join("journal.jsonl")).expect("a journal").contains(cluster)
    };
    let folders: Vec<_> = folders.filter(of).collect();
    assert_eq!(folders.len(), 1);
    std::fs::remove_dir_all(&folders[0]).expect("it is there");
}

#[test]
fn clusters_are_known_by_their_tag() {
    let site = Site::new(Script::default());
    let (kept, lost) = (site.up(), site.up());
    // Nobody of ours.
    site.fake.world(|world| {
        let mut other = world.cluster(&kept).expect("it is there").clone();
        other.id = "j-0000000000000".to_owned();
        other.order["Tags"] = serde_json::json!([{"Key": "team", "Value": "data"}]);
        world.clusters.push(other);
    });
    forget(&site, &lost);
    let before = site.fake.requests().len();
    let ran = site.words("runs --orphans --json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let orphans = told(&ran);
    assert_eq!(orphans.len(), 1, "{}", ran.stdout);
    assert_eq!(
        (&orphans[0]["cluster"], &orphans[0]["fabric"]),
        (&lost.as_str().into(), &"emr".into())
    );
    assert_eq!(orphans[0]["name"], "c");
    let asked: Vec<_> =
        site.fake.requests().into_iter().skip(before).map(|it| it.operation).collect();
    assert_eq!(asked, ["ListClusters", "DescribeCluster", "DescribeCluster", "DescribeCluster"]);
    let all = told(&site.words("runs --orphans --all --json"));
    let mut ids: Vec<_> = all.iter().map(|it| it["cluster"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    let mut both = [kept.as_str(), lost.as_str()];
    both.sort_unstable();
    assert_eq!(ids, both);
    // One that goes down is there as long as it is.
    let down = format!("down --config c.json --cluster {lost}");
    assert_eq!(site.words(&down).code, Some(0));
    assert_eq!(site.words("runs --orphans").stdout, "");
}

#[test]
fn a_fabric_that_cannot_be_asked_is_told_and_the_others_are() {
    let site = Site::new(Script::default()).with("l.json", cluster(""));
    site.up();
    let local = site.words("up --config l.json").stdout;
    forget(&site, local.trim());
    site.fake.fail("DescribeCluster", .., Fault::denied("elasticmapreduce:DescribeCluster"));
    let before = site.fake.calls("DescribeCluster");
    let ran = site.words("runs --orphans --json --config l.json");
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert_eq!(told(&ran)[0]["cluster"], local.trim(), "{}", ran.stdout);
    assert_eq!(ran.messages().len(), 1, "{}", ran.stderr);
    let first = "warning msg=\"what is left behind on emr (eu-west-1, ";
    assert!(ran.messages()[0].starts_with(first), "{}", ran.stderr);
    assert!(ran.stderr.contains("elasticmapreduce:DescribeCluster"), "{}", ran.stderr);
    assert_eq!(site.fake.calls("DescribeCluster"), before + 1, "it is not asked again");
    let down = site.words(&format!("down --config l.json --cluster {}", local.trim()));
    assert_eq!(down.code, Some(0), "{}", down.stderr);
}

/// The answer to the first sending was lost, and the second brought another: only one of them is the run's.
#[test]
fn a_cluster_that_is_there_twice_is_one_too_many() {
    let site = Site::new(Script::default());
    let id = site.up();
    site.fake.world(|world| {
        let mut twin = world.cluster(&id).expect("it is there").clone();
        twin.id = "j-0000000000000".to_owned();
        world.clusters.push(twin);
    });
    let ran = site.words("runs --orphans");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("j-0000000000000  c  READY  "), "{}", ran.stdout);
    assert!(lines[0].ends_with(&format!("its run has cluster {id} instead")), "{}", ran.stdout);
    let last = "End one: dataflow-runner down --config FILE --cluster CLUSTER";
    assert_eq!(lines[1..], [last], "`down --run` would take the other one down");
}

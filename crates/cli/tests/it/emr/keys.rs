//! Runs with an idempotency key: begun once, whoever starts them again, from here or from another pod.

use dataflow_runner_core::fabric::emr::fake::{Fault, Script, State, StepEnd, StepScript};

use super::{Site, begun, dies, said};
use crate::harness::{Ran, emr_cluster, playbook, script};

const TRANSIENT: &str =
    "run-transient -emr-config c.json -emr-playbook p.json --idempotency-key night";

/// What is said of an order that another may have given.
const ASKING: &str = "info msg=\"Asking first whether it was ordered elsewhere\"";

/// The first step that is named so goes on until somebody ends it.
fn slow() -> Script {
    let mut script = Script::default();
    let firsts = vec![StepScript::never_ends(), StepScript::completes(60)];
    script.steps.insert("first".to_owned(), firsts);
    script
}

/// Ends the step that runs.
pub(super) fn finish(site: &Site, end: &StepEnd) {
    site.fake.world(|world| {
        let running = world.steps().find(|step| step.started.is_some() && step.ended.is_none());
        let id = running.expect("one runs").id.clone();
        world.finish(&id, end.clone());
    });
}

fn run_on(cluster: &str) -> String {
    format!("run -emr-playbook p.json -emr-cluster {cluster} --idempotency-key night")
}

fn ended(ran: &Ran, code: i32, text: &str) {
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    assert!(said(ran).iter().any(|line| line.contains(text)), "{text}: {}", ran.stderr);
}

/// What was ordered: all that, and nothing twice.
fn ordered(site: &Site, orders: &[&str]) {
    assert_eq!(site.orders(), orders);
    site.nothing_was_twice();
}

#[test]
fn a_second_start_here_tells_the_end_of_the_first() {
    for (script, code, last) in [
        (Script::default(), 0, "Transient EMR run completed successfully"),
        (Script::default().step("first", StepScript::fails(60)), 1, "2/2 steps failed"),
    ] {
        let site = Site::new(script);
        let first = site.words(TRANSIENT);
        ended(&first, code, last);
        assert!(said(&first).contains(&"info msg=\"It was not ordered elsewhere\"".to_owned()));
        let asked = site.fake.calls("*");
        let second = site.words(TRANSIENT);
        ended(&second, code, last);
        assert!(second.stderr.contains("has ended at"), "{}", second.stderr);
        assert_eq!(site.fake.calls("*"), asked, "nobody was asked");
        ordered(&site, &["RunJobFlow"]);
    }
}

#[test]
fn a_second_start_here_follows_the_first_or_goes_on_with_it() {
    let site = Site::new(slow());
    let first = begun(&site, TRANSIENT, "Step 'first'");
    // The variables are not read, and no file.
    let second = begun(&site, &TRANSIENT.replace("p.json", "none.json"), "following it");
    first.kill();
    finish(&site, &StepEnd::Completed);
    // Its driver is gone, so it drives.
    assert_eq!(second.end(), Some(0));
    ordered(&site, &["RunJobFlow"]);

    let site = Site::new(slow());
    let id = site.up();
    dies(&site, &run_on(&id), "is RUNNING");
    finish(&site, &StepEnd::Completed);
    let ran = site.words(&run_on(&id));
    ended(&ran, 0, "All steps completed successfully");
    assert!(ran.stderr.contains("Attached to run k-"), "{}", ran.stderr);
    assert!(!said(&ran).contains(&ASKING.to_owned()), "its journal is here: {}", ran.stderr);
    ordered(&site, &["RunJobFlow", "AddJobFlowSteps"]);
}

#[test]
fn another_pod_adopts_the_cluster_and_its_steps_while_the_first_lives() {
    let site = Site::new(slow());
    let first = begun(&site, TRANSIENT, "is RUNNING");
    let pod = site.pod();
    let second = begun(&pod, TRANSIENT, "is RUNNING");
    finish(&site, &StepEnd::Completed);
    for driver in [first, second] {
        assert_eq!(driver.end(), Some(0));
    }
    let told = pod.words("status last --json");
    let told: serde_json::Value = serde_json::from_str(&told.stdout).expect("JSON");
    let (cluster, steps) = site.fake.world(|world| {
        let cluster = &world.clusters[0];
        let steps: Vec<_> = cluster.steps.iter().map(|step| step.id.clone()).collect();
        (cluster.id.clone(), steps)
    });
    assert_eq!(told["cluster"]["id"], cluster);
    assert_eq!(
        [&told["steps"][0]["nativeId"], &told["steps"][1]["nativeId"]],
        [&steps[0], &steps[1]]
    );
    ordered(&site, &["RunJobFlow"]);
    site.nothing_is_left();
}

#[test]
fn another_pod_tells_how_the_first_has_ended() {
    for (end, code, last) in [
        (StepEnd::Completed, 0, "Transient EMR run completed successfully"),
        (StepEnd::Failed(None), 1, "2/2 steps failed to complete successfully"),
    ] {
        let site = Site::new(slow());
        let first = begun(&site, TRANSIENT, "is RUNNING");
        finish(&site, &end);
        assert_eq!(first.end(), Some(code));
        assert_eq!(site.fake.world(|world| world.alive().count()), 0);
        ended(&site.pod().words(TRANSIENT), code, last);
        ordered(&site, &["RunJobFlow"]);
    }
}

/// The cluster is gone, and it still knows of the steps that were ordered one by one.
#[test]
fn another_pod_tells_how_steps_ended_that_were_ordered_one_by_one() {
    let steps = [("first", ""), ("second", r#", "retries": {"maxAttempts": 2}"#)];
    let steps = steps.map(|(id, more)| script(id, "true", more)).join(",");
    for (fates, code, ordered_steps) in
        [(Script::default(), 0, 2), (Script::default().step("first", StepScript::fails(60)), 1, 1)]
    {
        let site = Site::new(fates).playing(playbook(&steps));
        for place in [&site, &site.pod()] {
            let ran = place.words(TRANSIENT);
            assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        }
        assert_eq!(
            site.orders().iter().filter(|it| *it == "AddJobFlowSteps").count(),
            ordered_steps
        );
        assert_eq!(site.orders().iter().filter(|it| *it == "RunJobFlow").count(), 1);
        site.nothing_is_left();
    }
}

/// Each step is an order of its own, and the cluster has them in no request of its own.
#[test]
fn another_pod_adopts_what_was_ordered_one_by_one_and_orders_the_rest() {
    let steps = [("first", ""), ("second", r#", "retries": {"maxAttempts": 2}"#), ("third", "")];
    let steps = steps.map(|(id, more)| script(id, "true", more)).join(",");
    let site = Site::new(slow()).playing(playbook(&steps)).with("c.json", emr_cluster());
    dies(&site, TRANSIENT, "Step 'first' with id");
    finish(&site, &StepEnd::Completed);
    let ran = site.pod().words(TRANSIENT);
    ended(&ran, 0, "Transient EMR run completed successfully");
    let asked = said(&ran).iter().filter(|line| *line == ASKING).count();
    assert_eq!(asked, 3, "the cluster, the first, and the second, which is absent: {}", ran.stderr);
    let add = "AddJobFlowSteps";
    ordered(&site, &["RunJobFlow", add, add, add, "TerminateJobFlows"]);
    for step in ["first", "second", "third"] {
        assert_eq!(site.fake.world(|world| world.submissions(step)), 1, "{step}");
    }
}

#[test]
fn steps_on_a_cluster_of_others_that_are_as_ordered_may_be_of_any_run() {
    let site = Site::new(slow());
    let id = site.up();
    dies(&site, &run_on(&id), "is RUNNING");
    let pod = site.pod();
    let line = format!("{} --lost-contact-after 0.3s", run_on(&id));
    let ran = pod.words(&line);
    let step = site.fake.world(|world| world.clusters[0].steps[0].id.clone());
    ended(&ran, 5, "look at cluster `j-…` on fabric `emr`; `dataflow-runner attach k-");
    for text in [&id, "asks again", &format!("step `{step}` of cluster `{id}` is as ordered")] {
        assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
    }
    // Who asks again is told the same, by both ways.
    for line in [line.as_str(), "attach last --lost-contact-after 0.3s"] {
        ended(&pod.words(line), 5, "asks again");
    }
    // Nobody else has the step that is other by a word.
    let other = std::fs::read_to_string(site.place.path("p.json")).expect("a playbook");
    let pod = site.pod().playing(other.replace("s3://b/", "s3://c/"));
    finish(&site, &StepEnd::Completed);
    ended(&pod.words(&run_on(&id)), 0, "All steps completed successfully");
    ordered(&site, &["RunJobFlow", "AddJobFlowSteps", "AddJobFlowSteps"]);
}

#[test]
fn a_cluster_without_our_tag_may_be_of_any_run() {
    let site = Site::new(slow());
    site.fake.world(|world| world.denied.insert("AddTags".to_owned()));
    dies(&site, TRANSIENT, "is RUNNING");
    let id = site.fake.world(|world| world.clusters[0].id.clone());
    // Whoever may tag clusters now has never seen that it was refused.
    for denied in [true, false] {
        if !denied {
            site.fake.world(|world| world.denied.clear());
        }
        let ran = site.pod().words(&format!("{TRANSIENT} --lost-contact-after 0.3s"));
        ended(&ran, 5, "asks again");
        let named = format!("cluster `{id}` is as ordered, but has no tag `dataflow-runner:run`");
        assert!(ran.stderr.contains(&named), "{}", ran.stderr);
    }
    ordered(&site, &["RunJobFlow", "RunJobFlow"]);
    // One of another name is in nobody's way.
    let text = emr_cluster().replace(r#""name": "c""#, r#""name": "d""#);
    let pod = site.pod().with("c.json", text);
    ended(&pod.words(TRANSIENT), 0, "Transient EMR run completed successfully");
    ordered(&site, &["RunJobFlow", "RunJobFlow", "RunJobFlow"]);
}

/// Who may not look cannot know that nothing was ordered, so nothing is.
#[test]
fn who_may_not_look_for_clusters_orders_none() {
    for (denied, there) in
        [("ListClusters", false), ("ListClusters", true), ("DescribeCluster", true)]
    {
        let site = Site::new(if there { slow() } else { Script::default() });
        if there {
            dies(&site, TRANSIENT, "is RUNNING");
        }
        let right = format!("elasticmapreduce:{denied}");
        site.fake.fail(denied, .., Fault::denied(&right));
        let pod = site.pod();
        let ran = pod.words(&format!("{TRANSIENT} --lost-contact-after 0.3s"));
        ended(&ran, 5, "look for a cluster of run `k-");
        let line = "warning msg=\"Whether it was ordered elsewhere is not told, asking again: ";
        let lines = said(&ran);
        let told = lines.iter().find(|said| said.starts_with(line));
        assert!(told.is_some_and(|told| told.contains(&right)), "{right}: {}", ran.stderr);
        ordered(&site, if there { &["RunJobFlow"] } else { &[] });
        // Whoever may look goes on.
        site.fake.heal();
        if there {
            finish(&site, &StepEnd::Completed);
            ended(&pod.words(TRANSIENT), 0, "Transient EMR run completed successfully");
            ordered(&site, &["RunJobFlow"]);
        }
    }
    // Where no cluster has the name there is none to describe.
    let site = Site::new(Script::default());
    site.fake.fail("DescribeCluster", 1..=1, Fault::denied("elasticmapreduce:DescribeCluster"));
    ended(&site.words(TRANSIENT), 0, "Transient EMR run completed successfully");
    ordered(&site, &["RunJobFlow"]);
}

#[test]
fn up_has_one_cluster_for_a_key() {
    let line = "up -emr-config c.json --idempotency-key night";
    let site = Site::new(Script::default());
    let first = site.words(line);
    ended(&first, 0, "launched successfully; Jobflow ID: j-…");
    for place in [&site, &site.pod()] {
        let again = place.words(line);
        assert_eq!((again.stdout.as_str(), again.code), (first.stdout.as_str(), Some(0)));
    }
    ordered(&site, &["RunJobFlow"]);
    assert_eq!(site.fake.world(|world| world.clusters[0].state), State::Waiting);
    // Another key is another run.
    let other = site.words("up -emr-config c.json --idempotency-key noon");
    assert_eq!(other.code, Some(0), "{}", other.stderr);
    assert_ne!(other.stdout, first.stdout);
    ordered(&site, &["RunJobFlow", "RunJobFlow"]);
}

//! What goes wrong on the way: nothing is done twice, nothing is lost, and a run never fails by a failed question.

use dataflow_runner_core::fabric::emr::fake::{Fault, Script};

use super::Site;

const TRANSIENT: &str = "run-transient -emr-config c.json -emr-playbook p.json";

fn one_cluster(site: &Site) {
    assert_eq!(site.fake.world(|world| world.clusters.len()), 1);
    site.nothing_was_twice();
}

#[test]
fn throttled_calls_are_made_again() {
    let site = Site::new(Script::default());
    for operation in ["RunJobFlow", "DescribeCluster", "ListSteps"] {
        site.fake.fail(operation, 1..=1, Fault::throttle());
    }
    let ran = site.words(TRANSIENT);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!ran.stderr.contains("level=error"), "{}", ran.stderr);
    one_cluster(&site);
    site.nothing_is_left();
}

/// 0.7.x ran two clusters, or every step twice, and said nothing.
#[test]
fn an_order_whose_answer_was_lost_is_found() {
    let faults = [
        Fault::reply_lost(),
        Fault::reply_cut(),
        Fault::internal().carried_out(),
        Fault::truncated(),
    ];
    std::thread::scope(|scope| {
        for fault in &faults {
            scope.spawn(|| a_lost_launch_is_found(fault));
            scope.spawn(|| lost_steps_are_found(fault));
        }
    });
}

fn a_lost_launch_is_found(fault: &Fault) {
    let site = Site::new(Script::default());
    site.fake.fail("RunJobFlow", 1..=1, fault.clone());
    let ran = site.words(TRANSIENT);
    assert_eq!(ran.code, Some(0), "{fault:?}: {}", ran.stderr);
    assert!(ran.stderr.contains("The answer to an order was lost"), "{fault:?}: {}", ran.stderr);
    assert!(ran.stderr.contains("Transient EMR run completed successfully"), "{}", ran.stderr);
    one_cluster(&site);
    assert_eq!(site.orders(), ["RunJobFlow"], "{fault:?}");
}

fn lost_steps_are_found(fault: &Fault) {
    let site = Site::new(Script::default());
    let id = site.up();
    site.fake.fail("AddJobFlowSteps", 1..=1, fault.clone());
    let ran = site.words(&format!("run -emr-playbook p.json -emr-cluster {id}"));
    assert_eq!(ran.code, Some(0), "{fault:?}: {}", ran.stderr);
    assert_eq!(site.orders(), ["RunJobFlow", "AddJobFlowSteps"], "{fault:?}");
    assert_eq!(site.fake.world(|world| world.steps().count()), 2);
    site.nothing_was_twice();
}

#[test]
fn who_may_not_list_steps_asks_for_each() {
    let site = Site::new(Script::default());
    let id = site.up();
    site.fake.world(|world| world.denied.insert("ListSteps".to_owned()));
    let ran = site.words(&format!("run -emr-playbook p.json -emr-cluster {id}"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("All steps completed successfully"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("level=warning").count(), 1, "{}", ran.stderr);
    assert!(site.fake.calls("DescribeStep") >= 2 && site.fake.calls("ListSteps") == 1);
}

#[test]
fn who_may_not_tag_launches_without() {
    let site = Site::new(Script::default());
    site.fake.world(|world| world.denied.insert("AddTags".to_owned()));
    let ran = site.words("up -emr-config c.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    one_cluster(&site);
    assert_eq!(site.orders(), ["RunJobFlow", "RunJobFlow"]);
    let tags = site.fake.world(|world| world.clusters[0].order["Tags"].clone());
    assert!(tags.as_array().is_none_or(Vec::is_empty), "{tags}");
}

/// Nothing is running because of it, and nothing is asked again.
#[test]
fn what_is_refused_for_good_is_4() {
    for (operation, line) in [("RunJobFlow", TRANSIENT), ("RunJobFlow", "up -emr-config c.json")] {
        let site = Site::new(Script::default());
        site.fake.world(|world| world.denied.insert(operation.to_owned()));
        let ran = site.words(line);
        assert_eq!(ran.code, Some(4), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("AccessDenied") && ran.stderr.contains(operation),
            "{}",
            ran.stderr
        );
        assert_eq!(site.fake.calls(operation), 1);
        site.nothing_is_left();
    }
    let site = Site::new(Script::default());
    let id = site.up();
    site.fake.world(|world| world.denied.insert("AddJobFlowSteps".to_owned()));
    let ran = site.words(&format!("run -emr-playbook p.json -emr-cluster {id}"));
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert_eq!(site.fake.calls("AddJobFlowSteps"), 1);
}

#[test]
fn unknown_keys_are_told_from_a_clock_that_is_wrong() {
    let site = Site::new(Script::default());
    let mut command = site.command("up -emr-config c.json");
    command.env("AWS_SECRET_ACCESS_KEY", "wrong");
    let ran = crate::harness::Ran::from(command.output().expect("it starts"));
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(!ran.stderr.contains("wrong") && !ran.stderr.contains("clock"), "{}", ran.stderr);
    site.fake.skew(jiff::SignedDuration::from_hours(2));
    let ran = site.words("up -emr-config c.json");
    // With the skew known, its requests are dated right.
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

/// Whatever comes in place of an answer, a question is asked again.
#[test]
fn no_answer_of_any_kind_fails_a_run() {
    let faults = [
        Fault::internal(),
        Fault::unavailable(),
        Fault::html(502),
        Fault::html(200),
        Fault::redirect(302, "http://127.0.0.1:9/"),
        Fault::cut(),
        Fault::garbage(),
        Fault::truncated(),
        Fault::empty(),
        Fault::content_type("text/html"),
    ];
    // All at once: each waits for a while before it asks again.
    std::thread::scope(|scope| {
        for fault in &faults {
            scope.spawn(move || {
                let site = Site::new(Script::default());
                site.fake.fail("DescribeCluster", 2..=2, fault.clone());
                site.fake.fail("ListSteps", 1..=1, fault.clone());
                let ran = site.words(TRANSIENT);

                assert_eq!(ran.code, Some(0), "{fault:?}: {}", ran.stderr);
                one_cluster(&site);
                site.nothing_is_left();
            });
        }
    });
}

/// The far side falls silent for good while steps run: they may be running still, and the message says so.
#[test]
fn contact_lost_for_good_is_in_doubt() {
    let site = Site::new(Script::default());
    let id = site.up();
    let before = site.fake.calls("*");
    // Everything after the question for the cluster and the steps' order.
    site.fake.fail("*", before + 3.., Fault::unavailable());
    let ran = site
        .words(&format!("run -emr-playbook p.json -emr-cluster {id} --lost-contact-after 0.1s"));
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(ran.stderr.contains("In doubt, something may be running"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&id), "{}", ran.stderr);
    assert_eq!(site.orders(), ["RunJobFlow", "AddJobFlowSteps"]);
}

#[test]
fn nobody_there_is_4() {
    let site = Site::new(Script::default());
    let mut command = site.command("up -emr-config c.json --lost-contact-after 0.1s");
    // Nobody listens there, and no recorder stands before it.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env_remove("HTTP_PROXY");
    let ran = crate::harness::Ran::from(command.output().expect("it starts"));
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
}

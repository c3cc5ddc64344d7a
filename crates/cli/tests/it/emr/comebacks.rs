//! Runs on EMR that are left, found, taken over, continued and ended.

use dataflow_runner_core::fabric::emr::fake::{
    ClusterScript, Death, Fault, Moment, Script, StepEnd, StepScript, StepState,
};
use serde_json::Value;

use super::keys::finish;
use super::{Site, begun, dies, said};
use crate::harness::{Ran, emr_playbook, playbook, script};

const TRANSIENT: &str = "run-transient -emr-config c.json -emr-playbook p.json";
const RUN_JOB_FLOW: &str = "RunJobFlow";
const ADD: &str = "AddJobFlowSteps";

fn on(cluster: &str) -> String {
    format!("run -emr-playbook p.json -emr-cluster {cluster}")
}

/// Steps that do this, the n-th time that they are ordered.
fn doing(steps: &[(&str, &[StepScript])]) -> Script {
    let steps = steps.iter().map(|(name, all)| ((*name).to_owned(), all.to_vec()));
    Script { steps: steps.collect(), ..Script::default() }
}

/// The first step goes on until somebody ends it; not, when it is ordered again.
fn slow() -> Script {
    doing(&[("first", &[StepScript::never_ends(), StepScript::completes(60)])])
}

/// The first step fails; not, when it is ordered again.
fn failing() -> Script {
    doing(&[("first", &[StepScript::fails(60), StepScript::completes(60)])])
}

/// Runs a line that ends so and says this.
fn ends(site: &Site, line: &str, code: i32, text: &str) -> Ran {
    let ran = site.words(line);
    assert_eq!(ran.code, Some(code), "{line}: {}", ran.stderr);
    let said = said(&ran).join("\n") + &ran.stderr;
    assert!(said.contains(text), "{line}: {text}: {}", ran.stderr);
    ran
}

/// The same for a line that does nothing: the journals are as before, and nobody was asked for anything but questions.
fn refused(site: &Site, line: &str, code: i32, text: &str) {
    let before = (journals(site), site.orders());
    ends(site, line, code, text);
    assert!(journals(site) == before.0, "{line} wrote");
    assert_eq!(site.orders(), before.1, "{line}");
}

fn journals(site: &Site) -> Vec<Vec<u8>> {
    let runs = std::fs::read_dir(site.place.state().join("runs")).expect("runs");
    let journals = runs.map(|run| run.expect("a run").path().join("journal.jsonl"));
    journals.map(|journal| std::fs::read(journal).expect("a journal")).collect()
}

fn status(site: &Site) -> Value {
    serde_json::from_str(&site.words("status last --json").stdout).expect("JSON")
}

/// What was ordered, and nothing twice.
fn ordered(site: &Site, orders: &[&str]) {
    assert_eq!(site.orders(), orders);
    site.nothing_was_twice();
}

fn submissions(site: &Site) -> [usize; 2] {
    ["first", "second"].map(|step| site.fake.world(|world| world.submissions(step)))
}

/// Without its files, and what was kept of them.
fn without_files(site: &Site) {
    for file in ["c.json", "p.json"] {
        std::fs::remove_file(site.place.path(file)).expect("it is there");
    }
    let runs = std::fs::read_dir(site.place.state().join("runs")).expect("runs");
    for run in runs {
        // Of a run that has succeeded nothing is kept.
        let _ = std::fs::remove_file(run.expect("a run").path().join("inputs.json"));
    }
}

#[test]
fn a_run_that_was_left_is_told_of_and_driven_on_without_its_files() {
    for transient in [true, false] {
        let site = Site::new(slow());
        let line = if transient { TRANSIENT.to_owned() } else { on(&site.up()) };
        dies(&site, &line, "is RUNNING");
        let asked = site.fake.calls("*");
        assert_eq!(status(&site)["state"], "left");
        let report: Value =
            serde_json::from_str(&site.words("report last --json").stdout).expect("JSON");
        let step = site.fake.world(|world| world.clusters[0].steps[0].id.clone());
        assert_eq!(report["steps"][0]["attempts"][0]["nativeId"], step, "{report}");
        assert_eq!(site.fake.calls("*"), asked, "the journal tells all of it");
        without_files(&site);
        ends(&site, "logs last first", 1, "");
        finish(&site, &StepEnd::Completed);
        ends(&site, "attach last", 0, "Attached to run r-…");
        assert_eq!(submissions(&site), [1, 1]);
        let orders: &[&str] = if transient { &[RUN_JOB_FLOW] } else { &[RUN_JOB_FLOW, ADD] };
        ordered(&site, orders);
        // It has ended: that is told, and nobody asked.
        let asked = site.fake.calls("*");
        for line in ["attach last", "resume last", "cancel last"] {
            ends(&site, line, 0, "has ended at");
        }
        assert_eq!(site.fake.calls("*"), asked);
    }
}

#[test]
fn what_is_still_to_be_ordered_needs_the_files() {
    let steps = [
        script("first", "true", r#", "retries": {"maxAttempts": 2}"#),
        script("second", "true", ""),
    ];
    let site = Site::new(slow()).playing(playbook(&steps.join(",")));
    dies(&site, TRANSIENT, "is RUNNING");
    finish(&site, &StepEnd::Failed(None));
    let kept = std::fs::read_dir(site.place.state().join("runs")).expect("runs").next();
    let kept = kept.expect("a run").expect("it").path().join("inputs.json");
    let text = std::fs::read(&kept).expect("they are kept");
    let files = ["c.json", "p.json"].map(|name| {
        let path = site.place.path(name);
        (std::fs::read(&path).expect("it is there"), path)
    });
    without_files(&site);
    refused(&site, "attach last", 3, "was begun with is needed");
    // The copies do as well as the files.
    std::fs::write(&kept, text).expect("written");
    ends(&site, "attach last", 0, "Transient EMR run completed successfully");
    assert_eq!(submissions(&site), [2, 1]);
    assert!(files.iter().all(|(_, path)| !path.exists()));
    site.nothing_is_left();
}

#[test]
fn a_run_that_goes_on_alone_is_attached_to() {
    let site = Site::new(slow());
    let id = site.up();
    ends(&site, &format!("{} --detach", on(&id)), 0, "All steps were submitted");
    without_files(&site);
    // Until its steps run there is nothing to end.
    let driver = begun(&site, "attach last", "is RUNNING");
    finish(&site, &StepEnd::Failed(None));
    assert_eq!(driver.end(), Some(1));
    assert_eq!(status(&site)["state"], "failed");
    ordered(&site, &[RUN_JOB_FLOW, ADD]);
}

#[test]
fn a_run_that_was_left_is_cancelled_or_taken_down() {
    let site = Site::new(slow());
    let id = site.up();
    dies(&site, &on(&id), "is RUNNING");
    without_files(&site);
    ends(&site, "cancel last", 0, "Cancelling 2 steps");
    ordered(&site, &[RUN_JOB_FLOW, ADD, "CancelSteps"]);
    site.fake.world(|world| {
        assert!(world.steps().all(|step| step.state == StepState::Cancelled));
        assert!(world.clusters[0].state.takes_steps(), "it was there before");
    });

    let site = Site::new(slow());
    dies(&site, TRANSIENT, "is RUNNING");
    ends(&site, "cancel last", 0, "Terminating EMR cluster");
    site.nothing_is_left();

    // Whoever takes it down does not end the run, but its steps.
    let site = Site::new(slow());
    dies(&site, TRANSIENT, "is RUNNING");
    let left = status(&site)["run"].as_str().expect("an id").to_owned();
    without_files(&site);
    ends(&site, &format!("down --run {left}"), 0, "EMR cluster terminated successfully");
    ends(&site, &format!("attach {left}"), 1, "2/2 steps failed to complete successfully");
    ordered(&site, &[RUN_JOB_FLOW, "TerminateJobFlows"]);

    // While it is driven, its driver is asked.
    let site = Site::new(slow());
    let driver = begun(&site, TRANSIENT, "is RUNNING");
    refused(&site, "down --run last", 2, "is still driven");
    for line in ["attach last", "resume last", "attach last --take-over"] {
        refused(&site, line, 17, "is driven by process ");
    }
    ends(&site, "cancel last", 0, "Run ended by SIGTERM");
    assert_eq!(driver.end(), Some(143));
    site.nothing_is_left();
}

/// What is asked for is that nothing runs any more: whoever cannot tell must not say so.
#[test]
fn a_cancellation_that_nobody_hears_is_in_doubt() {
    let site = Site::new(slow());
    dies(&site, TRANSIENT, "is RUNNING");
    site.fake.fail("*", .., Fault::unavailable());
    ends(&site, "cancel last --lost-contact-after 0.2s", 5, "In doubt, something may be running");
    site.fake.heal();
    ends(&site, "cancel last", 0, "Run ended by SIGTERM");
    site.nothing_is_left();
}

/// Whether a driver on another host still lives cannot be seen.
#[cfg(target_os = "linux")]
#[test]
fn a_run_of_another_host_is_taken_by_who_says_so() {
    for (line, code) in [("attach last", 0), ("resume last", 0), ("cancel last", 0)] {
        let site = Site::new(slow());
        dies(&site, TRANSIENT, "is RUNNING");
        crate::drivers::written_elsewhere(&site.place);
        finish(&site, &StepEnd::Completed);
        refused(&site, line, 17, "was driven last by process 4711 on host elsewhere");
        let ran = ends(&site, &format!("{line} --take-over"), code, "Attached to run r-…");
        assert!(!ran.stderr.contains("elsewhere"), "{}", ran.stderr);
        assert_eq!(submissions(&site), [1, 1]);
        site.nothing_is_left();
    }
}

#[test]
fn what_is_done_stays_done_on_the_same_cluster() {
    let site = Site::new(doing(&[(
        "second",
        &[StepScript::fails(60), StepScript::fails(60), StepScript::completes(60)],
    )]));
    let id = site.up();
    ends(&site, &on(&id), 1, "1/2 steps failed");
    ends(&site, "resume last", 1, "Resuming run r-…");
    ends(&site, "resume last", 0, "All steps completed successfully");
    assert_eq!(submissions(&site), [1, 3]);
    ordered(&site, &[RUN_JOB_FLOW, ADD, ADD, ADD]);
    assert_eq!(site.fake.world(|world| world.clusters.len()), 1);
    refused(&site, "resume last --from first", 0, "has ended at");
}

#[test]
fn it_goes_on_on_a_new_cluster_or_on_the_one_that_is_named() {
    let site = Site::new(failing());
    ends(&site, TRANSIENT, 1, "2/2 steps failed");
    let there = site.up();
    let id = status_of(&site, "failed");
    refused(&site, &format!("resume {id} --cluster {there}"), 2, "brings its own up");
    ends(&site, &format!("resume {id}"), 0, "Transient EMR run completed successfully");
    assert_eq!(site.fake.world(|world| world.clusters.len()), 3);
    ordered(&site, &[RUN_JOB_FLOW; 3]);
    assert_eq!(submissions(&site), [2, 2]);

    let site = Site::new(failing());
    let (one, other) = (site.up(), site.up());
    ends(&site, &on(&one), 1, "2/2 steps failed");
    refused(&site, "resume last --cluster j-0000000000000", 4, "j-0000000000000");
    refused(&site, "resume last --cluster name:nobody", 4, "name:nobody");
    refused(&site, "resume last --cluster name:c", 4, "2 clusters are");
    let ran = ends(&site, &format!("resume last --cluster {other}"), 0, "Going on on cluster j-…");
    assert!(ran.stderr.contains(&other), "{}", ran.stderr);
    let steps = site.fake.world(|world| {
        let count = |id: &str| world.cluster(id).expect("it is there").steps.len();
        [count(&one), count(&other)]
    });
    assert_eq!(steps, [2, 2]);
    // The cluster is gone, and it is not the run's to launch another.
    let site = Site::new(failing());
    let id = site.up();
    ends(&site, &on(&id), 1, "2/2 steps failed");
    site.fake.world(|world| world.kill(&id, Death::user()));
    site.fake.pass(std::time::Duration::from_secs(3600));
    ends(&site, "resume last", 1, "the cluster is gone");
    assert_eq!(submissions(&site), [1, 1]);
}

fn status_of(site: &Site, state: &str) -> String {
    let listed = site.words(&format!("runs --json --state {state}")).stdout;
    let first: Value = serde_json::from_str(listed.lines().next().expect("one")).expect("JSON");
    first["run"].as_str().expect("an id").to_owned()
}

/// The second step reads what the first has put into HDFS.
fn with_hdfs(path: &str) -> Site {
    let book = emr_playbook(&["first", "second"], "CANCEL_AND_WAIT");
    let book = book.replace("\"s3://b/second.jar\"", &format!("\"s3://b/second.jar\", \"{path}\""));
    Site::new(doing(&[("second", &[StepScript::fails(60), StepScript::completes(60)])]))
        .playing(book)
}

#[test]
fn what_lay_in_the_hdfs_of_a_cluster_that_is_gone_is_to_be_made_again_or_not_to_be_missed() {
    for (path, lost) in [
        ("hdfs:///local/x", true),
        ("--src=hdfs:///local/x", true),
        ("/data/x", true),
        ("s3://b/x", false),
        ("/usr/lib/x", false),
        ("-/x", false),
    ] {
        let site = with_hdfs(path);
        ends(&site, TRANSIENT, 1, "1/2 steps failed");
        if !lost {
            ends(&site, "resume last", 0, "completed successfully");
            continue;
        }
        let why = "wants something that lies on a cluster, and the one of before is gone";
        refused(&site, "resume last", 3, why);
        refused(&site, "resume last --only step-2", 3, why);
        let flag = if path.starts_with('/') { "--accept-lost-hdfs" } else { "--from step-2" };
        ends(&site, &format!("resume last {flag}"), 0, "completed successfully");
        assert_eq!(submissions(&site), [1, 2]);
    }
    // There it still lies, or it never did.
    let site = with_hdfs("hdfs:///x");
    let (id, other) = (site.up(), site.up());
    ends(&site, &on(&id), 1, "1/2 steps failed");
    refused(&site, &format!("resume last --cluster {other}"), 3, "--accept-lost-hdfs");
    ends(&site, &format!("resume last --cluster {id}"), 0, "completed successfully");
}

#[test]
fn changed_steps_are_to_be_accepted() {
    let site = Site::new(failing());
    ends(&site, TRANSIENT, 1, "2/2 steps failed");
    let book = std::fs::read_to_string(site.place.path("p.json")).expect("a playbook");
    let site = site.with("other.json", book.replace("s3://b/second.jar", "s3://b/other.jar"));
    let line = "resume last --playbook other.json";
    let why = "steps that are not what they were: `step-2`; nothing was ordered";
    refused(&site, line, 3, why);
    ends(&site, &format!("{line} --accept-changes"), 0, "completed successfully");
    let sent = site.fake.world(|world| world.clusters[1].steps[1].config.to_string());
    assert!(sent.contains("other.jar"), "{sent}");
}

#[test]
fn steps_are_chosen_by_name() {
    for (flags, times) in
        [("--skip step-1", [1, 2]), ("--only step-2", [1, 2]), ("--only step-1", [2, 1])]
    {
        let site = Site::new(failing());
        ends(&site, TRANSIENT, 1, "2/2 steps failed");
        for (flag, text) in
            [("--from x", "names no step"), ("--skip step-1,step-2", "no step is left")]
        {
            refused(&site, &format!("resume last {flag}"), 2, text);
        }
        ends(&site, &format!("resume last {flags}"), 0, "completed successfully");
        assert_eq!(submissions(&site), times, "{flags}");
    }
}

/// EMR says of a step what nobody understands.
#[test]
fn a_step_in_doubt_is_to_be_named() {
    for (flags, times) in
        [("--skip first", [1, 1]), ("--from first", [2, 1]), ("--only first", [2, 0])]
    {
        let odd = StepScript::ends(60, StepEnd::Word("PAUSED"));
        let steps = [
            script("first", "true", r#", "retries": {"maxAttempts": 2}"#),
            script("second", "true", ""),
        ];
        let site = Site::new(doing(&[("first", &[odd, StepScript::completes(60)])]))
            .playing(playbook(&steps.join(",")));
        let id = site.up();
        let limit = "--lost-contact-after 0.2s";
        let doubt = "nobody can say how step `first` ended; look at cluster `j-…` on fabric `emr`";
        let line = format!("run -emr-config c.json {} {limit}", &on(&id)[4..]);
        ends(&site, &line, 5, doubt);
        ends(&site, &format!("attach last {limit}"), 5, "asks again");
        let why = "nobody can tell how step first ended, or whether it has";
        ends(&site, &format!("resume last {limit}"), 2, why);
        ends(&site, &format!("resume last --skip second {limit}"), 2, why);
        assert_eq!(submissions(&site), [1, 0]);
        ends(&site, &format!("resume last {flags} {limit}"), 0, "completed successfully");
        assert_eq!(submissions(&site), times, "{flags}");
        site.nothing_was_twice();
    }
}

/// Nobody can tell whether a cluster was brought up: before another is, that is found out.
#[test]
fn a_launch_in_doubt_is_looked_for_before_another_cluster_is_launched() {
    let site = Site::new(slow());
    site.fake.fail(RUN_JOB_FLOW, 1..=1, Fault::reply_lost());
    site.fake.fail("ListClusters", .., Fault::denied("elasticmapreduce:ListClusters"));
    let limit = "--lost-contact-after 0.3s";
    ends(
        &site,
        &format!("{TRANSIENT} {limit}"),
        5,
        "look for a cluster of run `r-…` on fabric `emr`",
    );
    refused(&site, "down --run last", 2, "nobody knows yet whether it came");
    // Who says what to do with the steps has not said it of the cluster.
    let doubt = "nobody can tell how step step-1 ended";
    ends(&site, &format!("resume last {limit}"), 2, doubt);
    let doubt = "nobody can tell whether order r-…";
    ends(&site, &format!("resume last --from step-1 {limit}"), 5, doubt);
    ordered(&site, &[RUN_JOB_FLOW]);
    site.fake.heal();
    let driver = begun(&site, "resume last", "is RUNNING");
    finish(&site, &StepEnd::Completed);
    assert_eq!(driver.end(), Some(0));
    ordered(&site, &[RUN_JOB_FLOW]);
    site.nothing_is_left();
}

/// The cluster died under its driverless steps: each end that somebody saw counts.
#[test]
fn who_comes_back_to_a_dead_cluster_hears_how_it_died() {
    let script = Script {
        clusters: vec![
            ClusterScript::dying(Moment::Ready(std::time::Duration::from_secs(90)), Death::spot()),
            ClusterScript::default(),
        ],
        ..Script::default()
    };
    let site = Site::new(script);
    dies(&site, TRANSIENT, "started successfully");
    site.fake.pass(std::time::Duration::from_secs(7200));
    ends(&site, "attach last", 1, "1/2 steps failed");
    ends(&site, "resume last", 0, "Transient EMR run completed successfully");
    assert_eq!(submissions(&site), [1, 2]);
    ordered(&site, &[RUN_JOB_FLOW, RUN_JOB_FLOW]);
}

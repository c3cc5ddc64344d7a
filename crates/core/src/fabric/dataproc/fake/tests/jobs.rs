//! What becomes of jobs.

use super::*;

const STEP: &str = "r-20261122T101500Z-k3f9x2-load-1-0011aabb";

#[test]
fn a_job_runs_and_ends_as_it_is_told_to() {
    let bench = Bench::ready(Script::default().step("load", StepScript::done(60).in_yarn("load")));
    let taken = bench.submit(STEP);
    assert_eq!(
        (&taken["status"]["state"], &taken["reference"]["jobId"]),
        (&json!("PENDING"), &json!(STEP))
    );
    let uuid = text(&bench.get("clusters/c1")["clusterUuid"]);
    assert_eq!(taken["placement"], json!({"clusterName": "c1", "clusterUuid": uuid}));
    let folder =
        format!("gs://dataproc-staging-fake/google-cloud-dataproc-metainfo/{uuid}/jobs/{STEP}/");
    assert_eq!(taken["driverControlFilesUri"], folder);
    assert_eq!(taken["driverOutputResourceUri"], format!("{folder}driveroutput"));
    let mut seen = Vec::new();
    for seconds in [0, 1, 1, 59, 1] {
        bench.pass(seconds);
        seen.push(bench.job_state(STEP));
    }
    assert_eq!(seen, ["PENDING", "SETUP_DONE", "RUNNING", "RUNNING", "DONE"]);
    let job = bench.job(STEP);
    assert_eq!(
        (&job["done"], &job["yarnApplications"][0]["state"]),
        (&json!(true), &json!("FINISHED"))
    );
    assert_eq!(names(&job, "statusHistory", "/state"), ["PENDING", "SETUP_DONE", "RUNNING"]);
    bench.pass(100_000);
    assert_eq!(bench.job_state(STEP), "DONE");
    bench.is_clean();
}

#[test]
fn every_end_is_told() {
    for (end, state, last) in [
        (End::Done, "DONE", "hello\n"),
        (End::Exits(0), "DONE", "dataflow-runner: exit code 0\n"),
        (End::Exits(7), "ERROR", "dataflow-runner: exit code 7\n"),
        (End::Fails("User application exited with status 3".to_owned()), "ERROR", "hello\n"),
        (End::Fails(String::new()), "ERROR", "hello\n"),
        (End::Cancelled, "CANCELLED", "hello\n"),
        (End::Word("MOLTED"), "MOLTED", "hello\n"),
    ] {
        let bench = Bench::ready(Script::default().step("load", StepScript::ends(end.clone(), 5)));
        bench.submit(STEP);
        bench.pass(7);
        let job = bench.job(STEP);
        assert_eq!((&job["status"]["state"], &job["done"]), (&json!(state), &json!(true)));
        let details = job["status"]["details"].as_str().unwrap_or_default();
        assert_eq!(!details.is_empty(), state == "ERROR", "{details}");
        let code = details.contains("exited with status 3");
        assert_eq!(code, end == End::Fails("User application exited with status 3".to_owned()));
        let output = bench.fake.world(|world| world.output(STEP));
        assert!(output.ends_with(last), "{output}");
        bench.is_clean();
    }
}

#[test]
fn every_state_between_can_come() {
    let step = StepScript::done(100)
        .turning(Turn::new(10, JobState::Running, "").in_substate("QUEUED"))
        .turning(Turn::new(20, JobState::AttemptFailure, "the first attempt failed"))
        .turning(Turn::new(30, JobState::Running, "").in_substate("STALE_STATUS"))
        .turning(Turn::new(40, JobState::Word("MOLTING"), ""));
    let bench = Bench::ready(Script::default().step("load", step));
    bench.submit(STEP);
    bench.pass(2);
    let mut seen = Vec::new();
    for _ in 0..4 {
        bench.pass(10);
        let status = &bench.job(STEP)["status"];
        let substate = status["substate"].as_str().unwrap_or_default();
        seen.push(format!("{} {substate}", text(&status["state"])));
    }
    assert_eq!(seen, ["RUNNING QUEUED", "ATTEMPT_FAILURE ", "RUNNING STALE_STATUS", "MOLTING "]);
    bench.pass(60);
    assert_eq!(bench.job_state(STEP), "DONE");
    bench.is_clean();
}

#[test]
fn attempts_of_a_step_have_scripts_of_their_own() {
    let script = Script::default().attempts("load", [StepScript::exits(1, 5), StepScript::done(5)]);
    let bench = Bench::ready(script);
    let second = STEP.replace("-1-", "-2-");
    bench.submit(STEP);
    bench.submit(&second);
    bench.pass(7);
    assert_eq!([bench.job_state(STEP), bench.job_state(&second)], ["ERROR", "DONE"]);
    assert_eq!(
        bench.fake.world(|world| (world.submissions("load"), world.jobs_of("load").count())),
        (2, 2)
    );
}

#[test]
fn a_job_is_cancelled_step_by_step() {
    let bench = Bench::ready(Script::default().step("load", StepScript::never_ends()));
    bench.submit(STEP);
    bench.pass(10);
    assert_eq!(body(&bench.cancel(STEP))["status"]["state"], "CANCEL_PENDING");
    let mut seen = Vec::new();
    for seconds in [0, 1, 1, 1] {
        assert_eq!(bench.cancel(STEP).status, 200, "once more changes nothing");
        bench.pass(seconds);
        seen.push(bench.job_state(STEP));
    }
    assert_eq!(seen, ["CANCEL_PENDING", "CANCEL_STARTED", "CANCEL_STARTED", "CANCELLED"]);
    assert_eq!(body(&bench.cancel(STEP))["status"]["state"], "CANCELLED");
    assert_eq!(bench.cancel("none").status, 404);
    bench.is_clean();
}

#[test]
fn a_job_may_end_before_it_is_cancelled_or_never_begin() {
    let script = Script { refuses_late_cancels: true, ..Script::default() };
    let bench = Bench::ready(script.step("load", StepScript::done(10)));
    bench.submit(STEP);
    bench.pass(10);
    bench.cancel(STEP);
    bench.pass(2);
    assert_eq!(bench.job_state(STEP), "DONE");
    let late = bench.refused("POST", &format!("jobs/{STEP}:cancel"), &json!({}));
    assert_eq!((late.0, late.1.as_str()), (400, "FAILED_PRECONDITION"));
    bench.submit("other");
    bench.cancel("other");
    bench.pass(3);
    let job = bench.job("other");
    assert_eq!(
        names(&job, "statusHistory", "/state"),
        ["PENDING", "CANCEL_PENDING", "CANCEL_STARTED"]
    );
    assert_eq!(
        (job["status"]["state"].as_str(), bench.fake.world(|w| w.output("other"))),
        (Some("CANCELLED"), String::new())
    );
}

#[test]
fn the_same_job_is_taken_once() {
    let bench = Bench::ready(Script::default());
    bench.submit(STEP);
    bench.pass(5);
    assert_eq!(bench.submit(STEP)["status"]["state"], "RUNNING", "the same request");
    for seconds in [0, 100] {
        bench.pass(seconds);
        let (code, status, message) = bench.refused(
            "POST",
            "jobs:submit",
            &json!({"job": job(STEP, "c1"), "requestId": "other"}),
        );
        assert_eq!((code, status.as_str()), (409, "ALREADY_EXISTS"), "{message}");
    }
    assert_eq!(bench.fake.world(|world| world.jobs.len()), 1);
    bench.is_clean();
    bench.submit_with(&job("changed", "c1"), STEP);
    let mut twin = job("twin", "c1");
    twin["labels"] = json!({"dataflow-runner-order": "r-1_1"});
    bench.submit_with(&twin, "twin");
    twin["reference"]["jobId"] = json!("twin-2");
    bench.submit_with(&twin, "twin-2");
    bench.ask("POST", "jobs:submit", &json!({"job": job("bare", "c1")}));
    let said = bench.fake.world(|world| world.violations().to_vec());
    assert_eq!(said.len(), 3, "{said:?}");
}

#[test]
fn jobs_end_with_their_cluster() {
    for (fate, state) in
        [(Fate::Error, "ERROR"), (Fate::Cancelled, "CANCELLED"), (Fate::Kept, "RUNNING")]
    {
        let cluster = ClusterScript { jobs: fate, ..ClusterScript::default() };
        let bench =
            Bench::ready(Script::default().cluster(cluster).step("load", StepScript::never_ends()));
        bench.submit(STEP);
        bench.pass(10);
        bench.delete("c1", "1");
        bench.pass(100);
        assert_eq!(bench.job_state(STEP), state, "it is known still");
        let (code, _, message) =
            bench.refused("POST", "jobs:submit", &json!({"job": job("j", "c1"), "requestId": "j"}));
        assert_eq!(code, 404);
        assert!(message.starts_with("Not found: Cluster projects/"), "{message}");
        bench.is_clean();
    }
}

#[test]
fn what_dataproc_does_not_take() {
    let bench = Bench::ready(Script::default());
    let with = |name: &str, value: Value| {
        let mut order = job("j", "c1");
        order[name] = value;
        order
    };
    let orders = [
        with("sparkJob", json!({"mainClass": "A"})),
        with("hadoopJob", json!({})),
        with("hadoopJob", json!({"mainClass": "A", "mainJarFileUri": "gs://b/a.jar"})),
        with("hadoopJob", json!({"mainJarFileUri": "a.jar"})),
        with("hadoopJob", json!({"mainJarFileUri": "s3://b/a.jar"})),
        with("hadoopJob", json!({"mainClass": "A", "archiveUris": ["gs://b/a.zip", "/b.zip"]})),
        with("reference", json!({"jobId": "x".repeat(101)})),
        with("reference", json!({"jobId": "a b"})),
        with("reference", json!({"projectId": "other"})),
        with("labels", json!({"A": ""})),
        with("scheduling", json!({"maxFailuresPerHour": 11})),
        with("scheduling", json!({"maxFailuresTotal": 241})),
    ];
    for order in orders.iter().chain([&{
        let mut none = job("j", "c1");
        none.as_object_mut().expect("an object").remove("hadoopJob");
        none
    }]) {
        let reply = bench.submit_with(order, "j");
        assert_eq!(
            (reply.status, &body(&reply)["error"]["status"]),
            (400, &json!("INVALID_ARGUMENT")),
            "{order}"
        );
    }
    for kind in ["pigJob", "hiveJob", "sparkSqlJob"] {
        for (program, taken) in [
            (json!({"queryList": {"queries": ["sh true"]}}), 200),
            (json!({"queryFileUri": "gs://b/q"}), 200),
            (json!({"queryFileUri": "gs://b/q", "queryList": {"queries": ["a"]}}), 400),
            (json!({"properties": {}}), 400),
        ] {
            let id = format!("{kind}-{}", program.to_string().len());
            let mut order = job(&id, "c1");
            order.as_object_mut().expect("an object").remove("hadoopJob");
            order[kind] = program;
            assert_eq!(bench.submit_with(&order, &id).status, taken, "{order}");
        }
    }
    bench.is_clean();
}

#[test]
fn a_job_needs_what_was_to_be_staged_for_it() {
    let bench = Bench::ready(Script::default().bucket("b"));
    let file = "dataflow-runner/staged/00/a.jar";
    let order = |id: &str| {
        let mut order = job(id, "c1");
        order["hadoopJob"]["mainJarFileUri"] = json!(format!("gs://b/{file}"));
        order
    };
    bench.submit_with(&order("early"), "early");
    bench.fake.world(|world| world.put("b", file, "jar"));
    bench.submit_with(&order("late"), "late");
    bench.pass(62);
    assert_eq!([bench.job_state("early"), bench.job_state("late")], ["ERROR", "DONE"]);
    assert!(text(&bench.job("early")["status"]["details"]).starts_with("File not found: gs://b/"));
    assert_eq!(bench.fake.world(|world| world.violations().len()), 1);
}

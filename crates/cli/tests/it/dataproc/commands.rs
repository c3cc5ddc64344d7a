//! The commands where all goes well, and what is sent for a step of each type.

use dataflow_runner_core::fabric::dataproc::fake::{Fault, Script, State};
use serde_json::{Value, json};

use super::{CREATE, DELETE, RUN, SUBMIT, Site, TRANSIENT, UP};
use crate::harness::playbook;

#[test]
fn a_cluster_comes_up_is_chosen_in_every_way_and_goes_down() {
    let site = Site::new(Script::default());
    let file = site.fake.cluster_file(r#", "labels": {"team": "data"}"#);
    let site = site.with("c.json", file);
    let id = site.up();
    let uuid = site.fake.world(|world| world.clusters[0].uuid.clone());
    assert_eq!(id, format!("fake@{uuid}"));
    let base = RUN.trim_end_matches("fake").to_owned();
    for cluster in [&id, "fake", "name:fake", "newest:fake", "tag:team=data", "label:team=data"] {
        let ran = site.says(&format!("{base}{cluster}"), 0, "All steps completed successfully");
        assert!(!ran.stderr.contains("level=warning"), "{cluster}: {}", ran.stderr);
    }
    assert_eq!(site.submissions(["first", "second"]), [6, 6]);
    for cluster in ["nobody", "name:nobody", "tag:team=other", "fake@0000"] {
        let ran = site.words(&format!("{base}{cluster}"));
        assert_eq!(ran.code, Some(4), "{cluster}: {}", ran.stderr);
    }
    assert_eq!(site.submissions(["first", "second"]), [6, 6]);
    site.done(&format!("down --config c.json --cluster {id}"), 0);
    // Once more it changes nothing.
    site.done(&format!("down --config c.json --cluster {id}"), 0);
    site.nothing_is_left();
    let orders = site.orders();
    assert_eq!((orders[0], orders[1], orders.len()), (CREATE, SUBMIT, 14), "{orders:?}");
    let sent = site.fake.requests().into_iter().find(|it| it.operation == DELETE).expect("one");
    assert!(sent.request.query().contains(&format!("clusterUuid={uuid}")));
}

/// The name is another's now: it is not taken down in place of ours, and no step goes to it.
#[test]
fn a_cluster_that_has_the_name_of_one_that_is_gone_is_left_alone() {
    let site = Site::new(Script::default());
    let id = site.up();
    site.done(&format!("down --config c.json --cluster {id}"), 0);
    let other = site.up();
    assert_ne!(id, other);
    site.done(&format!("down --config c.json --cluster {id}"), 0);
    let ran = site.words(&format!("run --config c.json --playbook p.json --cluster {id}"));
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert_eq!(site.submissions(["first"]), [0]);
    assert_eq!(site.clusters(), (2, 1));
}

#[test]
fn a_transient_run_launches_runs_and_deletes() {
    let site = Site::new(Script::default());
    let ran = site.done(TRANSIENT, 0);
    assert!(!ran.stderr.contains("level=warning"), "{}", ran.stderr);
    assert_eq!(site.orders(), [CREATE, SUBMIT, SUBMIT, DELETE]);
    site.nothing_is_left();
    site.fake.world(|world| {
        let life = &world.clusters[0].order["config"]["lifecycleConfig"];
        assert_eq!(*life, json!({"idleDeleteTtl": "7200s", "autoDeleteTtl": "86400s"}));
        let [first, second] =
            ["first", "second"].map(|step| world.jobs_of(step).next().expect("it ran"));
        assert!(first.ended.expect("it ended") <= second.created);
        let run = &world.clusters[0].order["labels"]["dataflow-runner-run"];
        assert_eq!(Some(first.labels()["dataflow-runner-run"].as_str()), run.as_str());
    });
}

#[test]
fn files_are_linted_and_planned_without_asking_anybody() {
    let site = Site::new(Script::default());
    let ran = site.done("lint c.json p.json", 0);
    assert_eq!(ran.messages(), ["info msg=\"2 files are valid\""]);
    let ran = site.done("plan --config c.json --playbook p.json", 0);
    let first = "Playbook demo on dataproc: 2 steps in 2 stages, as many at once as there are\n";
    assert!(ran.stdout.starts_with(first), "{}", ran.stdout);
    assert_eq!(site.fake.calls("*"), 0);
}

/// The member of each job that tells its type, and the least of what is in it.
#[test]
fn each_type_of_step_is_sent_as_dataproc_wants_it() {
    let steps = r#"
        {"id": "command", "type": "COMMAND", "command": "date", "arguments": ["-u"]},
        {"id": "jar", "type": "CUSTOM_JAR", "jar": "gs://b/a.jar", "mainClass": "a.B", "arguments": ["x"]},
        {"id": "runner", "type": "CUSTOM_JAR", "jar": "command-runner.jar", "arguments": ["date"]},
        {"id": "spark", "type": "SPARK", "jar": "gs://b/a.jar", "mainClass": "a.B", "properties": {"spark.x": "1"}},
        {"id": "python", "type": "SPARK", "file": "gs://b/a.py"},
        {"id": "r", "type": "SPARK", "file": "gs://b/a.R"},
        {"id": "sql", "type": "SPARK_SQL", "file": "gs://b/a.sql", "arguments": ["--hivevar", "day=1"]},
        {"id": "hive", "type": "HIVE", "file": "gs://b/a.q"},
        {"id": "pig", "type": "PIG", "file": "gs://b/a.pig", "arguments": ["-p", "day=1"]},
        {"id": "streaming", "type": "STREAMING", "mapper": "cat", "reducer": "wc", "source": "gs://b/in", "destination": "gs://b/out"},
        {"id": "flink", "type": "FLINK", "jar": "gs://b/f.jar"},
        {"id": "copy", "type": "COPY", "source": "gs://b/in", "destination": "hdfs:///out"}"#;
    let site = Site::new(Script::default()).with("p.json", playbook(steps));
    let ran = site.done(TRANSIENT, 0);
    let of = |step: &str| -> Value {
        let all = site.fake.requests();
        let named = format!("-{step}-1-");
        let sent = all.iter().filter(|it| it.operation == SUBMIT).find(|it| {
            it.body["job"]["reference"]["jobId"].as_str().is_some_and(|id| id.contains(&named))
        });
        sent.unwrap_or_else(|| panic!("{step}: {}", ran.stderr)).body["job"].clone()
    };
    for (step, kind, expected) in [
        (
            "jar",
            "hadoopJob",
            json!({"mainClass": "a.B", "jarFileUris": ["gs://b/a.jar"], "args": ["x"]}),
        ),
        (
            "spark",
            "sparkJob",
            json!({"mainClass": "a.B", "jarFileUris": ["gs://b/a.jar"], "properties": {"spark.x": "1"}}),
        ),
        ("python", "pysparkJob", json!({"mainPythonFileUri": "gs://b/a.py"})),
        ("r", "sparkRJob", json!({"mainRFileUri": "gs://b/a.R"})),
        (
            "sql",
            "sparkSqlJob",
            json!({"queryFileUri": "gs://b/a.sql", "scriptVariables": {"day": "1"}}),
        ),
        ("hive", "hiveJob", json!({"queryFileUri": "gs://b/a.q"})),
        ("pig", "pigJob", json!({"queryFileUri": "gs://b/a.pig", "scriptVariables": {"day": "1"}})),
        ("flink", "flinkJob", json!({"mainJarFileUri": "gs://b/f.jar"})),
    ] {
        assert_eq!(of(step)[kind], expected, "{step}");
    }
    let streaming = of("streaming")["hadoopJob"]["args"].clone();
    assert_eq!((&streaming[0], &streaming[1]), (&json!("-mapper"), &json!("cat")), "{streaming}");
    for step in ["command", "runner", "copy"] {
        let query = &of(step)["pigJob"]["queryList"]["queries"][0];
        assert!(query.as_str().is_some_and(|it| it.starts_with("sh echo ")), "{step}: {query}");
    }
    site.nothing_is_left();
}

#[test]
fn a_cluster_that_is_refused_is_4_and_nothing_is_left() {
    let taken = "Already exists: Failed to create cluster";
    for line in [UP, TRANSIENT] {
        let site = Site::new(Script::default());
        site.fake.world(|world| world.script.most_clusters = Some(0));
        site.says(line, 4, "Insufficient 'CPUS' quota");
        assert_eq!((site.orders(), site.clusters()), (vec![CREATE], (0, 0)));

        let site = Site::new(Script::default());
        site.fake.fail(CREATE, .., Fault::denied("dataproc.clusters.create"));
        site.says(line, 4, "dataproc.clusters.create");
        assert_eq!((site.orders(), site.clusters()), (vec![CREATE], (0, 0)));

        let site = Site::new(Script::default());
        site.fake.world(|world| world.add_cluster("fake", &[]));
        site.says(line, 4, taken);
        assert_eq!(site.clusters(), (1, 1), "it is not ours");
        assert!(!site.orders().contains(&DELETE));
        site.fake.world(|world| assert_eq!(world.clusters[0].state(), State::Running));
    }
    let site = Site::new(Script::default());
    site.fake.forget_tokens();
    site.says(UP, 4, "Google does not accept the credentials");
    let site = Site::new(Script::default());
    let id = site.up();
    site.fake.fail(SUBMIT, .., Fault::denied("dataproc.jobs.create"));
    site.says(&RUN.replace("fake", &id), 4, "dataproc.jobs.create");
    assert_eq!(site.orders(), [CREATE, SUBMIT]);
    site.nothing_runs();
}

#[test]
fn lost_answers_make_nothing_twice() {
    for fault in [Fault::ReplyLost, Fault::ReplyCut] {
        for operation in [CREATE, SUBMIT, DELETE] {
            let site = Site::new(Script::default());
            site.fake.fail(operation, 1..=1, fault.clone());
            site.done(TRANSIENT, 0);
            assert_eq!(site.submissions(["first", "second"]), [1, 1], "{operation}");
            assert_eq!(site.clusters(), (1, 0), "{operation}");
            site.nothing_is_left();
        }
    }
    // However often.
    let site = Site::new(Script::default());
    for operation in [CREATE, SUBMIT] {
        site.fake.fail(operation, 1..=7, Fault::ReplyLost);
    }
    site.done(TRANSIENT, 0);
    assert_eq!((site.submissions(["first", "second"]), site.clusters()), ([1, 1], (1, 0)));
    site.nothing_is_left();
}

/// What comes in place of an answer to a question fails no run.
#[test]
fn questions_are_asked_again() {
    for fault in [
        Fault::unavailable(),
        Fault::internal(),
        Fault::throttled(None),
        Fault::Page(502),
        Fault::Body("{"),
        Fault::Cut,
        Fault::ReplyCut,
    ] {
        let site = Site::new(Script::default());
        for operation in ["clusters.get", "jobs.get"] {
            site.fake.fail(operation, 1..=2, fault.clone());
        }
        let ran = site.done(TRANSIENT, 0);
        assert!(!ran.stderr.contains("level=error"), "{fault:?}: {}", ran.stderr);
        assert_eq!(site.submissions(["first", "second"]), [1, 1]);
        site.nothing_is_left();
    }
}

//! Orders and what becomes of them, request by request.

use serde_json::json;

use super::*;
use crate::fabric::yarn::application::Tags;
use crate::fabric::yarn::fake::{ChildScript, End, Fault, Refusal, StepScript};

#[test]
fn a_step_is_an_application_of_our_launcher() {
    let there = There::with(
        Script::default(),
        r#", "queue": "default", "memoryMb": 512, "vCores": 2, "tags": ["Team-Data"], "environment": {"PATH": "/opt/bin"}"#,
    );
    let mut step = command("first");
    step.work.arguments = ["", "a b", "ü"].map(sample::text).to_vec();
    let id = there.start(2, &step);
    let modified = there.fake.world(|world| {
        let path = world.files.paths().find(|path| path.ends_with(".jar")).expect("the launcher");
        world.files.get(path).map(|file| file.modified)
    });
    let mut order =
        there.fake.world(|world| world.application(id.as_str()).map(|app| app.order.clone()));
    let order = order.as_mut().expect("it is there");
    let launcher = order["am-container-spec"]["local-resources"]["entry"][0]["value"].take();
    let uri = launcher["resource"].as_str().expect("a URI");
    assert!(uri.starts_with("hdfs://fake:9000/user/alice/.dataflow-runner/launcher-"), "{uri}");
    assert_eq!(launcher["timestamp"].as_i64(), modified);
    assert!(launcher["size"].as_u64().is_some_and(|size| size <= 8 * 1024), "{launcher}");
    let base64 = |words: &str| crate::base64::encode(words.as_bytes());
    let given =
        base64("DATAFLOW_CLUSTER=fake\0DATAFLOW_STEP=first\0DATAFLOW_ATTEMPT=1\0PATH=/opt/bin\0");
    let logs = format!("hdfs://fake:9000/user/alice/.dataflow-runner/logs/{id}");
    let attempt = order["application-tags"]["tag"][3].clone();
    assert!(attempt.as_str().is_some_and(|tag| tag.starts_with("attempt-") && tag.len() == 32));
    let expected = json!({
        "application-id": id.as_str(),
        "application-name": "first",
        "application-type": "dataflow-runner",
        "application-tags": {"tag": ["dataflow-runner", "r-test", "r-test.2", attempt, "team-data"]},
        "queue": "default",
        "max-app-attempts": 1,
        "keep-containers-across-application-attempts": false,
        "unmanaged-AM": false,
        "resource": {"memory": 512, "vCores": 2},
        "am-container-spec": {
            "commands": {"command": "{{JAVA_HOME}}/bin/java -Xmx64m Launcher 1><LOG_DIR>/launcher.log 2>&1"},
            "environment": {"entry": [
                {"key": "CLASSPATH", "value": "{{PWD}}/launcher.jar<CPS>/hadoop/conf<CPS>/hadoop/share/*"},
                {"key": "HADOOP_USER_NAME", "value": "alice"},
                {"key": "DATAFLOW_ARGV", "value": base64("true\0\0a b\0ü\0")},
                {"key": "DATAFLOW_ENV", "value": given},
                {"key": "DATAFLOW_TAGS", "value": format!("r-test,{}", attempt.as_str().unwrap_or_default())},
                {"key": "DATAFLOW_LOGS", "value": logs},
            ]},
            "local-resources": {"entry": [{"key": "launcher.jar", "value": null}]},
        },
    });
    assert_eq!(*order, expected);
}

#[test]
fn it_is_asked_often_at_first_and_seldom_later() {
    let there = There::new(Script::default());
    let seconds = Duration::from_secs;
    let expected = Pace { eager: seconds(30), ..Pace::steady(seconds(1), seconds(15)) };
    assert_eq!(there.yarn.capabilities().pace, expected);
}

#[test]
fn one_request_tells_of_all_steps() {
    let there = There::new(Script::default());
    let ids: Vec<_> = (1..=3).map(|n| there.start(n, &command(&format!("s{n}")))).collect();
    let poll = |yarn: &Yarn| {
        let told = yarn.poll(&there.home, &ids).expect("it answers");
        let states: Vec<_> = told.iter().map(|(_, status)| status.state).collect();
        assert_eq!(told.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids);
        states
    };
    assert_eq!(
        there.asked(|| assert_eq!(poll(&there.yarn), [StepState::Pending; 3])),
        ["applications"]
    );
    there.pass(5);
    assert_eq!(
        there.asked(|| assert_eq!(poll(&there.yarn), [StepState::Running; 3])),
        ["applications"]
    );
    there.pass(10);
    // Another process has to learn first which run they are of.
    let other = fabric(&there.fake.cluster_file(""));
    let asked = there.asked(|| assert_eq!(poll(&other), [StepState::Succeeded; 3]));
    assert_eq!(asked, ["application", "applications"]);
    assert_eq!(there.asked(|| drop(poll(&other))), ["applications"]);
    assert!(there.yarn.poll(&there.home, &[]).expect("nothing").is_empty());
}

#[test]
fn an_order_is_found_by_its_id_or_by_its_tag() {
    let there = There::new(Script::default());
    let ids = there.reserve(1);
    assert_eq!(there.find(2, &ids), Found::No, "it was not sent");
    assert_eq!(there.find(2, &[]), Found::No);
    there.submit(2, &command("a"), &ids).expect("it is taken");
    assert_eq!(there.find(2, &ids), Found::Yes(ids.clone()));
    assert_eq!(there.find(2, &[]), Found::Yes(ids.clone()));
    assert_eq!(there.find(20, &[]), Found::No);
    there.pass(60);
    assert_eq!(there.find(2, &ids), Found::Yes(ids.clone()), "also when it has ended");
    there.fake.world(|world| world.restart(true));
    assert_eq!(there.find(2, &ids), Found::Yes(ids.clone()));
    assert_eq!(there.status(&ids[0]).state, StepState::Succeeded);
    // A ResourceManager that has forgotten it proves nothing.
    there.fake.world(|world| world.restart(false));
    assert_eq!(there.find(2, &ids), Found::NotYet);
    let gone = there.status(&ids[0]);
    assert_eq!((gone.state, gone.native.as_str()), (StepState::Unknown, "GONE"));
    assert!(gone.reason.expect("a reason").contains("restarted without its memory"));
}

#[test]
fn what_a_step_started_is_not_the_step() {
    let script = StepScript::never_ends().starting(ChildScript::never_ends("MAPREDUCE"));
    let there = There::new(Script::default().step("a", script));
    let id = there.start(2, &command("a"));
    there.pass(5);
    assert_eq!(there.fake.world(|world| world.alive().count()), 2);
    assert_eq!(there.find(2, &[]), Found::Yes(vec![id]), "though the other is the newest");
}

/// Whoever has no journal asks by the key alone.
#[test]
fn an_order_of_a_run_with_a_key_is_absent_only_if_nobody_sent_it() {
    let there = There::new(Script::default());
    let foreign = |yarn: &Yarn| {
        there.keyed(&[], true, |order| yarn.find(&there.home, order)).expect("it answers")
    };
    let elsewhere = fabric(&there.fake.cluster_file(""));
    let asked = there.asked(|| assert_eq!(foreign(&elsewhere), Found::No));
    assert_eq!(asked, ["info", "applications", "LISTSTATUS"]);
    // An id that was only given out is none of an order.
    let ids = there.reserve(1);
    assert_eq!(foreign(&elsewhere), Found::No);
    let submit = || there.keyed(&ids, false, |order| there.yarn.submit(&there.home, order));
    let asked = there.asked(|| drop(submit().expect("it is taken")));
    assert_eq!(asked, ["MKDIRS", "submit"], "others are told before");
    let asked = there.asked(|| assert_eq!(foreign(&elsewhere), Found::Yes(ids.clone())));
    assert_eq!(asked, ["info", "applications"]);
    there.pass(60);
    assert_eq!(foreign(&elsewhere), Found::Yes(ids.clone()), "also when it has ended");
    // Its application is found by its id where the tags do not show it.
    there.fake.fail("applications", .., Fault::Body(r#"{"apps": {}}"#));
    assert_eq!(foreign(&elsewhere), Found::Yes(ids.clone()));
    there.fake.heal();
    // A ResourceManager that began anew without its memory, or has had too many applications since.
    there.fake.world(|world| world.restart(false));
    assert_eq!(foreign(&elsewhere), Found::NotYet);
    there.fake.world(|world| {
        let marks = "/user/alice/.dataflow-runner/orders/attempt-";
        let path = world.files.paths().find(|path| path.starts_with(marks)).expect("a mark");
        let path = path.rsplit_once("/application_").map_or(path, |(folder, _)| folder).to_owned();
        assert_eq!(world.files.get(&path).map(|folder| folder.rights.as_str()), Some("700"));
        assert!(world.files.remove(&path));
    });
    assert_eq!(foreign(&elsewhere), Found::No, "somebody says that it never was");
}

/// Steps that do not wait for each other may be ordered in one sequence by one pod and in another by the next.
#[test]
fn another_process_finds_an_attempt_whatever_the_number_of_its_order() {
    let there = There::new(Script::default());
    let ids = there.start_all([(3, "a"), (4, "b")]);
    let find = |order, step: &str| {
        let (staged, step) = (BTreeMap::new(), command(step));
        let asked = |order: &Order<'_>| {
            let steps = vec![OrderedStep { ..order.steps[0] }];
            there.yarn.find(&there.home, &Order { foreign: true, steps, ..*order })
        };
        there.ordering(order, &step, &[], &staged, asked).expect("it answers")
    };
    for (order, step, id) in [(3, "a", 0), (4, "a", 0), (3, "b", 1), (9, "b", 1)] {
        assert_eq!(find(order, step), Found::Yes(vec![ids[id].clone()]), "{step} as {order}");
    }
    assert_eq!(find(3, "c"), Found::No);
}

#[test]
fn where_others_cannot_be_told_nothing_is_ordered() {
    let there = There::new(Script::default());
    let ids = there.reserve(1);
    let refusal = Refusal::new(403, "AccessControlException", "Permission denied");
    there.fake.fail("MKDIRS", .., Fault::Refuse(refusal));
    let error = there.keyed(&ids, false, |order| there.yarn.submit(&there.home, order));
    let error = error.expect_err("it is refused");
    assert_eq!((error.kind, error.effect), (ErrorKind::Auth, Effect::None));
    assert_eq!(there.fake.calls("submit"), 0);
    // A run without a key is asked for by nobody else.
    there.start(2, &command("b"));
}

#[test]
fn a_resource_manager_that_has_just_begun_proves_nothing() {
    let there = There::new(Script::default());
    let ids = there.reserve(1);
    there.submit(2, &command("a"), &ids).expect("it is taken");
    there.fake.world(|world| {
        world.restart(true);
        world.recovers = true;
    });
    let home = &there.home;
    let kind = |error: Error| error.kind;
    assert_eq!(there.yarn.poll(home, &ids).map_err(kind), Err(ErrorKind::Unavailable));
    for ids in [&ids[..], &[]] {
        assert_eq!(there.try_find(2, ids).map_err(kind), Err(ErrorKind::Unavailable));
    }
    there.fake.world(|world| world.recovers = false);
    there.pass(60);
    assert_eq!(there.status(&ids[0]).state, StepState::Succeeded);
}

#[test]
fn an_order_whose_answer_is_lost_is_sent_again_and_runs_once() {
    let there = There::new(Script::default());
    there.fake.fail("submit", 1..=1, Fault::ReplyLost);
    let ids = there.reserve(1);
    let asked = there.asked(|| drop(there.submit(2, &command("a"), &ids).expect("it is taken")));
    assert_eq!(asked, ["submit", "submit"]);
    there.fake.world(|world| assert_eq!(world.submissions("a"), 1));
}

#[test]
fn an_order_whose_answers_are_all_lost_is_in_doubt() {
    let there = There::new(Script::default());
    let ids = there.reserve(1);
    there.fake.fail("submit", .., Fault::ReplyLost);
    let error = there.submit(2, &command("a"), &ids).expect_err("nobody answers");
    assert_eq!((error.kind, error.effect), (ErrorKind::Unavailable, Effect::Unknown));
    assert_eq!(there.find(2, &ids), Found::Yes(ids.clone()));
}

#[test]
fn what_is_refused_has_no_effect() {
    let there = There::with(Script::default(), r#", "memoryMb": 5000"#);
    let ids = there.reserve(1);
    let error = there.submit(2, &command("a"), &ids).expect_err("too much");
    assert_eq!((error.kind, error.effect), (ErrorKind::Config, Effect::None));
    assert_eq!(error.message, "Requested more memory than configured max");
    let none = there.submit(2, &command("a"), &[]).expect_err("no id");
    assert_eq!(none.kind, ErrorKind::Config);
}

#[test]
fn a_queue_that_is_not_there_fails_the_step() {
    let there = There::with(Script::default(), r#", "queue": "nope""#);
    let id = there.start(2, &command("a"));
    let told = there.status(&id);
    assert_eq!(told.state, StepState::Failed);
    assert!(told.reason.expect("a reason").starts_with("there is no such queue"));
}

#[test]
fn a_launcher_that_changed_meanwhile_is_brought_to_no_node() {
    let there = There::new(Script::default());
    let ids = there.reserve(1);
    there.fake.world(|world| {
        let path = world.files.paths().find(|path| path.ends_with(".jar")).expect("one").to_owned();
        world.files.write(&path, b"other", "600", 1);
    });
    there.submit(2, &command("a"), &ids).expect("it is taken");
    let reason = there.status(&ids[0]).reason.expect("a reason");
    assert!(reason.starts_with("a node could not bring what the step needs from HDFS"), "{reason}");
}

#[test]
fn a_step_is_cancelled_with_all_that_it_started() {
    let script = StepScript::never_ends()
        .starting(ChildScript::never_ends("MAPREDUCE"))
        .starting(ChildScript::never_ends("SPARK"));
    let there = There::new(Script::default().step("a", script));
    let mut step = command("a");
    let tags = there.ordering(2, &command("a"), &[], &BTreeMap::new(), |order| {
        Tags::of(order.token, &order.steps[0]).joined()
    });
    step.work.arguments.push(sample::text(&format!("spark.yarn.tags={tags}")));
    let (id, other) = (there.start(2, &step), there.start(3, &command("b")));
    there.pass(5);
    assert_eq!(there.status(&id).state, StepState::Running);
    let cancel = || there.yarn.cancel(&there.home, std::slice::from_ref(&id)).expect("it is asked");
    assert_eq!(there.asked(cancel), ["applications", "kill", "kill", "kill"]);
    cancel();
    assert_eq!(there.later(2, &id).state, StepState::Cancelled);
    assert_eq!(there.asked(cancel), ["applications"]);
    let alive =
        there.fake.world(|world| world.alive().map(|app| app.id.clone()).collect::<Vec<_>>());
    assert_eq!(alive, [other.to_string()], "of another step nothing was touched");
    let unknown = StepId::new("application_1_0001");
    there.yarn.cancel(&there.home, &[unknown]).expect("there is nothing to ask");
}

#[test]
fn what_a_killed_launcher_leaves_is_killed() {
    let script = StepScript::never_ends().starting(ChildScript::never_ends("MAPREDUCE"));
    let there = There::new(Script::default().step("a", script));
    let id = there.start(2, &command("a"));
    there.pass(5);
    there.fake.world(|world| {
        let now = world.now;
        let app = world.application_mut(id.as_str()).expect("it is there");
        app.asked = Some(("bob".to_owned(), now));
    });
    there.pass(1);
    let told = there.asked(|| assert_eq!(there.status(&id).state, StepState::Running));
    assert_eq!(told, ["applications", "kill"]);
    assert_eq!(there.later(1, &id).state, StepState::Cancelled);
    assert_eq!(there.fake.world(|world| world.alive().count()), 0);
}

#[test]
fn spark_in_the_cluster_is_judged_by_its_driver() {
    let end = || End::Fails("User application exited with status 3".to_owned());
    let script = StepScript::exits(1, 20).starting(ChildScript::ends("SPARK", end(), 10));
    let there = There::new(Script::default().step("a", script));
    there.fake.world(|world| {
        let now = world.now.as_millisecond();
        world.files.make("/jobs", "755", now);
        world.files.write("/jobs/pi.py", b"pi", "644", now);
    });
    let id = there.start(2, &spark_in_cluster("a"));
    assert_eq!(there.later(5, &id).state, StepState::Running);
    let told = there.later(30, &id);
    assert_eq!((told.state, told.exit_code), (StepState::Failed, Some(3)));
}

#[test]
fn flink_goes_on_without_its_launcher() {
    let child =
        |end: End| StepScript::exits(0, 5).starting(ChildScript::ends("Apache Flink", end, 20));
    let ends = [
        (End::Succeeds, StepState::Succeeded, Some(0)),
        (End::Fails(String::new()), StepState::Failed, None),
    ];
    for (end, state, code) in ends {
        let there = There::new(Script::default().step("a", child(end)));
        let id = there.start(2, &flink("a"));
        assert_eq!(there.later(10, &id).state, StepState::Running);
        let told = there.later(20, &id);
        assert_eq!((told.state, told.exit_code), (state, code));
    }
    let there = There::new(Script::default());
    let id = there.start(2, &flink("a"));
    let told = there.later(20, &id);
    assert_eq!(told.state, StepState::Unknown, "nobody can say what became of it");
}

/// One of a run's applications is forgotten, and whoever comes back asks about it first.
#[test]
fn who_comes_back_sees_all_of_what_is_left() {
    let child = ChildScript::never_ends("Apache Flink");
    let there = There::new(Script::default().step("a", StepScript::exits(0, 5).starting(child)));
    let id = there.start(2, &flink("a"));
    there.pass(10);
    let (gone, home) = (StepId::new("application_1_0001"), &there.home);
    let ids = [gone, id];
    let another_process = fabric(&there.fake.cluster_file(""));
    let told = another_process.poll(home, &ids).expect("it answers");
    let states: Vec<_> = told.iter().map(|(_, status)| status.state).collect();
    assert_eq!(states, [StepState::Unknown, StepState::Running]);
    let a_third = fabric(&there.fake.cluster_file(""));
    a_third.cancel(home, &ids).expect("it is asked");
    there.pass(5);
    assert_eq!(there.fake.world(|world| world.alive().count()), 0);
}

/// Whatever became of its tags.
#[test]
fn what_cannot_be_told_by_its_run_is_asked_for_by_itself() {
    let there = There::new(Script::default().step("a", StepScript::never_ends()));
    let (first, second) = (there.start(2, &command("a")), there.start(3, &command("a")));
    there.fake.world(|world| {
        world.application_mut(second.as_str()).expect("it is there").tags.clear();
    });
    assert_eq!(there.later(5, &second).state, StepState::Running);
    let both = [first, second];
    there.yarn.cancel(&there.home, &both).expect("it is asked");
    there.pass(5);
    assert_eq!(there.fake.world(|world| world.alive().count()), 0);
}

#[test]
fn a_time_limit_is_set_on_the_application_too() {
    let mut step = command("a");
    step.rules.timeout = Some(Duration::from_secs(60));
    let there = There::new(Script::default().step("a", StepScript::never_ends()));
    let id = there.start(2, &step);
    assert_eq!(there.fake.calls("timeout"), 1);
    assert_eq!(there.later(60, &id).state, StepState::Running, "it is for us to end it first");
    let told = there.later(180, &id);
    assert_eq!(told.state, StepState::Failed);
    assert!(told.reason.expect("a reason").starts_with("it took longer than it may"));
    assert_eq!(there.yarn.warnings(), [""; 0]);
    // Where that is not allowed the step runs all the same.
    there.fake.fail("timeout", .., Fault::Refuse(Refusal::new(403, "ForbiddenException", "no")));
    there.start(3, &step);
    let warnings = there.yarn.warnings();
    assert!(warnings[0].contains("has no time limit of its own, only ours"), "{warnings:?}");
    assert_eq!((warnings.len(), there.yarn.warnings().len()), (1, 0));
}

#[test]
fn a_step_that_ended_at_once_needs_no_time_limit() {
    let mut step = command("a");
    step.rules.timeout = Some(Duration::from_secs(60));
    for (end, warnings) in [(true, 0), (false, 1)] {
        let queue = if end { r#", "queue": "nope""# } else { "" };
        let there = There::with(Script::default(), queue);
        if !end {
            let refusal = Refusal::new(400, "BadRequestException", "no");
            there.fake.fail("timeout", .., Fault::Refuse(refusal));
        }
        let asked = there.asked(|| drop(there.start(2, &step)));
        assert_eq!(asked[asked.len() - 3..], ["submit", "timeout", "application"]);
        assert_eq!(there.yarn.warnings().len(), warnings);
    }
}

//! What becomes of orders.

use super::*;

fn after(bench: &Bench, seconds: u64, id: &str) -> (String, String) {
    bench.fake.pass(Duration::from_secs(seconds));
    let app = bench.app(id);
    (text(&app["state"]), text(&app["finalStatus"]))
}

fn words(state: &str, end: &str) -> (String, String) {
    (state.to_owned(), end.to_owned())
}

#[test]
fn a_launcher_runs_and_ends_as_it_is_told_to() {
    let script =
        Script::default().step("bad", StepScript::exits(7, 10).writing("", "no such file\n"));
    let bench = Bench::new(script);
    let id = bench.new_id();
    bench.submit(&order(&id, "bad"));
    assert_eq!(after(&bench, 0, &id), words("ACCEPTED", "UNDEFINED"));
    assert_eq!(after(&bench, 1, &id), words("RUNNING", "UNDEFINED"));
    assert_eq!(after(&bench, 10, &id), words("FINISHED", "FAILED"));
    assert_eq!(bench.app(&id)["diagnostics"], "exit code 7\nno such file\n");
    let log = format!("/user/alice/logs/{id}");
    bench.fake.world(|world| {
        assert_eq!(world.files.text(&format!("{log}/stderr")).as_deref(), Some("no such file\n"));
        assert_eq!(world.files.get(&log).expect("a folder").rights, "700");
        let program = world.application(&id).and_then(|app| app.program.as_ref()).expect("read");
        assert_eq!(program.words, ["true", ""]);
        assert_eq!(program.environment["A"], "b=c");
    });
    assert_eq!(bench.violations(), [""; 0]);
}

#[test]
fn the_same_id_is_the_same_application() {
    let bench = Bench::new(Script::default());
    let sent = order(&bench.new_id(), "a");
    assert_eq!([bench.submit(&sent).status, bench.submit(&sent).status], [202, 202]);
    bench.fake.pass(Duration::from_secs(60));
    assert_eq!(bench.submit(&sent).status, 202);
    bench.fake.world(|world| assert_eq!(world.submissions("a"), 1));
    assert_eq!(bench.violations(), [""; 0]);
    let mut other = sent;
    other["application-name"] = json!("b");
    bench.submit(&other);
    assert_eq!(bench.violations().len(), 1);
}

#[test]
fn what_should_never_be_is_noted() {
    let bench = Bench::new(Script::default());
    let mut noted = 0;
    let mut notes = |why: &str| {
        noted += 1;
        let violations = bench.violations();
        assert_eq!(violations.len(), noted, "{violations:?}");
        assert!(violations[noted - 1].contains(why), "{violations:?}");
    };
    bench.submit(&order("application_1_0001", "invented"));
    notes("was never given out");
    bench.running("a");
    let mut again = order(&bench.new_id(), "b");
    again["application-tags"] = json!({"tag": ["r-1.a"]});
    bench.submit(&again);
    notes("a second application of the order r-1.a");
    let mut often = order(&bench.new_id(), "c");
    often["max-app-attempts"] = json!(2);
    bench.submit(&often);
    notes("more than once");
    let mut upper = order(&bench.new_id(), "d");
    upper["application-tags"] = json!({"tag": ["R-2"]});
    bench.submit(&upper);
    notes("does not stay as it is");
    let mut odd = order(&bench.new_id(), "e");
    odd["application-timeouts"] = json!({});
    bench.submit(&odd);
    notes("is no member of an order");
    for (at, value, why) in [
        (0, "/hadoop/share/*", "not on its class path"),
        (2, "YQ", "no base64"),
        (2, "", "nothing to run"),
        (3, "YQA=", "`a` is no variable"),
        (4, "R-1", "are no tags"),
        (5, "/user/alice", "its logs go elsewhere"),
    ] {
        let id = bench.new_id();
        let mut bad = order(&id, why);
        bad["am-container-spec"]["environment"]["entry"][at]["value"] = json!(value);
        bench.submit(&bad);
        notes(why);
        assert_eq!(after(&bench, 0, &id), words("FAILED", "FAILED"));
    }
}

#[test]
fn a_killed_one_ends_after_a_while_and_its_children_do_not() {
    let launcher = StepScript::never_ends().starting(ChildScript::never_ends("MAPREDUCE"));
    let bench = Bench::new(Script::default().step("a", launcher));
    let id = bench.running("a");
    let killed = bench.kill(&id, "KILLED");
    assert_eq!((killed.status, body(&killed)), (202, json!({"state": "RUNNING"})));
    assert_eq!(bench.kill(&id, "KILLED").status, 202);
    assert_eq!(after(&bench, 1, &id), words("KILLED", "KILLED"));
    let killed = bench.kill(&id, "KILLED");
    assert_eq!((killed.status, body(&killed)), (200, json!({"state": "KILLED"})));
    let said = format!("Application {id} was killed by user alice");
    assert_eq!(bench.app(&id)["diagnostics"], said);
    bench.fake.world(|world| {
        assert_eq!(world.files.get(&format!("/user/alice/logs/{id}")), None);
        let alive: Vec<_> = world.alive().map(|app| (app.kind.clone(), app.tags.clone())).collect();
        let tags = ["r-1", "r-1.2"].map(str::to_owned).to_vec();
        assert_eq!(alive, [("MAPREDUCE".to_owned(), tags)]);
    });
}

#[test]
fn children_have_the_tags_that_their_programs_were_told() {
    let kinds = ["MAPREDUCE", "SPARK", "Apache Flink"];
    let script = kinds.iter().fold(StepScript::exits(0, 60), |script, kind| {
        script.starting(ChildScript::ends(kind, End::Succeeds, 1))
    });
    let bench = Bench::new(Script::default().step("a", script));
    let id = bench.new_id();
    let mut sent = order(&id, "a");
    let words = ["flink", "-Dyarn.tags=f,g", "--conf", "spark.yarn.tags=s"];
    sent["am-container-spec"]["environment"]["entry"][2]["value"] = json!(packed(&words));
    bench.submit(&sent);
    bench.fake.pass(Duration::from_secs(10));
    bench.fake.world(|world| {
        let children = world.applications.iter().filter(|app| app.parent.is_some());
        let tags: Vec<_> = children.map(|app| app.tags.join(" ")).collect();
        assert_eq!(tags, ["r-1 r-1.2", "s", "f g"]);
    });
}

#[test]
fn a_lifetime_ends_it() {
    let bench = Bench::new(Script::default().step("a", StepScript::never_ends()));
    let id = bench.running("a");
    let until = crate::clock::add(crate::clock::timestamp(), Duration::from_secs(100));
    let time = until.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
    let wanted = json!({"timeout": {"type": "LIFETIME", "expiryTime": time}});
    let path = format!("/ws/v1/cluster/apps/{id}/timeout");
    assert_eq!(bench.manager("PUT", &path, &wanted).status, 200);
    assert_eq!(after(&bench, 50, &id), words("RUNNING", "UNDEFINED"));
    assert_eq!(after(&bench, 60, &id), words("KILLED", "KILLED"));
    assert_eq!(bench.manager("PUT", &path, &wanted).status, 400, "it has ended");
    let past =
        json!({"timeout": {"type": "LIFETIME", "expiryTime": "2020-01-01T00:00:00.000+0000"}});
    assert_eq!(bench.manager("PUT", &path, &past).status, 400);
}

#[test]
fn a_resource_must_be_what_it_was_said_to_be() {
    let bench = Bench::new(Script::default());
    let modified = bench.fake.world(|world| {
        let now = world.now.as_millisecond();
        world.files.write("/user/x.jar", b"jar", "600", now);
        now
    });
    let uri = "hdfs://fake:9000/user/x.jar";
    for (at, (uri, size, timestamp, why)) in [
        (uri, 3, modified, None),
        (uri, 4, modified, Some("changed on src filesystem")),
        (uri, 3, modified + 1, Some("changed on src filesystem")),
        ("hdfs://fake:9000/user/y.jar", 3, modified, Some("File does not exist")),
        ("hdfs://other/user/x.jar", 3, modified, Some("File does not exist")),
    ]
    .into_iter()
    .enumerate()
    {
        let id = bench.new_id();
        let mut sent = order(&id, &at.to_string());
        let value = json!({"resource": uri, "size": size, "timestamp": timestamp});
        sent["am-container-spec"]["local-resources"]["entry"] =
            json!([{"key": "x.jar", "value": value}]);
        bench.submit(&sent);
        let app = bench.app(&id);
        let said = text(&app["diagnostics"]);
        match why {
            None => assert_eq!(app["state"], "ACCEPTED", "{said}"),
            Some(why) => assert!(said.contains("exitCode: -1000") && said.contains(why), "{said}"),
        }
    }
}

#[test]
fn a_resource_manager_begins_anew_with_its_memory_or_without() {
    let bench = Bench::new(Script::default().step("a", StepScript::never_ends()));
    let id = bench.running("a");
    bench.fake.world(|world| world.restart(true));
    assert_eq!(bench.app(&id)["state"], "RUNNING");
    bench.fake.world(|world| world.restart(false));
    assert_eq!(bench.get(&format!("/ws/v1/cluster/apps/{id}")).status, 404);
    assert_ne!(bench.new_id(), id);
    bench.submit(&order(&id, "a"));
    let noted = bench.violations();
    assert!(noted.contains(&format!("{id} runs a second time")), "{noted:?}");
}

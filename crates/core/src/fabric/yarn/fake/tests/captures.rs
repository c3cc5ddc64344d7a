//! The fake's replies beside those of a real cluster (`fixtures/wire/yarn`).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

/// Members of the real cluster that the fake leaves out.
const LEFT_OUT: [&str; 1] = ["/app/amRPCAddress"];

/// What the fake says in the same place.
fn ours(name: &str) -> Reply {
    let endless = Script::default().step("endless", StepScript::never_ends());
    let bench = Bench::new(failing(endless));
    let app = |step: &str, seconds: u64| {
        let id = bench.running(step);
        bench.fake.pass(Duration::from_secs(seconds));
        bench.get(&format!("/ws/v1/cluster/apps/{id}"))
    };
    let refused = |member: &str, value: Value| {
        let mut order = order(&bench.new_id(), "a");
        order[member] = value;
        bench.submit(&order)
    };
    let memory =
        |memory: i64, cores: i64| refused("resource", json!({"memory": memory, "vCores": cores}));
    let log = |base: String, root: &str, id: &str| {
        let container = id.replace("application", "container") + "_01_000001";
        bench.send(
            "GET",
            named(&format!("{base}/ws/v1/{root}/containerlogs/{container}/stdout")),
            &[],
        )
    };
    let node = || bench.fake.node.url();
    match name {
        "app-running" => app("endless", 0),
        "app-finished" => app("a", 20),
        "oom-final"
        | "missing-resource-final"
        | "bad-timestamp-final"
        | "command-not-found-final"
        | "unregistered-exit7-final" => app("memory", 20),
        "submit-no-such-queue-app" => {
            let id = bench.new_id();
            let mut order = order(&id, "a");
            order["queue"] = json!("nope");
            bench.submit(&order);
            bench.get(&format!("/ws/v1/cluster/apps/{id}"))
        }
        "killed-final" | "app-timeout-killed-final" => {
            let id = bench.running("endless");
            bench.kill(&id, "KILLED");
            bench.fake.pass(Duration::from_secs(5));
            bench.get(&format!("/ws/v1/cluster/apps/{id}"))
        }
        "apps-by-tag-none" => bench.get("/ws/v1/cluster/apps?applicationTags=none"),
        "apps-by-tag-spark-cluster-exit3" => {
            bench.running("a");
            bench.get("/ws/v1/cluster/apps?applicationTags=R-1")
        }
        "flink-appmode-child-final" | "flink-appmode-fail-child-final" => app("a", 20),
        "kill" | "kill-nouser" | "kill-bad-state" => {
            let id = bench.running("endless");
            if name == "kill" {
                bench.kill(&id, "KILLED");
                bench.fake.pass(Duration::from_secs(5));
            }
            bench.kill(&id, if name == "kill-bad-state" { "FINISHED" } else { "KILLED" })
        }
        "rm-app-unknown" => bench.get("/ws/v1/cluster/apps/application_1_0001"),
        "rm-app-malformed-id" => bench.get("/ws/v1/cluster/apps/nonsense"),
        "rm-info" => bench.get("/ws/v1/cluster/info"),
        "rm-conf-fs_defaultFS" => bench.get("/conf?name=fs.defaultFS&format=json"),
        "rm-conf-yarn_application_classpath" => {
            bench.get("/conf?name=yarn.application.classpath&format=json")
        }
        "rm-new-application" => {
            bench.manager("POST", "/ws/v1/cluster/apps/new-application", &Value::Null)
        }
        "submit-memory-over-max" => memory(99_999, 1),
        "submit-vcores-over-max" => memory(256, 99),
        "submit-memory-negative" => memory(-5, 1),
        "submit-tag-too-long" => refused("application-tags", json!({"tag": ["x".repeat(101)]})),
        "submit-id-used-again" => {
            let order = order(&bench.new_id(), "a");
            bench.submit(&order);
            bench.submit(&order)
        }
        "submit-not-json" => bench.submit(&json!("not an object")),
        "app-timeout-put" => {
            let id = bench.running("endless");
            let time = "2126-11-22T10:05:21.000+0000";
            let wanted = json!({"timeout": {"type": "LIFETIME", "expiryTime": time}});
            bench.manager("PUT", &format!("/ws/v1/cluster/apps/{id}/timeout"), &wanted)
        }
        "webhdfs-create-1" => bench.files("PUT", "/user/x?op=CREATE"),
        "webhdfs-create-2" => {
            bench.send("PUT", named(&format!("{}/webhdfs/v1/user/x?op=CREATE", node())), b"x")
        }
        "webhdfs-mkdirs" => bench.files("PUT", "/user/alice?op=MKDIRS"),
        "webhdfs-status-404" => bench.files("GET", "/user/x?op=GETFILESTATUS"),
        "nm-containerlogs-stdout-running" => log(node(), "node", &bench.running("endless")),
        "nm-containerlogs-stdout-finished" => log(node(), "node", "application_1_0001"),
        "jhs-containerlogs-stdout-finished" => {
            let id = bench.running("a");
            bench.fake.pass(Duration::from_secs(20));
            log(bench.fake.history(), "history", &id)
        }
        _ => {
            bench.fake.world(|world| {
                let now = world.now.as_millisecond();
                world.files.write("/user/x", b"x", "644", now);
                world.files.make("/user/y", "755", now);
            });
            match name {
                "webhdfs-create-status" => bench.files("GET", "/user/x?op=GETFILESTATUS"),
                "webhdfs-liststatus" => bench.files("GET", "/user?op=LISTSTATUS"),
                "webhdfs-open-1" => bench.files("GET", "/user/x?op=OPEN"),
                "webhdfs-open-2" => {
                    let url = format!("{}/webhdfs/v1/user/x?op=OPEN", node());
                    bench.send("GET", named(&url), &[])
                }
                other => panic!("what is {other}?"),
            }
        }
    }
}

fn failing(script: Script) -> Script {
    let end = End::Container(-104, "it is running beyond the 'PHYSICAL' memory limit".to_owned());
    script.step("memory", StepScript::ends(end, 5))
}

/// The members with their types; of a list the first.
fn members(value: &Value, at: &str, all: &mut BTreeSet<(String, &'static str)>) {
    let kind = match value {
        Value::Object(members_of) => {
            for (name, value) in members_of {
                members(value, &format!("{at}/{name}"), all);
            }
            "object"
        }
        Value::Array(values) => {
            if let Some(first) = values.first() {
                members(first, &format!("{at}/0"), all);
            }
            "list"
        }
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
    };
    all.insert((at.to_owned(), kind));
}

#[test]
fn the_fake_answers_as_a_cluster_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/wire/yarn");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let captured: Value =
            serde_json::from_slice(&fs::read(&path).expect("it can be read")).expect("JSON");
        let ours = ours(name);
        assert_eq!(captured["status"], ours.status, "{name}: {}", body(&ours));
        for (header, _) in captured["headers"].as_object().expect("headers") {
            assert!(ours.header(&header.to_lowercase()).is_some(), "{name}: no {header}");
        }
        if let Some(text) = captured["body"].as_str() {
            assert_eq!(frame(text), frame(&String::from_utf8_lossy(&ours.body)), "{name}");
        }
        let (mut theirs, mut own) = (BTreeSet::new(), BTreeSet::new());
        members(&captured["body"], "", &mut theirs);
        members(&body(&ours), "", &mut own);
        let without = |(at, _): &&(String, &str)| {
            let at = at.replace("/apps/app/0", "/app");
            captured["body"].is_object() && !LEFT_OUT.contains(&at.as_str())
        };
        for member in theirs.iter().filter(without) {
            assert!(own.contains(member), "{name}: {member:?} is not in {}", body(&ours));
        }
        seen += 1;
    }
    assert_eq!(seen, 41);
}

/// What is around the content of a log: the beginnings of its lines, but for what a program wrote.
fn frame(text: &str) -> Vec<String> {
    let program = |line: &&str| !line.starts_with("line ") && *line != "hello" && !line.is_empty();
    let word = |line: &str| line.split([':', ' ']).next().unwrap_or_default().to_owned();
    if !text.contains("LogContents") {
        return Vec::new();
    }
    text.lines().filter(program).map(word).collect()
}

//! The same on Dataproc, with a token that stands in the cluster file, and with a key for one.

use dataflow_runner_core::fabric::dataproc::fake::{
    ClusterScript, End, Fake, Fault, Refusal, Script, StepScript,
};

use super::net::{base64, canary};
use super::world::{May, World, step};
use crate::harness::playbook;

const RUN: &str = "run-transient --config c.json --playbook p.json";
const OUTPUTS: [&str; 3] = ["human", "logfmt", "json"];

/// Google's.
const TOKEN: &str = "literal password";

/// All that a far side knows of a run's secrets, and would better not repeat.
fn quoted() -> String {
    let doors = ["systemEnv", "var", "vars", "vars-file", "var-env", TOKEN];
    let all: Vec<_> = doors.map(|door| format!("--{}", canary(door))).into();
    let file = base64(canary("base64File").as_bytes());
    format!("what is {} --{file}?", all.join(" "))
}

/// What is in the cluster file beside the credentials: what Google is given to know.
const GIVEN: &str = r#", "labels": {"day": "{{.of_label}}"}, "network": {"metadata": {"env": "{{systemEnv "CANARY"}}", "file": "{{base64File "secret"}}", "var": "{{.of_var}}", "literal": "LITERAL"}}"#;

/// A far side on which the first step does this and the cluster that, and a world that knows the way to it.
fn world(first: StepScript, cluster: ClusterScript) -> (World, Fake) {
    let script = Script::default().cluster(cluster).step("first", first);
    let fake = crate::dataproc::start(script, &["first", "second"]);
    fake.add_token(&canary(TOKEN), None);
    let token = format!(r#"{{"token": "{}"}}"#, canary(TOKEN));
    let given = GIVEN.replace("LITERAL", &canary("literal"));
    let given = given.replace("{{.of_label}}", "monday");
    let steps = ["first", "second"].map(|id| step(id, "true"));
    let world = World::with(&playbook(&steps.join(",")), &fake.cluster_file_as(&token, &given));
    (hastened(world), fake)
}

fn hastened(world: World) -> World {
    world
        .env("DATAFLOW_RUNNER_POLL_INTERVAL", "0.05s")
        .env("DATAFLOW_RUNNER_LOG_WAIT", "0s")
        .env("DATAFLOW_RUNNER_SETTLE", "0.1s")
}

fn says(end: End) -> StepScript {
    StepScript::ends(end, 10).writing(&[(0, "quiet\n")])
}

/// Secrets are in the orders for clusters and steps, and in nothing else; the token is in none.
fn sent(world: &World, fake: &Fake) {
    let mut orders = 0;
    for logged in fake.requests() {
        let what = logged.operation;
        world.clean(what, logged.request.target.as_bytes(), May::Nothing);
        let body = logged.body.to_string();
        if ["clusters.create", "jobs.submit"].contains(&what) {
            orders += 1;
            assert!(!world.has(body.as_bytes(), &[TOKEN]), "{what}");
        } else {
            world.clean(what, body.as_bytes(), May::Nothing);
        }
    }
    assert!(orders > 0);
    fake.world(|world| assert_eq!(world.violations(), [""; 0]));
}

#[test]
fn runs_whose_far_side_quotes_what_it_was_told() {
    let ends = [
        End::Exits(7),
        End::Fails(format!("exit code 1\n{}", quoted())),
        End::Fails(format!("User application exited with status 9: {}", quoted())),
    ];
    std::thread::scope(|scope| {
        for (output, end) in OUTPUTS.into_iter().zip(ends) {
            scope.spawn(move || {
                let (world, fake) = world(says(end), ClusterScript::default());
                let how = format!("--output {output} --log-level debug");
                world.run(&format!("lint c.json p.json {how}"), 0);
                let plan = format!("plan --config c.json --playbook p.json {how}");
                world.printing(&plan, May::Variables);
                world.run(&format!("{RUN} --log-failed-steps {how}"), 1);
                for line in ["status --json", "report --json", "report", "runs --json", "logs"] {
                    world.run(&format!("{line} {how}"), 0);
                }
                world.run(&format!("runs --orphans {how}"), 4);
                world.run(&format!("resume --config c.json --playbook p.json {how}"), 1);
                world.run(&format!("attach {how}"), 1);
                world.run(&format!("cancel {how}"), 0);
                let up = world.run(&format!("up --config c.json {how}"), 0);
                assert!(up.stdout.contains("fake@"), "{}", up.stdout);
                world.run(&format!("down --config c.json --cluster fake {how}"), 0);
                sent(&world, &fake);
            });
        }
    });
}

#[test]
fn clusters_that_break_with_what_they_were_told() {
    for line in [RUN, "up --config c.json"] {
        let (world, fake) = world(says(End::Done), ClusterScript::fails(&quoted()));
        let ran = world.run(line, 1);
        assert!(ran.stderr.contains("what is --"), "it is told: {}", ran.stderr);
        sent(&world, &fake);
    }
}

#[test]
fn refusals_that_quote_what_was_asked() {
    let faults = [
        ("clusters.create", Refusal::invalid(quoted())),
        ("clusters.create", Refusal::already_exists(quoted())),
        ("clusters.get", Refusal::new(403, "PERMISSION_DENIED", quoted())),
        ("jobs.submit", Refusal::precondition(quoted())),
        ("jobs.get", Refusal::new(401, "UNAUTHENTICATED", quoted())),
        ("clusters.delete", Refusal::new(403, "PERMISSION_DENIED", quoted())),
        ("operations.list", Refusal::new(500, "INTERNAL", quoted())),
    ];
    std::thread::scope(|scope| {
        for (at, (operation, refusal)) in faults.into_iter().enumerate() {
            scope.spawn(move || {
                let (world, fake) = world(says(End::Done), ClusterScript::default());
                fake.fail(operation, .., Fault::Refuse(refusal));
                let output = OUTPUTS[at % OUTPUTS.len()];
                let key = if operation == "operations.list" { " --idempotency-key k" } else { "" };
                let line = format!("{RUN} --output {output} --lost-contact-after 0.3s{key}");
                let ran = world.tell(world.command(&line));
                assert_ne!(ran.code, Some(0), "{operation}: {}", ran.stderr);
                assert!(fake.calls(operation) > 0, "{operation}");
                world.look(operation, &ran, May::Nothing);
            });
        }
    });
}

/// The key of a service account, in the cluster file and in a file of its own: it is signed with, and never sent.
#[test]
fn keys_of_service_accounts() {
    for (literal, fault) in [(true, false), (false, false), (true, true), (false, true)] {
        let fake = crate::dataproc::start(Script::default(), &["first"]);
        let mut key = fake.service_account();
        key["private_key_id"] = canary("key id").into();
        key["client_id"] = canary("key").into();
        let text = serde_json::Value::from(key.to_string()).to_string();
        let credentials = if literal {
            format!(r#"{{"json": {text}}}"#)
        } else {
            r#"{"file": "key.json"}"#.into()
        };
        let cluster = fake.cluster_file_as(&credentials, "");
        let mut world = World::with(&playbook(&step("first", "true")), &cluster);
        world.place = world.place.with("key.json", key.to_string());
        let world = hastened(world);
        if fault {
            let body =
                r#"{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}"#;
            fake.fail("token", .., Fault::Body(body));
        }
        let ran = world.tell(world.command(&format!("{RUN} --lost-contact-after 0.3s")));
        assert_eq!(ran.code, Some(if fault { 4 } else { 0 }), "{}", ran.stderr);
        world.look("a key", &ran, May::Nothing);
        let pem = key["private_key"].as_str().expect("a key");
        let lines: Vec<_> = pem.lines().filter(|line| line.len() > 40).collect();
        assert!(lines.len() > 10);
        let files = all_text(&world.place.state());
        for line in lines {
            assert!(!ran.stderr.contains(line) && !files.contains(line), "a line of the key");
            for logged in fake.requests() {
                assert!(!logged.request.text().contains(line), "{}", logged.operation);
            }
        }
        assert!(!files.contains("ya29."), "a token that was given out");
        assert!(!ran.stderr.contains("ya29."), "a token that was given out");
    }
}

/// All that lies in a folder, one after the other.
fn all_text(folder: &std::path::Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let texts = entries.map(|entry| match entry.path() {
        path if path.is_dir() => all_text(&path),
        path => String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned(),
    });
    texts.collect()
}

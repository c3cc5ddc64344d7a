//! The same on a Hadoop cluster behind a gateway, whose token stands in the cluster file.

use dataflow_runner_core::fabric::yarn::fake::{
    Access, End, Fake, Fault, Refusal, Script, StepScript,
};

use super::net::canary;
use super::world::{May, World, step};
use crate::harness::playbook;

const RUN: &str = "run --config c.json --playbook p.json";
const OUTPUTS: [&str; 3] = ["human", "logfmt", "json"];

/// The gateway's.
const TOKEN: &str = "literal password";

/// All that a far side knows of a run's secrets, and would better not repeat.
fn quoted() -> String {
    let doors = ["systemEnv", "var", "vars", "vars-file", "var-env", TOKEN];
    let all: Vec<_> = doors.map(|door| format!("--{}", canary(door))).into();
    format!("what is {}?", all.join(" "))
}

/// A far side that has `end` for the first step, and a world that knows the way to it.
fn world(end: End) -> (World, Fake) {
    let access = Access::Gateway(format!("Bearer {}", canary(TOKEN)));
    let script = Script { access, ..Script::default() };
    let first = StepScript::ends(end, 10).writing("", "quiet\n");
    let fake = crate::yarn::start(script.step("first", first));
    let cluster = fake.cluster_file(&format!(
        r#", "credentials": {{"token": "{}"}}, "environment": {{"OF_ENV": "{{{{systemEnv "CANARY"}}}}", "OF_VARIABLE": "{{{{.of_var}}}}"}}"#,
        canary(TOKEN)
    ));
    let steps = ["first", "second"].map(|id| step(id, "true"));
    let world = World::with(&playbook(&steps.join(",")), &cluster)
        .env("DATAFLOW_RUNNER_POLL_INTERVAL", "0.05s")
        .env("DATAFLOW_RUNNER_LOG_WAIT", "0s");
    (world, fake)
}

/// Secrets are in the orders for steps, in base64, and in nothing else; the token is the gateway's alone.
fn sent(world: &World, fake: &Fake) {
    let mut orders = 0;
    for logged in fake.requests() {
        let what = format!("{} to {:?}", logged.operation, logged.role);
        world.clean(&what, logged.request.target.as_bytes(), May::Nothing);
        let body = logged.body.to_string();
        if logged.operation == "submit" {
            orders += 1;
            assert!(!world.has(body.as_bytes(), &[TOKEN]), "{what}");
        } else {
            world.clean(&what, body.as_bytes(), May::Nothing);
        }
    }
    assert!(orders > 0);
    fake.world(|world| {
        let app = world.launchers("first").next().expect("it was sent");
        let program = app.program.as_ref().expect("it was read");
        assert_eq!(program.environment["OF_ENV"], canary("systemEnv"));
        assert!(program.words.contains(&canary("var")), "{:?}", program.words);
        assert_eq!(world.violations(), [""; 0]);
    });
}

#[test]
fn runs_whose_far_side_quotes_what_it_was_told() {
    let ends = [
        End::Exits(7),
        End::Fails(format!("exit code 1\n{}", quoted())),
        End::Container(-104, format!("Dump of the process-tree: sh -c {}", quoted())),
    ];
    std::thread::scope(|scope| {
        for (output, end) in OUTPUTS.into_iter().zip(ends) {
            scope.spawn(move || {
                let (world, fake) = world(end);
                let how = format!("--output {output} --log-level debug");
                world.run(&format!("lint c.json p.json {how}"), 0);
                let plan = format!("plan --config c.json --playbook p.json {how}");
                world.printing(&plan, May::Variables);
                world.run(&format!("{RUN} --log-failed-steps {how}"), 1);
                for line in ["status --json", "report --json", "report"] {
                    world.run(&format!("{line} {how}"), 0);
                }
                world.run(&format!("resume --config c.json --playbook p.json {how}"), 1);
                world.run(&format!("attach {how}"), 1);
                world.run(&format!("cancel {how}"), 0);
                sent(&world, &fake);
            });
        }
    });
}

#[test]
fn refusals_that_quote_what_was_asked() {
    std::thread::scope(|scope| {
        for (at, (operation, status)) in
            [("submit", 400), ("new-application", 403), ("conf", 401), ("CREATE", 403)]
                .into_iter()
                .enumerate()
        {
            scope.spawn(move || {
                let (world, fake) = world(End::Exits(0));
                let refusal = Refusal::new(status, "SomeException", quoted());
                fake.fail(operation, .., Fault::Refuse(refusal));
                let output = OUTPUTS[at % OUTPUTS.len()];
                let line = format!("{RUN} --output {output} --lost-contact-after 0.3s");
                let ran = world.tell(world.command(&line));
                assert_ne!(ran.code, Some(0), "{operation}: {}", ran.stderr);
                assert!(fake.calls(operation) > 0);
                world.look(operation, &ran, May::Nothing);
            });
        }
    });
}

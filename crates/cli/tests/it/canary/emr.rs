//! The same on EMR, whose far side is given what is for its steps, and no key.

use dataflow_runner_core::fabric::emr::fake::{
    ClusterScript, Death, FailureDetails, Fake, Fault, Moment, Refusal, Script, StepEnd,
    StepScript, Tempo,
};
use dataflow_runner_core::http::aws::Credentials;
use dataflow_runner_core::secret::Secret;

use super::net::canary;
use super::world::{ARGUMENTS, May, World};
use crate::harness::{emr_cluster, emr_playbook};

const TRANSIENT: &str = "run-transient -emr-config c.json -emr-playbook p.json";
const OUTPUTS: [&str; 3] = ["human", "logfmt", "json"];
const WORDS: &str = r#""accessKeyId": "env", "secretAccessKey": "env""#;

/// All that a far side may know of a run's secrets, and would better not repeat.
fn quoted() -> String {
    quotation(&["systemEnv", "var", "vars", "vars-file", "var-env", "session token"])
}

fn quotation(doors: &[&str]) -> String {
    let all: Vec<_> = doors.iter().map(|door| format!("--{}", canary(door))).collect();
    let place = "steps.1.member.hadoopJarStep.args";
    format!("Value '{}' at '{place}' failed to satisfy constraint", all.join(" "))
}

/// A world with a far side that knows its key.
fn world(script: Script) -> (World, Fake) {
    world_of(script, "env")
}

/// The same with keys in the files, or with one of their words.
fn world_of(script: Script, credentials: &str) -> (World, Fake) {
    let fake = Fake::start(Script { tempo: Tempo::notch_of(60), ..script }).expect("a port");
    let token = Some(Secret::new(canary("session token")));
    let (id, secret) = (Secret::new(canary("key id")), Secret::new(canary("key")));
    let token = token.filter(|_| credentials == "env");
    fake.key(Credentials { id, secret, token, expires: None });
    let keys = match credentials {
        "literal" => format!(
            r#""accessKeyId": "{}", "secretAccessKey": "{}""#,
            canary("key id"),
            canary("key")
        ),
        word => WORDS.replace("env", word),
    };
    let arguments = format!("\"spark-submit\", {ARGUMENTS}, \"s3://b/");
    let playbook = emr_playbook(&["first", "second"], "CANCEL_AND_WAIT")
        .replace("\"spark-submit\", \"s3://b/", &arguments)
        .replace(WORDS, &keys);
    let cluster = emr_cluster().replace(WORDS, &keys).replace(
        r#""tags": []"#,
        r#""tags": [{"key": "owner", "value": "{{systemEnv "CANARY"}}{{.of_var}}"}]"#,
    );
    let world = World::with(&playbook, &cluster)
        .env("AWS_ENDPOINT_URL", fake.url())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("DATAFLOW_RUNNER_POLL_INTERVAL", "0.05s")
        .env("DATAFLOW_RUNNER_BOOTSTRAP_RETRY_DELAY", "0s")
        .env("DATAFLOW_RUNNER_LOG_WAIT", "0s")
        .env("DATAFLOW_RUNNER_SETTLE", "0.1s")
        .env("DATAFLOW_RUNNER_QUOTA_FACTOR", "1000");
    (world, fake)
}

/// No key is ever sent to anybody, and the steps were given what is theirs.
fn sent(world: &World, fake: &Fake) {
    let mut steps = false;
    for logged in fake.requests() {
        let request = &logged.request;
        let mut rest = request.target.clone();
        for (name, value) in &request.headers {
            // They say whose the request is.
            if !matches!(name.as_str(), "authorization" | "x-amz-security-token") {
                rest.push_str(value);
            }
        }
        let what = format!("{} to EMR", logged.operation);
        world.clean(&what, rest.as_bytes(), May::Nothing);
        let body = logged.body.to_string();
        let signature = request.header("authorization").unwrap_or_default();
        for door in
            ["key", "profile key", "session token", "proxy password", "Consul token", "Sentry key"]
        {
            let whole = format!("{signature}\n{rest}\n{body}");
            assert!(!world.has(whole.as_bytes(), &[door]), "{what}: {door}");
        }
        steps |= world.has(body.as_bytes(), &["systemEnv", "var", "vars", "vars-file", "var-env"]);
    }
    assert!(steps, "the steps had their secrets");
}

fn failing(reason: &str) -> Script {
    let details = FailureDetails {
        reason: format!("Unknown Error. {reason}"),
        message: Some(format!("Exception in thread main: {reason}")),
        log_file: Some("s3://l/j/steps/s/stderr.gz".to_owned()),
    };
    Script::default().step("first", StepScript::ends(60, StepEnd::Failed(Some(details))))
}

#[test]
fn runs_with_keys_from_everywhere() {
    std::thread::scope(|scope| {
        for (output, credentials) in OUTPUTS.into_iter().zip(["env", "literal", "default"]) {
            scope.spawn(move || {
                // Of a key that it does not know a far side knows no token.
                let quoted = match credentials {
                    "env" => quoted(),
                    _ => quotation(&["systemEnv", "var", "vars", "vars-file", "var-env"]),
                };
                let (world, fake) = world_of(failing(&quoted), credentials);
                let world = match credentials {
                    "default" => profile(world, &fake),
                    _ => world,
                };
                let how = format!("--output {output} --log-level debug");
                world.run(&format!("lint c.json p.json {how}"), 0);
                let plan = format!("plan -emr-config c.json -emr-playbook p.json {how}");
                world.printing(&plan, May::Variables);
                let ran = world.run(&format!("{TRANSIENT} --log-failed-steps {how}"), 1);
                let told = ran.stdout + &ran.stderr;
                assert!(told.contains("--‹systemEnv CANARY› --‹of_var› --‹of_vars›"), "{told}");
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

/// What a step has written is shown as it is; what is said of it, and of what goes wrong on the way, is ours.
#[test]
fn logs_by_the_journal_alone() {
    std::thread::scope(|scope| {
        for (output, credentials) in OUTPUTS.into_iter().zip(["env", "literal", "default"]) {
            scope.spawn(move || {
                let text = format!("java.lang.OutOfMemoryError: heap\nargs: {}\n", given());
                let failing = StepScript::fails(60).with_logs(&[("stderr", text.as_str())]);
                let script =
                    Script { log_delivery: std::time::Duration::ZERO, ..Script::default() };
                let (world, fake) = world_of(script.step("first", failing), credentials);
                let world = match credentials {
                    "default" => profile(world, &fake),
                    _ => world,
                };
                let how = format!("--output {output} --log-level debug");
                world.run(TRANSIENT, 1);
                for line in ["logs", "logs last first --file stderr"] {
                    let shown = world.printing(&format!("{line} {how}"), May::All);
                    assert!(world.has(shown.stdout.as_bytes(), &["systemEnv", "var"]), "{shown:?}");
                }
                for (line, code) in [
                    ("logs last second", 1),
                    ("logs last nobody", 2),
                    ("logs last first --file none", 2),
                    ("logs --follow", 2),
                ] {
                    world.run(&format!("{line} {how}"), code);
                }
                for operation in ["ListObjectsV2", "GetObject"] {
                    // It knows what it was sent: of a key that is no token.
                    let doors: &[&str] =
                        if credentials == "env" { &["session token"] } else { &[] };
                    let refusal = Refusal::new(403, "AccessDenied", quotation(doors));
                    fake.fail(operation, .., Fault::refuse(refusal));
                    world.run(&format!("logs {how}"), 4);
                    fake.heal();
                }
                if credentials == "literal" {
                    std::fs::write(world.place.path("c.json"), "{}").expect("a file");
                    world.run(&format!("logs {how}"), 3);
                }
            });
        }
    });
}

/// What steps are given.
fn given() -> String {
    quotation(&["systemEnv", "var", "vars", "vars-file", "var-env"])
}

/// The key is in a file of AWS's, and none is in the environment.
fn profile(world: World, fake: &Fake) -> World {
    let (id, secret) = (canary("instance key"), canary("profile key"));
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    let path = world.place.path("credentials");
    std::fs::write(&path, text).expect("a file");
    let (id, secret) = (Secret::new(id), Secret::new(secret));
    fake.key(Credentials { id, secret, token: None, expires: None });
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let world = names.into_iter().fold(world, |world, name| world.env(name, ""));
    world.env("AWS_SHARED_CREDENTIALS_FILE", path)
}

#[test]
fn refusals_that_quote_what_was_asked() {
    let refusals = [
        ("RunJobFlow", Refusal::validation(quoted())),
        ("RunJobFlow", Refusal::new(403, "AccessDeniedException", quoted())),
        ("DescribeCluster", Refusal::new(403, "AccessDeniedException", quoted())),
        ("ListSteps", Refusal::validation(quoted())),
        ("TerminateJobFlows", Refusal::validation(quoted())),
    ];
    std::thread::scope(|scope| {
        for (at, (operation, refusal)) in refusals.iter().enumerate() {
            scope.spawn(move || {
                let (world, fake) = world(failing("no"));
                fake.fail(operation, 1.., Fault::refuse(refusal.clone()));
                let output = OUTPUTS[at % OUTPUTS.len()];
                let line = format!("{TRANSIENT} --output {output} --lost-contact-after 0.3s");
                let ran = world.tell(world.command(&line));
                assert_ne!(ran.code, Some(0), "{}", ran.stderr);
                world.look(&format!("{operation} {refusal:?}"), &ran, May::Nothing);
                fake.heal();
                let ran = world.tell(world.command("attach --lost-contact-after 0.3s"));
                world.look(&format!("attach after {operation}"), &ran, May::Nothing);
            });
        }
    });
}

#[test]
fn clusters_that_die_with_a_quotation() {
    let deaths = [
        (Moment::Starting, Death::invalid(&quoted())),
        (Moment::Ready(std::time::Duration::from_secs(70)), Death::invalid(&quoted())),
    ];
    for (moment, death) in deaths {
        let clusters = vec![ClusterScript::dying(moment, death)];
        let (world, fake) = world(Script { clusters, ..Script::default() });
        world.run(TRANSIENT, 1);
        world.run("up -emr-config c.json", if matches!(moment, Moment::Starting) { 1 } else { 0 });
        drop(fake);
    }
}

#[test]
fn clusters_that_take_no_steps_and_runs_that_lose_contact() {
    let (world, fake) = world(Script::default());
    let id = world.run("up -emr-config c.json --output logfmt", 0).stdout.trim().to_owned();
    let run = format!("run -emr-playbook p.json -emr-cluster {id}");
    fake.fail("AddJobFlowSteps", 1..=1, Fault::refuse(Refusal::validation(quoted())));
    world.run(&run, 4);
    // Everything after the question for the cluster and the steps' order.
    let before = fake.calls("*");
    fake.fail("*", before + 3.., Fault::html(502));
    world.run(&format!("{run} --lost-contact-after 0.1s --output json"), 5);
    fake.heal();
    world.run("attach", 0);
    world.run(&format!("down -emr-config c.json -emr-cluster {id}"), 0);
    sent(&world, &fake);
}

#[test]
fn keys_that_nobody_knows() {
    for (name, value) in [
        ("AWS_SECRET_ACCESS_KEY", canary("profile key")),
        ("AWS_ACCESS_KEY_ID", canary("instance key")),
        ("AWS_SESSION_TOKEN", canary("container token")),
    ] {
        let (world, fake) = world(Script::default());
        let world = world.env(name, value);
        world.run(TRANSIENT, 4);
        assert!(fake.calls("*") > 0);
    }
}

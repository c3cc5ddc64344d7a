//! What Sentry is told, and what it is not told.

use std::sync::{Arc, Mutex};

use dataflow_runner_core::http::fake::{Answer, Received, Server};
use serde_json::Value;

use crate::harness::{Place, Ran, cluster, playbook, script};

/// Sentry, with what it was sent.
struct Sentry {
    server: Server,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Sentry {
    fn start(answer: Answer) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        let handler = move |request: &Received| {
            kept.lock().expect("nobody panicked").push(request.clone());
            answer.clone()
        };
        Self { server: Server::start(handler).expect("a port"), received }
    }

    fn dsn(&self) -> String {
        format!("http://dsnkey1@{}/sub/42", self.server.address())
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().expect("nobody panicked").clone()
    }

    /// The event of the one report that came.
    fn event(&self) -> (Received, Value) {
        let [report] = &self.received()[..] else { panic!("{:?}", self.received()) };
        let event = report.text().lines().nth(2).expect("three lines").to_owned();
        (report.clone(), serde_json::from_str(&event).expect("JSON"))
    }
}

fn taken() -> Answer {
    Answer::new(200, "application/json", r#"{"id": "1"}"#)
}

fn place(steps: &str) -> Place {
    Place::new().with("c.json", cluster("")).with("p.json", playbook(steps))
}

fn run(place: &Place, dsn: &str, more: &[&str]) -> Ran {
    let args = ["run-transient", "--config", "c.json", "--playbook", "p.json", "--sentry", dsn];
    let mut command = place.command(args.iter().chain(more));
    Ran::from(command.env("PASSWORD", "hunter2").output().expect("it starts"))
}

fn warnings(ran: &Ran) -> Vec<&str> {
    ran.messages().into_iter().filter(|line| line.contains("Sentry")).collect()
}

#[test]
fn a_failed_run_is_reported_without_arguments_secrets_and_values() {
    let sentry = Sentry::start(taken());
    let name = r#", "name": "load {{.tenant}} {{systemEnv "PASSWORD"}}""#;
    let step = script("load", "echo {{.tenant}} argument-7 >&2; exit 4", name);
    let ran = run(&place(&step), &sentry.dsn(), &["--var", "tenant=acme-corp"]);
    assert_eq!((ran.code, warnings(&ran).len()), (Some(1), 0), "{}", ran.stderr);
    let (request, event) = sentry.event();
    assert_eq!((request.method.as_str(), request.path()), ("POST", "/sub/api/42/envelope/"));
    let auth = request.header("x-sentry-auth").expect("a header");
    assert!(auth.contains("sentry_version=7") && auth.contains("sentry_key=dsnkey1"), "{auth}");
    assert_eq!(event["release"], concat!("dataflow-runner@", env!("CARGO_PKG_VERSION")));
    let tags = [("command", "run-transient"), ("fabric", "local"), ("exit_code", "1")];
    for (tag, value) in tags {
        assert_eq!(event["tags"][tag], value, "{event}");
    }
    let message = "1/1 steps failed to complete successfully";
    assert_eq!(event["logentry"]["formatted"], message);
    assert_eq!(event["extra"]["failed_steps"][0], "load ‹tenant› ‹systemEnv PASSWORD›");
    for secret in ["hunter2", "acme-corp", "argument-7", "dsnkey1", "c.json"] {
        assert!(!request.text().contains(secret), "{secret}: {}", request.text());
    }
}

#[test]
fn faults_of_files_are_reported_by_their_codes_alone() {
    let sentry = Sentry::start(taken());
    let place = place(&script("a", "true", r#", "hunter2": "{{systemEnv "PASSWORD"}}""#));
    let ran = run(&place, &sentry.dsn(), &[]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let (request, event) = sentry.event();
    assert_eq!(event["logentry"]["formatted"], "invalid files: unknown-field");
    assert_eq!(event["tags"]["fabric"], "none");
    assert!(!request.text().contains("hunter2"), "{}", request.text());
}

#[test]
fn success_and_wrong_usage_are_not_reported() {
    let sentry = Sentry::start(taken());
    let ran = run(&place(&script("a", "true", "")), &sentry.dsn(), &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ran = run(&place(&script("a", "true", "")), &sentry.dsn(), &["--vars", "odd"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert_eq!(sentry.server.accepted(), 0);
}

#[test]
fn a_sentry_that_refuses_or_is_not_there_changes_nothing_but_is_told_of() {
    let refusing = Sentry::start(Answer::new(401, "text/plain", "no"));
    let ran = run(&place(&script("a", "exit 4", "")), &refusing.dsn(), &[]);
    assert_eq!(ran.code, Some(1));
    let warning =
        "warning msg=\"The error could not be reported to Sentry: it answered with status 401\"";
    assert_eq!(warnings(&ran), [warning]);
    let gone = refusing.dsn();
    drop(refusing);
    let ran = run(&place(&script("a", "exit 4", "")), &gone, &[]);
    assert_eq!((ran.code, warnings(&ran).len()), (Some(1), 1), "{}", ran.stderr);
    assert!(!ran.stderr.contains("dsnkey1"), "{}", ran.stderr);
}

/// The server never answers: that the program ends at all is what is tested.
#[test]
fn a_sentry_that_hangs_is_not_waited_for_for_ever() {
    let sentry = Sentry::start(Answer::Stall(Vec::new()));
    let ran = run(&place(&script("a", "exit 4", "")), &sentry.dsn(), &[]);
    assert_eq!((ran.code, warnings(&ran).len()), (Some(1), 1), "{}", ran.stderr);
    assert_eq!(sentry.received().len(), 1);
}

#[test]
fn a_dsn_that_is_none_is_wrong_usage_before_anything_runs() {
    let place = place(&script("a", "touch ran", ""));
    for dsn in ["hunter2", "https://hunter2@h", "ftp://hunter2@h/1"] {
        let ran = run(&place, dsn, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
        let told = "error msg=\"--sentry takes a DSN, https://KEY@HOST/PROJECT: ";
        assert!(ran.messages()[0].starts_with(told), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    assert!(!place.state().exists());
    let ran = run(&place, "", &[]);
    assert_eq!(ran.code, Some(0), "as in 0.7.x, an empty one is none: {}", ran.stderr);
}

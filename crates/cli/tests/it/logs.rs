//! Logs that come late: those of EMR, which its fake brings to S3 some time after a step has ended.

use std::time::Duration;

use dataflow_runner_core::fabric::emr::fake::{
    ClusterScript, Death, Fake, Moment, Script, StepEnd, StepScript,
};

use crate::harness::{Place, Ran, emr_cluster, playbook_1, recorded};

/// The one step of the playbook fails.
fn failing() -> Script {
    let failed = StepScript { end: StepEnd::Failed(None), ..StepScript::completes(60) };
    Script::default().step("say", failed)
}

fn place() -> Place {
    Place::new().with("c.json", emr_cluster()).with("p.json", playbook_1(r#""CANCEL_AND_WAIT""#))
}

fn command(place: &Place, fake: &Fake, line: &str) -> std::process::Command {
    let mut command = place.command(line.split_whitespace());
    command.args(["--poll-interval", "0.05s"]).envs(fake.environment());
    command.env("AWS_ENDPOINT_URL", recorded(&fake.url()));
    command
}

fn run(place: &Place, fake: &Fake, line: &str) -> Ran {
    Ran::from(command(place, fake, line).output().expect("it starts"))
}

const TRANSIENT: &str = "run-transient --config c.json --playbook p.json";

/// Whether one line has all these in it, in this order.
fn says(ran: &Ran, texts: &[&str]) -> bool {
    ran.stderr.lines().any(|line| {
        let rest = texts.iter().try_fold(line, |rest, text| rest.split_once(text).map(|(_, r)| r));
        rest.is_some()
    })
}

#[test]
fn the_logs_of_a_failed_step_are_waited_for_and_its_probable_cause_comes_first() {
    let fake = Fake::start(failing()).expect("a port");
    let ran = run(&place(), &fake, &format!("{TRANSIENT} --log-failed-steps --log-lines 1"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let cause = "' failed: probable cause: java.lang.IllegalStateException: say failed, at example.Main.main(Main.java:1) (in stderr)";
    for said in [
        &["level=error", "Step 'say' with id 's-", cause][..],
        &["Content of log file 'stderr' for step s-", ": the last 1 of 3 lines"],
        &["Command exiting with ret '1'"],
        &["Content of log file 'stdout' for step s-", ":\""],
        &["say ran"],
        &["Content of log file 'controller' for step s-"],
        &["Content of log file 'syslog' for step s-", ": it is empty"],
    ] {
        assert!(says(&ran, said), "{said:?} in\n{}", ran.stderr);
    }
    let at = |text: &str| ran.stderr.find(text).unwrap_or(usize::MAX);
    assert!(at("probable cause") < at("Content of log file 'stderr'"), "{}", ran.stderr);
    assert!(!says(&ran, &["may go on"]), "{}", ran.stderr);
}

#[test]
fn unasked_it_is_only_told_when_the_logs_are_there() {
    let fake = Fake::start(failing()).expect("a port");
    let ran = run(&place(), &fake, TRANSIENT);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let said =
        ["The logs of step s-", " are there within 10 minutes", "--log-failed-steps shows them"];
    assert!(says(&ran, &said), "{}", ran.stderr);
    assert!(!says(&ran, &["Content of log file"]), "{}", ran.stderr);
    assert_eq!(fake.calls("GetObject"), 0);
}

#[test]
fn when_a_cluster_fails_in_its_set_up_the_log_of_that_is_shown() {
    let mut dying = ClusterScript::dying(Moment::Bootstrapping, Death::bootstrap());
    dying.bootstrap_logs = vec![
        ("stderr".to_owned(), "./setup.sh: line 3: jq: command not found\n".to_owned()),
        ("controller".to_owned(), "INFO startExec './setup.sh'\n".to_owned()),
    ];
    let script = Script { clusters: vec![dying, ClusterScript::default()], ..Script::default() };
    let fake = Fake::start(script).expect("a port");
    let ran = run(&place(), &fake, "up --config c.json --bootstrap-retry-delay 0");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let cause = " failed: probable cause: the program `jq` is not there (in stderr); install it";
    assert!(says(&ran, &["The set-up of cluster j-", cause]), "{}", ran.stderr);
    assert!(says(&ran, &["Content of log file 'stderr' for the set-up of cluster j-"]));
}

/// The logs never come: that the program ends is what a signal does.
#[cfg(unix)]
#[test]
fn a_signal_ends_the_wait_for_logs() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    use rustix::process::{Pid, Signal, kill_process};

    let never = Duration::from_secs(1 << 30);
    let fake = Fake::start(Script { log_delivery: never, ..failing() }).expect("a port");
    let place = place();
    let up = run(&place, &fake, "up --config c.json");
    assert_eq!(up.code, Some(0), "{}", up.stderr);
    let line = format!("run --playbook p.json --log-failed-steps --cluster {}", up.stdout.trim());
    let mut command = command(&place, &fake, &line);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut said = String::new();
    while !said.contains("Waiting for the logs of step s-") {
        assert_ne!(stderr.read_line(&mut said).expect("text"), 0, "{said}");
    }
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
    kill_process(id, Signal::INT).expect("it is there");
    stderr.read_to_string(&mut said).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(1), "the run had failed: {said}");
    assert!(said.contains("The logs of step s-") && said.contains("were not there yet"), "{said}");
}

//! What is done about a run on EMR by its journal alone.

use std::time::Duration;

use dataflow_runner_core::fabric::emr::fake::{Fault, Script, State, StepScript};

use super::Site;
use crate::harness::{Ran, emr_cluster, emr_playbook};

/// Runs the program where nobody has said where EMR is.
fn unaware(site: &Site, line: &str) -> Ran {
    let mut command = site.command(line);
    Ran::from(command.env_remove("AWS_ENDPOINT_URL").output().expect("it starts"))
}

#[test]
fn the_cluster_of_a_run_goes_down_at_the_endpoint_where_it_came_up() {
    let site = Site::new(Script::default());
    let id = site.up();
    std::fs::remove_file(site.place.path("c.json")).expect("it is there");
    let ran = unaware(&site, "down --run last");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("EMR cluster terminated successfully"), "{}", ran.stderr);
    site.fake.world(|world| {
        let cluster = world.cluster(&id).expect("it is known");
        assert_eq!(cluster.state, State::Terminated);
    });
    site.nothing_is_left();
}

#[test]
fn a_run_without_a_cluster_has_none_to_take_down() {
    let site = Site::new(Script::default());
    site.fake.fail("RunJobFlow", .., Fault::denied("elasticmapreduce:RunJobFlow"));
    assert_eq!(site.words("up -emr-config c.json").code, Some(4));
    let ran = unaware(&site, "down --run last");
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("has no cluster: none was launched"), "{}", ran.stderr);
    assert_eq!(site.fake.calls("TerminateJobFlows"), 0);
}

/// With a cluster file and a playbook in which the key of the far side is written.
fn literal(script: Script) -> Site {
    let site = Site::new(script);
    let environment = site.fake.environment();
    let key = |name: &str| {
        environment.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    };
    let words = r#""accessKeyId": "env", "secretAccessKey": "env""#;
    let (id, secret) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"));
    let keys = format!(r#""accessKeyId": "{id}", "secretAccessKey": "{secret}""#);
    let playbook = emr_playbook(&["first"], "CANCEL_AND_WAIT").replace(words, &keys);
    site.with("c.json", emr_cluster().replace(words, &keys)).playing(playbook)
}

/// The same, where nobody has said whose key it is.
fn keyless(site: &Site, line: &str) -> Ran {
    let mut command = site.command(line);
    for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(name);
    }
    Ran::from(command.output().expect("it starts"))
}

/// A key that is written in a file is in no journal, and what a run was begun with is not kept once it has succeeded: so
/// nobody is taken for the owner of the key.
#[test]
fn a_key_of_a_file_is_not_kept() {
    let site = literal(Script::default());
    let cluster = site.up();
    let asked = site.fake.calls("*");
    let ran = unaware(&site, "down --run last");
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error[credentials-not-kept]: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("name that file with --config"), "{}", ran.stderr);
    assert_eq!(site.fake.calls("*"), asked);
    let ran = site.words(&format!("down --config c.json --cluster {cluster}"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

/// As long as the run has not succeeded, it is known which file has the key.
#[test]
fn a_key_of_a_file_comes_from_that_file() {
    let logs = [("stderr", "no such table\n")];
    let script = Script { log_delivery: Duration::ZERO, ..Script::default() };
    let site = literal(script.step("first", StepScript::fails(60).with_logs(&logs)));
    let id = site.up();
    // The one of a playbook 1-*-*, where there is no cluster file.
    let ran = site.words(&format!("run -emr-playbook p.json -emr-cluster {id}"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let ran = keyless(&site, "logs last first --file stderr");
    assert_eq!((ran.stdout.as_str(), ran.code), ("no such table\n", Some(0)), "{}", ran.stderr);

    let good = std::fs::read_to_string(site.place.path("p.json")).expect("it is there");
    let site = site.playing(good.replace("first", "other"));
    let ran = keyless(&site, "logs");
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("has changed since the run was started"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("error[").count(), 1, "{}", ran.stderr);
    let ran = keyless(&site, "down --run last");
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("error[").count(), 1, "{}", ran.stderr);
    // Another file has it, too.
    let ran = keyless(&site, "logs --config c.json --file stderr");
    assert_eq!((ran.stdout.as_str(), ran.code), ("no such table\n", Some(0)), "{}", ran.stderr);

    let site = site.playing(good);
    let ran = keyless(&site, "down --run last");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    site.nothing_is_left();
}

/// The first step fails; its logs come so much later. The cluster stays, as one that ends brings them at once.
fn failing(delivery: Duration) -> Site {
    let logs: [(&str, &str); 4] = [
        ("controller", "INFO Command exiting with ret '1'\n"),
        ("stderr", "java.lang.OutOfMemoryError: Java heap space\n"),
        ("syslog.2026-11-22-10", "earlier\n"),
        ("syslog", "later\n"),
    ];
    let script = Script { log_delivery: delivery, ..Script::default() };
    let site = Site::new(script.step("first", StepScript::fails(60).with_logs(&logs)));
    let id = site.up();
    let ran = site.words(&format!("run -emr-playbook p.json -emr-cluster {id}"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    std::fs::remove_file(site.place.path("c.json")).expect("it is there");
    std::fs::remove_file(site.place.path("p.json")).expect("it is there");
    site
}

#[test]
fn the_logs_of_a_failed_step_are_unpacked_from_the_bucket_and_explained() {
    let site = failing(Duration::ZERO);
    let ran = unaware(&site, "logs");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "java.lang.OutOfMemoryError: Java heap space\nINFO Command exiting with ret '1'\nearlier\nlater\n"
    );
    assert!(ran.stderr.contains("level=error msg=\"Step 'first' with id 's-"), "{}", ran.stderr);
    assert!(ran.stderr.contains("' failed: probable cause: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("may go on"), "it has only just ended: {}", ran.stderr);
    let ran = unaware(&site, "logs last first --file syslog");
    assert_eq!((ran.stdout.as_str(), ran.code), ("earlier\nlater\n", Some(0)), "{}", ran.stderr);
    // Nothing ran of the second, so it wrote nothing.
    let ran = unaware(&site, "logs last second");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(1)), "{}", ran.stderr);
    assert!(ran.stderr.contains("There are no logs for step s-"), "{}", ran.stderr);
}

#[test]
fn logs_of_running_steps_are_not_to_be_had() {
    let site = failing(Duration::ZERO);
    let asked = site.fake.calls("*");
    let ran = unaware(&site, "logs --follow");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(2)), "{}", ran.stderr);
    let words = "on `emr` there are no logs of a step while it runs: they come within 10 minutes of its end";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert_eq!(site.fake.calls("*"), asked, "nobody was asked");
}

#[test]
fn who_may_not_read_the_bucket_is_refused_and_who_has_no_key_asks_nobody() {
    let site = failing(Duration::ZERO);
    site.fake.world(|world| world.denied.insert("GetObject".to_owned()));
    let ran = unaware(&site, "logs");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(4)), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot be read: emr GetObject: "), "{}", ran.stderr);
    site.fake.world(|world| world.denied.insert("ListObjectsV2".to_owned()));
    let ran = unaware(&site, "logs");
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stderr.contains("s3:ListBucket"), "{}", ran.stderr);
    let mut command = site.command("logs");
    let ran = Ran::from(command.env_remove("AWS_ACCESS_KEY_ID").output().expect("it starts"));
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error[aws-settings]: "), "{}", ran.stderr);
}

/// The logs never come: that the program ends is what a signal does.
#[cfg(unix)]
#[test]
fn logs_that_come_late_are_waited_for_if_asked_for() {
    use std::io::{BufRead, BufReader};

    use rustix::process::{Pid, Signal, kill_process};

    let site = failing(Duration::from_secs(1 << 30));
    let ran = unaware(&site, "logs");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(1)), "{}", ran.stderr);
    let words = " yet: they come within 10 minutes of its end; --log-wait 10m waits for them";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let mut child = super::watched(site.command("logs --log-wait 10m"));
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("Waiting for the logs of step s-") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).expect("text"), 0, "it never waited");
    }
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
    kill_process(pid, Signal::INT).expect("it is there");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

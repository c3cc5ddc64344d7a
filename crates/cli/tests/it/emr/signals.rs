//! What signals do to a run on EMR: what it ordered goes away, and it says so.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;

use dataflow_runner_core::fabric::emr::fake::{ClusterScript, Script, StepScript, StepState};
use rustix::process::{Pid, Signal, kill_process};

use super::{Site, watched};

/// Steps that never end, on clusters that are up at once.
fn endless() -> Script {
    Script { step: StepScript::never_ends(), ..Script::default() }
}

/// A cluster that comes up for a day.
fn coming() -> Script {
    let starting = std::time::Duration::from_secs(86_400);
    let cluster = ClusterScript { starting, ..ClusterScript::default() };
    Script { clusters: vec![cluster], ..Script::default() }
}

/// Reads messages until one has `text` in it, then sends the signal. How it ended, and all it said from then on.
fn interrupted(mut child: Child, text: &str, signal: Signal) -> (Option<i32>, String) {
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).expect("text"), 0, "it never said `{text}`");
    }
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
    kill_process(pid, signal).expect("it is there");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("text");
    (child.wait().expect("it ends").code(), rest)
}

#[test]
fn a_transient_run_takes_its_cluster_down() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let site = Site::new(endless());
        let child = watched(site.command("run-transient -emr-config c.json -emr-playbook p.json"));
        let (ended, rest) = interrupted(child, "is RUNNING", signal);
        assert_eq!(ended, Some(code), "{rest}");
        assert!(rest.contains("Interrupted by SIG"), "{rest}");
        assert!(site.orders().contains(&"TerminateJobFlows".to_owned()), "{:?}", site.orders());
        site.nothing_is_left();
    }
}

#[test]
fn a_run_cancels_its_steps_and_leaves_the_cluster() {
    let site = Site::new(endless());
    let id = site.up();
    let child = watched(site.command(&format!("run -emr-playbook p.json -emr-cluster {id}")));
    let (ended, rest) = interrupted(child, "is RUNNING", Signal::INT);
    assert_eq!(ended, Some(130), "{rest}");
    assert_eq!(site.orders(), ["RunJobFlow", "AddJobFlowSteps", "CancelSteps"]);
    site.fake.pass(std::time::Duration::from_secs(600));
    site.fake.world(|world| {
        assert!(world.clusters[0].state.takes_steps());
        for step in world.steps() {
            assert_eq!(step.state, StepState::Cancelled, "{}", step.name());
        }
    });
}

#[test]
fn what_is_to_be_left_is_left() {
    let site = Site::new(endless());
    let id = site.up();
    let line = format!("run -emr-playbook p.json -emr-cluster {id} --on-interrupt leave");
    let (ended, rest) = interrupted(watched(site.command(&line)), "is RUNNING", Signal::INT);
    assert_eq!(ended, Some(130), "{rest}");
    assert_eq!(site.orders(), ["RunJobFlow", "AddJobFlowSteps"]);
}

#[test]
fn a_cluster_that_comes_up_is_taken_down() {
    let site = Site::new(coming());
    let child = watched(site.command("up -emr-config c.json"));
    let (ended, rest) = interrupted(child, "is coming up", Signal::INT);
    assert_eq!(ended, Some(130), "{rest}");
    assert_eq!(site.orders(), ["RunJobFlow", "TerminateJobFlows"]);
    site.nothing_is_left();
}

#[test]
fn what_is_coming_up_and_what_runs_is_ended_or_left_and_found_again() {
    let transient = "run-transient -emr-config c.json -emr-playbook p.json";
    for (line, script, text) in [
        ("up -emr-config c.json", coming as fn() -> Script, "is coming up"),
        (transient, coming as fn() -> Script, "started successfully"),
        (transient, endless as fn() -> Script, "is RUNNING"),
    ] {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
            let site = Site::new(script());
            let (ended, rest) = interrupted(watched(site.command(line)), text, signal);
            assert_eq!(ended, Some(code), "{line} {text}: {rest}");
            let terminated = || site.orders().iter().any(|order| order == "TerminateJobFlows");
            assert_eq!(terminated(), signal != Signal::HUP, "{line} {text}: {rest}");
            if signal == Signal::HUP {
                let ran = site.words("cancel last");
                assert_eq!(ran.code, Some(0), "{line} {text}: {}", ran.stderr);
                assert!(terminated());
            }
            assert_eq!(site.orders().iter().filter(|order| *order == "RunJobFlow").count(), 1);
            site.nothing_is_left();
        }
    }
}

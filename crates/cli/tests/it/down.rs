//! `down --run`: the cluster of a run, by its journal alone.

use std::path::PathBuf;

use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::journal::{self, Header, Journal};

use crate::harness::{Place, Ran, cluster, playbook, script};

/// Runs the program in another folder than this one, in which the files of the run are not.
fn elsewhere(place: &Place, line: &str) -> Ran {
    let mut command = place.command(line.split(' '));
    command.current_dir(place.path("../home"));
    Ran::from(command.output().expect("it starts"))
}

fn only(folder: PathBuf) -> PathBuf {
    let mut entries = std::fs::read_dir(folder).expect("a folder");
    entries.next().expect("an entry").expect("it can be read").path()
}

#[test]
fn the_cluster_of_a_run_goes_down_without_its_files() {
    let place = Place::new().with("c.json", cluster(r#", "workFolder": "work""#));
    let up = place.words("up --config c.json");
    assert_eq!(up.code, Some(0), "{}", up.stderr);
    let folder = place.path("work").join(up.stdout.trim());
    assert!(folder.exists());
    std::fs::remove_file(place.path("c.json")).expect("it is there");
    let down = elsewhere(&place, "down --run last");
    assert_eq!((down.stdout.as_str(), down.code), ("", Some(0)), "{}", down.stderr);
    assert!(!folder.exists());

    // It is a run of its own, in the ordinary way.
    let told = place.words("status last --json").stdout;
    let told: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!((&told["goal"], &told["state"]), (&"down".into(), &"succeeded".into()));
    assert_eq!(told["cluster"]["id"], up.stdout.trim());

    // So its own cluster can be meant, which is gone.
    let again = elsewhere(&place, "down --run last");
    assert_eq!(again.code, Some(0), "{}", again.stderr);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_driven_is_not_touched_and_one_that_was_left_is_cleaned_up() {
    use rustix::process::Signal;

    let place = crate::signals::place("");
    let run = crate::signals::Waiting::start(&place, &[], &[]);
    let refused = elsewhere(&place, "down --run last");
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("is still driven: `dataflow-runner cancel r-"),
        "{}",
        refused.stderr
    );
    assert_eq!(std::fs::read_dir(place.state().join("runs")).expect("runs").count(), 1);
    run.signal(Signal::KILL);
    let (ended, said, _) = run.end();
    assert_eq!(ended, None, "{said}");
    let folder = only(place.state().join("clusters/logs"));
    let folder = place.state().join("clusters").join(folder.file_name().expect("an id"));
    assert!(folder.exists(), "nobody was there to take it down");
    let down = elsewhere(&place, "down --run last");
    assert_eq!(down.code, Some(0), "{}", down.stderr);
    assert!(!folder.exists(), "{}", down.stderr);
}

#[test]
fn what_cannot_be_meant_is_told() {
    let place = Place::new()
        .with("c.json", cluster(""))
        .with("p.json", playbook(&script("a", "true", "")))
        .with("state", "a file, so that no cluster can be made");
    for (line, words) in [
        ("down --run last", "there is no run in "),
        ("down --run last --cluster local-1", "'--run <RUN>' cannot be used with '--cluster <ID>'"),
        ("down --run last --config c.json", "'--run <RUN>' cannot be used with '--config <FILE>'"),
        ("down", "--emr-config needs to be specified"),
    ] {
        let ran = place.words(line);
        assert_eq!(ran.code, Some(2), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
    }
    // A work folder that cannot be: the run ends before it has a cluster.
    let place = place.with("c.json", cluster(r#", "workFolder": "state/work""#));
    let ran = place.words("up --config c.json");
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let none = place.words("down --run last");
    assert_eq!(none.code, Some(2), "{}", none.stderr);
    assert!(none.stderr.contains("has no cluster: none was launched"), "{}", none.stderr);
}

/// A header of a later version may name what this one does not know, or leave out what this one needs.
#[test]
fn a_header_that_leads_nowhere_is_told() {
    let place = Place::new().with("c.json", cluster(""));
    let up = place.words("up --config c.json");
    assert_eq!(up.code, Some(0), "{}", up.stderr);
    let first = journal::read(&only(place.state().join("runs"))).expect("a journal");
    for (name, fabric, words) in [
        ("r-2-a", "abacus", "error[unknown-fabric]: run r-2-a is on fabric `abacus`"),
        ("r-2-b", "local", "error[journal-reach]: the journal does not say `workFolder`"),
    ] {
        let mut header = Header { run: RunId::new(name), ..first.header.clone() };
        header.fabric = fabric.into();
        header.reach.remove("workFolder");
        let mut forged = Journal::create(&place.state(), &header).expect("a journal");
        first.events.iter().for_each(|event| forged.append(event).expect("memory"));
        drop(forged);
        let ran = place.run(["down", "--run", name]);
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

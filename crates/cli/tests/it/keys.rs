//! Runs with an idempotency key on this machine; those of several pods are among the tests of EMR.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::Stdio;

use crate::harness::{Place, cluster, playbook, script};

const KEYED: &str = "run-transient --config c.json --playbook p.json --idempotency-key night";

/// A step that tells that it was begun, and fails.
fn place() -> Place {
    let step = script("a", "echo ran >> \"$HOME/ran\"; exit 3", "");
    Place::new().with("c.json", cluster("")).with("p.json", playbook(&step))
}

fn began(place: &Place) -> usize {
    fs::read_to_string(place.path("../home/ran")).unwrap_or_default().lines().count()
}

/// The journal of the only run.
fn journal(place: &Place) -> PathBuf {
    let runs = fs::read_dir(place.state().join("runs")).expect("runs");
    let runs: Vec<_> = runs.map(|run| run.expect("a run").path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].join("journal.jsonl")
}

#[test]
fn it_is_begun_once_and_goes_by_its_key() {
    let place = place();
    for _ in 0..2 {
        let ran = place.words(KEYED);
        assert_eq!((ran.code, began(&place)), (Some(1), 1), "{}", ran.stderr);
    }
    // The key is its name, unless it has another.
    assert!(place.words("status night").stdout.starts_with("Run k-"));
    assert_eq!(place.words("resume night").code, Some(1));
    assert_eq!(began(&place), 2);
    let other = place.words(&KEYED.replace("night", "noon --run-name lunch"));
    assert_eq!((other.code, began(&place)), (Some(1), 3), "{}", other.stderr);
    assert!(place.words("status lunch").stdout.starts_with("Run k-"));
    assert_eq!(place.words("status noon").code, Some(2));
}

/// Its program died while it made the run, or just after.
#[test]
fn what_was_never_begun_is_begun() {
    let place = place();
    assert_eq!(place.words(KEYED).code, Some(1));
    let journal = journal(&place);
    let whole = fs::read(&journal).expect("a journal");
    let header = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    fs::write(&journal, &whole[..header]).expect("written");
    // Nothing was ordered, either.
    fs::remove_dir_all(place.state().join("clusters")).expect("they are there");
    let ran = place.words(KEYED);
    assert_eq!((ran.code, began(&place)), (Some(1), 2), "{}", ran.stderr);
    // One that is damaged is not taken for one that was never begun.
    fs::write(&journal, b"").expect("written");
    let ran = place.words(KEYED);
    assert_eq!((ran.code, began(&place)), (Some(1), 2), "{}", ran.stderr);
    assert!(ran.stderr.contains("is damaged in line 1"), "{}", ran.stderr);
}

/// All have found that the run was not begun when they wait for the lock, and all but one are too late when they have it.
#[test]
fn several_that_start_at_once_make_one_run() {
    const STARTS: usize = 3;
    let wait = "while ! test -e \"$HOME/go\"; do sleep 0.05; done";
    let place = place().with("wait.json", playbook(&script("w", wait, "")));
    let start = |line: &str| {
        let mut command = place.command(format!("{line} --softLock lock").split(' '));
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let first = start("run-transient --config c.json --playbook wait.json");
    while !place.path("lock").exists() {
        std::thread::yield_now();
    }
    let waiting = (0..STARTS).map(|_| {
        let mut child = start(&format!("{KEYED} --lock-wait 10m"));
        let mut said = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut line = String::new();
        while !line.contains("Waiting for the lock") {
            line.clear();
            assert_ne!(said.read_line(&mut line).expect("a line"), 0, "it ended");
        }
        (child, said)
    });
    let waiting: Vec<_> = waiting.collect();
    fs::write(place.path("../home/go"), "").expect("written");
    assert_eq!(first.wait_with_output().expect("it ends").status.code(), Some(0));
    for (mut child, mut said) in waiting {
        let mut rest = String::new();
        said.read_to_string(&mut rest).expect("text");
        assert_eq!(child.wait().expect("it ends").code(), Some(1), "{rest}");
    }
    assert_eq!(began(&place), 1);
}

//! `runs prune`: records of runs that ended, and what they left on this machine.

use std::path::Path;

use crate::harness::{Place, Ran, cluster, playbook, script};

const TRANSIENT: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

fn place(steps: &[String]) -> Place {
    Place::new().with("c.json", cluster("")).with("p.json", playbook(&steps.join(",")))
}

/// The ids of all runs, as they are listed.
fn runs(place: &Place) -> Vec<String> {
    let listed = place.words("runs").stdout;
    listed.lines().map(|line| line.split(' ').next().expect("an id").to_owned()).collect()
}

fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// What it said, without how much it was.
fn said(ran: &Ran) -> Vec<String> {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let told =
        |message: &&str| message.split_once(": ").map_or(*message, |(told, _)| told).to_owned();
    ran.messages().iter().map(told).collect()
}

#[test]
fn runs_that_ended_go_with_what_they_left() {
    let place = place(&[script("a", "echo log; cat ./x.txt", r#", "files": ["./x.txt"]"#)])
        .with("x.txt", "x");
    assert_eq!(place.run(TRANSIENT).code, Some(0));
    assert_eq!(place.run(TRANSIENT).code, Some(0));
    let [logs, staged] = ["clusters/logs", "clusters/staged"].map(|name| place.state().join(name));
    assert_eq!((runs(&place).len(), count(&logs), count(&staged)), (2, 2, 1));
    assert_eq!(said(&place.words("runs prune")), ["info msg=\"Removed 0 runs"], "they are young");

    let dry = place.words("runs prune --older-than 0 --dry-run");
    let both = "info msg=\"Would remove 2 runs and the logs of 2 steps, 1 staged file";
    assert_eq!(said(&dry), [both]);
    assert_eq!(dry.stdout, place.words("runs").stdout);
    assert_eq!((count(&logs), count(&staged)), (2, 1), "nothing is touched");

    let newest = runs(&place).remove(0);
    let pruned = place.words("runs prune --older-than 0 --keep 1");
    assert_eq!(said(&pruned), ["info msg=\"Removed 1 run and the logs of 1 step, 1 staged file"]);
    assert!(
        pruned.stderr.contains("B\"") && !pruned.stderr.contains("0 bytes"),
        "{}",
        pruned.stderr
    );
    assert_eq!((runs(&place), count(&logs), count(&staged)), (vec![newest], 1, 0));
    // What was staged is staged again when it is needed.
    assert_eq!(place.run(TRANSIENT).code, Some(0));
    assert_eq!(place.words("runs prune --older-than 0").code, Some(0));
    assert_eq!((runs(&place).len(), count(&logs), count(&place.state().join("runs"))), (0, 0, 0));
}

#[test]
fn what_may_be_running_stays() {
    let place = place(&[script("long", "sleep 600", "")]);
    let (mut child, _) = place.driven(TRANSIENT);
    let stays = ["info msg=\"Removed 0 runs"];
    assert_eq!(said(&place.words("runs prune --older-than 0 --also-open")), stays, "it is driven");
    child.kill().expect("it runs");
    child.wait().expect("its end");
    let open = "info msg=\"1 old run stay as something may still go on; --also-open removes them\"";
    let kept = place.words("runs prune --older-than 0");
    assert_eq!(said(&kept), [stays[0], open]);
    assert_eq!(place.words("down --run last").code, Some(0));
    assert_eq!(runs(&place).len(), 2);
    // The run that was left, and the one that took its cluster down.
    let all = place.words("runs prune --older-than 0 --also-open");
    assert_eq!(said(&all), ["info msg=\"Removed 2 runs and the logs of 1 step"]);
}

#[test]
fn a_cluster_that_is_up_is_not_lost_sight_of() {
    let place = place(&[script("a", "true", "")]);
    let up = place.words("up --config c.json").stdout;
    let stays = place.words("runs prune --older-than 0");
    assert_eq!(said(&stays)[0], "info msg=\"Removed 0 runs");
    assert_eq!(said(&stays).len(), 2, "{}", stays.stderr);
    let down = place.run(["down", "--config", "c.json", "--cluster", up.trim()]);
    assert_eq!(down.code, Some(0), "{}", down.stderr);
    assert_eq!(said(&place.words("runs prune --older-than 0")), ["info msg=\"Removed 2 runs"]);
    assert_eq!(count(&place.state().join("clusters/logs")), 0, "nor is its file left");
}

#[test]
fn a_run_that_cannot_be_told_of_stays() {
    let place = place(&[script("a", "true", "")]);
    assert_eq!(place.run(TRANSIENT).code, Some(0));
    let journal = place.state().join("runs").join(runs(&place).remove(0)).join("journal.jsonl");
    let whole = std::fs::read_to_string(&journal).expect("a journal");
    for damaged in ["", &whole.replacen("local", "lokal", 2)] {
        std::fs::write(&journal, damaged).expect("it is written");
        let ran = place.words("runs prune --older-than 0");
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stderr.contains(" stays, as it cannot be told of: "), "{}", ran.stderr);
        assert!(ran.stderr.contains("Removed 0 runs: "), "{}", ran.stderr);
        assert!(journal.exists());
    }
}

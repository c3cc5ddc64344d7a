//! `runs` and `status`: what the journals tell.

use crate::harness::{Place, cluster, playbook, script};

const TRANSIENT: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

fn place(steps: &[String]) -> Place {
    Place::new().with("c.json", cluster("")).with("p.json", playbook(&steps.join(",")))
}

#[test]
fn runs_are_listed_newest_first_and_shown() {
    let place = place(&[
        script("good", "true", ""),
        script("bad", "exit 3", ""),
        script("never", "true", ""),
    ]);
    assert_eq!(place.words("runs").stdout, "", "there is none yet");
    let none = place.words("status");
    assert_eq!(none.code, Some(2));
    assert!(none.stderr.contains("there is no run in "), "{}", none.stderr);
    assert_eq!(place.run(TRANSIENT).code, Some(1));
    let up = place.words("up --config c.json");
    assert_eq!(up.code, Some(0));

    let listed = place.words("runs");
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", listed.stdout);
    assert!(lines[0].contains("succeeded    up "), "{}", lines[0]);
    assert!(lines[1].contains("failed       run-transient  local     demo"), "{}", lines[1]);
    let failed = place.words("runs --state failed --since 1h --json");
    let told: serde_json::Value = serde_json::from_str(&failed.stdout).expect("one line of JSON");
    assert_eq!(told["state"], "failed");
    assert_eq!(place.words("runs --since 0s").stdout, "");

    let id = lines[1].split(' ').next().expect("an id");
    let shown = place.run(["status", id]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(
        shown.stdout.starts_with(&format!("Run {id}: failed, 2/3 steps\n")),
        "{}",
        shown.stdout
    );
    for line in
        ["  SUCCEEDED  good ", "  FAILED     bad ", "  SKIPPED    never: step `bad` failed\n"]
    {
        assert!(shown.stdout.contains(line), "{line} in {}", shown.stdout);
    }
    let shown = place.words("status last --json");
    let told: serde_json::Value = serde_json::from_str(&shown.stdout).expect("it is JSON");
    assert_eq!((&told["goal"], &told["state"]), (&"up".into(), &"succeeded".into()));
    let two = place.run(["status", "r-"]);
    assert!(two.stderr.contains("say more of its id"), "{}", two.stderr);
}

#[test]
fn a_run_is_running_while_it_is_driven_and_left_when_it_was_killed() {
    let place = place(&[script("long", "sleep 600", "")]);
    let mut child = place.command(TRANSIENT).spawn().expect("it starts");
    let standing = || {
        let told = place.words("status --json").stdout;
        let told: Option<serde_json::Value> = serde_json::from_str(&told).ok();
        told.filter(|told| told["steps"][0]["nativeId"].is_string())
            .map(|told| told["state"].clone())
    };
    while standing().is_none() {
        assert_eq!(child.try_wait().expect("its state"), None, "it ended");
        std::thread::yield_now();
    }
    assert_eq!(standing(), Some("running".into()));
    child.kill().expect("it runs");
    child.wait().expect("its end");
    assert_eq!(standing(), Some("left".into()));
    let told = place.words("status --json").stdout;
    let told: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
    let id = told["cluster"]["id"].as_str().expect("an id");
    let down = place.run(["down", "--config", "c.json", "--cluster", id]);
    assert_eq!(down.code, Some(0), "{}", down.stderr);
}

#[test]
fn a_journal_that_was_changed_is_not_told_of_as_if_it_were_whole() {
    let place = place(&[script("good", "true", "")]);
    assert_eq!(place.run(TRANSIENT).code, Some(0));
    let runs = place.state().join("runs");
    let run = std::fs::read_dir(runs).expect("a folder").next().expect("a run").expect("it");
    let journal = run.path().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).expect("a journal");
    std::fs::write(&journal, text.replacen("good", "evil", 1)).expect("it is written");
    let shown = place.words("status");
    assert_eq!((shown.stdout.as_str(), shown.code), ("", Some(1)));
    assert!(shown.stderr.contains("its checksum does not fit"), "{}", shown.stderr);
    std::fs::write(&journal, "").expect("it is written");
    let listed = place.words("runs");
    assert_eq!(listed.stdout, "");
    assert!(listed.stderr.contains("cannot be told of"), "{}", listed.stderr);
}

/// Their ids tell no time, unlike all others.
#[test]
fn runs_of_a_key_are_listed_where_they_belong() {
    let place = place(&[script("good", "true", "")]);
    assert_eq!(place.run(TRANSIENT).code, Some(0));
    let keyed = TRANSIENT.iter().chain(&["--idempotency-key", "nightly"]);
    assert_eq!(place.run(keyed).code, Some(0));
    let kinds = || {
        let listed = place.words("runs --since 1h").stdout;
        listed.lines().map(|line| line[..2].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(), ["k-", "r-"]);
    let last = place.words("status last --json").stdout;
    assert!(last.contains("\"k-"), "{last}");
    assert_eq!(place.run(TRANSIENT).code, Some(0));
    assert_eq!(kinds(), ["r-", "k-", "r-"]);
}

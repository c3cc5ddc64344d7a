//! `runs --orphans` on this machine.

use serde_json::Value;

use crate::harness::{Place, Ran, cluster, playbook, script};

const TRANSIENT: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

fn place() -> Place {
    Place::new()
        .with("c.json", cluster(""))
        .with("p.json", playbook(&script("long", "sleep 600", "")))
}

fn told(ran: &Ran) -> Vec<Value> {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_cluster_that_no_run_looks_after_is_listed_until_it_is_down() {
    let place = place();
    assert_eq!(told(&place.words("runs --orphans --json")), [""; 0], "nothing was ever begun");
    let (mut child, run) = place.driven(TRANSIENT);
    let cluster = run["cluster"]["id"].as_str().expect("an id");
    assert_eq!(told(&place.words("runs --orphans --json")), [""; 0], "it is driven");
    let all = told(&place.words("runs --orphans --all --json"));
    assert_eq!((&all[0]["why"], &all[0]["orphan"]), (&"its run is driven".into(), &false.into()));
    child.kill().expect("it runs");
    child.wait().expect("its end");

    let orphans = told(&place.words("runs --orphans --json"));
    assert_eq!(orphans.len(), 1);
    for (key, value) in [
        ("cluster", cluster),
        ("run", run["run"].as_str().expect("an id")),
        ("name", "here"),
        ("fabric", "local"),
        ("state", "READY"),
        ("why", "its run was left, nobody drives it"),
    ] {
        assert_eq!(orphans[0][key], value, "{key}");
    }
    let shown = place.words("runs --orphans").stdout;
    let lines: Vec<&str> = shown.lines().collect();
    let row = format!("{cluster}  here  READY  ");
    assert!(lines[0].starts_with(&row), "{shown}");
    assert!(lines[0].ends_with("  its run was left, nobody drives it"), "{shown}");
    assert_eq!(lines[1..], ["End one: dataflow-runner down --run RUN"]);
    let down = place.run(["down", "--run", run["run"].as_str().expect("an id")]);
    assert_eq!(down.code, Some(0), "{}", down.stderr);
    let none = place.words("runs --orphans --all");
    assert_eq!(none.stdout, "");
    let text = "info msg=\"No cluster is without a run that looks after it (1 fabric asked)\"";
    assert_eq!(none.messages(), [text]);
}

#[test]
fn a_cluster_that_is_to_stay_is_none_as_long_as_that_is_known() {
    let place = place();
    let up = place.words("up --config c.json").stdout;
    assert_eq!(told(&place.words("runs --orphans --json")), [""; 0]);
    let all = told(&place.words("runs --orphans --all --json"));
    assert_eq!(all[0]["why"], "`up` brought it up to stay");
    let run = all[0]["run"].as_str().expect("an id");
    std::fs::remove_dir_all(place.state().join("runs").join(run)).expect("it is there");
    // Nothing leads there any more but the file.
    assert_eq!(told(&place.words("runs --orphans --json")), [""; 0]);
    let orphans = told(&place.words("runs --orphans --json --config c.json"));
    assert_eq!(orphans[0]["cluster"], up.trim());
    assert_eq!(orphans[0]["why"], "no journal of its run is here");
    let shown = place.words("runs --orphans --config c.json").stdout;
    let last = "End one: dataflow-runner down --config FILE --cluster CLUSTER";
    assert_eq!(shown.lines().last(), Some(last), "{shown}");
    // Another way to the same place finds nothing twice.
    let other = place.with("d.json", cluster(r#", "killAfterSeconds": 3"#));
    let gone = other.run(["down", "--config", "d.json", "--cluster", "local-none"]);
    assert_eq!(gone.code, Some(4), "{}", gone.stderr);
    assert_eq!(told(&other.words("runs --orphans --json --config c.json")).len(), 1);
}

#[test]
fn a_file_that_makes_no_sense_is_3() {
    let place = place();
    for file in ["p.json", "none.json"] {
        let ran = place.run(["runs", "--orphans", "--config", file]);
        assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)), "{}", ran.stderr);
        assert!(ran.stderr.starts_with("error["), "{}", ran.stderr);
    }
    assert_eq!(place.words("runs --all").code, Some(2));
    assert_eq!(place.words("runs --orphans --state left").code, Some(2));
}

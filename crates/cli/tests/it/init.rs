//! `init`.

use crate::harness::Place;

const FABRICS: [&str; 4] = ["emr", "dataproc", "yarn", "local"];
const FILES: [&str; 3] = ["cluster.json", "playbook.json", "vars.json"];

#[test]
fn what_it_writes_passes_its_own_lint() {
    for fabric in FABRICS {
        let place = Place::new();
        let ran = place.run(["init", fabric]);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
        for file in FILES {
            assert!(ran.stdout.contains(file), "{}", ran.stdout);
        }
        let ran = place.words("lint --deny-warnings . --vars-file vars.json");
        let valid = "info msg=\"2 files are valid\"";
        assert_eq!(ran.messages().last(), Some(&valid), "{fabric}: {}", ran.stderr);
        assert_eq!(ran.code, Some(0));
        assert_eq!(place.words("fmt --check cluster.json playbook.json").code, Some(0), "{fabric}");
        let plan = "plan --config cluster.json --playbook playbook.json --vars-file vars.json";
        let ran = place.words(plan);
        assert_eq!(ran.code, Some(0), "{fabric}: {}", ran.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_it_writes_for_this_machine_runs_with_the_command_that_it_tells() {
    let place = Place::new();
    let told = place.words("init local a/b");
    let command = told.stdout.lines().find(|line| line.contains("run-transient")).expect("a line");
    let words = command.split_whitespace().skip(1);
    let ran = place.run(words);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let counted = place.path("a/b/bucket/counts/2026-01-31/count.txt");
    assert_eq!(std::fs::read_to_string(counted).expect("it is there").trim(), "2");
}

#[test]
fn nothing_is_overwritten_and_nothing_half_written() {
    let place = Place::new().with("x/playbook.json", "mine").with("x/vars.json", "mine");
    let ran = place.words("init emr x");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(2)));
    let message = "error msg=\"`x/playbook.json`, `x/vars.json` are there already: nothing was written; name another folder\"";
    assert_eq!(ran.messages(), [message]);
    assert!(!place.path("x/cluster.json").exists());
    assert_eq!(std::fs::read(place.path("x/playbook.json")).expect("it is there"), b"mine");
}

#[test]
fn a_place_where_nothing_can_be_written_is_told() {
    let place = Place::new().with("x", "a file");
    let ran = place.words("init emr x/y");
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot write into `x/y`"), "{}", ran.stderr);
}

#[test]
fn a_fabric_that_there_is_not_is_wrong_usage() {
    let place = Place::new();
    let ran = place.words("init datproc");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("'dataproc'"), "{}", ran.stderr);
    assert!(!place.path("cluster.json").exists());
}

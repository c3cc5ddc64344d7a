//! s3-dist-cp, which the program itself does on this machine.

use std::fs;

use crate::harness::{Place, cluster, playbook};

const ROOTS: &str = r#", "roots": {"s3://b/": "data"}"#;

/// A playbook of EMR of one step with these arguments.
fn copy(arguments: &str) -> String {
    let step = format!(
        r#"{{"id": "a", "type": "CUSTOM_JAR", "jar": "/usr/share/aws/emr/s3-dist-cp/lib/s3-dist-cp.jar",
        "arguments": [{arguments}]}}"#
    );
    playbook(&step)
}

#[test]
fn a_playbook_for_emr_runs_here() {
    let arguments = r#""--src", "s3://b/in/", "--dest=s3://b/out/", "--groupBy=s3://b/in/(part)-.*", "--outputCodec=none",
        "--deleteOnSuccess", "--s3Endpoint=x""#;
    let place = Place::new()
        .with("c.json", cluster(ROOTS))
        .with("p.json", copy(arguments))
        .with("data/in/part-1.txt", "one\n")
        .with("data/in/part-2.txt", "two\n")
        .with("data/in/_SUCCESS", "");
    let linted = place.words("lint c.json p.json");
    assert_eq!(linted.code, Some(0), "{}", linted.stderr);
    let expected =
        "warning[option-ignored]: the argument `--s3Endpoint=x` is ignored on this machine\n";
    assert!(linted.stderr.starts_with(expected), "{}", linted.stderr);
    let planned = place.words("plan --config c.json --playbook p.json");
    assert!(planned.stdout.contains("__s3-dist-cp s3://b/in/ --src="), "{}", planned.stdout);
    let ran = place.words("run-transient --config c.json --playbook p.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(place.path("data/out/part.txt")).unwrap(), "one\ntwo\n");
    let left: Vec<_> =
        fs::read_dir(place.path("data/in")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["_SUCCESS"]);
    let again = place.words("run-transient --config c.json --playbook p.json");
    assert_eq!(again.code, Some(1), "there is nothing left to copy");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let place = Place::new().with("c.json", cluster(ROOTS)).with(
        "p.json",
        copy(
            r#""--src=s3://b/in/", "--groupBy=.*(?=x)", "--targetsize=1", "--outputCodec", "zip""#,
        ),
    );
    for line in ["lint c.json p.json", "run-transient --config c.json --playbook p.json"] {
        let ran = place.words(line);
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        let mut told: Vec<_> =
            ran.stderr.lines().filter(|line| line.starts_with("error[")).collect();
        told.sort_unstable();
        assert_eq!(
            told,
            [
                "error[missing-argument]: the jar `/usr/share/aws/emr/s3-dist-cp/lib/s3-dist-cp.jar` needs `--dest`",
                "error[option-pattern]: the argument `--groupBy=.*(?=x)` looks ahead or behind, which is not supported on this machine (character 3)",
                "error[option-value]: the argument `zip` is no codec",
                "error[unknown-option]: the argument `--targetsize=1` is no option of s3-dist-cp",
            ]
        );
    }
}

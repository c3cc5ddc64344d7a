//! `lint`.

use crate::harness::{Place, cluster, playbook, playbook_1};

#[test]
fn good_files_are_valid() {
    let place = Place::new()
        .with("c.json", cluster(""))
        .with("p.json", playbook(r#"{"id": "a", "type": "COMMAND", "command": "no-such-tool"}"#))
        .with("old.json", playbook_1(r#""CONTINUE""#));
    let ran = place.words("lint c.json p.json old.json");
    assert_eq!(
        ran.messages(),
        ["info msg=\"3 files are valid\""],
        "what is installed is not lint's"
    );
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(0)));
}

#[test]
fn the_faults_of_all_files_and_variables_are_shown_together_and_counted() {
    let place = Place::new()
        .with("a.json", cluster(r#", "slotz": 1"#))
        .with("b.json", "{\"schema\": {{.x}}\n")
        .with(
            "c.json",
            playbook(r#"{"id": "a", "type": "COMMAND", "command": "x", "dependsOn": ["b"]}"#),
        );
    let ran = place.words("lint c.json b.json a.json --var-env y=UNSET");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)));
    let codes: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("error[")).collect();
    let places: Vec<_> =
        ran.stderr.lines().filter_map(|line| line.trim_start().strip_prefix("--> ")).collect();
    assert_eq!(codes.len(), 4, "{}", ran.stderr);
    assert!(codes[3].contains("`UNSET` is not set"), "what has no place comes last: {codes:?}");
    let files: Vec<_> = places.iter().map(|place| place.split(':').next().unwrap_or("")).collect();
    assert_eq!(files, ["a.json", "b.json", "c.json"]);
    assert!(ran.stderr.ends_with("\n4 errors\n"), "{}", ran.stderr);
}

#[test]
fn a_playbook_is_checked_against_the_one_cluster() {
    let copy = |arguments: &str| {
        playbook(&format!(
            r#"{{"id": "a", "type": "COMMAND", "command": "s3-dist-cp", "arguments": [{arguments}]}}"#
        ))
    };
    let place =
        Place::new().with("c.json", cluster("")).with("p.json", copy(r#""--src=s3://b/x""#));
    assert_eq!(place.words("lint p.json").code, Some(0));
    let ran = place.words("lint p.json c.json");
    assert_eq!(ran.code, Some(3));
    let fault = "error[missing-argument]: the program `s3-dist-cp` needs `--dest`\n";
    assert!(ran.stderr.starts_with(fault), "{}", ran.stderr);
}

#[test]
fn with_two_clusters_nobody_says_which_playbook_is_for_which() {
    let hive = playbook(r#"{"id": "a", "type": "HIVE", "file": "x.q"}"#);
    let place =
        Place::new().with("c.json", cluster("")).with("d.json", cluster("")).with("p.json", hive);
    let ran = place.words("lint c.json d.json p.json");
    assert_eq!((ran.messages(), ran.code), (vec!["info msg=\"3 files are valid\""], Some(0)));
}

#[test]
fn a_variable_counts_as_unused_only_where_that_is_known() {
    let step = |argument: &str| {
        playbook(&format!(
            r#"{{"id": "a", "type": "COMMAND", "command": "x", "arguments": ["{argument}"]}}"#
        ))
    };
    let place = Place::new()
        .with("none.json", step("x"))
        .with("whole.json", step("{{range $name, $value := .}}{{$name}}{{end}}"))
        .with("faulty.json", step("{{.b.c}}"));
    let warned = |line: &str| place.words(line).stderr.contains("variable `a` is given");
    assert!(warned("lint none.json --var a=1"));
    assert!(!warned("lint none.json whole.json --var a=1"), "all are used as a whole");
    assert!(!warned("lint none.json faulty.json --var a=1"), "nobody knows");
}

#[test]
fn a_file_beyond_all_measure_is_not_read() {
    let place = Place::new().with("f.json", "");
    let file = std::fs::File::options().write(true).open(place.path("f.json")).expect("a file");
    file.set_len((64 << 20) + 1).expect("it grows");
    let ran = place.words("lint f.json");
    assert_eq!(ran.code, Some(3));
    let fault = "error[cannot-read-file]: cannot read `f.json`: it is larger than 64 MiB\n";
    assert!(ran.stderr.starts_with(fault), "{:.300}", ran.stderr);
}

#[test]
fn a_value_from_the_environment_is_never_told() {
    let steps = r#"{"id": "a", "type": "COMMAND", "command": "x", "timeoutSeconds": "{{systemEnv "PASS"}}"}"#;
    let place = Place::new().with("p.json", playbook(steps));
    let mut command = place.command(["lint", "p.json", "--var", "a=hunter3"]);
    let output = command.env("PASS", "hunter2").output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(!text.contains("hunter"), "{text}");
}

#[test]
fn literal_credentials_are_not_shown_however_they_are_miswritten() {
    for credentials in [
        r#""accessKeyId": "hunter2", "secretAccesKey": "hunter2""#,
        r#"'accessKeyId': 'hunter2', 'secretAccessKey': 'hunter2'"#,
        r#"accessKeyId: "hunter2", secretAccessKey: "hunter2""#,
        r#""accessKeyId": "a,hunter2", "secretAccessKey": "a\"hunter2", "x": 1"#,
        r#""accessKeyId": hunter2, "secretAccessKey": hunter2 "x": 1"#,
        r#""accessKeyId": ["hunter2"], "secretAccessKey": {"hunter2": 1}"#,
        r#""accessKeyId": "env", "secretAccessKey": "hunter2"#,
        r#""accessKeyId": "hunter2", "secretAccessKey": "hunter2{{.x}}""#,
        r#""accessKeyId": "env", "secretAccessKey": "hunter2""#,
    ] {
        let old = playbook_1(r#""CONTINUE""#);
        let was = r#""accessKeyId": "env", "secretAccessKey": "env""#;
        assert!(old.contains(was));
        let place = Place::new().with("p.json", old.replace(was, credentials));
        for line in ["lint p.json", "lint p.json --output json"] {
            let ran = place.words(line);
            assert!(ran.stderr.contains("--> p.json:2:"), "{}", ran.stderr);
            let said = ran.stderr + &ran.stdout;
            assert!(!said.contains("hunter"), "{credentials}:\n{said}");
        }
    }
}

#[test]
fn json_output_has_each_fault_as_an_object() {
    let place = Place::new().with("p.json", "{\n  x\n}");
    let ran = place.words("lint p.json --output json");
    assert_eq!(ran.code, Some(3));
    let first = ran.stdout.lines().next().expect("a line");
    let line: serde_json::Value = serde_json::from_str(first).expect("JSON");
    let fault = &line["diagnostic"];
    assert_eq!(
        (&fault["severity"], &fault["file"], &fault["line"], &fault["column"]),
        (&"error".into(), &"p.json".into(), &2.into(), &3.into())
    );
    assert!(ran.stderr.contains("--> p.json:2:3"), "{}", ran.stderr);
}

#[test]
fn all_that_was_not_given_is_told_at_once() {
    let text = r#"{"schema": "{{.one}}", "data": "{{if .two}}{{.three}}{{end}} {{.day}}
        {{systemEnv "ONE"}} {{systemEnv .one}} {{.one}} {{range .four}}{{.five}}{{end}} {{.six}}"}"#;
    let place = Place::new().with("p.json", text);
    let ran = place.words("lint p.json --var day=1");
    assert_eq!(ran.code, Some(3));
    let told: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("error[")).collect();
    let variable = |name| format!("error[template-exec]: map has no entry for key \"{name}\"");
    let environment =
        "error[template-exec]: error calling systemEnv: environment variable ONE not set";
    // The name of the second variable of the environment is not known; a text cannot be ranged over, so it ends there.
    let unknown = "error[template-exec]: error calling systemEnv: environment variable .one not set";
    let wanted = [
        variable("one"),
        variable("two"),
        variable("three"),
        environment.into(),
        unknown.into(),
        variable("four"),
    ];
    assert_eq!(told, wanted);
}

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
    let hive = playbook(r#"{"id": "a", "type": "HIVE", "file": "x.q"}"#);
    let place = Place::new().with("c.json", cluster("")).with("p.json", hive);
    assert_eq!(place.words("lint p.json").code, Some(0));
    let ran = place.words("lint p.json c.json");
    assert_eq!(ran.code, Some(3));
    let fault = "error[step-type-not-on-fabric]: fabric `local` runs no steps of type HIVE\n";
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

/// A playbook whose one step is warned of, with something on the line before.
fn warned(before: &str) -> String {
    let steps = format!(
        "\n{before}\n{{\"id\": \"a\", \"type\": \"COMMAND\", \"command\": \"x\", \"arguments\": [\"s3n://b\"]}}\n"
    );
    playbook(&steps)
}

#[test]
fn warnings_stop_nothing_unless_they_are_denied() {
    let place = Place::new().with("p.json", warned(""));
    let ran = place.words("lint p.json");
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.starts_with("warning[s3n-uri]: "), "{}", ran.stderr);
    assert_eq!(place.words("lint p.json --deny-warnings").code, Some(3));
    assert_eq!(place.words("lint p.json --deny-warnings --allow s3n-uri").code, Some(0));
    assert_eq!(place.words("plan --playbook p.json").stderr.matches("s3n-uri").count(), 0);
}

#[test]
fn a_comment_allows_a_warning_on_its_line_the_next_one_or_in_the_file() {
    let allowed = |comment: &str| {
        let place = Place::new().with("p.json", warned(comment));
        place.words("lint p.json --deny-warnings").code == Some(0)
    };
    assert!(allowed("{{/* lint: allow s3n-uri */}}"));
    assert!(allowed("{{- /* lint: allow s3n-uri */ -}}\n\n"));
    assert!(allowed("{{/* lint: allow s3n-uri */}}\n{{/* because */}}\n"));
    assert!(allowed("{{/* lint: allow-file s3n-uri */}}\n{{\"\"}}"));
    let glob =
        r#"{"id": "g", "type": "COMMAND", "command": "s3://b/*"},{{/* lint: allow s3n-uri */}}"#;
    assert!(allowed(glob), "a glob begins no comment");
    assert!(!allowed("{{/* lint: allow s3n-uri */}}\n{{\"\"}}"), "not beyond the next line");
    assert!(!allowed("{{/* lint: allow stray-space */}}"), "another rule");
    assert!(!allowed("{{/* allow s3n-uri */}}"), "a comment of another kind");
}

#[test]
fn comments_that_allow_nothing_are_warned_of() {
    let told = |comment: &str| {
        let place = Place::new().with("p.json", warned(comment));
        let ran = place.words("lint p.json");
        assert_eq!(ran.code, Some(0));
        ran.stderr
    };
    let text = told("{{/* lint: allow s3n-uri, stray-space */}}");
    assert!(text.starts_with("warning[unused-allow]: `stray-space` is allowed"), "{text}");
    assert!(text.ends_with("\n1 warning\n") || text.contains("1 warning"), "{text}");
    let text = told("{{/* lint: allow s3n-url */}}");
    assert!(text.contains("warning[unknown-code]: no rule has this code"), "{text}");
    assert!(text.contains("did you mean `s3n-uri`?"), "{text}");
    let text = told("{{/* lint: allow s3n-uri, two-regions */}}");
    assert!(!text.contains("unused-allow"), "one file does not tell: {text}");
    // `run` and its like do not look for what it allows.
    let place = Place::new().with("p.json", warned("{{/* lint: allow s3n-uri */}}"));
    let ran = place.with("c.json", cluster("")).words("plan --config c.json --playbook p.json");
    assert!(!ran.stderr.contains("unused-allow"), "{}", ran.stderr);
}

#[test]
fn errors_cannot_be_allowed() {
    let steps = r#"{{/* lint: allow-file unknown-field */}}{"id": "a", "type": "COMMAND", "command": "x", "argument": []}"#;
    let place = Place::new().with("p.json", playbook(steps));
    let ran = place.words("lint p.json");
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("it is an error, which cannot be allowed"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("unused-allow"), "{}", ran.stderr);
    let ran = place.words("lint p.json --allow unknown-fild");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("did you mean unknown-field?"), "{}", ran.stderr);
}

#[test]
fn warnings_of_other_commands_are_allowed_too() {
    let old = playbook_1(r#""CONTINUE""#).replace("\"data\"", "\"other\": 1, \"data\"");
    let comment = format!("{{{{/* lint: allow-file unknown-field */}}}}{old}");
    let place = Place::new().with("a.json", &old).with("b.json", comment);
    assert!(place.words("plan --playbook a.json").stderr.contains("warning[unknown-field]"));
    assert!(!place.words("plan --playbook b.json").stderr.contains("warning["));
    let flag = place.words("plan --playbook a.json --allow unknown-field");
    assert!(!flag.stderr.contains("warning["), "{}", flag.stderr);
}

#[test]
fn a_secret_in_the_file_is_warned_of_and_never_shown() {
    let key = format!("AKIA{}", "A1B2".repeat(4));
    let step = format!(
        r#"{{"id": "a", "type": "COMMAND", "command": "s3n://", "arguments": ["--password", "hunter2", "--x=hunter2", "{key}", "https://u:hunter2@h/"]}}"#
    )
    .replace("\"--x=hunter2\", ", "");
    let place = Place::new().with("p.json", playbook(&step));
    for line in ["lint p.json", "lint p.json --output json"] {
        let ran = place.words(line);
        let said = ran.stderr + &ran.stdout;
        assert!(said.contains("literal-secret") && said.contains("s3n-uri"), "{said}");
        assert!(!said.contains("hunter") && !said.contains("A1B2"), "{said}");
    }
}

#[test]
fn a_folder_is_looked_through() {
    let hive = playbook(r#"{"id": "a", "type": "HIVE", "file": "x.q"}"#);
    let place = Place::new()
        .with("a/cluster.json", cluster(""))
        .with("a/p.json", &hive)
        .with("b/p.json.tmpl", &hive)
        .with("b/data.json", "{]")
        .with("b/vars.json", "{}")
        .with("b/notes.txt", &hive)
        .with(".hidden/p.json", &hive);
    let ran = place.words("lint .");
    assert_eq!(ran.code, Some(3));
    assert_eq!(ran.stderr.matches("error[").count(), 1, "a cluster's folder: {}", ran.stderr);
    assert!(ran.stderr.contains("--> ./a/p.json:"), "{}", ran.stderr);
    assert!(ran.messages()[0].contains("2 files are neither"), "{}", ran.stderr);
    let ran = place.words("lint b");
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.messages().last(), Some(&"info msg=\"1 file is valid\""));
    assert_eq!(place.words("lint b/data.json").code, Some(3), "what is named is looked at");
    assert_eq!(place.words("lint b/data.json b --skip-others").code, Some(0));
    std::fs::create_dir(place.path("none")).expect("a folder");
    let ran = place.words("lint none");
    assert_eq!(ran.code, Some(2));
    assert!(ran.messages()[0].contains("`none` holds no cluster file"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn links_to_folders_are_not_followed() {
    let place = Place::new().with("a/c.json", cluster(""));
    std::os::unix::fs::symlink("..", place.path("a/up")).expect("a link");
    let ran = place.words("lint a");
    assert_eq!(ran.messages(), ["info msg=\"1 file is valid\""]);
}

#[test]
fn values_to_try_stand_beside_the_file() {
    let step = r#"{"id": "{{.id}}", "type": "COMMAND", "command": "{{.command}}"}"#;
    let place = Place::new().with("p.json", playbook(step));
    let ran = place.words("lint p.json");
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.stderr.contains("from `p.vars.json` or `vars.json` beside the file"),
        "{}",
        ran.stderr
    );
    let place = place
        .with("vars.json", r#"{"id": "of folder", "command": "x", "other": 1}"#)
        .with("p.vars.json", r#"{"id": "a", "idle": 1}"#);
    let ran = place.words("lint p.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let idle = "warning[unused-variable]: variable `idle` of `p.vars.json` is never used\n";
    assert!(ran.stderr.starts_with(idle), "{}", ran.stderr);
    assert_eq!(place.words("lint p.json --var id=no!").code, Some(3), "what is given wins");
    assert_eq!(place.words("plan --playbook p.json").code, Some(3), "only `lint` reads them");
}

#[test]
fn stdin_is_a_file_too() {
    let place = Place::new().with("q.vars.json", r#"{"x": "s3n://b"}"#);
    let file = place.path("input");
    let step = r#"{"id": "a", "type": "COMMAND", "command": "x", "arguments": ["{{.x}}"]}"#;
    std::fs::write(&file, playbook(step)).expect("a file");
    let mut command = place.command(["lint", "-", "--stdin-name", "q.json"]);
    let stdin = std::fs::File::open(file).expect("it is there");
    let output = command.stdin(stdin).output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("--> q.json:"), "{text}");
}

//! `lint`.

use std::io::Write;
use std::process::Stdio;

use crate::harness::{Place, Ran, cluster, playbook, playbook_1};

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

/// A step that only a cluster of this machine refuses.
const REFUSED: &str = r#"{"id": "a", "type": "COMMAND", "command": "s3-dist-cp", "arguments": ["--src", "s3://b/", "--dest", "s3://b/x", "--nope"]}"#;

#[test]
fn a_playbook_is_checked_against_the_one_cluster() {
    let refused = playbook(REFUSED);
    let place = Place::new().with("c.json", cluster("")).with("p.json", refused);
    assert_eq!(place.words("lint p.json").code, Some(0));
    let ran = place.words("lint p.json c.json");
    assert_eq!(ran.code, Some(3));
    let fault = "error[unknown-option]: the argument `--nope` is no option of s3-dist-cp\n";
    assert!(ran.stderr.starts_with(fault), "{}", ran.stderr);
}

#[test]
fn also_the_right_steps_of_a_faulty_playbook_are() {
    let refused = |id: &str, more: &str| REFUSED.replace(r#""a""#, &format!(r#""{id}"{more}"#));
    let steps = [
        refused("a", ""),
        refused("b", r#", "timeoutSeconds": 0"#),
        refused("c", r#", "argments": []"#),
    ];
    let place =
        Place::new().with("c.json", cluster("")).with("p.json", playbook(&steps.join(",\n")));
    let ran = place.words("lint p.json c.json");
    let told: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("error[")).collect();
    let nope = "error[unknown-option]: the argument `--nope` is no option of s3-dist-cp";
    let wanted = [
        nope,
        nope,
        "error[number-range]: `data.steps[1].timeoutSeconds` must be between 1 and 31536000",
        "error[unknown-field]: unknown field `argments` in `data.steps[2]`",
    ];
    assert_eq!(sorted(told), sorted(wanted.to_vec()), "{}", ran.stderr);
}

fn sorted(mut lines: Vec<&str>) -> Vec<&str> {
    lines.sort_unstable();
    lines
}

#[test]
fn of_very_many_steps_the_rest_is_counted_without_the_faulty_ones() {
    let step = |n: usize| format!(r#"{{"id": "s{n}", "type": "COMMAND", "command": "x"}}"#);
    let mut steps: Vec<_> = (0..300).map(step).collect();
    steps[5] = steps[5].replace("command", "comand");
    let place = Place::new()
        .with(
            "c.json",
            cluster("").replace("LocalClusterConfig/avro/1-0-0", "ClusterConfig/avro/1-1-0"),
        )
        .with("p.json", playbook(&steps.join(",\n")));
    let ran = place.words("lint c.json p.json");
    let fault = "error[too-many-steps]: EMR takes 256 steps at once, and this is one more\n   --> p.json:259:1\n";
    assert!(ran.stderr.contains(fault), "{}", ran.stderr);
}

#[test]
fn what_kind_of_cluster_it_is_counts_also_where_its_file_is_faulty() {
    let steps = r#"{"id": "a", "type": "COPY", "source": "s3://b/x", "destination": "s3://b/y", "pattern": "x"},
        {"id": "b", "type": "HIVE", "file": "./x.q", "actionOnFailure": "TERMINATE_CLUSTER"}"#;
    let place = Place::new().with("p.json", playbook(steps)).with("x.q", "");
    let of_fabrics = ["copy-pattern", "cannot-stage", "failure-rule-not-on-fabric"];
    for (schema, wanted) in [
        ("LocalClusterConfig/avro/1-0-0", vec![]),
        ("ClusterConfig/avro/1-1-0", vec!["cannot-stage"]),
        ("YarnClusterConfig/avro/1-0-0", vec!["copy-pattern", "failure-rule-not-on-fabric"]),
        ("DataprocClusterConfig/avro/1-0-0", vec!["copy-pattern"]),
    ] {
        let faulty = cluster(r#", "nmae": 1"#).replace("LocalClusterConfig/avro/1-0-0", schema);
        let place = Place::new()
            .with("p.json", playbook(steps))
            .with("x.q", "")
            .with("c.json", faulty.replace(r#""name": "here""#, r#""name": 1"#))
            .with("data.json", faulty.replace(r#"{"name": "here", "nmae": 1}"#, "1"));
        for config in ["c.json", "data.json"] {
            for line in ["lint CONFIG p.json", "plan --config CONFIG --playbook p.json"] {
                let line = line.replace("CONFIG", config);
                let ran = place.words(&line);
                let told = |code: &&str| ran.stderr.contains(&format!("error[{code}]"));
                let told: Vec<_> = of_fabrics.into_iter().filter(told).collect();
                assert_eq!(told, wanted, "{schema} {line}: {}", ran.stderr);
                assert_eq!(ran.code, Some(3));
            }
        }
    }
    let faulty = cluster(r#", "nmae": 1"#);
    let place = place.with("c.json", faulty.replace("LocalCluster", "DataprocCluster"));
    let ran = place.words("export --to dataproc-workflow --config c.json --playbook p.json");
    assert!(ran.stderr.contains("error[copy-pattern]"), "{}", ran.stderr);
    // It is one of two, so nobody says which playbook is for which.
    let place = place.with("d.json", cluster(""));
    let ran = place.words("lint c.json d.json p.json");
    assert!(!ran.stderr.contains("copy-pattern"), "{}", ran.stderr);
    // And it is no playbook.
    let ran = place.words("plan --config d.json --playbook c.json");
    assert!(ran.stderr.contains("error[wrong-kind-of-file]"), "{}", ran.stderr);
    assert!(ran.stderr.contains("error[unknown-field]"), "{}", ran.stderr);
}

#[test]
fn with_two_clusters_nobody_says_which_playbook_is_for_which() {
    let refused = playbook(REFUSED);
    let place = Place::new()
        .with("c.json", cluster(""))
        .with("d.json", cluster(""))
        .with("p.json", refused);
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

/// A playbook of 0.7.x that warns: the type of its step is not one that EMR looks at.
fn warns() -> String {
    playbook_1(r#""CONTINUE""#).replace("CUSTOM_JAR", "SPARK")
}

/// The same with a comment in the place of the white space before the data.
fn commented(comment: &str) -> String {
    warns().replace(" \"data\"", &format!("{comment}\n \"data\""))
}

/// Runs the program with something on its stdin.
fn piped(place: &Place, line: &str, stdin: impl AsRef<[u8]>) -> Ran {
    let mut command = place.command(line.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // Who does not read it has gone before.
    let _ = child.stdin.take().expect("a pipe").write_all(stdin.as_ref());
    Ran::from(child.wait_with_output().expect("it ends"))
}

#[test]
fn configurations_of_a_folder_are_checked_in_order_and_all_else_is_passed_over() {
    let place = Place::new()
        .with("all/b.json", warns())
        .with("all/a/x.json.tmpl", "{\"schema\": \"iglu:com.snowplowanalytics.dataflowrunner/")
        .with("all/a/data.json", "{}")
        .with("all/.hidden/x.json", "iglu:com.snowplowanalytics.dataflowrunner/")
        .with("all/notes.txt", "iglu:com.snowplowanalytics.dataflowrunner/");
    let ran = place.words("lint all");
    let places: Vec<_> =
        ran.stderr.lines().filter_map(|line| line.trim_start().strip_prefix("--> ")).collect();
    let files: Vec<_> = places.iter().filter_map(|place| place.split(':').next()).collect();
    assert_eq!((files, ran.code), (vec!["all/a/x.json.tmpl", "all/b.json"], Some(3)));
    assert_eq!(ran.messages(), ["info msg=\"passed over: 1 file without the name of a schema\""]);
    let quiet = place.words("lint all --log-level warning");
    assert_eq!(quiet.messages(), [""; 0]);
}

#[test]
fn the_folder_one_is_in_has_no_name() {
    let place = Place::new().with("p.json", warns());
    let ran = place.words("lint .");
    assert!(ran.stderr.contains("--> p.json:"), "{}", ran.stderr);
}

#[test]
fn a_folder_with_nothing_to_check_is_wrong_usage() {
    let place = Place::new().with("all/data.json", "{}");
    let ran = place.words("lint all");
    assert_eq!(ran.messages(), ["error msg=\"no configuration is in folder `all`\""]);
    assert_eq!(ran.code, Some(2));
}

#[test]
fn a_file_that_is_named_twice_is_checked_once() {
    let place = Place::new().with("all/p.json", playbook_1(r#""CONTINUE""#));
    let ran = place.words("lint all/p.json all ./all/../all/p.json");
    assert_eq!((ran.messages(), ran.code), (vec!["info msg=\"1 file is valid\""], Some(0)));
}

#[test]
fn a_playbook_of_a_folder_is_checked_against_the_one_cluster_beside_it() {
    let refused = playbook(REFUSED);
    let place = Place::new()
        .with("one/c.json", cluster(""))
        .with("one/p.json", &refused)
        .with("two/c.json", cluster(""))
        .with("two/d.json", cluster(""))
        .with("two/p.json", &refused)
        .with("two/below/p.json", &refused);
    let ran = place.words("lint .");
    let faults: Vec<_> = ran.stderr.lines().filter(|line| line.contains("--> ")).collect();
    assert!(matches!(faults[..], [one] if one.contains("--> one/p.json:")), "{}", ran.stderr);
    assert_eq!(ran.code, Some(3));
}

#[test]
fn stdin_is_checked_by_the_name_that_it_is_given() {
    let place = Place::new().with("p.json", "{");
    let named = piped(&place, "lint - --stdin-name p.json p.json", warns());
    assert!(named.stderr.contains("--> p.json:2:"), "{}", named.stderr);
    assert_eq!(named.code, Some(0), "it stands for the file");
    assert!(named.stderr.contains("1 file is valid"), "{}", named.stderr);
    let unnamed = piped(&place, "lint -", "{");
    assert!(unnamed.stderr.contains("--> <stdin>:1:"), "{}", unnamed.stderr);
    assert_eq!(unnamed.code, Some(3));
}

#[test]
fn stdin_is_not_the_file_or_folder_of_that_name() {
    let file = Place::new().with("-", "{}");
    let ran = piped(&file, "lint - --only-configs", warns());
    assert!(ran.stderr.contains("--> <stdin>:2:"), "{}", ran.stderr);
    let both = piped(&file, "lint - ./-", warns());
    assert!(both.stderr.contains("--> ./-:1:"), "{}", both.stderr);
    let folder = Place::new().with("-/data.json", "{}");
    assert_eq!(piped(&folder, "lint -", warns()).messages(), ["info msg=\"1 file is valid\""]);
}

#[test]
fn warnings_are_denied_where_that_is_wanted() {
    let place = Place::new().with("p.json", warns()).with("q.json", playbook_1(r#""CONTINUE""#));
    assert_eq!(place.words("lint p.json").code, Some(0));
    let ran = place.words("lint p.json --deny-warnings");
    let message = "error msg=\"warnings count as errors (--deny-warnings)\"";
    assert_eq!((ran.messages(), ran.code), (vec![message], Some(3)));
    assert_eq!(place.words("lint q.json --deny-warnings").code, Some(0));
    let silent = place.words("lint p.json --deny-warnings --allow step-type");
    assert_eq!(silent.code, Some(0), "{}", silent.stderr);
}

#[test]
fn the_command_line_silences_warnings_and_knows_their_codes() {
    let place = Place::new().with("p.json", warns());
    for line in [
        "--allow step-type",
        "--allow wrong-type,step-type",
        "--allow wrong-type --allow step-type",
    ] {
        let ran = place.words(&format!("lint p.json {line}"));
        assert_eq!(
            (ran.messages(), ran.stderr.lines().count()),
            (vec!["info msg=\"1 file is valid\""], 1)
        );
    }
    assert!(place.words("lint p.json --allow wrong-type").stderr.contains("warning[step-type]"));
    let unknown = place.words("lint p.json --allow step-tipe");
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("did you mean `step-type`?"), "{}", unknown.stderr);
    let ran =
        place.words("lint p.json --var a=1 --allow unused-variable,step-type --deny-warnings");
    assert_eq!(ran.code, Some(0), "what has no place, too: {}", ran.stderr);
}

#[test]
fn a_comment_in_the_file_silences_warnings_in_every_command() {
    let place = Place::new()
        .with("line.json", commented("{{/* lint: allow step-type */}}"))
        .with("file.json", commented("") + "{{/* lint: allow-file step-type */}}")
        .with("other.json", "{{/* lint: allow step-type */}}\n".to_owned() + &warns());
    for line in ["lint line.json", "lint file.json", "plan --playbook line.json"] {
        let ran = place.words(line);
        assert!(!ran.stderr.contains("warning"), "{line}: {}", ran.stderr);
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.stderr);
    }
    for line in ["lint other.json", "plan --playbook other.json"] {
        let ran = place.words(line);
        assert!(ran.stderr.contains("warning[step-type]"), "another line: {}", ran.stderr);
    }
}

#[test]
fn errors_are_not_silenced() {
    let file =
        playbook(r#"{"id": "a", "type": "HIVE"}"#) + "{{/* lint: allow-file wrong-field */}}";
    let place = Place::new().with("p.json", file.replace("\"file\"", "\"jar\""));
    let all = "--allow missing-field,one-of-fields,wrong-field,missing-argument,empty-value";
    assert_eq!(place.words(&format!("lint p.json {all}")).code, Some(3));
}

#[test]
fn a_comment_that_silences_nothing_is_told_of_by_lint_where_that_is_known() {
    let emr = crate::harness::emr_cluster();
    let unused = playbook_1(r#""CONTINUE""#) + "{{/* lint: allow-file step-type */}}";
    let place = Place::new().with("p.json", &unused).with("c.json", emr).with("x.json", "{");
    let told = |line: &str| place.words(line).stderr.contains("warning[unused-allow]");
    assert!(told("lint p.json c.json"));
    assert!(!told("lint p.json"), "the cluster may be what it is warned of");
    assert!(!told("lint p.json c.json x.json"), "not all was told");
    assert!(!told("lint p.json c.json --any-vars"), "another value may be what it is warned of");
    assert!(!told("lint p.json c.json --allow unused-allow"));
    assert!(!told("plan --playbook p.json --config c.json"));
}

#[test]
fn a_code_that_there_is_not_is_told_at_the_word() {
    let place = Place::new().with("p.json", commented("{{/* lint: allow step-tipe */}}"));
    for line in ["lint p.json", "plan --playbook p.json"] {
        let ran = place.words(line);
        assert!(ran.stderr.contains("warning[unknown-code]: there is no code `step-tipe`"));
        assert!(ran.stderr.contains("help: did you mean `step-type`?"), "{}", ran.stderr);
    }
}

#[test]
fn faults_come_as_json_on_stdout_alone() {
    let place = Place::new().with("p.json", warns()).with("q.json", "{");
    let ran = place.words("lint p.json q.json --message-format json");
    let codes = ran.stdout.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line["diagnostic"]["code"].as_str().expect("a code").to_owned()
    });
    let codes: Vec<_> = codes.collect();
    assert_eq!(
        (&codes[..], ran.code),
        (&["step-type".to_owned(), "json-unclosed".to_owned()][..], Some(3))
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn faults_come_as_sarif_on_stdout_alone() {
    let place = Place::new().with("a b/p.json", warns());
    let folder = place.path("a b");
    for (line, code) in [(&["--deny-warnings"][..], 3), (&["--allow", "step-type"], 0)] {
        let mut args = vec![
            "lint",
            folder.to_str().expect("text"),
            "--message-format",
            "sarif",
            "--var",
            "a=1",
        ];
        args.extend(line);
        let ran = place.run(args);
        let made: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let results = made["runs"][0]["results"].as_array().expect("results");
        let codes: Vec<_> = results.iter().filter_map(|result| result["ruleId"].as_str()).collect();
        let first = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(
            (made["version"].as_str(), first.as_str()),
            (Some("2.1.0"), Some("a%20b/p.json"))
        );
        match code {
            3 => assert_eq!(codes, ["step-type", "unused-variable"]),
            _ => assert_eq!(codes, ["unused-variable"]),
        }
        assert!(!ran.stderr.contains("-->"), "{}", ran.stderr);
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    }
    let valid = place.run(["lint", "a b", "--message-format", "sarif", "--allow", "step-type"]);
    let made: serde_json::Value =
        serde_json::from_str(&valid.stdout).expect("also without results");
    assert_eq!(made["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn named_files_that_are_no_configurations_can_be_passed_over() {
    let place = Place::new().with("data.json", "{}").with("p.json", playbook_1(r#""CONTINUE""#));
    assert_eq!(place.words("lint data.json p.json").code, Some(3));
    let ran = place.words("lint data.json p.json --only-configs");
    let passed = "info msg=\"passed over: 1 file without the name of a schema\"";
    assert_eq!((ran.messages(), ran.code), (vec![passed, "info msg=\"1 file is valid\""], Some(0)));
    let none = place.words("lint data.json --only-configs --var a=1 --deny-warnings");
    let nothing = "info msg=\"there is nothing to check\"";
    assert_eq!((none.messages(), none.code), (vec![passed, nothing], Some(0)));
    assert_eq!(place.words("lint gone.json --only-configs").code, Some(3));
    let ran = piped(&place, "lint - --only-configs", "{}");
    assert_eq!((ran.messages(), ran.code), (vec![passed, nothing], Some(0)));
    let ran = piped(&place, "lint - --only-configs", [0xFF]);
    assert_eq!(ran.code, Some(3), "it is told that it is no text: {}", ran.stderr);
}

#[test]
fn variables_that_are_not_given_can_stand_for_themselves() {
    let step = r#"{"id": "{{.step}}", "type": "COMMAND", "command": "{{systemEnv "TOOL"}}", "arguments": ["{{.a}}", "{{.b.c}}"]}"#;
    let place = Place::new()
        .with("p.json", playbook(&step.replace(r#", "{{.b.c}}""#, "")))
        .with("q.json", playbook(step));
    assert_eq!(place.words("lint p.json --var a=1").code, Some(3));
    let ran = place.words("lint p.json --var a=1 --any-vars");
    assert_eq!((ran.messages(), ran.code), (vec!["info msg=\"1 file is valid\""], Some(0)));
    let ran = place.words("lint q.json --any-vars");
    assert_eq!(ran.code, Some(3), "only a text can be taken for one: {}", ran.stderr);
    let told: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("error[")).collect();
    assert!(matches!(told[..], [one] if !one.contains("no entry")), "{}", ran.stderr);
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
    let unknown =
        "error[template-exec]: error calling systemEnv: environment variable .one not set";
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

#[test]
fn of_very_much_that_was_not_given_not_all_is_told() {
    let many: String = (0..120).map(|n| format!("{{{{.v{n}}}}}")).collect();
    let place = Place::new().with("p.json", many);
    let ran = place.words("lint p.json");
    let told = ran.stderr.lines().filter(|line| line.starts_with("error[template-exec]"));
    assert_eq!((told.count(), ran.code), (100, Some(3)));
    let more = "error[too-many-faults]: no more than 100 of what is missing is told\n";
    assert!(ran.stderr.contains(more), "{}", ran.stderr);
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

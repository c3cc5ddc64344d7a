//! `up`, `run`, `down` and `run-transient` on this machine.

use crate::harness::{Place, Ran, cluster, playbook, playbook_1, script};

const TRANSIENT: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

fn place(steps: &[String]) -> Place {
    Place::new()
        .with("c.json", cluster(r#", "slots": 2"#))
        .with("p.json", playbook(&steps.join(",")))
}

/// A message without times, and with the ids of things that are new in every run replaced by `…`.
fn plain(message: &str) -> String {
    let words = message.split(' ').map(|word| {
        let id = ["r-2", "local-2"].iter().filter_map(|id| word.find(id)).min();
        match (id, word) {
            (Some(at), _) => format!("{}…", &word[..at]),
            (None, word) if word.starts_with("20") && word.contains('T') => "TIME".to_owned(),
            (None, word) => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_cluster_goes_up_runs_a_playbook_and_goes_down() {
    let place =
        Place::new().with("c.json", cluster("")).with("p.json", playbook_1(r#""CANCEL_AND_WAIT""#));
    let up = place.words("up -emr-config c.json");
    let id = up.stdout.strip_suffix('\n').expect("one line").to_owned();
    assert_eq!(up.code, Some(0));
    let launched = format!("info msg=\"Cluster launched successfully; ID: {id}\"");
    assert_eq!(up.messages().last(), Some(&launched.as_str()));

    let run =
        place.run(["run", "-emr-config", "c.json", "-emr-cluster", &id, "-emr-playbook", "p.json"]);
    assert_eq!((run.stdout.as_str(), run.code), ("", Some(0)), "{}", run.stderr);
    assert!(run.messages().iter().any(|m| m.starts_with("info msg=\"Step 'say' with id '")
        && m.contains("' completed successfully - StartTime: 2")
        && m.contains("Z - EndTime: 2")));
    assert_eq!(run.messages().last(), Some(&"info msg=\"All steps completed successfully\""));

    let down = place.run(["down", "-emr-config", "c.json", "-emr-cluster", &id]);
    assert_eq!((down.stdout.as_str(), down.code), ("", Some(0)), "{}", down.stderr);
    assert_eq!(down.messages().last(), Some(&"info msg=\"Cluster terminated successfully\""));

    let gone = place.run(["run", "-config", "c.json", "-cluster", &id, "-playbook", "p.json"]);
    assert_eq!(gone.code, Some(4), "{}", gone.stderr);
}

#[test]
fn a_failure_is_1_and_says_what_failed() {
    let place = place(&[
        script("good", "true", ""),
        script("bad", "echo oops >&2; exit 3", ""),
        script("late", "true", ""),
    ]);
    let ran = place.run(TRANSIENT);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(1)));
    let said: Vec<_> = ran.messages().into_iter().map(plain).collect();
    let failed = "error msg=\"Step 'bad' with id 'bad.1.… was FAILED - StartTime: TIME - EndTime: TIME - Reason: exit code 3\"";
    assert!(said.iter().any(|m| m == failed), "{said:#?}");
    let skipped = "warning msg=\"Step 'late' is not started: it needs step 'bad', which failed\"";
    let skipped_too = "warning msg=\"Step 'late' is not started: step 'bad' failed\"";
    assert!(said.iter().any(|m| m == skipped || m == skipped_too), "{said:#?}");
    assert_eq!(
        said.last().map(String::as_str),
        Some("error msg=\"2/3 steps failed to complete successfully\"")
    );
    assert!(!ran.stderr.contains("oops"), "logs are shown when asked for");
}

#[test]
fn logs_of_failed_steps_are_shown_when_asked_for_whatever_is_in_them() {
    let place = place(&[script("bad", r"echo out; printf '\377\033[2Jend' >&2; exit 1", "")]);
    let ran = place.run(TRANSIENT.iter().chain(&["-log-failed-steps"]));
    assert_eq!(ran.code, Some(1));
    let content: Vec<_> = ran.messages().into_iter().map(plain).collect();
    for name in ["stdout", "stderr", "controller"] {
        let header = format!("info msg=\"Content of log file '{name}' for step bad.1.…");
        assert!(content.contains(&header), "{name}: {content:#?}");
    }
    assert!(ran.stderr.contains("\nout\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\n\\xff\\x1b[2Jend\n"), "{}", ran.stderr);
}

#[test]
fn people_see_the_end_of_stderr_and_where_the_rest_is() {
    let lines = "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line$n >&2; done; exit 1";
    let place = place(&[script("bad", lines, "")]);
    let ran = place.run(TRANSIENT.iter().chain(&["--output", "human"]));
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("\n    line3\n"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("line2\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\nIts logs: /"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\x1b'), "no terminal, no colours");
}

#[test]
fn a_no_op_ends_with_the_code_of_choice() {
    let rule = r#", "onResult": {"continueJob": [0], "terminateJobWithSuccess": [3]}"#;
    let place = place(&[script("look", "exit 3", rule), script("work", "exit 1", "")]);
    let ran = place.run(TRANSIENT);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("Step 'work' is not started: step 'look' ended the run early"));
    assert_eq!(place.run(TRANSIENT.iter().chain(&["--noop-exit-code", "9"])).code, Some(9));
}

#[test]
fn json_has_one_event_a_line_and_nothing_else() {
    let place = place(&[script("a", "true", "")]);
    let ran = place.run(TRANSIENT.iter().chain(&["--output", "json"]));
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    let events: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let numbers: Vec<_> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    assert_eq!(events[0]["event"], "run-started");
    assert_eq!(events[events.len() - 1]["outcome"]["kind"], "succeeded");

    let up = place.words("up --config c.json --output json");
    assert!(up.stdout.lines().all(|line| line.starts_with('{')), "{}", up.stdout);
}

#[test]
fn a_run_goes_on_when_nobody_reads_its_events() {
    let place = place(&[script("a", "touch \"$HOME/done\"", "")]);
    let ran = Ran::unread(&mut place.command(TRANSIENT.iter().chain(&["--output", "json"])));
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    assert!(place.path("../home/done").exists());
}

#[test]
fn the_level_hides_what_is_below_it() {
    let place = place(&[script("bad", "exit 1", "")]);
    let ran = place.run(["-log-level", "error"].iter().chain(&TRANSIENT));
    assert_eq!(ran.code, Some(1));
    assert!(ran.messages().iter().all(|m| m.starts_with("error ")), "{}", ran.stderr);
    assert_eq!(ran.messages().len(), 2, "{}", ran.stderr);
    assert_eq!(place.run(TRANSIENT.iter().chain(&["--log-level", "fatal"])).stderr, "");
}

#[test]
fn a_faulty_input_is_3_and_nothing_is_done() {
    let place = place(&[script("a", "true", r#", "dependsOn": ["b"]"#)]).with("state", "a file");
    assert_eq!(place.run(TRANSIENT).code, Some(3));
    assert!(!place.state().exists());
    let ran = place.words("up --config c.json --state-dir state");
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error[cannot-record-run]: "), "{}", ran.stderr);
    let mut homeless = place.command(["up", "--config", "c.json"]);
    let ran = Ran::from(homeless.env_remove("HOME").output().expect("it starts"));
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.starts_with("error[no-state-folder]: "), "{}", ran.stderr);
}

#[test]
fn each_run_is_recorded_where_only_its_owner_can_read() {
    let place = place(&[script("a", "true", "")]);
    let ran = place.run(TRANSIENT.iter().chain(&["--state-dir", "s"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let runs: Vec<_> = std::fs::read_dir(place.path("s/runs")).expect("runs").collect();
    let run = runs[0].as_ref().expect("one run").path();
    let journal = std::fs::read_to_string(run.join("journal.jsonl")).expect("a journal");
    assert!(journal.lines().count() > 5, "{journal}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&run).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

/// Steps run in folders of their own: what a relative `--config` names must not depend on theirs.
#[test]
fn folders_beside_a_relative_cluster_file_are_found() {
    let place = Place::new()
        .with("conf/c.json", cluster(r#", "roots": {"data://": "data"}"#))
        .with("conf/data/x", "hello")
        .with("p.json", playbook(&script("read", "test \"$(cat data://x)\" = hello", "")));
    let ran = place.words("run-transient --config conf/c.json --playbook p.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn what_lies_beside_the_playbook_goes_along() {
    let by_jar = r#"{"id": "by-jar", "type": "CUSTOM_JAR", "jar": "script-runner.jar", "arguments": ["./x.sh"]}"#;
    let by_name = r#"{"id": "by-name", "type": "COMMAND", "command": "sh", "arguments": ["-c", "grep -q x y.txt"], "files": ["./y.txt"]}"#;
    let place = Place::new()
        .with("c.json", cluster(""))
        .with("books/x.sh", "exit 0")
        .with("books/y.txt", "x")
        .with("books/p.json", playbook(&[by_jar, by_name].join(",")));
    let ran = place.words("run-transient --config c.json --playbook books/p.json");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

/// Neither journal nor controller log nor any message holds the value of a variable or a secret.
#[test]
fn no_value_is_written_anywhere() {
    let step = r#"{"id": "a", "type": "COMMAND", "command": "true", "arguments": ["--day={{.day}}", "{{systemEnv "PASS"}}", "{{print .day "x"}}"]}"#;
    let place = Place::new().with("c.json", cluster("")).with("p.json", playbook(step));
    let mut command = place.command([&TRANSIENT[..], &["--var", "day=va1ue-of-day"]].concat());
    let output = command.env("PASS", "hunter2").output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut seen = Vec::new();
    let mut folders = vec![place.state()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            assert!(!text.contains("va1ue") && !text.contains("hunter2"), "{path:?}: {text}");
            seen.push(text);
        }
    }
    let told = "run: true '--day={{.day}}' '{{systemEnv \"PASS\"}}' '{{print .day \"x\"}}'";
    assert!(seen.iter().any(|text| text.contains(told)), "{seen:#?}");
}

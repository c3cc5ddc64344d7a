//! `plan`.

use crate::harness::{Place, cluster, playbook, playbook_1, script};

fn place() -> Place {
    let steps = [
        script("get", "echo one", ""),
        script("look", "true", r#", "dependsOn": []"#),
        r#"{"id": "put", "name": "Put it", "type": "COMMAND", "command": "echo",
            "arguments": ["--password", "{{systemEnv "PASS"}}", "{{.day}}"],
            "dependsOn": ["look", "get"], "timeoutSeconds": 60, "actionOnFailure": "SKIP_DEPENDENTS",
            "retries": {"maxAttempts": 3, "delaySeconds": 1.5, "backoff": 2},
            "onResult": {"continueJob": [0, 1], "terminateJobWithSuccess": [3]}}"#
            .to_owned(),
    ];
    Place::new()
        .with("c.json", cluster(r#", "slots": 2"#))
        .with("p.json", playbook(&steps.join(",\n")))
}

#[test]
fn a_plan_tells_stages_commands_and_limits_but_no_secrets() {
    let place = place();
    let mut command =
        place.command(["plan", "--config", "c.json", "--playbook", "p.json", "--var", "day=x"]);
    let output = command.env("PASS", "hunter2").output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "\
Playbook demo on local: 3 steps in 2 stages, at most 2 at once

Stage 1
  get (COMMAND)
    runs:        sh -c 'echo one'
    if it fails: CANCEL_AND_WAIT
  look (COMMAND)
    runs:        sh -c true
    if it fails: CANCEL_AND_WAIT

Stage 2
  put (COMMAND) \"Put it\"
    after:       get, look
    runs:        echo --password '‹systemEnv PASS›' x
    if it fails: SKIP_DEPENDENTS
    exit codes:  0, 1 go on; 3 end the run early, with success; all others are failures
    retries:     3 attempts, 1.5 s apart, each pause 2 times the one before
    time limit:  60 s an attempt
"
    );
    assert!(!place.state().exists(), "nothing is done");
}

#[test]
fn a_plan_for_programs_is_json() {
    let place = place();
    let args = ["plan", "--json", "--config", "c.json", "--playbook", "p.json", "--var", "day=x"];
    let output = place.command(args).env("PASS", "p").output().expect("it starts");
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(plan["stages"], serde_json::json!([["get", "look"], ["put"]]));
    assert_eq!((&plan["fabric"], &plan["parallel"]), (&"local".into(), &2.into()));
    assert_eq!(plan["steps"][2]["needs"], serde_json::json!(["get", "look"]));
    assert_eq!(plan["steps"][2]["timeoutSeconds"], serde_json::json!(60.0));
}

#[test]
fn what_is_not_installed_is_a_fault_of_the_plan() {
    let step = r#"{"id": "a", "type": "COMMAND", "command": "no-such-tool"}"#;
    let place = Place::new().with("c.json", cluster("")).with("p.json", playbook(step));
    let ran = place.words("plan --config c.json --playbook p.json");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)));
    assert!(ran.stderr.starts_with("error[missing-tool]: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("--> p.json:2:"), "{}", ran.stderr);
}

#[test]
fn files_in_each_others_place_are_a_fault() {
    let place =
        Place::new().with("c.json", cluster("")).with("p.json", playbook_1(r#""CONTINUE""#));
    let ran = place.words("plan --config p.json --playbook c.json");
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("`p.json` is a playbook, and a cluster file is needed here"));
    assert!(ran.stderr.contains("`c.json` is a cluster file, and a playbook is needed here"));
}

#[test]
fn what_is_not_here_is_told_with_all_else_that_is_wrong() {
    let steps = [
        r#"{"id": "a", "type": "COMMAND", "command": "./gone.sh"}"#,
        r#"{"id": "b", "type": "COMAND", "command": "./gone-too.sh"}"#,
    ];
    let place = Place::new().with("c.json", cluster("")).with("p.json", playbook(&steps.join(",")));
    let ran = place.words("plan --config c.json --playbook p.json");
    assert!(ran.stderr.contains("error[unknown-symbol]"), "{}", ran.stderr);
    assert!(ran.stderr.contains("./gone.sh"), "{}", ran.stderr);
    let files = ran.stderr.matches("error[missing-file]").count();
    assert_eq!(files, 1, "nobody knows what the other is: {}", ran.stderr);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)));
}

#[test]
fn a_faulty_playbook_says_where_it_runs_if_it_can() {
    let long = playbook_1(r#""CONTINUE""#).replace("say", &"n".repeat(257));
    let (_, step) = long.split_once("\"steps\": [").expect("steps");
    let (step, _) = step.rsplit_once(']').expect("their end");
    let two = long.replace(step, &format!("{step}, {}", step.replace(r#"["echo", "hello"]"#, "1")));
    let place = Place::new()
        .with("old.json", two)
        .with("new.json", playbook(r#"{"id": "a", "type": "COMMAND", "command": ""}"#));
    let ran = place.words("plan --playbook old.json");
    let names = ran.stderr.matches("error[name-length]").count();
    assert_eq!(names, 1, "of the step that is right: {}", ran.stderr);
    assert!(ran.stderr.contains("error[wrong-type]"), "{}", ran.stderr);
    let ran = place.words("plan --playbook new.json");
    assert!(ran.stderr.starts_with("error[empty-value]"), "{}", ran.stderr);
    assert_eq!(ran.code, Some(3));
}

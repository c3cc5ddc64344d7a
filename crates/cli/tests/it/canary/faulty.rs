//! Files that are wrong, and templates that fail, in the midst of secrets.

use super::net::canary;
use super::world::{May, World, cluster};
use crate::harness::{Ran, emr_cluster, emr_playbook, playbook, script};

const LINT: &str = "lint c.json p.json --output json --log-level debug";
const PLAN: &str = "plan --config c.json --playbook p.json";
const RUN: &str = "run-transient --config c.json --playbook p.json --output human";

/// Something is wrong with each of these files, and who says so shows no secret.
fn all_wrong(worlds: &[(String, World)]) {
    let (one, other) = worlds.split_at(worlds.len() / 2);
    std::thread::scope(|scope| {
        for half in [one, other] {
            scope.spawn(move || {
                half.iter().enumerate().for_each(|(at, (what, world))| is_wrong(at, what, world));
            });
        }
    });
}

/// What lint and plan have both found, a run finds as they do: so it is tried for a few.
fn is_wrong(at: usize, what: &str, world: &World) {
    let [lint, plan] = [(LINT, May::Nothing), (PLAN, May::Variables)].map(|(line, may)| {
        let ran = world.tell(world.command(line));
        world.look(&format!("{line}: {what}"), &ran, may);
        ran
    });
    let placed = |ran: &Ran| ran.stderr.contains("--> ");
    assert!(placed(&lint) || placed(&plan), "{what}: {}", plan.stderr);
    if plan.code == Some(3) && at.is_multiple_of(4) {
        world.run(RUN, 3);
        assert!(!world.place.state().exists(), "{what}");
    }
}

/// Actions of which none can be carried out, or whose result is no good where it stands.
const ACTIONS: [&str; 30] = [
    r#"{{systemEnv (systemEnv "CANARY")}}"#,
    r#"{{systemEnv .of_var}}"#,
    r#"{{base64File (systemEnv "CANARY")}}"#,
    r#"{{base64File .of_env}}"#,
    r#"{{base64File (printf "%s/%s" .of_var .of_vars)}}"#,
    r#"{{timeWithFormat (systemEnv "CANARY") "2006"}}"#,
    r#"{{timeWithFormat .of_file "2006"}}"#,
    r#"{{index (systemEnv "CANARY") "x"}}"#,
    r#"{{index . (systemEnv "CANARY") "x"}}"#,
    r#"{{index .of_list .of_var}}"#,
    r#"{{index .of_list 7}}"#,
    r#"{{index .of_var 700}}"#,
    r#"{{slice (systemEnv "CANARY") 5 900}}"#,
    r#"{{slice (systemEnv "CANARY") "x"}}"#,
    r#"{{slice .of_var 9 2}}"#,
    r#"{{(systemEnv "CANARY").field}}"#,
    r#"{{.of_var.field}}"#,
    r#"{{.of_list.field}}"#,
    r#"{{lt (systemEnv "CANARY") 3}}"#,
    r#"{{eq .of_list .of_var}}"#,
    r#"{{call .of_var}}"#,
    r#"{{call (systemEnv "CANARY")}}"#,
    r#"{{range systemEnv "CANARY"}}x{{end}}"#,
    r#"{{range .of_var}}{{.x}}{{end}}"#,
    r#"{{systemEnv "CANARY" | nosuch}}"#,
    r#"{{systemEnv "CANARY" | len | index .of_var}}"#,
    r#"{{template "none" (systemEnv "CANARY")}}"#,
    r#"{{with $x := systemEnv "CANARY"}}{{$x.y}}{{end}}"#,
    r#"{{.of_var 3}}"#,
    r#"{{systemEnv "CANARY" "#,
];

#[test]
fn templates_that_fail() {
    let world = |action: &&str| {
        let argument = format!(
            r#"{{"id": "a", "type": "COMMAND", "command": "true", "arguments": ["{action}"]}}"#
        );
        ((*action).to_owned(), World::with(&playbook(&argument), &cluster()))
    };
    all_wrong(&ACTIONS.iter().map(world).collect::<Vec<_>>());
}

/// What is wrong with a playbook: what stands in it, and what in place of that.
fn wrong_playbooks() -> Vec<String> {
    let secrets = [r#"x{{systemEnv "CANARY" | printf "%s-y"}}"#, r#"{{.of_var}}{{.of_env}}"#];
    let steps = [
        r#"{"id": "a", "type": "@", "command": "true"}"#,
        r#"{"id": "@ @", "type": "COMMAND", "command": "true"}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "@": 1}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "timeoutSeconds": "@"}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "timeoutSeconds": @}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "onFailure": "@"}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "dependsOn": ["@"]}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "@", "unknown": {"x": "@"}}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "@no-such-program"}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "/@/no-such-program"}"#,
        r#"{"id": "a", "type": "COMMAND", "command": ["@"]}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "arguments": ["x" "@"]}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "arguments": ["x\q@"]}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "files": ["./@"]}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "files": ["/@/x", "@"]}"#,
        r#"{"id": "a", "type": "COMMAND", "command": "true", "onResult": {"continueJob": ["@"]}}"#,
        r#"{"id": "a", "type": "CUSTOM_JAR", "jar": "/@.jar"}"#,
        r#"{"id": "a", "type": "CUSTOM_JAR", "jar": "s3://@/x.jar"}"#,
        r#"{"id": "a", "type": "CUSTOM_JAR", "jar": "x@://bucket/x.jar"}"#,
        r#"{"id": "a", "type": "COPY", "source": "x@://b", "destination": "@"}"#,
        r#"{"id": "a", "type": "SPARK", "jar": "/@.jar", "properties": {"@": 1, "@": 2}}"#,
        r#"{"id": "a", "type": "SPARK", "jar": "/x.jar", "properties": {"x": {"@": "@"}}}"#,
    ];
    let pairs =
        steps.iter().flat_map(|step| secrets.iter().map(move |secret| step.replace('@', secret)));
    pairs.map(|step| playbook(&step)).collect()
}

#[test]
fn playbooks_that_are_wrong() {
    let all = wrong_playbooks().into_iter();
    let worlds = all.map(|text| (text.clone(), World::with(&text, &cluster())));
    all_wrong(&worlds.collect::<Vec<_>>());
}

/// Of one file after the other, what is wrong with the keys that somebody wrote into it.
#[test]
fn literal_credentials_that_are_miswritten() {
    let (id, key) = (canary("key id"), canary("key"));
    let words = r#""accessKeyId": "env", "secretAccessKey": "env""#;
    let credentials = [
        format!(r#""accessKeyId": "{id}", "secretAccesKey": "{key}""#),
        format!(r#"'accessKeyId': '{id}', 'secretAccessKey': '{key}'"#),
        format!(r#"accessKeyId: "{id}", secretAccessKey: "{key}""#),
        format!(r#""accessKeyId": {id}, "secretAccessKey": {key} "x": 1"#),
        format!(r#""accessKeyId": ["{id}"], "secretAccessKey": {{"{key}": 1}}"#),
        format!(r#""accessKeyId": "{id}", "secretAccessKey": "{key}{{{{.none}}}}""#),
        format!(r#""accessKeyId": "{id}" "secretAccessKey": "{key}""#),
        format!(r#""accessKeyId": "{id}", "secretAccessKey": "{key}\q""#),
        format!(r#""accessKeyId": "{id}", "secretAccessKey": "{key}"#),
        format!(r#""accessKeyId": "{id}", "secretAccessKey": "iam", "sessionToken": "{key}""#),
        format!(r#""accessKeyId": "env", "secretAccessKey": "{key}""#),
        format!(r#""accessKeyId": "{id}", "secretAccessKey": "{key}", "unknown": 1"#),
        r#""accessKeyId": "{{systemEnv "CANARY"}}", "secretAccessKey": ["{{.of_var}}"]"#.to_owned(),
        r#""accessKeyId": "{{.of_env}}", "secretAccessKey": "env""#.to_owned(),
    ];
    let files = |credentials: &String| {
        let (c, p) = (emr_cluster(), emr_playbook(&["first"], "CONTINUE"));
        let wrong = |text: &String| text.replace(words, credentials);
        [
            (credentials.clone(), World::with(&p, &wrong(&c))),
            (credentials.clone(), World::with(&wrong(&p), &c)),
        ]
    };
    all_wrong(&credentials.iter().flat_map(files).collect::<Vec<_>>());
}

#[test]
fn cluster_files_that_are_wrong() {
    let mut worlds = Vec::new();
    let good = playbook(&script("a", "true", ""));
    for secret in [r#"{{systemEnv "CANARY"}}"#, r#"{{.of_var}}"#] {
        for more in [
            r#", "slots": "@""#,
            r#", "@": 1"#,
            r#", "environment": {"@=": "x"}"#,
            r#", "environment": {"DB": ["@"]}"#,
            r#", "roots": {"@": "/x"}"#,
            r#", "roots": {"s3://x/": 1, "s3://@/": "/@"}"#,
            r#", "tools": {"java": 1, "spark": "@", "unknown": "@"}"#,
            r#", "workFolder": {"@": 1}"#,
            r#", "killAfterSeconds": @"#,
        ] {
            let cluster = crate::harness::cluster(&more.replace('@', secret));
            worlds.push((more.to_owned(), World::with(&good, &cluster)));
        }
        for (was, is) in [
            (r#""region": "eu-west-1""#, r#""region": "@""#),
            (r#""ec2": {"#, r#""ec2": {"@": 1, "#),
            (r#""6.15.0""#, r#""@""#),
            (r#""count": 1"#, r#""count": "@""#),
            (r#""tags": []"#, r#""tags": [{"key": "", "value": "@"}]"#),
            (r#""tags": []"#, r#""tags": ["@"]"#),
            (r#""logUri": "s3://l/""#, r#""logUri": ["@"]"#),
            (r#""applications": ["Hadoop"]"#, r#""applications": {"@": "@"}"#),
            (r#""vpc": {"subnetId": "subnet-1"}"#, r#""vpc": {"@": "@"}"#),
            ("ClusterConfig/avro/1-1-0", "ClusterConfig/avro/@"),
        ] {
            let cluster = emr_cluster();
            assert!(cluster.contains(was), "{was}");
            let cluster = cluster.replace(was, &is.replace('@', secret));
            let playbook = emr_playbook(&["first"], "CONTINUE");
            worlds.push((is.to_owned(), World::with(&playbook, &cluster)));
        }
    }
    all_wrong(&worlds);
}

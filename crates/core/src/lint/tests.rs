//! Each rule both ways: what it finds, and what looks much the same and is right.

use std::sync::Arc;

use super::*;
use crate::config;
use crate::document::marked;
use crate::schema::PREFIX;
use crate::source::Source;

fn found_in(document: &Document) -> Vec<String> {
    let (_, faults) = config::load_or_draft(document, true);
    let shown = faults.sorted().into_iter().map(|fault| {
        let place = fault.place.expect("every lint has a place");
        format!("{} {}", fault.code, &place.source.text()[place.span.range()])
    });
    shown.collect()
}

/// What is found in a playbook of these steps.
fn found(steps: &str) -> Vec<String> {
    let key = format!("{PREFIX}PlaybookConfig/avro/2-0-0");
    let text = format!(r#"{{"schema": "{key}", "data": {{"name": "n", "steps": [{steps}]}}}}"#);
    found_in(&marked::document("x", &text))
}

/// What is found in a step with these arguments.
fn with_arguments(command: &str, arguments: &str) -> Vec<String> {
    found(&format!(
        r#"{{"id": "a", "type": "COMMAND", "command": "{command}", "arguments": [{arguments}]}}"#
    ))
}

/// The rule and what it points at; nothing for what is right.
fn each(cases: &[(&str, &str)], made: &dyn Fn(&str) -> Vec<String>) {
    for (text, expected) in cases {
        let expected: Vec<&str> = [*expected].into_iter().filter(|e| !e.is_empty()).collect();
        assert_eq!(made(text), expected, "{text}");
    }
}

#[test]
fn placeholders_that_nobody_fills_in() {
    let cases = [
        (r#""${DAY}""#, "unexpanded-template ${DAY}"),
        (r#""s3://b/$DAY/x""#, "unexpanded-template $DAY"),
        (r#""--day=$(date +%F)""#, "unexpanded-template $(date +%F)"),
        (r#""a{{ day }}""#, "unexpanded-template {{ day }}"),
        (r#""s3://b/{day}/""#, "unexpanded-template {day}"),
        (r#""<%= day %>""#, "unexpanded-template <%= day %>"),
        (r#""%(day)s""#, "unexpanded-template %(day)s"),
        (r#""in/__DAY__/x""#, "unexpanded-template __DAY__"),
        // Others fill them in, or they are something else.
        (r#""${hiveconf:day}""#, ""),
        (r#""${hadoop.tmp.dir}""#, ""),
        (r#""{{PWD}}/x""#, ""),
        (r#""s3://b/{a,b}/""#, ""),
        (r#""{name}""#, ""),
        (r#""$1""#, ""),
        (r#""US$""#, ""),
        (r#""$Id""#, ""),
        (r#""\\${DAY}""#, ""),
        (r#""$${DAY}""#, ""),
        (r#""%d{HH:mm}""#, ""),
        (r#""day=__HIVE_DEFAULT_PARTITION__""#, ""),
        (r#""select 1 from t where $CONDITIONS""#, ""),
        (r#""$CONDITION""#, "unexpanded-template $CONDITION"),
        (r#""x__DAY__""#, ""),
        (r#""__init__""#, ""),
        (r#""100%""#, ""),
    ];
    each(&cases, &|arguments| with_arguments("tool", arguments));
    let scripts = r#""-c", "echo $DAY ${DAY} $(date)""#;
    for shell in ["sh", "/bin/bash", "awk", "jq", "hive", "/usr/bin/pig"] {
        assert_eq!(with_arguments(shell, scripts), [""; 0], "{shell}");
    }
    let runner = |program: &str| {
        found(&format!(
            r#"{{"id": "a", "type": "CUSTOM_JAR", "jar": "command-runner.jar", "arguments": ["{program}", "-c", "echo $DAY"]}}"#
        ))
    };
    assert_eq!(runner("bash"), [""; 0]);
    assert_eq!(runner("spark-submit"), ["unexpanded-template $DAY"]);
    let copied = r#"{"id": "a", "type": "COPY", "source": "s3://b/${DAY}", "destination": "d"}"#;
    assert_eq!(found(copied), ["unexpanded-template ${DAY}"]);
}

#[test]
fn an_option_and_its_value_in_one_argument() {
    let cases = [
        (r#""--input x""#, r#"several-words "--input x""#),
        (r#""--input", "x""#, ""),
        (r#""--input=a b""#, ""),
        (r#""--driver-java-options", "--add-opens x""#, ""),
        (r#""-Da=1 -Db=2""#, ""),
        (r#""-- a b""#, ""),
        (r#""--a b c""#, ""),
    ];
    each(&cases, &|arguments| with_arguments("tool", arguments));
    assert_eq!(with_arguments("sh", r#""--input x""#), [""; 0]);
}

#[test]
fn spaces_around_a_text() {
    let cases = [
        (r#"" s3://bucket""#, "stray-space  "),
        (r#""abc  ""#, "stray-space   "),
        (r#""a b c""#, ""),
        (r#"" ""#, ""),
        (r#"", ""#, ""),
        // What a variable begins with is its own.
        (r#""‹ abc›""#, ""),
    ];
    each(&cases, &|arguments| with_arguments("tool", arguments));
    assert_eq!(with_arguments("sh", r#""-c", " echo abc ""#), [""; 0]);
    let property =
        r#"{"id": "a", "type": "SPARK", "jar": "j", "properties": {"spark.x": "abcd "}}"#;
    assert_eq!(found(property), [""; 0]);
}

#[test]
fn the_scheme_of_the_past() {
    let cases = [
        (r#""s3n://b/x""#, "s3n-uri s3n://"),
        (r#""--in=s3n://b/x""#, "s3n-uri s3n://"),
        (r#""s3://b/x", "s3a://b", "xs3n://b""#, ""),
    ];
    each(&cases, &|arguments| with_arguments("tool", arguments));
}

#[test]
fn names_that_people_cannot_tell_apart() {
    let step =
        |id: &str, rest: &str| format!(r#"{{"id": "{id}", "type": "SPARK", "jar": "j"{rest}}}"#);
    let two = |a, b| found(&format!("{}, {}", step(a, ""), step(b, "")));
    assert_eq!(two("load", "Load"), [r#"names-differ-by-case "Load""#]);
    assert_eq!(two("load", "loads"), [""; 0]);
    let properties = |map: &str| found(&step("a", &format!(r#", "properties": {{{map}}}"#)));
    assert_eq!(properties(r#""a.b": "1", "a.B": "2""#), [r#"names-differ-by-case "a.B""#]);
    assert_eq!(properties(r#""a.b": "1", "a.c": "2""#), [""; 0]);
    assert_eq!(properties(r#""a.ä": "1", "a.Ä": "2""#), [r#"names-differ-by-case "a.Ä""#]);
}

#[test]
fn steps_behind_a_copy_that_never_goes_on() {
    let copy = |codes: &str| {
        format!(
            r#"{{"id": "c", "type": "COPY", "source": "a", "destination": "b", "onResult": {{"continueJob": [{codes}]}}}}"#
        )
    };
    let spark =
        |id: &str, needs: &str| format!(r#"{{"id": "{id}", "type": "SPARK", "jar": "j"{needs}}}"#);
    let chain = |codes| {
        let free = spark("free", r#", "dependsOn": []"#);
        let last = spark("last", r#", "dependsOn": ["next"]"#);
        found(&format!("{}, {}, {free}, {last}", copy(codes), spark("next", "")))
    };
    assert_eq!(chain("1"), [r#"unreachable-step "next""#, r#"unreachable-step "last""#]);
    assert_eq!(chain("0, 1"), [""; 0]);
    let command =
        r#"{"id": "c", "type": "COMMAND", "command": "x", "onResult": {"continueJob": [3]}}"#;
    assert_eq!(found(&format!("{command}, {}", spark("next", ""))), [""; 0], "it may end with 3");
}

#[test]
fn a_delay_without_a_second_attempt() {
    let cases = [
        (
            r#"{"maxAttempts": 1, "delaySeconds": 5}"#,
            r#"no-retry {"maxAttempts": 1, "delaySeconds": 5}"#,
        ),
        (r#"{"maxAttempts": 1, "delaySeconds": 0}"#, ""),
        (r#"{"maxAttempts": 1, "backoff": 2}"#, r#"no-retry {"maxAttempts": 1, "backoff": 2}"#),
        (r#"{"maxAttempts": 2, "delaySeconds": 5}"#, ""),
        (r#"{"maxAttempts": 1}"#, ""),
    ];
    let step = |retries: &str| {
        found(&format!(r#"{{"id": "a", "type": "SPARK", "jar": "j", "retries": {retries}}}"#))
    };
    each(&cases, &step);
}

#[test]
fn variables_of_the_template_that_nobody_uses() {
    let declared = |text: &str| {
        let mut faults = Diagnostics::new();
        declared::check(&Arc::new(Source::new("x", text)), &mut faults);
        faults.sorted().into_iter().map(|fault| fault.message).collect::<Vec<_>>()
    };
    assert_eq!(declared("{{$day := .x}}"), ["`$day` is declared and never used"]);
    assert_eq!(declared("{{- $day := .x -}} {{$days}}"), ["`$day` is declared and never used"]);
    assert_eq!(declared("{{$day := .x}}{{$day}}"), [""; 0]);
    assert_eq!(declared("{{range $i, $day := .x}}{{$day}}{{end}}"), [""; 0]);
    assert_eq!(declared("{{$ := .x}} {{$.x}}"), [""; 0]);
}

#[test]
fn secrets_are_found_by_their_form_and_by_their_names() {
    // Put together here, so that no scanner takes this file for one that holds secrets.
    let x = |n: usize| "x1Y2".repeat(n);
    let token = |prefix: &str, n: usize| format!("{prefix}{}", x(n));
    let upper = |prefix: &str| format!("{prefix}{}", "A1B2".repeat(4));
    let key = format!("-----BEGIN RSA {} KEY-----\\nMII\\n", "PRIVATE");
    let own: Vec<String> = vec![
        upper("AKIA"),
        upper("ASIA"),
        token("ghp_", 9),
        token("gho_", 9),
        token("ghu_", 9),
        token("ghs_", 9),
        token("ghr_", 9),
        token("github_pat_", 9),
        token("glpat-", 5),
        token("xoxb-", 6),
        token("xoxp-", 6),
        token("sk_live_", 6),
        format!("dapi{}", "0a1b".repeat(8)),
        format!("AIza{}abc", "a-1_".repeat(8)),
        key,
    ];
    for secret in &own {
        let text = format!(r#"["a {secret}"]"#);
        let all = secrets(&text);
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        assert_eq!(&text[all[0].range.clone()], secret, "all of it");
    }
    let inner = format!(r#"["x{}", "_{}"]"#, upper("AKIA"), token("ghp_", 9));
    assert_eq!(secrets(&inner), [], "a part of a longer word");
    let account =
        format!("DefaultEndpointsProtocol=https;AccountKey={}==", "a1B2".repeat(21) + "ab");
    assert_eq!(secrets(&account).len(), 1);
    for (text, secret) in [
        (r#""fs.s3a.secret.key": "h2""#, "h2"),
        (r#""javax.jdo.option.ConnectionPassword": "h2""#, "h2"),
        (r#""fs.azure.account.key.a.blob.core.windows.net": "h2""#, "h2"),
        (r#""secretAccessKey": "h2""#, "h2"),
        (r#"["--password", "h2"]"#, "h2"),
        (r#"["--password=h2"]"#, "h2"),
        (r#"["--db-password h2"]"#, "h2"),
        (r#"["jdbc:mysql://h/d?user=u&password=h2&x=y"]"#, "h2"),
        (r#"["pwd=h2"]"#, "h2"),
        (r#"["--token", "h2"]"#, "h2"),
        (r#"["https://user:h2@host/path"]"#, "h2"),
        (r#"{{$password := "h2"}}"#, "h2"),
    ] {
        let all: Vec<_> = secrets(text).into_iter().map(|it| &text[it.range]).collect();
        assert_eq!(all, [secret], "{text}");
    }
}

#[test]
fn what_only_looks_like_a_secret() {
    let long = format!("AKIA{}", "A1B2".repeat(9));
    for text in [
        long.as_str(),
        "AKIA",
        "ghp_short",
        "xghp_",
        r#""secretAccessKey": "env""#,
        r#""secretAccessKey": "{{systemEnv "S"}}""#,
        r#""password": "pre-{{.p}}""#,
        r#""password": """#,
        r#""password": "${DB_PASSWORD}""#,
        r#""password": "<password>""#,
        r#""password": "xxxx""#,
        r#""my.password": "jceks://hdfs/x""#,
        r#""hadoop.security.token.service.use_ip": "true""#,
        r#""maxTokens": "5""#,
        r#""token.renewal": "abc""#,
        r#"["--password-file", "abc"]"#,
        r#"["--password", "{{.password}}"]"#,
        r#"["--password={{.password}}"]"#,
        r#"["--password", "--next"]"#,
        r#"["--token-file=abc"]"#,
        r#"["password", "abc"]"#,
        r#"["https://host:80/a@b"]"#,
        r#"["https://user@host/"]"#,
        r#"["https://user:{{.p}}@host/"]"#,
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
    ] {
        assert_eq!(secrets(text), [], "{text}");
    }
}

#[test]
fn a_secret_is_never_told() {
    let key = format!("{PREFIX}PlaybookConfig/avro/2-0-0");
    let text = format!(
        r#"{{"schema": "{key}", "data": {{"name": "n", "steps": [{{"id": "a", "type": "COMMAND", "command": "x", "arguments": ["--password", "hunter2"]}}]}}}}"#
    );
    let (_, faults) =
        config::load_or_draft(&Document::plain(Arc::new(Source::new("x", text))), true);
    let all: Vec<_> = faults.sorted().iter().map(ToString::to_string).collect();
    assert_eq!(all.len(), 1);
    assert!(all[0].contains("literal-secret") && !all[0].contains("hunter2"), "{all:?}");
}

#[test]
fn a_secret_that_is_known_in_two_ways_is_told_once_by_what_it_is() {
    let text = format!(r#"["--token", "ghp_{}"]"#, "x1Y2".repeat(9));
    let kinds: Vec<_> = secrets(&text).into_iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [Kind::Token("a GitHub token")]);
}

#[test]
fn a_cluster_of_which_no_logs_are_kept() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/emr/cluster.json");
    let text = std::fs::read_to_string(folder).expect("an example");
    let text = text.replace("{{.bucket}}", "b").replace("{{.day}}", "d");
    let text = text.replace("{{.subnet}}", "subnet-1");
    let found = |text: String| found_in(&Document::plain(Arc::new(Source::new("x", text))));
    assert_eq!(found(text.clone()), [""; 0]);
    assert_eq!(found(text.replace("s3://b/logs/", "")), [r#"no-logs """#]);
}

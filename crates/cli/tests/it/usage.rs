//! The command line itself.

use crate::harness::Place;

#[test]
fn version_and_help_are_results() {
    let place = Place::new();
    for word in ["--version", "-version", "-v"] {
        let ran = place.words(word);
        let version = concat!("dataflow-runner ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), (version, "", Some(0)));
    }
    for line in ["--help", "-h", "help", "h"] {
        let ran = place.words(line);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{line}");
        assert!(ran.stdout.contains("Usage: dataflow-runner"), "{line}");
        for code in ["0", "1", "2", "3", "4", "5", "17", "129", "130", "143"] {
            let lines = ran.stdout.lines().map(str::trim_start);
            let explained = lines.filter(|line| line.starts_with(&format!("{code}  "))).count();
            assert_eq!(explained, 1, "exit code {code} in `{line}`");
        }
    }
    for verb in [
        "up",
        "run",
        "down",
        "run-transient",
        "lint",
        "fmt",
        "render",
        "plan",
        "runs",
        "runs prune",
        "status",
        "report",
        "lock",
        "lock status",
        "lock break",
        "schema",
    ] {
        let ran = place.words(&format!("{verb} --help"));
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{verb}");
        assert!(ran.stdout.contains("\nExit codes: 0 "), "{verb}: {}", ran.stdout);
        let example = format!("dataflow-runner {verb}");
        let examples = ran.stdout.split_once("\nExamples:\n").expect("examples").1;
        assert!(examples.contains(&example), "{verb}: {examples}");
    }
}

#[test]
fn wrong_usage_is_2_and_says_what_is_missing() {
    let place = Place::new();
    let emr = |name: &str, new: &str| {
        format!("error msg=\"--emr-{name} needs to be specified (new name: --{new})\"")
    };
    let cases = [
        ("up", emr("config", "config")),
        ("run --config c", emr("playbook", "playbook")),
        ("run --config c --playbook p", emr("cluster", "cluster")),
        ("run-transient -emr-config c", emr("playbook", "playbook")),
        ("down --emr-config=c", emr("cluster", "cluster")),
        ("down --cluster c", emr("config", "config")),
        ("plan --config c", emr("playbook", "playbook")),
        (
            "up --config c --vars a,b,c",
            "error msg=\"--vars must have an even number of keys and values\"".into(),
        ),
        ("lint x --var a", "error msg=\"--var takes NAME=VALUE\"".into()),
        ("lint x --var-env a", "error msg=\"--var-env takes NAME=ENVIRONMENT\"".into()),
        (
            "run-transient --consul x",
            "error msg=\"--lock or --softLock is needed to make use of --consul\"".into(),
        ),
        (
            "run -lock a -softLock b",
            "error msg=\"--lock and --softLock are mutually exclusive\"".into(),
        ),
        (
            "run -async -lock a",
            "error msg=\"--async and --lock or --softLock are not compatible\"".into(),
        ),
        (
            "run-transient --lock-wait 5m",
            "error msg=\"--lock or --softLock is needed to make use of --lock-wait\"".into(),
        ),
        ("lock status", "error msg=\"--lock needs to be specified\"".into()),
        (
            "up -sentry x",
            "error msg=\"--sentry takes a DSN, https://KEY@HOST/PROJECT: it begins with https:// or http://\"".into(),
        ),
    ];
    for (line, message) in cases {
        let ran = place.words(line);
        assert_eq!((ran.messages(), ran.code), (vec![message.as_str()], Some(2)), "{line}");
        assert_eq!(ran.stdout, "", "{line}");
    }
    for level in ["error", "fatal", "panic"] {
        let ran = place.words(&format!("up --log-level {level}"));
        assert_eq!((ran.messages().len(), ran.code), (1, Some(2)), "{level} hides nothing of it");
    }
    for line in ["", "frobnicate", "up --frobnicate", "lint", "lint x --log-level loud"] {
        let ran = place.words(line);
        assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(2)), "{line}");
        assert!(ran.stderr.contains("--help"), "{line}: {}", ran.stderr);
    }
}

#[test]
fn flags_come_from_the_environment_too_and_the_command_line_wins() {
    let place = Place::new().with("t", "{{.a}}");
    let render = |args: &[&str]| {
        let mut command = place.command(["render", "t"].iter().chain(args));
        command.env("DATAFLOW_RUNNER_VARS", "a,environment");
        String::from_utf8(command.output().expect("it starts").stdout).expect("UTF-8")
    };
    assert_eq!(render(&[]), "environment");
    assert_eq!(render(&["--vars", "a,line"]), "line");
}

#[test]
fn a_switch_from_the_environment_can_be_off() {
    let place = Place::new()
        .with("c.json", crate::harness::cluster(""))
        .with("p.json", crate::harness::playbook(&crate::harness::script("a", "true", "")));
    for (value, json) in [("1", true), ("true", true), ("0", false), ("false", false), ("", false)]
    {
        let mut command = place.command(["plan", "--config", "c.json", "--playbook", "p.json"]);
        let output = command.env("DATAFLOW_RUNNER_JSON", value).output().expect("it starts");
        assert_eq!(output.status.code(), Some(0), "{value:?}: {output:?}");
        assert_eq!(output.stdout.starts_with(b"{"), json, "{value:?}");
    }
}

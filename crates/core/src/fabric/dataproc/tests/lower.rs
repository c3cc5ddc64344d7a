//! What Dataproc runs for each type of step.

use std::process::Command;

use serde_json::{Value, json};

use crate::base64;
use crate::config::playbook::{Program, Step};
use crate::config::sample::{step_of, text};
use crate::fabric::dataproc::lower::{Lowered, is_ours, lower};
use crate::fabric::dataproc::status::exit_code_in;
use crate::plan::is_local;
use crate::secret::Text;

fn lowered(step: &Step) -> Lowered {
    let place = |file: &Text| match is_local(file.expose()) {
        true => format!("gs://staged/{}", file.expose().trim_start_matches("./")),
        false => file.expose().to_owned(),
    };
    lower(step, &place, &[("DATAFLOW_STEP", "a".to_owned())])
}

fn with(mut step: Step, properties: &[(&str, &str)], files: &[&str]) -> Step {
    let pairs = properties.iter().map(|(key, value)| ((*key).to_owned(), text(value)));
    step.work.properties = pairs.collect();
    step.work.files = files.iter().map(|file| text(file)).collect();
    step
}

fn jar(jar: &str, main_class: Option<&str>) -> Program {
    Program::CustomJar { jar: text(jar), main_class: main_class.map(text) }
}

fn spark(application: &str, main_class: Option<&str>) -> Program {
    Program::Spark { application: text(application), main_class: main_class.map(text) }
}

#[test]
fn each_type() {
    let table: Vec<(Step, &str, Value)> = vec![
        (
            with(step_of("a", jar("./x.jar", None), &["in", "out"]), &[("k", "v")], &["./f"]),
            "hadoopJob",
            json!({"mainJarFileUri": "gs://staged/x.jar", "args": ["in", "out"],
                "fileUris": ["gs://staged/f"], "properties": {"k": "v"}}),
        ),
        (
            step_of("a", jar("gs://b/x.jar", Some("Main")), &[]),
            "hadoopJob",
            json!({"mainClass": "Main", "jarFileUris": ["gs://b/x.jar"]}),
        ),
        (
            with(step_of("a", spark("gs://b/pi.py", None), &["10"]), &[("k", "v")], &["gs://b/f"]),
            "pysparkJob",
            json!({"mainPythonFileUri": "gs://b/pi.py", "args": ["10"],
                "fileUris": ["gs://b/f"], "properties": {"k": "v"}}),
        ),
        (
            step_of("a", spark("./pi.R", None), &[]),
            "sparkRJob",
            json!({"mainRFileUri": "gs://staged/pi.R"}),
        ),
        (
            step_of("a", spark("gs://b/x.jar", Some("Main")), &["1"]),
            "sparkJob",
            json!({"mainClass": "Main", "jarFileUris": ["gs://b/x.jar"], "args": ["1"]}),
        ),
        (
            step_of("a", spark("gs://b/x.jar", None), &[]),
            "sparkJob",
            json!({"mainJarFileUri": "gs://b/x.jar"}),
        ),
        (
            with(
                step_of(
                    "a",
                    Program::Flink { jar: text("./top.jar"), main_class: Some(text("Top")) },
                    &["--x"],
                ),
                &[],
                &["./udf.jar"],
            ),
            "flinkJob",
            json!({"mainClass": "Top", "args": ["--x"],
                "jarFileUris": ["gs://staged/top.jar", "gs://staged/udf.jar"]}),
        ),
        (
            step_of("a", Program::SparkSql { file: text("./q.sql") }, &["--hivevar", "day=1"]),
            "sparkSqlJob",
            json!({"queryFileUri": "gs://staged/q.sql", "scriptVariables": {"day": "1"}}),
        ),
        (
            with(
                step_of("a", Program::Hive { file: text("gs://b/q.hql") }, &["-d", "day=1"]),
                &[],
                &["gs://b/udf.jar"],
            ),
            "hiveJob",
            json!({"queryFileUri": "gs://b/q.hql", "scriptVariables": {"day": "1"},
                "jarFileUris": ["gs://b/udf.jar"]}),
        ),
        (
            step_of("a", Program::Pig { file: text("gs://b/q.pig") }, &["-p", "day=1"]),
            "pigJob",
            json!({"queryFileUri": "gs://b/q.pig", "scriptVariables": {"day": "1"}}),
        ),
        (
            with(
                step_of(
                    "a",
                    Program::Streaming {
                        mapper: text("./bin/map.py"),
                        reducer: None,
                        source: text("gs://b/in"),
                        destination: text("gs://b/out"),
                    },
                    &["-numReduceTasks", "0"],
                ),
                &[],
                &["./m.py"],
            ),
            "hadoopJob",
            json!({"mainJarFileUri": "file:///usr/lib/hadoop-mapreduce/hadoop-streaming.jar",
                "args": ["-files", "gs://staged/bin/map.py,gs://staged/m.py", "-mapper", "map.py", "-reducer", "NONE",
                    "-input", "gs://b/in", "-output", "gs://b/out", "-numReduceTasks", "0"]}),
        ),
    ];
    for (step, kind, body) in table {
        let lowered = lowered(&step);
        assert_eq!((lowered.kind, lowered.body), (kind, body));
    }
}

/// The script that comes to the shell, and how a shell ends that is given it as Pig gives it.
fn shelled(step: &Step, stub: &str) -> (String, Option<i32>, String) {
    let lowered = lowered(step);
    assert_eq!(lowered.kind, "pigJob");
    let query = lowered.body["queryList"]["queries"][0].as_str().expect("a query").to_owned();
    assert!(is_ours(&query), "{query}");
    let line = query.strip_prefix("sh ").expect("it is for the shell");
    // Pig's parser ends a word at these, and a command at a semicolon or a line's end.
    assert!(!line.contains([';', '\n', '(', ')', '"', '\'']), "{line}");
    let script = line.trim_start_matches("echo ").split('|').next().unwrap_or_default();
    let script = base64::decode(script).expect("base64");
    let bin = tempfile::tempdir().expect("a folder");
    let hadoop = bin.path().join("hadoop");
    std::fs::write(&hadoop, format!("#!/bin/sh\n{stub}\n")).expect("written");
    let made = Command::new("chmod").arg("+x").arg(&hadoop).status().expect("chmod runs");
    assert!(made.success());
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.path().display());
    let ran = Command::new("sh").arg("-c").arg(line).env_clear().env("PATH", path).output();
    let ran = ran.expect("a shell");
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    (String::from_utf8(script).expect("text"), ran.status.code(), said)
}

#[cfg(unix)]
#[test]
fn a_program_comes_to_the_shell_as_it_is_and_tells_its_exit_code() {
    let command = |name: &str| Program::Command { command: text(name) };
    let words = ["%s|", "a  b", "$HOME `x` \"'", "ü\n;(", "--", ""];
    let (_, code, said) = shelled(&step_of("a", command("printf"), &words), "exit 9");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("a  b|$HOME `x` \"'|ü\n;(|--||"), "{said}");
    assert!(said.ends_with("dataflow-runner: exit code 0\n"), "{said}");
    let (_, code, said) =
        shelled(&step_of("a", command("sh"), &["-c", "cat; echo $DATAFLOW_STEP; exit 7"]), "");
    assert_eq!((code, exit_code_in(&said)), (Some(7), Some(7)), "{said}");
    assert!(said.starts_with("a\n"), "it reads nothing of the script: {said}");
    let (_, code, said) = shelled(&step_of("a", command("no-such-program"), &[]), "");
    assert_eq!((code, exit_code_in(&said)), (Some(127), Some(127)), "{said}");
}

#[cfg(unix)]
#[test]
fn files_are_brought_beside_a_program() {
    // `hadoop fs -copyToLocal FROM TO`
    let copy = "test \"$1 $2\" = 'fs -copyToLocal' && printf '#!/bin/sh\\necho \"from %s\" \"$@\"; exit 3\\n' \"$3\" > \"$4\"";
    let local = step_of("a", Program::Command { command: text("./bin/x y.sh") }, &["1"]);
    let (script, code, said) = shelled(&with(local, &[], &["gs://b/data"]), copy);
    assert_eq!((code, exit_code_in(&said)), (Some(3), Some(3)), "{said}");
    assert!(said.starts_with("from gs://staged/bin/x y.sh 1\n"), "{said}");
    assert!(script.contains("copyToLocal gs://b/data data"), "{script}");
    let script = step_of("a", jar("s3://x/script-runner.jar", None), &["gs://b/x.sh", "1"]);
    let (_, code, said) = shelled(&script, copy);
    assert_eq!((code, said.starts_with("from gs://b/x.sh 1\n")), (Some(3), true), "{said}");
    let runner = step_of("a", jar("command-runner.jar", None), &["echo", "hi"]);
    let (_, code, said) = shelled(&runner, copy);
    assert_eq!((code, said.starts_with("hi\n")), (Some(0), true), "{said}");
    // What cannot be brought is told, and nothing runs.
    let (_, code, said) = shelled(&script_of("gs://b/x.sh"), "exit 1");
    assert_eq!((code, exit_code_in(&said)), (Some(126), Some(126)), "{said}");
}

fn script_of(script: &str) -> Step {
    step_of("a", Program::Command { command: text(script) }, &[])
}

#[cfg(unix)]
#[test]
fn copy_is_distcp() {
    let program = Program::Copy {
        source: text("gs://b/in"),
        destination: text("hdfs:///out"),
        pattern: None,
    };
    let step = with(step_of("a", program, &[]), &[("k", "v")], &[]);
    let (_, code, said) = shelled(&step, "echo \"$@\"; exit 4");
    assert_eq!((code, exit_code_in(&said)), (Some(4), Some(4)), "{said}");
    assert!(said.starts_with("distcp -Dk=v gs://b/in hdfs:///out\n"), "{said}");
    let words: Vec<_> = lowered(&step).words.into_iter().map(|word| word.shown).collect();
    assert_eq!(words, ["hadoop", "distcp", "-Dk=v", "gs://b/in", "hdfs:///out"]);
}

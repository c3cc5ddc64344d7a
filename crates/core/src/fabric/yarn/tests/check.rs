//! What is told against a playbook before anything is sent.

use super::*;
use crate::config::sample::text;
use crate::diagnostic::Diagnostics;

fn faults(step: Step) -> Vec<String> {
    let mut all = Diagnostics::default();
    check_playbook(&sample::playbook(vec![step]), &mut all);
    all.sorted().iter().map(|fault| fault.code.to_string()).collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn files_have_names_of_their_own() {
    let step = |command: &str, files: &[&str]| {
        let mut step = sample::step("a", command, &[]);
        step.work.files = files.iter().map(|file| text(file)).collect();
        step
    };
    assert_eq!(faults(step("./x.sh", &["./y", "hdfs:///z"])), none());
    assert_eq!(faults(step("./x.sh", &["./b/x.sh"])), ["duplicate-file"]);
    assert_eq!(faults(step("x", &["./b/y", "./c/y"])), ["duplicate-file"]);
    assert_eq!(faults(step("x", &["./launcher.jar"])), ["duplicate-file"]);
    assert_eq!(faults(step("x", &["./.."])), ["missing-file"]);
    assert_eq!(faults(step("x", &["./"])), ["missing-file"]);
}

#[test]
fn a_program_lies_where_a_node_finds_it() {
    for (name, faulty) in [
        ("./x.jar", false),
        ("/opt/x.jar", false),
        ("hdfs:///x.jar", false),
        ("file:///opt/x.jar", false),
        ("s3://bucket/x.jar", true),
    ] {
        let expected = if faulty { vec!["unmapped-uri".to_owned()] } else { none() };
        let jar = || text(name);
        for program in [
            Program::CustomJar { jar: jar(), main_class: None },
            Program::Flink { jar: jar(), main_class: None },
            Program::Command { command: jar() },
        ] {
            assert_eq!(faults(sample::step_of("a", program, &[])), expected, "{name}");
        }
        let runner = Program::CustomJar { jar: text("script-runner.jar"), main_class: None };
        assert_eq!(faults(sample::step_of("a", runner, &[name])), expected, "{name}");
    }
    // Spark brings its own.
    let program = Program::Spark { application: text("s3://b/x.py"), main_class: None };
    assert_eq!(faults(sample::step_of("a", program, &[])), none());
}

#[test]
fn tags_are_ours() {
    for key in ["spark.yarn.tags", "yarn.tags", "mapreduce.job.tags"] {
        let mut step = flink("a");
        step.work.properties.insert(key.to_owned(), text("mine"));
        assert_eq!(faults(step), ["own-property"]);
    }
}

#[test]
fn a_pattern_is_nothing_for_distcp() {
    let program =
        Program::Copy { source: text("/a"), destination: text("/b"), pattern: Some(text("*.gz")) };
    assert_eq!(faults(sample::step_of("a", program, &[])), ["copy-pattern"]);
}

#[test]
fn arguments_have_an_end() {
    let most = 90 * 1024 - "true".len() - 2;
    assert_eq!(faults(sample::step("a", "true", &[&"x".repeat(most)])), none());
    assert_eq!(faults(sample::step("a", "true", &[&"x".repeat(most + 1)])), ["step-length"]);
}

//! What stands against running a playbook on this machine, before anything starts.

use std::sync::Arc;

use super::command::Maker;
use crate::config::fields::Field;
use crate::config::playbook::{Playbook, Step};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place};
use crate::secret::Text;
use crate::source::Source;

/// Why a step cannot be run here.
#[derive(Debug)]
pub(super) struct Fault {
    /// See [`Diagnostic::code`].
    pub code: Code,
    /// Whether it can be run all the same.
    pub is_warning: bool,
    /// Where the playbook says it; `None`: by the type of the step.
    pub text: Option<Text>,
    /// What `text` is, such as `the jar`.
    pub what: &'static str,
    /// What is wrong with it.
    pub wrong: String,
    /// What to do.
    pub help: String,
}

/// Tries to make the command line of each step.
pub(super) fn check(maker: &Maker<'_>, playbook: &Playbook, faults: &mut Diagnostics) {
    for step in &playbook.steps {
        let told = maker.invocation(step).map_or_else(|faults| faults, |made| made.warnings);
        tell(playbook, step, told, faults);
    }
}

/// The part of [`check`] that depends on the playbook alone, not on the machine.
pub(super) fn check_arguments(maker: &Maker<'_>, playbook: &Playbook, faults: &mut Diagnostics) {
    for step in &playbook.steps {
        tell(playbook, step, maker.judged(step), faults);
    }
}

fn tell(playbook: &Playbook, step: &Step, told: Vec<Fault>, faults: &mut Diagnostics) {
    for fault in told {
        let span = fault.text.as_ref().map_or(step.span_of(Field::Type), |text| text.span);
        let message = fault.message(Some(&playbook.source));
        let diagnostic = match fault.is_warning {
            true => Diagnostic::warning(fault.code, message),
            false => Diagnostic::error(fault.code, message),
        };
        let mut diagnostic = diagnostic.at(Place::new(&playbook.source, span));
        if !fault.help.is_empty() {
            diagnostic = diagnostic.help(fault.help);
        }
        faults.push(diagnostic);
    }
}

impl Fault {
    /// What is wrong. The text it is about is quoted only if it stands in the user's own file as it is: it
    /// may come from a variable.
    pub(super) fn message(&self, source: Option<&Arc<Source>>) -> String {
        let written = |text: &&Text| {
            let there = source.and_then(|source| source.text().get(text.span.range()));
            !text.is_secret() && there.is_some_and(|there| there.contains(text.expose()))
        };
        match self.text.as_ref().filter(written) {
            Some(text) => format!("{} `{}` {}", self.what, text.expose(), self.wrong),
            None => format!("{} {}", self.what, self.wrong),
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use super::super::command::tests::{step, text};
    use super::super::config::Tools;
    use super::super::roots::Roots;
    use super::super::tools::{Toolbox, tests::program};
    use super::*;
    use crate::config::playbook::Program;
    use crate::source::Span;

    /// A playbook whose file holds nothing but the texts of its steps, each at its place.
    fn faults(path: &Path, steps: &[(Program, &[&str], &[&str])]) -> Vec<String> {
        let toolbox = Toolbox::new(
            [("PATH".into(), path.into())].into(),
            &Tools::default(),
            std::iter::empty(),
        );
        let roots = Roots::new(&[("s3://known/".to_owned(), PathBuf::from("/data"))].into());
        let roots = roots.with_work("/w".into());
        let maker = Maker::new(&toolbox, &roots, Path::new("/own"), None);
        let source = Arc::new(Source::new("playbook.json", "the step\n\"gone\" \"/gone.jar\""));
        let steps = steps.iter().map(|(program, arguments, files)| {
            let mut step = step(program.clone(), arguments);
            step.work.files = files.iter().map(|file| text(file)).collect();
            step.span = Span::new(0, 8);
            step
        });
        let playbook = Playbook {
            source,
            schema: String::new(),
            name: text("name"),
            max_parallel: None,
            tags: BTreeMap::new(),
            steps: steps.collect(),
            graph: None,
            emr: None,
        };
        let mut faults = Diagnostics::new();
        check(&maker, &playbook, &mut faults);
        faults.iter().map(ToString::to_string).collect()
    }

    fn at(value: &str, start: usize, end: usize) -> Text {
        Text::new(value, Span::new(start, end))
    }

    fn jar(jar: Text) -> Program {
        Program::CustomJar { jar, main_class: None }
    }

    #[test]
    fn all_is_told_at_once_and_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let (spark, java) = (
            Program::Spark { application: text("s3://b/app.jar"), main_class: None },
            jar(at("/gone.jar", 16, 27)),
        );
        let command = Program::Command { command: at("gone", 9, 15) };
        let told = faults(
            folder.path(),
            &[(command, &[], &["s3://b/x", "/gone"]), (spark, &[], &[]), (java, &[], &[])],
        );
        let [s3, gone, program, submit, spark_s3, needs, absent] = &told[..] else {
            panic!("{told:#?}")
        };
        let roots = "; add a folder for `s3://…` to `roots` of the cluster's configuration";
        let unmapped = "is at `s3:`, for which no folder stands";
        assert_eq!(
            *s3,
            format!("playbook.json:1:1: error[unmapped-uri]: the file {unmapped}{roots}")
        );
        assert_eq!(gone, "playbook.json:1:1: error[missing-file]: the file is not there");
        assert_eq!(
            program,
            "playbook.json:2:1: error[missing-tool]: the program `gone` is not found in PATH; \
             install it, or add its folder to PATH"
        );
        assert_eq!(
            submit,
            "playbook.json:1:1: error[missing-tool]: the step needs `spark-submit`, which is not \
             found; install it, or name its folder in `tools` of the cluster's configuration or \
             in SPARK_HOME"
        );
        let spark_s3_expected =
            format!("playbook.json:1:1: error[unmapped-uri]: the application {unmapped}{roots}");
        assert_eq!(*spark_s3, spark_s3_expected);
        assert!(needs.starts_with(
            "playbook.json:2:8: error[missing-tool]: the jar `/gone.jar` needs Hadoop or Java"
        ));
        assert_eq!(
            absent,
            "playbook.json:2:8: error[missing-file]: the jar `/gone.jar` is not there"
        );
    }

    #[test]
    fn one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        for tool in ["tool", "java", "spark-submit", "spark-sql", "flink", "mapred", "hive", "pig"]
        {
            program(&folder.path().join(tool));
        }
        let data = folder.path().join("data");
        std::fs::write(&data, "").unwrap();
        let data = data.to_str().unwrap();
        let command = |name: &str| Program::Command { command: text(name) };
        let copy = |source: &str, destination: &str| Program::Copy {
            source: text(source),
            destination: text(destination),
            pattern: None,
        };
        let spark =
            |application: &str| Program::Spark { application: text(application), main_class: None };
        let flink = |jar: &str| Program::Flink { jar: text(jar), main_class: None };
        let (runner, script) = ("command-runner.jar", "s3://x/libs/script-runner.jar");
        let streaming = |mapper: &str, source: &str, destination: &str| Program::Streaming {
            mapper: text(mapper),
            reducer: Some(text("sort -u")),
            source: text(source),
            destination: text(destination),
        };
        type Row<'a> = (Program, &'a [&'a str], &'a [&'a str], &'a [&'a str]);
        let table: &[Row<'_>] = &[
            (command("tool"), &["s3://unjudged/x"], &[data, "./beside"], &[]),
            (command("./beside"), &[], &[], &[]),
            (command(data), &[], &[], &["missing-tool"]),
            (command("bin/tool"), &[], &[], &["missing-file"]),
            (command("s3://b/tool"), &[], &[], &["unmapped-uri"]),
            (command("tool"), &[], &[data, "./data"], &["duplicate-file"]),
            (command("tool"), &[], &["./"], &["missing-file"]),
            (jar(text(runner)), &["tool"], &[], &[]),
            (jar(text(runner)), &["nothing"], &[], &["missing-tool"]),
            (jar(text(runner)), &[], &[], &["missing-argument"]),
            (jar(text(script)), &["s3://known/later.sh"], &[], &[]),
            (jar(text(script)), &["s3://b/x.sh"], &[], &["unmapped-uri"]),
            (jar(text(script)), &[], &[], &["missing-argument"]),
            (jar(text("s3://known/later.jar")), &[], &[], &[]),
            (jar(text("work://later.jar")), &[], &[], &[]),
            (jar(text("data")), &[], &[data], &[]),
            (jar(text("x.jar")), &[], &[], &["missing-file"]),
            (jar(text("hdfs:///x.jar")), &[], &[], &["unmapped-uri"]),
            (spark("hdfs:///x.jar"), &[], &[], &[]),
            (spark("s3n://b/x.jar"), &[], &[], &["unmapped-uri"]),
            (Program::SparkSql { file: text("s3a://b/x.sql") }, &[], &[], &[]),
            (flink("./x.jar"), &[], &[], &[]),
            (flink("hdfs:///x.jar"), &[], &[], &["unmapped-uri"]),
            (command("s3-dist-cp"), &["--src=s3://known/a", "--dest", "work://out"], &[], &[]),
            (command("/usr/bin/s3-dist-cp"), &["--src=/a", "--dest=/b"], &[], &[]),
            (
                command("s3-dist-cp"),
                &["--src=s3://b/a", "--dest=out"],
                &[],
                &["unmapped-uri", "missing-file"],
            ),
            (command("s3-dist-cp"), &["--src=./beside", "--dest=/out"], &[], &["missing-file"]),
            (jar(text("s3-dist-cp.jar")), &["--dest=/b"], &[], &["missing-argument"]),
            (
                jar(text(runner)),
                &["s3-dist-cp", "--src"],
                &[],
                &["option-value", "missing-argument"],
            ),
            (
                command("s3-dist-cp"),
                &[
                    "--src=/a",
                    "--dest=/b",
                    "--foo",
                    "--groupBy=(",
                    "--targetSize=0",
                    "--s3Endpoint=x",
                ],
                &[],
                &["unknown-option", "option-ignored", "option-pattern", "option-value"],
            ),
            (command("s3-dist-cp"), &["--src=/a", "--dest=/b", "-Da=b"], &[], &["option-ignored"]),
            (copy("s3://known/in", "work://out"), &[], &[], &[]),
            (copy("file:///in", "/out"), &[], &[], &[]),
            (copy("s3://b/in", "gs://b/out"), &[], &[], &["unmapped-uri", "unmapped-uri"]),
            (Program::Pig { file: text("./x.pig") }, &[], &[], &[]),
            (Program::Pig { file: text("x.pig") }, &[], &[], &["missing-file"]),
            (Program::Pig { file: text("hdfs:///x.pig") }, &[], &[], &[]),
            (Program::Hive { file: text("s3://b/x.q") }, &[], &[], &["unmapped-uri"]),
            (Program::Hive { file: text("s3://known/x.q") }, &[], &[], &[]),
            (streaming("cat", "work://in", "hdfs:///out"), &[], &[], &[]),
            (streaming("./m.py", "in", "/out"), &[], &["./m.py"], &["missing-file"]),
            (streaming("cat", "s3://b/in", "s3n://b/out"), &[], &[], &["unmapped-uri"; 2]),
            (streaming("./data", "/in", "/out"), &[], &[data], &["duplicate-file"]),
            (copy("a", "/out"), &[], &[], &["missing-file"]),
            (copy("./beside", "./out"), &[], &[], &["missing-file"]),
        ];
        for (program, arguments, files, codes) in table {
            let told = faults(folder.path(), &[(program.clone(), arguments, files)]);
            let found: Vec<_> =
                told.iter().map(|t| t.split(['[', ']']).nth(1).unwrap_or_default()).collect();
            assert_eq!(found, *codes, "{program:?} {arguments:?} {files:?}: {told:#?}");
        }
    }

    #[test]
    fn each_argument_of_s3_dist_cp_has_its_own_caret() {
        let folder = tempfile::tempdir().unwrap();
        let program = Program::Command { command: at("s3-dist-cp", 9, 15) };
        let arguments = ["--src=/a", "--dest=/b", "--groupBy=(a", "--tmpDir=x", "--srcpattern=y"];
        let told = faults(folder.path(), &[(program.clone(), &arguments, &[])]);
        let expected = [
            "error[unknown-option]: the argument is no option of s3-dist-cp; did you mean `--srcPattern`?",
            "warning[option-ignored]: the argument is ignored on this machine",
            "error[option-pattern]: the argument has a `(` that is never closed; a regular expression of \
             Java that matches the whole path, such as `.*/part-.*`",
        ];
        assert_eq!(told, expected.map(|line| format!("playbook.json:1:1: {line}")));
        let told = faults(folder.path(), &[(program, &[], &[])]);
        let missing = |option: &str| {
            format!("playbook.json:2:1: error[missing-argument]: the program needs `{option}`")
        };
        assert_eq!(told, ["--src", "--dest"].map(missing));
    }

    #[test]
    fn what_came_from_a_variable_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let told = faults(
            folder.path(),
            &[(Program::Command { command: at("value-of-variable", 9, 15) }, &[], &[])],
        );
        assert!(told[0].contains("the program is not found in PATH"), "{told:?}");
    }
}

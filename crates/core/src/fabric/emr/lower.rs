//! What EMR runs for a step of each type: a jar and its arguments.
//!
//! Where the AWS CLI has such a type (SPARK, HIVE, PIG, STREAMING, CUSTOM_JAR) it is what the CLI sends
//! (`awscli/customizations/emr/steputils.py`); the others are what EMR's guide shows for `command-runner.jar`
//! (<https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-commandrunner.html>).

use super::pattern;
use crate::config::playbook::{Program, Step};
use crate::fabric::line::{Line, Word};
use crate::secret::Text;

/// Runs a program of the cluster; of EMR 4 and later.
pub(super) const COMMAND_RUNNER: &str = "command-runner.jar";

/// What EMR runs for a step.
pub(super) struct Lowered {
    pub(super) jar: Word,
    pub(super) main_class: Option<Word>,
    /// Java properties that EMR itself sets for the jar.
    pub(super) properties: Vec<(String, Word)>,
    pub(super) args: Vec<Word>,
}

impl Lowered {
    /// All of it as one command line, each secret replaced by its origin.
    pub(super) fn words(self) -> Vec<String> {
        let properties = self.properties.into_iter().map(|(k, v)| v.after(&format!("-D{k}=")));
        let head = [self.jar].into_iter().chain(self.main_class).chain(properties);
        head.chain(self.args).map(|word| word.shown).collect()
    }
}

/// What EMR runs for a step.
pub(super) fn lower(step: &Step) -> Lowered {
    let mut line = Line::of(&step.work);
    match &step.work.program {
        Program::CustomJar { jar, main_class } => {
            let properties = &step.work.properties;
            return Lowered {
                jar: Word::of(jar),
                main_class: main_class.as_ref().map(Word::of),
                properties: properties.iter().map(|(k, v)| (k.clone(), Word::of(v))).collect(),
                args: step.work.arguments.iter().map(Word::of).collect(),
            };
        }
        Program::Command { command } => line.text(command),
        Program::Spark { application, main_class } => {
            line.plain(&["spark-submit"]);
            line.option("--class", main_class.as_ref());
            line.properties("--conf");
            line.files("--files");
            line.text(application);
        }
        Program::SparkSql { file } => {
            line.plain(&["spark-sql"]);
            line.properties("--conf");
            line.files("--files");
            line.option("-f", Some(file));
        }
        Program::Hive { file } => {
            line.plain(&["hive-script", "--run-hive-script", "--args"]);
            line.option("-f", Some(file));
            line.properties("--hiveconf");
        }
        Program::Pig { file } => {
            line.plain(&["pig-script", "--run-pig-script", "--args"]);
            // Pig takes them only before all else.
            line.defines();
            line.option("-f", Some(file));
        }
        Program::Streaming { mapper, reducer, source, destination } => {
            line.plain(&["hadoop-streaming"]);
            // Hadoop's generic options come before those of the tool.
            line.properties("-D");
            line.files("-files");
            line.option("-mapper", Some(mapper));
            match reducer {
                Some(reducer) => line.option("-reducer", Some(reducer)),
                // Without the option Hadoop sorts and passes on.
                None => line.plain(&["-reducer", "NONE"]),
            }
            line.option("-input", Some(source));
            line.option("-output", Some(destination));
        }
        Program::Flink { jar, main_class } => {
            line.plain(&["flink", "run", "-m", "yarn-cluster"]);
            line.option("-c", main_class.as_ref());
            line.properties("-yD");
            line.text(jar);
        }
        Program::Copy { source, destination, pattern } => {
            line.plain(&["s3-dist-cp"]);
            line.word(Word::of(source).after("--src="));
            line.word(Word::of(destination).after("--dest="));
            if let Some(glob) = pattern {
                let regex = |of: fn(&Text) -> &str| pattern::below(of(source), of(glob));
                let word = Word { value: regex(Text::expose), shown: regex(Text::shown) };
                line.word(word.after("--srcPattern="));
            }
        }
    }
    line.arguments();
    let jar = Word::plain(COMMAND_RUNNER);
    Lowered { jar, main_class: None, properties: Vec::new(), args: line.words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sample::{step_of, text};
    use crate::source::Span;

    fn line(program: Program, properties: bool, files: bool) -> String {
        let mut step = step_of("s", program, &["a 1", "b"]);
        if properties {
            step.work.properties =
                [("k".to_owned(), text("v")), ("l".to_owned(), text("w"))].into();
        }
        if files {
            step.work.files = vec![text("s3://b/x"), text("s3://b/y")];
        }
        lower(&step).words().join("|")
    }

    #[test]
    fn each_type_becomes_what_emr_runs() {
        let t = text;
        let some = |value: &str| Some(text(value));
        let jar = |main_class| Program::CustomJar { jar: t("s3://b/x.jar"), main_class };
        let spark = |main_class| Program::Spark { application: t("s3://b/x.jar"), main_class };
        let streaming = |reducer| Program::Streaming {
            mapper: t("m -x"),
            reducer,
            source: t("s3://b/in"),
            destination: t("s3://b/out"),
        };
        let flink = |main_class| Program::Flink { jar: t("s3://b/f.jar"), main_class };
        let copy = |pattern| Program::Copy {
            source: t("s3://b/in/"),
            destination: t("hdfs:///out"),
            pattern,
        };
        let runner = COMMAND_RUNNER;
        let rows = [
            (jar(None), false, false, "s3://b/x.jar|a 1|b".to_owned()),
            (jar(some("C")), true, false, "s3://b/x.jar|C|-Dk=v|-Dl=w|a 1|b".to_owned()),
            (Program::Command { command: t("aws") }, false, false, format!("{runner}|aws|a 1|b")),
            (spark(None), false, false, format!("{runner}|spark-submit|s3://b/x.jar|a 1|b")),
            (
                spark(some("C")),
                true,
                true,
                format!(
                    "{runner}|spark-submit|--class|C|--conf|k=v|--conf|l=w|--files|s3://b/x,s3://b/y|s3://b/x.jar|a 1|b"
                ),
            ),
            (
                Program::SparkSql { file: t("s3://b/q.sql") },
                true,
                true,
                format!(
                    "{runner}|spark-sql|--conf|k=v|--conf|l=w|--files|s3://b/x,s3://b/y|-f|s3://b/q.sql|a 1|b"
                ),
            ),
            (
                Program::Hive { file: t("s3://b/q.q") },
                true,
                false,
                format!(
                    "{runner}|hive-script|--run-hive-script|--args|-f|s3://b/q.q|--hiveconf|k=v|--hiveconf|l=w|a 1|b"
                ),
            ),
            (
                Program::Pig { file: t("s3://b/p.pig") },
                true,
                false,
                format!(
                    "{runner}|pig-script|--run-pig-script|--args|-Dk=v|-Dl=w|-f|s3://b/p.pig|a 1|b"
                ),
            ),
            (
                streaming(some("r")),
                true,
                true,
                format!(
                    "{runner}|hadoop-streaming|-D|k=v|-D|l=w|-files|s3://b/x,s3://b/y|-mapper|m -x|-reducer|r|-input|s3://b/in|-output|s3://b/out|a 1|b"
                ),
            ),
            (
                streaming(None),
                false,
                false,
                format!(
                    "{runner}|hadoop-streaming|-mapper|m -x|-reducer|NONE|-input|s3://b/in|-output|s3://b/out|a 1|b"
                ),
            ),
            (
                flink(some("C")),
                true,
                false,
                format!(
                    "{runner}|flink|run|-m|yarn-cluster|-c|C|-yD|k=v|-yD|l=w|s3://b/f.jar|a 1|b"
                ),
            ),
            (
                flink(None),
                false,
                false,
                format!("{runner}|flink|run|-m|yarn-cluster|s3://b/f.jar|a 1|b"),
            ),
            (
                copy(None),
                false,
                false,
                format!("{runner}|s3-dist-cp|--src=s3://b/in/|--dest=hdfs:///out|a 1|b"),
            ),
            (
                copy(some("*.csv")),
                false,
                false,
                format!(
                    r"{runner}|s3-dist-cp|--src=s3://b/in/|--dest=hdfs:///out|--srcPattern=s3[an]?://b/in/[^/]*\.csv|a 1|b"
                ),
            ),
        ];
        for (program, properties, files, expected) in rows {
            assert_eq!(line(program, properties, files), expected);
        }
    }

    #[test]
    fn secrets_are_sent_and_not_shown() {
        let secret = |v: &str| Text::with_secrets(v.into(), "‹systemEnv S›".into(), Span::at(0));
        let program = Program::Spark { application: secret("s3://x"), main_class: None };
        let mut step = step_of("s", program, &[]);
        step.work.properties = [("k".to_owned(), secret("hunter2"))].into();
        step.work.files = vec![secret("s3://f")];
        step.work.arguments = vec![secret("p")];
        let sent: Vec<_> = lower(&step).args.into_iter().map(|word| word.value).collect();
        assert_eq!(
            sent,
            ["spark-submit", "--conf", "k=hunter2", "--files", "s3://f", "s3://x", "p"]
        );
        let s = "‹systemEnv S›";
        assert_eq!(
            lower(&step).words(),
            [COMMAND_RUNNER, "spark-submit", "--conf", &format!("k={s}"), "--files", s, s, s]
        );
    }
}

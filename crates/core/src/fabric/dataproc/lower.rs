//! What Dataproc runs for a step of each type.
//!
//! Each type is Dataproc's own job of that kind
//! (<https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.jobs#Job>). A program of the cluster's
//! first machine is run by Pig's `sh`, as Google's guides do it: Pig gives the words that follow to `sh -c`, and tells of
//! a failure but not of its exit code, so that our script writes it as the last line of the output.

use serde_json::{Map, Value, json};

use super::script::variables;
use crate::base64;
use crate::config::playbook::{Program, Runner, Step};
use crate::fabric::line::{Line, Word};
use crate::plan::is_local;
use crate::secret::Text;
use crate::shell;

/// Where each machine has Hadoop's streaming jar (mrjob, which runs there since 2017, names it in `mrjob/dataproc.py`).
const STREAMING: &str = "file:///usr/lib/hadoop-mapreduce/hadoop-streaming.jar";

/// The last line of the output of a program that our script runs begins so, and ends with the exit code.
pub(super) const EXIT_CODE: &str = "dataflow-runner: exit code ";

/// What our script comes to a shell by: no word of it can mean anything to Pig.
const SHELL: (&str, &str) = ("sh echo ", "|base64 -d|bash");

/// Whether a query of Pig runs a program by our script, which tells its exit code.
pub(super) fn is_ours(query: &str) -> bool {
    query.starts_with(SHELL.0) && query.ends_with(SHELL.1)
}

/// The field of jobs for jars beside the first.
const JARS: &str = "jarFileUris";

/// A job without what is the same for all.
pub(super) struct Lowered {
    /// The field of the job, such as `sparkJob`.
    pub(super) kind: &'static str,
    pub(super) body: Value,
    /// What it runs, for people.
    pub(super) words: Vec<Word>,
}

/// What Dataproc runs for a step. `place` says where a file lies that is named so; `environment` is for programs that are no
/// application of a tool.
pub(super) fn lower(
    step: &Step,
    place: &dyn Fn(&Text) -> String,
    environment: &[(&str, String)],
) -> Lowered {
    Making { step, place, environment }.job()
}

struct Making<'a> {
    step: &'a Step,
    place: &'a dyn Fn(&Text) -> String,
    environment: &'a [(&'a str, String)],
}

impl Making<'_> {
    fn job(&self) -> Lowered {
        let arguments = &self.step.work.arguments;
        match &self.step.work.program {
            Program::CustomJar { jar, main_class } => match Runner::of(jar.expose()) {
                Some(Runner::Command) => match arguments.split_first() {
                    Some((command, rest)) => self.program(command, rest),
                    None => self.shell(Line::of(&self.step.work).words, &[]),
                },
                Some(Runner::Script) => match arguments.split_first() {
                    Some((script, rest)) => self.script(script, rest),
                    None => self.shell(Line::of(&self.step.work).words, &[]),
                },
                None => self.application("hadoopJob", "mainJarFileUri", jar, main_class.as_ref()),
            },
            Program::Command { command } => self.program(command, arguments),
            Program::Spark { application, main_class } => {
                match application.expose().rsplit('.').next() {
                    Some("py") => {
                        self.application("pysparkJob", "mainPythonFileUri", application, None)
                    }
                    Some("R" | "r") => {
                        self.application("sparkRJob", "mainRFileUri", application, None)
                    }
                    _ => self.application(
                        "sparkJob",
                        "mainJarFileUri",
                        application,
                        main_class.as_ref(),
                    ),
                }
            }
            Program::Flink { jar, main_class } => {
                self.application("flinkJob", "mainJarFileUri", jar, main_class.as_ref())
            }
            Program::SparkSql { file } => self.query("sparkSqlJob", file),
            Program::Hive { file } => self.query("hiveJob", file),
            Program::Pig { file } => self.query("pigJob", file),
            Program::Streaming { mapper, reducer, source, destination } => {
                self.streaming(mapper, reducer.as_ref(), [source, destination])
            }
            Program::Copy { source, destination, .. } => {
                let mut line = Line::of(&self.step.work);
                line.plain(&["hadoop", "distcp"]);
                line.defines();
                line.arguments();
                line.text(source);
                line.text(destination);
                self.shell(line.words, &[])
            }
        }
    }

    /// A jar or a script with arguments, properties and files.
    fn application(
        &self,
        kind: &'static str,
        main: &str,
        file: &Text,
        class: Option<&Text>,
    ) -> Lowered {
        let work = &self.step.work;
        let mut body = Map::new();
        match class {
            // One of the two, not both.
            Some(class) => {
                body.insert("mainClass".into(), json!(class.expose()));
                body.insert(JARS.into(), json!([(self.place)(file)]));
            }
            None => drop(body.insert(main.into(), json!((self.place)(file)))),
        }
        put(&mut body, "args", work.arguments.iter().map(Text::expose));
        self.files(&mut body, if kind == "flinkJob" { JARS } else { "fileUris" });
        self.properties(&mut body);
        let mut line = Line::of(work);
        line.plain(&[kind]);
        line.text(file);
        line.words.extend(class.map(Word::of));
        line.arguments();
        self.told(kind, body, line.words)
    }

    /// A file of queries; its arguments are variables.
    fn query(&self, kind: &'static str, file: &Text) -> Lowered {
        let mut body = Map::new();
        body.insert("queryFileUri".into(), json!((self.place)(file)));
        // The plan has refused all other arguments.
        let variables = variables(self.step).unwrap_or_default().into_iter();
        let variables: Map<_, _> = variables.map(|(name, set)| (name, json!(set.value))).collect();
        if !variables.is_empty() {
            body.insert("scriptVariables".into(), Value::Object(variables));
        }
        self.files(&mut body, JARS);
        self.properties(&mut body);
        let mut line = Line::of(&self.step.work);
        line.plain(&[kind]);
        line.text(file);
        line.arguments();
        self.told(kind, body, line.words)
    }

    fn streaming(
        &self,
        mapper: &Text,
        reducer: Option<&Text>,
        [source, destination]: [&Text; 2],
    ) -> Lowered {
        let mut line = Line::of(&self.step.work);
        // A program that lies beside the playbook is brought, and lies beside the task then.
        let brought = |text: &&Text| is_local(text.expose());
        let programs = [Some(mapper), reducer].into_iter().flatten().filter(brought);
        let files: Vec<_> = programs.chain(&self.step.work.files).map(self.place).collect();
        if !files.is_empty() {
            line.plain(&["-files", &files.join(",")]);
        }
        let mut program = |flag: &str, text: &Text| match is_local(text.expose()) {
            true => line.plain(&[flag, name_of(text.expose())]),
            false => line.option(flag, Some(text)),
        };
        program("-mapper", mapper);
        match reducer {
            Some(reducer) => program("-reducer", reducer),
            None => line.plain(&["-reducer", "NONE"]),
        }
        line.option("-input", Some(source));
        line.option("-output", Some(destination));
        line.arguments();
        let mut body = Map::new();
        body.insert("mainJarFileUri".into(), json!(STREAMING));
        put(&mut body, "args", line.words.iter().map(|word| word.value.as_str()));
        self.properties(&mut body);
        let head = ["hadoopJob", STREAMING].map(Word::plain);
        self.told("hadoopJob", body, head.into_iter().chain(line.words).collect())
    }

    /// Brings the files of the step, behind what is brought by that name already.
    fn files(&self, body: &mut Map<String, Value>, name: &str) {
        let files = self.step.work.files.iter().map(|file| json!((self.place)(file)));
        let known = body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let all: Vec<Value> = known.into_iter().chain(files).collect();
        if !all.is_empty() {
            body.insert(name.to_owned(), Value::Array(all));
        }
    }

    fn properties(&self, body: &mut Map<String, Value>) {
        let properties = &self.step.work.properties;
        if !properties.is_empty() {
            let all = properties.iter().map(|(key, value)| (key.clone(), json!(value.expose())));
            body.insert("properties".into(), Value::Object(all.collect()));
        }
    }

    fn told(&self, kind: &'static str, body: Map<String, Value>, words: Vec<Word>) -> Lowered {
        Lowered { kind, body: Value::Object(body), words }
    }

    /// A program of the machine, or a file that is brought to it.
    fn program(&self, command: &Text, arguments: &[Text]) -> Lowered {
        let mut words = vec![Word::of(command)];
        if is_brought(command.expose()) {
            words = vec![Word::plain(format!("./{}", name_of(command.expose())))];
        }
        words.extend(arguments.iter().map(Word::of));
        self.shell(words, &[command])
    }

    fn script(&self, script: &Text, arguments: &[Text]) -> Lowered {
        let mut words = ["bash", name_of(script.expose())].map(Word::plain).to_vec();
        words.extend(arguments.iter().map(Word::of));
        self.shell(words, &[script])
    }

    /// A command line in a folder of its own, with its files beside it.
    fn shell(&self, words: Vec<Word>, beside: &[&Text]) -> Lowered {
        let files = beside.iter().copied().chain(&self.step.work.files);
        let mut script =
            format!("trap 'code=$?; cd /; rm -rf \"$work\"; echo \"{EXIT_CODE}$code\" >&2' EXIT\n");
        script.push_str("work=$(mktemp -d) && cd \"$work\" || exit 126\n");
        for (name, value) in self.environment {
            script.push_str(&format!("export {name}={}\n", shell::word(value)));
        }
        for file in files.filter(|file| is_brought(file.expose())) {
            let (from, name) =
                (shell::word(&(self.place)(file)), shell::word(name_of(file.expose())));
            script.push_str(&format!(
                "hadoop fs -copyToLocal {from} {name} </dev/null || exit 126\n"
            ));
            script.push_str(&format!("chmod +x {name}\n"));
        }
        let line: Vec<_> = words.iter().map(|word| shell::word(&word.value)).collect();
        script.push_str(&format!("{} </dev/null\n", line.join(" ")));
        let query = format!("{}{}{}", SHELL.0, base64::encode(script.as_bytes()), SHELL.1);
        let body = json!({"queryList": {"queries": [query]}, "continueOnFailure": false});
        Lowered { kind: "pigJob", body, words }
    }
}

fn put<'t>(body: &mut Map<String, Value>, name: &str, texts: impl Iterator<Item = &'t str>) {
    let texts: Vec<Value> = texts.map(|text| json!(text)).collect();
    if !texts.is_empty() {
        body.insert(name.to_owned(), Value::Array(texts));
    }
}

/// Whether a file is brought to where a program runs: one beside the playbook, and one in Cloud Storage or HDFS.
pub(super) fn is_brought(name: &str) -> bool {
    is_local(name) || name.starts_with("gs://") || name.starts_with("hdfs:")
}

/// What a file is called beside the program.
pub(super) fn name_of(file: &str) -> &str {
    file.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

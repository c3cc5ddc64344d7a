//! What a node of the cluster runs for a step of each type, and which files it wants beside it.
//!
//! Tools are those of the nodes, found by their PATH. Where the tools make applications of their own, those get our tags:
//! MapReduce by the launcher, Spark and Flink here.

use crate::config::playbook::{Program, Runner, Step};
use crate::fabric::line::{Line, Word};
use crate::fabric::{OrderedStep, Uri};
use crate::plan::is_local;
use crate::secret::Text;

/// Chooses how Spark deploys its driver.
const DEPLOY_MODE: &str = "spark.submit.deployMode";
/// Chooses how Flink deploys a job.
const TARGET: &str = "execution.target";
const PER_JOB: &str = "yarn-per-job";
const APPLICATION: &str = "yarn-application";

/// Whose end is the step's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The launcher's: its program waits for all that it starts.
    Launcher,
    /// That of the application which the program leaves behind.
    Child,
}

/// What a node runs.
pub(super) struct Lowered<'a> {
    pub(super) words: Vec<Word>,
    /// Put beside it, under the last parts of their names.
    pub(super) files: Vec<&'a Text>,
    pub(super) verdict: Verdict,
}

/// What a node runs for a step; `tags` are for the applications that it starts.
pub(super) fn lower<'a>(step: &'a Step, tags: &str) -> Lowered<'a> {
    let mut making = Making { line: Line::of(&step.work), files: Vec::new() };
    let verdict = making.program(step, tags);
    making.line.words.extend(arguments(step).map(Word::of));
    making.files.extend(&step.work.files);
    Lowered { words: making.line.words, files: making.files, verdict }
}

/// What a COPY reads that lay beside the playbook: where it was staged, since all nodes see it there.
pub(super) fn from_staged(lowered: &mut Lowered<'_>, ordered: &OrderedStep<'_>) {
    let Program::Copy { source, .. } = &ordered.step.work.program else { return };
    let Some(Uri(path)) = ordered.staged.get(source.expose()) else { return };
    for word in lowered.words.iter_mut().filter(|word| word.value == source.expose()) {
        *word = Word::plain(path.as_str());
    }
}

/// The arguments, but for a script that is named by the first.
fn arguments(step: &Step) -> impl Iterator<Item = &Text> {
    let script = matches!(&step.work.program, Program::CustomJar { jar, .. }
        if Runner::of(jar.expose()) == Some(Runner::Script));
    step.work.arguments.iter().skip(usize::from(script))
}

struct Making<'a> {
    line: Line<'a>,
    files: Vec<&'a Text>,
}

impl<'a> Making<'a> {
    fn program(&mut self, step: &'a Step, tags: &str) -> Verdict {
        let line = &mut self.line;
        match &step.work.program {
            Program::CustomJar { jar, main_class } => match Runner::of(jar.expose()) {
                // The first argument is the program.
                Some(Runner::Command) => {}
                Some(Runner::Script) => {
                    line.plain(&["bash"]);
                    if let Some(script) = step.work.arguments.first() {
                        self.beside(script);
                    }
                }
                None => {
                    line.plain(&["hadoop", "jar"]);
                    self.beside(jar);
                    self.line.words.extend(main_class.as_ref().map(Word::of));
                    self.line.defines();
                }
            },
            Program::Command { command } => {
                self.files.extend(is_brought(command.expose()).then_some(command));
                self.command(command);
            }
            Program::Spark { application, main_class } => {
                line.plain(&["spark-submit", "--master", "yarn"]);
                line.option("--class", main_class.as_ref());
                self.spark(step, tags);
                self.beside(application);
            }
            Program::SparkSql { file } => {
                line.plain(&["spark-sql", "--master", "yarn"]);
                self.spark(step, tags);
                self.line.plain(&["-f"]);
                self.beside(file);
            }
            Program::Hive { file } => {
                line.plain(&["hive"]);
                line.properties("--hiveconf");
                line.plain(&["-f"]);
                self.beside(file);
            }
            Program::Pig { file } => {
                line.plain(&["pig"]);
                line.defines();
                line.plain(&["-f"]);
                self.beside(file);
            }
            Program::Streaming { mapper, reducer, source, destination } => {
                line.plain(&["mapred", "streaming"]);
                line.properties("-D");
                self.shipped(step, [Some(mapper), reducer.as_ref()]);
                self.line.plain(&["-mapper"]);
                self.command(mapper);
                self.line.plain(&["-reducer"]);
                match reducer {
                    Some(reducer) => self.command(reducer),
                    None => self.line.plain(&["NONE"]),
                }
                self.line.option("-input", Some(source));
                self.line.option("-output", Some(destination));
            }
            Program::Flink { jar, main_class } => return self.flink(step, jar, main_class, tags),
            Program::Copy { source, destination, .. } => {
                line.plain(&["hadoop", "distcp"]);
                line.defines();
                line.text(source);
                line.text(destination);
            }
        }
        match is_detached(step) {
            true => Verdict::Child,
            false => Verdict::Launcher,
        }
    }

    fn spark(&mut self, step: &Step, tags: &str) {
        let line = &mut self.line;
        line.plain(&["--conf", &format!("spark.yarn.tags={tags}")]);
        // A second attempt is the playbook's business, not YARN's.
        if !step.work.properties.contains_key(ATTEMPTS) {
            line.plain(&["--conf", &format!("{ATTEMPTS}=1")]);
        }
        line.properties("--conf");
        line.names("--files");
    }

    fn flink(
        &mut self,
        step: &Step,
        jar: &'a Text,
        main_class: &Option<Text>,
        tags: &str,
    ) -> Verdict {
        let line = &mut self.line;
        let target = step.work.properties.get(TARGET).map_or(APPLICATION, Text::expose);
        match target {
            APPLICATION => line.plain(&["flink", "run-application"]),
            _ => line.plain(&["flink", "run"]),
        }
        line.plain(&["-t", target, &format!("-Dyarn.tags={tags}")]);
        line.option("-c", main_class.as_ref());
        line.defines();
        self.beside(jar);
        if target == APPLICATION { Verdict::Child } else { Verdict::Launcher }
    }

    /// What Hadoop's streaming takes along to the nodes where its work is done: the step's files, and those of its own
    /// programs, each once.
    fn shipped(&mut self, step: &'a Step, programs: [Option<&'a Text>; 2]) {
        let mut all: Vec<&Text> = step.work.files.iter().collect();
        for program in programs.into_iter().flatten().filter(|it| is_brought(it.expose())) {
            if all.iter().all(|known| known.expose() != program.expose()) {
                all.push(program);
                self.files.push(program);
            }
        }
        if !all.is_empty() {
            let names: Vec<_> = all.iter().map(|file| name_of(file.expose())).collect();
            self.line.plain(&["-files", &names.join(",")]);
        }
    }

    /// A program by its name in the current folder, if it is brought there.
    fn command(&mut self, command: &Text) {
        match is_brought(command.expose()) {
            true => self.line.plain(&[&format!("./{}", name_of(command.expose()))]),
            false => self.line.text(command),
        }
    }

    /// A file that lies beside the program; one that lies on the node stays where it is.
    fn beside(&mut self, file: &'a Text) {
        if is_brought(file.expose()) {
            self.line.plain(&[name_of(file.expose())]);
            self.files.push(file);
        } else {
            self.line.text(file);
        }
    }
}

/// How often YARN starts an application of Spark again.
const ATTEMPTS: &str = "spark.yarn.maxAppAttempts";

/// Whether the application that a step starts goes on without the program that started it, or may.
fn is_detached(step: &Step) -> bool {
    let is = |key: &str, value: &str| {
        step.work.properties.get(key).is_some_and(|it| it.expose() == value)
    };
    match &step.work.program {
        Program::Spark { .. } => is(DEPLOY_MODE, "cluster"),
        Program::Flink { .. } => !is(TARGET, PER_JOB),
        _ => false,
    }
}

/// Whether a file is brought to where the program runs: one beside the playbook, and one in HDFS.
pub(super) fn is_brought(name: &str) -> bool {
    is_local(name) || name.starts_with("hdfs:")
}

/// What a file is called beside the program.
pub(super) fn name_of(file: &str) -> &str {
    file.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

//! What a playbook says, whatever its version: the typed and valid form.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::fields::{Field, Fields};
pub use super::rules::{OnFailure, OnResult, Retries, Rules};
use crate::fabric::emr::Credentials;
use crate::graph::Graph;
use crate::secret::Text;
use crate::source::{Source, Span};

/// A valid playbook. All spans in it are places in `source`, the user's own file.
#[derive(Clone, Debug)]
pub struct Playbook {
    /// The file.
    pub source: Arc<Source>,
    /// `iglu:…/PlaybookConfig/avro/VERSION` as the file has it.
    pub schema: String,
    /// Its name; a 1-*-* playbook is called as its file, without folder and ending.
    pub name: Text,
    /// At most so many steps at once, whatever the cluster could do.
    pub max_parallel: Option<NonZeroU32>,
    /// Labels for the run.
    pub tags: BTreeMap<String, Text>,
    /// The steps in the order of the file; never empty, ids are distinct.
    pub steps: Vec<Step>,
    /// Which of `steps` needs which, where it is known from reading: to find it takes a while. It goes to the plan.
    pub(crate) graph: Option<Graph>,
    /// Region and credentials of a 1-*-* playbook; used by EMR alone.
    pub emr: Option<EmrAccess>,
}

/// What is right of a playbook that is not: it can be held against a cluster, so that all that is wrong is told at once,
/// and it can never be run.
#[derive(Clone, Debug)]
pub struct Draft(Box<Playbook>);

impl Draft {
    /// Of what could be read, without the steps that could not.
    pub(super) fn new(playbook: Playbook) -> Self {
        Self(Box::new(playbook))
    }

    /// The steps that are right. Steps that they need may be missing.
    pub fn playbook(&self) -> &Playbook {
        &self.0
    }
}

/// What a 1-*-* file says about reaching EMR.
#[derive(Clone, Debug)]
pub struct EmrAccess {
    /// The AWS region.
    pub region: Text,
    /// How to sign requests.
    pub credentials: Credentials,
}

/// One unit of work.
#[derive(Clone, Debug)]
pub struct Step {
    /// Distinct within the playbook: 1-128 characters of `A-Z a-z 0-9 . _ -`. The steps of a 1-*-* playbook
    /// are `step-1`, `step-2`, ….
    pub id: String,
    /// For people; the id where the file gives none.
    pub name: Text,
    /// What to run.
    pub work: Work,
    /// `None`: the step before this one, if any. `Some`: these ids, with their places.
    pub depends_on: Option<Vec<Text>>,
    /// What is decided about it.
    pub rules: Rules,
    /// The whole step in the user's own file.
    pub span: Span,
    /// What it says of itself there, or `defaults` say of it.
    pub fields: Fields,
}

/// What a step runs.
#[derive(Clone, Debug)]
pub struct Work {
    /// The type with what only it has.
    pub program: Program,
    /// Given to the program in this order.
    pub arguments: Vec<Text>,
    /// Configuration of the tool (`--conf` of Spark, `-D` of Hadoop and Flink), by name.
    pub properties: BTreeMap<String, Text>,
    /// Files the step wants beside it. One that begins with `./` or `../` lies beside the playbook.
    pub files: Vec<Text>,
}

/// The types of steps.
#[derive(Clone, Debug)]
pub enum Program {
    /// A jar run by Hadoop; `command-runner.jar` and `script-runner.jar` mean what they mean on EMR.
    CustomJar {
        /// Path, URI, or one of the two names.
        jar: Text,
        /// The class to run where the jar's manifest does not say.
        main_class: Option<Text>,
    },
    /// A program of the machine the step runs on.
    Command {
        /// The program: a path, or a name looked up in PATH.
        command: Text,
    },
    /// A Spark application.
    Spark {
        /// The jar or the script (`jar` or `file` in the playbook).
        application: Text,
        /// The class to run in a jar.
        main_class: Option<Text>,
    },
    /// A file of SQL for Spark.
    SparkSql {
        /// The file.
        file: Text,
    },
    /// A file for Hive.
    Hive {
        /// The file.
        file: Text,
    },
    /// A file for Pig.
    Pig {
        /// The file.
        file: Text,
    },
    /// Hadoop streaming.
    Streaming {
        /// The mapper's command.
        mapper: Text,
        /// The reducer's command.
        reducer: Option<Text>,
        /// What to read.
        source: Text,
        /// Where to write.
        destination: Text,
    },
    /// A Flink application.
    Flink {
        /// Its jar.
        jar: Text,
        /// The class to run where the jar's manifest does not say.
        main_class: Option<Text>,
    },
    /// Copies files.
    Copy {
        /// A file or a folder.
        source: Text,
        /// Where to.
        destination: Text,
        /// Only files whose path below `source` matches this glob: `*` and `?` within one name, `**` across folders.
        pattern: Option<Text>,
    },
}

/// The name of a type of steps, as playbooks write it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepType {
    /// See [`Program::CustomJar`].
    CustomJar,
    /// See [`Program::Command`].
    Command,
    /// See [`Program::Spark`].
    Spark,
    /// See [`Program::SparkSql`].
    SparkSql,
    /// See [`Program::Hive`].
    Hive,
    /// See [`Program::Pig`].
    Pig,
    /// See [`Program::Streaming`].
    Streaming,
    /// See [`Program::Flink`].
    Flink,
    /// See [`Program::Copy`].
    Copy,
}

/// EMR's own jars, whose first argument is what they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// `command-runner.jar`: a program.
    Command,
    /// `script-runner.jar`: a script.
    Script,
}

impl Runner {
    /// Which of them a jar is, if any; they are known by the last part of the path or URI.
    pub fn of(jar: &str) -> Option<Self> {
        match jar.rsplit('/').next() {
            Some("command-runner.jar") => Some(Self::Command),
            Some("script-runner.jar") => Some(Self::Script),
            _ => None,
        }
    }
}

impl Work {
    /// What it runs in the words of the playbook, with each secret replaced by its origin.
    pub fn words(&self) -> Vec<String> {
        let texts = self.program.texts().into_iter().chain(&self.arguments);
        texts.map(|text| text.shown().to_owned()).collect()
    }
}

impl Step {
    /// Where the user's own file says it; the whole step, where it does not.
    pub fn span_of(&self, field: Field) -> Span {
        self.fields.place(field).unwrap_or(self.span)
    }

    /// Every text that goes to the fabric with it, but its name.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let Work { program, arguments, properties, files } = &self.work;
        program.texts().into_iter().chain(arguments).chain(properties.values()).chain(files)
    }
}

impl Program {
    /// All that only this type has, as a person would write it into a command line.
    pub fn texts(&self) -> Vec<&Text> {
        let (needed, optional): (Vec<&Text>, [&Option<Text>; 1]) = match self {
            Self::CustomJar { jar, main_class } | Self::Flink { jar, main_class } => {
                (vec![jar], [main_class])
            }
            Self::Spark { application, main_class } => (vec![application], [main_class]),
            Self::Command { command } => (vec![command], [&None]),
            Self::SparkSql { file } | Self::Hive { file } | Self::Pig { file } => {
                (vec![file], [&None])
            }
            Self::Streaming { mapper, reducer, source, destination } => {
                (vec![source, destination, mapper], [reducer])
            }
            Self::Copy { source, destination, pattern } => (vec![source, destination], [pattern]),
        };
        needed.into_iter().chain(optional.into_iter().flatten()).collect()
    }

    /// Its type.
    pub fn step_type(&self) -> StepType {
        match self {
            Self::CustomJar { .. } => StepType::CustomJar,
            Self::Command { .. } => StepType::Command,
            Self::Spark { .. } => StepType::Spark,
            Self::SparkSql { .. } => StepType::SparkSql,
            Self::Hive { .. } => StepType::Hive,
            Self::Pig { .. } => StepType::Pig,
            Self::Streaming { .. } => StepType::Streaming,
            Self::Flink { .. } => StepType::Flink,
            Self::Copy { .. } => StepType::Copy,
        }
    }
}

impl StepType {
    /// All of them, in the order in which messages list them.
    pub const ALL: [Self; 9] = [
        Self::CustomJar,
        Self::Command,
        Self::Spark,
        Self::SparkSql,
        Self::Hive,
        Self::Pig,
        Self::Streaming,
        Self::Flink,
        Self::Copy,
    ];

    /// The type that playbooks write so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.as_str() == name)
    }

    /// As playbooks write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomJar => "CUSTOM_JAR",
            Self::Command => "COMMAND",
            Self::Spark => "SPARK",
            Self::SparkSql => "SPARK_SQL",
            Self::Hive => "HIVE",
            Self::Pig => "PIG",
            Self::Streaming => "STREAMING",
            Self::Flink => "FLINK",
            Self::Copy => "COPY",
        }
    }
}

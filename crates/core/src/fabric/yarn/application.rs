//! An application as it is submitted: our launcher, with one attempt of one step.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::config::Config;
use super::lower::{Lowered, Verdict};
use crate::base64;
use crate::fabric::{OrderedStep, StepId, Token};
use crate::hex::hex;

/// The most characters of a tag.
pub const LONGEST_TAG: usize = 100;

/// The most bytes of all arguments: Linux takes 128 KiB in one variable, which hold so many in base64.
pub(super) const LONGEST_ARGUMENTS: usize = 90 * 1024;

/// The type by which our own applications are told from those they start.
pub(super) const TYPE: &str = "dataflow-runner";

/// A tag of a launcher whose end is not the step's.
pub(super) const DETACHED: &str = "dataflow-runner-detached";

/// How the tag of an attempt begins.
pub(super) const ATTEMPT: &str = "attempt-";

/// So many digits of a digest tell attempts apart.
const DIGITS: usize = 24;

/// The launcher's main class.
const LAUNCHER: &str = "Launcher";

/// The launcher itself, in MiB; what is left of the container is the program's.
const LAUNCHER_HEAP_MB: u32 = 64;

/// A file of HDFS as YARN wants to know it.
pub(super) struct Resource {
    /// What it is called beside the program.
    pub(super) name: String,
    /// Its URI.
    pub(super) uri: String,
    /// In bytes.
    pub(super) size: u64,
    /// Milliseconds since 1970, exact.
    pub(super) timestamp: i64,
}

/// What is true of the whole cluster.
pub(super) struct Site {
    /// Such as `hdfs://namenode:9000`, without a slash at the end.
    pub(super) file_system: String,
    /// Where YARN's own classes are on the nodes, joined by commas.
    pub(super) class_path: String,
    /// Our launcher.
    pub(super) launcher: Resource,
}

/// The tags of an order: on its application, and on those that this starts.
pub(super) struct Tags {
    /// Of all that a run started.
    pub(super) run: String,
    /// Of one order.
    pub(super) order: String,
    /// Of an attempt of a step: the same in every process that drives the run. Of orders that cannot be said, as steps that
    /// do not wait for each other may be ordered in one sequence here and in another there.
    pub(super) attempt: String,
}

impl Tags {
    /// YARN makes them lower case; ids of runs differ without that.
    pub(super) fn of(token: &Token, ordered: &OrderedStep<'_>) -> Self {
        let run = token.run().map_or_else(|| token.to_string(), |run| run.to_string());
        let order = token.as_str().rsplit_once('.').map_or(token.as_str(), |(order, _)| order);
        let what = format!("{run}\0{}\0{}", ordered.step.id, ordered.attempt);
        let attempt = format!("{ATTEMPT}{}", &hex(&Sha256::digest(what))[..DIGITS]);
        Self { run: run.to_lowercase(), order: order.to_lowercase(), attempt }
    }

    /// For the applications that a step starts.
    pub(super) fn joined(&self) -> String {
        format!("{},{}", self.run, self.attempt)
    }
}

/// What is submitted.
pub(super) fn application(
    config: &Config,
    site: &Site,
    id: &StepId,
    tags: &Tags,
    ordered: &OrderedStep<'_>,
    lowered: &Lowered<'_>,
    resources: &[Resource],
) -> Value {
    let detached = (lowered.verdict == Verdict::Child).then_some(DETACHED);
    let own = config.tags.iter().map(String::as_str);
    let all_tags: Vec<_> = [TYPE, &tags.run, &tags.order, &tags.attempt]
        .into_iter()
        .chain(detached)
        .chain(own)
        .collect();
    let name = ordered.step.name.shown();
    let files = [&site.launcher].into_iter().chain(resources);
    let entries: Vec<_> = files.map(resource).collect();
    json!({
        "application-id": id.as_str(),
        "application-name": name,
        "application-type": TYPE,
        "application-tags": {"tag": all_tags},
        "queue": config.queue,
        // Whether a step runs again is for the playbook to say.
        "max-app-attempts": 1,
        "keep-containers-across-application-attempts": false,
        "unmanaged-AM": false,
        "resource": {"memory": config.memory_mb, "vCores": config.v_cores},
        "am-container-spec": {
            "commands": {"command": command()},
            "environment": {"entry": environment(config, site, id, tags, ordered, lowered)},
            "local-resources": {
                "entry": entries,
            },
        },
    })
}

fn command() -> String {
    format!(
        "{{{{JAVA_HOME}}}}/bin/java -Xmx{LAUNCHER_HEAP_MB}m {LAUNCHER} 1><LOG_DIR>/launcher.log 2>&1"
    )
}

fn environment(
    config: &Config,
    site: &Site,
    id: &StepId,
    tags: &Tags,
    ordered: &OrderedStep<'_>,
    lowered: &Lowered<'_>,
) -> Vec<Value> {
    let class_path = site.class_path.replace(',', "<CPS>");
    let own = [
        ("DATAFLOW_CLUSTER", config.name.expose()),
        ("DATAFLOW_STEP", &ordered.step.id),
        ("DATAFLOW_ATTEMPT", &ordered.attempt.to_string()),
    ]
    .map(|(name, value)| format!("{name}={value}"));
    let given = config.environment.iter().map(|(name, value)| format!("{name}={}", value.expose()));
    let program: Vec<String> = own.into_iter().chain(given).collect();
    let entries = [
        ("CLASSPATH", format!("{{{{PWD}}}}/launcher.jar<CPS>{class_path}")),
        ("HADOOP_USER_NAME", config.user.clone()),
        ("DATAFLOW_ARGV", packed(lowered.words.iter().map(|word| word.value.as_str()))),
        ("DATAFLOW_ENV", packed(program.iter().map(String::as_str))),
        ("DATAFLOW_TAGS", tags.joined()),
        ("DATAFLOW_LOGS", format!("{}{}", site.file_system, logs_of(config, id))),
    ];
    entries.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// The folder in which the launcher leaves the output of a step.
pub(super) fn logs_of(config: &Config, id: &StepId) -> String {
    format!("{}/logs/{id}", config.staging)
}

/// The folder that tells of an attempt that other processes may ask for: in it is a folder for each application that it
/// was given.
pub(super) fn marks_of(config: &Config, tags: &Tags) -> String {
    format!("{}/orders/{}", config.staging, tags.attempt)
}

/// Words as the launcher wants them: base64 of all, each ended by a NUL.
fn packed<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let bytes: Vec<u8> = words.flat_map(|word| word.bytes().chain([0])).collect();
    base64::encode(&bytes)
}

fn resource(resource: &Resource) -> Value {
    json!({
        "key": resource.name,
        "value": {
            "resource": resource.uri,
            "type": "FILE",
            "visibility": "APPLICATION",
            "size": resource.size,
            "timestamp": resource.timestamp,
        },
    })
}

//! What Dataproc refuses though it fits the shapes. Each rule is in the description of its member in Google's discovery
//! document, but where it says otherwise.

use serde_json::Value;

use super::refusal::Refusal;
use super::script::LONGEST_JOB;
use super::shapes::seconds;

/// The property that makes a cluster of one node
/// (<https://cloud.google.com/dataproc/docs/guides/single-node-clusters>).
const ZERO_WORKERS: &str = "dataproc:dataproc.allow.zero.workers";

/// The members of a job of which it has exactly one.
const TYPES: [&str; 10] = [
    "hadoopJob",
    "sparkJob",
    "pysparkJob",
    "hiveJob",
    "pigJob",
    "sparkRJob",
    "sparkSqlJob",
    "prestoJob",
    "trinoJob",
    "flinkJob",
];

/// Where files may be.
const SCHEMES: [&str; 6] = ["gs://", "hdfs://", "file://", "local:", "http://", "https://"];

fn rule(holds: bool, message: impl FnOnce() -> String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::invalid(message())) }
}

/// Letters, digits, underscores and hyphens, up to so many.
fn is_id(text: &str, longest: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    !text.is_empty() && text.len() <= longest && text.bytes().all(plain)
}

/// A `requestId`.
pub(super) fn request_id(id: &str) -> Result<(), Refusal> {
    rule(id.is_empty() || is_id(id, 40), || {
        format!("Request id '{id}' must have up to 40 letters, digits, underscores and hyphens.")
    })
}

/// The id of a job.
pub(super) fn job_id(id: &str) -> Result<(), Refusal> {
    rule(is_id(id, LONGEST_JOB), || {
        format!("Job id '{id}' must have up to 100 letters, digits, underscores and hyphens.")
    })
}

/// The name of a cluster. The description allows for one character more than Dataproc's own pattern.
pub(super) fn cluster_name(name: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let right = name.len() <= 51
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(plain)
        && !name.ends_with('-');
    rule(right, || {
        format!("Cluster name '{name}' must match pattern (?:[a-z](?:[-a-z0-9]{{0,49}}[a-z0-9])?)")
    })
}

/// Labels, of clusters and of jobs.
pub(super) fn labels(labels: &Value) -> Result<(), Refusal> {
    let Some(labels) = labels.as_object() else { return Ok(()) };
    rule(labels.len() <= 32, || "No more than 32 labels can be associated.".to_owned())?;
    let plain = |text: &str| {
        let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        text.len() <= 63 && text.chars().all(right)
    };
    for (key, value) in labels {
        let right = plain(key) && key.starts_with(|c: char| c.is_ascii_lowercase());
        rule(right, || format!("Label key '{key}' does not conform."))?;
        let value = value.as_str().unwrap_or_default();
        rule(plain(value), || format!("Label value '{value}' of '{key}' does not conform."))?;
    }
    Ok(())
}

/// Whether an order is for a cluster without workers.
pub(super) fn is_single_node(order: &Value) -> bool {
    order["config"]["softwareConfig"]["properties"][ZERO_WORKERS] == "true"
}

/// The order of a cluster.
pub(super) fn cluster(order: &Value, project: &str) -> Result<(), Refusal> {
    let given = order["projectId"].as_str().unwrap_or_default();
    rule(given == project, || {
        format!("Project '{given}' is not that of the request, '{project}'.")
    })?;
    cluster_name(order["clusterName"].as_str().unwrap_or_default())?;
    labels(&order["labels"])?;
    let (config, other) = (&order["config"], &order["virtualClusterConfig"]);
    rule(config.is_object() != other.is_object(), || {
        "Exactly one of ClusterConfig or VirtualClusterConfig must be specified.".to_owned()
    })?;
    nodes(order)?;
    lifecycle(&config["lifecycleConfig"])?;
    network(&config["gceClusterConfig"])?;
    let actions = config["initializationActions"].as_array().into_iter().flatten();
    for action in actions {
        let file = action["executableFile"].as_str().unwrap_or_default();
        rule(file.starts_with("gs://"), || {
            format!("Initialization action '{file}' is not in GCS.")
        })?;
    }
    for name in ["configBucket", "tempBucket"] {
        let bucket = config[name].as_str().unwrap_or("bucket");
        rule(!bucket.is_empty() && !bucket.contains('/'), || format!("'{bucket}' is no bucket."))?;
    }
    Ok(())
}

/// The counts of nodes: one master or three, no workers or two at least
/// (<https://cloud.google.com/dataproc/docs/concepts/configuring-clusters/high-availability>).
fn nodes(order: &Value) -> Result<(), Refusal> {
    let config = &order["config"];
    let count =
        |group: &str, default: i64| config[group]["numInstances"].as_i64().unwrap_or(default);
    let masters = count("masterConfig", 1);
    rule([1, 3].contains(&masters), || format!("Cluster has {masters} masters, not 1 or 3."))?;
    let single = is_single_node(order);
    let workers = count("workerConfig", if single { 0 } else { 2 });
    let right = if single { workers == 0 } else { workers >= 2 };
    rule(right, || format!("Cluster requires a minimum of 2 workers, not {workers}."))?;
    let second = count("secondaryWorkerConfig", 0);
    rule(!single || second == 0, || "A single node has no secondary workers.".to_owned())?;
    rule(second >= 0, || format!("There are no {second} workers."))?;
    for group in ["masterConfig", "workerConfig", "secondaryWorkerConfig"] {
        let size = config[group]["diskConfig"]["bootDiskSizeGb"].as_i64().unwrap_or(10);
        rule(size >= 10, || format!("Boot disk of {size} GB in {group}: 10 GB is the minimum."))?;
    }
    Ok(())
}

fn lifecycle(config: &Value) -> Result<(), Refusal> {
    for (name, least) in [
        ("idleDeleteTtl", 300.0),
        ("autoDeleteTtl", 600.0),
        ("idleStopTtl", 300.0),
        ("autoStopTtl", 600.0),
    ] {
        let Some(text) = config[name].as_str() else { continue };
        let most = 14.0 * 86_400.0;
        let right = seconds(text).is_some_and(|ttl| (least..=most).contains(&ttl));
        rule(right, || format!("{name} '{text}' must be between {least}s and {most}s."))?;
    }
    for what in ["Delete", "Stop"] {
        let both = ["Time", "Ttl"].iter().all(|how| config[format!("auto{what}{how}")].is_string());
        rule(!both, || format!("Only one of auto{what}Time and auto{what}Ttl may be given."))?;
    }
    Ok(())
}

fn network(config: &Value) -> Result<(), Refusal> {
    let both = config["networkUri"].is_string() && config["subnetworkUri"].is_string();
    rule(!both, || "networkUri cannot be specified with subnetworkUri.".to_owned())
}

/// The order of a job.
pub(super) fn job(order: &Value, project: &str) -> Result<(), Refusal> {
    let reference = &order["reference"];
    let given = reference["projectId"].as_str().unwrap_or(project);
    rule(given == project, || {
        format!("Project '{given}' is not that of the request, '{project}'.")
    })?;
    if let Some(id) = reference["jobId"].as_str() {
        job_id(id)?;
    }
    labels(&order["labels"])?;
    let scheduling = &order["scheduling"];
    for (name, most) in [("maxFailuresPerHour", 10), ("maxFailuresTotal", 240)] {
        let count = scheduling[name].as_i64().unwrap_or(0);
        rule((0..=most).contains(&count), || format!("{name} {count} must be up to {most}."))?;
    }
    let mut types = TYPES.iter().filter(|name| order.get(**name).is_some());
    let (kind, more) = (types.next(), types.next());
    let Some(kind) = kind.filter(|_| more.is_none()) else {
        return Err(Refusal::invalid("Exactly one type of job must be specified."));
    };
    program(kind, &order[*kind])
}

/// What a job runs: exactly one of two members for most types, and files that have a scheme.
fn program(kind: &str, job: &Value) -> Result<(), Refusal> {
    let pair = match kind {
        "hadoopJob" | "sparkJob" | "flinkJob" => Some(["mainClass", "mainJarFileUri"]),
        "hiveJob" | "pigJob" | "sparkSqlJob" | "prestoJob" | "trinoJob" => {
            Some(["queryFileUri", "queryList"])
        }
        _ => None,
    };
    if let Some(pair) = pair {
        let given = pair.iter().filter(|name| job.get(**name).is_some()).count();
        rule(given == 1, || {
            format!("{kind} must have exactly one of {} and {}.", pair[0], pair[1])
        })?;
    }
    for uri in files(job) {
        let right = SCHEMES.iter().any(|scheme| uri.starts_with(scheme));
        rule(right, || format!("URI '{uri}' of {kind} has no scheme that is known."))?;
    }
    Ok(())
}

/// All files that a job names in members of its own.
pub(super) fn files(job: &Value) -> Vec<&str> {
    let members = job.as_object().into_iter().flatten();
    let named = members.filter(|(name, _)| name.ends_with("Uri") || name.ends_with("Uris"));
    let texts = named.flat_map(|(_, value)| match value {
        Value::Array(all) => all.iter().collect(),
        value => vec![value],
    });
    texts.filter_map(Value::as_str).collect()
}

/// What a job of any type runs.
pub(super) fn of_type(order: &Value) -> &Value {
    let kind = TYPES.iter().find(|name| order.get(**name).is_some());
    kind.map_or(&Value::Null, |kind| &order[*kind])
}

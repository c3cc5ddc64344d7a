//! What Google's states mean.
//!
//! <https://cloud.google.com/dataproc/docs/reference/rest/v1/ClusterStatus>,
//! <https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.jobs#JobStatus>

use super::lower::EXIT_CODE;
use super::names::{self, ORDER};
use super::reply::{Cluster, Job, Operation, Status};
use crate::fabric::{Cause, ClusterId, ClusterState, ClusterStatus, StepState, StepStatus};

/// A cluster, in both tongues.
pub(super) fn cluster(cluster: &Cluster) -> ClusterStatus {
    let status = &cluster.status;
    let state = match status.state.as_str() {
        // One that waits for machines, or is repaired, takes jobs later.
        "SCHEDULED" | "CREATING" | "STARTING" | "REPAIRING" => ClusterState::Starting,
        // While it changes its size, and where that came to nothing, it takes jobs as before.
        "RUNNING" | "UPDATING" | "ERROR_DUE_TO_UPDATE" => ClusterState::Ready,
        // What is stopped keeps its disks, and takes no jobs until somebody starts it.
        "ERROR" | "STOPPED" => ClusterState::Broken,
        "DELETING" | "STOPPING" => ClusterState::Stopping,
        _ => ClusterState::Unknown,
    };
    let says = !status.detail.is_empty();
    let created = cluster.status_history.iter().chain([status]);
    ClusterStatus {
        id: names::cluster(&cluster.cluster_name, &cluster.cluster_uuid),
        name: cluster.cluster_name.clone(),
        state,
        native: native(&status.state, &status.substate),
        idle: false,
        reason: says.then(|| status.detail.clone()),
        cause: (state == ClusterState::Broken).then(|| cause(&status.detail)),
        created: created.filter_map(|it| it.state_start_time).min(),
        token: cluster.labels.get(ORDER).and_then(|order| names::token(order)),
    }
}

/// Why a cluster could not be made, by what Google says of it in words.
fn cause(detail: &str) -> Cause {
    const CAPACITY: [&str; 6] = [
        "quota",
        "RESOURCE_POOL_EXHAUSTED",
        "does not have enough resources",
        "not available in",
        "stockout",
        "STOCKOUT",
    ];
    if detail.contains("nitialization action") {
        Cause::Bootstrap
    } else if CAPACITY.iter().any(|word| detail.contains(word)) {
        Cause::Capacity
    } else {
        Cause::Other
    }
}

/// A cluster that is not there, by what became of the order for it.
pub(super) fn absent(id: ClusterId, made: &Operation) -> ClusterStatus {
    match &made.error {
        Some(why) => never_made(id, why),
        None if !made.done => ClusterStatus::bare(id, ClusterState::Starting, "CREATING"),
        None => ClusterStatus {
            reason: Some("it was deleted, by somebody or by its own limits of time".to_owned()),
            ..ClusterStatus::bare(id, ClusterState::Stopped, "DELETED")
        },
    }
}

/// An order for a cluster that came to nothing, so that there is none, or none any more.
fn never_made(id: ClusterId, why: &Status) -> ClusterStatus {
    // `google.rpc.Code`.
    const INVALID_ARGUMENT: i64 = 3;
    const RESOURCE_EXHAUSTED: i64 = 8;
    let cause = match why.code {
        INVALID_ARGUMENT => Cause::Invalid,
        RESOURCE_EXHAUSTED => Cause::Capacity,
        _ => cause(&why.message),
    };
    ClusterStatus {
        reason: Some(why.message.clone()),
        cause: Some(cause),
        ..ClusterStatus::bare(id, ClusterState::Failed, "NOT_CREATED")
    }
}

/// A job, in both tongues. The exit code is what Google's words tell of it.
pub(super) fn step(job: &Job) -> StepStatus {
    let status = &job.status;
    let state = match status.state.as_str() {
        "PENDING" | "SETUP_DONE" => StepState::Pending,
        // An attempt that failed is not the end: that is ERROR.
        "RUNNING" | "CANCEL_PENDING" | "CANCEL_STARTED" | "ATTEMPT_FAILURE" => StepState::Running,
        "DONE" => StepState::Succeeded,
        "CANCELLED" => StepState::Cancelled,
        "ERROR" => StepState::Failed,
        _ => StepState::Unknown,
    };
    let mut all = job.status_history.iter().chain([status]);
    let applications = &job.yarn_applications;
    let exit_code = match state {
        StepState::Succeeded => Some(0),
        StepState::Failed => exit_code_in(&status.details),
        _ => None,
    };
    let tracked = applications.iter().rfind(|it| !it.tracking_url.is_empty());
    let link = match tracked.filter(|_| !state.is_final()) {
        Some(application) => application.tracking_url.clone(),
        None => job.driver_output_resource_uri.clone(),
    };
    let progress = applications.iter().map(|it| it.progress).sum::<f32>();
    StepStatus {
        state,
        native: native(&status.state, &status.substate),
        reason: reason(&status.details, exit_code.filter(|_| state == StepState::Failed)),
        exit_code,
        started: all.find(|it| it.state == "RUNNING").and_then(|it| it.state_start_time),
        ended: status.state_start_time.filter(|_| state.is_final()),
        progress: (!applications.is_empty()).then(|| progress / applications.len() as f32),
        link: (!link.is_empty()).then_some(link),
    }
}

/// Why a job failed, in a few words: its exit code, where that is known, and what Dataproc says without the places where
/// more may be read, which is said otherwise.
pub(super) fn reason(details: &str, code: Option<i32>) -> Option<String> {
    const PLACES: &str = "If logs are available";
    let details = details.split(PLACES).next().unwrap_or_default().trim();
    match (code, details) {
        (None, "") => None,
        (None, details) => Some(details.to_owned()),
        (Some(code), "") => Some(format!("exit code {code}")),
        (Some(code), details) => Some(format!("exit code {code}: {details}")),
    }
}

fn native(state: &str, substate: &str) -> String {
    match substate {
        "" | "UNSPECIFIED" => state.to_owned(),
        substate => format!("{state} ({substate})"),
    }
}

/// The exit code of a program that failed, as a text tells of it: our script's last line, else what Spark says of a driver
/// that ran in the cluster. Of nothing else: containers, executors and attempts end with codes of their own, and a program
/// may write what it likes. What failed has not ended with 0, whatever is written.
pub(super) fn exit_code_in(text: &str) -> Option<i32> {
    const SPARK: &str = "User application exited with status ";
    let code = |before: &str| {
        let digits = &text[text.rfind(before)? + before.len()..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().ok()
    };
    let told = if text.contains(EXIT_CODE) { code(EXIT_CODE) } else { code(SPARK) };
    told.filter(|code| *code != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::dataproc::reply::{ClusterStatus as Stands, JobStatus};

    #[test]
    fn states_of_clusters() {
        use ClusterState::{Broken, Ready, Starting, Stopping, Unknown};
        for (native, expected) in [
            ("CREATING", Starting),
            ("STARTING", Starting),
            ("RUNNING", Ready),
            ("UPDATING", Ready),
            ("ERROR_DUE_TO_UPDATE", Ready),
            ("REPAIRING", Starting),
            ("SCHEDULED", Starting),
            ("ERROR", Broken),
            ("STOPPED", Broken),
            ("STOPPING", Stopping),
            ("DELETING", Stopping),
            ("UNKNOWN", Unknown),
            ("WHATEVER", Unknown),
            ("", Unknown),
        ] {
            let status = Stands { state: native.into(), ..Stands::default() };
            let told = cluster(&Cluster { status, ..Cluster::default() });
            assert_eq!((told.state, told.native.as_str()), (expected, native));
        }
    }

    #[test]
    fn only_done_is_success() {
        use StepState::{Cancelled, Failed, Pending, Running, Succeeded, Unknown};
        for (native, expected) in [
            ("PENDING", Pending),
            ("SETUP_DONE", Pending),
            ("RUNNING", Running),
            ("CANCEL_PENDING", Running),
            ("CANCEL_STARTED", Running),
            ("ATTEMPT_FAILURE", Running),
            ("CANCELLED", Cancelled),
            ("DONE", Succeeded),
            ("ERROR", Failed),
            ("STATE_UNSPECIFIED", Unknown),
            ("SUCCESS", Unknown),
            ("", Unknown),
        ] {
            let stands = |substate: &str| JobStatus {
                state: native.into(),
                substate: substate.into(),
                ..JobStatus::default()
            };
            let told = step(&Job { status: stands(""), ..Job::default() });
            assert_eq!((told.state, told.native.as_str()), (expected, native));
            let code = (expected == Succeeded).then_some(0);
            assert_eq!(told.exit_code, code, "{native}");
            let stale = step(&Job { status: stands("STALE_STATUS"), ..Job::default() });
            assert_eq!(stale.native, format!("{native} (STALE_STATUS)"));
            assert_eq!(stale.state, expected);
        }
    }

    #[test]
    fn why_clusters_break() {
        for (detail, expected) in [
            (
                "Initialization action failed. Failed action 'gs://b/i.sh', see output in: x",
                Cause::Bootstrap,
            ),
            ("Insufficient 'CPUS' quota. Requested 12.0, available 4.0.", Cause::Capacity),
            ("ZONE_RESOURCE_POOL_EXHAUSTED", Cause::Capacity),
            ("Cannot start master: Timed out", Cause::Other),
        ] {
            assert_eq!(cause(detail), expected, "{detail}");
        }
    }

    #[test]
    fn exit_codes_are_read_from_words() {
        for (text, expected) in [
            ("dataflow-runner: exit code 7\n", Some(7)),
            ("User application exited with status 3\ndataflow-runner: exit code 7\n", Some(7)),
            ("dataflow-runner: exit code 7\nUser application exited with status 2", Some(7)),
            ("dataflow-runner: exit code 7\n…\ndataflow-runner: exit code 3\n", Some(3)),
            ("dataflow-runner: exit code 0\n", None),
            ("User application exited with status 0", None),
            ("User application exited with status 42", Some(42)),
            (
                "User application exited with status 3\nUser application exited with status 4",
                Some(4),
            ),
            ("dataflow-runner: exit code \nUser application exited with status 3", None),
            ("Final app status: FAILED, exitCode: 13, (reason: …)", None),
            ("Executor 3 exited with code 137, Exit status: 137", None),
            ("dataflow-runner: exit code \n", None),
            ("Job failed with message [x]", None),
            ("", None),
        ] {
            assert_eq!(exit_code_in(text), expected, "{text}");
        }
    }
}

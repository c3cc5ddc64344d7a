//! What EMR's words for clusters and steps mean. The only place that reads them.
//!
//! The states are all of `ClusterState` and `StepState`, the reasons all of `ClusterStateChangeReasonCode`
//! (<https://docs.aws.amazon.com/emr/latest/APIReference/API_ClusterStatus.html>,
//! <https://docs.aws.amazon.com/emr/latest/APIReference/API_ClusterStateChangeReason.html>,
//! <https://docs.aws.amazon.com/emr/latest/APIReference/API_StepStatus.html>). The one reason code of steps, `NONE`, says
//! nothing. A reason may be empty, also that of a cluster which ended because a step failed
//! (<https://github.com/snowplow/dataflow-runner/pull/103>): so how a cluster ended proves nothing of its steps.

use super::reply::{Cluster, Reason, Status, Step, Tag};
use super::request::RUN_TAG;
use crate::fabric::{Cause, ClusterId, ClusterState, ClusterStatus, StepState, StepStatus, Token};

/// EMR's state of a cluster, ours, and how the sentence about its end begins, for those that are an end.
const CLUSTERS: [(&str, ClusterState, Option<&str>); 7] = [
    ("STARTING", ClusterState::Starting, None),
    ("BOOTSTRAPPING", ClusterState::Starting, None),
    ("RUNNING", ClusterState::Ready, None),
    ("WAITING", ClusterState::Ready, None),
    ("TERMINATING", ClusterState::Stopping, Some("it is going down")),
    ("TERMINATED", ClusterState::Stopped, Some("it was terminated")),
    ("TERMINATED_WITH_ERRORS", ClusterState::Failed, Some("it was terminated with errors")),
];

/// EMR's code for the reason of an end, what it means for decisions, and in words.
const REASONS: [(&str, Cause, &str); 9] = [
    ("BOOTSTRAP_FAILURE", Cause::Bootstrap, "its set-up failed"),
    ("INSTANCE_FLEET_TIMEOUT", Cause::Capacity, "its instances did not come in time"),
    // An instance that died says nothing against what was asked for.
    ("INSTANCE_FAILURE", Cause::Other, "one of its instances failed"),
    ("VALIDATION_ERROR", Cause::Invalid, "EMR cannot do what was asked for"),
    ("USER_REQUEST", Cause::User, "somebody asked for it"),
    ("STEP_FAILURE", Cause::Steps, "a step failed"),
    ("ALL_STEPS_COMPLETED", Cause::Steps, "its steps have ended"),
    ("INTERNAL_ERROR", Cause::Other, "EMR had an error of its own"),
    ("", Cause::Other, "EMR gives no reason"),
];

/// EMR's state of a step, ours, and what it means where that is not plain.
const STEPS: [(&str, StepState, Option<&str>); 7] = [
    ("PENDING", StepState::Pending, None),
    ("CANCEL_PENDING", StepState::Running, None),
    ("RUNNING", StepState::Running, None),
    ("COMPLETED", StepState::Succeeded, None),
    ("CANCELLED", StepState::Cancelled, Some("it was cancelled")),
    ("FAILED", StepState::Failed, Some("it failed")),
    ("INTERRUPTED", StepState::Cancelled, Some("EMR interrupted it")),
];

/// Words in a message or an error code that mean that machines were not to be had, whatever the reason's code: EMR gives
/// `INTERNAL_ERROR`, `VALIDATION_ERROR` and `INSTANCE_FAILURE` for them too.
const CAPACITY: [&str; 5] =
    ["insufficient capacity", "insufficient_capacity", "no_capacity", "spot", "vcpu"];

/// What a cluster's status means.
pub(super) fn cluster(cluster: &Cluster) -> ClusterStatus {
    let (state, reason, cause) = cluster_state(&cluster.status);
    ClusterStatus {
        id: ClusterId::new(cluster.id.as_str()),
        name: cluster.name.clone(),
        state,
        native: cluster.status.state.clone(),
        idle: cluster.status.state == "WAITING",
        reason,
        cause,
        created: cluster.status.timeline.creation_date_time,
        token: token(&cluster.tags),
    }
}

/// The order that a cluster came from, by its tag.
pub(super) fn token(tags: &[Tag]) -> Option<Token> {
    let tag = tags.iter().find(|tag| tag.key == RUN_TAG)?;
    let token = Token::new(tag.value.as_str());
    // Somebody may have written anything there.
    token.run().is_some().then_some(token)
}

fn cluster_state(status: &Status) -> (ClusterState, Option<String>, Option<Cause>) {
    let Some((_, state, ending)) = CLUSTERS.iter().find(|(word, ..)| *word == status.state) else {
        let word = &status.state;
        let reason = format!("EMR says `{word}`, which this version does not know");
        return (ClusterState::Unknown, Some(joined(reason, status)), None);
    };
    let reason = &status.state_change_reason;
    match ending {
        Some(ending) => {
            let (cause, words) = cause(reason, status);
            (*state, Some(joined(format!("{ending}: {words}"), status)), Some(cause))
        }
        // What a cluster that is up happens to do is no news.
        None if *state == ClusterState::Ready => (*state, None, None),
        None => (*state, filled(&reason.message), None),
    }
}

/// Why it ended, for decisions and in words.
fn cause(reason: &Reason, status: &Status) -> (Cause, String) {
    let known = REASONS.iter().find(|(code, ..)| *code == reason.code);
    let (cause, words) = match known {
        Some((_, cause, words)) => (*cause, (*words).to_owned()),
        None => (Cause::Other, "for a reason that this version does not know".to_owned()),
    };
    // A user's own script or step may well speak of such things.
    if matches!(reason.code.as_str(), "BOOTSTRAP_FAILURE" | "STEP_FAILURE") {
        return (cause, words);
    }
    let details = status.error_details.iter().flat_map(|d| [&d.error_code, &d.error_message]);
    let said = details.chain([&reason.message]).map(|text| text.to_lowercase());
    let said = said.collect::<Vec<_>>().join("\n");
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if any(&["auto-terminat", "idle"]) {
        (Cause::Idle, "it was idle for too long".to_owned())
    } else if cause != Cause::User && any(&CAPACITY) {
        let words = match cause {
            Cause::Capacity => words,
            _ => format!("{words}, for want of instances"),
        };
        (Cause::Capacity, words)
    } else {
        (cause, words)
    }
}

/// A sentence with EMR's own code, message and details behind it.
fn joined(mut sentence: String, status: &Status) -> String {
    let Reason { code, message } = &status.state_change_reason;
    if !code.is_empty() {
        sentence.push_str(&format!(" ({code})"));
    }
    if let Some(message) = filled(message) {
        sentence.push_str(&format!(": {message}"));
    }
    for detail in &status.error_details {
        let texts = [&detail.error_code, &detail.error_message];
        let texts: Vec<_> = texts.into_iter().filter_map(|text| filled(text)).collect();
        if !texts.is_empty() {
            sentence.push_str(&format!("; {}", texts.join(": ")));
        }
    }
    sentence
}

/// What a step's status means.
pub(super) fn step(step: &Step) -> StepStatus {
    let status = &step.status;
    let timeline = &status.timeline;
    let known = STEPS.iter().find(|(word, ..)| *word == status.state);
    let (state, reason) = match known {
        Some((_, state, Some(meaning))) => (*state, Some(why(meaning, step))),
        Some((_, state, None)) => (*state, None),
        None => {
            let word = &status.state;
            let reason = format!("EMR says `{word}`, which this version does not know");
            (StepState::Unknown, Some(reason))
        }
    };
    StepStatus {
        reason,
        started: timeline.start_date_time,
        ended: timeline.end_date_time.filter(|_| state.is_final()),
        link: filled(&status.failure_details.log_file),
        ..StepStatus::new(state, status.state.as_str())
    }
}

/// Why a step ended otherwise than well.
fn why(meaning: &str, step: &Step) -> String {
    let Status { state, timeline, state_change_reason, failure_details, .. } = &step.status;
    let said = [&failure_details.reason, &failure_details.message, &state_change_reason.message];
    let mut told: Vec<String> = Vec::new();
    for text in said.into_iter().filter_map(|text| filled(text)) {
        if !told.contains(&text) {
            told.push(text);
        }
    }
    match (state.as_str(), told.is_empty()) {
        // The details are the better sentence.
        ("FAILED", false) => told.join(": "),
        ("FAILED", true) => format!("{meaning}, and EMR does not say why"),
        ("CANCELLED", true) if timeline.start_date_time.is_none() => {
            format!("{meaning} before it began")
        }
        (_, true) => format!("{meaning} while it ran"),
        (_, false) => format!("{meaning}: {}", told.join(": ")),
    }
}

/// A text that says something, on one line.
fn filled(text: &str) -> Option<String> {
    let words: Vec<_> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn cluster_of(state: &str, code: &str, message: &str, details: Value) -> ClusterStatus {
        let cluster = json!({"Id": "j-1", "Name": "n", "Status": {
            "State": state,
            "StateChangeReason": {"Code": code, "Message": message},
            "ErrorDetails": details,
        }});
        cluster_from(cluster)
    }

    fn cluster_from(value: Value) -> ClusterStatus {
        cluster(&serde_json::from_value(value).expect("it is a cluster"))
    }

    fn step_from(value: Value) -> StepStatus {
        step(&serde_json::from_value(json!({"Id": "s-1", "Status": value})).expect("a step"))
    }

    #[test]
    fn every_state_of_a_cluster_with_every_reason() {
        use Cause::{Bootstrap, Capacity, Invalid, Other, Steps, User};
        let reasons = [
            ("BOOTSTRAP_FAILURE", Bootstrap, "its set-up failed (BOOTSTRAP_FAILURE): m"),
            (
                "INSTANCE_FLEET_TIMEOUT",
                Capacity,
                "its instances did not come in time (INSTANCE_FLEET_TIMEOUT): m",
            ),
            ("INSTANCE_FAILURE", Other, "one of its instances failed (INSTANCE_FAILURE): m"),
            ("VALIDATION_ERROR", Invalid, "EMR cannot do what was asked for (VALIDATION_ERROR): m"),
            ("USER_REQUEST", User, "somebody asked for it (USER_REQUEST): m"),
            ("STEP_FAILURE", Steps, "a step failed (STEP_FAILURE): m"),
            ("ALL_STEPS_COMPLETED", Steps, "its steps have ended (ALL_STEPS_COMPLETED): m"),
            ("INTERNAL_ERROR", Other, "EMR had an error of its own (INTERNAL_ERROR): m"),
            ("", Other, "EMR gives no reason: m"),
            ("NEW", Other, "for a reason that this version does not know (NEW): m"),
        ];
        let endings = [
            ("TERMINATING", ClusterState::Stopping, "it is going down"),
            ("TERMINATED", ClusterState::Stopped, "it was terminated"),
            ("TERMINATED_WITH_ERRORS", ClusterState::Failed, "it was terminated with errors"),
        ];
        let mut sentences = std::collections::BTreeSet::new();
        for (code, cause, words) in reasons {
            for (state, ours, ending) in endings {
                let status = cluster_of(state, code, "m", json!(null));
                let sentence = format!("{ending}: {words}");
                assert_eq!((status.state, status.native.as_str()), (ours, state));
                assert_eq!(status.reason.as_ref(), Some(&sentence));
                assert_eq!(status.cause, Some(cause), "{state} {code}");
                assert!(sentences.insert(sentence), "each has its own sentence");
            }
            for state in ["STARTING", "BOOTSTRAPPING"] {
                let status = cluster_of(state, code, "m", json!(null));
                assert_eq!((status.state, status.cause), (ClusterState::Starting, None));
                assert_eq!(status.reason.as_deref(), Some("m"));
            }
            for state in ["RUNNING", "WAITING"] {
                let status = cluster_of(state, code, "m", json!(null));
                assert_eq!((status.state, status.cause), (ClusterState::Ready, None));
                assert_eq!(status.idle, state == "WAITING");
                assert_eq!(status.reason, None, "what it does is no news");
            }
        }
    }

    #[test]
    fn a_state_that_is_not_known_is_unknown() {
        for state in ["", "SLEEPING", "terminated", "COMPLETED"] {
            let status = cluster_of(state, "ALL_STEPS_COMPLETED", "m", json!([]));
            assert_eq!((status.state, status.cause), (ClusterState::Unknown, None));
            let reason = status.reason.expect("it says so");
            assert!(reason.contains(&format!("`{state}`, which this version")), "{reason}");
        }
        let bare = cluster_from(json!({"Id": "j-1"}));
        assert_eq!(bare.state, ClusterState::Unknown);
    }

    #[test]
    fn words_tell_more_than_codes() {
        let cause = |code, message: &str, details| {
            cluster_of("TERMINATED_WITH_ERRORS", code, message, details).cause
        };
        let none = || json!([]);
        let details =
            |code| json!([{"ErrorCode": code, "ErrorMessage": "", "ErrorData": [{"a": "b"}]}]);
        for (code, message, details, expected) in [
            ("INTERNAL_ERROR", "EC2 has Insufficient capacity", none(), Cause::Capacity),
            (
                "INTERNAL_ERROR",
                "m",
                details("INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ"),
                Cause::Capacity,
            ),
            (
                "INTERNAL_ERROR",
                "m",
                details("INTERNAL_ERROR_SPOT_NO_CAPACITY_PRIMARY"),
                Cause::Capacity,
            ),
            ("VALIDATION_ERROR", "more vCPU capacity than your limit", none(), Cause::Capacity),
            ("INSTANCE_FAILURE", "Spot instance lost", none(), Cause::Capacity),
            ("BOOTSTRAP_FAILURE", "the spot script", none(), Cause::Bootstrap),
            ("STEP_FAILURE", "insufficient capacity", none(), Cause::Steps),
            ("USER_REQUEST", "Terminated by user request", none(), Cause::User),
            ("USER_REQUEST", "spot", none(), Cause::User),
            ("USER_REQUEST", "Cluster auto-terminated", none(), Cause::Idle),
            ("STEP_FAILURE", "the idle script", none(), Cause::Steps),
            ("ALL_STEPS_COMPLETED", "Steps completed", none(), Cause::Steps),
            ("ALL_STEPS_COMPLETED", "idle for 3600 s", none(), Cause::Idle),
            ("", "the cluster was idle", none(), Cause::Idle),
        ] {
            assert_eq!(cause(code, message, details), Some(expected), "{code} {message}");
        }
    }

    #[test]
    fn the_details_are_told() {
        let details = json!([
            {"ErrorCode": "A_B", "ErrorMessage": "first\nline"},
            {"ErrorCode": "", "ErrorMessage": ""},
            {"ErrorMessage": "second"},
        ]);
        let status = cluster_of("TERMINATED_WITH_ERRORS", "VALIDATION_ERROR", " m ", details);
        assert_eq!(
            status.reason.as_deref(),
            Some(
                "it was terminated with errors: EMR cannot do what was asked for \
                 (VALIDATION_ERROR): m; A_B: first line; second"
            )
        );
        let bare = cluster_of("TERMINATED", "", "", json!([]));
        assert_eq!(bare.reason.as_deref(), Some("it was terminated: EMR gives no reason"));
    }

    #[test]
    fn every_state_of_a_step() {
        use StepState::{Cancelled, Failed, Pending, Running, Succeeded, Unknown};
        for (state, started, ours, reason) in [
            ("PENDING", false, Pending, None),
            ("CANCEL_PENDING", true, Running, None),
            ("RUNNING", true, Running, None),
            ("COMPLETED", true, Succeeded, None),
            ("CANCELLED", false, Cancelled, Some("it was cancelled before it began")),
            ("CANCELLED", true, Cancelled, Some("it was cancelled while it ran")),
            ("FAILED", true, Failed, Some("it failed, and EMR does not say why")),
            ("INTERRUPTED", true, Cancelled, Some("EMR interrupted it while it ran")),
            ("", false, Unknown, Some("EMR says ``, which this version does not know")),
            ("DONE", true, Unknown, Some("EMR says `DONE`, which this version does not know")),
        ] {
            let begun = started.then_some(1000.5);
            let timeline =
                json!({"CreationDateTime": 1, "StartDateTime": begun, "EndDateTime": 2000});
            let status = step_from(
                json!({"State": state, "StateChangeReason": {"Code": "NONE"}, "Timeline": timeline}),
            );
            assert_eq!((status.state, status.native.as_str()), (ours, state));
            assert_eq!(status.reason.as_deref(), reason);
            assert_eq!(status.started.is_some(), started);
            assert_eq!(status.ended.is_some(), ours.is_final(), "{state}");
            assert_eq!((status.exit_code, status.link), (None, None));
        }
    }

    #[test]
    fn the_details_of_a_failure_are_its_reason_and_its_log_the_link() {
        let details = |reason: &str, message: &str| json!({"Reason": reason, "Message": message, "LogFile": "s3://b/l/stderr.gz"});
        for (state, details, said, expected) in [
            ("FAILED", details("Unknown Error.", ""), "", "Unknown Error."),
            ("FAILED", details("Main class not found.", "x\n y"), "", "Main class not found.: x y"),
            ("FAILED", details("a", "a"), "b", "a: b"),
            ("FAILED", json!(null), "b", "b"),
            ("CANCELLED", json!(null), "Job terminated", "it was cancelled: Job terminated"),
            ("INTERRUPTED", json!({}), "b", "EMR interrupted it: b"),
        ] {
            let link = details.get("LogFile").and_then(Value::as_str).map(ToOwned::to_owned);
            let status = step_from(json!({"State": state, "FailureDetails": details,
                "StateChangeReason": {"Code": "NONE", "Message": said}}));
            assert_eq!(status.reason.as_deref(), Some(expected));
            assert_eq!(status.link, link);
        }
    }
}

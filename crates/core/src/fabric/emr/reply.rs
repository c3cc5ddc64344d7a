//! What the EMR API answers: only the members that are read. Whatever else there is, or is missing, does not matter.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// Of `RunJobFlow`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RunJobFlow {
    pub(super) job_flow_id: String,
}

/// Of `AddJobFlowSteps`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AddJobFlowSteps {
    pub(super) step_ids: Vec<String>,
}

/// Of `ListClusters`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListClusters {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) clusters: Vec<Cluster>,
    pub(super) marker: Option<String>,
}

/// Of `DescribeCluster`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeCluster {
    pub(super) cluster: Cluster,
}

/// Of `ListSteps`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListSteps {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) steps: Vec<Step>,
    pub(super) marker: Option<String>,
}

/// Of `DescribeStep`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeStep {
    pub(super) step: Step,
}

/// Of `CancelSteps`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CancelSteps {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) cancel_steps_info_list: Vec<Cancelled>,
}

/// What became of the wish to stop one step.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Cancelled {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) step_id: String,
    /// `SUBMITTED` or `FAILED`.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) reason: String,
}

/// A cluster; the last two only of `DescribeCluster`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Cluster {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: Status,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) log_uri: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) tags: Vec<Tag>,
}

/// A label of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) key: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) value: String,
}

/// A step.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Step {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) config: StepConfig,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: Status,
}

/// What a step runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StepConfig {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) jar: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) main_class: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) args: Vec<String>,
}

/// Where a cluster or a step stands.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Status {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) state: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) state_change_reason: Reason,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) timeline: Timeline,
    /// Of clusters.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) error_details: Vec<ErrorDetail>,
    /// Of steps.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) failure_details: FailureDetails,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Reason {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) code: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Timeline {
    #[serde(default, deserialize_with = "epoch")]
    pub(super) creation_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "epoch")]
    pub(super) start_date_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "epoch")]
    pub(super) end_date_time: Option<Timestamp>,
}

/// Why a cluster ended: up to ten of them.
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_ErrorDetail.html>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ErrorDetail {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) error_code: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) error_message: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) error_data: Vec<BTreeMap<String, serde_json::Value>>,
}

/// Why a step failed.
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_FailureDetails.html>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FailureDetails {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) reason: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) message: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) log_file: String,
}

/// Null is the same as absent.
fn or_default<'de, T, D>(value: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(value).map(Option::unwrap_or_default)
}

/// Seconds since 1970, with a fraction. A time that is no time is none.
fn epoch<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Timestamp>, D::Error> {
    let seconds = serde_json::Value::deserialize(value)?.as_f64();
    // What is not finite, or no time of this age, cannot be told in milliseconds of an i64 or is refused by jiff.
    Ok(seconds.and_then(|s| Timestamp::from_millisecond((s * 1000.0).round() as i64).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_or_null_is_empty() {
        let text = r#"{"Cluster": {"Id": "j-1", "Name": null, "New": {}, "Status": {"State": "WAITING",
            "StateChangeReason": {}, "ErrorDetails": null, "Timeline": {"CreationDateTime": 1795327269.66,
            "EndDateTime": null, "ReadyDateTime": "2026"}}, "Tags": [{"Key": "a"}]}}"#;
        let cluster = serde_json::from_str::<DescribeCluster>(text).expect("it is read").cluster;
        assert_eq!(cluster.status.state, "WAITING");
        let timeline = cluster.status.timeline;
        let created = timeline.creation_date_time.expect("it is a time");
        assert_eq!(created.to_string(), "2026-11-22T06:01:09.66Z");
        assert_eq!(timeline.end_date_time, None);
        assert_eq!(cluster.tags, [Tag { key: "a".into(), value: String::new() }]);
    }

    #[test]
    fn times_that_are_none() {
        for wrong in ["1e300", "-1e300", r#""x""#, "{}", "true"] {
            let text = format!(r#"{{"CreationDateTime": {wrong}}}"#);
            let timeline = serde_json::from_str::<Timeline>(&text).expect("it is read");
            assert_eq!(timeline.creation_date_time, None, "{wrong}");
        }
    }
}

//! What Google answers, as far as it is read. Whatever is not known is let pass.
//!
//! <https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.clusters> and `…jobs`,
//! <https://cloud.google.com/storage/docs/json_api/v1/objects>.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

/// A cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Cluster {
    pub(super) cluster_name: String,
    pub(super) cluster_uuid: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) status: ClusterStatus,
    pub(super) status_history: Vec<ClusterStatus>,
    pub(super) config: ClusterConfig,
}

/// The part of a cluster's configuration that matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClusterConfig {
    /// A bucket without `gs://`.
    pub(super) config_bucket: String,
}

/// Where a cluster stands.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClusterStatus {
    pub(super) state: String,
    pub(super) substate: String,
    pub(super) detail: String,
    pub(super) state_start_time: Option<Timestamp>,
}

/// A page of clusters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Clusters {
    pub(super) clusters: Vec<Cluster>,
    pub(super) next_page_token: String,
}

/// A job.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Job {
    pub(super) reference: JobReference,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) status: JobStatus,
    pub(super) status_history: Vec<JobStatus>,
    pub(super) driver_output_resource_uri: String,
    pub(super) pig_job: Option<PigJob>,
    pub(super) yarn_applications: Vec<YarnApplication>,
}

/// A job of Pig.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PigJob {
    pub(super) query_list: QueryList,
}

/// What it runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct QueryList {
    pub(super) queries: Vec<String>,
}

/// Its id.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct JobReference {
    pub(super) job_id: String,
}

/// Where a job stands.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct JobStatus {
    pub(super) state: String,
    pub(super) substate: String,
    pub(super) details: String,
    pub(super) state_start_time: Option<Timestamp>,
}

/// An application that a job runs on YARN.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct YarnApplication {
    pub(super) progress: f32,
    pub(super) tracking_url: String,
}

/// A page of jobs.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Jobs {
    pub(super) jobs: Vec<Job>,
    pub(super) next_page_token: String,
}

/// Something that takes long.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) done: bool,
    pub(super) metadata: OperationMetadata,
    pub(super) error: Option<Status>,
}

/// What it is about.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OperationMetadata {
    pub(super) cluster_name: String,
    pub(super) cluster_uuid: String,
    /// `CREATE`, `DELETE` and others.
    pub(super) operation_type: String,
    pub(super) warnings: Vec<String>,
    pub(super) status: OperationStatus,
    pub(super) status_history: Vec<OperationStatus>,
}

/// Where it stands.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OperationStatus {
    pub(super) state_start_time: Option<Timestamp>,
}

impl Operation {
    /// When it began.
    pub(super) fn began(&self) -> Option<Timestamp> {
        let all = self.metadata.status_history.iter().chain([&self.metadata.status]);
        all.filter_map(|it| it.state_start_time).min()
    }
}

/// A page of operations.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Operations {
    pub(super) operations: Vec<Operation>,
    pub(super) next_page_token: String,
}

/// Why it failed (`google.rpc.Status`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    /// Of `google.rpc.Code`.
    pub(super) code: i64,
    pub(super) message: String,
}

/// An object of Cloud Storage.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Object {
    pub(super) name: String,
    /// A number in a text.
    pub(super) size: String,
}

impl Object {
    /// In bytes.
    pub(super) fn length(&self) -> u64 {
        self.size.parse().unwrap_or_default()
    }
}

/// A page of objects.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Objects {
    pub(super) items: Vec<Object>,
    pub(super) next_page_token: String,
}

//! Long-running operations, as those who made or deleted a cluster see them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cluster::{Cluster, State};
use crate::clock::add;

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// With its project and region.
    pub name: String,
    /// Of the cluster.
    pub uuid: String,
    /// `CREATE` or `DELETE`.
    pub kind: &'static str,
    /// When it began.
    pub began: Timestamp,
    /// It is done after so long, whatever the cluster is.
    pub takes: Option<Duration>,
}

impl Operation {
    /// When it is done, if that is known.
    fn done(&self, cluster: &Cluster) -> Option<Timestamp> {
        let by_itself = if self.kind == "CREATE" { cluster.settled } else { cluster.gone };
        self.takes.map_or(by_itself, |takes| Some(add(self.began, takes)))
    }

    /// As Dataproc tells of it.
    pub(super) fn told(&self, cluster: &Cluster, now: Timestamp) -> Value {
        let done = self.done(cluster).filter(|at| *at <= now);
        let status = |state: &str, since: Timestamp| json!({"state": state, "innerState": state, "stateStartTime": since.to_string()});
        let running = status("RUNNING", self.began);
        let mut metadata = json!({
            "@type": "type.googleapis.com/google.cloud.dataproc.v1.ClusterOperationMetadata",
            "clusterName": cluster.name,
            "clusterUuid": cluster.uuid,
            "operationType": self.kind,
            "description": format!("{} cluster", if self.kind == "CREATE" { "Create" } else { "Delete" }),
            "labels": cluster.labels(),
            "status": running,
            "statusHistory": [status("PENDING", self.began)],
        });
        let Some(done) = done else { return json!({"name": self.name, "metadata": metadata}) };
        metadata["statusHistory"] = json!([status("PENDING", self.began), running]);
        metadata["status"] = status("DONE", done);
        let mut told = json!({"name": self.name, "metadata": metadata, "done": true});
        match self.failure(cluster) {
            Some(message) => {
                told["metadata"]["status"]["details"] = json!(message);
                told["error"] = json!({"code": 9, "message": message});
            }
            None if self.kind == "CREATE" => {
                told["response"] = cluster.told();
                told["response"]["@type"] =
                    json!("type.googleapis.com/google.cloud.dataproc.v1.Cluster");
            }
            None => {
                told["response"] = json!({"@type": "type.googleapis.com/google.protobuf.Empty"});
            }
        }
        told
    }

    fn failure(&self, cluster: &Cluster) -> Option<String> {
        if self.kind != "CREATE" || cluster.ready.is_some() {
            return None;
        }
        match cluster.state() {
            State::Error => Some(cluster.status.details.clone()),
            State::Deleting => {
                let failed = cluster.history.iter().find(|status| status.state == State::Error);
                let why = "Cluster was deleted while it was being created.";
                Some(failed.map_or_else(|| why.to_owned(), |status| status.details.clone()))
            }
            _ => None,
        }
    }
}

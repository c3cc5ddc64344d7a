//! Clusters: launched, found, listed, looked at, terminated.

use serde_json::Value;

use super::call::{Call, Service};
use super::names::{self, Name, ORDER, RUN};
use super::reply::{Cluster, Clusters as Page, Operation, Operations};
use super::storage::Place;
use super::{Dataproc, error, request, status};
use crate::clock::timestamp;
use crate::fabric::{
    ClusterId, ClusterState, ClusterStatus, Clusters, ErrorKind, Found, Launch, LogFile, Query,
    Result,
};
use crate::http::encode::encode;

/// So many clusters or jobs are asked for at once
/// (<https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.jobs/list>: up to 1,000 jobs).
pub(super) const PAGE: &str = "200";

/// The folder in the staging bucket where Dataproc keeps what it writes of its own
/// (<https://cloud.google.com/dataproc/docs/concepts/configuring-clusters/init-actions#log_files>).
const METAINFO: &str = "google-cloud-dataproc-metainfo";

impl Clusters for Dataproc {
    fn launch(&self, order: &Launch<'_>) -> Result<ClusterId> {
        let config = self.config("clusters.create")?;
        let name = config.name.expose();
        let ours = names::labels(&order.token).map(|(name, value)| (name.to_owned(), value));
        let body = request::cluster(config, &ours.into(), order.transient);
        let call = Call {
            service: Service::Dataproc,
            operation: "clusters.create",
            method: "POST",
            path: self.path("clusters")?,
            query: vec![
                ("requestId", names::request(&names::order(&order.token))),
                ("actionOnFailedPrimaryWorkers", config.on_failed_workers.as_str().to_owned()),
            ],
            headers: Vec::new(),
            body: Some((body_of(body, &self.project()?), "application/json")),
            order: true,
        };
        let begun: Operation = match self.cloud("clusters.create")?.ask(&call) {
            // An earlier sending of this order, or somebody else.
            Err(refused) if refused.kind == ErrorKind::Conflict => {
                return match self.get(name)?.filter(|it| is_of(it, order)) {
                    Some(ours) => Ok(names::cluster(name, &ours.cluster_uuid)),
                    None => Err(refused),
                };
            }
            begun => begun?,
        };
        for warning in &begun.metadata.warnings {
            self.notes.add(format!("Dataproc says of cluster `{name}`: {warning}"));
        }
        let id = names::cluster(name, &begun.metadata.cluster_uuid);
        self.noticed().operations.insert(id.clone(), begun.name);
        Ok(id)
    }

    /// A name is there once, so it tells; and of what is gone, or was rendered with another name by another pod, what made it.
    fn find(&self, order: &Launch<'_>) -> Result<Found<ClusterId>> {
        let name = self.config("clusters.get")?.name.expose();
        if let Some(ours) = self.get(name)?.filter(|it| is_of(it, order)) {
            return Ok(Found::Yes(names::cluster(name, &ours.cluster_uuid)));
        }
        let made = self.made(&format!("labels.{ORDER} = {}", names::order(&order.token)))?;
        // Sent once more it makes no second one: neither its name nor its request is there twice.
        Ok(made.first().map_or(Found::No, |it| Found::Yes(cluster_of(it))))
    }

    fn list(&self, query: &Query) -> Result<Vec<ClusterStatus>> {
        let filter = match query {
            Query::All => String::new(),
            Query::Ours => format!("labels.{RUN} = *"),
            Query::Name(name) | Query::Newest(name) => format!("clusterName = {name}"),
            Query::Tag { key, value } => format!("labels.{key} = {value}"),
        };
        let mut all: Vec<_> = self.all(&filter)?.iter().map(status::cluster).collect();
        all.sort_by_key(|it| std::cmp::Reverse(it.created));
        Ok(match query {
            Query::Tag { .. } => all.into_iter().filter(|it| !it.state.is_past_steps()).collect(),
            query => query.pick(all),
        })
    }

    fn inspect(&self, id: &ClusterId) -> Result<ClusterStatus> {
        let Name { name, uuid } = Name::of(id);
        match self.get(name)? {
            Some(cluster) if uuid.is_none_or(|uuid| uuid == cluster.cluster_uuid) => {
                Ok(ClusterStatus { id: id.clone(), ..status::cluster(&cluster) })
            }
            // Another may have its name now.
            _ => self.not_there(id),
        }
    }

    fn terminate(&self, id: &ClusterId) -> Result<()> {
        let Name { name, uuid } = Name::of(id);
        // Asked for later it is another request: the first may have failed.
        let request = names::request(&format!("{id} {}", timestamp()));
        let uuid = uuid.map(|uuid| ("clusterUuid", uuid.to_owned()));
        let call = Call {
            service: Service::Dataproc,
            operation: "clusters.delete",
            method: "DELETE",
            path: self.path(&format!("clusters/{}", encode(name)))?,
            query: [("requestId", request)].into_iter().chain(uuid).collect(),
            headers: Vec::new(),
            body: None,
            order: true,
        };
        let answer: Result<Operation> = self.cloud("clusters.delete")?.ask(&call);
        match answer {
            Ok(_) => Ok(()),
            Err(gone) if gone.kind == ErrorKind::NotFound => Ok(()),
            // It goes down already, or it is not that cluster any more.
            Err(refused) if refused.kind == ErrorKind::Conflict => match self.inspect(id) {
                Ok(it) if it.state != ClusterState::Stopping => Err(refused),
                Err(other) if other.kind != ErrorKind::NotFound => Err(other),
                _ => Ok(()),
            },
            Err(error) => Err(error),
        }
    }

    /// What its initialization actions wrote.
    fn logs(&self, id: &ClusterId) -> Result<Vec<LogFile>> {
        let Name { name, .. } = Name::of(id);
        let Some(cluster) = self.get(name)? else { return Ok(Vec::new()) };
        let (bucket, uuid) = (cluster.config.config_bucket, cluster.cluster_uuid);
        if bucket.is_empty() || uuid.is_empty() {
            return Ok(Vec::new());
        }
        let folder = Place { bucket, name: format!("{METAINFO}/{uuid}/") };
        let objects = self.cloud("objects.list")?.objects(&folder)?;
        let of_setup = objects.iter().filter(|it| it.name.contains("initialization-script"));
        let log = |name: &str, size| {
            let place = Place { bucket: folder.bucket.clone(), name: name.to_owned() };
            let short = name.strip_prefix(&folder.name).unwrap_or(name).to_owned();
            LogFile { name: short, place: place.uri(), size }
        };
        Ok(of_setup.map(|it| log(&it.name, Some(it.length()))).collect())
    }
}

impl Dataproc {
    /// The cluster that has this name now.
    pub(super) fn get(&self, name: &str) -> Result<Option<Cluster>> {
        let path = self.path(&format!("clusters/{}", encode(name)))?;
        let call = Call::get(Service::Dataproc, "clusters.get", path);
        match self.cloud("clusters.get")?.ask(&call) {
            Err(gone) if gone.kind == ErrorKind::NotFound => Ok(None),
            cluster => cluster.map(Some),
        }
    }

    fn all(&self, filter: &str) -> Result<Vec<Cluster>> {
        let mut call = Call::get(Service::Dataproc, "clusters.list", self.path("clusters")?)
            .with("pageSize", PAGE);
        if !filter.is_empty() {
            call = call.with("filter", filter);
        }
        let parts = |page: Page| (page.clusters, page.next_page_token);
        self.cloud("clusters.list")?.pages(call, parts)
    }

    /// There is no such cluster: not yet, not any more, or its making failed before there was one. What made it tells.
    fn not_there(&self, id: &ClusterId) -> Result<ClusterStatus> {
        let begun = self.noticed().operations.get(id).cloned();
        if let Some(name) = begun.filter(|name| !name.is_empty()) {
            let path = format!("/v1/{name}");
            let call = Call::get(Service::Dataproc, "operations.get", path);
            let made: Operation = self.cloud("operations.get")?.ask(&call)?;
            return Ok(status::absent(id.clone(), &made));
        }
        let Name { name, uuid } = Name::of(id);
        if uuid.is_some() {
            let made = self.made(&format!("clusterName = {name}"))?;
            if let Some(made) = made.iter().find(|it| cluster_of(it) == *id) {
                return Ok(status::absent(id.clone(), made));
            }
        }
        let message = format!("there is no cluster `{id}`");
        Err(error(ErrorKind::NotFound, "clusters.get", message))
    }

    /// What made clusters, newest first, also of those that are gone
    /// (<https://cloud.google.com/sdk/gcloud/reference/dataproc/operations/list>).
    fn made(&self, filter: &str) -> Result<Vec<Operation>> {
        let call = Call::get(Service::Dataproc, "operations.list", self.path("operations")?)
            .with("filter", filter)
            .with("pageSize", PAGE);
        let parts = |page: Operations| (page.operations, page.next_page_token);
        let mut all = self.cloud("operations.list")?.pages(call, parts)?;
        all.retain(|it| it.metadata.operation_type == "CREATE");
        all.sort_by_key(|it| std::cmp::Reverse(it.began()));
        Ok(all)
    }
}

/// The cluster that it makes or made.
fn cluster_of(made: &Operation) -> ClusterId {
    names::cluster(&made.metadata.cluster_name, &made.metadata.cluster_uuid)
}

/// The body of a request, for a project.
fn body_of(mut body: Value, project: &str) -> Vec<u8> {
    if let Value::Object(fields) = &mut body {
        fields.insert("projectId".into(), Value::String(project.to_owned()));
    }
    body.to_string().into_bytes()
}

/// Whether a cluster came of this order, whatever its sending.
fn is_of(cluster: &Cluster, order: &Launch<'_>) -> bool {
    cluster.labels.get(ORDER).is_some_and(|it| *it == names::order(&order.token))
}

//! Dataproc's methods for clusters and operations.

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::filter::Filter;
use super::operation::Operation;
use super::refusal::Refusal;
use super::serve::Ask;
use super::world::World;
use super::{pages, rules};
use crate::clock::add;

/// The label by which an order is known.
pub(super) const ORDER: &str = "dataflow-runner-order";

/// What a filter may say of states (`clusters.list`).
const STATES: [&str; 9] = [
    "ACTIVE", "INACTIVE", "CREATING", "RUNNING", "ERROR", "DELETING", "UPDATING", "STOPPING",
    "STOPPED",
];

pub(super) fn create(world: &mut World, ask: &Ask) -> Result<Value, Refusal> {
    let (project, region, order) = (ask.var("projectId"), ask.var("region"), &ask.body);
    let request = ask.query("requestId").unwrap_or_default();
    rules::request_id(request)?;
    if let Some(name) = world.repeated("clusters.create", request, order) {
        return told(world, &name);
    }
    rules::cluster(order, project)?;
    let name = order["clusterName"].as_str().unwrap_or_default();
    let here = |cluster: &&Cluster| cluster.project == project && cluster.region == region;
    if world.alive().filter(here).any(|cluster| cluster.name == name) {
        let what = format!(
            "Failed to create cluster: Cluster projects/{project}/regions/{region}/clusters/{name}"
        );
        return Err(Refusal::already_exists(what));
    }
    if world.script.most_clusters.is_some_and(|most| world.alive().count() >= most) {
        return Err(Refusal::invalid(
            "Insufficient 'CPUS' quota. Requested 12.0, available 0.0. Your resource request exceeds your available quota. See https://cloud.google.com/compute/resource-usage.",
        ));
    }
    let bucket = bucket(world, order)?;
    mind(world, request, order);
    let (uuid, takes) = world.make(order, project, region, bucket);
    begin(world, ask, uuid, "CREATE", takes, ("clusters.create", request, order))
}

/// The bucket that a cluster's jobs write to.
fn bucket(world: &World, order: &Value) -> Result<String, Refusal> {
    let config = &order["config"];
    for name in ["configBucket", "tempBucket"] {
        let Some(bucket) = config[name].as_str() else { continue };
        if !world.storage.has(bucket) {
            return Err(Refusal::not_found(format!("Bucket {bucket}")));
        }
    }
    let first = world.script.buckets.first().cloned().unwrap_or_default();
    Ok(config["configBucket"].as_str().map_or(first, str::to_owned))
}

fn mind(world: &mut World, request: &str, order: &Value) {
    let name = &order["clusterName"];
    if request.is_empty() {
        world.note(format!("the cluster {name} is made without a requestId"));
    }
    if let Some(label) = order["labels"][ORDER].as_str()
        && world.clusters.iter().any(|cluster| cluster.order["labels"][ORDER] == label)
    {
        world.note(format!("a second cluster of the order {label}"));
    }
}

/// An operation begins; `request` is the request that it is the answer to.
fn begin(
    world: &mut World,
    ask: &Ask,
    uuid: String,
    kind: &'static str,
    takes: Option<std::time::Duration>,
    (method, id, sent): (&'static str, &str, &Value),
) -> Result<Value, Refusal> {
    let (project, region) = (ask.var("projectId"), ask.var("region"));
    let name = format!("projects/{project}/regions/{region}/operations/{}", world.uuid());
    world.operations.push(Operation { name: name.clone(), uuid, kind, began: world.now, takes });
    if !id.is_empty() {
        world.requests.insert((method, id.to_owned()), (sent.clone(), name.clone()));
    }
    // What takes no time at all has happened when it is answered.
    world.advance(world.now);
    told(world, &name)
}

fn told(world: &World, name: &str) -> Result<Value, Refusal> {
    let operation = world.operations.iter().find(|operation| operation.name == name);
    let told = operation.and_then(|operation| {
        let cluster = world.clusters.iter().find(|cluster| cluster.uuid == operation.uuid)?;
        Some(operation.told(cluster, world.now))
    });
    told.ok_or_else(|| Refusal::not_found(format!("Operation {name}")))
}

pub(super) fn operation(world: &World, ask: &Ask) -> Result<Value, Refusal> {
    let (project, region, id) = (ask.var("projectId"), ask.var("region"), ask.var("operationId"));
    told(world, &format!("projects/{project}/regions/{region}/operations/{id}"))
}

/// Newest first, as the real one lists them.
pub(super) fn operations(world: &World, ask: &Ask) -> Result<Value, Refusal> {
    let filter = ask.query("filter").unwrap_or_default();
    let filter = Filter::read(filter, "clusterName", &["ACTIVE", "PENDING", "RUNNING", "DONE"])?;
    let (project, region) = (ask.var("projectId"), ask.var("region"));
    let parent = format!("projects/{project}/regions/{region}/operations/");
    let shown = world.operations.iter().rev().filter_map(|operation| {
        let cluster = world.clusters.iter().find(|cluster| cluster.uuid == operation.uuid)?;
        let told = operation.told(cluster, world.now);
        let state = told["metadata"]["status"]["state"].as_str().unwrap_or_default();
        let is = |word: &str| word == state || (word == "ACTIVE" && state != "DONE");
        let wanted = operation.name.starts_with(&parent)
            && filter.takes(&cluster.labels(), &cluster.name, is);
        wanted.then(|| (operation.name.clone(), told))
    });
    let (page, next) = pages::page(
        &ask.but_the_token(),
        ask.query("pageToken"),
        ask.page_size(&world.script)?,
        shown,
    )?;
    Ok(listed("operations", page, next))
}

/// Which cluster a path names.
fn named(world: &World, ask: &Ask) -> Result<usize, Refusal> {
    let (project, region, name) = (ask.var("projectId"), ask.var("region"), ask.var("clusterName"));
    let named = |cluster: &Cluster| {
        cluster.is_alive()
            && (cluster.project.as_str(), cluster.region.as_str(), cluster.name.as_str())
                == (project, region, name)
    };
    world.clusters.iter().position(named).ok_or_else(|| {
        Refusal::not_found(format!("Cluster projects/{project}/regions/{region}/clusters/{name}"))
    })
}

pub(super) fn get(world: &World, ask: &Ask) -> Result<Value, Refusal> {
    Ok(world.clusters[named(world, ask)?].told())
}

pub(super) fn list(world: &World, ask: &Ask) -> Result<Value, Refusal> {
    let filter = Filter::read(ask.query("filter").unwrap_or_default(), "clusterName", &STATES)?;
    let shown = |cluster: &&Cluster| {
        cluster.is_alive()
            && cluster.project == ask.var("projectId")
            && cluster.region == ask.var("region")
            && add(cluster.created, world.script.late_clusters) <= world.now
            && filter.takes(&cluster.labels(), &cluster.name, |word| cluster.state().is(word))
    };
    let mut all: Vec<_> = world.clusters.iter().filter(shown).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let items = all.into_iter().map(|cluster| (cluster.name.clone(), cluster.told()));
    let (page, next) = pages::page(
        &ask.but_the_token(),
        ask.query("pageToken"),
        ask.page_size(&world.script)?,
        items,
    )?;
    Ok(listed("clusters", page, next))
}

/// A page as it is told: what is empty is left out.
pub(super) fn listed(name: &str, page: Vec<Value>, next: Option<String>) -> Value {
    let mut told = json!({});
    if !page.is_empty() {
        told[name] = Value::Array(page);
    }
    if let Some(next) = next {
        told["nextPageToken"] = json!(next);
    }
    told
}

pub(super) fn delete(world: &mut World, ask: &Ask) -> Result<Value, Refusal> {
    let request = ask.query("requestId").unwrap_or_default();
    rules::request_id(request)?;
    let sent = json!([ask.var("clusterName"), ask.query("clusterUuid")]);
    if let Some(name) = world.repeated("clusters.delete", request, &sent) {
        return told(world, &name);
    }
    if request.is_empty() {
        world
            .note(format!("the cluster {} is deleted without a requestId", ask.var("clusterName")));
    }
    let n = named(world, ask)?;
    let cluster = &world.clusters[n];
    if let Some(wanted) = ask.query("clusterUuid").filter(|wanted| *wanted != cluster.uuid) {
        // The description of `clusterUuid`: it fails with NOT_FOUND.
        let what = format!("Cluster {} with uuid {wanted}", cluster.name);
        return Err(Refusal::not_found(what));
    }
    if cluster.died.is_some() {
        let message = format!(
            "Cannot delete cluster '{}' when it has other pending delete operations.",
            cluster.name
        );
        return Err(Refusal::precondition(message));
    }
    let (uuid, takes) = (cluster.uuid.clone(), cluster.script.delete_takes);
    world.end(n, world.now);
    begin(world, ask, uuid, "DELETE", takes, ("clusters.delete", request, &sent))
}

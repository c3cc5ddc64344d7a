//! Buckets: the log files that clusters leave, and what tests put there.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use super::cluster::Cluster;
use super::step::{State, Step};
use super::world::World;
use crate::clock::add;

/// The instance whose bootstrap action failed, in all of the fake's messages.
const INSTANCE: &str = "i-0123456789abcdef0";

/// What tests put into buckets.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    regions: BTreeMap<String, String>,
    objects: Vec<(String, Object)>,
}

/// An object of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub body: Vec<u8>,
    /// When it came.
    pub at: Timestamp,
}

impl World {
    /// A bucket in a region; those that clusters log to are there without that, in the cluster's region.
    pub fn bucket(&mut self, name: &str, region: &str) {
        self.store.regions.insert(name.to_owned(), region.to_owned());
    }

    /// Puts an object into a bucket, to be seen after some time.
    pub fn put(&mut self, bucket: &str, key: &str, body: impl Into<Vec<u8>>, after: Duration) {
        let object = Object { key: key.to_owned(), body: body.into(), at: add(self.now, after) };
        self.store.objects.push((bucket.to_owned(), object));
    }

    /// The region of a bucket; `None`: there is no such bucket.
    pub(super) fn region_of(&self, bucket: &str) -> Option<&str> {
        let of_cluster = || {
            let logs = |cluster: &&Cluster| place(cluster).is_some_and(|(name, _)| name == bucket);
            self.clusters.iter().find(logs).map(|cluster| cluster.region.as_str())
        };
        self.store.regions.get(bucket).map(String::as_str).or_else(of_cluster)
    }

    /// What can be seen of a bucket now, by key.
    pub fn objects(&self, bucket: &str) -> Vec<Object> {
        let put = self.store.objects.iter().filter(|(name, _)| name == bucket);
        let mut all: Vec<Object> = put.map(|(_, object)| object.clone()).collect();
        let delivery = self.script.log_delivery;
        for cluster in &self.clusters {
            if let Some((name, prefix)) = place(cluster)
                && name == bucket
            {
                all.extend(logs(cluster, &prefix, delivery));
            }
        }
        all.retain(|object| object.at <= self.now);
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }
}

/// Where a cluster logs to: the bucket, and its folder there.
fn place(cluster: &Cluster) -> Option<(&str, String)> {
    let uri = cluster.order["LogUri"].as_str()?;
    let rest = uri.split_once("://")?.1;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    Some((bucket, format!("{prefix}{slash}{}", cluster.id)))
}

/// All log files of a cluster, those that have not come yet too.
fn logs(cluster: &Cluster, prefix: &str, delivery: Duration) -> Vec<Object> {
    // What has not been delivered when a cluster ends is delivered then.
    let delivered = |since: Timestamp| {
        let at = add(since, delivery);
        cluster.ended.map_or(at, |ended| at.min(ended.max(since)))
    };
    let mut all = Vec::new();
    if let Some(died) = cluster.died {
        let message = cluster.death.as_ref().and_then(|death| death.message.as_deref());
        let of = if message.is_some_and(|text| text.contains("provisioning failed")) {
            "provision-node/reports"
        } else {
            "bootstrap-actions/1"
        };
        let folder = format!("{prefix}/node/{INSTANCE}/{of}");
        let files = cluster.script.bootstrap_logs.clone();
        all.extend(files.into_iter().map(|file| object(&folder, file, delivered(died))));
    }
    for step in &cluster.steps {
        let Some(ended) = step.ended.filter(|_| step.started.is_some()) else { continue };
        let folder = format!("{prefix}/steps/{}", step.id);
        let files = step.script.logs.clone().unwrap_or_else(|| usual(step));
        all.extend(files.into_iter().map(|file| object(&folder, file, delivered(ended))));
    }
    all
}

/// What the end of a step is sure to leave.
fn usual(step: &Step) -> Vec<(String, String)> {
    let name = step.name();
    let (last, stderr) = match step.state {
        State::Completed => ("Step succeeded with exitCode 0 and took 60 seconds", String::new()),
        State::Failed => (
            "Step failed with exitCode 1 and took 60 seconds",
            format!(
                "Exception in thread \"main\" java.lang.IllegalStateException: {name} failed\n\tat example.Main.main(Main.java:1)\nCommand exiting with ret '1'\n"
            ),
        ),
        _ => ("Step was cancelled", String::new()),
    };
    let controller = format!("INFO startExec '{name}'\nINFO {last}\n");
    let stdout = format!("{name} ran\n");
    [("controller", controller), ("stderr", stderr), ("stdout", stdout), ("syslog", String::new())]
        .map(|(name, text)| (name.to_owned(), text))
        .to_vec()
}

fn object(folder: &str, (name, text): (String, String), at: Timestamp) -> Object {
    Object { key: format!("{folder}/{name}.gz"), body: gzip(text.as_bytes()), at }
}

/// Packed as EMR packs its logs.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    // Memory takes every write.
    packer.write_all(bytes).and_then(|()| packer.finish()).unwrap_or_default()
}

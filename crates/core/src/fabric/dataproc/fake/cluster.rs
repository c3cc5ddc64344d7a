//! One cluster of the fake's world. Time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::script::ClusterScript;
use super::shapes::seconds;
use super::status::Status;
use crate::clock::add;

/// One cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// As its order says.
    pub name: String,
    /// Made up by Dataproc: no other cluster of that name ever has it.
    pub uuid: String,
    /// Its project.
    pub project: String,
    /// Where it is.
    pub region: String,
    /// The body of its order.
    pub order: Value,
    /// The bucket for what its jobs write.
    pub bucket: String,
    /// When it was made.
    pub created: Timestamp,
    /// What it is.
    pub status: Status<State>,
    /// What it was, oldest first.
    pub history: Vec<Status<State>>,
    /// When it was no longer CREATING, however that went.
    pub settled: Option<Timestamp>,
    /// When it was ready.
    pub ready: Option<Timestamp>,
    /// Since when nothing runs on it; `None`: something does, or it is not ready.
    pub idle: Option<Timestamp>,
    /// When it began to end.
    pub died: Option<Timestamp>,
    /// When it was gone.
    pub gone: Option<Timestamp>,
    /// What becomes of it.
    pub script: ClusterScript,
    /// So many of its turns have come.
    pub(super) turned: usize,
}

/// The states of a cluster (`ClusterStatus.State`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// SCHEDULED
    Scheduled,
    /// CREATING
    Creating,
    /// STARTING
    Starting,
    /// RUNNING
    Running,
    /// UPDATING
    Updating,
    /// ERROR_DUE_TO_UPDATE
    ErrorDueToUpdate,
    /// REPAIRING
    Repairing,
    /// ERROR
    Error,
    /// STOPPING
    Stopping,
    /// STOPPED
    Stopped,
    /// DELETING
    Deleting,
    /// One that Dataproc does not document.
    Word(&'static str),
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Settles,
    Turns,
    Stops,
    Dies,
    Goes,
}

impl State {
    /// Dataproc's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Creating => "CREATING",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Updating => "UPDATING",
            Self::ErrorDueToUpdate => "ERROR_DUE_TO_UPDATE",
            Self::Repairing => "REPAIRING",
            Self::Error => "ERROR",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Deleting => "DELETING",
            Self::Word(word) => word,
        }
    }

    /// Whether a cluster takes jobs, as the descriptions of `ClusterStatus.State` say.
    pub fn takes_jobs(self) -> bool {
        matches!(self, Self::Running | Self::Updating | Self::ErrorDueToUpdate)
    }

    /// Whether a filter's word means it, as the description of `clusters.list` says.
    pub(super) fn is(self, word: &str) -> bool {
        match word {
            "ACTIVE" => matches!(self, Self::Creating | Self::Updating | Self::Running),
            "INACTIVE" => {
                matches!(self, Self::Deleting | Self::Error | Self::Stopping | Self::Stopped)
            }
            word => self.word() == word,
        }
    }
}

impl Cluster {
    /// Whether it is still there, in whatever state.
    pub fn is_alive(&self) -> bool {
        self.gone.is_none()
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.status.state
    }

    /// Its labels, with those of Dataproc's own.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.own_labels();
        let own = [("name", &self.name), ("uuid", &self.uuid)];
        let own = own.map(|(key, value)| (format!("goog-dataproc-cluster-{key}"), value.clone()));
        labels.extend(own);
        labels.insert("goog-dataproc-location".to_owned(), self.region.clone());
        labels
    }

    /// Those of its order.
    pub(super) fn own_labels(&self) -> BTreeMap<String, String> {
        let given = self.order["labels"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        given.map(|(key, value)| (key.clone(), text(value))).collect()
    }

    /// It is something else from now on.
    pub(super) fn turn(&mut self, status: Status<State>) {
        let before = std::mem::replace(&mut self.status, status);
        self.history.push(before);
    }

    /// A duration of its `lifecycleConfig`.
    fn lifetime(&self, name: &str) -> Option<Duration> {
        let text = self.order["config"]["lifecycleConfig"][name].as_str()?;
        Duration::try_from_secs_f64(seconds(text)?).ok()
    }

    /// When something of its `lifecycleConfig` is due: after so long, so long without work, or at a time.
    fn due(&self, what: &str) -> Option<Timestamp> {
        let config = &self.order["config"]["lifecycleConfig"];
        let at = config[format!("auto{what}Time")].as_str().and_then(|text| text.parse().ok());
        let aged = self.lifetime(&format!("auto{what}Ttl")).map(|ttl| add(self.created, ttl));
        let idle = self.lifetime(&format!("idle{what}Ttl"));
        let idle = self.idle.zip(idle).map(|(since, ttl)| add(since, ttl));
        [at, aged, idle].into_iter().flatten().min()
    }

    /// What happens to it next, if nothing comes between. One that failed to come up stays as it is.
    pub(super) fn next(&self) -> Option<(Timestamp, Event)> {
        if self.gone.is_some() {
            return None;
        }
        if let Some(died) = self.died {
            return Some((add(died, self.script.deleting), Event::Goes));
        }
        let Some(ready) = self.ready else {
            let settles = (add(self.created, self.script.creating), Event::Settles);
            return self.settled.is_none().then_some(settles);
        };
        let turn = self.script.turns.get(self.turned);
        let stops = self.due("Stop").filter(|_| self.state() != State::Stopped);
        let all = [
            turn.map(|turn| (add(ready, turn.after), Event::Turns)),
            stops.map(|at| (at, Event::Stops)),
            self.due("Delete").map(|at| (at, Event::Dies)),
        ];
        let first = all.into_iter().flatten().min_by_key(|(at, _)| *at);
        // What was due before it was ready happens then.
        first.map(|(at, event)| (at.max(ready), event))
    }

    /// As Dataproc tells of it.
    pub(super) fn told(&self) -> Value {
        let told = |status: &Status<State>| status.told(status.state.word(), "detail");
        let mut config = self.defaults();
        super::merge(&mut config, &self.order["config"]);
        if let Some(idle) = self.idle.filter(|_| config["lifecycleConfig"].is_object()) {
            config["lifecycleConfig"]["idleStartTime"] = json!(idle.to_string());
        }
        let mut cluster = json!({
            "projectId": self.project,
            "clusterName": self.name,
            "clusterUuid": self.uuid,
            "config": config,
            "labels": self.labels(),
            "status": told(&self.status),
        });
        if !self.history.is_empty() {
            cluster["statusHistory"] = self.history.iter().map(told).collect();
        }
        cluster
    }

    /// What Dataproc fills in.
    fn defaults(&self) -> Value {
        let base = "https://www.googleapis.com/compute/v1/projects";
        let zone = format!("{base}/{}/zones/{}-a", self.project, self.region);
        let group = |role: &str, count: i64| {
            json!({
                "numInstances": count,
                "instanceNames": [format!("{}-{role}", self.name)],
                "machineTypeUri": format!("{zone}/machineTypes/n1-standard-4"),
                "diskConfig": {"bootDiskSizeGb": 1000, "bootDiskType": "pd-standard"},
            })
        };
        let mut config = json!({
            "configBucket": self.bucket,
            "tempBucket": self.bucket,
            "gceClusterConfig": {"zoneUri": zone},
            "masterConfig": group("m", 1),
            "softwareConfig": {"imageVersion": "2.2.75-debian12", "properties": {}},
        });
        if !super::rules::is_single_node(&self.order) {
            config["workerConfig"] = group("w-0", 2);
        }
        config
    }
}

//! All that the fake holds: clusters, jobs, operations, objects, and what was done that should not have been. Time is an
//! argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cluster::{Cluster, Event as ClusterEvent, State};
use super::job::{Event as JobEvent, Job, JobState};
use super::operation::Operation;
use super::script::{Fate, Script};
use super::status::Status;
use super::storage::Storage;

/// What the fake holds.
#[derive(Clone, Debug)]
pub struct World {
    /// What is to happen to what comes.
    pub script: Script,
    /// All clusters that ever were, oldest first.
    pub clusters: Vec<Cluster>,
    /// All jobs that ever were, oldest first.
    pub jobs: Vec<Job>,
    /// All operations that ever were, oldest first.
    pub operations: Vec<Operation>,
    /// The buckets.
    pub storage: Storage,
    /// The time, as far as it has come.
    pub now: Timestamp,
    /// The operations and jobs that requests with an id have led to: the method and the id, what was sent, what it was.
    pub(super) requests: BTreeMap<(&'static str, String), (Value, String)>,
    active: BTreeSet<usize>,
    submissions: BTreeMap<String, usize>,
    violations: Vec<String>,
    ids: u64,
}

/// What happens next, to which of them.
enum Next {
    Cluster(usize, ClusterEvent),
    Job(usize, JobEvent),
}

impl World {
    /// An empty world.
    pub(super) fn new(script: Script, now: Timestamp) -> Self {
        Self {
            storage: Storage::new(script.buckets.iter().chain(&script.elsewhere)),
            script,
            clusters: Vec::new(),
            jobs: Vec::new(),
            operations: Vec::new(),
            now,
            requests: BTreeMap::new(),
            active: BTreeSet::new(),
            submissions: BTreeMap::new(),
            violations: Vec::new(),
            ids: 0,
        }
    }

    /// Everything that was to happen until `now` happens, in its order. Time never goes back.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while let Some((at, next)) = self.next().filter(|(at, _)| *at <= self.now) {
            match next {
                Next::Job(n, event) => self.job_event(n, at, event),
                Next::Cluster(n, event) => self.cluster_event(n, at, event),
            }
        }
    }

    fn next(&self) -> Option<(Timestamp, Next)> {
        let jobs = self.active.iter().filter_map(|n| {
            let (at, event) = self.jobs[*n].next()?;
            Some((at, Next::Job(*n, event)))
        });
        let clusters = self.clusters.iter().enumerate().filter_map(|(n, cluster)| {
            let (at, event) = cluster.next()?;
            Some((at, Next::Cluster(n, event)))
        });
        jobs.chain(clusters).min_by_key(|(at, _)| *at)
    }

    fn job_event(&mut self, n: usize, at: Timestamp, event: JobEvent) {
        self.jobs[n].apply(at, event);
        self.settle(n, at);
    }

    /// A job that has ended is looked after no more, and its cluster may be idle since.
    fn settle(&mut self, n: usize, at: Timestamp) {
        if self.jobs[n].is_active() {
            return;
        }
        self.active.remove(&n);
        let uuid = self.jobs[n].cluster_uuid.clone();
        let works = self.active.iter().any(|n| self.jobs[*n].cluster_uuid == uuid);
        let cluster = self.clusters.iter_mut().find(|cluster| cluster.uuid == uuid);
        if let Some(cluster) = cluster.filter(|cluster| !works && cluster.died.is_none()) {
            cluster.idle = Some(at);
        }
    }

    fn cluster_event(&mut self, n: usize, at: Timestamp, event: ClusterEvent) {
        let cluster = &mut self.clusters[n];
        match event {
            ClusterEvent::Settles => {
                cluster.settled = Some(at);
                match cluster.script.fails.clone() {
                    None => {
                        (cluster.ready, cluster.idle) = (Some(at), Some(at));
                        cluster.turn(Status::new(State::Running, at));
                    }
                    Some(details) => {
                        cluster.turn(Status { details, ..Status::new(State::Error, at) });
                    }
                }
            }
            ClusterEvent::Turns => {
                let turn = cluster.script.turns.get(cluster.turned).cloned();
                cluster.turned += 1;
                let Some(turn) = turn else { return };
                if turn.state == State::Deleting {
                    return self.end(n, at);
                }
                let (substate, details) = (turn.substate, turn.details);
                cluster.turn(Status { substate, details, ..Status::new(turn.state, at) });
                if turn.state == State::Stopped {
                    self.end_jobs(n, at);
                }
            }
            ClusterEvent::Stops => {
                cluster.turn(Status::new(State::Stopped, at));
                self.end_jobs(n, at);
            }
            ClusterEvent::Dies => self.end(n, at),
            ClusterEvent::Goes => cluster.gone = Some(at),
        }
    }

    /// A cluster begins to end.
    pub(super) fn end(&mut self, n: usize, at: Timestamp) {
        let cluster = &mut self.clusters[n];
        cluster.turn(Status::new(State::Deleting, at));
        cluster.settled.get_or_insert(at);
        (cluster.died, cluster.idle) = (Some(at), None);
        self.end_jobs(n, at);
    }

    fn end_jobs(&mut self, n: usize, at: Timestamp) {
        let Cluster { uuid, name, script, .. } = &self.clusters[n];
        let (fate, uuid, name) = (script.jobs, uuid.clone(), name.clone());
        for n in self.active.clone() {
            let job = &mut self.jobs[n];
            if job.cluster_uuid != uuid {
                continue;
            }
            match fate {
                Fate::Error => {
                    let why = format!(
                        "Cluster '{name}' was deleted or stopped while the job was active."
                    );
                    job.end(at, JobState::Error, why);
                }
                Fate::Cancelled => job.end(at, JobState::Cancelled, String::new()),
                Fate::Kept => {}
            }
            // What is kept is kept for ever.
            self.active.remove(&n);
        }
    }

    /// A uuid that was never given out.
    pub(super) fn uuid(&mut self) -> String {
        self.ids += 1;
        format!("{:08x}-fa4e-4000-8000-{:012x}", self.ids, self.now.as_millisecond())
    }

    /// A new cluster; its uuid, and how long the operation takes that makes it.
    pub(super) fn make(
        &mut self,
        order: &Value,
        project: &str,
        region: &str,
        bucket: String,
    ) -> (String, Option<Duration>) {
        let uuid = self.uuid();
        let script = self.script.of_cluster(self.clusters.len());
        let takes = script.create_takes;
        self.clusters.push(Cluster {
            name: order["clusterName"].as_str().unwrap_or_default().to_owned(),
            uuid: uuid.clone(),
            project: project.to_owned(),
            region: region.to_owned(),
            order: order.clone(),
            bucket,
            created: self.now,
            status: Status::new(State::Creating, self.now),
            history: Vec::new(),
            settled: None,
            ready: None,
            idle: None,
            died: None,
            gone: None,
            script,
            turned: 0,
        });
        (uuid, takes)
    }

    /// A cluster that somebody else has made, with these labels, in [`PROJECT`](super::PROJECT) and
    /// [`REGION`](super::REGION), and that is ready; its uuid.
    pub fn add_cluster(&mut self, name: &str, labels: &[(&str, &str)]) -> String {
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        let order = json!({
            "projectId": super::PROJECT, "clusterName": name, "labels": labels, "config": {},
        });
        let bucket = self.script.buckets.first().cloned().unwrap_or_default();
        let (uuid, _) = self.make(&order, super::PROJECT, super::REGION, bucket);
        let now = self.now;
        if let Some(cluster) = self.clusters.last_mut() {
            (cluster.settled, cluster.ready, cluster.idle) = (Some(now), Some(now), Some(now));
            cluster.turn(Status::new(State::Running, now));
        }
        uuid
    }

    /// A new job; what becomes of it is looked up.
    pub(super) fn add_job(&mut self, mut job: Job) {
        let name = self.script.name_of(&job.id);
        let count = self.submissions.entry(name.clone().unwrap_or_default()).or_default();
        job.script = self.script.of_job(name.as_ref(), *count);
        *count += 1;
        self.active.insert(self.jobs.len());
        let cluster = self.clusters.iter_mut().find(|cluster| cluster.uuid == job.cluster_uuid);
        if let Some(cluster) = cluster {
            cluster.idle = None;
        }
        self.jobs.push(job);
    }

    /// What a request with this id has led to, if there was one. `sent` is what is asked now.
    pub(super) fn repeated(
        &mut self,
        method: &'static str,
        id: &str,
        sent: &Value,
    ) -> Option<String> {
        let (before, led_to) = self.requests.get(&(method, id.to_owned()))?.clone();
        if before != *sent {
            self.note(format!("{method}: the requestId {id} comes again with something else"));
        }
        Some(led_to)
    }

    /// The cluster of this name that is still there.
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.iter().rev().find(|cluster| cluster.name == name && cluster.is_alive())
    }

    /// The same, to change what becomes of it.
    pub fn cluster_mut(&mut self, name: &str) -> Option<&mut Cluster> {
        let named = |cluster: &&mut Cluster| cluster.name == name && cluster.is_alive();
        self.clusters.iter_mut().rev().find(named)
    }

    /// A job, by its id.
    pub fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// The same, to change what becomes of it.
    pub fn job_mut(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    /// The clusters that are still there, in whatever state.
    pub fn alive(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter().filter(|cluster| cluster.is_alive())
    }

    /// The jobs that wait or run.
    pub fn active(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.is_active())
    }

    /// The jobs of a step, or whose ids begin so, oldest first, as far as the script names it.
    pub fn jobs_of<'w>(&'w self, step: &'w str) -> impl Iterator<Item = &'w Job> {
        self.jobs.iter().filter(move |job| self.script.name_of(&job.id).as_deref() == Some(step))
    }

    /// How often jobs under this name of the script were submitted.
    pub fn submissions(&self, step: &str) -> usize {
        self.submissions.get(step).copied().unwrap_or(0)
    }

    /// What was done that should never be.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Notes what should never be done.
    pub(super) fn note(&mut self, violation: String) {
        self.violations.push(violation);
    }

    /// Whether something is, or was, in a state that Dataproc does not document.
    pub(super) fn is_odd(&self) -> bool {
        let clusters = self.clusters.iter().flat_map(|it| it.history.iter().chain([&it.status]));
        let jobs = self.jobs.iter().flat_map(|it| it.history.iter().chain([&it.status]));
        clusters.into_iter().any(|status| matches!(status.state, State::Word(_)))
            || jobs.into_iter().any(|status| matches!(status.state, JobState::Word(_)))
    }
}

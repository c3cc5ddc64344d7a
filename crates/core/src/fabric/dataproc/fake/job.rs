//! One job of the fake's world. Time is an argument.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::script::{End, StepScript};
use super::status::Status;
use crate::clock::add;

/// One job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Such as `r-20261122T101500Z-k3f9x2-load-1-0011aabb`.
    pub id: String,
    /// Made up by Dataproc.
    pub uuid: String,
    /// Its project.
    pub project: String,
    /// Where it is.
    pub region: String,
    /// The name of its cluster.
    pub cluster: String,
    /// The uuid of its cluster.
    pub cluster_uuid: String,
    /// Where its driver's output goes, without the number of the object.
    pub output: String,
    /// As it was submitted.
    pub order: Value,
    /// When it was submitted.
    pub created: Timestamp,
    /// What it is.
    pub status: Status<JobState>,
    /// What it was, oldest first.
    pub history: Vec<Status<JobState>>,
    /// When it began to run.
    pub started: Option<Timestamp>,
    /// When it was asked to stop.
    pub asked: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What becomes of it.
    pub script: StepScript,
    /// So many of its turns have come.
    pub(super) turned: usize,
    /// The exit code that our own wrapper wrote down as the last thing.
    pub(super) exited: Option<i32>,
}

/// The states of a job (`JobStatus.State`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// PENDING
    Pending,
    /// SETUP_DONE
    SetupDone,
    /// RUNNING
    Running,
    /// ATTEMPT_FAILURE
    AttemptFailure,
    /// CANCEL_PENDING
    CancelPending,
    /// CANCEL_STARTED
    CancelStarted,
    /// CANCELLED
    Cancelled,
    /// DONE
    Done,
    /// ERROR
    Error,
    /// One that Dataproc does not document.
    Word(&'static str),
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    SetUp,
    Starts,
    Turns,
    Stops,
    Cancelled,
    Ends,
}

impl JobState {
    /// Dataproc's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::SetupDone => "SETUP_DONE",
            Self::Running => "RUNNING",
            Self::AttemptFailure => "ATTEMPT_FAILURE",
            Self::CancelPending => "CANCEL_PENDING",
            Self::CancelStarted => "CANCEL_STARTED",
            Self::Cancelled => "CANCELLED",
            Self::Done => "DONE",
            Self::Error => "ERROR",
            Self::Word(word) => word,
        }
    }
}

impl Job {
    /// Its state.
    pub fn state(&self) -> JobState {
        self.status.state
    }

    /// It waits or runs.
    pub fn is_active(&self) -> bool {
        self.ended.is_none()
    }

    /// Its labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let given = self.order["labels"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        given.map(|(key, value)| (key.clone(), text(value))).collect()
    }

    fn turn(&mut self, status: Status<JobState>) {
        let before = std::mem::replace(&mut self.status, status);
        self.history.push(before);
    }

    /// It ends.
    pub(super) fn end(&mut self, at: Timestamp, state: JobState, details: String) {
        self.turn(Status { details, ..Status::new(state, at) });
        self.ended = Some(at);
    }

    /// Somebody wants it stopped.
    pub(super) fn cancel(&mut self, at: Timestamp) {
        if self.is_active() && self.asked.is_none() {
            self.asked = Some(at);
            self.turn(Status::new(JobState::CancelPending, at));
        }
    }

    /// What happens to it next, if nothing comes between.
    pub(super) fn next(&self) -> Option<(Timestamp, Event)> {
        if self.ended.is_some() {
            return None;
        }
        let script = &self.script;
        let ends = self.started.zip(script.runs).map(|(at, runs)| (add(at, runs), Event::Ends));
        let other = match (self.asked, self.started) {
            (Some(asked), _) => {
                let started = add(asked, script.cancel_pending);
                Some(if self.state() == JobState::CancelPending {
                    (started, Event::Stops)
                } else {
                    (add(started, script.stubborn), Event::Cancelled)
                })
            }
            (None, Some(started)) => {
                let turn = script.turns.get(self.turned);
                turn.map(|turn| (add(started, turn.after), Event::Turns))
            }
            (None, None) => {
                let set_up = add(self.created, script.pending);
                Some(if self.state() == JobState::Pending {
                    (set_up, Event::SetUp)
                } else {
                    (add(set_up, script.setup), Event::Starts)
                })
            }
        };
        [ends, other].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// It happens.
    pub(super) fn apply(&mut self, at: Timestamp, event: Event) {
        match event {
            Event::SetUp => self.turn(Status::new(JobState::SetupDone, at)),
            Event::Starts => {
                self.started = Some(at);
                self.turn(Status::new(JobState::Running, at));
            }
            Event::Turns => {
                let turn = self.script.turns.get(self.turned).cloned();
                self.turned += 1;
                if let Some(turn) = turn {
                    let (substate, details) = (turn.substate, turn.details);
                    self.turn(Status { substate, details, ..Status::new(turn.state, at) });
                }
            }
            Event::Stops => self.turn(Status::new(JobState::CancelStarted, at)),
            Event::Cancelled => self.end(at, JobState::Cancelled, "Job was cancelled.".to_owned()),
            Event::Ends => self.end_by_itself(at),
        }
    }

    fn end_by_itself(&mut self, at: Timestamp) {
        match self.script.end.clone() {
            End::Done => self.end(at, JobState::Done, String::new()),
            End::Exits(code) => {
                self.exited = Some(code);
                match code {
                    0 => self.end(at, JobState::Done, String::new()),
                    _ => self.end(at, JobState::Error, self.failure()),
                }
            }
            End::Fails(details) if details.is_empty() => {
                self.end(at, JobState::Error, self.failure());
            }
            End::Fails(details) => self.end(at, JobState::Error, details),
            End::Cancelled => self.end(at, JobState::Cancelled, String::new()),
            End::Word(word) => self.end(at, JobState::Word(word), String::new()),
        }
    }

    /// What Dataproc says of a driver that ended badly, for want of anything better.
    fn failure(&self) -> String {
        let Self { id, project, region, output, .. } = self;
        format!(
            "Google Cloud Dataproc Agent reports job failure. If logs are available, they can be found at:\nhttps://console.cloud.google.com/dataproc/jobs/{id}?project={project}&region={region}\ngcloud dataproc jobs wait '{id}' --region '{region}' --project '{project}'\n{output}.*"
        )
    }

    /// What its driver has written until `now`, piece by piece.
    pub(super) fn written(&self, now: Timestamp) -> Vec<(Timestamp, String)> {
        let Some(started) = self.started else { return Vec::new() };
        let until = self.ended.map_or(now, |ended| ended.min(now));
        let pieces = self.script.output.iter();
        let pieces = pieces.map(|(after, text)| (add(started, *after), text.clone()));
        let mut all: Vec<_> = pieces.filter(|(at, _)| *at <= until).collect();
        if let Some((code, ended)) = self.exited.zip(self.ended).filter(|(_, at)| *at <= now) {
            all.push((ended, format!("dataflow-runner: exit code {code}\n")));
        }
        all
    }

    /// As Dataproc tells of it.
    pub(super) fn told(&self) -> Value {
        let told = |status: &Status<JobState>| status.told(status.state.word(), "details");
        let mut job = self.order.clone();
        let folder = self.output.strip_suffix("driveroutput").unwrap_or(&self.output);
        let more = json!({
            "reference": {"projectId": self.project, "jobId": self.id},
            "placement": {"clusterName": self.cluster, "clusterUuid": self.cluster_uuid},
            "status": told(&self.status),
            "driverOutputResourceUri": self.output,
            "driverControlFilesUri": folder,
            "jobUuid": self.uuid,
        });
        super::merge(&mut job, &more);
        if !self.history.is_empty() {
            job["statusHistory"] = self.history.iter().map(told).collect();
        }
        if !self.is_active() {
            job["done"] = json!(true);
        }
        if self.started.is_some() && !self.script.yarn.is_empty() {
            job["yarnApplications"] = self.applications();
        }
        job
    }

    fn applications(&self) -> Value {
        let (state, progress) = match self.state() {
            JobState::Done => ("FINISHED", 1.0),
            JobState::Cancelled => ("KILLED", 1.0),
            JobState::Error => ("FAILED", 1.0),
            _ => ("RUNNING", 0.5),
        };
        let applications = (1..).zip(&self.script.yarn).map(|(n, name)| {
            let host = format!("http://{}-m:8088/proxy", self.cluster);
            let id = format!("application_{}_{n:04}", self.created.as_millisecond());
            let url = format!("{host}/{id}/");
            json!({"name": name, "state": state, "progress": progress, "trackingUrl": url})
        });
        applications.collect()
    }
}

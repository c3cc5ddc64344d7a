//! One application of the fake's world.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::program::Program;
use super::script::{End, StepScript};
use crate::clock::{add, until};

/// An application.
#[derive(Clone, Debug)]
pub struct Application {
    /// Such as `application_1795340501355_0002`.
    pub id: String,
    /// Of the step, for a launcher.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// Such as `dataflow-runner`, `SPARK`.
    pub kind: String,
    /// In lower case.
    pub tags: Vec<String>,
    /// In which it was put.
    pub queue: String,
    /// As it was submitted; null where it came of a launcher.
    pub order: Value,
    /// What its launcher runs.
    pub program: Option<Program>,
    /// Its launcher.
    pub parent: Option<String>,
    /// Its state.
    pub state: State,
    /// Why it ended so.
    pub diagnostics: String,
    /// When it was submitted.
    pub created: Timestamp,
    /// When it began to run.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Who asked it to end, and when.
    pub asked: Option<(String, Timestamp)>,
    /// When its lifetime is over.
    pub deadline: Option<Timestamp>,
    /// What becomes of it.
    pub script: StepScript,
    /// So many of its children have come.
    pub(super) spawned: usize,
}

/// YARN's two words in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// ACCEPTED
    Accepted,
    /// RUNNING
    Running,
    /// FINISHED, and SUCCEEDED.
    Succeeded,
    /// FINISHED, and FAILED.
    Unsuccessful,
    /// FAILED
    Failed,
    /// KILLED
    Killed,
    /// Two that YARN does not document.
    Words(&'static str, &'static str),
}

impl State {
    /// YARN's words.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Accepted => ("ACCEPTED", "UNDEFINED"),
            Self::Running => ("RUNNING", "UNDEFINED"),
            Self::Succeeded => ("FINISHED", "SUCCEEDED"),
            Self::Unsuccessful => ("FINISHED", "FAILED"),
            Self::Failed => ("FAILED", "FAILED"),
            Self::Killed => ("KILLED", "KILLED"),
            Self::Words(state, end) => (state, end),
        }
    }

    /// It waits or runs.
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Accepted | Self::Running)
    }
}

impl Application {
    /// Whether it carries a tag, however that is written.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own.eq_ignore_ascii_case(tag))
    }

    /// The container of its master.
    pub fn container(&self) -> String {
        self.id.replace("application_", "container_") + "_01_000001"
    }

    /// It starts if its time has come.
    pub(super) fn start(&mut self, now: Timestamp) {
        let at = add(self.created, self.script.waits);
        let before = self.end().is_none_or(|(end, _)| at < end);
        if self.state == State::Accepted && at <= now && before {
            (self.state, self.started) = (State::Running, Some(at));
        }
    }

    /// When it ends, if nothing comes between, and whether that is by itself.
    pub(super) fn end(&self) -> Option<(Timestamp, How)> {
        if !self.state.is_alive() {
            return None;
        }
        let itself = self.started.zip(self.script.runs).map(|(started, runs)| add(started, runs));
        let asked = self.asked.as_ref().map(|(_, at)| add(*at, self.script.stubborn));
        let all = [
            itself.map(|at| (at, How::Itself)),
            asked.map(|at| (at, How::Killed)),
            self.deadline.map(|at| (at, How::Late)),
        ];
        all.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// It ends.
    pub(super) fn finish(&mut self, at: Timestamp, how: How) {
        let id = &self.id;
        let (state, diagnostics) = match how {
            How::Killed => {
                let who = self.asked.as_ref().map_or("", |(who, _)| who.as_str());
                (State::Killed, format!("Application {id} was killed by user {who}"))
            }
            How::Late => {
                let said = "Application is killed by ResourceManager as it has exceeded the lifetime period.";
                (State::Killed, said.to_owned())
            }
            How::Itself => self.by_itself(),
        };
        (self.state, self.diagnostics, self.ended) = (state, diagnostics, Some(at));
    }

    fn by_itself(&self) -> (State, String) {
        let attempt = self.id.replace("application_", "appattempt_") + "_000001";
        let failed = |rest: String| {
            let times = "failed 1 times (global limit =2; local limit is =1)";
            format!("Application {} {times} due to {rest}", self.id)
        };
        match &self.script.end {
            End::Exits(0) | End::Succeeds => (State::Succeeded, String::new()),
            End::Exits(code) => {
                (State::Unsuccessful, format!("exit code {code}\n{}", self.script.stderr))
            }
            End::Fails(diagnostics) => (State::Unsuccessful, diagnostics.clone()),
            End::Container(code, words) => {
                let rest = format!(
                    "AM Container for {attempt} exited with  exitCode: {code}\nFailing this attempt.Diagnostics: {words}\nFor more detailed output, check the application tracking page. Then click on links to logs of each attempt.\n. Failing the application."
                );
                (State::Failed, failed(rest))
            }
            End::Silent => {
                let rest = format!(
                    "ApplicationMaster for attempt {attempt} timed out. Failing the application."
                );
                (State::Failed, failed(rest))
            }
            End::Words(state, end) => (State::Words(state, end), String::new()),
        }
    }

    /// It cannot even begin.
    pub(super) fn fail(&mut self, at: Timestamp, diagnostics: String) {
        (self.state, self.diagnostics, self.ended) = (State::Failed, diagnostics, Some(at));
    }

    /// Whether its launcher came to leave its logs.
    pub(super) fn left_logs(&self) -> bool {
        let by_itself = matches!(self.script.end, End::Exits(_));
        let ended = matches!(self.state, State::Succeeded | State::Unsuccessful);
        ended && by_itself && !self.script.leaves_no_logs
    }

    /// As the ResourceManager tells of it.
    pub(super) fn told(&self, node: &str, began: i64, now: Timestamp) -> Value {
        let (state, end) = self.state.words();
        let millis = |at: Option<Timestamp>| at.map_or(0, Timestamp::as_millisecond);
        let alive = self.state.is_alive();
        let size = |n: i64| if alive { n } else { -1 };
        let elapsed = until(self.created, self.ended.unwrap_or(now));
        let seconds = self.started.map_or(0, |at| until(at, self.ended.unwrap_or(now)).as_secs());
        let mut told = json!({
            "id": self.id,
            "user": self.user,
            "name": self.name,
            "queue": format!("root.{}", self.queue),
            "state": state,
            "finalStatus": end,
            "progress": if alive { 50.0 } else { 100.0 },
            "trackingUI": if alive { "ApplicationMaster" } else { "History" },
            "trackingUrl": format!("http://{node}/proxy/{}/", self.id),
            "diagnostics": self.diagnostics,
            "clusterId": began,
            "applicationType": self.kind,
            "applicationTags": self.tags.join(","),
            "priority": -1,
            "startedTime": self.created.as_millisecond(),
            "launchTime": millis(self.started),
            "finishedTime": millis(self.ended),
            "elapsedTime": u64::try_from(elapsed.as_millis()).unwrap_or(0),
            "masterNodeId": "",
            "allocatedMB": size(256),
            "allocatedVCores": size(1),
            "reservedMB": size(0),
            "reservedVCores": size(0),
            "runningContainers": size(1),
        });
        merge(&mut told, self.used(seconds));
        // Only what had a container was on a node.
        if self.started.is_some() {
            let logs =
                format!("http://{node}/node/containerlogs/{}/{}", self.container(), self.user);
            told["amContainerLogs"] = json!(logs);
            told["amHostHttpAddress"] = json!(node);
            told["masterNodeId"] = json!("127.0.0.1:42357");
        }
        told
    }

    /// What it has used up.
    fn used(&self, seconds: u64) -> Value {
        let alive = self.state.is_alive();
        json!({
            "memorySeconds": seconds * 256,
            "vcoreSeconds": seconds,
            "queueUsagePercentage": 0.0,
            "clusterUsagePercentage": 0.0,
            "resourceSecondsMap": {"entry": {"key": "vcores", "value": seconds.to_string()}},
            "preemptedResourceMB": 0,
            "preemptedResourceVCores": 0,
            "numNonAMContainerPreempted": 0,
            "numAMContainerPreempted": 0,
            "preemptedMemorySeconds": 0,
            "preemptedVcoreSeconds": 0,
            "preemptedResourceSecondsMap": {},
            "logAggregationStatus": if alive { "NOT_START" } else { "SUCCEEDED" },
            "unmanagedApplication": false,
            "appNodeLabelExpression": "",
            "amNodeLabelExpression": "",
            "timeouts": {"timeout": [
                {"type": "LIFETIME", "expiryTime": "UNLIMITED", "remainingTimeInSeconds": -1}
            ]},
        })
    }
}

/// One object's members into another.
fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// What ends an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Itself,
    Killed,
    Late,
}

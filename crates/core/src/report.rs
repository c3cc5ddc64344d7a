//! What a journal says of a run: folds of its events.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::event::{Event, EventKind, Goal, Outcome};
use crate::fabric::RunId;
use crate::journal::{Begun, Glance, Header};

mod steps;
mod whole;

pub use steps::{Asked, AttemptReport, Stand, StepReport};
pub use whole::{
    ClusterReport, Counts, Drive, Interruption, NoContact, Orders, Report, Seconds, Warned,
};

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Somebody drives it.
    Running,
    /// Nobody drives it, and it has no end: what it started may be running.
    Left,
    /// It ended.
    Ended(Outcome),
}

impl Standing {
    /// By the last event, and by whether somebody drives the run.
    fn of(last: Option<&Event>, driven: bool) -> Self {
        match last.map(|event| &event.kind) {
            Some(EventKind::RunEnded { outcome }) => Self::Ended(outcome.clone()),
            _ if driven => Self::Running,
            _ => Self::Left,
        }
    }

    /// In one word: `running`, `left`, or the kind of the outcome.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Left => "left",
            Self::Ended(outcome) => outcome.word(),
        }
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Ended(outcome) => Some(outcome),
            Self::Running | Self::Left => None,
        }
    }

    /// All words.
    pub const WORDS: [&str; 9] = [
        "running",
        "left",
        "succeeded",
        "noop",
        "submitted",
        "failed",
        "refused",
        "interrupted",
        "in-doubt",
    ];
}

impl Serialize for Standing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// One line of a list of runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Which.
    pub run: RunId,
    /// What somebody called it.
    pub name: Option<String>,
    /// Where it stands.
    #[serde(rename = "state")]
    pub standing: Standing,
    /// When it was begun.
    pub begun: Timestamp,
    /// When it ended, if it has.
    pub ended: Option<Timestamp>,
    /// What it is to do, such as `run-transient`.
    pub goal: Option<Goal>,
    /// The fabric's name.
    pub fabric: String,
    /// The playbook's name, where there is one.
    pub playbook: Option<String>,
}

impl Summary {
    /// Of a glance at a journal.
    pub fn of(glance: Glance) -> Self {
        Self::told(glance.header, glance.begun, glance.last.as_ref(), glance.driven)
    }

    /// By the first and the last event, and by whether somebody drives the run.
    fn told(header: Header, begun: Option<Begun>, last: Option<&Event>, driven: bool) -> Self {
        let standing = Standing::of(last, driven);
        let ended = last.filter(|_| standing.outcome().is_some()).map(|event| event.at);
        let (goal, playbook, name) = match begun {
            Some(Begun { goal, playbook, name, .. }) => (Some(goal), playbook, name),
            None => (None, None, None),
        };
        let Header { run, created, fabric, .. } = header;
        Self { run, name, standing, begun: created, ended, goal, fabric, playbook }
    }
}

#[cfg(test)]
mod tests;

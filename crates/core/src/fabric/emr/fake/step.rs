//! One step of the fake's world.

use jiff::Timestamp;
use serde_json::Value;

use super::script::{FailureDetails, StepEnd, StepScript};
use crate::clock::add;

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Such as `s-2V0E5KXW6S9MN`.
    pub id: String,
    /// Its `StepConfig` as it was submitted.
    pub config: Value,
    /// When it was submitted.
    pub created: Timestamp,
    /// Its state.
    pub state: State,
    /// When it began to run.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<FailureDetails>,
    /// What becomes of it.
    pub script: StepScript,
    /// When it was asked to stop.
    pub asked: Option<Timestamp>,
}

/// The states of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// PENDING
    Pending,
    /// CANCEL_PENDING
    CancelPending,
    /// RUNNING
    Running,
    /// COMPLETED
    Completed,
    /// CANCELLED
    Cancelled,
    /// FAILED
    Failed,
    /// INTERRUPTED
    Interrupted,
    /// One that EMR does not document.
    Other(&'static str),
}

impl State {
    /// EMR's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::CancelPending => "CANCEL_PENDING",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
            Self::Interrupted => "INTERRUPTED",
            Self::Other(word) => word,
        }
    }

    /// It waits or runs.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::CancelPending | Self::Running)
    }
}

impl Step {
    /// A step that waits.
    pub(super) fn new(id: String, config: Value, script: StepScript, created: Timestamp) -> Self {
        Self {
            id,
            config,
            created,
            state: State::Pending,
            started: None,
            ended: None,
            failure: None,
            script,
            asked: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.config["Name"].as_str().unwrap_or_default()
    }

    /// It takes up a place: it runs, or ran when it was asked to stop.
    pub(super) fn is_running(&self) -> bool {
        self.state.is_active() && self.started.is_some()
    }

    /// When it ends, and how, if nothing comes between. It is asked to stop, but ends earlier: both are possible.
    pub(super) fn end(&self) -> Option<(Timestamp, State)> {
        if !self.state.is_active() {
            return None;
        }
        let itself = self.started.zip(self.script.runs).map(|(started, runs)| {
            let state = match self.script.end {
                StepEnd::Completed => State::Completed,
                StepEnd::Failed(_) => State::Failed,
                StepEnd::Cancelled => State::Cancelled,
                StepEnd::Interrupted => State::Interrupted,
                StepEnd::Word(word) => State::Other(word),
            };
            (add(started, runs), state)
        });
        let asked = self.asked.map(|asked| (add(asked, self.script.stubborn), State::Cancelled));
        match (itself, asked) {
            (Some(itself), Some(asked)) => Some(if asked.0 < itself.0 { asked } else { itself }),
            (itself, asked) => itself.or(asked),
        }
    }

    /// It starts.
    pub(super) fn start(&mut self, at: Timestamp) {
        self.state = State::Running;
        self.started = Some(at);
    }

    /// It ends.
    pub(super) fn finish(&mut self, at: Timestamp, state: State) {
        self.state = state;
        self.ended = Some(at);
        if let (State::Failed, StepEnd::Failed(details)) = (state, &self.script.end) {
            self.failure.clone_from(details);
        }
    }
}

//! What really became of each step that was taken, for those who judge what was told of it.

use jiff::Timestamp;

use super::{ClusterId, Memory, StepId, StepState};

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// On which cluster.
    pub cluster: ClusterId,
    /// Its id there.
    pub id: StepId,
    /// Its id in the playbook.
    pub step: String,
    /// Its state.
    pub state: StepState,
    /// Its exit code, if it ended with one.
    pub exit_code: Option<i32>,
    /// When all that came.
    pub times: Times,
}

/// When what happened to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// It was taken.
    pub taken: Timestamp,
    /// It began to run.
    pub started: Option<Timestamp>,
    /// It was first asked to stop.
    pub asked: Option<Timestamp>,
    /// It ended.
    pub ended: Option<Timestamp>,
    /// It ended with its cluster, or before it began, since another step failed.
    pub swept: bool,
}

impl Times {
    /// Of one that was taken now.
    pub(super) fn new(taken: Timestamp) -> Self {
        Self { taken, started: None, asked: None, ended: None, swept: false }
    }

    /// It is in this state now.
    pub(super) fn seen(&mut self, state: StepState, now: Timestamp) {
        if state != StepState::Pending && state != StepState::Cancelled {
            self.started.get_or_insert(now);
        }
        if state.is_final() {
            self.ended.get_or_insert(now);
        }
    }
}

impl Memory {
    /// All steps that were taken, in the order they were.
    pub fn taken(&self) -> Vec<Taken> {
        let world = self.world();
        let steps = world.clusters.iter().flat_map(|(cluster, on)| {
            on.steps.iter().map(move |(id, step)| Taken {
                cluster: cluster.clone(),
                id: id.clone(),
                step: step.step.clone(),
                state: step.state,
                exit_code: step.exit_code(),
                times: step.times,
            })
        });
        let mut all: Vec<_> = steps.collect();
        all.sort_by_key(|step| step.times.taken);
        all
    }

    /// The clusters that are gone for good, and whether they were ever asked to go.
    pub fn gone(&self) -> Vec<(ClusterId, bool)> {
        let world = self.world();
        let gone = world.clusters.iter().filter(|(_, cluster)| cluster.state.is_final());
        gone.map(|(id, cluster)| (id.clone(), cluster.asked_to_stop.is_some())).collect()
    }
}

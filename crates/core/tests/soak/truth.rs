//! What really happened on the far side, whatever was told of it.

use dataflow_runner_core::event::{Event, EventKind, Outcome};
use dataflow_runner_core::fabric::StepState;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// All that a run left behind on the far side.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    /// Those that the run was given or that it launched, in the order they were made.
    pub(crate) clusters: Vec<Cluster>,
    /// What was taken of the run's steps, in the order it was taken.
    pub(crate) runs: Vec<StepRun>,
    /// The fabric runs a plain chain by itself, one step after the other.
    pub(crate) has_queue: bool,
    /// So many steps run at once there at most, where it does not queue them by itself.
    pub(crate) most_at_once: Option<usize>,
    /// What should never have been asked.
    pub(crate) violations: Vec<String>,
    /// When the run had ended.
    pub(crate) end: Timestamp,
    /// For so long nobody answered.
    pub(crate) silence: Duration,
    /// Why nobody could have found out everything, if so.
    pub(crate) obscure: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) id: String,
    /// It was there before.
    pub(crate) given: bool,
    /// It is gone for good, at the end of the run.
    pub(crate) gone: bool,
    pub(crate) ended: Option<Timestamp>,
    /// It would take steps, long after the run.
    pub(crate) stays: bool,
    /// It ended neither because of us nor since its steps were done.
    pub(crate) died: bool,
}

/// One submission of a step.
#[derive(Clone, Debug)]
pub(crate) struct StepRun {
    /// The step's place in the playbook.
    pub(crate) step: usize,
    pub(crate) id: String,
    pub(crate) taken: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    /// `None`: it waits or runs, or did so when its cluster ended.
    pub(crate) end: Option<End>,
    /// When it was asked to stop.
    pub(crate) asked: Option<Timestamp>,
}

/// How a submission ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Succeeded,
    /// With success, and with that of the whole run.
    Noop,
    /// By itself.
    Failed,
    /// By a stranger's hand.
    Foreign,
    /// We asked for it.
    Stopped,
    /// With its cluster, or before it began, since another step failed.
    Swept,
    /// In a way that nobody has heard of.
    Unheard,
}

impl StepRun {
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.end, Some(End::Succeeded | End::Noop))
    }

    /// It was stopped, and not before its time was over.
    pub(crate) fn timed_out(&self, limit: Option<u64>) -> bool {
        let (Some(limit), Some(started), Some(asked)) = (limit, self.started, self.asked) else {
            return false;
        };
        self.end == Some(End::Stopped)
            && asked.duration_since(started).as_secs_f64() >= limit as f64 - 0.01
    }
}

/// What was told of the run while it went on.
#[derive(Debug)]
pub(crate) struct Told {
    /// For so long nobody drove it, all in all.
    pub(crate) left_alone: Duration,
    /// Whether its journal tells the same, and what else.
    pub(crate) kept: Result<(), String>,
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<Event>,
    /// The ids that were told for each attempt of a step, by its id in the playbook.
    pub(crate) ids: BTreeMap<(String, u32), String>,
    /// How each attempt is said to have ended.
    pub(crate) ends: BTreeMap<(String, u32), StepState>,
}

impl Told {
    pub(crate) fn new(
        outcome: Outcome,
        events: Vec<Event>,
        left_alone: Duration,
        kept: Result<(), String>,
    ) -> Self {
        let (mut ids, mut ends, mut ordered) = (BTreeMap::new(), BTreeMap::new(), HashMap::new());
        for event in &events {
            match &event.kind {
                EventKind::SubmitIntended { token, steps, .. }
                | EventKind::LaunchIntended { token, steps, .. } => {
                    ordered.insert(token.clone(), steps.clone());
                }
                EventKind::Submitted { token, ids: got, .. } => {
                    let of = ordered.get(token).into_iter().flatten();
                    ids.extend(
                        of.map(|a| (a.step.clone(), a.attempt))
                            .zip(got.iter().map(|id| id.as_str().to_owned())),
                    );
                }
                EventKind::StepEnded { step, attempt, state, .. } => {
                    ends.insert((step.clone(), *attempt), *state);
                }
                _ => {}
            }
        }
        Self { left_alone, kept, outcome, events, ids, ends }
    }
}

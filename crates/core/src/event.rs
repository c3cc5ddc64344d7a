//! What happens in a run. Journal, progress, JSON stream and report are folds of these.
//!
//! Once written, an event must be readable for ever: fields and kinds are added, never changed or removed
//! (`fixtures/journals/` holds a journal of every version). No event holds a secret, an argument of a step
//! or the value of a variable; names are what the user calls things and may be shown.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::playbook::{Rules, Step, StepType};
pub use crate::driver::Driver;
use crate::fabric::{Cause, ClusterId, ClusterState, Error, RunId, StepId, StepState, Token};
use crate::plan::Plan;

mod read;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// From 1, without gaps.
    pub seq: u64,
    /// When; never earlier than the event before. To the millisecond.
    pub at: Timestamp,
    /// What. Flat in JSON, beside `seq` and `at`, with the kind as `event`: one line reads as one sentence.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// The first event of every journal.
    RunStarted {
        /// Which run.
        run: RunId,
        /// What it is to do.
        goal: Goal,
        /// The fabric's name.
        fabric: String,
        /// The playbook's name, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        playbook: Option<String>,
        /// The cluster that was there before the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cluster: Option<ClusterId>,
        /// What somebody called the run. Before what may be long: `journal::glance` reads no further.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The playbook's tags.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: BTreeMap<String, String>,
        /// The steps in the order of the playbook; other events name a step by its id.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        steps: Vec<StepInfo>,
        /// Who drives it; journals of early versions do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        driver: Option<Driver>,
        /// The playbook's own limit of steps at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_parallel: Option<NonZeroU32>,
        /// The steps that are not to run.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<String>,
    },
    /// Somebody drives the run again: one that was left, or whose end left something open.
    Attached {
        /// Who.
        driver: Driver,
    },
    /// A run that ended without success goes on: what is not done is to be done after all.
    Resumed {
        /// Who drives it.
        driver: Driver,
        /// The cluster that is there; none: one is to be launched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cluster: Option<ClusterId>,
        /// The steps as they are now, where they are not as they were.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        steps: Vec<StepInfo>,
        /// Of those not done, the ones that are not to run.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<String>,
        /// Steps whose end nobody could tell, and about which nobody asks any more: somebody said what to do with them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given_up: Vec<String>,
    },
    /// A cluster is about to be ordered.
    LaunchIntended {
        /// The order.
        token: Token,
        /// The steps and their attempts that go with it, in this order: the cluster ends itself after them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        steps: Vec<Attempt>,
        /// Somebody else may have sent it before, so it is asked for first.
        #[serde(default, skip_serializing_if = "is_false")]
        ask_first: bool,
    },
    /// The fabric took the order for a cluster.
    Launched {
        /// The order.
        token: Token,
        /// What it gave.
        cluster: ClusterId,
        /// The answer to the order was lost; the cluster was found by its token.
        #[serde(default, skip_serializing_if = "is_false")]
        adopted: bool,
    },
    /// The cluster's own set-up failed and it is gone; another is to be ordered.
    RelaunchScheduled {
        /// The launch to come, from 2.
        launch: u32,
        /// Not before then.
        not_before: Timestamp,
    },
    /// The cluster's state changed, or its reason.
    ClusterChanged {
        /// Which.
        cluster: ClusterId,
        /// In our words.
        state: ClusterState,
        /// In the fabric's own words.
        native: String,
        /// Why, if it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Why, as far as decisions need to know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
    },
    /// Steps are about to be ordered.
    SubmitIntended {
        /// The order.
        token: Token,
        /// The steps and their attempts, in this order.
        steps: Vec<Attempt>,
        /// The ids they will have, where the fabric gives them out before; else none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ids: Vec<StepId>,
        /// Somebody else may have sent it before, so it is asked for first.
        #[serde(default, skip_serializing_if = "is_false")]
        ask_first: bool,
    },
    /// The fabric took the order.
    Submitted {
        /// The order.
        token: Token,
        /// The ids, in the order of the intent.
        ids: Vec<StepId>,
        /// The answer to the order was lost; the steps were found by their token.
        #[serde(default, skip_serializing_if = "is_false")]
        adopted: bool,
    },
    /// The fabric refused an order, or it surely never arrived. It had no effect.
    OrderRefused {
        /// The order.
        token: Token,
        /// Why.
        error: Error,
        /// It is given up; else it is sent again later.
        last: bool,
    },
    /// The answer to an order is lost: it may have been carried out. Told again for each question about it that
    /// went unanswered.
    OrderLost {
        /// The order.
        token: Token,
        /// What happened to the answer.
        error: Error,
    },
    /// The fabric was asked for a lost order and does not hold it.
    OrderNotFound {
        /// The order.
        token: Token,
        /// It says that it surely does not hold it; else it just does not show.
        absent: bool,
        /// It said so before, long enough ago: the order is sent again.
        proven: bool,
    },
    /// A step's state changed, short of its end.
    StepChanged {
        /// Its id in the playbook.
        step: String,
        /// Which attempt, from 1.
        attempt: u32,
        /// In our words.
        state: StepState,
        /// In the fabric's own words.
        native: String,
        /// When it began to run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started: Option<Timestamp>,
        /// Why, if it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// One attempt of a step ended.
    StepEnded {
        /// Its id in the playbook.
        step: String,
        /// Which attempt, from 1.
        attempt: u32,
        /// SUCCEEDED, FAILED or CANCELLED, after the playbook's rules on exit codes.
        state: StepState,
        /// In the fabric's own words.
        native: String,
        /// Why, if it says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The exit code of the program, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// When it began to run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started: Option<Timestamp>,
        /// When it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended: Option<Timestamp>,
        /// Where a person can look.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
        /// This success ends the run early (`terminateJobWithSuccess`).
        #[serde(default, skip_serializing_if = "is_false")]
        noop: bool,
    },
    /// A failed step is to be tried again.
    RetryScheduled {
        /// Its id in the playbook.
        step: String,
        /// The attempt to come.
        attempt: u32,
        /// Not before then.
        not_before: Timestamp,
    },
    /// A step will not be started.
    StepSkipped {
        /// Its id in the playbook.
        step: String,
        /// Why not.
        why: Skip,
    },
    /// Steps are about to be asked to stop.
    CancelIntended {
        /// Their ids in the playbook.
        steps: Vec<String>,
        /// Why.
        why: Stop,
    },
    /// The cluster is about to be asked to go down.
    TerminateIntended {
        /// Which.
        cluster: ClusterId,
        /// Why.
        why: Stop,
    },
    /// Questions to the fabric go unanswered.
    ContactLost {
        /// What it says, if anything.
        error: Error,
    },
    /// The fabric answers again.
    ContactRestored,
    /// Somebody wants the run to end.
    Interrupted {
        /// The signal's number.
        signal: i32,
        /// Everything is left as it is; else it is cancelled.
        leave: bool,
    },
    /// Something a person should know.
    Warning {
        /// A lowercase fragment.
        message: String,
    },
    /// The journal cannot be written any more. Seen, but in no journal.
    JournalFailed {
        /// Why not.
        message: String,
    },
    /// The last event of a run.
    RunEnded {
        /// How.
        outcome: Outcome,
    },
}

/// What a run is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// Bring a cluster up.
    Up,
    /// Run a playbook on a cluster that is there.
    Run,
    /// Take a cluster down.
    Down,
    /// All three.
    RunTransient,
}

impl Goal {
    /// In one word, as the command is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Run => "run",
            Self::Down => "down",
            Self::RunTransient => "run-transient",
        }
    }

    /// Whether the run brings its cluster up, and so answers for its end.
    pub fn launches(self) -> bool {
        matches!(self, Self::Up | Self::RunTransient)
    }
}

/// What a journal needs to know of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepInfo {
    /// Its id in the playbook.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub step_type: StepType,
    /// The digest of all it says, with secrets replaced by their origins.
    pub digest: String,
    /// The places of the steps that it needs; absent: the step before it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Vec<usize>>,
    /// What is decided about it; journals of early versions do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
}

impl StepInfo {
    /// What a journal needs to know of the steps of a plan; nothing, where its playbook is not at hand.
    pub fn all(plan: &Plan) -> Vec<Self> {
        let info = |(place, step): (usize, &Step)| {
            let needs = plan.needs(place);
            let chained = needs.iter().copied().eq(place.checked_sub(1));
            Self {
                id: step.id.clone(),
                name: step.name.shown().to_owned(),
                step_type: step.work.program.step_type(),
                digest: step.digest(),
                needs: (!chained).then(|| needs.to_vec()),
                rules: Some(step.rules.clone()),
            }
        };
        plan.steps().iter().enumerate().map(info).collect()
    }
}

/// One attempt of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The step's id in the playbook.
    pub step: String,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// Why a step is not started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// A step it needs failed.
    DependencyFailed(String),
    /// Another step's failure stops all.
    StepFailed(String),
    /// Another step ended the run early, with success.
    Noop(String),
    /// Somebody wants the run to end.
    Interrupted,
    /// The cluster is gone, or never came.
    ClusterGone,
    /// It could not be recorded: the journal cannot be written.
    JournalFailed,
}

/// Why something is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// The run is done with it.
    Done,
    /// It was asked for (`down`).
    Asked,
    /// A step took longer than it may.
    TimedOut,
    /// A step failed whose failure stops all.
    StepFailed(String),
    /// Another step ended the run early, with success.
    Noop(String),
    /// Somebody wants the run to end.
    Interrupted,
    /// It failed.
    ClusterFailed,
    /// The run failed, or cannot go on.
    RunFailed,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    /// All that was asked for is done; every step was seen to succeed.
    Succeeded,
    /// A step ended the run early, with success.
    Noop {
        /// Its id in the playbook.
        step: String,
    },
    /// All steps were taken by the fabric, which carries on alone; nobody has seen how they end (`--async`).
    Submitted,
    /// It went wrong.
    Failed {
        /// How many steps failed, were cancelled or not started.
        failed: usize,
        /// Of how many.
        total: usize,
        /// What went wrong, where it was not a step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The fabric could not be reached or refused us; nothing is running because of this run.
    Refused {
        /// What it said.
        error: Error,
    },
    /// Somebody ended it, and what that promises is done.
    Interrupted {
        /// The signal's number.
        signal: i32,
        /// Whatever was going on was left as it was.
        #[serde(default, skip_serializing_if = "is_false")]
        left: bool,
    },
    /// Something may be running.
    InDoubt {
        /// What, and how to look.
        reason: String,
    },
}

impl Outcome {
    /// Its kind in one word, as in the journal.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Noop { .. } => "noop",
            Self::Submitted => "submitted",
            Self::Failed { .. } => "failed",
            Self::Refused { .. } => "refused",
            Self::Interrupted { .. } => "interrupted",
            Self::InDoubt { .. } => "in-doubt",
        }
    }

    /// Whether something may still be going on because of the run.
    pub fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Submitted | Self::InDoubt { .. } | Self::Interrupted { left: true, .. }
        )
    }

    /// Whether all went as it was asked for.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Noop { .. } | Self::Submitted)
    }
}

/// Who drives a run, or did so last, as its events tell.
pub fn driver(events: &[Event]) -> Option<&Driver> {
    events.iter().rev().find_map(|event| match &event.kind {
        EventKind::RunStarted { driver, .. } => driver.as_ref(),
        EventKind::Attached { driver } | EventKind::Resumed { driver, .. } => Some(driver),
        _ => None,
    })
}

/// The steps of a run as they were said last.
pub fn steps(events: &[Event]) -> &[StepInfo] {
    events
        .iter()
        .rev()
        .find_map(|event| match &event.kind {
            EventKind::RunStarted { steps, .. } => Some(steps.as_slice()),
            EventKind::Resumed { steps, .. } if !steps.is_empty() => Some(steps.as_slice()),
            _ => None,
        })
        .unwrap_or_default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_line_and_comes_back() {
        let event = Event {
            seq: 7,
            at: Timestamp::UNIX_EPOCH,
            kind: EventKind::StepEnded {
                step: "a".into(),
                attempt: 1,
                state: StepState::Failed,
                native: "exited".into(),
                reason: None,
                exit_code: Some(3),
                started: None,
                ended: None,
                link: None,
                noop: false,
            },
        };
        let line = serde_json::to_string(&event).expect("it serialises");
        assert_eq!(
            line,
            r#"{"seq":7,"at":"1970-01-01T00:00:00Z","event":"step-ended","step":"a","attempt":1,"state":"FAILED","native":"exited","exitCode":3}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&line).expect("it comes back"), event);
    }
}

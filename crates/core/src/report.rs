//! What a journal says of a run: folds of its events.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::engine::state::{Illegal, Phase, RunState, StepRun};
use crate::event::{Attempt, Event, EventKind, Goal, Outcome};
use crate::fabric::{ClusterId, ClusterState, StepId, StepState, Token};
use crate::journal::{Contents, Glance, Header};

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

/// One line of a list of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Where it stands.
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
    pub fn of(glance: &Glance) -> Self {
        Self::told(&glance.header, glance.first.as_ref(), glance.last.as_ref(), glance.driven)
    }

    /// By the first and the last event, and by whether somebody drives the run.
    fn told(header: &Header, first: Option<&Event>, last: Option<&Event>, driven: bool) -> Self {
        let (goal, playbook) = match first.map(|event| &event.kind) {
            Some(EventKind::RunStarted { goal, playbook, .. }) => (Some(*goal), playbook.clone()),
            _ => (None, None),
        };
        let standing = Standing::of(last, driven);
        let ended = matches!(standing, Standing::Ended(_));
        Self {
            ended: last.filter(|_| ended).map(|event| event.at),
            standing,
            begun: header.created,
            goal,
            fabric: header.fabric.clone(),
            playbook,
        }
    }
}

/// All that a journal says of a run that a person asks for first.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// In short.
    pub summary: Summary,
    /// The cluster, its last known state, and why it is in it.
    pub cluster: Option<(ClusterId, Option<ClusterState>, Option<String>)>,
    /// The steps in the order of the playbook.
    pub steps: Vec<StepReport>,
    /// When something last happened.
    pub last: Timestamp,
}

/// What a journal says of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    /// Its id in the playbook.
    pub id: String,
    /// Its name.
    pub name: String,
    /// In our words; `None`: it was not started.
    pub state: Option<StepState>,
    /// It will never be started.
    pub skipped: bool,
    /// So many attempts were begun.
    pub attempts: u32,
    /// The fabric's id of the latest.
    pub native_id: Option<StepId>,
    /// When that began to run, and when it ended.
    pub times: (Option<Timestamp>, Option<Timestamp>),
    /// Why it ended so, or was not started.
    pub reason: Option<String>,
}

impl Report {
    /// Of a whole journal; `driven`: somebody drives the run.
    ///
    /// # Errors
    /// An event cannot follow those before it.
    pub fn of(contents: &Contents, driven: bool) -> Result<Self, Illegal> {
        let state = RunState::fold(&contents.events)?;
        let Contents { header, events, .. } = contents;
        let cluster = &state.cluster;
        let mut steps: Vec<StepReport> = names(events)
            .into_iter()
            .zip(&state.steps)
            .map(|(name, run)| StepReport::of(name, run))
            .collect();
        let mut orders = HashMap::new();
        for event in events {
            note(&mut steps, &mut orders, &state, &event.kind);
        }
        Ok(Self {
            summary: Summary::told(header, events.first(), events.last(), driven),
            cluster: cluster.id.clone().map(|id| (id, cluster.state, cluster.reason.clone())),
            steps,
            last: state.at,
        })
    }
}

fn names(events: &[Event]) -> Vec<String> {
    match events.first().map(|event| &event.kind) {
        Some(EventKind::RunStarted { steps, .. }) => {
            steps.iter().map(|step| step.name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// What only the events tell of steps: ids, times, reasons.
fn note(
    steps: &mut [StepReport],
    orders: &mut HashMap<Token, Vec<Attempt>>,
    state: &RunState,
    kind: &EventKind,
) {
    let mut at = |id: &str, change: &mut dyn FnMut(&mut StepReport)| {
        if let Some(step) = state.place(id).and_then(|place| steps.get_mut(place)) {
            change(step);
        }
    };
    match kind {
        EventKind::SubmitIntended { token, steps, .. }
        | EventKind::LaunchIntended { token, steps, .. } => {
            orders.insert(token.clone(), steps.clone());
        }
        EventKind::Submitted { token, ids, .. } => {
            for (attempt, id) in orders.remove(token).into_iter().flatten().zip(ids) {
                at(&attempt.step, &mut |step| {
                    step.native_id = Some(id.clone());
                    step.times = (None, None);
                    step.reason = None;
                });
            }
        }
        EventKind::StepChanged { step, started, reason, .. } => at(step, &mut |step| {
            step.times.0 = started.or(step.times.0);
            step.reason.clone_from(reason);
        }),
        EventKind::StepEnded { step, started, ended, reason, .. } => at(step, &mut |step| {
            step.times = (started.or(step.times.0), *ended);
            step.reason.clone_from(reason);
        }),
        EventKind::StepSkipped { step, why } => {
            at(step, &mut |step| step.reason = Some(why.reason()));
        }
        _ => {}
    }
}

impl StepReport {
    fn of(name: String, run: &StepRun) -> Self {
        let state = match &run.phase {
            Phase::Waiting { .. } | Phase::Skipped | Phase::LeftOut => None,
            Phase::Ordered => Some(StepState::Pending),
            Phase::Live { state, .. } | Phase::Ended(state) => Some(*state),
        };
        Self {
            id: run.id.clone(),
            name,
            state,
            skipped: matches!(run.phase, Phase::Skipped | Phase::LeftOut),
            attempts: run.attempt - u32::from(run.again.is_some() && run.attempt > 0),
            native_id: None,
            times: (None, None),
            reason: (run.phase == Phase::LeftOut)
                .then(|| "it is left out, as was asked".to_owned()),
        }
    }
}

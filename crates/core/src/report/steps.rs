//! What a journal says of the steps of a run, and of each attempt of them.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::playbook::StepType;
use crate::engine::state::{Phase, RunState};
use crate::event::{Attempt, Event, EventKind, StepInfo, Stop};
use crate::fabric::{ClusterId, StepId, StepState, Token};

/// Where a step stands, or an attempt of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stand {
    /// Not started, or not yet again; an attempt whose order came to nothing and is to be sent again.
    Waiting,
    /// Ordered, and not known to have begun.
    Pending,
    /// At work.
    Running,
    /// Nobody can say.
    Unknown,
    /// Ended, and proven good.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Ended because somebody stopped it.
    Cancelled,
    /// Never to be started.
    Skipped,
    /// Not to be run, as somebody wished.
    LeftOut,
    /// No step of the playbook any more; what is told of it is what happened before.
    Removed,
    /// An attempt that never began: its order came to nothing, or its cluster failed before.
    Dropped,
    /// An attempt about which nobody asks any more: somebody said what to do with its step.
    GivenUp,
}

impl Stand {
    /// Whether nothing more happens to it.
    pub fn is_settled(self) -> bool {
        !matches!(
            self,
            Self::Waiting | Self::Pending | Self::Running | Self::Unknown | Self::Dropped
        )
    }

    /// In capitals, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Unknown => "UNKNOWN",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Skipped => "SKIPPED",
            Self::LeftOut => "LEFT_OUT",
            Self::Removed => "REMOVED",
            Self::Dropped => "DROPPED",
            Self::GivenUp => "GIVEN_UP",
        }
    }

    /// Whether the fabric has it, or may have.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Running | Self::Unknown)
    }

    /// Of a step, by the engine's own fold and by its last attempt.
    fn of(phase: &Phase, last: Option<&AttemptReport>) -> Self {
        match phase {
            Phase::Waiting { .. } => Self::Waiting,
            Phase::Skipped => Self::Skipped,
            Phase::LeftOut => Self::LeftOut,
            Phase::Ordered => Self::Pending,
            Phase::Live { .. } => last.map_or(Self::Pending, |attempt| attempt.state),
            Phase::Ended(state) => (*state).into(),
        }
    }
}

impl From<StepState> for Stand {
    fn from(state: StepState) -> Self {
        match state {
            StepState::Pending => Self::Pending,
            StepState::Running => Self::Running,
            StepState::Succeeded => Self::Succeeded,
            StepState::Failed => Self::Failed,
            StepState::Cancelled => Self::Cancelled,
            StepState::Unknown => Self::Unknown,
        }
    }
}

/// What a journal says of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// Its id in the playbook.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub step_type: StepType,
    /// Where it stands.
    pub state: Stand,
    /// Why it ended so, or was not started.
    pub reason: Option<String>,
    /// Its success ended the run early.
    pub noop: bool,
    /// The next attempt is not to begin before then.
    pub not_before: Option<Timestamp>,
    /// All of its attempts that were ordered, in the order in which they were.
    pub attempts: Vec<AttemptReport>,
}

/// What a journal says of one attempt of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptReport {
    /// Which, from 1. Twice the same, where the first was never begun.
    pub attempt: u32,
    /// Where it stands.
    pub state: Stand,
    /// The same in the fabric's own words.
    pub native: Option<String>,
    /// The token of its order, as it was last sent.
    pub token: Token,
    /// So often was the order sent.
    pub sent: u32,
    /// The cluster that has it.
    pub cluster: Option<ClusterId>,
    /// What it is called there.
    pub native_id: Option<StepId>,
    /// When it was first ordered.
    pub ordered: Timestamp,
    /// When the fabric was known to have it.
    pub submitted: Option<Timestamp>,
    /// When it began to run: by the fabric's word, else when it was seen to.
    pub running: Option<Timestamp>,
    /// When it ended: by the fabric's word, else when it was seen to.
    pub ended: Option<Timestamp>,
    /// From its order to its begin, or to its end where it never began.
    pub waited_seconds: Option<f64>,
    /// From its begin to its end.
    pub ran_seconds: Option<f64>,
    /// The exit code of the program, where there is one.
    pub exit_code: Option<i32>,
    /// Why it is in this state.
    pub reason: Option<String>,
    /// Where a person can look.
    pub link: Option<String>,
    /// It was asked to stop, last then and for this.
    pub cancel: Option<Asked>,
}

/// Something was asked to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// When, last.
    pub at: Timestamp,
    /// Why.
    pub why: Stop,
}

/// Seconds from one moment to another, which clocks of several machines may tell; to the millisecond, never below 0.
pub(super) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    let millis = to.as_millisecond().saturating_sub(from.as_millisecond()).max(0);
    std::time::Duration::from_millis(millis.unsigned_abs()).as_secs_f64()
}

/// The steps as far as the events were taken in.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// In the order of the playbook; then those that are no steps any more.
    all: Vec<StepReport>,
    places: HashMap<String, usize>,
    orders: HashMap<Token, Vec<Attempt>>,
}

impl Steps {
    /// Takes in the next event; `state` has it already.
    pub(super) fn follow(&mut self, event: &Event, state: &RunState) {
        match &event.kind {
            EventKind::RunStarted { steps, left_out, .. } => {
                self.plan(steps);
                self.leave_out(left_out);
            }
            EventKind::Resumed { steps, left_out, given_up, .. } => {
                for id in given_up {
                    self.live(id, |attempt| attempt.state = Stand::GivenUp);
                }
                if !steps.is_empty() {
                    self.plan(steps);
                }
                self.go_on(state);
                self.leave_out(left_out);
                self.ask_anew();
            }
            EventKind::Attached { .. } => self.ask_anew(),
            EventKind::OrderRefused { token, last, .. } => {
                self.came_to_nothing(token, if *last { Stand::Dropped } else { Stand::Waiting });
            }
            EventKind::OrderNotFound { token, proven: true, .. } => {
                self.came_to_nothing(token, Stand::Waiting);
            }
            EventKind::RelaunchScheduled { .. } => {
                self.orders.clear();
                let attempts = self.all.iter_mut().flat_map(|step| &mut step.attempts);
                attempts.filter(|it| it.state.is_live()).for_each(|it| it.state = Stand::Dropped);
            }
            EventKind::LaunchIntended { token, steps, .. }
            | EventKind::SubmitIntended { token, steps, .. } => {
                steps.iter().for_each(|attempt| self.ordered(attempt, token, event.at));
                self.orders.insert(token.clone(), steps.clone());
            }
            EventKind::Submitted { token, ids, .. } => {
                let attempts = self.orders.remove(token).unwrap_or_default();
                for (Attempt { step, attempt }, id) in attempts.iter().zip(ids) {
                    self.attempt(step, *attempt, |it| {
                        it.cluster.clone_from(&state.cluster.id);
                        it.native_id = Some(id.clone());
                        it.submitted = Some(event.at);
                    });
                }
            }
            kind => self.changed(event.at, kind),
        }
    }

    /// What happened to one step.
    fn changed(&mut self, at: Timestamp, kind: &EventKind) {
        match kind {
            EventKind::StepChanged { step, attempt, state, native, started, reason } => {
                self.attempt(step, *attempt, |it| {
                    it.state = (*state).into();
                    it.native = Some(native.clone());
                    it.reason.clone_from(reason);
                    let seen = (*state == StepState::Running).then_some(at);
                    it.running = started.or(it.running).or(seen);
                });
                self.step(step, |it| it.reason.clone_from(reason));
            }
            EventKind::StepEnded {
                step,
                attempt,
                state,
                native,
                reason,
                exit_code,
                started,
                ended,
                link,
                noop,
            } => {
                self.attempt(step, *attempt, |it| {
                    it.state = (*state).into();
                    it.native = Some(native.clone());
                    it.reason.clone_from(reason);
                    it.running = started.or(it.running);
                    it.ended = ended.or(Some(at));
                    it.exit_code = *exit_code;
                    it.link.clone_from(link);
                });
                self.step(step, |it| {
                    it.reason.clone_from(reason);
                    it.noop = *noop;
                });
            }
            EventKind::RetryScheduled { step, not_before, .. } => {
                self.step(step, |it| it.not_before = Some(*not_before));
            }
            EventKind::StepSkipped { step, why } => {
                self.step(step, |it| it.reason = Some(why.reason()));
            }
            EventKind::CancelIntended { steps, why } => {
                for step in steps {
                    self.live(step, |it| it.cancel = Some(Asked { at, why: why.clone() }));
                }
            }
            _ => {}
        }
    }

    /// The steps as they stand after all events.
    pub(super) fn finish(mut self, state: &RunState) -> Vec<StepReport> {
        for (step, run) in self.all.iter_mut().zip(&state.steps) {
            step.state = Stand::of(&run.phase, step.attempts.last());
            let again = step.state == Stand::Waiting;
            let waiting =
                step.attempts.last_mut().filter(|it| it.state == Stand::Waiting && !again);
            waiting.into_iter().for_each(|attempt| attempt.state = Stand::Dropped);
        }
        for attempt in self.all.iter_mut().flat_map(|step| &mut step.attempts) {
            let begun = attempt.running.or(attempt.ended);
            attempt.waited_seconds = begun.map(|begun| seconds(attempt.ordered, begun));
            let ran = attempt.running.zip(attempt.ended);
            attempt.ran_seconds = ran.map(|(begun, ended)| seconds(begun, ended));
        }
        self.all
    }

    /// These are the steps now. Of those that are none any more only what happened is told.
    fn plan(&mut self, infos: &[StepInfo]) {
        let mut known: HashMap<String, StepReport> =
            self.all.drain(..).map(|step| (step.id.clone(), step)).collect();
        for info in infos {
            let attempts = known.remove(&info.id).map(|step| step.attempts).unwrap_or_default();
            self.all.push(StepReport {
                id: info.id.clone(),
                name: info.name.clone(),
                step_type: info.step_type,
                state: Stand::Waiting,
                reason: None,
                noop: false,
                not_before: None,
                attempts,
            });
        }
        let mut gone: Vec<_> = known.into_values().filter(|it| !it.attempts.is_empty()).collect();
        gone.sort_by(|a, b| a.id.cmp(&b.id));
        gone.iter_mut().for_each(|step| step.state = Stand::Removed);
        self.all.extend(gone);
        let ids = self.all.iter().map(|step| step.id.clone());
        self.places = ids.zip(0..).collect();
    }

    /// The run is resumed: what was said of steps that wait again is past.
    fn go_on(&mut self, state: &RunState) {
        for (step, run) in self.all.iter_mut().zip(&state.steps) {
            if matches!(run.phase, Phase::Waiting { .. } | Phase::LeftOut) {
                (step.reason, step.not_before, step.noop) = (None, None, false);
            }
        }
    }

    /// An order had no effect.
    fn came_to_nothing(&mut self, token: &Token, now: Stand) {
        for Attempt { step, attempt } in self.orders.remove(token).unwrap_or_default() {
            self.attempt(&step, attempt, |it| it.state = now);
        }
    }

    /// What the fabric last said of what is live is to be asked again.
    fn ask_anew(&mut self) {
        let attempts = self.all.iter_mut().flat_map(|step| &mut step.attempts);
        for attempt in attempts.filter(|attempt| attempt.state.is_live()) {
            attempt.state = Stand::Pending;
        }
    }

    fn leave_out(&mut self, ids: &[String]) {
        for id in ids {
            self.step(id, |step| step.reason = Some("it is left out, as was asked".to_owned()));
        }
    }

    /// An order is about to be sent: the first for an attempt, or once more.
    fn ordered(&mut self, Attempt { step, attempt }: &Attempt, token: &Token, at: Timestamp) {
        let number = *attempt;
        self.step(step, |step| {
            step.reason = None;
            step.not_before = None;
            match step.attempts.last_mut() {
                // It came to nothing before.
                Some(last) if last.attempt == number && last.state == Stand::Waiting => {
                    last.token = token.clone();
                    last.sent += 1;
                    last.state = Stand::Pending;
                }
                _ => step.attempts.push(AttemptReport::new(number, token, at)),
            }
        });
    }

    fn step(&mut self, id: &str, change: impl FnOnce(&mut StepReport)) {
        if let Some(step) = self.places.get(id).and_then(|&place| self.all.get_mut(place)) {
            change(step);
        }
    }

    fn attempt(&mut self, id: &str, number: u32, change: impl FnOnce(&mut AttemptReport)) {
        self.step(id, |step| {
            let one = step.attempts.iter_mut().rev().find(|it| it.attempt == number);
            if let Some(one) = one {
                change(one);
            }
        });
    }

    fn live(&mut self, id: &str, change: impl FnOnce(&mut AttemptReport)) {
        self.step(id, |step| {
            if let Some(last) = step.attempts.last_mut().filter(|last| last.state.is_live()) {
                change(last);
            }
        });
    }
}

impl AttemptReport {
    fn new(attempt: u32, token: &Token, ordered: Timestamp) -> Self {
        Self {
            attempt,
            state: Stand::Pending,
            native: None,
            token: token.clone(),
            sent: 1,
            cluster: None,
            native_id: None,
            ordered,
            submitted: None,
            running: None,
            ended: None,
            waited_seconds: None,
            ran_seconds: None,
            exit_code: None,
            reason: None,
            link: None,
            cancel: None,
        }
    }
}

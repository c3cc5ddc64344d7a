//! One cluster of the fake's world: its states and its queue of steps. Time is an argument.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::script::{ClusterScript, Death, Fate, Moment};
use super::step::{State as StepState, Step};
use crate::clock::add;

/// One cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Such as `j-3H6EATEWWRWS`.
    pub id: String,
    /// Where it is; nobody sees it from another region.
    pub region: String,
    /// The body of its `RunJobFlow`.
    pub order: Value,
    /// When it was made.
    pub created: Timestamp,
    /// Its state.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// When it was ready.
    pub ready: Option<Timestamp>,
    /// When it began to end.
    pub died: Option<Timestamp>,
    /// When it had ended.
    pub ended: Option<Timestamp>,
    /// How it ends, once that is clear.
    pub death: Option<Death>,
    /// Its steps, oldest first.
    pub steps: Vec<Step>,
    /// What becomes of it.
    pub script: ClusterScript,
    /// Since when a place for a step has been free.
    free: Timestamp,
}

/// The states of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// STARTING
    Starting,
    /// BOOTSTRAPPING
    Bootstrapping,
    /// RUNNING
    Running,
    /// WAITING
    Waiting,
    /// TERMINATING
    Terminating,
    /// TERMINATED
    Terminated,
    /// TERMINATED_WITH_ERRORS
    TerminatedWithErrors,
}

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    Bootstraps,
    Ready,
    Dies(Death),
    Gone,
    StepStarts(usize),
    StepEnds(usize, StepState),
}

impl State {
    /// EMR's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Bootstrapping => "BOOTSTRAPPING",
            Self::Running => "RUNNING",
            Self::Waiting => "WAITING",
            Self::Terminating => "TERMINATING",
            Self::Terminated => "TERMINATED",
            Self::TerminatedWithErrors => "TERMINATED_WITH_ERRORS",
        }
    }

    /// It has ended.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Terminated | Self::TerminatedWithErrors)
    }

    /// It takes steps.
    pub fn takes_steps(self) -> bool {
        !self.is_over() && self != Self::Terminating
    }
}

impl Cluster {
    /// A new cluster.
    pub(super) fn new(
        id: String,
        region: &str,
        order: Value,
        script: ClusterScript,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            region: region.to_owned(),
            order,
            created: at,
            state: State::Starting,
            since: at,
            ready: None,
            died: None,
            ended: None,
            death: None,
            steps: Vec::new(),
            script,
            free: at,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.order["Name"].as_str().unwrap_or_default()
    }

    /// It stays when it has no steps.
    pub fn stays(&self) -> bool {
        self.order["Instances"]["KeepJobFlowAliveWhenNoSteps"].as_bool().unwrap_or(false)
    }

    /// It may not be terminated by a request.
    pub fn is_protected(&self) -> bool {
        self.script.protected
            || self.order["Instances"]["TerminationProtected"].as_bool().unwrap_or(false)
    }

    /// So many steps run at once.
    pub fn concurrency(&self) -> usize {
        let level = self.order["StepConcurrencyLevel"].as_u64().unwrap_or(1);
        usize::try_from(level).unwrap_or(usize::MAX)
    }

    /// The value of one of its tags.
    pub fn tag(&self, key: &str) -> Option<&str> {
        let tags = self.order["Tags"].as_array()?;
        tags.iter().find(|tag| tag["Key"] == key)?["Value"].as_str()
    }

    /// So many steps wait or run.
    pub fn active(&self) -> usize {
        self.steps.iter().filter(|step| step.state.is_active()).count()
    }

    /// Everything that was to happen until `now` happens, in its order.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some((at, event)) = self.next().filter(|(at, _)| *at <= now) {
            self.apply(at, event);
        }
    }

    /// Steps come to the end of the queue.
    pub(super) fn submit(&mut self, steps: impl IntoIterator<Item = Step>, at: Timestamp) {
        if self.active() == 0 {
            self.free = at;
        }
        self.steps.extend(steps);
        self.advance(at);
    }

    /// Asks a step to stop.
    ///
    /// # Errors
    /// It cannot be, with EMR's reason.
    pub(super) fn cancel(&mut self, id: &str, at: Timestamp) -> Result<(), &'static str> {
        let head = self.steps.iter().position(|step| step.state == StepState::Pending);
        let place = self.steps.iter().position(|step| step.id == id);
        let place = place.ok_or("The step does not exist in this cluster.")?;
        let step = &mut self.steps[place];
        match step.state {
            _ if step.script.refuses_cancel => Err("The step cannot be cancelled."),
            StepState::Pending | StepState::Running => {
                step.state = StepState::CancelPending;
                step.asked = Some(at);
                if head == Some(place) {
                    // Only now is it the turn of the next.
                    self.free = self.free.max(at);
                }
                Ok(())
            }
            StepState::CancelPending => Err("The step is already being cancelled."),
            _ => Err("The step is not in a state in which it can be cancelled."),
        }
    }

    /// It begins to end.
    pub(super) fn die(&mut self, death: Death, at: Timestamp) {
        if self.state.takes_steps() {
            for step in self.steps.iter_mut().filter(|step| step.state.is_active()) {
                let fate = if step.is_running() {
                    self.script.running_steps
                } else {
                    self.script.pending_steps
                };
                match fate {
                    Fate::Cancelled => step.finish(at, StepState::Cancelled),
                    Fate::Interrupted => step.finish(at, StepState::Interrupted),
                    Fate::Kept => {}
                }
            }
            self.death = Some(death);
            self.died = Some(at);
            self.enter(State::Terminating, at);
        }
    }

    fn next(&self) -> Option<(Timestamp, Event)> {
        let mut events = vec![self.phase(), self.scripted_death()];
        // What waits can be cancelled before the cluster is ready; what outlives it stays as it is.
        if self.state.takes_steps() {
            events.extend(
                self.steps
                    .iter()
                    .enumerate()
                    .map(|(n, step)| step.end().map(|(at, state)| (at, Event::StepEnds(n, state)))),
            );
        }
        if matches!(self.state, State::Running | State::Waiting) {
            events.push(self.start());
        }
        events.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn phase(&self) -> Option<(Timestamp, Event)> {
        let script = &self.script;
        let after = |duration: Duration| add(self.since, duration);
        let instead = |moment: Moment| {
            script
                .death
                .as_ref()
                .filter(|(when, _)| *when == moment)
                .map(|(_, death)| Event::Dies(death.clone()))
        };
        match self.state {
            State::Starting => {
                let event = instead(Moment::Starting).unwrap_or(Event::Bootstraps);
                Some((after(script.starting), event))
            }
            State::Bootstrapping => {
                let event = instead(Moment::Bootstrapping).unwrap_or(Event::Ready);
                Some((after(script.bootstrapping), event))
            }
            State::Waiting => script.idle.map(|idle| (after(idle), Event::Dies(Death::idle()))),
            State::Terminating => Some((after(script.terminating), Event::Gone)),
            State::Running | State::Terminated | State::TerminatedWithErrors => None,
        }
    }

    fn scripted_death(&self) -> Option<(Timestamp, Event)> {
        let (moment, death) = self.script.death.as_ref()?;
        let at = match moment {
            Moment::After(after) => add(self.created, *after),
            Moment::Ready(after) => add(self.ready?, *after),
            Moment::Starting | Moment::Bootstrapping => return None,
        };
        self.state.takes_steps().then(|| (at, Event::Dies(death.clone())))
    }

    /// The step at the head of the queue starts when there is a place for it.
    fn start(&self) -> Option<(Timestamp, Event)> {
        let running = self.steps.iter().filter(|step| step.is_running()).count();
        let head = self.steps.iter().position(|step| step.state == StepState::Pending)?;
        let step = &self.steps[head];
        let from = self.free.max(step.created);
        (running < self.concurrency())
            .then(|| (add(from, step.script.waits), Event::StepStarts(head)))
    }

    fn apply(&mut self, at: Timestamp, event: Event) {
        match event {
            Event::Bootstraps => self.enter(State::Bootstrapping, at),
            Event::Ready => {
                self.ready = Some(at);
                self.free = at;
                self.enter(State::Running, at);
                self.settle(at);
            }
            Event::Dies(death) => self.die(death, at),
            Event::Gone => {
                let errors = self.death.as_ref().is_some_and(|death| death.errors);
                self.ended = Some(at);
                let last = if errors { State::TerminatedWithErrors } else { State::Terminated };
                self.enter(last, at);
            }
            Event::StepStarts(n) => {
                self.steps[n].start(at);
                if self.state == State::Waiting {
                    self.enter(State::Running, at);
                }
            }
            Event::StepEnds(n, state) => {
                self.steps[n].finish(at, state);
                self.free = at;
                if state == StepState::Failed {
                    self.failed(n, at);
                }
                self.settle(at);
            }
        }
    }

    /// What the step's own rule says.
    fn failed(&mut self, n: usize, at: Timestamp) {
        match self.steps[n].config["ActionOnFailure"].as_str() {
            Some("CANCEL_AND_WAIT") => {
                let waiting = |step: &&mut Step| step.state.is_active() && step.started.is_none();
                for step in self.steps.iter_mut().filter(waiting) {
                    step.finish(at, StepState::Cancelled);
                }
            }
            Some("TERMINATE_CLUSTER" | "TERMINATE_JOB_FLOW") => {
                self.die(Death::step_failure(), at);
            }
            _ => {}
        }
    }

    /// A cluster without work waits or ends.
    fn settle(&mut self, at: Timestamp) {
        if self.state != State::Running || self.active() > 0 {
            return;
        }
        if self.stays() {
            self.enter(State::Waiting, at);
        } else {
            let failed = self.steps.iter().any(|step| step.state == StepState::Failed);
            let scripted = if failed { &self.script.failed } else { &self.script.completed };
            let death = scripted.clone().unwrap_or_else(|| {
                if failed { Death::steps_with_errors() } else { Death::steps_completed() }
            });
            self.die(death, at);
        }
    }

    fn enter(&mut self, state: State, at: Timestamp) {
        self.state = state;
        self.since = at;
    }
}

//! Carries a plan out: decide → act → append events → wait on the bell → ask the fabric.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::bell::{Bell, ONE_WISH};
use crate::clock::{Clock, add};
use crate::config::playbook::Playbook;
use crate::event::{Attempt, Driver, Event, EventKind, Goal, Outcome, StepInfo, Stop};
use crate::fabric::{
    ClusterId, ClusterState, Effect, Error, ErrorKind, Fabric, Found, Launch, Order, OrderedStep,
    RunId, StepId, StepState, StepStatus, Token, Uri,
};
use crate::journal::Journal;
use crate::plan::Plan;

pub mod decide;
mod judge;
mod look;
mod pace;
mod rota;
pub mod state;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use decide::Settings;
use decide::{Action, Decision, decide};
use pace::Pacer;
use state::{Illegal, Phase, RunState};

/// The signal that closes the journal and leaves everything as it is (POSIX SIGHUP).
const HANGUP: i32 = 1;

/// An order whose answer is lost, and which is proven absent, is sent so often: with the looks between that takes some
/// twenty minutes where looks take their time.
const MOST_SENDINGS: u32 = 8;

/// All that a run needs.
#[derive(Debug)]
pub struct Run<'a> {
    /// The steps.
    pub plan: &'a Plan,
    /// Where to run them.
    pub fabric: &'a dyn Fabric,
    /// Tells the time and waits.
    pub clock: &'a Clock,
    /// Wakes it.
    pub bell: &'a Bell,
    /// What users may set of the policy.
    pub settings: Settings,
    /// Who drives it.
    pub driver: Driver,
    /// Where its events go before anyone sees them.
    pub journal: &'a mut Journal,
}

/// How a run begins, or goes on.
#[derive(Debug)]
pub enum Start {
    /// It is new.
    Fresh(Fresh),
    /// It was left, or its end left something open: it is followed to its end.
    Attach {
        /// What its journal tells.
        state: Box<RunState>,
        /// It is to be ended, as by this signal.
        cancel: Option<i32>,
    },
    /// It ended without success: what is not done is done after all.
    Resume {
        /// What its journal tells.
        state: Box<RunState>,
        /// How to go on.
        resume: Resume,
    },
}

/// A run that is new.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// Its id.
    pub id: RunId,
    /// What it is to do.
    pub goal: Goal,
    /// For [`Goal::Run`] and [`Goal::Down`]: the cluster.
    pub cluster: Option<ClusterId>,
    /// What somebody calls it.
    pub name: Option<String>,
    /// Ids of the steps that are not to run.
    pub left_out: Vec<String>,
}

impl Fresh {
    /// A run without a name, of all steps.
    pub fn new(id: RunId, goal: Goal, cluster: Option<ClusterId>) -> Self {
        Self { id, goal, cluster, name: None, left_out: Vec::new() }
    }
}

/// How a run is to go on, as [`EventKind::Resumed`] tells.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// The cluster that is there; none: one is to be launched.
    pub cluster: Option<ClusterId>,
    /// The steps of the plan are not as they were.
    pub changed: bool,
    /// Ids of steps that are not done and not to run.
    pub left_out: Vec<String>,
    /// Ids of steps whose end nobody could tell, and about which nobody is to ask any more.
    pub given_up: Vec<String>,
}

impl Run<'_> {
    /// Runs to the end. Each event is shown to `seen` once it is in the journal.
    pub fn execute(self, start: Start, seen: &mut dyn FnMut(&Event)) -> Outcome {
        let mut staged = BTreeMap::new();
        let stage_error = self.stage(&mut staged).err();
        let (state, first, cancel) = match self.begin(start) {
            Ok(begun) => begun,
            // A valid playbook has distinct ids, and who goes on has looked whether it can be.
            Err(illegal) => return Outcome::InDoubt { reason: illegal.to_string() },
        };
        let pacer = Pacer::new(self.fabric.capabilities().pace, first.at);
        let gone = state.cluster.state.is_some_and(ClusterState::is_final);
        let mut engine = Engine {
            run: self,
            state,
            staged,
            pacer,
            rota: rota::Rota::of(gone),
            blind: false,
            first_signal: None,
            hurries: false,
            insists: None,
            seen,
        };
        engine.record(&first);
        engine.mend();
        if let Some(signal) = cancel {
            engine.tell(EventKind::Interrupted { signal, leave: false });
        }
        match stage_error {
            // Who was told to stop while files were put in place has stopped there, and orders nothing.
            Some(error) if engine.run.bell.first_signal().is_none() => engine.cannot_stage(error),
            _ => engine.run(),
        }
        engine.sync();
        engine.state.outcome.unwrap_or(Outcome::InDoubt { reason: "the run has no end".into() })
    }

    fn stage(&self, staged: &mut BTreeMap<String, Uri>) -> Result<(), Error> {
        if !self.fabric.capabilities().stages {
            return Ok(());
        }
        for (name, file) in self.plan.local_files() {
            if !staged.contains_key(name.expose()) {
                staged.insert(name.expose().to_owned(), self.fabric.stage(&file)?);
            }
        }
        Ok(())
    }

    /// The state after the first event of this driver, that event, and whether it is to cancel the run.
    fn begin(&self, start: Start) -> Result<(RunState, Event, Option<i32>), Illegal> {
        let now = self.clock.now();
        let (mut state, kind, cancel) = match start {
            Start::Fresh(fresh) => {
                let first = Event { seq: 1, at: now, kind: self.started(fresh) };
                return Ok((RunState::start(&first)?, first, None));
            }
            Start::Attach { state, cancel } => {
                (state, EventKind::Attached { driver: self.driver.clone() }, cancel)
            }
            Start::Resume { state, resume } => (state, self.resumed(resume), None),
        };
        let event = Event { seq: state.seq + 1, at: now.max(state.at), kind };
        state.apply(&event)?;
        Ok((*state, event, cancel))
    }

    fn started(&self, fresh: Fresh) -> EventKind {
        EventKind::RunStarted {
            run: fresh.id,
            goal: fresh.goal,
            fabric: self.fabric.capabilities().fabric.to_owned(),
            playbook: self.plan.playbook().map(|p| p.name.shown().to_owned()),
            tags: self.plan.playbook().map(tags).unwrap_or_default(),
            steps: StepInfo::all(self.plan),
            cluster: fresh.cluster,
            name: fresh.name,
            driver: Some(self.driver.clone()),
            max_parallel: self.plan.max_parallel(),
            left_out: fresh.left_out,
        }
    }

    fn resumed(&self, resume: Resume) -> EventKind {
        let Resume { cluster, changed, left_out, given_up } = resume;
        let steps = if changed { StepInfo::all(self.plan) } else { Vec::new() };
        EventKind::Resumed { driver: self.driver.clone(), cluster, steps, left_out, given_up }
    }
}

/// The tags as they may be shown.
fn tags(playbook: &Playbook) -> BTreeMap<String, String> {
    playbook.tags.iter().map(|(name, value)| (name.clone(), value.shown().to_owned())).collect()
}

struct Engine<'a, 's> {
    run: Run<'a>,
    state: RunState,
    /// Where the files beside the playbook were staged.
    staged: BTreeMap<String, Uri>,
    pacer: Pacer,
    rota: rota::Rota,
    /// We may not ask about the cluster.
    blind: bool,
    /// When the first signal was heeded.
    first_signal: Option<Timestamp>,
    /// What the first signal asks for is still to go out.
    hurries: bool,
    /// Another signal came before the first was heeded: nothing is waited for.
    insists: Option<i32>,
    seen: &'s mut dyn FnMut(&Event),
}

impl Engine<'_, '_> {
    /// The driver before may have died between a final refusal and the end of the steps that it was for.
    fn mend(&mut self) {
        let ordered = |&place: &usize| {
            matches!(self.state.steps[place].phase, Phase::Ordered)
                && !self.state.orders.values().any(|order| order.steps.contains(&place))
        };
        let refused: Vec<_> = self.state.busy.iter().copied().filter(ordered).collect();
        for place in refused {
            let Attempt { step, attempt } = self.attempt(place);
            self.end_refused(&step, attempt, "the fabric refused it".to_owned());
        }
    }

    /// Nothing more can be ordered. What was ordered before is to be followed all the same.
    fn cannot_stage(&mut self, error: Error) {
        if self.state.may_have_effect() {
            let reason = format!("what the playbook needs cannot be put in place: {error}");
            self.finish(Outcome::InDoubt { reason });
        } else {
            self.finish(Outcome::Refused { error });
        }
    }

    fn run(&mut self) {
        while self.goes_on() {
            // What a signal asks for is not kept waiting by a question that may not be answered.
            let hurries = std::mem::take(&mut self.hurries) || self.insists.is_some();
            let look = self.must_look() && self.pacer.next() <= self.run.clock.now();
            // Who only hands over asks nothing once that is done.
            if look && !hurries && !self.is_handed_over() {
                self.look();
                continue;
            }
            let decision = self.decide();
            match self.insists {
                _ if !decision.actions.is_empty() => self.act(decision.actions),
                Some(signal) => self.stop_waiting(signal),
                None if look && hurries => {}
                None => self.wait(decision.wake),
            }
        }
    }

    fn decide(&self) -> Decision {
        let fabric = self.run.fabric.capabilities();
        decide(self.run.plan, fabric, &self.run.settings, &self.state, self.run.clock.now())
    }

    fn is_handed_over(&self) -> bool {
        let over = |decision: Decision| {
            matches!(decision.actions.last(), Some(Action::Finish(Outcome::Submitted)))
        };
        self.run.settings.detach && over(self.decide())
    }

    /// Takes the signals that came, and says whether the run has not ended.
    fn goes_on(&mut self) -> bool {
        if self.state.outcome.is_none() {
            let rung = self.run.bell.take();
            self.heed(rung);
        }
        self.state.outcome.is_none()
    }

    fn heed(&mut self, rung: crate::bell::Rung) {
        if rung.ended {
            self.pacer.rung(self.run.clock.now());
        }
        let Some((signal, insists)) = rung.signal else { return };
        let now = self.run.clock.now();
        match self.first_signal {
            None => {
                self.first_signal = Some(now);
                self.hurries = true;
                self.insists = insists.then_some(signal);
                let leave = signal == HANGUP || self.run.settings.leave_on_interrupt;
                let leave = leave && self.run.journal.cancel_is_asked().is_none();
                self.tell(EventKind::Interrupted { signal, leave });
            }
            Some(first) if now < add(first, ONE_WISH) => {}
            Some(_) => self.stop_waiting(signal),
        }
    }

    /// A second signal: whatever is still open stays open.
    fn stop_waiting(&mut self, signal: i32) {
        let cluster = &self.state.cluster;
        let up = self.state.goal.launches()
            && cluster.id.is_some()
            && !cluster.state.is_some_and(ClusterState::is_final);
        let outcome = if up || !self.state.busy.is_empty() || !self.state.orders.is_empty() {
            let what = match &cluster.id {
                Some(id) => format!("look at cluster `{id}`"),
                None => "a cluster may be there".to_owned(),
            };
            Outcome::InDoubt { reason: format!("stopped waiting on a second signal; {what}") }
        } else {
            Outcome::Interrupted { signal, left: false }
        };
        self.finish(outcome);
    }

    fn wait(&mut self, wake: Option<Timestamp>) {
        let ask = self.must_look().then(|| self.pacer.next());
        // With neither a question to ask nor a deadline, only the bell can change anything.
        let deadline = [wake, ask].into_iter().flatten().min().unwrap_or(Timestamp::MAX);
        let rung = self.run.clock.wait(self.run.bell, deadline);
        self.heed(rung);
    }

    /// Carries actions out: first all intents go to the journal, with one fsync, then the orders go out.
    fn act(&mut self, actions: Vec<Action>) {
        let mut refused = BTreeMap::new();
        let intents: Vec<EventKind> =
            actions.iter().filter_map(|action| self.intent(action, &mut refused)).collect();
        let orders = actions.iter().any(Action::starts_something);
        self.tell_all(intents);
        if orders {
            self.sync();
        }
        for action in actions {
            // Orders may be many and each take its time, but a signal is heeded before the next.
            if !self.goes_on() {
                return;
            }
            if action.starts_something() && self.starts_nothing_more() {
                self.withdraw(&action);
                continue;
            }
            match action {
                Action::Submit { token, attempts, .. } if refused.contains_key(&token) => {
                    if let Some(error) = refused.remove(&token) {
                        self.order_failed(&token, error, &attempts);
                    }
                }
                action => self.carry_out(action),
            }
        }
        self.pacer.ordered(self.run.clock.now());
        self.pass_warnings_on();
    }

    /// What the fabric noticed on the way.
    fn pass_warnings_on(&mut self) {
        for message in self.run.fabric.warnings() {
            if self.state.outcome.is_none() {
                self.tell(EventKind::Warning { message });
            }
        }
    }

    /// What the journal must hold before an action is carried out; `refused` gets the orders for which the fabric would
    /// not even give ids out.
    fn intent(&self, action: &Action, refused: &mut BTreeMap<Token, Error>) -> Option<EventKind> {
        let ids = |steps: &[usize]| steps.iter().map(|&s| self.state.steps[s].id.clone()).collect();
        Some(match action {
            Action::Launch { token, attempts, ask_first } => EventKind::LaunchIntended {
                token: token.clone(),
                steps: attempts.clone(),
                ask_first: *ask_first,
            },
            Action::Relaunch { launch, not_before } => {
                EventKind::RelaunchScheduled { launch: *launch, not_before: *not_before }
            }
            Action::Submit { token, attempts, ask_first, .. } => EventKind::SubmitIntended {
                token: token.clone(),
                steps: attempts.clone(),
                ids: if *ask_first { Vec::new() } else { self.ids(token, attempts.len(), refused) },
                ask_first: *ask_first,
            },
            Action::Cancel { steps, why } => {
                EventKind::CancelIntended { steps: ids(steps), why: why.clone() }
            }
            Action::Terminate { why } => EventKind::TerminateIntended {
                cluster: self.state.cluster.id.clone()?,
                why: why.clone(),
            },
            Action::Retry { step, attempt, not_before } => EventKind::RetryScheduled {
                step: self.state.steps[*step].id.clone(),
                attempt: *attempt,
                not_before: *not_before,
            },
            Action::Skip { step, why } => EventKind::StepSkipped {
                step: self.state.steps[*step].id.clone(),
                why: why.clone(),
            },
            Action::Find { .. } | Action::Finish(_) => return None,
        })
    }

    /// The ids of an order, where the fabric gives them out before it takes it.
    fn ids(
        &self,
        token: &Token,
        steps: usize,
        refused: &mut BTreeMap<Token, Error>,
    ) -> Vec<StepId> {
        let known = self.state.reserved(token);
        let Some(cluster) = self.state.cluster.id.as_ref().filter(|_| known.is_empty()) else {
            return known.to_vec();
        };
        if self.starts_nothing_more() {
            return Vec::new();
        }
        self.run.fabric.reserve(cluster, steps).unwrap_or_else(|error| {
            refused.insert(token.clone(), error);
            Vec::new()
        })
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            // It counts as lost from the start: the next turn asks for it.
            Action::Launch { ask_first: true, .. } | Action::Submit { ask_first: true, .. } => {}
            Action::Launch { token, attempts, .. } => self.launch(&token, &attempts),
            Action::Submit { token, attempts, .. } => self.submit(&token, &attempts),
            Action::Find { order } => self.find(order),
            Action::Cancel { steps, .. } => self.cancel(&steps),
            Action::Terminate { .. } => self.terminate(),
            Action::Retry { .. } | Action::Skip { .. } | Action::Relaunch { .. } => {}
            Action::Finish(outcome) => self.finish(outcome),
        }
    }

    fn starts_nothing_more(&self) -> bool {
        self.state.journal_failed || self.state.interrupted.is_some()
    }

    /// An order whose intent is not on disk, or which a signal has overtaken, is not sent.
    fn withdraw(&mut self, action: &Action) {
        if let Action::Launch { token, .. } | Action::Submit { token, .. } = action {
            let fabric = self.run.fabric.capabilities().fabric;
            let message = match self.state.journal_failed {
                true => "not sent, since the journal cannot be written",
                false => "not sent, since the run was interrupted",
            };
            let error = Error::new(ErrorKind::Unavailable, fabric, "order", message);
            self.tell(EventKind::OrderRefused { token: token.clone(), error, last: false });
        }
    }

    fn launch(&mut self, token: &Token, attempts: &[Attempt]) {
        let Some(clusters) = self.run.fabric.clusters() else {
            let name = self.run.fabric.capabilities().fabric;
            let error =
                Error::new(ErrorKind::Unsupported, name, "launch", "it has no clusters to launch");
            return self.tell(EventKind::OrderRefused { token: token.clone(), error, last: true });
        };
        match clusters.launch(&self.launch_of(token, self.state.at, attempts)) {
            Ok(cluster) => self.launched(token, cluster, false),
            Err(error) => self.order_failed(token, error, &[]),
        }
    }

    fn launch_of(&self, token: &Token, intended: Timestamp, attempts: &[Attempt]) -> Launch<'_> {
        Launch {
            token: token.clone(),
            intended,
            foreign: false,
            transient: self.state.goal == Goal::RunTransient,
            steps: self.ordered_steps(attempts),
        }
    }

    fn launched(&mut self, token: &Token, cluster: ClusterId, adopted: bool) {
        self.restored();
        self.tell(EventKind::Launched { token: token.clone(), cluster, adopted });
        self.pacer.rung(self.run.clock.now());
    }

    fn submit(&mut self, token: &Token, attempts: &[Attempt]) {
        let Some(cluster) = self.state.cluster.id.clone() else { return };
        let order = self.order(token, self.state.at, attempts);
        match self.run.fabric.submit(&cluster, &order) {
            Ok(ids) => self.submitted(token, ids, false),
            Err(error) => self.order_failed(token, error, attempts),
        }
    }

    fn submitted(&mut self, token: &Token, ids: Vec<StepId>, adopted: bool) {
        self.restored();
        self.tell(EventKind::Submitted { token: token.clone(), ids, adopted });
    }

    fn order<'o>(
        &'o self,
        token: &'o Token,
        intended: Timestamp,
        attempts: &[Attempt],
    ) -> Order<'o> {
        let (others, ids) = (&self.state.taken[..], self.state.reserved(token));
        let steps = self.ordered_steps(attempts);
        Order { token, intended, foreign: false, along: false, ids, others, steps }
    }

    fn ordered_steps(&self, attempts: &[Attempt]) -> Vec<OrderedStep<'_>> {
        let plan = self.run.plan;
        let steps = attempts.iter().filter_map(|attempt| {
            let step = &plan.steps()[self.state.place(&attempt.step)?];
            Some(OrderedStep { step, attempt: attempt.attempt, staged: &self.staged })
        });
        steps.collect()
    }

    fn order_failed(&mut self, token: &Token, error: Error, attempts: &[Attempt]) {
        if error.effect == Effect::Unknown {
            return self.tell(EventKind::OrderLost { token: token.clone(), error });
        }
        if error.kind == ErrorKind::Unavailable {
            self.lost(error.clone());
        }
        let last = !error.is_passing();
        let reason = error.to_string();
        self.tell(EventKind::OrderRefused { token: token.clone(), error, last });
        for Attempt { step, attempt } in attempts.iter().filter(|_| last) {
            self.end_refused(step, *attempt, reason.clone());
        }
    }

    fn end_refused(&mut self, step: &str, attempt: u32, reason: String) {
        let status = StepStatus::new(StepState::Failed, "REFUSED");
        self.end_step(step, attempt, StepStatus { reason: Some(reason), ..status });
    }

    fn find(&mut self, number: u32) {
        let Some(order) = self.state.orders.get(&number).cloned() else { return };
        let token = &order.token;
        let attempts: Vec<_> = order.steps.iter().map(|&s| self.attempt(s)).collect();
        if order.launch && !order.taken {
            let Some(clusters) = self.run.fabric.clusters() else { return };
            let asked = self.launch_of(token, order.since(), &attempts);
            match clusters.find(&Launch { foreign: order.ask_first, ..asked }) {
                Ok(Found::Yes(cluster)) => self.launched(token, cluster, true),
                answer => self.not_found(&order, answer.map(|found| found == Found::No)),
            }
        } else {
            let Some(cluster) = self.state.cluster.id.clone() else { return };
            let asked = self.order(token, order.since(), &attempts);
            let asked = Order { foreign: order.ask_first, along: order.launch, ..asked };
            match self.run.fabric.find(&cluster, &asked) {
                Ok(Found::Yes(ids)) => self.submitted(token, ids, !order.taken),
                answer => self.not_found(&order, answer.map(|found| found == Found::No)),
            }
        }
    }

    /// Absence is proven by two looks, at least `settle` apart; by one, where all is seen at once.
    fn not_found(&mut self, order: &state::Order, absent: Result<bool, Error>) {
        let token = order.token.clone();
        match absent {
            Ok(absent) => {
                self.restored();
                let second = order.absent || self.run.fabric.capabilities().settle.is_zero();
                let proven = absent && second && !order.taken;
                if proven && token.numbers().is_some_and(|(_, sent)| sent >= MOST_SENDINGS) {
                    return self.never_arrives(order, &token);
                }
                self.tell(EventKind::OrderNotFound { token, absent, proven });
            }
            // Not its turn yet: that is no answer, and no loss.
            Err(error) if error.kind == ErrorKind::Quota => {
                self.tell(EventKind::OrderNotFound { token, absent: false, proven: false });
            }
            Err(error) => {
                self.lost(error.clone());
                self.tell(EventKind::OrderLost { token, error });
            }
        }
    }

    /// Sent again and again, and each time surely without effect: that is as good as a refusal.
    fn never_arrives(&mut self, order: &state::Order, token: &Token) {
        let fabric = self.run.fabric.capabilities().fabric;
        let message = format!(
            "sent {MOST_SENDINGS} times; each time the answer was lost, and nothing came of it"
        );
        // Passing troubles are sent again; this is none any more.
        let error = Error::new(ErrorKind::Protocol, fabric, "order", message);
        let attempts: Vec<_> = order.steps.iter().map(|&s| self.attempt(s)).collect();
        self.order_failed(token, error, &attempts);
    }

    fn attempt(&self, step: usize) -> Attempt {
        let run = &self.state.steps[step];
        Attempt { step: run.id.clone(), attempt: run.attempt }
    }

    fn cancel(&mut self, steps: &[usize]) {
        let Some(cluster) = self.state.cluster.id.clone() else { return };
        let ids: Vec<StepId> = steps.iter().filter_map(|&step| self.live_id(step)).collect();
        if let Err(error) = self.run.fabric.cancel(&cluster, &ids) {
            let message = format!("steps may not have been asked to stop, will ask again: {error}");
            self.tell(EventKind::Warning { message });
        }
    }

    fn terminate(&mut self) {
        let (Some(cluster), Some(clusters)) =
            (self.state.cluster.id.clone(), self.run.fabric.clusters())
        else {
            return;
        };
        match clusters.terminate(&cluster) {
            // Asking again would not help: it may not be taken down by us, or by nobody.
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::Auth
                        | ErrorKind::Config
                        | ErrorKind::Conflict
                        | ErrorKind::Unsupported
                ) =>
            {
                self.finish(match self.state.goal {
                    Goal::Down => Outcome::Refused { error },
                    _ => Outcome::InDoubt {
                        reason: format!("cluster `{cluster}` cannot be taken down: {error}"),
                    },
                });
            }
            Err(error) if error.kind != ErrorKind::NotFound || self.may_not_show_yet() => {
                let message = format!(
                    "the cluster may not have been asked to go down, will ask again: {error}"
                );
                self.tell(EventKind::Warning { message });
            }
            _ => self.pacer.rung(self.run.clock.now()),
        }
    }

    fn live_id(&self, step: usize) -> Option<StepId> {
        match &self.state.steps[step].phase {
            Phase::Live { id, .. } => Some(id.clone()),
            _ => None,
        }
    }

    fn end_step(&mut self, step: &str, attempt: u32, status: StepStatus) {
        let Some(place) = self.state.place(step) else { return };
        let stopped = self.state.steps[place].cancel.as_ref().map(|(_, why): &(_, Stop)| why);
        let verdict = judge::judge(self.run.plan.rules(place), &status, stopped);
        self.tell(EventKind::StepEnded {
            step: step.to_owned(),
            attempt,
            state: verdict.state,
            native: status.native,
            reason: verdict.reason,
            exit_code: status.exit_code,
            started: status.started,
            ended: status.ended,
            link: status.link,
            noop: verdict.noop,
        });
    }

    fn lost(&mut self, error: Error) {
        if self.state.contact_lost.is_none() {
            self.tell(EventKind::ContactLost { error });
        }
    }

    fn restored(&mut self) {
        if self.state.contact_lost.is_some() && self.state.outcome.is_none() {
            self.tell(EventKind::ContactRestored);
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        let recorded = !self.state.journal_failed;
        self.sync();
        if recorded && self.state.journal_failed && outcome.is_success() {
            // What led to it is not on disk after all: that is to be decided anew.
            return;
        }
        self.tell(EventKind::RunEnded { outcome });
    }

    fn tell(&mut self, kind: EventKind) {
        self.tell_all(vec![kind]);
    }

    /// Events happen: into the state, the journal, and before the eyes of who listens.
    fn tell_all(&mut self, kinds: Vec<EventKind>) {
        for kind in kinds {
            let at = self.run.clock.now().max(self.state.at);
            let event = Event { seq: self.state.seq + 1, at, kind };
            match self.state.apply(&event) {
                Ok(()) => self.record(&event),
                Err(illegal) => {
                    // Our own fault, never the fabric's: what it says was put in order before. Better no
                    // event than one that makes the journal unreadable.
                    debug_assert!(false, "{illegal}: {event:?}");
                }
            }
        }
    }

    fn record(&mut self, event: &Event) {
        if !self.state.journal_failed
            && let Err(error) = self.run.journal.append(event)
        {
            (self.seen)(event);
            return self.journal_failed(&error);
        }
        (self.seen)(event);
    }

    /// All events so far are on disk, or nothing more is started.
    fn sync(&mut self) {
        if let Err(error) = self.run.journal.sync() {
            self.journal_failed(&error);
        }
    }

    fn journal_failed(&mut self, error: &crate::journal::Error) {
        if self.state.journal_failed {
            return;
        }
        self.state.journal_failed = true;
        if error.is_taken_over() && self.state.outcome.is_none() {
            let reason = "another process drives the run now".to_owned();
            return self.tell(EventKind::RunEnded { outcome: Outcome::InDoubt { reason } });
        }
        if self.state.outcome.is_none() {
            self.tell(EventKind::JournalFailed { message: error.to_string() });
        }
    }
}

impl Action {
    /// Whether it may bring something into the world that must be found again after a crash.
    fn starts_something(&self) -> bool {
        matches!(self, Self::Launch { .. } | Self::Submit { .. })
    }
}

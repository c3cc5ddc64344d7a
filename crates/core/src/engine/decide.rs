//! All policy: what to do next. Pure and total: the same plan, state and time give the same actions.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::state::{Again, Phase, RunState, StepRun, backoff};
use crate::clock::add;
use crate::config::playbook::OnFailure;
use crate::event::{Attempt, Goal, Outcome, Skip, Stop};
use crate::fabric::{Capabilities, Cause, ClusterState, StepState, Token};
use crate::plan::Plan;

/// What users may set of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// After so long without an answer a run ends in doubt.
    pub contact_limit: Duration,
    /// A signal leaves everything as it is.
    pub leave_on_interrupt: bool,
    /// The run ends once the fabric has all steps.
    pub detach: bool,
    /// After a cluster's own set-up failed, the next is launched so much later at most.
    pub bootstrap_retry: Duration,
    /// The run may have been begun elsewhere under the same id: the fabric is asked for an order before it is sent, until
    /// one is proven absent. (Every driver orders in the same sequence, so what comes later is absent, too.)
    pub ask_first: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            contact_limit: Duration::from_secs(30 * 60),
            leave_on_interrupt: false,
            detach: false,
            bootstrap_retry: Duration::from_secs(300),
            ask_first: false,
        }
    }
}

/// One thing to do. Steps are named by their place in the playbook.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Order a cluster.
    Launch {
        /// The order.
        token: Token,
        /// The steps that go with it, with their attempts.
        attempts: Vec<Attempt>,
        /// It is not sent before the fabric was asked for it.
        ask_first: bool,
    },
    /// Note that another cluster is to be ordered, since the set-up of the last one failed.
    Relaunch {
        /// The launch to come.
        launch: u32,
        /// When.
        not_before: Timestamp,
    },
    /// Order steps.
    Submit {
        /// The order.
        token: Token,
        /// The steps, in order.
        steps: Vec<usize>,
        /// The same, with their attempts, for the journal.
        attempts: Vec<Attempt>,
        /// It is not sent before the fabric was asked for it.
        ask_first: bool,
    },
    /// Ask the fabric whether it holds an order whose answer is lost.
    Find {
        /// The order's number.
        order: u32,
    },
    /// Ask steps to stop.
    Cancel {
        /// Which.
        steps: Vec<usize>,
        /// Why.
        why: Stop,
    },
    /// Ask the cluster to go down.
    Terminate {
        /// Why.
        why: Stop,
    },
    /// Note that a step is to be tried again.
    Retry {
        /// Which.
        step: usize,
        /// The attempt to come.
        attempt: u32,
        /// When.
        not_before: Timestamp,
    },
    /// Note that a step will not be started.
    Skip {
        /// Which.
        step: usize,
        /// Why not.
        why: Skip,
    },
    /// The run is over.
    Finish(Outcome),
}

/// What to do now, and when to think again at the latest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// In this order.
    pub actions: Vec<Action>,
    /// The next moment at which time alone changes the decision.
    pub wake: Option<Timestamp>,
}

/// An order to stop that shows no effect is repeated after so long: that is harmless.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// So often is a cluster launched whose own set-up fails: once, and 3 times again, as 0.7.x did.
const LAUNCHES: u32 = 4;

/// A cluster that is to end itself is given so long to begin with it, from the end of its last step.
const ENDS_ITSELF_WITHIN: Duration = Duration::from_secs(5 * 60);

/// A cluster takes minutes to go down; one that is at it for so long needs somebody to look at it.
const GOES_DOWN_WITHIN: Duration = Duration::from_secs(2 * 60 * 60);

/// A first answer is waited for so long at most: nothing runs because of us yet.
const FIRST_CONTACT_LIMIT: Duration = Duration::from_secs(60);

/// Decides what to do at `now`.
pub fn decide(
    plan: &Plan,
    fabric: &Capabilities,
    settings: &Settings,
    state: &RunState,
    now: Timestamp,
) -> Decision {
    let mut turn = Turn { plan, fabric, settings, state, now, decision: Decision::default() };
    turn.decide();
    turn.decision
}

struct Turn<'a> {
    plan: &'a Plan,
    fabric: &'a Capabilities,
    settings: &'a Settings,
    state: &'a RunState,
    now: Timestamp,
    decision: Decision,
}

impl Turn<'_> {
    fn decide(&mut self) {
        if self.state.outcome.is_some() {
            return;
        }
        if let Some(outcome) = self.given_up() {
            return self.act(Action::Finish(outcome));
        }
        if self.must_relaunch() {
            return self.relaunch();
        }
        self.look_for_lost_orders();
        let halt = self.halt();
        match &halt {
            Some(why) => self.skip_all(why),
            None => self.settle_failures(),
        }
        if !self
            .decision
            .actions
            .iter()
            .any(|a| matches!(a, Action::Retry { .. } | Action::Skip { .. }))
        {
            // Else the next turn, which follows at once, sees what became of these steps.
            self.advance(halt.as_ref());
        }
    }

    fn advance(&mut self, halt: Option<&Skip>) {
        let kill = self.kill();
        self.cancel(halt, kill.as_ref());
        if let Some(why) = self.teardown(kill) {
            self.terminate(why);
        }
        if let Some(outcome) = self.outcome() {
            return self.act(Action::Finish(outcome));
        }
        if halt.is_none() {
            self.launch();
            self.submit();
        }
        if self.state.cluster.ends_itself && self.will_end_itself() {
            self.wake(add(self.state.last_end, ENDS_ITSELF_WITHIN));
        }
        if let Some(since) = self.going_down() {
            self.wake(add(since, GOES_DOWN_WITHIN));
        }
        if let (Some((since, _)), false) =
            (&self.state.contact_lost, self.state.interrupted.is_some_and(|i| i.1))
        {
            self.wake(add(*since, self.contact_limit()));
        }
    }

    /// The run ends at once, whatever is open.
    fn given_up(&self) -> Option<Outcome> {
        if let Some(signal) = self.state.left {
            return Some(Outcome::Interrupted { signal, left: true });
        }
        match self.state.interrupted {
            Some((signal, true)) => return Some(Outcome::Interrupted { signal, left: true }),
            // The one order of a `down` is not taken back; only the wait for its effect ends.
            Some((signal, _)) if self.state.goal == Goal::Down => {
                return Some(Outcome::Interrupted { signal, left: true });
            }
            _ => {}
        }
        let limit = self.settings.contact_limit;
        let lost = |order: &&super::state::Order| {
            order.lost.is_some_and(|since| add(since, limit) <= self.now)
        };
        if let Some(order) = self.state.orders.values().find(lost) {
            let reason = format!(
                "nobody can say what became of order `{}`; {}",
                order.token,
                self.where_to_look()
            );
            return Some(Outcome::InDoubt { reason });
        }
        if let Some(since) =
            self.going_down().filter(|since| add(*since, GOES_DOWN_WITHIN) <= self.now)
        {
            let look = self.where_to_look();
            let reason =
                format!("the cluster has been going down since {since}, and is not down; {look}");
            return Some(Outcome::InDoubt { reason });
        }
        let (since, error) = self.state.contact_lost.as_ref()?;
        if self.now < add(*since, self.contact_limit()) {
            return None;
        }
        if !self.state.may_have_effect() && self.state.cluster.terminate.is_none() {
            return Some(Outcome::Refused { error: error.clone() });
        }
        Some(Outcome::InDoubt {
            reason: format!("no contact since {since}: {error}; {}", self.where_to_look()),
        })
    }

    /// Since when it is on its way down, if it is not down.
    fn going_down(&self) -> Option<Timestamp> {
        let cluster = &self.state.cluster;
        cluster.going_down.filter(|_| !cluster.state.is_some_and(ClusterState::is_final))
    }

    fn contact_limit(&self) -> Duration {
        if self.state.may_have_effect() || self.state.cluster.terminate.is_some() {
            self.settings.contact_limit
        } else {
            self.settings.contact_limit.min(FIRST_CONTACT_LIMIT)
        }
    }

    fn where_to_look(&self) -> String {
        match &self.state.cluster.id {
            Some(id) => format!("look at cluster `{id}` on fabric `{}`", self.fabric.fabric),
            None => format!(
                "look for a cluster of run `{}` on fabric `{}`",
                self.state.run, self.fabric.fabric
            ),
        }
    }

    /// Asks for lost orders: first `settle` after they were lost, then `settle` after each look.
    fn look_for_lost_orders(&mut self) {
        for (&number, order) in &self.state.orders {
            let Some(lost) = order.lost else { continue };
            self.wake(add(lost, self.settings.contact_limit));
            let next = match order.asked {
                // The cluster is there, so its steps are; and what others sent was sent some time ago.
                None if order.taken || order.ask_first => lost,
                None => add(lost, self.fabric.settle),
                Some(asked) if order.taken => add(asked, backoff(order.times_asked)),
                // The look that proves it absent comes as soon as it may.
                Some(asked) if order.absent && order.times_asked == 1 => {
                    add(asked, self.fabric.settle)
                }
                Some(asked) => add(asked, self.fabric.settle.max(backoff(order.times_asked))),
            };
            if next <= self.now {
                self.act(Action::Find { order: number });
            } else {
                self.wake(next);
            }
        }
    }

    /// The cluster is gone since its own set-up failed, it has run nothing, and there are launches left.
    fn must_relaunch(&self) -> bool {
        let cluster = &self.state.cluster;
        self.state.goal.launches()
            && cluster.state.is_some_and(ClusterState::is_final)
            && cluster.cause == Some(Cause::Bootstrap)
            && cluster.terminate.is_none()
            && cluster.launches < LAUNCHES
            && self.state.interrupted.is_none()
            && !self.state.journal_failed
            && !(0..self.state.steps.len()).any(|step| self.state.has_run(step))
    }

    fn relaunch(&mut self) {
        let launch = self.state.cluster.launches + 1;
        let pause = jitter(self.settings.bootstrap_retry, self.state.run.as_str(), launch);
        self.act(Action::Relaunch { launch, not_before: add(self.now, pause) });
    }

    /// Why nothing more may be started, if so.
    fn halt(&self) -> Option<Skip> {
        let state = self.state;
        if state.interrupted.is_some() {
            return Some(Skip::Interrupted);
        }
        if state.journal_failed {
            return Some(Skip::JournalFailed);
        }
        let gone = state.cluster.state.is_some_and(|cluster| match cluster {
            ClusterState::Ready | ClusterState::Starting => false,
            // Only its end tells whether there will be another in its place.
            ClusterState::Stopping => !state.goal.launches(),
            _ => true,
        });
        if (gone && !self.looks_back())
            || state.cluster.terminate.is_some()
            || (state.refused.is_some() && state.cluster.id.is_none())
        {
            return Some(Skip::ClusterGone);
        }
        if let Some(step) = state.noop {
            return Some(Skip::Noop(self.id(step)));
        }
        let stops = |step: usize| {
            let rule = self.plan.rules(step).on_failure;
            let stops = matches!(rule, OnFailure::CancelAndWait | OnFailure::TerminateCluster);
            (stops && self.is_failed_for_good(step)) || self.is_doubtful(step)
        };
        (0..state.steps.len()).find(|&step| stops(step)).map(|step| Skip::StepFailed(self.id(step)))
    }

    /// Another driver of this run has launched the cluster, and it is gone: what its steps came to, the fabric may still
    /// tell. That holds until it is known that one of them was never ordered.
    fn looks_back(&self) -> bool {
        self.settings.ask_first
            && !self.state.nothing_elsewhere
            && self.state.goal == Goal::RunTransient
            && self.state.cluster.state.is_some_and(ClusterState::is_final)
    }

    /// Ended badly, with no attempt left. (Once nothing may be started, no attempt is left either: see `kill`.)
    fn is_failed_for_good(&self, step: usize) -> bool {
        self.is_failed(step) && !self.has_attempts_left(step)
    }

    fn is_failed(&self, step: usize) -> bool {
        matches!(
            self.state.steps[step].phase,
            Phase::Ended(StepState::Failed | StepState::Cancelled)
        )
    }

    fn has_attempts_left(&self, step: usize) -> bool {
        self.delay_after_failure(step).is_some()
    }

    fn is_unknown(&self, step: usize) -> bool {
        matches!(self.state.steps[step].phase, Phase::Live { state: StepState::Unknown, .. })
    }

    fn skip_all(&mut self, why: &Skip) {
        for step in 0..self.state.steps.len() {
            if matches!(self.state.steps[step].phase, Phase::Waiting { .. }) {
                self.act(Action::Skip { step, why: why.clone() });
            }
        }
    }

    /// Retries what failed and has attempts left; skips what needs what failed for good or was skipped.
    fn settle_failures(&mut self) {
        for step in 0..self.state.steps.len() {
            if self.is_failed(step) {
                self.retry(step);
            } else if matches!(self.state.steps[step].phase, Phase::Waiting { .. }) {
                let lost =
                    self.plan.needs(step).iter().copied().find(|&need| self.will_never_do(need));
                if let Some(need) = lost {
                    let why = Skip::DependencyFailed(self.id(need));
                    self.act(Action::Skip { step, why });
                }
            }
        }
    }

    /// `None`: no attempt is left.
    fn delay_after_failure(&self, step: usize) -> Option<Duration> {
        let run = &self.state.steps[step];
        self.plan.rules(step).retries.delay_after(run.attempt - run.earlier)
    }

    fn retry(&mut self, step: usize) {
        let attempt = self.state.steps[step].attempt;
        if let Some(delay) = self.delay_after_failure(step) {
            let not_before = add(self.now, delay);
            self.act(Action::Retry { step, attempt: attempt + 1, not_before });
        }
    }

    /// Whether steps that need this one can never start.
    fn will_never_do(&self, need: usize) -> bool {
        match self.state.steps[need].phase {
            Phase::Skipped => true,
            Phase::Ended(_) => self.is_failed_for_good(need) && !self.counts_as_done(need),
            _ => false,
        }
    }

    /// Whether steps that need this one may start.
    fn counts_as_done(&self, need: usize) -> bool {
        match self.state.steps[need].phase {
            Phase::Ended(StepState::Succeeded) | Phase::LeftOut => true,
            Phase::Ended(_) => {
                self.plan.rules(need).on_failure == OnFailure::Continue
                    && !self.has_attempts_left(need)
            }
            _ => false,
        }
    }

    /// Why all that runs must end at once, if so.
    fn kill(&self) -> Option<Stop> {
        if self.state.interrupted.is_some() {
            return Some(Stop::Interrupted);
        }
        let kills = |&step: &usize| {
            self.plan.rules(step).on_failure == OnFailure::TerminateCluster && self.is_failed(step)
        };
        (0..self.state.steps.len()).find(kills).map(|step| Stop::StepFailed(self.id(step)))
    }

    fn cancel(&mut self, halt: Option<&Skip>, kill: Option<&Stop>) {
        // What goes down, or was asked to, takes its steps along.
        let goes = |state| state == ClusterState::Stopping || ClusterState::is_final(state);
        let cluster = &self.state.cluster;
        if cluster.state.is_some_and(goes) || cluster.terminate.is_some() {
            return;
        }
        let mut orders: Vec<(Stop, Vec<usize>)> = Vec::new();
        for &step in &self.state.busy {
            let run = &self.state.steps[step];
            let Phase::Live { state, since, running, .. } = &run.phase else { continue };
            // What runs at once runs since it was taken.
            let running = running.or(self.fabric.pace.rings.then_some(*since));
            let overdue =
                running.zip(self.plan.rules(step).timeout).map(|(since, limit)| add(since, limit));
            let waits = *state == StepState::Pending && self.fabric.ordered_queue;
            let why = match (kill, overdue, halt) {
                (Some(kill), ..) => kill.clone(),
                (_, Some(end), _) if end <= self.now => Stop::TimedOut,
                (_, _, Some(halt)) if waits => halt.stop(),
                (_, end, _) => {
                    end.into_iter().for_each(|end| self.decision.wake_at(end));
                    continue;
                }
            };
            match &run.cancel {
                Some((asked, _)) if add(*asked, ASK_AGAIN) > self.now => {
                    self.decision.wake_at(add(*asked, ASK_AGAIN))
                }
                _ => match orders.iter_mut().find(|(reason, _)| *reason == why) {
                    Some((_, steps)) => steps.push(step),
                    None => orders.push((why, vec![step])),
                },
            }
        }
        for (why, steps) in orders {
            self.act(Action::Cancel { steps, why });
        }
    }

    /// Why the cluster must go down now, if so.
    fn teardown(&self, kill: Option<Stop>) -> Option<Stop> {
        let failed = || !self.state.steps.iter().all(StepRun::is_done);
        // What was decided once is asked for until it is done, whatever comes between.
        if let Some((_, why)) = &self.state.cluster.terminate {
            return Some(why.clone());
        }
        match self.state.goal {
            Goal::Down => Some(Stop::Asked),
            // A playbook whose rule says so takes also a cluster down that was there before.
            _ if matches!(kill, Some(Stop::StepFailed(_))) => kill,
            goal if !goal.launches() => None,
            _ if kill.is_some() => kill,
            // It would stay as it is, and cost.
            _ if self.state.cluster.state == Some(ClusterState::Broken) => {
                Some(Stop::ClusterFailed)
            }
            Goal::RunTransient if self.is_quiet() && !self.will_end_itself() => {
                match self.state.noop {
                    Some(step) => Some(Stop::Noop(self.id(step))),
                    None if failed() => Some(Stop::RunFailed),
                    None => Some(Stop::Done),
                }
            }
            Goal::Up if self.state.journal_failed => Some(Stop::RunFailed),
            _ => None,
        }
    }

    /// The cluster is to go down by itself, and has had no reason yet to be late with it.
    fn will_end_itself(&self) -> bool {
        self.state.cluster.ends_itself && self.now < add(self.state.last_end, ENDS_ITSELF_WITHIN)
    }

    fn terminate(&mut self, why: Stop) {
        let cluster = &self.state.cluster;
        // A `down` looks first whether there is such a cluster.
        if cluster.id.is_none() || cluster.state.is_none_or(ClusterState::is_final) {
            return;
        }
        match &cluster.terminate {
            Some((asked, _)) if add(*asked, ASK_AGAIN) > self.now => {
                self.wake(add(*asked, ASK_AGAIN))
            }
            _ => self.act(Action::Terminate { why }),
        }
    }

    /// Every step is settled, or will never be (its end is unknown), and no order is open.
    fn is_quiet(&self) -> bool {
        self.state.orders.is_empty()
            && (0..self.state.steps.len())
                .all(|s| self.state.steps[s].is_settled() || self.is_doubtful(s))
    }

    /// Nobody will ever tell how it ended: it is unknown, on a fabric that knows at once, on a cluster that is
    /// gone, or for longer than contact may be lost.
    fn is_doubtful(&self, step: usize) -> bool {
        let Phase::Live { state: StepState::Unknown, since, .. } = self.state.steps[step].phase
        else {
            return false;
        };
        let cluster = self.state.cluster.state;
        self.fabric.pace.rings
            || cluster.is_some_and(|state| state.is_final() || state == ClusterState::Unknown)
            || add(since, self.settings.contact_limit) <= self.now
    }

    fn outcome(&self) -> Option<Outcome> {
        if self.settings.detach && self.is_handed_over() {
            return Some(Outcome::Submitted);
        }
        if !self.is_quiet() {
            return None;
        }
        let cluster = &self.state.cluster;
        let final_state = cluster.state.is_some_and(ClusterState::is_final);
        let refused = self.state.refused.as_ref().filter(|_| !self.state.may_have_effect());
        if let Some(error) = refused {
            return Some(Outcome::Refused { error: error.clone() });
        }
        let must_go = self.teardown(self.kill()).is_some()
            || cluster.terminate.is_some()
            || cluster.ends_itself;
        if cluster.id.is_some()
            && must_go
            && !final_state
            && cluster.state != Some(ClusterState::Unknown)
        {
            return None;
        }
        if cluster.state == Some(ClusterState::Unknown) {
            let why = cluster.reason.as_deref().unwrap_or("no reason given");
            let look = self.where_to_look();
            let reason = format!("nobody can say what became of the cluster: {why}; {look}");
            return Some(Outcome::InDoubt { reason });
        }
        if !final_state && let Some(step) = self.first_unknown() {
            let id = self.id(step);
            let reason = format!("nobody can say how step `{id}` ended; {}", self.where_to_look());
            return Some(Outcome::InDoubt { reason });
        }
        if let Some((signal, _)) = self.state.interrupted {
            return Some(Outcome::Interrupted { signal, left: false });
        }
        match self.state.goal {
            Goal::Down => final_state.then_some(Outcome::Succeeded),
            Goal::Up if cluster.state == Some(ClusterState::Ready) => Some(Outcome::Succeeded),
            Goal::Up if self.state.journal_failed && cluster.id.is_none() => Some(self.failed()),
            Goal::Up if !final_state => None,
            Goal::Up => Some(self.failed()),
            Goal::Run | Goal::RunTransient => Some(self.outcome_of_steps()),
        }
    }

    /// The fabric has every step, and nothing is wrong so far.
    fn is_handed_over(&self) -> bool {
        let live = |step: &StepRun| matches!(step.phase, Phase::Live { .. });
        let alone = match self.state.goal {
            Goal::Run => true,
            Goal::RunTransient => self.state.cluster.ends_itself,
            Goal::Up | Goal::Down => false,
        };
        alone
            && self.state.steps.iter().any(live)
            && self.state.interrupted.is_none()
            && self.state.steps.iter().all(|step| live(step) || step.is_done())
    }

    /// A step whose end nobody will ever tell.
    fn first_unknown(&self) -> Option<usize> {
        (0..self.state.steps.len()).find(|&step| self.is_unknown(step))
    }

    fn outcome_of_steps(&self) -> Outcome {
        let all_done = self.state.steps.iter().all(StepRun::is_done);
        let bad = self.state.steps.iter().any(|s| match s.phase {
            Phase::Ended(StepState::Failed | StepState::Cancelled) | Phase::Live { .. } => true,
            // An attempt of it failed, and the next was not to be.
            Phase::Skipped => s.was_begun(),
            _ => false,
        });
        if self.state.journal_failed || bad {
            return self.failed();
        }
        match self.state.noop {
            Some(step) => Outcome::Noop { step: self.id(step) },
            None if all_done => Outcome::Succeeded,
            None => self.failed(),
        }
    }

    fn failed(&self) -> Outcome {
        let total = self.state.steps.len();
        let failed = total - self.state.steps.iter().filter(|step| step.is_done()).count();
        let cluster = &self.state.cluster;
        let reason = match (self.first_unknown(), &cluster.broke) {
            _ if self.state.journal_failed => Some("the journal cannot be written".to_owned()),
            (Some(step), _) => Some(format!("nobody can say how step `{}` ended", self.id(step))),
            (None, Some(why)) => Some(format!("the cluster does not work: {why}")),
            (None, None)
                if cluster.terminate.is_none()
                    && cluster.state.is_some_and(ClusterState::is_final) =>
            {
                let why = cluster.reason.as_deref().unwrap_or("no reason given");
                Some(format!("the cluster is gone: {why}"))
            }
            (None, None) => None,
        };
        Outcome::Failed { failed, total, reason }
    }

    fn launch(&mut self) {
        let ordered = self.state.orders.values().any(|order| order.launch);
        if !self.state.goal.launches() || ordered || self.state.cluster.id.is_some() {
            return;
        }
        if let Some(then) = self.state.cluster.not_before.filter(|then| *then > self.now) {
            return self.wake(then);
        }
        if let Some(token) = self.token(self.state.cluster.again, &mut 0) {
            let carries = self.state.goal == Goal::RunTransient
                && self.fabric.launch_with_steps
                && self.plan.is_plain_chain();
            let steps = if carries { self.waiting() } else { Vec::new() };
            let attempts = steps.into_iter().map(|step| self.next_attempt(step)).collect();
            let ask_first = self.must_ask_first(&token);
            self.act(Action::Launch { token, attempts, ask_first });
        }
    }

    fn submit(&mut self) {
        if self.state.cluster.state != Some(ClusterState::Ready) && !self.looks_back() {
            return;
        }
        let mut fresh = 0;
        if self.fabric.ordered_queue && self.plan.is_plain_chain() {
            let waiting = self.waiting();
            if !waiting.is_empty() && self.state.busy.is_empty() {
                self.order(waiting, &mut fresh);
            }
            return;
        }
        let mut free = self.plan.parallel(self.fabric).saturating_sub(self.state.busy.len());
        for step in 0..self.state.steps.len() {
            if free == 0 {
                break;
            }
            let Phase::Waiting { not_before } = self.state.steps[step].phase else { continue };
            if !self.plan.needs(step).iter().all(|&need| self.counts_as_done(need)) {
                continue;
            }
            match not_before {
                Some(then) if then > self.now => self.wake(then),
                _ => free -= usize::from(self.order(vec![step], &mut fresh)),
            }
        }
    }

    /// Orders steps; not, if their order may be sent again only later.
    fn order(&mut self, steps: Vec<usize>, fresh: &mut u32) -> bool {
        let Some(token) = self.token(self.state.steps[steps[0]].again, fresh) else { return false };
        let attempts = steps.iter().map(|&step| self.next_attempt(step)).collect();
        let ask_first = self.must_ask_first(&token);
        if !ask_first && self.looks_back() {
            return false;
        }
        self.act(Action::Submit { token, steps, attempts, ask_first });
        true
    }

    fn waiting(&self) -> Vec<usize> {
        let waits = |step: &usize| matches!(self.state.steps[*step].phase, Phase::Waiting { .. });
        (0..self.state.steps.len()).filter(waits).collect()
    }

    fn must_ask_first(&self, token: &Token) -> bool {
        self.settings.ask_first
            && !self.state.nothing_elsewhere
            && token.numbers().is_some_and(|(_, sending)| sending == 1)
    }

    fn next_attempt(&self, step: usize) -> Attempt {
        let run = &self.state.steps[step];
        let attempt = if run.again.is_some() { run.attempt } else { run.attempt + 1 };
        Attempt { step: run.id.clone(), attempt }
    }

    /// The token for an order: a new number, or the next sending of an order that came to nothing. `None`: later.
    fn token(&mut self, again: Option<Again>, fresh: &mut u32) -> Option<Token> {
        match again {
            Some(again) => {
                if again.not_before > self.now {
                    self.wake(again.not_before);
                    return None;
                }
                Some(Token::of(&self.state.run, again.order, again.sent + 1))
            }
            None => {
                let token = Token::of(&self.state.run, self.state.next_order + *fresh, 1);
                *fresh += 1;
                Some(token)
            }
        }
    }

    fn id(&self, step: usize) -> String {
        self.state.steps[step].id.clone()
    }

    fn act(&mut self, action: Action) {
        self.decision.actions.push(action);
    }

    fn wake(&mut self, at: Timestamp) {
        self.decision.wake_at(at);
    }
}

/// Some time up to `most`, the same for the same run and launch.
fn jitter(most: Duration, run: &str, launch: u32) -> Duration {
    let digest = Sha256::digest(format!("{run} {launch}"));
    most.mul_f64(f64::from(digest[0]) / f64::from(u8::MAX))
}

impl Decision {
    fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |known| known.min(at)));
    }
}

impl Skip {
    /// What it means for a step that waits in a queue of the fabric.
    fn stop(&self) -> Stop {
        match self {
            Self::DependencyFailed(step) | Self::StepFailed(step) => Stop::StepFailed(step.clone()),
            Self::Noop(step) => Stop::Noop(step.clone()),
            Self::Interrupted => Stop::Interrupted,
            Self::ClusterGone => Stop::ClusterFailed,
            Self::JournalFailed => Stop::RunFailed,
        }
    }
}

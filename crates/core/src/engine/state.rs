//! Where a run stands: a fold of its events, which refuses what cannot follow.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::add;
use crate::event::{Attempt, Event, EventKind, Goal, Outcome, Skip, StepInfo, Stop};
use crate::fabric::{Cause, ClusterId, ClusterState, Error, RunId, StepId, StepState, Token};

mod again;

use again::{Resume, places_of};

/// Where a run stands. Steps are named by their place in the playbook, from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    /// Which run.
    pub run: RunId,
    /// What it is to do.
    pub goal: Goal,
    /// The number of the last event.
    pub seq: u64,
    /// The time of the last event.
    pub at: Timestamp,
    /// The cluster.
    pub cluster: Cluster,
    /// The steps, in the order of the playbook.
    pub steps: Vec<StepRun>,
    /// Those that are ordered or live.
    pub busy: BTreeSet<usize>,
    /// Orders without an answer, by number.
    pub orders: BTreeMap<u32, Order>,
    /// The number that the next new order gets.
    pub next_order: u32,
    /// The first signal, and whether it leaves all as it is.
    pub interrupted: Option<(i32, bool)>,
    /// The signal on which the driver left a run that is being cancelled.
    pub left: Option<i32>,
    /// Since when questions go unanswered.
    pub contact_lost: Option<(Timestamp, Error)>,
    /// Nothing can be recorded any more.
    pub journal_failed: bool,
    /// The step that ended the run early, with success.
    pub noop: Option<usize>,
    /// The first final refusal, as long as nothing was ever taken.
    pub refused: Option<Error>,
    /// An order was taken.
    pub had_effect: bool,
    /// An order that somebody else may have sent was proven absent: so nobody else has begun the run.
    pub nothing_elsewhere: bool,
    /// All ids that the fabric ever gave for steps of the run.
    pub taken: Vec<StepId>,
    /// Ids that were given out for orders, by their numbers, before they were taken.
    pub reserved: BTreeMap<u32, Vec<StepId>>,
    /// When a step last ended or was skipped, or an order was last taken.
    pub last_end: Timestamp,
    /// How the run ended.
    pub outcome: Option<Outcome>,
    places: HashMap<String, usize>,
}

/// The cluster of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// Which, once there is one.
    pub id: Option<ClusterId>,
    /// The fabric has told of it.
    pub seen: bool,
    /// It was up once: its set-up did not fail.
    pub was_ready: bool,
    /// Its last known state; none before the first look of whoever drives the run now.
    pub state: Option<ClusterState>,
    /// Why it is in that state.
    pub reason: Option<String>,
    /// Why it did not work, once it did not and was there all the same.
    pub broke: Option<String>,
    /// Why, as far as decisions need to know.
    pub cause: Option<Cause>,
    /// How many clusters were launched so far.
    pub launches: u32,
    /// When it was launched, if we did that.
    pub launched: Option<Timestamp>,
    /// It took its steps along and goes down by itself once they are done.
    pub ends_itself: bool,
    /// When it was last asked to go down, and why.
    pub terminate: Option<(Timestamp, Stop)>,
    /// When it was first asked to go down, or seen to.
    pub going_down: Option<Timestamp>,
    /// The order for it that came to nothing last, and when to send it again.
    pub again: Option<Again>,
    /// The next one is not to be ordered before then.
    pub not_before: Option<Timestamp>,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRun {
    /// Its id in the playbook.
    pub id: String,
    /// Where it stands.
    pub phase: Phase,
    /// The current or last attempt; 0 before the first.
    pub attempt: u32,
    /// So many of them were before the run was last resumed: they use up no rule.
    pub earlier: u32,
    /// When this attempt was last asked to stop, and why.
    pub cancel: Option<(Timestamp, Stop)>,
    /// The order for it that came to nothing last, and when to send it again.
    pub again: Option<Again>,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Not started yet, and not before this time.
    Waiting {
        /// From a retry; else `None`.
        not_before: Option<Timestamp>,
    },
    /// An order for it is on its way.
    Ordered,
    /// The fabric has it.
    Live {
        /// Its id there.
        id: StepId,
        /// Pending, Running or Unknown.
        state: StepState,
        /// When it came into that state.
        since: Timestamp,
        /// When it was first seen running.
        running: Option<Timestamp>,
    },
    /// This attempt ended: Succeeded, Failed or Cancelled.
    Ended(StepState),
    /// Never to be started.
    Skipped,
    /// Not to be run, as somebody wished: to the others it is as if it were done.
    LeftOut,
}

/// An order without an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Its token.
    pub token: Token,
    /// When it was intended.
    pub intended: Timestamp,
    /// It is for a cluster.
    pub launch: bool,
    /// Somebody else may have sent it; it was not sent from here.
    pub ask_first: bool,
    /// The steps it is for, or that go with the cluster.
    pub steps: Vec<usize>,
    /// The cluster is there and has the steps; only their ids are still to be asked for.
    pub taken: bool,
    /// Since when its answer is lost.
    pub lost: Option<Timestamp>,
    /// When the fabric was last asked for it.
    pub asked: Option<Timestamp>,
    /// How often it was asked.
    pub times_asked: u32,
    /// It answered once that it surely does not hold it.
    pub absent: bool,
}

/// An order that came to nothing and is to be sent again under the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// Its number.
    pub order: u32,
    /// How often it was sent.
    pub sent: u32,
    /// Not before then.
    pub not_before: Timestamp,
}

/// What an order is like.
#[derive(Clone, Copy)]
struct Intent {
    launch: bool,
    ask_first: bool,
}

/// An event that cannot follow those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Illegal {
    /// The number of the event.
    pub seq: u64,
    /// Why it cannot be.
    pub message: String,
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {} cannot be: {}", self.seq, self.message)
    }
}

impl std::error::Error for Illegal {}

impl RunState {
    /// The state after the first event, which must be `run-started`.
    ///
    /// # Errors
    /// It is another, or its steps are not distinct.
    pub fn start(event: &Event) -> Result<Self, Illegal> {
        let illegal = |message: &str| Illegal { seq: event.seq, message: message.to_owned() };
        let EventKind::RunStarted { run, goal, steps, cluster, left_out, .. } = &event.kind else {
            return Err(illegal("a run begins with `run-started`"));
        };
        if event.seq != 1 {
            return Err(illegal("the first event has number 1"));
        }
        let places = places_of(steps).ok_or_else(|| illegal("two steps have the same id"))?;
        let mut state = Self {
            run: run.clone(),
            goal: *goal,
            seq: 1,
            at: event.at,
            cluster: Cluster { id: cluster.clone(), ..Cluster::default() },
            steps: steps.iter().map(StepRun::new).collect(),
            busy: BTreeSet::new(),
            orders: BTreeMap::new(),
            next_order: 1,
            reserved: BTreeMap::new(),
            interrupted: None,
            left: None,
            contact_lost: None,
            journal_failed: false,
            noop: None,
            refused: None,
            had_effect: false,
            nothing_elsewhere: false,
            taken: Vec::new(),
            last_end: event.at,
            outcome: None,
            places,
        };
        state.leave_out(left_out).map_err(|message| Illegal { seq: event.seq, message })?;
        Ok(state)
    }

    /// Whether an order was taken, or may have been.
    pub fn may_have_effect(&self) -> bool {
        self.had_effect || self.orders.values().any(|order| order.lost.is_some())
    }

    /// Folds a whole journal.
    ///
    /// # Errors
    /// There is no event, or one that cannot follow those before it.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Self, Illegal> {
        let mut events = events.into_iter();
        let first = events.next().ok_or(Illegal { seq: 0, message: "there is no event".into() })?;
        let mut state = Self::start(first)?;
        for event in events {
            state.apply(event)?;
        }
        Ok(state)
    }

    /// The place of a step in the playbook.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// It cannot follow those before it; the state may then be half changed and is of no use any more.
    pub fn apply(&mut self, event: &Event) -> Result<(), Illegal> {
        self.follow(event).map_err(|message| Illegal { seq: event.seq, message })?;
        self.seq = event.seq;
        self.at = event.at;
        Ok(())
    }

    fn follow(&mut self, event: &Event) -> Result<(), String> {
        require(event.seq == self.seq + 1, || format!("it comes after event {}", self.seq))?;
        require(event.at >= self.at, || "it is earlier than the event before".to_owned())?;
        let again = matches!(event.kind, EventKind::Attached { .. } | EventKind::Resumed { .. });
        require(again || self.outcome.is_none(), || "the run has ended".to_owned())?;
        match &event.kind {
            EventKind::RunStarted { .. } => Err("the run has started already".into()),
            EventKind::Attached { .. } => {
                let open = self.outcome.as_ref().is_none_or(Outcome::is_open);
                require(open, || "the run has ended for good".into())?;
                self.reopen(event.at);
                Ok(())
            }
            EventKind::Resumed { cluster, steps, left_out, given_up, .. } => {
                self.resume(event.at, &Resume { cluster, steps, left_out, given_up })
            }
            EventKind::LaunchIntended { token, steps, ask_first } => {
                require(self.cluster.id.is_none(), || "there is a cluster already".into())?;
                let places = self.order_steps(steps)?;
                self.intend(token, event.at, places, Intent { launch: true, ask_first: *ask_first })
            }
            EventKind::Launched { token, cluster, .. } => self.launched(event.at, token, cluster),
            EventKind::RelaunchScheduled { launch, not_before } => {
                self.relaunch(*launch, *not_before)
            }
            EventKind::ClusterChanged { cluster, state, reason, cause, .. } => {
                require(self.cluster.id.as_ref() == Some(cluster), || "another cluster".into())?;
                let gone = self.cluster.state.is_some_and(ClusterState::is_final);
                require(!gone, || "the cluster is gone for good".into())?;
                if *state == ClusterState::Stopping {
                    self.cluster.going_down.get_or_insert(event.at);
                }
                self.cluster.seen = true;
                self.cluster.was_ready |= *state == ClusterState::Ready;
                if *state == ClusterState::Broken {
                    let why = reason.as_deref().unwrap_or("no reason given");
                    self.cluster.broke.get_or_insert_with(|| why.to_owned());
                }
                self.cluster.state = Some(*state);
                self.cluster.reason.clone_from(reason);
                self.cluster.cause = *cause;
                Ok(())
            }
            EventKind::SubmitIntended { token, steps, ids, ask_first } => {
                require(!steps.is_empty(), || "an order for no step".into())?;
                let places = self.order_steps(steps)?;
                self.reserve(token, ids, places.len())?;
                self.intend(
                    token,
                    event.at,
                    places,
                    Intent { launch: false, ask_first: *ask_first },
                )
            }
            EventKind::Submitted { token, ids, .. } => self.submitted(event.at, token, ids),
            EventKind::OrderRefused { token, error, last } => {
                self.refused(token, error, *last, event.at)
            }
            EventKind::OrderLost { token, .. } => {
                self.order_mut(token)?.lose(event.at);
                Ok(())
            }
            EventKind::OrderNotFound { token, absent, proven } => {
                let order = self.order_mut(token)?;
                require(order.lost.is_some(), || "the order is not lost".into())?;
                order.lose(event.at);
                order.absent |= absent;
                require(!(*proven && order.taken), || "it was taken".into())?;
                self.nothing_elsewhere |= *proven && order.ask_first;
                if *proven { self.send_again(token, event.at, None) } else { Ok(()) }
            }
            EventKind::StepChanged { step, attempt, state, .. } => {
                require(!state.is_final(), || "an end is told by `step-ended`".into())?;
                let place = self.attempt(step, *attempt)?;
                match &mut self.steps[place].phase {
                    Phase::Live { state: known, since, running, .. } => {
                        *known = *state;
                        *since = event.at;
                        if *state == StepState::Running {
                            running.get_or_insert(event.at);
                        }
                        Ok(())
                    }
                    other => Err(format!("step `{step}` is not live but {other:?}")),
                }
            }
            EventKind::StepEnded { step, attempt, state, noop, .. } => {
                self.last_end = event.at;
                self.step_ended(step, *attempt, *state, *noop)
            }
            EventKind::RetryScheduled { step, attempt, not_before } => {
                let place = self.attempt(step, attempt.saturating_sub(1))?;
                let run = &mut self.steps[place];
                let failed =
                    matches!(run.phase, Phase::Ended(StepState::Failed | StepState::Cancelled));
                require(failed, || format!("step `{step}` has not failed"))?;
                run.phase = Phase::Waiting { not_before: Some(*not_before) };
                run.cancel = None;
                Ok(())
            }
            EventKind::StepSkipped { step, .. } => {
                let place = self.known(step)?;
                let waits = matches!(self.steps[place].phase, Phase::Waiting { .. });
                require(waits, || format!("step `{step}` does not wait"))?;
                self.steps[place].phase = Phase::Skipped;
                self.last_end = event.at;
                Ok(())
            }
            EventKind::CancelIntended { steps, why } => {
                for step in steps {
                    let place = self.known(step)?;
                    let run = &mut self.steps[place];
                    let live = matches!(run.phase, Phase::Live { .. });
                    require(live, || format!("step `{step}` is not live"))?;
                    run.cancel = Some((event.at, why.clone()));
                }
                Ok(())
            }
            EventKind::TerminateIntended { cluster, why } => {
                require(self.cluster.id.as_ref() == Some(cluster), || "another cluster".into())?;
                self.cluster.terminate = Some((event.at, why.clone()));
                self.cluster.going_down.get_or_insert(event.at);
                Ok(())
            }
            EventKind::ContactLost { error } => {
                require(self.contact_lost.is_none(), || "contact is lost already".into())?;
                self.contact_lost = Some((event.at, error.clone()));
                Ok(())
            }
            EventKind::ContactRestored => {
                require(self.contact_lost.take().is_some(), || "contact was not lost".into())
            }
            EventKind::Interrupted { signal, leave } => {
                match self.interrupted {
                    // Who follows a run that is being cancelled may leave it; it is cancelled all the same.
                    Some((_, false)) if *leave => self.left = Some(*signal),
                    _ => self.interrupted = self.interrupted.or(Some((*signal, *leave))),
                }
                Ok(())
            }
            EventKind::JournalFailed { .. } => {
                self.journal_failed = true;
                Ok(())
            }
            EventKind::Warning { .. } => Ok(()),
            EventKind::RunEnded { outcome } => {
                self.outcome = Some(outcome.clone());
                Ok(())
            }
        }
    }

    /// The steps of an intent are no longer waiting.
    fn order_steps(&mut self, attempts: &[Attempt]) -> Result<Vec<usize>, String> {
        let mut places = Vec::with_capacity(attempts.len());
        for Attempt { step, attempt } in attempts {
            let place = self.known(step)?;
            let run = &mut self.steps[place];
            let waits = matches!(run.phase, Phase::Waiting { .. });
            require(waits, || format!("step `{step}` does not wait"))?;
            // An order that came to nothing used no attempt up.
            let next = if run.again.is_some() { run.attempt } else { run.attempt + 1 };
            require(*attempt == next, || {
                format!("attempt {attempt} of step `{step}` is not next")
            })?;
            run.attempt = next;
            run.phase = Phase::Ordered;
            self.busy.insert(place);
            places.push(place);
        }
        Ok(places)
    }

    fn launched(
        &mut self,
        at: Timestamp,
        token: &Token,
        cluster: &ClusterId,
    ) -> Result<(), String> {
        let order = self.order_mut(token)?;
        require(order.launch && !order.taken, || "the order is for steps".into())?;
        if order.steps.is_empty() {
            self.close(token)?;
        } else {
            order.taken = true;
            order.lost = Some(at);
            order.asked = None;
            order.times_asked = 0;
            self.cluster.ends_itself = true;
        }
        self.had_effect = true;
        self.last_end = at;
        self.cluster.again = None;
        self.cluster.not_before = None;
        self.cluster.launches += 1;
        self.cluster.launched = Some(at);
        self.cluster.id = Some(cluster.clone());
        self.cluster.seen = true;
        self.cluster.state = Some(ClusterState::Starting);
        Ok(())
    }

    /// The cluster is gone without having run anything: all that was for it waits again.
    fn relaunch(&mut self, launch: u32, not_before: Timestamp) -> Result<(), String> {
        let gone = self.cluster.state.is_some_and(ClusterState::is_final);
        require(gone, || "the cluster is not gone".into())?;
        require(launch == self.cluster.launches + 1, || format!("launch {launch} is not next"))?;
        let ordered = std::mem::take(&mut self.busy);
        require(!ordered.iter().any(|&place| self.has_run(place)), || "a step has run".into())?;
        for place in ordered {
            let run = &mut self.steps[place];
            // Nobody ever began it, and the order for it was taken: the next is another.
            run.attempt -= 1;
            run.again = None;
            run.phase = Phase::Waiting { not_before: None };
            run.cancel = None;
        }
        self.orders.clear();
        self.cluster = Cluster {
            launches: self.cluster.launches,
            not_before: Some(not_before),
            ..Cluster::default()
        };
        Ok(())
    }

    /// Whether the fabric was ever seen to run a live step.
    pub fn has_run(&self, step: usize) -> bool {
        matches!(&self.steps[step].phase, Phase::Live { running: Some(_), .. } | Phase::Ended(_))
    }

    fn submitted(&mut self, at: Timestamp, token: &Token, ids: &[StepId]) -> Result<(), String> {
        let order = self.close(token)?;
        require(ids.len() == order.steps.len(), || "ids and steps differ in number".into())?;
        if let Some(reserved) =
            token.numbers().and_then(|(number, _)| self.reserved.remove(&number))
        {
            require(reserved == ids, || "the ids are not those that were given out".into())?;
        }
        require(!order.launch || order.taken, || "the order is for a cluster".into())?;
        self.had_effect = true;
        self.last_end = at;
        self.taken.extend_from_slice(ids);
        for (place, id) in order.steps.into_iter().zip(ids) {
            let run = &mut self.steps[place];
            run.again = None;
            run.phase =
                Phase::Live { id: id.clone(), state: StepState::Pending, since: at, running: None };
        }
        Ok(())
    }

    fn refused(
        &mut self,
        token: &Token,
        error: &Error,
        last: bool,
        at: Timestamp,
    ) -> Result<(), String> {
        if !last {
            return self.send_again(token, at, error.not_before);
        }
        // Its steps stay ordered until `step-ended` says what that means for them.
        let order = self.close(token)?;
        if order.launch {
            // What was to go with the cluster never left.
            self.wait_again(&order.steps, None);
        }
        if !self.had_effect {
            self.refused.get_or_insert_with(|| error.clone());
        }
        Ok(())
    }

    /// The order came to nothing: what it was for waits to be ordered again.
    fn send_again(
        &mut self,
        token: &Token,
        at: Timestamp,
        not_before: Option<Timestamp>,
    ) -> Result<(), String> {
        let order = self.close(token)?;
        let (number, sent) = token.numbers().ok_or_else(|| format!("`{token}` is no token"))?;
        // What was only asked for was not sent from here: there is nothing to back off from.
        let pause = if order.ask_first { Duration::ZERO } else { backoff(sent) };
        let not_before = not_before.unwrap_or(at).max(add(at, pause));
        let again = Some(Again { order: number, sent, not_before });
        if order.launch {
            self.cluster.again = again;
        }
        self.wait_again(&order.steps, again);
        Ok(())
    }

    fn wait_again(&mut self, places: &[usize], again: Option<Again>) {
        for &place in places {
            self.busy.remove(&place);
            let run = &mut self.steps[place];
            run.again = again;
            if again.is_none() {
                run.attempt -= 1;
            }
            run.phase = Phase::Waiting { not_before: None };
        }
    }

    fn step_ended(
        &mut self,
        step: &str,
        attempt: u32,
        state: StepState,
        noop: bool,
    ) -> Result<(), String> {
        require(state.is_final(), || "no end".into())?;
        let place = self.attempt(step, attempt)?;
        let run = &mut self.steps[place];
        let began = match run.phase {
            Phase::Live { .. } => true,
            // Refused for good: nobody ever had it.
            Phase::Ordered => state != StepState::Succeeded,
            _ => false,
        };
        require(began, || format!("step `{step}` cannot end as {:?}", run.phase))?;
        run.phase = Phase::Ended(state);
        run.again = None;
        self.busy.remove(&place);
        if noop {
            self.noop.get_or_insert(place);
        }
        Ok(())
    }

    fn intend(
        &mut self,
        token: &Token,
        at: Timestamp,
        steps: Vec<usize>,
        Intent { launch, ask_first }: Intent,
    ) -> Result<(), String> {
        let (number, _) = token.numbers().ok_or_else(|| format!("`{token}` is no token"))?;
        self.next_order = self.next_order.max(number + 1);
        let order = Order {
            token: token.clone(),
            intended: at,
            launch,
            ask_first,
            steps,
            taken: false,
            lost: ask_first.then_some(at),
            asked: None,
            times_asked: 0,
            absent: false,
        };
        let old = self.orders.insert(number, order);
        require(old.is_none(), || format!("order {number} has no answer yet"))
    }

    /// Ids are given out once for an order, whatever its sending.
    fn reserve(&mut self, token: &Token, ids: &[StepId], steps: usize) -> Result<(), String> {
        if ids.is_empty() {
            return Ok(());
        }
        require(ids.len() == steps, || "ids and steps differ in number".into())?;
        let (number, _) = token.numbers().ok_or_else(|| format!("`{token}` is no token"))?;
        let known = self.reserved.entry(number).or_insert_with(|| ids.to_vec());
        require(known == ids, || format!("order {number} was given other ids before"))
    }

    /// What was given out for an order.
    pub fn reserved(&self, token: &Token) -> &[StepId] {
        let ids = token.numbers().and_then(|(number, _)| self.reserved.get(&number));
        ids.map_or(&[], Vec::as_slice)
    }

    fn order_mut(&mut self, token: &Token) -> Result<&mut Order, String> {
        let number = token.numbers().map(|(number, _)| number);
        number
            .and_then(|number| self.orders.get_mut(&number))
            .filter(|order| order.token == *token)
            .ok_or_else(|| format!("no order `{token}` waits for an answer"))
    }

    fn close(&mut self, token: &Token) -> Result<Order, String> {
        self.order_mut(token)?;
        let number = token.numbers().map(|(number, _)| number);
        number
            .and_then(|number| self.orders.remove(&number))
            .ok_or_else(|| format!("no order `{token}` waits for an answer"))
    }

    fn known(&self, step: &str) -> Result<usize, String> {
        self.place(step).ok_or_else(|| format!("there is no step `{step}`"))
    }

    /// The place of a step whose current attempt must be `attempt`.
    fn attempt(&self, step: &str, attempt: u32) -> Result<usize, String> {
        let place = self.known(step)?;
        let current = self.steps[place].attempt;
        require(attempt == current && attempt > 0, || {
            format!("step `{step}` is at attempt {current}, not {attempt}")
        })?;
        Ok(place)
    }
}

/// So far back an order is looked for that somebody else may have sent.
const SENT_ELSEWHERE: Duration = Duration::from_secs(7 * 24 * 3600);

impl Order {
    /// Nothing that ended before this is of the order.
    pub fn since(&self) -> Timestamp {
        let back = if self.ask_first { SENT_ELSEWHERE } else { Duration::ZERO };
        self.intended.checked_sub(back).unwrap_or(self.intended)
    }

    /// Its answer is lost, or a question for it brought none.
    fn lose(&mut self, at: Timestamp) {
        match self.lost {
            None => self.lost = Some(at),
            Some(_) => {
                self.asked = Some(at);
                self.times_asked += 1;
            }
        }
    }
}

impl StepRun {
    fn new(info: &StepInfo) -> Self {
        Self {
            id: info.id.clone(),
            phase: Phase::Waiting { not_before: None },
            attempt: 0,
            earlier: 0,
            cancel: None,
            again: None,
        }
    }

    /// Whether the fabric ever took an attempt of it: an order that came to nothing was none.
    pub fn was_begun(&self) -> bool {
        self.attempt > u32::from(self.again.is_some())
    }

    /// Whether nothing more happens to it, as far as the fabric is concerned.
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Ended(_) | Phase::Skipped | Phase::LeftOut)
    }

    /// Whether it is as it should be at the end of a run.
    pub fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Ended(StepState::Succeeded) | Phase::LeftOut)
    }
}

impl Skip {
    /// Why it is not started, as a fragment.
    pub fn reason(&self) -> String {
        match self {
            Self::DependencyFailed(step) => format!("step `{step}`, which it needs, failed"),
            Self::StepFailed(step) => format!("step `{step}` failed"),
            Self::Noop(step) => format!("step `{step}` ended the run early"),
            Self::Interrupted => "the run was interrupted".to_owned(),
            Self::ClusterGone => "there is no cluster".to_owned(),
            Self::JournalFailed => "the journal cannot be written".to_owned(),
        }
    }
}

/// How long to wait after so many (≥ 1) tries: 2 s, 4 s, … 64 s.
pub(super) fn backoff(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.clamp(1, 6))
}

fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

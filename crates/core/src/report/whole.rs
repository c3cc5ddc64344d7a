//! All that a journal says of a run.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use super::steps::{Stand, StepReport, Steps, seconds};
use super::{Asked, Summary};
use crate::engine::state::{Illegal, RunState};
use crate::event::{Driver, Event, EventKind, Outcome};
use crate::fabric::{Cause, ClusterId, ClusterState, Token};
use crate::journal::{Begun, Contents};

/// All that a journal says of a run. What it does not say is `None`, and `null` in JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// In short.
    #[serde(flatten)]
    pub summary: Summary,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    /// When something last happened.
    pub last_news: Timestamp,
    /// The playbook's tags.
    pub tags: BTreeMap<String, String>,
    /// The version of the program that began it.
    pub program: String,
    /// The exit code that was asked for when a no-op rule ends the run early.
    #[serde(skip)]
    pub noop_exit_code: u8,
    /// Who drove it, one after the other.
    pub drivers: Vec<Drive>,
    /// Its clusters, one after the other.
    pub clusters: Vec<ClusterReport>,
    /// The steps in the order of the playbook.
    pub steps: Vec<StepReport>,
    /// So many steps stand so.
    pub counts: Counts,
    /// How long it took.
    pub seconds: Seconds,
    /// What became of its orders.
    pub orders: Orders,
    /// When the fabric did not answer.
    pub contact_lost: Vec<NoContact>,
    /// What signals came.
    pub interruptions: Vec<Interruption>,
    /// What a person should know.
    pub warnings: Vec<Warned>,
}

/// Somebody began to drive a run, or drove it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drive {
    /// When.
    pub at: Timestamp,
    /// `started`, `attached` or `resumed`.
    pub how: &'static str,
    /// The machine; journals of early versions do not tell.
    pub host: Option<String>,
    /// The number of the process there.
    pub pid: Option<u32>,
}

/// A cluster of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReport {
    /// Its id.
    pub id: ClusterId,
    /// The order that launched it; none: it was there before.
    pub token: Option<Token>,
    /// When it was launched.
    pub launched: Option<Timestamp>,
    /// When it was first seen to take steps.
    pub ready: Option<Timestamp>,
    /// When it was seen to be down.
    pub ended: Option<Timestamp>,
    /// Its last known state.
    pub state: Option<ClusterState>,
    /// The same in the fabric's own words.
    pub native: Option<String>,
    /// Why it is in it.
    pub reason: Option<String>,
    /// Why, in one word.
    pub cause: Option<Cause>,
    /// It was asked to go down, last then and for this.
    pub terminate: Option<Asked>,
}

/// How many steps stand so; together they are all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All steps of the playbook.
    pub steps: usize,
    /// Not started.
    pub waiting: usize,
    /// Pending, running or unknown.
    pub live: usize,
    /// Ended, and proven good.
    pub succeeded: usize,
    /// Ended badly.
    pub failed: usize,
    /// Ended because somebody stopped them.
    pub cancelled: usize,
    /// Never to be started.
    pub skipped: usize,
    /// Not to be run, as somebody wished.
    pub left_out: usize,
    /// All attempts of all steps.
    pub attempts: usize,
}

impl Counts {
    /// How many are done with.
    pub fn done(&self) -> usize {
        self.steps - self.waiting - self.live
    }

    fn of(steps: &[StepReport]) -> Self {
        let mut counts = Self::default();
        for step in steps {
            counts.attempts += step.attempts.len();
            counts.steps += usize::from(step.state != Stand::Removed);
            let one = match step.state {
                Stand::Waiting => &mut counts.waiting,
                Stand::Pending | Stand::Running | Stand::Unknown => &mut counts.live,
                Stand::Succeeded => &mut counts.succeeded,
                Stand::Failed => &mut counts.failed,
                Stand::Cancelled => &mut counts.cancelled,
                Stand::Skipped => &mut counts.skipped,
                Stand::LeftOut => &mut counts.left_out,
                Stand::Removed | Stand::Dropped | Stand::GivenUp => continue,
            };
            *one += 1;
        }
        counts
    }
}

/// How long a run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// From its begin to its end, or to the last news.
    pub total: f64,
    /// All attempts together: from their orders to their begins.
    pub waiting: f64,
    /// All attempts together: from their begins to their ends.
    pub running: f64,
}

/// What became of orders, for clusters and steps, whose way was not the straight one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Orders {
    /// The answers to so many were lost.
    pub lost: usize,
    /// Of those, so many were found to have been carried out.
    pub found: usize,
    /// So many times an order was sent again, since it had come to nothing.
    pub resent: usize,
    /// So many times the fabric refused one.
    pub refused: usize,
    /// So many have no answer yet.
    pub unanswered: usize,
}

/// A time without contact to the fabric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoContact {
    /// Since when questions went unanswered.
    pub since: Timestamp,
    /// Until when, or until somebody else drove the run; none: to the end of the journal.
    pub until: Option<Timestamp>,
    /// What the fabric said, or why it could not be asked.
    pub error: String,
}

/// A signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interruption {
    /// When it came.
    pub at: Timestamp,
    /// Its number.
    pub signal: i32,
    /// Everything was left as it was; else it was cancelled.
    pub leave: bool,
}

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warned {
    /// When it was said.
    pub at: Timestamp,
    /// A lowercase fragment.
    pub message: String,
}

/// What is known after some events.
#[derive(Debug, Default)]
struct Fold<'a> {
    begun: Option<Begun>,
    tags: BTreeMap<String, String>,
    drivers: Vec<Drive>,
    clusters: Vec<ClusterReport>,
    steps: Steps,
    lost: HashSet<&'a Token>,
    orders: Orders,
    contact_lost: Vec<NoContact>,
    interruptions: Vec<Interruption>,
    warnings: Vec<Warned>,
}

impl Report {
    /// Of a whole journal; `driven`: somebody drives the run.
    ///
    /// # Errors
    /// An event cannot follow those before it.
    pub fn of(contents: &Contents, driven: bool) -> Result<Self, Illegal> {
        let Contents { header, events, .. } = contents;
        let mut fold = Fold::default();
        let mut state: Option<RunState> = None;
        for event in events {
            let state = match &mut state {
                Some(state) => {
                    state.apply(event)?;
                    state
                }
                first => first.insert(RunState::start(event)?),
            };
            fold.follow(event);
            fold.steps.follow(event, state);
        }
        let state = state.ok_or(Illegal { seq: 0, message: "there is no event".into() })?;
        let summary = Summary::told(header.clone(), fold.begun, events.last(), driven);
        let steps = fold.steps.finish(&state);
        let attempts = || steps.iter().flat_map(|step| &step.attempts);
        let seconds = Seconds {
            total: seconds(summary.begun, summary.ended.unwrap_or(state.at)),
            waiting: sum(attempts().filter_map(|it| it.waited_seconds)),
            running: sum(attempts().filter_map(|it| it.ran_seconds)),
        };
        Ok(Self {
            outcome: summary.standing.outcome().cloned(),
            last_news: state.at,
            tags: fold.tags,
            program: header.program.clone(),
            noop_exit_code: header.noop_exit_code,
            drivers: fold.drivers,
            clusters: fold.clusters,
            counts: Counts::of(&steps),
            seconds,
            orders: Orders { lost: fold.lost.len(), unanswered: state.orders.len(), ..fold.orders },
            contact_lost: fold.contact_lost,
            interruptions: fold.interruptions,
            warnings: fold.warnings,
            steps,
            summary,
        })
    }

    /// The cluster on which the run is, or was last.
    pub fn cluster(&self) -> Option<&ClusterReport> {
        self.clusters.last()
    }
}

/// To the millisecond, as what is added.
fn sum(seconds: impl Iterator<Item = f64>) -> f64 {
    (seconds.sum::<f64>() * 1e3).round() / 1e3
}

impl<'a> Fold<'a> {
    /// All but what happens to steps.
    fn follow(&mut self, event: &'a Event) {
        let at = event.at;
        match &event.kind {
            EventKind::RunStarted { goal, playbook, tags, cluster, name, driver, .. } => {
                let (goal, playbook, name) = (*goal, playbook.clone(), name.clone());
                self.begun = Some(Begun { goal, playbook, name, cluster: cluster.clone() });
                self.tags.clone_from(tags);
                self.drive(at, "started", driver.as_ref());
                self.on(cluster.as_ref());
            }
            EventKind::Attached { driver } => self.drive(at, "attached", Some(driver)),
            EventKind::Resumed { driver, cluster, .. } => {
                self.drive(at, "resumed", Some(driver));
                self.on(cluster.as_ref());
            }
            EventKind::LaunchIntended { token, .. } | EventKind::SubmitIntended { token, .. } => {
                let again = token.numbers().is_some_and(|(_, sending)| sending > 1);
                self.orders.resent += usize::from(again);
            }
            EventKind::Launched { token, cluster, adopted } => {
                self.orders.found += usize::from(*adopted);
                self.on(Some(cluster));
                self.cluster(cluster, |it| {
                    it.token = Some(token.clone());
                    it.launched = Some(at);
                    it.state = Some(ClusterState::Starting);
                });
            }
            EventKind::Submitted { adopted, .. } => self.orders.found += usize::from(*adopted),
            EventKind::OrderRefused { .. } => self.orders.refused += 1,
            EventKind::OrderLost { token, .. } => drop(self.lost.insert(token)),
            EventKind::ClusterChanged { cluster, state, native, reason, cause } => {
                self.cluster(cluster, |it| {
                    it.state = Some(*state);
                    it.native = Some(native.clone());
                    it.reason.clone_from(reason);
                    it.cause = *cause;
                    if *state == ClusterState::Ready {
                        it.ready.get_or_insert(at);
                    }
                    it.ended = state.is_final().then_some(at);
                });
            }
            EventKind::TerminateIntended { cluster, why } => {
                let why = why.clone();
                self.cluster(cluster, |it| it.terminate = Some(Asked { at, why }));
            }
            kind => self.note(at, kind),
        }
    }

    /// What a person wants to be told of.
    fn note(&mut self, at: Timestamp, kind: &EventKind) {
        match kind {
            EventKind::ContactLost { error } => {
                let error = error.to_string();
                self.contact_lost.push(NoContact { since: at, until: None, error });
            }
            EventKind::ContactRestored => self.contact_is_back(at),
            EventKind::Interrupted { signal, leave } => {
                self.interruptions.push(Interruption { at, signal: *signal, leave: *leave });
            }
            EventKind::Warning { message } => {
                self.warnings.push(Warned { at, message: message.clone() });
            }
            _ => {}
        }
    }

    fn drive(&mut self, at: Timestamp, how: &'static str, driver: Option<&Driver>) {
        // Whoever drives it now has asked nothing yet.
        self.contact_is_back(at);
        let host = driver.map(|driver| driver.host.clone());
        self.drivers.push(Drive { at, how, host, pid: driver.map(|driver| driver.pid) });
    }

    fn contact_is_back(&mut self, at: Timestamp) {
        if let Some(last) = self.contact_lost.last_mut() {
            last.until.get_or_insert(at);
        }
    }

    /// The run is on this cluster from now on.
    fn on(&mut self, cluster: Option<&ClusterId>) {
        let Some(id) = cluster else { return };
        if self.clusters.last().is_none_or(|last| last.id != *id) {
            self.clusters.push(ClusterReport::new(id.clone()));
        }
    }

    fn cluster(&mut self, id: &ClusterId, change: impl FnOnce(&mut ClusterReport)) {
        let one = self.clusters.iter_mut().rev().find(|it| it.id == *id);
        if let Some(one) = one {
            change(one);
        }
    }
}

impl ClusterReport {
    fn new(id: ClusterId) -> Self {
        Self {
            id,
            token: None,
            launched: None,
            ready: None,
            ended: None,
            state: None,
            native: None,
            reason: None,
            cause: None,
            terminate: None,
        }
    }
}

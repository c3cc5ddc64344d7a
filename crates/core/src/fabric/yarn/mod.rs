//! Runs steps on a Hadoop cluster that is there: one application of YARN for each attempt, over HTTP alone.
//!
//! The application's master is our own launcher, a few KB of Java that run the step's program on a node and give the
//! application the program's own end: without it YARN calls a program that ended well a failure, since it never registered.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{
    Capabilities, Chunk, ClusterId, Clusters, Error, ErrorKind, ExitCodes, Fabric, Found,
    LocalFile, LogFile, Logs, Order, Pace, Result, StepId, StepStatus, Uri,
};
use crate::config::playbook::{OnFailure, Playbook, StepType};
use crate::diagnostic::Diagnostics;
use crate::fabric::notes::Notes;
use crate::http::Client;

mod application;
mod check;
mod config;
pub mod fake;
mod hdfs;
mod logs;
mod lower;
mod manager;
mod reach;
mod reply;
mod rest;
mod stage;
mod status;
mod steps;

pub use application::LONGEST_TAG;
use application::{Site, TYPE};
pub use check::playbook as check_playbook;
pub use config::{Config, Credentials};
use rest::Rest;

/// The fabric's name.
const NAME: &str = "yarn";

/// Between two questions at first, and when little happens for long: a question is one request for all steps.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);

/// Many a step is through, or has failed, within so short a time.
const EAGER: Duration = Duration::from_secs(30);

/// The failure rules that it can obey: the cluster is not ours to end.
const FAILURE_RULES: [OnFailure; 3] =
    [OnFailure::CancelAndWait, OnFailure::Continue, OnFailure::SkipDependents];

/// The fabric.
pub struct Yarn {
    config: Config,
    rest: Rest,
    capabilities: Capabilities,
    notes: Notes,
    noticed: Mutex<Noticed>,
}

/// What does not change any more.
#[derive(Default)]
struct Noticed {
    site: Option<Arc<Site>>,
    /// The tag of the run that this process is about.
    run: Option<String>,
}

impl Config {
    /// The one cluster that it is about.
    pub fn cluster(&self) -> ClusterId {
        ClusterId::new(self.name.shown())
    }
}

/// What a cluster can do, wherever it is reached; `slots`: so many steps at once.
pub fn capabilities(slots: NonZeroU32) -> Capabilities {
    Capabilities {
        fabric: NAME,
        ordered_queue: false,
        launch_with_steps: false,
        knows_orders: true,
        stages: true,
        parallel: Some(slots),
        step_types: &StepType::ALL,
        failure_rules: &FAILURE_RULES,
        cancel_running: true,
        exit_codes: ExitCodes::InStatus,
        logs: Logs::Live,
        pace: Pace { eager: EAGER, ..Pace::steady(FIRST, LONGEST) },
        settle: Duration::ZERO,
    }
}

impl Yarn {
    /// A fabric that reaches the cluster with this client. Sends nothing yet.
    pub fn new(config: Config, client: Arc<Client>) -> Self {
        let (rest, capabilities) = (Rest::new(&config, client), capabilities(config.slots));
        Self { config, rest, capabilities, notes: Notes::default(), noticed: Mutex::default() }
    }

    /// Asks so often, whatever happens.
    #[must_use]
    pub fn asking_every(mut self, tick: Duration) -> Self {
        self.capabilities.pace = Pace::steady(tick, tick);
        self
    }

    fn noticed(&self) -> MutexGuard<'_, Noticed> {
        // Whoever panicked while holding it cannot have left a single entry half done.
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where it is reached only: the configuration may hold credentials.
impl fmt::Debug for Yarn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Yarn({:?})", self.rest)
    }
}

impl Fabric for Yarn {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check(&self, playbook: &Playbook, faults: &mut Diagnostics) {
        check::playbook(playbook, faults);
    }

    fn describe(&self, playbook: &Playbook) -> Vec<Vec<String>> {
        let words = |step| lower::lower(step, "‹tags›").words.into_iter().map(|word| word.shown);
        playbook.steps.iter().map(|step| words(step).collect()).collect()
    }

    /// It stays.
    fn is_on_cluster(&self, _: &str) -> bool {
        false
    }

    fn reach(&self) -> BTreeMap<String, String> {
        reach::told(&self.config)
    }

    fn clusters(&self) -> Option<&dyn Clusters> {
        None
    }

    fn home(&self) -> Option<ClusterId> {
        Some(self.config.cluster())
    }

    fn stage(&self, file: &LocalFile) -> Result<Uri> {
        self.stage_file(file)
    }

    fn reserve(&self, _: &ClusterId, steps: usize) -> Result<Vec<StepId>> {
        self.reserve_steps(steps)
    }

    fn submit(&self, _: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>> {
        self.submit_steps(order)
    }

    fn find(&self, _: &ClusterId, order: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        self.find_steps(order)
    }

    fn poll(&self, _: &ClusterId, ids: &[StepId]) -> Result<Vec<(StepId, StepStatus)>> {
        self.poll_steps(ids)
    }

    fn cancel(&self, _: &ClusterId, ids: &[StepId]) -> Result<()> {
        self.cancel_steps(ids)
    }

    fn logs(&self, _: &ClusterId, id: &StepId) -> Result<Vec<LogFile>> {
        self.step_logs(id)
    }

    fn read(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        self.read_log(file, from)
    }

    fn warnings(&self) -> Vec<String> {
        self.notes.take()
    }
}

/// An error of this fabric.
fn error(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Error {
    Error::new(kind, NAME, operation, message)
}

#[cfg(test)]
mod tests;

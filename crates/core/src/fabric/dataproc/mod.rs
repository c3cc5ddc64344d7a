//! Runs steps on clusters of Google Dataproc, over its REST API and that of Cloud Storage.
//!
//! An attempt of a step is a job whose id we choose, made of run, step and attempt: a job of that id is there once, whoever
//! sends it and how often. A cluster has our labels, and a name that is there once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::{
    Capabilities, Chunk, ClusterId, Clusters, Error, ErrorKind, ExitCodes, Fabric, Found,
    LocalFile, LogFile, Logs, Order, Pace, Result, StepId, StepStatus, Uri,
};
use crate::config::playbook::{OnFailure, Playbook, StepType};
use crate::diagnostic::Diagnostics;
use crate::fabric::line::lies_in_hdfs;
use crate::fabric::notes::Notes;
use crate::http::Client;
use crate::http::google::Credentials as Identity;

mod call;
mod check;
mod clusters;
mod config;
mod extra;
pub mod fake;
pub(crate) mod forms;
pub(crate) mod limits;
mod logs;
mod lower;
mod names;
mod reach;
mod reply;
mod request;
mod script;
mod stage;
mod status;
mod steps;
mod storage;
mod workflow;

use call::Cloud;
pub use check::{cluster as check_cluster, playbook as check_playbook, together as check_together};
pub use config::{
    Accelerator, Config, Credentials, Disks, FailedWorkers, Group, InitializationAction, Network,
    Preemptibility, Secondary, Selection,
};
pub use extra::Extra;
pub use reach::Access;
pub use workflow::workflow;

/// The fabric's name.
const NAME: &str = "dataproc";

/// Between two questions while a cluster comes up, which takes about ninety seconds.
const LAUNCHING: Duration = Duration::from_secs(5);
/// Between two questions at first, and when little happens for long.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(15);

/// Names and ids are known at once to whoever asks by them; a request that was cut off is done with after its deadline.
const SETTLE: Duration = Duration::from_secs(30);

/// So long may what a driver writes be under way, where nothing else is wished.
const CODE_WAIT: Duration = Duration::from_secs(60);

/// The fabric.
pub struct Dataproc {
    access: Access,
    /// What to launch; none where steps go to a cluster that is there.
    config: Option<Config>,
    /// None, where it only tells what it would do.
    cloud: Option<Cloud>,
    capabilities: Capabilities,
    code_wait: Duration,
    notes: Notes,
    noticed: Mutex<Noticed>,
}

/// What does not change any more.
#[derive(Default)]
struct Noticed {
    /// The label of the run that this process is about.
    run: Option<String>,
    /// What makes the clusters that this process ordered.
    operations: BTreeMap<ClusterId, String>,
    /// When jobs were first seen to have failed whose exit codes are not known.
    failed: BTreeMap<StepId, Timestamp>,
    /// The project, where the configuration names none.
    project: Option<String>,
}

/// What it can do, wherever it is reached.
pub fn capabilities() -> Capabilities {
    Capabilities {
        fabric: NAME,
        ordered_queue: false,
        launch_with_steps: false,
        knows_orders: true,
        stages: true,
        // What is too much at once waits there.
        parallel: None,
        step_types: &StepType::ALL,
        failure_rules: &OnFailure::ALL,
        cancel_running: true,
        exit_codes: ExitCodes::InStatus,
        logs: Logs::Live,
        pace: Pace {
            launching: LAUNCHING,
            cluster_every: std::num::NonZeroU32::new(4),
            ..Pace::steady(FIRST, LONGEST)
        },
        settle: SETTLE,
    }
}

impl Dataproc {
    /// A fabric that reaches Google with this client and these credentials. `config` is what to launch; without it steps go
    /// to clusters that are there. Sends nothing yet.
    pub fn new(
        access: Access,
        config: Option<Config>,
        client: Arc<Client>,
        identity: Identity,
    ) -> Self {
        let cloud = Cloud::new(&access, client, identity);
        Self { cloud: Some(cloud), ..Self::on_paper(access, config) }
    }

    /// A fabric that tells what it would do and reaches nothing: it needs no credentials.
    pub fn on_paper(access: Access, config: Option<Config>) -> Self {
        Self {
            access,
            config,
            cloud: None,
            capabilities: capabilities(),
            code_wait: CODE_WAIT,
            notes: Notes::default(),
            noticed: Mutex::default(),
        }
    }

    /// Asks so often, whatever happens.
    #[must_use]
    pub fn asking_every(mut self, tick: Duration) -> Self {
        let pace = &mut self.capabilities.pace;
        (pace.launching, pace.first, pace.longest) = (tick, tick, tick);
        self
    }

    /// Takes it that what was ordered shows after so long.
    #[must_use]
    pub fn settling_in(mut self, settle: Duration) -> Self {
        self.capabilities.settle = settle;
        self
    }

    /// So long is waited for the exit code of a program that failed, which its output tells.
    #[must_use]
    pub fn waiting_for_codes(mut self, wait: Duration) -> Self {
        self.code_wait = wait;
        self
    }

    fn cloud(&self, operation: &'static str) -> Result<&Cloud> {
        let unreached = "Google is not reached from here";
        self.cloud.as_ref().ok_or_else(|| error(ErrorKind::Unsupported, operation, unreached))
    }

    fn config(&self, operation: &'static str) -> Result<&Config> {
        let none = "no cluster is described that could be launched";
        self.config.as_ref().ok_or_else(|| error(ErrorKind::Config, operation, none))
    }

    /// The project that all is in.
    fn project(&self) -> Result<String> {
        if let Some(project) = &self.access.project {
            return Ok(project.clone());
        }
        if let Some(known) = &self.noticed().project {
            return Ok(known.clone());
        }
        let project = self.cloud("project")?.credentials().project();
        let project = project.map_err(|wrong| wrong.into_fabric(NAME, "project"))?;
        let project = project.ok_or_else(|| {
            let message = "no project is named: give `project` in the cluster file";
            error(ErrorKind::Config, "project", message)
        })?;
        self.noticed().project = Some(project.clone());
        Ok(project)
    }

    /// The path of something in project and region.
    fn path(&self, rest: &str) -> Result<String> {
        let region = self.access.region.expose();
        Ok(format!("/v1/projects/{}/regions/{region}/{rest}", self.project()?))
    }

    fn noticed(&self) -> MutexGuard<'_, Noticed> {
        // Whoever panicked while holding it cannot have left a single entry half done.
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where it is reached only: the configuration may hold credentials.
impl fmt::Debug for Dataproc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dataproc({})", self.access.region.shown())
    }
}

impl Fabric for Dataproc {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check(&self, playbook: &Playbook, faults: &mut Diagnostics) {
        check::playbook(playbook, faults);
        if let Some(config) = &self.config {
            check::together(playbook, config, faults);
        }
    }

    fn describe(&self, playbook: &Playbook) -> Vec<Vec<String>> {
        let words = |step| lower::lower(step, &|file| file.shown().to_owned(), &[]).words;
        let shown = |step| words(step).into_iter().map(|word| word.shown).collect();
        playbook.steps.iter().map(shown).collect()
    }

    fn is_on_cluster(&self, text: &str) -> bool {
        lies_in_hdfs(text)
    }

    fn reach(&self) -> BTreeMap<String, String> {
        let known = self.noticed().project.clone();
        reach::told(&self.access, known)
    }

    fn clusters(&self) -> Option<&dyn Clusters> {
        Some(self)
    }

    fn home(&self) -> Option<ClusterId> {
        None
    }

    fn stage(&self, file: &LocalFile) -> Result<Uri> {
        self.stage_file(file)
    }

    /// They are known without asking.
    fn reserve(&self, _: &ClusterId, _: usize) -> Result<Vec<StepId>> {
        Ok(Vec::new())
    }

    fn submit(&self, on: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>> {
        self.submit_steps(on, order)
    }

    fn find(&self, _: &ClusterId, order: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        self.find_steps(order)
    }

    fn poll(&self, on: &ClusterId, ids: &[StepId]) -> Result<Vec<(StepId, StepStatus)>> {
        self.poll_steps(on, ids)
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
        let mut fresh = self.notes.take();
        fresh.extend(self.cloud.iter().flat_map(|cloud| cloud.credentials().take_notes()));
        fresh
    }
}

/// An error of this fabric.
fn error(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Error {
    Error::new(kind, NAME, operation, message)
}

#[cfg(test)]
mod tests;

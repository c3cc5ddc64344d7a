//! Runs steps on Amazon EMR.
//!
//! One request is one question or order; waiting, asking again and sharing AWS's quotas are others' business. EMR takes
//! no token with an order, so what was ordered is found again by a tag on the cluster, and by the sequence of the steps.

use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{
    Capabilities, Chunk, ClusterId, Clusters, Error, ErrorKind, ExitCodes, Fabric, Found,
    LocalFile, LogFile, Logs, Order, Pace, Result, StepId, StepStatus, Uri,
};
use crate::config::playbook::{OnFailure, Playbook, StepType};
use crate::diagnostic::Diagnostics;
use crate::fabric::line::lies_in_hdfs;
use crate::fabric::notes::Notes;
use crate::http::Reply;
use crate::http::aws::{Account, Call, Failure, Recorded, Service, Source};

pub mod api;
mod call;
mod check;
mod clusters;
mod config;
pub mod fake;
mod find;
mod logs;
mod lower;
mod pattern;
mod reach;
mod reply;
pub mod request;
mod s3;
mod status;
mod steps;

pub use check::{cluster as check_cluster, playbook as check_playbook};
pub use config::{
    Bootstrap, Config, Configuration, Credentials, Ebs, Group, Location, Release, Roles, Tag,
    Volumes,
};
pub use reach::keeps_credentials;

/// Region and credentials, from a playbook 1-*-* or a cluster's configuration: what an [`Account`] is made from.
pub use crate::config::playbook::EmrAccess as Access;

/// The fabric's name.
const NAME: &str = "emr";

/// Between two questions while a cluster comes up, where nothing else is wished.
const LAUNCHING: Duration = Duration::from_secs(30);

/// Between two questions, where nothing else is wished.
const TICK: Duration = Duration::from_secs(15);

/// EMR brings logs to S3 each five minutes, and what is left when the cluster ends; mrjob, which has waited for them for
/// many years, waits up to ten.
/// <https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-manage-view-web-log-files.html>
const LOGS: Duration = Duration::from_secs(10 * 60);

/// How long a new cluster or step may take to show in lists. EMR names no time; each is seen within seconds, and a
/// request that was cut off is done with after its deadline. A minute is some times either.
const SETTLE: Duration = Duration::from_secs(60);

/// The fabric.
pub struct Emr {
    /// What to launch; none where steps go to a cluster that is there.
    config: Option<Config>,
    account: Box<dyn Aws>,
    capabilities: Capabilities,
    /// AWS refused tags: a fact about our rights, not about an order.
    tags_refused: AtomicBool,
    /// AWS refused `ListSteps`.
    list_denied: AtomicBool,
    notes: Notes,
    noticed: Mutex<Noticed>,
}

/// What does not change any more.
#[derive(Debug, Default)]
struct Noticed {
    /// Where the logs of the cluster go that was asked about last.
    log_folder: Option<(ClusterId, Option<s3::Place>)>,
    /// The tags of clusters that carry ours or have ended.
    tags: BTreeMap<ClusterId, Vec<reply::Tag>>,
}

/// AWS as it is reached from here: an [`Account`], but in tests of this fabric's own logic.
trait Aws: Send + Sync {
    /// See [`Account::call`].
    fn call(&self, call: &Call<'_>) -> Result<Reply, Failure>;
    /// See [`Account::region`].
    fn region(&self) -> &str;
    /// See [`Account::endpoint`].
    fn endpoint(&self, service: Service) -> String;
    /// Where the credentials come from, in the words of the header of a journal.
    fn source(&self) -> &'static str;
    /// See [`Account::recorded`].
    fn recorded(&self) -> Recorded;
    /// See [`Account::take_notes`].
    fn notes(&self) -> Vec<String>;
}

impl Aws for Account {
    fn call(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        self.call(call)
    }

    fn region(&self) -> &str {
        self.region()
    }

    fn endpoint(&self, service: Service) -> String {
        self.endpoint(service)
    }

    fn source(&self) -> &'static str {
        reach::word(self.source())
    }

    fn recorded(&self) -> Recorded {
        self.recorded()
    }

    fn notes(&self) -> Vec<String> {
        self.take_notes()
    }
}

/// No AWS at all.
struct Nowhere {
    region: String,
}

impl Aws for Nowhere {
    fn call(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let error = error(ErrorKind::Unsupported, call.operation, "AWS is not reached from here");
        Err(Failure { error, code: None })
    }

    fn region(&self) -> &str {
        &self.region
    }

    fn endpoint(&self, _: Service) -> String {
        String::new()
    }

    fn source(&self) -> &'static str {
        "none"
    }

    fn recorded(&self) -> Recorded {
        Recorded::default()
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Access {
    /// What a cluster's configuration says.
    pub fn of(config: &Config) -> Self {
        Self { region: config.region.clone(), credentials: config.credentials.clone() }
    }
}

/// What it can do, wherever it is reached.
pub fn capabilities() -> Capabilities {
    Capabilities {
        fabric: NAME,
        ordered_queue: true,
        launch_with_steps: true,
        knows_orders: false,
        stages: false,
        // More may run where the cluster allows it, but then EMR refuses our failure rules.
        parallel: Some(NonZeroU32::MIN),
        step_types: &StepType::ALL,
        failure_rules: &OnFailure::ALL,
        // Of EMR 5.28 and later; of older ones only what waits.
        cancel_running: true,
        exit_codes: ExitCodes::None,
        logs: Logs::Settles(LOGS),
        pace: Pace {
            rings: false,
            launching: LAUNCHING,
            first: TICK,
            eager: Duration::ZERO,
            longest: TICK,
            at_once: NonZeroUsize::new(steps::AT_ONCE),
            cluster_every: NonZeroU32::new(4),
        },
        settle: SETTLE,
    }
}

impl From<&Credentials> for Source {
    fn from(credentials: &Credentials) -> Self {
        match credentials {
            Credentials::Instance => Self::Instance,
            Credentials::Environment => Self::Environment,
            Credentials::Chain => Self::Chain,
            Credentials::Key { id, secret, .. } => {
                Self::Key { id: id.clone(), secret: secret.clone() }
            }
        }
    }
}

impl Emr {
    /// A fabric in the account and region that `account` reaches. `config` is what to launch; without it steps go to
    /// clusters that are there. Sends nothing yet.
    pub fn new(config: Option<Config>, account: Account) -> Self {
        Self::reaching(config, Box::new(account))
    }

    /// A fabric that tells what it would do and reaches nothing: it needs no credentials.
    pub fn on_paper(config: Option<Config>, region: &str) -> Self {
        Self::reaching(config, Box::new(Nowhere { region: region.to_owned() }))
    }

    fn reaching(config: Option<Config>, account: Box<dyn Aws>) -> Self {
        Self {
            config,
            account,
            capabilities: capabilities(),
            tags_refused: AtomicBool::new(false),
            list_denied: AtomicBool::new(false),
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

    fn noticed(&self) -> MutexGuard<'_, Noticed> {
        // Whoever panicked while holding it cannot have left a single entry half done.
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where it is reached only: the configuration may hold credentials.
impl fmt::Debug for Emr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Emr({})", self.account.endpoint(Service::Emr))
    }
}

impl Fabric for Emr {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check(&self, playbook: &Playbook, faults: &mut Diagnostics) {
        check::playbook(playbook, self.config.as_ref(), faults);
    }

    fn describe(&self, playbook: &Playbook) -> Vec<Vec<String>> {
        playbook.steps.iter().map(|step| lower::lower(step).words()).collect()
    }

    fn is_on_cluster(&self, text: &str) -> bool {
        lies_in_hdfs(text)
    }

    fn reach(&self) -> BTreeMap<String, String> {
        reach::told(self.account.as_ref())
    }

    fn clusters(&self) -> Option<&dyn Clusters> {
        Some(self)
    }

    fn home(&self) -> Option<ClusterId> {
        None
    }

    fn stage(&self, file: &LocalFile) -> Result<Uri> {
        let message =
            format!("`{}` cannot be staged on EMR yet: put it on S3", file.path.display());
        Err(error(ErrorKind::Unsupported, "PutObject", message))
    }

    fn reserve(&self, _: &ClusterId, _: usize) -> Result<Vec<StepId>> {
        Ok(Vec::new())
    }

    fn submit(&self, on: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>> {
        self.add_steps(on, order)
    }

    fn find(&self, on: &ClusterId, order: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        self.find_steps(on, order)
    }

    fn poll(&self, on: &ClusterId, ids: &[StepId]) -> Result<Vec<(StepId, StepStatus)>> {
        self.poll_steps(on, ids)
    }

    fn cancel(&self, on: &ClusterId, ids: &[StepId]) -> Result<()> {
        self.cancel_steps(on, ids)
    }

    fn logs(&self, on: &ClusterId, id: &StepId) -> Result<Vec<LogFile>> {
        self.step_logs(on, id)
    }

    fn read(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        self.read_log(file, from)
    }

    fn warnings(&self) -> Vec<String> {
        let mut fresh = self.notes.take();
        fresh.extend(self.account.notes());
        fresh
    }
}

/// An error of this fabric.
fn error(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Error {
    Error::new(kind, NAME, operation, message)
}

#[cfg(test)]
mod tests;

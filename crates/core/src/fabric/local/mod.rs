//! Runs steps on this machine.
//!
//! A cluster is a folder. A step is a process group of its own, started by a [`shim`] that outlives the
//! program: whatever becomes of the program, how the step ended is told by a record beside its logs, and a
//! step without such a record is never taken for one that succeeded.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{
    Capabilities, Chunk, ClusterId, Clusters, Error, ErrorKind, ExitCodes, Fabric, Found,
    LocalFile, LogFile, Logs, Order, Pace, Result, StepId, StepStatus, Uri,
};
use jiff::Timestamp;

use crate::bell::Bell;
use crate::config::playbook::{OnFailure, Playbook, StepType};
use crate::diagnostic::Diagnostics;
use crate::secret::Text;

mod check;
mod cluster;
mod command;
mod config;
pub mod copy;
pub mod dist_cp;
mod files;
mod find;
mod glob;
mod places;
pub(crate) mod process;
pub mod prune;
mod reach;
mod record;
mod roots;
pub mod shim;
mod steps;
mod stop;
mod tools;
mod watch;
mod word;

pub use config::{Config, Tools};
#[cfg(any(test, fuzzing))]
pub(crate) use record::fuzz_record;

use command::Maker;
use places::Places;
use roots::Roots;
use tools::Toolbox;
use watch::Watch;

/// The fabric's name.
const NAME: &str = "local";
/// Between two looks at steps whose end rings the bell.
const SAFETY: Duration = Duration::from_secs(60);

/// What the program has around it that the fabric needs.
#[derive(Clone)]
pub struct Surroundings {
    /// The environment that steps inherit.
    pub environment: BTreeMap<OsString, OsString>,
    /// The work folder, where the configuration names none.
    pub work_folder: PathBuf,
    /// The program's own binary: with [`shim::ARGUMENT`] first it calls [`shim::main`], with [`copy::ARGUMENT`]
    /// [`copy::main`], with [`dist_cp::ARGUMENT`] [`dist_cp::main`], each with the arguments after that.
    pub program: PathBuf,
    /// Rung when a step has ended, and when a cluster is gone.
    pub bell: Arc<Bell>,
}

/// Without the environment, which may hold credentials.
impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("work_folder", &self.work_folder)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

/// The fabric.
pub struct Local {
    name: Text,
    places: Places,
    roots: Roots,
    toolbox: Toolbox,
    /// Names of variables that the configuration adds to the environment.
    added: Vec<String>,
    /// Between TERM and KILL.
    grace: Duration,
    program: PathBuf,
    /// See [`process::machine`].
    here: String,
    capabilities: Capabilities,
    watch: Arc<Watch>,
    /// The clusters that go down by our order; `Some`: why their folder could not be removed.
    stopping: Arc<Mutex<HashMap<ClusterId, Option<String>>>>,
}

impl Local {
    /// A fabric that runs steps as the configuration says. Touches nothing yet.
    pub fn new(config: Config, around: Surroundings) -> Self {
        let slots = config
            .slots
            .or_else(|| NonZeroU32::try_from(std::thread::available_parallelism().ok()?).ok());
        let added = config.environment.iter().map(|(name, value)| (name.as_str(), value.expose()));
        Self {
            name: config.name,
            places: Places::new(config.work_folder.as_deref().unwrap_or(&around.work_folder)),
            roots: Roots::new(&config.roots),
            toolbox: Toolbox::new(around.environment, &config.tools, added),
            added: config.environment.keys().cloned().collect(),
            grace: config.kill_after,
            program: around.program,
            here: process::machine(),
            capabilities: Capabilities {
                fabric: NAME,
                ordered_queue: false,
                parallel: Some(slots.unwrap_or(NonZeroU32::MIN)),
                step_types: &StepType::ALL,
                failure_rules: &OnFailure::ALL,
                cancel_running: true,
                exit_codes: ExitCodes::InStatus,
                launch_with_steps: false,
                knows_orders: true,
                stages: true,
                logs: Logs::Live,
                pace: Pace { rings: true, ..Pace::steady(SAFETY, SAFETY) },
                settle: Duration::ZERO,
            },
            watch: Watch::new(around.bell),
            stopping: Arc::default(),
        }
    }

    /// What is wrong with a playbook on any machine: [`Fabric::check`] without what is installed here.
    pub fn check_playbook(&self, playbook: &Playbook, faults: &mut Diagnostics) {
        let maker = Maker::new(&self.toolbox, &self.roots, &self.program, None);
        check::check_arguments(&maker, playbook, faults);
    }

    fn stopping(&self) -> MutexGuard<'_, HashMap<ClusterId, Option<String>>> {
        // Whoever panicked while holding it cannot have left a single entry half done.
        self.stopping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No shim is left that looks after nothing.
impl Drop for Local {
    fn drop(&mut self) {
        self.watch.dismiss();
    }
}

/// The folder only: the environment may hold credentials.
impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Local({})", self.places.root().display())
    }
}

impl Fabric for Local {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check(&self, playbook: &Playbook, faults: &mut Diagnostics) {
        let roots = self.roots.with_work(self.places.root().join("work"));
        let maker = Maker::new(&self.toolbox, &roots, &self.program, None);
        check::check(&maker, playbook, faults);
    }

    fn describe(&self, playbook: &Playbook) -> Vec<Vec<String>> {
        // Which cluster it will be is not known yet.
        let roots = self.roots.with_work(PathBuf::from(command::SOME_WORK));
        let maker = Maker::new(&self.toolbox, &roots, &self.program, None);
        let argv = |step| maker.invocation(step).map_or_else(|_| Vec::new(), |made| made.argv);
        let words = |step| {
            let argv = argv(step);
            // To collect them would keep the room of all else that is in a word.
            let mut words = Vec::with_capacity(argv.len());
            words.extend(argv.into_iter().map(|word| word.shown));
            words
        };
        playbook.steps.iter().map(words).collect()
    }

    fn is_on_cluster(&self, text: &str) -> bool {
        text.contains(roots::WORK)
    }

    fn reach(&self) -> BTreeMap<String, String> {
        reach::told(self)
    }

    fn clusters(&self) -> Option<&dyn Clusters> {
        Some(self)
    }

    fn home(&self) -> Option<ClusterId> {
        None
    }

    fn stage(&self, file: &LocalFile) -> Result<Uri> {
        files::stage(&self.places, file)
    }

    fn reserve(&self, _: &ClusterId, _: usize) -> Result<Vec<StepId>> {
        Ok(Vec::new())
    }

    fn submit(&self, on: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>> {
        Ok(vec![self.start(on, order)?])
    }

    fn find(&self, on: &ClusterId, order: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        Ok(match self.find_step(on, order)? {
            Found::Yes(id) => Found::Yes(vec![id]),
            Found::No => Found::No,
            Found::NotYet => Found::NotYet,
        })
    }

    fn poll(&self, on: &ClusterId, ids: &[StepId]) -> Result<Vec<(StepId, StepStatus)>> {
        ids.iter().map(|id| Ok((id.clone(), self.status(on, id)?))).collect()
    }

    fn cancel(&self, on: &ClusterId, ids: &[StepId]) -> Result<()> {
        self.ask_to_stop(on, ids)
    }

    fn logs(&self, on: &ClusterId, id: &StepId) -> Result<Vec<LogFile>> {
        files::logs(&self.places.cluster(on)?.step(id)?.logs)
    }

    fn read(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        files::read(file, from)
    }

    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An error of this fabric.
fn error(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Error {
    Error::new(kind, NAME, operation, message)
}

/// What an error of a file or a process means; nothing was done.
fn io_error(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |err| {
        let kind = match err.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::ArgumentListTooLong => ErrorKind::Config,
            // A full disk or table of processes may be empty again later.
            _ => ErrorKind::Unavailable,
        };
        error(kind, operation, format!("`{}`: {err}", path.display()))
    }
}

/// Milliseconds since 1970 by the machine's clock: records are read by other runs and programs.
fn now() -> i64 {
    crate::clock::timestamp().as_millisecond()
}

/// Milliseconds since 1970, for people.
fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}

//! Where steps run. A fabric answers; it never waits, sleeps, retries, prints or remembers.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::playbook::{OnFailure, Playbook, Step, StepType};
use crate::diagnostic::Diagnostics;

pub mod conformance;
mod content;
pub mod dataproc;
mod discreet;
pub mod emr;
pub mod error;
mod faults;
pub mod id;
mod line;
pub mod local;
pub mod memory;
mod notes;
mod reach;
pub mod status;
pub mod yarn;

pub use discreet::Discreet;
pub use error::{Effect, Error, ErrorKind, Result};
pub use id::{ClusterId, RunId, StepId, Token};
pub use status::{Cause, ClusterState, ClusterStatus, StepState, StepStatus};

/// Runs steps somewhere. Every method is one question or one order.
pub trait Fabric: Debug + Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> &Capabilities;

    /// The fabric's own offline rules: a tool that is not installed, a URI it cannot reach. Asked before
    /// anything starts.
    fn check(&self, playbook: &Playbook, faults: &mut Diagnostics);

    /// What it would run for each step of a playbook that it accepts, word by word, with each secret replaced by
    /// its origin.
    fn describe(&self, playbook: &Playbook) -> Vec<Vec<String>>;

    /// Whether a text of a step names something that lies on the cluster itself and goes down with it, such as a file
    /// in its HDFS. Where that cannot be told, it does.
    fn is_on_cluster(&self, text: &str) -> bool;

    /// What finds this fabric again without the configuration files: for the header of the journal, in the
    /// fabric's own words, without secrets.
    fn reach(&self) -> BTreeMap<String, String>;

    /// Starting, finding and stopping clusters, where the fabric does that at all.
    fn clusters(&self) -> Option<&dyn Clusters>;

    /// The one cluster there is, where none is started or chosen.
    fn home(&self) -> Option<ClusterId>;

    /// Puts one file of this machine where steps can read it; content-addressed, repeatable. Called before
    /// anything is ordered.
    ///
    /// # Errors
    /// The file cannot be read, or not be put there.
    fn stage(&self, file: &LocalFile) -> Result<Uri>;

    /// Ids for so many steps of an order that is about to be intended, where the fabric gives them out before it takes the
    /// order: they go to the journal with the intent, and with the order ([`Order::ids`]), which may then be sent as
    /// often as need be. None where ids come with the answer.
    ///
    /// # Errors
    /// No answer. Nothing was ordered yet.
    fn reserve(&self, on: &ClusterId, steps: usize) -> Result<Vec<StepId>>;

    /// Queues the order's steps, in order, all or none; ids come back in the same order. One step where there
    /// is no ordered queue.
    ///
    /// # Errors
    /// With [`Effect::Unknown`] the steps may be there all the same: ask [`Fabric::find`].
    fn submit(&self, on: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>>;

    /// The steps of an order that the fabric holds, whatever the sending that brought them. Asked before an order is
    /// ever repeated.
    ///
    /// # Errors
    /// No answer: ask again.
    fn find(&self, on: &ClusterId, order: &Order<'_>) -> Result<Found<Vec<StepId>>>;

    /// What one request could tell about `ids`, most urgent first; those left out keep their last status.
    ///
    /// # Errors
    /// No answer: ask again. A failed poll never fails a run.
    fn poll(&self, on: &ClusterId, ids: &[StepId]) -> Result<Vec<(StepId, StepStatus)>>;

    /// Asks `ids` to stop; stopping the stopped is fine. Whether they did is for [`Fabric::poll`] to say.
    ///
    /// # Errors
    /// They may not have been asked: ask again, it is harmless.
    fn cancel(&self, on: &ClusterId, ids: &[StepId]) -> Result<()>;

    /// The log files of a step.
    ///
    /// # Errors
    /// No answer.
    fn logs(&self, on: &ClusterId, id: &StepId) -> Result<Vec<LogFile>>;

    /// One piece of a log file, from a byte on.
    ///
    /// # Errors
    /// No answer.
    fn read(&self, file: &LogFile, from: u64) -> Result<Chunk>;

    /// What it noticed since it was last asked that stops nothing but that a person should know, such as a right it
    /// lacks and does without: each once, as a lowercase fragment.
    fn warnings(&self) -> Vec<String>;
}

/// Fabrics that own clusters.
pub trait Clusters: Send + Sync {
    /// Orders a cluster.
    ///
    /// # Errors
    /// With [`Effect::Unknown`] it may be there all the same: ask [`Clusters::find`].
    fn launch(&self, order: &Launch<'_>) -> Result<ClusterId>;

    /// The cluster of an order that the fabric holds, whatever the sending that brought it: the answer to an earlier one
    /// may be late, and another process may drive the same run. Of several the newest that is not gone is meant, else
    /// the newest. Asked before a launch is ever repeated.
    ///
    /// # Errors
    /// No answer: ask again.
    fn find(&self, order: &Launch<'_>) -> Result<Found<ClusterId>>;

    /// Clusters of this fabric that are not gone, newest first.
    ///
    /// # Errors
    /// No answer.
    fn list(&self, query: &Query) -> Result<Vec<ClusterStatus>>;

    /// One cluster.
    ///
    /// # Errors
    /// No answer, or [`ErrorKind::NotFound`].
    fn inspect(&self, id: &ClusterId) -> Result<ClusterStatus>;

    /// Asks a cluster to go down; asking again is fine. Whether it did is for [`Clusters::inspect`] to say.
    ///
    /// # Errors
    /// It may not have been asked: ask again.
    fn terminate(&self, id: &ClusterId) -> Result<()>;

    /// The log files that may tell why a cluster failed, such as those of its set-up; none where there are none, or
    /// none yet.
    ///
    /// # Errors
    /// No answer.
    fn logs(&self, id: &ClusterId) -> Result<Vec<LogFile>>;
}

/// Which clusters to list. Who asks by name or label wants to give them steps: those that go down or are broken are left
/// out, as they take none any more. Who asks for all, or for ours, wants to know what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// All that are not gone.
    All,
    /// Those of this name.
    Name(String),
    /// Those with this label.
    Tag {
        /// Its name.
        key: String,
        /// Its value.
        value: String,
    },
    /// The newest of this name, if there is one.
    Newest(String),
    /// Those that came of an order of ours, of any run: with [`ClusterStatus::token`].
    Ours,
}

impl Query {
    /// What it means on a fabric whose clusters have no labels, but tell the orders they came from.
    pub fn pick(&self, newest_first: Vec<ClusterStatus>) -> Vec<ClusterStatus> {
        let (name, most) = match self {
            Self::All => return newest_first,
            Self::Ours => {
                return newest_first
                    .into_iter()
                    .filter(|cluster| cluster.token.is_some())
                    .collect();
            }
            Self::Tag { .. } => return Vec::new(),
            Self::Name(name) => (name, usize::MAX),
            Self::Newest(name) => (name, 1),
        };
        let meant =
            |cluster: &ClusterStatus| cluster.name == *name && !cluster.state.is_past_steps();
        newest_first.into_iter().filter(meant).take(most).collect()
    }
}

/// What a fabric can do. Facts, not wishes; the conformance suite tests each both ways.
#[derive(Clone, Debug, PartialEq)]
pub struct Capabilities {
    /// The fabric's name, such as `local`.
    pub fabric: &'static str,
    /// It runs queued steps of one order one after the other, in order, and heeds their failure rules itself.
    pub ordered_queue: bool,
    /// An order for a cluster may carry steps.
    pub launch_with_steps: bool,
    /// The far side keeps an order's token, so an order that is sent twice runs once.
    pub knows_orders: bool,
    /// It can put files of this machine where steps can read them; else names of files mean what they mean there.
    pub stages: bool,
    /// So many steps run at once; `None`: as many as one likes.
    pub parallel: Option<NonZeroU32>,
    /// The types of steps it runs.
    pub step_types: &'static [StepType],
    /// The failure rules it can obey, itself or with the engine's help.
    pub failure_rules: &'static [OnFailure],
    /// A running step can be stopped, not only a waiting one.
    pub cancel_running: bool,
    /// Where the exit code of a step is to be had.
    pub exit_codes: ExitCodes,
    /// When the logs of a step that ended are to be had.
    pub logs: Logs,
    /// How often to ask.
    pub pace: Pace,
    /// After so long whatever was done is to be seen by all who ask; zero: at once.
    pub settle: Duration,
}

/// Where the exit code of a step is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCodes {
    /// In its status.
    InStatus,
    /// Nowhere: a rule on exit codes is refused by the plan.
    None,
}

/// How often to ask a fabric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The fabric runs at once what it takes, and rings the bell when something ends: it knows all there is to
    /// know, and the pauses below are only for safety.
    pub rings: bool,
    /// Between two questions while a cluster comes up.
    pub launching: Duration,
    /// Between two questions, at first.
    pub first: Duration,
    /// So long after an order pauses stay as they are at first, whether there is news or not.
    pub eager: Duration,
    /// Between two questions, when little happens for long.
    pub longest: Duration,
    /// One question tells of so many steps at most; `None`: of all.
    pub at_once: Option<NonZeroUsize>,
    /// Each so-manieth question of a run with live steps is about the cluster instead (≥ 2); `None`: it is never asked
    /// about while it is ready.
    pub cluster_every: Option<NonZeroU32>,
}

impl Pace {
    /// One question tells all, and every pause is the same until much time passes without news.
    pub const fn steady(first: Duration, longest: Duration) -> Self {
        Self {
            rings: false,
            launching: first,
            first,
            eager: Duration::ZERO,
            longest,
            at_once: None,
            cluster_every: None,
        }
    }
}

/// When the logs of a step that ended are to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logs {
    /// At once, and while it runs.
    Live,
    /// They come so much later at the latest.
    Settles(Duration),
}

/// An order for a cluster.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The order's own token.
    pub token: Token,
    /// When the order was first intended: nothing that ended earlier is ever adopted.
    pub intended: Timestamp,
    /// It is asked for on behalf of a run that another process may have driven, or still drives; `intended` lies as far
    /// back as that may be. What could as well be of another run is then not told to be of this one.
    pub foreign: bool,
    /// It is for one run alone, which takes it down; else somebody else will.
    pub transient: bool,
    /// Steps that go with it, in this order ([`Capabilities::launch_with_steps`]): the cluster ends itself once
    /// they are done, even if we die. [`Fabric::find`], asked with the same token, gives their ids. None: the
    /// cluster stays until it is asked to go.
    pub steps: Vec<OrderedStep<'a>>,
}

/// Steps for a cluster.
#[derive(Debug)]
pub struct Order<'a> {
    /// The order's own token.
    pub token: &'a Token,
    /// When the order was first intended: nothing that ended earlier is ever adopted.
    pub intended: Timestamp,
    /// It is asked for on behalf of a run that another process may have driven, or still drives; `intended` lies as far
    /// back as that may be. What could as well be of another run is then not told to be of this one.
    pub foreign: bool,
    /// The steps went along with the order for the cluster itself.
    pub along: bool,
    /// What was given out for it before ([`Fabric::reserve`]).
    pub ids: &'a [StepId],
    /// What the run's other orders were given, such as earlier attempts: nothing of it is this order's.
    pub others: &'a [StepId],
    /// In this order.
    pub steps: Vec<OrderedStep<'a>>,
}

/// One attempt of one step.
#[derive(Debug)]
pub struct OrderedStep<'a> {
    /// What to run.
    pub step: &'a Step,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Where the files that lie beside the playbook were staged, by the name in the playbook.
    pub staged: &'a BTreeMap<String, Uri>,
}

/// Whether the fabric holds what an order asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// It does.
    Yes(T),
    /// It surely does not, and will not.
    No,
    /// It does not show it, which proves nothing.
    NotYet,
}

/// A file of this machine that a step needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFile {
    /// Where it is.
    pub path: PathBuf,
}

/// Where a staged file lies, in the words of the fabric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri(pub String);

/// One log file of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Such as `stderr`.
    pub name: String,
    /// Where it lies, in the words of the fabric.
    pub place: String,
    /// Its size as far as is known, in bytes.
    pub size: Option<u64>,
}

/// A piece of a log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its bytes, as they are.
    pub bytes: Vec<u8>,
    /// The end of the file as it is now was reached.
    pub at_end: bool,
}

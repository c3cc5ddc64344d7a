//! What fabrics tell of clusters and steps, in both tongues.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{ClusterId, Token};

/// Where a step stands, in our words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepState {
    /// Accepted, not begun.
    Pending,
    /// At work.
    Running,
    /// Ended, and proven good.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Ended because somebody stopped it.
    Cancelled,
    /// Nobody can say: neither running nor ended as far as can be proven.
    Unknown,
}

impl StepState {
    /// Whether it will not change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// In capitals, as in logs and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// What a fabric knows of one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepStatus {
    /// In our words.
    pub state: StepState,
    /// In the fabric's own words.
    pub native: String,
    /// Why, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The exit code of the program, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// When it began to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// From 0 to 1, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f32>,
    /// Where a person can look: a URL, or a folder of logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl StepStatus {
    /// A status that says no more than the state.
    pub fn new(state: StepState, native: impl Into<String>) -> Self {
        Self {
            state,
            native: native.into(),
            reason: None,
            exit_code: None,
            started: None,
            ended: None,
            progress: None,
            link: None,
        }
    }
}

/// Where a cluster stands, in our words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClusterState {
    /// Being brought up.
    Starting,
    /// Takes steps.
    Ready,
    /// Going down.
    Stopping,
    /// Down as it was asked to be, or because its work was done.
    Stopped,
    /// Down because something went wrong.
    Failed,
    /// It does not work, and is still there: it holds machines or disks until it is terminated.
    Broken,
    /// Nobody can say.
    Unknown,
}

impl ClusterState {
    /// Whether it is gone for good.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }

    /// Whether it takes no steps any more: it is gone, goes, or is broken.
    pub fn is_past_steps(self) -> bool {
        self.is_final() || matches!(self, Self::Stopping | Self::Broken)
    }

    /// In capitals, as in logs and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Ready => "READY",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
            Self::Broken => "BROKEN",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// Why a cluster ended or failed, as far as decisions need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its own set-up failed; another launch may do better.
    Bootstrap,
    /// No machines were to be had.
    Capacity,
    /// It ended itself for want of work.
    Idle,
    /// Somebody stopped it.
    User,
    /// What was asked for cannot be.
    Invalid,
    /// Its steps ended it.
    Steps,
    /// Anything else.
    Other,
}

impl ClusterStatus {
    /// A status that says no more than the state.
    pub fn bare(id: ClusterId, state: ClusterState, native: impl Into<String>) -> Self {
        let name = id.as_str().to_owned();
        let (reason, cause, created, token) = (None, None, None, None);
        Self { id, name, state, native: native.into(), idle: false, reason, cause, created, token }
    }
}

/// What a fabric knows of one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// Which.
    pub id: ClusterId,
    /// Its name.
    pub name: String,
    /// In our words.
    pub state: ClusterState,
    /// In the fabric's own words.
    pub native: String,
    /// It has no steps that wait or run, as far as it has come to know of them.
    #[serde(skip)]
    pub idle: bool,
    /// Why, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why, as far as decisions need to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// When it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// The order it came from, if the fabric says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

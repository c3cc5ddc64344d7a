//! What is said of locks.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::duration::duration;

/// The lock that a run is to hold.
#[derive(Debug, Default, Args)]
pub(crate) struct Locks {
    /// Hold this lock (a file, or with --consul a key); it stays unless the run succeeds
    #[arg(long, value_name = "PATH")]
    pub(crate) lock: Option<String>,
    /// Hold this lock as long as the run lasts, however it ends
    #[arg(long, visible_alias = "softLock", value_name = "PATH")]
    pub(crate) soft_lock: Option<String>,
    /// The lock is a key in this Consul: HOST:PORT or a URL; CONSUL_HTTP_TOKEN and the like are heeded
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) consul: Option<String>,
    /// Wait so long for the lock to be free: 90s, 5m, 2h [default: not at all]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) lock_wait: Option<Duration>,
}

/// `lock`.
#[derive(Debug, Subcommand)]
pub(crate) enum Lock {
    /// Say who holds a lock, and since when
    Status(Status),
    /// Free a lock, whoever holds it
    Break(Break),
}

/// Where a lock is.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The lock: a file, or with --consul a key
    #[arg(long, value_name = "PATH")]
    pub(crate) lock: Option<String>,
    /// The lock is a key in this Consul: HOST:PORT or a URL; CONSUL_HTTP_TOKEN and the like are heeded
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) consul: Option<String>,
}

/// `lock status`.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `lock break`.
#[derive(Debug, Args)]
pub(crate) struct Break {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

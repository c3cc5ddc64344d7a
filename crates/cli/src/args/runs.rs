//! What is said of runs that were begun.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use dataflow_runner_core::report::Standing;

use super::duration::duration;
use super::{Config, Variables, factor};

/// `runs`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Runs {
    #[command(subcommand)]
    pub(crate) command: Option<RunsCommand>,
    /// Only those that stand so; may be repeated
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(Standing::WORDS))]
    pub(crate) state: Vec<String>,
    /// Only those begun within so long: 90s, 5m, 48h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) since: Option<Duration>,
    /// Print JSON, one run (or cluster) a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) orphans: Orphans,
}

/// What is done with runs that were begun.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Remove the records of runs that ended long ago, and the logs they left on this machine
    Prune(Prune),
}

/// `runs --orphans`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Clusters without a run")]
pub(crate) struct Orphans {
    /// List the clusters that runs brought up and that no run looks after, wherever the runs of this folder went
    #[arg(long, conflicts_with_all = ["state", "since"])]
    pub(crate) orphans: bool,
    /// Also those that are meant to be there, and why
    #[arg(long, requires = "orphans")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// Your account has so many times EMR's default quotas
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub(crate) quota_factor: f64,
}

/// `runs prune`.
#[derive(Debug, Args)]
pub(crate) struct Prune {
    /// Only runs that ended so long ago: 48h, 30d
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = duration)]
    pub(crate) older_than: Duration,
    /// The newest N runs stay, however old they are
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) keep: usize,
    /// Also runs that nobody drives to their end, and those whose end left something open: in doubt, submitted, left
    /// as it was, or a cluster that no `down` of this folder took down
    #[arg(long)]
    pub(crate) also_open: bool,
    /// List what would go, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `logs`.
#[derive(Debug, Args)]
pub(crate) struct RunLogs {
    /// The run: its id or the beginning of it, its name, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) run: String,
    /// The step: its id, its name, or the beginning of its id [default: all that failed; if none has, the one that began last]
    #[arg(value_name = "STEP")]
    pub(crate) step: Option<String>,
    /// Go on with what the step writes, until it has ended; a step that has not begun is waited for
    #[arg(long)]
    pub(crate) follow: bool,
    /// An earlier attempt, from 1 [default: the last one]
    #[arg(long, value_name = "N", requires = "step")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempt: Option<u32>,
    /// Only this log, such as stderr, stdout, controller or, on EMR, syslog
    #[arg(long, value_name = "NAME")]
    pub(crate) file: Option<String>,
    /// Wait so long for logs that come late (EMR), such as 90s or 10m [default: not at all]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) log_wait: Option<Duration>,
    #[command(flatten)]
    pub(crate) config: Config,
}

/// `status`.
#[derive(Debug, Args)]
pub(crate) struct RunStatus {
    /// The run: its id or the beginning of it, its name, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) run: String,
    /// Keep it up to date until the run is over, or nobody drives it
    #[arg(long)]
    pub(crate) watch: bool,
    /// Print JSON; with --watch an object a line for each change
    #[arg(long)]
    pub(crate) json: bool,
}

/// `report`.
#[derive(Debug, Args)]
pub(crate) struct RunReport {
    /// The run: its id or the beginning of it, its name, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) run: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

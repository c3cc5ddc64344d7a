//! What is said of runs that were begun.

use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use dataflow_runner_core::report::Standing;

use super::duration::duration;

/// `runs`.
#[derive(Debug, Args)]
pub(crate) struct Runs {
    /// Only those that stand so; may be repeated
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(Standing::WORDS))]
    pub(crate) state: Vec<String>,
    /// Only those begun within so long: 90s, 5m, 48h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) since: Option<Duration>,
    /// Print JSON, one run a line
    #[arg(long)]
    pub(crate) json: bool,
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

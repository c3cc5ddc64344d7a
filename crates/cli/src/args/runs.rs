//! What is said of runs that were begun.

use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use dataflow_runner_core::report::Standing;

use super::Config;
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

/// `logs`.
#[derive(Debug, Args)]
pub(crate) struct RunLogs {
    /// The run: its id, the beginning of its id, or `last`
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
    /// The run: its id, the beginning of its id, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) run: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

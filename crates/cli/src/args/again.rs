//! What is said of runs that are taken up again, and of what makes them known.

use std::path::PathBuf;

use clap::Args;

use super::{Engine, Locks, Logs, Sentry, Variables};

/// What makes a run known.
#[derive(Debug, Default, Args)]
pub(crate) struct Naming {
    /// Call the run so; RUN then takes this name, too
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) run_name: Option<String>,
    /// Begin it once: a second start with the same key attaches to the first, also from elsewhere
    #[arg(long, value_name = "KEY", value_parser = name)]
    pub(crate) idempotency_key: Option<String>,
}

/// Which steps are to run.
#[derive(Debug, Default, Args)]
pub(crate) struct Selection {
    /// Begin with this step: only it and all that needs it, directly or not
    #[arg(long, value_name = "STEP", conflicts_with = "only")]
    pub(crate) from: Option<String>,
    /// Leave these steps out, as if they were done; may be repeated
    #[arg(long, value_name = "STEP,…", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Only these steps, as if the others were done; may be repeated
    #[arg(long, value_name = "STEP,…", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
}

/// A run, and who may have it.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The run: its id, the beginning of its id, its name, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) run: String,
    /// Take it over though a process of another host drove it last; be sure that it is gone
    #[arg(long)]
    pub(crate) take_over: bool,
}

/// `attach`.
#[derive(Debug, Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) engine: Engine,
    /// Show the logs of steps that fail: on EMR the probable cause, and the last --log-lines of each
    #[arg(long)]
    pub(crate) log_failed_steps: bool,
    #[command(flatten)]
    pub(crate) logs: Logs,
    #[command(flatten)]
    pub(crate) locks: Locks,
    #[command(flatten)]
    pub(crate) sentry: Sentry,
}

/// `resume`.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Go on on this cluster instead of the run's own, or a new one
    #[arg(long, value_name = "ID", value_parser = super::which_cluster)]
    pub(crate) cluster: Option<String>,
    /// Go on though steps are not what they were; those that are done stay done
    #[arg(long)]
    pub(crate) accept_changes: bool,
    /// Go on on a new cluster though a step may want what was in the HDFS of the old one
    #[arg(long)]
    pub(crate) accept_lost_hdfs: bool,
    /// Another cluster file in place of the one that the run was begun with
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Another playbook in place of the one that the run was begun with
    #[arg(long, value_name = "FILE")]
    pub(crate) playbook: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    #[command(flatten)]
    pub(crate) engine: Engine,
    /// Show the logs of steps that fail: on EMR the probable cause, and the last --log-lines of each
    #[arg(long)]
    pub(crate) log_failed_steps: bool,
    #[command(flatten)]
    pub(crate) logs: Logs,
    #[command(flatten)]
    pub(crate) locks: Locks,
    #[command(flatten)]
    pub(crate) sentry: Sentry,
}

/// `cancel`.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) engine: Engine,
    #[command(flatten)]
    pub(crate) sentry: Sentry,
}

/// Something one can say and see.
fn name(text: &str) -> Result<String, String> {
    match text {
        "" => Err("it is empty".to_owned()),
        "last" => Err("`last` always means the newest run".to_owned()),
        _ if text.chars().any(char::is_control) => Err("it has control characters".to_owned()),
        _ if text.len() > 200 => Err("it is longer than 200 bytes".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

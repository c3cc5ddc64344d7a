//! One file for each verb.

mod again;
mod asked;
mod attach;
mod cancel;
mod cluster;
mod credentials;
mod down;
mod drive;
mod export;
mod files;
mod fmt;
mod follow;
mod lint;
mod lock;
mod locked;
mod logs;
mod orphans;
mod plan;
mod prune;
mod ready;
mod render;
mod report;
mod resume;
mod run;
mod run_transient;
mod runs;
mod schema;
mod select;
mod status;
mod up;

use std::path::{Path, PathBuf};

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::ui::Ui;

/// The command line asks for what cannot be meant.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl Usage {
    /// Says what is wrong with it.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A flag is missing without which nothing can be done; scripts of 0.7.x know the message by its old name.
    pub(crate) fn missing(old: &str, new: &str) -> Self {
        Self::new(format!("--{old} needs to be specified (new name: --{new})"))
    }

    /// What is wrong with it.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// Does what the command line asks for.
///
/// # Errors
/// It is not clear what it asks for.
pub(crate) fn run(cli: &Cli, ui: &mut Ui) -> Result<Exit, Usage> {
    match &cli.command {
        Command::Up(args) => up::run(args, &cli.global, ui),
        Command::Run(args) => run::run(args, &cli.global, ui),
        Command::Down(args) => down::run(args, &cli.global, ui),
        Command::RunTransient(args) => run_transient::run(args, &cli.global, ui),
        Command::Attach(args) => attach::run(args, &cli.global, ui),
        Command::Resume(args) => resume::run(args, &cli.global, ui),
        Command::Cancel(args) => cancel::run(args, &cli.global, ui),
        Command::Lint(args) => lint::run(args, ui),
        Command::Fmt(args) => fmt::run(args, ui),
        Command::Render(args) => render::run(args, ui),
        Command::Plan(args) => plan::run(args, &cli.global, ui),
        Command::Export(args) => export::run(args, ui),
        Command::Runs(args) => runs::run(args, &cli.global, ui),
        Command::Status(args) => status::run(args, &cli.global, ui),
        Command::Report(args) => report::run(args, &cli.global, ui),
        Command::Logs(args) => logs::run(args, &cli.global, ui),
        Command::Lock(args) => lock::run(args, ui),
        Command::Schema(args) => schema::run(args, ui),
    }
}

fn config(path: &Option<PathBuf>) -> Result<&Path, Usage> {
    path.as_deref().ok_or_else(|| Usage::missing("emr-config", "config"))
}

fn playbook(path: &Option<PathBuf>) -> Result<&Path, Usage> {
    path.as_deref().ok_or_else(|| Usage::missing("emr-playbook", "playbook"))
}

fn cluster(id: &Option<String>) -> Result<&str, Usage> {
    id.as_deref().ok_or_else(|| Usage::missing("emr-cluster", "cluster"))
}

//! One file for each verb.

mod down;
mod drive;
mod lint;
mod plan;
mod ready;
mod render;
mod run;
mod run_transient;
mod schema;
mod up;

use std::path::{Path, PathBuf};

use crate::args::{Cli, Command, Locks};
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
        Command::Lint(args) => lint::run(args, ui),
        Command::Render(args) => render::run(args, ui),
        Command::Plan(args) => plan::run(args, &cli.global, ui),
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

/// Refuses flags of 0.7.x which this version does not obey yet: ignoring a lock could do harm.
fn refuse_unsupported(locks: &Locks, detached: bool) -> Result<(), Usage> {
    let locked = locks.lock.is_some() || locks.soft_lock.is_some();
    if locks.lock.is_some() && locks.soft_lock.is_some() {
        return Err(Usage::new("--lock and --softLock are mutually exclusive"));
    }
    if locks.consul.is_some() && !locked {
        return Err(Usage::new("--lock or --softLock is needed to make use of --consul"));
    }
    if detached && locked {
        return Err(Usage::new("--async and --lock or --softLock are not compatible"));
    }
    let given = [
        ("--async", detached),
        ("--lock", locks.lock.is_some()),
        ("--softLock", locks.soft_lock.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Usage::new(format!(
            "{flag} is known from 0.7.x, but this version does not support it yet; run without it"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_0_7_are_checked_as_it_checked_them() {
        let refused = |lock, soft: Option<&str>, consul: Option<&str>, detached| {
            let owned = |flag: Option<&str>| flag.map(ToOwned::to_owned);
            let locks = Locks { lock: owned(lock), soft_lock: owned(soft), consul: owned(consul) };
            let refused = refuse_unsupported(&locks, detached);
            refused.err().map(|usage| usage.0).unwrap_or_default()
        };
        let some = Some("x");
        assert_eq!(
            refused(some, some, None, false),
            "--lock and --softLock are mutually exclusive"
        );
        assert_eq!(
            refused(None, None, some, false),
            "--lock or --softLock is needed to make use of --consul"
        );
        assert_eq!(
            refused(None, some, some, true),
            "--async and --lock or --softLock are not compatible"
        );
        assert!(refused(some, None, None, false).contains("does not support it yet"));
        assert!(refused(None, None, None, true).starts_with("--async is known"));
        assert_eq!(refused(None, None, None, false), "");
    }
}

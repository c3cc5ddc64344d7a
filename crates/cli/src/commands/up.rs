//! `up`: bring a cluster up.

use dataflow_runner_core::event::Goal;

use super::Usage;
use super::drive::{Errand, drive};
use crate::args;
use crate::exit::Exit;
use crate::ui::Ui;

pub(super) fn run(args: &args::Up, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    let errand = Errand {
        goal: Goal::Up,
        config: Some(super::config(&args.config.path)?),
        reached: None,
        playbook: None,
        cluster: None,
        variables: &args.variables,
        steps: &args::Steps::default(),
        logs: &args.logs,
        engine: &args.engine,
        locks: &args::Locks::default(),
        naming: &args.naming,
        selection: &args::Selection::default(),
        detached: None,
        global,
    };
    drive(&errand, ui)
}

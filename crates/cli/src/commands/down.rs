//! `down`: take a cluster down.

use dataflow_runner_core::event::Goal;

use super::Usage;
use super::drive::{Errand, drive};
use crate::args;
use crate::exit::Exit;
use crate::ui::Ui;

pub(super) fn run(args: &args::Down, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    let errand = Errand {
        goal: Goal::Down,
        config: Some(super::config(&args.config.path)?),
        playbook: None,
        cluster: Some(super::cluster(&args.cluster.id)?),
        variables: &args.variables,
        steps: &args::Steps::default(),
        logs: &args::Logs::default(),
        engine: &args.engine,
        locks: &args::Locks::default(),
        detached: false,
        global,
    };
    drive(&errand, ui)
}

//! `run-transient`: all three.

use dataflow_runner_core::event::Goal;

use super::Usage;
use super::drive::{Errand, drive};
use crate::args;
use crate::exit::Exit;
use crate::ui::Ui;

pub(super) fn run(
    args: &args::RunTransient,
    global: &args::Global,
    ui: &mut Ui,
) -> Result<Exit, Usage> {
    let detached = args.detach.then_some("--detach");
    super::locked::check(&args.locks, detached)?;
    let errand = Errand {
        goal: Goal::RunTransient,
        config: Some(super::config(&args.config.path)?),
        reached: None,
        playbook: Some(super::playbook(&args.playbook.path)?),
        cluster: None,
        variables: &args.variables,
        steps: &args.steps,
        logs: &args.logs,
        engine: &args.engine,
        locks: &args.locks,
        naming: &args.naming,
        selection: &args.selection,
        detached,
        global,
    };
    drive(&errand, ui)
}

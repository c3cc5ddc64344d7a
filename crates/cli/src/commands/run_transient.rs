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
    super::locked::check(&args.locks, false)?;
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
        detached: false,
        global,
    };
    drive(&errand, ui)
}

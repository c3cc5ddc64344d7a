//! `run`: run a playbook on a cluster that is up.

use dataflow_runner_core::event::Goal;

use super::Usage;
use super::drive::{Errand, drive};
use crate::args;
use crate::exit::Exit;
use crate::ui::Ui;

pub(super) fn run(args: &args::Run, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    let detached = if args.detach { Some("--detach") } else { args.detached.then_some("--async") };
    super::locked::check(&args.locks, detached)?;
    let errand = Errand {
        goal: Goal::Run,
        config: args.config.path.as_deref(),
        reached: None,
        playbook: Some(super::playbook(&args.playbook.path)?),
        cluster: args.cluster.id.as_deref(),
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

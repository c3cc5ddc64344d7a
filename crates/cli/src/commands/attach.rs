//! `attach`: drive a run on to its end that was left.

use std::sync::Arc;

use dataflow_runner_core::bell::Bell;

use super::again::{Taken, attach};
use super::drive::Manner;
use super::{Usage, locked, runs};
use crate::args::{self, OnInterrupt};
use crate::exit::Exit;
use crate::ui::Ui;

pub(super) fn run(args: &args::Attach, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    locked::check(&args.locks, None)?;
    let Some((id, folder)) = runs::named(&args.which.run, global, ui)? else {
        return Ok(Exit::Failed);
    };
    let manner = Manner {
        engine: &args.engine,
        log_failed_steps: args.log_failed_steps,
        logs: &args.logs,
        locks: &args.locks,
        leave: args.engine.on_interrupt != Some(OnInterrupt::Cancel),
        asks: args.engine.on_interrupt.is_none(),
        detach: false,
        ask_first: false,
        global,
    };
    match Taken::take(&id, &folder, args.which.take_over) {
        Ok(taken) => Ok(attach(taken, None, &manner, &Arc::new(Bell::new()), ui)?.0),
        Err(refusal) => Ok(refusal.say(&id, ui)),
    }
}

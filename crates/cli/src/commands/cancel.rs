//! `cancel`: end a run, and what it started.

use std::path::Path;
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::event::{Driver, Outcome};
use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::journal;

use super::again::{Refusal, Taken, attach};
use super::drive::Manner;
use super::follow::{Followed, follow};
use super::{Usage, runs};
use crate::args::{self, Level, OnInterrupt};
use crate::exit::Exit;
use crate::here::here;
use crate::signal;
use crate::ui::Ui;

/// As which signal it counts (POSIX SIGTERM).
const TERMINATE: i32 = 15;

pub(super) fn run(args: &args::Cancel, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    let Some((id, folder)) = runs::named(&args.which.run, global, ui)? else {
        return Ok(Exit::Failed);
    };
    let (logs, locks) = (args::Logs::default(), args::Locks::default());
    let manner = Manner {
        engine: &args.engine,
        log_failed_steps: false,
        logs: &logs,
        locks: &locks,
        leave: args.engine.on_interrupt == Some(OnInterrupt::Leave),
        asks: false,
        detach: false,
        ask_first: false,
        global,
    };
    loop {
        match Taken::take(&id, &folder, args.which.take_over) {
            Ok(taken) => {
                let (exit, outcome) =
                    attach(taken, Some(TERMINATE), &manner, &Arc::new(Bell::new()), ui)?;
                return Ok(outcome.map_or(exit, |outcome| exit_of(&outcome, exit)));
            }
            Err(Refusal::Driven(driver)) => {
                if let Some(exit) = ask(&id, &folder, driver.as_ref(), ui) {
                    return Ok(exit);
                }
                // Its driver died before it came to that: we do it ourselves.
            }
            Err(Refusal::NeverBegun) => {
                ui.message(
                    Level::Info,
                    format!("Run {id} was never begun: nothing runs because of it"),
                );
                return Ok(Exit::Success);
            }
            Err(refusal) => return Ok(refusal.say(&id, ui)),
        }
    }
}

/// Asks the driver, and shows what it does. `None`: it is gone, and the run has no end.
fn ask(id: &RunId, folder: &Path, driver: Option<&Driver>, ui: &mut Ui) -> Option<Exit> {
    let bell = Arc::new(Bell::new());
    if let Err(error) = signal::ring(&bell, None) {
        ui.message(Level::Warning, format!("signals cannot be caught: {error}"));
    }
    if let Err(error) = journal::ask_to_cancel(folder, TERMINATE) {
        ui.error(format!("the driver of run {id} cannot be asked: {error}"));
        return Some(Exit::Failed);
    }
    let host = here(&crate::env).host;
    let heard = driver.is_some_and(|driver| driver.ask_to_end(&host));
    let who = driver.map_or("its driver".to_owned(), ToString::to_string);
    let when = if heard { "" } else { "; it looks before its next question to the fabric" };
    ui.message(Level::Info, format!("Asked {who} to cancel run {id}{when}"));
    match follow(folder, &bell, ui) {
        Ok(Followed::Ended(outcome)) => Some(exit_of(&outcome, Exit::Failed)),
        Ok(Followed::Left) => None,
        Ok(Followed::Interrupted(signal)) => Some(Exit::Signal(signal)),
        Err(error) => {
            ui.error(error.to_string());
            Some(Exit::Failed)
        }
    }
}

/// What is asked for is that nothing runs any more; how the run ended is another matter.
fn exit_of(outcome: &Outcome, exit: Exit) -> Exit {
    match outcome {
        Outcome::Refused { .. } => exit,
        open if open.is_open() => Exit::InDoubt,
        _ => Exit::Success,
    }
}

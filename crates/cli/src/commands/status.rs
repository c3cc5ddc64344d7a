//! `status`: how a run stands, as its journal tells. Nothing is sent.

use std::path::Path;

use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::journal;
use dataflow_runner_core::report::Report;

use super::{Usage, runs};
use crate::args;
use crate::exit::Exit;
use crate::ui::Ui;

mod shown;
mod watch;

pub(super) use shown::standing;

pub(super) fn run(
    args: &args::RunStatus,
    global: &args::Global,
    ui: &mut Ui,
) -> Result<Exit, Usage> {
    let Some((id, folder)) = runs::named(&args.run, global, ui)? else { return Ok(Exit::Failed) };
    let shown = match args.watch {
        true => watch::watch(&id, &folder, args.json, ui),
        false => show(&id, &folder, args.json, ui).map(|()| Exit::Success),
    };
    Ok(shown.unwrap_or_else(|error| {
        ui.error(error);
        Exit::Failed
    }))
}

fn show(id: &RunId, folder: &Path, json: bool, ui: &mut Ui) -> Result<(), String> {
    let report = told(id, folder)?;
    let text = match json {
        true => format!("{:#}\n", shown::machine(&report)),
        false => shown::people(&report),
    };
    ui.print(text.as_bytes());
    Ok(())
}

/// What the journal of a run says.
///
/// # Errors
/// It cannot be read, or makes no sense.
pub(super) fn told(id: &RunId, folder: &Path) -> Result<Report, String> {
    // Whether it is driven is asked first: what its driver wrote before it went is then read.
    let driven = journal::pulse(folder).map_err(|error| error.to_string())?.driven;
    read(id, folder, driven)
}

fn read(id: &RunId, folder: &Path, driven: bool) -> Result<Report, String> {
    let contents = journal::read(folder).map_err(|error| error.to_string())?;
    Report::of(&contents, driven)
        .map_err(|illegal| format!("the journal of run {id} makes no sense: {illegal}"))
}

//! `report`: all of a run that its journal holds. Nothing is sent.

use dataflow_runner_core::report::Report;
use serde_json::{Value, json};

use super::{Usage, runs, status};
use crate::args;
use crate::exit::Exit;
use crate::ui::Ui;

mod people;

pub(super) fn run(
    args: &args::RunReport,
    global: &args::Global,
    ui: &mut Ui,
) -> Result<Exit, Usage> {
    let Some((id, folder)) = runs::named(&args.run, global, ui)? else { return Ok(Exit::Failed) };
    match status::told(&id, &folder) {
        Ok(report) => {
            let exit = exit_code(&report);
            let text = match args.json {
                true => format!("{:#}\n", machine(&report, exit)),
                false => people::report(&report, exit),
            };
            ui.print(text.as_bytes());
            Ok(Exit::Success)
        }
        Err(error) => {
            ui.error(error);
            Ok(Exit::Failed)
        }
    }
}

/// With what the program ended, if the run has.
fn exit_code(report: &Report) -> Option<u8> {
    report.outcome.as_ref().map(|outcome| Exit::of(outcome, report.noop_exit_code).code())
}

fn machine(report: &Report, exit: Option<u8>) -> Value {
    let mut told = json!(report);
    if let Value::Object(members) = &mut told {
        members.insert("exitCode".to_owned(), json!(exit));
    }
    told
}

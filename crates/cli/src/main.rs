//! The program: reads the command line, the environment and signals, prints, and ends with an exit code.
//! All else is the library's.

mod args;
mod commands;
mod exit;
mod here;
mod load;
mod logs;
mod sentry;
mod signal;
mod state;
mod target;
mod ui;
mod variables;

use std::ffi::OsString;
use std::process::ExitCode;

use args::{Cli, Level};
use commands::Usage;
use dataflow_runner_core::crash;
use dataflow_runner_core::environment::Environment;
use dataflow_runner_core::fabric::local::{copy, dist_cp, shim};
use exit::Exit;
use ui::Ui;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    // Not for people: how local steps are started. First, as it is done for each of them.
    if let Some(word) = words.get(1) {
        if word == shim::ARGUMENT {
            return shim::main(words.into_iter().skip(2)).into();
        }
        let (mut stdout, mut stderr) = (std::io::stdout(), std::io::stderr());
        if word == copy::ARGUMENT {
            return copy::main(words.into_iter().skip(2), &mut stdout, &mut stderr).into();
        }
        if word == dist_cp::ARGUMENT {
            return dist_cp::main(words.into_iter().skip(2), &mut stdout, &mut stderr).into();
        }
    }
    arm();
    let cli = match args::parse(words) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version are no errors, and go to stdout.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Success }.into();
        }
    };
    let mut ui = Ui::new(&cli.global);
    run(&cli, &mut ui)
        .unwrap_or_else(|usage| {
            ui.usage(usage.text());
            Exit::Usage
        })
        .into()
}

fn run(cli: &Cli, ui: &mut Ui) -> Result<Exit, Usage> {
    let sentry = cli.command.sentry()?;
    let exit = commands::run(cli, ui)?;
    let exit = match (ui.printed(), exit) {
        (false, Exit::Success) => Exit::Failed,
        (_, exit) => exit,
    };
    if let Some(dsn) = sentry.filter(|_| sentry::is_error(exit)) {
        let (command, trouble) = (cli.command.name(), ui.trouble());
        if let Err(error) = sentry::report(&dsn, command, exit, trouble, environment()) {
            let text = format!("The error could not be reported to Sentry: {error}");
            ui.message(Level::Warning, text);
        }
    }
    Ok(exit)
}

/// In debug builds: where this process is to be killed, for the tests that do so.
fn arm() {
    if cfg!(debug_assertions) {
        let at = env("DATAFLOW_RUNNER_CRASH_AT").and_then(|at| at.to_str()?.parse().ok());
        crash::arm(at, env("DATAFLOW_RUNNER_CRASH_LOG").map(Into::into));
    }
}

/// All of the environment that is text, for what reads it as its own clients do.
fn environment() -> Environment {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// The environment. Nobody else reads it.
#[expect(clippy::disallowed_methods, reason = "the one place of the program that reads it")]
fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

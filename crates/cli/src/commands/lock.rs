//! `lock`: look at a lock, or break it.

use std::io::{self, BufRead, IsTerminal};
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::lock::{Broken, Owner, Seen};
use serde_json::{Value, json};

use super::Usage;
use super::locked::{Named, given, say_failed};
use crate::args::{self, Level};
use crate::exit::Exit;
use crate::here::here;
use crate::ui::{Ui, escape};

pub(super) fn run(args: &args::Lock, ui: &mut Ui) -> Result<Exit, Usage> {
    match args {
        args::Lock::Status(args) => status(args, ui),
        args::Lock::Break(args) => break_open(args, ui),
    }
}

fn named(place: &args::Place) -> Result<(Named, &str), Usage> {
    let path = given(&place.lock).ok_or_else(|| Usage::new("--lock needs to be specified"))?;
    Ok((Named::of(path, given(&place.consul), &Arc::new(Bell::new()))?, path))
}

fn status(args: &args::Status, ui: &mut Ui) -> Result<Exit, Usage> {
    let (named, path) = named(&args.place)?;
    let seen = match named.lock.look() {
        Ok(seen) => seen,
        Err(error) => return Ok(say_failed(&error, ui)),
    };
    let text = if args.json {
        told(path, seen.as_ref()).to_string()
    } else {
        match &seen {
            None => "free".to_owned(),
            Some(seen) => escape::line(&words(seen)),
        }
    };
    ui.print(format!("{text}\n").as_bytes());
    Ok(if seen.is_some() { Exit::Locked } else { Exit::Success })
}

fn break_open(args: &args::Break, ui: &mut Ui) -> Result<Exit, Usage> {
    let (named, path) = named(&args.place)?;
    let seen = match named.lock.look() {
        Ok(Some(seen)) => seen,
        Ok(None) => {
            ui.message(Level::Info, format!("The lock at {path} is free"));
            return Ok(Exit::Success);
        }
        Err(error) => return Ok(say_failed(&error, ui)),
    };
    if !args.yes && !is_wanted(path, &seen, ui)? {
        ui.message(Level::Info, format!("The lock at {path} stays as it is"));
        return Ok(Exit::Locked);
    }
    match named.lock.break_open(&seen) {
        Ok(Broken::Freed) => {
            ui.message(Level::Info, format!("Broke the lock at {path}, which was {seen}"));
            Ok(Exit::Success)
        }
        Ok(Broken::Changed) => {
            let text =
                format!("the lock at {path} has changed hands meanwhile, and stays; look again");
            ui.message(Level::Error, text);
            Ok(Exit::Locked)
        }
        Err(error) => Ok(say_failed(&error, ui)),
    }
}

/// Asks, where there is somebody to ask.
fn is_wanted(path: &str, seen: &Seen, ui: &mut Ui) -> Result<bool, Usage> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(Usage::new("there is nobody to ask: say --yes to break the lock"));
    }
    let (path, seen) = (escape::line(path), words(seen));
    let seen = escape::line(&seen);
    ui.text(&format!("The lock at {path} is {seen}\nBreak it? [y/N] "));
    let mut answer = String::new();
    // What cannot be read is no yes.
    let _ = stdin.lock().read_line(&mut answer);
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

/// Who holds it, and whether it will ever be released.
fn words(seen: &Seen) -> String {
    let host = here(&crate::env).host;
    let gone = if seen.is_gone(&host) { "; its process is gone" } else { "" };
    match &seen.owner {
        Owner::Run(holder) => format!("{seen} (a {} lock{gone})", holder.kind),
        Owner::Old { .. } | Owner::Foreign { .. } => seen.to_string(),
    }
}

fn told(path: &str, seen: Option<&Seen>) -> Value {
    let Some(seen) = seen else { return json!({ "lock": path, "held": false }) };
    let mut told = json!({ "lock": path, "held": true, "since": seen.since });
    match &seen.owner {
        Owner::Run(holder) => {
            told["by"] = json!({
                "kind": holder.kind,
                "user": holder.user,
                "host": holder.host,
                "pid": holder.pid,
                "run": holder.run,
                "program": holder.program,
                "gone": seen.is_gone(&here(&crate::env).host),
            });
        }
        Owner::Old { pid } => told["by"] = json!({ "program": "0.7.x", "pid": pid }),
        Owner::Foreign { size } => told["bytes"] = json!(size),
    }
    told
}

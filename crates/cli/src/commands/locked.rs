//! A run that holds a lock: takes it, runs, and releases it or not, as the kind of lock and the end of the run demand.

use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock;
use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::lock::consul::{Consul, Settings};
use dataflow_runner_core::lock::{
    Error, Fault, Held, Holder, Kind, Lock, Refusal, Released, Seen, Taker,
};

use super::Usage;
use super::drive::chance;
use crate::args::{Level, Locks};
use crate::exit::Exit;
use crate::here::here;
use crate::ui::{Ui, signal_name};

/// A lock as the command line names it.
pub(super) struct Named {
    pub(super) lock: Lock,
    path: String,
    consul: Option<String>,
}

impl Named {
    /// # Errors
    /// There can be no such lock.
    pub(super) fn of(path: &str, consul: Option<&str>, bell: &Arc<Bell>) -> Result<Self, Usage> {
        let usage = |error: Error| Usage::new(error.to_string());
        let lock = match consul {
            None => Lock::file(path),
            Some(address) => {
                let environment = crate::environment();
                let settings = Settings::of(address, &environment).map_err(usage)?;
                let consul = Consul::new(settings, &environment, bell).map_err(usage)?;
                Lock::consul(Arc::new(consul), path).map_err(usage)?
            }
        };
        Ok(Self { lock, path: path.to_owned(), consul: consul.map(ToOwned::to_owned) })
    }

    /// The flags that name it, for a shell.
    fn flags(&self) -> String {
        let path = dataflow_runner_core::shell::word(&self.path);
        match &self.consul {
            None => format!("--lock {path}"),
            // It may hold more than an address, so it is not shown; who gave it knows it.
            Some(_) => format!("--lock {path} --consul ADDRESS"),
        }
    }
}

/// What 0.7.x demands of its flags. An empty value is none, as it was there.
///
/// # Errors
/// The flags do not go together.
pub(super) fn check(locks: &Locks, detached: Option<&str>) -> Result<(), Usage> {
    let (hard, soft) = (given(&locks.lock).is_some(), given(&locks.soft_lock).is_some());
    let wrong = if hard && soft {
        "--lock and --softLock are mutually exclusive"
    } else if given(&locks.consul).is_some() && !hard && !soft {
        "--lock or --softLock is needed to make use of --consul"
    } else if locks.lock_wait.is_some() && !hard && !soft {
        "--lock or --softLock is needed to make use of --lock-wait"
    } else if let (Some(flag), true) = (detached, hard || soft) {
        return Err(Usage::new(format!("{flag} and --lock or --softLock are not compatible")));
    } else {
        return Ok(());
    };
    Err(Usage::new(wrong))
}

/// Does `work` while holding the lock that was asked for, if one was. `leave`: an interrupted run leaves everything as
/// it is.
///
/// # Errors
/// There can be no such lock.
pub(super) fn under(
    locks: &Locks,
    run: &RunId,
    leave: bool,
    bell: &Arc<Bell>,
    ui: &mut Ui,
    work: impl FnOnce(&mut Ui) -> Exit,
) -> Result<Exit, Usage> {
    let (path, kind) = match (given(&locks.lock), given(&locks.soft_lock)) {
        (Some(path), _) => (path, Kind::Hard),
        (None, Some(path)) => (path, Kind::Soft),
        (None, None) => return Ok(work(ui)),
    };
    let named = Named::of(path, given(&locks.consul), bell)?;
    let program = env!("CARGO_PKG_VERSION");
    let here = here(&crate::env);
    let holder = Holder::new(kind, here, run.clone(), program, clock::timestamp(), chance());
    let limit = locks.lock_wait.unwrap_or_default();
    let held = match take(&named, &holder, limit, bell, ui) {
        Ok(held) => held,
        Err(refusal) => return Ok(say_refused(&named, refusal, ui)),
    };
    let exit = work(ui);
    if kind == Kind::Soft || is_over(exit) {
        release(&named, held, ui);
        if kind == Kind::Soft && may_run_on(exit, leave) {
            let path = &named.path;
            let text =
                format!("the soft lock at {path} is released though something may be running");
            ui.message(Level::Warning, text);
        }
    } else {
        let (path, flags) = (&named.path, named.flags());
        let text = format!(
            "the lock at {path} is kept, as the run has not succeeded; once that is looked into: \
             dataflow-runner lock break {flags}"
        );
        ui.message(Level::Warning, text);
    }
    Ok(exit)
}

fn take(
    named: &Named,
    holder: &Holder,
    limit: Duration,
    bell: &Arc<Bell>,
    ui: &mut Ui,
) -> Result<Held, Refusal> {
    let voice = ui.voice();
    let tell = Arc::new(move |text| voice.message(Level::Warning, text));
    let taker = Taker { holder, bell, tell };
    let path = &named.path;
    let held = if limit.is_zero() {
        named.lock.take(&taker)?
    } else {
        named.lock.wait(&taker, limit, &mut |seen| {
            ui.message(Level::Info, format!("Waiting for the lock at {path}, {seen}"));
        })?
    };
    if let Some(dead) = held.took_over() {
        let (run, pid) = (&dead.run, dead.pid);
        let text = format!(
            "took over the lock at {path}: run `{run}` left it behind, its process {pid} is gone"
        );
        ui.message(Level::Warning, text);
    }
    ui.message(Level::Debug, format!("took the {} lock at {path}", holder.kind));
    Ok(held)
}

fn say_refused(named: &Named, refusal: Refusal, ui: &mut Ui) -> Exit {
    match refusal {
        Refusal::Taken(seen) => {
            ui.message(Level::Warning, format!("lock already held at {}", named.path));
            let who =
                seen.map_or("it was let go in the meantime".to_owned(), |seen| seen.to_string());
            ui.message(Level::Warning, format!("the lock is {who}"));
            Exit::Locked
        }
        Refusal::Interrupted(signal) => {
            let name = signal_name(signal);
            let text =
                format!("Interrupted by {name} before the lock was taken: nothing was started");
            ui.message(Level::Warning, text);
            Exit::Signal(signal)
        }
        Refusal::Failed(error) => say_failed(&error, ui),
    }
}

/// Says what is wrong, and what that means.
pub(super) fn say_failed(error: &Error, ui: &mut Ui) -> Exit {
    ui.error(error.to_string());
    match error.fault {
        Fault::Ours => Exit::Invalid,
        Fault::Theirs => Exit::Refused,
    }
}

fn release(named: &Named, held: Held, ui: &mut Ui) {
    let path = &named.path;
    let whose = |seen: Option<Box<Seen>>| {
        seen.map_or("nobody holds it".to_owned(), |seen| format!("it is {seen}"))
    };
    match held.release() {
        Ok(Released::Freed) => ui.message(Level::Debug, format!("released the lock at {path}")),
        Ok(Released::NotOurs(seen)) => {
            let text = format!("the lock at {path} is not this run's any more: {}", whose(seen));
            ui.message(Level::Warning, text);
        }
        Err(error) => {
            let flags = named.flags();
            let text = format!("{error}; if it is still there: dataflow-runner lock break {flags}");
            ui.message(Level::Warning, text);
        }
    }
}

/// Whether there is nothing to look into: the run succeeded, or could not even be recorded.
fn is_over(exit: Exit) -> bool {
    matches!(exit, Exit::Success | Exit::Noop(_) | Exit::Invalid)
}

fn may_run_on(exit: Exit, leave: bool) -> bool {
    const HUP: i32 = 1;
    match exit {
        Exit::InDoubt => true,
        Exit::Signal(signal) => leave || signal == HUP,
        _ => false,
    }
}

/// A value that is not empty.
pub(super) fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_0_7_are_checked_as_it_checked_them() {
        let wrong = |lock: &str, soft: &str, consul: &str, wait, detached| {
            let some = |text: &str| Some(text.to_owned());
            let locks = Locks {
                lock: some(lock),
                soft_lock: some(soft),
                consul: some(consul),
                lock_wait: wait,
            };
            check(&locks, detached).err().map(|usage| usage.text().to_owned()).unwrap_or_default()
        };
        let wait = Some(Duration::ZERO);
        let cases = [
            (
                wrong("x", "x", "", None, Some("--async")),
                "--lock and --softLock are mutually exclusive",
            ),
            (
                wrong("", "", "x", None, Some("--async")),
                "--lock or --softLock is needed to make use of --consul",
            ),
            (
                wrong("", "", "", wait, Some("--async")),
                "--lock or --softLock is needed to make use of --lock-wait",
            ),
            (
                wrong("", "x", "x", wait, Some("--async")),
                "--async and --lock or --softLock are not compatible",
            ),
            (
                wrong("x", "", "", None, Some("--async")),
                "--async and --lock or --softLock are not compatible",
            ),
            (wrong("", "", "", None, Some("--async")), ""),
            (wrong("x", "", "x", wait, None), ""),
            (wrong("", "x", "", None, None), ""),
        ];
        for (said, expected) in cases {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn what_becomes_of_the_lock() {
        let ends = [
            (Exit::Success, true, false),
            (Exit::Noop(9), true, false),
            (Exit::Invalid, true, false),
            (Exit::Failed, false, false),
            (Exit::Refused, false, false),
            (Exit::InDoubt, false, true),
            (Exit::Signal(1), false, true),
            (Exit::Signal(2), false, false),
        ];
        for (exit, over, runs_on) in ends {
            assert_eq!((is_over(exit), may_run_on(exit, false)), (over, runs_on), "{exit:?}");
        }
        assert!(may_run_on(Exit::Signal(2), true));
    }
}

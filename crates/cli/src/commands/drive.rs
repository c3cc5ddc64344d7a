//! The way of all runs: read and check everything, record, drive, tell.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{self, Clock};
use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics, code};
use dataflow_runner_core::engine::{self, Fresh, Settings, Start};
use dataflow_runner_core::event::{Driver, Goal, Outcome};
use dataflow_runner_core::fabric::{ClusterId, RunId};
use dataflow_runner_core::inputs;
use dataflow_runner_core::journal::{self, Header, Held, Journal};
use jiff::tz::TimeZone;

use super::again::{Refusal, Taken, attach};
use super::follow::{Followed, follow};
use super::ready::{Ready, Ways};
use super::select::left_out;
use super::{Usage, cluster, credentials, locked};
use crate::args::{self, Level, OnInterrupt, Output};
use crate::exit::Exit;
use crate::here::here;
use crate::load::Loader;
use crate::logs::Logs;
use crate::ui::Ui;
use crate::{signal, state};

/// What is to be done.
pub(super) struct Errand<'a> {
    pub(super) goal: Goal,
    pub(super) config: Option<&'a Path>,
    /// The run whose cluster it is about, by its header and its folder: they reach the fabric, not a file.
    pub(super) reached: Option<(&'a Header, &'a Path)>,
    pub(super) playbook: Option<&'a Path>,
    pub(super) cluster: Option<&'a str>,
    pub(super) variables: &'a args::Variables,
    pub(super) steps: &'a args::Steps,
    pub(super) logs: &'a args::Logs,
    pub(super) engine: &'a args::Engine,
    pub(super) locks: &'a args::Locks,
    pub(super) naming: &'a args::Naming,
    pub(super) selection: &'a args::Selection,
    /// The flag by which the run ends once the fabric has all steps.
    pub(super) detached: Option<&'static str>,
    pub(super) global: &'a args::Global,
}

/// How a run is to be driven.
pub(super) struct Manner<'a> {
    pub(super) engine: &'a args::Engine,
    pub(super) log_failed_steps: bool,
    pub(super) logs: &'a args::Logs,
    pub(super) locks: &'a args::Locks,
    /// A signal leaves everything as it is.
    pub(super) leave: bool,
    /// Who sits at a terminal is asked.
    pub(super) asks: bool,
    /// It ends once the fabric has all steps.
    pub(super) detach: bool,
    /// The fabric is asked for an order before it is sent.
    pub(super) ask_first: bool,
    pub(super) global: &'a args::Global,
}

/// Runs an errand to its end.
///
/// # Errors
/// An argument that has not the form it should have.
pub(super) fn drive(errand: &Errand<'_>, ui: &mut Ui) -> Result<Exit, Usage> {
    let key = errand.naming.idempotency_key.as_deref();
    let manner = Manner {
        engine: errand.engine,
        log_failed_steps: errand.steps.log_failed_steps,
        logs: errand.logs,
        locks: errand.locks,
        leave: errand.engine.on_interrupt == Some(OnInterrupt::Leave),
        asks: false,
        detach: errand.detached.is_some(),
        ask_first: key.is_some(),
        global: errand.global,
    };
    let id = key.map_or_else(|| RunId::fresh(clock::timestamp(), chance()), RunId::of_key);
    if key.is_some()
        && let Some(exit) = begun_before(&id, &manner, ui)?
    {
        return Ok(exit);
    }
    let bell = Arc::new(Bell::new());
    let mut loader = Loader::new(errand.variables)?;
    ui.hide(loader.variables());
    let ways = Ways {
        bell: &bell,
        engine: Some(errand.engine),
        log_wait: errand.logs.log_wait,
        before: None,
    };
    let ready = match errand.reached {
        Some((header, folder)) => {
            let faults = loader.sink();
            match credentials::of_files(header, folder, None, faults)? {
                None if faults.has_errors() => None,
                access => Ready::again(header, access, errand.global, &ways, faults),
            }
        }
        None => Ready::of(errand.config, errand.playbook, errand.global, &ways, &mut loader)?,
    };
    let home = ready.as_ref().and_then(|ready| ready.fabric.home());
    if let Some(home) = &home {
        check_home(errand, home, loader.sink())?;
    } else if errand.goal == Goal::Run && errand.cluster.is_none() && !loader.knows_cluster() {
        return Err(Usage::missing("emr-cluster", "cluster"));
    }
    if let (Some(flag), Some(ready)) = (errand.detached, &ready) {
        ready.check_detached(errand.goal, flag, loader.sink());
    }
    if ui.faults(loader.faults()) {
        return Ok(Exit::Invalid);
    }
    let Some(mut ready) = ready else { return Ok(Exit::Invalid) };
    let left_out = left_out(errand.selection, &ready.plan)?;
    if errand.goal != Goal::Down {
        ready.inputs = Some(loader.inputs(errand.config, errand.playbook));
    }
    if let Err(error) = signal::ring(&bell, None) {
        ui.message(Level::Warning, format!("signals cannot be caught: {error}"));
    }
    let mut logs = Logs::new(&ready.fabric, &bell, manner.log_failed_steps, manner.logs);
    let mut overtaken = false;
    let exit = locked::under(errand.locks, &id, manner.leave, &bell, ui, |ui| {
        let given = errand.cluster.filter(|_| home.is_none());
        let cluster = given.map(|given| cluster::named(given, &*ready.fabric, &bell, ui));
        let cluster = match cluster.transpose() {
            Ok(cluster) => cluster.or(home),
            Err(exit) => return exit,
        };
        let name = errand.naming.run_name.as_deref().or(key).map(ToOwned::to_owned);
        let fresh = Fresh { id: id.clone(), goal: errand.goal, cluster, name, left_out };
        let begun =
            begin(fresh, errand.steps.noop_exit_code, &ready, &manner, &bell, &mut logs, ui);
        overtaken = begun.is_none();
        begun.unwrap_or(Exit::Invalid)
    })?;
    if overtaken {
        return drive(errand, ui);
    }
    // Whoever waits for the lock need not wait for logs, too.
    logs.finish(ui);
    Ok(exit)
}

/// On a fabric with one cluster, which is not ours, there is nothing to bring up or to choose.
///
/// # Errors
/// Another cluster is named.
fn check_home(
    errand: &Errand<'_>,
    home: &ClusterId,
    faults: &mut Diagnostics,
) -> Result<(), Usage> {
    if errand.goal != Goal::Run {
        let message = format!(
            "cluster `{home}` is there already, and stays: there is nothing to bring up or down"
        );
        let help = "use `run` with the same files; it needs no --cluster";
        faults.push(Diagnostic::error(code::NO_CLUSTERS, message).help(help));
    } else if let Some(other) = errand.cluster.filter(|it| *it != home.as_str()) {
        let text = format!(
            "--cluster {other} is not the cluster of --config, which is `{home}`; leave it out"
        );
        return Err(Usage::new(text));
    }
    Ok(())
}

/// The end of the one run of an idempotency key, where it was begun before: whoever drives it is followed, and whoever
/// left it is replaced.
fn begun_before(id: &RunId, manner: &Manner<'_>, ui: &mut Ui) -> Result<Option<Exit>, Usage> {
    // What is wrong with the folder is told where the run would be recorded.
    let Ok(state) = state::folder(manner.global.state_dir.as_ref(), &crate::env) else {
        return Ok(None);
    };
    let folder = journal::folder(&state, id);
    while folder.exists() {
        match Taken::take(id, &folder, false) {
            Ok(taken) => {
                return Ok(Some(attach(taken, None, manner, &Arc::new(Bell::new()), ui)?.0));
            }
            Err(Refusal::NeverBegun) => {
                if let Err(error) = put_away(&folder) {
                    ui.error(error.to_string());
                    return Ok(Some(Exit::Failed));
                }
            }
            Err(Refusal::Driven(driver)) => {
                let by = driver.map_or("another process".to_owned(), |driver| driver.to_string());
                ui.message(Level::Info, format!("Run {id} is driven by {by}: following it"));
                if let Some(exit) = follow_on(&folder, ui) {
                    return Ok(Some(exit));
                }
            }
            Err(refusal) => return Ok(Some(refusal.say(id, ui))),
        }
    }
    Ok(None)
}

/// Removes what is left of a run that was never begun: its program died while it made it. Not, if another begins it
/// meanwhile.
fn put_away(folder: &Path) -> Result<(), journal::Error> {
    let held = match Held::take(folder) {
        Err(error) if error.is_locked() => return Ok(()),
        held => held?,
    };
    match journal::read(folder)?.events.is_empty() {
        true => held.remove(),
        false => Ok(()),
    }
}

/// `None`: its driver is gone, and it has no end.
fn follow_on(folder: &Path, ui: &mut Ui) -> Option<Exit> {
    let bell = Arc::new(Bell::new());
    if let Err(error) = signal::ring(&bell, None) {
        ui.message(Level::Warning, format!("signals cannot be caught: {error}"));
    }
    let code = journal::glance(folder).map_or(0, |glance| glance.header.noop_exit_code);
    match follow(folder, &bell, ui) {
        Ok(Followed::Ended(outcome)) => Some(Exit::of(&outcome, code)),
        Ok(Followed::Left) => None,
        Ok(Followed::Interrupted(signal)) => Some(Exit::Signal(signal)),
        Err(error) => {
            ui.error(error.to_string());
            Some(Exit::Failed)
        }
    }
}

/// `None`: another process began this very run meanwhile.
fn begin(
    fresh: Fresh,
    noop_exit_code: u8,
    ready: &Ready,
    manner: &Manner<'_>,
    bell: &Bell,
    logs: &mut Logs<'_>,
    ui: &mut Ui,
) -> Option<Exit> {
    let header = Header {
        version: journal::VERSION,
        run: fresh.id.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        created: clock::timestamp(),
        fabric: ready.fabric.capabilities().fabric.to_owned(),
        reach: ready.fabric.reach(),
        time_zone: TimeZone::system().iana_name().unwrap_or_default().to_owned(),
        noop_exit_code,
    };
    let mut journal = match record(ready, &header) {
        Ok(journal) => journal?,
        Err(error) => {
            let fault = Diagnostic::error(code::CANNOT_RECORD_RUN, error);
            let mut faults = Diagnostics::new();
            faults.push(fault.help("name another folder with --state-dir"));
            ui.faults(faults);
            return Some(Exit::Invalid);
        }
    };
    let drive = Drive { ready, bell, manner, folder: &journal::folder(&ready.state, &fresh.id) };
    let outcome = drive.go(Start::Fresh(fresh), &mut journal, logs, ui);
    Some(Exit::of(&outcome, noop_exit_code))
}

/// Begins the journal of a run, with what the run was made from beside it. `None`: there is such a run.
fn record(ready: &Ready, header: &Header) -> Result<Option<Journal>, String> {
    let journal = match Journal::create(&ready.state, header) {
        Err(error) if error.is_begun() => return Ok(None),
        journal => journal.map_err(|error| error.to_string())?,
    };
    let folder = journal::folder(&ready.state, &header.run);
    keep_inputs(ready, &folder).inspect_err(|_| {
        // Nothing was begun, so there is nothing to show.
        let _ = std::fs::remove_dir_all(&folder);
    })?;
    Ok(Some(journal))
}

/// Keeps what a run was made from.
///
/// # Errors
/// It cannot be written.
pub(super) fn keep_inputs(ready: &Ready, run_folder: &Path) -> Result<(), String> {
    let Some(mut inputs) = ready.inputs.clone() else { return Ok(()) };
    let keyed = inputs.key_secrets(ready.plan.steps(), &ready.state);
    keyed.and_then(|()| inputs.write(run_folder)).map_err(|error| error.to_string())
}

/// One driver's part of a run.
pub(super) struct Drive<'a> {
    pub(super) ready: &'a Ready,
    pub(super) bell: &'a Bell,
    pub(super) manner: &'a Manner<'a>,
    /// The run's own.
    pub(super) folder: &'a Path,
}

impl Drive<'_> {
    /// Drives to the end.
    pub(super) fn go(
        &self,
        start: Start,
        journal: &mut Journal,
        logs: &mut Logs<'_>,
        ui: &mut Ui,
    ) -> Outcome {
        let (goal, at) = match &start {
            Start::Fresh(fresh) => (fresh.goal, None),
            Start::Attach { state, .. } | Start::Resume { state, .. } => {
                (state.goal, Some(state.at))
            }
        };
        let Manner { engine, leave, detach, ask_first, .. } = *self.manner;
        let run = engine::Run {
            plan: &self.ready.plan,
            fabric: self.ready.fabric.as_ref(),
            clock: &Clock::machine(at),
            bell: self.bell,
            settings: Settings {
                contact_limit: engine.lost_contact_after,
                leave_on_interrupt: leave,
                detach,
                bootstrap_retry: engine.bootstrap_retry_delay,
                ask_first,
            },
            driver: Driver::own(here(&crate::env).host),
            journal,
        };
        let outcome = run.execute(start, &mut |event| {
            ui.event(event);
            logs.event(event, ui);
        });
        conclude(self.folder, goal, &outcome, ui);
        outcome
    }
}

/// What remains to be done for a run once its end is journaled; done again, it does no harm.
pub(super) fn conclude(folder: &Path, goal: Goal, outcome: &Outcome, ui: &mut Ui) {
    if outcome.is_success()
        && !outcome.is_open()
        && let Err(error) = inputs::forget(folder)
    {
        ui.message(Level::Warning, error.to_string());
    }
    // With json the id is in the events.
    if goal == Goal::Up && *outcome == Outcome::Succeeded && ui.output() != Output::Json {
        let id = ui.messages().cluster().map(|id| format!("{id}\n"));
        ui.print(id.unwrap_or_default().as_bytes());
    }
}

/// A number that nobody could have guessed, from the standard library's own source of such numbers.
pub(super) fn chance() -> u64 {
    RandomState::new().hash_one(())
}

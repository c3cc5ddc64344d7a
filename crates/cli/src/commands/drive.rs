//! The way of all runs: read and check everything, record, drive, tell.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{self, Clock};
use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics};
use dataflow_runner_core::engine::{self, Fresh, Settings, Start};
use dataflow_runner_core::event::{Driver, Goal, Outcome};
use dataflow_runner_core::fabric::{ClusterId, RunId};
use dataflow_runner_core::journal::{self, Header, Journal};
use jiff::tz::TimeZone;

use super::ready::{Ready, Ways};
use super::{Usage, cluster, locked};
use crate::args::{self, Level, OnInterrupt, Output};
use crate::exit::Exit;
use crate::here::here;
use crate::load::Loader;
use crate::logs::Logs;
use crate::signal;
use crate::ui::Ui;

/// What is to be done.
pub(super) struct Errand<'a> {
    pub(super) goal: Goal,
    pub(super) config: Option<&'a Path>,
    /// The header of the run whose cluster it is about: that reaches the fabric, not a file.
    pub(super) reached: Option<&'a Header>,
    pub(super) playbook: Option<&'a Path>,
    pub(super) cluster: Option<&'a str>,
    pub(super) variables: &'a args::Variables,
    pub(super) steps: &'a args::Steps,
    pub(super) logs: &'a args::Logs,
    pub(super) engine: &'a args::Engine,
    pub(super) locks: &'a args::Locks,
    /// The run ends once the fabric has all steps.
    pub(super) detached: bool,
    pub(super) global: &'a args::Global,
}

/// Runs an errand to its end.
///
/// # Errors
/// An argument that has not the form it should have.
pub(super) fn drive(errand: &Errand<'_>, ui: &mut Ui) -> Result<Exit, Usage> {
    let bell = Arc::new(Bell::new());
    let mut loader = Loader::new(errand.variables)?;
    ui.hide(loader.variables());
    let ways = Ways { bell: &bell, engine: Some(errand.engine) };
    let ready = match errand.reached {
        Some(header) => Ready::again(header, errand.global, &ways, loader.sink()),
        None => Ready::of(errand.config, errand.playbook, errand.global, &ways, &mut loader)?,
    };
    if let (true, Some(ready)) = (errand.detached, &ready) {
        ready.check_detached(loader.sink());
    }
    if ui.faults(loader.faults()) {
        return Ok(Exit::Invalid);
    }
    let Some(ready) = ready else { return Ok(Exit::Invalid) };
    if let Err(error) = signal::ring(&bell) {
        ui.message(Level::Warning, format!("signals cannot be caught: {error}"));
    }
    let id = RunId::fresh(clock::timestamp(), chance());
    let leave = errand.engine.on_interrupt == OnInterrupt::Leave;
    let mut logs = Logs::new(&ready.fabric, &bell, errand.steps.log_failed_steps, errand.logs);
    let exit = locked::under(errand.locks, &id, leave, &bell, ui, |ui| {
        let given = errand.cluster;
        let cluster = given.map(|given| cluster::named(given, &*ready.fabric, &bell, ui));
        match cluster.transpose() {
            Ok(cluster) => run(errand, &id, cluster, &ready, &bell, &mut logs, ui),
            Err(exit) => exit,
        }
    })?;
    // Whoever waits for the lock need not wait for logs, too.
    logs.finish(ui);
    Ok(exit)
}

fn run(
    errand: &Errand<'_>,
    id: &RunId,
    cluster: Option<ClusterId>,
    ready: &Ready,
    bell: &Bell,
    logs: &mut Logs<'_>,
    ui: &mut Ui,
) -> Exit {
    let Ready { plan, fabric, state } = ready;
    let clock = Clock::machine(None);
    let header = Header {
        version: journal::VERSION,
        run: id.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        created: clock.now(),
        fabric: fabric.capabilities().fabric.to_owned(),
        reach: fabric.reach(),
        time_zone: TimeZone::system().iana_name().unwrap_or_default().to_owned(),
    };
    let mut journal = match Journal::create(state, &header) {
        Ok(journal) => journal,
        Err(error) => {
            let fault = Diagnostic::error("cannot-record-run", error.to_string());
            let mut faults = Diagnostics::new();
            faults.push(fault.help("name another folder with --state-dir"));
            ui.faults(faults);
            return Exit::Invalid;
        }
    };
    let run = engine::Run {
        plan,
        fabric: fabric.as_ref(),
        clock: &clock,
        bell,
        settings: Settings {
            contact_limit: errand.engine.lost_contact_after,
            leave_on_interrupt: errand.engine.on_interrupt == OnInterrupt::Leave,
            detach: errand.detached,
            bootstrap_retry: errand.engine.bootstrap_retry_delay,
            ask_first: false,
        },
        driver: Driver::own(here(&crate::env).host),
        journal: &mut journal,
    };
    let fresh = Fresh::new(id.clone(), errand.goal, cluster);
    let outcome = run.execute(Start::Fresh(fresh), &mut |event| {
        ui.event(event);
        logs.event(event, ui);
    });
    // With json the id is in the events.
    if errand.goal == Goal::Up && outcome == Outcome::Succeeded && ui.output() != Output::Json {
        let id = ui.messages().cluster().map(|id| format!("{id}\n"));
        ui.print(id.unwrap_or_default().as_bytes());
    }
    Exit::of(&outcome, errand.steps.noop_exit_code)
}

/// A number that nobody could have guessed, from the standard library's own source of such numbers.
pub(super) fn chance() -> u64 {
    RandomState::new().hash_one(())
}

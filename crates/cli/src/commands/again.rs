//! Runs that were begun before: taken up, made ready, and driven on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::diagnostic::Diagnostics;
use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::engine::{Resume, Start};
use dataflow_runner_core::event::{self, Driver, Event, Outcome, StepInfo};
use dataflow_runner_core::fabric::{RunId, emr};
use dataflow_runner_core::inputs::Inputs;
use dataflow_runner_core::journal::{self, Header, Journal};
use dataflow_runner_core::plan::Plan;

use super::drive::{Drive, Manner, conclude};
use super::ready::{Ready, Ways};
use super::{Usage, locked};
use crate::args::Level;
use crate::exit::Exit;
use crate::here::here;
use crate::load::Loader;
use crate::load::again::Instead;
use crate::logs::Logs;
use crate::signal;
use crate::ui::Ui;

/// SIGINT: what Ctrl-C sends.
const INTERRUPT: i32 = 2;

/// A run that was begun before and that nobody else drives now.
pub(super) struct Taken {
    pub(super) id: RunId,
    /// Its own folder.
    pub(super) folder: PathBuf,
    pub(super) header: Header,
    pub(super) events: Vec<Event>,
    pub(super) state: RunState,
    journal: Journal,
}

/// Why a run cannot be taken up.
pub(super) enum Refusal {
    /// Somebody drives it.
    Driven(Option<Driver>),
    /// A process of another host drove it last, and whether it still does cannot be seen from here.
    Elsewhere(Driver),
    /// Its journal ends before its first event: nothing was ordered.
    NeverBegun,
    /// Its journal tells nothing that makes sense.
    Unreadable(String),
}

impl Taken {
    /// Takes a run up.
    ///
    /// # Errors
    /// It cannot be.
    pub(super) fn take(id: &RunId, folder: &Path, take_over: bool) -> Result<Self, Refusal> {
        let (journal, contents) = free_journal(folder)?;
        let journal::Contents { header, events, .. } = contents;
        if events.is_empty() {
            return Err(Refusal::NeverBegun);
        }
        let state = RunState::fold(&events).map_err(|error| {
            Refusal::Unreadable(format!("the journal of run {id} makes no sense: {error}"))
        })?;
        match event::driver(&events) {
            Some(driver)
                if state.outcome.is_none()
                    && !take_over
                    && driver.host != here(&crate::env).host =>
            {
                Err(Refusal::Elsewhere(driver.clone()))
            }
            _ => {
                let (id, folder) = (id.clone(), folder.to_owned());
                Ok(Self { id, folder, header, events, state, journal })
            }
        }
    }

    /// How it ended, if it has and nothing was left open.
    pub(super) fn over(&self) -> Option<&Outcome> {
        self.state.outcome.as_ref().filter(|outcome| !outcome.is_open())
    }

    /// Tells how it ended, as it was told then.
    pub(super) fn tell_end(&self, outcome: &Outcome, ui: &mut Ui) -> Exit {
        if let Some((last, before)) = self.events.split_last() {
            ui.message(Level::Info, format!("Run {} has ended at {}", self.id, last.at));
            ui.recall(before);
            ui.event(last);
        }
        // Its driver may have died before it came to that.
        conclude(&self.folder, self.state.goal, outcome, ui);
        Exit::of(outcome, self.header.noop_exit_code)
    }

    /// What it takes to go on: the files it was begun with where something may still be ordered, else the journal alone.
    /// All that is wrong is said.
    ///
    /// # Errors
    /// An argument that has not the form it should have.
    pub(super) fn ready(
        &self,
        files: Files<'_>,
        manner: &Manner<'_>,
        bell: &Arc<Bell>,
        ui: &mut Ui,
    ) -> Result<Option<Ready>, Usage> {
        let ways = Ways {
            bell,
            engine: Some(manner.engine),
            log_wait: manner.logs.log_wait,
            before: Some(&self.header),
        };
        if let Files::IfNeeded { ends } = files
            && let Some(plan) = Plan::of_journal(&self.events)
            && !self.state.may_order(&plan, ends)
            && emr::keeps_credentials(&self.header.reach)
        {
            let mut faults = Diagnostics::new();
            let ready = Ready::again(&self.header, None, manner.global, &ways, &mut faults);
            ui.faults(faults);
            return Ok(ready.map(|ready| Ready { plan, ..ready }));
        }
        let inputs = match Inputs::read(&self.folder) {
            Ok(inputs) => inputs,
            Err(error) => {
                ui.error(format!("what run {} was begun with is needed: {error}", self.id));
                return Ok(None);
            }
        };
        let none = Default::default();
        let instead = match files {
            Files::Instead(instead) => instead,
            Files::IfNeeded { .. } => &Instead { config: None, playbook: None, variables: &none },
        };
        let mut again = Loader::again(&inputs, instead)?;
        ui.hide(again.loader.variables());
        let (config, playbook) = (again.config.as_deref(), again.playbook.as_deref());
        let loader = &mut again.loader;
        let mut ready = Ready::of(config, playbook, manner.global, &ways, loader)?;
        if ui.faults(loader.faults()) {
            return Ok(None);
        }
        if let Some(ready) = &mut ready {
            self.warn_of_secrets(&inputs, ready, ui);
            ready.inputs = Some(loader.inputs(config, playbook));
        }
        Ok(ready)
    }

    fn warn_of_secrets(&self, inputs: &Inputs, ready: &Ready, ui: &mut Ui) {
        match inputs.changed_secrets(ready.plan.steps(), &ready.state) {
            Ok(changed) => {
                for step in changed {
                    let text =
                        format!("a secret of step `{step}` is not what it was when the run began");
                    ui.message(Level::Warning, text);
                }
            }
            Err(error) => ui.message(Level::Warning, error.to_string()),
        }
    }

    /// The steps of a plan that are not what they were, came or went; none, where the plan is the journal's own.
    pub(super) fn changed(&self, plan: &Plan) -> Vec<String> {
        if plan.playbook().is_none() {
            return Vec::new();
        }
        let (was, is) = (event::steps(&self.events), StepInfo::all(plan));
        let same = |a: &StepInfo, b: &StepInfo| a.id == b.id && a.digest == b.digest;
        let came = is.iter().filter(|now| !was.iter().any(|then| same(then, now)));
        let gone = was.iter().filter(|then| !is.iter().any(|now| now.id == then.id));
        came.chain(gone).map(|step| step.id.clone()).collect()
    }

    /// Drives it on to its end; there is none where the lock was not to be had.
    ///
    /// # Errors
    /// There can be no such lock.
    pub(super) fn go_on(
        mut self,
        ready: &Ready,
        how: How,
        manner: &Manner<'_>,
        bell: &Arc<Bell>,
        ui: &mut Ui,
    ) -> Result<(Exit, Option<Outcome>), Usage> {
        ui.recall(&self.events);
        let mut logs = Logs::new(&ready.fabric, bell, manner.log_failed_steps, manner.logs);
        let state = Box::new(self.state);
        let start = match how {
            How::Attach { cancel } => Start::Attach { state, cancel },
            How::Resume(resume) => Start::Resume { state, resume },
        };
        let mut ended = None;
        let exit = locked::under(manner.locks, &self.id, manner.leave, bell, ui, |ui| {
            let drive = Drive { ready, bell, manner, folder: &self.folder };
            let outcome = drive.go(start, &mut self.journal, &mut logs, ui);
            let exit = Exit::of(&outcome, self.header.noop_exit_code);
            ended = Some(outcome);
            exit
        })?;
        logs.finish(ui);
        Ok((exit, ended))
    }
}

/// The journal of a run, if nobody else has it.
///
/// Who has just taken it up is not named in it at once: until then the one before is, who is gone. Also, a word that
/// it is to cancel would be lost on it until then. So it is waited for.
fn free_journal(folder: &Path) -> Result<(Journal, journal::Contents), Refusal> {
    /// It may wait for a lock for hours before it says anything.
    const LONGEST: Duration = Duration::from_secs(10);
    const LOOK: Duration = Duration::from_millis(20);

    let host = here(&crate::env).host;
    let since = Instant::now();
    loop {
        match Journal::resume(folder) {
            Ok(free) => return Ok(free),
            Err(error) if !error.is_locked() => {
                return Err(Refusal::Unreadable(error.to_string()));
            }
            Err(_) => {}
        }
        let contents = journal::read(folder).ok();
        let driver = contents.and_then(|it| event::driver(&it.events).cloned());
        match driver {
            Some(before) if before.is_gone(&host) => {
                if since.elapsed() > LONGEST {
                    return Err(Refusal::Driven(None));
                }
                // Nobody rings it: signals still end the program.
                Bell::new().wait(LOOK);
            }
            driver => return Err(Refusal::Driven(driver)),
        }
    }
}

/// Which files make a run ready.
#[derive(Clone, Copy)]
pub(super) enum Files<'a> {
    /// Those it was begun with, if they are needed at all.
    IfNeeded {
        /// It is taken up only to be ended.
        ends: bool,
    },
    /// Those, but for what is given instead.
    Instead(&'a Instead<'a>),
}

/// How a run goes on.
pub(super) enum How {
    /// As before.
    Attach {
        /// It is to be ended, as by this signal.
        cancel: Option<i32>,
    },
    /// What is not done is done after all.
    Resume(Resume),
}

/// Follows a run that was left to its end; `cancel`: which is to come at once. There is no end where nothing was done.
///
/// # Errors
/// There can be no such lock.
pub(super) fn attach(
    taken: Taken,
    cancel: Option<i32>,
    manner: &Manner<'_>,
    bell: &Arc<Bell>,
    ui: &mut Ui,
) -> Result<(Exit, Option<Outcome>), Usage> {
    if let Some(outcome) = taken.over().cloned() {
        return Ok((taken.tell_end(&outcome, ui), Some(outcome)));
    }
    let files = Files::IfNeeded { ends: cancel.is_some() };
    let Some(ready) = taken.ready(files, manner, bell, ui)? else {
        return Ok((Exit::Invalid, None));
    };
    let changed = taken.changed(&ready.plan);
    if !changed.is_empty() {
        say_changed(&taken.id, &changed, ui);
        return Ok((Exit::Invalid, None));
    }
    listen(bell, &taken, manner, ui);
    taken.go_on(&ready, How::Attach { cancel }, manner, bell, ui)
}

/// Names the steps that a run cannot go on with.
pub(super) fn say_changed(id: &RunId, changed: &[String], ui: &mut Ui) {
    let names: Vec<_> = changed.iter().map(|step| format!("`{step}`")).collect();
    ui.error(format!(
        "run {id} cannot go on with steps that are not what they were: {}; nothing was ordered. \
         `resume --accept-changes` takes them as they are now",
        names.join(", ")
    ));
}

/// From now on signals ring the bell. Who is at a terminal, and did not say what an interruption is to do, is asked.
pub(super) fn listen(bell: &Arc<Bell>, taken: &Taken, manner: &Manner<'_>, ui: &mut Ui) {
    let asked = manner.leave && manner.asks && ui.is_watched();
    let (voice, folder) = (ui.voice(), taken.folder.clone());
    let ask = asked.then_some(signal::Ask {
        question: Box::new(move || {
            voice.message(
                Level::Warning,
                "Interrupted: cancel the run, too? Else it is left as it is. [y/N]",
            );
        }),
        yes: Box::new(move || {
            // If the word cannot be left, the run is: that is the answer that loses nothing.
            let _ = journal::ask_to_cancel(&folder, INTERRUPT);
        }),
    });
    if let Err(error) = signal::ring(bell, ask) {
        ui.message(Level::Warning, format!("signals cannot be caught: {error}"));
    }
}

impl Refusal {
    /// Says why, and what can be done.
    pub(super) fn say(&self, id: &RunId, ui: &mut Ui) -> Exit {
        match self {
            Self::Driven(driver) => {
                let by = driver.as_ref().map_or("another process".to_owned(), ToString::to_string);
                ui.error(format!(
                    "run {id} is driven by {by}: `status {id} --watch` shows it, `cancel {id}` ends it"
                ));
                Exit::Locked
            }
            Self::Elsewhere(driver) => {
                ui.error(format!(
                    "run {id} was driven last by {driver}, and has no end; whether that process lives \
                     cannot be seen from here. If it is surely gone: --take-over"
                ));
                Exit::Locked
            }
            Self::NeverBegun => {
                ui.error(format!(
                    "run {id} was never begun: its program died before anything was ordered. Run it again"
                ));
                Exit::Refused
            }
            Self::Unreadable(why) => {
                ui.error(why.as_str());
                Exit::Failed
            }
        }
    }
}

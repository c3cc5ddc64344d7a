//! `logs --follow`: what a step writes while it runs.
//!
//! Whether it runs is for the journal to say as long as somebody drives the run, and for the fabric once nobody does.

use std::cell::Cell;
use std::time::Duration;

use dataflow_runner_core::fabric::LogFile;
use dataflow_runner_core::logs::{self, Follow, Piece};
use dataflow_runner_core::report::{Report, Stand, Standing};

use super::super::runs::Told;
use super::which::Taken;
use super::{Reader, Stop, failed, line, not_begun, refused, report, which};
use crate::args::Level;
use crate::exit::Exit;
use crate::logs::{To, Whole, say_cause};
use crate::ui::Ui;

/// Between two looks.
const TICK: Duration = Duration::from_millis(500);

/// What there is to follow.
enum Meant {
    /// This.
    One(Box<Taken>),
    /// Nothing yet.
    NotYet,
    /// Nothing any more, as nobody said which step, and none will run.
    Over,
}

/// Follows one attempt of a step to its end: of `step`, or of whichever runs.
pub(super) fn follow(
    reader: &Reader<'_>,
    mut told: Told,
    step: Option<&str>,
    ui: &mut Ui,
) -> Result<Exit, Stop> {
    let mut waits = false;
    loop {
        let report = report(&told, ui)?;
        let taken = reader.taken(&report);
        let meant = match step {
            Some(step) => of_step(reader, step, &told, &report, &taken, ui)?,
            None => of_run(&report, &taken),
        };
        match meant {
            Meant::One(one) => {
                return Following { reader, told, one: *one }.run(ui);
            }
            Meant::Over => {
                let all = which::telling(&report.steps, &taken);
                return reader.show_all(&all, &told, ui);
            }
            Meant::NotYet => {}
        }
        if !std::mem::replace(&mut waits, true) {
            let what = step.map_or("a step".to_owned(), |step| format!("step `{step}`"));
            ui.message(Level::Info, format!("Waiting for {what} to begin (INT ends that)..."));
        }
        pause(reader, ui)?;
        refresh(&mut told, ui)?;
    }
}

fn of_run(report: &Report, taken: &[Taken]) -> Meant {
    match (which::running(taken), &report.summary.standing) {
        (Some(one), _) => Meant::One(Box::new(one.clone())),
        (None, Standing::Running) => Meant::NotYet,
        (None, Standing::Left | Standing::Ended(_)) => Meant::Over,
    }
}

fn of_step(
    reader: &Reader<'_>,
    step: &str,
    told: &Told,
    report: &Report,
    taken: &[Taken],
    ui: &mut Ui,
) -> Result<Meant, Stop> {
    let attempt = reader.args.attempt;
    let known = report.steps.iter().find(|known| known.id == step);
    let settled = known.is_none_or(|known| known.state.is_settled());
    if let Some(one) = which::attempt(step, attempt, taken) {
        let is_to_come = attempt.is_none() && !settled && told.driven;
        return Ok(match one.ended {
            Some(_) if is_to_come => Meant::NotYet,
            _ => Meant::One(Box::new(one.clone())),
        });
    }
    let run = &told.id;
    let why = match &report.summary.standing {
        _ if settled => return Err(not_begun(known, step, attempt, taken, ui)),
        Standing::Running => return Ok(Meant::NotYet),
        Standing::Ended(_) => format!("run {run} has ended"),
        Standing::Left => {
            format!("nobody drives run {run}: `dataflow-runner attach {run}` goes on with it")
        }
    };
    ui.error(format!("step `{step}` has not begun, and {why}"));
    Err(Stop::Exit(Exit::Failed))
}

/// What is followed.
struct Following<'a> {
    reader: &'a Reader<'a>,
    told: Told,
    one: Taken,
}

impl Following<'_> {
    fn run(mut self, ui: &mut Ui) -> Result<Exit, Stop> {
        let Reader { fabric, bell, .. } = self.reader;
        let mut follow = Follow::new();
        let mut whole = Whole::new(format!("step {}", self.one.id), To::Stdout);
        let mut seen = None;
        loop {
            // First this: what is written until then is read after it.
            let state = self.reader.state(&self.one, self.told.driven);
            if seen.replace(state) != Some(state) {
                ui.message(Level::Info, line(&self.one, state));
            }
            let ended = which::is_over(state) || (state == Stand::Unknown && !self.told.driven);
            let all = fabric.logs(&self.one.cluster, &self.one.id);
            let all = all.map_err(|error| refused(&error, ui))?;
            let wanted = match &self.reader.args.file {
                // What is not there yet may come as long as it runs.
                Some(name) if !ended => logs::named(all, name),
                _ => self.reader.wanted(&self.one, all)?,
            };
            let heard = Cell::new(true);
            let mut go_on = || heard.get() && bell.pause(Duration::ZERO);
            let read =
                follow.take(&**fabric, &wanted, ended, &mut go_on, &mut |piece: Piece<'_>| {
                    whole.piece(piece, ui);
                    heard.set(ui.is_heard());
                });
            read.map_err(|error| refused(&error, ui))?;
            self.reader.stopped(ui)?;
            if ended {
                self.explain(state, &wanted, ui);
                return Ok(Exit::Success);
            }
            pause(self.reader, ui)?;
            self.look_up(ui)?;
        }
    }

    /// What the journal tells by now.
    fn look_up(&mut self, ui: &mut Ui) -> Result<(), Stop> {
        if refresh(&mut self.told, ui)? {
            let taken = self.reader.taken(&report(&self.told, ui)?);
            let same = taken.into_iter().find(|one| one.id == self.one.id);
            self.one = same.unwrap_or_else(|| self.one.clone());
        }
        Ok(())
    }

    fn explain(&self, state: Stand, files: &[LogFile], ui: &mut Ui) {
        if state != Stand::Failed {
            return;
        }
        let mut go_on = || self.reader.bell.pause(Duration::ZERO);
        let cause = logs::explain(self.reader.fabric.as_ref(), files, &mut go_on);
        if let Some(cause) = cause {
            say_cause(&failed(&self.one), &cause, ui);
        }
    }
}

fn pause(reader: &Reader<'_>, ui: &Ui) -> Result<(), Stop> {
    if reader.bell.pause(TICK) { Ok(()) } else { reader.stopped(ui) }
}

/// Reads the journal again, if something was added; says whether something was.
fn refresh(told: &mut Told, ui: &mut Ui) -> Result<bool, Stop> {
    told.refresh().map_err(|error| {
        ui.error(error);
        Stop::Exit(Exit::Failed)
    })
}

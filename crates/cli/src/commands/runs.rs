//! `runs`: what was begun here, newest first.

use std::path::{Path, PathBuf};

use dataflow_runner_core::clock;
use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::event::Goal;
use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::journal::{self, Begun, Contents, Error, Pulse};
use dataflow_runner_core::report::Summary;
use jiff::Timestamp;
use serde_json::json;

use super::{Usage, orphans, prune};
use crate::args::{self, Level, RunsCommand};
use crate::exit::Exit;
use crate::state;
use crate::ui::messages::time;
use crate::ui::{Ui, escape};

mod newest;

/// What the newest run is called.
const LAST: &str = "last";

pub(super) fn run(args: &args::Runs, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    if let Some(RunsCommand::Prune(args)) = &args.command {
        return Ok(prune::run(args, global, ui));
    }
    if args.orphans.orphans {
        return orphans::run(&args.orphans, args.json, global, ui);
    }
    let Some((folder, ids)) = all(global, ui) else { return Ok(Exit::Failed) };
    let now = clock::timestamp();
    let line = |summary: Summary| wanted(&summary, args, now).then(|| told_of(&summary, args.json));
    let mut text = String::new();
    for (id, line) in newest::lines(&ids, &folder, line) {
        match line {
            Ok(line) => text.extend(line),
            Err(error) => {
                ui.message(Level::Warning, format!("run {id} cannot be told of: {error}"));
            }
        }
    }
    ui.print(text.as_bytes());
    Ok(Exit::Success)
}

fn wanted(summary: &Summary, args: &args::Runs, now: Timestamp) -> bool {
    let word = summary.standing.word();
    args.since.is_none_or(|since| clock::until(summary.begun, now) <= since)
        && (args.state.is_empty() || args.state.iter().any(|state| state == word))
}

fn told_of(summary: &Summary, json: bool) -> String {
    let mut line = if json { machine(summary).to_string() } else { people(summary) };
    line.push('\n');
    line
}

/// The state folder, and the ids of all runs, oldest first.
pub(super) fn all(global: &args::Global, ui: &mut Ui) -> Option<(PathBuf, Vec<RunId>)> {
    listed(journal::list, global, ui)
}

/// The state folder, and the ids of runs in it.
fn listed(
    list: impl Fn(&Path) -> Result<Vec<RunId>, Error>,
    global: &args::Global,
    ui: &mut Ui,
) -> Option<(PathBuf, Vec<RunId>)> {
    let folder = match state::folder(global.state_dir.as_ref(), &crate::env) {
        Ok(folder) => folder,
        Err(fault) => {
            ui.error(fault.message);
            return None;
        }
    };
    match list(&folder) {
        Ok(ids) => Some((folder, ids)),
        Err(error) => {
            ui.error(error.to_string());
            None
        }
    }
}

/// The folder of the run that somebody means.
///
/// # Errors
/// There is none such, or several.
pub(super) fn named(
    given: &str,
    global: &args::Global,
    ui: &mut Ui,
) -> Result<Option<(RunId, PathBuf)>, Usage> {
    let list = if given == LAST { newest::list } else { journal::list };
    let Some((folder, ids)) = listed(list, global, ui) else { return Ok(None) };
    let id = pick(given, &ids, &folder)?;
    let place = journal::folder(&folder, &id);
    Ok(Some((id, place)))
}

/// What the journal of a run tells.
pub(super) struct Told {
    pub(super) id: RunId,
    folder: PathBuf,
    /// As it was just before the journal was read.
    pulse: Pulse,
    pub(super) contents: Contents,
    pub(super) state: RunState,
    /// Somebody drives it.
    pub(super) driven: bool,
}

/// The run that somebody means, as its journal tells of it.
///
/// # Errors
/// There is none such, or several.
pub(super) fn told(given: &str, global: &args::Global, ui: &mut Ui) -> Result<Option<Told>, Usage> {
    let Some((id, folder)) = named(given, global, ui)? else { return Ok(None) };
    Ok(Told::read(id, folder).map_err(|error| ui.error(error)).ok())
}

impl Told {
    /// # Errors
    /// The journal cannot be read, or makes no sense.
    pub(super) fn read(id: RunId, folder: PathBuf) -> Result<Self, String> {
        // The pulse first: what its driver wrote before it went is then read.
        let read = journal::pulse(&folder).and_then(|it| Ok((it, journal::read(&folder)?)));
        let (pulse, contents) = read.map_err(|error| error.to_string())?;
        let state = RunState::fold(&contents.events);
        let state = state.map_err(|e| format!("the journal of run {id} makes no sense: {e}"))?;
        let driven = pulse.driven && state.outcome.is_none();
        Ok(Self { id, folder, pulse, contents, state, driven })
    }

    /// The run's own.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads it again, if something was added meanwhile or somebody came or went; says whether.
    ///
    /// # Errors
    /// As [`Told::read`].
    pub(super) fn refresh(&mut self) -> Result<bool, String> {
        let now = journal::pulse(&self.folder).map_err(|error| error.to_string())?;
        if now == self.pulse {
            return Ok(false);
        }
        *self = Self::read(self.id.clone(), self.folder.clone())?;
        Ok(true)
    }
}

fn pick(given: &str, ids: &[RunId], folder: &Path) -> Result<RunId, Usage> {
    let meant = |id: &&RunId| id.as_str() == given;
    if let Some(id) = ids.iter().find(meant) {
        return Ok(id.clone());
    }
    let none = || format!("there is no run {given} in {}; `runs` lists all", folder.display());
    let mut begun = newest::first(ids, folder);
    if given == LAST {
        return begun
            .next()
            .map(|(id, _)| id.clone())
            .ok_or_else(|| Usage::new(format!("there is no run in {} yet", folder.display())));
    }
    if let Some((id, _)) = begun.find(|(_, begun)| called(begun.as_ref(), given)) {
        return Ok(id.clone());
    }
    let mut alike =
        ids.iter().rev().filter(|id| !given.is_empty() && id.as_str().starts_with(given));
    match (alike.next(), alike.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(Usage::new(none())),
        (Some(first), Some(second)) => {
            let more = alike.count();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Err(Usage::new(format!(
                "{given} may be run {first}, {second}{more}; say more of its id"
            )))
        }
    }
}

fn called(begun: Option<&Begun>, name: &str) -> bool {
    begun.and_then(|begun| begun.name.as_deref()).is_some_and(|it| it == name)
}

/// One line of the list.
pub(super) fn people(summary: &Summary) -> String {
    let what = summary.goal.map_or("-", Goal::word);
    let word = summary.standing.word();
    let mut line = format!(
        "{:<26}  {}  {word:<11}  {what:<13}  {:<8}",
        summary.run.as_str(),
        time(summary.begun),
        summary.fabric,
    );
    if let Some(playbook) = &summary.playbook {
        line += "  ";
        escape::push_line(&mut line, playbook);
    }
    if let Some(name) = &summary.name {
        line += "  (";
        escape::push_line(&mut line, name);
        line += ")";
    }
    line.truncate(line.trim_end().len());
    line
}

fn machine(summary: &Summary) -> serde_json::Value {
    json!(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_its_id_a_beginning_of_it_or_as_the_last() {
        let ids = ["r-1-ab", "r-1-a", "r-2-c"].map(RunId::new);
        let pick =
            |given| pick(given, &ids, Path::new("state")).map_err(|usage| usage.text().to_owned());
        assert_eq!(pick("last"), Ok(RunId::new("r-2-c")));
        assert_eq!(pick("r-2"), Ok(RunId::new("r-2-c")));
        assert_eq!(pick("r-1-a"), Ok(RunId::new("r-1-a")), "an id is no beginning");
        assert_eq!(pick("r-1"), Err("r-1 may be run r-1-a, r-1-ab; say more of its id".to_owned()));
        assert_eq!(
            pick("r-"),
            Err("r- may be run r-2-c, r-1-a and 1 more; say more of its id".to_owned())
        );
        for none in ["x", ""] {
            assert!(pick(none).expect_err("none").starts_with("there is no run "), "{none}");
        }
    }
}

//! `runs prune`: records of runs that ended long ago, and what they left on this machine.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dataflow_runner_core::clock;
use dataflow_runner_core::event::{EventKind, Goal, Outcome};
use dataflow_runner_core::fabric::local::prune::{Needs, Pruned, prune};
use dataflow_runner_core::fabric::{ClusterId, RunId};
use dataflow_runner_core::journal::{self, Glance, Held};
use dataflow_runner_core::report::{Standing, Summary};
use jiff::Timestamp;

use super::runs;
use crate::args::{self, Level};
use crate::exit::Exit;
use crate::ui::Ui;
use crate::ui::messages::count;

pub(super) fn run(args: &args::Prune, global: &args::Global, ui: &mut Ui) -> Exit {
    let Some((state, ids)) = runs::all(global, ui) else { return Exit::Failed };
    let mut all = Vec::new();
    for id in &ids {
        match journal::glance(&journal::folder(&state, id)) {
            Ok(glance) => all.push((id, glance)),
            Err(error) => {
                let text = format!("run {id} stays, as it cannot be told of: {error}");
                ui.message(Level::Warning, text);
            }
        }
    }
    all.sort_by_key(|(id, glance)| Reverse((glance.header.created, *id)));
    let down = all.iter().filter_map(|(_, glance)| taken_down(glance)).cloned().collect();
    let mut work = Work::new(args, state, down);
    if let (false, Err(error)) = (args.dry_run, work.sweep()) {
        work.failed(error, ui);
    }
    for (place, (id, glance)) in all.into_iter().enumerate() {
        let kept = place < args.keep;
        match work.fate(id, &glance) {
            Fate::Goes if !kept => work.remove(id, &glance, ui),
            Fate::Goes => {}
            fate => work.stays(fate, &glance),
        }
    }
    let stay: BTreeSet<_> = ids.iter().filter(|id| !work.gone.contains(id)).collect();
    let left = work.clean(&|run| stay.contains(run), ui);
    work.tell(&left, ui);
    if work.failures > 0 { Exit::Failed } else { Exit::Success }
}

/// The cluster that a run took down.
fn taken_down(glance: &Glance) -> Option<&ClusterId> {
    let summary = Summary::of(glance.clone());
    let done = summary.standing == Standing::Ended(Outcome::Succeeded);
    let begun = glance.begun.as_ref().filter(|begun| done && begun.goal == Goal::Down)?;
    begun.cluster.as_ref()
}

/// What becomes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is old, and its end is an end.
    Goes,
    /// It ended not long ago.
    Young,
    /// It is old, but has no end, or one that left something open.
    Open,
    /// Somebody drives it.
    Driven,
}

struct Work<'a> {
    args: &'a args::Prune,
    state: PathBuf,
    /// What ended before is old.
    since: Timestamp,
    /// The clusters that runs took down.
    down: BTreeSet<ClusterId>,
    /// When the oldest run was begun that may still do something.
    oldest_alive: Timestamp,
    gone: BTreeSet<RunId>,
    bytes: u64,
    /// Old ones that stay since their end is open.
    open: usize,
    /// The work folders of the runs that went, but for that in the state folder.
    elsewhere: BTreeSet<String>,
    failures: usize,
}

impl<'a> Work<'a> {
    fn new(args: &'a args::Prune, state: PathBuf, down: BTreeSet<ClusterId>) -> Self {
        let since = clock::timestamp().checked_sub(args.older_than).unwrap_or(Timestamp::MIN);
        Self {
            args,
            state,
            since,
            down,
            oldest_alive: Timestamp::MAX,
            gone: BTreeSet::new(),
            bytes: 0,
            open: 0,
            elsewhere: BTreeSet::new(),
            failures: 0,
        }
    }

    /// What an earlier removal left that was broken off.
    fn sweep(&mut self) -> Result<(), journal::Error> {
        self.bytes += journal::sweep(&self.state)?;
        Ok(())
    }

    fn fate(&self, id: &RunId, glance: &Glance) -> Fate {
        let summary = Summary::of(glance.clone());
        let open = match &summary.standing {
            Standing::Running => return Fate::Driven,
            Standing::Left => true,
            Standing::Ended(outcome) if outcome.is_open() => true,
            // Whoever prunes must not lose sight of it.
            Standing::Ended(outcome) if outcome.is_success() && summary.goal == Some(Goal::Up) => {
                !self.is_down(id)
            }
            Standing::Ended(_) => false,
        };
        match (self.is_old(glance), open && !self.args.also_open) {
            (false, _) => Fate::Young,
            (true, true) => Fate::Open,
            (true, false) => Fate::Goes,
        }
    }

    fn is_old(&self, glance: &Glance) -> bool {
        glance.last.as_ref().map_or(glance.header.created, |event| event.at) < self.since
    }

    /// Whether a cluster that a run brought up is known to be down.
    fn is_down(&self, id: &RunId) -> bool {
        let contents = journal::read(&journal::folder(&self.state, id));
        contents.is_ok_and(|contents| {
            contents.events.iter().rev().any(|event| match &event.kind {
                EventKind::Launched { cluster, .. } => self.down.contains(cluster),
                _ => false,
            })
        })
    }

    fn stays(&mut self, fate: Fate, glance: &Glance) {
        let ended = match Summary::of(glance.clone()).standing {
            Standing::Ended(outcome) => !outcome.is_open(),
            Standing::Running | Standing::Left => false,
        };
        if fate == Fate::Driven || !ended {
            self.oldest_alive = self.oldest_alive.min(glance.header.created);
        }
        self.open += usize::from(fate == Fate::Open);
    }

    /// Removes a run, if it is as it was when we looked.
    fn remove(&mut self, id: &RunId, glance: &Glance, ui: &mut Ui) {
        let folder = journal::folder(&self.state, id);
        let held = match Held::take(&folder) {
            Ok(held) => held,
            // Somebody has taken it up since.
            Err(error) if error.is_locked() => return self.stays(Fate::Driven, glance),
            Err(error) => return self.failed(error, ui),
        };
        // Nobody can add anything now; but before they may have.
        let unchanged = journal::read(&folder).map(|now| now.events.last() == glance.last.as_ref());
        match unchanged {
            Ok(true) => {}
            Ok(false) => return self.stays(Fate::Open, glance),
            Err(error) => {
                let text = format!("run {id} stays, as it cannot be told of: {error}");
                return ui.message(Level::Warning, text);
            }
        }
        let size = held.size();
        if self.args.dry_run {
            ui.print(format!("{}\n", runs::people(&Summary::of(glance.clone()))).as_bytes());
        } else if let Err(error) = held.remove() {
            return self.failed(error, ui);
        }
        self.bytes += size.unwrap_or(0);
        self.gone.insert(id.clone());
        let work_folder = glance.header.reach.get("workFolder");
        self.elsewhere.extend(work_folder.filter(|it| !self.is_own(Path::new(it))).cloned());
    }

    /// The work folder of `local`, where nothing else was wished.
    fn work_folder(&self) -> PathBuf {
        self.state.join("clusters")
    }

    fn is_own(&self, work_folder: &Path) -> bool {
        std::path::absolute(self.work_folder()).is_ok_and(|own| own == work_folder)
    }

    /// What runs left in the work folder that is in the state folder.
    fn clean(&mut self, is_known: &dyn Fn(&RunId) -> bool, ui: &mut Ui) -> Pruned {
        let needs = Needs {
            is_known,
            since: self.since,
            staged_since: self.oldest_alive,
            dry: self.args.dry_run,
        };
        prune(&self.work_folder(), &needs).unwrap_or_else(|error| {
            self.failed(error, ui);
            Pruned::default()
        })
    }

    fn failed(&mut self, error: impl std::fmt::Display, ui: &mut Ui) {
        self.failures += 1;
        ui.error(error.to_string());
    }

    fn tell(&self, left: &Pruned, ui: &mut Ui) {
        let removed = if self.args.dry_run { "Would remove" } else { "Removed" };
        let runs = count(self.gone.len(), "run");
        let mut also = Vec::new();
        if left.steps > 0 {
            also.push(format!("the logs of {}", count(left.steps, "step")));
        }
        if let Some(staged @ 1..) = left.staged {
            also.push(count(staged, "staged file"));
        }
        let also =
            if also.is_empty() { String::new() } else { format!(" and {}", also.join(", ")) };
        let bytes = size(self.bytes + left.bytes);
        ui.message(Level::Info, format!("{removed} {runs}{also}: {bytes}"));
        if self.open > 0 {
            let stay = count(self.open, "old run");
            let text =
                format!("{stay} stay as something may still go on; --also-open removes them");
            ui.message(Level::Info, text);
        }
        if left.staged.is_none() {
            let folder = self.work_folder().join("staged");
            let text = format!("staged files stay, as `{}` cannot be locked", folder.display());
            ui.message(Level::Info, text);
        }
        for folder in &self.elsewhere {
            ui.message(Level::Info, format!("what runs left in `{folder}` stays"));
        }
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    let units = [("kB", 1_000.0), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12)];
    match units.iter().rev().find(|(_, unit)| bytes as f64 >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_three_digits_or_so() {
        for (bytes, told) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (1_234_567, "1.2 MB"),
            (2_500_000_000, "2.5 GB"),
            (u64::MAX, "18446744.1 TB"),
        ] {
            assert_eq!(size(bytes), told);
        }
    }
}

//! Stopping steps, from whichever program they were started.

use std::path::Path;
use std::time::{Duration, Instant};

use super::process::{self, Force, Identity, Process};
use super::record::{Record, Shim, Tool};

/// A shim has this much longer than its grace to end its step; then it is thought to be stuck.
const STUCK: Duration = Duration::from_secs(10);

/// A step that was asked to stop.
#[derive(Debug)]
pub(super) enum Stopping {
    /// Its shim sees to it.
    Shim(Process, Shim, Option<Tool>),
    /// Its shim is gone; what it looked after is not.
    Orphans(Shim, Tool),
}

impl Stopping {
    /// Asks a step to stop; `None` if nothing of it runs `here` (see [`process::machine`]).
    ///
    /// Only after its marker was written: a shim that has let go of a step looks for the marker before it takes
    /// another. So one that holds the record now will not, and nothing sent to it can reach another step.
    pub(super) fn ask(record: &Record, at: &Path, here: &str) -> Option<Self> {
        let shim = record.shim.as_ref().filter(|_| record.end.is_none())?.clone();
        if shim.machine != here {
            return None;
        }
        if let Some(process) = Process::find(shim.process) {
            if !shim.attends(at) {
                return None;
            }
            process.signal(Force::Term);
            return Some(Self::Shim(process, shim, record.tool));
        }
        let orphans = Self::Orphans(shim, record.tool?);
        let members = orphans.members();
        members.iter().for_each(|member| member.signal(Force::Term));
        (!members.is_empty()).then_some(orphans)
    }

    /// Asks a step to stop of which nothing is known but its shim, which takes no other.
    pub(super) fn ask_shim(shim: Identity, here: &str) -> Option<Self> {
        let process = Process::find(shim)?;
        process.signal(Force::Term);
        Some(Self::Shim(
            process,
            Shim { machine: here.to_owned(), process: shim, holds: false },
            None,
        ))
    }

    /// Waits until nothing of it runs, and kills what runs for too long.
    pub(super) fn finish(&self, asked: Instant, grace: Duration) {
        let kill_at = asked + grace;
        if let Self::Shim(process, _, tool) = self
            && !process.wait(Some(kill_at + STUCK))
        {
            if let Some(tool) = tool.filter(|tool| tool.process.is_alive()) {
                process::signal_group(tool.process.pid, Force::Kill);
            }
            process.signal(Force::Kill);
        }
        let wait = |until| self.members().iter().all(|member| member.wait(Some(until)));
        if !wait(kill_at) {
            self.members().iter().for_each(|member| member.signal(Force::Kill));
            // What survives a KILL is stuck in the kernel; nobody can do more.
            wait(Instant::now() + STUCK);
        }
    }

    /// What is left of the step's processes but the shim.
    fn members(&self) -> Vec<Process> {
        let (shim, tool) = match self {
            Self::Shim(_, shim, tool) => (shim, *tool),
            Self::Orphans(shim, tool) => (shim, Some(*tool)),
        };
        tool.map_or_else(Vec::new, |tool| process::members(shim.process.pid, tool.process))
    }
}

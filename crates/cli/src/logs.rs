//! Shows the logs of what failed, and of what is asked for.

mod late;
mod show;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::event::{Event, EventKind, Outcome};
use dataflow_runner_core::fabric::{
    self, Cause, Chunk, ClusterId, ClusterState, Fabric, LogFile, Result, StepId, StepState,
};
use dataflow_runner_core::logs::look::Whose;
use dataflow_runner_core::logs::{self, Piece};
use jiff::Timestamp;

use crate::args::{self, Level, Output};
use crate::ui::{Ui, escape};
use late::{Late, Patience};
pub(crate) use show::Failed;
use show::say;
pub(crate) use whole::{To, Whole};

/// So many lines of the end of `stderr` are shown unasked.
const TAIL_LINES: usize = 10;
/// They are looked for in so many bytes.
const TAIL_BYTES: u64 = 8 << 10;

/// SIGHUP (POSIX) wants the program to go at once.
const HANGUP: i32 = 1;

/// Shows the logs of what fails in one run.
#[derive(Debug)]
pub(crate) struct Logs<'a> {
    fabric: &'a Arc<dyn Fabric>,
    bell: &'a Arc<Bell>,
    /// Logs of steps are to be shown, not only told of.
    wanted: bool,
    wish: &'a args::Logs,
    /// They look for what comes late, once there is something to look for.
    late: Option<Late>,
    /// How the run ended, once it has.
    outcome: Option<Outcome>,
}

impl<'a> Logs<'a> {
    /// As the command line wants it.
    pub(crate) fn new(
        fabric: &'a Arc<dyn Fabric>,
        bell: &'a Arc<Bell>,
        wanted: bool,
        wish: &'a args::Logs,
    ) -> Self {
        Self { fabric, bell, wanted, wish, late: None, outcome: None }
    }

    /// Something happened. What failed is shown as soon as it can be: a cluster that goes may take its logs with it.
    pub(crate) fn event(&mut self, event: &Event, ui: &mut Ui) {
        if let Some(late) = &mut self.late {
            late.tell(ui);
        }
        match &event.kind {
            EventKind::StepEnded { step, state: StepState::Failed, link, .. } => {
                let known = ui.messages();
                if let (Some(cluster), Some(id)) = (known.cluster(), known.id(step)) {
                    let (cluster, id) = (cluster.clone(), id.clone());
                    let sentence = format!("Step '{}' with id '{id}' failed", known.name(step));
                    let of = format!("step {id}");
                    let failed = Failed { sentence, of, link: link.clone() };
                    self.step_failed(cluster, id, failed, event.at, ui);
                }
            }
            EventKind::ClusterChanged {
                cluster,
                state: ClusterState::Failed | ClusterState::Broken,
                cause: Some(Cause::Bootstrap),
                ..
            } => {
                let sentence = format!("The set-up of cluster {cluster} failed");
                let of = format!("the set-up of cluster {cluster}");
                let failed = Failed { sentence, of, link: None };
                if let fabric::Logs::Settles(delivery) = self.fabric.capabilities().logs {
                    self.want(Whose::Cluster(cluster.clone()), failed, event.at, delivery, ui);
                }
            }
            EventKind::RunEnded { outcome } => self.outcome = Some(outcome.clone()),
            _ => {}
        }
    }

    /// The run has ended: waits for what is still to come, unless somebody wants to be gone.
    pub(crate) fn finish(self, ui: &mut Ui) {
        let patience = match self.outcome {
            None | Some(Outcome::Interrupted { signal: HANGUP, .. } | Outcome::InDoubt { .. }) => {
                Patience::Leave
            }
            Some(Outcome::Interrupted { .. }) => Patience::Hurry,
            Some(_) => Patience::Wait,
        };
        if let Some(late) = self.late {
            late.finish(patience, self.bell, ui);
        }
    }

    fn step_failed(
        &mut self,
        cluster: ClusterId,
        id: StepId,
        failed: Failed,
        at: Timestamp,
        ui: &mut Ui,
    ) {
        match (self.fabric.capabilities().logs, self.wanted) {
            (fabric::Logs::Live, true) => show_all(self.fabric.as_ref(), &cluster, &id, ui),
            (fabric::Logs::Live, false) => {
                if ui.output() == Output::Human {
                    let link = failed.link.as_deref();
                    show_tail(self.fabric.as_ref(), &cluster, &id, link, ui);
                }
            }
            (fabric::Logs::Settles(delivery), true) => {
                self.want(Whose::Step(cluster, id), failed, at, delivery, ui);
            }
            (fabric::Logs::Settles(delivery), false) => {
                ui.message(Level::Info, failed.where_they_come(delivery));
            }
        }
    }

    fn want(
        &mut self,
        whose: Whose,
        failed: Failed,
        since: Timestamp,
        delivery: Duration,
        ui: &mut Ui,
    ) {
        if self.late.is_none() {
            let (fabric, bell) = (Arc::clone(self.fabric), Arc::clone(self.bell));
            match Late::start(fabric, bell, self.wish.log_lines) {
                Ok(late) => self.late = Some(late),
                Err(error) => {
                    let text = format!("cannot look for the logs of {}: {error}", failed.of);
                    return ui.message(Level::Warning, text);
                }
            }
        }
        if let Some(late) = &mut self.late {
            late.want(whose, failed, since, self.wish.log_wait.unwrap_or(delivery));
        }
    }
}

/// Says why something failed, as far as its logs tell.
pub(crate) fn say_cause(failed: &Failed, cause: &logs::Cause, ui: &mut Ui) {
    say(show::cause(failed, cause).into(), ui);
}

/// Shows all logs of a step, each from its beginning to its end.
fn show_all(fabric: &dyn Fabric, cluster: &ClusterId, id: &StepId, ui: &mut Ui) {
    match fabric.logs(cluster, id) {
        Ok(files) if files.is_empty() => {
            ui.message(Level::Warning, format!("There are no logs for step {id}"));
        }
        Ok(files) => {
            let mut whole = Whole::new(format!("step {id}"), To::Messages);
            let mut sink = |piece: Piece<'_>| whole.piece(piece, ui);
            logs::copy(fabric, &files, false, &mut || true, &mut sink);
        }
        Err(error) => {
            ui.message(Level::Warning, format!("cannot list the logs of step {id}: {error}"));
        }
    }
}

/// Shows the last lines a step wrote to `stderr`, and where its logs are.
fn show_tail(
    fabric: &dyn Fabric,
    cluster: &ClusterId,
    id: &StepId,
    link: Option<&str>,
    ui: &mut Ui,
) {
    // Nobody asked for it, so what cannot be had is left out.
    let Ok(files) = fabric.logs(cluster, id) else { return };
    let Some(file) = files.iter().find(|file| file.name == "stderr") else { return };
    if let Ok(tail) = tail(fabric, file)
        && !tail.is_empty()
    {
        let lines = tail.lines().map(|line| format!("    {line}\n"));
        ui.text(&lines.collect::<String>());
    }
    ui.message(Level::Info, format!("Its logs: {}", link.unwrap_or(&file.place)));
}

/// Whether a log was read to where it ended when it was listed: what a step has left behind may write on for
/// ever, and faster than we read.
fn is_end(file: &LogFile, chunk: &Chunk, read: u64) -> bool {
    chunk.at_end || chunk.bytes.is_empty() || file.size.is_some_and(|size| read >= size)
}

/// The last lines of a file.
fn tail(fabric: &dyn Fabric, file: &LogFile) -> Result<String> {
    let mut from = file.size.unwrap_or(0).saturating_sub(TAIL_BYTES);
    let cut = from > 0;
    let mut last = Vec::new();
    loop {
        let chunk = fabric.read(file, from)?;
        from += chunk.bytes.len() as u64;
        let end = is_end(file, &chunk, from);
        last.extend(chunk.bytes);
        let surplus = last.len().saturating_sub(TAIL_BYTES as usize);
        last.drain(..surplus);
        if end {
            break;
        }
    }
    let text = escape::lines(&last);
    // Half a line at the front is no line.
    let lines: Vec<_> = text.lines().skip(usize::from(cut)).collect();
    Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_grows_while_it_is_read_has_an_end() {
        let chunk = |at_end| Chunk { bytes: b"more".to_vec(), at_end };
        let file = |size| LogFile { name: String::new(), place: String::new(), size };
        assert!(!is_end(&file(Some(10)), &chunk(false), 8));
        assert!(is_end(&file(Some(10)), &chunk(false), 12), "the rest came later");
        assert!(!is_end(&file(None), &chunk(false), 12));
        assert!(is_end(&file(None), &chunk(true), 12));
    }
}

//! One look at the fabric: what changed becomes events.

use std::collections::BTreeMap;

use super::Engine;
use super::state::Phase;
use crate::event::{EventKind, Outcome};
use crate::fabric::{ClusterState, ClusterStatus, Error, ErrorKind, StepId, StepState, StepStatus};

impl Engine<'_, '_> {
    /// Whether there is anything to ask about.
    pub(super) fn must_look(&self) -> bool {
        self.has_live_steps() || self.cluster_may_change()
    }

    fn has_live_steps(&self) -> bool {
        self.state
            .busy
            .iter()
            .any(|&step| matches!(self.state.steps[step].phase, Phase::Live { .. }))
    }

    /// The cluster is not known yet, or on its way up or down.
    fn cluster_may_change(&self) -> bool {
        let cluster = &self.state.cluster;
        match (&cluster.id, cluster.state) {
            (None, _) => false,
            (_, None | Some(ClusterState::Starting | ClusterState::Stopping)) => true,
            (_, Some(ClusterState::Ready | ClusterState::Unknown)) => cluster.terminate.is_some(),
            (_, Some(ClusterState::Stopped | ClusterState::Failed)) => false,
        }
    }

    /// Asks once about the cluster, where it may change, and once about the steps.
    pub(super) fn look(&mut self) {
        let before = self.state.seq;
        let mut answer = Ok(());
        if self.cluster_may_change() {
            answer = self.look_at_cluster();
        }
        if answer.is_ok() && self.state.outcome.is_none() && self.has_live_steps() {
            answer = self.look_at_steps();
        }
        let now = self.run.clock.now();
        match answer {
            Ok(()) => {
                let news = self.state.seq > before;
                self.restored();
                self.pacer.answered(now, news);
            }
            Err(error) => {
                self.pacer.unanswered(now, &error);
                self.lost(error);
            }
        }
    }

    fn look_at_cluster(&mut self) -> Result<(), Error> {
        let Some(id) = self.state.cluster.id.clone() else { return Ok(()) };
        let Some(clusters) = self.run.fabric.clusters() else {
            // A fabric without clusters of its own is always ready.
            if self.state.cluster.state.is_none() {
                self.cluster_changed(ClusterStatus::bare(id, ClusterState::Ready, "READY"));
            }
            return Ok(());
        };
        let first_look = self.state.cluster.state.is_none();
        match clusters.inspect(&id) {
            Ok(status) if first_look && status.state.is_final() => {
                let message = format!("cluster `{id}` is {}", status.native);
                let error = Error::new(
                    ErrorKind::Conflict,
                    self.run.fabric.capabilities().fabric,
                    "inspect",
                    message,
                );
                self.refused(error);
            }
            Ok(status) => self.cluster_changed(status),
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.cluster_not_found(error, first_look)
            }
            Err(error) if first_look && !error.is_passing() => self.refused(error),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The very first question was refused: nothing was ordered yet.
    fn refused(&mut self, error: Error) {
        self.finish(Outcome::Refused { error });
    }

    fn cluster_not_found(&mut self, error: Error, first_look: bool) {
        let Some(id) = self.state.cluster.id.clone() else { return };
        if first_look {
            return self.refused(error);
        }
        // What was asked to go down and is not there any more is down.
        let state = if self.state.cluster.terminate.is_some() {
            ClusterState::Stopped
        } else {
            ClusterState::Unknown
        };
        let status = ClusterStatus {
            reason: Some(error.message),
            ..ClusterStatus::bare(id, state, "NOT_FOUND")
        };
        self.cluster_changed(status);
    }

    fn cluster_changed(&mut self, status: ClusterStatus) {
        let known = &self.state.cluster;
        if known.state.is_some_and(ClusterState::is_final) {
            return;
        }
        if known.state == Some(status.state) && known.reason == status.reason {
            return;
        }
        self.tell(EventKind::ClusterChanged {
            cluster: status.id,
            state: status.state,
            native: status.native,
            reason: status.reason,
            cause: status.cause,
        });
    }

    fn look_at_steps(&mut self) -> Result<(), Error> {
        let Some(cluster) = self.state.cluster.id.clone() else { return Ok(()) };
        let live: BTreeMap<StepId, usize> =
            self.state.busy.iter().filter_map(|&step| Some((self.live_id(step)?, step))).collect();
        let ids: Vec<StepId> = live.keys().cloned().collect();
        match self.run.fabric.poll(&cluster, &ids) {
            Ok(statuses) => {
                for (id, status) in statuses {
                    if let Some(&step) = live.get(&id) {
                        self.step_seen(step, status);
                    }
                }
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.cluster_not_found(error.clone(), false);
                if self.state.cluster.state == Some(ClusterState::Unknown) {
                    self.lose_sight_of(&live, &error);
                }
            }
            Err(error) => return Err(error),
        }
        if self.state.cluster.state.is_some_and(ClusterState::is_final) {
            self.end_what_the_cluster_took_along(&live);
        }
        Ok(())
    }

    /// The cluster cannot be found any more, so nobody will ever tell of its steps.
    fn lose_sight_of(&mut self, live: &BTreeMap<StepId, usize>, error: &Error) {
        for &step in live.values() {
            let reason = Some(error.message.clone());
            let status = StepStatus::new(StepState::Unknown, "NOT_FOUND");
            self.step_seen(step, StepStatus { reason, ..status });
        }
    }

    fn step_seen(&mut self, step: usize, status: StepStatus) {
        let Phase::Live { state: known, .. } = self.state.steps[step].phase else { return };
        let (id, attempt) = (self.state.steps[step].id.clone(), self.state.steps[step].attempt);
        if status.state.is_final() {
            return self.end_step(&id, attempt, status);
        }
        // What runs at once runs since it was taken: that is no news.
        let rings = self.run.fabric.capabilities().pace.rings;
        let starts = (known, status.state) == (StepState::Pending, StepState::Running);
        if status.state == known || (rings && starts) {
            return;
        }
        if status.state == StepState::Unknown {
            let why = status.reason.as_deref().unwrap_or("no reason given");
            let message = format!(
                "step `{id}` is in a state that says neither good nor bad, `{}`: {why}",
                status.native
            );
            self.tell(EventKind::Warning { message });
        }
        self.tell(EventKind::StepChanged {
            step: id,
            attempt,
            state: status.state,
            native: status.native,
            started: status.started,
            reason: status.reason,
        });
    }

    /// The cluster was gone before the steps were asked about: what has not ended by now never will.
    fn end_what_the_cluster_took_along(&mut self, live: &BTreeMap<StepId, usize>) {
        for &step in live.values() {
            let run = &self.state.steps[step];
            let Phase::Live { state: StepState::Pending | StepState::Running, .. } = run.phase
            else {
                continue;
            };
            let (id, attempt) = (run.id.clone(), run.attempt);
            let reason = Some("the cluster ended first".to_owned());
            self.end_step(
                &id,
                attempt,
                StepStatus { reason, ..StepStatus::new(StepState::Cancelled, "CLUSTER_ENDED") },
            );
        }
    }
}

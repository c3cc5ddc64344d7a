//! One look at the fabric: what changed becomes events.

use std::collections::BTreeMap;

use super::Engine;
use super::decide::Action;
use super::rota::LiveStep;
use super::state::Phase;
use crate::clock::add;
use crate::event::{EventKind, Goal, Outcome};
use crate::fabric::{
    Cause, ClusterState, ClusterStatus, Error, ErrorKind, StepId, StepState, StepStatus,
};

impl Engine<'_, '_> {
    /// Whether there is anything to ask about.
    pub(super) fn must_look(&self) -> bool {
        self.has_live_steps() || self.cluster_may_change() || self.cluster_may_tell_why()
    }

    /// The last steps did not end well, and nobody knows yet whether that was the cluster's doing. That is worth one
    /// question, whatever comes of it, not a wait.
    fn cluster_may_tell_why(&self) -> bool {
        self.rota.cluster_next && self.cluster_is_due() && !self.has_live_steps()
    }

    fn has_live_steps(&self) -> bool {
        self.live_steps().next().is_some()
    }

    fn live_steps(&self) -> impl Iterator<Item = LiveStep> {
        self.state.busy.iter().filter_map(|&place| match self.state.steps[place].phase {
            Phase::Live { state, since, .. } => Some(LiveStep { place, state, since }),
            _ => None,
        })
    }

    /// The cluster is not known yet, or on its way up or down.
    fn cluster_may_change(&self) -> bool {
        let cluster = &self.state.cluster;
        match (&cluster.id, cluster.state) {
            (None, _) => false,
            (_, None | Some(ClusterState::Starting | ClusterState::Stopping)) => true,
            (_, Some(ClusterState::Ready | ClusterState::Broken | ClusterState::Unknown)) => {
                cluster.terminate.is_some()
                    || (cluster.ends_itself
                        && self.state.orders.is_empty()
                        && !self.has_live_steps())
            }
            (_, Some(ClusterState::Stopped | ClusterState::Failed)) => false,
        }
    }

    /// It is the cluster's turn, though nothing is known to change it.
    fn cluster_is_due(&self) -> bool {
        let pace = self.run.fabric.capabilities().pace;
        let live: Vec<_> = self.live_steps().collect();
        !self.blind
            && pace.cluster_every.is_some()
            && self.state.cluster.state == Some(ClusterState::Ready)
            && self.rota.cluster_is_due(&live, &pace)
    }

    /// Asks about the cluster, where it may change, and about the steps. Where questions are dear, that is one
    /// question a tick.
    pub(super) fn look(&mut self) {
        if self.state.interrupted.is_none()
            && let Some(signal) = self.run.journal.cancel_is_asked()
        {
            return self.tell(EventKind::Interrupted { signal, leave: false });
        }
        let before = self.state.seq;
        let answer = self.ask();
        self.pass_warnings_on();
        let now = self.run.clock.now();
        self.pacer.launching(self.state.cluster.state == Some(ClusterState::Starting));
        match answer {
            Ok(()) => {
                let news = self.state.seq > before;
                self.restored();
                self.pacer.answered(now, news);
                if self.ask_on() {
                    self.pacer.rung(now);
                }
            }
            Err(error) if error.kind == ErrorKind::Quota => self.pacer.deferred(now, &error),
            Err(error) => {
                self.pacer.unanswered(now, &error);
                self.lost(error);
            }
        }
    }

    fn ask(&mut self) -> Result<(), Error> {
        let dear = self.run.fabric.capabilities().pace.cluster_every.is_some();
        if self.cluster_may_change() || self.cluster_is_due() {
            let answer = self.look_at_cluster();
            self.rota.cluster_asked();
            self.rota.idle = answer?;
            if self.state.cluster.state.is_some_and(ClusterState::is_final) {
                self.rota.gone.get_or_insert(self.rota.questions);
            } else {
                self.rota.gone = None;
            }
            if dear {
                return Ok(());
            }
        }
        // A cluster that never got up took nothing along: what was for it may go to the next.
        if self.state.outcome.is_some() || !self.has_live_steps() || self.must_relaunch() {
            return Ok(());
        }
        self.rota.cluster_next |= self.look_at_steps()?;
        Ok(())
    }

    /// There is more to ask, and it is not to wait for the next tick: a failed step's cluster, the steps of a
    /// cluster that is gone or has nothing to do, the cluster whose steps are all done.
    fn ask_on(&self) -> bool {
        let cluster = &self.state.cluster;
        let mut live = self.live_steps().map(|step| step.place);
        match cluster.state {
            Some(ClusterState::Ready) => {
                (self.rota.cluster_next && self.cluster_is_due())
                    || (self.rota.idle && live.next().is_some())
                    || (cluster.ends_itself
                        && self.rota.since_odd > 0
                        && self.state.orders.is_empty()
                        && !self.has_live_steps())
            }
            Some(ClusterState::Stopped | ClusterState::Failed) => {
                self.rota.is_open(live) && !self.must_relaunch()
            }
            _ => false,
        }
    }

    fn must_relaunch(&self) -> bool {
        self.state.cluster.cause == Some(Cause::Bootstrap)
            && matches!(self.decide().actions.first(), Some(Action::Relaunch { .. }))
    }

    /// Asks about the cluster; whether it has nothing to do.
    fn look_at_cluster(&mut self) -> Result<bool, Error> {
        let Some(id) = self.state.cluster.id.clone() else { return Ok(false) };
        let Some(clusters) = self.run.fabric.clusters() else {
            // A fabric without clusters of its own is always ready.
            if self.state.cluster.state.is_none() {
                self.cluster_changed(ClusterStatus::bare(id, ClusterState::Ready, "READY"));
            }
            return Ok(false);
        };
        let first_look = !self.state.cluster.seen;
        match clusters.inspect(&id) {
            // What is to go down and is down already is as it should be; steps are taken by none that is not up.
            Ok(status)
                if first_look && self.state.goal != Goal::Down && !takes_steps(status.state) =>
            {
                let why = status.reason.map(|why| format!(": {why}")).unwrap_or_default();
                let message = format!(
                    "cluster `{id}` takes no steps, it is {}{why}; use another",
                    status.native
                );
                let error = Error::new(
                    ErrorKind::Conflict,
                    self.run.fabric.capabilities().fabric,
                    "inspect",
                    message,
                );
                self.refused(error);
            }
            Ok(status) => {
                let idle = status.idle;
                self.cluster_changed(status);
                return Ok(idle);
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.cluster_not_found(error, first_look)
            }
            // Who may only run steps is taken at their word that the cluster takes them.
            Err(error)
                if self.state.cluster.state.is_none()
                    && error.kind == ErrorKind::Auth
                    && self.state.goal == Goal::Run =>
            {
                self.blind = true;
                let message = format!(
                    "the cluster cannot be asked about, so should it end, nobody can tell why: {error}"
                );
                self.tell(EventKind::Warning { message });
                self.cluster_changed(ClusterStatus::bare(id, ClusterState::Ready, "NOT_ASKED"));
            }
            // What makes no sense may be something between us and the fabric: it is asked again.
            Err(error)
                if first_look && !error.is_passing() && error.kind != ErrorKind::Protocol =>
            {
                self.refused(error);
            }
            Err(error) => return Err(error),
        }
        Ok(false)
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
        if self.may_not_show_yet() {
            return;
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

    /// A cluster that was launched just now may be there and not be known everywhere.
    pub(super) fn may_not_show_yet(&self) -> bool {
        let settle = self.run.fabric.capabilities().settle;
        self.state.cluster.launched.is_some_and(|at| self.run.clock.now() < add(at, settle))
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

    /// Asks about the steps whose turn it is; whether one ended otherwise than well.
    fn look_at_steps(&mut self) -> Result<bool, Error> {
        let Some(cluster) = self.state.cluster.id.clone() else { return Ok(false) };
        let live: BTreeMap<StepId, usize> =
            self.state.busy.iter().filter_map(|&step| Some((self.live_id(step)?, step))).collect();
        let all: Vec<_> = self.live_steps().collect();
        let mut pace = self.run.fabric.capabilities().pace;
        if self.blind {
            pace.cluster_every = None;
        }
        let (turn, spared) = (self.rota.turn(&all, &pace), self.rota.spares_a_place(&all, &pace));
        let ids: Vec<StepId> = turn.iter().filter_map(|&step| self.live_id(step)).collect();
        let mut failed = false;
        match self.run.fabric.poll(&cluster, &ids) {
            Ok(statuses) => {
                // Fabrics tell in any order; people read in that of the playbook.
                let mut told: Vec<_> = statuses
                    .into_iter()
                    .filter_map(|(id, status)| Some((*live.get(&id)?, status)))
                    .collect();
                told.sort_by_key(|(step, _)| *step);
                let heard: Vec<usize> = told.iter().map(|(step, _)| *step).collect();
                self.rota.answered(&turn, &heard, spared);
                self.note_silence(&turn, &heard);
                for (step, status) in told {
                    failed |= status.state.is_final() && status.state != StepState::Succeeded;
                    self.step_seen(step, status);
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
        let gone = self.state.cluster.state.is_some_and(ClusterState::is_final);
        if gone && !self.rota.is_open(live.values().copied()) {
            self.end_what_the_cluster_took_along(&live);
        }
        Ok(failed)
    }

    /// An answer that tells nothing is no contact.
    fn note_silence(&mut self, asked: &[usize], told: &[usize]) {
        let gone = self.state.cluster.state.is_some_and(ClusterState::is_final);
        // Where ends are told by a bell, no answer means no news.
        if !told.is_empty() || gone || self.run.fabric.capabilities().pace.rings {
            self.rota.silent = None;
            return;
        }
        let now = self.run.clock.now();
        let since = *self.rota.silent.get_or_insert(now);
        if now < add(since, self.run.settings.contact_limit) {
            return;
        }
        let (Some(&step), Some(cluster)) = (asked.first(), &self.state.cluster.id) else { return };
        let (id, fabric) = (&self.state.steps[step].id, self.run.fabric.capabilities().fabric);
        let reason = format!(
            "nothing is told of step `{id}` since {since}; look at cluster `{cluster}` on fabric `{fabric}`"
        );
        self.finish(Outcome::InDoubt { reason });
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

/// Now or soon.
fn takes_steps(cluster: ClusterState) -> bool {
    matches!(cluster, ClusterState::Starting | ClusterState::Ready)
}

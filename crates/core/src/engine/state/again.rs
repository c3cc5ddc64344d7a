//! A run that goes on: after its program died, after an end that left something open, or since somebody wishes it.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Cluster, Phase, RunState, StepRun, require};
use crate::config::playbook::Retries;
use crate::event::{Goal, StepInfo};
use crate::fabric::{ClusterId, StepState};
use crate::plan::Plan;

/// How a run is to go on.
pub(super) struct Resume<'a> {
    pub(super) cluster: &'a Option<ClusterId>,
    pub(super) steps: &'a [StepInfo],
    pub(super) left_out: &'a [String],
    pub(super) given_up: &'a [String],
}

impl RunState {
    /// Nobody asked for some time: what was known of the far side is to be asked anew, and every wait begins anew.
    pub(super) fn reopen(&mut self, at: Timestamp) {
        self.outcome = None;
        self.contact_lost = None;
        // A cancellation goes on; one who only left is back. The order of a `down` stands in any case.
        self.left = None;
        self.interrupted = self.interrupted.filter(|(_, leave)| !leave && self.goal != Goal::Down);
        for order in self.orders.values_mut() {
            order.lost = Some(at);
            order.asked = None;
            order.times_asked = 0;
            order.absent = false;
        }
        for &place in &self.busy {
            let run = &mut self.steps[place];
            if let Phase::Live { state, since, .. } = &mut run.phase {
                (*state, *since) = (StepState::Pending, at);
            }
            // Whether it was asked to stop is not known: it is asked again.
            if let Some((asked, _)) = &mut run.cancel {
                *asked = Timestamp::MIN;
            }
        }
        let cluster = &mut self.cluster;
        if let Some((asked, _)) = &mut cluster.terminate {
            *asked = Timestamp::MIN;
        }
        if cluster.going_down.is_some() {
            cluster.going_down = Some(at);
        }
        if !cluster.state.is_some_and(|state| state.is_final()) {
            cluster.state = None;
        }
        self.last_end = at;
    }

    /// Whether following the run to its end may take more than asking and stopping: an order that is to be found again,
    /// or one more. `ends`: it is followed only to be ended.
    pub fn may_order(&self, plan: &Plan, ends: bool) -> bool {
        let ends =
            ends || self.interrupted.is_some_and(|(_, leave)| !leave) || self.goal == Goal::Down;
        let again = |place: usize| match self.steps[place].phase {
            Phase::Waiting { .. } => true,
            Phase::Ordered
            | Phase::Live { .. }
            | Phase::Ended(StepState::Failed | StepState::Cancelled) => {
                plan.rules(place).retries != Retries::NONE
            }
            Phase::Ended(_) | Phase::Skipped | Phase::LeftOut => false,
        };
        // A cluster whose own set-up fails is launched anew.
        let launch = self.goal.launches()
            && self.cluster.terminate.is_none()
            && !(0..self.steps.len()).any(|place| self.has_run(place))
            && !self.cluster.was_ready;
        !self.orders.is_empty() || (!ends && (launch || (0..self.steps.len()).any(again)))
    }

    /// What is not done waits again, but what is to be left out.
    pub(super) fn resume(&mut self, at: Timestamp, how: &Resume<'_>) -> Result<(), String> {
        let ended = self.outcome.as_ref().is_some_and(|outcome| !outcome.is_success());
        require(ended, || "the run has not ended, or with success".into())?;
        self.give_up(how.given_up)?;
        self.reopen(at);
        if !how.steps.is_empty() {
            self.replan(how.steps)?;
        }
        for run in &mut self.steps {
            if matches!(
                run.phase,
                Phase::Ended(StepState::Failed | StepState::Cancelled)
                    | Phase::Skipped
                    | Phase::LeftOut
                    | Phase::Waiting { .. }
            ) {
                // An order that came to nothing was no attempt.
                run.attempt -= u32::from(run.again.is_some() && run.attempt > 0);
                run.earlier = run.attempt;
                run.phase = Phase::Waiting { not_before: None };
                run.cancel = None;
                run.again = None;
            }
        }
        self.leave_out(how.left_out)?;
        (self.interrupted, self.noop, self.refused) = (None, None, None);
        self.had_effect = !self.busy.is_empty();
        self.take_cluster(how.cluster)
    }

    /// Of steps whose end nobody could tell: nobody asks about them any more.
    fn give_up(&mut self, steps: &[String]) -> Result<(), String> {
        for id in steps {
            let place = self.known(id)?;
            require(self.busy.remove(&place), || format!("step `{id}` is not in doubt"))?;
            self.orders.retain(|_, order| !order.steps.contains(&place));
            self.steps[place].phase = Phase::Skipped;
        }
        // What went with them in one order is in doubt no less.
        let ordered = |place: &usize| matches!(self.steps[*place].phase, Phase::Ordered);
        let orders = &self.orders;
        let known = |place: &usize| orders.values().any(|order| order.steps.contains(place));
        let alone = self.busy.iter().find(|place| ordered(place) && !known(place));
        require(alone.is_none(), || "an order is given up in part".into())
    }

    /// The steps are others now; those that were there before stay what they are.
    fn replan(&mut self, steps: &[StepInfo]) -> Result<(), String> {
        require(self.busy.is_empty() && self.orders.is_empty(), || "steps are still live".into())?;
        let places = places_of(steps).ok_or_else(|| "two steps have the same id".to_owned())?;
        let known = |info: &StepInfo| self.place(&info.id).map(|place| self.steps[place].clone());
        self.steps =
            steps.iter().map(|info| known(info).unwrap_or_else(|| StepRun::new(info))).collect();
        self.places = places;
        Ok(())
    }

    pub(super) fn leave_out(&mut self, steps: &[String]) -> Result<(), String> {
        for id in steps {
            let place = self.known(id)?;
            let run = &mut self.steps[place];
            let waits = matches!(run.phase, Phase::Waiting { .. });
            require(waits, || format!("step `{id}` does not wait"))?;
            run.phase = Phase::LeftOut;
        }
        Ok(())
    }

    /// It goes on there; without a cluster, another is to be launched.
    fn take_cluster(&mut self, cluster: &Option<ClusterId>) -> Result<(), String> {
        if *cluster == self.cluster.id {
            // What was decided about it is decided anew.
            self.cluster.terminate = None;
            self.cluster.going_down = None;
            self.cluster.cause = None;
            return Ok(());
        }
        let live = |place: &usize| matches!(self.steps[*place].phase, Phase::Live { .. });
        require(!self.busy.iter().any(live), || "steps are still live on another cluster".into())?;
        require(cluster.is_some() || self.goal.launches(), || "there is no cluster".into())?;
        self.cluster = Cluster { id: cluster.clone(), ..Cluster::default() };
        Ok(())
    }
}

/// The place of each step by its id; none, if two have the same.
pub(super) fn places_of(steps: &[StepInfo]) -> Option<HashMap<String, usize>> {
    let places: HashMap<_, _> =
        steps.iter().enumerate().map(|(place, step)| (step.id.clone(), place)).collect();
    (places.len() == steps.len()).then_some(places)
}

#[cfg(test)]
mod tests;

//! What really happened in the fake's world.

use std::time::Duration;

use dataflow_runner_core::clock::add;
use dataflow_runner_core::fabric::ClusterId;
use dataflow_runner_core::fabric::emr::fake::{Cluster, Death, Step, StepEnd, StepState, World};
use jiff::Timestamp;

use crate::spec::Spec;
use crate::truth::{self, End, StepRun, Truth};

/// What really happened by now.
pub(super) fn truth(
    world: &World,
    spec: &Spec,
    given: Option<&ClusterId>,
    begun: Timestamp,
) -> Truth {
    let clusters = world.clusters.iter().map(|cluster| truth::Cluster {
        id: cluster.id.clone(),
        given: given.is_some_and(|given| given.as_str() == cluster.id),
        gone: cluster.state.is_over(),
        ended: cluster.ended,
        stays: cluster.state.takes_steps(),
        died: died(cluster),
    });
    let all = world.clusters.iter().flat_map(|on| on.steps.iter().map(move |step| (on, step)));
    let ours = all.filter(|(_, step)| step.created >= begun);
    let mut runs: Vec<_> = ours.map(|(on, step)| step_run(spec, on, step)).collect();
    runs.sort_by_key(|run| run.taken);
    let violations = world.violations().to_vec();
    Truth {
        clusters: clusters.collect(),
        runs,
        has_queue: true,
        most_at_once: Some(1),
        violations,
        end: world.now,
        obscure: Vec::new(),
        silence: Duration::ZERO,
    }
}

/// What came after the run.
pub(super) fn later(world: &World, spec: &Spec, truth: &mut Truth) {
    for cluster in &world.clusters {
        let stays = cluster.state.takes_steps();
        match truth.clusters.iter_mut().find(|known| known.id == cluster.id) {
            Some(known) => known.stays = stays,
            None => truth.clusters.push(truth::Cluster {
                id: cluster.id.clone(),
                given: false,
                gone: false,
                ended: None,
                stays,
                died: false,
            }),
        }
    }
    let end = truth.end;
    let all = world.clusters.iter().flat_map(|on| on.steps.iter().map(move |step| (on, step)));
    truth.runs.extend(
        all.filter(|(_, step)| step.created > end).map(|(on, step)| step_run(spec, on, step)),
    );
    truth.violations = world.violations().to_vec();
}

/// It ended neither because of us nor since its steps were done.
fn died(cluster: &Cluster) -> bool {
    let usual = [Death::user(), Death::steps_completed(), Death::steps_with_errors()];
    cluster.death.as_ref().is_some_and(|death| !usual.contains(death))
}

fn step_run(spec: &Spec, on: &Cluster, step: &Step) -> StepRun {
    let place = spec.steps.iter().position(|known| known.name == step.name());
    let itself = step.started.zip(step.script.runs).map(|(at, runs)| add(at, runs));
    let end = match step.state {
        StepState::Pending | StepState::Running | StepState::CancelPending => None,
        StepState::Completed => Some(End::Succeeded),
        StepState::Failed => Some(End::Failed),
        StepState::Other(_) => Some(End::Unheard),
        StepState::Cancelled | StepState::Interrupted => {
            let by_strangers = !matches!(step.script.end, StepEnd::Completed | StepEnd::Failed(_));
            let obeys = step.asked.map(|asked| add(asked, step.script.stubborn));
            Some(if by_strangers && step.ended == itself {
                End::Foreign
            } else if obeys.is_some() && step.ended == obeys {
                End::Stopped
            } else if on.died.is_some() && step.ended == on.died {
                End::Swept
            } else if step.asked.is_some() {
                End::Stopped
            } else {
                End::Swept
            })
        }
    };
    StepRun {
        step: place.expect("it is of the playbook"),
        id: step.id.clone(),
        taken: step.created,
        started: step.started,
        ended: step.ended,
        end,
        asked: step.asked,
    }
}

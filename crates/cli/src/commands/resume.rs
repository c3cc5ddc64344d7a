//! `resume`: go on with a run that did not succeed. What is done stays done, the rest runs.

use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::engine::Resume;
use dataflow_runner_core::engine::state::{Phase, RunState};
use dataflow_runner_core::event::{Goal, Outcome};
use dataflow_runner_core::fabric::{ClusterId, ClusterState, Fabric, StepState};
use dataflow_runner_core::plan::Plan;

use super::again::{Files, How, Taken, attach, listen, say_changed};
use super::drive::{Manner, keep_inputs};
use super::ready::Ready;
use super::select::chosen;
use super::{Usage, cluster, locked, runs};
use crate::args::{self, Level, OnInterrupt};
use crate::exit::Exit;
use crate::load::again::Instead;
use crate::ui::{Ui, signal_name};

pub(super) fn run(args: &args::Resume, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    locked::check(&args.locks, None)?;
    let Some((id, folder)) = runs::named(&args.which.run, global, ui)? else {
        return Ok(Exit::Failed);
    };
    let manner = Manner {
        engine: &args.engine,
        log_failed_steps: args.log_failed_steps,
        logs: &args.logs,
        locks: &args.locks,
        leave: args.engine.on_interrupt == Some(OnInterrupt::Leave),
        asks: false,
        detach: false,
        ask_first: false,
        global,
    };
    let take = || Taken::take(&id, &folder, args.which.take_over);
    let mut taken = match take() {
        Ok(taken) => taken,
        Err(refusal) => return Ok(refusal.say(&id, ui)),
    };
    let bell = Arc::new(Bell::new());
    let listens = taken.over().is_none();
    if listens {
        // First what was ordered is followed to its end: what is done is not done twice.
        let was_cancelled = taken.state.interrupted.is_some_and(|(_, leave)| !leave);
        let (exit, outcome) = attach(taken, None, &manner, &bell, ui)?;
        let Some(outcome) = outcome.filter(|outcome| !outcome.is_success()) else {
            return Ok(exit);
        };
        // Who interrupts it wants nothing more to be begun, whatever it was doing then.
        let interrupted = matches!(outcome, Outcome::Interrupted { .. });
        match bell.first_signal() {
            Some(_) if interrupted || outcome.is_open() => return Ok(exit),
            Some(signal) => return Ok(not_resumed(signal, ui)),
            None if interrupted && !was_cancelled => return Ok(exit),
            None => {}
        }
        taken = match take() {
            Ok(taken) if taken.state.outcome.is_none() => {
                ui.error(format!(
                    "the end of run {id} cannot be recorded: nothing more is started"
                ));
                return Ok(exit);
            }
            Ok(taken) => taken,
            Err(refusal) => return Ok(refusal.say(&id, ui)),
        };
    }
    match taken.state.outcome.clone() {
        Some(outcome) if outcome.is_success() => Ok(taken.tell_end(&outcome, ui)),
        _ => {
            if !listens {
                listen(&bell, &taken, &manner, ui);
            }
            resume(taken, args, &manner, &bell, ui)
        }
    }
}

fn not_resumed(signal: i32, ui: &mut Ui) -> Exit {
    let name = signal_name(signal);
    ui.message(Level::Warning, format!("Interrupted by {name}: nothing more was started"));
    Exit::Signal(signal)
}

fn resume(
    taken: Taken,
    args: &args::Resume,
    manner: &Manner<'_>,
    bell: &Arc<Bell>,
    ui: &mut Ui,
) -> Result<Exit, Usage> {
    let instead = Instead {
        config: args.config.as_deref(),
        playbook: args.playbook.as_deref(),
        variables: &args.variables,
    };
    let Some(ready) = taken.ready(Files::Instead(&instead), manner, bell, ui)? else {
        return Ok(Exit::Invalid);
    };
    let changed = taken.changed(&ready.plan);
    if !changed.is_empty() && !args.accept_changes {
        say_changed(&taken.id, &changed, ui);
        return Ok(Exit::Invalid);
    }
    let rest = Rest::of(&taken.state, &ready.plan, &args.selection)?;
    if let Some(order) = taken.state.orders.values().find(|order| order.launch && !order.taken) {
        ui.error(format!(
            "nobody can tell whether order {} has brought a cluster up: look for it on fabric {}; \
             `attach {}` asks again",
            order.token, taken.header.fabric, taken.id
        ));
        return Ok(Exit::InDoubt);
    }
    let cluster = match which_cluster(&taken.state, args, &ready, bell, ui)? {
        Ok(cluster) => cluster,
        Err(exit) => return Ok(exit),
    };
    if cluster != taken.state.cluster.id && args.selection.from.is_none() && !args.accept_lost_hdfs
    {
        let lost = rest.on_cluster(&ready.plan, &*ready.fabric);
        if let (Some(step), true) = (lost, taken.state.steps.iter().any(|step| step.is_done())) {
            ui.error(format!(
                "step `{step}` wants something that lies on a cluster, and the one of before is gone: \
                 begin with the step that makes it (--from), or say that it is not missed \
                 (--accept-lost-hdfs)"
            ));
            return Ok(Exit::Invalid);
        }
    }
    if let Err(error) = keep_inputs(&ready, &taken.folder) {
        ui.error(error);
        return Ok(Exit::Invalid);
    }
    let Rest { left_out, given_up, .. } = rest;
    let resume = Resume { cluster, changed: !changed.is_empty(), left_out, given_up };
    Ok(taken.go_on(&ready, How::Resume(resume), manner, bell, ui)?.0)
}

/// What is still to be done of a run.
struct Rest {
    /// Places of the steps that are to run.
    runs: Vec<usize>,
    left_out: Vec<String>,
    given_up: Vec<String>,
}

impl Rest {
    /// # Errors
    /// A flag names no step, nothing is left to run, or a step is in doubt and nobody says what to do with it.
    fn of(state: &RunState, plan: &Plan, selection: &args::Selection) -> Result<Self, Usage> {
        let chosen = chosen(selection, plan)?;
        let said = selection.from.is_some() || !selection.only.is_empty();
        let mut rest = Self { runs: Vec::new(), left_out: Vec::new(), given_up: Vec::new() };
        for (place, step) in plan.steps().iter().enumerate() {
            let was = state.place(&step.id).map(|place| &state.steps[place].phase);
            if let Some(Phase::Ended(StepState::Succeeded)) = was {
                continue;
            }
            let named = said || selection.skip.contains(&step.id);
            if let Some(Phase::Live { .. } | Phase::Ordered) = was {
                if !named {
                    return Err(Usage::new(doubt(&step.id)));
                }
                rest.given_up.push(step.id.clone());
            }
            // What was left out before is so still, unless somebody names what is to run.
            match chosen[place] && (said || was != Some(&Phase::LeftOut)) {
                true => rest.runs.push(place),
                false => rest.left_out.push(step.id.clone()),
            }
        }
        if rest.runs.is_empty() && !plan.steps().is_empty() {
            return Err(Usage::new("no step is left to run"));
        }
        Ok(rest)
    }

    /// The first step to run that wants something that lies on a cluster.
    fn on_cluster<'p>(&self, plan: &'p Plan, fabric: &dyn Fabric) -> Option<&'p str> {
        let steps = self.runs.iter().map(|&place| &plan.steps()[place]);
        let mut wants = steps.filter(|s| s.texts().any(|text| fabric.is_on_cluster(text.expose())));
        wants.next().map(|step| step.id.as_str())
    }
}

fn doubt(step: &str) -> String {
    format!(
        "nobody can tell how step {step} ended, or whether it has: look at it, then say --skip {step} if it is \
         done, or --from {step} (or --only) to run it again"
    )
}

/// Where it goes on: `None`, on a cluster that is to be launched.
fn which_cluster(
    state: &RunState,
    args: &args::Resume,
    ready: &Ready,
    bell: &Bell,
    ui: &mut Ui,
) -> Result<Result<Option<ClusterId>, Exit>, Usage> {
    let own = &state.cluster;
    let Some(given) = &args.cluster else {
        let gone = own.state.is_some_and(ClusterState::is_final);
        return Ok(Ok(own.id.clone().filter(|_| !(gone && state.goal.launches()))));
    };
    if state.goal != Goal::Run {
        return Err(Usage::new(format!(
            "--cluster goes with runs on a cluster that was there before; a run of `{}` brings its own up",
            state.goal.word()
        )));
    }
    let named = match cluster::named(given, &*ready.fabric, bell, ui) {
        Ok(named) if own.id.as_ref() != Some(&named) => named,
        same => return Ok(same.map(Some)),
    };
    if let Err(exit) = cluster::takes_steps(&named, &*ready.fabric, bell, ui) {
        return Ok(Err(exit));
    }
    ui.message(Level::Info, format!("Going on on cluster {named}"));
    Ok(Ok(Some(named)))
}

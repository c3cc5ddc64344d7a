//! Which steps of a plan are to run.

use dataflow_runner_core::config::playbook::Step;
use dataflow_runner_core::plan::Plan;
use dataflow_runner_core::suggest::suggest;

use super::Usage;
use crate::args::Selection;

/// The ids of the steps that are not to run, as the flags say.
///
/// # Errors
/// A flag names no step, or none is left.
pub(super) fn left_out(selection: &Selection, plan: &Plan) -> Result<Vec<String>, Usage> {
    let steps = plan.steps();
    let chosen = chosen(selection, plan)?;
    if !steps.is_empty() && !chosen.contains(&true) {
        return Err(Usage::new("no step is left to run"));
    }
    let out = steps.iter().zip(chosen).filter(|(_, chosen)| !chosen);
    Ok(out.map(|(step, _)| step.id.clone()).collect())
}

/// Whether each step is to run, as the flags say.
///
/// # Errors
/// A flag names no step.
pub(super) fn chosen(selection: &Selection, plan: &Plan) -> Result<Vec<bool>, Usage> {
    let Selection { from, skip, only } = selection;
    let steps = plan.steps();
    let mut chosen = match from {
        Some(id) => plan.from(place("--from", id, steps)?),
        None => vec![only.is_empty(); steps.len()],
    };
    for id in only {
        chosen[place("--only", id, steps)?] = true;
    }
    for id in skip {
        chosen[place("--skip", id, steps)?] = false;
    }
    Ok(chosen)
}

fn place(flag: &str, id: &str, steps: &[Step]) -> Result<usize, Usage> {
    steps.iter().position(|step| step.id == id).ok_or_else(|| {
        let help = match suggest(id, steps.iter().map(|step| step.id.as_str())) {
            Some(near) => format!("did you mean {near}?"),
            None => "`plan` shows the ids of all steps".to_owned(),
        };
        Usage::new(format!("{flag} names no step of the playbook: {id}; {help}"))
    })
}

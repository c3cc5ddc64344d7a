//! Which steps, and which attempts of them, somebody means.

use dataflow_runner_core::fabric::{ClusterId, StepId};
use dataflow_runner_core::report::{AttemptReport, Report, Stand, StepReport};
use dataflow_runner_core::suggest::{list, suggest};
use jiff::Timestamp;

use super::super::Usage;

/// An attempt of a step that the fabric took.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// The step's id in the playbook.
    pub(super) step: String,
    /// What people call it.
    pub(super) name: String,
    /// Which attempt, from 1.
    pub(super) attempt: u32,
    pub(super) cluster: ClusterId,
    /// What it is called there.
    pub(super) id: StepId,
    pub(super) state: Stand,
    pub(super) begun: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    /// Where a person can look.
    pub(super) link: Option<String>,
}

/// All of them, step by step. `at_once`: the fabric begins at once what it takes, so its journals do not tell.
pub(super) fn taken(report: &Report, at_once: bool) -> Vec<Taken> {
    let of_step = |step: &'_ StepReport| -> Vec<Taken> {
        step.attempts.iter().filter_map(|one| Taken::of(step, one, at_once)).collect()
    };
    report.steps.iter().flat_map(of_step).collect()
}

impl Taken {
    fn of(step: &StepReport, one: &AttemptReport, at_once: bool) -> Option<Self> {
        let begun = one.running.or(one.submitted.filter(|_| at_once));
        let state = match one.state {
            Stand::Pending if begun.is_some() => Stand::Running,
            state => state,
        };
        Some(Self {
            step: step.id.clone(),
            name: step.name.clone(),
            attempt: one.attempt,
            cluster: one.cluster.clone()?,
            id: one.native_id.clone()?,
            state,
            begun,
            ended: one.ended,
            link: one.link.clone(),
        })
    }
}

/// Whether what stands so has ended.
pub(super) fn is_over(state: Stand) -> bool {
    matches!(state, Stand::Succeeded | Stand::Failed | Stand::Cancelled)
}

/// The step that is named: by its id, by its name, or by the beginning of its id, in this order.
///
/// # Errors
/// There is none such, or several.
pub(super) fn step<'a>(given: &str, steps: &'a [StepReport]) -> Result<&'a StepReport, Usage> {
    let by_id = steps.iter().find(|step| step.id == given);
    if let Some(step) = by_id {
        return Ok(step);
    }
    let named: Vec<_> = steps.iter().filter(|step| step.name == given).collect();
    let begun = || steps.iter().filter(|step| !given.is_empty() && step.id.starts_with(given));
    let meant = if named.is_empty() { begun().collect() } else { named };
    match meant[..] {
        [step] => Ok(step),
        [] => {
            let words = steps.iter().flat_map(|step| [step.id.as_str(), step.name.as_str()]);
            let help = match suggest(given, words) {
                Some(near) => format!("did you mean `{near}`?"),
                None if steps.is_empty() => "the run has no steps".to_owned(),
                None => "`status` lists its steps".to_owned(),
            };
            Err(Usage::new(format!("the run has no step `{given}`; {help}")))
        }
        _ => {
            let ids = list(meant.iter().map(|step| step.id.as_str()));
            Err(Usage::new(format!("`{given}` may be step {ids}; say its id")))
        }
    }
}

/// The attempt of a step that is meant: the last, unless one is named. None, if it was never begun.
pub(super) fn attempt<'a>(
    step: &str,
    wanted: Option<u32>,
    taken: &'a [Taken],
) -> Option<&'a Taken> {
    let mut of_step = taken.iter().rev().filter(|one| one.step == step);
    of_step.find(|one| wanted.is_none_or(|wanted| one.attempt == wanted))
}

/// What is shown where nobody says which: the last attempts of all steps that failed; where none has, what began last.
pub(super) fn telling<'a>(steps: &[StepReport], taken: &'a [Taken]) -> Vec<&'a Taken> {
    let failed = steps.iter().filter(|step| step.state == Stand::Failed);
    let failed: Vec<_> = failed.filter_map(|step| attempt(&step.id, None, taken)).collect();
    if failed.is_empty() { last(taken, |_| true).into_iter().collect() } else { failed }
}

/// What runs; of several what began last.
pub(super) fn running(taken: &[Taken]) -> Option<&Taken> {
    last(taken, |one| one.state.is_live())
}

/// What began last.
fn last(taken: &[Taken], which: impl Fn(&Taken) -> bool) -> Option<&Taken> {
    let begun = taken.iter().filter(|one| one.begun.is_some() && which(one));
    begun.max_by_key(|one| one.begun)
}

#[cfg(test)]
mod tests {
    use dataflow_runner_core::config::playbook::StepType;

    use super::*;

    fn report(id: &str, name: &str, state: Stand) -> StepReport {
        StepReport {
            id: id.into(),
            name: name.into(),
            step_type: StepType::Command,
            state,
            reason: None,
            noop: false,
            not_before: None,
            attempts: Vec::new(),
        }
    }

    /// Taken, and begun in that second, if ever.
    fn one(step: &str, attempt: u32, begun: Option<i64>, ended: bool) -> Taken {
        let time = |second| Timestamp::from_second(second).expect("a time");
        Taken {
            step: step.into(),
            name: step.into(),
            attempt,
            cluster: ClusterId::new("c"),
            id: StepId::new(format!("{step}.{attempt}")),
            state: if ended { Stand::Cancelled } else { Stand::Running },
            begun: begun.map(time),
            ended: ended.then(|| time(99)),
            link: None,
        }
    }

    #[test]
    fn a_step_goes_by_its_id_its_name_or_a_beginning() {
        let steps = [
            report("step-1", "load", Stand::Waiting),
            report("step-10", "step-1", Stand::Waiting),
            report("step-11", "twice", Stand::Waiting),
            report("other", "twice", Stand::Waiting),
        ];
        let step = |given| step(given, &steps).map(|step| step.id.as_str());
        let wrong = |given| step(given).map_err(|usage| usage.text().to_owned());
        for (given, id) in [
            ("step-1", "step-1"),
            ("step-10", "step-10"),
            ("load", "step-1"),
            ("o", "other"),
            ("step-11", "step-11"),
        ] {
            assert_eq!(wrong(given), Ok(id), "{given}");
        }
        for (given, text) in [
            ("step", "`step` may be step `step-1`, `step-10` or `step-11`; say its id"),
            ("twice", "`twice` may be step `step-11` or `other`; say its id"),
            ("laod", "the run has no step `laod`; did you mean `load`?"),
            ("", "the run has no step ``; `status` lists its steps"),
        ] {
            assert_eq!(wrong(given), Err(text.to_owned()));
        }
        let none = super::step("a", &[]).map(|_| ()).map_err(|usage| usage.text().to_owned());
        assert_eq!(none, Err("the run has no step `a`; the run has no steps".to_owned()));
    }

    #[test]
    fn the_last_attempt_is_meant_unless_another_is_named() {
        // The cluster of the first one never came up.
        let again = Taken { id: StepId::new("new"), ..one("a", 1, None, false) };
        let taken =
            [one("a", 1, None, true), again, one("b", 1, None, true), one("a", 2, None, false)];
        let attempt = |wanted| attempt("a", wanted, &taken).map(|one| one.id.as_str());
        assert_eq!(attempt(None), Some("a.2"));
        assert_eq!(attempt(Some(1)), Some("new"));
        assert_eq!(attempt(Some(3)), None);
    }

    #[test]
    fn what_failed_is_telling_else_what_began_last() {
        let taken = [
            one("a", 1, Some(1), true),
            one("b", 1, Some(3), true),
            one("c", 1, Some(2), false),
            one("d", 1, None, false),
            one("a", 2, Some(2), true),
        ];
        let ids = |steps: &[StepReport]| -> Vec<String> {
            telling(steps, &taken).iter().map(|one| one.id.to_string()).collect()
        };
        let (good, bad) = (Stand::Succeeded, Stand::Failed);
        assert_eq!(ids(&[report("b", "b", good), report("c", "c", Stand::Running)]), ["b.1"]);
        let failed = [report("c", "c", bad), report("a", "a", bad), report("never", "n", bad)];
        assert_eq!(ids(&failed), ["c.1", "a.2"]);
        assert_eq!(running(&taken).map(|one| one.id.as_str()), Some("c.1"));
        assert!(telling(&[], &taken[3..4]).is_empty(), "what only waits has written nothing");
    }
}

//! Steps whose rules undo each other.

use std::collections::HashMap;

use super::{Lints, member, text};
use crate::diagnostic::{Diagnostic, code};
use crate::json::{Node, Value};

/// Looks at the rules of all steps, and at those of `defaults`.
pub(super) fn check(data: &Node<'_>, lints: &mut Lints<'_, '_>) {
    if let Some(defaults) = member(data, "defaults") {
        no_retry(defaults, lints);
    }
    let Some(Value::Array(steps)) = member(data, "steps").map(|steps| &steps.value) else { return };
    steps.iter().for_each(|step| no_retry(step, lints));
    let ends: Vec<_> = (0..steps.len()).filter(|&step| never_goes_on(&steps[step])).collect();
    if ends.is_empty() {
        return;
    }
    let waiting = waiting(steps);
    let mut reached = vec![false; steps.len()];
    for end in ends {
        let mut next = waiting[end].clone();
        while let Some(step) = next.pop() {
            if !std::mem::replace(&mut reached[step], true) {
                unreachable(&steps[step], &steps[end], lints);
                next.extend(&waiting[step]);
            }
        }
    }
}

/// Whether no step behind it can start: COPY ends with exit code 0, or has failed.
fn never_goes_on(step: &Node<'_>) -> bool {
    let on_result = member(step, "onResult").and_then(|rule| member(rule, "continueJob"));
    let Some(Value::Array(codes)) = on_result.map(|codes| &codes.value) else { return false };
    let nought = |code: &Node<'_>| matches!(code.value, Value::Number(n) if n.as_i64() == Some(0));
    let is_copy = || text(step, "type").is_some_and(|of| of == "COPY");
    !codes.is_empty() && !codes.iter().any(nought) && is_copy()
}

/// Which steps wait for each step: what `dependsOn` says, and without it the step before.
fn waiting(steps: &[Node<'_>]) -> Vec<Vec<usize>> {
    let ids = steps.iter().enumerate().filter_map(|(at, step)| Some((text(step, "id")?, at)));
    let ids: HashMap<_, _> = ids.collect();
    let mut waiting = vec![Vec::new(); steps.len()];
    for (at, step) in steps.iter().enumerate() {
        match member(step, "dependsOn").map(|needs| &needs.value) {
            Some(Value::Array(needs)) => {
                let names = needs.iter().filter_map(|need| match need.value {
                    Value::String(name) => ids.get(&*name.get()),
                    _ => None,
                });
                names.for_each(|&need| waiting[need].push(at));
            }
            _ if at > 0 => waiting[at - 1].push(at),
            _ => {}
        }
    }
    waiting
}

fn unreachable(step: &Node<'_>, ends: &Node<'_>, lints: &mut Lints<'_, '_>) {
    let at = member(step, "id").map_or(step.span, |id| id.span);
    let rule = member(ends, "onResult").map_or(ends.span, |rule| rule.span);
    let fault = Diagnostic::warning(code::UNREACHABLE_STEP, "a step that can never run")
        .note(
            "a step that it waits for goes on only with other exit codes than 0, and COPY has no other that is a success",
            Some(lints.document.place(rule)),
        )
        .help("put 0 into `continueJob`, or take the step out");
    lints.warn(at, fault);
}

/// A delay or a backoff has no effect on a single attempt.
fn no_retry(step: &Node<'_>, lints: &mut Lints<'_, '_>) {
    let Some(retries) = member(step, "retries") else { return };
    let number = |name| match member(retries, name).map(|node| &node.value) {
        Some(Value::Number(n)) => n.as_f64(),
        _ => None,
    };
    let delay = ["delaySeconds", "backoff"].into_iter().any(|name| number(name) > Some(0.0));
    if number("maxAttempts") == Some(1.0) && delay {
        let message = "a delay between attempts of which there is only one";
        let help = "`maxAttempts` counts the first attempt too: write 2 or more";
        lints.warn(retries.span, Diagnostic::warning(code::NO_RETRY, message).help(help));
    }
}

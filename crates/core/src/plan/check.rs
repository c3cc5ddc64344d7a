//! What a fabric cannot do of a playbook; of one that is not right this can be told, too.

use crate::config::fields::Field;
use crate::config::playbook::{OnResult, Playbook, Step};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, code};
use crate::fabric::{Capabilities, ExitCodes};

/// What the fabric cannot do of a playbook.
pub fn check(playbook: &Playbook, fabric: &Capabilities, faults: &mut Diagnostics) {
    for step in &playbook.steps {
        for (field, code, message, help) in refusals(step, fabric) {
            let place = Place::new(&playbook.source, step.span_of(field));
            faults.push(Diagnostic::error(code, message).at(place).help(help));
        }
    }
}

/// Field, code, message and help of each thing that a fabric cannot do of a step.
fn refusals(step: &Step, fabric: &Capabilities) -> Vec<(Field, Code, String, String)> {
    let mut all = Vec::new();
    let name = fabric.fabric;
    let kind = step.work.program.step_type();
    if !fabric.step_types.contains(&kind) {
        let known: Vec<_> = fabric.step_types.iter().map(|t| t.as_str()).collect();
        all.push((
            Field::Type,
            code::STEP_TYPE_NOT_ON_FABRIC,
            format!("fabric `{name}` runs no steps of type {}", kind.as_str()),
            format!("it runs {}", known.join(", ")),
        ));
    }
    if !fabric.failure_rules.contains(&step.rules.on_failure) {
        let known: Vec<_> = fabric.failure_rules.iter().map(|r| r.as_str()).collect();
        all.push((
            Field::ActionOnFailure,
            code::FAILURE_RULE_NOT_ON_FABRIC,
            format!("fabric `{name}` cannot do {}", step.rules.on_failure.as_str()),
            format!("it can do {}", known.join(", ")),
        ));
    }
    if fabric.exit_codes == ExitCodes::None && step.rules.on_result != OnResult::default() {
        all.push((
            Field::OnResult,
            code::NO_EXIT_CODES_ON_FABRIC,
            format!("fabric `{name}` does not tell exit codes"),
            "take `onResult` out".to_owned(),
        ));
    }
    if !fabric.cancel_running && step.rules.timeout.is_some() {
        all.push((
            Field::TimeoutSeconds,
            code::NO_CANCEL_ON_FABRIC,
            format!("fabric `{name}` cannot stop a running step"),
            "take `timeoutSeconds` out".to_owned(),
        ));
    }
    all
}

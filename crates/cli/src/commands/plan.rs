//! `plan`: what a run would do.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::config::playbook::{OnResult, Retries, Rules};
use dataflow_runner_core::fabric::Fabric;
use dataflow_runner_core::plan::Plan;
use dataflow_runner_core::shell;
use serde_json::{Value, json};

use super::Usage;
use super::ready::{Ready, Ways};
use crate::args;
use crate::exit::Exit;
use crate::load::Loader;
use crate::ui::messages::count;
use crate::ui::{Ui, escape};

pub(super) fn run(args: &args::Plan, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    let playbook = super::playbook(&args.playbook.path)?;
    let mut loader = Loader::new(&args.variables)?;
    // Nothing will ring it.
    let bell = Arc::new(Bell::new());
    let config = args.config.path.as_deref();
    let ways = Ways { bell: &bell, engine: None, log_wait: None, before: None };
    let ready = Ready::of(config, Some(playbook), global, &ways, &mut loader)?;
    if ui.faults(loader.faults()) {
        return Ok(Exit::Invalid);
    }
    let Some(Ready { plan, fabric, .. }) = ready else { return Ok(Exit::Invalid) };
    let on = fabric.as_ref();
    let text = match args.json {
        true => format!("{:#}\n", machine(&plan, on)),
        false => people(&plan, on),
    };
    ui.print(text.as_bytes());
    // The program ends here: to take a large plan apart first would only take time.
    std::mem::forget((plan, text));
    Ok(Exit::Success)
}

/// For people.
fn people(plan: &Plan, on: &dyn Fabric) -> String {
    let mut text = String::new();
    let (stages, words) = (plan.stages(), words(plan, on));
    let name = plan.playbook().map_or("", |playbook| playbook.name.shown());
    let steps = count(plan.steps().len(), "step");
    let at_once = match parallel(plan, on) {
        Some(limit) => format!("at most {limit} at once"),
        None => "as many at once as there are".to_owned(),
    };
    let fabric = on.capabilities().fabric;
    let stage_count = count(stages.len(), "stage");
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "Playbook {} on {fabric}: {steps} in {stage_count}, {at_once}",
        escape::line(name)
    );
    for (number, stage) in stages.iter().enumerate() {
        let _ = writeln!(text, "\nStage {}", number + 1);
        for &place in stage {
            step(&mut text, plan, place, &words[place]);
        }
    }
    text
}

fn step(text: &mut String, plan: &Plan, place: usize, words: &[String]) {
    let step = &plan.steps()[place];
    text.push_str("  ");
    escape::push_line(text, &step.id);
    text.extend([" (", step.work.program.step_type().as_str(), ")"]);
    if step.name.shown() != step.id {
        text.push_str(" \"");
        escape::push_line(text, step.name.shown());
        text.push('"');
    }
    text.push('\n');
    let needs = plan.needs(place).iter().map(|&need| plan.steps()[need].id.as_str());
    row(text, "    after:       ", ", ", needs);
    row(text, "    runs:        ", " ", words.iter().map(|word| shell::word(word)));
    row(text, "    if it fails: ", "", [step.rules.on_failure.as_str()]);
    row(text, "    exit codes:  ", "", exit_codes(&step.rules.on_result));
    row(text, "    retries:     ", "", retries(&step.rules.retries));
    let limit = step.rules.timeout.map(|limit| format!("{} an attempt", length(limit)));
    row(text, "    time limit:  ", "", limit);
}

/// A line, where there is something to say in it.
fn row<W: AsRef<str>>(
    text: &mut String,
    label: &str,
    between: &str,
    words: impl IntoIterator<Item = W>,
) {
    let mut before = label;
    for word in words {
        text.push_str(before);
        escape::push_line(text, word.as_ref());
        before = between;
    }
    if before != label {
        text.push('\n');
    }
}

fn exit_codes(rule: &OnResult) -> Option<String> {
    if *rule == OnResult::default() {
        return None;
    }
    let codes = |codes: &[i32]| {
        let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
        codes.join(", ")
    };
    let mut text = format!("{} go on", codes(&rule.continue_job));
    if !rule.terminate_job_with_success.is_empty() {
        let end = codes(&rule.terminate_job_with_success);
        text += &format!("; {end} end the run early, with success");
    }
    Some(text + "; all others are failures")
}

fn retries(retries: &Retries) -> Option<String> {
    let attempts = retries.max_attempts.get();
    if attempts == 1 {
        return None;
    }
    let mut text = format!("{attempts} attempts, {} apart", length(retries.delay));
    if retries.backoff > 1.0 {
        text += &format!(", each pause {} times the one before", retries.backoff);
    }
    Some(text)
}

fn length(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

fn parallel(plan: &Plan, on: &dyn Fabric) -> Option<usize> {
    Some(plan.parallel(on.capabilities())).filter(|limit| *limit != usize::MAX)
}

/// What each step runs, word by word.
fn words(plan: &Plan, on: &dyn Fabric) -> Vec<Vec<String>> {
    plan.playbook().map(|playbook| on.describe(playbook)).unwrap_or_default()
}

/// For programs.
fn machine(plan: &Plan, on: &dyn Fabric) -> Value {
    let id = |place: usize| plan.steps()[place].id.as_str();
    let ids = |places: &[usize]| places.iter().map(|&place| id(place)).collect::<Vec<_>>();
    let words = words(plan, on);
    let steps = plan.steps().iter().enumerate().map(|(place, step)| {
        let Rules { retries, on_result, .. } = &step.rules;
        json!({
            "id": step.id,
            "name": step.name.shown(),
            "type": step.work.program.step_type().as_str(),
            "needs": ids(plan.needs(place)),
            "runs": words[place],
            "actionOnFailure": step.rules.on_failure.as_str(),
            "onResult": {
                "continueJob": on_result.continue_job,
                "terminateJobWithSuccess": on_result.terminate_job_with_success,
            },
            "retries": {
                "maxAttempts": retries.max_attempts,
                "delaySeconds": retries.delay.as_secs_f64(),
                "backoff": retries.backoff,
            },
            "timeoutSeconds": step.rules.timeout.map(|limit| limit.as_secs_f64()),
        })
    });
    json!({
        "playbook": plan.playbook().map(|playbook| playbook.name.shown()),
        "schema": plan.playbook().map(|playbook| &playbook.schema),
        "fabric": on.capabilities().fabric,
        "parallel": parallel(plan, on),
        "stages": plan.stages().iter().map(|stage| ids(stage)).collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
    })
}

//! `plan`: what a run would do.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::config::playbook::{OnResult, Program, Retries, Step};
use dataflow_runner_core::fabric::Capabilities;
use dataflow_runner_core::plan::Plan;
use dataflow_runner_core::secret::Text;
use serde_json::{Value, json};

use super::Usage;
use super::ready::Ready;
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
    let ready = Ready::of(config, Some(playbook), global, &bell, &mut loader)?;
    if ui.faults(loader.faults()) {
        return Ok(Exit::Invalid);
    }
    let Some(Ready { plan, fabric, .. }) = ready else { return Ok(Exit::Invalid) };
    let on = fabric.as_ref().map(|fabric| fabric.capabilities());
    let text = match args.json {
        true => format!("{:#}\n", machine(&plan, on)),
        false => people(&plan, on),
    };
    ui.print(text.as_bytes());
    Ok(Exit::Success)
}

/// For people.
fn people(plan: &Plan, on: Option<&Capabilities>) -> String {
    let mut text = String::new();
    let stages = plan.stages();
    let name = plan.playbook().map_or("", |playbook| playbook.name.shown());
    let steps = count(plan.steps().len(), "step");
    let at_once = match parallel(plan, on) {
        Some(limit) => format!("at most {limit} at once"),
        None => "as many at once as there are".to_owned(),
    };
    let fabric = name_of(on);
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
            step(&mut text, plan, place);
        }
    }
    text
}

fn step(text: &mut String, plan: &Plan, place: usize) {
    let step = &plan.steps()[place];
    let kind = step.work.program.step_type().as_str();
    let _ = write!(text, "  {} ({kind})", escape::line(&step.id));
    if step.name.shown() != step.id {
        let _ = write!(text, " \"{}\"", escape::line(step.name.shown()));
    }
    text.push('\n');
    let needs: Vec<_> = plan.needs(place).iter().map(|&n| plan.steps()[n].id.as_str()).collect();
    let runs: Vec<_> = words(step).iter().map(|word| shell_word(word)).collect();
    let lines = [
        ("after", (!needs.is_empty()).then(|| needs.join(", "))),
        ("runs", (!runs.is_empty()).then(|| runs.join(" "))),
        ("if it fails", Some(step.on_failure.as_str().to_owned())),
        ("exit codes", exit_codes(&step.on_result)),
        ("retries", retries(&step.retries)),
        ("time limit", step.timeout.map(|limit| format!("{} an attempt", length(limit)))),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            let _ = writeln!(text, "    {:<12} {}", format!("{name}:"), escape::line(&value));
        }
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

/// A word as one could type it into a shell, if it is not plain already.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,‹›".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn parallel(plan: &Plan, on: Option<&Capabilities>) -> Option<usize> {
    let own = || plan.playbook()?.max_parallel.map(|limit| limit.get() as usize);
    match on {
        Some(fabric) => Some(plan.parallel(fabric)).filter(|limit| *limit != usize::MAX),
        None => own(),
    }
}

/// The fabric's name; the only one without capabilities yet is EMR.
fn name_of(on: Option<&Capabilities>) -> &'static str {
    on.map_or("emr", |fabric| fabric.fabric)
}

/// What a step runs, in the words of the playbook. Secrets are shown as where they come from.
fn words(step: &Step) -> Vec<String> {
    let some = |text: &Text| Some(text.shown().to_owned());
    let opt = |text: &Option<Text>| text.as_ref().and_then(some);
    let program = match &step.work.program {
        Program::CustomJar { jar, main_class } | Program::Flink { jar, main_class } => {
            vec![some(jar), opt(main_class)]
        }
        Program::Spark { application, main_class } => vec![some(application), opt(main_class)],
        Program::Command { command } => vec![some(command)],
        Program::SparkSql { file } | Program::Hive { file } | Program::Pig { file } => {
            vec![some(file)]
        }
        Program::Streaming { mapper, reducer, source, destination } => {
            vec![some(mapper), opt(reducer), some(source), some(destination)]
        }
        Program::Copy { source, destination, pattern } => {
            vec![some(source), some(destination), opt(pattern)]
        }
    };
    let arguments = step.work.arguments.iter().map(|text| text.shown().to_owned());
    program.into_iter().flatten().chain(arguments).collect()
}

/// For programs.
fn machine(plan: &Plan, on: Option<&Capabilities>) -> Value {
    let id = |place: usize| plan.steps()[place].id.as_str();
    let ids = |places: &[usize]| places.iter().map(|&place| id(place)).collect::<Vec<_>>();
    let steps = plan.steps().iter().enumerate().map(|(place, step)| {
        let Step { retries, on_result, .. } = step;
        json!({
            "id": step.id,
            "name": step.name.shown(),
            "type": step.work.program.step_type().as_str(),
            "needs": ids(plan.needs(place)),
            "runs": words(step),
            "actionOnFailure": step.on_failure.as_str(),
            "onResult": {
                "continueJob": on_result.continue_job,
                "terminateJobWithSuccess": on_result.terminate_job_with_success,
            },
            "retries": {
                "maxAttempts": retries.max_attempts,
                "delaySeconds": retries.delay.as_secs_f64(),
                "backoff": retries.backoff,
            },
            "timeoutSeconds": step.timeout.map(|limit| limit.as_secs_f64()),
        })
    });
    json!({
        "playbook": plan.playbook().map(|playbook| playbook.name.shown()),
        "schema": plan.playbook().map(|playbook| &playbook.schema),
        "fabric": name_of(on),
        "parallel": parallel(plan, on),
        "stages": plan.stages().iter().map(|stage| ids(stage)).collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_when_a_shell_would_take_them_apart() {
        let words = ["a-b", "", "a b", "it's", "$HOME", "p=‹systemEnv P›"];
        let shown: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
        assert_eq!(shown, ["a-b", "''", "'a b'", r"'it'\''s'", "'$HOME'", "'p=‹systemEnv P›'"]);
    }
}

//! `status`: how a run stands, as its journal tells. Nothing is sent.

use std::fmt::Write;

use dataflow_runner_core::event::{Goal, Outcome};
use dataflow_runner_core::fabric::{RunId, StepState};
use dataflow_runner_core::journal;
use dataflow_runner_core::report::{Report, Standing, StepReport};
use serde_json::{Value, json};

use super::{Usage, runs};
use crate::args;
use crate::exit::Exit;
use crate::ui::messages::{signal_name, time};
use crate::ui::{Ui, escape};

pub(super) fn run(
    args: &args::RunStatus,
    global: &args::Global,
    ui: &mut Ui,
) -> Result<Exit, Usage> {
    let Some((id, folder)) = runs::named(&args.run, global, ui)? else { return Ok(Exit::Failed) };
    let read = journal::glance(&folder).and_then(|glance| Ok((glance, journal::read(&folder)?)));
    let (glance, contents) = match read {
        Ok(read) => read,
        Err(error) => {
            ui.error(error.to_string());
            return Ok(Exit::Failed);
        }
    };
    let report = match Report::of(&contents, glance.driven) {
        Ok(report) => report,
        Err(illegal) => {
            ui.error(format!("the journal of run {id} makes no sense: {illegal}"));
            return Ok(Exit::Failed);
        }
    };
    let text = match args.json {
        true => format!("{:#}\n", machine(&id, &report)),
        false => people(&id, &report),
    };
    ui.print(text.as_bytes());
    Ok(Exit::Success)
}

fn people(id: &RunId, report: &Report) -> String {
    let summary = &report.summary;
    let mut text = format!("Run {id}: {}\n", standing(&summary.standing));
    let goal = summary.goal.map_or("-", Goal::word);
    let mut lines = vec![("what", format!("{goal} on {}", summary.fabric))];
    lines.extend(summary.playbook.as_deref().map(|name| ("playbook", escape::line(name))));
    lines.push(("begun", time(summary.begun)));
    lines.push(match summary.ended {
        Some(ended) => ("ended", time(ended)),
        None => ("last news", time(report.last)),
    });
    if let Some((cluster, state, reason)) = &report.cluster {
        let state = state.map(|state| format!(" ({})", state.as_str())).unwrap_or_default();
        let reason = reason.as_deref().map(|reason| format!(": {}", escape::line(reason)));
        lines.push(("cluster", format!("{cluster}{state}{}", reason.unwrap_or_default())));
    }
    for (name, value) in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:<10} {value}", format!("{name}:"));
    }
    for step in &report.steps {
        let _ = writeln!(text, "  {:<10} {}", word(step), line(step));
    }
    text
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Running => "running".to_owned(),
        Standing::Left => "left, nobody drives it: what it started may be running".to_owned(),
        Standing::Ended(outcome) => {
            let more = match outcome {
                Outcome::Succeeded => String::new(),
                Outcome::Noop { step } => format!(", step `{step}` ended it early"),
                Outcome::Submitted => ", all steps were submitted".to_owned(),
                Outcome::Failed { failed, total, reason } => {
                    let steps = (*total > 0).then(|| format!(", {failed}/{total} steps"));
                    let why = reason.as_deref().map(|why| format!(": {}", escape::line(why)));
                    steps.unwrap_or_default() + &why.unwrap_or_default()
                }
                Outcome::Refused { error } => format!(": {}", escape::line(&error.to_string())),
                Outcome::Interrupted { signal, .. } => format!(" by {}", signal_name(*signal)),
                Outcome::InDoubt { reason } => format!(": {}", escape::line(reason)),
            };
            format!("{}{more}", standing.word())
        }
    }
}

/// How a step stands, in one word.
fn word(step: &StepReport) -> &'static str {
    match step.state {
        Some(state) => state.as_str(),
        None if step.skipped => "SKIPPED",
        None => "WAITING",
    }
}

fn line(step: &StepReport) -> String {
    let mut line = escape::line(&step.id);
    if step.name != step.id {
        line += &format!(" \"{}\"", escape::line(&step.name));
    }
    if let Some(id) = &step.native_id {
        line += &format!(" [{id}]");
    }
    if step.attempts > 1 {
        line += &format!(", attempt {}", step.attempts);
    }
    if let (Some(started), Some(ended)) = step.times {
        line += &format!(", {:.1} s", ended.duration_since(started).as_secs_f64());
    }
    if let (Some(reason), true) = (&step.reason, step.state != Some(StepState::Succeeded)) {
        line += &format!(": {}", escape::line(reason));
    }
    line
}

fn machine(id: &RunId, report: &Report) -> Value {
    let summary = &report.summary;
    let outcome = match &summary.standing {
        Standing::Ended(outcome) => Some(outcome),
        Standing::Running | Standing::Left => None,
    };
    let cluster = report
        .cluster
        .as_ref()
        .map(|(id, state, reason)| json!({"id": id, "state": state, "reason": reason}));
    let steps = report.steps.iter().map(|step| {
        json!({
            "id": step.id,
            "name": step.name,
            "state": word(step),
            "attempts": step.attempts,
            "nativeId": step.native_id,
            "started": step.times.0,
            "ended": step.times.1,
            "reason": step.reason,
        })
    });
    json!({
        "run": id,
        "state": summary.standing.word(),
        "outcome": outcome,
        "goal": summary.goal,
        "fabric": summary.fabric,
        "playbook": summary.playbook,
        "begun": summary.begun,
        "ended": summary.ended,
        "lastNews": report.last,
        "cluster": cluster,
        "steps": steps.collect::<Vec<_>>(),
    })
}

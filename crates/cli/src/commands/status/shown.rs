//! How a run stands, for people and for programs.

use dataflow_runner_core::event::{Goal, Outcome};
use dataflow_runner_core::report::{Report, Stand, Standing, StepReport};
use serde_json::{Value, json};

use crate::ui::escape;
use crate::ui::messages::{signal_name, time};

/// What is said of a run as a whole, then what is said of each step.
pub(super) fn lines(report: &Report) -> (Vec<String>, Vec<String>) {
    let summary = &report.summary;
    let mut head = vec![format!("Run {}: {}", summary.run, standing(&summary.standing))];
    let goal = summary.goal.map_or("-", Goal::word);
    let mut lines = Vec::new();
    lines.extend(summary.name.as_deref().map(|name| ("name", escape::line(name))));
    lines.push(("what", format!("{goal} on {}", summary.fabric)));
    lines.extend(summary.playbook.as_deref().map(|name| ("playbook", escape::line(name))));
    lines.push(("begun", time(summary.begun)));
    lines.push(match summary.ended {
        Some(ended) => ("ended", time(ended)),
        None => ("last news", time(report.last_news)),
    });
    lines.extend(report.cluster().map(|cluster| {
        let state = cluster.state.map(|state| format!(" ({})", state.as_str()));
        let reason = cluster.reason.as_deref().map(|it| format!(": {}", escape::line(it)));
        let (state, reason) = (state.unwrap_or_default(), reason.unwrap_or_default());
        ("cluster", format!("{}{state}{reason}", cluster.id))
    }));
    let field = |(name, value)| format!("  {:<10} {value}", format!("{name}:"));
    head.extend(lines.into_iter().map(field));
    let steps = report.steps.iter().map(|step| format!("  {}", step_line(step)));
    (head, steps.collect())
}

pub(super) fn people(report: &Report) -> String {
    let (head, steps) = lines(report);
    let mut text = String::new();
    for line in head.iter().chain(&steps) {
        text += line;
        text.push('\n');
    }
    text
}

/// Where a run stands, in words.
pub(in crate::commands) fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Running => "running".to_owned(),
        Standing::Left => {
            "left, nobody drives it: what it started may be running; `attach` goes on with it"
                .to_owned()
        }
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

/// A step on one line.
pub(in crate::commands) fn step_line(step: &StepReport) -> String {
    let mut line = format!("{:<10} {}", step.state.word(), escape::line(&step.id));
    if step.name != step.id {
        line += &format!(" \"{}\"", escape::line(&step.name));
    }
    if let Some(last) = step.attempts.last() {
        if let Some(id) = &last.native_id {
            line += &format!(" [{id}]");
        }
        if last.attempt > 1 {
            line += &format!(", attempt {}", last.attempt);
        }
        if let Some(seconds) = last.ran_seconds {
            line += &format!(", {seconds:.1} s");
        }
    }
    if let (Some(reason), true) = (&step.reason, step.state != Stand::Succeeded) {
        line += &format!(": {}", escape::line(reason));
    }
    line
}

/// The same for programs.
pub(super) fn machine(report: &Report) -> Value {
    let summary = &report.summary;
    let cluster =
        report.cluster().map(|it| json!({"id": it.id, "state": it.state, "reason": it.reason}));
    json!({
        "run": summary.run,
        "name": summary.name,
        "state": summary.standing.word(),
        "outcome": report.outcome,
        "goal": summary.goal,
        "fabric": summary.fabric,
        "playbook": summary.playbook,
        "begun": summary.begun,
        "ended": summary.ended,
        "lastNews": report.last_news,
        "cluster": cluster,
        "steps": report.steps.iter().map(machine_of_step).collect::<Vec<_>>(),
    })
}

fn machine_of_step(step: &StepReport) -> Value {
    let last = step.attempts.last();
    json!({
        "id": step.id,
        "name": step.name,
        "state": step.state,
        "attempts": last.map_or(0, |last| last.attempt),
        "nativeId": last.and_then(|last| last.native_id.as_ref()),
        "started": last.and_then(|last| last.running),
        "ended": last.and_then(|last| last.ended),
        "reason": step.reason,
    })
}

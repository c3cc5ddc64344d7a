//! A report that a person can read in 80 columns.

use std::fmt::Display;

use dataflow_runner_core::event::{Goal, Stop};
use dataflow_runner_core::report::{Asked, AttemptReport, ClusterReport, Report, StepReport};
use jiff::Timestamp;

use crate::commands::status::standing;
use crate::ui::escape;
use crate::ui::messages::{signal_name, time};

/// How wide a line is, unless a single word of it is wider.
const WIDTH: usize = 80;

/// Text that grows by paragraphs.
#[derive(Default)]
struct Page(String);

impl Page {
    /// A text that goes on below its own begin where it is too long for a line.
    fn text(&mut self, indent: usize, first: &str, text: &str) {
        let pad = " ".repeat(indent);
        let hang = " ".repeat(indent + first.chars().count());
        let mut line = format!("{pad}{first}");
        let mut empty = true;
        for word in text.split(' ') {
            let wide = line.chars().count() + usize::from(!empty) + word.chars().count();
            if !empty && wide > WIDTH {
                self.line(&line);
                line.clone_from(&hang);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line += word;
            empty = false;
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        self.0 += line.trim_end();
        self.0.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        self.line("");
        self.line(heading);
    }

    /// A named value.
    fn field(&mut self, indent: usize, name: &str, value: impl Display) {
        self.text(
            indent,
            &format!("{:<11}", format!("{name}:")),
            &escape::line(&value.to_string()),
        );
    }

    fn field_if(&mut self, indent: usize, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.field(indent, name, value);
        }
    }
}

/// All of it; `exit`: the exit code it had.
pub(super) fn report(report: &Report, exit: Option<u8>) -> String {
    let mut page = Page::default();
    whole(&mut page, report, exit);
    if !report.clusters.is_empty() {
        page.heading("Clusters");
        report.clusters.iter().for_each(|it| cluster(&mut page, it));
    }
    if !report.steps.is_empty() {
        page.heading("Steps");
        report.steps.iter().for_each(|it| step(&mut page, it));
    }
    page.heading("What happened to the run");
    happened(&mut page, report);
    page.0
}

fn whole(page: &mut Page, report: &Report, exit: Option<u8>) {
    let summary = &report.summary;
    page.text(0, "", &format!("Run {}: {}", summary.run, standing(&summary.standing)));
    page.field_if(2, "name", summary.name.as_ref());
    let goal = summary.goal.map_or("-", Goal::word);
    page.field(2, "what", format!("{goal} on {}", summary.fabric));
    page.field_if(2, "playbook", summary.playbook.as_ref());
    let tags: Vec<_> = report.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    page.field_if(2, "tags", (!tags.is_empty()).then(|| tags.join(", ")));
    page.field(2, "program", format!("dataflow-runner {}", report.program));
    page.field(2, "begun", time(summary.begun));
    let total = report.seconds.total;
    match summary.ended {
        Some(ended) => page.field(2, "ended", format!("{}, after {total:.1} s", time(ended))),
        None => page.field(2, "last news", time(report.last_news)),
    }
    page.field_if(2, "exit code", exit);
    let counts = &report.counts;
    if counts.steps > 0 {
        let stand = [
            (counts.succeeded, "succeeded"),
            (counts.failed, "failed"),
            (counts.cancelled, "cancelled"),
            (counts.skipped, "skipped"),
            (counts.left_out, "left out"),
            (counts.live, "live"),
            (counts.waiting, "waiting"),
        ];
        let stand: Vec<_> =
            stand.iter().filter(|it| it.0 > 0).map(|it| format!("{} {}", it.0, it.1)).collect();
        let (steps, attempts) = (counts.steps, counts.attempts);
        page.field(2, "steps", format!("{steps}: {}; attempts: {attempts}", stand.join(", ")));
        let seconds = &report.seconds;
        let (waiting, running) = (seconds.waiting, seconds.running);
        page.field(
            2,
            "time",
            format!("{waiting:.1} s waiting, {running:.1} s running, all attempts together"),
        );
    }
    let orders = &report.orders;
    let orders = [
        (orders.lost, "answers lost"),
        (orders.found, "found again"),
        (orders.resent, "sent again"),
        (orders.refused, "refused"),
        (orders.unanswered, "without an answer"),
    ];
    let orders: Vec<_> =
        orders.iter().filter(|it| it.0 > 0).map(|it| format!("{} {}", it.0, it.1)).collect();
    page.field_if(2, "orders", (!orders.is_empty()).then(|| orders.join(", ")));
}

fn cluster(page: &mut Page, cluster: &ClusterReport) {
    let state = cluster.state.map_or("", |state| state.as_str());
    page.text(2, "", &escape::line(&format!("{} {state}", cluster.id)));
    let native = cluster.native.as_ref().filter(|native| *native != state);
    page.field_if(4, "native", native);
    page.field_if(4, "reason", cluster.reason.as_ref());
    page.field_if(4, "order", cluster.token.as_ref());
    let times =
        [("launched", cluster.launched), ("ready", cluster.ready), ("ended", cluster.ended)];
    times.into_iter().for_each(|(name, at)| page.field_if(4, name, at.map(time)));
    page.field_if(4, "stopped", cluster.terminate.as_ref().map(asked));
}

fn step(page: &mut Page, step: &StepReport) {
    let mut head = escape::line(&step.id);
    if step.name != step.id {
        head += &format!(" \"{}\"", escape::line(&step.name));
    }
    if step.noop {
        head += ", ended the run early";
    }
    let told = step.attempts.last().and_then(|it| it.reason.as_ref());
    if let Some(reason) = step.reason.as_ref().filter(|reason| Some(*reason) != told) {
        head += &format!(": {}", escape::line(reason));
    }
    page.text(2, &format!("{:<10} ", step.state.word()), &head);
    page.field_if(4, "not before", step.not_before.map(time));
    step.attempts.iter().for_each(|it| attempt(page, it));
}

fn attempt(page: &mut Page, attempt: &AttemptReport) {
    let mut head = format!("attempt {} {}", attempt.attempt, attempt.state.word());
    if let Some(code) = attempt.exit_code {
        head += &format!(", exit code {code}");
    }
    if let Some(seconds) = attempt.waited_seconds {
        head += &format!(", waited {seconds:.1} s");
    }
    if let Some(seconds) = attempt.ran_seconds {
        head += &format!(", ran {seconds:.1} s");
    }
    page.text(4, "", &head);
    // The fabric's own words may be no more than the code.
    let code = attempt.exit_code.map(|code| format!("exit code {code}"));
    let reason = attempt.reason.as_ref().filter(|reason| Some(*reason) != code.as_ref());
    page.field_if(6, "reason", reason);
    let native = attempt.native.as_ref().filter(|native| *native != attempt.state.word());
    page.field_if(6, "native", native);
    page.field_if(6, "id", attempt.native_id.as_ref());
    page.field_if(6, "cluster", attempt.cluster.as_ref());
    let sent =
        if attempt.sent > 1 { format!(", sent {} times", attempt.sent) } else { String::new() };
    page.field(6, "order", format!("{}{sent}", attempt.token));
    let times = [
        ("ordered", Some(attempt.ordered)),
        ("taken", attempt.submitted),
        ("running", attempt.running),
        ("ended", attempt.ended),
    ];
    times.into_iter().for_each(|(name, at)| page.field_if(6, name, at.map(millis)));
    page.field_if(6, "stopped", attempt.cancel.as_ref().map(asked));
    page.field_if(6, "look at", attempt.link.as_ref());
}

/// Who drove it, and what came between, in the order of time.
fn happened(page: &mut Page, report: &Report) {
    let mut all: Vec<(Timestamp, String)> = Vec::new();
    for drive in &report.drivers {
        let by = match (&drive.pid, &drive.host) {
            (Some(pid), Some(host)) => format!(" by process {pid} on host {host}"),
            _ => String::new(),
        };
        all.push((drive.at, format!("{}{by}", drive.how)));
    }
    for lost in &report.contact_lost {
        let until = match lost.until {
            Some(until) => format!("until {}", time(until)),
            None => "to the end".to_owned(),
        };
        all.push((lost.since, format!("no contact {until}: {}", lost.error)));
    }
    for signal in &report.interruptions {
        let then = if signal.leave { "all was left as it was" } else { "all was cancelled" };
        all.push((signal.at, format!("{}: {then}", signal_name(signal.signal))));
    }
    for warned in &report.warnings {
        all.push((warned.at, format!("warning: {}", warned.message)));
    }
    all.sort_by_key(|(at, _)| *at);
    for (at, what) in all {
        page.text(2, &format!("{}  ", time(at)), &escape::line(&what));
    }
}

fn asked(asked: &Asked) -> String {
    format!("{}, {}", time(asked.at), why(&asked.why))
}

fn why(why: &Stop) -> String {
    match why {
        Stop::Done => "the run is done with it".to_owned(),
        Stop::Asked => "as was asked".to_owned(),
        Stop::TimedOut => "it took longer than it may".to_owned(),
        Stop::StepFailed(step) => format!("step `{step}` failed"),
        Stop::Noop(step) => format!("step `{step}` ended the run early"),
        Stop::Interrupted => "the run was interrupted".to_owned(),
        Stop::ClusterFailed => "the cluster failed".to_owned(),
        Stop::RunFailed => "the run failed".to_owned(),
    }
}

/// To the millisecond: many steps are short.
fn millis(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_go_on_below_their_begin_and_long_words_stay_whole() {
        let mut page = Page::default();
        page.field(4, "reason", format!("{} end", "word ".repeat(14).trim_end()));
        page.field(4, "look at", "/".repeat(90));
        page.field(4, "reason", "a\nb");
        let expected = format!(
            "    reason:    {}\n               word end\n    look at:   {}\n    reason:    a\\nb\n",
            "word ".repeat(13).trim_end(),
            "/".repeat(90)
        );
        assert_eq!(page.0, expected);
    }
}

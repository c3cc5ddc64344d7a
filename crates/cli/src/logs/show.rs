//! What is said of the logs of something that failed.

use std::time::Duration;

use dataflow_runner_core::fabric::Error;
use dataflow_runner_core::logs::look::Seen;
use dataflow_runner_core::logs::{Cause, Excerpt, Findings};

use crate::args::Level;
use crate::ui::{Ui, escape};

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// Such as `Step 'load' with id 's-1' failed`.
    pub(crate) sentence: String,
    /// Such as `step s-1`.
    pub(crate) of: String,
    /// Where its logs are, as far as is known.
    pub(crate) link: Option<String>,
}

impl Failed {
    /// Its logs come so much later at the latest, and nobody waits for them.
    pub(super) fn where_they_come(&self, delivery: Duration) -> String {
        let minutes = delivery.as_secs().div_ceil(60);
        format!(
            "The logs of {} are there within {minutes} minutes{}; --log-failed-steps shows them",
            self.of,
            at(self)
        )
    }

    /// Its logs were not seen.
    pub(super) fn not_seen(&self) -> String {
        format!("The logs of {} were not there yet{}", self.of, at(self))
    }
}

/// Something to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Message(Level, String),
    /// Lines of logs, safe to show.
    Text(String),
}

/// Says it all.
pub(super) fn say(said: Vec<Said>, ui: &mut Ui) {
    for said in said {
        match said {
            Said::Message(level, text) => ui.message(level, text),
            Said::Text(text) => ui.text(&text),
        }
    }
}

/// What the last look gave.
pub(super) fn seen(failed: &Failed, seen: &Seen) -> Vec<Said> {
    match seen {
        Seen::All(found) => findings(failed, found, true),
        Seen::Some(found) => findings(failed, found, false),
        Seen::Nothing(error) => unlisted(failed, error),
    }
}

/// What was found: why it failed first, then the end of each log.
fn findings(failed: &Failed, found: &Findings, complete: bool) -> Vec<Said> {
    let mut said = Vec::new();
    if let Some(cause) = &found.cause {
        said.extend(self::cause(failed, cause));
    }
    for log in &found.excerpts {
        said.extend(excerpt(failed, log));
    }
    if found.excerpts.is_empty() {
        let text = format!("There are no logs for {}{}", failed.of, at(failed));
        said.push(Said::Message(Level::Warning, text));
    } else if !complete {
        let text = format!("The logs of {} may go on{}", failed.of, at(failed));
        said.push(Said::Message(Level::Warning, text));
    }
    said
}

/// Nobody says which logs there are.
fn unlisted(failed: &Failed, error: &Error) -> Vec<Said> {
    let text = format!("cannot list the logs of {}{}: {error}", failed.of, at(failed));
    vec![Said::Message(Level::Warning, text)]
}

fn at(failed: &Failed) -> String {
    failed.link.as_ref().map(|link| format!(" at {link}")).unwrap_or_default()
}

pub(super) fn cause(failed: &Failed, cause: &Cause) -> [Said; 2] {
    let Cause { sentence, advice, evidence, file } = cause;
    let text = format!("{}: probable cause: {sentence} (in {file}); {advice}", failed.sentence);
    let lines = evidence.iter().map(|line| format!("    {}\n", safe(line)));
    [Said::Message(Level::Error, text), Said::Text(lines.collect())]
}

fn excerpt(failed: &Failed, log: &Excerpt) -> Vec<Said> {
    let shown = log.lines.len();
    // Nobody wants to see lines.
    if shown == 0 && log.earlier > 0 && log.notes.is_empty() {
        return Vec::new();
    }
    // Scripts look for the text up to the colon.
    let more = match log.earlier {
        0 if shown == 0 && log.notes.is_empty() => " it is empty".to_owned(),
        0 => String::new(),
        earlier => format!(" the last {shown} of {} lines", earlier + shown as u64),
    };
    let text = format!("Content of log file '{}' for {}:{more}", log.name, failed.of);
    let lines: String = log.lines.iter().map(|line| format!("{}\n", safe(line))).collect();
    let mut said = vec![Said::Message(Level::Info, text), Said::Text(lines)];
    for note in &log.notes {
        said.push(Said::Message(Level::Warning, format!("log file '{}': {note}", log.name)));
    }
    said
}

fn safe(line: &str) -> String {
    escape::lines(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(link: Option<&str>) -> Failed {
        Failed {
            sentence: "Step 'a' with id 's-1' failed".into(),
            of: "step s-1".into(),
            link: link.map(Into::into),
        }
    }

    #[test]
    fn the_cause_comes_first_and_nothing_acts_on_a_terminal() {
        let log = Excerpt {
            name: "stderr.gz".into(),
            lines: vec!["\x1b[2Jone\ttwo".into(), "three".into()],
            earlier: 5,
            notes: vec!["it is cut off".into()],
            ..Excerpt::default()
        };
        let empty = Excerpt { name: "stdout.gz".into(), ..Excerpt::default() };
        let cause = Cause {
            sentence: "odd".into(),
            advice: "do this",
            evidence: vec!["\x1bx".into()],
            file: "stderr.gz".into(),
        };
        let unwanted = Excerpt { earlier: 7, ..Excerpt::default() };
        let found = Findings { cause: Some(cause), excerpts: vec![log, empty, unwanted] };
        let message = |level, text: &str| Said::Message(level, text.into());
        let text = |text: &str| Said::Text(text.into());
        assert_eq!(
            findings(&failed(Some("s3://l/")), &found, false),
            [
                message(
                    Level::Error,
                    "Step 'a' with id 's-1' failed: probable cause: odd (in stderr.gz); do this"
                ),
                text("    \\x1bx\n"),
                message(
                    Level::Info,
                    "Content of log file 'stderr.gz' for step s-1: the last 2 of 7 lines"
                ),
                text("\\x1b[2Jone\ttwo\nthree\n"),
                message(Level::Warning, "log file 'stderr.gz': it is cut off"),
                message(Level::Info, "Content of log file 'stdout.gz' for step s-1: it is empty"),
                text(""),
                message(Level::Warning, "The logs of step s-1 may go on at s3://l/"),
            ]
        );
        let none = findings(&failed(None), &Findings::default(), true);
        assert_eq!(none, [message(Level::Warning, "There are no logs for step s-1")]);
    }
}

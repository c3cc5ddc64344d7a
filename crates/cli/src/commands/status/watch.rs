//! `status --watch`: how a run stands, kept up to date. Whoever watches changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{Clock, add};
use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::journal;
use dataflow_runner_core::report::{Report, Stand, Standing};

use super::{read, shown};
use crate::args::{Level, Output};
use crate::exit::Exit;
use crate::signal;
use crate::ui::screen::Screen;
use crate::ui::{Ui, escape};

/// From one look to the next: a person reads no faster.
const LOOK: Duration = Duration::from_secs(1);

/// So many steps are named that are live.
const NAMED: usize = 5;

/// How it is shown.
enum View {
    /// In place, on a terminal.
    Screen(Screen),
    /// A line for each change; the last one.
    Lines(String),
    /// One JSON object a line; the last one.
    Objects(String),
}

/// Watches until the run is over or left, or a signal comes.
///
/// # Errors
/// The journal cannot be read, or makes no sense.
pub(super) fn watch(id: &RunId, folder: &Path, json: bool, ui: &mut Ui) -> Result<Exit, String> {
    let bell = Arc::new(Bell::new());
    if let Err(error) = signal::ring(&bell, None) {
        ui.message(Level::Warning, format!("signals cannot be caught: {error}"));
    }
    let clock = Clock::machine(None);
    let mut view = View::of(json, ui);
    let mut seen = None;
    while ui.is_heard() {
        let pulse = journal::pulse(folder).map_err(|error| error.to_string())?;
        if seen != Some(pulse) {
            let report = read(id, folder, pulse.driven)?;
            let over = report.summary.standing != Standing::Running;
            view.show(&report, over, ui);
            if over {
                goodbye(&report, ui);
                break;
            }
            seen = Some(pulse);
        }
        if let Some((signal, _)) = clock.wait(&bell, add(clock.now(), LOOK)).signal {
            return Ok(Exit::Signal(signal));
        }
    }
    Ok(Exit::Success)
}

/// A run that has no end is not to be taken for one that has.
fn goodbye(report: &Report, ui: &mut Ui) {
    if report.summary.standing == Standing::Left {
        let run = &report.summary.run;
        let text = format!(
            "Nobody drives run {run}, and it has no end: `attach {run}` goes on with it, `cancel {run}` ends it"
        );
        ui.message(Level::Warning, text);
    }
}

impl View {
    fn of(json: bool, ui: &Ui) -> Self {
        match ui.output() {
            _ if json => Self::Objects(String::new()),
            Output::Json => Self::Objects(String::new()),
            Output::Human if Ui::prints_on_a_terminal() => Self::Screen(Screen::default()),
            Output::Human | Output::Logfmt => Self::Lines(String::new()),
        }
    }

    /// Shows what changed; `over`: for the last time.
    fn show(&mut self, report: &Report, over: bool, ui: &mut Ui) {
        match self {
            Self::Screen(screen) => {
                let frame = match over {
                    true => screen.last(&shown::people(report)),
                    false => screen.next(|rows| fitting(report, rows)),
                };
                ui.print(frame.as_bytes());
            }
            Self::Lines(last) => {
                let line = line(report);
                if *last != line {
                    ui.line(report.last_news, &line);
                    *last = line;
                }
            }
            Self::Objects(last) => {
                let line = shown::machine(report).to_string();
                if *last != line {
                    ui.print(format!("{line}\n").as_bytes());
                    *last = line;
                }
            }
        }
    }
}

/// What fits so many rows: all, or what goes on and what went wrong before what waits and what is done.
fn fitting(report: &Report, rows: usize) -> Vec<String> {
    let (mut lines, steps) = shown::lines(report);
    let room = rows.saturating_sub(lines.len());
    if steps.len() <= room {
        lines.extend(steps);
        return lines;
    }
    let rank = |place: usize| match report.steps.get(place).map(|step| step.state) {
        Some(state) if state.is_live() => 0,
        Some(Stand::Failed | Stand::Cancelled) => 1,
        Some(Stand::Waiting) => 2,
        _ => 3,
    };
    let mut places: Vec<usize> = (0..steps.len()).collect();
    places.sort_by_key(|&place| rank(place));
    places.truncate(room.saturating_sub(1));
    places.sort_unstable();
    let more = steps.len() - places.len();
    lines.extend(places.into_iter().filter_map(|place| steps.get(place).cloned()));
    lines.push(format!(
        "  … and {more} more, {} of {} steps done",
        report.counts.done(),
        steps.len()
    ));
    lines.truncate(rows);
    lines
}

/// Where a run stands, on one line.
fn line(report: &Report) -> String {
    let summary = &report.summary;
    let mut line = format!("Run {}: {}", summary.run, shown::standing(&summary.standing));
    if let Some((cluster, state)) = report.cluster().and_then(|it| Some((&it.id, it.state?))) {
        line += &format!("; cluster {cluster} {}", state.as_str());
    }
    let counts = &report.counts;
    if counts.steps > 0 {
        line += &format!("; {} of {} steps done", counts.done(), counts.steps);
    }
    for (count, what) in [
        (counts.failed, "failed"),
        (counts.cancelled, "cancelled"),
        (counts.skipped, "skipped"),
        (counts.left_out, "left out"),
    ] {
        if count > 0 {
            line += &format!(", {count} {what}");
        }
    }
    let live = || report.steps.iter().filter(|step| step.state.is_live());
    let named: Vec<_> = live()
        .take(NAMED)
        .map(|step| format!("{} {}", escape::line(&step.id), step.state.word()))
        .collect();
    if !named.is_empty() {
        let more = live().count() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        line += &format!("; {}{more}", named.join(", "));
    }
    line
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dataflow_runner_core::config::playbook::StepType;
    use dataflow_runner_core::event::{Attempt, Event, EventKind, Goal, Skip, StepInfo};
    use dataflow_runner_core::fabric::{ClusterId, StepId, Token};
    use dataflow_runner_core::journal::{Header, Journal};
    use jiff::Timestamp;

    use super::*;

    /// Of twenty steps the fourth is live, and the last is skipped.
    fn report() -> Report {
        let run = RunId::new("r-1");
        let at = Timestamp::UNIX_EPOCH;
        let header = Header {
            version: journal::VERSION,
            run: run.clone(),
            program: String::new(),
            created: at,
            fabric: "memory".into(),
            reach: BTreeMap::new(),
            time_zone: String::new(),
            noop_exit_code: 0,
        };
        let step = |number: usize| StepInfo {
            id: format!("s{number}"),
            name: format!("s{number}"),
            step_type: StepType::Command,
            digest: String::new(),
            needs: None,
            rules: None,
        };
        let token = Token::of(&run, 1, 1);
        let kinds = [
            EventKind::RunStarted {
                run: run.clone(),
                goal: Goal::Run,
                fabric: "memory".into(),
                playbook: None,
                tags: BTreeMap::new(),
                steps: (1..=20).map(step).collect(),
                cluster: Some(ClusterId::new("c-1")),
                name: None,
                driver: None,
                max_parallel: None,
                left_out: Vec::new(),
            },
            EventKind::SubmitIntended {
                token: token.clone(),
                steps: vec![Attempt { step: "s4".into(), attempt: 1 }],
                ids: Vec::new(),
                ask_first: false,
            },
            EventKind::Submitted { token, ids: vec![StepId::new("x")], adopted: false },
            EventKind::StepSkipped { step: "s20".into(), why: Skip::ClusterGone },
        ];
        let state = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::create(state.path(), &header).expect("a journal");
        for (kind, seq) in kinds.into_iter().zip(1..) {
            journal.append(&Event { seq, at, kind }).expect("it is written");
        }
        read(&run, &journal::folder(state.path(), &run), true).expect("it makes sense")
    }

    #[test]
    fn what_goes_on_is_shown_where_there_is_no_room_for_all() {
        let report = report();
        let head = shown::lines(&report).0.len();
        assert_eq!(fitting(&report, head + 20).len(), head + 20, "all of it");
        let few = fitting(&report, head + 3);
        let expected =
            ["  WAITING    s1", "  PENDING    s4 [x]", "  … and 18 more, 1 of 20 steps done"];
        assert_eq!(few[head..], expected);
        assert_eq!(fitting(&report, 2).len(), 2, "no more than there is room for");
    }

    #[test]
    fn a_line_names_what_is_live() {
        assert_eq!(line(&report()), "Run r-1: running; 1 of 20 steps done, 1 skipped; s4 PENDING");
    }
}

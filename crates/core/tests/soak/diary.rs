//! Where the events of a run are kept: in memory, or as a journal on disk, whose last line a dying driver may tear.

use std::collections::BTreeMap;
use std::fs::OpenOptions;

use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::event::{Event, Outcome};
use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::journal::{self, Header, Journal};
use dataflow_runner_core::report::{Report, Standing};
use jiff::Timestamp;
use tempfile::TempDir;

use super::RUN;
use super::dice::Dice;

pub(crate) struct Diary(Option<TempDir>);

impl Diary {
    /// Most are in memory: disks are slow.
    pub(crate) fn roll(dice: &mut Dice) -> Self {
        Self(dice.percent(10).then(|| tempfile::tempdir().expect("a folder")))
    }

    /// For the first driver.
    pub(crate) fn begin(&self, now: Timestamp) -> Journal {
        let Some(folder) = &self.0 else { return Journal::in_memory(usize::MAX) };
        let header = Header {
            version: journal::VERSION,
            run: RunId::new(RUN),
            program: "soak".to_owned(),
            created: now,
            fabric: "soak".to_owned(),
            reach: BTreeMap::new(),
            time_zone: "UTC".to_owned(),
            noop_exit_code: 0,
        };
        Journal::create(folder.path(), &header).expect("a journal")
    }

    /// The driver died; the last event may not have been written to its end.
    pub(crate) fn tear(&self, events: &mut Vec<Event>, dice: &mut Dice) {
        let Some(folder) = &self.0 else { return drop(events.pop()) };
        let path = journal::folder(folder.path(), &RunId::new(RUN)).join("journal.jsonl");
        let file = OpenOptions::new().write(true).open(path).expect("it is there");
        let length = file.metadata().expect("it is a file").len();
        // No line is shorter.
        file.set_len(length - dice.within(1, 40)).expect("it is cut");
        events.pop();
    }

    /// For the next driver, who knows what it tells.
    pub(crate) fn go_on(&self, events: &[Event]) -> Journal {
        let Some(folder) = &self.0 else { return Journal::in_memory(usize::MAX) };
        let folder = journal::folder(folder.path(), &RunId::new(RUN));
        let (journal, contents) = Journal::resume(&folder).expect("it is sound");
        assert_eq!(contents.events, events, "what is read is what was written");
        journal
    }

    /// What it tells in the end.
    pub(crate) fn check(&self, events: &[Event], outcome: &Outcome) -> Result<(), String> {
        let told = RunState::fold(events).map(|state| state.outcome);
        if told != Ok(Some(outcome.clone())) {
            return Err(format!("the events fold to {told:?}"));
        }
        let Some(folder) = &self.0 else { return Ok(()) };
        let contents = journal::read(&journal::folder(folder.path(), &RunId::new(RUN)));
        let contents = contents.map_err(|error| error.to_string())?;
        let report = Report::of(&contents, false).map_err(|illegal| illegal.to_string())?;
        let same = contents.events == events
            && report.summary.standing == Standing::Ended(outcome.clone());
        if same { Ok(()) } else { Err(format!("the journal tells {report:?}")) }
    }
}

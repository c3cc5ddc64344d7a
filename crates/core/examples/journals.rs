//! Journals for `scripts/bench`.
//!
//! `journals copy RUN_FOLDER STATE_FOLDER COUNT`: so many runs like that one, each a second after the one before, with
//! ids, headers and checksums of their own. `journals replay RUN_FOLDER TIMES`: how many nanoseconds it takes to read
//! a journal and to fold it, a line for each time.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use dataflow_runner_core::clock::add;
use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::event::Event;
use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::journal::{self, Journal};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["copy", run, state, count] => copy(Path::new(run), Path::new(state), count.parse()?),
        ["replay", run, times] => replay(Path::new(run), times.parse()?),
        _ => {
            Err("usage: journals copy RUN_FOLDER STATE_FOLDER COUNT | replay RUN_FOLDER TIMES"
                .into())
        }
    }
}

fn copy(run: &Path, state: &Path, count: u64) -> Result<(), Box<dyn Error>> {
    let known = journal::read(run)?;
    let old = known.header.run.as_str();
    let lines: Vec<String> =
        known.events.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    for number in 0..count {
        let mut header = known.header.clone();
        header.created = add(header.created, Duration::from_secs(number));
        header.run = RunId::fresh(header.created, number);
        let mut journal = Journal::create(state, &header)?;
        for line in &lines {
            let event: Event = serde_json::from_str(&line.replace(old, header.run.as_str()))?;
            journal.append(&event)?;
        }
    }
    Ok(())
}

fn replay(run: &Path, times: usize) -> Result<(), Box<dyn Error>> {
    let mut stdout = std::io::stdout().lock();
    for _ in 0..times {
        let since = Instant::now();
        let contents = journal::read(run)?;
        let state = RunState::fold(&contents.events)?;
        let took = since.elapsed();
        if state.seq != contents.events.len() as u64 {
            return Err("not all events were folded".into());
        }
        writeln!(stdout, "{}", took.as_nanos())?;
    }
    Ok(())
}

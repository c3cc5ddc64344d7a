//! Shows what another process does with a run, as the journal tells it.

use std::path::Path;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::event::{EventKind, Outcome};
use dataflow_runner_core::journal::{self, Error};

use crate::ui::Ui;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(300);

/// Why there is nothing more to show.
pub(super) enum Followed {
    /// The run ended.
    Ended(Outcome),
    /// Its driver is gone, and it has no end.
    Left,
    /// A signal came: the looking ends, nothing else.
    Interrupted(i32),
}

/// Follows a run until nobody drives it. What happened before is not shown again.
///
/// # Errors
/// The journal cannot be read, or is damaged.
pub(super) fn follow(folder: &Path, bell: &Bell, ui: &mut Ui) -> Result<Followed, Error> {
    let mut seen = None;
    loop {
        // Whether it is driven is asked first: what is journaled after that is seen by the next look.
        let driven = journal::glance(folder)?.driven;
        let events = journal::read(folder)?.events;
        let known = *seen.get_or_insert_with(|| {
            ui.recall(&events);
            events.len()
        });
        events.iter().skip(known).for_each(|event| ui.event(event));
        seen = Some(events.len());
        match events.last().map(|event| &event.kind) {
            Some(EventKind::RunEnded { outcome }) => return Ok(Followed::Ended(outcome.clone())),
            _ if !driven => return Ok(Followed::Left),
            _ => {}
        }
        if let Some((signal, _)) = bell.wait(LOOK).signal {
            return Ok(Followed::Interrupted(signal));
        }
    }
}

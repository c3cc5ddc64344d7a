//! What is going on, on a terminal: a line for each running step, and one for all.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use dataflow_runner_core::event::{Event, EventKind};
use dataflow_runner_core::fabric::StepState;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::escape;
use super::messages::Messages;

/// So many running steps get a line of their own; a screen is only so high.
const LINES: usize = 12;

/// The lines at the foot of the screen.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    screen: MultiProgress,
    /// The lines that show how long something takes.
    bars: Arc<Mutex<HashMap<String, ProgressBar>>>,
    total: Option<ProgressBar>,
    done: HashSet<String>,
}

impl Progress {
    /// Runs `write` with the lines out of the way.
    pub(crate) fn suspend(&self, write: impl FnOnce()) {
        self.screen.suspend(write);
    }

    /// Follows what happens.
    pub(crate) fn event(&mut self, event: &Event, messages: &Messages) {
        match &event.kind {
            EventKind::RunStarted { steps, .. } if !steps.is_empty() => self.start(steps.len()),
            EventKind::StepChanged { step, state: StepState::Running, .. } => {
                self.begin(step, messages.name(step));
            }
            EventKind::StepEnded { step, .. } | EventKind::StepSkipped { step, .. } => {
                self.end(step);
                self.done.insert(step.clone());
            }
            EventKind::RetryScheduled { step, .. } => {
                self.done.remove(step);
            }
            EventKind::RunEnded { .. } => self.clear(),
            _ => {}
        }
        if let Some(total) = &self.total {
            total.set_position(self.done.len() as u64);
        }
    }

    fn start(&mut self, steps: usize) {
        let style = style("{pos}/{len} steps done, {elapsed}");
        let total = ProgressBar::new(steps as u64).with_style(style);
        self.total = Some(self.screen.add(total.clone()));
        self.lock().insert(String::new(), total);
        let bars = Arc::downgrade(&self.bars);
        // Without it the elapsed times would stand still. It ends with the bars.
        let _ = std::thread::Builder::new().name("progress".into()).spawn(move || tick(&bars));
    }

    fn begin(&mut self, step: &str, name: &str) {
        let mut bars = self.lock();
        if bars.len() > LINES || bars.contains_key(step) {
            return;
        }
        let bar = ProgressBar::no_length().with_style(style("  {prefix}  {elapsed}"));
        let bar = match &self.total {
            Some(total) => self.screen.insert_before(total, bar),
            None => self.screen.add(bar),
        };
        bar.set_prefix(escape::line(name));
        bar.tick();
        bars.insert(step.to_owned(), bar);
    }

    fn end(&mut self, step: &str) {
        if let Some(bar) = self.lock().remove(step) {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
    }

    fn clear(&mut self) {
        for (_, bar) in self.lock().drain() {
            bar.finish_and_clear();
        }
        self.total = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, ProgressBar>> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tick(bars: &Weak<Mutex<HashMap<String, ProgressBar>>>) {
    loop {
        std::thread::park_timeout(Duration::from_secs(1));
        let Some(bars) = bars.upgrade() else { return };
        for bar in bars.lock().unwrap_or_else(PoisonError::into_inner).values() {
            bar.tick();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

//! One waiting thread for each running step: it rings the bell when the step's shim ends.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::process::{self, Identity, Process};
use super::shim;
use crate::bell::Bell;
use crate::fabric::StepStatus;

/// Waiting threads do next to nothing.
const STACK: usize = 64 * 1024;

/// The shims that are watched, by their steps' folders of logs.
#[derive(Debug)]
pub(super) struct Watch {
    bell: Arc<Bell>,
    shims: Mutex<HashMap<PathBuf, Watched>>,
}

/// What is known of a watched shim.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    /// The shim: whom to ask where no record tells any more.
    shim: Option<Identity>,
    /// It has ended, and how if it was our child.
    pub ended: Option<Option<String>>,
    /// What its record said while it runs: it need not be read again before it ends.
    pub running: Option<StepStatus>,
}

impl Watch {
    pub(super) fn new(bell: Arc<Bell>) -> Arc<Self> {
        Arc::new(Self { bell, shims: Mutex::default() })
    }

    /// Watches a shim that was just started.
    pub(super) fn child(self: &Arc<Self>, logs: &Path, mut child: Child) {
        self.add(logs, Identity::of(child.id()), move || {
            let ended = child.wait().ok()?;
            Some(shim::sentence(process::ending(ended), false))
        });
    }

    /// Watches the shim of a program that is gone, or of another one.
    pub(super) fn process(self: &Arc<Self>, logs: &Path, shim: Identity, process: Process) {
        if self.look(logs).is_none() {
            self.add(logs, shim, move || {
                process.wait(None);
                None
            });
        }
    }

    pub(super) fn look(&self, logs: &Path) -> Option<Watched> {
        self.shims().get(logs).cloned()
    }

    /// The watched shims that have not ended, of one step or of all of a cluster, by their folder of logs.
    pub(super) fn running(&self, logs: &Path) -> Vec<Identity> {
        let shims = self.shims();
        let running =
            shims.iter().filter(|(at, shim)| at.starts_with(logs) && shim.ended.is_none());
        running.filter_map(|(_, watched)| watched.shim).collect()
    }

    /// Keeps what a running step's record said.
    pub(super) fn remember(&self, logs: &Path, status: &StepStatus) {
        if let Some(watched) = self.shims().get_mut(logs) {
            watched.running = Some(status.clone());
        }
    }

    /// Drops what has ended and been told.
    pub(super) fn forget(&self, logs: &Path) {
        self.shims().remove(logs);
    }

    pub(super) fn ring(&self) {
        self.bell.ring();
    }

    fn add(
        self: &Arc<Self>,
        logs: &Path,
        shim: Identity,
        wait: impl FnOnce() -> Option<String> + Send + 'static,
    ) {
        let watched = Watched { shim: Some(shim), ..Watched::default() };
        self.shims().insert(logs.to_owned(), watched);
        let (watch, key) = (Arc::clone(self), logs.to_owned());
        let thread = start(move || {
            let ended = wait();
            if let Some(watched) = watch.shims().get_mut(&key) {
                watched.ended = Some(ended);
            }
            watch.ring();
        });
        if thread.is_err() {
            // Without a thread for it nothing is known of it but its record, which is looked at at leisure.
            self.forget(logs);
        }
    }

    fn shims(&self) -> MutexGuard<'_, HashMap<PathBuf, Watched>> {
        // Whoever panicked while holding it cannot have left a single entry half done.
        self.shims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a waiting thread.
pub(super) fn start(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    thread::Builder::new().name("local".into()).stack_size(STACK).spawn(work).map(drop)
}

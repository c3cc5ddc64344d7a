//! One waiting thread for each shim: it rings the bell when a step of the shim ends, or the shim itself. A shim
//! whose step has ended is kept for the next.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::places::{RECORD, StepPlace};
use super::process::{self, Identity, Process, Wire};
use super::record::{self, Shim};
use super::shim;
use crate::bell::Bell;
use crate::fabric::StepStatus;

/// Waiting threads do next to nothing.
const STACK: usize = 64 * 1024;
/// Between two looks whether a step is claimed.
const LOOK: Duration = Duration::from_millis(20);
/// A shim that has not ended so long after it was let go is left to itself: it does nothing any more.
const DISMISSED: Duration = Duration::from_secs(1);

/// What is watched.
#[derive(Debug)]
pub(super) struct Watch {
    bell: Arc<Bell>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The watched steps, by their folders of logs.
    steps: HashMap<PathBuf, Watched>,
    /// Our shims that have no step.
    idle: Vec<Arc<Server>>,
    /// The steps of others that are to be claimed, by their folders of logs.
    unclaimed: HashSet<PathBuf>,
}

/// What is known of a watched step.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    /// Its shim: whom to ask where no record tells any more.
    shim: Option<Identity>,
    /// The same, if it is ours and serves one step after the other.
    server: Option<Arc<Server>>,
    /// It serves one step after the other, and is not ours.
    foreign: bool,
    /// Its shim has ended, and how if it was our child; or is through with this step.
    pub ended: Option<Option<String>>,
    /// What its record said while it runs: it need not be read again before it ends.
    pub running: Option<StepStatus>,
}

/// A shim of ours that serves one step after the other.
#[derive(Debug)]
struct Server {
    shim: Identity,
    wire: Wire,
    /// Its step's folder of logs. Changed only by whoever holds the state.
    step: Mutex<Option<PathBuf>>,
}

impl Server {
    fn step(&self) -> MutexGuard<'_, Option<PathBuf>> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    pub(super) fn new(bell: Arc<Bell>) -> Arc<Self> {
        Arc::new(Self { bell, state: Mutex::default() })
    }

    /// Gives a step to a shim that has none; `false` if there is no such shim.
    pub(super) fn hand(&self, logs: &Path, send: impl Fn(&Wire) -> io::Result<()>) -> bool {
        let mut state = self.state();
        // The last that came is the one whose memory is still at hand.
        while let Some(server) = state.idle.pop() {
            // A dead one is told by its end of the wire too, but for the moment in which a process that another
            // thread starts still has a copy of that.
            if server.shim.is_alive() && send(&server.wire).is_ok() {
                state.begin(logs, &server);
                return true;
            }
            // It is gone, or about to go.
            server.wire.close();
        }
        false
    }

    /// Watches a shim that was just started, and has a step to begin with.
    pub(super) fn server(self: &Arc<Self>, logs: &Path, mut child: Child, wire: Wire) {
        let shim = Identity::of(child.id());
        let server = Arc::new(Server { shim, wire, step: Mutex::default() });
        self.state().begin(logs, &server);
        let watch = Arc::clone(self);
        let thread = start(move || {
            while server.wire.wait_done() {
                watch.done(&server);
            }
            let ended = child.wait().ok();
            watch.gone(&server, ended.map(|how| shim::sentence(process::ending(how), false)));
        });
        if thread.is_err() {
            self.forget(logs);
        }
    }

    fn done(&self, server: &Arc<Server>) {
        let mut state = self.state();
        state.end(server, Some("it went on to others".to_owned()));
        state.idle.push(Arc::clone(server));
        drop(state);
        self.ring();
    }

    fn gone(&self, server: &Arc<Server>, how: Option<String>) {
        let mut state = self.state();
        state.idle.retain(|idle| !Arc::ptr_eq(idle, server));
        let had_a_step = state.end(server, how);
        drop(state);
        if had_a_step {
            self.ring();
        }
    }

    /// Lets those shims go that have no step, and waits for their end, which comes at once.
    pub(super) fn dismiss(&self) {
        let idle = std::mem::take(&mut self.state().idle);
        idle.iter().for_each(|server| server.wire.close());
        let until = Instant::now() + DISMISSED;
        let shims = idle.iter().filter_map(|server| Process::find(server.shim));
        shims.for_each(|shim| _ = shim.wait(Some(until)));
    }

    /// Watches a shim of one step that was just started.
    pub(super) fn child(self: &Arc<Self>, logs: &Path, mut child: Child) {
        self.add(logs, Identity::of(child.id()), false, move || {
            let ended = child.wait().ok()?;
            Some(shim::sentence(process::ending(ended), false))
        });
    }

    /// Watches the shim of a program that is gone, or of another one, until it is through with the step of a record.
    pub(super) fn process(self: &Arc<Self>, place: &StepPlace, shim: &Shim, process: Process) {
        if self.look(&place.logs).is_none() {
            let (holds, record) = (shim.holds, place.record());
            self.add(&place.logs, shim.process, holds, move || {
                if !holds || !record::wait_released(&record) {
                    process.wait(None);
                }
                None
            });
        }
    }

    /// Rings when somebody has claimed a step, or nobody has for so long: a shim that is not ours tells us nothing.
    pub(super) fn claim(self: &Arc<Self>, place: &StepPlace, limit: Duration) {
        if !self.state().unclaimed.insert(place.logs.clone()) {
            return;
        }
        let (watch, logs, record) = (Arc::clone(self), place.logs.clone(), place.record());
        let thread = start(move || {
            let (until, nobody) = (Instant::now() + limit, Bell::new());
            // One that is empty is just being claimed.
            let claimed = || record.metadata().is_ok_and(|record| record.len() > 0);
            while !claimed() && Instant::now() < until {
                nobody.pause(LOOK);
            }
            watch.state().unclaimed.remove(&logs);
            watch.ring();
        });
        if thread.is_err() {
            self.state().unclaimed.remove(&place.logs);
        }
    }

    pub(super) fn look(&self, logs: &Path) -> Option<Watched> {
        self.state().steps.get(logs).cloned()
    }

    /// The shims to signal where no marker can be written: those of the watched steps that have not ended, of one
    /// step or of all of a cluster, by their folder of logs. From now on those of ours get no other step, so what is
    /// sent to them can reach none; those of another program are among them only if they can take no other.
    pub(super) fn running(&self, logs: &Path) -> Vec<Identity> {
        let state = self.state();
        let running =
            state.steps.iter().filter(|(at, step)| at.starts_with(logs) && step.ended.is_none());
        let ours = running.filter(|(at, step)| !step.foreign || !at.join(RECORD).exists());
        let shims = ours.filter_map(|(_, step)| {
            step.server.iter().for_each(|server| server.wire.close());
            step.shim
        });
        shims.collect()
    }

    /// Keeps what a running step's record said.
    pub(super) fn remember(&self, logs: &Path, status: &StepStatus) {
        if let Some(watched) = self.state().steps.get_mut(logs) {
            watched.running = Some(status.clone());
        }
    }

    /// Drops what has ended and been told.
    pub(super) fn forget(&self, logs: &Path) {
        self.state().steps.remove(logs);
    }

    pub(super) fn ring(&self) {
        self.bell.ring();
    }

    fn add(
        self: &Arc<Self>,
        logs: &Path,
        shim: Identity,
        foreign: bool,
        wait: impl FnOnce() -> Option<String> + Send + 'static,
    ) {
        let watched = Watched { shim: Some(shim), foreign, ..Watched::default() };
        self.state().steps.insert(logs.to_owned(), watched);
        let (watch, key) = (Arc::clone(self), logs.to_owned());
        let thread = start(move || {
            let ended = wait();
            if let Some(watched) = watch.state().steps.get_mut(&key) {
                watched.ended = Some(ended);
            }
            watch.ring();
        });
        if thread.is_err() {
            // Without a thread for it nothing is known of it but its record, which is looked at at leisure.
            self.forget(logs);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked while holding it cannot have left a single entry half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin(&mut self, logs: &Path, server: &Arc<Server>) {
        *server.step() = Some(logs.to_owned());
        let (shim, server) = (Some(server.shim), Some(Arc::clone(server)));
        self.steps.insert(logs.to_owned(), Watched { shim, server, ..Watched::default() });
    }

    /// Notes that a server is through with its step; `false` if it had none.
    fn end(&mut self, server: &Server, how: Option<String>) -> bool {
        let Some(logs) = server.step().take() else { return false };
        if let Some(step) = self.steps.get_mut(&logs) {
            step.ended = Some(how);
        }
        true
    }
}

/// Starts a waiting thread.
pub(super) fn start(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    thread::Builder::new().name("local".into()).stack_size(STACK).spawn(work).map(drop)
}

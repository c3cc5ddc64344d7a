//! A fabric whose user is killed in the middle of a call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::playbook::Playbook;
use crate::diagnostic::Diagnostics;
use crate::fabric::memory::Memory;
use crate::fabric::{
    Capabilities, Chunk, ClusterId, ClusterStatus, Clusters, Fabric, Found, Launch, LocalFile,
    LogFile, Order, Query, Result, StepId, StepStatus, Uri,
};

/// What a killed driver leaves by.
pub(super) struct Killed;

/// Ends the driver here, as `kill -9` does.
pub(super) fn kill() -> ! {
    std::panic::resume_unwind(Box::new(Killed))
}

/// Where the driver is killed, by the number of the call from 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kills {
    /// After so many events of the run.
    pub(crate) after_events: BTreeSet<usize>,
    /// Before the fabric hears of the call.
    pub(crate) before_calls: BTreeSet<usize>,
    /// When the fabric has done what the call asks for.
    pub(crate) after_calls: BTreeSet<usize>,
}

#[derive(Debug)]
pub(super) struct Mortal<'a> {
    pub(super) fabric: &'a Memory,
    pub(super) kills: &'a Kills,
    pub(super) calls: AtomicUsize,
}

impl Mortal<'_> {
    fn call<T>(&self, call: impl FnOnce(&Memory) -> T) -> T {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if self.kills.before_calls.contains(&number) {
            kill();
        }
        let answer = call(self.fabric);
        if self.kills.after_calls.contains(&number) {
            kill();
        }
        answer
    }
}

impl Fabric for Mortal<'_> {
    fn capabilities(&self) -> &Capabilities {
        self.fabric.capabilities()
    }

    fn check(&self, playbook: &Playbook, faults: &mut Diagnostics) {
        self.fabric.check(playbook, faults);
    }

    fn describe(&self, playbook: &Playbook) -> Vec<Vec<String>> {
        self.fabric.describe(playbook)
    }

    fn is_on_cluster(&self, text: &str) -> bool {
        self.fabric.is_on_cluster(text)
    }

    fn reach(&self) -> BTreeMap<String, String> {
        self.fabric.reach()
    }

    fn clusters(&self) -> Option<&dyn Clusters> {
        Some(self)
    }

    fn home(&self) -> Option<ClusterId> {
        None
    }

    fn stage(&self, file: &LocalFile) -> Result<Uri> {
        self.call(|fabric| fabric.stage(file))
    }

    fn reserve(&self, on: &ClusterId, steps: usize) -> Result<Vec<StepId>> {
        self.call(|fabric| fabric.reserve(on, steps))
    }

    fn submit(&self, on: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>> {
        self.call(|fabric| fabric.submit(on, order))
    }

    fn find(&self, on: &ClusterId, order: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        self.call(|fabric| Fabric::find(fabric, on, order))
    }

    fn poll(&self, on: &ClusterId, ids: &[StepId]) -> Result<Vec<(StepId, StepStatus)>> {
        self.call(|fabric| fabric.poll(on, ids))
    }

    fn cancel(&self, on: &ClusterId, ids: &[StepId]) -> Result<()> {
        self.call(|fabric| fabric.cancel(on, ids))
    }

    fn logs(&self, on: &ClusterId, id: &StepId) -> Result<Vec<LogFile>> {
        self.call(|fabric| Fabric::logs(fabric, on, id))
    }

    fn read(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        self.call(|fabric| fabric.read(file, from))
    }

    fn warnings(&self) -> Vec<String> {
        self.fabric.warnings()
    }
}

impl Clusters for Mortal<'_> {
    fn launch(&self, order: &Launch<'_>) -> Result<ClusterId> {
        self.call(|fabric| fabric.launch(order))
    }

    fn find(&self, order: &Launch<'_>) -> Result<Found<ClusterId>> {
        self.call(|fabric| Clusters::find(fabric, order))
    }

    fn list(&self, query: &Query) -> Result<Vec<ClusterStatus>> {
        self.call(|fabric| fabric.list(query))
    }

    fn inspect(&self, id: &ClusterId) -> Result<ClusterStatus> {
        self.call(|fabric| fabric.inspect(id))
    }

    fn terminate(&self, id: &ClusterId) -> Result<()> {
        self.call(|fabric| fabric.terminate(id))
    }

    fn logs(&self, id: &ClusterId) -> Result<Vec<LogFile>> {
        self.call(|fabric| Clusters::logs(fabric, id))
    }
}

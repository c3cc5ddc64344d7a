//! A fabric whose words can be shown to everybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Capabilities, Chunk, ClusterId, ClusterStatus, Clusters, Error, Fabric, Found, Launch,
    LocalFile, LogFile, Order, Query, Result, StepId, StepStatus, Uri,
};
use crate::config::playbook::Playbook;
use crate::diagnostic::Diagnostics;
use crate::secret::Hidden;

/// Another fabric, with what it was told in secret taken out of all that it says: a far side that refuses an order may
/// quote it, and one that tells how a step failed may quote the step's arguments. Logs stay as they are.
#[derive(Debug)]
pub struct Discreet {
    inner: Arc<dyn Fabric>,
    hidden: Hidden,
}

impl Discreet {
    /// A fabric that says nothing of what is hidden.
    pub fn new(inner: Arc<dyn Fabric>, hidden: Hidden) -> Self {
        Self { inner, hidden }
    }

    fn told<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| Error { message: self.masked(error.message), ..error })
    }

    fn masked(&self, mut text: String) -> String {
        self.hidden.mask(&mut text);
        text
    }

    fn cluster(&self, status: ClusterStatus) -> ClusterStatus {
        ClusterStatus { reason: status.reason.map(|reason| self.masked(reason)), ..status }
    }

    /// Only asked where there are some.
    fn owned(&self) -> Result<&dyn Clusters> {
        self.inner.clusters().ok_or_else(|| {
            let fabric = self.inner.capabilities().fabric;
            Error::new(super::ErrorKind::Unsupported, fabric, "clusters", "it has no clusters")
        })
    }
}

impl Fabric for Discreet {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn check(&self, playbook: &Playbook, faults: &mut Diagnostics) {
        self.inner.check(playbook, faults);
    }

    fn describe(&self, playbook: &Playbook) -> Vec<Vec<String>> {
        self.inner.describe(playbook)
    }

    fn is_on_cluster(&self, text: &str) -> bool {
        self.inner.is_on_cluster(text)
    }

    fn reach(&self) -> BTreeMap<String, String> {
        self.inner.reach()
    }

    fn clusters(&self) -> Option<&dyn Clusters> {
        self.inner.clusters().map(|_| self as &dyn Clusters)
    }

    fn home(&self) -> Option<ClusterId> {
        self.inner.home()
    }

    fn stage(&self, file: &LocalFile) -> Result<Uri> {
        self.told(self.inner.stage(file))
    }

    fn reserve(&self, on: &ClusterId, steps: usize) -> Result<Vec<StepId>> {
        self.told(self.inner.reserve(on, steps))
    }

    fn submit(&self, on: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>> {
        self.told(self.inner.submit(on, order))
    }

    fn find(&self, on: &ClusterId, order: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        self.told(self.inner.find(on, order))
    }

    fn poll(&self, on: &ClusterId, ids: &[StepId]) -> Result<Vec<(StepId, StepStatus)>> {
        let mut all = self.told(self.inner.poll(on, ids))?;
        for (_, status) in &mut all {
            if let Some(reason) = &mut status.reason {
                self.hidden.mask(reason);
            }
        }
        Ok(all)
    }

    fn cancel(&self, on: &ClusterId, ids: &[StepId]) -> Result<()> {
        self.told(self.inner.cancel(on, ids))
    }

    fn logs(&self, on: &ClusterId, id: &StepId) -> Result<Vec<LogFile>> {
        self.told(self.inner.logs(on, id))
    }

    fn read(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        self.told(self.inner.read(file, from))
    }

    fn warnings(&self) -> Vec<String> {
        self.inner.warnings().into_iter().map(|text| self.masked(text)).collect()
    }
}

impl Clusters for Discreet {
    fn launch(&self, order: &Launch<'_>) -> Result<ClusterId> {
        self.told(self.owned()?.launch(order))
    }

    fn find(&self, order: &Launch<'_>) -> Result<Found<ClusterId>> {
        self.told(self.owned()?.find(order))
    }

    fn list(&self, query: &Query) -> Result<Vec<ClusterStatus>> {
        let all = self.told(self.owned()?.list(query))?;
        Ok(all.into_iter().map(|status| self.cluster(status)).collect())
    }

    fn inspect(&self, id: &ClusterId) -> Result<ClusterStatus> {
        self.told(self.owned()?.inspect(id)).map(|status| self.cluster(status))
    }

    fn terminate(&self, id: &ClusterId) -> Result<()> {
        self.told(self.owned()?.terminate(id))
    }

    fn logs(&self, id: &ClusterId) -> Result<Vec<LogFile>> {
        self.told(self.owned()?.logs(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::fabric::memory::{Memory, Script};

    #[test]
    fn what_is_hidden_is_in_no_error() {
        let clock = Arc::new(Clock::turned_by_hand(jiff::Timestamp::UNIX_EPOCH));
        let memory = Memory::new(Memory::usual(), Script::default(), clock);
        let mut hidden = Hidden::default();
        hidden.hide("such", "‹secret›", 1);
        let fabric = Discreet::new(Arc::new(memory), hidden);
        let gone = ClusterId::new("gone");
        let clusters = fabric.clusters().expect("it has some");
        let errors = [
            fabric.poll(&gone, &[]).err(),
            fabric.cancel(&gone, &[]).err(),
            clusters.inspect(&gone).err(),
        ];
        for error in errors {
            assert_eq!(error.expect("there is none").message, "no ‹secret› cluster");
        }
    }
}

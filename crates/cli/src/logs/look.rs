//! The looks for the logs of one thing that failed.

use std::time::Duration;

use dataflow_runner_core::clock::Clock;
use dataflow_runner_core::fabric::{ClusterId, Fabric, LogFile, Result, StepId};
use dataflow_runner_core::logs;
use dataflow_runner_core::logs::wait::{Next, Watch};
use jiff::Timestamp;

use super::show::{self, Failed, Said};

/// Whose logs are wanted.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
    /// A step's.
    Step(ClusterId, StepId),
    /// A cluster's that failed before it took steps.
    Cluster(ClusterId),
}

/// The looks for the logs of one thing that failed.
#[derive(Debug)]
pub(super) struct Look {
    whose: Whose,
    pub(super) failed: Failed,
    /// When the next one is due.
    pub(super) due: Timestamp,
    watch: Watch,
    /// The logs told of the end when they were read last.
    ended: bool,
}

impl Look {
    /// The first is due at once; logs are there `delivery` after `since` at the latest.
    pub(super) fn new(whose: Whose, failed: Failed, since: Timestamp, delivery: Duration) -> Self {
        let watch = Watch::new(since, delivery);
        Self { whose, failed, due: since, watch, ended: false }
    }

    /// Looks once, and gives what there is to say if it was the last time. `last`: it is.
    pub(super) fn take(
        &mut self,
        fabric: &dyn Fabric,
        lines: usize,
        clock: &Clock,
        last: bool,
    ) -> Option<Vec<Said>> {
        let files = match self.whose.files(fabric) {
            Ok(files) => files,
            Err(error) => {
                let next = self.watch.missed(clock.now());
                // What is refused now is refused later, too.
                let over = last || !error.is_passing() || next == Next::Over;
                return self.over(next, over).then(|| show::unlisted(&self.failed, &error));
            }
        };
        if !self.watch.knows(&files) {
            self.ended = self.tell_of_the_end(fabric, &files);
        }
        let next = self.watch.saw(&files, self.ended, clock.now());
        let over = last || next == Next::Over;
        let complete = next == Next::Complete;
        self.over(next, over || complete).then(|| {
            let found = logs::read(fabric, &files, lines, &mut || true);
            show::findings(&self.failed, &found, complete)
        })
    }

    fn over(&mut self, next: Next, over: bool) -> bool {
        match next {
            Next::Look(due) if !over => self.due = due,
            _ => return true,
        }
        false
    }

    /// What cannot be read tells nothing yet. The set-up of a cluster ended before the cluster did.
    fn tell_of_the_end(&self, fabric: &dyn Fabric, files: &[LogFile]) -> bool {
        match self.whose {
            Whose::Step(..) => logs::tells_of_the_end(fabric, files, &mut || true).unwrap_or(false),
            Whose::Cluster(_) => true,
        }
    }
}

impl Whose {
    fn files(&self, fabric: &dyn Fabric) -> Result<Vec<LogFile>> {
        match self {
            Self::Step(cluster, id) => fabric.logs(cluster, id),
            Self::Cluster(id) => fabric.clusters().map_or(Ok(Vec::new()), |all| all.logs(id)),
        }
    }
}

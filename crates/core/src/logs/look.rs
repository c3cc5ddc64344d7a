//! The looks for the logs of one thing that failed: each lists them, and the last one reads them.

use std::time::Duration;

use jiff::Timestamp;

use super::wait::{Next, Watch};
use super::{Findings, read, tells_of_the_end};
use crate::clock::{Clock, add};
use crate::fabric::{ClusterId, Error, Fabric, LogFile, Result, StepId};

/// Reading may last so much longer than the time in which logs are delivered. A log may be larger than anybody waits
/// for, unpack to a thousand times its size, or come in drops.
const READING: Duration = Duration::from_secs(60);

/// Whose logs are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A step's.
    Step(ClusterId, StepId),
    /// A cluster's that failed in its set-up.
    Cluster(ClusterId),
}

/// The looks for the logs of one thing that failed.
#[derive(Debug)]
pub struct Look {
    whose: Whose,
    due: Timestamp,
    watch: Watch,
    /// The logs told of the end when they were read last.
    ended: bool,
}

/// What the last look gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// All there will be.
    All(Findings),
    /// What was there when no more time was left; more may come.
    Some(Findings),
    /// Nobody says which logs there are.
    Nothing(Error),
}

impl Look {
    /// The first is due at once; logs are there `delivery` after `since` at the latest.
    pub fn new(whose: Whose, since: Timestamp, delivery: Duration) -> Self {
        Self { whose, due: since, watch: Watch::new(since, delivery), ended: false }
    }

    /// When the next one is due.
    pub fn due(&self) -> Timestamp {
        self.due
    }

    /// Looks once; gives what was seen if it was the last time. `last`: it is, whatever may still come. `lines` as in
    /// [`read`].
    pub fn take(
        &mut self,
        fabric: &dyn Fabric,
        lines: usize,
        clock: &Clock,
        last: bool,
    ) -> Option<Seen> {
        let end = add(self.watch.until().max(clock.now()), READING);
        let mut go_on = || clock.now() < end;
        Some(match self.list(fabric, clock, last, &mut go_on)? {
            Err(error) => Seen::Nothing(error),
            Ok((files, complete)) => {
                let found = read(fabric, &files, lines, &mut go_on);
                if complete { Seen::All(found) } else { Seen::Some(found) }
            }
        })
    }

    /// The same, but gives the files for others to read, if it was the last time, and whether they are all there will
    /// be. `go_on` is asked between two pieces of what is read meanwhile.
    pub fn list(
        &mut self,
        fabric: &dyn Fabric,
        clock: &Clock,
        last: bool,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<Result<(Vec<LogFile>, bool)>> {
        let files = match self.whose.files(fabric) {
            Ok(files) => files,
            Err(error) => {
                let next = self.watch.missed(clock.now());
                // What is refused now is refused later, too.
                let over = last || !error.is_passing();
                return self.is_over(next, over).then_some(Err(error));
            }
        };
        if !self.watch.knows(&files) {
            self.ended = self.tell_of_the_end(fabric, &files, go_on);
        }
        let next = self.watch.saw(&files, self.ended, clock.now());
        self.is_over(next, last).then_some(Ok((files, next == Next::Complete)))
    }

    fn is_over(&mut self, next: Next, last: bool) -> bool {
        match next {
            Next::Look(due) if !last => {
                self.due = due;
                false
            }
            _ => true,
        }
    }

    /// What cannot be read tells nothing yet. The set-up of a cluster ended before the cluster did.
    fn tell_of_the_end(
        &self,
        fabric: &dyn Fabric,
        files: &[LogFile],
        go_on: &mut dyn FnMut() -> bool,
    ) -> bool {
        match self.whose {
            Whose::Step(..) => tells_of_the_end(fabric, files, go_on).unwrap_or(false),
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

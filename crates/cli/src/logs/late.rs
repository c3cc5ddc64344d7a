//! Logs that come minutes after a step has failed are looked for beside the run, by a thread of its own: the run
//! goes on polling and tidying up meanwhile, and only its end waits for what is still to come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{Clock, until};
use dataflow_runner_core::fabric::{ClusterId, Fabric, LogFile, Result, StepId};
use dataflow_runner_core::logs::wait::{Next, Watch};
use dataflow_runner_core::logs::{self, Findings};
use jiff::Timestamp;

use super::show::{self, Failed, Said};

/// When nothing is to be done, somebody looks so often whether that is still so.
const NEVER: Duration = Duration::from_secs(3600);

/// What is wanted of logs that come late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// So many lines of the end of each.
    pub(crate) lines: usize,
    /// They come so much later at the latest.
    pub(crate) delivery: Duration,
}

/// Those who look for logs that come late.
#[derive(Debug)]
pub(crate) struct Late {
    orders: Sender<Order>,
    told: Receiver<Vec<Said>>,
    /// Somebody waits for what is told.
    awaited: Arc<AtomicBool>,
    /// What is looked for and not told of yet.
    open: Vec<Failed>,
}

/// Whose logs are wanted.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
    /// A step's.
    Step(ClusterId, StepId),
}

#[derive(Debug)]
enum Order {
    /// Look for these logs from now on.
    Watch { whose: Whose, failed: Failed, since: Timestamp },
    /// Tell what there is now.
    Hurry,
}

impl Late {
    /// Starts to look. `bell` is rung when there is something to tell to who waits for it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        fabric: Arc<dyn Fabric>,
        bell: Arc<Bell>,
        wish: Wish,
    ) -> std::io::Result<Self> {
        let (orders, taken) = mpsc::channel();
        let (telling, told) = mpsc::channel();
        let awaited = Arc::new(AtomicBool::new(false));
        let looker = Looker { fabric, wish, clock: Clock::machine(None), open: Vec::new() };
        let ring = Arc::clone(&awaited);
        std::thread::Builder::new().name("logs".into()).spawn(move || {
            looker.work(&taken, &mut |said| {
                // Who does not want to hear it any more is about to end.
                let _ = telling.send(said);
                if ring.load(Ordering::SeqCst) {
                    bell.ring();
                }
            });
        })?;
        Ok(Self { orders, told, awaited, open: Vec::new() })
    }

    /// Something has failed: its logs are wanted. The first look is taken at once.
    pub(crate) fn want(&mut self, whose: Whose, failed: Failed, since: Timestamp) {
        self.open.push(failed.clone());
        let _ = self.orders.send(Order::Watch { whose, failed, since });
    }

    /// What was found by now.
    pub(super) fn found(&mut self) -> Vec<Said> {
        let mut all = Vec::new();
        while let Ok(said) = self.told.try_recv() {
            // Each is told of once; which one it was does not matter to who only counts.
            all.extend(said);
        }
        all
    }
}

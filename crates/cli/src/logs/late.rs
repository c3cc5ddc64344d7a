//! Logs that come minutes after something has failed are looked for beside the run, by a thread of its own: the run
//! goes on asking and tidying up meanwhile, and only its end waits for what is still to come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{Clock, until};
use dataflow_runner_core::fabric::Fabric;
use dataflow_runner_core::logs::look::{Look, Whose};
use jiff::Timestamp;

use super::show::{self, Failed, Said, say};
use crate::args::Level;
use crate::ui::Ui;

/// With nothing to look for, an order is waited for in turns of this.
const LONG: Duration = Duration::from_secs(3600);

/// How the looking comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Whatever is still to come is waited for.
    Wait,
    /// One more look.
    Hurry,
    /// None.
    Leave,
}

/// Those who look for logs that come late.
#[derive(Debug)]
pub(crate) struct Late {
    orders: Sender<Order>,
    told: Receiver<Told>,
    /// Somebody waits for what is told.
    awaited: Arc<AtomicBool>,
    /// What is looked for and not told of yet.
    open: Vec<Failed>,
}

#[derive(Debug)]
enum Order {
    /// Look for these logs from now on.
    Watch(Box<Look>, Failed),
    /// Tell what there is.
    Hurry,
}

#[derive(Debug)]
struct Told {
    /// Of what.
    of: Failed,
    said: Vec<Said>,
}

impl Late {
    /// Starts to look. `bell` is rung once there is something to tell to one who waits for it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        fabric: Arc<dyn Fabric>,
        bell: Arc<Bell>,
        lines: usize,
    ) -> std::io::Result<Self> {
        let (orders, taken) = mpsc::channel();
        let (telling, told) = mpsc::channel();
        let awaited = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&awaited);
        let work = move || {
            look_for_all(fabric.as_ref(), lines, &taken, &mut |told| {
                // Whoever does not want to hear it is about to end.
                _ = telling.send(told);
                if heard.load(Ordering::SeqCst) {
                    bell.ring();
                }
            });
        };
        std::thread::Builder::new().name("logs".into()).spawn(work)?;
        Ok(Self { orders, told, awaited, open: Vec::new() })
    }

    /// Something has failed: its logs are looked for, now for the first time.
    pub(crate) fn want(
        &mut self,
        whose: Whose,
        failed: Failed,
        since: Timestamp,
        delivery: Duration,
    ) {
        self.open.push(failed.clone());
        let look = Look::new(whose, since, delivery);
        _ = self.orders.send(Order::Watch(Box::new(look), failed));
    }

    /// Says what was found by now.
    pub(crate) fn tell(&mut self, ui: &mut Ui) {
        say(self.found(), ui);
    }

    /// The run has ended: waits for what is still to come, but not after a signal.
    pub(crate) fn finish(mut self, patience: Patience, bell: &Bell, ui: &mut Ui) {
        self.awaited.store(true, Ordering::SeqCst);
        self.tell(ui);
        if !self.open.is_empty() && patience == Patience::Wait {
            let of: Vec<_> = self.open.iter().map(|failed| failed.of.as_str()).collect();
            let text = format!("Waiting for the logs of {} (INT ends that)...", of.join(", "));
            ui.message(Level::Info, text);
        }
        if patience == Patience::Hurry {
            _ = self.orders.send(Order::Hurry);
        }
        while !self.open.is_empty() && patience != Patience::Leave {
            // What was told before this was told with a ring, or is found by the next turn.
            if bell.wait(LONG).signal.is_some() {
                break;
            }
            self.tell(ui);
        }
        self.tell(ui);
        for failed in &self.open {
            ui.message(Level::Warning, failed.not_seen());
        }
    }

    fn found(&mut self) -> Vec<Said> {
        let mut all = Vec::new();
        while let Ok(Told { of, said }) = self.told.try_recv() {
            if let Some(at) = self.open.iter().position(|open| *open == of) {
                self.open.remove(at);
            }
            all.extend(said);
        }
        all
    }
}

/// Looks for what is ordered until nobody orders any more.
fn look_for_all(
    fabric: &dyn Fabric,
    lines: usize,
    orders: &Receiver<Order>,
    tell: &mut dyn FnMut(Told),
) {
    let clock = Clock::machine(None);
    let mut open: Vec<(Box<Look>, Failed)> = Vec::new();
    let mut hurry = false;
    loop {
        open.retain_mut(|(look, failed)| {
            if !hurry && look.due() > clock.now() {
                return true;
            }
            let seen = look.take(fabric, lines, &clock, hurry);
            let told = seen.is_some();
            if let Some(seen) = seen {
                tell(Told { of: failed.clone(), said: show::seen(failed, &seen) });
            }
            !told
        });
        let due = open.iter().map(|(look, _)| look.due()).min();
        let pause = due.map_or(LONG, |due| until(clock.now(), due));
        match orders.recv_timeout(pause) {
            Ok(Order::Watch(look, failed)) => open.push((look, failed)),
            Ok(Order::Hurry) => hurry = true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use dataflow_runner_core::clock;
    use dataflow_runner_core::fabric::memory::{Memory, Script};
    use dataflow_runner_core::fabric::{ClusterId, StepId};

    use super::*;
    use crate::args::{Global, Output};

    fn late(bell: &Arc<Bell>) -> Late {
        let clock = Arc::new(Clock::turned_by_hand(Timestamp::UNIX_EPOCH));
        let memory = Memory::new(Memory::usual(), Script::default(), clock);
        Late::start(Arc::new(memory), Arc::clone(bell), 9).expect("a thread")
    }

    fn wanted(late: &mut Late, step: &str, delivery: Duration) {
        let failed =
            Failed { sentence: format!("{step} failed"), of: format!("step {step}"), link: None };
        let whose = Whose::Step(ClusterId::new("j-1"), StepId::new(step));
        late.want(whose, failed, clock::timestamp(), delivery);
    }

    /// Waits for all that is told, and gives the texts of it.
    fn texts(mut late: Late, bell: &Bell) -> Vec<String> {
        late.awaited.store(true, Ordering::SeqCst);
        let mut all = late.found();
        while !late.open.is_empty() {
            bell.wait(LONG);
            all.extend(late.found());
        }
        all.into_iter()
            .map(|said| match said {
                Said::Message(_, text) | Said::Text(text) => text,
            })
            .collect()
    }

    #[test]
    fn what_there_is_at_the_end_of_delivery_is_told() {
        let bell = Arc::new(Bell::new());
        let mut late = late(&bell);
        wanted(&mut late, "s-1", Duration::ZERO);
        wanted(&mut late, "s-2", Duration::ZERO);
        let mut texts = texts(late, &bell);
        texts.sort();
        assert_eq!(
            texts,
            [
                "Content of log file 'stdout' for step s-1:",
                "Content of log file 'stdout' for step s-2:",
                "The logs of step s-1 may go on",
                "The logs of step s-2 may go on",
                "log of s-1\n",
                "log of s-2\n",
            ]
        );
    }

    #[test]
    fn in_a_hurry_nothing_is_waited_for() {
        let bell = Arc::new(Bell::new());
        let mut late = late(&bell);
        wanted(&mut late, "s-1", LONG);
        late.orders.send(Order::Hurry).expect("somebody looks");
        assert_eq!(texts(late, &bell).len(), 3);
    }

    #[test]
    fn a_signal_ends_the_wait() {
        let bell = Arc::new(Bell::new());
        let mut late = late(&bell);
        wanted(&mut late, "s-1", LONG);
        bell.signal(2);
        let mut ui = Ui::new(&Global {
            output: Some(Output::Logfmt),
            log_level: Level::Panic,
            state_dir: None,
        });
        late.finish(Patience::Wait, &bell, &mut ui);
    }
}

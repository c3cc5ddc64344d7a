//! The one thing the program waits on: a signal, a child's exit, a deadline.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wakes the one who waits. A ring while nobody waits is kept for the next wait.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<Rung>,
    wake: Condvar,
    hasty: bool,
}

/// What has happened since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rung {
    /// Something ended; look at what.
    pub ended: bool,
    /// The number of the first signal that came, and how many came.
    pub signal: Option<(i32, u32)>,
}

impl Bell {
    /// A silent bell.
    pub fn new() -> Self {
        Self::default()
    }

    /// A bell for tests: its pauses are over at once.
    pub fn hasty() -> Self {
        Self { hasty: true, ..Self::default() }
    }

    /// Something ended.
    pub fn ring(&self) {
        self.lock().ended = true;
        self.wake.notify_all();
    }

    /// A signal came.
    pub fn signal(&self, number: i32) {
        let mut rung = self.lock();
        rung.signal = Some(rung.signal.map_or((number, 1), |(first, count)| (first, count + 1)));
        drop(rung);
        self.wake.notify_all();
    }

    /// Takes what happened, without waiting.
    pub fn take(&self) -> Rung {
        std::mem::take(&mut *self.lock())
    }

    /// Waits for a ring, `limit` at most, and takes what happened.
    pub fn wait(&self, limit: Duration) -> Rung {
        let deadline = Instant::now().checked_add(limit);
        let mut rung = self.lock();
        while *rung == Rung::default() {
            let left = match deadline.map(|d| d.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => break,
                Some(left) => left,
                None => Duration::from_secs(3600),
            };
            rung = self.wake.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut *rung)
    }

    /// Lets `limit` pass, unless a signal comes or came; says whether it passed. Nothing is taken: what happened is
    /// there for the next wait. Whatever else ends does not matter here.
    pub fn pause(&self, limit: Duration) -> bool {
        let limit = if self.hasty { Duration::ZERO } else { limit };
        let deadline = Instant::now().checked_add(limit);
        let mut rung = self.lock();
        while rung.signal.is_none() {
            let left = match deadline.map(|d| d.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return true,
                Some(left) => left,
                None => Duration::from_secs(3600),
            };
            rung = self.wake.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        // The state is two plain fields: whoever panicked while holding it cannot have left it broken.
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_before_the_wait_is_kept_and_taken_once() {
        let bell = Bell::new();
        bell.ring();
        bell.signal(2);
        bell.signal(15);
        let rung = bell.wait(Duration::from_secs(3600));
        assert_eq!(rung, Rung { ended: true, signal: Some((2, 2)) });
        assert_eq!(bell.take(), Rung::default());
        assert_eq!(bell.wait(Duration::ZERO), Rung::default());
    }

    #[test]
    fn a_signal_ends_a_pause_and_stays_for_the_next_wait() {
        let bell = Bell::new();
        bell.ring();
        assert!(bell.pause(Duration::from_millis(1)), "what ended is not what it waits for");
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| bell.pause(Duration::from_secs(3600)));
            bell.signal(15);
            assert!(!waiter.join().expect("the waiter ends"));
        });
        assert!(!bell.pause(Duration::ZERO));
        assert_eq!(bell.take(), Rung { ended: true, signal: Some((15, 1)) });
        assert!(bell.pause(Duration::ZERO));
    }

    #[test]
    fn the_pauses_of_a_hasty_bell_pass_but_for_signals() {
        let bell = Bell::hasty();
        assert!(bell.pause(Duration::MAX));
        bell.signal(15);
        assert!(!bell.pause(Duration::MAX));
    }

    #[test]
    fn a_ring_ends_the_wait_of_another_thread() {
        let bell = Bell::new();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| bell.wait(Duration::from_secs(3600)));
            bell.ring();
            assert!(waiter.join().expect("the waiter ends").ended);
        });
    }
}

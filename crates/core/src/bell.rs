//! The one thing the program waits on: a signal, a child's exit, a deadline.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Signals that come so soon after the first are the same wish: `timeout` sends each twice, a service manager
/// and a closing terminal may send two kinds.
pub const ONE_WISH: Duration = Duration::from_secs(1);

/// Wakes the one who waits. A ring while nobody waits is kept for the next wait.
#[derive(Debug, Default)]
pub struct Bell {
    heard: Mutex<Heard>,
    wake: Condvar,
    hasty: bool,
}

/// What has happened since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rung {
    /// Something ended; look at what.
    pub ended: bool,
    /// The number of the first signal that came, and whether another came so much later that it is a wish of its own.
    pub signal: Option<(i32, bool)>,
}

#[derive(Debug, Default)]
struct Heard {
    rung: Rung,
    /// When its first signal came.
    since: Option<Instant>,
    /// The first signal of all.
    first: Option<i32>,
}

impl Heard {
    fn take(&mut self) -> Rung {
        self.since = None;
        std::mem::take(&mut self.rung)
    }
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
        self.lock().rung.ended = true;
        self.wake.notify_all();
    }

    /// A signal came.
    pub fn signal(&self, number: i32) {
        self.signal_at(number, Instant::now());
    }

    pub(crate) fn signal_at(&self, number: i32, now: Instant) {
        let mut heard = self.lock();
        heard.first.get_or_insert(number);
        let since = *heard.since.get_or_insert(now);
        let another = now.saturating_duration_since(since) >= ONE_WISH;
        let (first, insists) = heard.rung.signal.unwrap_or((number, false));
        heard.rung.signal = Some((first, insists || another));
        drop(heard);
        self.wake.notify_all();
    }

    /// The first signal that ever came, whether it was taken or not.
    pub fn first_signal(&self) -> Option<i32> {
        self.lock().first
    }

    /// Takes what happened, without waiting.
    pub fn take(&self) -> Rung {
        self.lock().take()
    }

    /// Waits for a ring, `limit` at most, and takes what happened.
    pub fn wait(&self, limit: Duration) -> Rung {
        let deadline = Instant::now().checked_add(limit);
        let mut heard = self.lock();
        while heard.rung == Rung::default() {
            let left = match deadline.map(|d| d.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => break,
                Some(left) => left,
                None => Duration::from_secs(3600),
            };
            heard = self.wake.wait_timeout(heard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        heard.take()
    }

    /// Lets `limit` pass, unless a signal comes or came; says whether it passed. Nothing is taken: what happened is
    /// there for the next wait. Whatever else ends does not matter here.
    pub fn pause(&self, limit: Duration) -> bool {
        let limit = if self.hasty { Duration::ZERO } else { limit };
        let deadline = Instant::now().checked_add(limit);
        let mut heard = self.lock();
        while heard.rung.signal.is_none() {
            let left = match deadline.map(|d| d.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return true,
                Some(left) => left,
                None => Duration::from_secs(3600),
            };
            heard = self.wake.wait_timeout(heard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        // The state is plain fields: whoever panicked while holding it cannot have left it broken.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!(rung, Rung { ended: true, signal: Some((2, false)) });
        assert_eq!((bell.take(), bell.first_signal()), (Rung::default(), Some(2)));
        assert_eq!(bell.wait(Duration::ZERO), Rung::default());
    }

    #[test]
    fn signals_that_are_apart_are_two_wishes() {
        let bell = Bell::new();
        let start = Instant::now();
        let after = |time: Duration, number| bell.signal_at(number, start + time);
        after(Duration::ZERO, 2);
        after(ONE_WISH - Duration::from_millis(1), 15);
        assert_eq!(bell.take().signal, Some((2, false)));
        // What was taken counts no more.
        after(ONE_WISH, 2);
        after(2 * ONE_WISH, 15);
        after(2 * ONE_WISH, 2);
        assert_eq!(bell.take().signal, Some((2, true)));
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
        assert_eq!(bell.take(), Rung { ended: true, signal: Some((15, false)) });
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

//! How fast a fake's time goes by.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::clock::{Clock, add, timestamp};

/// How fast a fake's time goes by. It starts at the time of the machine and never falls behind it unless one of
/// its seconds lasts longer than a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tempo {
    /// One second of the fake's lasts so long.
    pub second: Duration,
    /// Each question, as a fake defines them, moves its time on by so much before it is answered.
    pub notch: Duration,
}

impl Tempo {
    /// As on the wall.
    pub const REAL: Self = Self { second: Duration::from_secs(1), notch: Duration::ZERO };

    /// One second of the fake's lasts so many milliseconds.
    pub const fn second_in_ms(ms: u64) -> Self {
        Self { second: Duration::from_millis(ms), notch: Duration::ZERO }
    }

    /// Each question moves time on by so many seconds; for tests that never wait.
    pub const fn notch_of(seconds: u64) -> Self {
        Self { notch: Duration::from_secs(seconds), ..Self::REAL }
    }
}

/// A fake's clock.
#[derive(Debug)]
pub(crate) struct Hands {
    tempo: Tempo,
    start: Timestamp,
    begun: Instant,
    passed: Duration,
    /// Whose time it follows, in place of the machine's.
    clock: Option<Arc<Clock>>,
}

impl Hands {
    pub(crate) fn new(tempo: Tempo) -> Self {
        let (begun, passed) = (Instant::now(), Duration::ZERO);
        Self { tempo, start: timestamp(), begun, passed, clock: None }
    }

    /// That of a clock, however fast the machine's time goes by.
    pub(crate) fn of(clock: Arc<Clock>) -> Self {
        Self { clock: Some(clock), ..Self::new(Tempo::REAL) }
    }

    /// The fake's time.
    pub(crate) fn now(&self) -> Timestamp {
        if let Some(clock) = &self.clock {
            return add(clock.now(), self.passed);
        }
        let second = self.tempo.second.max(Duration::from_micros(1)).as_secs_f64();
        let seconds = self.begun.elapsed().as_secs_f64() / second;
        let flown = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        add(add(self.start, flown), self.passed)
    }

    /// A question came.
    pub(crate) fn notch(&mut self) {
        self.pass(self.tempo.notch);
    }

    /// So much of the fake's time passes at once.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.passed = self.passed.saturating_add(time);
    }

    /// Since the fake was started, on the wall.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

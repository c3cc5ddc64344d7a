//! Time: read here and nowhere else.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::bell::{Bell, Rung};

/// Tells the time of a run, which never goes back, and waits.
///
/// The wall clock is read once; from then on the monotonic clock counts, so setting the machine's clock
/// moves neither time limits nor the times in the journal.
#[derive(Debug)]
pub struct Clock(Hand);

/// No test waits so often, unless it waits for ever.
const ENDLESS: u32 = 100_000;

#[derive(Debug)]
enum Hand {
    Machine { wall: Timestamp, since: Instant },
    Turned(Mutex<(Timestamp, u32)>),
}

impl Clock {
    /// The machine's clock, but never earlier than `after` (the last event of a journal that goes on).
    pub fn machine(after: Option<Timestamp>) -> Self {
        let now = timestamp();
        Self(Hand::Machine { wall: after.map_or(now, |a| a.max(now)), since: Instant::now() })
    }

    /// A clock for tests: it stands still but for waits, which end at once with their limit passed.
    ///
    /// # Panics
    /// On a wait that nothing can end, and on the hundred thousandth.
    pub fn turned_by_hand(start: Timestamp) -> Self {
        Self(Hand::Turned(Mutex::new((start, 0))))
    }

    /// The time, to the millisecond, since journals are kept in milliseconds.
    pub fn now(&self) -> Timestamp {
        let now = match &self.0 {
            Hand::Machine { wall, since } => add(*wall, since.elapsed()),
            Hand::Turned(hand) => hand.lock().unwrap_or_else(PoisonError::into_inner).0,
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Waits for the bell until `deadline`.
    pub fn wait(&self, bell: &Bell, deadline: Timestamp) -> Rung {
        match &self.0 {
            // One millisecond more, as `now` is cut to milliseconds and would wake us too early.
            Hand::Machine { .. } => {
                bell.wait(until(self.now(), deadline) + Duration::from_millis(1))
            }
            Hand::Turned(hand) => {
                let rung = bell.take();
                let mut hand = hand.lock().unwrap_or_else(PoisonError::into_inner);
                let (now, waits) = &mut *hand;
                *waits += 1;
                assert!(*waits < ENDLESS, "a wait without end");
                if rung == Rung::default() {
                    assert!(deadline < Timestamp::MAX, "nothing will ever end this wait");
                    // As on the machine: `now` is cut to milliseconds and must not be before the deadline.
                    *now = add(deadline, Duration::from_millis(1)).max(*now);
                }
                rung
            }
        }
    }
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn timestamp() -> Timestamp {
    Timestamp::now()
}

/// The wall clock in the local time zone, for what people see; reads the zone's file.
pub fn wall() -> Zoned {
    timestamp().to_zoned(TimeZone::system())
}

/// `time` and so much more; the end of time if that is beyond it.
pub fn add(time: Timestamp, more: Duration) -> Timestamp {
    SignedDuration::try_from(more)
        .ok()
        .and_then(|more| time.checked_add(more).ok())
        .unwrap_or(Timestamp::MAX)
}

/// How long from `now` to `then`; zero if that is past.
pub fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_from_a_journal_that_is_ahead() {
        let ahead = add(timestamp(), Duration::from_secs(86_400));
        let clock = Clock::machine(Some(ahead));
        assert!(clock.now().as_millisecond() >= ahead.as_millisecond());
    }

    /// The machine's clock is set back by a day while a run goes on: its time goes on from where it was, and a
    /// deadline is as near as it was.
    #[test]
    fn a_clock_that_is_set_back_moves_nothing() {
        let tomorrow = add(timestamp(), Duration::from_secs(86_400));
        let clock = Clock(Hand::Machine { wall: tomorrow, since: Instant::now() });
        let first = clock.now();
        assert!(first.as_millisecond() >= tomorrow.as_millisecond());
        assert_eq!(clock.wait(&Bell::new(), add(first, Duration::from_millis(2))), Rung::default());
        let later = clock.now();
        assert!(
            later > first && until(first, later) < Duration::from_secs(3600),
            "{first} {later}"
        );
    }

    #[test]
    fn arithmetic_ends_at_the_ends_of_time() {
        assert_eq!(add(Timestamp::MAX, Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(add(Timestamp::UNIX_EPOCH, Duration::MAX), Timestamp::MAX);
        assert_eq!(until(Timestamp::MAX, Timestamp::MIN), Duration::ZERO);
    }

    #[test]
    fn a_clock_turned_by_hand_jumps_to_the_deadline() {
        let clock = Clock::turned_by_hand(Timestamp::UNIX_EPOCH);
        let deadline = add(Timestamp::UNIX_EPOCH, Duration::from_secs(60));
        assert_eq!(clock.wait(&Bell::new(), deadline), Rung::default());
        assert_eq!(clock.now(), add(deadline, Duration::from_millis(1)));
    }
}

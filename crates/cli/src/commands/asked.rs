//! A question to a fabric outside of a run, where no engine asks again.

use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{Clock, add};
use dataflow_runner_core::fabric::{ErrorKind, Result};

/// A fabric that does not answer is asked so often.
pub(super) const TRIES: u32 = 5;

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked<T> {
    /// An answer.
    Answer(T),
    /// This signal, before there was one.
    Signal(i32),
}

/// Asks until there is an answer, or none is to be expected: after so many failures at most.
///
/// # Errors
/// The last answer was none.
pub(super) fn asked<T>(
    bell: &Bell,
    clock: &Clock,
    most: u32,
    mut ask: impl FnMut() -> Result<T>,
) -> Result<Asked<T>> {
    let mut tries = 0;
    loop {
        let error = match ask() {
            Ok(answer) => return Ok(Asked::Answer(answer)),
            Err(error) => error,
        };
        // Our turn will come: that is no failure.
        tries += u32::from(error.kind != ErrorKind::Quota);
        if !error.is_passing() || tries == most {
            return Err(error);
        }
        let pause = add(clock.now(), Duration::from_secs(1 << tries));
        let until = error.not_before.unwrap_or(pause).max(pause);
        while clock.now() < until {
            if let Some((signal, _)) = clock.wait(bell, until).signal {
                return Ok(Asked::Signal(signal));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dataflow_runner_core::fabric::Error;
    use jiff::Timestamp;

    use super::*;

    /// How it ends when the first so many answers are this error, and how many seconds that takes.
    fn after(errors: u32, kind: ErrorKind, bell: &Bell) -> (Result<Asked<u32>>, i64) {
        let clock = Clock::turned_by_hand(Timestamp::UNIX_EPOCH);
        let mut calls = 0;
        let asked = asked(bell, &clock, TRIES, || {
            calls += 1;
            match calls > errors {
                true => Ok(calls),
                false => Err(Error::new(kind, "memory", "list", "no")),
            }
        });
        (asked, clock.now().as_second())
    }

    #[test]
    fn it_asks_again_ever_more_seldom_what_may_yet_be_answered() {
        let bell = Bell::new();
        assert_eq!(after(0, ErrorKind::Auth, &bell), (Ok(Asked::Answer(1)), 0));
        assert_eq!(after(2, ErrorKind::Unavailable, &bell), (Ok(Asked::Answer(3)), 6));
        let (given_up, took) = after(9, ErrorKind::Unavailable, &bell);
        assert_eq!((given_up.map_err(|error| error.kind), took), (Err(ErrorKind::Unavailable), 30));
        assert_eq!(after(9, ErrorKind::Quota, &bell).0, Ok(Asked::Answer(10)), "its turn came");
        let (refused, took) = after(1, ErrorKind::Auth, &bell);
        assert_eq!((refused.map_err(|error| error.kind), took), (Err(ErrorKind::Auth), 0));
    }

    #[test]
    fn a_signal_ends_it() {
        let bell = Bell::new();
        bell.signal(15);
        assert_eq!(after(9, ErrorKind::Unavailable, &bell), (Ok(Asked::Signal(15)), 0));
    }
}

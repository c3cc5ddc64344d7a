//! Asking again: what, when, and when no more.
//!
//! Only this module decides that a request goes out once more. It may if nothing of it left, if the far side says that
//! it did nothing, or if doing it twice does no more than doing it once. All waits together are 2 s at most; what takes
//! longer is for the engine to wait for.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::bell::Bell;

/// All waiting there may be within one call.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// The first pause is random below the first, the next below twice that, none is above the second.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);
/// So often something is sent at most.
const TRIES: u32 = 5;
/// Nothing is sent again later than this after the first try: who was slow is not asked for five times as long.
const ENOUGH: Duration = Duration::from_secs(15);

/// Why a try came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss<E> {
    /// The far side will not, now or later.
    Refused(E),
    /// It did nothing, and we know now what was wrong: at once again.
    Corrected(E),
    /// It did nothing, since there is too much at once. It may say how long to wait.
    Throttled(E, Option<Duration>),
    /// Nothing of it left.
    NotSent(E),
    /// Whether it was done is not known.
    Lost(E),
}

impl<E> Miss<E> {
    /// What was wrong.
    pub fn into_error(self) -> E {
        match self {
            Self::Refused(e) | Self::Corrected(e) | Self::Throttled(e, _) => e,
            Self::NotSent(e) | Self::Lost(e) => e,
        }
    }

    /// How long to wait before the next try: at least so long; `None`: there must be none.
    fn again(&self, repeatable: bool) -> Option<Pause> {
        match self {
            Self::Refused(_) => None,
            Self::Corrected(_) => Some(Pause::None),
            Self::Throttled(_, after) => Some(Pause::AtLeast(after.unwrap_or_default())),
            Self::NotSent(_) => Some(Pause::AtLeast(Duration::ZERO)),
            Self::Lost(_) => repeatable.then_some(Pause::AtLeast(Duration::ZERO)),
        }
    }
}

enum Pause {
    None,
    AtLeast(Duration),
}

/// Tries until it is done or there is no sense in trying on. `attempt` is told how much waiting is left, and may use
/// it up.
///
/// # Errors
/// Why the last try came to nothing.
pub fn persist<T, E>(
    bell: &Bell,
    repeatable: bool,
    attempt: impl FnMut(&mut Duration) -> Result<T, Miss<E>>,
) -> Result<T, Miss<E>> {
    let start = Instant::now();
    pausing(&mut |wait| bell.pause(wait), &|| start.elapsed(), repeatable, attempt)
}

/// The same; `pause` says whether it may go on, `elapsed` how long it has taken so far.
fn pausing<T, E>(
    pause: &mut dyn FnMut(Duration) -> bool,
    elapsed: &dyn Fn() -> Duration,
    repeatable: bool,
    mut attempt: impl FnMut(&mut Duration) -> Result<T, Miss<E>>,
) -> Result<T, Miss<E>> {
    let mut budget = PATIENCE;
    let mut tries = 0;
    loop {
        let miss = match attempt(&mut budget) {
            Ok(done) => return Ok(done),
            Err(miss) => miss,
        };
        tries += 1;
        let Some(wanted) = miss.again(repeatable) else { return Err(miss) };
        if tries >= TRIES || elapsed() > ENOUGH {
            return Err(miss);
        }
        if let Pause::AtLeast(least) = wanted {
            let wait = jitter(tries - 1, random()).max(least);
            if wait > budget || !pause(wait) {
                return Err(miss);
            }
            budget -= wait;
        }
    }
}

/// A pause between nothing and all that is allowed after so many pauses, so that those who were refused together do not
/// come back together.
fn jitter(before: u32, random: u64) -> Duration {
    let most = (SHORTEST * 2_u32.saturating_pow(before.min(8))).min(LONGEST);
    let part = random as f64 / u64::MAX as f64;
    most.mul_f64(part)
}

fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a miss is tried, and how long was paused between. A bell of which a signal came ends the pauses.
    fn tries(repeatable: bool, miss: &Miss<&str>, bell: &Bell) -> (u32, Duration) {
        let (mut tries, mut paused) = (0, Duration::ZERO);
        let mut pause = |wait| {
            paused += wait;
            bell.pause(Duration::ZERO)
        };
        let result = pausing(&mut pause, &|| ENOUGH, repeatable, |_| {
            tries += 1;
            Err::<(), _>(miss.clone())
        });
        assert_eq!(result, Err(miss.clone()));
        (tries, paused)
    }

    #[test]
    fn only_what_may_be_sent_again_is() {
        let bell = Bell::new();
        for repeatable in [false, true] {
            let check = |miss, expected| {
                let (tries, paused) = tries(repeatable, &miss, &bell);
                assert_eq!(tries, expected, "{miss:?}");
                assert!(paused <= PATIENCE);
                paused
            };
            check(Miss::Refused("x"), 1);
            assert_eq!(check(Miss::Corrected("x"), TRIES), Duration::ZERO);
            check(Miss::NotSent("x"), TRIES);
            check(Miss::Throttled("x", None), TRIES);
            check(Miss::Lost("x"), if repeatable { TRIES } else { 1 });
        }
        let least = Duration::from_millis(200);
        let (_, paused) = tries(false, &Miss::Throttled("x", Some(least)), &bell);
        assert!(paused >= least * (TRIES - 1));
    }

    #[test]
    fn what_takes_too_long_is_not_waited_for() {
        let long = Miss::Throttled("x", Some(PATIENCE + Duration::from_millis(1)));
        assert_eq!(tries(true, &long, &Bell::new()), (1, Duration::ZERO));
        let mut tries = 0;
        let spent = persist(&Bell::new(), true, |budget| {
            tries += 1;
            *budget = Duration::ZERO;
            Err::<(), _>(Miss::Throttled("x", Some(Duration::from_nanos(1))))
        });
        assert!(spent.is_err() && tries == 1);
    }

    #[test]
    fn who_is_slow_is_not_asked_five_times() {
        let mut tries = 0;
        let late = || ENOUGH + Duration::from_millis(1);
        let slow = pausing(&mut |_| true, &late, true, |_| {
            tries += 1;
            Err::<(), _>(Miss::Lost(()))
        });
        assert!(slow.is_err() && tries == 1);
    }

    #[test]
    fn after_a_signal_nothing_is_sent_again() {
        let bell = Bell::new();
        bell.signal(15);
        assert_eq!(tries(true, &Miss::Lost("x"), &bell).0, 1);
        assert_eq!(bell.take().signal, Some((15, false)));
    }

    #[test]
    fn it_ends_when_it_is_done() {
        let mut tries = 0;
        let done = pausing(&mut |_| true, &|| ENOUGH, false, |_| {
            tries += 1;
            if tries == 3 { Ok(tries) } else { Err(Miss::NotSent(())) }
        });
        assert_eq!(done, Ok(3));
    }

    #[test]
    fn pauses_grow_and_end() {
        let most = |before| jitter(before, u64::MAX);
        assert_eq!([most(0), most(1), most(9)], [SHORTEST, SHORTEST * 2, LONGEST]);
        assert_eq!(jitter(3, 0), Duration::ZERO);
        // All of them together are less than all the waiting there may be.
        assert!((0..TRIES - 1).map(most).sum::<Duration>() <= PATIENCE);
    }
}

//! Keeps a token, and gets a new one in time.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Token;
use super::error::Error;
use crate::clock::add;
use crate::http::lock;

/// A token is renewed so long before it expires, or when two thirds of its time are over. The metadata server gives the
/// same one until 4 minutes before its end, so who asks it earlier asks in vain
/// ([Google's own libraries](https://github.com/googleapis/google-auth-library-python/blob/main/google/auth/_helpers.py)
/// wait for the same reason).
const EARLY: SignedDuration = SignedDuration::from_secs(225);
/// What came to nothing is not tried again sooner.
const AGAIN: Duration = Duration::from_secs(30);

/// One token for all threads.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    state: Mutex<State>,
    /// Held by the one who renews.
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Token>,
    /// When it came.
    since: Timestamp,
    /// Before then no renewal is tried again.
    not_before: Timestamp,
    /// Before then no refusal leads to a renewal.
    unheard_until: Timestamp,
    /// Why the last renewal came to nothing.
    trouble: Option<Error>,
}

enum Look {
    /// Good for a while.
    Good(Token),
    /// Good, and to be renewed.
    Aging(Token),
    /// Past its end, or there is none yet.
    None,
    /// Past its end, and it is too early to try again.
    Wait(Error),
}

impl Keeper {
    /// A token that is good now. One thread renews it; others go on with the old one, or wait where there is none.
    ///
    /// # Errors
    /// There is none, or it expired and could not be renewed.
    pub(super) fn token(
        &self,
        now: &dyn Fn() -> Timestamp,
        fetch: &dyn Fn() -> Result<Token, Error>,
    ) -> Result<Token, Error> {
        let turn = match self.look(now()) {
            Look::Good(token) => return Ok(token),
            Look::Wait(error) => return Err(error),
            Look::Aging(token) => match self.try_turn() {
                Some(turn) => turn,
                None => return Ok(token),
            },
            Look::None => lock(&self.turn),
        };
        let old = match self.look(now()) {
            // Somebody else did it meanwhile.
            Look::Good(token) => return Ok(token),
            Look::Wait(error) => return Err(error),
            Look::Aging(token) => Some(token),
            Look::None => None,
        };
        let fetched = fetch();
        let done = self.take(now(), fetched);
        drop(turn);
        // That a renewal failed does not matter while the old one is good.
        match (done, old) {
            (Err(_), Some(old)) => Ok(old),
            (done, _) => done,
        }
    }

    /// `used` was refused: whether there is another one now. Of itself one refusal in a while leads to a renewal, so who
    /// is refused for other reasons does not have a token renewed with each call.
    ///
    /// # Errors
    /// It cannot be renewed.
    pub(super) fn refuse(
        &self,
        used: &Token,
        now: &dyn Fn() -> Timestamp,
        fetch: &dyn Fn() -> Result<Token, Error>,
    ) -> Result<bool, Error> {
        let _turn = lock(&self.turn);
        {
            let mut state = lock(&self.state);
            if state.current.as_ref().is_some_and(|it| it.value != used.value) {
                return Ok(true);
            }
            let at = now();
            if at < state.unheard_until {
                return Ok(false);
            }
            state.unheard_until = add(at, AGAIN);
        }
        let fetched = fetch();
        self.take(now(), fetched).map(|fresh| fresh.value != used.value)
    }

    fn look(&self, now: Timestamp) -> Look {
        let state = lock(&self.state);
        let Some(current) = &state.current else { return Look::None };
        let Some(expires) = current.expires else { return Look::Good(current.clone()) };
        let early = EARLY.min(expires.duration_since(state.since) / 3);
        let patient = now < state.not_before;
        match expires > now {
            true if patient || expires.duration_since(now) > early => Look::Good(current.clone()),
            true => Look::Aging(current.clone()),
            false if patient => Look::Wait(lapsed(&state)),
            false => Look::None,
        }
    }

    /// Keeps what was fetched.
    fn take(&self, now: Timestamp, fetched: Result<Token, Error>) -> Result<Token, Error> {
        let mut state = lock(&self.state);
        match fetched {
            Ok(fresh) => {
                // The same once more: a newer one is not there yet.
                let same = state.current.as_ref().is_some_and(|it| it.value == fresh.value);
                state.not_before = if same { add(now, AGAIN) } else { now };
                if !same {
                    state.since = now;
                }
                state.current = Some(fresh.clone());
                state.trouble = None;
                match fresh.expires {
                    Some(expires) if expires <= now => Err(lapsed(&state)),
                    _ => Ok(fresh),
                }
            }
            // Who never had one is told at once, each time.
            Err(error) if state.current.is_none() => Err(error),
            Err(error) => {
                state.not_before = add(now, AGAIN);
                state.trouble = Some(error);
                Err(lapsed(&state))
            }
        }
    }

    fn try_turn(&self) -> Option<MutexGuard<'_, ()>> {
        match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(e)) => Some(PoisonError::into_inner(e)),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// There was a token, so there will be again: contact is lost, not the right.
fn lapsed(state: &State) -> Error {
    let error = match &state.trouble {
        Some(trouble) => {
            let message = format!("the token for Google cannot be renewed: {}", trouble.message);
            Error { message, ..trouble.clone() }
        }
        None => {
            Error::unreachable("the token for Google has expired, and no newer one is there yet")
        }
    };
    Error { passing: true, not_before: Some(state.not_before), ..error }
}

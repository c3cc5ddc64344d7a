//! Credentials: from where they come, and how they stay good during runs of days.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::files::{Files, PROFILE};
use super::wire::Wire;
use super::{Credentials, Failure, Source, lock};
use crate::clock::add;
use crate::environment::Environment;
use crate::fabric::{Error, ErrorKind};
use crate::http::retry::Miss;

mod ask;
mod container;
mod instance;
mod process;
mod provider;
mod sso;
mod sts;
#[cfg(test)]
mod tests;

use provider::Provider;

/// They are renewed so long before they expire, or when two thirds of their time are over.
const EARLY: SignedDuration = SignedDuration::from_mins(10);
/// A renewal that came to nothing is not tried again sooner.
const AGAIN: Duration = Duration::from_secs(30);

/// All that providers of credentials look at.
#[derive(Debug)]
pub(super) struct World {
    pub(super) environment: Arc<Environment>,
    /// As they were at the start.
    pub(super) files: Files,
    pub(super) wire: Arc<Wire>,
}

/// Why there are no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    kind: ErrorKind,
    message: String,
    not_before: Option<Timestamp>,
}

impl Trouble {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), not_before: None }
    }

    /// There are none, and waiting brings none.
    fn auth(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Auth, message)
    }

    /// What is written makes no sense.
    fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// There may be some later.
    fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// As the error of a call, which was not made.
    pub(super) fn into_error(self, operation: &str) -> Error {
        let mut error = Error::new(self.kind, "emr", operation, self.message);
        error.not_before = self.not_before;
        error
    }
}

/// Has credentials, and gets new ones in time.
#[derive(Debug)]
pub(super) struct Keeper {
    source: Source,
    /// Where they come from in a word, chosen once: a file that is gone for a moment must not turn us into somebody else.
    chosen: &'static str,
    world: World,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Credentials>,
    /// When they came.
    since: Timestamp,
    /// Before then no renewal is tried again.
    not_before: Timestamp,
    /// Why the last one came to nothing.
    trouble: Option<String>,
    /// AWS has taken some from here before.
    proven: bool,
}

impl Keeper {
    /// Finds out where credentials are to come from. Nothing is sent.
    ///
    /// # Errors
    /// From nowhere.
    pub(super) fn new(source: Source, world: World) -> Result<Self, Trouble> {
        let chosen = Provider::choose(&source, &world.environment, &world.files)?.word();
        Ok(Self { source, chosen, world, state: Mutex::default() })
    }

    /// From where they were to come.
    pub(super) fn wanted(&self) -> &Source {
        &self.source
    }

    /// The profile that the default chain begins with, if it is named.
    pub(super) fn profile(&self) -> Option<String> {
        let named = PROFILE.iter().any(|name| self.world.environment.get(name).is_some());
        (named && matches!(self.source, Source::Chain)).then(|| self.world.files.profile.clone())
    }

    /// Where they come from, in a word.
    pub(super) fn source(&self) -> &'static str {
        self.chosen
    }

    /// Credentials that are good now.
    ///
    /// # Errors
    /// There are none, or they expired and could not be renewed.
    pub(super) fn credentials(&self) -> Result<Credentials, Trouble> {
        let mut state = lock(&self.state);
        let now = self.world.wire.time.now();
        let Some(current) = state.current.clone() else {
            let fresh = self.fetch()?;
            (state.current, state.since) = (Some(fresh.clone()), now);
            return Ok(fresh);
        };
        let Some(expires) = current.expires else { return Ok(current) };
        let early = EARLY.min(expires.duration_since(state.since) / 3);
        if expires.duration_since(now) > early {
            return Ok(current);
        }
        if now >= state.not_before
            && let Some(fresh) = self.renew(&mut state, now)
        {
            return Ok(fresh);
        }
        // That a renewal failed does not matter while the old ones are good.
        if expires > now { Ok(current) } else { Err(self.lapsed(&state)) }
    }

    /// AWS took them.
    pub(super) fn proved(&self) {
        lock(&self.state).proven = true;
    }

    /// AWS says that `used` have expired: whether there are others. There will be, if there ever were good ones.
    pub(super) fn expired(&self, used: &Credentials, mut failure: Failure) -> Miss<Failure> {
        if matches!(self.source, Source::Key { .. } | Source::Environment) {
            failure.error.message += "; they were given as they are, so a new run needs new ones";
            return Miss::Refused(failure);
        }
        let mut state = lock(&self.state);
        let now = self.world.wire.time.now();
        if state.current.as_ref() != Some(used) {
            return Miss::Corrected(failure);
        }
        if now >= state.not_before {
            match self.renew(&mut state, now) {
                Some(fresh) if fresh != *used => return Miss::Corrected(failure),
                Some(_) => state.not_before = add(now, AGAIN),
                None => {}
            }
        }
        if state.proven {
            failure.error.kind = ErrorKind::Unavailable;
            failure.error.not_before = Some(state.not_before);
        } else {
            let from = self.chosen;
            failure.error.message +=
                &format!("; the credentials (from: {from}) need to be renewed");
        }
        Miss::Refused(failure)
    }

    /// New ones, if there are any.
    fn renew(&self, state: &mut State, now: Timestamp) -> Option<Credentials> {
        match self.fetch() {
            Ok(fresh) => {
                // The same once more: newer ones are not there yet.
                let same = state.current.as_ref() == Some(&fresh);
                state.not_before = if same { add(now, AGAIN) } else { now };
                if !same {
                    (state.current, state.since) = (Some(fresh.clone()), now);
                }
                state.trouble = None;
                Some(fresh).filter(|fresh| fresh.expires.is_none_or(|expires| expires > now))
            }
            Err(trouble) => {
                state.not_before = add(now, AGAIN);
                state.trouble = Some(trouble.message);
                None
            }
        }
    }

    /// There were credentials, so there will be again: contact is lost, not the right.
    fn lapsed(&self, state: &State) -> Trouble {
        let why = state.trouble.as_deref().unwrap_or("no newer ones are there yet");
        let message = format!("the credentials (from: {}) have expired: {why}", self.chosen);
        Trouble { not_before: Some(state.not_before), ..Trouble::unavailable(message) }
    }

    fn fetch(&self) -> Result<Credentials, Trouble> {
        // The files may have changed since, which is how some tools renew credentials.
        let files = Files::read(&self.world.environment).map_err(Trouble::config)?;
        let provider = Provider::choose(&self.source, &self.world.environment, &files)?;
        if provider.word() != self.chosen {
            let message = format!("what came from: {} is not there any more", self.chosen);
            return Err(Trouble::unavailable(message));
        }
        provider.fetch(&self.world)
    }
}

//! A lock that is a key in Consul.
//!
//! A hard lock is a key that was made by compare-and-set and is removed by compare-and-set, so what somebody else has
//! made is never removed. A soft lock is made together with a session that removes it: as soon as it is not renewed
//! for a while, that is when its holder is dead. If the answer to a making is lost, the key is read: the value of each
//! holder is his alone.

use std::sync::Arc;
use std::time::Duration;

use super::{Broken, Error, Holder, Kind, Refusal, Released, Seen, Taker};
use crate::bell::{Bell, Rung};
use crate::clock;
use crate::environment::Environment;
use crate::http::Client;
use crate::secret::Secret;

mod api;
pub mod fake;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod session;
mod settings;

pub(super) use api::Key;
pub use settings::Settings;

use api::{Locked, Trouble};
use session::Session;

/// A session that was not renewed for so long is gone, and at the latest when it was not for twice as long. Consul
/// takes no less than 10 s unless it is told to.
const TTL: Duration = Duration::from_secs(15);
/// Between the tries of a request.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
];
/// So often a key that changes hands while it is looked at is tried again; then it is taken by somebody.
const TRIES: u32 = 100;
/// The longest single wait for a change: what lies between Consul and us may cut what lasts a minute.
const LONGEST_WATCH: Duration = Duration::from_secs(50);

/// A Consul, as this process reaches it.
#[derive(Debug)]
pub struct Consul {
    client: Client,
    base: String,
    headers: Vec<(&'static str, Secret)>,
    namespace: Option<String>,
    partition: Option<String>,
    pauses: [Duration; 4],
    renewal: Duration,
}

/// A key that is held.
#[derive(Debug)]
pub(super) struct Mine {
    consul: Arc<Consul>,
    key: Key,
    holder: Holder,
    /// Of a soft lock.
    session: Option<Session>,
}

/// Why something that was tried again and again did not come about.
enum Stop {
    Interrupted(i32),
    Failed(Error),
}

impl Consul {
    /// Reads what is needed to reach it. Nothing is sent.
    ///
    /// # Errors
    /// What the settings or the environment name cannot be used.
    pub fn new(
        settings: Settings,
        environment: &Environment,
        bell: &Arc<Bell>,
    ) -> Result<Self, Error> {
        let Settings { base, headers, namespace, partition, trust } = settings;
        let client = Client::trusting(environment, Arc::clone(bell), trust).map_err(Error::ours)?;
        let (pauses, renewal) = (PAUSES, TTL / 3);
        Ok(Self { client, base, headers, namespace, partition, pauses, renewal })
    }

    pub(super) fn look(&self, key: &Key) -> Result<Option<Seen>, Error> {
        self.surely(key, "look at", || self.get(key))
    }

    pub(super) fn break_open(&self, key: &Key, seen: &Seen) -> Result<Broken, Error> {
        // One that is not there counts as removed, so it does no harm to ask again.
        let removed = self.surely(key, "remove", || self.delete(key, seen.index))?;
        Ok(if removed { Broken::Freed } else { Broken::Changed })
    }

    /// Asks until there is an answer, without hearing signals: for what is better brought to its end.
    fn surely<T>(
        &self,
        key: &Key,
        what: &str,
        ask: impl FnMut() -> Result<T, Trouble>,
    ) -> Result<T, Error> {
        // Its own bell, which nobody rings.
        self.patiently(&Bell::new(), key, what, ask).map_err(|stop| match stop {
            Stop::Failed(error) => error,
            Stop::Interrupted(_) => Error::theirs("interrupted"),
        })
    }

    fn patiently<T>(
        &self,
        bell: &Bell,
        key: &Key,
        what: &str,
        mut ask: impl FnMut() -> Result<T, Trouble>,
    ) -> Result<T, Stop> {
        let mut pauses = self.pauses.iter();
        loop {
            let trouble = match ask() {
                Ok(answer) => return Ok(answer),
                Err(trouble @ Trouble::Refused(_)) => {
                    return Err(Stop::Failed(self.cannot(what, key, trouble)));
                }
                Err(trouble) => trouble,
            };
            let Some(pause) = pauses.next() else {
                return Err(Stop::Failed(self.cannot(what, key, trouble)));
            };
            if !bell.pause(*pause)
                && let Some((signal, _)) = bell.take().signal
            {
                return Err(Stop::Interrupted(signal));
            }
        }
    }

    fn cannot(&self, what: &str, key: &Key, trouble: Trouble) -> Error {
        let (key, base, why) = (key.as_str(), &self.base, trouble.why());
        Error::theirs(format!("cannot {what} the lock `{key}` in Consul at `{base}`: {why}"))
    }
}

/// Takes the lock if the key is not there.
pub(super) fn take(consul: &Arc<Consul>, key: &Key, taker: &Taker<'_>) -> Result<Mine, Refusal> {
    let holder = taker.holder.at(clock::timestamp());
    if let Some(seen) = consul.patiently(taker.bell, key, "look at", || consul.get(key))? {
        return Err(Refusal::Taken(Some(Box::new(seen))));
    }
    let mine = |session| Mine {
        consul: Arc::clone(consul),
        key: key.clone(),
        holder: holder.clone(),
        session,
    };
    let value = holder.line();
    if holder.kind == Kind::Hard {
        make(consul, key, &holder, taker.bell, || consul.create(key, &value))?;
        return Ok(mine(None));
    }
    let name = format!("dataflow-runner {}", holder.run);
    let id = consul.patiently(taker.bell, key, "take", || consul.open_session(&name))?;
    let made = make(consul, key, &holder, taker.bell, || {
        Ok(match consul.lock(key, &value, &id)? {
            Locked::Yes => true,
            Locked::Exists => false,
            // It is as old as the last request.
            Locked::NoSession => {
                return Err(Trouble::Refused(Error::theirs("its session was gone at once")));
            }
        })
    });
    match made {
        Ok(()) => Ok(mine(Some(Session::keep(consul, key, &holder, id, name, &taker.tell)))),
        Err(refusal) => {
            // It would go by itself, a little later.
            _ = consul.destroy(&id);
            Err(refusal)
        }
    }
}

/// Makes the key, `once` a time, until it is known whose it is.
fn make(
    consul: &Consul,
    key: &Key,
    holder: &Holder,
    bell: &Bell,
    mut once: impl FnMut() -> Result<bool, Trouble>,
) -> Result<(), Refusal> {
    let mut lost = false;
    for _ in 0..TRIES {
        let made = consul.patiently(bell, key, "take", || match once() {
            Err(trouble @ Trouble::Lost(_)) => {
                lost = true;
                // Asked before it is tried again; if this is lost, too, trying again does no harm.
                match consul.get(key)? {
                    Some(seen) => Ok(holder.wrote(&seen.content)),
                    None => Err(trouble),
                }
            }
            settled => settled,
        });
        let seen = match made {
            Ok(true) => return Ok(()),
            Ok(false) => consul.patiently(bell, key, "look at", || consul.get(key)),
            Err(stop) => Err(stop),
        };
        match seen {
            Ok(Some(seen)) if holder.wrote(&seen.content) => return Ok(()),
            Ok(Some(seen)) => return Err(Refusal::Taken(Some(Box::new(seen)))),
            // It was freed between the two requests.
            Ok(None) => {}
            Err(stop) if lost => return Err(withdraw(consul, key, holder, stop)),
            Err(stop) => return Err(stop.into()),
        }
    }
    Err(Refusal::Taken(None))
}

/// Takes back what may have been made.
fn withdraw(consul: &Consul, key: &Key, holder: &Holder, stop: Stop) -> Refusal {
    match free(consul, key, holder) {
        Ok(_) => stop.into(),
        Err(error) => Refusal::Failed(Error::theirs(format!(
            "{error}; this run may hold it all the same: look with `lock status`"
        ))),
    }
}

/// Removes the key if it is the holder's.
fn free(consul: &Consul, key: &Key, holder: &Holder) -> Result<Released, Error> {
    for _ in 0..TRIES {
        match consul.look(key)? {
            Some(seen) if holder.wrote(&seen.content) => {
                // Not if it has changed since it was looked at: then it is looked at again.
                if consul.surely(key, "release", || consul.delete(key, seen.index))? {
                    return Ok(Released::Freed);
                }
            }
            other => return Ok(Released::NotOurs(other.map(Box::new))),
        }
    }
    Err(Error::theirs(format!("the lock `{}` changes all the time", key.as_str())))
}

impl Mine {
    pub(super) fn release(self) -> Result<Released, Error> {
        let Some(session) = self.session else {
            return free(&self.consul, &self.key, &self.holder);
        };
        // A lock that is just being taken again is ours only after that.
        let id = session.stop();
        let seen = self.consul.look(&self.key);
        // With the session goes what it has locked, and nothing else.
        self.consul.surely(&self.key, "release", || self.consul.destroy(&id))?;
        match seen? {
            Some(seen) if self.holder.wrote(&seen.content) => Ok(Released::Freed),
            other => Ok(Released::NotOurs(other.map(Box::new))),
        }
    }
}

/// Waits until the key is not any more what it was when Consul said `watch`, or `most`.
pub(super) fn until_changed(
    consul: &Arc<Consul>,
    key: &Key,
    watch: u64,
    bell: &Arc<Bell>,
    most: Duration,
) -> Rung {
    let wait = most.min(LONGEST_WATCH);
    // Consul answers when it changes; a signal cannot wake who reads that answer. So that is done elsewhere.
    let (asker, asked, ring) = (Arc::clone(consul), key.clone(), Arc::clone(bell));
    let thread = std::thread::Builder::new().name("lock".to_owned()).spawn(move || {
        if asker.get_changed(&asked, watch, wait).is_err() {
            // No answer is no change: not to be asked again at once.
            Bell::new().wait(wait.min(Duration::from_secs(1)));
        }
        ring.ring();
    });
    bell.wait(if thread.is_ok() { most } else { most.min(Duration::from_secs(1)) })
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupted(signal) => Self::Interrupted(signal),
            Stop::Failed(error) => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests;

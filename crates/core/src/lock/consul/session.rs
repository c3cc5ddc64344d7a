//! Keeps the session of a soft lock, from a thread of its own, as long as the lock is held.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::{Holder, Tell};
use super::api::{Key, Locked, Trouble};
use super::{Consul, TTL};
use crate::bell::Bell;

/// Between two tries of a renewal.
const AGAIN: Duration = Duration::from_secs(1);

/// A session that is renewed until this is dropped.
#[derive(Debug)]
pub(super) struct Session {
    id: Arc<Mutex<String>>,
    end: Arc<Bell>,
}

struct Keeper {
    consul: Arc<Consul>,
    key: Key,
    holder: Holder,
    name: String,
    tell: Tell,
    id: Arc<Mutex<String>>,
}

impl Session {
    pub(super) fn keep(
        consul: &Arc<Consul>,
        key: &Key,
        holder: &Holder,
        id: String,
        name: String,
        tell: &Tell,
    ) -> Self {
        let id = Arc::new(Mutex::new(id));
        let end = Arc::new(Bell::new());
        let keeper = Keeper {
            consul: Arc::clone(consul),
            key: key.clone(),
            holder: holder.clone(),
            name,
            tell: Arc::clone(tell),
            id: Arc::clone(&id),
        };
        let ended = Arc::clone(&end);
        let thread = std::thread::Builder::new().name("lock".to_owned());
        if let Err(error) = thread.spawn(move || keeper.keep(&ended)) {
            tell(format!(
                "the lock `{}` cannot be kept for longer than {} s: {error}",
                key.as_str(),
                TTL.as_secs()
            ));
        }
        Self { id, end }
    }

    /// Renews it no more; and says which it is.
    pub(super) fn stop(&self) -> String {
        self.end.ring();
        // A renewal that is on its way ends first.
        lock(&self.id).clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end.ring();
    }
}

impl Keeper {
    fn keep(self, end: &Bell) {
        let mut renewed = Instant::now();
        let mut told = false;
        let mut pause = self.consul.renewal;
        while !end.wait(pause).ended {
            let mut id = lock(&self.id);
            match self.consul.renew(&id) {
                Ok(true) => {
                    if std::mem::take(&mut told) {
                        self.say("its session is renewed again");
                    }
                    (renewed, pause) = (Instant::now(), self.consul.renewal);
                }
                Ok(false) => match self.take_again() {
                    Ok(Some(new)) => {
                        (*id, told) = (new, false);
                        (renewed, pause) = (Instant::now(), self.consul.renewal);
                    }
                    Ok(None) => return,
                    Err(trouble) => {
                        pause = AGAIN.min(self.consul.renewal);
                        if !std::mem::replace(&mut told, true) {
                            let why = trouble.why();
                            let text = format!(
                                "its session ended, and it cannot be taken again yet: {why}; look with `lock status`"
                            );
                            self.say(&text);
                        }
                    }
                },
                Err(trouble) => {
                    pause = AGAIN;
                    if renewed.elapsed() >= TTL && !std::mem::replace(&mut told, true) {
                        let why = trouble.why();
                        let text = format!(
                            "its session could not be renewed for {} s and may be gone: {why}; look with `lock status`",
                            TTL.as_secs()
                        );
                        self.say(&text);
                    }
                }
            }
        }
    }

    /// The session is gone, and the key with it: takes the lock once more unless somebody else has. `None`: it is lost.
    /// Trouble on the way decides nothing; it is tried again.
    fn take_again(&self) -> Result<Option<String>, Trouble> {
        let id = match self.consul.open_session(&self.name) {
            Ok(id) => id,
            Err(Trouble::Refused(error)) => return Ok(self.lost(&error.to_string())),
            Err(trouble) => return Err(trouble),
        };
        let locked = self.consul.lock(&self.key, &self.holder.line(), &id);
        // A lost answer may have been a yes.
        let seen = self.consul.get(&self.key);
        let ours = matches!(&seen, Ok(Some(seen)) if self.holder.wrote(&seen.content));
        if matches!(locked, Ok(Locked::Yes)) || ours {
            self.say("its session ended, and it was free for a moment; this run holds it again");
            return Ok(Some(id));
        }
        _ = self.consul.destroy(&id);
        match (locked, seen) {
            (_, Ok(Some(seen))) => Ok(self.lost(&seen.to_string())),
            (Err(Trouble::Refused(error)), _) => Ok(self.lost(&error.to_string())),
            (Err(trouble), _) | (Ok(_), Err(trouble)) => Err(trouble),
            (Ok(_), Ok(None)) => Err(Trouble::Lost("it changes hands".to_owned())),
        }
    }

    fn lost<T>(&self, why: &str) -> Option<T> {
        self.say(&format!("lost: its session ended while this run goes on; {why}"));
        None
    }

    fn say(&self, what: &str) {
        (self.tell)(format!("the lock `{}`: {what}", self.key.as_str()));
    }
}

fn lock(id: &Mutex<String>) -> MutexGuard<'_, String> {
    // A string is whole at any time.
    id.lock().unwrap_or_else(PoisonError::into_inner)
}

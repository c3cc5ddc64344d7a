//! Locks that keep two runs from working at the same time: a file, or a key in Consul.
//!
//! A lock is there or it is not; that is all that 0.7.x looks at, so both programs respect each other's locks.
//! What is in it says who holds it. A *hard* lock outlives its run unless the run succeeded; a *soft* lock goes
//! with its run, however that ends.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::bell::Bell;

pub mod consul;
mod file;
mod holder;
mod wait;

pub use holder::{Here, Holder, Kind, Owner};

use consul::{Consul, Key};

/// A lock, held or not.
#[derive(Debug)]
pub struct Lock(Place);

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Consul(Arc<Consul>, Key),
}

/// Who wants a lock.
#[derive(Clone)]
pub struct Taker<'a> {
    /// What the lock is to say.
    pub holder: &'a Holder,
    /// A signal ends the attempt.
    pub bell: &'a Arc<Bell>,
    /// Told what becomes of the lock while it is held, from another thread.
    pub tell: Tell,
}

/// Told what becomes of a lock, in a sentence.
pub type Tell = Arc<dyn Fn(String) + Send + Sync>;

/// A lock that is held by this process. Dropped without [`Held::release`], a hard lock stays, a soft lock in
/// Consul goes with its session, and a soft file is for the next one to take over.
#[derive(Debug)]
pub struct Held {
    what: Mine,
    took_over: Option<Holder>,
}

#[derive(Debug)]
enum Mine {
    File(file::Mine),
    Consul(consul::Mine),
}

/// A lock that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who, as far as the lock says so.
    pub owner: Owner,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What is in it.
    content: Vec<u8>,
    /// Consul's number of its last change.
    index: u64,
    /// Consul's number of the answer, from which on it tells of changes.
    watch: u64,
}

/// Why a lock was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// Somebody holds it; `None`: nobody any more when it was looked at.
    Taken(Option<Box<Seen>>),
    /// A signal came first.
    Interrupted(i32),
    /// It cannot be taken.
    Failed(Error),
}

/// What became of a lock that was to be released.
#[derive(Debug, PartialEq, Eq)]
pub enum Released {
    /// It is free.
    Freed,
    /// It was not ours any more and is left as it is: free, or held by somebody else.
    NotOurs(Option<Box<Seen>>),
}

/// What became of a lock that was to be broken.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is free.
    Freed,
    /// It has changed since it was looked at and is left as it is.
    Changed,
}

/// What is wrong with a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Whose fault it is.
    pub fault: Fault,
    message: String,
}

/// Whose fault it is that a lock cannot be looked at, taken or released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The way it was asked for.
    Ours,
    /// Of what is on the way to it, or of who keeps it.
    Theirs,
}

impl Lock {
    /// A lock that is a file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Place::File(path.into()))
    }

    /// A lock that is a key in Consul.
    ///
    /// # Errors
    /// Consul has no such keys.
    pub fn consul(consul: Arc<Consul>, key: &str) -> Result<Self, Error> {
        Ok(Self(Place::Consul(consul, Key::new(key)?)))
    }

    /// Takes it if it is free. A soft file lock whose holder is proven dead is free.
    ///
    /// # Errors
    /// It is not free, or that cannot be found out.
    pub fn take(&self, taker: &Taker<'_>) -> Result<Held, Refusal> {
        match &self.0 {
            Place::File(path) => file::take(path, taker.holder)
                .map(|(mine, took_over)| Held { what: Mine::File(mine), took_over }),
            Place::Consul(consul, key) => consul::take(consul, key, taker)
                .map(|mine| Held { what: Mine::Consul(mine), took_over: None }),
        }
    }

    /// Waits until it is free and takes it. Who holds it is told to `waiting`, once for each holder.
    ///
    /// # Errors
    /// It is not free after `limit`, a signal came, or it cannot be found out.
    pub fn wait(
        &self,
        taker: &Taker<'_>,
        limit: Duration,
        waiting: &mut dyn FnMut(&Seen),
    ) -> Result<Held, Refusal> {
        wait::wait(self, taker, limit, waiting)
    }

    /// Who holds it; `None` if nobody does.
    ///
    /// # Errors
    /// That cannot be found out.
    pub fn look(&self) -> Result<Option<Seen>, Error> {
        match &self.0 {
            Place::File(path) => file::look(path),
            Place::Consul(consul, key) => consul.look(key),
        }
    }

    /// Frees it, whoever holds it, if it is still as it was `seen`.
    ///
    /// # Errors
    /// It cannot be freed.
    pub fn break_open(&self, seen: &Seen) -> Result<Broken, Error> {
        match &self.0 {
            Place::File(path) => file::break_open(path, seen),
            Place::Consul(consul, key) => consul.break_open(key, seen),
        }
    }
}

impl Held {
    /// Whose lock this was before; it died without releasing it.
    pub fn took_over(&self) -> Option<&Holder> {
        self.took_over.as_ref()
    }

    /// Frees it, if it is still ours.
    ///
    /// # Errors
    /// It may still be there.
    pub fn release(self) -> Result<Released, Error> {
        match self.what {
            Mine::File(mine) => mine.release(),
            Mine::Consul(mine) => mine.release(),
        }
    }
}

impl Seen {
    fn new(content: Vec<u8>, written: Option<Timestamp>) -> Self {
        let owner = Owner::of(&content);
        let since = owner.since().or(written);
        Self { owner, since, content, index: 0, watch: 0 }
    }

    /// Whether it is proven that the process that took it runs no more; `host` is this machine's name.
    pub fn is_gone(&self, host: &str) -> bool {
        matches!(&self.owner, Owner::Run(holder) if holder.is_gone(host))
    }
}

/// Who holds it and since when, as one sentence without its end.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.owner)?;
        match self.since {
            Some(since) => write!(f, ", since {since:.0}"),
            None => Ok(()),
        }
    }
}

impl Error {
    fn ours(message: impl Into<String>) -> Self {
        Self { fault: Fault::Ours, message: message.into() }
    }

    fn theirs(message: impl Into<String>) -> Self {
        Self { fault: Fault::Theirs, message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Debug for Taker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taker").field("holder", self.holder).finish_non_exhaustive()
    }
}

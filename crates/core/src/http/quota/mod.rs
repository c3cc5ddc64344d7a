//! Waits our turn where AWS counts how often an account calls: in token buckets that all processes of this user on
//! this machine share through a folder, so that a hundred of them pace each other and none is refused.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use super::lock;
use crate::bell::Bell;
use crate::clock::{timestamp, until};

mod buckets;
mod limits;
#[cfg(test)]
mod tests;

use buckets::{Buckets, Slot};

/// How long to wait for others to let go of the file. They hold it for less than a millisecond, unless they were
/// stopped just then.
const PATIENCE: Duration = Duration::from_millis(500);

/// The turns of one account in one region at one endpoint.
#[derive(Debug)]
pub(crate) struct Quota {
    file: PathBuf,
    /// The account has so many times the default quotas.
    factor: f64,
    /// Used where the file cannot be.
    own: Mutex<Buckets>,
    /// The slots that were handed out and are not used yet, by operation.
    held: Mutex<HashMap<&'static str, Slot>>,
    /// Why the file cannot be used, until it is told.
    note: Mutex<Option<String>>,
    noted: Mutex<bool>,
}

impl Quota {
    /// `name` tells accounts, regions and endpoints apart; it is fit for a file name. Nothing is read yet.
    pub(crate) fn new(folder: &Path, name: &str, factor: f64) -> Self {
        Self {
            file: folder.join(format!("{name}.json")),
            factor,
            own: Mutex::default(),
            held: Mutex::default(),
            note: Mutex::default(),
            noted: Mutex::default(),
        }
    }

    /// Waits for this process's turn, if it comes within `budget`, from which the wait is taken.
    ///
    /// # Errors
    /// It does not, or a signal came. It comes then; whoever calls again at that time goes at once.
    pub(crate) fn turn(
        &self,
        operation: &'static str,
        bell: &Bell,
        budget: &mut Duration,
    ) -> Result<(), Timestamp> {
        loop {
            let now = timestamp();
            let held = lock(&self.held).remove(operation);
            let due = |slot: &Slot| slot.is_due(now.as_millisecond());
            let slot = held.filter(due).unwrap_or_else(|| self.take(operation, now, held, bell));
            if due(&slot) {
                return Ok(());
            }
            lock(&self.held).insert(operation, slot);
            let at = Timestamp::from_millisecond(slot.at()).unwrap_or(now);
            let wait = until(now, at).max(Duration::from_millis(1));
            if wait > *budget || !bell.pause(wait) {
                return Err(at);
            }
            *budget -= wait;
        }
    }

    /// AWS refused a call because there were too many.
    pub(crate) fn throttled(&self, operation: &'static str, bell: &Bell) {
        lock(&self.held).remove(operation);
        let now = timestamp().as_millisecond();
        self.with(bell, |buckets| buckets.drain(operation, now, self.factor));
    }

    /// What should be told to people once.
    pub(crate) fn take_note(&self) -> Option<String> {
        lock(&self.note).take()
    }

    fn take(&self, operation: &str, now: Timestamp, held: Option<Slot>, bell: &Bell) -> Slot {
        self.with(bell, |buckets| buckets.take(operation, now.as_millisecond(), held, self.factor))
    }

    /// Changes the shared buckets, or our own where that cannot be.
    fn with<T>(&self, bell: &Bell, change: impl Fn(&mut Buckets) -> T) -> T {
        let shared = self.shared(bell, &change);
        shared.unwrap_or_else(|error| {
            self.tell(&error);
            change(&mut lock(&self.own))
        })
    }

    fn shared<T>(&self, bell: &Bell, change: impl Fn(&mut Buckets) -> T) -> io::Result<T> {
        let mut file = self.open()?;
        obtain(&file, bell)?;
        let mut text = String::new();
        // What was torn by a crash, or is not ours, is as good as nothing: at worst AWS refuses a few calls.
        let read = (&mut file).take(1 << 20).read_to_string(&mut text);
        let mut buckets =
            read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default();
        let result = change(&mut buckets);
        let text = serde_json::to_vec(&buckets)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&text)?;
        file.set_len(text.len() as u64)?;
        Ok(result)
    }

    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(folder) = self.file.parent() {
                    create(folder)?;
                }
                options.open(&self.file)
            }
            other => other,
        }
    }

    fn tell(&self, error: &io::Error) {
        // A file that was busy for once is no news.
        if error.kind() != io::ErrorKind::WouldBlock
            && !std::mem::replace(&mut *lock(&self.noted), true)
        {
            *lock(&self.note) = Some(format!(
                "cannot use `{}` ({error}): other runs on this machine are not paced together with this one",
                self.file.display()
            ));
        }
    }
}

fn create(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Locks the file; the lock goes with it, also when the process dies.
fn obtain(file: &File, bell: &Bell) -> io::Result<()> {
    let (mut waited, mut wait) = (Duration::ZERO, Duration::from_millis(1));
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            // After a signal there is no waiting.
            Err(TryLockError::WouldBlock) if waited >= PATIENCE || !bell.pause(wait) => {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Err(TryLockError::WouldBlock) => {
                waited += wait;
                wait = (wait * 2).min(Duration::from_millis(20));
            }
        }
    }
}

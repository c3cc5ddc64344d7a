//! A lock that is a file.
//!
//! Making it is one step that only one can do: the whole content lies under another name, and `link(2)` gives it
//! the lock's name unless there is one (POSIX: "If the path2 argument … names an existing file, link() shall fail").
//! So there is never a lock with half its content in it.
//!
//! Removing it (a release, a dead holder's lock, `lock break`) is done only by who holds the file's advisory lock
//! (`flock(2)`) and has then seen that the path still names this very file, and that its content is the one to be
//! removed. Whoever else would remove this file waits; and the path cannot come to name another file meanwhile, as
//! the file would have to be removed first. So nobody removes a lock that was made after the one he looked at. (A
//! rename aside would move a lock away before its content is known, and leave the place free until it is back.)

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Broken, Error, Holder, Kind, Owner, Refusal, Released, Seen};
use crate::clock;
use crate::journal::sync_folder;

/// So often a lock that changes hands while it is looked at is tried again; then it is taken by somebody.
const TRIES: u32 = 100;
/// A remover needs microseconds. One that was stopped meanwhile is not waited for longer than this.
const REMOVER_PATIENCE: u32 = 2000;
const REMOVER_PAUSE: Duration = Duration::from_millis(1);
/// No lock has so much in it; more is not read.
const READ_LIMIT: u64 = 64 * 1024;

/// A lock that is held.
#[derive(Debug)]
pub(super) struct Mine {
    path: PathBuf,
    content: Vec<u8>,
}

/// What became of a file that was to be removed.
enum Removal {
    Removed(Seen),
    /// There is none.
    Absent,
    /// It is not the one to be removed.
    Kept(Seen),
    /// Another file has its name now.
    Changed,
    /// Somebody else is about to remove it, and does not come to an end.
    Busy(Seen),
}

/// What to do where a file system has no advisory locks.
#[derive(Clone, Copy)]
enum Need {
    /// Nothing: a lock that somebody may hold stays.
    Proven,
    /// Remove it right after looking: it is ours, or a person wants it gone.
    Removed,
}

/// Takes the lock; and says whose it was before, if he died without releasing it.
pub(super) fn take(path: &Path, holder: &Holder) -> Result<(Mine, Option<Holder>), Refusal> {
    let content = holder.at(clock::timestamp()).line();
    let mut took_over = None;
    for _ in 0..TRIES {
        if make(path, &content, holder.nonce())? {
            return Ok((Mine { path: path.to_owned(), content }, took_over));
        }
        // Looked at first without holding anything up.
        match look(path)? {
            None => continue,
            Some(seen) if !is_left(&seen, holder) => return Err(taken(seen)),
            Some(_) => {}
        }
        match remove(path, Need::Proven, &|seen| is_left(seen, holder))? {
            Removal::Removed(seen) => {
                if let Owner::Run(holder) = seen.owner {
                    took_over = Some(*holder);
                }
            }
            Removal::Absent | Removal::Changed => {}
            Removal::Kept(seen) | Removal::Busy(seen) => return Err(taken(seen)),
        }
    }
    Err(Refusal::Taken(look(path)?.map(Box::new)))
}

/// Who holds it.
pub(super) fn look(path: &Path) -> Result<Option<Seen>, Error> {
    let failed = |error| fault("look at", path, &error);
    if is_odd(path) {
        return Ok(Some(Seen::new(Vec::new(), None)));
    }
    match File::open(path) {
        Ok(mut file) => read(&mut file).map(Some).map_err(failed),
        // Such as a link to nothing: it is there, so it is held.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let there = path.symlink_metadata().is_ok();
            Ok(there.then(|| Seen::new(Vec::new(), None)))
        }
        // It may be somebody's whose files are not for us.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let there = path.symlink_metadata().map_err(failed)?;
            Ok(Some(Seen::new(Vec::new(), written(&there))))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Whether it is there, but neither a file nor a folder: to open a pipe may last for ever.
fn is_odd(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// Frees it if it is as it was seen.
pub(super) fn break_open(path: &Path, seen: &Seen) -> Result<Broken, Error> {
    match remove(path, Need::Removed, &|now| now == seen)? {
        Removal::Removed(_) | Removal::Absent => Ok(Broken::Freed),
        Removal::Kept(_) | Removal::Changed => Ok(Broken::Changed),
        Removal::Busy(_) => Err(busy(path)),
    }
}

impl Mine {
    pub(super) fn release(self) -> Result<Released, Error> {
        match remove(&self.path, Need::Removed, &|seen| seen.content == self.content)? {
            Removal::Removed(_) => Ok(Released::Freed),
            Removal::Absent => Ok(Released::NotOurs(None)),
            Removal::Kept(seen) => Ok(Released::NotOurs(Some(Box::new(seen)))),
            Removal::Changed => Ok(Released::NotOurs(look(&self.path)?.map(Box::new))),
            Removal::Busy(_) => Err(busy(&self.path)),
        }
    }
}

/// Whether nobody will ever release it, and nobody is to: a hard lock is kept for a person to look at.
fn is_left(seen: &Seen, by: &Holder) -> bool {
    matches!(&seen.owner, Owner::Run(holder) if holder.kind == Kind::Soft && holder.is_gone(&by.host))
}

/// Makes the file unless there is one. Says whether it did.
fn make(path: &Path, content: &[u8], nonce: &str) -> Result<bool, Error> {
    make_by(path, content, nonce, &|whole| fs::hard_link(whole, path))
}

fn make_by(
    path: &Path,
    content: &[u8],
    nonce: &str,
    link: &dyn Fn(&Path) -> io::Result<()>,
) -> Result<bool, Error> {
    let failed = |error| fault("make", path, &error);
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    if path.file_name().is_none() {
        return Err(Error::ours(no_file(path)));
    }
    let whole = path.with_file_name(format!(".dataflow-runner-{nonce}"));
    // One of ours that a crash left, if there is one: nobody else has this number.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&whole);
    file = file.and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        Ok(file)
    });
    let made = file.and_then(|_| match link(&whole) {
        Ok(()) => Ok(true),
        // Over NFS the reply to a link that was made may be lost, and the repeated request fails.
        Err(_) if fs::read(path).is_ok_and(|there| there == content) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        // A file system without links. Here, and only here, a reader may see a lock whose content is not yet written.
        Err(error) if is_no_links(&error) => make_in_place(path, content),
        Err(error) => Err(error),
    });
    _ = fs::remove_file(&whole);
    if matches!(made, Ok(true)) {
        keep_entry(path);
    }
    made.map_err(failed)
}

/// What was made or removed is to outlast a loss of power. Where the folder cannot be opened for that, such as one in
/// which one may write but not read, it is made or removed all the same.
fn keep_entry(path: &Path) {
    _ = sync_folder(folder(path));
}

/// The same in two steps, of which only one can do the first.
fn make_in_place(path: &Path, content: &[u8]) -> io::Result<bool> {
    make_in_steps(path, |file| {
        file.write_all(content)?;
        file.sync_all()
    })
}

fn make_in_steps(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => fill(&mut file).map(|()| true).inspect_err(|_| {
            // It would be held by nobody, for ever.
            _ = fs::remove_file(path);
        }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a file system says so that it has no links: FAT says EPERM, others that they do not know the call.
fn is_no_links(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported)
        || error.kind() == ErrorKind::TooManyLinks
}

/// Removes the file if it is `doomed`, in the way that the module tells.
fn remove(path: &Path, need: Need, doomed: &dyn Fn(&Seen) -> bool) -> Result<Removal, Error> {
    let failed = |error| fault("remove", path, &error);
    if is_odd(path) {
        let path = path.display();
        return Err(Error::ours(format!(
            "`{path}` is neither a file nor a folder, so it is not removed"
        )));
    }
    // Writing is never done; over NFS, who may not write cannot lock.
    let opened = OpenOptions::new().read(true).write(true).open(path);
    let mut file = match opened.or_else(|_| File::open(path)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match look(path)? {
                None => Ok(Removal::Absent),
                // A link to nothing.
                Some(seen) if path.is_symlink() && doomed(&seen) => {
                    fs::remove_file(path).map_err(failed)?;
                    Ok(Removal::Removed(seen))
                }
                Some(seen) => Ok(Removal::Kept(seen)),
            };
        }
        Err(error) => return Err(failed(error)),
    };
    match (hold(&file), need) {
        (Ok(true), _) | (Err(_), Need::Removed) => {}
        (Ok(false), _) => return read(&mut file).map(Removal::Busy).map_err(failed),
        (Err(_), Need::Proven) => return read(&mut file).map(Removal::Kept).map_err(failed),
    }
    if !names(path, &file).map_err(failed)? {
        return Ok(Removal::Changed);
    }
    let seen = read(&mut file).map_err(failed)?;
    if !doomed(&seen) {
        return Ok(Removal::Kept(seen));
    }
    match fs::remove_file(path) {
        Ok(()) => {
            keep_entry(path);
            Ok(Removal::Removed(seen))
        }
        // By somebody who does not know how this is done, such as `rm`.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Removal::Absent),
        Err(error) => Err(failed(error)),
    }
}

/// Makes this process the only one that may remove the file, until it is closed. `false`: somebody else is.
fn hold(file: &File) -> io::Result<bool> {
    for _ in 0..REMOVER_PATIENCE {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(REMOVER_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// Whether the path is the name of this very file.
#[cfg(unix)]
fn names(path: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let of = |meta: fs::Metadata| (meta.dev(), meta.ino());
    match fs::metadata(path) {
        Ok(meta) => Ok(of(meta) == of(file.metadata()?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// As on Unix, but files have no number here that the standard library tells: their contents are compared, and no
/// two locks have the same. Not tried.
#[cfg(not(unix))]
fn names(path: &Path, file: &File) -> io::Result<bool> {
    let mut here = Vec::new();
    (&*file).read_to_end(&mut here)?;
    io::Seek::rewind(&mut &*file)?;
    match fs::read(path) {
        Ok(there) => Ok(here == there),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn read(file: &mut File) -> io::Result<Seen> {
    let meta = file.metadata()?;
    let mut content = Vec::new();
    // Whatever is there instead of a file holds the lock too.
    if meta.is_file() {
        file.take(READ_LIMIT).read_to_end(&mut content)?;
    }
    Ok(Seen::new(content, written(&meta)))
}

fn written(meta: &fs::Metadata) -> Option<jiff::Timestamp> {
    meta.modified().ok().and_then(|time| time.try_into().ok())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn taken(seen: Seen) -> Refusal {
    Refusal::Taken(Some(Box::new(seen)))
}

fn busy(path: &Path) -> Error {
    let path = path.display();
    Error::theirs(format!(
        "cannot remove the lock `{path}`: another process has been about to remove it for 2 s"
    ))
}

fn no_file(path: &Path) -> String {
    format!("a lock is a file, and `{}` cannot be one: name a file", path.display())
}

fn fault(what: &str, path: &Path, error: &io::Error) -> Error {
    let folder = folder(path);
    if error.kind() == ErrorKind::NotFound && !folder.is_dir() {
        let (path, folder) = (path.display(), folder.display());
        return Error::ours(format!(
            "cannot {what} the lock `{path}`: there is no folder `{folder}`; make it first"
        ));
    }
    Error::ours(format!("cannot {what} the lock `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests;

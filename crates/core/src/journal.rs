//! A run's events on disk.
//!
//! `runs/<run id>/journal.jsonl` in the state folder: a header line, then one event a line. Each line is JSON
//! and ends with a checksum over itself and the checksum of the line before, so that lines cannot be lost,
//! changed or moved unseen. A last line without its end was torn by a crash and is cut off; any other damage is
//! refused. The file is locked as long as somebody writes it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::crash;
use crate::event::Event;
use crate::fabric::RunId;
use crate::hex::hex;

mod glance;
mod remove;

use glance::is_driven;
pub use glance::{Begun, Glance, Pulse, begun, glance, pulse};
use remove::is_run;
pub use remove::{Held, sweep};

/// The version of the format that this program writes. It reads this one and all before it.
pub const VERSION: u32 = 1;

/// The name of the file in a run's folder.
const FILE: &str = "journal.jsonl";

/// What is being made has this before its name, so that half of a run is never taken for a run.
const MAKING: &str = ".new-";

/// The name of the file that asks the driver to cancel the run.
const CANCEL: &str = "cancel";

/// SIGTERM: what a cancellation is that names no signal.
const TERMINATE: i32 = 15;

/// How a line ends: `,"sum":"` + 16 hexadecimal digits + `"}`.
const SUM_KEY: &str = r#","sum":""#;
const SUM_DIGITS: usize = 16;

/// The first line: what reaches the fabric without the files the run was started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// The version of the format.
    pub version: u32,
    /// Which run.
    pub run: RunId,
    /// The version of the program that wrote it.
    pub program: String,
    /// When the run was begun.
    pub created: Timestamp,
    /// The fabric's name.
    pub fabric: String,
    /// What finds the fabric again, in its own words.
    pub reach: BTreeMap<String, String>,
    /// The time zone of the run, by its IANA name where it has one.
    pub time_zone: String,
    /// The exit code that was asked for when a no-op rule ends the run early.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub noop_exit_code: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// A journal that is being written. It is locked until dropped.
#[derive(Debug)]
pub struct Journal {
    to: Sink,
    sum: String,
    /// How long the file is as far as we wrote it, in bytes.
    length: u64,
    /// A write has failed: the end of the file is not known, nothing may be added.
    broken: bool,
    unsynced: bool,
}

#[derive(Debug)]
enum Sink {
    File { file: File, path: PathBuf },
    Memory { bytes: Vec<u8>, room: usize, lazy: bool },
}

/// What a journal says.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// Its first line.
    pub header: Header,
    /// Its events.
    pub events: Vec<Event>,
    /// So many bytes behind them were torn.
    pub torn: u64,
    /// How long the whole part is, in bytes.
    whole: u64,
    sum: String,
}

/// Why a journal cannot be written or read.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Io(&'static str, io::Error),
    Begun,
    Locked,
    TakenOver,
    Newer(u32),
    Damaged { line: usize, what: String },
}

impl Journal {
    /// Makes the folder of a run and its journal, locked, with the header on disk.
    ///
    /// # Errors
    /// The folder cannot be made or written, or there is such a run ([`Error::is_begun`]).
    pub fn create(state_folder: &Path, header: &Header) -> Result<Self, Error> {
        let folder = folder(state_folder, &header.run);
        let failed = |what| {
            let path = folder.clone();
            move |error| Error { path, kind: Kind::Io(what, error) }
        };
        private_folder(&runs(state_folder)).map_err(failed("make the folder"))?;
        crash::point("journal: before the run's folder");
        // Under another name until it has a header and a lock: whoever finds the run finds it driven.
        // Containers begin with the same process id each time, and what one left behind is still there.
        let chance = RandomState::new().hash_one(std::process::id());
        let making = runs(state_folder).join(format!("{MAKING}{}-{chance:016x}", header.run));
        make_private(&making).map_err(failed("make the folder"))?;
        crash::point("journal: the run's folder is made");
        let file = OpenOptions::new().append(true).create_new(true).open(making.join(FILE));
        let file = file.map_err(failed("make the journal"))?;
        crash::point("journal: the file is made");
        file.lock().map_err(failed("lock the journal"))?;
        let mut journal = Self {
            to: Sink::File { file, path: folder.join(FILE) },
            sum: String::new(),
            length: 0,
            broken: false,
            unsynced: false,
        };
        let made = journal.write(header).and_then(|()| journal.sync()).and_then(|()| {
            // The name of a new file is on disk only when its folder is.
            sync_folder(&making).map_err(failed("sync the folder"))?;
            fs::rename(&making, &folder).map_err(|error| match error.kind() {
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                    Error { path: folder.clone(), kind: Kind::Begun }
                }
                _ => failed("make the folder")(error),
            })?;
            sync_folder(&runs(state_folder)).map_err(failed("sync the folder"))
        });
        if let Err(error) = made {
            // Nothing was begun, so there is nothing to show.
            let _ = fs::remove_dir_all(&making);
            return Err(error);
        }
        Ok(journal)
    }

    /// Takes up the journal of a run: cuts off what was torn, and adds from there on.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or somebody else writes it.
    pub fn resume(run_folder: &Path) -> Result<(Self, Contents), Error> {
        let path = run_folder.join(FILE);
        let failed =
            |error| Error { path: path.clone(), kind: Kind::Io("open the journal", error) };
        let mut file = OpenOptions::new().read(true).append(true).open(&path).map_err(failed)?;
        lock(&file, &path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let contents = parse(&bytes, &path)?;
        crash::point("journal: before it is taken up");
        file.set_len(contents.whole).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        // Whoever asked for an end asked the driver before.
        let _ = fs::remove_file(run_folder.join(CANCEL));
        let (sum, length) = (contents.sum.clone(), contents.whole);
        let to = Sink::File { file, path };
        Ok((Self { to, sum, length, broken: false, unsynced: true }, contents))
    }

    /// A journal that is kept nowhere, for tests; it fails as a full disk does after `room` bytes.
    pub fn in_memory(room: usize) -> Self {
        Self::kept_nowhere(room, false)
    }

    /// The same, but as on file systems that find their room only when they must: it fails at [`Journal::sync`].
    pub fn in_lazy_memory(room: usize) -> Self {
        Self::kept_nowhere(room, true)
    }

    fn kept_nowhere(room: usize, lazy: bool) -> Self {
        let to = Sink::Memory { bytes: Vec::new(), room, lazy };
        Self { to, sum: String::new(), length: 0, broken: false, unsynced: false }
    }

    /// Adds an event. It survives the end of this program, but that of the machine only after [`Journal::sync`].
    ///
    /// # Errors
    /// It cannot be written; then nothing can be any more.
    pub fn append(&mut self, event: &Event) -> Result<(), Error> {
        self.write(event)
    }

    /// All that was added is on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written; then nothing can be any more.
    pub fn sync(&mut self) -> Result<(), Error> {
        if self.broken {
            return Err(self.error("write", io::Error::other("an earlier write failed")));
        }
        if !std::mem::take(&mut self.unsynced) {
            return Ok(());
        }
        if let Err(error) = self.to.sync() {
            self.broken = true;
            return Err(self.error("sync", error));
        }
        crash::point("journal: synced");
        Ok(())
    }

    fn write(&mut self, value: &impl Serialize) -> Result<(), Error> {
        if self.broken {
            return Err(self.error("write", io::Error::other("an earlier write failed")));
        }
        let (line, sum) = seal(value, &self.sum).map_err(|error| self.error("write", error))?;
        if let Sink::File { file, path } = &self.to
            && file.metadata().is_ok_and(|now| now.len() != self.length)
        {
            self.broken = true;
            return Err(Error { path: path.clone(), kind: Kind::TakenOver });
        }
        crash::point("journal: before a line");
        if let Err(error) = self.to.write_all(line.as_bytes()) {
            self.broken = true;
            return Err(self.error("write", error));
        }
        crash::point("journal: a line is written");
        self.length += line.len() as u64;
        self.sum = sum;
        self.unsynced = true;
        Ok(())
    }

    /// The signal with which somebody asked for the end of the run ([`ask_to_cancel`]), if anybody did.
    pub fn cancel_is_asked(&self) -> Option<i32> {
        match &self.to {
            Sink::File { path, .. } => {
                let word = fs::read_to_string(path.with_file_name(CANCEL)).ok()?;
                Some(word.trim().parse().unwrap_or(TERMINATE))
            }
            Sink::Memory { .. } => None,
        }
    }

    fn error(&self, what: &'static str, error: io::Error) -> Error {
        let path = match &self.to {
            Sink::File { path, .. } => path.clone(),
            Sink::Memory { .. } => PathBuf::from("memory"),
        };
        Error { path, kind: Kind::Io(what, error) }
    }
}

impl Sink {
    fn sync(&self) -> io::Result<()> {
        match self {
            Self::File { file, .. } => file.sync_data(),
            Self::Memory { bytes, room, .. } if bytes.len() > *room => {
                Err(io::ErrorKind::StorageFull.into())
            }
            Self::Memory { .. } => Ok(()),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::File { file, .. } => file.write(buf),
            Self::Memory { bytes, room, lazy } => {
                if !*lazy && bytes.len() + buf.len() > *room {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                bytes.extend_from_slice(buf);
                Ok(buf.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The folder of a run.
pub fn folder(state_folder: &Path, run: &RunId) -> PathBuf {
    runs(state_folder).join(run.as_str())
}

/// Leaves word for whoever drives a run that it is to be cancelled, as by this signal. A driver looks when a signal comes,
/// and before each question to the fabric.
///
/// # Errors
/// The word cannot be left.
pub fn ask_to_cancel(run_folder: &Path, signal: i32) -> Result<(), Error> {
    let path = run_folder.join(CANCEL);
    // Whoever looks sees nothing or all of it.
    let part = run_folder.join(format!(".{CANCEL}-{}", std::process::id()));
    let left = fs::write(&part, signal.to_string()).and_then(|()| fs::rename(&part, &path));
    left.map_err(|error| Error { path, kind: Kind::Io("write", error) })
}

/// The ids of all runs, oldest first.
///
/// # Errors
/// The folder is there but cannot be read.
pub fn list(state_folder: &Path) -> Result<Vec<RunId>, Error> {
    let mut ids = ids(state_folder)?.collect::<Result<Vec<_>, _>>()?;
    ids.sort();
    Ok(ids)
}

/// The ids of all runs as the folder has them, one by one: there can be many, and not all have to be kept.
///
/// # Errors
/// The folder is there but cannot be read.
pub fn ids(
    state_folder: &Path,
) -> Result<impl Iterator<Item = Result<RunId, Error>> + use<>, Error> {
    let path = runs(state_folder);
    let failed = move |error| Error { path: path.clone(), kind: Kind::Io("list the runs", error) };
    let entries = match fs::read_dir(runs(state_folder)) {
        Ok(entries) => Some(entries),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let id = move |entry: io::Result<fs::DirEntry>| match entry {
        Ok(entry) => {
            entry.file_name().into_string().ok().filter(|it| is_run(it)).map(RunId::new).map(Ok)
        }
        Err(error) => Some(Err(failed(error))),
    };
    Ok(entries.into_iter().flatten().filter_map(id))
}

/// Reads the journal of a run, also while somebody writes it.
///
/// # Errors
/// It cannot be read, is damaged, or was written by a newer program.
pub fn read(run_folder: &Path) -> Result<Contents, Error> {
    let path = run_folder.join(FILE);
    let bytes = fs::read(&path)
        .map_err(|error| Error { path: path.clone(), kind: Kind::Io("read the journal", error) })?;
    parse(&bytes, &path)
}

fn runs(state_folder: &Path) -> PathBuf {
    state_folder.join("runs")
}

fn private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match make_private(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Makes a folder that only its owner may enter.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Puts on disk what a folder's entries are.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    // Windows has no such thing: a folder cannot be opened there.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

fn lock(file: &File, path: &Path) -> Result<(), Error> {
    let kind = loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            // Who only glances at it lets go at once.
            Err(TryLockError::WouldBlock) if !is_driven(file) => std::thread::yield_now(),
            Err(TryLockError::WouldBlock) => break Kind::Locked,
            Err(TryLockError::Error(error)) => break Kind::Io("lock the journal", error),
        }
    };
    Err(Error { path: path.to_owned(), kind })
}

/// A line with its checksum, and the checksum.
fn seal(value: &impl Serialize, before: &str) -> io::Result<(String, String)> {
    let mut line = serde_json::to_string(value)?;
    // Every line is an object that is not empty; its checksum becomes its last member.
    line.pop();
    let sum = checksum(before, &line);
    line.push_str(SUM_KEY);
    line.push_str(&sum);
    line.push_str("\"}\n");
    Ok((line, sum))
}

fn checksum(before: &str, body: &str) -> String {
    let digest = Sha256::new().chain_update(before).chain_update(body).finalize();
    hex(digest.get(..SUM_DIGITS / 2).unwrap_or_default())
}

pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Contents, Error> {
    let damaged = |line: usize, what: &str| Error {
        path: path.to_owned(),
        kind: Kind::Damaged { line, what: what.to_owned() },
    };
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    let text = std::str::from_utf8(&bytes[..whole]).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
        damaged(line, "it is not text")
    })?;
    let mut sum = String::new();
    let mut header: Option<Header> = None;
    let mut events: Vec<Event> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        let (body, own) = unseal(line).ok_or_else(|| damaged(number, "it has no checksum"))?;
        if checksum(&sum, body) != own {
            return Err(damaged(number, "its checksum does not fit"));
        }
        own.clone_into(&mut sum);
        if header.is_none() {
            let version: Version =
                object(line).ok_or_else(|| damaged(number, "it is no header"))?;
            if version.version > VERSION {
                return Err(Error { path: path.to_owned(), kind: Kind::Newer(version.version) });
            }
            header = Some(object(line).ok_or_else(|| damaged(number, "it is no header"))?);
            continue;
        }
        let event: Event = object(line).ok_or_else(|| damaged(number, "it is no event"))?;
        if event.seq != events.len() as u64 + 1 {
            return Err(damaged(number, "its number does not follow"));
        }
        events.push(event);
    }
    let header = header.ok_or_else(|| damaged(1, "there is no header"))?;
    let torn = (bytes.len() - whole) as u64;
    Ok(Contents { header, events, torn, whole: whole as u64, sum })
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// What comes before the checksum of a line, and the checksum.
fn unseal(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_suffix("\"}")?;
    let (rest, sum) = rest.split_at_checked(rest.len().checked_sub(SUM_DIGITS)?)?;
    Some((rest.strip_suffix(SUM_KEY)?, sum))
}

/// What a line says. Its checksum is a member that nothing knows, so nothing minds it.
fn object<T: DeserializeOwned>(line: &str) -> Option<T> {
    serde_json::from_str(line).ok()
}

impl Error {
    /// There is such a run already.
    pub fn is_begun(&self) -> bool {
        matches!(self.kind, Kind::Begun)
    }

    /// Somebody else writes this journal.
    pub fn is_locked(&self) -> bool {
        matches!(self.kind, Kind::Locked)
    }

    /// Somebody else took the run over while we drove it.
    pub fn is_taken_over(&self) -> bool {
        matches!(self.kind, Kind::TakenOver)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            Kind::Io(what, error) => write!(f, "cannot {what} `{path}`: {error}"),
            Kind::Begun => write!(f, "there is a run in `{path}` already"),
            Kind::Locked => write!(f, "the journal `{path}` is being written by another process"),
            Kind::TakenOver => {
                write!(f, "the journal `{path}` was written by another process meanwhile")
            }
            Kind::Newer(version) => {
                write!(
                    f,
                    "the journal `{path}` has version {version}, this program reads up to {VERSION}"
                )
            }
            Kind::Damaged { line, what } => {
                write!(f, "the journal `{path}` is damaged in line {line}: {what}")
            }
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod damage;
#[cfg(test)]
mod tests;

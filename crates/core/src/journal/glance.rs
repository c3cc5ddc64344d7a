//! What can be told of a run without reading all of its journal.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Error, FILE, Header, Kind, object, unseal};
use crate::event::{Event, EventKind, Goal};
use crate::fabric::ClusterId;

/// What the first and the last lines of a journal tell, without reading what is between.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// Its first line.
    pub header: Header,
    /// What its first event tells in short; none where the run was never begun.
    pub begun: Option<Begun>,
    /// Its last event.
    pub last: Option<Event>,
    /// Somebody drives the run.
    pub driven: bool,
}

/// The first event of a run in short, without its steps: those can be many.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Begun {
    /// What the run is to do.
    pub goal: Goal,
    /// The playbook's name, where there is one.
    #[serde(default)]
    pub playbook: Option<String>,
    /// What somebody called the run.
    #[serde(default)]
    pub name: Option<String>,
    /// The cluster that was there before the run.
    #[serde(default)]
    pub cluster: Option<ClusterId>,
}

/// Whether anything can have changed since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// How long the journal is, in bytes.
    pub length: u64,
    /// Somebody drives the run.
    pub driven: bool,
}

/// So many bytes hold the first two lines, or the last one, of nearly every journal.
const GLANCE: usize = 4096;

/// Glances at the journal of a run. Checksums are not checked: whoever acts on a journal reads it whole.
///
/// # Errors
/// It cannot be read, or its first line is no header.
pub fn glance(run_folder: &Path) -> Result<Glance, Error> {
    let at = Opened::at(run_folder);
    let (mut file, length) = at.open()?;
    let bytes = at.beginning(&mut file, length)?;
    let mut first_lines = lines(&bytes);
    let header = at.header(first_lines.next())?;
    let begun = first_lines.next().and_then(told);
    let last = last(&mut file, &bytes, length).map_err(|error| at.failed(error))?;
    let ended = matches!(&last, Some(Event { kind: EventKind::RunEnded { .. }, .. }));
    let driven = !ended && is_driven(&file);
    Ok(Glance { header, begun, last, driven })
}

/// How a run was begun, and when, by the beginning of its journal alone.
///
/// # Errors
/// It cannot be read, or its first line is no header.
pub fn begun(run_folder: &Path) -> Result<(Timestamp, Option<Begun>), Error> {
    let at = Opened::at(run_folder);
    let (mut file, length) = at.open()?;
    let bytes = at.beginning(&mut file, length)?;
    let mut first_lines = lines(&bytes);
    let header = at.header(first_lines.next())?;
    Ok((header.created, first_lines.next().and_then(told)))
}

/// Feels whether a run goes on. Nothing is read: what is asked first is whether it is driven, so a journal that is read
/// after that has the end that its driver wrote.
///
/// # Errors
/// There is no journal, or it cannot be opened.
pub fn pulse(run_folder: &Path) -> Result<Pulse, Error> {
    let at = Opened::at(run_folder);
    let file = File::open(&at.path).map_err(|error| at.failed(error))?;
    let driven = is_driven(&file);
    let length = file.metadata().map_err(|error| at.failed(error))?.len();
    Ok(Pulse { length, driven })
}

/// The journal that is looked at.
struct Opened {
    path: std::path::PathBuf,
}

impl Opened {
    fn at(run_folder: &Path) -> Self {
        Self { path: run_folder.join(FILE) }
    }

    fn failed(&self, error: io::Error) -> Error {
        Error { path: self.path.clone(), kind: Kind::Io("read the journal", error) }
    }

    fn open(&self) -> Result<(File, u64), Error> {
        let opened = File::open(&self.path).and_then(|file| {
            let length = file.metadata()?.len();
            Ok((file, length))
        });
        opened.map_err(|error| self.failed(error))
    }

    /// So much of the beginning that two lines are in it, if there are.
    fn beginning(&self, file: &mut File, length: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        loop {
            // A playbook may be long: its steps are all in the first event.
            let more = bytes.len().max(GLANCE) as u64;
            let more = more.min(length.saturating_sub(bytes.len() as u64));
            let read = more_of(file, &mut bytes, more).map_err(|error| self.failed(error))?;
            let there = bytes.iter().filter(|&&b| b == b'\n').count();
            if read == 0 || there > 1 || bytes.len() as u64 >= length {
                return Ok(bytes);
            }
        }
    }

    fn header(&self, line: Option<&str>) -> Result<Header, Error> {
        line.and_then(told).ok_or_else(|| Error {
            path: self.path.clone(),
            kind: Kind::Damaged { line: 1, what: "it is no header".to_owned() },
        })
    }
}

/// Whether somebody drives a run: writes its journal.
pub(super) fn is_driven(journal: &File) -> bool {
    let free = journal.try_lock_shared();
    if free.is_ok() {
        // Else whoever wants to drive it now would take us for a driver. Closing the file lets go as well.
        let _ = journal.unlock();
    }
    matches!(free, Err(TryLockError::WouldBlock))
}

/// The last event of a journal of which the beginning is read.
fn last(file: &mut File, beginning: &[u8], length: u64) -> io::Result<Option<Event>> {
    /// The last line that we know: a newer program may have added more.
    fn known(bytes: &[u8]) -> Option<Event> {
        lines(bytes).rev().find_map(told)
    }
    if beginning.len() as u64 >= length {
        return Ok(known(beginning));
    }
    for room in [GLANCE as u64, length] {
        file.seek(SeekFrom::Start(length.saturating_sub(room)))?;
        let mut bytes = Vec::new();
        more_of(file, &mut bytes, room)?;
        let last = known(&bytes);
        if last.is_some() {
            return Ok(last);
        }
    }
    Ok(None)
}

/// Adds so many bytes of a file to others, or what there is; how many that were.
fn more_of(file: &mut File, bytes: &mut Vec<u8>, room: u64) -> io::Result<usize> {
    let from = bytes.len();
    bytes.resize(from.saturating_add(usize::try_from(room).unwrap_or(usize::MAX)), 0);
    let mut read = from;
    while let Some(free) = bytes.get_mut(read..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(read - from)
}

/// The lines that are whole, without their ends.
fn lines(bytes: &[u8]) -> impl DoubleEndedIterator<Item = &str> {
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    let lines = bytes[..whole].split(|&b| b == b'\n').filter(|line| !line.is_empty());
    lines.filter_map(|line| std::str::from_utf8(line).ok())
}

/// What a line says; nothing, if it is no such line.
fn told<T: DeserializeOwned>(line: &str) -> Option<T> {
    unseal(line)?;
    object(line)
}

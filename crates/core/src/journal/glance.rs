//! What can be told of a run without reading all of its journal.

use std::borrow::Cow;
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// What the run is to do.
    pub goal: Goal,
    /// The playbook's name, where there is one.
    pub playbook: Option<String>,
    /// What somebody called the run.
    pub name: Option<String>,
    /// The cluster that was there before the run.
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

/// So many bytes hold all of nearly every journal that is wanted of its first two lines.
const BEGINNING: usize = 1024;

/// So many hold the last one; no more than that.
const END: usize = 1024;

/// Glances at the journal of a run. Checksums are not checked: whoever acts on a journal reads it whole.
///
/// # Errors
/// It cannot be read, or its first line is no header.
pub fn glance(run_folder: &Path) -> Result<Glance, Error> {
    let at = At::folder(run_folder);
    let mut file = at.open()?;
    let Beginning { header, begun, bytes, all } = at.beginning(&mut file)?;
    let last = last(&mut file, bytes, all).map_err(|error| at.failed(error))?;
    let ended = matches!(&last, Some(Event { kind: EventKind::RunEnded { .. }, .. }));
    let driven = !ended && is_driven(&file);
    // A first event that was torn is none.
    let begun = begun.filter(|_| last.is_some());
    Ok(Glance { header, begun, last, driven })
}

/// How a run was begun, and when, by the beginning of its journal alone.
///
/// # Errors
/// It cannot be read, or its first line is no header.
pub fn begun(run_folder: &Path) -> Result<(Timestamp, Option<Begun>), Error> {
    let at = At::folder(run_folder);
    let beginning = at.beginning(&mut at.open()?)?;
    Ok((beginning.header.created, beginning.begun))
}

/// Feels whether a run goes on. Nothing is read: what is asked first is whether it is driven, so a journal that is read
/// after that has the end that its driver wrote.
///
/// # Errors
/// There is no journal, or it cannot be opened.
pub fn pulse(run_folder: &Path) -> Result<Pulse, Error> {
    let at = At::folder(run_folder);
    let file = at.open()?;
    let driven = is_driven(&file);
    let length = file.metadata().map_err(|error| at.failed(error))?.len();
    Ok(Pulse { length, driven })
}

/// Where the journal is that is looked at.
struct At(PathBuf);

impl At {
    fn folder(run_folder: &Path) -> Self {
        Self(run_folder.join(FILE))
    }

    fn failed(&self, error: io::Error) -> Error {
        Error { path: self.0.clone(), kind: Kind::Io("read the journal", error) }
    }

    fn open(&self) -> Result<File, Error> {
        File::open(&self.0).map_err(|error| self.failed(error))
    }

    /// So much of the beginning that it tells how the run was begun, or all there is.
    fn beginning(&self, file: &mut File) -> Result<Beginning, Error> {
        let mut bytes = Vec::with_capacity(BEGINNING);
        loop {
            let room = bytes.len().max(BEGINNING);
            let read = file.take(room as u64).read_to_end(&mut bytes);
            let all = read.map_err(|error| self.failed(error))? < room;
            let mut rest = bytes.as_slice();
            let header = next_line(&mut rest).and_then(told);
            let begun = Begun::told(rest);
            match header {
                Some(header) if begun.is_some() || all => {
                    return Ok(Beginning { header, begun, bytes, all });
                }
                None if all => {
                    let kind = Kind::Damaged { line: 1, what: "it is no header".to_owned() };
                    return Err(Error { path: self.0.clone(), kind });
                }
                _ => {}
            }
        }
    }
}

/// What was read of a journal.
struct Beginning {
    header: Header,
    begun: Option<Begun>,
    bytes: Vec<u8>,
    /// There is no more.
    all: bool,
}

/// Takes the next whole line, without its end.
fn next_line<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let before = *bytes;
    let length = bytes.skip_until(b'\n').ok()?;
    before.get(..length)?.strip_suffix(b"\n")
}

impl Begun {
    /// What the beginning of the line of a first event tells; nothing, if it is too short to tell, or no such line.
    fn told(line: &[u8]) -> Option<Self> {
        let mut begun = None;
        // It fails where we stop reading, which is before the end.
        let _ = serde_json::Deserializer::from_slice(line).deserialize_map(Short(&mut begun));
        begun
    }
}

/// Reads an event as far as its steps.
struct Short<'a>(&'a mut Option<Begun>);

impl<'de> Visitor<'de> for Short<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (mut goal, mut playbook, mut name, mut cluster) = (None, None, None, None);
        while let Some(member) = members.next_key::<Cow<'de, str>>()? {
            match &*member {
                "goal" => goal = Some(members.next_value()?),
                "playbook" => playbook = members.next_value()?,
                "name" => name = members.next_value()?,
                "cluster" => cluster = members.next_value()?,
                "tags" | "steps" => break,
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        *self.0 = goal.map(|goal| Begun { goal, playbook, name, cluster });
        Ok(())
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
fn last(file: &mut File, mut bytes: Vec<u8>, all: bool) -> io::Result<Option<Event>> {
    if all {
        return Ok(last_of(&bytes));
    }
    // It is as long as its beginning at least, and that is as long as this.
    file.seek(SeekFrom::End(-(END as i64)))?;
    bytes.clear();
    file.take(END as u64).read_to_end(&mut bytes)?;
    if let Some(last) = last_of(&bytes) {
        return Ok(Some(last));
    }
    bytes.clear();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(last_of(&bytes))
}

/// The last event that we know: a newer program may have added more.
fn last_of(bytes: &[u8]) -> Option<Event> {
    let whole = bytes.iter().rposition(|&b| b == b'\n')?;
    bytes[..whole].rsplit(|&b| b == b'\n').find_map(told)
}

/// What a line says; nothing, if it is no such line.
fn told<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let line = std::str::from_utf8(line).ok()?;
    unseal(line)?;
    object(line)
}

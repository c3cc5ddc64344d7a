//! What a person needs of the logs of a step that failed: the last lines of each, and the probable cause; and logs as
//! they are, from their beginning to their end or as they grow.
//!
//! Where logs lie and how a piece of one is read is the fabric's; unpacking, cutting and explaining is done here,
//! in bounded memory however large a log is. When to look for logs that come late is [`wait`]'s.

use crate::fabric::{ClusterId, Error, Fabric, LogFile, Result, StepId};

pub mod cause;
mod follow;
mod lines;
pub mod look;
mod name;
mod pieces;
mod tail;
#[cfg(test)]
mod tests;
pub mod wait;
mod whole;

pub use cause::Cause;
use cause::Detective;
pub use follow::Follow;
use lines::Lines;
use name::Log;
use pieces::{End, Pieces};
use tail::Tail;
pub use whole::{Copied, Piece, copy, explain};

/// How much of each log is kept, unless somebody says otherwise: so many lines of its end.
pub const LINES: usize = 200;

/// A packed or plain file larger than this is not read, in bytes: it would take longer than anybody waits.
const LARGEST: u64 = 1 << 30;

/// What was found in the logs of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Why it failed, as far as the logs tell.
    pub cause: Option<Cause>,
    /// The end of each log, in the order in which a person should read them.
    pub excerpts: Vec<Excerpt>,
}

/// The end of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The name of the file, such as `stderr.gz`; of the last one if a log was written in parts.
    pub name: String,
    /// Where that file lies, in the words of the fabric.
    pub place: String,
    /// Its last lines, as the step wrote them: what is no text is replaced, long lines are cut.
    pub lines: Vec<String>,
    /// So many lines come before them.
    pub earlier: u64,
    /// What a person should know of it: that it ends in the middle, that it cannot be read. Lowercase fragments.
    pub notes: Vec<String>,
}

/// Reads the logs of a step. `go_on` is asked between two pieces; once it says no, the rest is left out.
///
/// # Errors
/// The fabric does not say which logs there are. A log that cannot be read has a note instead.
pub fn gather(
    fabric: &dyn Fabric,
    cluster: &ClusterId,
    id: &StepId,
    lines: usize,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Findings> {
    Ok(read(fabric, &fabric.logs(cluster, id)?, lines, go_on))
}

/// Reads these files as the logs of one thing: their ends and what they tell of why it failed.
pub fn read(
    fabric: &dyn Fabric,
    files: &[LogFile],
    lines: usize,
    go_on: &mut dyn FnMut() -> bool,
) -> Findings {
    let mut detective = Detective::default();
    let mut excerpts = Vec::new();
    for log in name::sorted(files) {
        excerpts.push(excerpt(fabric, &log, lines, &mut detective, go_on));
    }
    Findings { cause: detective.verdict(), excerpts }
}

/// Whether a log tells that its step has ended: what comes before is then complete, too. On EMR that is the
/// `controller` log, which ends with `Step failed with exitCode 1 and took 26 seconds`
/// (<https://github.com/snowplow/snowplow/issues/3175>).
///
/// # Errors
/// No answer of the fabric.
pub fn tells_of_the_end(
    fabric: &dyn Fabric,
    files: &[LogFile],
    go_on: &mut dyn FnMut() -> bool,
) -> Result<bool> {
    let mut ended = false;
    for log in name::sorted(files).iter().filter(|log| log.kind == name::Kind::Controller) {
        for file in &log.files {
            let mut look = |line: &str| {
                ended |= line.contains("Step failed with exitCode")
                    || line.contains("Step succeeded with exitCode");
            };
            let end = through(Pieces::new(fabric, file, go_on), &mut look);
            if let End::Unread(error) = end {
                return Err(error);
            }
        }
    }
    Ok(ended)
}

fn excerpt(
    fabric: &dyn Fabric,
    log: &Log<'_>,
    keep: usize,
    detective: &mut Detective,
    go_on: &mut dyn FnMut() -> bool,
) -> Excerpt {
    let mut tail = Tail::new(keep);
    let mut notes = Vec::new();
    let last = log.files.last();
    detective.begin(last.map_or("", |file| file.name.as_str()), log.kind);
    for file in &log.files {
        let before = if log.files.len() > 1 { format!("`{}`: ", file.name) } else { String::new() };
        if let Some(size) = file.size.filter(|size| *size > LARGEST) {
            let gib = size >> 30;
            notes.push(format!(
                "{before}not read, as it has over {gib} GiB; it is at {}",
                file.place
            ));
            continue;
        }
        let mut see = |line: &str| {
            detective.line(line);
            tail.push(line);
        };
        let end = through(Pieces::new(fabric, file, go_on), &mut see);
        notes.extend(note(end, file).map(|note| format!("{before}{note}")));
    }
    let (lines, earlier) = tail.end();
    let name = last.map(|file| file.name.clone()).unwrap_or_default();
    let place = last.map(|file| file.place.clone()).unwrap_or_default();
    Excerpt { name, place, lines, earlier, notes }
}

/// A file as lines.
fn through(pieces: Pieces<'_>, see: &mut dyn FnMut(&str)) -> End {
    let mut lines = Lines::default();
    let end = pieces::copy(pieces, &mut |bytes| lines.push(bytes, see));
    lines.end(see);
    end
}

/// Those of the files that make up a log: by its name, such as `syslog` for all its parts, or by that of one file.
pub fn named(files: Vec<LogFile>, name: &str) -> Vec<LogFile> {
    let is = |file: &LogFile| file.name == name || name::log(&file.name) == name;
    files.into_iter().filter(is).collect()
}

/// The names of the logs that files make up, each once.
pub fn names(files: &[LogFile]) -> Vec<&str> {
    let mut names: Vec<_> = name::sorted(files).iter().map(Log::name).collect();
    names.dedup();
    names
}

/// What a person should know of how a file ended.
fn note(end: End, file: &LogFile) -> Option<String> {
    match end {
        End::Whole => None,
        End::Truncated => Some("it is cut off: gzip's end is missing".to_owned()),
        End::Damaged(why) => Some(format!("it is damaged from here on: {why}")),
        End::NotPacked => Some("it is not packed, though its name says so".to_owned()),
        End::Stopped => Some("it was not read to its end".to_owned()),
        End::Unread(error) => Some(unread(&error, file)),
    }
}

fn unread(error: &Error, file: &LogFile) -> String {
    format!("{} cannot be read: {error}", file.place)
}

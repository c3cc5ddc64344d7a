//! Logs as they are, from their beginning to the end that they have now.

use super::cause::{Cause, Detective};
use super::lines::Lines;
use super::pieces::{self, End, Pieces, is_named_packed};
use super::{name, note, through};
use crate::fabric::{Error, Fabric, LogFile};

/// What comes of logs, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// What comes next is of this file.
    File(&'a LogFile),
    /// Bytes, unpacked.
    Bytes(&'a [u8]),
    /// That is all of it. What a person should know of how it ended: that it is cut off, that it cannot be read. A
    /// lowercase fragment.
    End(Option<String>),
}

/// How copying went.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Why the step failed, if it has, as far as the logs tell.
    pub cause: Option<Cause>,
    /// The first error of the fabric, where a file could not be read to its end.
    pub error: Option<Error>,
}

/// So many bytes of the end of a file are looked through for the cause of a failure: what tells most stands there, and
/// the looking takes longer than the copying.
const TELLING: u64 = 4 << 20;

/// Gives all of these files to `sink`, unpacked, those first that a person should read first; `explain`: and looks at
/// their ends for the cause of a failure. `go_on` is asked between two pieces; once it says no, the rest is left out.
pub fn copy(
    fabric: &dyn Fabric,
    files: &[LogFile],
    explain: bool,
    go_on: &mut dyn FnMut() -> bool,
    sink: &mut dyn FnMut(Piece<'_>),
) -> Copied {
    copy_looking_at(explain.then_some(TELLING), fabric, files, go_on, sink)
}

/// The same; so many bytes of the end of each file are looked through.
fn copy_looking_at(
    telling: Option<u64>,
    fabric: &dyn Fabric,
    files: &[LogFile],
    go_on: &mut dyn FnMut() -> bool,
    sink: &mut dyn FnMut(Piece<'_>),
) -> Copied {
    let mut detective = Detective::default();
    let mut first = None;
    for log in name::sorted(files) {
        detective.begin(log.files.last().map_or("", |file| &file.name), log.kind);
        for file in &log.files {
            if !go_on() {
                return Copied { cause: None, error: first };
            }
            sink(Piece::File(file));
            let mut lines = Lines::default();
            let mut left = telling.map_or(u64::MAX, |telling| begin(file, telling));
            let end = pieces::copy(Pieces::new(fabric, file, go_on), &mut |bytes| {
                sink(Piece::Bytes(bytes));
                let passed = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                left -= passed as u64;
                lines.push(&bytes[passed..], &mut |line| detective.line(line));
            });
            lines.end(&mut |line| detective.line(line));
            if let End::Unread(error) = &end {
                first.get_or_insert_with(|| error.clone());
            }
            sink(Piece::End(note(end, file)));
        }
    }
    Copied { cause: detective.verdict(), error: first }
}

/// The cause of a failure, as far as the ends of these files tell it.
pub fn explain(
    fabric: &dyn Fabric,
    files: &[LogFile],
    go_on: &mut dyn FnMut() -> bool,
) -> Option<Cause> {
    explain_by(TELLING, fabric, files, go_on)
}

/// The same, by so many bytes of the end of each file.
fn explain_by(
    telling: u64,
    fabric: &dyn Fabric,
    files: &[LogFile],
    go_on: &mut dyn FnMut() -> bool,
) -> Option<Cause> {
    let mut detective = Detective::default();
    for log in name::sorted(files) {
        detective.begin(log.files.last().map_or("", |file| &file.name), log.kind);
        for file in &log.files {
            let pieces = Pieces::new(fabric, file, go_on).from(begin(file, telling));
            through(pieces, &mut |line| detective.line(line));
        }
    }
    detective.verdict()
}

/// From which byte on a file is looked through; of one that is packed, nobody knows where its end begins.
fn begin(file: &LogFile, telling: u64) -> u64 {
    match file.size {
        Some(size) if !is_named_packed(file) => size.saturating_sub(telling),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Files, packed};
    use super::*;
    use crate::fabric::{ClusterId, StepId};
    use crate::logs::{named, names};

    fn listed(files: &Files) -> Vec<LogFile> {
        files.logs(&ClusterId::new("j-1"), &StepId::new("s-1")).expect("they are listed")
    }

    /// What comes of these files, as text.
    fn copied(files: &Files, listed: &[LogFile], pieces: usize) -> (String, Copied) {
        let (mut text, mut left) = (String::new(), pieces);
        let mut go_on = || {
            left = left.saturating_sub(1);
            left > 0
        };
        let copied = copy(files, listed, true, &mut go_on, &mut |piece| match piece {
            Piece::File(file) => text += &format!("<{}>", file.name),
            Piece::Bytes(bytes) => text += &String::from_utf8_lossy(bytes),
            Piece::End(note) => text += &format!("<{}>", note.unwrap_or_default()),
        });
        (text, copied)
    }

    #[test]
    fn all_of_each_comes_unpacked_and_the_cause_is_found_on_the_way() {
        let files = Files::of(&[
            ("stdout", b"half\xff\r\nway"),
            ("stderr.gz", &packed("java.lang.OutOfMemoryError: Java heap space\n")),
            ("syslog.2026-11-22-10.gz", &packed("a\n")),
            ("syslog.gz", &packed("b\n")[..12]),
        ])
        .in_pieces_of(5);
        let (text, copied) = copied(&files, &listed(&files), usize::MAX);
        assert_eq!(
            text,
            "<stderr.gz>java.lang.OutOfMemoryError: Java heap space\n<><stdout>half\u{fffd}\r\nway<>\
             <syslog.2026-11-22-10.gz>a\n<><syslog.gz>b<it is cut off: gzip's end is missing>"
        );
        assert_eq!(copied.error, None);
        assert_eq!(copied.cause.expect("it is known").file, "stderr.gz");
    }

    #[test]
    fn what_cannot_be_read_does_not_hide_the_rest_and_is_told() {
        let files = Files::of(&[("stdout", b"out\n")]);
        let mut all = listed(&files);
        all.insert(0, LogFile { name: "stderr".into(), place: "mem://s".into(), size: Some(1) });
        let (text, copied) = copied(&files, &all, usize::MAX);
        assert!(text.starts_with("<stderr><mem://s cannot be read: "), "{text}");
        assert!(text.ends_with("<stdout>out\n<>"), "{text}");
        assert!(copied.error.is_some());
    }

    #[test]
    fn the_cause_is_looked_for_at_the_end_of_what_is_long() {
        let trace =
            |at: &str| format!("Traceback (most recent call last):\n  File \"a\"\nE: {at}\n");
        let (early, late, rest) = (trace("early"), trace("late"), "nothing odd\n".repeat(9));
        for (name, text, told) in [
            ("stderr", [&*early, &rest, &late].concat().into_bytes(), Some("E: late")),
            ("stderr", [&*early, &rest].concat().into_bytes(), None),
            ("stderr.gz", packed(&[&*early, &rest].concat()), Some("E: early")),
        ] {
            let files = Files::of(&[(name, &text)]).in_pieces_of(7);
            let listed = listed(&files);
            let copied = copy_looking_at(Some(99), &files, &listed, &mut || true, &mut |_| {});
            let sentence = copied.cause.as_ref().map(|cause| cause.sentence.as_str());
            assert_eq!(sentence, told);
            assert_eq!(explain_by(99, &files, &listed, &mut || true), copied.cause);
            assert_eq!(copy(&files, &listed, false, &mut || true, &mut |_| {}), Copied::default());
        }
    }

    #[test]
    fn it_stops_when_somebody_says_so() {
        let files = Files::of(&[("stderr", b"abcdef"), ("stdout", b"out")]).in_pieces_of(2);
        let (text, copied) = copied(&files, &listed(&files), 4);
        assert_eq!(text, "<stderr>abcd<it was not read to its end>");
        assert_eq!(copied, Copied::default());
    }

    #[test]
    fn logs_have_names_and_files_have_too() {
        let of = ["stderr.gz", "syslog.2026-11-22-10", "syslog", "node/i-1/stderr.gz"];
        let file = |name: &str| LogFile { name: name.into(), place: String::new(), size: None };
        let files: Vec<_> = of.iter().map(|name| file(name)).collect();
        assert_eq!(names(&files), ["stderr", "syslog"]);
        for (name, places) in [
            ("syslog", &[1, 2][..]),
            ("syslog.2026-11-22-10", &[1]),
            ("stderr", &[0, 3]),
            ("stderr.gz", &[0]),
            ("node/i-1/stderr.gz", &[3]),
            ("stdout", &[]),
        ] {
            let expected: Vec<_> = places.iter().map(|place| file(of[*place])).collect();
            assert_eq!(named(files.clone(), name), expected, "{name}");
        }
    }
}

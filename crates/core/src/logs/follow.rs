//! Logs as they grow, where a fabric has them while a step runs.

use std::collections::BTreeMap;

use super::name;
use super::whole::Piece;
use crate::fabric::{Fabric, LogFile, Result};

/// Of several files whole lines are given; a line of more bytes than this is not waited for.
const LONGEST: usize = 64 << 10;

/// How far log files were read.
#[derive(Debug, Default)]
pub struct Follow {
    /// By their names, which they keep wherever they are put when the step ends.
    read: BTreeMap<String, Read>,
    /// The file of which something was given last.
    last: Option<String>,
}

#[derive(Debug, Default)]
struct Read {
    /// So many bytes.
    from: u64,
    /// What was read of a line that has no end yet.
    held: Vec<u8>,
}

impl Follow {
    /// Nothing was read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives to `sink` what these files have that was not given yet: whole lines where there are several, so that none
    /// is torn by another's. `ended`: nothing is appended any more, so lines without an end are given too. `go_on` is
    /// asked between two pieces; once it says no, the rest is left for the next time.
    ///
    /// # Errors
    /// No answer of the fabric; what was not given then is given the next time.
    pub fn take(
        &mut self,
        fabric: &dyn Fabric,
        files: &[LogFile],
        ended: bool,
        go_on: &mut dyn FnMut() -> bool,
        sink: &mut dyn FnMut(Piece<'_>),
    ) -> Result<()> {
        let whole_lines = files.len() > 1 && !ended;
        for file in name::sorted(files).iter().flat_map(|log| &log.files) {
            loop {
                let read = self.read.entry(file.name.clone()).or_default();
                // What is appended from now on is for the next time: it may be faster than we are.
                let is_new = file.size.is_none_or(|size| read.from < size);
                let done = if !is_new {
                    true
                } else if go_on() {
                    let chunk = fabric.read(file, read.from)?;
                    read.from += chunk.bytes.len() as u64;
                    read.held.extend(&chunk.bytes);
                    chunk.at_end || chunk.bytes.is_empty()
                } else {
                    return Ok(());
                };
                let given = if whole_lines { lines(&read.held) } else { read.held.len() };
                let given: Vec<u8> = read.held.drain(..given).collect();
                self.give(file, &given, sink);
                if done {
                    break;
                }
            }
        }
        if ended && self.last.is_some() {
            sink(Piece::End(None));
        }
        Ok(())
    }

    fn give(&mut self, file: &LogFile, bytes: &[u8], sink: &mut dyn FnMut(Piece<'_>)) {
        if bytes.is_empty() {
            return;
        }
        if self.last.as_ref() != Some(&file.name) {
            if self.last.replace(file.name.clone()).is_some() {
                sink(Piece::End(None));
            }
            sink(Piece::File(file));
        }
        sink(Piece::Bytes(bytes));
    }
}

/// How many bytes are whole lines, or more than one waits for.
fn lines(held: &[u8]) -> usize {
    let lines = held.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if held.len() - lines > LONGEST { held.len() } else { lines }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Files;
    use super::*;
    use crate::fabric::{ClusterId, StepId};

    /// What comes of the files of each of these moments, the last of which is the end.
    fn followed(moments: &[&[(&str, &[u8])]]) -> Vec<String> {
        let mut follow = Follow::new();
        let each = moments.iter().enumerate().map(|(at, files)| {
            let files = Files::of(files).in_pieces_of(3);
            let listed = files.logs(&ClusterId::new("j-1"), &StepId::new("s-1")).expect("a list");
            let mut text = String::new();
            let ended = at + 1 == moments.len();
            let mut sink = |piece: Piece<'_>| match piece {
                Piece::File(file) => text += &format!("<{}>", file.name),
                Piece::Bytes(bytes) => text += &String::from_utf8_lossy(bytes),
                Piece::End(_) => text += "<>",
            };
            follow.take(&files, &listed, ended, &mut || true, &mut sink).expect("it answers");
            text
        });
        each.collect()
    }

    #[test]
    fn each_byte_comes_once_and_lines_of_several_files_are_whole() {
        let said = followed(&[
            &[("stderr", b""), ("stdout", b"")],
            &[("stderr", b"wa"), ("stdout", b"one\ntw")],
            &[("stderr", b"wait\nno"), ("stdout", b"one\ntwo\n")],
            &[("stderr", b"wait\nno"), ("stdout", b"one\ntwo\n")],
            &[("stderr", b"wait\nno"), ("stdout", b"one\ntwo\nthree")],
        ]);
        assert_eq!(
            said,
            [
                "",
                "<stdout>one\n",
                "<><stderr>wait\n<><stdout>two\n",
                "",
                "<><stderr>no<><stdout>three<>"
            ]
        );
    }

    #[test]
    fn a_file_that_is_put_elsewhere_is_read_on() {
        let (mut follow, mut text) = (Follow::new(), String::new());
        for (content, folder) in [("one\ntwo", "on the node"), ("one\ntwo\nthree", "kept")] {
            let files = Files::of(&[("stdout", content.as_bytes())]);
            let mut listed =
                files.logs(&ClusterId::new("j-1"), &StepId::new("s-1")).expect("a list");
            listed[0].place = format!("{folder}/{}", listed[0].place);
            let mut sink = |piece: Piece<'_>| match piece {
                Piece::File(file) => text += &format!("<{}>", file.name),
                Piece::Bytes(bytes) => text += &String::from_utf8_lossy(bytes),
                Piece::End(_) => text += "<>",
            };
            let ended = folder == "kept";
            follow.take(&files, &listed, ended, &mut || true, &mut sink).expect("it answers");
        }
        assert_eq!(text, "<stdout>one\ntwo\nthree<>");
    }

    #[test]
    fn of_one_file_each_byte_comes_at_once() {
        let said = followed(&[
            &[("stdout", b"50 %")],
            &[("stdout", b"50 %\r90 %")],
            &[("stdout", b"50 %\r90 %")],
        ]);
        assert_eq!(said, ["<stdout>50 %", "\r90 %", "<>"]);
        assert_eq!(followed(&[&[("stdout", b"")]]), [""], "nothing was ever said");
    }

    #[test]
    fn a_line_without_end_is_not_held_for_ever() {
        let long = "x".repeat(LONGEST + 1);
        let said = followed(&[&[("stderr", b""), ("stdout", long.as_bytes())], &[]]);
        assert!(said[0].len() > LONGEST, "{}", said[0].len());
        assert_eq!(said[0].len() + said[1].len(), "<stdout><>".len() + long.len());
    }

    #[test]
    fn what_was_left_when_somebody_said_so_comes_the_next_time() {
        let files = Files::of(&[("stdout", b"abcdef")]).in_pieces_of(2);
        let listed = files.logs(&ClusterId::new("j-1"), &StepId::new("s-1")).expect("a list");
        let (mut follow, mut text) = (Follow::new(), String::new());
        for most in [1_u32, 9] {
            let mut left = most;
            let mut go_on = || {
                let more = left > 0;
                left = left.saturating_sub(1);
                more
            };
            let mut sink = |piece: Piece<'_>| {
                if let Piece::Bytes(bytes) = piece {
                    text += &String::from_utf8_lossy(bytes);
                }
            };
            follow.take(&files, &listed, false, &mut go_on, &mut sink).expect("it answers");
            text.push('.');
        }
        assert_eq!(text, "ab.cdef.");
    }
}

//! Bytes as lines of text, none of them long.

/// A line keeps so many bytes; the rest of it is counted.
pub(super) const LONGEST: usize = 2000;

/// Takes bytes as they come and gives whole lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    held: Vec<u8>,
    /// Bytes of the line beyond what is held.
    cut: u64,
}

impl Lines {
    /// More bytes: `see` is given each line that ends in them.
    pub(super) fn push(&mut self, mut bytes: &[u8], see: &mut dyn FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.hold(&bytes[..end]);
            self.give(see);
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes);
    }

    /// No more bytes: the last line may have no end.
    pub(super) fn end(mut self, see: &mut dyn FnMut(&str)) {
        if !self.held.is_empty() {
            self.give(see);
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.held.len()).min(bytes.len());
        self.held.extend(&bytes[..room]);
        self.cut += (bytes.len() - room) as u64;
    }

    fn give(&mut self, see: &mut dyn FnMut(&str)) {
        let mut held = self.held.as_slice();
        if self.cut == 0 {
            // As Windows and HTTP end lines.
            held = held.strip_suffix(b"\r").unwrap_or(held);
            see(&String::from_utf8_lossy(held));
        } else {
            see(&format!("{} … and {} more bytes", text(held), self.cut));
        }
        self.held.clear();
        self.cut = 0;
    }
}

/// The text of bytes that were cut off anywhere: half a character at the end is left out.
fn text(bytes: &[u8]) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    };
    String::from_utf8_lossy(whole).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.push(piece, &mut |line| seen.push(line.to_owned()));
        }
        lines.end(&mut |line| seen.push(line.to_owned()));
        seen
    }

    #[test]
    fn lines_are_whole_wherever_the_pieces_end() {
        assert_eq!(split(&[b"a\nb", b"c\r\n\nd"]), ["a", "bc", "", "d"]);
        assert_eq!(split(&["ñ".as_bytes()[..1].as_ref(), &"ñ".as_bytes()[1..]]), ["ñ"]);
        assert_eq!(split(&[b"a\n"]), ["a"]);
        assert_eq!(split(&[b""]), [""; 0]);
        assert_eq!(split(&[b"\xff\n"]), ["\u{fffd}"]);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let long = "ñ".repeat(LONGEST);
        let line = format!("x{long}\ny");
        let kept = format!("x{} … and {} more bytes", "ñ".repeat(LONGEST / 2 - 1), LONGEST + 1);
        assert_eq!(split(&[line.as_bytes()]), [kept, "y".to_owned()]);
    }
}

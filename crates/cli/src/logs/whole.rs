//! Prints logs as they are.

use dataflow_runner_core::fabric::LogFile;
use dataflow_runner_core::logs::Piece;

use crate::args::Level;
use crate::ui::{Ui, escape};

/// Where logs are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// Among the messages: what would act on a terminal is shown by its number.
    Messages,
    /// On stdout, byte for byte; on a terminal as among the messages.
    Stdout,
}

/// Prints the logs of one thing, such as `step s-1`.
#[derive(Debug)]
pub(crate) struct Whole {
    of: String,
    to: To,
    /// Bytes are shown as they are.
    raw: bool,
    /// The name of the file that is being printed.
    name: String,
    /// Half a character, which waits for its other half.
    held: Vec<u8>,
    /// The last line that was printed has no end yet.
    open: bool,
}

impl Whole {
    pub(crate) fn new(of: impl Into<String>, to: To) -> Self {
        let raw = to == To::Stdout && !Ui::prints_on_a_terminal();
        let (name, held) = (String::new(), Vec::new());
        Self { of: of.into(), to, raw, name, held, open: false }
    }

    /// One more piece.
    pub(crate) fn piece(&mut self, piece: Piece<'_>, ui: &mut Ui) {
        match piece {
            Piece::File(file) => self.begin(file, ui),
            Piece::Bytes(bytes) if self.raw => ui.print(bytes),
            Piece::Bytes(bytes) => {
                self.held.extend(bytes);
                let rest = self.held.split_off(whole(&self.held));
                let text = std::mem::replace(&mut self.held, rest);
                self.show(&text, ui);
            }
            Piece::End(note) => {
                let rest = std::mem::take(&mut self.held);
                self.show(&rest, ui);
                if std::mem::take(&mut self.open) {
                    self.show(b"\n", ui);
                }
                if let Some(note) = note {
                    ui.message(Level::Warning, format!("log file '{}': {note}", self.name));
                }
            }
        }
    }

    fn begin(&mut self, file: &LogFile, ui: &mut Ui) {
        file.name.clone_into(&mut self.name);
        // Scripts look for the text up to the colon.
        let more = if file.size == Some(0) { " it is empty" } else { "" };
        let text = format!("Content of log file '{}' for {}:{more}", self.name, self.of);
        ui.message(Level::Info, text);
    }

    fn show(&mut self, bytes: &[u8], ui: &mut Ui) {
        let Some(last) = bytes.last() else { return };
        self.open = *last != b'\n';
        let text = escape::lines(bytes);
        match self.to {
            To::Messages => ui.text(&text),
            To::Stdout => ui.print(text.as_bytes()),
        }
    }
}

/// How many of the bytes end with a whole character: only what may still become one is left out.
fn whole(bytes: &[u8]) -> usize {
    let last = bytes.len();
    for at in (last.saturating_sub(3)..last).rev() {
        let needs = match bytes[at] {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x80..=0xBF => continue,
            _ => return last,
        };
        return if at + needs > last { at } else { last };
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_is_held_back() {
        for (bytes, kept) in [
            (&b""[..], 0),
            (b"ab", 2),
            ("añ".as_bytes(), 3),
            (&"añ".as_bytes()[..2], 1),
            (&"€".as_bytes()[..2], 0),
            (&"😀".as_bytes()[..3], 0),
            (b"\x80\x80\x80\x80", 4),
            (b"\xff", 1),
        ] {
            assert_eq!(whole(bytes), kept, "{bytes:?}");
        }
    }
}

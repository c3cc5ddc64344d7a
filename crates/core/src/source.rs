//! Texts that users wrote, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

/// A text and the name that diagnostics give it (for a file: its path as the user wrote it).
pub struct Source {
    name: String,
    text: String,
    /// It is no file of the user's, but shows what became of one.
    is_view: bool,
    /// Byte offset of the start of each line; made when first asked for.
    lines: OnceLock<Vec<u32>>,
}

/// A range of bytes of one [`Source`]. Offsets are `u32`: no input over 4 GiB is ever read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

/// A place as people count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Source {
    /// A source called `name` that holds `text`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), is_view: false, lines: OnceLock::new() }
    }

    /// A text that shows what became of a file: only people can look at it.
    pub fn view(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { is_view: true, ..Self::new(name, text) }
    }

    /// Whether it is no file of the user's, but shows what became of one.
    pub fn is_view(&self) -> bool {
        self.is_view
    }

    /// The name that diagnostics show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset; an offset behind the end gives the end.
    pub fn position(&self, offset: u32) -> Position {
        let lines = self.lines.get_or_init(|| {
            let starts = self.text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
            std::iter::once(0).chain(starts.map(|(i, _)| i as u32 + 1)).collect()
        });
        let offset = offset.min(self.text.len() as u32);
        let line = lines.partition_point(|&start| start <= offset);
        let before = &self.text.as_bytes()[lines[line - 1] as usize..offset as usize];
        // A byte that does not continue a character begins one (UTF-8).
        let column = before.iter().filter(|b| (**b & 0xC0) != 0x80).count() as u32 + 1;
        Position { line: line as u32, column }
    }
}

/// Shows the name and size only: a file may hold credentials.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({}, {} bytes)", self.name, self.text.len())
    }
}

impl Span {
    /// The bytes from `start` up to and not including `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// An empty span at `offset`.
    pub fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// The range, to slice a text with.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether all of `other` lies in it.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let source = Source::new("x", "añb\nc\n");
        let at = |offset| {
            let p = source.position(offset);
            (p.line, p.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(3), (1, 3), "ñ is two bytes and one column");
        assert_eq!(at(4), (1, 4), "the line feed belongs to its line");
        assert_eq!(at(5), (2, 1));
        assert_eq!(at(7), (3, 1));
        assert_eq!(at(99), (3, 1), "behind the end is the end");
    }
}

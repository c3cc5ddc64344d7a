//! Strict JSON (RFC 8259) with the place of every key and value.
//!
//! Values borrow from the rendered text; strings are decoded when asked for. Duplicate keys are kept.

mod parse;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

pub use parse::{MAX_DEPTH, parse};

use crate::document::Document;
use crate::secret::Text;
use crate::source::Span;

/// A value and where it stands in the rendered text.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    /// From its first to its last byte, quotes and brackets included.
    pub span: Span,
    /// What it is.
    pub value: Value<'a>,
}

/// A JSON value.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number<'a>),
    /// A string.
    String(Str<'a>),
    /// A list.
    Array(Box<[Node<'a>]>),
    /// Members in the order of the file, those of equal keys too.
    Object(Box<[Member<'a>]>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// The key.
    pub key: Str<'a>,
    /// Where the key stands in the rendered text, quotes included.
    pub key_span: Span,
    /// The value.
    pub node: Node<'a>,
}

/// A number as the file has it.
#[derive(Clone, Copy)]
pub struct Number<'a>(&'a str);

/// A string as the file has it: what stands between its quotes.
#[derive(Clone, Copy)]
pub struct Str<'a>(&'a str);

impl Value<'_> {
    /// What it is, for messages: `a string`, `null`, ….
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl Number<'_> {
    /// Nought.
    pub const ZERO: Number<'static> = Number("0");

    /// Whether it is written without fraction and exponent.
    pub fn is_integer(self) -> bool {
        !self.0.contains(['.', 'e', 'E'])
    }

    /// The value of an integer that an `i64` can hold.
    pub fn as_i64(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The nearest `f64`; `None` beyond its range.
    pub fn as_f64(self) -> Option<f64> {
        self.0.parse().ok().filter(|n: &f64| n.is_finite())
    }
}

impl<'a> Str<'a> {
    /// The string, decoded.
    pub fn get(self) -> Cow<'a, str> {
        if !self.0.contains('\\') {
            return Cow::Borrowed(self.0);
        }
        let mut decoded = String::with_capacity(self.0.len());
        units(self.0, |_, unit| decoded.push(unit));
        Cow::Owned(decoded)
    }

    /// Whether it is `other`.
    pub fn is(self, other: &str) -> bool {
        self.0 == other || (self.0.contains('\\') && self.get() == other)
    }

    /// Whether it is `other`, but for upper and lower case of ASCII.
    pub fn is_like(self, other: &str) -> bool {
        // What is escaped is longer than what it means.
        let is_escaped = self.0.len() > other.len() && self.0.contains('\\');
        self.0.eq_ignore_ascii_case(other) || (is_escaped && self.get().eq_ignore_ascii_case(other))
    }

    /// The string as a [`Text`]: its secret pieces are shown by their origin. `span` is where it stands, quotes included.
    pub fn text(self, span: Span, document: &Document) -> Text {
        let value = self.get().into_owned();
        let at = document.source_span(span);
        let computed = document.computed(span);
        if computed.is_empty() {
            return Text::new(value, at);
        }
        let written = self.with_pieces_as(&computed, span);
        let secrets = document.secrets(span);
        if secrets.is_empty() {
            return Text::new(value, at).as_written(written);
        }
        Text::with_secrets(value, self.with_pieces_as(&secrets, span), at).as_written(written)
    }

    /// The string with other words in the place of some pieces of the rendered text.
    fn with_pieces_as(self, pieces: &[(Span, String)], span: Span) -> String {
        // A unit that overlaps a piece belongs to it, even where only a part of its escape does.
        let body = span.start as usize + 1;
        let mut pieces = pieces.iter().peekable();
        let mut piece_until = 0;
        let mut text = String::with_capacity(self.0.len());
        units(self.0, |unit, char| {
            let (start, end) = (body + unit.start, body + unit.end);
            while let Some((piece, words)) = pieces.next_if(|(p, _)| (p.start as usize) < end) {
                text.push_str(words);
                piece_until = piece.end as usize;
            }
            if start >= piece_until {
                text.push(char);
            }
        });
        text.extend(pieces.map(|(_, words)| words.as_str()));
        text
    }
}

/// The text as the file has it.
impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The size only: it may come from a variable.
impl fmt::Debug for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({} bytes)", self.0.len())
    }
}

/// The size only: it may be secret.
impl fmt::Debug for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Str({} bytes)", self.0.len())
    }
}

/// Decodes what stands between quotes: each character, with the bytes it is written in. What the parser has
/// refused (and read on) comes out as U+FFFD.
fn units(body: &str, mut each: impl FnMut(Range<usize>, char)) {
    let mut at = 0;
    while let Some(c) = body[at..].chars().next() {
        let (unit, length) = match c {
            '\\' => {
                escape(&body[at..]).unwrap_or_else(|bad| (char::REPLACEMENT_CHARACTER, bad.length))
            }
            _ => (c, c.len_utf8()),
        };
        each(at..at + length, unit);
        at += length;
    }
}

/// An escape that JSON does not have.
#[derive(Clone, Copy)]
struct BadEscape {
    /// Whether it is half of a surrogate pair.
    surrogate: bool,
    /// How many bytes to leave behind.
    length: usize,
}

/// The character of the escape that `text` begins with, and the length of the escape.
fn escape(text: &str) -> Result<(char, usize), BadEscape> {
    let escaped = text[1..].chars().next();
    let simple = match escaped {
        Some(c @ ('"' | '\\' | '/')) => c,
        Some('b') => '\u{8}',
        Some('f') => '\u{C}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return unicode_escape(text),
        other => {
            let length = 1 + other.map_or(0, char::len_utf8);
            return Err(BadEscape { surrogate: false, length });
        }
    };
    Ok((simple, 2))
}

/// `\uXXXX`, or two of them that make one character.
fn unicode_escape(text: &str) -> Result<(char, usize), BadEscape> {
    let unit = |at: usize| {
        let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    let Some(first) = unit(0) else { return Err(BadEscape { surrogate: false, length: 2 }) };
    if let Some(c) = char::from_u32(first) {
        return Ok((c, 6));
    }
    let pair = unit(6).filter(|low| first < 0xDC00 && (0xDC00..0xE000).contains(low));
    pair.and_then(|low| char::from_u32(0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)))
        .map(|c| (c, 12))
        .ok_or(BadEscape { surrogate: true, length: 6 })
}

#[cfg(test)]
mod tests;

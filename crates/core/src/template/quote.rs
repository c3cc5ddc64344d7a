//! Go's quoted literals, both ways, and the view of bytes as runes that its printing rests on.

use std::borrow::Cow;

pub(super) use super::unicode::is_print;

/// One step of reading bytes as UTF-8: the character, or `None` for a byte that belongs to none, and
/// how many bytes it took. `bytes` must not be empty.
pub(super) fn decode(bytes: &[u8]) -> (Option<char>, usize) {
    let length = match bytes[0] {
        0..0x80 => return (Some(char::from(bytes[0])), 1),
        0xC2..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF5 => 4,
        _ => return (None, 1),
    };
    let text = bytes.get(..length).and_then(|head| std::str::from_utf8(head).ok());
    match text.and_then(|text| text.chars().next()) {
        Some(c) => (Some(c), length),
        None => (None, 1),
    }
}

/// The characters of `bytes` and their offsets; a stray byte counts as one.
pub(super) fn runes(bytes: &[u8]) -> impl Iterator<Item = (usize, Option<char>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let (c, width) = decode(rest);
        let start = at;
        at += width;
        Some((start, c))
    })
}

/// How many characters `bytes` hold, each stray byte counted as one.
pub(super) fn count(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().count(),
        Err(_) => runes(bytes).count(),
    }
}

/// `bytes` as a Go string literal in double quotes; `ascii` escapes all that is not ASCII.
pub(super) fn quote(bytes: &[u8], ascii: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    out.push(b'"');
    for (at, c) in runes(bytes) {
        match c {
            Some(c) => escape(&mut out, c, '"', ascii),
            None => out.extend(format!("\\x{:02x}", bytes[at]).bytes()),
        }
    }
    out.push(b'"');
    out
}

/// [`quote`] for messages.
pub(super) fn quoted(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&quote(bytes, false)).into_owned()
}

/// `c` as a Go character literal.
pub(super) fn quote_char(c: char, ascii: bool) -> Vec<u8> {
    let mut out = vec![b'\''];
    escape(&mut out, c, '\'', ascii);
    out.push(b'\'');
    out
}

fn escape(out: &mut Vec<u8>, c: char, quote: char, ascii: bool) {
    let code = u32::from(c);
    if c == quote || c == '\\' {
        out.extend([b'\\', code as u8]);
    } else if is_print(c) && (c.is_ascii() || !ascii) {
        out.extend(c.encode_utf8(&mut [0; 4]).bytes());
    } else {
        let text: Cow<'_, str> = match c {
            '\x07' => "\\a".into(),
            '\x08' => "\\b".into(),
            '\x0C' => "\\f".into(),
            '\n' => "\\n".into(),
            '\r' => "\\r".into(),
            '\t' => "\\t".into(),
            '\x0B' => "\\v".into(),
            _ if code < 0x80 => format!("\\x{code:02x}").into(),
            _ if code < 0x10000 => format!("\\u{code:04x}").into(),
            _ => format!("\\U{code:08x}").into(),
        };
        out.extend(text.bytes());
    }
}

/// Whether `bytes` can stand in a raw literal as they are.
pub(super) fn can_backquote(bytes: &[u8]) -> bool {
    runes(bytes).all(|(_, c)| {
        c.is_some_and(|c| !matches!(c, '\u{FEFF}' | '`' | '\x7F') && (c >= ' ' || c == '\t'))
    })
}

/// What one escape or plain character of a literal stands for.
pub(super) enum Unit {
    /// A character, written as UTF-8.
    Char(char),
    /// A byte of its own (`\xff`, `\377`).
    Byte(u8),
}

/// Reads one character of a literal in `quote` marks; `None` where Go says `invalid syntax`.
pub(super) fn unquote_char(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let c = chars.next()?;
    if c == quote {
        return None;
    }
    if c != '\\' {
        return Some((Unit::Char(c), chars.as_str()));
    }
    let c = chars.next()?;
    let rest = chars.as_str();
    let hex = |digits: usize| {
        let code = rest.get(..digits).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some((u32::from_str_radix(code, 16).ok()?, &rest[digits..]))
    };
    Some(match c {
        'a' => (Unit::Char('\x07'), rest),
        'b' => (Unit::Char('\x08'), rest),
        'f' => (Unit::Char('\x0C'), rest),
        'n' => (Unit::Char('\n'), rest),
        'r' => (Unit::Char('\r'), rest),
        't' => (Unit::Char('\t'), rest),
        'v' => (Unit::Char('\x0B'), rest),
        '\\' => (Unit::Char('\\'), rest),
        '\'' | '"' if c == quote => (Unit::Char(c), rest),
        'x' => hex(2).map(|(code, rest)| (Unit::Byte(code as u8), rest))?,
        'u' | 'U' => {
            let (code, rest) = hex(if c == 'u' { 4 } else { 8 })?;
            (Unit::Char(char::from_u32(code)?), rest)
        }
        '0'..='7' => {
            let more = rest.get(..2).filter(|d| d.bytes().all(|b| matches!(b, b'0'..=b'7')))?;
            let code = u32::from(c) - u32::from('0');
            let code = code * 64 + u32::from_str_radix(more, 8).ok()?;
            (Unit::Byte(u8::try_from(code).ok()?), &rest[2..])
        }
        _ => return None,
    })
}

/// The bytes that a quoted or raw string literal stands for; `None` where Go says `invalid syntax`.
pub(super) fn unquote(literal: &str) -> Option<Vec<u8>> {
    if let Some(raw) = literal.strip_prefix('`') {
        // A raw literal drops carriage returns.
        return Some(raw.strip_suffix('`')?.bytes().filter(|b| *b != b'\r').collect());
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (unit, tail) = unquote_char(rest, '"')?;
        match unit {
            Unit::Char(c) => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            Unit::Byte(b) => out.push(b),
        }
        rest = tail;
    }
    Some(out)
}

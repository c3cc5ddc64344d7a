//! The escapes of `html`, `js` and `urlquery`.

use super::quote;

/// For HTML text and attributes.
pub(super) fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &b in text {
        match b {
            0 => out.extend("\u{FFFD}".bytes()),
            b'"' => out.extend(b"&#34;"),
            b'\'' => out.extend(b"&#39;"),
            b'&' => out.extend(b"&amp;"),
            b'<' => out.extend(b"&lt;"),
            b'>' => out.extend(b"&gt;"),
            _ => out.push(b),
        }
    }
    out
}

/// For a JavaScript string.
pub(super) fn js(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for (at, c) in quote::runes(text) {
        match c {
            Some(c @ ('\\' | '\'' | '"')) => out.extend([b'\\', c as u8]),
            Some(c @ ('<' | '>' | '&' | '=' | '\0'..='\x1F')) => {
                out.extend(format!("\\u{:04X}", u32::from(c)).bytes());
            }
            Some(c) if c.is_ascii() || quote::is_print(c) => {
                out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            }
            Some(c) => out.extend(format!("\\u{:04X}", u32::from(c)).bytes()),
            // Go takes a stray byte for the replacement character, and copies it.
            None => out.push(text[at]),
        }
    }
    out
}

/// For the query of a URL; a space becomes `+`.
pub(super) fn query(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &b in text {
        match b {
            b' ' => out.push(b'+'),
            b'-' | b'_' | b'.' | b'~' => out.push(b),
            b if b.is_ascii_alphanumeric() => out.push(b),
            b => out.extend(format!("%{b:02X}").bytes()),
        }
    }
    out
}

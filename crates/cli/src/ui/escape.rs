//! Names, reasons and log lines may hold anything: what could move a cursor, break a line or turn text round is
//! shown by its number instead.

/// A text on one line that cannot act on a terminal.
pub(crate) fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    push_line(&mut safe, text);
    safe
}

/// The same, behind what is there already.
pub(crate) fn push_line(safe: &mut String, text: &str) {
    // Nearly every text is plain, and plans have many.
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        safe.push_str(text);
    } else {
        text.chars().for_each(|c| push(safe, c));
    }
}

/// The same, but lines stay lines and tabs stay tabs: for the content of log files. Bytes that are no text are
/// shown by their numbers.
pub(crate) fn lines(bytes: &[u8]) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if matches!(c, '\n' | '\t') { safe.push(c) } else { push(&mut safe, c) }
        }
        for byte in chunk.invalid() {
            safe += &format!("\\x{byte:02x}");
        }
    }
    safe
}

/// A text in quotes as Go's `%q` writes it, which is what logfmt readers of 0.7.x's output take apart.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            _ => push(&mut quoted, c),
        }
    }
    quoted.push('"');
    quoted
}

fn push(safe: &mut String, c: char) {
    match c {
        '\n' => *safe += "\\n",
        '\r' => *safe += "\\r",
        '\t' => *safe += "\\t",
        c if !acts(c) => safe.push(c),
        c if c.is_ascii() => *safe += &format!("\\x{:02x}", u32::from(c)),
        c => *safe += &format!("\\u{:04x}", u32::from(c)),
    }
}

/// Whether a character does something rather than shows something: controls, and what reorders or hides text.
/// Joiners (U+200C, U+200D) are left alone, as scripts and emoji need them.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown_by_its_number() {
        assert_eq!(line("a\x1b[2J\nb\u{202e}ñ\t\u{9b}"), "a\\x1b[2J\\nb\\u202eñ\\t\\u009b");
        assert_eq!(line("\u{200b}\u{200e}\u{feff}"), "\\u200b\\u200e\\ufeff");
        assert_eq!(line("👩\u{200d}👧 \u{200c}"), "👩\u{200d}👧 \u{200c}", "joiners are needed");
        assert_eq!(lines(b"a\tb\n\xff\x1bc\r\n"), "a\tb\n\\xff\\x1bc\\r\n");
        assert_eq!(quoted("it's \"a\\b\"\n"), r#""it's \"a\\b\"\n""#);
    }
}

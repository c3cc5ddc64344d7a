//! Secrets that stand in a file as they are.

use std::borrow::Cow;
use std::ops::Range;

use super::tokens;
use crate::secret::literals;

/// A secret, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its bytes, without quotes around them.
    pub range: Range<usize>,
    /// How it is known to be one.
    pub kind: Kind,
}

/// How a secret is known to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By its own form: what it is.
    Token(&'static str),
    /// It is a private key.
    PrivateKey,
    /// By the name of the field, the property or the option that it is the value of.
    Named,
    /// It is the password in a URL.
    Url,
}

impl Kind {
    pub(super) fn message(self) -> String {
        match self {
            Self::Token(name) => format!("{name} stands in the file"),
            Self::PrivateKey => "a private key stands in the file".to_owned(),
            Self::Named => "a secret stands in the file".to_owned(),
            Self::Url => "a URL with a password stands in the file".to_owned(),
        }
    }
}

/// What to do about any of them.
pub(super) const HELP: &str = "whoever reads the file has it: take it from the environment by `{{systemEnv \"NAME\"}}`, and withdraw the one that was written here";

/// All secrets that stand in the text of a file, in order. The text is the user's own, so that what comes from
/// variables and from the environment is none of them. It may be cut out anywhere.
pub fn secrets(text: &str) -> Vec<Found> {
    let mut found: Vec<_> = literals(text, &is_secret)
        .into_iter()
        .filter(|literal| literal.quoted && is_alone(text, &literal.range))
        .filter(|literal| is_value(&text[literal.range.clone()]))
        .map(|literal| Found { range: literal.range, kind: Kind::Named })
        .collect();
    let bytes = text.as_bytes();
    let marked = bytes.iter().enumerate().filter(|(_, byte)| MARKS[usize::from(**byte)]);
    for (at, &byte) in marked {
        let begins = byte == b'-' || !at.checked_sub(1).is_some_and(|at| of_word(bytes[at]));
        if begins && let Some((range, kind)) = tokens::at(text, at) {
            found.push(Found { range, kind });
        } else if let Some(name) = begin_of_option(bytes, at) {
            found.extend(option(text, name).map(|range| Found { range, kind: Kind::Named }));
        } else if byte == b':' && text[at..].starts_with("://") {
            let password = password(&text[at + 3..]);
            found.extend(password.map(|range| Found {
                range: at + 3 + range.start..at + 3 + range.end,
                kind: Kind::Url,
            }));
        }
    }
    // Of what is found twice, the one that says most is kept: a token is known by its name.
    found.sort_by_key(|found| (found.range.start, matches!(found.kind, Kind::Named)));
    found.dedup_by(|next, kept| next.range.start < kept.range.end);
    found
}

/// The bytes at which tokens begin (`Adgsx-`), and those in options and URLs. Of most of a file nothing more is looked at.
const MARKS: [bool; 256] = {
    let (marks, mut at) = (b"Adgsx-=:", 0);
    let mut is_mark = [false; 256];
    while at < marks.len() {
        is_mark[marks[at] as usize] = true;
        at += 1;
    }
    is_mark
};

fn of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether the name of a field, a property or an option says that its value is a secret.
fn is_secret(name: &str) -> bool {
    // What is no letter and no digit is left out.
    let part = |byte: &u8| !byte.is_ascii() || byte.is_ascii_alphanumeric();
    let letters: Cow<'_, [u8]> = match name.bytes().all(|byte| part(&byte)) {
        true => Cow::Borrowed(name.as_bytes()),
        false => name.bytes().filter(part).collect(),
    };
    let ends = [
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "secretkey",
        "secretaccesskey",
        "apikey",
        "authtoken",
        "accesstoken",
        "sessiontoken",
        "bearertoken",
        "privatekey",
    ];
    let ends_with = |end: &str| {
        let from = letters.len().checked_sub(end.len());
        from.is_some_and(|from| letters[from..].eq_ignore_ascii_case(end.as_bytes()))
    };
    // Hadoop's keys of storage accounts: the account's name comes behind.
    let hadoop = "fsazureaccountkey";
    ends.iter().any(|end| ends_with(end))
        || letters.eq_ignore_ascii_case(b"token")
        || letters.get(..hadoop.len()).is_some_and(|it| it.eq_ignore_ascii_case(hadoop.as_bytes()))
}

/// Whether the value of such a name is one, and not a word that says where it is, or that there is none.
fn is_value(value: &str) -> bool {
    let is_word = |word: &&str| value.eq_ignore_ascii_case(word);
    let words = ["env", "iam", "default", "true", "false", "none", "null", "prompt"];
    let marks = ["${", "$", "<", "*", "/", "%", "arn:", "jceks:", "projects/", "./"];
    let shown = value.chars().any(|c| c != 'x' && c != 'X' && c != '.');
    !value.is_empty()
        && shown
        && !value.contains("://")
        && !words.iter().any(is_word)
        && !marks.iter().any(|mark| value.starts_with(mark))
}

/// Whether no part of the value is computed.
fn is_alone(text: &str, range: &Range<usize>) -> bool {
    !text[..range.start].ends_with("}}") && !text[range.end..].starts_with("{{")
}

/// Where the name of an option begins, if there is one at `at` (`--name`) or it ends there (`name=`).
fn begin_of_option(text: &[u8], at: usize) -> Option<usize> {
    match text[at] {
        b'-' if text[at..].starts_with(b"--") => Some(at),
        b'=' => Some(at - text[..at].iter().rev().take_while(|byte| of_name(**byte)).count()),
        _ => None,
    }
}

fn of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The value of a secret option whose name begins at `at`: `password=X`, `--password X` in two words, or two strings.
fn option(text: &str, at: usize) -> Option<Range<usize>> {
    let length = text.as_bytes()[at..].iter().take_while(|byte| of_name(**byte)).count();
    let name = &text[at..at + length];
    // A name is looked at from its beginning, with its dashes; hardly any word has a value behind it.
    let begun = at.checked_sub(1).is_some_and(|before| of_name(text.as_bytes()[before]));
    let rest = &text[at + length..];
    let is_option = name.starts_with("--") || rest.starts_with('=');
    if begun || !is_option || !is_secret(name) {
        return None;
    }
    let start = if let Some(value) = rest.strip_prefix('=') {
        text.len() - value.len()
    } else {
        let next = rest.trim_start_matches(['"', ',', ' ', '\n', '\r', '\t']);
        let between = &rest[..rest.len() - next.len()];
        let two_strings = between.matches('"').count() == 2 && between.contains(',');
        (two_strings || between == " ").then(|| text.len() - next.len())?
    };
    let ends = |byte: &u8| matches!(byte, b'"' | b'\'' | b' ' | b'&' | b';' | b',' | b'\\' | b'\n');
    let length = text.as_bytes()[start..].iter().take_while(|byte| !ends(byte)).count();
    let range = start..start + length;
    let value = text.get(range.clone())?;
    let fits = is_value(value) && !value.contains("{{") && !value.starts_with('-');
    (fits && is_alone(text, &range)).then_some(range)
}

/// The password in the part of a URL behind its scheme: `USER:PASSWORD@HOST` (RFC 3986, 3.2.1).
fn password(text: &str) -> Option<Range<usize>> {
    let until = text.find(['/', '"', '\'', ' ', '\n', '?', '#']).unwrap_or(text.len());
    let authority = &text[..until];
    let at = authority.rfind('@')?;
    let colon = authority[..at].find(':')?;
    let value = &authority[colon + 1..at];
    (colon > 0 && is_value(value) && !value.contains("{{")).then_some(colon + 1..at)
}

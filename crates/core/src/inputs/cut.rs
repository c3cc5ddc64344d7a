//! Which bytes of a file are literal credentials.

use std::ops::Range;

use crate::fabric::emr::Credentials;
use crate::secret::{action, literals, names_credential};

/// What stands in the place of a credential that was cut out. It can stand in any string of JSON or of a template.
pub const PLACEHOLDER: &str = "(a credential, not kept)";

/// The shortest access key id (IAM's `AccessKeyIdType`: "Minimum length of 16",
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html>); a secret key is longer. What is shorter is
/// a word of somebody's test, and may well stand elsewhere with another meaning.
const SHORTEST: usize = 16;

/// The words of 0.7.x for other sources of credentials.
const WORDS: [&str; 3] = ["iam", "env", "default"];

/// The places of all literal credentials of a file: in order, apart from each other, none empty.
///
/// `typed` is what the file was found to say, and where. But a file may say more than was read: in the branch of a
/// template that was not taken, in a comment, in an earlier one of equal keys, in settings that are only handed on. So
/// whatever looks like one is taken for one.
pub(super) fn credentials(text: &str, typed: Option<&Credentials>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if let Some(Credentials::Key { id, secret, at }) = typed {
        for at in at {
            found.extend(outside_actions(text, at.range()));
        }
        for value in [id.expose(), secret.expose()] {
            if value.len() >= SHORTEST {
                found.extend(text.match_indices(value).map(|(at, it)| at..at + it.len()));
            }
        }
    }
    for literal in literals(text, &names_credential) {
        // Without any quote it is a number or the like.
        if literal.quoted || text[literal.range.clone()].contains('"') {
            found.push(literal.range);
        }
    }
    let found = found.into_iter().map(|range| trimmed(text, range));
    let is_one = |range: &Range<usize>| !WORDS.contains(&&text[range.clone()]) && !range.is_empty();
    merged(found.filter(is_one).collect())
}

/// The pieces of a range that are in no template action.
fn outside_actions(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let (mut pieces, mut at) = (Vec::new(), range.start);
    while let Some(rest) = text.get(at..range.end).filter(|rest| !rest.is_empty()) {
        let literal = rest.find("{{").unwrap_or(rest.len());
        pieces.push(at..at + literal);
        at += literal + action(&rest[literal..]);
    }
    pieces
}

/// Without white space and quotes around it.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let around = |c: char| c.is_whitespace() || c == '"' || c == '\'';
    let inner = text[range.clone()].trim_start_matches(around);
    let start = range.end - inner.len();
    start..start + inner.trim_end_matches(around).len()
}

fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// The text with the placeholder at these places; `None` if it has no such places.
pub(super) fn cut(text: &str, places: &[(u32, u32)]) -> Option<String> {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for &(start, end) in places {
        let (start, end) = (start as usize, end as usize);
        text.get(start..end)?;
        out.push_str(text.get(from..start)?);
        out.push_str(PLACEHOLDER);
        from = end;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

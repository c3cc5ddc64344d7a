//! Regular expressions of Java, which patterns of s3-dist-cp are.
//!
//! What Java's engine and ours read alike is passed on, what they write differently is translated, and what ours
//! cannot do is refused: nothing is read as something else. The language is that of
//! <https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html>.

use regex_lite::{Captures, Regex};

mod class;
mod translate;

/// A pattern, which has to match a text as a whole, as `Matcher.matches` does.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Reads one; the error is what is wrong with it, without its text.
    pub(super) fn new(java: &str) -> Result<Self, String> {
        let translated = translate::translate(java)?;
        // What can still be wrong is its size.
        let regex = Regex::new(&translated);
        regex.map(Self).map_err(|_| "is too large for a regular expression".to_owned())
    }

    /// Whether it has a group that is kept.
    pub(super) fn has_groups(&self) -> bool {
        self.0.captures_len() > 1
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// What its groups matched, one after the other; `None`: it does not match. A group that took no part counts as
    /// `null`, since Java appends it so, and names of files come from it.
    pub(super) fn groups(&self, text: &str) -> Option<String> {
        let joined = |found: Captures<'_>| {
            let groups = found.iter().skip(1);
            groups.map(|group| group.map_or("null", |group| group.as_str())).collect()
        };
        self.0.captures(text).map(joined)
    }
}

#[cfg(test)]
mod tests;

//! What the header of a journal keeps of a fabric, read back: each fabric writes it in [`super::Fabric::reach`] and reads
//! it with this, in a file of its own that has both.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, code};

/// The header's words, and whose they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<'a> {
    fabric: &'static str,
    words: &'a BTreeMap<String, String>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(fabric: &'static str, words: &'a BTreeMap<String, String>) -> Self {
        Self { fabric, words }
    }

    /// What is there only where it is needed.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.words.get(key).map(String::as_str)
    }

    /// What must be there.
    pub(super) fn need(&self, key: &str) -> Result<&'a str, Diagnostic> {
        self.get(key).ok_or_else(|| {
            let fabric = self.fabric;
            let message = format!(
                "the journal does not say `{key}`, without which `{fabric}` cannot be reached"
            );
            Diagnostic::error(code::JOURNAL_REACH, message)
        })
    }

    /// What is there makes no sense; `should` says what it should be.
    pub(super) fn wrong(&self, key: &str, should: &str) -> Diagnostic {
        let (fabric, value) = (self.fabric, self.get(key).unwrap_or_default());
        let message = format!(
            "the journal says `{key}` is `{value}`, but to reach `{fabric}` it must be {should}"
        );
        Diagnostic::error(code::JOURNAL_REACH, message)
    }
}

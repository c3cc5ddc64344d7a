//! What a fabric noticed that stops nothing, and that a person should know: each once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Warnings on their way to whoever asks for them ([`super::Fabric::warnings`]).
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Not handed over yet.
    fresh: Vec<String>,
    /// All so far.
    told: BTreeSet<String>,
}

impl Notes {
    /// Keeps a warning, unless it was kept before.
    pub(super) fn add(&self, message: impl Into<String>) {
        let message = message.into();
        // Whoever panicked while holding it cannot have left a single entry half done.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.told.insert(message.clone()) {
            kept.fresh.push(message);
        }
    }

    /// Hands over what is new.
    pub(super) fn take(&self) -> Vec<String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut kept.fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_handed_over_once() {
        let notes = Notes::default();
        ["a", "b", "a"].into_iter().for_each(|note| notes.add(note));
        assert_eq!(notes.take(), ["a", "b"]);
        notes.add("b");
        notes.add("c");
        assert_eq!(notes.take(), ["c"]);
    }
}

//! States over time.

use jiff::Timestamp;
use serde_json::{Value, json};

/// A state, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status<S> {
    /// What it is.
    pub state: S,
    /// Such as `UNHEALTHY`, `STALE_STATUS`.
    pub substate: Option<&'static str>,
    /// For people; empty for none.
    pub details: String,
    /// Since when.
    pub since: Timestamp,
}

impl<S> Status<S> {
    pub(super) fn new(state: S, since: Timestamp) -> Self {
        Self { state, substate: None, details: String::new(), since }
    }

    /// As JSON; `details` is what the member with the details is called.
    pub(super) fn told(&self, word: &str, details: &str) -> Value {
        let mut told = json!({"state": word, "stateStartTime": self.since.to_string()});
        if let Some(substate) = self.substate {
            told["substate"] = json!(substate);
        }
        if !self.details.is_empty() {
            told[details] = json!(self.details);
        }
        told
    }
}

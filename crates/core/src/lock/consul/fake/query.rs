//! What is asked for in a URL.

use std::time::Duration;

use crate::http::encode::decode;

/// The parts of a query.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(text: &str) -> Self {
        let parts = text.split('&').filter(|part| !part.is_empty());
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.to_owned(), decode(value))
        };
        Self(parts.map(pair).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// # Errors
    /// It is there, but no number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let number = |text: &str| text.parse().map_err(|_| text.to_owned());
        self.get(name).map(number).transpose()
    }

    /// How long to wait for a change.
    pub(super) fn wait(&self) -> Duration {
        let text = self.get("wait").unwrap_or("300s");
        let of = |unit: &str| text.strip_suffix(unit).and_then(|number| number.parse().ok());
        let millis = of("ms").map(Duration::from_millis);
        millis.or_else(|| of("s").map(Duration::from_secs)).unwrap_or_default()
    }
}

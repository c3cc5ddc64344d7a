//! Why there is no token.

use std::fmt;

use jiff::Timestamp;

use crate::fabric;

/// The kinds of trouble with credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There are no credentials where they should be.
    Missing,
    /// Somebody who decides said no.
    Refused,
    /// Somebody who is needed does not answer, or not just now.
    Unreachable,
    /// A file, a setting or an answer makes no sense.
    Malformed,
}

/// Why there is no token. The text holds no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of trouble.
    pub kind: Kind,
    /// What was tried, where, and what to do: a lowercase fragment.
    pub message: String,
    /// Whether it may well pass by itself.
    pub passing: bool,
    /// Not before then does it make sense to try again.
    pub not_before: Option<Timestamp>,
}

impl Error {
    fn new(kind: Kind, passing: bool, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), passing, not_before: None }
    }

    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(Kind::Missing, false, message)
    }

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, false, message)
    }

    pub(super) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unreachable, true, message)
    }

    /// What a person wrote makes no sense.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, false, message)
    }

    /// What somebody answered makes no sense; the next answer may.
    pub(super) fn garbled(message: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, true, message)
    }

    /// As the error of a call of a fabric, which was not made for want of a token.
    pub fn into_fabric(self, fabric: &str, operation: &str) -> fabric::Error {
        let kind = match self.kind {
            _ if self.passing => fabric::ErrorKind::Unavailable,
            Kind::Missing | Kind::Refused => fabric::ErrorKind::Auth,
            Kind::Unreachable => fabric::ErrorKind::Unavailable,
            Kind::Malformed => fabric::ErrorKind::Config,
        };
        let mut error = fabric::Error::new(kind, fabric, operation, self.message);
        error.not_before = self.not_before;
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::ErrorKind;

    #[test]
    fn what_passes_is_waited_for() {
        let kind = |error: Error| error.into_fabric("dataproc", "submit").kind;
        assert_eq!(kind(Error::missing("m")), ErrorKind::Auth);
        assert_eq!(kind(Error::refused("m")), ErrorKind::Auth);
        assert_eq!(kind(Error::malformed("m")), ErrorKind::Config);
        assert_eq!(kind(Error::garbled("m")), ErrorKind::Unavailable);
        assert_eq!(kind(Error::unreachable("m")), ErrorKind::Unavailable);
        assert_eq!(kind(Error { passing: true, ..Error::refused("m") }), ErrorKind::Unavailable);
    }
}

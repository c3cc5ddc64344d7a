//! The world is wrong: what a fabric says when it cannot answer or obey.

use std::fmt;

use jiff::Timestamp;

/// The kinds of trouble; each has its exit code and hint in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The far side refuses what we ask for as invalid.
    Config,
    /// It does not know us, or does not let us.
    Auth,
    /// The thing we speak of does not exist.
    NotFound,
    /// The thing is in a state that forbids it, or exists already.
    Conflict,
    /// Too much at once; later it may do.
    Quota,
    /// It cannot do that at all.
    Unsupported,
    /// It cannot be reached or does not work just now.
    Unavailable,
    /// It answered what makes no sense.
    Protocol,
}

/// Whether an order that met an error may have been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Surely not: no byte left, or the far side refused.
    None,
    /// It was sent and the answer is lost: ask (`find`) before it is repeated.
    Unknown,
}

/// An error with all that a person needs to act on it. The text holds no secrets.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Error {
    /// What kind of trouble.
    pub kind: ErrorKind,
    /// Whether the order may have been carried out all the same.
    pub effect: Effect,
    /// The fabric's name, such as `local`.
    pub fabric: String,
    /// The question or order in the fabric's own words, such as `RunJobFlow`.
    pub operation: String,
    /// What happened: a lowercase fragment, causes joined by `: `.
    pub message: String,
    /// The far side's name for the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Not before then does it make sense to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// What fabrics answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without effect.
    pub fn new(
        kind: ErrorKind,
        fabric: impl Into<String>,
        operation: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            effect: Effect::None,
            fabric: fabric.into(),
            operation: operation.into(),
            message: message.into(),
            request_id: None,
            not_before: None,
        }
    }

    /// The same, but the order may have been carried out.
    #[must_use]
    pub fn in_doubt(mut self) -> Self {
        self.effect = Effect::Unknown;
        self
    }

    /// Whether the same request may well succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ErrorKind::Quota | ErrorKind::Unavailable)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.fabric, self.operation, self.message)?;
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

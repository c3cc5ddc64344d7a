//! What goes wrong on the way.

use super::refusal::Refusal;

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error in the service's own form; nothing is done.
    Refuse(Refusal),
    /// A page for people with this status; nothing is done.
    Page(u16),
    /// `200` with this body; nothing is done.
    Body(&'static str),
    /// The connection ends without a byte and nothing is done.
    Cut,
    /// Carried out, but the connection ends without a byte.
    ReplyLost,
    /// Carried out, but the connection ends in the middle of the reply.
    ReplyCut,
}

impl Fault {
    /// 429; `retry_after` in seconds.
    pub fn throttled(retry_after: Option<u64>) -> Self {
        Self::Refuse(Refusal::throttled(retry_after))
    }

    /// 503
    pub fn unavailable() -> Self {
        Self::Refuse(Refusal::unavailable())
    }

    /// 500
    pub fn internal() -> Self {
        Self::Refuse(Refusal::internal())
    }

    /// 403
    pub fn denied(permission: &str) -> Self {
        Self::Refuse(Refusal::denied(permission))
    }

    /// 401
    pub fn unauthenticated() -> Self {
        Self::Refuse(Refusal::unauthenticated())
    }
}

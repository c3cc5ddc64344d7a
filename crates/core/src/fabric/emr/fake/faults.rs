//! What goes wrong on the way.

use std::time::Duration;

use super::refusal::Refusal;

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is answered.
    pub what: Trouble,
    /// The call has its effect all the same.
    pub carried_out: bool,
}

/// What is answered in place of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An error in the service's own form.
    Refuse(Refusal),
    /// A page for people, with this status.
    Html(u16),
    /// A redirect with this status to this place.
    Redirect(u16, String),
    /// The connection ends without a byte.
    Cut,
    /// The connection ends in the middle of the reply.
    CutReply,
    /// Nothing comes, until the client hangs up.
    Silence,
    /// The call is held until [`Fake::release`](super::Fake::release), then answered as if nothing had been. One that
    /// is carried out is so at once; one that is not, at its release: a request that arrives late.
    Slow,
    /// Bytes that are no HTTP.
    Garbage,
    /// `200`, and the first half of the body as if it were all.
    Truncated,
    /// `200` without a body.
    Empty,
    /// The right reply under a wrong content type.
    ContentType(&'static str),
    /// The connection ends without a byte, and only so much of the fake's time later the call arrives.
    Delayed(Duration),
    /// The right reply to a question, had it been asked so much of the fake's time earlier, but not before
    /// [`Fake::fail_by`](super::Fake::fail_by): one who answers has not heard yet of what came since.
    Stale(Duration),
}

impl Fault {
    fn new(what: Trouble) -> Self {
        Self { what, carried_out: false }
    }

    /// Refused so.
    pub fn refuse(refusal: Refusal) -> Self {
        Self::new(Trouble::Refuse(refusal))
    }

    /// Too many requests.
    pub fn throttle() -> Self {
        Self::refuse(Refusal::throttled())
    }

    /// 500 in the service's own form.
    pub fn internal() -> Self {
        Self::refuse(Refusal::new(500, "InternalFailure", "Internal server error"))
    }

    /// 503 in the service's own form.
    pub fn unavailable() -> Self {
        Self::refuse(Refusal::new(503, "ServiceUnavailable", "Service unavailable"))
    }

    /// The caller may not.
    pub fn denied(action: &str) -> Self {
        Self::refuse(Refusal::denied(action, "*"))
    }

    /// The credentials are over.
    pub fn expired() -> Self {
        let message = "The security token included in the request is expired";
        Self::refuse(Refusal::new(400, "ExpiredTokenException", message))
    }

    /// A page for people.
    pub fn html(status: u16) -> Self {
        Self::new(Trouble::Html(status))
    }

    /// To another place.
    pub fn redirect(status: u16, to: impl Into<String>) -> Self {
        Self::new(Trouble::Redirect(status, to.into()))
    }

    /// The connection ends without a byte and nothing was done.
    pub fn cut() -> Self {
        Self::new(Trouble::Cut)
    }

    /// Carried out, but the connection ends without a byte.
    pub fn reply_lost() -> Self {
        Self::cut().carried_out()
    }

    /// Carried out, but the connection ends in the middle of the reply.
    pub fn reply_cut() -> Self {
        Self::new(Trouble::CutReply).carried_out()
    }

    /// Held until released, and only then carried out.
    pub fn late() -> Self {
        Self::new(Trouble::Slow)
    }

    /// Carried out, but the reply is held until released.
    pub fn slow() -> Self {
        Self::late().carried_out()
    }

    /// Nothing comes and nothing is done.
    pub fn silence() -> Self {
        Self::new(Trouble::Silence)
    }

    /// Bytes that are no HTTP.
    pub fn garbage() -> Self {
        Self::new(Trouble::Garbage)
    }

    /// Carried out, but the reply's JSON or XML is cut short.
    pub fn truncated() -> Self {
        Self::new(Trouble::Truncated).carried_out()
    }

    /// `200` without a body.
    pub fn empty() -> Self {
        Self::new(Trouble::Empty)
    }

    /// Carried out, and the reply comes under a wrong content type.
    pub fn content_type(content_type: &'static str) -> Self {
        Self::new(Trouble::ContentType(content_type)).carried_out()
    }

    /// The connection ends without a byte; so much of the fake's time later the call is carried out.
    pub fn delayed(time: Duration) -> Self {
        Self::new(Trouble::Delayed(time))
    }

    /// Answered as it was so much of the fake's time ago; nothing happens to what is no question.
    pub fn stale(time: Duration) -> Self {
        Self::new(Trouble::Stale(time)).carried_out()
    }

    /// The call has its effect all the same.
    #[must_use]
    pub fn carried_out(self) -> Self {
        Self { carried_out: true, ..self }
    }
}

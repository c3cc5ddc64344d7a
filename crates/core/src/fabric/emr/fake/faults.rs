//! What goes wrong on the way, by the n-th call of an operation.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, RangeBounds};
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

/// What goes wrong with the next call of an operation, if anything.
pub(super) type Rule = dyn FnMut(&str) -> Option<Fault> + Send;

/// The faults that are to come.
#[derive(Default)]
pub(super) struct Faults {
    plan: Vec<(String, Bound<u32>, Bound<u32>, Fault)>,
    rule: Option<Box<Rule>>,
    calls: BTreeMap<String, u32>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("plan", &self.plan).field("calls", &self.calls).finish()
    }
}

impl Faults {
    /// These calls of an operation (from 1; `*`: of any, counted together) go wrong. What was said last counts.
    pub(super) fn plan(&mut self, operation: &str, calls: impl RangeBounds<u32>, fault: Fault) {
        let (from, to) = (calls.start_bound().cloned(), calls.end_bound().cloned());
        self.plan.insert(0, (operation.to_owned(), from, to, fault));
    }

    /// What is not planned goes wrong by this rule.
    pub(super) fn rule(&mut self, rule: Box<Rule>) {
        self.rule = Some(rule);
    }

    /// No more faults.
    pub(super) fn heal(&mut self) {
        self.plan.clear();
        self.rule = None;
    }

    /// How often an operation was called.
    pub(super) fn calls(&self, operation: &str) -> u32 {
        self.calls.get(operation).copied().unwrap_or(0)
    }

    /// What goes wrong with the call that has just come.
    pub(super) fn next(&mut self, operation: &str) -> Option<Fault> {
        for name in [operation, "*"] {
            *self.calls.entry(name.to_owned()).or_default() += 1;
        }
        let hit = |(name, from, to, _): &&(String, Bound<u32>, Bound<u32>, Fault)| {
            (name == operation || name == "*") && (*from, *to).contains(&self.calls(name))
        };
        let planned = self.plan.iter().find(hit).map(|(_, _, _, fault)| fault.clone());
        planned.or_else(|| self.rule.as_mut()?(operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_of_an_operation() {
        let mut faults = Faults::default();
        faults.plan("ListSteps", 2..=3, Fault::cut());
        faults.plan("*", 6.., Fault::throttle());
        let mut next = |operation| faults.next(operation);
        assert_eq!(next("ListSteps"), None);
        assert_eq!(next("DescribeCluster"), None);
        assert_eq!(next("ListSteps"), Some(Fault::cut()));
        assert_eq!(next("ListSteps"), Some(Fault::cut()));
        assert_eq!(next("ListSteps"), None);
        assert_eq!(next("RunJobFlow"), Some(Fault::throttle()), "the sixth of all");
        faults.plan("*", 7..=7, Fault::html(500));
        assert_eq!(faults.next("RunJobFlow"), Some(Fault::html(500)), "what was said last counts");
        faults.heal();
        assert_eq!(faults.next("RunJobFlow"), None);
        assert_eq!((faults.calls("ListSteps"), faults.calls("*")), (4, 8));
    }

    #[test]
    fn a_rule_for_what_is_not_planned() {
        let mut faults = Faults::default();
        faults.rule(Box::new(|operation| (operation == "ListSteps").then(Fault::cut)));
        faults.plan("ListSteps", 2..=2, Fault::throttle());
        let calls = ["ListSteps", "ListSteps", "ListClusters"].map(|call| faults.next(call));
        assert_eq!(calls, [Some(Fault::cut()), Some(Fault::throttle()), None]);
        faults.heal();
        assert_eq!(faults.next("ListSteps"), None);
    }
}

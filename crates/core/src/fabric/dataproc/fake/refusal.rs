//! What the fake says when it refuses a call.

use serde_json::{Value, json};

use crate::http::Reply;

/// An error of Google's, before it is put into the words of Dataproc or of Cloud Storage.
///
/// The statuses and their numbers are those of `google.rpc.Code` (<https://cloud.google.com/apis/design/errors>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// Such as `INVALID_ARGUMENT`.
    pub status: &'static str,
    /// For people.
    pub message: String,
    /// Cloud Storage's word, such as `notFound`, or the reason of an `ErrorInfo` of Dataproc's.
    pub reason: Option<&'static str>,
    /// What is wrong with which member.
    pub violations: Vec<(String, String)>,
    /// The seconds of `Retry-After`.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// Any error.
    pub fn new(code: u16, status: &'static str, message: impl Into<String>) -> Self {
        let (violations, message) = (Vec::new(), message.into());
        Self { code, status, message, reason: None, violations, retry_after: None }
    }

    /// With its reason.
    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// A value that may not be so.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message).because("invalid")
    }

    /// Not in this state.
    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(400, "FAILED_PRECONDITION", message)
    }

    /// There is no such thing; `what` is a kind and a path.
    pub fn not_found(what: impl AsRef<str>) -> Self {
        let message = format!("Not found: {}", what.as_ref());
        Self::new(404, "NOT_FOUND", message).because("notFound")
    }

    /// There is such a thing already.
    pub fn already_exists(what: impl AsRef<str>) -> Self {
        Self::new(409, "ALREADY_EXISTS", format!("Already exists: {}", what.as_ref()))
    }

    /// The caller may not.
    pub fn denied(permission: &str) -> Self {
        let message =
            format!("Permission '{permission}' denied on resource (or it may not exist).");
        Self::new(403, "PERMISSION_DENIED", message).because("forbidden")
    }

    /// No token, or none that is good any more.
    pub fn unauthenticated() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
        Self::new(401, "UNAUTHENTICATED", message).because("authError")
    }

    /// Too many requests; `retry_after` in seconds.
    pub fn throttled(retry_after: Option<u64>) -> Self {
        let message = "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service 'dataproc.googleapis.com' for consumer 'project_number:123456789012'.";
        let refusal = Self::new(429, "RESOURCE_EXHAUSTED", message).because("RATE_LIMIT_EXCEEDED");
        Self { retry_after, ..refusal }
    }

    /// Not now.
    pub fn unavailable() -> Self {
        let message = "The service is currently unavailable.";
        Self::new(503, "UNAVAILABLE", message).because("backendError")
    }

    /// Something broke.
    pub fn internal() -> Self {
        Self::new(500, "INTERNAL", "Internal error encountered.").because("backendError")
    }

    /// A condition of Cloud Storage's that does not hold.
    pub(super) fn condition() -> Self {
        let message = "At least one of the pre-conditions you specified did not hold.";
        Self::new(412, "FAILED_PRECONDITION", message).because("conditionNotMet")
    }

    /// As Dataproc says it.
    pub(super) fn dataproc(&self) -> Reply {
        let mut error = json!({"code": self.code, "message": self.message, "status": self.status});
        let mut details = Vec::new();
        if !self.violations.is_empty() {
            let violation =
                |(field, said): &(String, String)| json!({"field": field, "description": said});
            let all: Vec<Value> = self.violations.iter().map(violation).collect();
            let kind = "type.googleapis.com/google.rpc.BadRequest";
            details.push(json!({"@type": kind, "fieldViolations": all}));
        }
        if let Some(reason) = self.reason.filter(|reason| reason.contains('_')) {
            let kind = "type.googleapis.com/google.rpc.ErrorInfo";
            let domain = "googleapis.com";
            details.push(json!({"@type": kind, "reason": reason, "domain": domain}));
        }
        if !details.is_empty() {
            error["details"] = json!(details);
        }
        self.dressed(&json!({"error": error}))
    }

    /// As Cloud Storage says it.
    pub(super) fn storage(&self) -> Reply {
        let reason = self.reason.filter(|reason| !reason.contains('_'));
        let reason =
            reason.unwrap_or(if self.code == 429 { "rateLimitExceeded" } else { "invalid" });
        let one = json!({"message": self.message, "domain": "global", "reason": reason});
        let error = json!({"code": self.code, "message": self.message, "errors": [one]});
        self.dressed(&json!({"error": error}))
    }

    fn dressed(&self, body: &Value) -> Reply {
        let mut reply = super::serve::json(self.code, body);
        if let Some(seconds) = self.retry_after {
            reply.headers.push(("retry-after".to_owned(), seconds.to_string()));
        }
        if self.code == 401 {
            let asked = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
            reply.headers.push(("www-authenticate".to_owned(), asked.to_owned()));
        }
        reply
    }
}

//! One question or order to the EMR API, and what its refusals mean.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Emr, NAME};
use crate::clock;
use crate::fabric::{ClusterId, Error, ErrorKind};
use crate::http::Reply;
use crate::http::aws::{Call, Failure, Service};

/// An answer, and what it tells of the clocks.
pub(super) struct Answer<T> {
    pub(super) value: T,
    /// Our clock and EMR's agree, as far as the reply's own time tells.
    pub(super) clocks_agree: bool,
}

/// Clocks that differ by more do not agree; a reply's time is told in whole seconds.
const AGREED: SignedDuration = SignedDuration::from_secs(3);

impl Emr {
    /// Asks what changes nothing, or what does no more when it is done twice.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        body: &impl Serialize,
    ) -> Result<Answer<T>, Failure> {
        let reply = self.send(operation, body, true)?;
        let value = serde_json::from_slice(&reply.body)
            .map_err(|error| garbage(operation, &reply, &error))?;
        Ok(Answer { value, clocks_agree: agrees(&reply, clock::timestamp()) })
    }

    /// Orders what must not be done twice. An answer that cannot be read is one that was lost.
    pub(super) fn order<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let reply = self.send(operation, body, false)?;
        serde_json::from_slice(&reply.body).map_err(|error| {
            let failure = garbage(operation, &reply, &error);
            Failure { error: failure.error.in_doubt(), ..failure }
        })
    }

    /// Sends a request; the answer does not matter.
    pub(super) fn send(
        &self,
        operation: &'static str,
        body: &impl Serialize,
        repeatable: bool,
    ) -> Result<Reply, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| {
            let message = format!("the request cannot be written: {error}");
            Failure { error: Error::new(ErrorKind::Config, NAME, operation, message), code: None }
        })?;
        self.account.call(&Call {
            service: Service::Emr,
            operation,
            method: "POST",
            path: "/",
            query: &[],
            headers: &[],
            body: &body,
            repeatable,
        })
    }
}

/// The answer makes no sense. What it says may hold arguments, so only where it goes wrong is told.
fn garbage(operation: &'static str, reply: &Reply, error: &serde_json::Error) -> Failure {
    let (line, column, size) = (error.line(), error.column(), reply.body.len());
    let message = format!(
        "the answer of {size} bytes is not what it should be, at line {line}, column {column}"
    );
    let mut error = Error::new(ErrorKind::Protocol, NAME, operation, message);
    error.request_id = reply.header("x-amzn-requestid").map(ToOwned::to_owned);
    Failure { error, code: None }
}

/// Whether a reply's own time is ours.
fn agrees(reply: &Reply, now: Timestamp) -> bool {
    let time = reply.header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    time.is_some_and(|time| time.timestamp().duration_since(now).abs() <= AGREED)
}

/// Whether AWS says that we may not.
pub(super) fn is_denied(failure: &Failure) -> bool {
    failure.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied"))
}

/// What a refusal means where it is about a cluster.
pub(super) fn about(cluster: &ClusterId, failure: Failure) -> Error {
    let Failure { mut error, code } = failure;
    let said = error.message.to_lowercase();
    let says = |words: &str| said.contains(words);
    let refused = code.as_deref().is_some_and(|code| {
        matches!(code, "ValidationException" | "InvalidRequestException" | "NoSuchCluster")
    });
    if !refused {
        return error;
    }
    // The words of the API, which has no codes for these.
    let (kind, help) = if says("maximum number of active steps") {
        let help = format!(
            "cluster `{cluster}` holds 256 steps that wait or run, its own included: it takes more when some have ended"
        );
        (ErrorKind::Quota, help)
    } else if says("termination protected") {
        let help = format!(
            "take it off first: aws emr modify-cluster-attributes --no-termination-protected --cluster-id {cluster}"
        );
        (ErrorKind::Conflict, help)
    } else if says("shutting down, terminated, or finished") || says("not in a state to") {
        (ErrorKind::Conflict, format!("cluster `{cluster}` is down or going down: use another"))
    } else if says("job flow id") || says("cluster id") || code.as_deref() == Some("NoSuchCluster")
    {
        let help = format!("there is no cluster `{cluster}` in this account and region");
        (ErrorKind::NotFound, help)
    } else {
        return error;
    };
    error.kind = kind;
    error.message = format!("{}; {help}", error.message);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: &str, message: &str) -> Failure {
        let error = Error::new(ErrorKind::Config, NAME, "X", format!("{code}: {message}"));
        Failure { error, code: Some(code.to_owned()) }
    }

    #[test]
    fn refusals() {
        use ErrorKind::{Config, Conflict, NotFound, Quota};
        let invalid = "ValidationException";
        for (code, message, kind, help) in [
            (
                invalid,
                "Maximum number of active steps(State = 'Running', 'Pending' or 'Cancel_Pending') for cluster exceeded.",
                Quota,
                "it takes more when some have ended",
            ),
            (
                invalid,
                "Could not shut down one or more job flows since they are termination protected.",
                Conflict,
                "--no-termination-protected --cluster-id j-1",
            ),
            (
                invalid,
                "A job flow that is shutting down, terminated, or finished may not be modified.",
                Conflict,
                "is down or going down",
            ),
            (invalid, "Specified job flow ID does not exist.", NotFound, "there is no cluster"),
            (invalid, "Specified job flow ID not valid", NotFound, "there is no cluster"),
            (
                "InvalidRequestException",
                "Cluster id 'j-1' is not valid.",
                NotFound,
                "there is no cluster",
            ),
            (
                "InvalidRequestException",
                "Cluster id 'j-1' is not in a state to cancel steps.",
                Conflict,
                "is down or going down",
            ),
            (invalid, "Invalid InstanceType", Config, ""),
            ("InternalFailure", "cluster id", Config, ""),
        ] {
            let error = about(&ClusterId::new("j-1"), failure(code, message));
            assert_eq!(error.kind, kind, "{message}");
            assert!(error.message.contains(message) && error.message.contains(help), "{error}");
        }
    }

    #[test]
    fn clocks() {
        let at = |date: Option<&str>| {
            let headers = date.map(|date| ("date".to_owned(), date.to_owned()));
            let reply =
                Reply { status: 200, headers: headers.into_iter().collect(), body: Vec::new() };
            agrees(&reply, Timestamp::from_second(784_111_777).expect("a time"))
        };
        assert!(at(Some("Sun, 06 Nov 1994 08:49:37 GMT")));
        assert!(at(Some("Sun, 06 Nov 1994 08:49:40 GMT")));
        assert!(!at(Some("Sun, 06 Nov 1994 08:49:41 GMT")));
        assert!(!at(Some("Sun, 06 Nov 1994 08:49:33 GMT")));
        assert!(!at(Some("soon")));
        assert!(!at(None));
    }
}

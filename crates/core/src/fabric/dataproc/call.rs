//! One request to Google's REST APIs, and what its refusals mean.
//!
//! <https://cloud.google.com/apis/design/errors>

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Access, NAME, error};
use crate::clock::{add, timestamp};
use crate::fabric::{Error, ErrorKind, Result};
use crate::http::encode::query;
use crate::http::google::Credentials;
use crate::http::retry::{Miss, persist};
use crate::http::{Client, Fault, Reply, Request};

/// Google answers most questions within a second; an upload of a piece may take longer.
const LIMIT: Duration = Duration::from_secs(30);

/// So much of a message is shown.
const SHOWN: usize = 1000;

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Dataproc.
    Dataproc,
    /// Cloud Storage.
    Storage,
}

/// A question or an order. Sent again, each does no more than once.
pub(super) struct Call<'a> {
    pub(super) service: Service,
    /// For errors, such as `jobs.submit`.
    pub(super) operation: &'static str,
    pub(super) method: &'static str,
    /// From the first slash on; or a whole URL of the service's own.
    pub(super) path: String,
    pub(super) query: Vec<(&'a str, String)>,
    pub(super) headers: Vec<(&'a str, String)>,
    /// With its type.
    pub(super) body: Option<(Vec<u8>, &'static str)>,
    /// It changes the world: when its answer is lost it is in doubt.
    pub(super) order: bool,
}

impl<'a> Call<'a> {
    /// A question.
    pub(super) fn get(service: Service, operation: &'static str, path: String) -> Self {
        let (query, headers) = (Vec::new(), Vec::new());
        Self { service, operation, method: "GET", path, query, headers, body: None, order: false }
    }

    pub(super) fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

/// Google as it is reached from here.
pub(super) struct Cloud {
    client: Arc<Client>,
    credentials: Credentials,
    region: String,
    endpoint: Option<String>,
    storage: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope {
    error: Remote,
}

/// What Google says of an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Remote {
    message: String,
    status: String,
    errors: Vec<Part>,
}

/// Cloud Storage's older form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    reason: String,
}

impl Cloud {
    pub(super) fn new(access: &Access, client: Arc<Client>, credentials: Credentials) -> Self {
        let region = access.region.expose().to_owned();
        let (endpoint, storage) = (access.endpoint.clone(), access.storage_endpoint.clone());
        Self { client, credentials, region, endpoint, storage }
    }

    /// Whether no signal came.
    pub(super) fn goes_on(&self) -> bool {
        self.client.bell().pause(Duration::ZERO)
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn base(&self, call: &Call<'_>) -> Result<String> {
        let given = match call.service {
            Service::Dataproc => &self.endpoint,
            Service::Storage => &self.storage,
        };
        if let Some(given) = given {
            return Ok(given.clone());
        }
        let universe = self.credentials.universe_domain();
        let universe = universe.map_err(|wrong| wrong.into_fabric(NAME, call.operation))?;
        Ok(match call.service {
            Service::Dataproc => format!("https://{}-dataproc.{universe}", self.region),
            Service::Storage => format!("https://storage.{universe}"),
        })
    }

    /// Sends it, and again where that makes sense.
    pub(super) fn send(&self, call: &Call<'_>) -> Result<Reply> {
        let base = self.base(call)?;
        let tail = query(call.query.iter().map(|(name, value)| (*name, value.as_str())));
        let mark = if tail.is_empty() { "" } else { "?" };
        let url = match call.path.starts_with('/') {
            true => format!("{base}{}{mark}{tail}", call.path),
            // A session of an upload.
            false if origin(&call.path) == origin(&base) => call.path.clone(),
            false => {
                let message = "it leads to another server than its own";
                return Err(error(ErrorKind::Protocol, call.operation, message));
            }
        };
        let answer = persist(self.client.bell(), true, |_| self.once(call, &url));
        answer.map_err(|miss| match miss {
            Miss::Lost(error) if call.order => error.in_doubt(),
            miss => miss.into_error(),
        })
    }

    /// The same, with the answer read.
    pub(super) fn ask<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T> {
        let reply = self.send(call)?;
        serde_json::from_slice(&reply.body).map_err(|garbage| {
            let (line, column, size) = (garbage.line(), garbage.column(), reply.body.len());
            let message = format!(
                "the answer of {size} bytes is not what it should be, at line {line}, column {column}"
            );
            let wrong = error(ErrorKind::Protocol, call.operation, message);
            if call.order { wrong.in_doubt() } else { wrong }
        })
    }

    /// A list to its end, page by page: of each what is wanted of it, and what leads to the next.
    pub(super) fn pages<P: DeserializeOwned, T>(
        &self,
        mut call: Call<'_>,
        parts: impl Fn(P) -> (Vec<T>, String),
    ) -> Result<Vec<T>> {
        let first = call.query.len();
        let mut all = Vec::new();
        loop {
            let (items, next) = parts(self.ask(&call)?);
            all.extend(items);
            if next.is_empty() {
                return Ok(all);
            }
            call.query.truncate(first);
            call.query.push(("pageToken", next));
        }
    }

    fn once(&self, call: &Call<'_>, url: &str) -> Result<Reply, Miss<Error>> {
        let mut headers: Vec<_> =
            call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        headers.push(("accept".to_owned(), "application/json".to_owned()));
        let (body, kind) = call.body.clone().unwrap_or_default();
        if !kind.is_empty() {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        let mut request = Request { method: call.method, url: url.to_owned(), headers, body };
        let token = self.credentials.authorize(&mut request).map_err(|wrong| {
            let passing = wrong.passing;
            let wrong = wrong.into_fabric(NAME, call.operation);
            if passing { Miss::NotSent(wrong) } else { Miss::Refused(wrong) }
        })?;
        let reply = match call.order {
            true => self.client.send_afresh(&request, LIMIT),
            false => self.client.ask(&request, LIMIT),
        };
        let reply = reply.map_err(|fault| {
            let said = |why: String| error(ErrorKind::Unavailable, call.operation, why);
            match fault {
                Fault::NotSent(why) => Miss::NotSent(said(why)),
                Fault::Lost(why) => Miss::Lost(said(why)),
            }
        })?;
        match judge(call.operation, reply) {
            Err(Miss::Refused(refused)) if refused.kind == ErrorKind::Auth => {
                let unknown = refused.message.starts_with(UNKNOWN);
                let renewed = unknown && self.credentials.refuse(&token).unwrap_or(false);
                Err(if renewed { Miss::Corrected(refused) } else { Miss::Refused(refused) })
            }
            judged => judged,
        }
    }
}

/// How the message begins, if Google does not know who we are.
const UNKNOWN: &str = "Google does not accept the credentials";

/// Whether a reply is an answer.
fn judge(operation: &'static str, reply: Reply) -> Result<Reply, Miss<Error>> {
    // An upload goes on with 308; there is nothing behind the end of an object.
    if matches!(reply.status, 200..=299 | 308 | 416) {
        return Ok(reply);
    }
    let Envelope { error: remote } = serde_json::from_slice(&reply.body).unwrap_or_default();
    let message = match remote.message.is_empty() {
        true => format!("it answers with status {}", reply.status),
        false => remote.message.chars().take(SHOWN).collect(),
    };
    let told = |kind| error(kind, operation, message.clone());
    let slower = remote.errors.iter().any(|part| part.reason.ends_with("ateLimitExceeded"));
    Err(match (reply.status, remote.status.as_str()) {
        (429, _) | (_, "RESOURCE_EXHAUSTED") => throttled(told(ErrorKind::Quota), &reply),
        (403, _) if slower => throttled(told(ErrorKind::Quota), &reply),
        (401, _) => {
            let message = format!("{UNKNOWN}: {message}");
            Miss::Refused(error(ErrorKind::Auth, operation, message))
        }
        (403, _) => Miss::Refused(told(ErrorKind::Auth)),
        (404, _) => Miss::Refused(told(ErrorKind::NotFound)),
        (409 | 412, _) | (_, "FAILED_PRECONDITION") => Miss::Refused(told(ErrorKind::Conflict)),
        (408 | 499 | 500.., _) => Miss::Lost(told(ErrorKind::Unavailable)),
        _ => Miss::Refused(told(ErrorKind::Config)),
    })
}

/// Too much at once; it may say for how long.
fn throttled(mut told: Error, reply: &Reply) -> Miss<Error> {
    let after = reply.header("retry-after").and_then(|after| after.trim().parse().ok());
    let after = after.map(Duration::from_secs);
    told.not_before = after.map(|after| add(timestamp(), after));
    Miss::Throttled(told, after)
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    url[start..].find(['/', '?']).map_or(url, |end| &url[..start + end])
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME} in {}", self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> (&'static str, ErrorKind) {
        let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        let miss = judge("x", reply).expect_err("it is no answer");
        let word = match &miss {
            Miss::Refused(_) => "refused",
            Miss::Corrected(_) => "corrected",
            Miss::Throttled(..) => "throttled",
            Miss::NotSent(_) => "not sent",
            Miss::Lost(_) => "lost",
        };
        (word, miss.into_error().kind)
    }

    #[test]
    fn what_refusals_mean() {
        let said = |status: &str| format!(r#"{{"error":{{"status":"{status}","message":"m"}}}}"#);
        for (code, status, expected) in [
            (400, "INVALID_ARGUMENT", ("refused", ErrorKind::Config)),
            (400, "FAILED_PRECONDITION", ("refused", ErrorKind::Conflict)),
            (401, "UNAUTHENTICATED", ("refused", ErrorKind::Auth)),
            (403, "PERMISSION_DENIED", ("refused", ErrorKind::Auth)),
            (404, "NOT_FOUND", ("refused", ErrorKind::NotFound)),
            (409, "ALREADY_EXISTS", ("refused", ErrorKind::Conflict)),
            (412, "", ("refused", ErrorKind::Conflict)),
            (429, "RESOURCE_EXHAUSTED", ("throttled", ErrorKind::Quota)),
            (500, "INTERNAL", ("lost", ErrorKind::Unavailable)),
            (503, "UNAVAILABLE", ("lost", ErrorKind::Unavailable)),
            (504, "DEADLINE_EXCEEDED", ("lost", ErrorKind::Unavailable)),
        ] {
            assert_eq!(judged(code, &said(status)), expected, "{code} {status}");
        }
        let slower = r#"{"error":{"errors":[{"reason":"userRateLimitExceeded"}]}}"#;
        assert_eq!(judged(403, slower), ("throttled", ErrorKind::Quota));
        assert_eq!(judged(502, "<html>"), ("lost", ErrorKind::Unavailable));
        assert_eq!(judged(404, "Not Found"), ("refused", ErrorKind::NotFound));
    }

    #[test]
    fn a_session_stays_with_its_server() {
        assert_eq!(origin("https://a.b:1/x?y"), "https://a.b:1");
        assert_eq!(origin("https://a.b"), "https://a.b");
        assert_ne!(origin("https://a.b.evil/x"), origin("https://a.b/x"));
    }
}

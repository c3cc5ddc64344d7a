//! One try of one call: where it goes, how it is signed, what the reply means.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::endpoints::{Endpoints, bucket};
use super::error::{Refused, request_id};
use super::sign::{Scope, sign};
use super::{Call, Credentials, Failure, Service, encode, lock, xml};
use crate::fabric::{Error, ErrorKind};
use crate::http::retry::Miss;
use crate::http::time::Time;
use crate::http::{Client, Fault, Reply, Request};
use crate::secret::Hidden;

/// A question that takes longer is asked again.
const QUESTION: Duration = Duration::from_secs(10);
/// An order is given more time, as giving up on it leaves a doubt; so is a file.
const ORDER: Duration = Duration::from_secs(30);
/// However long somebody on the way says that we should stay away, a run looks so often.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// So long, in bytes, is at least what is taken out of a refusal. Tokens of AWS are much longer, and what AWS says is to
/// stay what it is.
const TELLING: usize = 8;

/// All that calls of one account go by.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) client: Arc<Client>,
    pub(super) endpoints: Endpoints,
    pub(super) region: String,
    pub(super) time: Time,
    /// The regions of buckets that are not in ours.
    buckets: Mutex<HashMap<String, String>>,
    /// What should be told to people.
    pub(super) notes: Mutex<Vec<String>>,
}

impl Wire {
    pub(super) fn new(
        client: Arc<Client>,
        endpoints: Endpoints,
        region: String,
        time: Time,
    ) -> Self {
        let (buckets, notes) = (Mutex::default(), Mutex::default());
        Self { client, endpoints, region, time, buckets, notes }
    }

    /// Sends it once, signed if there are credentials.
    pub(super) fn attempt(
        &self,
        call: &Call<'_>,
        credentials: Option<&Credentials>,
    ) -> Result<Reply, Miss<Failure>> {
        let region = self.region_of(call);
        let mut request = self.request(call, &region);
        if let Some(credentials) = credentials {
            let scope = Scope { service: call.service, region: &region };
            sign(&mut request, credentials, scope, self.time.now());
        }
        let slow = !call.repeatable || call.service == Service::S3;
        let limit = if slow { ORDER } else { QUESTION };
        let sent = match call.repeatable {
            true if is_question(call) => self.client.ask(&request, limit),
            true => self.client.send(&request, limit),
            false => self.client.send_afresh(&request, limit),
        };
        match sent {
            Ok(mut reply) => {
                hide_ours(&request, &mut reply);
                self.judge(call, reply)
            }
            Err(fault) => {
                let failure = failure(call, ErrorKind::Unavailable, fault.to_string());
                Err(match fault {
                    Fault::NotSent(_) => Miss::NotSent(failure),
                    Fault::Lost(_) => Miss::Lost(in_doubt(call, failure)),
                })
            }
        }
    }

    fn request(&self, call: &Call<'_>, region: &str) -> Request {
        let mut url = match call.service {
            Service::S3 => self.endpoints.s3(region, call.path),
            service => self.endpoints.url(service, region) + call.path,
        };
        if !call.query.is_empty() {
            url = format!("{url}?{}", encode::query(call.query.iter().copied()));
        }
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers: Vec<_> =
            call.headers.iter().map(|(name, value)| own(name, value)).collect();
        let mut default = |name: &str, value: &str| {
            if !headers.iter().any(|(known, _)| known == name) {
                headers.push(own(name, value));
            }
        };
        match call.service {
            Service::Emr => {
                default("content-type", "application/x-amz-json-1.1");
                default("x-amz-target", &format!("ElasticMapReduce.{}", call.operation));
            }
            Service::Sts => {
                default("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            }
            Service::S3 => {}
        }
        Request { method: call.method, url, headers, body: call.body.to_vec() }
    }

    fn judge(&self, call: &Call<'_>, reply: Reply) -> Result<Reply, Miss<Failure>> {
        let status = reply.status;
        if (200..300).contains(&status) {
            return match is_of(call.service, &reply) {
                true => Ok(reply),
                false => Err(Miss::Lost(in_doubt(call, self.foreign(call, &reply)))),
            };
        }
        let refused = Refused::read(call.service, &reply);
        if call.service == Service::S3
            && matches!(status, 301 | 307 | 400)
            && let Some(region) = self.elsewhere(call, &reply)
        {
            let message = format!("the bucket is in `{region}`");
            return Err(Miss::Corrected(failure(call, ErrorKind::Conflict, message)));
        }
        if (300..400).contains(&status) {
            return Err(Miss::Refused(self.foreign(call, &reply)));
        }
        // S3 leaves the body out where there is none to be.
        let silent = call.service == Service::S3 && reply.body.is_empty() && status < 500;
        let words = match refused.words() {
            Some(words) => words,
            None if silent => format!("AWS answered {status}"),
            None if status == 429 => "AWS answered 429: too many requests".to_owned(),
            None => return Err(Miss::Lost(in_doubt(call, self.foreign(call, &reply)))),
        };
        let mut failure = failure(call, refused.kind(status), words);
        failure.error.request_id = request_id(&reply);
        failure.code.clone_from(&refused.code);
        Err(match failure.error.kind {
            ErrorKind::Quota if refused.is_throttle(status) => {
                Miss::Throttled(failure, after(&reply))
            }
            ErrorKind::Unavailable => Miss::Lost(in_doubt(call, failure)),
            _ if refused.is_of_time() => match self.time.learn(&reply) {
                Some(skew) => {
                    failure.error.message = format!("{skew} ({})", failure.error.message);
                    self.note(format!("{skew}; requests are signed with AWS's time"));
                    Miss::Corrected(failure)
                }
                None => Miss::Refused(failure),
            },
            _ => Miss::Refused(failure),
        })
    }

    /// What answers here is not AWS.
    fn foreign(&self, call: &Call<'_>, reply: &Reply) -> Failure {
        let endpoint = self.endpoints.url(call.service, &self.region);
        let what = match (reply.status, reply.header("content-type")) {
            (status @ 300..400, _) => {
                // Only the host: the rest may be anything.
                let to = reply.header("location").and_then(|to| to.split('/').nth(2));
                let to = to.and_then(|to| to.rsplit('@').next());
                format!("{status}, a redirect to `{}`", to.unwrap_or("nowhere"))
            }
            (status, Some(kind)) if !reply.body.is_empty() => {
                let kind: String = kind.chars().take(80).collect();
                format!("{status} with `{kind}`")
            }
            (status, _) => format!("{status} with nothing that AWS would say"),
        };
        let kind = if reply.status >= 500 { ErrorKind::Unavailable } else { ErrorKind::Protocol };
        let message = format!(
            "`{endpoint}` answered {what}; is something between us and AWS, or the endpoint wrong?"
        );
        let mut failure = failure(call, kind, message);
        failure.error.request_id = request_id(reply);
        failure
    }

    /// The region in which S3 says that the bucket is, if that is news.
    fn elsewhere(&self, call: &Call<'_>, reply: &Reply) -> Option<String> {
        let region = match reply.header("x-amz-bucket-region") {
            Some(region) => region.to_owned(),
            None => xml::text(&String::from_utf8_lossy(&reply.body), "Region")?,
        };
        let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if region == self.region_of(call) || region.is_empty() || !region.chars().all(label) {
            return None;
        }
        let mut buckets = lock(&self.buckets);
        buckets.insert(bucket(call.path).0.to_owned(), region.clone());
        Some(region)
    }

    pub(super) fn region_of(&self, call: &Call<'_>) -> String {
        let own = || self.region.clone();
        match call.service {
            Service::S3 => {
                let buckets = lock(&self.buckets);
                buckets.get(bucket(call.path).0).cloned().unwrap_or_else(own)
            }
            Service::Emr | Service::Sts => own(),
        }
    }

    /// Something for people to know.
    pub(super) fn note(&self, note: String) {
        lock(&self.notes).push(note);
    }
}

/// A failure without effect.
pub(super) fn failure(call: &Call<'_>, kind: ErrorKind, message: impl Into<String>) -> Failure {
    Failure { error: Error::new(kind, "emr", call.operation, message), code: None }
}

/// Takes out of a refusal what only we and AWS are to know: whatever answers in its place may quote what it was asked.
fn hide_ours(request: &Request, reply: &mut Reply) {
    if (200..300).contains(&reply.status) {
        return;
    }
    let mut hidden = Hidden::default();
    for (name, value) in &request.headers {
        if matches!(name.as_str(), "x-amz-security-token" | "authorization") {
            hidden.hide(value, &format!("‹{name}›"), TELLING);
        }
    }
    let text = String::from_utf8_lossy(&reply.body);
    reply.body = hidden.masked(&text).into_owned().into_bytes();
    for (_, value) in &mut reply.headers {
        hidden.mask(value);
    }
}

fn in_doubt(call: &Call<'_>, mut failure: Failure) -> Failure {
    if !call.repeatable {
        failure.error = failure.error.in_doubt();
    }
    failure
}

/// Whether a reply that says «done» is of the kind the service speaks.
fn is_of(service: Service, reply: &Reply) -> bool {
    let first = reply.body.iter().find(|byte| !byte.is_ascii_whitespace());
    match service {
        Service::Emr => matches!(first, Some(b'{') | None),
        Service::Sts => {
            first == Some(&b'<') && reply.body.windows(4).any(|it| it == b"<Ass" || it == b"<Get")
        }
        Service::S3 => true,
    }
}

/// Whether nothing is lost if nobody waits for the reply. What cancels or terminates goes to its end, also at a second
/// signal.
fn is_question(call: &Call<'_>) -> bool {
    call.service == Service::Emr
        && ["Describe", "List"].iter().any(|it| call.operation.starts_with(it))
}

/// How long the far side wants us to wait; nobody keeps us away for long.
fn after(reply: &Reply) -> Option<Duration> {
    let wanted: u32 = reply.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(wanted.into()).min(LONGEST_WAIT))
}

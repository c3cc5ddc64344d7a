//! Signatures as the far side checks them: for fakes.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ring::digest;

use super::sign::{Claim, stamp};
use super::{Credentials, Service};
use crate::hex::hex;
use crate::http::Reply;
use crate::http::encode::{decode, query};
use crate::http::fake::Received;

/// How far a request's time may be from that of AWS.
const SKEW: Duration = Duration::from_secs(300);

/// Who signed a request, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The access key id.
    pub id: String,
    /// The region it was signed for.
    pub region: String,
    /// The service it was signed for, such as `elasticmapreduce`.
    pub service: String,
}

/// Why a request is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not signed.
    Missing,
    /// The signature lacks a part, or leaves a header out that must be signed.
    Incomplete(String),
    /// Nobody has that key, or the session token is not the one that belongs to it.
    Unknown,
    /// The key has expired.
    Expired,
    /// It was signed too early or too late.
    Skewed {
        /// When it says it was signed.
        signed: Timestamp,
        /// When it came.
        now: Timestamp,
    },
    /// The signature is of something else, or made with another secret.
    Mismatch,
}

/// Checks a request's signature as AWS does; `lookup` knows the keys by their id.
///
/// # Errors
/// It is not to be believed.
pub fn verify(
    received: &Received,
    now: Timestamp,
    lookup: impl FnOnce(&str) -> Option<Credentials>,
) -> Result<Signer, Refusal> {
    let header = received.header("authorization").ok_or(Refusal::Missing)?;
    let stated = Stated::read(header)?;
    for name in received.headers.iter().map(|(name, _)| name.as_str()) {
        if (name == "host" || name.starts_with("x-amz-")) && !stated.headers.contains(&name) {
            return Err(Refusal::Incomplete(format!("`{name}` is not signed")));
        }
    }
    let time = received.header("x-amz-date").ok_or_else(|| missing("x-amz-date"))?;
    let signed = DateTime::strptime("%Y%m%dT%H%M%SZ", time)
        .and_then(|time| time.to_zoned(TimeZone::UTC))
        .map_err(|_| missing("a valid x-amz-date"))?
        .timestamp();
    if time.get(..8) != Some(stated.date) {
        return Err(Refusal::Mismatch);
    }
    let known = lookup(stated.id).ok_or(Refusal::Unknown)?;
    if known.token.as_ref().map(|it| it.expose()) != received.header("x-amz-security-token") {
        return Err(Refusal::Unknown);
    }
    if signed.duration_since(now).unsigned_abs() > SKEW {
        return Err(Refusal::Skewed { signed, now });
    }
    let payload = hex(digest::digest(&digest::SHA256, &received.body).as_ref());
    let digest = received.header("x-amz-content-sha256").unwrap_or(&payload);
    if digest != payload && digest != "UNSIGNED-PAYLOAD" {
        return Err(Refusal::Mismatch);
    }
    let mut headers = Vec::new();
    for name in &stated.headers {
        headers.push((*name, received.header(name).ok_or_else(|| missing(name))?));
    }
    let claim = Claim {
        method: &received.method,
        path: received.path(),
        query: &in_order(received.query()),
        headers: &headers,
        payload: digest,
        time,
        region: stated.region,
        service: stated.service,
    };
    if claim.signature(known.secret.expose()) != stated.signature {
        return Err(Refusal::Mismatch);
    }
    if known.expires.is_some_and(|expires| expires <= now) {
        return Err(Refusal::Expired);
    }
    let own = str::to_owned;
    Ok(Signer { id: own(stated.id), region: own(stated.region), service: own(stated.service) })
}

fn missing(what: &str) -> Refusal {
    Refusal::Incomplete(format!("`{what}` is missing"))
}

/// The query as it is signed, however it was encoded.
fn in_order(raw: &str) -> String {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    });
    let pairs: Vec<_> = pairs.collect();
    query(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// An `authorization` header.
struct Stated<'a> {
    id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Stated<'a> {
    fn read(header: &'a str) -> Result<Self, Refusal> {
        let rest = header.strip_prefix("AWS4-HMAC-SHA256 ").ok_or(Refusal::Missing)?;
        let part = |name: &str| {
            let mut parts = rest.split(',').filter_map(|part| part.trim().split_once('='));
            parts.find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        let scope = part("Credential").ok_or_else(|| missing("Credential"))?;
        let words: Vec<_> = scope.split('/').collect();
        let [id, date, region, service, "aws4_request"] = words[..] else {
            return Err(Refusal::Incomplete("`Credential` makes no sense".to_owned()));
        };
        let headers = part("SignedHeaders").ok_or_else(|| missing("SignedHeaders"))?;
        let signature = part("Signature").ok_or_else(|| missing("Signature"))?;
        Ok(Self { id, date, region, service, headers: headers.split(';').collect(), signature })
    }
}

impl Refusal {
    /// What the service answers.
    pub fn reply(&self, service: Service) -> Reply {
        let (code, message) = self.words(service);
        let status = if service == Service::Emr { 400 } else { 403 };
        refusal(service, status, code, &message)
    }

    fn words(&self, service: Service) -> (&'static str, String) {
        let by = |emr, s3, sts| match service {
            Service::Emr => emr,
            Service::S3 => s3,
            Service::Sts => sts,
        };
        match self {
            Self::Missing => (
                by("MissingAuthenticationTokenException", "AccessDenied", "MissingAuthenticationToken"),
                "Request is missing Authentication Token".to_owned(),
            ),
            Self::Incomplete(what) => (
                by("IncompleteSignatureException", "AuthorizationHeaderMalformed", "IncompleteSignature"),
                what.clone(),
            ),
            Self::Unknown => (
                by("UnrecognizedClientException", "InvalidAccessKeyId", "InvalidClientTokenId"),
                "The security token included in the request is invalid.".to_owned(),
            ),
            Self::Expired => (
                by("ExpiredTokenException", "ExpiredToken", "ExpiredToken"),
                "The security token included in the request is expired".to_owned(),
            ),
            Self::Skewed { signed, now } => (
                by("InvalidSignatureException", "RequestTimeTooSkewed", "SignatureDoesNotMatch"),
                match (service, signed < now) {
                    (Service::S3, _) => "The difference between the request time and the current time is too \
                                         large."
                        .to_owned(),
                    (_, true) => format!(
                        "Signature expired: {} is now earlier than {} ({} - 5 min.)",
                        stamp(*signed),
                        stamp(now.checked_sub(SKEW).unwrap_or(*now)),
                        stamp(*now)
                    ),
                    (_, false) => format!(
                        "Signature not yet current: {} is still later than {} ({} + 5 min.)",
                        stamp(*signed),
                        stamp(crate::clock::add(*now, SKEW)),
                        stamp(*now)
                    ),
                },
            ),
            Self::Mismatch => (
                by("InvalidSignatureException", "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method."
                    .to_owned(),
            ),
        }
    }
}

/// A refusal in the form each service has: JSON of EMR, XML of S3 and STS.
pub fn refusal(service: Service, status: u16, code: &str, message: &str) -> Reply {
    let (kind, id, body) = match service {
        Service::Emr => (
            "application/x-amz-json-1.1",
            "x-amzn-requestid",
            serde_json::json!({ "__type": code, "message": message }).to_string(),
        ),
        Service::S3 => (
            "application/xml",
            "x-amz-request-id",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{}</Message></Error>",
                super::xml::escape(message)
            ),
        ),
        Service::Sts => (
            "text/xml",
            "x-amzn-requestid",
            format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>{}</Message></Error></ErrorResponse>",
                super::xml::escape(message)
            ),
        ),
    };
    let headers = [("content-type", kind), (id, "00000000-0000-0000-0000-000000000000")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Reply { status, headers, body: body.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::super::sign::{Scope, sign};
    use super::*;
    use crate::http::Request;
    use crate::secret::Secret;

    fn key(token: Option<&str>) -> Credentials {
        let (id, secret) = (Secret::new("AKID"), Secret::new("hunter2"));
        Credentials { id, secret, token: token.map(Secret::new), expires: None }
    }

    fn signed(service: Service, credentials: &Credentials, at: Timestamp) -> Received {
        let mut request = Request {
            method: "POST",
            url: "http://h:1/a%20b/c?x=y%20z&z=".to_owned(),
            headers: vec![("x-amz-target".to_owned(), "A.B".to_owned())],
            body: b"{}".to_vec(),
        };
        sign(&mut request, credentials, Scope { service, region: "eu-west-1" }, at);
        Received {
            method: request.method.to_owned(),
            target: "/a%20b/c?z&x=y%20z".to_owned(),
            headers: request.headers,
            body: request.body,
        }
    }

    const NOW: Timestamp = Timestamp::constant(1_700_000_000, 0);

    #[test]
    fn what_is_signed_is_believed() {
        for service in [Service::Emr, Service::S3, Service::Sts] {
            for token in [None, Some("token")] {
                let received = signed(service, &key(token), NOW);
                let signer = verify(&received, NOW, |id| (id == "AKID").then(|| key(token)));
                let service = service.signing_name().to_owned();
                let (id, region) = ("AKID".to_owned(), "eu-west-1".to_owned());
                assert_eq!(signer, Ok(Signer { id, region, service }));
            }
        }
    }

    #[test]
    fn what_was_touched_is_not() {
        let good = signed(Service::S3, &key(None), NOW);
        let check = |received: &Received| verify(received, NOW, |_| Some(key(None))).err();
        let changed = |change: &dyn Fn(&mut Received)| {
            let mut received = good.clone();
            change(&mut received);
            check(&received)
        };
        let set = |name: &'static str, value: &'static str| {
            changed(&|it| {
                it.headers.retain(|(known, _)| known != name);
                it.headers.push((name.to_owned(), value.to_owned()));
            })
        };
        assert_eq!(check(&good), None);
        let wrong = Some(Refusal::Mismatch);
        assert_eq!(changed(&|it| it.body = b"[]".to_vec()), wrong);
        assert_eq!(changed(&|it| it.target = "/a%20b/c?z&x=y".to_owned()), wrong);
        assert_eq!(changed(&|it| it.target = "/other?z&x=y%20z".to_owned()), wrong);
        assert_eq!(changed(&|it| it.method = "GET".to_owned()), wrong);
        assert_eq!(set("x-amz-target", "A.C"), wrong);
        assert_eq!(set("host", "elsewhere"), wrong);
        assert_eq!(
            set("x-amz-security-token", "t"),
            Some(Refusal::Incomplete("`x-amz-security-token` is not signed".to_owned()))
        );
        assert_eq!(
            changed(&|it| it.headers.retain(|(name, _)| name != "authorization")),
            Some(Refusal::Missing)
        );
        let other = |id: Option<Credentials>| verify(&good, NOW, |_| id).err();
        assert_eq!(other(None), Some(Refusal::Unknown));
        assert_eq!(other(Some(key(Some("t")))), Some(Refusal::Unknown));
        let secret = Secret::new("hunter3");
        assert_eq!(other(Some(Credentials { secret, ..key(None) })), wrong);
        let expires = Some(NOW);
        assert_eq!(other(Some(Credentials { expires, ..key(None) })), Some(Refusal::Expired));
    }

    #[test]
    fn time_must_agree() {
        let at = |seconds: i64| Timestamp::constant(1_700_000_000 + seconds, 0);
        for (seconds, believed) in [(-300, true), (300, true), (-301, false), (301, false)] {
            let received = signed(Service::Emr, &key(None), at(seconds));
            let checked = verify(&received, NOW, |_| Some(key(None)));
            assert_eq!(checked.is_ok(), believed, "{seconds}");
            if let Err(refusal) = checked {
                let body = String::from_utf8(refusal.reply(Service::Emr).body).expect("is text");
                assert!(body.contains("InvalidSignatureException"), "{body}");
                assert!(body.contains(if seconds < 0 { "expired" } else { "not yet current" }));
            }
        }
    }
}

//! Signatures, version 4
//! ([Signing AWS API requests](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)).

use jiff::Timestamp;
use ring::{digest, hmac};

use super::{Credentials, Service};
use crate::hex::hex;
use crate::http::Request;

/// Headers that are the way's own business and may change on it.
const UNSIGNED: [&str; 5] =
    ["authorization", "user-agent", "accept-encoding", "connection", "expect"];

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) service: Service,
    pub(super) region: &'a str,
}

/// Adds the headers that prove that `credentials` sent the request at `now`. Its query must be in the order of
/// [`crate::http::encode::query`].
pub(super) fn sign(
    request: &mut Request,
    credentials: &Credentials,
    scope: Scope<'_>,
    now: Timestamp,
) {
    let (host, path, query) = parts(&request.url);
    let (host, path, query) = (host.to_owned(), path.to_owned(), query.to_owned());
    let time = stamp(now);
    let payload = hex(digest::digest(&digest::SHA256, &request.body).as_ref());
    let mut add = |name: &str, value: &str| {
        request.headers.push((name.to_owned(), value.to_owned()));
    };
    add("host", &host);
    add("x-amz-date", &time);
    if scope.service == Service::S3 {
        add("x-amz-content-sha256", &payload);
    }
    if let Some(token) = &credentials.token {
        add("x-amz-security-token", token.expose());
    }
    let mut signed: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    signed.retain(|(name, _)| !UNSIGNED.contains(name));
    signed.sort_unstable();
    let names: Vec<_> = signed.iter().map(|(name, _)| *name).collect();
    let claim = Claim {
        method: request.method,
        path: &path,
        query: &query,
        headers: &signed,
        payload: &payload,
        time: &time,
        region: scope.region,
        service: scope.service.signing_name(),
    };
    let signature = claim.signature(credentials.secret.expose());
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={signature}",
        credentials.id.expose(),
        claim.scope(),
        names.join(";"),
    );
    request.headers.push(("authorization".to_owned(), value));
}

/// A time as signatures have it.
pub(super) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Host, path and query of a URL.
fn parts(url: &str) -> (&str, &str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (host, if path.is_empty() { "/" } else { path }, query)
}

/// All that a signature vouches for.
pub(super) struct Claim<'a> {
    pub(super) method: &'a str,
    /// As it is on the wire.
    pub(super) path: &'a str,
    /// In order.
    pub(super) query: &'a str,
    /// In order, names in lower case.
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// The digest of the body.
    pub(super) payload: &'a str,
    pub(super) time: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl Claim<'_> {
    fn scope(&self) -> String {
        let date = self.time.get(..8).unwrap_or_default();
        format!("{date}/{}/{}/aws4_request", self.region, self.service)
    }

    pub(super) fn signature(&self, secret: &str) -> String {
        let request = hex(digest::digest(&digest::SHA256, self.canonical().as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{}\n{}\n{request}", self.time, self.scope());
        let date = self.time.get(..8).unwrap_or_default();
        let mut key = mac(format!("AWS4{secret}").as_bytes(), date);
        for part in [self.region, self.service, "aws4_request"] {
            key = mac(key.as_ref(), part);
        }
        hex(mac(key.as_ref(), &text).as_ref())
    }

    fn canonical(&self) -> String {
        // S3 takes the path as it is on the wire, all others encode it once more.
        let path = match self.service {
            "s3" => self.path.to_owned(),
            _ => crate::http::encode::encode_path(self.path),
        };
        let mut lines = vec![self.method.to_owned(), path, self.query.to_owned()];
        for (name, value) in self.headers {
            let words: Vec<_> = value.split_ascii_whitespace().collect();
            lines.push(format!("{name}:{}", words.join(" ")));
        }
        let names: Vec<_> = self.headers.iter().map(|(name, _)| *name).collect();
        lines.extend([String::new(), names.join(";"), self.payload.to_owned()]);
        lines.join("\n")
    }
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of AWS's own test suite for signatures, "get-vanilla-query-order-key-case" and "post-vanilla".
    #[test]
    fn the_values_of_awss_test_suite() {
        let claim = |method, query| Claim {
            method,
            path: "/",
            query,
            headers: &[("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")],
            payload: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            time: "20150830T123600Z",
            region: "us-east-1",
            service: "service",
        };
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        assert_eq!(
            claim("GET", "Param1=value1&Param2=value2").signature(secret),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        );
        assert_eq!(
            claim("POST", "").signature(secret),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
    }

    #[test]
    fn urls_are_taken_apart() {
        assert_eq!(parts("https://a:1/b/c?d=e"), ("a:1", "/b/c", "d=e"));
        assert_eq!(parts("https://a?d"), ("a", "/", "d"));
        assert_eq!(parts("https://a"), ("a", "/", ""));
    }
}

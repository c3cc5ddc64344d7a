//! A caller of the fake, with a signer of its own: what checks signatures is not checked with what makes them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ring::{digest, hmac};
use serde_json::{Value, json};

use crate::bell::Bell;
use crate::clock::timestamp;
use crate::environment::Environment;
use crate::fabric::emr::fake::{Fake, Script, Tempo};
use crate::hex::hex;
use crate::http::{Client, Fault, Reply, Request};

/// What a request is signed with.
#[derive(Clone, Debug)]
pub(super) struct Signing {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
    pub(super) region: String,
    pub(super) service: &'static str,
    pub(super) at: Timestamp,
}

pub(super) struct Caller {
    pub(super) fake: Fake,
    pub(super) client: Client,
}

impl Caller {
    /// Of a fake whose time only passes when it is told to, nearly.
    pub(super) fn new(script: Script) -> Self {
        let fake = Fake::start(Script { tempo: Tempo::REAL, ..script }).expect("a port");
        Self { fake, client: client() }
    }

    pub(super) fn signing(&self, service: &'static str) -> Signing {
        let of = |name: &str| {
            let all = self.fake.environment();
            all.into_iter().find(|(known, _)| known == name).expect("it is there").1
        };
        Signing {
            id: of("AWS_ACCESS_KEY_ID"),
            secret: of("AWS_SECRET_ACCESS_KEY"),
            token: None,
            region: super::HERE.to_owned(),
            service,
            at: timestamp(),
        }
    }

    /// Any request, signed.
    pub(super) fn send(
        &self,
        method: &'static str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
        signing: &Signing,
    ) -> Result<Reply, Fault> {
        let mut headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let url = self.fake.url();
        if headers.iter().all(|(name, _)| name != "host") {
            headers.push(("host".to_owned(), url.trim_start_matches("http://").to_owned()));
        }
        signing.sign(method, target, &mut headers, body);
        let request = Request {
            method,
            url: format!("{url}{target}"),
            headers,
            body: body.as_bytes().to_vec(),
        };
        self.client.send(&request, Duration::from_secs(60))
    }

    /// A call of EMR.
    pub(super) fn emr(&self, operation: &str, body: Value) -> Result<Reply, Fault> {
        self.emr_as(operation, body, &self.signing("elasticmapreduce"))
    }

    pub(super) fn emr_as(
        &self,
        operation: &str,
        body: Value,
        signing: &Signing,
    ) -> Result<Reply, Fault> {
        let target = format!("ElasticMapReduce.{operation}");
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        self.send("POST", "/", &headers, &body.to_string(), signing)
    }

    /// A new cluster.
    pub(super) fn launch(&self) -> String {
        let reply = self.emr("RunJobFlow", super::order(true, &[])).expect("a reply");
        json_of(&reply)["JobFlowId"].as_str().expect("an id").to_owned()
    }

    pub(super) fn s3(&self, target: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", target, headers, "", &self.signing("s3")).expect("a reply")
    }
}

pub(super) fn client() -> Client {
    Client::new(&Environment::default(), Arc::new(Bell::new())).expect("a client")
}

/// Status and body of a reply.
pub(super) fn said(reply: &Reply) -> (u16, String) {
    (reply.status, String::from_utf8_lossy(&reply.body).into_owned())
}

pub(super) fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| json!(said(reply).1))
}

impl Signing {
    /// Version 4 of AWS's signatures, by its description, for targets that are encoded and in order already.
    fn sign(&self, method: &str, target: &str, headers: &mut Vec<(String, String)>, body: &str) {
        let time = self.at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let digest = hex(digest::digest(&digest::SHA256, body.as_bytes()).as_ref());
        headers.push(("x-amz-date".to_owned(), time.clone()));
        headers.extend(self.token.clone().map(|token| ("x-amz-security-token".to_owned(), token)));
        if self.service == "s3" {
            headers.push(("x-amz-content-sha256".to_owned(), digest.clone()));
        }
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // Every service but S3 encodes the path once more; `/` stays as it is.
        let canonical = [method, path, query, &lines, &names.join(";"), &digest].join("\n");
        let scope = format!("{}/{}/{}/aws4_request", &time[..8], self.region, self.service);
        let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in scope.split('/') {
            key = mac(&key, part);
        }
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={}",
            self.id,
            names.join(";"),
            hex(&mac(&key, &text))
        );
        headers.push(("authorization".to_owned(), authorization));
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

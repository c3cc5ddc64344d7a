//! One request and its reply, over HTTP or HTTPS. What is asked again, and when, is `retry`'s; who asks, `auth`'s.

use std::sync::Arc;
use std::time::Duration;

use crate::bell::Bell;
use crate::environment::Environment;

pub mod aws;
pub mod fake;

/// Sends requests. One for the whole program: it keeps connections open.
#[derive(Debug)]
pub struct Client {
    /// Ends every wait between two tries.
    bell: Arc<Bell>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Such as `POST`.
    pub method: &'static str,
    /// With scheme, host and all that follows, encoded.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
}

/// A reply, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Such as 200.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// To its end, unpacked.
    pub body: Vec<u8>,
}

/// No reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No byte of the request left: no connection, no TLS, no name.
    NotSent(String),
    /// It may have arrived: cut off, too slow, garbage.
    Lost(String),
}

impl Client {
    /// A client that goes by the proxies and authorities the environment names (`HTTPS_PROXY`, `NO_PROXY`,
    /// `SSL_CERT_FILE`, …).
    ///
    /// # Errors
    /// What they say makes no sense.
    pub fn new(environment: &Environment, bell: Arc<Bell>) -> Result<Self, String> {
        let _ = environment;
        Ok(Self { bell })
    }

    /// Sends a request once and waits for the reply, `limit` at most.
    ///
    /// # Errors
    /// There is none.
    pub fn send(&self, request: &Request, limit: Duration) -> Result<Reply, Fault> {
        let _ = (request, limit, &self.bell);
        Err(Fault::NotSent("not built yet".to_owned()))
    }
}

impl Reply {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

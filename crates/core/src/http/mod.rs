//! One request and its reply, over HTTP or HTTPS. What is asked again, and when, is `retry`'s; who asks, `aws`'s and
//! `google`'s.

use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ureq::http::{self, HeaderValue, Uri};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, SendBody};

use crate::bell::Bell;
use crate::crash;
use crate::environment::Environment;

pub mod aws;
pub mod encode;
pub mod fake;
pub mod google;
pub mod retry;

mod connect;
mod fault;
mod program;
mod proxy;
mod quota;
#[cfg(any(test, fuzzing))]
mod scripted;
#[cfg(test)]
mod tests;
mod time;
mod trust;
mod unpack;
mod upload;

use proxy::Proxies;
pub use trust::{Authorities, Trust};

/// The longest reply that is taken, packed or unpacked.
pub const LONGEST_REPLY: u64 = 32 * 1024 * 1024;

/// Sends requests. One for the whole program: it keeps connections open.
pub struct Client {
    /// Ends every wait between two tries.
    bell: Arc<Bell>,
    proxies: Proxies,
    agent: Agent,
    /// [`LONGEST_REPLY`], but in tests.
    longest: u64,
    #[cfg(any(test, fuzzing))]
    scripted: Option<scripted::Answer>,
}

/// A request.
#[derive(Clone)]
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
#[derive(Clone)]
pub struct Reply {
    /// Such as 200.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// To its end, unpacked.
    pub body: Vec<u8>,
}

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Over a connection that is open, if there is one.
    Kept,
    /// The same, and a signal ends the wait for the reply.
    Heeding,
    /// Over a connection of its own.
    Afresh,
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
        Self::trusting(environment, bell, Trust::of(environment))
    }

    /// The same, but what is said of authorities is said by `trust`.
    ///
    /// # Errors
    /// What they say makes no sense.
    pub fn trusting(
        environment: &Environment,
        bell: Arc<Bell>,
        trust: Trust,
    ) -> Result<Self, String> {
        if !trust.is_plain() {
            // It is read again for the first connection; here it is to be found wrong before anything is done.
            trust.config()?;
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("dataflow-runner/", env!("CARGO_PKG_VERSION")))
            .input_buffer_size(16 * 1024)
            .output_buffer_size(16 * 1024)
            .max_idle_connections(4)
            .max_idle_age(Duration::from_secs(60))
            .build();
        let connector = connect::connector(trust, Arc::clone(&bell));
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        let proxies = Proxies::of(environment)?;
        Ok(Self {
            bell,
            proxies,
            agent,
            longest: LONGEST_REPLY,
            #[cfg(any(test, fuzzing))]
            scripted: None,
        })
    }

    /// The bell on which waits between two tries are.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Sends a request once and waits for the reply, `limit` at most. It goes over a connection that is open
    /// already, if there is one, so the far side may just have closed it; that is then [`Fault::Lost`].
    ///
    /// # Errors
    /// There is none.
    pub fn send(&self, request: &Request, limit: Duration) -> Result<Reply, Fault> {
        self.exchange(request, limit, Way::Kept)
    }

    /// The same for a question: a signal ends the wait for its reply, so that what the signal asks for is not kept
    /// waiting by one who does not answer.
    ///
    /// # Errors
    /// There is none.
    pub fn ask(&self, request: &Request, limit: Duration) -> Result<Reply, Fault> {
        self.exchange(request, limit, Way::Heeding)
    }

    /// The same over a connection of its own, for orders that must not be repeated: on a new connection, what
    /// is lost was lost after the far side agreed to listen, not because it had grown tired of waiting.
    ///
    /// # Errors
    /// There is none.
    pub fn send_afresh(&self, request: &Request, limit: Duration) -> Result<Reply, Fault> {
        self.exchange(request, limit, Way::Afresh)
    }

    /// A question whose body is read while it is sent, so many bytes, whatever [`Request::body`] says. A signal ends that
    /// too.
    ///
    /// # Errors
    /// There is no reply; or `body` has fewer bytes, or cannot be read: then the far side has not all of the request.
    pub fn upload(
        &self,
        request: &Request,
        body: &mut dyn Read,
        size: u64,
        limit: Duration,
    ) -> Result<Reply, Fault> {
        let mut body = upload::Measured::new(body, size, &self.bell);
        self.exchange_with(request, Some(&mut body), limit, Way::Heeding)
    }

    fn exchange(&self, request: &Request, limit: Duration, way: Way) -> Result<Reply, Fault> {
        self.exchange_with(request, None, limit, way)
    }

    fn exchange_with(
        &self,
        request: &Request,
        body: Option<&mut upload::Measured<'_>>,
        limit: Duration,
        way: Way,
    ) -> Result<Reply, Fault> {
        #[cfg(any(test, fuzzing))]
        if let Some(answer) = &self.scripted {
            let unpacked = |reply| unpack::unpack(reply, self.longest);
            return answer(request)
                .and_then(|reply| unpacked(reply).map_err(|e| Fault::Lost(e.to_string())));
        }
        let uri: Uri = request.url.parse().map_err(|_| {
            Fault::NotSent(format!("`{}` is not a URL", hide_secrets(&request.url)))
        })?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let proxy = self.proxies.choose(https, &host, port).cloned();
        let via = proxy.as_ref().map(|it| format!("{}:{}", it.host(), it.port()));
        crash::point("http: before a request");
        let reply = self.run(request, body, uri, proxy, limit, way);
        crash::point("http: after a reply, or none");
        reply.map_err(|error| {
            let way = fault::Way { host: &host, port, via: via.as_deref(), limit };
            way.fault(&error, connect::left())
        })
    }

    fn run(
        &self,
        request: &Request,
        body: Option<&mut upload::Measured<'_>>,
        uri: Uri,
        proxy: Option<ureq::Proxy>,
        limit: Duration,
        way: Way,
    ) -> Result<Reply, ureq::Error> {
        connect::begin(limit, way == Way::Heeding);
        let mut head = http::Request::builder().method(request.method).uri(uri);
        for (name, value) in &request.headers {
            head = head.header(name, value);
        }
        if !request.headers.iter().any(|(name, _)| name == "accept-encoding") {
            head = head.header("accept-encoding", "gzip");
        }
        macro_rules! run {
            ($body:expr) => {{
                let mut settings = self.agent.configure_request(head.body($body)?);
                settings = settings.timeout_global(Some(limit)).proxy(proxy);
                if way == Way::Afresh {
                    settings = settings.max_idle_age(Duration::ZERO);
                }
                self.agent.run(settings.build())?
            }};
        }
        let has_body = matches!(request.method, "POST" | "PUT" | "PATCH");
        let response = match body {
            Some(body) => {
                head = head.header("content-length", body.size());
                run!(SendBody::from_reader(body))
            }
            None if has_body => run!(&request.body[..]),
            None => run!(()),
        };
        let (parts, body) = response.into_parts();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
        let body = body.into_with_config().limit(self.longest).read_to_vec()?;
        let reply = Reply { status: parts.status.as_u16(), headers: headers.collect(), body };
        unpack::unpack(reply, self.longest)
    }
}

/// A URL without what may be secret in it: a user with a password before the host, and the query.
pub(crate) fn hide_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
        }
        None => url.rsplit_once('@').map_or(url, |(_, host)| host).to_owned(),
    }
}

impl Reply {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotSent(message) | Self::Lost(message)) = self;
        f.write_str(message)
    }
}

impl std::error::Error for Fault {}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Without values of headers, query and body, which may be secret.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let size = self.body.len();
        write!(f, "{} {} {names:?} {size} bytes", self.method, hide_secrets(&self.url))
    }
}

/// Without values of headers and body, which may be secret.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        write!(f, "{} {names:?} {} bytes", self.status, self.body.len())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while holding it had changed nothing halfway.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

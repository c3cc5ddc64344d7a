//! One request to the cluster over HTTP, and what its refusals mean.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::config::{Config, Credentials};
use super::{NAME, error};
use crate::base64;
use crate::fabric::content::Content;
use crate::fabric::{Error, ErrorKind, Result};
use crate::http::encode::query;
use crate::http::retry::{Miss, persist};
use crate::http::{Client, Fault, Reply, Request};
use crate::secret::{Hidden, Secret};

/// A signal is to be heard soon, and a ResourceManager answers within a second unless it is in trouble.
const LIMIT: Duration = Duration::from_secs(20);

/// Files are given time for so many bytes a second, beyond that.
const SLOWEST: u64 = 128 * 1024;

/// So much of a message is shown; YARN's diagnostics may hold whole process trees.
const SHOWN: usize = 1000;

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// The ResourceManager.
    Manager,
    /// WebHDFS or HttpFS.
    Files,
    /// The JobHistoryServer.
    History,
}

/// A question or an order.
pub(super) struct Call<'a> {
    pub(super) service: Service,
    /// For errors, such as `submit`.
    pub(super) operation: &'static str,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) query: &'a [(&'a str, &'a str)],
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
    /// It changes the world: when its answer is lost it is in doubt. Sent again it does no more than once, as all calls.
    pub(super) order: bool,
}

impl Call<'_> {
    /// To a server of files whose whole URL is known.
    fn there(operation: &'static str, method: &'static str) -> Self {
        let (service, path) = (Service::Files, String::new());
        Self { service, operation, method, path, query: &[], body: None, order: false }
    }
}

/// What goes with a request.
enum Body<'a> {
    None,
    Json(&'a [u8]),
    /// So many bytes of it.
    File(&'a mut dyn Read, u64),
}

/// The cluster's web services.
pub(super) struct Rest {
    client: Arc<Client>,
    managers: Several,
    files: Several,
    history: Option<Several>,
    /// Goes with every request: who asks.
    user: Option<String>,
    authorization: Option<Secret>,
    hidden: Hidden,
}

/// Addresses of one service, of which one is active.
struct Several {
    bases: Vec<String>,
    active: AtomicUsize,
}

impl Several {
    fn of(bases: &[String]) -> Self {
        Self { bases: bases.to_vec(), active: AtomicUsize::new(0) }
    }

    fn base(&self) -> &str {
        let nth = self.active.load(Ordering::Relaxed) % self.bases.len().max(1);
        self.bases.get(nth).map_or("", String::as_str)
    }

    /// Another is the active one; whether there is another.
    fn next(&self) -> bool {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.bases.len() > 1
    }
}

/// What Hadoop's services say of an error.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Remote {
    exception: String,
    message: String,
}

#[derive(Debug, Deserialize)]
struct Envelope {
    #[serde(rename = "RemoteException")]
    remote: Remote,
}

impl Rest {
    pub(super) fn new(config: &Config, client: Arc<Client>) -> Self {
        let mut hidden = Hidden::default();
        let authorization = config.credentials.as_ref().map(|credentials| {
            let (word, secret) = match credentials {
                Credentials::Password { user, password } => {
                    hidden.hide(password.expose(), "‹password›", 4);
                    let pair = format!("{user}:{}", password.expose());
                    ("Basic", base64::encode(pair.as_bytes()))
                }
                Credentials::Token(token) => ("Bearer", token.expose().to_owned()),
            };
            hidden.hide(&secret, "‹credentials›", 4);
            Secret::new(format!("{word} {secret}"))
        });
        let user = authorization.is_none().then(|| config.user.clone());
        Self {
            client,
            managers: Several::of(&config.resource_managers),
            files: Several::of(&config.web_hdfs),
            history: config.history.iter().map(|it| Several::of(std::slice::from_ref(it))).next(),
            user,
            authorization,
            hidden,
        }
    }

    /// Whether no signal came.
    pub(super) fn goes_on(&self) -> bool {
        self.client.bell().pause(Duration::ZERO)
    }

    fn several(&self, call: &Call<'_>) -> Result<&Several> {
        match call.service {
            Service::Manager => Ok(&self.managers),
            Service::Files => Ok(&self.files),
            Service::History => self.history.as_ref().ok_or_else(|| {
                error(ErrorKind::Unsupported, call.operation, "no `historyServer` is configured")
            }),
        }
    }

    /// Sends a request until somebody answers who is active. Replies that send elsewhere are replies.
    pub(super) fn send(&self, call: &Call<'_>) -> Result<Reply> {
        let several = self.several(call)?;
        let user = self.user.as_deref().map(|user| ("user.name", user));
        let pairs = call.query.iter().copied().chain(user);
        let tail = format!("{}?{}", call.path, query(pairs));
        let answer = persist(self.client.bell(), true, |_| {
            let url = format!("{}{tail}", several.base());
            let body = call.body.as_ref().map_or(Body::None, |body| Body::Json(body));
            let result = self.once(call, url, accepted(call.service), body);
            match result {
                // Who is not active did nothing.
                Err(Miss::Corrected(error)) if !several.next() => Err(Miss::NotSent(error)),
                Err(Miss::NotSent(error)) => {
                    several.next();
                    Err(Miss::NotSent(error))
                }
                other => other,
            }
        });
        answer.map_err(|miss| match miss {
            Miss::Lost(error) if call.order => error.in_doubt(),
            miss => miss.into_error(),
        })
    }

    /// The same, with the answer read.
    pub(super) fn ask<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T> {
        let reply = self.send(call)?;
        read(call.operation, &reply)
    }

    /// A request to where another server sent us, or to a node: once, with credentials only if it is one of ours.
    pub(super) fn there(
        &self,
        operation: &'static str,
        method: &'static str,
        url: &str,
        accept: &str,
    ) -> Result<Reply> {
        let (call, url) = (Call::there(operation, method), self.named(url));
        let answer = persist(self.client.bell(), true, |_| {
            self.once(&call, url.clone(), accept, Body::None)
        });
        answer.map_err(Miss::into_error)
    }

    /// A file to where another server sent us. One that is not any more what it was when it was looked at is refused.
    pub(super) fn upload(
        &self,
        operation: &'static str,
        url: &str,
        content: &Content,
    ) -> Result<()> {
        let (call, url) = (Call::there(operation, "PUT"), self.named(url));
        let failed = |why: String| {
            let message = format!("{} {why}", content.shown());
            Miss::Refused(error(ErrorKind::Config, operation, message))
        };
        let answer = persist(self.client.bell(), true, |_| {
            let opened = content.open().map_err(|why| failed(format!("cannot be read: {why}")));
            let mut reading = opened?;
            let body = Body::File(&mut reading, content.size);
            let result = self.once(&call, url.clone(), "application/json", body);
            match reading.differs(content) {
                true => Err(failed("changed while it was read: start again".to_owned())),
                false => result,
            }
        });
        answer.map(drop).map_err(Miss::into_error)
    }

    /// With who asks, unless it says so already.
    fn named(&self, url: &str) -> String {
        match &self.user {
            Some(user) if !url.contains("user.name=") => {
                let mark = if url.contains('?') { '&' } else { '?' };
                format!("{url}{mark}{}", query([("user.name", user.as_str())]))
            }
            _ => url.to_owned(),
        }
    }

    fn is_ours(&self, url: &str) -> bool {
        let history = self.history.iter().flat_map(|it| &it.bases);
        let mut bases = self.managers.bases.iter().chain(&self.files.bases).chain(history);
        bases.any(|base| host(base) == host(url))
    }

    fn once(
        &self,
        call: &Call<'_>,
        url: String,
        accept: &str,
        body: Body<'_>,
    ) -> Result<Reply, Miss<Error>> {
        // With `*/*` some of Hadoop's services answer XML, whatever else is said.
        let mut headers = vec![("accept".to_owned(), accept.to_owned())];
        let kind = match &body {
            Body::None => None,
            Body::Json(_) => Some("application/json"),
            Body::File(..) => Some("application/octet-stream"),
        };
        headers.extend(kind.map(|kind| ("content-type".to_owned(), kind.to_owned())));
        if let Some(authorization) = self.authorization.as_ref().filter(|_| self.is_ours(&url)) {
            headers.push(("authorization".to_owned(), authorization.expose().to_owned()));
        }
        // Gateways want it of all that changes something; nobody else looks at it.
        headers.push(("x-xsrf-header".to_owned(), "dataflow-runner".to_owned()));
        let own = if let Body::Json(json) = body { json.to_vec() } else { Vec::new() };
        let request = Request { method: call.method, url, headers, body: own };
        let reply = match body {
            Body::File(file, size) => {
                let limit = LIMIT + Duration::from_secs(size / SLOWEST);
                self.client.upload(&request, file, size, limit)
            }
            _ if call.order => self.client.send_afresh(&request, LIMIT),
            _ => self.client.ask(&request, LIMIT),
        };
        let reply = reply.map_err(|fault| {
            let said = |why: String| error(ErrorKind::Unavailable, call.operation, why);
            match fault {
                Fault::NotSent(why) => Miss::NotSent(said(why)),
                Fault::Lost(why) => Miss::Lost(said(why)),
            }
        })?;
        self.judge(call, reply)
    }

    /// Whether a reply is an answer.
    fn judge(&self, call: &Call<'_>, reply: Reply) -> Result<Reply, Miss<Error>> {
        let remote = remote(&reply);
        let told = |kind| {
            let mut message = said(&reply, remote.as_ref());
            self.hidden.mask(&mut message);
            error(kind, call.operation, message)
        };
        let exception = remote.as_ref().map_or("", |remote| remote.exception.as_str());
        let by_files = call.service == Service::Files;
        match reply.status {
            200..=299 => {
                // A standby answers with a page that leads to the active one.
                let standby = !by_files && reply.header("refresh").is_some();
                if standby { Err(Miss::Corrected(standing_by(call))) } else { Ok(reply) }
            }
            300..=399 if by_files => Ok(reply),
            300..=399 => Err(Miss::Corrected(standing_by(call))),
            403 if exception == "StandbyException" => Err(Miss::Corrected(standing_by(call))),
            401 => {
                let kerberos = reply
                    .header("www-authenticate")
                    .is_some_and(|how| how.to_lowercase().starts_with("negotiate"));
                let refused = if kerberos {
                    let message = "the cluster wants Kerberos, which is not spoken here: go through a gateway such as Knox, and give its address and `credentials`";
                    error(ErrorKind::Auth, call.operation, message)
                } else {
                    told(ErrorKind::Auth)
                };
                Err(Miss::Refused(refused))
            }
            403 => Err(Miss::Refused(told(ErrorKind::Auth))),
            404 => Err(Miss::Refused(told(ErrorKind::NotFound))),
            409 => Err(Miss::Refused(told(ErrorKind::Conflict))),
            429 => Err(Miss::Throttled(told(ErrorKind::Quota), None)),
            500.. => Err(Miss::Lost(told(ErrorKind::Unavailable))),
            _ => Err(Miss::Refused(told(ErrorKind::Config))),
        }
    }
}

/// An answer as what it should be.
pub(super) fn read<T: DeserializeOwned>(operation: &'static str, reply: &Reply) -> Result<T> {
    serde_json::from_slice(&reply.body).map_err(|garbage| {
        let (line, column, size) = (garbage.line(), garbage.column(), reply.body.len());
        let message = format!(
            "the answer of {size} bytes is not what it should be, at line {line}, column {column}"
        );
        error(ErrorKind::Protocol, operation, message)
    })
}

/// What a service is asked for. The JobHistoryServer is asked for logs only, and has them as nothing but text: it would
/// answer with 503 (seen on Hadoop 3.4.2).
fn accepted(service: Service) -> &'static str {
    match service {
        Service::Manager | Service::Files => "application/json",
        Service::History => "text/plain",
    }
}

fn standing_by(call: &Call<'_>) -> Error {
    let message = "it stands by for another, and no active one is configured";
    error(ErrorKind::Unavailable, call.operation, message)
}

fn remote(reply: &Reply) -> Option<Remote> {
    if reply.status < 400 {
        return None;
    }
    serde_json::from_slice(&reply.body).ok().map(|Envelope { remote }| remote)
}

/// What a refusal says, in its own words.
fn said(reply: &Reply, remote: Option<&Remote>) -> String {
    let status = reply.status;
    let Some(Remote { exception, message }) = remote else {
        return format!("it answers with status {status}");
    };
    let message = message.strip_prefix("java.lang.Exception: ").unwrap_or(message);
    let message: String = message.chars().take(SHOWN).collect();
    match message.is_empty() {
        true => format!("it answers `{exception}` with status {status}"),
        false => message,
    }
}

/// Host and port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{NAME} at {}", self.managers.base())
    }
}

//! A Consul for tests: keys, sessions and transactions over HTTP, as far as locks need them, with faults on order.
//!
//! What it replies is held against captures of a real one (`fixtures/wire/consul/`). Sessions end when they are told
//! to, not by time.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::base64;
use crate::http::Reply;
use crate::http::encode::decode;
use crate::http::fake::{Answer, Received, Server};

mod query;
mod state;

use query::Query;
use state::State;

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Fake {
    shared: Arc<Shared>,
    server: Server,
}

#[derive(Debug, Default)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    state: State,
    token: Option<String>,
    tricks: VecDeque<(String, Trick)>,
    requests: Vec<String>,
    closed: bool,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// It is not done, and there is no reply.
    Lost,
    /// It is done, but there is no reply.
    DoneAndLost,
    /// It is not done, and Consul says that it has trouble of its own.
    NoLeader,
}

impl Fake {
    /// Starts an empty one on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port to be had.
    pub fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let handler = Arc::clone(&shared);
        let server = Server::start(move |request| handler.answer(request))?;
        Ok(Self { shared, server })
    }

    /// Where it is, such as `127.0.0.1:45678`.
    pub fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// From now on, only who has this token is served.
    pub fn demand(&self, token: &str) {
        self.shared.lock().token = Some(token.to_owned());
    }

    /// The next request that begins with this (`PUT /v1/kv/`) goes wrong. Orders are kept until they are met.
    pub fn trick(&self, request: &str, trick: Trick) {
        self.shared.lock().tricks.push_back((request.to_owned(), trick));
    }

    /// Makes a key, or changes it, without any care, as 0.7.x does.
    pub fn put(&self, key: &str, value: &str) {
        self.shared.lock().state.put(key, value.as_bytes().to_vec());
        self.shared.changed.notify_all();
    }

    /// What is in a key.
    pub fn get(&self, key: &str) -> Option<String> {
        let inner = self.shared.lock();
        inner.state.value(key).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Removes a key, whoever holds it.
    pub fn delete(&self, key: &str) {
        self.shared.lock().state.delete(key, None);
        self.shared.changed.notify_all();
    }

    /// The sessions there are.
    pub fn sessions(&self) -> Vec<String> {
        self.shared.lock().state.sessions()
    }

    /// Ends all sessions, as if they had not been renewed.
    pub fn expire(&self) {
        let mut inner = self.shared.lock();
        for id in inner.state.sessions() {
            inner.state.end_session(&id);
        }
        drop(inner);
        self.shared.changed.notify_all();
    }

    /// The requests so far, such as `GET /v1/kv/a?consistent`.
    pub fn requests(&self) -> Vec<String> {
        self.shared.lock().requests.clone()
    }

    /// Waits until there was such a request as often as `times`; `false` if it takes longer than `limit`.
    pub fn wait_for(&self, begins: &str, times: usize, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut inner = self.shared.lock();
        while inner.requests.iter().filter(|request| request.starts_with(begins)).count() < times {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.changed.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Whoever waits for a change is answered, so that the server's threads end.
impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Received) -> Answer {
        let line = format!("{} {}", request.method, request.target);
        let mut inner = self.lock();
        inner.requests.push(line.clone());
        self.changed.notify_all();
        let at = inner.tricks.iter().position(|(begins, _)| line.starts_with(begins));
        let trick = at.and_then(|at| inner.tricks.remove(at)).map(|(_, trick)| trick);
        match trick {
            Some(Trick::Lost) => return Answer::Cut,
            Some(Trick::NoLeader) => return words(500, "No cluster leader"),
            Some(Trick::DoneAndLost) | None => {}
        }
        if inner.token.is_some() && inner.token.as_deref() != request.header("x-consul-token") {
            return words(403, "Permission denied: anonymous token lacks permission");
        }
        let (inner, answer) = self.settle(inner, request);
        drop(inner);
        self.changed.notify_all();
        if trick.is_some() { Answer::Cut } else { answer }
    }

    fn settle<'a>(
        &'a self,
        mut inner: MutexGuard<'a, Inner>,
        request: &Received,
    ) -> (MutexGuard<'a, Inner>, Answer) {
        let path = request.path();
        let query = Query::of(request.query());
        if let Some(key) = path.strip_prefix("/v1/kv/").map(decode) {
            if request.method == "GET" {
                let watch = match query.number("index") {
                    Err(_) => return (inner, words(400, "Invalid index")),
                    Ok(watch) => watch,
                };
                inner = self.until_changed(inner, &key, watch, query.wait());
                let answer = inner.state.get(&key);
                return (inner, answer);
            }
            let answer = inner.state.change(&request.method, &key, &query, &request.body);
            return (inner, answer);
        }
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let state = &mut inner.state;
        let session = |prefix| path.strip_prefix(prefix);
        let put = request.method == "PUT";
        let answer = if let Some(id) = session("/v1/session/info/") {
            state.info(id)
        } else if path == "/v1/session/create" && put {
            state.open_session(&body)
        } else if let Some(id) = session("/v1/session/renew/").filter(|_| put) {
            state.renew(id)
        } else if let Some(id) = session("/v1/session/destroy/").filter(|_| put) {
            state.end_session(id);
            truth(true)
        } else if path == "/v1/txn" && put {
            state.transact(&body)
        } else if path.starts_with("/v1/session/") || path == "/v1/txn" {
            words(405, &format!("method {} not allowed", request.method))
        } else {
            words(404, "Invalid URL path: not a recognized HTTP API endpoint\n")
        };
        (inner, answer)
    }

    fn until_changed<'a>(
        &'a self,
        mut inner: MutexGuard<'a, Inner>,
        key: &str,
        watch: Option<u64>,
        wait: Duration,
    ) -> MutexGuard<'a, Inner> {
        let Some(watch) = watch.filter(|watch| *watch > 0) else { return inner };
        let deadline = Instant::now() + wait;
        while inner.state.index_of(key) <= watch && !inner.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        inner
    }
}

fn words(status: u16, text: &str) -> Answer {
    Answer::new(status, "text/plain; charset=utf-8", text)
}

fn truth(yes: bool) -> Answer {
    Answer::new(200, "application/json", yes.to_string())
}

fn told(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json", body.to_string())
}

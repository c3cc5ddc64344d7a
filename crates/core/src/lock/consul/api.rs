//! The requests of Consul's HTTP API that locks need, and what its replies mean.
//!
//! <https://developer.hashicorp.com/consul/api-docs/kv>, `/session`, `/txn`; what those pages leave open was seen on
//! a Consul 1.14.11 (`fixtures/wire/consul/`).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Error, Seen};
use super::{Consul, TTL};
use crate::base64;
use crate::http::encode::encode_path;
use crate::http::{Fault, Reply, Request};
use crate::secret::Hidden;

/// A signal is to be heard within two seconds, so no request takes longer.
const LIMIT: Duration = Duration::from_secs(2);
/// So much of a message of Consul's is shown.
const SHOWN: usize = 300;

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Key(String);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing was done.
    Unheard(String),
    /// It may have been done.
    Lost(String),
    /// Consul will not have it; nothing was done.
    Refused(Error),
}

/// What became of a lock by a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Locked {
    Yes,
    /// The key is there.
    Exists,
    /// There is no such session.
    NoSession,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    value: Option<String>,
    modify_index: u64,
}

impl Key {
    /// # Errors
    /// Consul would not take it, or take it for another one.
    pub(in super::super) fn new(key: &str) -> Result<Self, Error> {
        let wrong = |why| Error::ours(format!("`{key}` cannot be a key in Consul: {why}"));
        if key.starts_with('/') {
            // Consul's own client refuses it, too.
            return Err(wrong("keys do not begin with a slash"));
        }
        // Consul redirects a path with such parts to one without them, which is another key.
        if key.split('/').rev().skip(1).any(str::is_empty)
            || key.split('/').any(|part| matches!(part, "." | ".."))
        {
            return Err(wrong("no part of it may be empty, `.` or `..`"));
        }
        if key.is_empty() {
            return Err(wrong("it is empty"));
        }
        Ok(Self(key.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Consul {
    /// What is in a key, if it is there; asked of the leader, so never of the past.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Seen>, Trouble> {
        self.read(key, &[("consistent", "")], LIMIT)
    }

    /// The same, but no answer before it has changed since `watch`, `wait` at most.
    pub(super) fn get_changed(
        &self,
        key: &Key,
        watch: u64,
        wait: Duration,
    ) -> Result<Option<Seen>, Trouble> {
        let (index, wait_for) = (watch.max(1).to_string(), format!("{}ms", wait.as_millis()));
        // Consul adds up to a sixteenth, so that not all come back at once.
        let limit = wait + wait / 16 + LIMIT;
        self.read(key, &[("index", &index), ("wait", &wait_for)], limit)
    }

    fn read(
        &self,
        key: &Key,
        query: &[(&str, &str)],
        limit: Duration,
    ) -> Result<Option<Seen>, Trouble> {
        let reply = self.ask("GET", &self.kv(key), query, Vec::new(), limit)?;
        let watch = reply.header("x-consul-index").and_then(|index| index.parse().ok());
        match reply.status {
            404 if watch.is_some() => Ok(None),
            200 => {
                let entries: Vec<Entry> = parse(&reply)?;
                let entry = entries.into_iter().next().ok_or_else(|| garbage(&reply))?;
                let content = base64::decode(entry.value.as_deref().unwrap_or_default())
                    .ok_or_else(|| garbage(&reply))?;
                let seen = Seen::new(content, None);
                Ok(Some(Seen { index: entry.modify_index, watch: watch.unwrap_or(0), ..seen }))
            }
            _ => Err(refused(&reply)),
        }
    }

    /// Makes a key. `false`: there is one.
    pub(super) fn create(&self, key: &Key, value: &[u8]) -> Result<bool, Trouble> {
        self.yes_or_no("PUT", &self.kv(key), &[("cas", "0")], value.to_vec())
    }

    /// Removes a key that has not changed since `index`. `false`: it has. One that is not there is removed.
    pub(super) fn delete(&self, key: &Key, index: u64) -> Result<bool, Trouble> {
        self.yes_or_no("DELETE", &self.kv(key), &[("cas", &index.to_string())], Vec::new())
    }

    /// Makes a session. What it has locked goes with it, and can be locked at once by the next.
    pub(super) fn open_session(&self, name: &str) -> Result<String, Trouble> {
        #[derive(Deserialize)]
        #[serde(rename_all = "UPPERCASE")]
        struct Made {
            id: String,
        }
        // No check of the node: that is the agent's machine, whose troubles are not ours.
        let body = json!({
            "Name": name,
            "TTL": format!("{}s", TTL.as_secs()),
            "Behavior": "delete",
            "LockDelay": "0s",
            "NodeChecks": [],
        });
        let body = body.to_string().into_bytes();
        let reply = self.ask("PUT", "/v1/session/create", &[], body, LIMIT)?;
        if reply.status != 200 {
            return Err(refused(&reply));
        }
        let Made { id } = parse(&reply)?;
        // It becomes a part of paths.
        let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if is_id { Ok(id) } else { Err(garbage(&reply)) }
    }

    /// Keeps a session. `false`: it is gone.
    pub(super) fn renew(&self, session: &str) -> Result<bool, Trouble> {
        let path = format!("/v1/session/renew/{session}");
        let reply = self.ask("PUT", &path, &[], Vec::new(), LIMIT)?;
        match reply.status {
            200 => Ok(true),
            // There are other reasons for this status, such as a proxy that knows no such path.
            404 if text(&reply).contains(session) => Ok(false),
            _ => Err(refused(&reply)),
        }
    }

    /// Ends a session, and with it what it has locked.
    pub(super) fn destroy(&self, session: &str) -> Result<(), Trouble> {
        self.yes_or_no("PUT", &format!("/v1/session/destroy/{session}"), &[], Vec::new()).map(drop)
    }

    /// Makes a key, locked by a session. A key that is there stays as it is, also one that nobody has locked, such
    /// as 0.7.x makes: `?acquire=` would take it. So it is a transaction of two.
    pub(super) fn lock(&self, key: &Key, value: &[u8], session: &str) -> Result<Locked, Trouble> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Conflict {
            errors: Vec<What>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct What {
            what: String,
        }
        let operation = |verb: &str, more: &[(&str, Value)]| {
            let mut kv = json!({ "Verb": verb, "Key": key.as_str() });
            // In a transaction each operation says where; the query is not looked at.
            let places = [("Namespace", &self.namespace), ("Partition", &self.partition)];
            for (name, place) in places {
                if let Some(place) = place {
                    kv[name] = json!(place);
                }
            }
            for (name, value) in more {
                kv[*name] = value.clone();
            }
            json!({ "KV": kv })
        };
        let lock = [("Value", json!(base64::encode(value))), ("Session", json!(session))];
        let body = json!([operation("check-not-exists", &[]), operation("lock", &lock)]);
        let reply = self.ask("PUT", "/v1/txn", &[], body.to_string().into_bytes(), LIMIT)?;
        match reply.status {
            200 => Ok(Locked::Yes),
            409 => {
                let conflict: Conflict = parse(&reply)?;
                let says = |word| conflict.errors.iter().find(|error| error.what.contains(word));
                if let Some(denied) = says("Permission denied").or_else(|| says("ACL not found")) {
                    return Err(Trouble::Refused(denied_because(&denied.what)));
                }
                if says("invalid session").is_some() {
                    return Ok(Locked::NoSession);
                }
                let taken = says("exists").or_else(|| says("already held"));
                if taken.is_some() { Ok(Locked::Exists) } else { Err(refused(&reply)) }
            }
            _ => Err(refused(&reply)),
        }
    }

    fn kv(&self, key: &Key) -> String {
        format!("/v1/kv/{}", encode_path(key.as_str()))
    }

    fn yes_or_no(
        &self,
        method: &'static str,
        path: &str,
        query: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<bool, Trouble> {
        let reply = self.ask(method, path, query, body, LIMIT)?;
        match (reply.status, text(&reply).as_str()) {
            (200, "true") => Ok(true),
            (200, "false") => Ok(false),
            (200, _) => Err(garbage(&reply)),
            _ => Err(refused(&reply)),
        }
    }

    /// Sends a request once. A reply that says that something is wrong with Consul is none.
    fn ask(
        &self,
        method: &'static str,
        path: &str,
        query: &[(&str, &str)],
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Reply, Trouble> {
        let mut url = format!("{}{path}", self.base);
        let places = [("ns", &self.namespace), ("partition", &self.partition)];
        let places = places.into_iter().filter_map(|(name, place)| Some((name, place.as_deref()?)));
        for (at, (name, value)) in query.iter().copied().chain(places).enumerate() {
            url.push(if at == 0 { '?' } else { '&' });
            url += name;
            if !value.is_empty() {
                url.push('=');
                url += &encode_path(value);
            }
        }
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), value.expose().to_owned()));
        let request = Request { method, url, headers: headers.collect(), body };
        let mut reply = self.client.send(&request, limit).map_err(|fault| match fault {
            Fault::NotSent(why) => Trouble::Unheard(why),
            Fault::Lost(why) => Trouble::Lost(why),
        })?;
        self.hide_ours(&mut reply);
        match reply.status {
            429 => Err(Trouble::Unheard(said(&reply))),
            500.. => Err(Trouble::Lost(said(&reply))),
            _ => Ok(reply),
        }
    }
}

impl Consul {
    /// Takes out of a reply what only we are to know: whatever answers may quote what it was asked.
    fn hide_ours(&self, reply: &mut Reply) {
        // Where the text decides, and not the status, it is to stay what it is.
        let telling = if matches!(reply.status, 200..300 | 404 | 409) { 8 } else { 4 };
        let mut hidden = Hidden::default();
        for (name, value) in &self.headers {
            let value = value.expose();
            let value = value.strip_prefix("Basic ").unwrap_or(value);
            hidden.hide(value, &format!("‹{name}›"), telling);
            // The password by itself, as a server shows it that reads it.
            let pair = base64::decode(value).and_then(|pair| String::from_utf8(pair).ok());
            if let Some((_, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
                hidden.hide(password, &format!("‹{name}›"), telling);
            }
        }
        let text = String::from_utf8_lossy(&reply.body);
        reply.body = hidden.masked(&text).into_owned().into_bytes();
        for (_, value) in &mut reply.headers {
            hidden.mask(value);
        }
    }
}

impl Trouble {
    /// Why, in words.
    pub(super) fn why(self) -> String {
        match self {
            Self::Unheard(why) | Self::Lost(why) => why,
            Self::Refused(error) => error.to_string(),
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(reply: &'a Reply) -> Result<T, Trouble> {
    serde_json::from_slice(&reply.body).map_err(|_| garbage(reply))
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).trim().to_owned()
}

fn said(reply: &Reply) -> String {
    let text: String = text(reply).chars().take(SHOWN).collect();
    format!("status {} `{text}`", reply.status)
}

/// It may be another server, but it may also be a proxy between Consul and us: whether it was done is not known.
fn garbage(reply: &Reply) -> Trouble {
    Trouble::Lost(format!("this is no reply of Consul's: {}", said(reply)))
}

fn refused(reply: &Reply) -> Trouble {
    let error = match reply.status {
        401 | 403 => denied_because(&text(reply).chars().take(SHOWN).collect::<String>()),
        300..=399 => {
            let to = reply.header("location").unwrap_or("somewhere else");
            Error::theirs(format!("Consul sends us to `{to}`: give that address"))
        }
        _ => Error::theirs(format!("Consul refuses: {}", said(reply))),
    };
    Trouble::Refused(error)
}

fn denied_because(what: &str) -> Error {
    Error::theirs(format!(
        "Consul refuses: {what}; set CONSUL_HTTP_TOKEN or CONSUL_HTTP_TOKEN_FILE to a token that may write the key, \
         and sessions for a soft lock"
    ))
}

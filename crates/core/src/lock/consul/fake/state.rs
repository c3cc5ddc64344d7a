//! Keys and sessions.

use super::*;

/// All there is.
#[derive(Clone, Debug)]
pub(super) struct State {
    index: u64,
    keys: BTreeMap<String, Entry>,
    /// When keys that are gone were removed.
    removed: BTreeMap<String, u64>,
    sessions: BTreeMap<String, Session>,
    opened: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Vec<u8>,
    flags: u64,
    session: Option<String>,
    locks: u64,
    created: u64,
    modified: u64,
}

#[derive(Clone, Debug)]
struct Session {
    deletes: bool,
    told: Value,
}

/// Nothing, but for what a server writes when it starts.
impl Default for State {
    fn default() -> Self {
        Self {
            index: 7,
            keys: BTreeMap::new(),
            removed: BTreeMap::new(),
            sessions: BTreeMap::new(),
            opened: 0,
        }
    }
}

impl State {
    pub(super) fn value(&self, key: &str) -> Option<&[u8]> {
        self.keys.get(key).map(|entry| entry.value.as_slice())
    }

    pub(super) fn sessions(&self) -> Vec<String> {
        self.sessions.keys().cloned().collect()
    }

    /// From what on a key's changes are told.
    pub(super) fn index_of(&self, key: &str) -> u64 {
        let there = self.keys.get(key).map(|entry| entry.modified);
        there.or_else(|| self.removed.get(key).copied()).unwrap_or(1)
    }

    pub(super) fn get(&self, key: &str) -> Answer {
        let answer = match self.keys.get(key) {
            Some(entry) => told(200, &json!([entry.told(key, true)])),
            None => words(404, ""),
        };
        let Answer::Reply(mut reply) = answer else { return answer };
        reply.headers.push(("x-consul-index".to_owned(), self.index_of(key).to_string()));
        Answer::Reply(Reply { ..reply })
    }

    pub(super) fn put(&mut self, key: &str, value: Vec<u8>) {
        self.write(key, value, 0);
    }

    /// `PUT` and `DELETE` of a key.
    pub(super) fn change(&mut self, method: &str, key: &str, query: &Query, body: &[u8]) -> Answer {
        if key.is_empty() {
            return words(400, "Missing key name");
        }
        let (cas, acquire, release) =
            (query.get("cas"), query.get("acquire"), query.get("release"));
        if [cas, acquire, release].into_iter().flatten().count() > 1 {
            return words(400, "Conflicting flags");
        }
        let (cas, flags) = match (query.number("cas"), query.number("flags")) {
            (Ok(cas), Ok(flags)) => (cas, flags.unwrap_or(0)),
            (Err(text), _) | (_, Err(text)) => {
                return words(
                    500,
                    &format!("strconv.ParseUint: parsing \"{text}\": invalid syntax"),
                );
            }
        };
        match (method, acquire, release) {
            ("DELETE", ..) => truth(self.delete(key, cas)),
            ("PUT", Some(session), _) => match self.acquire(key, session, body.to_vec()) {
                Ok(locked) => truth(locked),
                Err(why) => words(500, &format!("raft apply failed: {why}")),
            },
            ("PUT", _, Some(session)) => truth(self.release(key, session, body.to_vec())),
            ("PUT", ..) => {
                let modified = self.keys.get(key).map_or(0, |entry| entry.modified);
                let may = cas.is_none_or(|cas| cas == modified);
                if may {
                    self.write(key, body.to_vec(), flags);
                }
                truth(may)
            }
            _ => words(405, &format!("method {method} not allowed")),
        }
    }

    /// Removes a key; with `cas` only if it has not changed since. Says whether it is gone.
    pub(super) fn delete(&mut self, key: &str, cas: Option<u64>) -> bool {
        let Some(entry) = self.keys.get(key) else { return true };
        let may = cas.is_none_or(|cas| cas == entry.modified);
        if may {
            let index = self.next();
            self.keys.remove(key);
            self.removed.insert(key.to_owned(), index);
        }
        may
    }

    fn write(&mut self, key: &str, value: Vec<u8>, flags: u64) -> &mut Entry {
        let index = self.next();
        let entry = self.keys.entry(key.to_owned()).or_insert_with(|| Entry {
            value: Vec::new(),
            flags,
            session: None,
            locks: 0,
            created: index,
            modified: index,
        });
        (entry.value, entry.flags, entry.modified) = (value, flags, index);
        entry
    }

    fn acquire(&mut self, key: &str, session: &str, value: Vec<u8>) -> Result<bool, String> {
        if !self.sessions.contains_key(session) {
            return Err(format!("invalid session \"{session}\""));
        }
        let holder = self.keys.get(key).and_then(|entry| entry.session.as_deref());
        if holder.is_some_and(|holder| holder != session) {
            return Ok(false);
        }
        let again = holder.is_some();
        let entry = self.write(key, value, 0);
        entry.session = Some(session.to_owned());
        entry.locks += u64::from(!again);
        Ok(true)
    }

    fn release(&mut self, key: &str, session: &str, value: Vec<u8>) -> bool {
        let holder = self.keys.get(key).and_then(|entry| entry.session.as_deref());
        let may = holder == Some(session);
        if may {
            self.write(key, value, 0).session = None;
        }
        may
    }

    pub(super) fn open_session(&mut self, asked: &Value) -> Answer {
        if !asked.is_object() {
            return words(400, "Request decode failed");
        }
        let text = |name: &str| asked.get(name).and_then(Value::as_str);
        let deletes = match text("Behavior") {
            Some("delete") => true,
            Some("release" | "") | None => false,
            Some(other) => return words(500, &format!("Invalid Behavior setting '{other}'")),
        };
        let ttl = text("TTL").unwrap_or_default();
        let seconds = ttl.strip_suffix('s').and_then(|seconds| seconds.parse::<f64>().ok());
        // As on a server whose least is the documented one.
        if !ttl.is_empty() && !seconds.is_some_and(|seconds| (10.0..=86_400.0).contains(&seconds)) {
            let nanos = seconds.unwrap_or(0.0) * 1e9;
            let why = format!("Invalid Session TTL '{nanos:.0}', must be between [10s=24h0m0s]");
            return words(500, &why);
        }
        self.opened += 1;
        let index = self.next();
        let id = format!("5e551000-0000-4000-8000-{:012}", self.opened);
        let checks = asked.get("NodeChecks").cloned().unwrap_or(json!(["serfHealth"]));
        let delay = if text("LockDelay") == Some("0s") { 0 } else { 15_000_000_000_u64 };
        let told_of_it = json!({
            "ID": id,
            "Name": text("Name").unwrap_or_default(),
            "Node": "ci",
            "LockDelay": delay,
            "Behavior": if deletes { "delete" } else { "release" },
            "TTL": ttl,
            "NodeChecks": checks,
            "ServiceChecks": null,
            "CreateIndex": index,
            "ModifyIndex": index,
        });
        self.sessions.insert(id.clone(), Session { deletes, told: told_of_it });
        told(200, &json!({ "ID": id }))
    }

    pub(super) fn info(&self, id: &str) -> Answer {
        told(
            200,
            &Value::Array(self.sessions.get(id).map(|it| it.told.clone()).into_iter().collect()),
        )
    }

    pub(super) fn renew(&self, id: &str) -> Answer {
        match self.sessions.get(id) {
            Some(session) => told(200, &json!([session.told])),
            None => words(404, &format!("Session id '{id}' not found")),
        }
    }

    pub(super) fn end_session(&mut self, id: &str) {
        let Some(session) = self.sessions.remove(id) else { return };
        let held = self.keys.iter().filter(|(_, entry)| entry.session.as_deref() == Some(id));
        let held: Vec<String> = held.map(|(key, _)| key.clone()).collect();
        for key in held {
            if session.deletes {
                self.delete(&key, None);
            } else {
                let index = self.next();
                if let Some(entry) = self.keys.get_mut(&key) {
                    (entry.session, entry.modified) = (None, index);
                }
            }
        }
    }

    /// All operations, or none.
    pub(super) fn transact(&mut self, operations: &Value) -> Answer {
        let mut after = self.clone();
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for (at, operation) in operations.as_array().into_iter().flatten().enumerate() {
            match after.operate(&operation["KV"]) {
                Ok(result) => results.extend(result.map(|entry| json!({ "KV": entry }))),
                Err(what) => errors.push(json!({ "OpIndex": at, "What": what })),
            }
        }
        if !errors.is_empty() {
            return told(409, &json!({ "Results": null, "Errors": errors }));
        }
        *self = after;
        told(200, &json!({ "Results": results, "Errors": null }))
    }

    fn operate(&mut self, kv: &Value) -> Result<Option<Value>, String> {
        let text = |name: &str| kv.get(name).and_then(Value::as_str).unwrap_or_default();
        let key = text("Key");
        let value = base64::decode(text("Value")).unwrap_or_default();
        match text("Verb") {
            "check-not-exists" if self.keys.contains_key(key) => {
                Err(format!("key \"{key}\" exists"))
            }
            "check-not-exists" => Ok(None),
            "lock" => match self.acquire(key, text("Session"), value)? {
                true => Ok(self.keys.get(key).map(|entry| entry.told(key, false))),
                false => Err(format!("failed to lock key \"{key}\", lock is already held")),
            },
            other => Err(format!("unknown KV verb {other:?}")),
        }
    }

    fn next(&mut self) -> u64 {
        self.index += 1;
        self.index
    }
}

impl Entry {
    fn told(&self, key: &str, with_value: bool) -> Value {
        let shown = with_value && !self.value.is_empty();
        let mut entry = json!({
            "LockIndex": self.locks,
            "Key": key,
            "Flags": self.flags,
            "Value": shown.then(|| base64::encode(&self.value)),
            "CreateIndex": self.created,
            "ModifyIndex": self.modified,
        });
        if let Some(session) = &self.session {
            entry["Session"] = json!(session);
        }
        entry
    }
}

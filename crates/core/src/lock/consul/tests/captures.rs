//! The fake against what a real Consul said: the same requests in the same order get the same replies, but for the
//! numbers that each server counts by itself.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::super::{Key, Trouble};
use super::Fake;
use crate::environment::Environment;
use crate::http::fake::{Answer, Server};
use crate::http::{Client, Request};

/// What the fake cannot do, by how the request begins or what it holds, and why it need not.
const NOT_DONE: [(&str, &str); 8] = [
    ("?raw", "locks read values as JSON"),
    ("\"1s\"", "its least TTL is 10 s"),
    ("keys&separator", "locks list nothing"),
    ("recurse", "the same"),
    ("v=1", "no lock is so large"),
    ("\"Verb\":\"cas\"", "locks do not use it"),
    ("delete-cas", "the same"),
    ("=team", "namespaces are of Consul Enterprise, which was not at hand"),
];

/// The replies that a session with a TTL of 1 s led to: the fake's sessions do not end by time.
const BY_TIME: [&str; 6] =
    ["\"h3\"", "\"h4\"", "wait=", "\"LockIndex\": 3", "\"LockIndex\": 4", "by timer"];

#[test]
fn keys_and_sessions() {
    replay(include_str!("../../../../../../fixtures/wire/consul/kv_sessions_1.14.11.jsonl"), 40);
}

#[test]
fn locks() {
    replay(include_str!("../../../../../../fixtures/wire/consul/locks_1.14.11.jsonl"), 15);
}

/// Whatever way Consul says that one may not, it is understood as such, and not asked again.
#[test]
fn refusals() {
    let capture = include_str!("../../../../../../fixtures/wire/consul/acl_1.14.11.jsonl");
    let mut seen = 0;
    for line in capture.lines() {
        let exchange: Value = serde_json::from_str(line).expect("JSON");
        let (asked, said) = (&exchange["request"], &exchange["response"]);
        let status = said["status"].as_u64().and_then(|it| u16::try_from(it).ok()).expect("status");
        if status == 200 {
            continue;
        }
        let body = match &said["body"] {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        let server = Server::start(move |_| Answer::new(status, "text/plain", body.clone()));
        let server = server.expect("a port");
        let consul = super::reach(&server.address().to_string(), &[]).expect("settings");
        let key = Key::new("locks/a").expect("a key");
        let trouble = match (asked["method"].as_str(), asked["path"].as_str().expect("a path")) {
            (Some("GET"), _) => consul.get(&key).err(),
            (_, "/v1/session/create") => consul.open_session("s").err(),
            (_, "/v1/txn") => consul.lock(&key, b"x", "s").err(),
            _ => consul.create(&key, b"x").err(),
        };
        let Some(Trouble::Refused(error)) = trouble else { panic!("{trouble:?} for {line}") };
        assert!(error.to_string().contains("CONSUL_HTTP_TOKEN"), "{error}");
        seen += 1;
    }
    assert!(seen >= 7, "{seen} refusals");
}

fn replay(capture: &str, at_least: usize) {
    let fake = Fake::start().expect("a port");
    let client = Client::new(&Environment::default(), Default::default()).expect("a client");
    let mut same = Same::default();
    let mut compared = 0;
    // The least TTL is the server's choice; the fake's is the one that is chosen where nobody chooses.
    for line in capture.replace("[1s=", "[10s=").lines() {
        let exchange: Value = serde_json::from_str(line).expect("JSON");
        let asked = &exchange["request"];
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        let body = match &asked["body"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let whole = format!("{} {body}", text("path"));
        let skipped = NOT_DONE.iter().any(|(part, _)| whole.contains(part));
        // A path that Consul redirects is none that a lock has.
        let redirected = exchange["response"]["status"] == 301;
        let by_time = BY_TIME.iter().any(|part| line.contains(part));
        if skipped || redirected || by_time || same.unknown_session(&whole) {
            continue;
        }
        let method = match text("method").as_str() {
            "GET" => "GET",
            "PUT" => "PUT",
            "POST" => "POST",
            _ => "DELETE",
        };
        let url = format!("http://{}{}", fake.address(), same.ours(&text("path")));
        let body = same.ours(&body).into_bytes();
        let request = Request { method, url, headers: Vec::new(), body };
        let reply = client.send(&request, Duration::from_secs(60)).expect("a reply");
        assert_eq!(u64::from(reply.status), exchange["response"]["status"], "{line}");
        let told: Value = match serde_json::from_slice(&reply.body) {
            Ok(json) => json,
            Err(_) => String::from_utf8_lossy(&reply.body).into_owned().into(),
        };
        same.compare(&exchange["response"]["body"], &told, line);
        let index = |name| exchange["response"]["headers"].get(name).is_some();
        assert_eq!(
            index("X-Consul-Index") && text("path").contains("/kv/"),
            reply.header("x-consul-index").is_some(),
            "{line}"
        );
        compared += 1;
    }
    assert!(compared >= at_least, "{compared} replies were compared");
}

/// What stands for what: their ids and numbers, and ours.
#[derive(Default)]
struct Same {
    ids: HashMap<String, String>,
    numbers: HashMap<u64, u64>,
}

impl Same {
    /// A request as the fake is to get it.
    fn ours(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (theirs, ours) in &self.ids {
            text = text.replace(theirs, ours);
        }
        let Some((before, number)) = text.rsplit_once("?cas=") else { return text };
        match number.parse::<u64>() {
            Ok(0) | Err(_) => text,
            // One that was never told is stale.
            Ok(number) => {
                format!("{before}?cas={}", self.numbers.get(&number).unwrap_or(&u64::MAX))
            }
        }
    }

    /// A session that was opened by a request that was left out.
    fn unknown_session(&self, text: &str) -> bool {
        let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        words
            .filter(|word| is_id(word) && !word.starts_with("1111"))
            .any(|id| !self.ids.contains_key(id))
    }

    fn compare(&mut self, theirs: &Value, ours: &Value, line: &str) {
        match (theirs, ours) {
            (Value::Object(theirs), Value::Object(ours)) => {
                let names =
                    |of: &serde_json::Map<String, Value>| of.keys().cloned().collect::<Vec<_>>();
                assert_eq!(names(theirs), names(ours), "{line}");
                for (name, value) in theirs {
                    match (name.as_str(), value, &ours[name]) {
                        ("ID", Value::String(theirs), Value::String(ours)) => {
                            self.ids.insert(theirs.clone(), ours.clone());
                        }
                        ("CreateIndex" | "ModifyIndex", theirs, ours) => {
                            let number = |value: &Value| value.as_u64().expect("a number");
                            self.numbers.insert(number(theirs), number(ours));
                        }
                        (_, theirs, ours) => self.compare(theirs, ours, line),
                    }
                }
            }
            (Value::Array(theirs), Value::Array(ours)) => {
                assert_eq!(theirs.len(), ours.len(), "{line}");
                for (theirs, ours) in theirs.iter().zip(ours) {
                    self.compare(theirs, ours, line);
                }
            }
            (Value::String(theirs), Value::String(ours)) => {
                let expected = self.ours(theirs);
                // The rest of a message may be the client's own words, or flags in another order.
                let same =
                    expected == *ours || (ours.len() > 8 && expected.starts_with(ours.as_str()));
                assert!(same, "{expected:?} is not {ours:?} in {line}");
            }
            (theirs, ours) => assert_eq!(theirs, ours, "{line}"),
        }
    }
}

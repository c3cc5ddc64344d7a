//! The fake itself, call by call.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::base64;
use crate::bell::Bell;
use crate::environment::Environment;
use crate::http::{Client, Reply, Request};

mod captures;
mod doors;
mod orders;
mod storage;

/// A fake whose time stands still, and who asks it.
struct Bench {
    fake: Fake,
    client: Client,
}

impl Bench {
    fn new(script: Script) -> Self {
        let tempo = Tempo { second: Duration::from_secs(86_400), ..script.tempo };
        let fake = Fake::start(Script { tempo, ..script }).expect("a port");
        let environment = Arc::new(Environment::default());
        let client = Client::new(&environment, Arc::new(Bell::new())).expect("a client");
        Self { fake, client }
    }

    fn send(&self, method: &str, url: String, body: &[u8]) -> Reply {
        let given = [("accept", "application/json"), ("x-xsrf-header", "x")];
        let mut headers = given.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        if url.contains("/containerlogs/") {
            headers[0].1 = "text/plain".to_owned();
        }
        if !body.is_empty() {
            let data = url.contains("/webhdfs/");
            let kind = if data { "application/octet-stream" } else { "application/json" };
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        let request = Request { method: sent(method), url, headers, body: body.to_vec() };
        self.client.ask(&request, Duration::from_secs(20)).expect("it answers")
    }

    /// Asks the ResourceManager.
    fn manager(&self, method: &str, path: &str, body: &Value) -> Reply {
        let url = format!("{}{}", self.fake.managers()[0], named(path));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send(method, url, &body)
    }

    fn get(&self, path: &str) -> Reply {
        self.manager("GET", path, &Value::Null)
    }

    /// Asks the NameNode.
    fn files(&self, method: &str, path: &str) -> Reply {
        self.send(method, format!("{}/webhdfs/v1{}", self.fake.name_nodes()[0], named(path)), &[])
    }

    fn new_id(&self) -> String {
        let reply = self.manager("POST", "/ws/v1/cluster/apps/new-application", &Value::Null);
        text(&body(&reply)["application-id"])
    }

    fn submit(&self, order: &Value) -> Reply {
        self.manager("POST", "/ws/v1/cluster/apps", order)
    }

    /// An application of a step that runs.
    fn running(&self, name: &str) -> String {
        let id = self.new_id();
        assert_eq!(self.submit(&order(&id, name)).status, 202);
        self.fake.pass(Duration::from_secs(2));
        id
    }

    fn app(&self, id: &str) -> Value {
        body(&self.get(&format!("/ws/v1/cluster/apps/{id}")))["app"].clone()
    }

    fn kill(&self, id: &str, state: &str) -> Reply {
        let path = format!("/ws/v1/cluster/apps/{id}/state");
        self.manager("PUT", &path, &json!({"state": state}))
    }

    fn violations(&self) -> Vec<String> {
        self.fake.world(|world| world.violations().to_vec())
    }
}

fn sent(method: &str) -> &'static str {
    ["GET", "PUT", "POST", "DELETE"].into_iter().find(|known| *known == method).expect("a method")
}

fn named(path: &str) -> String {
    format!("{path}{}user.name=alice", if path.contains('?') { '&' } else { '?' })
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn packed(words: &[&str]) -> String {
    base64::encode(
        words.iter().flat_map(|word| word.bytes().chain([0])).collect::<Vec<_>>().as_slice(),
    )
}

/// What starts a launcher.
fn order(id: &str, name: &str) -> Value {
    let entries = [
        ("CLASSPATH", "{{PWD}}/launcher.jar<CPS>/hadoop/share/*".to_owned()),
        ("HADOOP_USER_NAME", "alice".to_owned()),
        ("DATAFLOW_ARGV", packed(&["true", ""])),
        ("DATAFLOW_ENV", packed(&["A=b=c"])),
        ("DATAFLOW_TAGS", "r-1,r-1.2".to_owned()),
        ("DATAFLOW_LOGS", format!("hdfs://fake:9000/user/alice/logs/{id}")),
    ];
    let entries: Vec<_> =
        entries.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({
        "application-id": id,
        "application-name": name,
        "application-type": "dataflow-runner",
        "application-tags": {"tag": ["r-1", format!("r-1.{name}")]},
        "queue": "default",
        "max-app-attempts": 1,
        "resource": {"memory": 256, "vCores": 1},
        "am-container-spec": {
            "commands": {"command": "{{JAVA_HOME}}/bin/java -Xmx64m Launcher 1><LOG_DIR>/launcher.log 2>&1"},
            "environment": {"entry": entries},
            "local-resources": {"entry": []},
        },
    })
}

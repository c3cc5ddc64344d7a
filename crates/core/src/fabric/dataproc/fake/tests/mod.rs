//! The fake itself, call by call.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::bell::Bell;
use crate::environment::Environment;
use crate::http::{Client, Reply, Request};

mod captures;
mod clusters;
mod doors;
mod jobs;
mod lists;
mod objects;
mod uploads;

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

    /// One with a cluster `c1` that is ready.
    fn ready(script: Script) -> Self {
        let bench = Self::new(script);
        bench.create("c1");
        bench.pass(90);
        bench
    }

    fn send(
        &self,
        method: &'static str,
        url: String,
        given: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let own = format!("Bearer {}", self.fake.token());
        let mut headers = vec![("authorization".to_owned(), own)];
        for (name, value) in given {
            headers.retain(|(known, _)| known != name);
            headers.push(((*name).to_owned(), (*value).to_owned()));
        }
        let request = Request { method, url, headers, body: body.to_vec() };
        self.client.ask(&request, Duration::from_secs(20)).expect("it answers")
    }

    /// Asks Dataproc; `path` is below the region.
    fn ask(&self, method: &'static str, path: &str, sent: &Value) -> Reply {
        let url = format!("{}/v1/projects/{PROJECT}/regions/{REGION}/{path}", self.fake.url());
        if sent.is_null() {
            return self.send(method, url, &[], &[]);
        }
        let json = [("content-type", "application/json")];
        self.send(method, url, &json, sent.to_string().as_bytes())
    }

    fn get(&self, path: &str) -> Value {
        body(&self.ask("GET", path, &Value::Null))
    }

    /// What is refused: the code, the status and the message.
    fn refused(&self, method: &'static str, path: &str, sent: &Value) -> (u16, String, String) {
        let reply = self.ask(method, path, sent);
        let error = &body(&reply)["error"];
        assert_eq!(error["code"], reply.status, "{error}");
        (reply.status, text(&error["status"]), text(&error["message"]))
    }

    /// Makes a cluster; its operation.
    fn create(&self, name: &str) -> Value {
        body(&self.create_with(name, &cluster(name)))
    }

    fn create_with(&self, request: &str, order: &Value) -> Reply {
        self.ask("POST", &format!("clusters?requestId=create-{request}"), order)
    }

    fn delete(&self, name: &str, request: &str) -> Reply {
        self.ask("DELETE", &format!("clusters/{name}?requestId=delete-{request}"), &Value::Null)
    }

    /// The state of a cluster; `404`: there is none.
    fn state(&self, name: &str) -> String {
        let cluster = self.get(&format!("clusters/{name}"));
        cluster["status"]["state"]
            .as_str()
            .map_or_else(|| cluster["error"]["code"].to_string(), str::to_owned)
    }

    fn operation(&self, operation: &Value) -> Value {
        let name = text(&operation["name"]);
        self.get(name.split_once(REGION).expect("a region").1.trim_start_matches('/'))
    }

    /// Submits a job to `c1`.
    fn submit(&self, id: &str) -> Value {
        let reply = self.submit_with(&job(id, "c1"), id);
        assert_eq!(reply.status, 200, "{}", body(&reply));
        body(&reply)
    }

    fn submit_with(&self, order: &Value, request: &str) -> Reply {
        // Ids of requests are shorter than those of jobs.
        let request = &request[request.len().saturating_sub(40)..];
        self.ask("POST", "jobs:submit", &json!({"job": order, "requestId": request}))
    }

    fn job(&self, id: &str) -> Value {
        self.get(&format!("jobs/{id}"))
    }

    fn job_state(&self, id: &str) -> String {
        text(&self.job(id)["status"]["state"])
    }

    fn cancel(&self, id: &str) -> Reply {
        self.ask("POST", &format!("jobs/{id}:cancel"), &json!({}))
    }

    /// Asks Cloud Storage.
    fn storage(&self, path: &str) -> Reply {
        self.send("GET", format!("{}/storage/v1/b/{path}", self.fake.url()), &[], &[])
    }

    fn pass(&self, seconds: u64) {
        self.fake.pass(Duration::from_secs(seconds));
    }

    /// Nothing was done that should never be.
    fn is_clean(&self) {
        assert_eq!(self.fake.world(|world| world.violations().to_vec()), Vec::<String>::new());
    }
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The order of a cluster.
fn cluster(name: &str) -> Value {
    json!({"projectId": PROJECT, "clusterName": name, "config": {}})
}

/// The order of a job.
fn job(id: &str, cluster: &str) -> Value {
    json!({
        "reference": {"projectId": PROJECT, "jobId": id},
        "placement": {"clusterName": cluster},
        "hadoopJob": {"mainJarFileUri": "gs://b/a.jar", "args": ["in", "out"]},
    })
}

/// The names of the items of a list.
fn names(reply: &Value, list: &str, at: &str) -> Vec<String> {
    let items = reply[list].as_array().into_iter().flatten();
    items.map(|item| text(item.pointer(at).expect("a name"))).collect()
}

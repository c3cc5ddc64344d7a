//! The far side: the fake's world behind a server of our own, which loses and garbles answers as a row says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::Clock;
use dataflow_runner_core::fabric::emr::fake::{Refusal, World};
use dataflow_runner_core::http::Reply;
use dataflow_runner_core::http::fake::{Answer, Received, Server};
use serde_json::{Value, json};

use super::row::{Fault, Kind};

/// No row needs so many calls, unless its run has no end: then it is hung up on.
const ENDLESS: usize = 1_000;

/// The region of all that is there.
pub(crate) const REGION: &str = "eu-west-1";

pub(crate) struct Side {
    pub(crate) server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    clock: Arc<Clock>,
    /// The client's: a signal comes with each answer, so that it does not wait and try again by itself.
    client: Arc<Bell>,
    /// The engine's.
    engine: Arc<Bell>,
    faults: Vec<Fault>,
    /// Calls so far, by operation and of all.
    calls: Mutex<BTreeMap<String, usize>>,
}

impl Side {
    pub(crate) fn start(
        world: World,
        clock: Arc<Clock>,
        [client, engine]: [Arc<Bell>; 2],
        faults: Vec<Fault>,
    ) -> Self {
        let world = Mutex::new(world);
        let shared =
            Arc::new(Shared { world, clock, client, engine, faults, calls: Mutex::default() });
        let server = Server::start({
            let shared = Arc::clone(&shared);
            move |request| shared.answer(request)
        });
        Self { server: server.expect("a port"), shared }
    }

    /// The world as it is now.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = lock(&self.shared.world);
        world.advance(self.shared.clock.now());
        world
    }

    /// How often each operation was called.
    pub(crate) fn calls(&self) -> BTreeMap<String, usize> {
        lock(&self.shared.calls).clone()
    }
}

impl Shared {
    fn answer(&self, request: &Received) -> Answer {
        self.client.signal(1);
        let target = request.headers.iter().find(|(name, _)| name == "x-amz-target");
        let operation = target.and_then(|(_, value)| value.strip_prefix("ElasticMapReduce."));
        let Some(operation) = operation else {
            // S3, which has no logs for these runs.
            return Answer::Reply(Reply { status: 404, headers: Vec::new(), body: Vec::new() });
        };
        let fault = self.fault(operation);
        if let Some(fault) = &fault
            && !fault.done
        {
            return broken(fault.kind, operation);
        }
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let mut world = lock(&self.world);
        world.advance(self.clock.now());
        let reply = world.call(operation, REGION, &body);
        match (reply, fault) {
            (_, Some(fault)) => broken(fault.kind, operation),
            (Ok(reply), None) => json_reply(200, &reply),
            (Err(refusal), None) => refused(&refusal),
        }
    }

    /// What is wrong with this call.
    fn fault(&self, operation: &str) -> Option<Fault> {
        let mut calls = lock(&self.calls);
        let mut count = |name: &str| {
            let count = calls.entry(name.to_owned()).or_default();
            *count += 1;
            *count
        };
        let (nth, of_all) = (count(operation), count("all"));
        if of_all == ENDLESS {
            self.engine.signal(1);
        }
        let hit = |fault: &&Fault| match fault.operation.as_str() {
            "all" => fault.calls.contains(&of_all),
            other => other == operation && fault.calls.contains(&nth),
        };
        self.faults.iter().find(hit).cloned()
    }
}

fn broken(kind: Kind, operation: &str) -> Answer {
    let error = |status, code, message: &str| {
        json_reply(status, &json!({"__type": code, "message": message}))
    };
    match kind {
        Kind::Throttled => error(400, "ThrottlingException", "Rate exceeded"),
        Kind::Denied => {
            let message =
                format!("User is not authorized to perform: elasticmapreduce:{operation}");
            error(400, "AccessDeniedException", &message)
        }
        Kind::Expired => error(
            400,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        Kind::UnknownKey => error(
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        Kind::Invalid => error(400, "ValidationException", "Invalid InstanceProfile: nobody."),
        Kind::Status(status) => {
            error(status, "InternalFailure", "We encountered an internal error.")
        }
        Kind::Html => Answer::Reply(Reply {
            status: 502,
            headers: vec![("content-type".to_owned(), "text/html".to_owned())],
            body: b"<html><body><h1>502 Bad Gateway</h1></body></html>".to_vec(),
        }),
        Kind::Garbage => Answer::Reply(Reply {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())],
            body: b"{\"Clus".to_vec(),
        }),
        Kind::Cut => Answer::Cut,
    }
}

fn refused(refusal: &Refusal) -> Answer {
    let mut body = json!({"__type": refusal.code, "message": refusal.message});
    if let Some(code) = refusal.error_code {
        body["ErrorCode"] = json!(code);
    }
    json_reply(refusal.status, &body)
}

fn json_reply(status: u16, body: &Value) -> Answer {
    let headers = vec![
        ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
        ("x-amzn-requestid".to_owned(), "11111111-2222-3333-4444-555555555555".to_owned()),
    ];
    Answer::Reply(Reply { status, headers, body: body.to_string().into_bytes() })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

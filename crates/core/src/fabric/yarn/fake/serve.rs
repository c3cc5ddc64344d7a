//! Requests as they come over the wire, and the replies to them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::manager::{self, Here};
use super::refusal::Refusal;
use super::script::Access;
use super::world::World;
use super::{Fault, logs, storage};
use crate::http::Reply;
use crate::http::encode::decode;
use crate::http::fake::{Answer, Hands, Plan, Received};

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A ResourceManager, from 0.
    Manager(usize),
    /// A NameNode, from 0.
    NameNode(usize),
    /// A node: DataNode and NodeManager.
    Node,
    /// The JobHistoryServer.
    History,
}

/// A request that came, and what became of it.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Such as `submit`, `GETFILESTATUS`.
    pub operation: &'static str,
    /// Who was asked.
    pub role: Role,
    /// When it came, on the fake's clock.
    pub at: Timestamp,
    /// The request itself.
    pub request: Received,
    /// Its body, where it is JSON.
    pub body: Value,
    /// What it was answered with, if it was answered.
    pub reply: Option<Reply>,
}

/// What a request is about.
pub(super) struct Ask {
    pub(super) operation: &'static str,
    /// Of an application or a container.
    pub(super) id: String,
    /// Of a log.
    pub(super) file: String,
    /// In HDFS.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
}

/// The questions that move the fake's time on.
const QUESTIONS: [&str; 2] = ["applications", "application"];

/// What is asked also of those who stand by: they answer for themselves.
const OF_EACH: [&str; 2] = ["conf", "info"];

impl Ask {
    fn read(role: Role, received: &Received) -> Self {
        let pairs = received.query().split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        let mut ask = Self {
            operation: "",
            id: String::new(),
            file: String::new(),
            path: String::new(),
            query: pairs.map(pair).collect(),
            body: serde_json::from_slice(&received.body).unwrap_or_default(),
        };
        let path = decode(received.path());
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        if let Some(path) = path.strip_prefix("/webhdfs/v1") {
            path.clone_into(&mut ask.path);
            ask.operation = ask.on_files(role, &received.method);
            return ask;
        }
        let (operation, id, file) = match (role, received.method.as_str(), &parts[..]) {
            (Role::Manager(_), "GET", ["conf"]) => ("conf", "", ""),
            (Role::Manager(_), method, ["ws", "v1", "cluster", rest @ ..]) => {
                match (method, rest) {
                    ("GET", ["info"]) => ("info", "", ""),
                    ("POST", ["apps", "new-application"]) => ("new-application", "", ""),
                    ("POST", ["apps"]) => ("submit", "", ""),
                    ("GET", ["apps"]) => ("applications", "", ""),
                    ("GET", ["apps", id]) => ("application", *id, ""),
                    ("PUT", ["apps", id, "state"]) => ("kill", *id, ""),
                    ("PUT", ["apps", id, "timeout"]) => ("timeout", *id, ""),
                    _ => ("", "", ""),
                }
            }
            (Role::Node, "GET", ["ws", "v1", "node", "containerlogs", id, file]) => {
                ("log", *id, *file)
            }
            (Role::History, "GET", ["ws", "v1", "history", "containerlogs", id, file]) => {
                ("old log", *id, *file)
            }
            _ => ("", "", ""),
        };
        (ask.operation, ask.id, ask.file) = (operation, id.to_owned(), file.to_owned());
        ask
    }

    fn on_files(&self, role: Role, method: &str) -> &'static str {
        let there = role == Role::Node;
        match (method, self.query("op").unwrap_or_default()) {
            ("GET", "GETFILESTATUS") if !there => "GETFILESTATUS",
            ("GET", "LISTSTATUS") if !there => "LISTSTATUS",
            ("PUT", "MKDIRS") if !there => "MKDIRS",
            ("PUT", "RENAME") if !there => "RENAME",
            ("DELETE", "DELETE") if !there => "DELETE",
            ("PUT", "CREATE") => {
                if there {
                    "CREATE data"
                } else {
                    "CREATE"
                }
            }
            ("GET", "OPEN") => {
                if there {
                    "OPEN data"
                } else {
                    "OPEN"
                }
            }
            _ => "",
        }
    }

    /// The value of a parameter.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Who asks.
    pub(super) fn user(&self) -> &str {
        self.query("user.name").unwrap_or("gateway")
    }
}

/// What all connections share.
pub(super) struct Shared(Mutex<State>);

pub(super) struct State {
    pub(super) world: World,
    pub(super) hands: Hands,
    pub(super) faults: Plan<Fault>,
    pub(super) log: Vec<Logged>,
    /// `host:port` of the node, and the URLs of the others.
    pub(super) node: String,
    pub(super) managers: Vec<String>,
    /// Which is active; none in between.
    pub(super) active_manager: Option<usize>,
    pub(super) active_name_node: Option<usize>,
}

impl Shared {
    pub(super) fn new(world: World, hands: Hands) -> Self {
        Self(Mutex::new(State {
            world,
            hands,
            faults: Plan::default(),
            log: Vec::new(),
            node: String::new(),
            managers: Vec::new(),
            active_manager: Some(0),
            active_name_node: Some(0),
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answer(&self, role: Role, received: &Received) -> Answer {
        self.lock().answer(role, received)
    }
}

impl State {
    pub(super) fn tick(&mut self) {
        let now = self.hands.now();
        self.world.advance(now);
    }

    fn answer(&mut self, role: Role, received: &Received) -> Answer {
        let ask = Ask::read(role, received);
        if QUESTIONS.contains(&ask.operation) {
            self.hands.notch();
        }
        self.tick();
        let fault = self.faults.next(ask.operation);
        let logged = Logged {
            operation: ask.operation,
            role,
            at: self.world.now,
            request: received.clone(),
            body: ask.body.clone(),
            reply: None,
        };
        let number = self.log.len();
        self.log.push(logged);
        let answer = match fault {
            None => Answer::Reply(self.reply(role, received, &ask)),
            Some(Fault::ReplyLost) => {
                self.reply(role, received, &ask);
                Answer::Cut
            }
            Some(Fault::Cut) => Answer::Cut,
            Some(Fault::Refuse(refusal)) => Answer::Reply(refusal.reply()),
            Some(Fault::Page(status)) => {
                Answer::new(status, "text/html", "<html><h1>Bad gateway</h1></html>")
            }
            Some(Fault::Body(body)) => Answer::new(200, "application/json", body),
        };
        if let Answer::Reply(reply) = &answer {
            self.log[number].reply = Some(reply.clone());
        }
        answer
    }

    fn reply(&mut self, role: Role, received: &Received, ask: &Ask) -> Reply {
        if let Some(refused) = self.stopped_at_the_door(role, received, ask) {
            return refused;
        }
        self.mind_the_headers(role, received, ask);
        let reply = match role {
            Role::Manager(n) => self.by_manager(n, received, ask),
            Role::NameNode(n) if self.active_name_node != Some(n) => Some(Err(Refusal::standby())),
            Role::NameNode(_) => storage::name_node(&mut self.world, &self.node, ask),
            Role::Node if ask.operation == "log" => Some(Ok(logs::on_node(&self.world, ask))),
            Role::Node => storage::data_node(&mut self.world, ask, &received.body),
            Role::History if ask.operation == "old log" => {
                Some(Ok(logs::in_history(&self.world, ask)))
            }
            Role::History => None,
        };
        let reply = reply.unwrap_or_else(|| {
            self.world
                .note(format!("the fake does not know {} {}", received.method, received.target));
            Err(Refusal::new(404, "NotFoundException", "null for uri"))
        });
        reply.unwrap_or_else(|refused| refused.reply())
    }

    fn by_manager(
        &mut self,
        n: usize,
        received: &Received,
        ask: &Ask,
    ) -> Option<Result<Reply, Refusal>> {
        let active = self.active_manager == Some(n);
        if !active && !OF_EACH.contains(&ask.operation) {
            let url = self.active_manager.and_then(|active| self.managers.get(active));
            let place = url.map(|url| format!("{url}{}", received.target));
            return Some(Ok(manager::standing_by(place)));
        }
        let url = self.managers.get(n).map_or("", String::as_str);
        let here = Here { url, node: &self.node, active };
        manager::answer(&mut self.world, here, ask)
    }

    /// Who is not let in.
    fn stopped_at_the_door(&mut self, role: Role, received: &Received, ask: &Ask) -> Option<Reply> {
        let authorization = received.header("authorization");
        match &self.world.script.access {
            Access::Simple => {
                let known = ask.query("user.name").is_some_and(|user| !user.is_empty());
                (!known).then(|| Refusal::nobody().reply())
            }
            Access::Gateway(_) if role == Role::Node => {
                if authorization.is_some() {
                    self.world.note("a node was given what is the gateway's".to_owned());
                }
                None
            }
            Access::Gateway(wanted) => {
                let known = authorization == Some(wanted.as_str());
                (!known).then(|| text(401, "<html>401 Unauthorized</html>"))
            }
            Access::Kerberos => {
                let mut reply = Refusal::nobody().reply();
                reply.headers.push(("www-authenticate".to_owned(), "Negotiate".to_owned()));
                Some(reply)
            }
        }
    }

    /// What some version of Hadoop, or a gateway, would stumble over.
    fn mind_the_headers(&mut self, role: Role, received: &Received, ask: &Ask) {
        let is = |name: &str, value: &str| received.header(name) == Some(value);
        let wants_json = matches!(role, Role::Manager(_) | Role::NameNode(_));
        if wants_json && !is("accept", "application/json") {
            self.world.note(format!("{} would be answered in XML", ask.operation));
        }
        if matches!(ask.operation, "log" | "old log") && !is("accept", "text/plain") {
            self.world.note("a log would be answered with 503".to_owned());
        }
        if received.method != "GET" && received.header("x-xsrf-header").is_none() {
            self.world.note(format!("a gateway would not let {} pass", ask.operation));
        }
        let json = matches!(ask.operation, "submit" | "kill" | "timeout");
        if json && !is("content-type", "application/json") {
            self.world.note(format!("the body of {} is not called JSON", ask.operation));
        }
        if ask.operation == "CREATE data" && !is("content-type", "application/octet-stream") {
            self.world.note("a DataNode would refuse the content type".to_owned());
        }
    }
}

pub(super) fn json(status: u16, body: &Value) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json;charset=utf-8".to_owned())];
    Reply { status, headers, body: body.to_string().into_bytes() }
}

pub(super) fn text(status: u16, body: &str) -> Reply {
    let headers = vec![("content-type".to_owned(), "text/plain;charset=utf-8".to_owned())];
    Reply { status, headers, body: body.as_bytes().to_vec() }
}

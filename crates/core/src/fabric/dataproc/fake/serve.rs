//! Requests as they come over the wire, and the replies to them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::fields::Fields;
use super::quota::Quota;
use super::refusal::Refusal;
use super::script::Script;
use super::shapes::Route;
use super::tokens::Tokens;
use super::world::World;
use super::{Fault, clusters, gcs, jobs, upload};
use crate::http::Reply;
use crate::http::encode::decode;
use crate::http::fake::{Answer, Hands, Plan, Received};

/// A request that came, and what became of it.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Such as `jobs.submit`, `objects.get`, `objects.media`, `objects.piece`, `token`; empty for what is not known.
    pub operation: &'static str,
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
    pub(super) route: Option<Route>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) range: Option<String>,
}

/// The questions that move the fake's time on.
const QUESTIONS: [&str; 6] =
    ["clusters.get", "clusters.list", "jobs.get", "jobs.list", "operations.get", "operations.list"];

impl Ask {
    fn read(received: &Received) -> Self {
        let pairs = received.query().split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(&value.replace('+', " ")))
        };
        let query: Vec<_> = pairs.map(pair).collect();
        let path = received.path();
        // What is uploaded or downloaded goes through doors of its own.
        let upload = path.strip_prefix("/upload");
        let inner = upload.or(path.strip_prefix("/download")).unwrap_or(path);
        let piece = upload.is_some() && received.method == "PUT";
        let method = if piece { "POST" } else { received.method.as_str() };
        let mut route = Route::find(method, inner, &query);
        let short = route.as_ref().map_or("", Route::short);
        let media = query.iter().any(|(name, value)| name == "alt" && value == "media");
        let operation = match (short, upload.is_some()) {
            ("objects.insert", true) if piece => "objects.piece",
            ("objects.insert", true) => "objects.insert",
            ("objects.insert", false) | (_, true) => "",
            ("objects.get", false) if media => "objects.media",
            (short, false) => short,
        };
        if received.method == "POST" && path == "/token" {
            return Self { operation: "token", route: None, query, body: Value::Null, range: None };
        }
        if operation.is_empty() {
            route = None;
        }
        let range = received.header("range").map(str::to_owned);
        Self { operation, route, query, body: Value::Null, range }
    }

    /// The value of a parameter.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The same as a number.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let wrong = |_| Refusal::invalid(format!("Invalid value for {name}: '{text}'."));
        text.parse().map(Some).map_err(wrong)
    }

    /// What the path says.
    pub(super) fn var(&self, name: &str) -> &str {
        self.route.as_ref().map_or("", |route| route.var(name))
    }

    /// All that a list is asked for but the place in it.
    pub(super) fn but_the_token(&self) -> String {
        let mut query = self.query.clone();
        query.retain(|(name, _)| !["pageToken", "$alt", "alt"].contains(&name.as_str()));
        query.sort();
        format!("{} {:?} {query:?}", self.operation, self.route.as_ref().map(Route::vars))
    }

    /// How many a page are wanted.
    ///
    /// # Errors
    /// Fewer than none.
    pub(super) fn page_size(&self, script: &Script) -> Result<usize, Refusal> {
        let wanted = self.number("pageSize")?.unwrap_or(0);
        let wanted = usize::try_from(wanted)
            .map_err(|_| Refusal::invalid(format!("Invalid page size {wanted}.")))?;
        Ok(if wanted == 0 { script.page } else { wanted.min(script.page) })
    }

    fn is_storage(&self) -> bool {
        self.operation.starts_with("objects.")
    }
}

/// What answers a request.
pub(super) type Handler = dyn Fn(&Received) -> Answer + Send + Sync;

/// What all connections share.
pub(super) struct Shared(Mutex<State>);

pub(super) struct State {
    pub(super) world: World,
    pub(super) hands: Hands,
    pub(super) faults: Plan<Fault>,
    pub(super) tokens: Tokens,
    pub(super) quota: Quota,
    pub(super) log: Vec<Logged>,
    /// Where the fake is.
    pub(super) url: String,
    /// Somebody has sent enumerations as numbers, which are told as they came.
    numbers: bool,
}

impl Shared {
    pub(super) fn new(world: World, hands: Hands) -> Self {
        Self(Mutex::new(State {
            quota: Quota::new(world.script.quota),
            world,
            hands,
            faults: Plan::default(),
            tokens: Tokens::new(),
            log: Vec::new(),
            url: String::new(),
            numbers: false,
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answer(&self, received: &Received) -> Answer {
        self.lock().answer(received)
    }
}

impl State {
    pub(super) fn tick(&mut self) {
        let now = self.hands.now();
        self.world.advance(now);
    }

    fn answer(&mut self, received: &Received) -> Answer {
        let mut ask = Ask::read(received);
        if QUESTIONS.contains(&ask.operation) {
            self.hands.notch();
        }
        self.tick();
        let fault = self.faults.next(ask.operation);
        let number = self.log.len();
        self.log.push(Logged {
            operation: ask.operation,
            at: self.world.now,
            request: received.clone(),
            body: serde_json::from_slice(&received.body).unwrap_or_default(),
            reply: None,
        });
        let answer = match fault {
            None => Answer::Reply(self.reply(received, &mut ask)),
            Some(Fault::ReplyLost) => {
                self.reply(received, &mut ask);
                Answer::Cut
            }
            Some(Fault::ReplyCut) => {
                let reply = self.reply(received, &mut ask);
                let half = &reply.body[..reply.body.len() / 2];
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
                let head = format!("{head} {}\r\n\r\n", reply.body.len().max(1));
                Answer::Raw([head.as_bytes(), half].concat())
            }
            Some(Fault::Cut) => Answer::Cut,
            Some(Fault::Refuse(refusal)) => Answer::Reply(dressed(&ask, &refusal)),
            Some(Fault::Page(status)) => spoilt(status, "text/html", "<html><h1>Error</h1></html>"),
            Some(Fault::Body(body)) => spoilt(200, "application/json", body),
        };
        if let Answer::Reply(reply) = &answer {
            self.log[number].reply = Some(reply.clone());
        }
        answer
    }

    fn reply(&mut self, received: &Received, ask: &mut Ask) -> Reply {
        let wall = self.hands.elapsed();
        if ask.operation == "token" {
            let (lifetime, url) = (self.world.script.lifetime, self.found_at(received));
            return self.tokens.give(received, &url, lifetime, wall);
        }
        if ["access_token", "oauth_token"].iter().any(|name| ask.query(name).is_some()) {
            self.world.note("a token is part of a URL".to_owned());
        }
        if !self.tokens.admits(received, wall) {
            return dressed(ask, &Refusal::unauthenticated());
        }
        if !ask.is_storage()
            && let Err(seconds) = self.quota.take(wall)
        {
            return dressed(ask, &Refusal::throttled(Some(seconds)));
        }
        match self.carried_out(received, ask) {
            Ok(reply) => {
                self.mind_the_reply(ask, &reply);
                selected(ask, reply)
            }
            Err(refused) => dressed(ask, &refused),
        }
    }

    /// Where the client found us: links lead there, too.
    fn found_at(&self, received: &Received) -> String {
        let scheme = self.url.split("//").next().unwrap_or_default();
        received.header("host").map_or(self.url.clone(), |host| format!("{scheme}//{host}"))
    }

    fn carried_out(&mut self, received: &Received, ask: &mut Ask) -> Result<Reply, Refusal> {
        let Some(route) = ask.route.clone() else {
            let what = format!("{} {}", received.method, received.path());
            self.world.note(format!("the fake does not know {what}"));
            return Err(Refusal::new(404, "NOT_FOUND", format!("Method not found: {what}")));
        };
        // An upload's body is looked at where it is taken apart, and its id is Cloud Storage's own.
        let uploads = matches!(ask.operation, "objects.insert" | "objects.piece");
        let body: &[u8] = if uploads { &[] } else { &received.body };
        let known: Vec<_> =
            ask.query.iter().filter(|(name, _)| name != "upload_id").cloned().collect();
        let is_json =
            received.header("content-type").is_some_and(|it| it.starts_with("application/json"));
        if !uploads && !received.body.is_empty() && !is_json {
            return Err(Refusal::invalid("The content type of the body is not application/json."));
        }
        ask.body = route.check(&known, body)?;
        let url = self.found_at(received);
        let (world, url) = (&mut self.world, url.as_str());
        if ask.is_storage() {
            gcs::mind(world, ask)?;
        }
        let told = match ask.operation {
            "clusters.create" => clusters::create(world, ask),
            "clusters.get" => clusters::get(world, ask),
            "clusters.list" => clusters::list(world, ask),
            "clusters.delete" => clusters::delete(world, ask),
            "operations.get" => clusters::operation(world, ask),
            "operations.list" => clusters::operations(world, ask),
            "jobs.submit" => jobs::submit(world, ask),
            "jobs.get" => jobs::get(world, ask),
            "jobs.list" => jobs::list(world, ask),
            "jobs.cancel" => jobs::cancel(world, ask),
            "objects.list" => gcs::list(world, ask, url),
            "objects.insert" => return upload::insert(world, ask, received, url),
            "objects.piece" => return upload::piece(world, ask, received, url),
            _ => return gcs::get(world, ask, url),
        };
        told.map(|told| json(200, &told))
    }

    /// The fake's own replies must fit too.
    fn mind_the_reply(&mut self, ask: &Ask, reply: &Reply) {
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let Some(route) = ask.route.as_ref().filter(|_| body.is_object()) else { return };
        if ask.operation == "objects.media" {
            return;
        }
        self.numbers |= route.is_numbered();
        let misfits = route.misfits(&body, self.numbers);
        if misfits.is_empty() || self.world.is_odd() {
            return;
        }
        for (at, said) in misfits {
            self.world.note(format!("the fake's own reply to {}: {at}: {said}", ask.operation));
        }
    }
}

/// What was never Google's: whoever holds replies against its descriptions can tell that this one is not meant to fit.
fn spoilt(status: u16, kind: &str, body: &str) -> Answer {
    let headers = [("content-type", kind), ("x-fake-fault", "spoilt")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Answer::Reply(Reply { status, headers: headers.to_vec(), body: body.into() })
}

/// What of a reply the request wants.
fn selected(ask: &Ask, reply: Reply) -> Reply {
    let Some(fields) = ask.query("fields").filter(|_| ask.operation != "objects.media") else {
        return reply;
    };
    match (Fields::parse(fields), serde_json::from_slice(&reply.body)) {
        (None, _) => {
            let refusal = Refusal::invalid(format!("Invalid field selection {fields}"));
            dressed(ask, &refusal.because("invalidParameter"))
        }
        (Some(fields), Ok(told)) => json(reply.status, &fields.of(told)),
        (Some(_), Err(_)) => reply,
    }
}

/// A refusal in the words of who is asked.
fn dressed(ask: &Ask, refusal: &Refusal) -> Reply {
    if ask.is_storage() { refusal.storage() } else { refusal.dataproc() }
}

pub(super) fn json(status: u16, body: &Value) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json; charset=UTF-8".to_owned())];
    Reply { status, headers, body: body.to_string().into_bytes() }
}

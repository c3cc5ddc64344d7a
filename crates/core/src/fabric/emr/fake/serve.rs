//! Requests as they come over the wire, and the replies to them.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::faults::{Fault, Trouble};
use super::quota::Quota;
use super::refusal::Refusal;
use super::world::World;
use super::{s3, sts};
use crate::clock::{add, timestamp};
use crate::http::Reply;
use crate::http::aws::{Credentials, Service, Signer, verify};
use crate::http::fake::{Answer, Hands, Plan, Received};

/// The operations that move the fake's time on.
const QUESTIONS: [&str; 4] = ["DescribeCluster", "DescribeStep", "ListClusters", "ListSteps"];

/// What answers requests.
pub(super) type Handler = dyn Fn(&Received) -> Answer + Send + Sync;

/// A request that came, and what became of it.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Such as `ListSteps`.
    pub operation: String,
    /// When it came, on the fake's clock.
    pub at: Timestamp,
    /// When it came, on the wall's clock since the fake was started.
    pub elapsed: Duration,
    /// The request itself.
    pub request: Received,
    /// Its body, where it is JSON.
    pub body: Value,
    /// Who signed it, if that was believed.
    pub signer: Option<Signer>,
    /// What it was answered with, if it was answered.
    pub reply: Option<Reply>,
    /// What went wrong on purpose.
    pub fault: Option<Fault>,
    /// It had its effect: the far side did not refuse it.
    pub carried_out: bool,
}

/// What all connections share.
pub(super) struct Shared {
    state: Mutex<State>,
    gate: Condvar,
}

pub(super) struct State {
    pub(super) world: World,
    pub(super) hands: Hands,
    pub(super) faults: Plan<Fault>,
    pub(super) quota: Quota,
    pub(super) keys: BTreeMap<String, Credentials>,
    pub(super) log: Vec<Logged>,
    /// How far the fake's clock on the wall is ahead.
    pub(super) skew: SignedDuration,
    /// So often what was held has been released.
    released: u64,
    closed: bool,
    /// Calls that are still on their way: when they arrive, and their numbers.
    underway: Vec<(Timestamp, Ask, usize)>,
    /// The world as it was after each order since the first look back.
    past: Vec<World>,
}

impl Shared {
    pub(super) fn new(world: World, hands: Hands, keys: BTreeMap<String, Credentials>) -> Self {
        let state = State {
            quota: Quota::new(world.script.quota),
            world,
            hands,
            faults: Plan::default(),
            keys,
            log: Vec::new(),
            skew: SignedDuration::ZERO,
            released: 0,
            closed: false,
            underway: Vec::new(),
            past: Vec::new(),
        };
        Self { state: Mutex::new(state), gate: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go what is held, once or for good.
    pub(super) fn release(&self, for_good: bool) {
        let mut state = self.lock();
        state.released += 1;
        state.closed |= for_good;
        drop(state);
        self.gate.notify_all();
    }

    fn hold(&self) {
        let state = self.lock();
        let before = state.released;
        let held = |state: &mut State| state.released == before && !state.closed;
        drop(self.gate.wait_while(state, held).unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn answer(&self, received: &Received) -> Answer {
        let ask = Ask::read(received);
        let (number, fault) = self.lock().arrive(&ask, received);
        let carry_out = || self.lock().carry_out(&ask, received, number);
        let Some(fault) = fault else { return Answer::Reply(carry_out()) };
        if let Trouble::Stale(ago) = fault.what {
            return Answer::Reply(self.lock().look_back(&ask, received, number, ago));
        }
        let done = fault.carried_out.then(carry_out);
        if fault.what == Trouble::Slow {
            self.hold();
            return Answer::Reply(done.unwrap_or_else(carry_out));
        }
        if let Trouble::Delayed(time) = fault.what {
            self.lock().set_out(ask, number, time);
            return Answer::Cut;
        }
        let mut answer = spoilt(&fault.what, ask.service, done);
        if let Answer::Reply(reply) = &mut answer
            && !matches!(fault.what, Trouble::Refuse(_))
        {
            // Whoever holds replies against AWS's descriptions can tell that this one is not meant to fit.
            reply.headers.push(("x-fake-fault".to_owned(), "spoilt".to_owned()));
        }
        let mut state = self.lock();
        state.log[number].reply = match &answer {
            Answer::Reply(reply) => Some(reply.clone()),
            _ => None,
        };
        answer
    }
}

/// What a request is about.
#[derive(Clone)]
struct Ask {
    service: Service,
    operation: String,
}

impl Ask {
    fn read(received: &Received) -> Self {
        if let Some(target) = received.header("x-amz-target") {
            let operation = target.strip_prefix("ElasticMapReduce.").unwrap_or(target);
            return Self { service: Service::Emr, operation: operation.to_owned() };
        }
        let action = sts::Form::read(received).value("Action").to_owned();
        if !action.is_empty() {
            return Self { service: Service::Sts, operation: action };
        }
        let operation = s3::Ask::read(received).operation(&received.method).to_owned();
        Self { service: Service::S3, operation }
    }
}

impl State {
    /// The wall's time as this far side has it.
    fn wall(&self) -> Timestamp {
        timestamp().checked_add(self.skew).unwrap_or_else(|_| timestamp())
    }

    pub(super) fn tick(&mut self) {
        let now = self.hands.now();
        while let Some((at, ask, number)) = self.arrival(now) {
            self.world.advance(at);
            let received = self.log[number].request.clone();
            self.fulfil(&ask, &received, number);
        }
        self.world.advance(now);
    }

    /// A call is on its way.
    fn set_out(&mut self, ask: Ask, number: usize, time: Duration) {
        self.underway.push((add(self.world.now, time), ask, number));
    }

    /// The first of the calls on their way that have arrived by now.
    fn arrival(&mut self, now: Timestamp) -> Option<(Timestamp, Ask, usize)> {
        let first = (0..self.underway.len()).min_by_key(|&n| self.underway[n].0)?;
        (self.underway[first].0 <= now).then(|| self.underway.remove(first))
    }

    /// Keeps the world as it is, for those who look back, once it was asked to.
    pub(super) fn remember(&mut self) {
        self.past.push(self.world.clone());
    }

    /// What the answer was so long ago.
    fn look_back(&mut self, ask: &Ask, received: &Received, number: usize, ago: Duration) -> Reply {
        self.tick();
        let then = self.world.now.checked_sub(ago).unwrap_or(self.world.now);
        let known = self.past.iter().rfind(|world| world.now <= then).or(self.past.first());
        let Some(mut world) =
            known.filter(|_| QUESTIONS.contains(&ask.operation.as_str())).cloned()
        else {
            return self.fulfil(ask, received, number);
        };
        world.advance(then);
        std::mem::swap(&mut self.world, &mut world);
        let reply = self.fulfil(ask, received, number);
        std::mem::swap(&mut self.world, &mut world);
        reply
    }

    fn arrive(&mut self, ask: &Ask, received: &Received) -> (usize, Option<Fault>) {
        if QUESTIONS.contains(&ask.operation.as_str()) {
            self.hands.notch();
        }
        self.tick();
        let fault = self.faults.next(&ask.operation);
        self.log.push(Logged {
            operation: ask.operation.clone(),
            at: self.world.now,
            elapsed: self.hands.elapsed(),
            request: received.clone(),
            body: serde_json::from_slice(&received.body).unwrap_or_default(),
            signer: None,
            reply: None,
            fault: fault.clone(),
            carried_out: false,
        });
        (self.log.len() - 1, fault)
    }

    fn carry_out(&mut self, ask: &Ask, received: &Received, number: usize) -> Reply {
        self.tick();
        self.fulfil(ask, received, number)
    }

    /// The same, in the world as it is.
    fn fulfil(&mut self, ask: &Ask, received: &Received, number: usize) -> Reply {
        let mut reply = self.reply(ask, received, number);
        if !self.past.is_empty() && !QUESTIONS.contains(&ask.operation.as_str()) {
            self.remember();
        }
        let id = format!("00000000-0000-4000-8000-{:012}", number + 1);
        reply.headers.retain(|(name, _)| !name.starts_with("x-amz") || name.ends_with("region"));
        let name = if ask.service == Service::S3 { "x-amz-request-id" } else { "x-amzn-requestid" };
        reply.headers.push((name.to_owned(), id));
        let date = self.wall().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        reply.headers.push(("date".to_owned(), date));
        self.log[number].carried_out = reply.status < 300;
        self.log[number].reply = Some(reply.clone());
        reply
    }

    fn reply(&mut self, ask: &Ask, received: &Received, number: usize) -> Reply {
        let signer = if ask.operation == "AssumeRoleWithWebIdentity" {
            // The one call that goes without a signature.
            Signer { id: String::new(), region: String::new(), service: String::new() }
        } else {
            let now = self.wall();
            match verify(received, now, |id| self.keys.get(id).cloned()) {
                Err(refused) => return refused.reply(ask.service),
                Ok(signer) if signer.service != ask.service.signing_name() => {
                    return dressed(
                        ask.service,
                        &Refusal::new(
                            400,
                            "InvalidSignatureException",
                            format!(
                                "Credential should be scoped to correct service: '{}'.",
                                ask.service.signing_name()
                            ),
                        ),
                    );
                }
                Ok(signer) => signer,
            }
        };
        self.log[number].signer = Some(signer.clone());
        match ask.service {
            Service::S3 => self.s3(received, &signer),
            Service::Emr | Service::Sts => {
                let reply = match ask.service {
                    Service::Emr => self.emr(ask, received, &signer),
                    _ => self.sts(ask, received, &signer, number),
                };
                reply.unwrap_or_else(|refused| dressed(ask.service, &refused))
            }
        }
    }

    fn emr(&mut self, ask: &Ask, received: &Received, signer: &Signer) -> Result<Reply, Refusal> {
        if (received.method.as_str(), received.target.as_str()) != ("POST", "/") {
            return Err(Refusal::new(404, "UnknownOperationException", "EMR is asked by POST /"));
        }
        if received.header("content-type") != Some("application/x-amz-json-1.1") {
            return Err(Refusal::serialization(
                "the content type is not application/x-amz-json-1.1",
            ));
        }
        if !self.quota.take(&ask.operation, self.hands.elapsed()) {
            return Err(Refusal::throttled());
        }
        let body: Value = serde_json::from_slice(&received.body)
            .map_err(|error| Refusal::serialization(error.to_string()))?;
        let reply = self.world.call(&ask.operation, &signer.region, &body)?;
        // An operation without output says nothing, not even `{}`.
        let says = reply.as_object().is_none_or(|members| !members.is_empty());
        Ok(json(200, if says { reply.to_string() } else { String::new() }))
    }

    fn s3(&mut self, received: &Received, signer: &Signer) -> Reply {
        let operation = s3::Ask::read(received).operation(&received.method);
        if !matches!(operation, "ListObjectsV2" | "GetObject") {
            self.world
                .note(format!("the fake does not know {} {}", received.method, received.target));
            let refused = Refusal::new(405, "MethodNotAllowed", "the fake does not know it");
            return s3::dressed(&refused);
        }
        if received.header("x-amz-content-sha256").is_none() {
            let message = "Missing required header for this request: x-amz-content-sha256";
            return s3::dressed(&Refusal::new(400, "InvalidRequest", message));
        }
        s3::reply(&self.world, received, &signer.region)
    }

    fn sts(
        &mut self,
        ask: &Ask,
        received: &Received,
        signer: &Signer,
        number: usize,
    ) -> Result<Reply, Refusal> {
        if self.world.denied.contains(&ask.operation) {
            return Err(Refusal::denied(&format!("sts:{}", ask.operation), "*"));
        }
        let form = sts::Form::read(received);
        match ask.operation.as_str() {
            "AssumeRole" | "AssumeRoleWithWebIdentity" => {
                let lifetime = self.world.script.lifetime;
                let (credentials, reply) = sts::assume(&form, number, lifetime, self.wall())?;
                self.keys.insert(credentials.id.expose().to_owned(), credentials);
                Ok(reply)
            }
            "GetCallerIdentity" => Ok(sts::identity(&signer.id)),
            unknown => {
                self.world.note(format!("the fake does not know {unknown}"));
                Err(Refusal::new(
                    400,
                    "InvalidAction",
                    format!("Could not find operation {unknown}"),
                ))
            }
        }
    }
}

fn json(status: u16, body: String) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())];
    Reply { status, headers, body: body.into_bytes() }
}

fn dressed(service: Service, refused: &Refusal) -> Reply {
    match service {
        Service::Emr => json(refused.status, refused.json().to_string()),
        Service::S3 => s3::dressed(refused),
        Service::Sts => sts::dressed(refused),
    }
}

/// What comes in place of a reply.
fn spoilt(what: &Trouble, service: Service, done: Option<Reply>) -> Answer {
    let reply = || done.unwrap_or_else(|| json(200, "{\"Steps\": []}".to_owned()));
    match what {
        Trouble::Refuse(refused) => Answer::Reply(dressed(service, refused)),
        Trouble::Html(status) => {
            let page = "<!doctype html>\n<html lang=en>\n<title>Error</title>\n<h1>Error</h1>\n";
            Answer::new(*status, "text/html; charset=utf-8", page)
        }
        Trouble::Redirect(status, to) => {
            let headers = vec![("location".to_owned(), to.clone())];
            Answer::Reply(Reply { status: *status, headers, body: Vec::new() })
        }
        // What is delayed or stale comes not this far.
        Trouble::Cut | Trouble::Delayed(_) | Trouble::Stale(_) => Answer::Cut,
        Trouble::CutReply => {
            let body = reply().body;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
                body.len() + 1
            );
            Answer::Raw([head.as_bytes(), &body[..body.len() / 2]].concat())
        }
        Trouble::Silence | Trouble::Slow => Answer::Stall(Vec::new()),
        Trouble::Garbage => Answer::Raw(b"\x16\x03\x01 220 ready\r\n\r\n".to_vec()),
        Trouble::Truncated => {
            let mut reply = reply();
            reply.body.truncate(reply.body.len() / 2);
            Answer::Reply(reply)
        }
        Trouble::Empty => Answer::Reply(json(200, String::new())),
        Trouble::ContentType(content_type) => {
            let mut reply = reply();
            reply.headers.retain(|(name, _)| name != "content-type");
            reply.headers.push(("content-type".to_owned(), (*content_type).to_owned()));
            Answer::Reply(reply)
        }
    }
}

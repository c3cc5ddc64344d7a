//! A far side like Amazon EMR, on this machine: EMR, S3 and STS over HTTP, a little stricter than the real ones.
//!
//! A [`Script`] says what is to happen, [`Fake::start`] serves it, [`Fake::fail`] lets single calls go wrong, and
//! [`Fake::world`] and [`Fake::requests`] tell what came of it. Where each of its rules comes from, whether documented,
//! captured or assumed, is in `fixtures/wire/emr/README.md`.
//!
//! ```
//! # use dataflow_runner_core::fabric::emr::fake::{Fake, Fault, Script, StepScript, Tempo};
//! # fn main() -> std::io::Result<()> {
//! let script = Script { tempo: Tempo::notch_of(15), ..Script::default() };
//! let fake = Fake::start(script.step("transform", StepScript::fails(60)))?;
//! fake.fail("RunJobFlow", 1..=1, Fault::reply_lost());
//! // … run the program with `fake.environment()` …
//! assert_eq!(fake.world(|world| world.alive().count()), 0, "no cluster is left behind");
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::RangeBounds;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::clock::Clock;
use crate::http::aws::Credentials;
use crate::http::fake::{Hands, Server};
use crate::secret::Secret;

mod bucket;
mod cluster;
mod faults;
mod limits;
mod operations;
mod pages;
mod quota;
mod refusal;
mod replies;
mod s3;
mod script;
mod serve;
mod shapes;
mod step;
mod sts;
mod world;

pub use crate::http::fake::Tempo;
pub use bucket::{Object, gzip};
pub use cluster::{Cluster, State};
pub use faults::{Fault, Trouble};
pub use refusal::Refusal;
pub use script::{
    ClusterScript, Death, ErrorDetail, FailureDetails, Fate, Moment, Script, StepEnd, StepScript,
};
pub use serve::Logged;
pub use step::{State as StepState, Step};
pub use world::World;

/// The key that the fake knows from the start.
const KEY: (&str, &str) = ("AKIAFAKE00000000", "fake/secret+of=the-fake");

/// EMR, S3 and STS at one address, until it is dropped.
pub struct Fake {
    server: Server,
    shared: Arc<serve::Shared>,
}

impl Fake {
    /// Serves on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port to be had.
    pub fn start(script: Script) -> io::Result<Self> {
        Self::serve(Hands::new(script.tempo), script, Server::start)
    }

    /// The same, but the fake's time is that of `clock`, whatever the script says of its tempo.
    ///
    /// # Errors
    /// No port to be had.
    pub fn start_by(script: Script, clock: Arc<Clock>) -> io::Result<Self> {
        Self::serve(Hands::of(clock), script, Server::start)
    }

    /// The same, over TLS.
    ///
    /// # Errors
    /// No port to be had.
    pub fn start_tls(script: Script, tls: Arc<rustls::ServerConfig>) -> io::Result<Self> {
        let hands = Hands::new(script.tempo);
        Self::serve(hands, script, |handler| Server::start_tls(tls, handler))
    }

    fn serve(
        hands: Hands,
        script: Script,
        start: impl FnOnce(Box<serve::Handler>) -> io::Result<Server>,
    ) -> io::Result<Self> {
        let world = World::new(script, hands.now());
        let (id, secret) = (Secret::new(KEY.0), Secret::new(KEY.1));
        let key = Credentials { id, secret, token: None, expires: None };
        let keys = BTreeMap::from([(KEY.0.to_owned(), key)]);
        let shared = Arc::new(serve::Shared::new(world, hands, keys));
        let server = start({
            let shared = Arc::clone(&shared);
            Box::new(move |received| shared.answer(received))
        })?;
        Ok(Self { server, shared })
    }

    /// Where it is, such as `http://127.0.0.1:45678`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The environment in which the program finds it and its key.
    pub fn environment(&self) -> Vec<(String, String)> {
        let (id, secret) = KEY;
        [
            ("AWS_ENDPOINT_URL", self.url().as_str()),
            ("AWS_ACCESS_KEY_ID", id),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// All requests so far, in the order they came.
    pub fn requests(&self) -> Vec<Logged> {
        self.shared.lock().log.clone()
    }

    /// How often an operation was called; `*`: any.
    pub fn calls(&self, operation: &str) -> u32 {
        self.shared.lock().faults.calls(operation)
    }

    /// Looks at the world as it is now, or changes it or its script.
    pub fn world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let mut state = self.shared.lock();
        state.tick();
        look(&mut state.world)
    }

    /// So much of the fake's time passes at once.
    pub fn pass(&self, time: Duration) {
        let mut state = self.shared.lock();
        state.hands.pass(time);
        state.tick();
    }

    /// These calls of an operation (counted from 1 since the start; `*`: of any, counted together) go wrong. Where
    /// several are to, what was said last counts.
    pub fn fail(&self, operation: &str, calls: impl RangeBounds<u32>, fault: Fault) {
        self.shared.lock().faults.plan(operation, calls, fault);
    }

    /// From now on calls that are not said to go wrong do so by this rule: it is asked at each, in the order they come, and
    /// told the operation. It must not ask the fake anything.
    pub fn fail_by(&self, rule: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        let mut state = self.shared.lock();
        state.tick();
        state.remember();
        state.faults.rule(Box::new(rule));
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.shared.lock().faults.heal();
    }

    /// Lets go the calls that are held ([`Trouble::Slow`]).
    pub fn release(&self) {
        self.shared.release(false);
    }

    /// Waits until all is answered that was asked by those who have hung up meanwhile; nobody else may be asking.
    ///
    /// # Errors
    /// It does not answer itself.
    pub fn drain(&self) -> io::Result<()> {
        self.server.drain()
    }

    /// Ends every connection there is.
    pub fn hang_up(&self) {
        self.server.hang_up();
    }

    /// The fake's clock on the wall is ahead by so much, or behind.
    pub fn skew(&self, ahead: SignedDuration) {
        self.shared.lock().skew = ahead;
    }

    /// From now on so many times EMR's quotas, with full buckets; `None`: none at all.
    pub fn quota(&self, factor: Option<f64>) {
        self.shared.lock().quota = quota::Quota::new(factor);
    }

    /// Another key is known from now on.
    pub fn key(&self, credentials: Credentials) {
        let id = credentials.id.expose().to_owned();
        self.shared.lock().keys.insert(id, credentials);
    }

    /// A key is known no more.
    pub fn forget_key(&self, id: &str) {
        self.shared.lock().keys.remove(id);
    }
}

/// Nothing may be held when the server ends its connections.
impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.release(true);
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fake").field(&self.url()).finish()
    }
}

#[cfg(test)]
mod tests;

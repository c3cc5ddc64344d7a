//! A far side like Google's, on this machine: Dataproc, Cloud Storage and the token endpoint over HTTP, a little stricter
//! than the real ones.
//!
//! A [`Script`] says what is to happen, [`Fake::start`] serves it, [`Fake::fail`] lets single calls go wrong, and
//! [`Fake::world`] and [`Fake::requests`] tell what came of it. Where each of its rules comes from is in
//! `fixtures/wire/dataproc/README.md`.
//!
//! ```
//! # use dataflow_runner_core::fabric::dataproc::fake::{Fake, Fault, Script, StepScript, Tempo};
//! # fn main() -> std::io::Result<()> {
//! let script = Script { tempo: Tempo::notch_of(15), ..Script::default() };
//! let fake = Fake::start(script.step("transform", StepScript::exits(7, 60)))?;
//! fake.fail("jobs.submit", 1..=1, Fault::ReplyLost);
//! // … run the program with `fake.cluster_file("")` …
//! assert_eq!(fake.world(|world| world.alive().count()), 0, "no cluster is left behind");
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::io;
use std::ops::RangeBounds;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::clock::Clock;
use crate::http::fake::{Hands, Server};

mod cluster;
mod clusters;
mod faults;
mod fields;
mod filter;
mod gcs;
mod job;
mod jobs;
mod operation;
mod pages;
mod quota;
mod refusal;
mod rules;
mod script;
mod serve;
mod shapes;
mod status;
mod storage;
mod tokens;
mod upload;
mod world;

pub use crate::http::fake::Tempo;
pub use cluster::{Cluster, State};
pub use faults::Fault;
pub use job::{Job, JobState};
pub use operation::Operation;
pub use refusal::Refusal;
pub use script::{ClusterScript, End, Fate, Script, StepScript, Turn};
pub use serve::Logged;
pub use status::Status;
pub use storage::{Object, Storage};
pub use world::World;

/// The project of [`Fake::cluster_file`].
pub const PROJECT: &str = "fake-project";

/// Its region.
pub const REGION: &str = "europe-west1";

/// Dataproc, Cloud Storage and the token endpoint at one address, until it is dropped.
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

    /// The same as [`Fake::start`], over TLS.
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
        let shared = Arc::new(serve::Shared::new(world, hands));
        let server = start({
            let shared = Arc::clone(&shared);
            Box::new(move |received| shared.answer(received))
        })?;
        shared.lock().url = server.url();
        Ok(Self { server, shared })
    }

    /// Where it is, such as `http://127.0.0.1:45678`: Dataproc's endpoint, and Cloud Storage's.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// A `DataprocClusterConfig` that leads to it; `more` goes into its data, such as `, "idleTtlSeconds": 600`.
    pub fn cluster_file(&self, more: &str) -> String {
        let token = format!(r#"{{"token": "{}"}}"#, self.token());
        self.cluster_file_as(&token, more)
    }

    /// The same with other credentials, as JSON.
    pub fn cluster_file_as(&self, credentials: &str, more: &str) -> String {
        let url = self.url();
        format!(
            r#"{{"schema": "iglu:com.snowplowanalytics.dataflowrunner/DataprocClusterConfig/avro/1-0-0", "data": {{"name": "fake", "project": "{PROJECT}", "region": "{REGION}", "credentials": {credentials}, "endpoint": "{url}", "storageEndpoint": "{url}"{more}}}}}"#
        )
    }

    /// A token that is good for ever, until it is forgotten.
    pub fn token(&self) -> &'static str {
        tokens::TOKEN
    }

    /// The key file of a service account that the token endpoint knows.
    pub fn service_account(&self) -> Value {
        tokens::service_account(&self.url())
    }

    /// The file of a person who has logged in, whom the token endpoint knows.
    pub fn authorized_user(&self) -> Value {
        tokens::person(&self.url())
    }

    /// Another token is good from now on, for so long on the wall's clock.
    pub fn add_token(&self, token: &str, lifetime: Option<Duration>) {
        let mut state = self.shared.lock();
        let until = lifetime.map(|lifetime| state.hands.elapsed() + lifetime);
        state.tokens.add(token, until);
    }

    /// A token is good no more.
    pub fn forget_token(&self, token: &str) {
        self.shared.lock().tokens.forget(token);
    }

    /// No token is good any more but those that are given out from now on.
    pub fn forget_tokens(&self) {
        self.shared.lock().tokens.forget_all();
    }

    /// All requests so far, in the order they came.
    pub fn requests(&self) -> Vec<Logged> {
        self.shared.lock().log.clone()
    }

    /// How often a method was called, by its whole name or such as `jobs.submit`; `*`: any.
    pub fn calls(&self, method: &str) -> u32 {
        self.shared.lock().faults.calls(shapes::short(method))
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

    /// These calls of a method, by its whole name or such as `jobs.submit` (counted from 1 since the start; `*`: of any,
    /// counted together), go wrong. Where several are to, what was said last counts. Beside the methods of the discovery
    /// documents there are `objects.media` (`objects.get` with `alt=media`), `objects.piece` (a piece of a resumable
    /// upload) and `token`.
    pub fn fail(&self, method: &str, calls: impl RangeBounds<u32>, fault: Fault) {
        self.shared.lock().faults.plan(shapes::short(method), calls, fault);
    }

    /// From now on calls that are not said to go wrong do so by this rule: it is asked at each, in the order they come, and
    /// told the method's short name. It must not ask the fake anything.
    pub fn fail_by(&self, rule: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        self.shared.lock().faults.rule(Box::new(rule));
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.shared.lock().faults.heal();
    }

    /// From now on Dataproc takes so many requests a minute, on the wall's clock; `None`: any number.
    pub fn quota(&self, most: Option<u32>) {
        self.shared.lock().quota = quota::Quota::new(most);
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
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fake").field(&self.url()).finish()
    }
}

/// One object's members into another, object by object; what the other says counts.
fn merge(into: &mut Value, more: &Value) {
    let (Value::Object(into), Value::Object(more)) = (into, more) else { return };
    for (name, value) in more {
        match into.get_mut(name) {
            Some(known) if known.is_object() && value.is_object() => merge(known, value),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! A far side like a Hadoop cluster, on this machine: YARN, WebHDFS, a node and the JobHistoryServer over HTTP, a little
//! stricter than the real ones.
//!
//! A [`Script`] says what is to happen, [`Fake::start`] serves it, [`Fake::fail`] lets single calls go wrong, and
//! [`Fake::world`] and [`Fake::requests`] tell what came of it. Its replies have the shape of those in
//! `fixtures/wire/yarn`, which a real cluster sent.
//!
//! ```
//! # use dataflow_runner_core::fabric::yarn::fake::{Fake, Fault, Script, StepScript, Tempo};
//! # fn main() -> std::io::Result<()> {
//! let script = Script { tempo: Tempo::notch_of(5), ..Script::default() };
//! let fake = Fake::start(script.step("transform", StepScript::exits(7, 60)))?;
//! fake.fail("submit", 1..=1, Fault::ReplyLost);
//! // … run the program with `fake.cluster_file("")` …
//! assert_eq!(fake.world(|world| world.alive().count()), 0, "nothing is left running");
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::io;
use std::ops::RangeBounds;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::http::fake::{Hands, Server};

mod application;
mod files;
mod logs;
mod manager;
mod program;
mod refusal;
mod script;
mod serve;
mod storage;
mod world;

pub use crate::http::fake::Tempo;
pub use application::{Application, State};
pub use files::{File, Files};
pub use program::Program;
pub use refusal::Refusal;
pub use script::{Access, ChildScript, End, Script, StepScript};
pub use serve::{Logged, Role};
pub use world::World;

/// As whom [`Fake::cluster_file`] lets steps run.
pub const USER: &str = "alice";

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A `RemoteException`; nothing is done.
    Refuse(Refusal),
    /// A page for people with this status; nothing is done.
    Page(u16),
    /// `200` with this body; nothing is done.
    Body(&'static str),
    /// The connection ends without a byte and nothing is done.
    Cut,
    /// Carried out, but the connection ends without a byte.
    ReplyLost,
}

/// A cluster, until it is dropped.
pub struct Fake {
    managers: Vec<Server>,
    name_nodes: Vec<Server>,
    node: Server,
    history: Server,
    shared: Arc<serve::Shared>,
}

impl Fake {
    /// Serves on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// No port to be had.
    pub fn start(script: Script) -> io::Result<Self> {
        Self::serve(Hands::new(script.tempo), script)
    }

    /// The same, but the fake's time is that of `clock`, whatever the script says of its tempo.
    ///
    /// # Errors
    /// No port to be had.
    pub fn start_by(script: Script, clock: Arc<Clock>) -> io::Result<Self> {
        Self::serve(Hands::of(clock), script)
    }

    fn serve(hands: Hands, script: Script) -> io::Result<Self> {
        let (managers, name_nodes) = (script.managers, script.name_nodes);
        let world = World::new(script, hands.now());
        let shared = Arc::new(serve::Shared::new(world, hands));
        let start = |role: Role| {
            let shared = Arc::clone(&shared);
            Server::start(move |received| shared.answer(role, received))
        };
        let fake = Self {
            managers: (0..managers).map(|n| start(Role::Manager(n))).collect::<io::Result<_>>()?,
            name_nodes: (0..name_nodes)
                .map(|n| start(Role::NameNode(n)))
                .collect::<io::Result<_>>()?,
            node: start(Role::Node)?,
            history: start(Role::History)?,
            shared,
        };
        let mut state = fake.shared.lock();
        state.node = fake.node.address().to_string();
        state.managers = fake.managers.iter().map(Server::url).collect();
        drop(state);
        Ok(fake)
    }

    /// Where the ResourceManagers are.
    pub fn managers(&self) -> Vec<String> {
        self.managers.iter().map(Server::url).collect()
    }

    /// Where the NameNodes are.
    pub fn name_nodes(&self) -> Vec<String> {
        self.name_nodes.iter().map(Server::url).collect()
    }

    /// Where the JobHistoryServer is.
    pub fn history(&self) -> String {
        self.history.url()
    }

    /// A `YarnClusterConfig` that leads to it; `more` goes into its data, such as `, "slots": 2`.
    pub fn cluster_file(&self, more: &str) -> String {
        let list = |all: Vec<String>| {
            let all: Vec<_> = all.iter().map(|url| format!("\"{url}\"")).collect();
            all.join(", ")
        };
        let (managers, name_nodes) = (list(self.managers()), list(self.name_nodes()));
        let history = self.history();
        format!(
            r#"{{"schema": "iglu:com.snowplowanalytics.dataflowrunner/YarnClusterConfig/avro/1-0-0", "data": {{"name": "fake", "resourceManagers": [{managers}], "webHdfs": [{name_nodes}], "historyServer": "{history}", "user": "{USER}"{more}}}}}"#
        )
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

    /// From now on calls that are not said to go wrong do so by this rule. It must not ask the fake anything.
    pub fn fail_by(&self, rule: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        self.shared.lock().faults.rule(Box::new(rule));
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.shared.lock().faults.heal();
    }

    /// From now on this ResourceManager is active, or none.
    pub fn activate_manager(&self, which: Option<usize>) {
        self.shared.lock().active_manager = which;
    }

    /// The same of NameNodes.
    pub fn activate_name_node(&self, which: Option<usize>) {
        self.shared.lock().active_name_node = which;
    }

    /// Waits until all is answered that was asked by those who have hung up meanwhile; nobody else may be asking.
    ///
    /// # Errors
    /// It does not answer itself.
    pub fn drain(&self) -> io::Result<()> {
        let others = [&self.node, &self.history];
        self.managers.iter().chain(&self.name_nodes).chain(others).try_for_each(Server::drain)
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fake").field(&self.managers()).finish()
    }
}

#[cfg(test)]
mod tests;

//! A fabric that runs nothing: a state machine with a script, for tests of the engine.
//!
//! It is stricter than any real fabric: what should never be asked is noted as a violation. Polling is its
//! clock: each question moves what is asked about one notch on.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::{
    Capabilities, Cause, Chunk, ClusterId, ClusterState, ClusterStatus, Clusters, Error, ErrorKind,
    ExitCodes, Fabric, Found, Launch, LocalFile, LogFile, Logs, Order, OrderedStep, Pace, Query,
    Result, StepId, StepState, StepStatus, Token, Uri,
};
use crate::clock::{Clock, add};
use crate::config::playbook::{OnFailure, Playbook, StepType};
use crate::diagnostic::Diagnostics;

mod record;

pub use record::{Taken, Times};

/// The fabric of the tests.
#[derive(Debug)]
pub struct Memory {
    capabilities: Capabilities,
    script: Script,
    clock: Arc<Clock>,
    world: Mutex<World>,
}

/// No test calls so often, unless it does so for ever.
const ENDLESS: u32 = 100_000;

/// What is to happen.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What each attempt of a step does, by the step's id; the last stands for all further ones. A step that
    /// is not named succeeds at the second look.
    pub steps: BTreeMap<String, Vec<StepScript>>,
    /// What goes wrong: the n-th call (from 1) of an operation.
    pub faults: BTreeMap<(Operation, u32), Fault>,
    /// So many looks until a launched cluster is ready, and until one that goes down is gone.
    pub notches: u32,
    /// After so many looks the cluster comes to this end by itself.
    pub cluster_ends: Option<(u32, ClusterState)>,
    /// The first so many clusters never come up: their own set-up fails.
    pub bootstrap_failures: usize,
    /// A cluster that is to end itself once its steps are done stays all the same.
    pub never_ends_itself: bool,
    /// A cluster that goes down is never down.
    pub never_stops: bool,
    /// When the cluster ends by itself, its steps have all succeeded before.
    pub runs_unwatched: bool,
    /// One answer tells of so many steps at most.
    pub tells: Option<usize>,
    /// Clusters say that they have nothing to do, whatever they do.
    pub says_idle: bool,
    /// An order becomes visible to `find` only so long after it was carried out.
    pub late: Duration,
    /// It gives ids out before it takes an order, and takes an order with the same ids only once.
    pub reserves: bool,
}

/// What one attempt of a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepScript {
    /// So many looks show it pending.
    pub pending: u32,
    /// So many more show it running.
    pub running: u32,
    /// Then it ends so.
    pub end: End,
    /// After being asked to stop it goes on for so many looks.
    pub stubborn: u32,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With an exit code.
    Exit(i32),
    /// By somebody else's hand.
    Cancelled,
    /// Nobody knows.
    Unknown,
    /// Not by itself.
    Never,
}

/// What can be asked of a fabric, for faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// [`Clusters::launch`]
    Launch,
    /// [`Clusters::find`]
    FindCluster,
    /// [`Clusters::inspect`]
    Inspect,
    /// [`Clusters::terminate`]
    Terminate,
    /// [`Fabric::stage`]
    Stage,
    /// [`Fabric::reserve`]
    Reserve,
    /// [`Fabric::submit`]
    Submit,
    /// [`Fabric::find`]
    Find,
    /// [`Fabric::poll`]
    Poll,
    /// [`Fabric::cancel`]
    Cancel,
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused, without effect.
    Refuse(ErrorKind),
    /// It never arrives, and nobody can tell.
    LoseRequest,
    /// It is carried out, but the answer is lost.
    LoseAnswer,
}

#[derive(Debug, Default)]
struct World {
    clusters: BTreeMap<ClusterId, MemoryCluster>,
    calls: BTreeMap<Operation, u32>,
    violations: Vec<String>,
    /// So many ids were given out.
    given: u32,
    /// Scripts of steps that are made up on the way; they come before those of the script.
    told: BTreeMap<String, StepScript>,
}

#[derive(Debug)]
struct MemoryCluster {
    token: Option<Token>,
    visible: Timestamp,
    state: ClusterState,
    looks: u32,
    asked_to_stop: Option<u32>,
    /// It goes down once its steps are done.
    ends_itself: bool,
    /// Its own set-up fails.
    broken: bool,
    orders: BTreeMap<Token, (Timestamp, Vec<StepId>)>,
    steps: BTreeMap<StepId, MemoryStep>,
}

#[derive(Debug)]
struct MemoryStep {
    step: String,
    on_failure: OnFailure,
    script: StepScript,
    /// The place in the queue of an ordered fabric.
    place: usize,
    looks: u32,
    cancelled_at: Option<u32>,
    state: StepState,
    times: Times,
}

impl StepScript {
    /// Runs for one look, then exits.
    pub fn exits(code: i32) -> Self {
        Self { pending: 0, running: 1, end: End::Exit(code), stubborn: 0 }
    }

    /// Runs until it is stopped.
    pub fn never_ends() -> Self {
        Self { end: End::Never, ..Self::exits(0) }
    }
}

impl Memory {
    /// What it can do by default: all, two steps at once.
    pub fn usual() -> Capabilities {
        Capabilities {
            fabric: "memory",
            ordered_queue: false,
            parallel: NonZeroU32::new(2),
            step_types: &[StepType::Command, StepType::CustomJar],
            failure_rules: &OnFailure::ALL,
            cancel_running: true,
            exit_codes: ExitCodes::InStatus,
            launch_with_steps: false,
            knows_orders: true,
            stages: true,
            logs: Logs::Live,
            pace: Pace::steady(Duration::from_secs(5), Duration::from_secs(30)),
            settle: Duration::from_secs(10),
        }
    }

    /// A fabric without clusters.
    pub fn new(capabilities: Capabilities, script: Script, clock: Arc<Clock>) -> Self {
        Self { capabilities, script, clock, world: Mutex::default() }
    }

    /// Puts a cluster there that is ready.
    pub fn with_cluster(self, id: &ClusterId) -> Self {
        let cluster = MemoryCluster::new(None, ClusterState::Ready, self.clock.now());
        self.world().clusters.insert(id.clone(), cluster);
        self
    }

    /// What should never have been asked, and was.
    pub fn violations(&self) -> Vec<String> {
        self.world().violations.clone()
    }

    /// How often an operation was called.
    pub fn calls(&self, operation: Operation) -> u32 {
        self.world().calls.get(&operation).copied().unwrap_or(0)
    }

    /// The clusters that are not gone, with the steps on them that are not final.
    pub fn left_over(&self) -> Vec<(ClusterId, Vec<String>)> {
        let world = self.world();
        let alive = world.clusters.iter().filter(|(_, cluster)| !cluster.state.is_final());
        let busy = |cluster: &MemoryCluster| {
            cluster.steps.values().filter(|s| !s.state.is_final()).map(|s| s.step.clone()).collect()
        };
        alive.map(|(id, cluster)| (id.clone(), busy(cluster))).collect()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and lets it go wrong as the script says: before it is carried out, or after.
    fn call<T>(
        &self,
        operation: Operation,
        carry_out: impl FnOnce(&mut World) -> Result<T>,
    ) -> Result<T> {
        let mut world = self.world();
        let count = world.calls.entry(operation).or_default();
        *count += 1;
        assert!(*count < ENDLESS, "{operation:?} is called without end");
        let fault = self.script.faults.get(&(operation, *count));
        let lost = || error(ErrorKind::Unavailable, operation, "the answer is lost").in_doubt();
        match fault {
            None => carry_out(&mut world),
            Some(Fault::Refuse(kind)) => Err(error(*kind, operation, "refused by the script")),
            Some(Fault::LoseRequest) => Err(lost()),
            Some(Fault::LoseAnswer) => carry_out(&mut world).and_then(|_| Err(lost())),
        }
    }

    /// Queues steps on a cluster that is there.
    fn take(
        &self,
        world: &mut World,
        on: &ClusterId,
        token: &Token,
        given: &[StepId],
        steps: &[OrderedStep<'_>],
    ) -> Vec<StepId> {
        let Some(cluster) = world.clusters.get_mut(on) else { return Vec::new() };
        let queued = cluster.steps.len();
        let mut ids = Vec::new();
        for (n, ordered) in steps.iter().enumerate() {
            let scripts = self.script.steps.get(&ordered.step.id);
            let nth = ordered.attempt as usize - 1;
            let told = world.told.get(&ordered.step.id);
            let script = told.or(scripts.and_then(|s| s.get(nth).or(s.last()))).copied();
            let own = || StepId::new(format!("{token}/{n}"));
            let id = given.get(n).cloned().unwrap_or_else(own);
            let step = MemoryStep {
                step: ordered.step.id.clone(),
                on_failure: ordered.step.rules.on_failure,
                script: script.unwrap_or(StepScript::exits(0)),
                place: queued + n,
                looks: 0,
                cancelled_at: None,
                state: StepState::Pending,
                times: Times::new(self.clock.now()),
            };
            cluster.steps.insert(id.clone(), step);
            ids.push(id);
        }
        let visible = add(self.clock.now(), self.script.late);
        cluster.orders.insert(token.clone(), (visible, ids.clone()));
        ids
    }

    /// Starts as many waiting steps as may run, in the order in which they were queued.
    fn may_start(&self, cluster: &MemoryCluster, place: usize) -> bool {
        let before =
            cluster.steps.values().filter(|s| s.place < place && !s.state.is_final()).count();
        let up = !cluster.ends_itself || cluster.state == ClusterState::Ready;
        up && (!self.capabilities.ordered_queue || before == 0)
    }
}

impl Fabric for Memory {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn check(&self, _: &Playbook, _: &mut Diagnostics) {}

    fn describe(&self, playbook: &Playbook) -> Vec<Vec<String>> {
        playbook.steps.iter().map(|step| vec!["memory".to_owned(), step.id.clone()]).collect()
    }

    fn is_on_cluster(&self, text: &str) -> bool {
        text.contains("hdfs:")
    }

    fn reach(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("memory".to_owned(), "this process".to_owned())])
    }

    fn clusters(&self) -> Option<&dyn Clusters> {
        Some(self)
    }

    fn home(&self) -> Option<ClusterId> {
        None
    }

    fn stage(&self, file: &LocalFile) -> Result<Uri> {
        self.call(Operation::Stage, |_| {
            std::fs::metadata(&file.path)
                .map(|_| Uri(format!("memory:{}", file.path.display())))
                .map_err(|e| error(ErrorKind::NotFound, Operation::Stage, e.to_string()))
        })
    }

    fn reserve(&self, _: &ClusterId, steps: usize) -> Result<Vec<StepId>> {
        if !self.script.reserves {
            return Ok(Vec::new());
        }
        self.call(Operation::Reserve, |world| {
            let first = world.given;
            world.given += steps as u32;
            Ok((first..world.given).map(|n| StepId::new(format!("given-{n}"))).collect())
        })
    }

    fn submit(&self, on: &ClusterId, order: &Order<'_>) -> Result<Vec<StepId>> {
        self.call(Operation::Submit, |world| {
            let refuse = |world: &mut World, kind, message: String| {
                world.violations.push(format!("submit {}: {message}", order.token));
                Err(error(kind, Operation::Submit, message))
            };
            let mut orders = world.clusters.values().flat_map(|c| c.orders.keys());
            let known = orders.any(|token| token.is_same_order(order.token));
            let Some(cluster) = world.clusters.get(on) else {
                return Err(error(ErrorKind::NotFound, Operation::Submit, "no such cluster"));
            };
            if self.script.reserves {
                if order.ids.len() != order.steps.len() {
                    return refuse(world, ErrorKind::Config, "no ids were asked for".into());
                }
                if order.ids.iter().any(|id| cluster.steps.contains_key(id)) {
                    let own = cluster.orders.iter().any(|(token, (_, ids))| {
                        token.is_same_order(order.token) && ids == order.ids
                    });
                    return match own {
                        true => Ok(order.ids.to_vec()),
                        false => refuse(world, ErrorKind::Conflict, "others have these ids".into()),
                    };
                }
            }
            if known {
                return refuse(world, ErrorKind::Conflict, "the order was taken before".into());
            }
            if cluster.state != ClusterState::Ready || cluster.asked_to_stop.is_some() {
                // The cluster may have ended between two looks: that is the world's fault.
                let fair = cluster.asked_to_stop.is_none();
                let kind = ErrorKind::Conflict;
                return if fair {
                    Err(error(kind, Operation::Submit, "the cluster is not ready"))
                } else {
                    refuse(world, kind, "the cluster goes down".into())
                };
            }
            if order.steps.is_empty() || (order.steps.len() > 1 && !self.capabilities.ordered_queue)
            {
                return refuse(world, ErrorKind::Config, "one step a time".into());
            }
            let busy: BTreeSet<String> = cluster
                .steps
                .values()
                .filter(|s| !s.state.is_final())
                .map(|s| s.step.clone())
                .collect();
            let room = self.capabilities.parallel.map_or(usize::MAX, |n| n.get() as usize);
            if !self.capabilities.ordered_queue && busy.len() + order.steps.len() > room {
                return refuse(world, ErrorKind::Quota, "too many at once".into());
            }
            if let Some(twice) = order.steps.iter().find(|s| busy.contains(&s.step.id)) {
                return refuse(
                    world,
                    ErrorKind::Conflict,
                    format!("`{}` runs already", twice.step.id),
                );
            }
            Ok(self.take(world, on, order.token, order.ids, &order.steps))
        })
    }

    fn find(&self, on: &ClusterId, order: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        self.call(Operation::Find, |world| {
            let now = self.clock.now();
            let orders = world.clusters.get(on).into_iter().flat_map(|cluster| &cluster.orders);
            let held = orders.filter(|(token, (visible, _))| {
                token.is_same_order(order.token) && *visible <= now
            });
            let newest = held.max_by_key(|(_, (visible, _))| *visible);
            Ok(newest.map_or(Found::No, |(_, (_, ids))| Found::Yes(ids.clone())))
        })
    }

    fn poll(&self, on: &ClusterId, ids: &[StepId]) -> Result<Vec<(StepId, StepStatus)>> {
        self.call(Operation::Poll, |world| {
            if ids.is_empty() {
                world.violations.push("poll for nothing".into());
            }
            if self.capabilities.pace.at_once.is_some_and(|most| ids.len() > most.get()) {
                world.violations.push(format!("poll for {} at once", ids.len()));
            }
            let Some(cluster) = world.clusters.get_mut(on) else {
                return Err(error(ErrorKind::NotFound, Operation::Poll, "no such cluster"));
            };
            let now = self.clock.now();
            let mut answers = Vec::new();
            for id in ids.iter().take(self.script.tells.unwrap_or(usize::MAX)) {
                let Some(place) = cluster.steps.get(id).map(|step| step.place) else {
                    world.violations.push(format!("poll for {id}, which is not here"));
                    continue;
                };
                let may_start = self.may_start(cluster, place);
                let alive = !cluster.state.is_final();
                let Some(step) = cluster.steps.get_mut(id) else { continue };
                let status = step.look(may_start, alive);
                step.times.seen(status.state, now);
                if self.capabilities.ordered_queue
                    && status.state == StepState::Failed
                    && step.on_failure == OnFailure::CancelAndWait
                {
                    let behind = cluster.steps.values_mut().filter(|s| s.place > place);
                    behind.filter(|s| s.state == StepState::Pending).for_each(|s| s.sweep(now));
                }
                answers.push((id.clone(), status));
            }
            Ok(answers)
        })
    }

    fn cancel(&self, on: &ClusterId, ids: &[StepId]) -> Result<()> {
        self.call(Operation::Cancel, |world| {
            let Some(cluster) = world.clusters.get_mut(on) else {
                return Err(error(ErrorKind::NotFound, Operation::Cancel, "no such cluster"));
            };
            for id in ids {
                match cluster.steps.get_mut(id) {
                    Some(step) => {
                        step.cancelled_at = step.cancelled_at.or(Some(step.looks));
                        step.times.asked.get_or_insert(self.clock.now());
                    }
                    None => world.violations.push(format!("cancel of {id}, which is not here")),
                }
            }
            Ok(())
        })
    }

    fn logs(&self, _: &ClusterId, id: &StepId) -> Result<Vec<LogFile>> {
        Ok(vec![LogFile { name: "stdout".into(), place: id.to_string(), size: None }])
    }

    fn read(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        let all = format!("log of {}\n", file.place).into_bytes();
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(all.len());
        Ok(Chunk { bytes: all[from..].to_vec(), at_end: true })
    }

    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Clusters for Memory {
    fn launch(&self, order: &Launch<'_>) -> Result<ClusterId> {
        self.call(Operation::Launch, |world| {
            let holds = |c: &MemoryCluster| {
                c.token.as_ref() == Some(&order.token)
                    || c.is_of(&order.token) && !c.state.is_final()
            };
            if world.clusters.values().any(holds) {
                world.violations.push(format!("launch {}: taken before", order.token));
                return Err(error(
                    ErrorKind::Conflict,
                    Operation::Launch,
                    "the order was taken before",
                ));
            }
            if world.clusters.values().any(|c| c.token.is_some() && !c.state.is_final()) {
                world.violations.push(format!("launch {}: a second cluster", order.token));
            }
            if !order.steps.is_empty() && !self.capabilities.launch_with_steps {
                let message = "a cluster takes no steps along";
                return Err(error(ErrorKind::Unsupported, Operation::Launch, message));
            }
            let id = ClusterId::new(format!("m-{}", order.token));
            let visible = add(self.clock.now(), self.script.late);
            let launched = world.clusters.values().filter(|c| c.token.is_some()).count();
            let mut cluster =
                MemoryCluster::new(Some(order.token.clone()), ClusterState::Starting, visible);
            cluster.ends_itself = !order.steps.is_empty();
            cluster.broken = launched < self.script.bootstrap_failures;
            world.clusters.insert(id.clone(), cluster);
            if !order.steps.is_empty() {
                self.take(world, &id, &order.token, &[], &order.steps);
            }
            Ok(id)
        })
    }

    fn find(&self, order: &Launch<'_>) -> Result<Found<ClusterId>> {
        self.call(Operation::FindCluster, |world| {
            let now = self.clock.now();
            let held = |c: &MemoryCluster| c.is_of(&order.token) && c.visible <= now;
            let held = world.clusters.iter().filter(|(_, cluster)| held(cluster));
            let found =
                held.max_by_key(|(_, cluster)| (!cluster.state.is_final(), cluster.visible));
            Ok(found.map_or(Found::No, |(id, _)| Found::Yes(id.clone())))
        })
    }

    fn list(&self, query: &Query) -> Result<Vec<ClusterStatus>> {
        let world = self.world();
        let alive = world.clusters.iter().filter(|(_, cluster)| !cluster.state.is_final());
        Ok(query.pick(alive.map(|(id, cluster)| cluster.status(id)).collect()))
    }

    fn inspect(&self, id: &ClusterId) -> Result<ClusterStatus> {
        self.call(Operation::Inspect, |world| {
            let Some(cluster) = world.clusters.get_mut(id) else {
                return Err(error(ErrorKind::NotFound, Operation::Inspect, "no such cluster"));
            };
            cluster.look(&self.script, self.clock.now());
            let status = cluster.status(id);
            let broken = cluster.broken && cluster.state == ClusterState::Failed;
            let cause = broken.then_some(Cause::Bootstrap);
            Ok(ClusterStatus { cause, idle: self.script.says_idle, ..status })
        })
    }

    fn terminate(&self, id: &ClusterId) -> Result<()> {
        self.call(Operation::Terminate, |world| match world.clusters.get_mut(id) {
            None => Err(error(ErrorKind::NotFound, Operation::Terminate, "no such cluster")),
            Some(cluster) => {
                cluster.asked_to_stop.get_or_insert(cluster.looks);
                Ok(())
            }
        })
    }

    fn logs(&self, _: &ClusterId) -> Result<Vec<LogFile>> {
        Ok(Vec::new())
    }
}

impl MemoryCluster {
    fn new(token: Option<Token>, state: ClusterState, visible: Timestamp) -> Self {
        Self {
            token,
            visible,
            state,
            looks: 0,
            asked_to_stop: None,
            ends_itself: false,
            broken: false,
            orders: BTreeMap::new(),
            steps: BTreeMap::new(),
        }
    }

    /// Whether it came of this order, whatever the sending.
    fn is_of(&self, order: &Token) -> bool {
        self.token.as_ref().is_some_and(|token| token.is_same_order(order))
    }

    fn status(&self, id: &ClusterId) -> ClusterStatus {
        let status = ClusterStatus::bare(id.clone(), self.state, self.state.as_str());
        ClusterStatus { token: self.token.clone(), ..status }
    }

    fn look(&mut self, script: &Script, now: Timestamp) {
        self.looks += 1;
        if self.state.is_final() {
            return;
        }
        // What is only broken goes down when it is asked to.
        let asked = self.asked_to_stop.is_some();
        let ends = script
            .cluster_ends
            .filter(|(after, end)| self.looks > *after && !(asked && *end == ClusterState::Broken));
        if let Some((_, end)) = ends {
            self.state = end;
        } else if let Some(asked) = self.asked_to_stop {
            let done = self.looks > asked + script.notches && !script.never_stops;
            self.state = if done { ClusterState::Stopped } else { ClusterState::Stopping };
        } else if self.looks > script.notches {
            self.state = match self.broken {
                false => ClusterState::Ready,
                true if self.looks > script.notches + 1 => ClusterState::Failed,
                true => ClusterState::Stopping,
            };
        }
        let done = self.steps.values().all(|step| step.state.is_final());
        if self.ends_itself
            && !script.never_ends_itself
            && self.state == ClusterState::Ready
            && done
        {
            self.asked_to_stop.get_or_insert(self.looks);
        }
        if self.state.is_final() {
            for step in self.steps.values_mut().filter(|s| !s.state.is_final()) {
                if script.runs_unwatched {
                    step.state = StepState::Succeeded;
                    step.times.seen(step.state, now);
                } else if step.state == StepState::Running || self.broken {
                    step.sweep(now);
                }
            }
        }
    }
}

impl MemoryStep {
    fn look(&mut self, may_start: bool, alive: bool) -> StepStatus {
        let waits = self.state == StepState::Pending && !may_start;
        if alive && !self.state.is_final() && !(waits && self.cancelled_at.is_none()) {
            self.looks += 1;
            // What waits in a queue does not begin since it is asked to stop.
            self.state = match self.next() {
                StepState::Cancelled => StepState::Cancelled,
                _ if waits => StepState::Pending,
                next => next,
            };
        }
        let status = StepStatus::new(self.state, self.state.as_str());
        StepStatus { exit_code: self.exit_code(), ..status }
    }

    fn exit_code(&self) -> Option<i32> {
        match (self.state, self.script.end) {
            (StepState::Succeeded | StepState::Failed, End::Exit(code)) => Some(code),
            _ => None,
        }
    }

    /// It ends with its cluster, or since another step failed.
    fn sweep(&mut self, now: Timestamp) {
        self.state = StepState::Cancelled;
        self.times.seen(self.state, now);
        self.times.swept = true;
    }

    fn next(&self) -> StepState {
        let script = &self.script;
        if self.cancelled_at.is_some_and(|at| self.looks > at + script.stubborn) {
            return StepState::Cancelled;
        }
        match script.end {
            _ if self.looks <= script.pending => StepState::Pending,
            _ if self.looks <= script.pending + script.running => StepState::Running,
            End::Exit(0) => StepState::Succeeded,
            End::Exit(_) => StepState::Failed,
            End::Cancelled => StepState::Cancelled,
            End::Unknown => StepState::Unknown,
            End::Never => StepState::Running,
        }
    }
}

fn error(kind: ErrorKind, operation: Operation, message: impl Into<String>) -> Error {
    Error::new(kind, "memory", format!("{operation:?}"), message)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::playbook::Step;
    use crate::config::sample;
    use crate::fabric::conformance::{Behaviour, CASES, Subject};

    struct InMemory(Memory);

    impl Subject for InMemory {
        fn fabric(&self) -> &dyn Fabric {
            &self.0
        }

        fn step(&self, id: &str, does: Behaviour) -> Step {
            let script = match does {
                Behaviour::Exits(code) => StepScript::exits(code),
                Behaviour::RunsUntilStopped => StepScript::never_ends(),
            };
            self.0.world().told.insert(id.to_owned(), script);
            sample::step(id, "true", &[])
        }

        fn file(&self) -> PathBuf {
            PathBuf::from(file!()).file_name().map_or_else(PathBuf::new, |name| {
                PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/fabric")).join(name)
            })
        }

        fn wait(&self) {}
    }

    #[test]
    fn conforms() {
        for ordered_queue in [false, true] {
            for (_, case) in CASES {
                let clock = Arc::new(Clock::turned_by_hand(Timestamp::UNIX_EPOCH));
                let capabilities = Capabilities { ordered_queue, ..Memory::usual() };
                let script = Script { notches: 2, ..Script::default() };
                case(&InMemory(Memory::new(capabilities, script, clock)));
            }
        }
    }
}

//! All that the fake holds: clusters, steps, and what was done that should not have been. Time is an argument.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::bucket::Store;
use super::cluster::{Cluster, State};
use super::refusal::Refusal;
use super::script::{Death, Script, StepEnd};
use super::step::Step;
use super::{operations, shapes};
use crate::clock::add;

/// The key of the tag that carries an order's token.
const TOKEN: &str = "dataflow-runner:run";

/// What the fake holds.
#[derive(Clone, Debug)]
pub struct World {
    /// What is to happen to what comes.
    pub script: Script,
    /// Operations that are denied, such as `ListSteps`; `AddTags` denies a `RunJobFlow` with tags.
    pub denied: BTreeSet<String>,
    /// Oldest first.
    pub clusters: Vec<Cluster>,
    /// What lies in buckets beside log files.
    pub(super) store: Store,
    /// The time, as far as it has come.
    pub now: Timestamp,
    violations: Vec<String>,
    submitted: BTreeMap<String, usize>,
    ids: u64,
}

impl World {
    /// An empty world.
    pub fn new(script: Script, now: Timestamp) -> Self {
        Self {
            script,
            denied: BTreeSet::new(),
            clusters: Vec::new(),
            store: Store::default(),
            now,
            violations: Vec::new(),
            submitted: BTreeMap::new(),
            ids: 0,
        }
    }

    /// Everything that was to happen until `now` happens. Time never goes back.
    pub fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        for cluster in &mut self.clusters {
            cluster.advance(self.now);
        }
    }

    /// A call by its operation and body, in a region.
    ///
    /// # Errors
    /// It is refused; then nothing was done.
    pub fn call(&mut self, operation: &str, region: &str, body: &Value) -> Result<Value, Refusal> {
        if !shapes::knows(operation) {
            let message = format!("the fake does not know {operation}");
            self.violations.push(message.clone());
            return Err(Refusal::new(400, "UnknownOperationException", message));
        }
        if self.denied.contains(operation) {
            let action = format!("elasticmapreduce:{operation}");
            return Err(Refusal::denied(
                &action,
                &format!("arn:aws:elasticmapreduce:{region}:123456789012:cluster/*"),
            ));
        }
        shapes::request(operation, body)?;
        let reply = operations::call(self, operation, region, body)?;
        let misfits = shapes::reply(operation, &reply);
        if misfits != shapes::Misfits::default() && !self.has_odd_words() {
            self.violations.push(format!("the fake's own reply to {operation}: {misfits:?}"));
        }
        Ok(reply)
    }

    /// A cluster by its id.
    pub fn cluster(&self, id: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.id == id)
    }

    /// A cluster by its id, to change what becomes of it.
    pub fn cluster_mut(&mut self, id: &str) -> Option<&mut Cluster> {
        self.clusters.iter_mut().find(|cluster| cluster.id == id)
    }

    /// All clusters that have not ended and do not end.
    pub fn alive(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter().filter(|cluster| cluster.state.takes_steps())
    }

    /// All steps, of all clusters.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.clusters.iter().flat_map(|cluster| &cluster.steps)
    }

    /// How often steps with this name were begun.
    pub fn runs(&self, name: &str) -> usize {
        self.steps().filter(|step| step.name() == name && step.started.is_some()).count()
    }

    /// How often steps with this name were submitted.
    pub fn submissions(&self, name: &str) -> usize {
        self.submitted.get(name).copied().unwrap_or(0)
    }

    /// What was done that should never be: an order carried out twice, an operation of which the fake knows nothing.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// A cluster begins to end now.
    pub fn kill(&mut self, id: &str, death: Death) {
        let now = self.now;
        if let Some(cluster) = self.cluster_mut(id) {
            cluster.die(death, now);
        }
    }

    /// A running step ends now, by itself, all its log files as its script has them.
    pub fn finish(&mut self, step: &str, end: StepEnd) {
        let now = self.now;
        for cluster in &mut self.clusters {
            if let Some(step) = cluster.steps.iter_mut().find(|known| known.id == step) {
                let ran = step.started.map(|started| crate::clock::until(started, now));
                step.script.runs = ran.or(step.script.runs);
                step.script.end = end.clone();
            }
            cluster.advance(now);
        }
    }

    /// Notes what should never be done.
    pub(super) fn note(&mut self, violation: String) {
        self.violations.push(violation);
    }

    /// The cluster of this id, if the caller's region has it.
    pub(super) fn find(
        &mut self,
        operation: &str,
        region: &str,
        id: &str,
    ) -> Result<&mut Cluster, Refusal> {
        let found = self.cluster_mut(id).filter(|cluster| cluster.region == region);
        found.ok_or_else(|| Refusal::no_such_cluster(operation, id))
    }

    /// A new cluster.
    pub(super) fn launch(&mut self, region: &str, order: &Value) -> String {
        let id = self.id("j-", 13);
        let script = self.script.cluster(self.clusters.len());
        let cluster = Cluster::new(id.clone(), region, order.clone(), script, self.now);
        if let Some(token) = cluster.tag(TOKEN)
            && self.clusters.iter().any(|known| known.tag(TOKEN) == Some(token))
        {
            self.violations.push(format!("a second cluster for the order {token}"));
        }
        self.clusters.push(cluster);
        id
    }

    /// New steps for a cluster. The same steps once more while the first still wait or run are noted.
    pub(super) fn submit(&mut self, cluster: &str, configs: &[Value]) -> Vec<String> {
        let steps: Vec<Step> = configs.iter().map(|config| self.step(config)).collect();
        let ids = steps.iter().map(|step| step.id.clone()).collect();
        let now = self.now;
        let Some(cluster) = self.cluster_mut(cluster) else { return ids };
        let twice = !configs.is_empty()
            && cluster.steps.windows(configs.len()).any(|known| {
                known.iter().zip(configs).all(|(step, config)| step.config == *config)
                    && known.iter().any(|step| step.state.is_active())
            });
        let note = twice.then(|| format!("the same steps twice on {}", cluster.id));
        cluster.submit(steps, now);
        self.violations.extend(note);
        ids
    }

    fn step(&mut self, config: &Value) -> Step {
        let name = config["Name"].as_str().unwrap_or_default();
        let before = self.submitted.entry(name.to_owned()).or_default();
        let script = self.script.of_step(name, *before);
        *before += 1;
        Step::new(self.id("s-", 13), config.clone(), script, self.now)
    }

    /// When a cluster shows in lists.
    pub(super) fn shows(&self, cluster: &Cluster) -> bool {
        add(cluster.created, self.script.late_clusters) <= self.now
    }

    /// An id of the shape that EMR's have, always the same in the same order.
    pub(super) fn id(&mut self, prefix: &str, length: usize) -> String {
        const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        self.ids += 1;
        let mut id = prefix.to_owned();
        // splitmix64: short, and well mixed.
        let mut mixed = self.ids.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let mut rest = u128::from(mixed) << 8 | u128::from(self.ids & 0xFF);
        for _ in 0..length {
            let digit = usize::try_from(rest % 36).unwrap_or_default();
            id.push(char::from(DIGITS[digit]));
            rest /= 36;
        }
        id
    }

    /// A scripted word that is in no shape is no fault of the fake's.
    fn has_odd_words(&self) -> bool {
        self.steps().any(|step| matches!(step.state, super::step::State::Other(_)))
    }
}

/// The states in the words of EMR, for filters.
pub(super) fn has_state(states: &Value, word: &str) -> bool {
    states.as_array().is_none_or(|states| states.is_empty() || states.iter().any(|s| s == word))
}

/// A cluster that is on its way up or ready.
pub(super) fn takes_steps(state: State) -> Result<(), Refusal> {
    if state.takes_steps() {
        return Ok(());
    }
    Err(Refusal::validation(
        "A job flow that is shutting down, terminated, or finished may not be modified.",
    ))
}

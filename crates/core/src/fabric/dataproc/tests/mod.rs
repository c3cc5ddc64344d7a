//! The fabric over the fakes of Dataproc and Cloud Storage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fake::{ClusterScript, Fake, Fault, Script, State, StepScript, Tempo};
use super::*;
use crate::bell::Bell;
use crate::config::playbook::Step;
use crate::config::{Config as AnyConfig, load, sample};
use crate::document::Document;
use crate::environment::Environment;
use crate::fabric::{
    Cause, ClusterState, ClusterStatus, Effect, Launch, OrderedStep, Query, RunId, StepState, Token,
};
use crate::http::google::Settings;
use crate::source::Source;

mod clusters;
mod conformance;
mod lower;
mod orders;
mod outputs;
mod staging;

/// A fabric and its far side, whose time stands still unless it is told otherwise.
struct There {
    fake: Fake,
    dataproc: Dataproc,
}

/// The bucket of clusters that name none.
const BUCKET: &str = "dataproc-staging-fake";

impl There {
    fn new(script: Script) -> Self {
        Self::with(script, "")
    }

    /// With more in its cluster file.
    fn with(script: Script, more: &str) -> Self {
        // One second of the fake's takes longer than any test.
        let tempo = Tempo { second: Duration::from_secs(86_400), ..script.tempo };
        let fake = Fake::start(Script { tempo, ..script }).expect("a port");
        let dataproc = fabric(&fake.cluster_file(more));
        Self { fake, dataproc }
    }

    fn pass(&self, seconds: u64) {
        self.fake.pass(Duration::from_secs(seconds));
    }

    fn clusters(&self) -> &dyn Clusters {
        self.dataproc.clusters().expect("it has clusters")
    }

    /// A cluster that is up.
    fn up(&self) -> ClusterId {
        let id = self.clusters().launch(&launch(1)).expect("it is taken");
        self.pass(100);
        assert_eq!(self.inspect(&id).state, ClusterState::Ready);
        id
    }

    fn inspect(&self, id: &ClusterId) -> ClusterStatus {
        self.clusters().inspect(id).expect("it answers")
    }

    /// Orders a step, and gives its id.
    fn start(&self, on: &ClusterId, order: u32, step: &Step) -> StepId {
        let ids = self.submit(on, order, step).expect("it is taken");
        ids.into_iter().next().expect("an id")
    }

    fn submit(&self, on: &ClusterId, order: u32, step: &Step) -> Result<Vec<StepId>> {
        ordering(order, step, &BTreeMap::new(), |order| self.dataproc.submit(on, order))
    }

    fn find(&self, on: &ClusterId, order: u32, step: &Step) -> Found<Vec<StepId>> {
        let found = ordering(order, step, &BTreeMap::new(), |order| {
            Fabric::find(&self.dataproc, on, order)
        });
        found.expect("it answers")
    }

    fn status(&self, on: &ClusterId, id: &StepId) -> StepStatus {
        let told = self.dataproc.poll(on, std::slice::from_ref(id)).expect("it answers");
        told.into_iter().find(|(told, _)| told == id).expect("it is told of").1
    }

    /// So many of the far side's seconds later.
    fn later(&self, seconds: u64, on: &ClusterId, id: &StepId) -> StepStatus {
        self.pass(seconds);
        self.status(on, id)
    }

    /// What was asked meanwhile.
    fn asked(&self, during: impl FnOnce()) -> Vec<&'static str> {
        let before = self.fake.requests().len();
        during();
        self.fake.requests()[before..].iter().map(|logged| logged.operation).collect()
    }
}

/// Whatever a test was about: nothing was done that should never be.
impl Drop for There {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = self.fake.world(|world| world.violations().to_vec());
            assert_eq!(violations, [""; 0]);
        }
    }
}

/// The order for a cluster of this number.
fn launch(order: u32) -> Launch<'static> {
    Launch {
        token: Token::of(&RunId::new("r-20261122T101500Z-abcdef"), order, 1),
        intended: Timestamp::UNIX_EPOCH,
        foreign: false,
        transient: true,
        steps: Vec::new(),
    }
}

fn ordering<T>(
    order: u32,
    step: &Step,
    staged: &BTreeMap<String, Uri>,
    what: impl FnOnce(&Order<'_>) -> T,
) -> T {
    let token = Token::of(&RunId::new("r-20261122T101500Z-abcdef"), order, 1);
    let steps = vec![OrderedStep { step, attempt: 1, staged }];
    what(&Order {
        token: &token,
        intended: Timestamp::UNIX_EPOCH,
        foreign: false,
        along: false,
        ids: &[],
        others: &[],
        steps,
    })
}

/// The fabric of a cluster file.
fn fabric(file: &str) -> Dataproc {
    let environment = Arc::new(Environment::default());
    let client = Arc::new(Client::new(&environment, Arc::new(Bell::new())).expect("a client"));
    let config = config(file);
    let access = Access::of(&config);
    let settings = Settings {
        source: access.source(),
        impersonate: access.impersonation(),
        quota_project: access.quota_project.clone(),
        environment,
        client: Arc::clone(&client),
    };
    let identity = Identity::new(settings).expect("credentials");
    Dataproc::new(access, Some(config), client, identity)
}

fn config(file: &str) -> Config {
    match load(&Document::plain(Arc::new(Source::new("c.json", file)))) {
        (Some(AnyConfig::Dataproc(config)), _) => *config,
        (_, diagnostics) => panic!("{:#?}", diagnostics.sorted()),
    }
}

fn command(id: &str) -> Step {
    sample::step(id, "true", &[])
}

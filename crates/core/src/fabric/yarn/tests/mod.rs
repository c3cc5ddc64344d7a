//! The fabric over the fake of YARN.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::fake::{Fake, Script, Tempo};
use super::*;
use crate::bell::Bell;
use crate::config::playbook::{Program, Step};
use crate::config::{Config as AnyConfig, load, sample};
use crate::document::Document;
use crate::environment::Environment;
use crate::fabric::{Effect, OrderedStep, RunId, StepState, Token};
use crate::source::Source;

mod check;
mod conformance;
mod logs;
mod lower;
mod orders;
mod reached;
mod staging;
mod status;
mod trouble;

/// A fabric and its far side, whose time stands still unless it is told otherwise.
struct There {
    fake: Fake,
    yarn: Yarn,
    home: ClusterId,
}

impl There {
    fn new(script: Script) -> Self {
        Self::with(script, "")
    }

    /// With more in its cluster file.
    fn with(script: Script, more: &str) -> Self {
        // One second of the fake's takes longer than any test.
        let tempo = Tempo { second: Duration::from_secs(86_400), ..script.tempo };
        let fake = Fake::start(Script { tempo, ..script }).expect("a port");
        let yarn = fabric(&fake.cluster_file(more));
        let home = yarn.home().expect("it has one");
        Self { fake, yarn, home }
    }

    fn pass(&self, seconds: u64) {
        self.fake.pass(Duration::from_secs(seconds));
    }

    /// Orders a step, and gives its id.
    fn start(&self, order: u32, step: &Step) -> StepId {
        let ids = self.reserve(1);
        self.submit(order, step, &ids).expect("it is taken");
        ids.into_iter().next().expect("an id")
    }

    fn start_all<const N: usize>(&self, all: [(u32, &str); N]) -> [StepId; N] {
        all.map(|(order, step)| self.start(order, &command(step)))
    }

    fn reserve(&self, steps: usize) -> Vec<StepId> {
        self.yarn.reserve(&self.home, steps).expect("ids are given out")
    }

    fn submit(&self, order: u32, step: &Step, ids: &[StepId]) -> Result<Vec<StepId>> {
        let staged = BTreeMap::new();
        self.ordering(order, step, ids, &staged, |order| self.yarn.submit(&self.home, order))
    }

    /// An order of a run with a key, which others may ask for.
    fn keyed<T>(&self, ids: &[StepId], foreign: bool, what: impl FnOnce(&Order<'_>) -> T) -> T {
        let (staged, step) = (BTreeMap::new(), command("a"));
        let steps = vec![OrderedStep { step: &step, attempt: 1, staged: &staged }];
        let token = Token::of(&RunId::of_key("nightly"), 1, 1);
        what(&Order {
            token: &token,
            intended: Timestamp::UNIX_EPOCH,
            foreign,
            along: false,
            ids,
            others: &[],
            steps,
        })
    }

    fn find(&self, order: u32, ids: &[StepId]) -> Found<Vec<StepId>> {
        self.try_find(order, ids).expect("it answers")
    }

    fn try_find(&self, order: u32, ids: &[StepId]) -> Result<Found<Vec<StepId>>> {
        let (staged, step) = (BTreeMap::new(), command("a"));
        self.ordering(order, &step, ids, &staged, |order| self.yarn.find(&self.home, order))
    }

    fn ordering<T>(
        &self,
        order: u32,
        step: &Step,
        ids: &[StepId],
        staged: &BTreeMap<String, Uri>,
        what: impl FnOnce(&Order<'_>) -> T,
    ) -> T {
        let token = Token::of(&RunId::new("r-Test"), order, 1);
        let intended = Timestamp::UNIX_EPOCH;
        let steps = vec![OrderedStep { step, attempt: 1, staged }];
        what(&Order {
            token: &token,
            intended,
            foreign: false,
            along: false,
            ids,
            others: &[],
            steps,
        })
    }

    fn status(&self, id: &StepId) -> StepStatus {
        let told = self.yarn.poll(&self.home, std::slice::from_ref(id)).expect("it answers");
        told.into_iter().find(|(told, _)| told == id).expect("it is told of").1
    }

    /// So many of the far side's seconds later.
    fn later(&self, seconds: u64, id: &StepId) -> StepStatus {
        self.pass(seconds);
        self.status(id)
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

/// The fabric of a cluster file.
fn fabric(file: &str) -> Yarn {
    let environment = Arc::new(Environment::default());
    let client = Client::new(&environment, Arc::new(Bell::new())).expect("a client");
    Yarn::new(config(file), Arc::new(client))
}

fn config(file: &str) -> Config {
    match load(&Document::plain(Arc::new(Source::new("c.json", file)))) {
        (Some(AnyConfig::Yarn(config)), _) => *config,
        (_, diagnostics) => panic!("{:#?}", diagnostics.sorted()),
    }
}

fn command(id: &str) -> Step {
    sample::step(id, "true", &[])
}

fn spark_in_cluster(id: &str) -> Step {
    let application = sample::text("hdfs:///jobs/pi.py");
    let mut step = sample::step_of(id, Program::Spark { application, main_class: None }, &[]);
    step.work.properties.insert("spark.submit.deployMode".to_owned(), sample::text("cluster"));
    step
}

fn flink(id: &str) -> Step {
    let jar = sample::text("/opt/jobs/top.jar");
    sample::step_of(id, Program::Flink { jar, main_class: None }, &[])
}

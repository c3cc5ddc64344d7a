//! A fabric of the suite with a cluster, and what is asked of both again and again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Behaviour, Subject};
use crate::config::playbook::Step;
use crate::fabric::{
    Capabilities, ClusterId, ClusterState, Clusters, ErrorKind, Fabric, Found, Launch, Order,
    OrderedStep, Result, RunId, StepId, StepStatus, Token,
};

/// So many waits without the wished-for state are too many.
pub(super) const PATIENCE: usize = 1000;

pub(super) struct Bench<'a> {
    pub(super) subject: &'a dyn Subject,
    pub(super) fabric: &'a dyn Fabric,
    pub(super) cluster: ClusterId,
    /// What was given out for orders before they were sent, by their tokens without the sending.
    reserved: RefCell<BTreeMap<String, Vec<StepId>>>,
}

pub(super) fn token(order: u32, sending: u32) -> Token {
    Token::of(&RunId::new("r-conformance"), order, sending)
}

pub(super) fn launch(order: u32) -> Launch<'static> {
    Launch {
        token: token(order, 1),
        intended: Timestamp::UNIX_EPOCH,
        foreign: false,
        transient: true,
        steps: Vec::new(),
    }
}

/// Who launches clusters; `None` where there is one that none launches.
pub(super) fn clusters(subject: &dyn Subject) -> Option<&dyn Clusters> {
    let (clusters, home) = (subject.fabric().clusters(), subject.fabric().home());
    assert_eq!(clusters.is_some(), home.is_none(), "a fabric has clusters to launch, or a home");
    clusters
}

impl<'a> Bench<'a> {
    /// A fabric with a cluster, whatever that is.
    pub(super) fn on(subject: &'a dyn Subject, cluster: ClusterId) -> Self {
        Self { subject, fabric: subject.fabric(), cluster, reserved: RefCell::default() }
    }

    /// A fabric with a cluster that is ready.
    pub(super) fn ready(subject: &'a dyn Subject) -> Self {
        let Some(clusters) = clusters(subject) else {
            return Self::on(subject, subject.fabric().home().expect("it has a home"));
        };
        let cluster = clusters.launch(&launch(1)).expect("a cluster is launched");
        let bench = Self::on(subject, cluster);
        bench.until_cluster(|state| state == Some(ClusterState::Ready));
        bench
    }

    fn clusters(&self) -> &dyn Clusters {
        clusters(self.subject).expect("it launches clusters")
    }

    /// The ids of an order, given out when it is first thought of, as the engine has them.
    fn ids(&self, token: &Token, steps: usize) -> Vec<StepId> {
        let order = token.as_str().rsplit_once('.').map_or("", |(order, _)| order).to_owned();
        let reserve = || self.fabric.reserve(&self.cluster, steps).expect("ids are given out");
        self.reserved.borrow_mut().entry(order).or_insert_with(reserve).clone()
    }

    pub(super) fn capabilities(&self) -> &Capabilities {
        self.fabric.capabilities()
    }

    /// Its state; `None` once it is not found.
    pub(super) fn cluster_state(&self) -> Option<ClusterState> {
        match self.clusters().inspect(&self.cluster) {
            Ok(status) => Some(status.state),
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) fn until_cluster(&self, wanted: impl Fn(Option<ClusterState>) -> bool) {
        for _ in 0..PATIENCE {
            if wanted(self.cluster_state()) {
                return;
            }
            self.subject.wait();
        }
        panic!("the cluster stays {:?}", self.cluster_state());
    }

    pub(super) fn submit(
        &self,
        token: &Token,
        attempt: u32,
        steps: &[&Step],
    ) -> Result<Vec<StepId>> {
        let (staged, ids) = (BTreeMap::new(), self.ids(token, steps.len()));
        let steps =
            steps.iter().map(|step| OrderedStep { step, attempt, staged: &staged }).collect();
        self.fabric.submit(
            &self.cluster,
            &Order {
                token,
                intended: Timestamp::UNIX_EPOCH,
                foreign: false,
                along: false,
                ids: &ids,
                others: &[],
                steps,
            },
        )
    }

    pub(super) fn start(&self, order: u32, does: Behaviour) -> StepId {
        let step = self.subject.step(&format!("s{order}"), does);
        let ids = self.submit(&token(order, 1), 1, &[&step]).expect("the order is taken");
        assert_eq!(ids.len(), 1);
        ids.into_iter().next().expect("one id")
    }

    pub(super) fn find(&self, token: &Token, step: &Step) -> Found<Vec<StepId>> {
        self.find_for(false, token, step)
    }

    pub(super) fn find_for(&self, foreign: bool, token: &Token, step: &Step) -> Found<Vec<StepId>> {
        let (staged, ids) = (BTreeMap::new(), self.ids(token, 1));
        let steps = vec![OrderedStep { step, attempt: 1, staged: &staged }];
        let order = Order {
            token,
            intended: Timestamp::UNIX_EPOCH,
            foreign,
            along: false,
            ids: &ids,
            others: &[],
            steps,
        };
        self.fabric.find(&self.cluster, &order).expect("it answers")
    }

    pub(super) fn status(&self, id: &StepId) -> StepStatus {
        for _ in 0..PATIENCE {
            let answers =
                self.fabric.poll(&self.cluster, std::slice::from_ref(id)).expect("it answers");
            if let Some((_, status)) = answers.into_iter().find(|(told, _)| told == id) {
                return status;
            }
            self.subject.wait();
        }
        panic!("nothing is ever told of {id}");
    }

    pub(super) fn until(&self, id: &StepId, wanted: impl Fn(&StepStatus) -> bool) -> StepStatus {
        for _ in 0..PATIENCE {
            let status = self.status(id);
            if wanted(&status) {
                return status;
            }
            assert!(!status.state.is_final(), "it ended: {status:?}");
            self.subject.wait();
        }
        panic!("{id} stays {:?}", self.status(id));
    }

    pub(super) fn end(&self, id: &StepId) -> StepStatus {
        self.until(id, |status| status.state.is_final())
    }

    pub(super) fn cancel(&self, id: &StepId) {
        self.fabric.cancel(&self.cluster, std::slice::from_ref(id)).expect("it is asked");
    }

    pub(super) fn down(&self) {
        self.clusters().terminate(&self.cluster).expect("it is asked");
        self.until_cluster(|state| state.is_none_or(ClusterState::is_final));
    }
}

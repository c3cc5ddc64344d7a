//! The suite that every fabric must pass: one list of cases, so that no fabric can forget one.
//!
//! Each case gets a fresh subject. What a fabric declares in its [`Capabilities`] is tested both ways: what it
//! can do works, what it cannot is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::{
    Capabilities, ClusterId, ClusterState, Clusters, ErrorKind, ExitCodes, Fabric, Found, Launch,
    LocalFile, Order, OrderedStep, Query, RunId, StepId, StepState, StepStatus, Token,
};
use crate::config::playbook::Step;

/// A fabric under test, with what the suite cannot know of it.
pub trait Subject {
    /// The fabric, without any cluster yet.
    fn fabric(&self) -> &dyn Fabric;

    /// A step that does as told.
    fn step(&self, id: &str, does: Behaviour) -> Step;

    /// A file of this machine.
    fn file(&self) -> PathBuf;

    /// Returns when something may have changed, and soon in any case.
    fn wait(&self);
}

/// What a step of the suite does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It ends at once with this exit code.
    Exits(i32),
    /// It runs until it is stopped.
    RunsUntilStopped,
}

/// A case: its name, and what it asserts.
pub type Case = (&'static str, fn(&dyn Subject));

/// All cases.
pub const CASES: &[Case] = &[
    ("a_cluster_comes_up_is_found_and_listed", a_cluster_comes_up_is_found_and_listed),
    (
        "a_cluster_that_was_never_ordered_is_not_there",
        a_cluster_that_was_never_ordered_is_not_there,
    ),
    ("a_cluster_goes_down_and_may_be_asked_twice", a_cluster_goes_down_and_may_be_asked_twice),
    ("a_cluster_takes_its_running_steps_along", a_cluster_takes_its_running_steps_along),
    ("a_step_succeeds_and_stays_so", a_step_succeeds_and_stays_so),
    ("a_step_fails_with_its_exit_code", a_step_fails_with_its_exit_code),
    ("a_running_step_is_cancelled", a_running_step_is_cancelled),
    ("the_stopped_may_be_stopped", the_stopped_may_be_stopped),
    ("an_order_is_found_by_its_token", an_order_is_found_by_its_token),
    ("an_order_that_was_never_sent_is_not_there", an_order_that_was_never_sent_is_not_there),
    ("an_order_sent_twice_runs_once", an_order_sent_twice_runs_once),
    ("a_second_attempt_is_another_step", a_second_attempt_is_another_step),
    ("as_many_run_at_once_as_it_says", as_many_run_at_once_as_it_says),
    (
        "several_steps_in_one_order_only_where_there_is_a_queue",
        several_steps_in_one_order_only_where_there_is_a_queue,
    ),
    ("only_what_was_asked_for_is_told", only_what_was_asked_for_is_told),
    (
        "steps_on_a_cluster_that_is_not_there_are_refused",
        steps_on_a_cluster_that_is_not_there_are_refused,
    ),
    ("logs_are_read_in_pieces_to_their_end", logs_are_read_in_pieces_to_their_end),
    ("a_file_is_staged_the_same_twice", a_file_is_staged_the_same_twice),
    ("what_finds_it_again_is_told_without_secrets", what_finds_it_again_is_told_without_secrets),
];

/// So many waits without the wished-for state are too many.
const PATIENCE: usize = 1000;

struct Bench<'a> {
    subject: &'a dyn Subject,
    fabric: &'a dyn Fabric,
    cluster: ClusterId,
}

fn token(order: u32, sending: u32) -> Token {
    Token::of(&RunId::new("r-conformance"), order, sending)
}

fn launch(order: u32) -> Launch<'static> {
    Launch { token: token(order, 1), intended: Timestamp::UNIX_EPOCH, steps: Vec::new() }
}

fn clusters(subject: &dyn Subject) -> &dyn Clusters {
    subject.fabric().clusters().expect("a fabric of this suite has clusters")
}

impl<'a> Bench<'a> {
    /// A fabric with a cluster that is ready.
    fn ready(subject: &'a dyn Subject) -> Self {
        let cluster = clusters(subject).launch(&launch(1)).expect("a cluster is launched");
        let bench = Self { subject, fabric: subject.fabric(), cluster };
        bench.until_cluster(|state| state == Some(ClusterState::Ready));
        bench
    }

    fn capabilities(&self) -> &Capabilities {
        self.fabric.capabilities()
    }

    /// Its state; `None` once it is not found.
    fn cluster_state(&self) -> Option<ClusterState> {
        match clusters(self.subject).inspect(&self.cluster) {
            Ok(status) => Some(status.state),
            Err(error) if error.kind == ErrorKind::NotFound => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn until_cluster(&self, wanted: impl Fn(Option<ClusterState>) -> bool) {
        for _ in 0..PATIENCE {
            if wanted(self.cluster_state()) {
                return;
            }
            self.subject.wait();
        }
        panic!("the cluster stays {:?}", self.cluster_state());
    }

    fn submit(&self, token: &Token, attempt: u32, steps: &[&Step]) -> super::Result<Vec<StepId>> {
        let staged = BTreeMap::new();
        let steps =
            steps.iter().map(|step| OrderedStep { step, attempt, staged: &staged }).collect();
        self.fabric.submit(
            &self.cluster,
            &Order { token, intended: Timestamp::UNIX_EPOCH, others: &[], steps },
        )
    }

    fn start(&self, order: u32, does: Behaviour) -> StepId {
        let step = self.subject.step(&format!("s{order}"), does);
        let ids = self.submit(&token(order, 1), 1, &[&step]).expect("the order is taken");
        assert_eq!(ids.len(), 1);
        ids.into_iter().next().expect("one id")
    }

    fn find(&self, token: &Token, step: &Step) -> Found<Vec<StepId>> {
        let staged = BTreeMap::new();
        let steps = vec![OrderedStep { step, attempt: 1, staged: &staged }];
        let order = Order { token, intended: Timestamp::UNIX_EPOCH, others: &[], steps };
        self.fabric.find(&self.cluster, &order).expect("it answers")
    }

    fn status(&self, id: &StepId) -> StepStatus {
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

    fn until(&self, id: &StepId, wanted: impl Fn(&StepStatus) -> bool) -> StepStatus {
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

    fn end(&self, id: &StepId) -> StepStatus {
        self.until(id, |status| status.state.is_final())
    }

    fn cancel(&self, id: &StepId) {
        self.fabric.cancel(&self.cluster, std::slice::from_ref(id)).expect("it is asked");
    }

    fn down(&self) {
        clusters(self.subject).terminate(&self.cluster).expect("it is asked");
        self.until_cluster(|state| state.is_none_or(ClusterState::is_final));
    }
}

fn a_cluster_comes_up_is_found_and_listed(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let clusters = clusters(subject);
    assert_eq!(clusters.find(&launch(1)).expect("it answers"), Found::Yes(bench.cluster.clone()));
    let name = clusters.inspect(&bench.cluster).expect("it answers").name;
    let listed = |query: &Query| -> Vec<ClusterId> {
        clusters.list(query).expect("it answers").into_iter().map(|c| c.id).collect()
    };
    let named = [Query::All, Query::Name(name.clone()), Query::Newest(name)];
    for query in &named {
        assert!(listed(query).contains(&bench.cluster), "{query:?}");
    }
    let other = "no-such-name".to_owned();
    let tag = Query::Tag { key: other.clone(), value: other.clone() };
    for query in [Query::Name(other.clone()), Query::Newest(other), tag] {
        assert_eq!(listed(&query), [], "{query:?}");
    }
    bench.down();
    for query in &named {
        assert!(!listed(query).contains(&bench.cluster), "{query:?}");
    }
    assert_eq!(clusters.logs(&bench.cluster).map_err(|error| error.kind), Ok(Vec::new()));
}

fn a_cluster_that_was_never_ordered_is_not_there(subject: &dyn Subject) {
    let found = clusters(subject).find(&launch(7)).expect("it answers");
    assert!(!matches!(found, Found::Yes(_)), "{found:?}");
    let unknown = clusters(subject).inspect(&ClusterId::new("no-such-cluster"));
    assert_eq!(unknown.expect_err("it is not there").kind, ErrorKind::NotFound);
}

fn a_cluster_goes_down_and_may_be_asked_twice(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    clusters(subject).terminate(&bench.cluster).expect("it is asked");
    match clusters(subject).terminate(&bench.cluster) {
        Ok(()) => {}
        Err(error) => assert_eq!(error.kind, ErrorKind::NotFound, "it may be gone already"),
    }
    bench.until_cluster(|state| state.is_none_or(ClusterState::is_final));
    let step = subject.step("late", Behaviour::Exits(0));
    bench.submit(&token(9, 1), 1, &[&step]).expect_err("a cluster that is gone takes no steps");
}

fn a_cluster_takes_its_running_steps_along(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let id = bench.start(2, Behaviour::RunsUntilStopped);
    bench.until(&id, |status| status.state == StepState::Running);
    bench.down();
    if let Ok(answers) = bench.fabric.poll(&bench.cluster, std::slice::from_ref(&id)) {
        let running = answers.iter().any(|(_, status)| status.state == StepState::Running);
        assert!(!running, "{answers:?}");
        let succeeded = answers.iter().any(|(_, status)| status.state == StepState::Succeeded);
        assert!(!succeeded, "{answers:?}");
    }
}

fn a_step_succeeds_and_stays_so(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let id = bench.start(2, Behaviour::Exits(0));
    let first = bench.end(&id);
    assert_eq!(first.state, StepState::Succeeded, "{first:?}");
    if bench.capabilities().exit_codes == ExitCodes::InStatus {
        assert_eq!(first.exit_code, Some(0));
    }
    assert_eq!(bench.status(&id), first, "what is final does not change");
}

fn a_step_fails_with_its_exit_code(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let status = bench.end(&bench.start(2, Behaviour::Exits(3)));
    assert_eq!(status.state, StepState::Failed, "{status:?}");
    let told = (bench.capabilities().exit_codes == ExitCodes::InStatus).then_some(3);
    assert_eq!(status.exit_code, told, "{status:?}");
}

fn a_running_step_is_cancelled(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let id = bench.start(2, Behaviour::RunsUntilStopped);
    bench.until(&id, |status| status.state == StepState::Running);
    let asked = bench.fabric.cancel(&bench.cluster, std::slice::from_ref(&id));
    if bench.capabilities().cancel_running {
        asked.expect("it is asked");
        assert_eq!(bench.end(&id).state, StepState::Cancelled);
    } else {
        assert_eq!(asked.expect_err("it cannot").kind, ErrorKind::Unsupported);
    }
}

fn the_stopped_may_be_stopped(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let id = bench.start(2, Behaviour::Exits(0));
    let ended = bench.end(&id);
    bench.cancel(&id);
    assert_eq!(bench.status(&id), ended, "an end is not undone");
    let running = bench.start(3, Behaviour::RunsUntilStopped);
    bench.cancel(&running);
    bench.cancel(&running);
    assert_eq!(bench.end(&running).state, StepState::Cancelled);
}

fn an_order_is_found_by_its_token(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let id = bench.start(2, Behaviour::Exits(0));
    let step = subject.step("s2", Behaviour::Exits(0));
    for _ in 0..PATIENCE {
        match bench.find(&token(2, 1), &step) {
            Found::Yes(ids) => return assert_eq!(ids, [id]),
            // It may show only after it has settled.
            Found::No | Found::NotYet => subject.wait(),
        }
    }
    panic!("it is never found");
}

fn an_order_that_was_never_sent_is_not_there(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let step = subject.step("s2", Behaviour::Exits(0));
    let found = bench.find(&token(2, 1), &step);
    assert!(!matches!(found, Found::Yes(_)), "{found:?}");
    // And a sending after that is another order.
    let id = bench.submit(&token(2, 2), 1, &[&step]).expect("the order is taken");
    assert_eq!(bench.end(&id[0]).state, StepState::Succeeded);
}

fn an_order_sent_twice_runs_once(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let first = bench.start(2, Behaviour::Exits(0));
    let step = subject.step("s2", Behaviour::Exits(0));
    match bench.submit(&token(2, 1), 1, &[&step]) {
        // It is `find` that keeps such a fabric from running it twice.
        Ok(again) if !bench.capabilities().knows_orders => assert_ne!(again, [first]),
        Ok(again) => assert_eq!(again, [first], "the same order is the same step"),
        Err(error) => assert_eq!(error.kind, ErrorKind::Conflict, "{error}"),
    }
}

fn a_second_attempt_is_another_step(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let step = subject.step("s", Behaviour::Exits(1));
    let first = bench.submit(&token(2, 1), 1, &[&step]).expect("the order is taken").remove(0);
    assert_eq!(bench.end(&first).state, StepState::Failed);
    let second = bench.submit(&token(3, 1), 2, &[&step]).expect("the order is taken").remove(0);
    assert_ne!(first, second);
    assert_eq!(bench.end(&second).state, StepState::Failed);
    assert_eq!(bench.status(&first).state, StepState::Failed, "the first is still told of");
}

fn as_many_run_at_once_as_it_says(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    if bench.capabilities().ordered_queue {
        return;
    }
    let slots = bench.capabilities().parallel.map_or(3, std::num::NonZeroU32::get).min(4);
    let ids: Vec<StepId> =
        (0..slots).map(|n| bench.start(2 + n, Behaviour::RunsUntilStopped)).collect();
    for id in &ids {
        bench.until(id, |status| status.state == StepState::Running);
    }
    bench.fabric.cancel(&bench.cluster, &ids).expect("all are asked at once");
    for id in &ids {
        assert_eq!(bench.end(id).state, StepState::Cancelled);
    }
}

fn several_steps_in_one_order_only_where_there_is_a_queue(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let steps = ["a", "b"].map(|id| subject.step(id, Behaviour::Exits(0)));
    let asked = bench.submit(&token(2, 1), 1, &[&steps[0], &steps[1]]);
    if bench.capabilities().ordered_queue {
        let ids = asked.expect("the order is taken");
        assert_eq!(ids.len(), 2);
        assert_eq!(bench.end(&ids[0]).state, StepState::Succeeded);
        assert_eq!(bench.end(&ids[1]).state, StepState::Succeeded);
    } else {
        asked.expect_err("one step a time");
    }
}

fn only_what_was_asked_for_is_told(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let asked = bench.start(2, Behaviour::Exits(0));
    bench.end(&asked);
    let other = bench.start(3, Behaviour::Exits(0));
    bench.end(&other);
    let answers =
        bench.fabric.poll(&bench.cluster, std::slice::from_ref(&asked)).expect("it answers");
    assert!(answers.iter().all(|(id, _)| *id == asked), "{answers:?}");
}

fn steps_on_a_cluster_that_is_not_there_are_refused(subject: &dyn Subject) {
    let bench =
        Bench { subject, fabric: subject.fabric(), cluster: ClusterId::new("no-such-cluster") };
    let step = subject.step("s", Behaviour::Exits(0));
    let refused = bench.submit(&token(2, 1), 1, &[&step]).expect_err("there is no such cluster");
    assert_eq!(refused.kind, ErrorKind::NotFound);
    assert_eq!(refused.effect, super::Effect::None, "nothing was sent anywhere");
}

fn logs_are_read_in_pieces_to_their_end(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let id = bench.start(2, Behaviour::Exits(0));
    bench.end(&id);
    let files = bench.fabric.logs(&bench.cluster, &id).expect("it answers");
    assert!(!files.is_empty());
    for file in &files {
        let mut bytes = Vec::new();
        loop {
            let chunk = bench.fabric.read(file, bytes.len() as u64).expect("it answers");
            assert!(
                chunk.at_end || !chunk.bytes.is_empty(),
                "a piece brings something or is the last"
            );
            bytes.extend(chunk.bytes);
            if chunk.at_end {
                break;
            }
        }
        let behind = bench.fabric.read(file, bytes.len() as u64).expect("it answers");
        assert_eq!((behind.bytes.len(), behind.at_end), (0, true));
    }
}

fn a_file_is_staged_the_same_twice(subject: &dyn Subject) {
    let stage = |path: PathBuf| subject.fabric().stage(&LocalFile { path });
    if !subject.fabric().capabilities().stages {
        let refused = stage(subject.file()).expect_err("it stages nothing");
        return assert_eq!(refused.kind, ErrorKind::Unsupported);
    }
    let first = stage(subject.file()).expect("it is staged");
    assert_eq!(stage(subject.file()).expect("it is staged"), first);
    let missing = stage(PathBuf::from("no/such/file")).expect_err("there is none");
    assert!(matches!(missing.kind, ErrorKind::NotFound | ErrorKind::Config), "{missing}");
}

fn what_finds_it_again_is_told_without_secrets(subject: &dyn Subject) {
    let fabric = subject.fabric();
    assert!(!fabric.capabilities().fabric.is_empty());
    assert!(fabric.reach().values().all(|value| !value.is_empty()), "{:?}", fabric.reach());
}

//! The suite that every fabric must pass: one list of cases, so that no fabric can forget one.
//!
//! Each case gets a fresh subject. What a fabric declares in its [`Capabilities`](super::Capabilities) is tested both
//! ways: what it can do works, what it cannot is refused. A fabric has clusters to launch or one cluster that is there
//! ([`Fabric::home`]): cases about clusters ask nothing of the latter, all others run there.

use std::path::PathBuf;

use jiff::Timestamp;

mod bench;

use super::{
    ClusterId, ClusterState, ErrorKind, ExitCodes, Fabric, Found, Launch, LocalFile, Query, RunId,
    StepId, StepState, Token,
};
use crate::config::playbook::Step;
use bench::{Bench, PATIENCE, clusters, launch, token};

/// A fabric under test, with what the suite cannot know of it.
pub trait Subject {
    /// The fabric, without any cluster of ours yet.
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
    ("a_cluster_tells_the_order_it_came_from", a_cluster_tells_the_order_it_came_from),
    ("a_cluster_is_found_whatever_the_sending", a_cluster_is_found_whatever_the_sending),
    (
        "of_several_clusters_of_an_order_the_one_that_lives_is_found",
        of_several_clusters_of_an_order_the_one_that_lives_is_found,
    ),
    ("a_cluster_goes_down_and_may_be_asked_twice", a_cluster_goes_down_and_may_be_asked_twice),
    ("a_cluster_takes_its_running_steps_along", a_cluster_takes_its_running_steps_along),
    ("a_step_succeeds_and_stays_so", a_step_succeeds_and_stays_so),
    ("a_step_fails_with_its_exit_code", a_step_fails_with_its_exit_code),
    ("a_running_step_is_cancelled", a_running_step_is_cancelled),
    ("the_stopped_may_be_stopped", the_stopped_may_be_stopped),
    ("an_order_is_found_by_its_token", an_order_is_found_by_its_token),
    ("an_order_is_found_whatever_its_sending", an_order_is_found_whatever_its_sending),
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

fn a_cluster_comes_up_is_found_and_listed(subject: &dyn Subject) {
    let Some(clusters) = clusters(subject) else { return };
    let bench = Bench::ready(subject);
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
    let Some(clusters) = clusters(subject) else { return };
    let found = clusters.find(&launch(7)).expect("it answers");
    assert!(!matches!(found, Found::Yes(_)), "{found:?}");
    let unknown = clusters.inspect(&ClusterId::new("no-such-cluster"));
    assert_eq!(unknown.expect_err("it is not there").kind, ErrorKind::NotFound);
}

fn a_cluster_tells_the_order_it_came_from(subject: &dyn Subject) {
    let Some(clusters) = clusters(subject) else { return };
    let bench = Bench::ready(subject);
    let told = clusters.inspect(&bench.cluster).expect("it answers").token;
    assert_eq!(told, Some(token(1, 1)));
    let ours = || -> Vec<(ClusterId, Option<Token>)> {
        let listed = clusters.list(&Query::Ours).expect("it answers");
        listed.into_iter().map(|cluster| (cluster.id, cluster.token)).collect()
    };
    assert_eq!(ours(), [(bench.cluster.clone(), Some(token(1, 1)))]);
    bench.down();
    assert_eq!(ours(), []);
}

fn a_cluster_is_found_whatever_the_sending(subject: &dyn Subject) {
    let Some(clusters) = clusters(subject) else { return };
    let bench = Bench::ready(subject);
    for foreign in [false, true] {
        let find = |order, sending| {
            let order = Launch { token: token(order, sending), foreign, ..launch(1) };
            clusters.find(&order).expect("it answers")
        };
        assert_eq!(find(1, 1), Found::Yes(bench.cluster.clone()));
        assert_eq!(find(1, 3), Found::Yes(bench.cluster.clone()), "of whatever sending");
        assert!(!matches!(find(2, 1), Found::Yes(_)), "another order of the run");
        let other = Token::of(&RunId::new("r-another"), 1, 1);
        let found = clusters.find(&Launch { token: other, foreign, ..launch(1) });
        assert!(!matches!(found, Ok(Found::Yes(_))), "an order of another run: {found:?}");
    }
}

fn of_several_clusters_of_an_order_the_one_that_lives_is_found(subject: &dyn Subject) {
    let Some(clusters) = clusters(subject) else { return };
    let found = |sending| {
        let order = Launch { token: token(1, sending), ..launch(1) };
        clusters.find(&order).expect("it answers")
    };
    let first = Bench::ready(subject);
    first.down();
    assert_eq!(found(2), Found::Yes(first.cluster.clone()), "how it ended is to be known");
    let intended = Timestamp::from_second(1).expect("a time");
    let again = Launch { token: token(1, 2), intended, ..launch(1) };
    let cluster = clusters.launch(&again).expect("a cluster is launched");
    if subject.fabric().capabilities().knows_orders && cluster == first.cluster {
        // A far side that keeps orders for good makes no second one.
        return;
    }
    let second = Bench::on(subject, cluster);
    second.until_cluster(|state| state == Some(ClusterState::Ready));
    assert_eq!(found(1), Found::Yes(second.cluster.clone()), "the one that lives");
    second.down();
    assert_eq!(found(3), Found::Yes(second.cluster), "else the newest");
}

fn a_cluster_goes_down_and_may_be_asked_twice(subject: &dyn Subject) {
    let Some(clusters) = clusters(subject) else { return };
    let bench = Bench::ready(subject);
    clusters.terminate(&bench.cluster).expect("it is asked");
    match clusters.terminate(&bench.cluster) {
        Ok(()) => {}
        Err(error) => assert_eq!(error.kind, ErrorKind::NotFound, "it may be gone already"),
    }
    bench.until_cluster(|state| state.is_none_or(ClusterState::is_final));
    let step = subject.step("late", Behaviour::Exits(0));
    bench.submit(&token(9, 1), 1, &[&step]).expect_err("a cluster that is gone takes no steps");
}

fn a_cluster_takes_its_running_steps_along(subject: &dyn Subject) {
    if clusters(subject).is_none() {
        return;
    }
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

fn an_order_is_found_whatever_its_sending(subject: &dyn Subject) {
    let bench = Bench::ready(subject);
    let id = bench.start(2, Behaviour::Exits(0));
    let step = subject.step("s2", Behaviour::Exits(0));
    let found = |foreign, sending| {
        (0..PATIENCE).any(|_| match bench.find_for(foreign, &token(2, sending), &step) {
            Found::Yes(ids) => ids == [id.clone()],
            Found::No | Found::NotYet => {
                subject.wait();
                false
            }
        })
    };
    assert!(found(false, 1) && found(false, 3) && found(true, 4), "of whatever sending");
    bench.end(&id);
    assert!(found(false, 2) && found(true, 2), "ended, too");
    let other = subject.step("s3", Behaviour::Exits(0));
    let another = bench.find(&token(3, 1), &other);
    assert!(!matches!(another, Found::Yes(_)), "another order of the run: {another:?}");
    if bench.capabilities().knows_orders {
        let another = bench.find(&token(4, 1), &step);
        assert!(!matches!(another, Found::Yes(_)), "even of the same step: {another:?}");
    }
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
    if clusters(subject).is_none() {
        return;
    }
    let bench = Bench::on(subject, ClusterId::new("no-such-cluster"));
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

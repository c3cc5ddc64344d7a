//! Clusters: ordered once, found again, told of as they are, and never left behind.

use super::*;
use crate::fabric::dataproc::fake::Refusal;

#[test]
fn a_cluster_carries_our_labels_and_is_named_with_its_uuid() {
    let there = There::with(Script::default(), r#", "labels": {"team": "data"}"#);
    let id = there.up();
    let (name, uuid) = id.as_str().split_once('@').expect("name and uuid");
    let (known, labels) = there.fake.world(|world| {
        let cluster = world.cluster(name).expect("it is there");
        (cluster.uuid.clone(), cluster.labels())
    });
    assert_eq!((name, uuid), ("fake", known.as_str()));
    let expected = [
        ("dataflow-runner-order", "r-20261122t101500z-abcdef_1"),
        ("dataflow-runner-run", "r-20261122t101500z-abcdef"),
        ("team", "data"),
    ];
    let ours = labels.iter().filter(|(name, _)| !name.starts_with("goog-"));
    let labels: Vec<_> = ours.map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(labels, expected);
    assert!(there.inspect(&id).token.is_some_and(|token| token.is_same_order(&launch(1).token)));
    let listed = |query: &Query| there.clusters().list(query).expect("it answers").len();
    let tag = |value: &str| Query::Tag { key: "team".into(), value: value.into() };
    assert_eq!((listed(&tag("data")), listed(&tag("x")), listed(&Query::Ours)), (1, 0, 1));
}

#[test]
fn an_order_that_is_sent_twice_makes_one_cluster() {
    let there = There::new(Script::default());
    there.fake.fail("clusters.create", 1..=1, Fault::ReplyLost);
    // It is sent again at once, as the same request.
    let id = there.clusters().launch(&launch(1)).expect("it is taken");
    assert_eq!(there.fake.calls("clusters.create"), 2);
    assert_eq!(there.fake.world(|world| world.alive().count()), 1);
    let again = Launch { token: Token::new("r-20261122T101500Z-abcdef.1.2"), ..launch(1) };
    assert_eq!(there.clusters().find(&again).expect("it answers"), Found::Yes(id.clone()));
    assert_eq!(there.clusters().launch(&again).expect("it is there"), id);
    assert_eq!(there.fake.world(|world| world.alive().count()), 1);
}

#[test]
fn a_lost_answer_is_in_doubt_until_it_is_looked_for() {
    let there = There::new(Script::default());
    assert_eq!(there.clusters().find(&launch(1)).expect("it answers"), Found::No);
    there.fake.fail("clusters.create", 1.., Fault::ReplyLost);
    let lost = there.clusters().launch(&launch(1)).expect_err("nobody answers");
    assert_eq!((lost.kind, lost.effect), (ErrorKind::Unavailable, Effect::Unknown));
    let found = there.clusters().find(&launch(1)).expect("it answers");
    assert!(matches!(&found, Found::Yes(id) if id.as_str().starts_with("fake@")), "{found:?}");
}

#[test]
fn a_name_that_is_taken_is_not_ours() {
    let there = There::new(Script::default());
    there.up();
    let refused = there.clusters().launch(&launch(2)).expect_err("the name is taken");
    assert_eq!((refused.kind, refused.effect), (ErrorKind::Conflict, Effect::None));
    assert_eq!(there.clusters().find(&launch(2)).expect("it answers"), Found::No);
    // Another pod may have rendered another name for it.
    let foreign = Launch { foreign: true, ..launch(1) };
    let other = fabric(&there.fake.cluster_file("").replace(r#""name": "fake""#, r#""name": "b""#));
    let found = other.clusters().expect("it has clusters").find(&foreign).expect("it answers");
    assert!(matches!(&found, Found::Yes(id) if id.as_str().starts_with("fake@")), "{found:?}");
}

#[test]
fn what_is_gone_is_known_to_be_also_elsewhere() {
    let there = There::new(Script::default());
    let id = there.up();
    there.clusters().terminate(&id).expect("it goes");
    there.pass(100);
    let other = fabric(&there.fake.cluster_file(""));
    let clusters = other.clusters().expect("it has clusters");
    assert_eq!(clusters.find(&launch(1)).expect("it answers"), Found::Yes(id.clone()));
    let told = clusters.inspect(&id).expect("it answers");
    assert_eq!((told.state, told.native.as_str()), (ClusterState::Stopped, "DELETED"));
    // Of a name alone nobody knows whose it was.
    for id in ["fake", "never", "fake@never"] {
        let gone = clusters.inspect(&ClusterId::new(id)).map_err(|gone| gone.kind);
        assert_eq!(gone, Err(ErrorKind::NotFound), "{id}");
    }
}

#[test]
fn a_broken_cluster_is_told_with_its_details_and_goes_when_asked() {
    let detail = "Initialization action failed. Failed action 'gs://b/i.sh'";
    let there = There::new(Script::default().cluster(ClusterScript::fails(detail)));
    let id = there.clusters().launch(&launch(1)).expect("it is taken");
    assert_eq!(there.inspect(&id).state, ClusterState::Starting);
    there.pass(100);
    let told = there.inspect(&id);
    assert_eq!((told.state, told.cause), (ClusterState::Broken, Some(Cause::Bootstrap)));
    assert_eq!(told.reason.as_deref(), Some(detail));
    assert_eq!(there.clusters().list(&Query::Name("fake".into())).expect("it answers"), []);
    there.clusters().terminate(&id).expect("it goes");
    assert_eq!(there.inspect(&id).state, ClusterState::Stopping);
    there.clusters().terminate(&id).expect("it goes already");
    there.pass(100);
    let gone = there.inspect(&id);
    assert_eq!((gone.state, gone.reason.as_deref()), (ClusterState::Failed, Some(detail)));
    there.clusters().terminate(&id).expect("it is gone");
}

#[test]
fn another_cluster_of_the_same_name_is_another() {
    let there = There::new(Script::default());
    let first = there.up();
    there.clusters().terminate(&first).expect("it goes");
    there.pass(100);
    let second = there.clusters().launch(&launch(2)).expect("the name is free");
    there.pass(100);
    assert_ne!(first, second);
    assert_eq!(there.inspect(&first).state, ClusterState::Stopped);
    there.clusters().terminate(&first).expect("it is gone");
    assert_eq!(there.inspect(&second).state, ClusterState::Ready, "that was meant for the first");
    // Who names only the name means whoever has it.
    assert_eq!(there.inspect(&ClusterId::new("fake")).state, ClusterState::Ready);
}

#[test]
fn an_operation_that_is_done_says_nothing_of_the_cluster() {
    let quick = ClusterScript { create_takes: Some(Duration::ZERO), ..ClusterScript::default() };
    let there = There::new(Script::default().cluster(quick));
    let id = there.clusters().launch(&launch(1)).expect("it is taken");
    assert_eq!(there.inspect(&id).state, ClusterState::Starting);
}

#[test]
fn states_that_come_and_go() {
    let turns = ClusterScript::default()
        .turning(10, State::Updating, "")
        .turning(20, State::ErrorDueToUpdate, "no machines")
        .turning(30, State::Stopping, "")
        .turning(40, State::Stopped, "");
    let there = There::new(Script::default().cluster(turns));
    let id = there.clusters().launch(&launch(1)).expect("it is taken");
    there.pass(90);
    let seen: Vec<_> = (0..5)
        .map(|_| {
            let told = there.inspect(&id);
            there.pass(10);
            (told.native, told.state)
        })
        .collect();
    let expected = [
        ("RUNNING", ClusterState::Ready),
        ("UPDATING", ClusterState::Ready),
        ("ERROR_DUE_TO_UPDATE", ClusterState::Ready),
        ("STOPPING", ClusterState::Stopping),
        ("STOPPED", ClusterState::Broken),
    ];
    assert_eq!(seen, expected.map(|(native, state)| (native.to_owned(), state)));
}

#[test]
fn who_is_not_known_is_told_and_asks_once_more_with_another_token() {
    let there = There::new(Script::default());
    there.fake.forget_tokens();
    let refused = there.clusters().launch(&launch(1)).expect_err("nobody knows the token");
    assert_eq!(refused.kind, ErrorKind::Auth);
    // A token of a service account is renewed.
    let key = there.fake.service_account().to_string();
    let file = there.fake.cluster_file_as(&json!({ "json": key }).to_string(), "");
    let renewing = fabric(&file);
    let clusters = renewing.clusters().expect("it has clusters");
    assert_eq!(clusters.list(&Query::All).expect("it is known"), []);
    there.fake.forget_tokens();
    let asked = there.asked(|| assert_eq!(clusters.list(&Query::All).expect("renewed"), []));
    assert_eq!(asked, ["clusters.list", "token", "clusters.list"]);
}

#[test]
fn refusals_keep_their_kind() {
    for (fault, kind) in [
        (Fault::Refuse(Refusal::denied("dataproc.clusters.create")), ErrorKind::Auth),
        (Fault::throttled(Some(60)), ErrorKind::Quota),
    ] {
        let there = There::new(Script::default());
        there.fake.fail("clusters.create", 1.., fault);
        let refused = there.clusters().launch(&launch(1)).expect_err("it is refused");
        assert_eq!((refused.kind, refused.effect), (kind, Effect::None));
        assert_eq!(refused.not_before.is_some(), kind == ErrorKind::Quota);
    }
}

//! What goes wrong on purpose.

use std::sync::Arc;
use std::thread;

use super::caller::{Caller, client, json_of, said};
use super::*;
use crate::clock::{Clock, until};
use crate::fabric::emr::fake::{Fake, Fault};

/// A caller whose first `RunJobFlow` goes wrong, what it is told, and how many clusters there are.
fn launched(fault: Fault) -> (Result<(u16, String), String>, usize) {
    let caller = Caller::new(Script::default());
    caller.fake.fail("RunJobFlow", 1..=1, fault);
    let told = caller.emr("RunJobFlow", order(true, &[]));
    let told = told.map(|reply| said(&reply)).map_err(|fault| format!("{fault:?}"));
    let clusters = caller.fake.world(|world| world.clusters.len());
    let carried_out = caller.fake.requests()[0].carried_out;
    assert_eq!(carried_out, clusters == 1);
    caller.launch();
    (told, clusters)
}

#[test]
fn refusals_with_and_without_effect() {
    for (fault, status, code) in [
        (Fault::throttle(), 400, "ThrottlingException"),
        (Fault::internal(), 500, "InternalFailure"),
        (Fault::unavailable(), 503, "ServiceUnavailable"),
        (Fault::expired(), 400, "ExpiredTokenException"),
        (Fault::denied("elasticmapreduce:RunJobFlow"), 400, "AccessDeniedException"),
    ] {
        for (fault, clusters) in [(fault.clone(), 0), (fault.carried_out(), 1)] {
            let (told, made) = launched(fault);
            let (got, body) = told.expect("a reply");
            assert_eq!((got, made), (status, clusters));
            assert!(body.contains(&format!("\"__type\":\"{code}\"")), "{body}");
        }
    }
}

#[test]
fn pages_redirects_and_bodies_that_are_none() {
    let (told, made) = launched(Fault::html(500).carried_out());
    let (status, body) = told.expect("a reply");
    assert_eq!((status, made), (500, 1));
    assert!(body.starts_with("<!doctype html>"));
    assert_eq!(launched(Fault::redirect(302, "http://127.0.0.1:1/")).0.expect("a reply").0, 302);
    assert_eq!(launched(Fault::empty()), (Ok((200, String::new())), 0));
    let (told, made) = launched(Fault::truncated());
    let (status, body) = told.expect("a reply");
    assert_eq!((status, made), (200, 1));
    assert!(serde_json::from_str::<Value>(&body).is_err(), "{body}");
    let (told, made) = launched(Fault::content_type("text/plain"));
    assert_eq!((told.expect("a reply").0, made), (200, 1));
}

#[test]
fn replies_that_never_come() {
    for (fault, clusters) in [
        (Fault::cut(), 0),
        (Fault::reply_lost(), 1),
        (Fault::reply_cut(), 1),
        (Fault::garbage(), 0),
    ] {
        let (told, made) = launched(fault.clone());
        assert!(told.is_err(), "{fault:?} {told:?}");
        assert_eq!(made, clusters, "{fault:?}");
    }
}

/// A call is held until it is released; in the meantime it has had its effect, or not.
#[test]
fn slow_and_late() {
    for (fault, before) in [(Fault::slow(), 1), (Fault::late(), 0)] {
        let caller = Arc::new(Caller::new(Script::default()));
        caller.fake.fail("RunJobFlow", 1..=1, fault);
        let waiting = thread::spawn({
            let caller = Arc::clone(&caller);
            move || caller.launch()
        });
        while caller.fake.world(|world| world.clusters.len()) < before
            || caller.fake.requests().is_empty()
        {
            thread::yield_now();
        }
        // Others are answered meanwhile.
        let listed = caller.emr("ListClusters", json!({})).expect("a reply");
        assert_eq!(json_of(&listed)["Clusters"].as_array().map(Vec::len), Some(before));
        // It may not be held yet when it is released, so again until it ends.
        while !waiting.is_finished() {
            caller.fake.release();
            thread::yield_now();
        }
        let id = waiting.join().expect("it ends");
        caller.fake.world(|world| assert!(world.cluster(&id).is_some()));
    }
}

/// A caller of a fake whose time is that of a clock, which stands still.
fn at_rest(script: Script) -> Caller {
    let clock = Arc::new(Clock::turned_by_hand(start()));
    Caller { fake: Fake::start_by(script, clock).expect("a port"), client: client() }
}

#[test]
fn a_call_that_is_delayed_arrives_when_nobody_waits_for_it_any_more() {
    let caller = at_rest(Script::default());
    let began = caller.fake.world(|world| world.now);
    assert_eq!(began, start());
    caller.fake.fail("RunJobFlow", 1..=2, Fault::delayed(Duration::from_secs(30)));
    for _ in 0..2 {
        assert!(caller.emr("RunJobFlow", order(true, &[])).is_err());
        caller.fake.pass(Duration::from_secs(20));
    }
    let made = |world: &mut World| -> Vec<_> {
        world.clusters.iter().map(|cluster| until(start(), cluster.created).as_secs()).collect()
    };
    assert_eq!(caller.fake.world(made), [30]);
    assert_eq!(caller.fake.requests().iter().filter(|logged| logged.carried_out).count(), 1);
    caller.fake.pass(Duration::from_secs(3600));
    assert_eq!(caller.fake.world(made), [30, 50], "each when it came, whenever one looks");
}

#[test]
fn an_answer_may_be_behind() {
    let caller = at_rest(Script::default());
    caller.launch();
    caller.fake.pass(Duration::from_secs(100));
    caller.fake.fail_by(|_| Some(Fault::stale(Duration::from_secs(25))));
    let id = caller.launch();
    let listed = || {
        let listed = json_of(&caller.emr("ListClusters", json!({})).expect("a reply"));
        listed["Clusters"].as_array().map(Vec::len)
    };
    let described = || caller.emr("DescribeCluster", json!({"ClusterId": id})).expect("a reply");
    assert_eq!((listed(), described().status), (Some(1), 400), "nobody has heard of it");
    caller.fake.pass(Duration::from_secs(24));
    assert_eq!(listed(), Some(1));
    caller.fake.pass(Duration::from_secs(1));
    assert_eq!(listed(), Some(2));
    caller.emr("TerminateJobFlows", json!({"JobFlowIds": [id]})).expect("a reply");
    let state = || json_of(&described())["Cluster"]["Status"]["State"].clone();
    assert_eq!(state(), "STARTING");
    caller.fake.pass(Duration::from_secs(25));
    assert_eq!(state(), "TERMINATING");
    caller.fake.heal();
    caller.fake.pass(Duration::from_secs(50));
    assert_eq!(state(), "TERMINATED");
}

#[test]
fn a_fake_that_is_dropped_holds_nobody() {
    let Caller { fake, client } = Caller::new(Script::default());
    fake.fail("*", .., Fault::slow());
    let url = fake.url();
    let waiting = thread::spawn(move || {
        let request =
            crate::http::Request { method: "GET", url, headers: Vec::new(), body: Vec::new() };
        client.send(&request, std::time::Duration::from_secs(60)).map(drop)
    });
    while fake.requests().is_empty() {
        thread::yield_now();
    }
    drop(fake);
    let _ = waiting.join().expect("it ends");
}

#[test]
fn silence_until_the_client_gives_up() {
    let caller = Caller::new(Script::default());
    caller.fake.fail("*", 1..=1, Fault::silence());
    let request = crate::http::Request {
        method: "GET",
        url: caller.fake.url(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let told = caller.client.send(&request, std::time::Duration::from_millis(50));
    assert!(told.is_err(), "{told:?}");
    caller.fake.heal();
    caller.launch();
}

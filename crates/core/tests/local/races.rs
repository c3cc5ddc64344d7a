//! Orders that cross, with each order of events made on purpose.

use std::fs::{self, FileTimes};
use std::process::Command;
use std::time::{Duration, SystemTime};

use dataflow_runner_core::fabric::local::shim;
use dataflow_runner_core::fabric::{
    Clusters, Effect, ErrorKind, Fabric, Found, Order, StepId, StepState, Token,
};
use jiff::Timestamp;

use crate::bench::{Bench, command, with_order};

const TOKEN: &str = "r-1.2.1";

fn find(bench: &Bench) -> Found<Vec<StepId>> {
    let step = command(&["true"]);
    with_order(TOKEN, &step, |order| Fabric::find(&bench.local, &bench.cluster, order).unwrap())
}

/// A shim that comes when it comes; says whether it has run its program.
fn late_shim(bench: &Bench, id: &StepId) -> bool {
    let witness = bench.folder.path().join("witness");
    let status = Command::new(std::env::current_exe().unwrap())
        .arg(shim::ARGUMENT)
        .args([&bench.logs(id), bench.folder.path()])
        .args(["1000", "machine", "touch"])
        .arg(&witness)
        .status()
        .unwrap();
    assert!(status.success());
    witness.exists()
}

/// As if it had been there for an hour.
fn set_old(bench: &Bench, id: &StepId) {
    let folder = fs::File::open(bench.logs(id)).unwrap();
    let time = SystemTime::now() - Duration::from_secs(3600);
    folder.set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// The id of an order whose shim has not come.
fn unclaimed(bench: &Bench) -> StepId {
    let id = StepId::new(format!("step.1.{TOKEN}"));
    fs::create_dir(bench.logs(&id)).unwrap();
    id
}

pub fn find_fences() {
    let bench = Bench::new();
    let id = unclaimed(&bench);
    assert_eq!(bench.status(&id).state, StepState::Pending);
    assert_eq!(find(&bench), Found::No);
    assert_eq!(find(&bench), Found::No, "and it stays so");
    assert!(!late_shim(&bench, &id));
    let status = bench.status(&id);
    assert_eq!((status.state, status.native.as_str()), (StepState::Failed, "VOID"));
    let err = bench.submit(TOKEN, &command(&["true"])).unwrap_err();
    assert_eq!((err.kind, err.effect), (ErrorKind::Conflict, Effect::Unknown));
}

pub fn found_when_it_is_there() {
    let bench = Bench::new();
    let id = unclaimed(&bench);
    assert!(late_shim(&bench, &id), "a shim in time runs its program");
    assert_eq!(find(&bench), Found::Yes(vec![id.clone()]));
    assert_eq!(bench.status(&id).state, StepState::Succeeded);
    let other = Bench::new();
    assert_eq!(find(&other), Found::No, "never heard of");
    // Started by us, whether its shim has claimed it or not.
    let own = Bench::new();
    let id = own.submit(TOKEN, &command(&["true"])).unwrap();
    assert_eq!(find(&own), Found::Yes(vec![id.clone()]));
    assert_eq!(own.end(&id).state, StepState::Succeeded);
    assert_eq!(find(&own), Found::Yes(vec![id]));
}

pub fn of_another_sending() {
    let bench = Bench::new();
    let other = |sending: &str| StepId::new(format!("step.1.r-1.2.{sending}"));
    // Others of a name like it, and what has no number.
    for like in ["step.1.r-1.22.1", "step.2.r-1.2.1", "other.1.r-1.2.2", "step.1.r-1.2.x"] {
        fs::create_dir(bench.logs(&StepId::new(like))).unwrap();
    }
    assert_eq!(find(&bench), Found::No);
    // One that was ordered just now: its shim may come, and is not kept from it.
    let young = other("2");
    fs::create_dir(bench.logs(&young)).unwrap();
    assert_eq!(find(&bench), Found::NotYet);
    assert!(late_shim(&bench, &young));
    assert_eq!(find(&bench), Found::Yes(vec![young.clone()]));
    assert_eq!(bench.status(&young).state, StepState::Succeeded);
    // One of old is given up, so that no shim can come.
    let bench = Bench::new();
    fs::create_dir(bench.logs(&young)).unwrap();
    set_old(&bench, &young);
    assert_eq!(find(&bench), Found::No);
    assert!(!late_shim(&bench, &young));
    assert_eq!(find(&bench), Found::No);
    // Of several the latest sending.
    let last = other("10");
    for id in [&other("3"), &last] {
        fs::create_dir(bench.logs(id)).unwrap();
        assert!(late_shim(&bench, id));
    }
    assert_eq!(find(&bench), Found::Yes(vec![last]));
}

pub fn given_twice() {
    let bench = Bench::new();
    let step = command(&["true"]);
    let id = bench.submit(TOKEN, &step).unwrap();
    let err = bench.submit(TOKEN, &step).unwrap_err();
    assert_eq!((err.kind, err.effect), (ErrorKind::Conflict, Effect::Unknown));
    assert_eq!(bench.end(&id).state, StepState::Succeeded, "the first is not harmed");
}

pub fn cancelled_before_it_is_claimed() {
    let bench = Bench::new();
    let id = unclaimed(&bench);
    bench.cancel(&id);
    bench.cancel(&id);
    assert_eq!(bench.status(&id).state, StepState::Pending, "its shim may still come");
    assert!(!late_shim(&bench, &id));
    let status = bench.status(&id);
    assert_eq!(status.state, StepState::Cancelled);
    assert_eq!(status.reason.as_deref(), Some("it was cancelled before it began"));
    // And where no shim comes at all.
    let bench = Bench::new();
    let id = unclaimed(&bench);
    bench.cancel(&id);
    assert_eq!(find(&bench), Found::No);
    assert_eq!(bench.status(&id).state, StepState::Cancelled);
}

pub fn the_cluster_goes_before_it_is_claimed() {
    let bench = Bench::new();
    let id = unclaimed(&bench);
    bench.local.terminate(&bench.cluster).unwrap();
    assert!(!late_shim(&bench, &id));
    assert_eq!(bench.status(&id).state, StepState::Cancelled);
    let err = bench.submit("r-1.3.1", &command(&["true"])).unwrap_err();
    assert_eq!(err.kind, ErrorKind::Conflict);
}

pub fn a_shim_that_never_came() {
    let bench = Bench::new();
    let id = unclaimed(&bench);
    assert_eq!(bench.status(&id).state, StepState::Pending);
    set_old(&bench, &id);
    let status = bench.status(&id);
    assert_eq!((status.state, status.native.as_str()), (StepState::Failed, "VOID"));
    assert_eq!(status.reason.as_deref(), Some("no shim came for it"));
    assert!(!late_shim(&bench, &id), "nor does it come any more");
    // A clock that was set back since makes it no younger.
    let bench = Bench::new();
    let id = unclaimed(&bench);
    let folder = fs::File::open(bench.logs(&id)).unwrap();
    let later = SystemTime::now() + Duration::from_secs(3600);
    folder.set_times(FileTimes::new().set_modified(later)).unwrap();
    assert_eq!(bench.status(&id).state, StepState::Failed);
}

pub fn orders_that_cannot_be() {
    let bench = Bench::new();
    let step = command(&["true"]);
    for token in ["../../x", "a/b", "", &"x".repeat(300)] {
        if let Ok(id) = bench.submit(token, &step) {
            assert_eq!(token, "", "{id}");
        }
    }
    let token = Token::new(TOKEN);
    let none = Order {
        token: &token,
        intended: Timestamp::UNIX_EPOCH,
        foreign: false,
        along: false,
        ids: &[],
        others: &[],
        steps: Vec::new(),
    };
    let err = bench.local.submit(&bench.cluster, &none).unwrap_err();
    assert_eq!(err.kind, ErrorKind::Unsupported);
    let err = bench.submit(TOKEN, &command(&["no-such-program"])).unwrap_err();
    assert_eq!((err.kind, err.effect), (ErrorKind::Config, Effect::None));
    assert_eq!(err.message, "the program is not found in PATH");
    let long = "x".repeat(10_000_000);
    let err = bench.submit(TOKEN, &command(&["true", &long])).unwrap_err();
    assert_eq!((err.kind, err.effect), (ErrorKind::Config, Effect::None), "{err}");
    let id = bench.submit(TOKEN, &step).expect("what failed without effect left nothing behind");
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    let unheard = StepId::new("step.1.unheard");
    assert_eq!(bench.status(&unheard).state, StepState::Unknown);
}

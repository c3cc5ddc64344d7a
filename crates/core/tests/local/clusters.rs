//! Clusters made and removed.

use std::fs;
use std::time::Duration;

use dataflow_runner_core::fabric::{
    Cause, ClusterId, ClusterState, Clusters, ErrorKind, Fabric, Found, Launch, Query, StepState,
};

use jiff::Timestamp;

use crate::bench::{Bench, config, down, kill, launch, lives, pid, text};

pub fn up_and_down() {
    let bench = Bench::new();
    assert!(bench.cluster.as_str().starts_with("local-20270115T080000Z-"), "{}", bench.cluster);
    let status = bench.local.inspect(&bench.cluster).unwrap();
    assert_eq!((status.state, status.name.as_str()), (ClusterState::Ready, "test"));
    assert_eq!(status.created, Some(launch("").intended));
    assert_eq!(bench.local.list(&Query::All).unwrap(), [status]);
    let id = bench.script("r-1.2.1", "echo out; echo kept > kept");
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    bench.local.terminate(&bench.cluster).unwrap();
    let status = down(&bench.local, &bench.bell, &bench.cluster);
    assert_eq!((status.state, status.cause), (ClusterState::Stopped, Some(Cause::User)));
    assert!(!bench.work_folder().join(bench.cluster.as_str()).exists());
    assert_eq!(bench.local.list(&Query::All).unwrap(), []);
    bench.local.terminate(&bench.cluster).expect("asking again is fine");
    assert_eq!(bench.status(&id).state, StepState::Succeeded, "what was proven stays proven");
    assert_eq!(bench.log(&id, "stdout"), "out\n");
}

pub fn launched_once() {
    let bench = Bench::new();
    assert_eq!(bench.local.launch(&launch("r-1.1.1")).unwrap(), bench.cluster);
    let (other, _) = bench.another();
    assert_eq!(
        Clusters::find(&other, &launch("r-1.1.1")).unwrap(),
        Found::Yes(bench.cluster.clone())
    );
    assert_eq!(Clusters::find(&other, &launch("r-2.1.1")).unwrap(), Found::No);
    let second = other.launch(&launch("r-2.1.1")).unwrap();
    assert_ne!(second, bench.cluster);
    assert_eq!(other.list(&Query::All).unwrap().len(), 2);
    // One that was begun and never done is not there, and is made when asked for again.
    let folder = bench.work_folder();
    fs::remove_file(folder.join("logs").join(second.as_str()).join("cluster.json")).unwrap();
    assert_eq!(Clusters::find(&other, &launch("r-2.1.1")).unwrap(), Found::No);
    assert_eq!(other.launch(&launch("r-2.1.1")).unwrap(), second);
    // One that is gone is not made again under the same name, and found, so that its end is known.
    fs::remove_dir_all(folder.join(second.as_str())).unwrap();
    assert_eq!(Clusters::find(&other, &launch("r-2.1.1")).unwrap(), Found::Yes(second.clone()));
    assert_eq!(other.inspect(&second).unwrap().state, ClusterState::Stopped);
    assert_eq!(other.launch(&launch("r-2.1.1")).unwrap_err().kind, ErrorKind::Conflict);
}

pub fn found_by_another_process() {
    let bench = Bench::new();
    let (other, _) = bench.another();
    // It asks with a time and a sending of its own.
    let ask = |seconds| {
        let intended = Timestamp::from_second(seconds).unwrap();
        let order = Launch { intended, foreign: true, ..launch("r-1.1.4") };
        Clusters::find(&other, &order).unwrap()
    };
    assert_eq!(ask(0), Found::Yes(bench.cluster.clone()));
    bench.local.terminate(&bench.cluster).unwrap();
    down(&bench.local, &bench.bell, &bench.cluster);
    assert_eq!(ask(0), Found::Yes(bench.cluster.clone()), "how it ended is to be known");
    let marker = bench.work_folder().join("logs").join(bench.cluster.as_str()).join("stopping");
    let ended = Timestamp::try_from(marker.metadata().unwrap().modified().unwrap()).unwrap();
    assert_eq!(ask(ended.as_second()), Found::Yes(bench.cluster.clone()));
    assert_eq!(ask(ended.as_second() + 1), Found::No, "it ended before");
    // What is no cluster of ours is none of the order's either.
    fs::create_dir(bench.work_folder().join("logs/precious")).unwrap();
    assert_eq!(ask(0), Found::Yes(bench.cluster.clone()));
}

pub fn terminated_by_another() {
    let bench = Bench::with(config(Duration::from_millis(50)));
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let wait = r#"echo $$ >"$0/up"; read x <"$0/gate""#;
    let one = bench.script("r-1.2.1", wait);
    let two = bench.script("r-1.3.1", &format!("trap '' TERM; {wait}"));
    let pids = [up.line(), up.line()];
    let (other, bell) = bench.another();
    other.terminate(&bench.cluster).unwrap();
    other.terminate(&bench.cluster).unwrap();
    let stopping = bench.local.inspect(&bench.cluster).unwrap();
    assert!(matches!(stopping.state, ClusterState::Stopping | ClusterState::Stopped));
    assert_eq!(down(&other, &bell, &bench.cluster).state, ClusterState::Stopped);
    assert!(!pids.iter().any(|pid| lives(pid)), "nothing runs when the cluster is down");
    for id in [&one, &two] {
        assert_eq!(bench.end(id).state, StepState::Cancelled);
    }
}

pub fn terminated_with_orphans() {
    let bench = Bench::with(config(Duration::from_millis(50)));
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    // The leader of the group ends; one that ignores TERM stays.
    let stubborn = r#"trap "" TERM; echo $$ >"$0/up"; read x <"$0/gate""#;
    let script = format!("sh -c '{stubborn}' \"$0\" & read x <\"$0/gate\"");
    let id = bench.script("r-1.2.1", &script);
    let left = up.line();
    let record = bench.logs(&id).join("record");
    let tool = pid(&record, "tool");
    kill(&pid(&record, "shim"));
    assert_eq!(bench.end(&id).state, StepState::Unknown);
    kill(&tool);
    assert!(lives(&left));
    bench.local.terminate(&bench.cluster).unwrap();
    assert_eq!(down(&bench.local, &bench.bell, &bench.cluster).state, ClusterState::Stopped);
    assert!(!lives(&left));
    assert_eq!(bench.status(&id).state, StepState::Unknown, "never a success");
}

pub fn only_our_own() {
    let bench = Bench::new();
    let folder = bench.work_folder().join("local-precious");
    fs::create_dir(&folder).unwrap();
    for id in ["local-precious", "staged", "logs", "..", "", "local-none"] {
        let id = ClusterId::new(id);
        assert_eq!(bench.local.terminate(&id).unwrap_err().kind, ErrorKind::NotFound, "{id}");
        assert_eq!(bench.local.inspect(&id).unwrap_err().kind, ErrorKind::NotFound, "{id}");
        assert_eq!(
            bench
                .local
                .poll(&id, &[dataflow_runner_core::fabric::StepId::new("x")])
                .unwrap_err()
                .kind,
            ErrorKind::NotFound,
            "{id}"
        );
    }
    assert!(folder.exists());
    assert_eq!(bench.local.list(&Query::All).unwrap().len(), 1);
    let mut config = config(Duration::ZERO);
    config.name = text("n");
    let capabilities = bench.local.capabilities();
    assert_eq!(capabilities.parallel.map(u32::from), Some(8));
    assert!(capabilities.pace.rings && !capabilities.ordered_queue);
}

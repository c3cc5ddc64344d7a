//! What may break around a step.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::fabric::{
    ClusterState, Clusters, ErrorKind, Fabric, Query, StepId, StepState,
};

use crate::bench::{self, Bench, command, config, kill, launch, lives, pid, until};

/// The first argument that makes this binary a program that will be killed.
pub const DOOMED: &str = "doomed";

/// Starts steps, says which and when the first has ended, and waits to be killed.
pub fn doomed(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(work_folder), Some(folder)) = (arguments.next(), arguments.next()) else {
        return ExitCode::FAILURE;
    };
    let bell = Arc::new(Bell::new());
    let local = bench::local(Path::new(&work_folder), config(Duration::from_secs(60)), &bell);
    let cluster = local.launch(&launch("r-1.1.1")).unwrap();
    let wait = r#"echo up >"$0/up"; read x <"$0/gate"; exit 6"#;
    let ids = [wait, wait, "exit 5"].into_iter().enumerate().map(|(n, script)| {
        let step = command(&["sh", "-c", script, folder.to_str().unwrap()]);
        let id = bench::submit(&local, &cluster, &format!("r-1.{n}.1"), &step).unwrap();
        println!("{id}");
        id
    });
    let ids: Vec<_> = ids.collect();
    bench::end(&local, &bell, &cluster, &ids[2]);
    println!("ended");
    _ = std::io::stdin().read(&mut [0]);
    ExitCode::SUCCESS
}

pub fn the_program_is_killed() {
    let bench = Bench::new();
    let (mut up, mut gate) = (bench.pipe("up"), bench.pipe("gate"));
    let mut doomed = Command::new(std::env::current_exe().unwrap())
        .arg(DOOMED)
        .args([&bench.work_folder(), bench.folder.path()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(doomed.stdout.take().unwrap());
    let mut lines = out.lines().map(Result::unwrap);
    let ids: Vec<_> = lines.by_ref().take(3).map(StepId::new).collect();
    up.line();
    up.line();
    assert_eq!(lines.next().as_deref(), Some("ended"));
    let idle = pid(&bench.logs(&ids[2]).join("record"), "shim");
    doomed.kill().unwrap();
    doomed.wait().unwrap();
    // This program knows nothing but what lies in the folder.
    assert_eq!(bench.end(&ids[2]).exit_code, Some(5));
    until("the shim without a step ends", || !lives(&idle));
    let ids = &ids[..2];
    assert_eq!(bench.status(&ids[0]).state, StepState::Running);
    assert_eq!(bench.status(&ids[1]).state, StepState::Running);
    gate.go();
    until("one of them ends, and the bell rings for it", || {
        assert!(bench.bell.wait(Duration::from_secs(60)).ended);
        ids.iter().any(|id| bench.status(id).exit_code == Some(6))
    });
    for id in ids {
        bench.cancel(id);
    }
    let states: Vec<_> = ids.iter().map(|id| bench.end(id).state).collect();
    assert!(
        states.contains(&StepState::Failed) && states.contains(&StepState::Cancelled),
        "{states:?}"
    );
}

pub fn the_shim_is_killed() {
    let bench = Bench::with(config(Duration::from_millis(50)));
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let id = bench.script("r-1.2.1", r#"trap '' TERM; echo $$ >"$0/up"; read x <"$0/gate""#);
    let tool = up.line();
    let record = bench.logs(&id).join("record");
    // The program may be quicker than the shim, which notes it once it has started it.
    assert_eq!(pid(&record, "tool"), tool);
    kill(&pid(&record, "shim"));
    let status = bench.end(&id);
    assert_eq!((status.state, status.native.as_str()), (StepState::Unknown, "LOST"));
    let reason = status.reason.unwrap();
    assert!(reason.contains(&format!("its program still runs as process {tool}")), "{reason}");
    assert_eq!(bench.status(&id).state, StepState::Unknown);
    // Nobody but us can end what it looked after.
    bench.cancel(&id);
    until("the orphan is gone", || !lives(&tool));
    let status = bench.status(&id);
    assert_eq!(status.state, StepState::Unknown, "its end was seen by nobody");
    assert_eq!(
        status.reason.as_deref(),
        Some("its shim is gone without telling how the step ended")
    );
}

/// A step that has succeeded, whose record is then changed behind everyone's back.
fn rewritten(change: impl FnOnce(String) -> String) -> (StepState, String) {
    let bench = Bench::new();
    let id = bench.script("r-1.2.1", "exit 0");
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    let record = bench.logs(&id).join("record");
    let text = change(fs::read_to_string(&record).unwrap());
    fs::write(&record, text).unwrap();
    let status = bench.status(&id);
    let (other, _) = bench.another();
    let same = bench::status(&other, &bench.cluster, &id);
    assert_eq!(same, status);
    (status.state, status.native)
}

pub fn a_torn_record() {
    let cut = |text: String| text[..text.len() - 1].to_owned();
    assert_eq!(rewritten(cut), (StepState::Unknown, "LOST".into()));
    let zeros = |text: String| text.replace("tool", "\0\0\0\0");
    assert_eq!(rewritten(zeros), (StepState::Unknown, "DAMAGED".into()));
    // Somebody may just be writing it: it has its time.
    assert_eq!(rewritten(|_| String::new()), (StepState::Pending, "STARTING".into()));
}

/// A record without an end, whose shim is this very process, but for `change`.
fn forged(change: impl FnOnce(&mut Vec<String>)) -> (StepState, String) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let start = stat[stat.rfind(')').unwrap()..].split(' ').nth(20).unwrap().to_owned();
    rewritten(|text| {
        let first = text.lines().next().unwrap();
        let mut words: Vec<_> = first.split(' ').map(str::to_owned).collect();
        // One that ends with its step; of others see `again`.
        words[1] = "1".into();
        words[3] = std::process::id().to_string();
        words[4] = start;
        change(&mut words);
        words.join(" ") + "\n"
    })
}

pub fn a_pid_that_belongs_to_another() {
    assert_eq!(forged(|_| {}), (StepState::Running, "RUNNING".into()), "the forgery is good");
    let other_start = |words: &mut Vec<String>| words[4] = "1".into();
    assert_eq!(forged(other_start), (StepState::Unknown, "LOST".into()));
    let unknown_start = |words: &mut Vec<String>| words[4] = "0".into();
    assert_eq!(forged(unknown_start), (StepState::Unknown, "LOST".into()));
}

pub fn another_boot() {
    let other_boot = |words: &mut Vec<String>| words[2] = "other".into();
    assert_eq!(forged(other_boot), (StepState::Unknown, "ELSEWHERE".into()));
}

pub fn a_process_of_another_machine_is_left_alone() {
    let bench = Bench::new();
    let id = bench.script("r-1.2.1", "exit 0");
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    let path = bench.logs(&id).join("record");
    let record = fs::read_to_string(&path).unwrap();
    let machine = record.split(' ').nth(2).unwrap();
    // Numbers as those of a process here.
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let start = stat[stat.rfind(')').unwrap()..].split(' ').nth(20).unwrap();
    for (machine, ends) in [("other", false), (machine, true)] {
        fs::write(&path, format!("shim 1 {machine} {} {start}\n", child.id())).unwrap();
        let (other, _) = bench.another();
        other.cancel(&bench.cluster, std::slice::from_ref(&id)).unwrap();
        if ends {
            assert_eq!(
                std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()),
                Some(15)
            );
        } else {
            assert_eq!(child.try_wait().unwrap(), None);
        }
    }
}

pub fn the_work_folder_vanishes() {
    let bench = Bench::new();
    let (mut up, mut gate) = (bench.pipe("up"), bench.pipe("gate"));
    let id = bench.script("r-1.2.1", r#"echo up >"$0/up"; read x <"$0/gate""#);
    up.line();
    fs::remove_dir_all(bench.work_folder()).unwrap();
    gate.go();
    let status = bench.end(&id);
    assert_eq!((status.state, status.native.as_str()), (StepState::Unknown, "GONE"));
    assert!(status.reason.unwrap().contains("is gone"));
    let err = bench.submit("r-1.3.1", &command(&["true"])).unwrap_err();
    assert_eq!(err.kind, ErrorKind::NotFound);
    assert!(err.message.contains("there is no cluster `local-"), "{}", err.message);
    let err = bench.local.cancel(&bench.cluster, &[id]).unwrap_err();
    assert_eq!(err.kind, ErrorKind::NotFound);
    assert_eq!(bench.local.inspect(&bench.cluster).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(bench.local.terminate(&bench.cluster).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(bench.local.list(&Query::All).unwrap(), []);
}

/// Whatever of the folders vanishes, a program ends what it started there.
pub fn what_runs_in_a_vanished_folder_is_ended() {
    for cancelled in [true, false] {
        for gone in ["", "logs", "cluster"] {
            let bench = Bench::with(config(Duration::from_millis(50)));
            let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
            let stubborn = r#"trap '' TERM; echo $$ >"$0/up"; read x <"$0/gate""#;
            let id = bench.script("r-1.2.1", stubborn);
            let tool = up.line();
            let folder = match gone {
                "cluster" => bench.work_folder().join(bench.cluster.as_str()),
                gone => bench.work_folder().join(gone),
            };
            fs::remove_dir_all(folder).unwrap();
            if cancelled {
                bench.cancel(&id);
                let status = bench::end_or_gone(&bench, &id);
                assert_ne!(status, Some(StepState::Succeeded));
            } else {
                bench.local.terminate(&bench.cluster).unwrap();
                bench::down_or_gone(&bench.local, &bench.bell, &bench.cluster);
            }
            assert!(!lives(&tool), "{gone} {cancelled}");
            let again = bench.local.terminate(&bench.cluster).map_err(|err| err.kind);
            assert!(matches!(again, Ok(()) | Err(ErrorKind::NotFound)), "{again:?}");
        }
    }
}

pub fn a_cluster_that_cannot_be_removed() {
    let bench = Bench::new();
    let folder = bench.work_folder().join(bench.cluster.as_str());
    fs::remove_dir_all(&folder).unwrap();
    // Nothing that we made, so nothing that we remove.
    fs::write(&folder, "").unwrap();
    bench.local.terminate(&bench.cluster).unwrap();
    let status = loop {
        let status = bench.local.inspect(&bench.cluster).unwrap();
        if status.state != ClusterState::Stopping {
            break status;
        }
        assert!(bench.bell.wait(Duration::from_secs(60)).ended);
    };
    assert_eq!((status.state, status.native.as_str()), (ClusterState::Unknown, "NOT_REMOVED"));
    assert!(status.reason.unwrap().starts_with("cannot remove `/"));
}

pub fn a_work_folder_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let bell = Arc::new(Bell::new());
    let kind = |path: PathBuf| {
        let local = bench::local(&path, config(Duration::ZERO), &bell);
        local.launch(&launch("r-1.1.1")).unwrap_err().kind
    };
    fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(kind(folder.path().join("file/x")), ErrorKind::Config);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    // Whom permissions do not stop (root) cannot try this.
    if fs::write(folder.path().join("try"), "").is_err() {
        assert_eq!(kind(folder.path().join("x")), ErrorKind::Config);
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
}

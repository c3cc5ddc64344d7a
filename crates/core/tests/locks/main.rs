//! Processes that want the same lock at the same time. This binary is also those processes, so it has a main of its
//! own.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "all of it is tests, though without the attribute that would tell"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock;
use dataflow_runner_core::environment::Environment;
use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::lock::consul::fake::Fake;
use dataflow_runner_core::lock::consul::{Consul, Settings};
use dataflow_runner_core::lock::{Here, Holder, Kind, Lock, Refusal, Released, Taker};
use libtest_mimic::{Arguments, Trial};

/// The first argument of a process that wants the lock.
const CONTENDER: &str = "contend";
/// So often each of them has to get it.
const ROUNDS: u32 = 100;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(CONTENDER) {
        contend(&arguments.collect::<Vec<_>>());
        return ExitCode::SUCCESS;
    }
    let tests: [(&str, fn()); 4] = [
        ("two_processes_and_a_hard_file", || race(2, Kind::Hard, Where::File, End::Release)),
        ("six_processes_and_a_soft_file_left_by_the_dead", || {
            race(6, Kind::Soft, Where::File, End::Die);
        }),
        ("two_processes_and_a_hard_key", || race(2, Kind::Hard, Where::Consul, End::Release)),
        ("two_processes_and_a_soft_key", || race(2, Kind::Soft, Where::Consul, End::Release)),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = tests.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

enum Where {
    File,
    Consul,
}

/// What becomes of the lock after each round.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Release,
    /// It stays, as of a process that has died.
    Die,
}

/// Each of them gets the lock so often, and never two at once.
fn race(processes: usize, kind: Kind, place: Where, end: End) {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start().unwrap();
    let lock = folder.path().join("lock");
    let (lock, address) = match place {
        Where::File => (lock.to_str().unwrap(), String::new()),
        Where::Consul => ("locks/a", fake.address()),
    };
    let witness = folder.path().join("witness");
    let dead = folder.path().join("dead");
    if end == End::Die {
        fs::write(&dead, dead_line()).unwrap();
    }
    let kind = if kind == Kind::Hard { "hard" } else { "soft" };
    let spawn = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([CONTENDER, kind, lock, &address]).arg(&witness);
        if end == End::Die {
            command.arg(&dead);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let mut children: Vec<Child> = (0..processes).map(|_| spawn()).collect();
    // None begins before all are there.
    for child in &mut children {
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

fn contend(arguments: &[String]) {
    let [kind, path, address, witness, dead @ ..] = arguments else { panic!("{arguments:?}") };
    let kind = if kind == "hard" { Kind::Hard } else { Kind::Soft };
    let bell = Arc::new(Bell::new());
    let lock = if address.is_empty() {
        Lock::file(path)
    } else {
        let environment = Environment::default();
        let settings = Settings::of(address, &environment).unwrap();
        let consul = Consul::new(settings, &environment, &bell).unwrap();
        Lock::consul(Arc::new(consul), path).unwrap()
    };
    println!("ready");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
    let mut won = 0;
    for round in 0.. {
        let chance = u64::from(std::process::id()) << 32 | round;
        let holder = holder(kind, chance);
        let taker = Taker { holder: &holder, bell: &bell, tell: Arc::new(|_| {}) };
        let held = match lock.take(&taker) {
            Ok(held) => held,
            Err(Refusal::Taken(_)) => {
                std::thread::yield_now();
                continue;
            }
            Err(other) => panic!("{other:?}"),
        };
        inside(Path::new(witness));
        match dead.first() {
            None => assert_eq!(held.release(), Ok(Released::Freed)),
            Some(dead) => {
                // As if it had always been another's, who is dead by now.
                let left = format!("{path}.{chance}");
                fs::copy(dead, &left).unwrap();
                fs::rename(&left, path).unwrap();
            }
        }
        won += 1;
        if won == ROUNDS {
            return;
        }
    }
}

/// What only one may do at a time.
fn inside(witness: &Path) {
    let alone = fs::OpenOptions::new().write(true).create_new(true).open(witness);
    assert!(alone.is_ok(), "two hold the lock: {alone:?}");
    std::thread::yield_now();
    fs::remove_file(witness).unwrap();
}

fn holder(kind: Kind, chance: u64) -> Holder {
    let here = Here { user: "u".into(), host: "here".into() };
    Holder::new(kind, here, RunId::new("r-1"), "0.8.0", clock::timestamp(), chance)
}

/// What a process that is gone had written: this one's line, with the number of one that has ended.
fn dead_line() -> String {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("lock");
    let (bell, holder) = (Arc::default(), holder(Kind::Soft, 1));
    let taker = Taker { holder: &holder, bell: &bell, tell: Arc::new(|_| {}) };
    let _held = Lock::file(&path).take(&taker).unwrap();
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    let line = fs::read_to_string(&path).unwrap();
    let own = format!("\"pid\":{},", std::process::id());
    assert!(line.contains(&own), "{line}");
    line.replace(&own, &format!("\"pid\":{pid},"))
}

//! The soak: runs of random playbooks on the fakes while three of ten requests are faulty, each judged by what really
//! happened.
//!
//! `DATAFLOW_RUNNER_SOAK=2000` runs so many on each fake; `DATAFLOW_RUNNER_SOAK_SEED=emr:17` runs one and shows it.

mod dice;
mod emr;
mod faults;
mod memory;
mod oracle;
mod run;
mod spec;
mod truth;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use run::Went;

/// The id of every run.
pub(crate) const RUN: &str = "r-21000101T000000Z-000000";

/// So many on each fake where nobody says how many.
const RUNS: u64 = 200;

/// So many go on side by side: most of their time they wait for each other's bytes.
const AT_ONCE: usize = 4;

#[expect(clippy::disallowed_methods, reason = "set by whoever runs the tests, not by a test")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[test]
fn emr() {
    soak("emr", emr::run);
}

#[test]
fn memory() {
    soak("memory", memory::run);
}

/// Runs one seed after the other, and tells in one line what came of them.
fn soak(fake: &str, run: fn(u64) -> Went) {
    let count = setting("DATAFLOW_RUNNER_SOAK").map_or(RUNS, |n| n.parse().expect("a number"));
    let one = setting("DATAFLOW_RUNNER_SOAK_SEED").map(|text| {
        let (of, seed) = text.split_once(':').expect("FAKE:SEED");
        (of == fake).then(|| seed.parse::<u64>().expect("a number"))
    });
    let seeds = match one {
        None => 0..count,
        Some(None) => 0..0,
        Some(Some(seed)) => seed..seed + 1,
    };
    let next = AtomicU64::new(seeds.start);
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !seeds.contains(&seed) {
                        return;
                    }
                    let went = catch_unwind(AssertUnwindSafe(|| run(seed)));
                    all.lock().unwrap_or_else(PoisonError::into_inner).push((seed, went.ok()));
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by_key(|(seed, _)| *seed);
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    let (mut requests, mut faulty) = (0, 0);
    for (seed, went) in &all {
        let Some(went) = went else {
            wrong.push(format!("{fake}:{seed} panicked"));
            continue;
        };
        requests += went.requests;
        faulty += went.faulty;
        *outcomes.entry(went.outcome).or_default() += 1;
        if let Some((reason, why)) = &went.doubt {
            println!("{fake}:{seed} in doubt: {reason} {why:?}");
        }
        if went.lag > 900 {
            println!("{fake}:{seed} ends {} s late, {}", went.lag, went.outcome);
        }
        if !went.wrong.is_empty() {
            wrong.push(format!("{fake}:{seed}\n  {}\n{}", went.wrong.join("\n  "), went.said));
        }
    }
    println!("{fake}: {} runs, {requests} requests, {faulty} faulty, {outcomes:?}", all.len());
    for one in &wrong {
        println!("{}", one.lines().take(6).collect::<Vec<_>>().join("\n"));
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), all.len(), wrong[0]);
}

//! The soak: random playbooks on the fakes while three of ten requests are faulty, each run judged by what really happened.
//!
//! `DATAFLOW_RUNNER_SOAK=2000` makes so many runs on each fake. `DATAFLOW_RUNNER_SOAK_SEED=emr:17` makes that one, as it was
//! named where it failed.

mod diary;
mod dice;
mod emr;
mod faults;
mod memory;
mod oracle;
mod run;
mod spec;
mod tally;
mod truth;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use run::Went;
use tally::Tally;

/// The id of every run.
pub(crate) const RUN: &str = "r-21000101T000000Z-000000";

/// So many go on side by side: most of their time they wait for each other's bytes.
const AT_ONCE: usize = 4;

#[test]
fn emr() {
    let (line, wrong) = soak("emr", 120, emr::run);
    println!("{line}");
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

#[test]
fn memory() {
    let (line, wrong) = soak("memory", 400, memory::run);
    println!("{line}");
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

/// Makes the runs of a fake, and tells in one line what came of them, and what went wrong.
fn soak(fake: &str, usual: u64, run: fn(u64) -> Went) -> (String, Option<String>) {
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::new(fake));
    let seeds = seeds(fake, usual);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = seeds.start + next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let went = catch_unwind(AssertUnwindSafe(|| run(seed))).ok();
                    tally.lock().unwrap_or_else(PoisonError::into_inner).count(seed, went);
                }
            });
        }
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner).told()
}

fn seeds(fake: &str, usual: u64) -> Range<u64> {
    let number = |text: &str| text.parse().expect("a number");
    match (setting("DATAFLOW_RUNNER_SOAK_SEED"), setting("DATAFLOW_RUNNER_SOAK")) {
        (Some(one), _) => match one.split_once(':') {
            Some((of, seed)) if of == fake => number(seed)..number(seed) + 1,
            _ => 0..0,
        },
        (None, Some(count)) => 0..number(&count),
        (None, None) => 0..usual,
    }
}

#[expect(clippy::disallowed_methods, reason = "set by whoever runs the tests, not by a test")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

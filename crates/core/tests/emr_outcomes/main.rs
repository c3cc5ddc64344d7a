//! Every row of `fixtures/emr/outcomes.txt`: cluster state, reason, states of steps and faults, and what comes of them.
//!
//! The rows go through the engine, the EMR fabric and its HTTP client against the fake's world. Only the clock is turned by
//! hand, so hours take no time.

mod fabric;
mod row;
mod run;
mod side;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use row::{Row, rows};

/// So many rows are run side by side: most of their time they wait for each other's bytes.
const AT_ONCE: usize = 4;

fn table() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/emr/outcomes.txt");
    rows(&std::fs::read_to_string(path).expect("the table is there"))
}

#[test]
fn the_rows_are_distinct() {
    let rows = table();
    let causes: BTreeSet<String> = rows
        .iter()
        .map(|row| row.text.split('|').take(4).map(str::trim).collect::<Vec<_>>().join("|"))
        .collect();
    assert_eq!(causes.len(), rows.len());
    assert!(rows.len() >= 200, "{}", rows.len());
}

#[test]
fn every_row_comes_out_as_it_says() {
    let rows = table();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(fault) = fault(row) {
                        wrong
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push((row.line, fault));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    wrong.sort();
    let told: Vec<_> = wrong.iter().map(|(line, fault)| format!("line {line}: {fault}")).collect();
    assert!(told.is_empty(), "{} of {} rows\n\n{}", told.len(), rows.len(), told.join("\n\n"));
}

/// What is wrong with a row, if anything.
fn fault(row: &Row) -> Option<String> {
    let Ok(came) = catch_unwind(AssertUnwindSafe(|| run::run(row))) else {
        return Some(format!("{}\n  it panicked", row.text));
    };
    let mut wrong = Vec::new();
    if came.exit != row.exit {
        wrong.push(format!("exit code {}", came.exit));
    }
    if !row.ends.is_empty() && came.ends != row.ends {
        wrong.push(format!("ends {}", came.ends.join(" ")));
    }
    if (came.made, came.left) != (row.made, row.left) {
        wrong.push(format!("clusters {}/{}", came.made, came.left));
    }
    if !came.said.contains(&row.says) {
        wrong.push("it does not say so".to_owned());
    }
    wrong.extend(came.violations);
    (!wrong.is_empty()).then(|| format!("{}\n  {}\n{}", row.text, wrong.join("; "), came.said))
}

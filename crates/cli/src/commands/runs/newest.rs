//! Runs, newest first.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::journal::{self, Begun, Error};
use dataflow_runner_core::report::Summary;
use jiff::Timestamp;

/// So many runs are not worth another thread.
const FEW: usize = 256;

/// How many characters a time has in an id: `20261122T101500Z`.
const SECOND: usize = 16;

/// The second in which a run was asked for, if its id begins with it. One that waited for a lock was begun later.
fn second(id: &RunId) -> Option<u64> {
    let (time, rest) = id.as_str().strip_prefix("r-")?.split_at_checked(SECOND)?;
    (rest.starts_with('-') && time.starts_with(|c: char| c.is_ascii_digit())).then(|| digits(time))
}

/// The same of a time.
fn second_of(time: Timestamp) -> u64 {
    digits(&time.strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// The digits of a time as one number: a later one is a larger one.
fn digits(time: &str) -> u64 {
    let digits = time.bytes().filter(u8::is_ascii_digit);
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// The ids of those runs among which the newest is, oldest first.
pub(super) fn list(folder: &Path) -> Result<Vec<RunId>, Error> {
    let (mut kept, mut timeless) = (Vec::new(), Vec::new());
    let mut newest = None;
    for id in journal::ids(folder)? {
        let id = id?;
        let second = second(&id);
        if second.is_none() {
            timeless.push(id);
        } else if second >= newest {
            if second > newest {
                kept.clear();
                newest = second;
            }
            kept.push(id);
        }
    }
    kept.append(&mut timeless);
    kept.sort();
    Ok(kept)
}

/// How each run was begun, newest first. A journal is looked into when it is its turn, but for those of ids that tell
/// no time.
pub(super) fn first<'a>(
    ids: &'a [RunId],
    folder: &'a Path,
) -> impl Iterator<Item = (&'a RunId, Option<Begun>)> {
    let begun = |id: &RunId| journal::begun(&journal::folder(folder, id)).ok();
    let of = |id: &'a RunId| match second(id) {
        Some(second) => second,
        // What cannot be read is older than all.
        None => begun(id).map(|(created, _)| second_of(created)).unwrap_or_default(),
    };
    let mut all: Vec<(u64, &'a RunId)> = ids.iter().map(|id| (of(id), id)).collect();
    all.sort();
    let mut waiting = Vec::new();
    std::iter::from_fn(move || {
        if waiting.is_empty() {
            let (newest, _) = all.last()?;
            let from = all.partition_point(|(second, _)| second < newest);
            // Of those of one second the journals tell more.
            waiting = all.split_off(from).into_iter().map(|(_, id)| (id, begun(id))).collect();
            waiting.sort_by_key(|(_, begun)| begun.as_ref().map(|(created, _)| *created));
        }
        waiting.pop().map(|(id, begun)| (id, begun.and_then(|(_, begun)| begun)))
    })
}

/// What `line` makes of each run, newest first.
pub(super) fn lines<'a, T: Send>(
    ids: &'a [RunId],
    folder: &Path,
    line: impl Fn(Summary) -> T + Sync,
) -> Vec<(&'a RunId, Result<T, Error>)> {
    let told = |id: &'a RunId| {
        let summary = journal::glance(&journal::folder(folder, id)).map(Summary::of);
        let created = summary.as_ref().ok().map(|summary| summary.begun);
        let second = second(id).or_else(|| created.map(second_of));
        (Reverse((second, created)), id, summary.map(&line))
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let each = ids.len().div_ceil(threads).max(FEW);
    let mut all: Vec<_> = thread::scope(|scope| {
        let mut parts = ids.chunks(each);
        let own = parts.next().unwrap_or_default();
        let others: Vec<_> =
            parts.map(|part| scope.spawn(|| part.iter().map(told).collect::<Vec<_>>())).collect();
        let mut all: Vec<_> = own.iter().map(told).collect();
        // A panic of another thread is one of this.
        all.extend(
            others.into_iter().flat_map(|part| {
                part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }),
        );
        all
    });
    all.sort_by_key(|(age, ..)| *age);
    all.into_iter().map(|(_, id, line)| (id, line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_runs_that_may_be_the_newest_are_kept() {
        let state = tempfile::tempdir().expect("a folder can be made");
        let path = state.path();
        assert_eq!(list(path).expect("there is no folder"), []);
        let newest = ["r-20261122T101501Z-a", "r-20261122T101501Z-b"];
        // Those of keys, and what no program of ours made, tell no time: only their journals do.
        let timeless = ["k-0123", "r-2", "r-20261122T101502Z", "r-latest-of-all-16-x"];
        let older = ["r-20261122T101500Z-z", "r-20261121T235959Z-c", "r-20251231T235959Z-d"];
        for id in newest.iter().chain(&timeless).chain(&older) {
            std::fs::create_dir_all(journal::folder(path, &RunId::new(*id))).expect("it is made");
        }
        let mut expected: Vec<_> = newest.into_iter().chain(timeless).map(RunId::new).collect();
        expected.sort();
        assert_eq!(list(path).expect("it can be listed"), expected);
        let all = journal::list(path).expect("it can be listed");
        let first = |ids| first(ids, path).next().map(|(id, _)| id.clone());
        assert_eq!(first(&expected), first(&all));
        assert_eq!(first(&all), Some(RunId::new(newest[1])));
    }

    #[test]
    fn a_time_is_the_same_number_in_an_id_and_in_a_journal() {
        let time: Timestamp = "2026-11-22T10:15:00.9Z".parse().expect("a time");
        assert_eq!(second_of(time), 20_261_122_101_500);
        assert_eq!(second(&RunId::fresh(time, 7)), Some(second_of(time)));
    }
}

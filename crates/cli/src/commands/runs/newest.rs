//! Runs, newest first.

use std::borrow::Cow;
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
fn second(id: &RunId) -> Option<&str> {
    let (time, _) = id.as_str().strip_prefix("r-")?.split_once('-')?;
    (time.len() == SECOND && time.starts_with(|c: char| c.is_ascii_digit())).then_some(time)
}

/// The same of a time.
fn second_of(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// How each run was begun, newest first. A journal is looked into when it is its turn, but for those of ids that tell
/// no time.
pub(super) fn first<'a>(
    ids: &'a [RunId],
    folder: &'a Path,
) -> impl Iterator<Item = (&'a RunId, Option<Begun>)> {
    let begun = |id: &RunId| journal::begun(&journal::folder(folder, id)).ok();
    let of = |id: &'a RunId| match second(id) {
        Some(second) => Cow::Borrowed(second),
        // What cannot be read is older than all.
        None => begun(id).map(|(created, _)| second_of(created)).unwrap_or_default().into(),
    };
    let mut all: Vec<(Cow<'a, str>, &'a RunId)> = ids.iter().map(|id| (of(id), id)).collect();
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

/// A line for each run, newest first.
pub(super) fn summaries<'a>(
    ids: &'a [RunId],
    folder: &Path,
) -> Vec<(&'a RunId, Result<Summary, Error>)> {
    let glance =
        |id: &'a RunId| (id, journal::glance(&journal::folder(folder, id)).map(Summary::of));
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let each = ids.len().div_ceil(threads).max(FEW);
    let mut all: Vec<_> =
        thread::scope(|scope| {
            let mut parts = ids.chunks(each);
            let own = parts.next().unwrap_or_default();
            let others: Vec<_> = parts
                .map(|part| scope.spawn(move || part.iter().map(glance).collect::<Vec<_>>()))
                .collect();
            let mut all: Vec<_> = own.iter().map(glance).collect();
            // A panic of another thread is one of this.
            all.extend(others.into_iter().flat_map(|part| {
                part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }));
            all
        });
    all.sort_by_cached_key(|(id, summary)| {
        let created = summary.as_ref().ok().map(|summary| summary.begun);
        let second = second(id).map(str::to_owned).or_else(|| created.map(second_of));
        Reverse((second, created))
    });
    all
}

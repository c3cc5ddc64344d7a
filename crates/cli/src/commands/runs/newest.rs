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
    let (mut waiting, mut batches) = (Vec::new(), 0_u32);
    std::iter::from_fn(move || {
        if waiting.is_empty() {
            batches += 1;
            // Most ask for the last run only: what is older is sorted for those who go on.
            let newest = match batches {
                1 => {
                    let newest = all.iter().map(|(second, _)| second.clone()).max()?;
                    let is_newest = |(second, _): &(Cow<'_, str>, _)| *second == newest;
                    let (newest, older) = std::mem::take(&mut all).into_iter().partition(is_newest);
                    all = older;
                    newest
                }
                _ => {
                    if batches == 2 {
                        all.sort();
                    }
                    let (newest, _) = all.last()?;
                    let from = all.partition_point(|(second, _)| second < newest);
                    all.split_off(from)
                }
            };
            // Of those of one second the journals tell more.
            waiting = newest.into_iter().map(|(_, id)| (id, begun(id))).collect();
            waiting.sort_by_key(|(id, begun)| (begun.as_ref().map(|(created, _)| *created), *id));
        }
        waiting.pop().map(|(id, begun)| (id, begun.and_then(|(_, begun)| begun)))
    })
}

/// What `tell` makes of each run, newest first.
pub(super) fn each<'a, T: Send>(
    ids: &'a [RunId],
    folder: &Path,
    tell: impl Fn(Summary) -> T + Sync,
) -> Vec<(&'a RunId, Result<T, Error>)> {
    let glance = |id: &'a RunId| {
        let summary = journal::glance(&journal::folder(folder, id)).map(Summary::of);
        let begun = summary.as_ref().ok().map(|summary| summary.begun);
        (begun, id, summary.map(&tell))
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let part = ids.len().div_ceil(threads).max(FEW);
    let mut all: Vec<_> = thread::scope(|scope| {
        let mut parts = ids.chunks(part);
        let own = parts.next().unwrap_or_default();
        let others: Vec<_> =
            parts.map(|part| scope.spawn(|| part.iter().map(glance).collect::<Vec<_>>())).collect();
        let mut all: Vec<_> = own.iter().map(glance).collect();
        // A panic of another thread is one of this.
        all.extend(
            others.into_iter().flat_map(|part| {
                part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }),
        );
        all
    });
    all.sort_by_cached_key(|(begun, id, _)| {
        let second = second(id).map(Cow::Borrowed).or_else(|| begun.map(|at| second_of(at).into()));
        Reverse((second, *begun, *id))
    });
    all.into_iter().map(|(_, id, told)| (id, told)).collect()
}

//! Many kills of one scenario, some at a time.

use std::collections::HashSet;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::scenario::Scenario;

/// One kill of so many is followed by another, of whoever came back.
const PAIRS: usize = 3;

/// What came of many kills.
#[derive(Debug, Default)]
pub(super) struct Figures {
    name: &'static str,
    /// So many points there are.
    pub(super) points: u64,
    /// At so many of those that were tried the command died; at the others it was through before.
    pub(super) killed: u64,
    /// So often, whoever came back died as well.
    pub(super) pairs: u64,
    pub(super) wrong: Vec<String>,
    pub(super) seconds: f64,
    /// The longest that one world took, and which.
    slowest: (f64, String),
}

/// At which points a scenario is killed.
#[derive(Clone, Copy)]
pub(super) enum Choice {
    /// At all of them.
    All,
    /// At each kind of point once, and at every so many-th.
    Every(usize),
}

impl Choice {
    /// The numbers of the points, from 1.
    fn of(self, points: &[String]) -> Vec<u64> {
        let mut seen = HashSet::new();
        let chosen = points.iter().enumerate().filter(|(at, name)| {
            seen.insert(*name) || matches!(self, Self::All) || self.is_every(*at)
        });
        chosen.map(|(at, _)| at as u64 + 1).collect()
    }

    fn is_every(self, at: usize) -> bool {
        matches!(self, Self::Every(stride) if at.is_multiple_of(stride))
    }
}

/// Kills a scenario at many points, and at some of them again.
pub(super) fn sweep(scenario: &Scenario, choice: Choice, threads: usize) -> Figures {
    let began = Instant::now();
    let (points, wrong) = scenario.points();
    let chosen = choice.of(&points);
    let points = points.len() as u64;
    let figures = Figures { name: scenario.name, points, wrong, ..Figures::default() };
    let figures = Mutex::new(figures);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(&at) = chosen.get(number) else { return };
                    try_one(scenario, at, None, &figures);
                    if number.is_multiple_of(PAIRS) {
                        // Somewhere in what whoever comes back does, not always at the same place.
                        try_one(scenario, at, Some(1 + (at * 7) % 31), &figures);
                    }
                }
            });
        }
    });
    let figures = figures.into_inner().expect("no kill panicked");
    Figures { seconds: began.elapsed().as_secs_f64(), ..figures }
}

fn try_one(scenario: &Scenario, at: u64, then_at: Option<u64>, figures: &Mutex<Figures>) {
    let began = Instant::now();
    let (killed, wrong) = scenario.kill(at, then_at);
    let took = began.elapsed().as_secs_f64();
    let mut figures = figures.lock().expect("no kill panicked");
    if took > figures.slowest.0 {
        figures.slowest = (took, format!("{at}, {then_at:?}"));
    }
    figures.killed += u64::from(killed.once && then_at.is_none());
    figures.pairs += u64::from(killed.twice);
    figures.wrong.extend(wrong);
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, points, killed, pairs, wrong, seconds, slowest: (took, slowest) } = self;
        write!(
            f,
            "kills: {name}: {points} points, {killed} died there, {pairs} twice, {} wrong, {seconds:.1} s; the slowest {took:.1} s (at {slowest})",
            wrong.len()
        )
    }
}

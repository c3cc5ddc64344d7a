//! What goes wrong on the way to the fake: three of ten requests, one by one or in a row.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{Clock, add, until};
use dataflow_runner_core::fabric::emr::fake::Fault;
use jiff::Timestamp;

use super::dice::Dice;
use super::run::SIGNAL;

/// So many of a hundred requests are faulty.
pub(crate) const FAULTY: u64 = 30;

/// No run needs so many requests, unless it has no end: then it is hung up on.
const ENDLESS: u32 = 5_000;

/// Nobody hangs up but on what has no end.
const HANGUP: i32 = 1;

/// What a call that is delayed or stale is behind by, at most, in seconds. Together with what lists show late it is less
/// than the two looks, each `settle` after the one before, that prove that something never came.
const BEHIND: u64 = 35;

/// What goes wrong with each request.
#[derive(Debug)]
pub(crate) struct Faults {
    dice: Dice,
    /// Who met one fault soon meets another.
    sticky: bool,
    /// The last was faulty.
    bad: bool,
    /// All that comes then is faulty.
    outage: Option<Range<Timestamp>>,
    clock: Arc<Clock>,
    /// At this request somebody wants the run to end.
    signal: Option<u32>,
    bell: Arc<Bell>,
    calls: u32,
}

impl Faults {
    pub(crate) fn roll(dice: &mut Dice, clock: &Arc<Clock>, bell: &Arc<Bell>) -> Self {
        let outage = dice.percent(10).then(|| {
            let from = add(clock.now(), dice.seconds(0, 1200));
            from..add(from, dice.seconds(60, 1500))
        });
        let sticky = dice.percent(50);
        let signal = dice.percent(8).then(|| dice.count(1, 60) as u32);
        let own = Dice::new(dice.within(0, u64::MAX - 1), 2);
        let (clock, bell) = (Arc::clone(clock), Arc::clone(bell));
        Self { dice: own, sticky, bad: false, outage, clock, signal, bell, calls: 0 }
    }

    /// For so long nobody answers at all.
    pub(crate) fn longest_silence(&self) -> Duration {
        self.outage.as_ref().map_or(Duration::ZERO, |outage| until(outage.start, outage.end))
    }

    /// What goes wrong with the next.
    pub(crate) fn next(&mut self, operation: &str) -> Option<Fault> {
        self.calls += 1;
        if self.calls == ENDLESS {
            self.bell.signal(HANGUP);
        }
        if self.signal == Some(self.calls) {
            self.bell.signal(SIGNAL);
        }
        let dead = self.outage.as_ref().is_some_and(|outage| outage.contains(&self.clock.now()));
        let chance = match (self.sticky, self.bad) {
            _ if dead => 100,
            (false, _) => FAULTY,
            // A row of faults has some seven of them, and so many are faulty in the long run.
            (true, true) => 85,
            (true, false) => 6,
        };
        self.bad = self.dice.percent(chance);
        self.bad.then(|| self.fault(operation))
    }

    fn fault(&mut self, operation: &str) -> Fault {
        let question = operation.starts_with("List") || operation.starts_with("Describe");
        let behind = self.dice.seconds(1, BEHIND);
        match self.dice.within(0, 17) {
            0 | 1 => Fault::throttle(),
            2 => Fault::internal(),
            3 => Fault::unavailable(),
            4 => Fault::internal().carried_out(),
            5 => Fault::unavailable().carried_out(),
            6 | 7 => Fault::cut(),
            8 => Fault::reply_lost(),
            9 => Fault::reply_cut(),
            10 => Fault::garbage(),
            11 => Fault::garbage().carried_out(),
            12 => Fault::truncated(),
            13 => Fault::empty(),
            14 => Fault::html(502),
            15 => Fault::html(200).carried_out(),
            _ if question => Fault::stale(behind),
            _ => Fault::delayed(behind),
        }
    }
}

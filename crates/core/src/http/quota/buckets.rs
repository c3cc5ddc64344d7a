//! The law of the quotas: who may call when. Times are milliseconds since 1970 and come in as arguments.
//!
//! Each bucket is one number, the moment at which it will be full again (the "theoretical arrival time" of GCRA, the
//! generic cell rate algorithm of ATM). A call takes a *slot*: a moment that may lie ahead. Slots are handed out in
//! the order in which they are asked for, so everyone gets a turn, and nobody wakes before theirs.
//!
//! Whoever has a slot may be late by a grace, for a waking process has a machine to share. The buckets are smaller
//! than AWS's by what could flow in during that grace; so being late breaks no law. Whoever is later asks anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits::{self, Limit};

/// How late the owner of a slot may be: of an operation, and of all calls together, which is not handed out far ahead.
const GRACE: i64 = 3_000;
const GRACE_ALL: i64 = 1_000;
/// Slots that are nearer count in the bucket of all operations at once; others do when their time has come. A call that
/// counted there long before its time would keep others from calling meanwhile.
const NEAR: i64 = 2_000;
/// Two strikes so far apart have nothing to do with each other.
const STRIKES_LAST: i64 = 60_000;
/// More strikes in a row make it no worse: 32 s where a call fits into 2.
const STRIKES: u32 = 5;
/// Strikes so near each other are one.
const STRIKES_ARE_ONE: i64 = 1_000;
/// No honest slot is further ahead.
const FURTHEST: i64 = 3_600_000;
/// The clocks of two processes, read one after the other, may seem to go back so far.
const JITTER: i64 = 1_000;

/// All buckets of one account in one region at one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Buckets {
    /// When it was last used.
    at: i64,
    /// All questions, of whatever operation.
    questions: Bucket,
    /// All orders.
    orders: Bucket,
    operations: BTreeMap<String, Bucket>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Bucket {
    /// When it will be full again.
    full: i64,
    /// How often in a row, and when last, AWS said that it is empty.
    strikes: u32,
    struck: i64,
}

/// A moment at which a call may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// When it was handed out.
    made: i64,
    operation: i64,
    /// `None`: that is for when its time has come.
    all: Option<i64>,
}

impl Slot {
    /// When to call, or to ask again.
    pub(super) fn at(self) -> i64 {
        self.operation.max(self.all.unwrap_or(self.operation))
    }

    /// Whether the call may go out.
    pub(super) fn is_due(self, now: i64) -> bool {
        let all = self.all.is_some_and(|all| all <= now && now <= all + GRACE_ALL);
        all && self.operation <= now && self.holds(now)
    }

    /// Whether it is not too late for it. The clock may have been set back since it was handed out.
    fn holds(self, now: i64) -> bool {
        self.made <= now + JITTER && now <= self.operation + GRACE
    }
}

impl Buckets {
    /// The next slot for an operation, or `held`, if it is still good for something. `factor`: the account has so many
    /// times the default quotas.
    pub(super) fn take(
        &mut self,
        operation: &str,
        now: i64,
        held: Option<Slot>,
        factor: f64,
    ) -> Slot {
        self.set_right(now);
        let held = held.filter(|held| held.holds(now));
        let rate = Rate::new(limits::of(operation), factor, GRACE);
        let bucket = self.operations.entry(operation.to_owned()).or_default();
        let next = held.map_or_else(|| bucket.next(rate, now), |held| held.operation);
        if next - now > NEAR {
            if held.is_none() {
                bucket.charge(rate, next);
            }
            return Slot { made: now, operation: next, all: None };
        }
        let (together, rate_together) = match limits::is_order(operation) {
            true => (&mut self.orders, Rate::new(limits::ORDERS, factor, GRACE_ALL)),
            false => (&mut self.questions, Rate::new(limits::QUESTIONS, factor, GRACE_ALL)),
        };
        let taken = held.and_then(|held| held.all).filter(|all| now <= all + GRACE_ALL);
        let all = taken.unwrap_or_else(|| together.next(rate_together, now.max(next)));
        if taken.is_none() {
            together.charge(rate_together, all);
        }
        // Waiting for the others may take longer than the operation's own slot lasts.
        let next = match held {
            Some(_) if all <= next + GRACE => next,
            _ => {
                let next = bucket.next(rate, now).max(all);
                bucket.charge(rate, next);
                next
            }
        };
        Slot { made: now, operation: next, all: Some(all) }
    }

    /// AWS says that a bucket is empty: somebody else calls, too. It is, then, for us as well; and if it says so
    /// again and again, for longer and longer.
    pub(super) fn drain(&mut self, operation: &str, now: i64, factor: f64) {
        self.set_right(now);
        let bucket = self.operations.entry(operation.to_owned()).or_default();
        bucket.strike(Rate::new(limits::of(operation), factor, GRACE), now);
        // It may have been the one of all operations, AWS does not say which; that fills up quickly.
        let rate = Rate::new(limits::QUESTIONS, factor, GRACE_ALL);
        self.questions.full = self.questions.full.max(now + rate.tolerance + rate.interval);
    }

    /// The clock may have been set back, and files may hold anything.
    fn set_right(&mut self, now: i64) {
        let back = if self.at > now + JITTER { self.at - now } else { 0 };
        for bucket in self.operations.values_mut().chain([&mut self.questions, &mut self.orders]) {
            bucket.full = bucket.full.saturating_sub(back).clamp(0, now + FURTHEST);
            bucket.struck = bucket.struck.clamp(0, now);
            bucket.strikes = bucket.strikes.min(STRIKES);
        }
        self.at = if back > 0 { now } else { self.at.max(now) };
    }
}

impl Bucket {
    /// The first moment from `now` on at which a call may go out.
    fn next(self, rate: Rate, now: i64) -> i64 {
        now.max(self.full - rate.tolerance)
    }

    fn charge(&mut self, rate: Rate, at: i64) {
        self.full = self.full.max(at) + rate.interval;
    }

    fn strike(&mut self, rate: Rate, now: i64) {
        self.strikes = match now - self.struck {
            since if since > STRIKES_LAST => 1,
            since if since < STRIKES_ARE_ONE => self.strikes.max(1),
            _ => (self.strikes + 1).min(STRIKES),
        };
        self.struck = now;
        let pause = rate.interval << (self.strikes - 1);
        self.full = self.full.max(now + rate.tolerance + pause);
    }
}

/// A limit in the terms of GCRA.
#[derive(Clone, Copy)]
struct Rate {
    /// Between two calls, for ever.
    interval: i64,
    /// How far ahead of that calls may be.
    tolerance: i64,
}

impl Rate {
    /// Of `factor` times the limit.
    fn new(limit: Limit, factor: f64, grace: i64) -> Self {
        // Rounded to the safe side; both are a few thousand, unless somebody has said so of an odd factor.
        let furthest = FURTHEST as f64;
        let interval = (1000.0 / (limit.refill * factor)).ceil().min(furthest);
        let tolerance = ((limit.burst * factor - 1.0) * interval).floor().min(furthest) as i64;
        Self { interval: interval as i64, tolerance: (tolerance - grace).max(0) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: i64 = 1_700_000_000_000;
    /// What AWS allows of all calls together.
    const ALL: Limit = Limit { burst: 25.0, refill: 5.0 };
    const ORDERS: [&str; 2] = ["RunJobFlow", "AddJobFlowSteps"];
    const QUESTIONS: [&str; 7] = [
        "ListSteps",
        "DescribeCluster",
        "ListBootstrapActions",
        "ListInstanceGroups",
        "DescribeStep",
        "ListClusters",
        "ListInstances",
    ];

    /// More than `burst + refill · t` in any window of length t?
    fn breaks(limit: Limit, calls: &[i64]) -> Option<(i64, i64)> {
        let mut calls = calls.to_vec();
        calls.sort_unstable();
        for (first, start) in calls.iter().enumerate() {
            for (last, end) in calls.iter().enumerate().skip(first) {
                let allowed = limit.burst + limit.refill * (end - start) as f64 / 1000.0;
                if (last - first + 1) as f64 > allowed + 1e-9 {
                    return Some((*start, *end));
                }
            }
        }
        None
    }

    /// A process that calls an operation every so often, and is late by so much when it wakes.
    #[derive(Clone, Debug)]
    struct Process {
        operation: &'static str,
        first: i64,
        every: i64,
        late: Vec<i64>,
    }

    fn process() -> impl Strategy<Value = Process> {
        let late = prop::collection::vec(prop_oneof![3 => 0..50_i64, 1 => 0..5_000_i64], 1..8);
        let operation = prop::sample::select([&QUESTIONS[..], &ORDERS].concat());
        (operation, 0..30_000_i64, 0..40_000_i64, late)
            .prop_map(|(operation, first, every, late)| Process { operation, first, every, late })
    }

    /// Runs them for so long. Says who called when, and how long each waited for it at most.
    fn simulate(processes: &[Process], length: i64) -> (Vec<(usize, i64)>, Vec<i64>) {
        let mut buckets = Buckets::default();
        // Of each: when it wakes next, since when it wants to call, what it holds, how often it woke.
        let mut state: Vec<_> = processes
            .iter()
            .map(|it| (START + it.first, START + it.first, None::<Slot>, 0_usize))
            .collect();
        let (mut calls, mut longest) = (Vec::new(), vec![0; processes.len()]);
        while let Some(who) = (0..state.len()).min_by_key(|who| state[*who].0) {
            let (now, since, held, woke) = state[who];
            if now > START + length {
                break;
            }
            longest[who] = longest[who].max(now - since);
            let process = &processes[who];
            let late = process.late[woke % process.late.len()];
            let due = held.filter(|held| held.is_due(now));
            let slot = due.unwrap_or_else(|| buckets.take(process.operation, now, held, 1.0));
            state[who] = if slot.is_due(now) {
                // On its way it may lose what time it has left.
                let latest = (slot.operation + GRACE).min(slot.all.unwrap_or(now) + GRACE_ALL);
                calls.push((who, (now + late).min(latest)));
                let next = now + process.every.max(1);
                (next, next, None, woke + 1)
            } else {
                (slot.at().max(now + 1) + late, since, Some(slot), woke + 1)
            };
        }
        (calls, longest)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_window_sees_more_than_the_law_allows(processes in prop::collection::vec(process(), 1..60)) {
            let (calls, _) = simulate(&processes, 120_000);
            let times = |of: &dyn Fn(&str) -> bool| -> Vec<i64> {
                calls.iter().filter(|(who, _)| of(processes[*who].operation)).map(|(_, at)| *at).collect()
            };
            prop_assert_eq!(breaks(ALL, &times(&|_| true)), None);
            for operation in QUESTIONS.into_iter().chain(ORDERS) {
                prop_assert_eq!(breaks(limits::of(operation), &times(&|it| it == operation)), None, "{}", operation);
            }
        }

        #[test]
        fn files_may_hold_anything(
            at in 0..START * 2, full in any::<i64>(), strikes in any::<u32>(), struck in any::<i64>(), back in 0..10_000_000_i64
        ) {
            let bucket = Bucket { full, strikes, struck };
            let operations = BTreeMap::from([("ListSteps".to_owned(), bucket)]);
            let mut buckets = Buckets { at, questions: bucket, orders: bucket, operations };
            for now in [START, START - back, START + back] {
                let slot = buckets.take("ListSteps", now, None, 1.0);
                prop_assert!(slot.at() >= now && slot.at() <= now + FURTHEST + 60_000);
                buckets.drain("ListSteps", now, 1.0);
            }
        }
    }

    #[test]
    fn factors_may_be_anything_above_nothing() {
        for factor in [f64::MIN_POSITIVE, 1e-9, 1e9, 1e300, f64::MAX] {
            let mut buckets = Buckets::default();
            for now in [START, START + 1, START - 60_000] {
                let slot = buckets.take("ListSteps", now, None, factor);
                assert!(slot.at() >= now && slot.at() <= now + 2 * FURTHEST, "{factor} {slot:?}");
                for _ in 0..STRIKES {
                    buckets.drain("ListSteps", now, factor);
                }
            }
        }
    }

    fn polls(count: usize) -> Vec<Process> {
        let poll = |who| {
            let first = (who as i64 * 137) % 15_000;
            let operation = if who % 4 == 0 { "DescribeCluster" } else { "ListSteps" };
            Process { operation, first, every: 15_000, late: vec![3, 40] }
        };
        (0..count).map(poll).collect()
    }

    /// A hundred processes want to ask every 15 s, 5 a second and more in all, of which half a second is one.
    #[test]
    fn everyone_gets_a_turn_within_five_minutes() {
        let processes = polls(100);
        let (calls, longest) = simulate(&processes, 1_800_000);
        for (who, waited) in longest.iter().enumerate() {
            assert!(*waited <= 300_000, "{who} waited {waited} ms");
            assert!(calls.iter().filter(|(it, _)| *it == who).count() >= 6, "{who}");
        }
        // And nothing is left unused: 0.5 a second, but for the grace.
        let lists = calls.iter().filter(|(who, _)| who % 4 != 0).count();
        assert!(lists >= 880, "{lists}");
    }

    #[test]
    fn orders_go_out_while_a_hundred_poll() {
        // They ask all there is to be asked, so that all calls together are at their limit.
        let question = |who: usize| {
            let operation = QUESTIONS[who % QUESTIONS.len()];
            Process { operation, first: who as i64 * 100, every: 1_000, late: vec![3] }
        };
        let mut processes: Vec<_> = (0..100).map(question).collect();
        for (number, operation) in ORDERS.into_iter().enumerate() {
            let order = Process { operation, first: 60_000, every: 20_000, late: vec![0] };
            processes.extend(vec![order; number + 1]);
        }
        let (calls, longest) = simulate(&processes, 600_000);
        for (who, waited) in longest.iter().enumerate().skip(100) {
            assert_eq!(*waited, 0, "{who} waited {waited} ms");
            assert!(calls.iter().filter(|(it, _)| *it == who).count() >= 25);
        }
    }

    #[test]
    fn a_few_calls_go_at_once_and_the_rest_in_turn() {
        let mut buckets = Buckets::default();
        let slots: Vec<_> = (0..12).map(|_| buckets.take("ListSteps", START, None, 1.0)).collect();
        let at: Vec<_> = slots.iter().map(|slot| slot.at() - START).collect();
        assert_eq!(at, [0, 0, 0, 0, 0, 0, 0, 0, 1000, 3000, 5000, 7000]);
        assert!(slots[0].is_due(START) && !slots[9].is_due(START));
        // The slot is theirs when its time comes, whoever asked meanwhile; later it is not.
        let again = buckets.take("ListSteps", START + 5000, Some(slots[10]), 1.0);
        assert!(again.is_due(START + 5000));
        let late = buckets.take("ListSteps", START + 5000 + GRACE + 1, Some(slots[10]), 1.0);
        assert_eq!(late.at(), START + 9000);
    }

    #[test]
    fn what_aws_says_empties_the_bucket_for_longer_and_longer() {
        let mut buckets = Buckets::default();
        let (mut now, mut pauses) = (START, Vec::new());
        for _ in 0..7 {
            buckets.drain("ListSteps", now, 1.0);
            buckets.drain("ListSteps", now + 10, 1.0);
            let next = buckets.take("ListSteps", now + 10, None, 1.0).at();
            pauses.push((next - now + 500) / 1000);
            now = next;
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 32, 32]);
        now += STRIKES_LAST + 1;
        buckets.drain("ListSteps", now, 1.0);
        assert_eq!(buckets.take("ListSteps", now, None, 1.0).at() - now, 2000);
    }

    #[test]
    fn a_clock_that_is_set_back_takes_the_buckets_along() {
        let mut buckets = Buckets::default();
        let slots: Vec<_> = (0..12).map(|_| buckets.take("ListSteps", START, None, 1.0)).collect();
        let yesterday = START - 86_400_000;
        assert_eq!(buckets.take("ListSteps", yesterday, None, 1.0).at(), yesterday + 9000);
        // Its old slot is a day ahead, which is nothing to wait for.
        assert_eq!(
            buckets.take("ListSteps", yesterday, Some(slots[11]), 1.0).at(),
            yesterday + 11_000
        );
    }
}

//! When to ask the fabric next: often while things change, seldom while nothing does, ever more seldom while it
//! does not answer.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::add;
use crate::fabric::{Error, Pace};

/// The pause before the first question after one that went unanswered.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);

/// Chooses the pauses between questions.
#[derive(Debug)]
pub(super) struct Pacer {
    pace: Pace,
    /// The pause after the next answer that brings no news.
    pause: Duration,
    /// How many questions in a row went unanswered.
    unanswered: u32,
    /// A cluster is on its way up.
    launching: bool,
    /// Until then pauses do not grow: something was ordered.
    eager: Timestamp,
    next: Timestamp,
}

impl Pacer {
    /// The first question may be asked at once.
    pub(super) fn new(pace: Pace, now: Timestamp) -> Self {
        Self { pace, pause: pace.first, unanswered: 0, launching: false, eager: now, next: now }
    }

    /// When to ask next.
    pub(super) fn next(&self) -> Timestamp {
        self.next
    }

    /// The fabric answered.
    pub(super) fn answered(&mut self, now: Timestamp, news: bool) {
        self.unanswered = 0;
        self.pause = match news || now < self.eager {
            true => self.pace.first,
            false => (self.pause * 3 / 2).min(self.pace.longest),
        };
        let pause = if self.launching { self.pace.launching } else { self.pause };
        self.next = add(now, pause);
    }

    /// Whether a cluster is on its way up: that takes its time.
    pub(super) fn launching(&mut self, launching: bool) {
        self.launching = launching;
    }

    /// It was not our turn to ask.
    pub(super) fn deferred(&mut self, now: Timestamp, error: &Error) {
        let soonest = add(now, FIRST_BACKOFF);
        self.next = error.not_before.unwrap_or(soonest).max(now);
        // A fabric that names a time that is past is not asked without pause.
        if self.next == now {
            self.next = soonest;
        }
    }

    /// It did not.
    pub(super) fn unanswered(&mut self, now: Timestamp, error: &Error) {
        let backoff = FIRST_BACKOFF * (1 << self.unanswered.min(5));
        self.unanswered += 1;
        self.next = add(now, backoff).max(error.not_before.unwrap_or(now));
    }

    /// The fabric says that there is news.
    pub(super) fn rung(&mut self, now: Timestamp) {
        self.next = self.next.min(now);
    }

    /// Something was ordered: news may come soon.
    pub(super) fn ordered(&mut self, now: Timestamp) {
        self.eager = add(now, self.pace.eager);
        if self.unanswered == 0 {
            self.pause = self.pace.first;
            self.next = self.next.min(add(now, self.pause));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::until;
    use crate::fabric::ErrorKind;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn pacer() -> Pacer {
        let pace = Pace::steady(Duration::from_secs(4), Duration::from_secs(10));
        Pacer::new(pace, START)
    }

    #[test]
    fn pauses_grow_without_news_and_shrink_with_it() {
        let mut pacer = pacer();
        let mut pauses = Vec::new();
        for news in [false, false, false, false, true] {
            pacer.answered(START, news);
            pauses.push(until(START, pacer.next()).as_secs());
        }
        assert_eq!(pauses, [6, 9, 10, 10, 4]);
    }

    #[test]
    fn pauses_do_not_grow_for_a_while_after_an_order() {
        let second = Duration::from_secs(1);
        let eager = Duration::from_secs(30);
        let mut pacer = Pacer::new(Pace { eager, ..Pace::steady(second, second * 15) }, START);
        let asked = |pacer: &mut Pacer, times| {
            let mut pauses = Vec::new();
            for _ in 0..times {
                let now = pacer.next();
                pacer.answered(now, false);
                pauses.push(until(now, pacer.next()).as_millis());
            }
            pauses
        };
        pacer.ordered(START);
        assert_eq!(asked(&mut pacer, 30), [1000; 30]);
        let grown = [1500, 2250, 3375, 5062, 7593, 11390, 15_000, 15_000];
        assert_eq!(asked(&mut pacer, 8), grown);
        let now = pacer.next();
        pacer.ordered(now);
        assert_eq!(asked(&mut pacer, 30), [1000; 30]);
    }

    #[test]
    fn unanswered_questions_back_off_and_heed_the_far_side() {
        let mut pacer = pacer();
        let mut error = Error::new(ErrorKind::Unavailable, "x", "y", "z");
        let mut pauses = Vec::new();
        for _ in 0..8 {
            pacer.unanswered(START, &error);
            pauses.push(until(START, pacer.next()).as_secs());
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 64, 64]);
        error.not_before = Some(add(START, Duration::from_secs(900)));
        pacer.unanswered(START, &error);
        assert_eq!(until(START, pacer.next()).as_secs(), 900);
        pacer.ordered(START);
        assert_eq!(
            until(START, pacer.next()).as_secs(),
            900,
            "an order is no reason to ask earlier"
        );
    }
}

//! When to look for logs that come late: again and again, ever more seldom, until all that is wanted is there or the
//! time is over in which the fabric delivers them. Pure: it is told the time and what was seen.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::add;
use crate::fabric::LogFile;

/// Between the first look and the second.
const FIRST: Duration = Duration::from_secs(5);
/// Between two looks at most: EMR delivers every five minutes, so a person is not kept waiting much longer by this.
const LONGEST: Duration = Duration::from_secs(40);

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look again then.
    Look(Timestamp),
    /// All that is wanted is there.
    Complete,
    /// What is not there now will not come.
    Over,
}

/// The looks for the logs of one step.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Delivery ends then.
    until: Timestamp,
    /// The pause before the next look.
    pause: Duration,
    /// The files as they were at the last look.
    last: Vec<(String, Option<u64>)>,
}

impl Watch {
    /// For a step that ended at `since`, whose logs are there so much later at the latest. The first look is due at
    /// once.
    pub fn new(since: Timestamp, delivery: Duration) -> Self {
        Self { until: add(since, delivery), pause: FIRST, last: Vec::new() }
    }

    /// When delivery ends.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Files were seen. `ended`: one of them tells that the step ended ([`super::tells_of_the_end`]), so it was
    /// delivered after that.
    pub fn saw(&mut self, files: &[LogFile], ended: bool, now: Timestamp) -> Next {
        let seen: Vec<_> = files.iter().map(|file| (file.name.clone(), file.size)).collect();
        // Files are delivered one after the other, so nothing may change between two looks.
        let still = seen == self.last;
        self.last = seen;
        let stderr = files.iter().any(|file| file.name.starts_with("stderr"));
        match (ended && stderr, still) {
            (true, true) => Next::Complete,
            // Only to see that nothing changes any more.
            (true, false) => self.next_after(now, FIRST),
            (false, _) => self.next(now),
        }
    }

    /// Whether files are the same as at the last look, so that what was read of them still stands.
    pub fn knows(&self, files: &[LogFile]) -> bool {
        let seen = files.iter().map(|file| (file.name.as_str(), file.size));
        !files.is_empty() && seen.eq(self.last.iter().map(|(name, size)| (name.as_str(), *size)))
    }

    /// There was no answer.
    pub fn missed(&mut self, now: Timestamp) -> Next {
        self.next(now)
    }

    fn next(&mut self, now: Timestamp) -> Next {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST);
        self.next_after(now, pause)
    }

    fn next_after(&self, now: Timestamp, pause: Duration) -> Next {
        if now >= self.until { Next::Over } else { Next::Look(add(now, pause).min(self.until)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELIVERY: Duration = Duration::from_secs(600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn files(names: &[(&str, u64)]) -> Vec<LogFile> {
        let file = |(name, size): &(&str, u64)| LogFile {
            name: (*name).to_owned(),
            place: String::new(),
            size: Some(*size),
        };
        names.iter().map(file).collect()
    }

    #[test]
    fn looks_become_rarer_and_the_last_is_when_delivery_ends() {
        let mut watch = Watch::new(at(0), DELIVERY);
        let (mut now, mut looks) = (at(0), Vec::new());
        while let Next::Look(next) = watch.saw(&[], false, now) {
            assert!(next > now);
            looks.push(next.as_second());
            now = next;
        }
        assert_eq!(looks[..5], [5, 15, 35, 75, 115]);
        assert_eq!(looks.last(), Some(&600));
        assert_eq!(watch.missed(at(600)), Next::Over);
    }

    #[test]
    fn complete_is_what_tells_of_the_end_and_does_not_change_any_more() {
        let all = files(&[("controller.gz", 1), ("stderr.gz", 1)]);
        let mut watch = Watch::new(at(0), DELIVERY);
        assert!(matches!(watch.saw(&all, true, at(0)), Next::Look(_)), "seen once only");
        assert!(watch.knows(&all));
        assert_eq!(watch.saw(&all, true, at(5)), Next::Complete);

        // A log that was delivered while the step still ran, and does not change, tells nothing.
        let mut watch = Watch::new(at(0), DELIVERY);
        for second in [0, 5, 15] {
            assert!(matches!(watch.saw(&all, false, at(second)), Next::Look(_)));
        }
        // It grows.
        let grown = files(&[("controller.gz", 2), ("stderr.gz", 1)]);
        assert!(!watch.knows(&grown));
        assert!(matches!(watch.saw(&grown, true, at(35)), Next::Look(_)));
        assert_eq!(watch.saw(&grown, true, at(40)), Next::Complete);

        // Without stderr something is missing, to the end.
        let mut watch = Watch::new(at(0), DELIVERY);
        for second in [0, 5] {
            let only = watch.saw(&all[..1], true, at(second));
            assert!(matches!(only, Next::Look(_)));
        }
        assert_eq!(watch.saw(&all[..1], true, at(600)), Next::Over);
        assert!(!watch.knows(&[]));
    }

    #[test]
    fn no_waiting_is_one_look() {
        let mut watch = Watch::new(at(7), Duration::ZERO);
        assert_eq!(watch.saw(&[], false, at(7)), Next::Over);
    }
}

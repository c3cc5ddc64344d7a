//! The time as a far side has it: ours, corrected by what its replies tell where a signature was refused for its time.

use std::sync::Mutex;

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use super::lock;
use crate::clock::timestamp;
use crate::http::Reply;

/// Tells a far side's time.
#[derive(Debug)]
pub(super) struct Time {
    /// For messages.
    whose: &'static str,
    /// What was signed further from its time than this, the far side may refuse for that.
    tolerated: SignedDuration,
    machine: fn() -> Timestamp,
    /// How far the far side is ahead of this machine.
    ahead: Mutex<SignedDuration>,
}

impl Time {
    /// The time of `whose` servers, who do not tolerate more than that.
    pub(super) fn new(whose: &'static str, tolerated: SignedDuration) -> Self {
        Self { whose, tolerated, machine: timestamp, ahead: Mutex::new(SignedDuration::ZERO) }
    }

    /// With another clock than the machine's.
    #[cfg(test)]
    pub(super) fn by(self, machine: fn() -> Timestamp) -> Self {
        Self { machine, ..self }
    }

    /// The far side's time.
    pub(super) fn now(&self) -> Timestamp {
        let now = (self.machine)();
        now.checked_add(*lock(&self.ahead)).unwrap_or(now)
    }

    /// A signature was refused: was it for its time? If the far side's clock is far from the time we signed with, that is
    /// so; says so in words, and from now on goes by that clock.
    pub(super) fn learn(&self, reply: &Reply) -> Option<String> {
        let theirs = rfc2822::parse(reply.header("date")?).ok()?.timestamp();
        if theirs.duration_since(self.now()).abs() <= self.tolerated {
            return None;
        }
        let ahead = theirs.duration_since((self.machine)());
        *lock(&self.ahead) = ahead;
        let minutes = ahead.as_secs().unsigned_abs().div_ceil(60);
        let side = if ahead.is_negative() { "ahead of" } else { "behind" };
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        Some(format!("this machine's clock is {minutes} {unit} {side} {}", self.whose))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_700_000_000, 0);

    fn learn(time: &Time, date: &str) -> Option<String> {
        let headers = vec![("date".to_owned(), date.to_owned())];
        time.learn(&Reply { status: 400, headers, body: Vec::new() })
    }

    #[test]
    fn what_is_far_off_is_told_and_corrected() {
        let time = Time::new("AWS", SignedDuration::from_mins(5)).by(|| NOW);
        // 1700000000 is 22:13:20.
        assert_eq!(learn(&time, "Tue, 14 Nov 2023 22:17:20 GMT"), None);
        assert_eq!(learn(&time, "nonsense"), None);
        assert_eq!(time.now(), NOW);
        let behind = learn(&time, "Tue, 14 Nov 2023 22:43:20 GMT");
        assert_eq!(behind.as_deref(), Some("this machine's clock is 30 minutes behind AWS"));
        assert_eq!(time.now(), NOW + SignedDuration::from_mins(30));
        // Once it is known, it is no explanation any more.
        assert_eq!(learn(&time, "Tue, 14 Nov 2023 22:43:20 GMT"), None);
        let ahead = learn(&time, "Tue, 14 Nov 2023 22:00:20 GMT");
        assert_eq!(ahead.as_deref(), Some("this machine's clock is 13 minutes ahead of AWS"));
    }
}

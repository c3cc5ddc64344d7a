//! The time as AWS has it: ours, corrected by what AWS's replies tell where a signature was refused for its time.

use std::sync::Mutex;

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use super::lock;
use crate::clock::timestamp;
use crate::http::Reply;

/// AWS refuses what was signed further from its own time than this.
const TOLERATED: SignedDuration = SignedDuration::from_mins(5);

/// Tells AWS's time.
#[derive(Debug)]
pub(super) struct Time {
    machine: fn() -> Timestamp,
    /// How far AWS is ahead of this machine.
    ahead: Mutex<SignedDuration>,
}

impl Time {
    pub(super) fn new() -> Self {
        Self::of(timestamp)
    }

    /// With another clock than the machine's.
    pub(super) fn of(machine: fn() -> Timestamp) -> Self {
        Self { machine, ahead: Mutex::new(SignedDuration::ZERO) }
    }

    /// AWS's time.
    pub(super) fn now(&self) -> Timestamp {
        let now = (self.machine)();
        now.checked_add(*lock(&self.ahead)).unwrap_or(now)
    }

    /// A signature was refused: was it for its time? If AWS's clock is far from the time we signed with, that is so;
    /// says so in words, and from now on goes by AWS's clock.
    pub(super) fn learn(&self, reply: &Reply) -> Option<String> {
        let aws = rfc2822::parse(reply.header("date")?).ok()?.timestamp();
        if aws.duration_since(self.now()).abs() <= TOLERATED {
            return None;
        }
        let ahead = aws.duration_since((self.machine)());
        *lock(&self.ahead) = ahead;
        let minutes = ahead.as_secs().unsigned_abs().div_ceil(60);
        let side = if ahead.is_negative() { "ahead of" } else { "behind" };
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        Some(format!("this machine's clock is {minutes} {unit} {side} AWS"))
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
        let time = Time::of(|| NOW);
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

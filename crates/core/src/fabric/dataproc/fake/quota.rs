//! Dataproc's quota: so many requests in any minute, on the wall's clock
//! (<https://cloud.google.com/dataproc/quotas>).

use std::collections::VecDeque;
use std::time::Duration;

/// The requests of the last minute.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    most: Option<u32>,
    granted: VecDeque<Duration>,
}

impl Quota {
    /// So many a minute; `None`: any number.
    pub(super) fn new(most: Option<u32>) -> Self {
        Self { most, granted: VecDeque::new() }
    }

    /// Whether a request is let through; otherwise the seconds after which one will be.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), u64> {
        let Some(most) = self.most else { return Ok(()) };
        let minute = Duration::from_secs(60);
        while self.granted.front().is_some_and(|at| *at + minute <= now) {
            self.granted.pop_front();
        }
        if self.granted.len() < most as usize {
            self.granted.push_back(now);
            return Ok(());
        }
        let first = self.granted.front().map_or(now, |at| *at);
        Err((first + minute).saturating_sub(now).as_secs() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_any_minute() {
        let mut quota = Quota::new(Some(2));
        let mut take = |at: u64| quota.take(Duration::from_secs(at));
        assert_eq!([take(0), take(10), take(20), take(59)], [Ok(()), Ok(()), Err(41), Err(2)]);
        assert_eq!([take(60), take(61), take(70)], [Ok(()), Err(10), Ok(())]);
        let mut none = Quota::new(None);
        assert!((0..1000).all(|_| none.take(Duration::ZERO).is_ok()));
    }
}

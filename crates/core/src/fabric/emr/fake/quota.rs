//! EMR's quotas: a token bucket for each operation and one for all together, per account and region.
//!
//! The defaults are those of AWS Service Quotas (service `elasticmapreduce`), such as `L-283CCA2A` and `L-432FAB44`
//! for all calls together. Time is the wall's, however fast the fake's own goes by.

use std::collections::BTreeMap;
use std::time::Duration;

/// Burst, and calls a second, of each operation. `*` is all together.
const DEFAULTS: &[(&str, f64, f64)] = &[
    ("*", 25.0, 5.0),
    ("AddJobFlowSteps", 10.0, 0.5),
    ("CancelSteps", 10.0, 0.5),
    ("DescribeCluster", 10.0, 1.0),
    ("DescribeStep", 10.0, 0.5),
    ("ListBootstrapActions", 10.0, 1.0),
    ("ListClusters", 20.0, 0.5),
    ("ListInstanceGroups", 10.0, 1.0),
    ("ListSteps", 10.0, 0.5),
    ("RunJobFlow", 10.0, 0.5),
    ("TerminateJobFlows", 10.0, 0.5),
];

/// Token buckets.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    /// So many times the defaults; `None`: no quota at all.
    factor: Option<f64>,
    buckets: BTreeMap<&'static str, Bucket>,
    at: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    burst: f64,
    rate: f64,
    tokens: f64,
}

impl Quota {
    /// Full buckets, so many times as large and as fast as EMR's own; `None`: no quota at all.
    pub(super) fn new(factor: Option<f64>) -> Self {
        let times = factor.unwrap_or(1.0);
        let bucket = |(name, burst, rate): &(&'static str, f64, f64)| {
            let burst = burst * times;
            (*name, Bucket { burst, rate: rate * times, tokens: burst })
        };
        Self { factor, buckets: DEFAULTS.iter().map(bucket).collect(), at: Duration::ZERO }
    }

    /// Whether a call is let through. One that is not takes nothing.
    pub(super) fn take(&mut self, operation: &str, now: Duration) -> bool {
        if self.factor.is_none() {
            return true;
        }
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        for bucket in self.buckets.values_mut() {
            bucket.tokens = (bucket.tokens + passed * bucket.rate).min(bucket.burst);
        }
        let has = |name: &str| self.buckets.get(name).is_none_or(|bucket| bucket.tokens >= 1.0);
        let granted = has(operation) && has("*");
        for name in [operation, "*"] {
            if let Some(bucket) = self.buckets.get_mut(name).filter(|_| granted) {
                bucket.tokens -= 1.0;
            }
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(quota: &mut Quota, operation: &str, calls: usize, at: u64) -> usize {
        (0..calls).filter(|_| quota.take(operation, Duration::from_secs(at))).count()
    }

    #[test]
    fn a_burst_then_a_trickle() {
        let mut quota = Quota::new(Some(1.0));
        assert_eq!(granted(&mut quota, "ListSteps", 20, 0), 10);
        assert_eq!(granted(&mut quota, "ListSteps", 20, 1), 0);
        assert_eq!(granted(&mut quota, "ListSteps", 20, 2), 1);
        assert_eq!(granted(&mut quota, "ListSteps", 20, 1000), 10, "no more than a burst");
    }

    #[test]
    fn all_operations_share_one_bucket() {
        let mut quota = Quota::new(Some(1.0));
        let all = ["ListSteps", "DescribeStep", "DescribeCluster"];
        let granted: usize = all.iter().map(|name| granted(&mut quota, name, 20, 0)).sum();
        assert_eq!(granted, 25);
        assert!(!quota.take("ListClusters", Duration::ZERO));
        assert!(quota.take("ListClusters", Duration::from_secs(1)));
    }

    #[test]
    fn larger_or_none() {
        assert_eq!(granted(&mut Quota::new(Some(2.0)), "ListSteps", 100, 0), 20);
        assert_eq!(granted(&mut Quota::new(None), "ListSteps", 100, 0), 100);
    }
}

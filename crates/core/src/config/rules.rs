//! What is decided about a step while it runs, and once it has ended.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// All that decisions need to know of a step, but what it needs. Journals keep it, so that a run can be followed to its
/// end without the playbook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Rules {
    /// What its failure means for the others.
    #[serde(skip_serializing_if = "is_usual")]
    pub on_failure: OnFailure,
    /// How often and when to try again.
    #[serde(skip_serializing_if = "is_usual")]
    pub retries: Retries,
    /// The longest that one attempt may take, from its start.
    #[serde(skip_serializing_if = "is_usual")]
    pub timeout: Option<Duration>,
    /// What its exit code means.
    #[serde(skip_serializing_if = "is_usual")]
    pub on_result: OnResult,
}

fn is_usual<T: Default + PartialEq>(rule: &T) -> bool {
    *rule == T::default()
}

/// What the failure of a step means for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnFailure {
    /// Nothing more is started, what waits is cancelled, what runs may end.
    #[default]
    CancelAndWait,
    /// The others go on as if it had succeeded; the run still fails at its end.
    Continue,
    /// Only the steps that need it, directly or not, are skipped.
    SkipDependents,
    /// Everything ends at once, the cluster too.
    TerminateCluster,
}

/// How often a failed step is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retries {
    /// All attempts together, the first included.
    pub max_attempts: NonZeroU32,
    /// Between the end of the first attempt and the start of the second.
    pub delay: Duration,
    /// Each further delay is so many times the one before; ≥ 1. A delay never exceeds one hour.
    pub backoff: f64,
}

/// What exit codes mean. A code in neither list is a failure (Factotum's meaning).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnResult {
    /// Success: the steps that depend on this one may start.
    pub continue_job: Vec<i32>,
    /// Success of the whole run: nothing more is started. Disjoint from the other list.
    pub terminate_job_with_success: Vec<i32>,
}

impl OnFailure {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::CancelAndWait, Self::Continue, Self::SkipDependents, Self::TerminateCluster];

    /// The one that playbooks write so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|on| on.as_str() == name)
    }

    /// As playbooks write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CancelAndWait => "CANCEL_AND_WAIT",
            Self::Continue => "CONTINUE",
            Self::SkipDependents => "SKIP_DEPENDENTS",
            Self::TerminateCluster => "TERMINATE_CLUSTER",
        }
    }
}

impl Retries {
    /// One attempt and no more.
    pub const NONE: Self =
        Self { max_attempts: NonZeroU32::MIN, delay: Duration::ZERO, backoff: 1.0 };

    /// No delay is longer, however often it doubled.
    pub const LONGEST: Duration = Duration::from_secs(3600);

    /// How long to wait after `ended` attempts (≥ 1) have failed; `None`: no further attempt.
    pub fn delay_after(&self, ended: u32) -> Option<Duration> {
        if ended == 0 || ended >= self.max_attempts.get() {
            return None;
        }
        let factor = self.backoff.powi(i32::try_from(ended - 1).unwrap_or(i32::MAX));
        // A product that is no number or too large for a Duration (0 × ∞, for one) is the longest delay.
        let delay = Duration::try_from_secs_f64(self.delay.as_secs_f64() * factor);
        Some(delay.unwrap_or(Self::LONGEST).min(Self::LONGEST))
    }
}

impl Default for OnResult {
    fn default() -> Self {
        Self { continue_job: vec![0], terminate_job_with_success: Vec::new() }
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_end() {
        let retries = Retries {
            max_attempts: NonZeroU32::new(4).expect("not zero"),
            delay: Duration::from_secs(10),
            backoff: 2.0,
        };
        let delays: Vec<_> = (1..=4).map(|n| retries.delay_after(n).map(|d| d.as_secs())).collect();
        assert_eq!(delays, [Some(10), Some(20), Some(40), None]);
        let endless = Retries { max_attempts: NonZeroU32::MAX, backoff: 1e9, ..retries };
        assert_eq!(endless.delay_after(4_000_000), Some(Retries::LONGEST));
        let none = Retries { delay: Duration::ZERO, ..endless };
        assert_eq!(none.delay_after(4_000_000), Some(Retries::LONGEST), "0 × ∞ is no number");
        assert_eq!(Retries::NONE.delay_after(1), None);
    }

    #[test]
    fn only_what_is_unusual_is_written() {
        let usual = serde_json::to_string(&Rules::default()).expect("they serialise");
        assert_eq!(usual, "{}");
        let unusual = Rules {
            on_failure: OnFailure::Continue,
            retries: Retries {
                max_attempts: NonZeroU32::MAX,
                delay: Duration::from_millis(1500),
                backoff: 1.5,
            },
            timeout: Some(Duration::from_secs(60)),
            on_result: OnResult { continue_job: vec![0, 4], terminate_job_with_success: vec![3] },
        };
        for rules in [Rules::default(), unusual] {
            let line = serde_json::to_string(&rules).expect("they serialise");
            assert_eq!(serde_json::from_str::<Rules>(&line).expect("they come back"), rules);
        }
    }
}

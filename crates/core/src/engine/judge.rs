//! What the end of an attempt means, after the playbook's rules.

use crate::config::playbook::Rules;
use crate::event::Stop;
use crate::fabric::{StepState, StepStatus};

/// A verdict on an attempt that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Succeeded, Failed or Cancelled.
    pub(super) state: StepState,
    /// Why, for a person.
    pub(super) reason: Option<String>,
    /// The run ends here, with success.
    pub(super) noop: bool,
}

/// Judges a final status. `stopped`: why we had asked the attempt to stop, if we had.
pub(super) fn judge(rules: &Rules, status: &StepStatus, stopped: Option<&Stop>) -> Verdict {
    // A proven end by exit code counts even if we had asked it to stop: it was faster.
    if let (StepState::Succeeded | StepState::Failed, Some(code)) = (status.state, status.exit_code)
        // What failed has not ended well by itself: such a code is somebody else's.
        && (status.state == StepState::Succeeded || code != 0)
    {
        let noop = rules.on_result.terminate_job_with_success.contains(&code);
        if noop || rules.on_result.continue_job.contains(&code) {
            return Verdict { state: StepState::Succeeded, reason: status.reason.clone(), noop };
        }
    }
    let timed_out = stopped == Some(&Stop::TimedOut);
    match (status.state, rules.timeout) {
        (StepState::Cancelled | StepState::Failed, Some(limit)) if timed_out => {
            let reason = format!("it took longer than its limit of {} s", limit.as_secs());
            Verdict { state: StepState::Failed, reason: Some(reason), noop: false }
        }
        // Success with a code that the playbook does not count as one.
        (StepState::Succeeded, _) if status.exit_code.is_some() => failed(status),
        (StepState::Failed, _) => failed(status),
        (state, _) => Verdict { state, reason: status.reason.clone(), noop: false },
    }
}

fn failed(status: &StepStatus) -> Verdict {
    let by_code = || status.exit_code.map(|code| format!("exit code {code}"));
    let reason = status.reason.clone().or_else(by_code);
    Verdict { state: StepState::Failed, reason, noop: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_with_0_has_failed() {
        let rules = Rules::default();
        for (state, code, verdict) in [
            (StepState::Succeeded, 0, StepState::Succeeded),
            (StepState::Failed, 0, StepState::Failed),
            (StepState::Failed, 1, StepState::Failed),
        ] {
            let status = StepStatus { exit_code: Some(code), ..StepStatus::new(state, "") };
            assert_eq!(judge(&rules, &status, None).state, verdict, "{state:?} with {code}");
        }
    }
}

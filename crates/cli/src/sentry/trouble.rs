//! What went wrong, in words that may leave this machine: no argument of a step, no piece of a file or a log, and
//! none of the variables' values, wherever they may have got to.

use dataflow_runner_core::diagnostic::{Code, Severity};
use dataflow_runner_core::event::{Event, EventKind, Outcome};
use dataflow_runner_core::fabric::StepState;
use dataflow_runner_core::secret::Hidden;
use serde_json::Value;

/// A value shorter than this, in bytes, tells nothing, and would be found everywhere.
const TELLING: usize = 3;

/// What went wrong so far.
#[derive(Default)]
pub(crate) struct Trouble {
    fabric: Option<String>,
    run: Option<String>,
    /// The names of steps that failed.
    steps: Vec<String>,
    outcome: Option<Outcome>,
    /// The codes of faults in files.
    faults: Vec<&'static str>,
    errors: Vec<String>,
    /// What must not be told.
    hidden: Hidden,
}

impl Trouble {
    /// Variables whose values must not be told.
    pub(crate) fn hide<'a>(&mut self, variables: impl Iterator<Item = (&'a str, &'a Value)>) {
        for (name, value) in variables {
            self.hidden.hide_variable(name, value, TELLING);
        }
    }

    /// Something happened.
    pub(crate) fn event(&mut self, event: &Event, name: &dyn Fn(&str) -> String) {
        match &event.kind {
            EventKind::RunStarted { run, fabric, .. } => {
                self.run = Some(run.to_string());
                self.fabric = Some(fabric.clone());
            }
            EventKind::StepEnded { step, state: StepState::Failed, .. } => {
                self.steps.push(name(step));
            }
            EventKind::RunEnded { outcome } => self.outcome = Some(outcome.clone()),
            _ => {}
        }
    }

    /// A fault of a file. What it says may quote the file, so only its code is kept.
    pub(crate) fn fault(&mut self, severity: Severity, code: Code) {
        if severity == Severity::Error && !self.faults.contains(&code.as_str()) {
            self.faults.push(code.as_str());
        }
    }

    /// An error that is no event.
    pub(crate) fn error(&mut self, text: &str) {
        self.errors.push(text.to_owned());
    }

    /// The fabric, once it is known.
    pub(super) fn fabric(&self) -> Option<&str> {
        self.fabric.as_deref()
    }

    /// The run, once there is one.
    pub(super) fn run(&self) -> Option<&str> {
        self.run.as_deref()
    }

    /// The names of steps that failed.
    pub(super) fn steps(&self) -> Vec<String> {
        self.steps.iter().map(|name| self.masked(name)).collect()
    }

    /// The same for all trouble of one kind, by which reports are put together.
    pub(super) fn kind(&self) -> String {
        let kind = match &self.outcome {
            Some(Outcome::Succeeded) => "succeeded",
            Some(Outcome::Noop { .. }) => "noop",
            Some(Outcome::Submitted) => "submitted",
            Some(Outcome::Failed { .. }) => "failed",
            Some(Outcome::Refused { error }) => return format!("refused {}", error.operation),
            Some(Outcome::Interrupted { .. }) => "interrupted",
            Some(Outcome::InDoubt { .. }) => "in doubt",
            None if self.faults.is_empty() => "other",
            None => return self.faults.join(", "),
        };
        kind.to_owned()
    }

    /// What went wrong, in a sentence.
    pub(super) fn message(&self) -> String {
        let outcome = self.outcome.as_ref().and_then(|outcome| self.told(outcome));
        let faults =
            (!self.faults.is_empty()).then(|| format!("invalid files: {}", self.faults.join(", ")));
        let all: Vec<_> = outcome.into_iter().chain(faults).chain(self.errors.clone()).collect();
        match all.is_empty() {
            true => "the program failed".to_owned(),
            false => self.masked(&all.join("; ")),
        }
    }

    fn told(&self, outcome: &Outcome) -> Option<String> {
        Some(match outcome {
            Outcome::Succeeded | Outcome::Noop { .. } | Outcome::Submitted => return None,
            Outcome::Failed { failed, total, reason } => {
                let steps = (*failed > 0)
                    .then(|| format!("{failed}/{total} steps failed to complete successfully"));
                let told: Vec<_> = steps.into_iter().chain(reason.clone()).collect();
                if told.is_empty() { "the run failed".to_owned() } else { told.join(": ") }
            }
            Outcome::Refused { error } => error.to_string(),
            Outcome::Interrupted { signal, .. } => format!("ended by signal {signal}"),
            Outcome::InDoubt { reason } => format!("in doubt: {reason}"),
        })
    }

    fn masked(&self, text: &str) -> String {
        self.hidden.masked(text).into_owned()
    }
}

/// Not what must not be told.
impl std::fmt::Debug for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trouble").field("run", &self.run).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use dataflow_runner_core::fabric::{Error, ErrorKind};
    use jiff::Timestamp;
    use serde_json::json;

    use dataflow_runner_core::diagnostic::code;

    use super::*;

    fn ended(outcome: Outcome) -> Trouble {
        let mut trouble = Trouble::default();
        let kind = EventKind::RunEnded { outcome };
        let event = Event { seq: 1, at: Timestamp::UNIX_EPOCH, kind };
        trouble.event(&event, &ToOwned::to_owned);
        trouble
    }

    #[test]
    fn values_of_variables_are_not_told_wherever_they_are() {
        let message = "role `etl-hunter2-x` of tenant hunter is unknown in 2026: 12";
        let error = Error::new(ErrorKind::Config, "emr", "RunJobFlow", message);
        let mut trouble = ended(Outcome::Refused { error });
        let values = [
            ("short", json!("12")),
            ("tenant", json!("hunter")),
            ("role", json!({"deep": ["hunter2"]})),
            ("year", json!(2026)),
            ("no", json!(null)),
        ];
        trouble.hide(values.iter().map(|(name, value)| (*name, value)));
        trouble.steps.push("load hunter2".into());
        let told =
            "emr RunJobFlow: role `etl-‹role›-x` of tenant ‹tenant› is unknown in ‹year›: 12";
        assert_eq!(trouble.message(), told);
        assert_eq!(trouble.steps(), ["load ‹role›"]);
        assert_eq!(trouble.kind(), "refused RunJobFlow");
        assert!(!format!("{trouble:?}").contains("hunter"));
    }

    #[test]
    fn every_way_to_fail_has_its_words() {
        let failed = |failed, reason: Option<&str>| {
            ended(Outcome::Failed { failed, total: 3, reason: reason.map(Into::into) }).message()
        };
        assert_eq!(failed(2, None), "2/3 steps failed to complete successfully");
        assert_eq!(failed(0, Some("it is gone")), "it is gone");
        assert_eq!(failed(0, None), "the run failed");
        assert_eq!(
            ended(Outcome::Interrupted { signal: 15, left: false }).message(),
            "ended by signal 15"
        );
        assert_eq!(Trouble::default().message(), "the program failed");
        let mut trouble = Trouble::default();
        trouble.fault(Severity::Error, code::NO_STEPS);
        trouble.fault(Severity::Warning, code::TWO_REGIONS);
        trouble.fault(Severity::Error, code::NO_STEPS);
        trouble.error("odd");
        assert_eq!(
            (trouble.message(), trouble.kind()),
            ("invalid files: no-steps; odd".into(), "no-steps".into())
        );
    }
}

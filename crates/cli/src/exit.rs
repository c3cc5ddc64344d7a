//! Exit codes: what each means is documented in `--help` and decided here, nowhere else.

use std::process::ExitCode;

use dataflow_runner_core::event::Outcome;
use dataflow_runner_core::fabric::{Effect, Error, ErrorKind};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is done as asked.
    Success,
    /// A no-op rule ended the run early, with success; the code is the user's choice.
    Noop(u8),
    /// The run failed.
    Failed,
    /// Wrong usage of the command line.
    Usage,
    /// The input is invalid; nothing was sent.
    Invalid,
    /// The fabric could not be reached or refused us; nothing is running because of this run.
    Refused,
    /// Something may be running.
    InDoubt,
    /// The lock is held by another.
    Locked,
    /// Ended by a signal.
    Signal(i32),
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Noop(code) => code,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::Refused => 4,
            Self::InDoubt => 5,
            Self::Locked => 17,
            // As shells show it.
            Self::Signal(number) => 128_u8.saturating_add(u8::try_from(number).unwrap_or(u8::MAX)),
        }
    }

    /// What the outcome of a run means; `noop` is the code for an early end with success.
    pub(crate) fn of(outcome: &Outcome, noop: u8) -> Self {
        match outcome {
            Outcome::Succeeded | Outcome::Submitted => Self::Success,
            Outcome::Noop { .. } => Self::Noop(noop),
            Outcome::Failed { .. } => Self::Failed,
            Outcome::Refused { error } => Self::of_error(error),
            Outcome::Interrupted { signal, .. } => Self::Signal(*signal),
            Outcome::InDoubt { .. } => Self::InDoubt,
        }
    }

    /// What an error means that ended all.
    fn of_error(error: &Error) -> Self {
        match (error.effect, error.kind) {
            (Effect::Unknown, _) => Self::InDoubt,
            (
                Effect::None,
                ErrorKind::Config
                | ErrorKind::Auth
                | ErrorKind::NotFound
                | ErrorKind::Conflict
                | ErrorKind::Quota
                | ErrorKind::Unsupported
                | ErrorKind::Unavailable
                | ErrorKind::Protocol,
            ) => Self::Refused,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// What a person can do about an error.
pub(crate) fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Config => "the fabric finds the configuration wrong: correct it",
        ErrorKind::Auth => "check the credentials and what they may do",
        ErrorKind::NotFound => "check the id, and that the configuration names the right place",
        ErrorKind::Conflict => {
            "look at the state it is in: wait until that has changed, or name another"
        }
        ErrorKind::Quota => "try again later, or ask for a higher quota",
        ErrorKind::Unsupported => "this fabric cannot do that",
        ErrorKind::Unavailable => "check the network and the fabric, and try again",
        ErrorKind::Protocol => "the answer makes no sense: is the address that of the fabric?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_have_the_documented_codes() {
        let error = Error::new(ErrorKind::Unavailable, "local", "launch", "gone");
        let failed = Outcome::Failed { failed: 1, total: 2, reason: None };
        let outcomes = [
            (Outcome::Succeeded, 0),
            (Outcome::Noop { step: "a".into() }, 9),
            (failed, 1),
            (Outcome::Refused { error: error.clone() }, 4),
            (Outcome::Refused { error: error.in_doubt() }, 5),
            (Outcome::InDoubt { reason: String::new() }, 5),
            (Outcome::Interrupted { signal: 1, left: false }, 129),
            (Outcome::Interrupted { signal: 2, left: false }, 130),
            (Outcome::Interrupted { signal: 15, left: false }, 143),
        ];
        for (outcome, code) in outcomes {
            assert_eq!(Exit::of(&outcome, 9).code(), code, "{outcome:?}");
        }
        assert_eq!((Exit::Usage.code(), Exit::Invalid.code(), Exit::Locked.code()), (2, 3, 17));
    }
}

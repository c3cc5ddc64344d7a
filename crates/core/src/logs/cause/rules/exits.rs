//! The number a program left.

use super::super::words::number_after;
use super::memory::container_exit;
use super::{Rule, Weight};

const LOOK: &str =
    "look at what the step wrote to stderr and stdout, and at the logs of its containers";

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "container",
        weight: Weight::ExitCode,
        says: |line| {
            let code = container_exit(line).filter(|code| *code != 0)?;
            Some(format!("a container ended with exit code {code}{}", meaning(code)))
        },
        advice: LOOK,
    },
    Rule {
        name: "command",
        weight: Weight::ExitCode,
        says: |line| {
            let code = number_after(line, "Command exiting with ret").filter(|code| *code != 0)?;
            Some(format!("the command ended with exit code {code}{}", meaning(code)))
        },
        advice: LOOK,
    },
    Rule {
        name: "step",
        weight: Weight::ExitCode,
        says: |line| {
            let code = number_after(line, "Step failed with exitCode")
                .or_else(|| number_after(line, "waitProcessCompletion ended with exit code"))
                .filter(|code| *code != 0)?;
            Some(format!("the step ended with exit code {code}{}", meaning(code)))
        },
        advice: LOOK,
    },
];

/// What an exit code means by custom: those of shells (POSIX.1-2024, 2.8.2), 128 and a signal above it.
fn meaning(code: i32) -> &'static str {
    match code {
        -1 => ": it was ended from outside, or EMR lost sight of it",
        126 => ": a program could not be executed",
        127 => ": a program was not found",
        130 => ": it was interrupted",
        134 => ": it aborted",
        137 => ": it was killed, most likely for lack of memory",
        139 => ": it crashed",
        143 => ": it was asked to end",
        _ => "",
    }
}

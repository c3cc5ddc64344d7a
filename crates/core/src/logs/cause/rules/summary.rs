//! Lines that only pass on that something failed, and lines that call themselves errors.

use super::super::words::{after, between, short};
use super::{Rule, Weight};

const CONTAINERS: &str = "look at what comes before it, and at the logs of the application's containers \
                          (containers/APPLICATION below logUri)";

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "user-class",
        weight: Weight::Summary,
        says: |line| {
            let why = after(line, "User class threw exception: ")?;
            Some(format!("the program threw {}", short(why.trim())))
        },
        advice: CONTAINERS,
    },
    Rule {
        name: "stage-failure",
        weight: Weight::Summary,
        says: |line| {
            let why = after(line, "Job aborted due to stage failure: ")?;
            Some(format!("Spark gave up: {}", short(why.trim())))
        },
        advice: CONTAINERS,
    },
    Rule {
        name: "failed-status",
        weight: Weight::Summary,
        says: |line| {
            let id = between(line, "Application application_", " finished with failed status")?;
            Some(format!("the application_{id} failed"))
        },
        advice: CONTAINERS,
    },
    Rule {
        name: "exception",
        weight: Weight::ErrorLine,
        says: |line| {
            let rest = line.strip_prefix("Exception in thread ")?;
            let why = after(rest, "\" ").unwrap_or(rest);
            Some(short(why.trim()))
        },
        advice: "look at what comes before it",
    },
    Rule {
        name: "error-line",
        weight: Weight::ErrorLine,
        says: |line| {
            let begins = ["Error: ", "ERROR: ", "error: ", "fatal: ", "FATAL: ", "fatal error: "];
            let plain = begins.iter().any(|begin| line.starts_with(begin));
            // As argparse writes it: `job.py: error: …`.
            let of_program =
                || line.split_once(": error: ").is_some_and(|(name, _)| !name.contains(' '));
            let logged =
                || super::super::words::level(line) == Some(super::super::words::Level::Error);
            (plain || of_program() || logged()).then(|| short(line.trim()))
        },
        advice: "look at what comes before it",
    },
];

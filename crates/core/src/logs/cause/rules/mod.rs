//! What single lines tell: a table, most telling first. A rule reads a line, or what a trace begins with, and says
//! what happened in a sentence; with it goes what a person can do.

mod code;
mod exits;
mod memory;
mod network;
mod storage;
mod summary;
mod yarn;

/// How much a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Nothing goes on after this.
    Deadly,
    /// It is a cause.
    Known,
    /// It passes on that something failed.
    Summary,
    /// It says that it is an error.
    ErrorLine,
    /// It is only the number that the program left.
    ExitCode,
}

/// A rule.
pub(super) struct Rule {
    /// For tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests name rules by it"))]
    pub(super) name: &'static str,
    weight: Weight,
    /// What a line tells, if it tells something.
    says: fn(&str) -> Option<String>,
    /// What to do.
    advice: &'static str,
}

/// What a rule found in a line.
#[derive(Debug)]
pub(super) struct Finding {
    /// Its place in the table: lower is more telling.
    pub(super) place: usize,
    pub(super) weight: Weight,
    pub(super) sentence: String,
    pub(super) advice: &'static str,
}

/// All rules, most telling first.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    let parts = [
        memory::RULES,
        storage::RULES,
        code::RULES,
        yarn::RULES,
        network::RULES,
        summary::RULES,
        exits::RULES,
    ];
    parts.into_iter().flatten()
}

/// The first rule that knows a line.
pub(super) fn find(line: &str) -> Option<Finding> {
    all().enumerate().find_map(|(place, rule)| {
        let sentence = (rule.says)(line)?;
        Some(Finding { place, weight: rule.weight, sentence, advice: rule.advice })
    })
}

/// The name of the first rule that knows a line.
#[cfg(test)]
pub(super) fn name(line: &str) -> Option<&'static str> {
    all().find(|rule| (rule.says)(line).is_some()).map(|rule| rule.name)
}

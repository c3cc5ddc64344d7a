//! The probable cause of a failure: read line by line, told by the most telling thing that was seen.
//!
//! Three readers see every line: the table of rules, and those of Java's and Python's traces. A log of a
//! failure holds much that only looks like one (retries that were warned of, what breaks while all is shut
//! down), so what was found is ranked: what is surely deadly, then the last trace, then single lines, then mere
//! messengers (`Application … finished with failed status`), and exit codes last.

use super::name::Kind;

mod java;
mod python;
mod rules;
mod words;

#[cfg(test)]
mod tests;

use java::Java;
use python::Python;
use rules::{Finding, Weight};

/// The probable cause of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What happened: a lowercase fragment.
    pub sentence: String,
    /// What a person can do about it: a lowercase fragment.
    pub advice: &'static str,
    /// The lines that tell it, eight at most.
    pub evidence: Vec<String>,
    /// The name of the log that has them.
    pub file: String,
}

/// Evidence has so many lines at most.
const MOST_LINES: usize = 8;

/// How telling something is; the first is the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Nothing goes on after this, whatever else is said.
    Deadly,
    /// A trace whose root a rule knows.
    KnownTrace,
    /// A trace.
    Trace,
    /// A line that a rule knows.
    Known,
    /// What passes on that something else failed, with its words.
    Summary,
    /// A trace that does the same, or one that somebody only warned of.
    Messenger,
    /// A deadly thing that was only warned of: it may have been survived.
    Warned,
    /// A line that says it is an error.
    ErrorLine,
    /// The number the program left.
    ExitCode,
}

/// Reads logs.
#[derive(Debug, Default)]
pub(super) struct Detective {
    file: String,
    kind: Option<Kind>,
    java: Java,
    python: Python,
    /// How severe the last line was that says how severe it is, and how many lines ago.
    level: Option<(words::Level, u32)>,
    best: Option<(Rank, usize, Kind, Cause)>,
}

/// A trace that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Trace {
    /// What was thrown at last, with its message.
    header: String,
    /// What it all began with, with its message; the header, if nothing else caused it.
    root: String,
    /// Where a person should look, such as `com.acme.Job.main(Job.java:3)`.
    place: Option<String>,
    /// The lines that tell it.
    evidence: Vec<String>,
    /// Somebody only warned of it.
    quiet: bool,
    /// It passes on that something else failed.
    messenger: bool,
}

impl Detective {
    /// What comes next is of this log.
    pub(super) fn begin(&mut self, file: &str, kind: Kind) {
        self.end();
        file.clone_into(&mut self.file);
        self.kind = Some(kind);
    }

    /// A line.
    pub(super) fn line(&mut self, line: &str) {
        let own = words::level(line);
        self.level = match own {
            Some(level) => Some((level, 0)),
            None => self.level.map(|(level, ago)| (level, ago.saturating_add(1))),
        };
        // What is logged with a trace has it on the next line.
        let inherited = self.level.filter(|(_, ago)| *ago <= 1).map(|(level, _)| level);
        let quiet =
            own.or(inherited).is_some_and(words::Level::is_quiet) && !line.contains("diagnostics");
        if let Some(trace) = self.java.line(line, quiet) {
            self.trace(trace);
        }
        if let Some(trace) = self.python.line(line) {
            self.trace(trace);
        }
        // Frames tell nothing that their header does not.
        if !java::is_frame(line) {
            self.look_up(line, own.is_some_and(words::Level::is_quiet));
        }
    }

    /// The most probable cause of all that was seen.
    pub(super) fn verdict(mut self) -> Option<Cause> {
        self.end();
        self.best.map(|(_, _, _, cause)| cause)
    }

    fn end(&mut self) {
        for trace in [self.java.end(), self.python.end()].into_iter().flatten() {
            self.trace(trace);
        }
        self.level = None;
    }

    fn look_up(&mut self, line: &str, quiet: bool) {
        let Some(found) = rules::find(line) else { return };
        let rank = match (found.weight, quiet) {
            (Weight::Deadly, false) => Rank::Deadly,
            (Weight::Deadly, true) => Rank::Warned,
            (Weight::Known, false) => Rank::Known,
            (Weight::Summary, _) => Rank::Summary,
            (Weight::ErrorLine, false) => Rank::ErrorLine,
            (Weight::ExitCode, _) => Rank::ExitCode,
            (Weight::Known | Weight::ErrorLine, true) => return,
        };
        let Finding { place, sentence, advice, .. } = found;
        self.weigh(rank, place, sentence, advice, vec![words::short(line)]);
    }

    fn trace(&mut self, trace: Trace) {
        if trace.quiet || trace.messenger {
            let quiet = trace.quiet;
            return self.plain(if quiet { Rank::Warned } else { Rank::Messenger }, trace);
        }
        let texts = [trace.root.as_str(), trace.header.as_str()];
        let known = texts.iter().find_map(|text| {
            rules::find(text).filter(|found| matches!(found.weight, Weight::Deadly | Weight::Known))
        });
        match known {
            Some(found) => {
                let deadly = found.weight == Weight::Deadly;
                let rank = if deadly { Rank::Deadly } else { Rank::KnownTrace };
                let Finding { place, sentence, advice, .. } = found;
                // A later trace is nearer to the end than an earlier one, whatever the rules say.
                let place = if deadly { place } else { 0 };
                self.weigh(rank, place, sentence, advice, trace.evidence);
            }
            None => self.plain(Rank::Trace, trace),
        }
    }

    /// A trace that no rule knows.
    fn plain(&mut self, rank: Rank, trace: Trace) {
        let at = trace.place.map(|place| format!(", at {place}")).unwrap_or_default();
        let sentence = format!("{}{at}", words::short(&trace.root));
        let advice = match rank {
            Rank::Trace => "look at that place in the program",
            _ => "look at what comes before it, and at the logs of the application's containers",
        };
        self.weigh(rank, 0, sentence, advice, trace.evidence);
    }

    /// Keeps what is more telling; of what is equally telling the later one of a log, and of logs the first.
    fn weigh(
        &mut self,
        rank: Rank,
        place: usize,
        sentence: String,
        advice: &'static str,
        mut evidence: Vec<String>,
    ) {
        let kind = self.kind.unwrap_or(Kind::Other);
        let better = match &self.best {
            None => true,
            Some((best, best_place, best_kind, _)) => {
                (same(rank), place, kind) <= (same(*best), *best_place, *best_kind)
            }
        };
        if better {
            evidence.truncate(MOST_LINES);
            let sentence = words::short(&sentence);
            let cause = Cause { sentence, advice, evidence, file: self.file.clone() };
            self.best = Some((rank, place, kind, cause));
        }
    }
}

/// Of two traces the later one counts, whether a rule knows it or not.
fn same(rank: Rank) -> Rank {
    if rank == Rank::KnownTrace { Rank::Trace } else { rank }
}

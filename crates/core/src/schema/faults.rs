//! The faults of one document, bounded in number.

use crate::diagnostic::{Diagnostic, Diagnostics, Severity, code};
use crate::document::Document;
use crate::source::Span;

/// So many faults of a file are shown; the rest is counted.
const MOST: usize = 1000;

/// Collects the faults of one document.
#[derive(Debug)]
pub struct Faults<'d> {
    document: &'d Document,
    found: Diagnostics,
    /// Where errors are in the rendered text, also those that are only counted.
    errors: Vec<Span>,
    shown: usize,
    more_errors: usize,
    more_warnings: usize,
}

impl<'d> Faults<'d> {
    /// None yet.
    pub fn new(document: &'d Document) -> Self {
        Self {
            document,
            found: Diagnostics::new(),
            errors: Vec::new(),
            shown: 0,
            more_errors: 0,
            more_warnings: 0,
        }
    }

    /// The document they are about.
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// Adds a fault at `span` of the rendered text.
    pub fn push(&mut self, span: Span, fault: Diagnostic) {
        if fault.severity == Severity::Error {
            self.errors.push(span);
        }
        if !self.is_full() {
            self.shown += 1;
            self.found.push(fault.at(self.document.place(span)));
        } else if fault.severity == Severity::Error {
            self.more_errors += 1;
        } else {
            self.more_warnings += 1;
        }
    }

    /// Whether any more will only be counted, so that their words are not worth finding.
    pub fn is_full(&self) -> bool {
        self.shown >= MOST
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.shown + self.more_errors + self.more_warnings
    }

    /// Where the errors so far are in the rendered text, from first to last.
    pub fn errors(&self) -> Vec<Span> {
        let mut errors = self.errors.clone();
        errors.sort_unstable();
        errors
    }

    /// All that are shown, and one that counts the rest.
    pub fn finish(mut self) -> Diagnostics {
        let message = |n| format!("{n} more in `{}`", self.document.source().name());
        if self.more_errors > 0 {
            self.found.push(Diagnostic::error(code::TOO_MANY_FAULTS, message(self.more_errors)));
        }
        if self.more_warnings > 0 {
            self.found
                .push(Diagnostic::warning(code::TOO_MANY_FAULTS, message(self.more_warnings)));
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::Source;

    #[test]
    fn the_rest_is_counted() {
        let document = Document::plain(Arc::new(Source::new("x", "ab")));
        let mut faults = Faults::new(&document);
        for _ in 0..MOST + 2 {
            faults.push(Span::at(0), Diagnostic::warning(code::UNUSED_VARIABLE, "again"));
        }
        faults.push(Span::at(1), Diagnostic::error(code::WRONG_TYPE, "last"));
        assert_eq!(faults.count(), MOST + 3);
        let all = faults.finish();
        assert!(all.has_errors(), "an error is never lost");
        let last: Vec<_> = all.iter().skip(MOST).map(ToString::to_string).collect();
        assert_eq!(
            last,
            ["error[too-many-faults]: 1 more in `x`", "warning[too-many-faults]: 2 more in `x`"]
        );
    }
}

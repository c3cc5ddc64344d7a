//! Faults of one file, as the offline rules of fabrics find them.

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place};
use crate::source::{Source, Span};

/// Collects faults at places of one file.
pub(super) struct Faults<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) all: &'a mut Diagnostics,
}

impl Faults<'_> {
    pub(super) fn push(&mut self, at: Span, fault: Diagnostic) {
        self.all.push(fault.at(Place::new(self.source, at)));
    }

    pub(super) fn error(&mut self, at: Span, code: Code, message: impl Into<String>, help: &str) {
        self.push(at, Diagnostic::error(code, message).help(help));
    }
}

//! What stands against running a playbook on this machine, before anything starts.

use std::sync::Arc;

use super::command::{Fault, Maker};
use crate::config::playbook::Playbook;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::secret::Text;
use crate::source::Source;

/// Tries to make the command line of each step.
pub(super) fn check(maker: &Maker<'_>, playbook: &Playbook, faults: &mut Diagnostics) {
    for step in &playbook.steps {
        for fault in maker.invocation(step).err().into_iter().flatten() {
            let span = fault.text.as_ref().map_or(step.span, |text| text.span);
            let mut diagnostic =
                Diagnostic::error(fault.code, fault.message(Some(&playbook.source)))
                    .at(Place::new(&playbook.source, span));
            if !fault.help.is_empty() {
                diagnostic = diagnostic.help(fault.help);
            }
            faults.push(diagnostic);
        }
    }
}

impl Fault {
    /// What is wrong. The text it is about is quoted only if it stands in the user's own file as it is: it
    /// may come from a variable.
    pub(super) fn message(&self, source: Option<&Arc<Source>>) -> String {
        let written = |text: &&Text| {
            let there = source.and_then(|source| source.text().get(text.span.range()));
            !text.is_secret() && there.is_some_and(|there| there.contains(text.expose()))
        };
        match self.text.as_ref().filter(written) {
            Some(text) => format!("{} `{}` {}", self.what, text.expose(), self.wrong),
            None => format!("{} {}", self.what, self.wrong),
        }
    }
}

//! Variables that a template declares for itself.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Place, code};
use crate::source::{Source, Span};

/// Warns of each `{{$name := …}}` whose name is nowhere else in the file. What `range` declares is left alone: the first
/// of two has to be there.
pub(super) fn check(source: &Arc<Source>, faults: &mut Diagnostics) {
    let text = source.text();
    let all = text.match_indices("{{").filter_map(|(at, _)| declared(text, at));
    let all: Vec<_> = all.collect();
    if all.is_empty() {
        return;
    }
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for (at, _) in text.match_indices('$') {
        let name = &text[at + 1..];
        let length = name.find(|c| !of_name(c)).unwrap_or(name.len());
        *uses.entry(&text[at..=at + length]).or_default() += 1;
    }
    for (name, span) in all.into_iter().filter(|(name, _)| uses.get(name) == Some(&1)) {
        let message = format!("`{name}` is declared and never used");
        let fault = Diagnostic::warning(code::UNUSED_TEMPLATE_VARIABLE, message);
        faults.push(fault.at(Place::new(source, span)).help("take the declaration out"));
    }
}

/// The name that the action at `at` declares.
fn declared(text: &str, at: usize) -> Option<(&str, Span)> {
    let action = &text[at + 2..];
    let inner = action.strip_prefix("- ").unwrap_or(action).trim_start();
    let name = inner.strip_prefix('$')?;
    let length = 1 + name.find(|c| !of_name(c))?;
    let start = text.len() - inner.len();
    let is_declared = length > 1 && inner[length..].trim_start().starts_with(":=");
    is_declared.then(|| (&inner[..length], Span::new(start, start + length)))
}

fn of_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

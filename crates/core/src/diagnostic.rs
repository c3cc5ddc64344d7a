//! What is wrong with the input: collected, sorted, shown all at once.

pub mod allow;
pub mod code;
mod repeated;

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

pub use code::Code;

use crate::source::{Source, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is sent as long as it stands.
    Error,
    /// Worth knowing; stops nothing.
    Warning,
}

/// A span of a source.
#[derive(Clone)]
pub struct Place {
    /// The user's own file, or what stands for one (the command line, a variables file).
    pub source: Arc<Source>,
    /// Where in it.
    pub span: Span,
    /// Where that is in the text that the source's template rendered, if that is known.
    pub rendered: Option<Span>,
}

/// One fault: what, where, what to do. The text never quotes a secret or the value of a variable.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The rule that was broken.
    pub code: Code,
    /// Whether it stops the run.
    pub severity: Severity,
    /// A lowercase fragment with names in backticks.
    pub message: String,
    /// Where it is, on the user's own text also after templating.
    pub place: Option<Place>,
    /// A few words put at the caret, such as `expected a string`.
    pub label: Option<String>,
    /// What to do about it, such as "did you mean `jar`?".
    pub help: Option<String>,
    /// More that belongs to it, each with a place or without.
    pub notes: Vec<Note>,
}

/// A remark to a [`Diagnostic`].
#[derive(Clone, Debug)]
pub struct Note {
    /// A lowercase fragment.
    pub message: String,
    /// Where it points, such as the first of two equal keys.
    pub place: Option<Place>,
}

impl Place {
    /// The place of `span` in `source`.
    pub fn new(source: &Arc<Source>, span: Span) -> Self {
        Self { source: Arc::clone(source), span, rendered: None }
    }
}

/// `file:line:column`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.source.position(self.span.start);
        write!(f, "{}:{}:{}", self.source.name(), at.line, at.column)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Diagnostic {
    /// An error by the rule `code`.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            place: None,
            label: None,
            help: None,
            notes: Vec::new(),
        }
    }

    /// A warning by the rule `code`.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Puts a few words at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a remark.
    #[must_use]
    pub fn note(mut self, message: impl Into<String>, place: Option<Place>) -> Self {
        self.notes.push(Note { message: message.into(), place });
        self
    }

    /// By file, then place, then errors first, then code, then place in the rendered text, then text; what has no place
    /// comes last.
    fn order(&self, other: &Self) -> Ordering {
        let place = |p: &Place, q: &Place| {
            let names = || p.source.name().cmp(q.source.name());
            names().then_with(|| p.span.cmp(&q.span))
        };
        let rendered = |d: &Self| d.place.as_ref().and_then(|p| p.rendered).map(|span| span.start);
        match (&self.place, &other.place) {
            (Some(a), Some(b)) => place(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
        .then_with(|| self.severity.cmp(&other.severity))
        .then_with(|| self.code.cmp(&other.code))
        .then_with(|| rendered(self).cmp(&rendered(other)))
        .then_with(|| self.message.cmp(&other.message))
    }
}

/// `error[code]: message (file:line:column)`: one line, for logs and tests. The program draws the caret.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{severity}[{}]: {}", self.code, self.message)?;
        if let Some(label) = &self.label {
            write!(f, " ({label})")?;
        }
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

/// A growing list of faults.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of `other`.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Adds those of `other` that are not where an error is already: they may be about what stands for it.
    pub fn append_elsewhere(&mut self, other: Self) {
        let place = |fault: &Diagnostic| {
            fault.place.as_ref().map(|place| (place.source.name().to_owned(), place.span))
        };
        let errors = self.0.iter().filter(|fault| fault.severity == Severity::Error);
        let taken: HashSet<_> = errors.filter_map(place).collect();
        let is_free = |fault: &Diagnostic| place(fault).is_none_or(|at| !taken.contains(&at));
        self.0.extend(other.0.into_iter().filter(is_free));
    }

    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// How many are errors.
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// How many are warnings.
    pub fn warnings(&self) -> usize {
        self.0.len() - self.errors()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, as found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// All, by file and place, each once, also where a template repeats the text it is about.
    #[must_use]
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        self.0.sort_by(Diagnostic::order);
        repeated::fold(self.0)
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, iter: T) {
        self.0.extend(iter);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_place_in_the_order_of_what_was_rendered() {
        let source = Arc::new(Source::new("a.json", "text"));
        let at = |rendered, message: &str| {
            let rendered = Some(Span::at(rendered));
            let place = Place { rendered, ..Place::new(&source, Span::new(0, 4)) };
            Diagnostic::error(code::WRONG_TYPE, message).at(place)
        };
        let all: Diagnostics = [at(9, "in turn 10"), at(1, "in turn 2")].into_iter().collect();
        let messages: Vec<_> = all.sorted().into_iter().map(|fault| fault.message).collect();
        assert_eq!(messages, ["in turn 2", "in turn 10"]);
    }

    #[test]
    fn sorted_by_file_and_place_and_each_once() {
        let a = Arc::new(Source::new("a.json", "one\ntwo"));
        let b = Arc::new(Source::new("b.json", "one"));
        let mut all = Diagnostics::new();
        all.push(Diagnostic::warning(code::UNUSED_VARIABLE, "no place"));
        all.push(
            Diagnostic::error(code::WRONG_TYPE, "second line").at(Place::new(&a, Span::new(4, 7))),
        );
        all.push(
            Diagnostic::error(code::WRONG_TYPE, "other file").at(Place::new(&b, Span::new(0, 3))),
        );
        all.push(
            Diagnostic::warning(code::UNUSED_VARIABLE, "first line")
                .at(Place::new(&a, Span::new(0, 3))),
        );
        all.push(
            Diagnostic::error(code::WRONG_TYPE, "first line").at(Place::new(&a, Span::new(0, 3))),
        );
        all.push(
            Diagnostic::error(code::WRONG_TYPE, "first line").at(Place::new(&a, Span::new(0, 3))),
        );
        assert_eq!((all.errors(), all.warnings()), (4, 2));
        let lines: Vec<_> = all.sorted().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "a.json:1:1: error[wrong-type]: first line",
                "a.json:1:1: warning[unused-variable]: first line",
                "a.json:2:1: error[wrong-type]: second line",
                "b.json:1:1: error[wrong-type]: other file",
                "warning[unused-variable]: no place",
            ]
        );
    }
}

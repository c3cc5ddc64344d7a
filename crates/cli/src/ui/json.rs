//! One JSON object a line, for programs.

use dataflow_runner_core::diagnostic::{Diagnostic, Place, Severity};
use dataflow_runner_core::event::Event;
use dataflow_runner_core::source::Span;
use serde_json::{Map, Value, json};

/// An event as the journal has it.
pub(super) fn event(event: &Event) -> String {
    // An event is made of strings and numbers only, which always serialise.
    serde_json::to_string(event).map(|line| line + "\n").unwrap_or_default()
}

/// A diagnostic, without the text it points at.
pub(super) fn diagnostic(fault: &Diagnostic) -> String {
    let severity = match fault.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let notes = fault.notes.iter().map(|note| {
        let mut told = place(note.place.as_ref());
        told.insert("message".to_owned(), json!(note.message));
        told
    });
    let mut told = place(fault.place.as_ref());
    told.extend([
        ("code".to_owned(), json!(fault.code.as_str())),
        ("severity".to_owned(), json!(severity)),
        ("message".to_owned(), json!(fault.message)),
        ("label".to_owned(), json!(fault.label)),
        ("help".to_owned(), json!(fault.help)),
        ("notes".to_owned(), notes.collect()),
    ]);
    format!("{}\n", json!({ "diagnostic": told }))
}

/// Where it begins, and where the text behind it begins; all of it is `null` where there is no place.
fn place(place: Option<&Place>) -> Map<String, Value> {
    let at = |offset: fn(Span) -> u32| place.map(|it| it.source.position(offset(it.span)));
    let (begin, end) = (at(|span| span.start), at(|span| span.end));
    let members = [
        ("file", json!(place.map(|place| place.source.name()))),
        ("line", json!(begin.map(|at| at.line))),
        ("column", json!(begin.map(|at| at.column))),
        ("endLine", json!(end.map(|at| at.line))),
        ("endColumn", json!(end.map(|at| at.column))),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dataflow_runner_core::source::Source;

    use super::*;
    use dataflow_runner_core::diagnostic::code;

    #[test]
    fn a_diagnostic_is_told_with_its_notes() {
        let source = Arc::new(Source::new("f", "ab\ncd"));
        let first = Some(Place::new(&source, Span::new(0, 3)));
        let fault = Diagnostic::error(code::WRONG_TYPE, "m")
            .at(Place::new(&source, Span::new(4, 5)))
            .note("first", first)
            .note("nowhere", None);
        let line = diagnostic(&fault);
        let told: Value = serde_json::from_str(&line).expect("JSON");
        let of = |told: &Value| {
            ["file", "line", "column", "endLine", "endColumn"].map(|name| told[name].clone())
        };
        let told = &told["diagnostic"];
        assert_eq!(of(told), [json!("f"), json!(2), json!(2), json!(2), json!(3)]);
        assert_eq!(of(&told["notes"][0]), [json!("f"), json!(1), json!(1), json!(2), json!(1)]);
        assert_eq!(told["notes"][0]["message"], "first");
        assert_eq!(told["notes"][1]["message"], "nowhere");
        assert_eq!(of(&told["notes"][1]), [(); 5].map(|()| Value::Null));
    }
}

//! One JSON object a line, for programs.

use dataflow_runner_core::diagnostic::{Diagnostic, Place, Severity};
use dataflow_runner_core::event::Event;
use serde_json::json;

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
    let file = |place: Option<&Place>| place.map(|place| place.source.name().to_owned());
    let at = |place: Option<&Place>| place.map(|place| place.source.position(place.span.start));
    let notes = fault.notes.iter().map(|note| {
        let (file, at) = (file(note.place.as_ref()), at(note.place.as_ref()));
        json!({
            "message": note.message,
            "file": file,
            "line": at.map(|at| at.line),
            "column": at.map(|at| at.column),
        })
    });
    let notes: Vec<_> = notes.collect();
    let (file, at) = (file(fault.place.as_ref()), at(fault.place.as_ref()));
    let fault = json!({
        "code": fault.code.as_str(),
        "severity": severity,
        "file": file,
        "line": at.map(|at| at.line),
        "column": at.map(|at| at.column),
        "message": fault.message,
        "label": fault.label,
        "help": fault.help,
        "notes": notes,
    });
    format!("{}\n", json!({ "diagnostic": fault }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dataflow_runner_core::source::{Source, Span};

    use super::*;
    use dataflow_runner_core::diagnostic::code;

    #[test]
    fn a_diagnostic_is_told_with_its_notes() {
        let source = Arc::new(Source::new("f", "ab\ncd"));
        let first = Some(Place::new(&source, Span::new(0, 1)));
        let fault = Diagnostic::error(code::WRONG_TYPE, "m")
            .at(Place::new(&source, Span::new(4, 5)))
            .note("first", first)
            .note("nowhere", None);
        let line = diagnostic(&fault);
        let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let place = |file: &str, line, column| (json!(file), json!(line), json!(column));
        let of = |told: &serde_json::Value| {
            (told["file"].clone(), told["line"].clone(), told["column"].clone())
        };
        let told = &told["diagnostic"];
        assert_eq!(of(told), place("f", 2, 2));
        assert_eq!(of(&told["notes"][0]), place("f", 1, 1));
        assert_eq!(told["notes"][1]["message"], "nowhere");
        assert!(told["notes"][1]["line"].is_null());
    }
}

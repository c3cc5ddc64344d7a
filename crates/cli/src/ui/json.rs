//! One JSON object a line, for programs.

use dataflow_runner_core::diagnostic::{Diagnostic, Severity};
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
    let at = fault.place.as_ref().map(|place| place.source.position(place.span.start));
    let fault = json!({
        "code": fault.code,
        "severity": severity,
        "file": fault.place.as_ref().map(|place| place.source.name()),
        "line": at.map(|at| at.line),
        "column": at.map(|at| at.column),
        "message": fault.message,
        "label": fault.label,
        "help": fault.help,
    });
    format!("{}\n", json!({ "diagnostic": fault }))
}

//! What is valid and still looks like a mistake: warnings of `lint`, which no run waits for.
//!
//! Each rule is precise rather than complete: a warning that is wrong costs more than one that is missing. What is
//! meant as it stands is [silenced](crate::diagnostic::allow) by a comment in the file.

mod arguments;
mod declared;
mod names;
mod secrets;
mod steps;
#[cfg(test)]
mod tests;
mod texts;
mod tokens;

pub use secrets::{Found, Kind, secrets};

use std::borrow::Cow;

use crate::diagnostic::{Diagnostic, Diagnostics, Place, code};
use crate::document::Document;
use crate::json::{Member, Node, Value};
use crate::source::Span;

/// What is found in the text of a file and in its values, whatever kind of file it is.
pub fn file(document: &Document, root: &Node<'_>, faults: &mut Diagnostics) {
    let source = document.source();
    for secret in secrets(source.text()) {
        let span = Span::new(secret.range.start, secret.range.end);
        let fault = Diagnostic::warning(code::LITERAL_SECRET, secret.kind.message());
        faults.push(fault.at(Place::new(source, span)).help(secrets::HELP));
    }
    declared::check(source, faults);
    let mut lints = Lints { document, faults };
    lints.walk(root, Context::default());
    if let Some(data) = member(root, "data") {
        steps::check(data, &mut lints);
        if let Some(Value::Array(steps)) = member(data, "steps").map(|steps| &steps.value) {
            steps.iter().for_each(|step| arguments::check(step, &mut lints));
        }
        no_logs(data, &mut lints);
    }
}

/// Where warnings about the values of a file go.
struct Lints<'d, 'f> {
    document: &'d Document,
    faults: &'f mut Diagnostics,
}

/// What is known of a value by what it stands in.
#[derive(Clone, Copy, Default)]
struct Context {
    /// Its text is for another program, which may have its own rules: a property, or an argument of a shell.
    foreign: bool,
}

impl Lints<'_, '_> {
    fn warn(&mut self, at: Span, fault: Diagnostic) {
        self.faults.push(fault.at(self.document.place(at)));
    }

    fn walk(&mut self, node: &Node<'_>, context: Context) {
        match &node.value {
            Value::String(_) => texts::check(node.span, context, self),
            Value::Array(items) => {
                names::list(items, self);
                items.iter().for_each(|item| self.walk(item, context));
            }
            Value::Object(members) => {
                for member in members {
                    let key = member.key.get();
                    names::map(&key, &member.node, self);
                    let foreign = context.foreign
                        || matches!(&*key, "properties" | "environment")
                        || (member.key.is_like("arguments") && arguments::is_script(node));
                    self.walk(&member.node, Context { foreign });
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// EMR keeps logs only where it is told a place for them (`LogUri` of
/// <https://docs.aws.amazon.com/emr/latest/APIReference/API_RunJobFlow.html>: without one, none are made).
fn no_logs(data: &Node<'_>, lints: &mut Lints<'_, '_>) {
    let Some(uri) = member(data, "logUri") else { return };
    if matches!(uri.value, Value::String(text) if text.get().is_empty()) {
        let message = "`data.logUri` is empty, so EMR keeps no logs of this cluster";
        let help = "write an S3 folder such as `s3://BUCKET/logs/`: after a failure, logs tell why";
        lints.warn(uri.span, Diagnostic::warning(code::NO_LOGS, message).help(help));
    }
}

/// A member of an object, by the key that 0.7.x would have taken for it too.
fn member<'n, 'a>(node: &'n Node<'a>, key: &str) -> Option<&'n Node<'a>> {
    let Value::Object(members) = &node.value else { return None };
    let same = |member: &&Member<'a>| member.key.is_like(key);
    members.iter().rfind(same).map(|member| &member.node)
}

/// The text of a member that is a string.
fn text<'a>(node: &Node<'a>, key: &str) -> Option<Cow<'a, str>> {
    match member(node, key)?.value {
        Value::String(text) => Some(text.get()),
        _ => None,
    }
}

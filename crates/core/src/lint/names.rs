//! Names that differ only by upper and lower case: for a person they are one, for the fabric two.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Lints;
use crate::diagnostic::{Diagnostic, code};
use crate::json::{Node, Value};
use crate::source::Span;

/// The fields of records in lists that name them.
const NAMING: [&str; 3] = ["id", "key", "classification"];

/// The members of a map. Of an environment, `http_proxy` and `HTTP_PROXY` are both usual.
pub(super) fn map(key: &str, node: &Node<'_>, lints: &mut Lints<'_, '_>) {
    let Value::Object(members) = &node.value else { return };
    if matches!(key, "properties" | "tags" | "labels" | "metadata") {
        let names = members.iter().map(|member| (member.key.get(), member.key_span));
        check(names, lints);
    }
}

/// The items of a list that have names, or are some.
pub(super) fn list(items: &[Node<'_>], lints: &mut Lints<'_, '_>) {
    for field in NAMING {
        let names = items.iter().filter_map(|item| {
            let Value::Object(members) = &item.value else { return None };
            let member = members.iter().find(|member| member.key.is(field))?;
            match member.node.value {
                Value::String(name) => Some((name.get(), member.node.span)),
                _ => None,
            }
        });
        check(names, lints);
    }
}

fn check<'a>(names: impl Iterator<Item = (Cow<'a, str>, Span)> + Clone, lints: &mut Lints<'_, '_>) {
    // Where all is lower case nothing differs by it.
    let may_differ = |byte: u8| byte.is_ascii_uppercase() || !byte.is_ascii();
    if !names.clone().any(|(name, _)| name.bytes().any(may_differ)) {
        return;
    }
    let mut seen: HashMap<String, (Cow<'a, str>, Span)> = HashMap::new();
    for (name, span) in names {
        let first = seen.entry(name.to_lowercase()).or_insert_with(|| (name.clone(), span));
        if first.0 == name {
            continue;
        }
        let message = "two names that differ only by upper and lower case";
        let place = lints.document.place(first.1);
        let fault = Diagnostic::warning(code::NAMES_DIFFER_BY_CASE, message)
            .note("the other one is here", Some(place))
            .help("write both the same if one is meant; else give them names that people can tell apart");
        lints.warn(span, fault);
    }
}

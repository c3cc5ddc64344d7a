//! One wrong value is one fault: what follows from it is not told as well.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use dataflow_runner_core::config::load;
use dataflow_runner_core::diagnostic::{Diagnostic, Severity};
use dataflow_runner_core::document::Document;
use dataflow_runner_core::source::Source;
use serde_json::{Value, json};

/// Where a value is, from the outside in.
type Place = Vec<Key>;

#[derive(Clone, Debug)]
enum Key {
    Name(String),
    Index(usize),
}

fn paths(value: &Value, to: &Place, all: &mut Vec<Place>) {
    let inner: Vec<(Key, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (Key::Name(name.clone()), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(i, value)| (Key::Index(i), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, value) in inner {
        let mut path = to.clone();
        path.push(key);
        all.push(path.clone());
        paths(value, &path, all);
    }
}

/// The same value with another one in that place, or none.
fn with(mut whole: Value, path: &[Key], other: Option<Value>) -> Value {
    let (last, outer) = path.split_last().expect("a path");
    let mut at = &mut whole;
    for key in outer {
        at = match key {
            Key::Name(name) => &mut at[name],
            Key::Index(i) => &mut at[i],
        };
    }
    match (last, other) {
        (Key::Name(name), Some(other)) => at[name] = other,
        (Key::Index(i), Some(other)) => at[i] = other,
        (Key::Name(name), None) => _ = at.as_object_mut().expect("an object").remove(name),
        (Key::Index(i), None) => _ = at.as_array_mut().expect("a list").remove(*i),
    }
    whole
}

/// Whether each fault says something of its own: of fields that make no sense beside, or without, another, and of a name
/// that nothing has any more.
fn are_all_true(faults: &[&Diagnostic]) -> bool {
    let codes: Vec<_> = faults.iter().map(|fault| fault.code.as_str()).collect();
    matches!(codes[..], ["provisioning-mix", "provisioning-mix"] | ["bad-id", "unknown-step"])
        || codes.contains(&"single-node")
}

#[test]
fn what_follows_from_a_fault_is_not_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/valid");
    let (mut tried, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(folder).expect("fixtures") {
        let path = entry.expect("readable").path();
        let text = fs::read_to_string(&path).expect("UTF-8");
        let Ok(whole) = serde_json::from_str::<Value>(&text) else { continue };
        if text.contains("{{") || whole.get("schema").is_none() {
            continue;
        }
        let mut all = Vec::new();
        paths(&whole["data"], &vec![Key::Name("data".to_owned())], &mut all);
        let values = [json!(null), json!(true), json!(-1), json!([]), json!(""), json!("x y")];
        let others: Vec<_> = values.into_iter().map(Some).chain([None]).collect();
        for place in all {
            for other in &others {
                let changed = with(whole.clone(), &place, other.clone());
                let source = Source::new("x.json", format!("{changed:#}"));
                let (_, faults) = load(&Document::plain(Arc::new(source)));
                let faults = faults.sorted();
                let errors = faults.iter().filter(|fault| fault.severity == Severity::Error);
                let errors: Vec<_> = errors.collect();
                if errors.len() > 1 && !are_all_true(&errors) {
                    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
                    wrong.push(format!("{} {place:?} {other:?}: {errors:#?}", path.display()));
                }
                tried += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 2000, "only {tried}");
}

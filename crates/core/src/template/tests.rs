//! The engine against what Go printed, and against itself.

mod bounds;
mod golden;
mod map;
mod messages;
mod properties;
mod said;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Error, Inputs, Limits, Map, Rendered, Template, Value};
use crate::source::Source;

/// Variables from JSON.
fn variables(json: &str) -> Map {
    let json: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).expect("an object");
    json.into_iter().map(|(k, v)| (k, Value::from(v))).collect()
}

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source::new("dir/playbook", text))
}

/// Renders `text` on 1970-01-01 in UTC, with one variable in the environment (`TOKEN`) and one file
/// (`key.pem`).
fn render_within(text: &str, json: &str, limits: Limits) -> Result<Rendered, Error> {
    Template::parse(&source(text))?.render(&Inputs {
        variables: &variables(json),
        now: &|| jiff::Timestamp::default().to_zoned(jiff::tz::TimeZone::UTC),
        env: &|name| (name == "TOKEN").then(|| OsString::from("s3cret")),
        read: &|path| match path == Path::new("key.pem") {
            true => Ok(b"pri\xFFvate".to_vec()),
            false => Err(io::ErrorKind::NotFound.into()),
        },
        limits,
    })
}

fn render(text: &str, json: &str) -> Result<Rendered, Error> {
    render_within(text, json, Limits::default())
}

//! Cloud Storage's methods to read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::pages;
use super::refusal::Refusal;
use super::serve::{Ask, json};
use super::storage::Object;
use super::world::World;
use crate::http::Reply;

/// What the fake does not do; a client that wants it must not believe that it was done.
const NOT_HERE: [&str; 8] = [
    "softDeleted",
    "versions",
    "matchGlob",
    "filter",
    "includeFoldersAsPrefixes",
    "includeTrailingDelimiter",
    "restoreToken",
    "kmsKeyName",
];

/// Refuses what the fake does not do.
pub(super) fn mind(world: &mut World, ask: &Ask) -> Result<(), Refusal> {
    let Some(name) = NOT_HERE.iter().find(|name| ask.query(name).is_some()) else { return Ok(()) };
    world.note(format!("the fake does not know the parameter {name}"));
    Err(Refusal::invalid(format!("The fake does not know {name}.")))
}

/// The bucket of a path.
pub(super) fn bucket<'a>(world: &World, ask: &'a Ask) -> Result<&'a str, Refusal> {
    let bucket = ask.var("bucket");
    if world.storage.has(bucket) {
        return Ok(bucket);
    }
    let refusal = Refusal::new(404, "NOT_FOUND", "The specified bucket does not exist.");
    Err(refusal.because("notFound"))
}

/// Its metadata, or with `alt=media` its bytes, or some of them.
pub(super) fn get(world: &World, ask: &Ask, url: &str) -> Result<Reply, Refusal> {
    let (bucket, name) = (bucket(world, ask)?, ask.var("object"));
    let wanted = ask.number("generation")?;
    let object = world.object(bucket, name);
    let object = object.filter(|object| wanted.is_none_or(|wanted| wanted == object.generation));
    let media = ask.query("alt") == Some("media");
    let Some(object) = object else {
        let message = format!("No such object: {bucket}/{name}");
        if media {
            // Who asks for bytes is told so in plain text.
            return Ok(plain(404, message));
        }
        return Err(Refusal::new(404, "NOT_FOUND", message).because("notFound"));
    };
    if ask.number("ifGenerationMatch")?.is_some_and(|wanted| wanted != object.generation) {
        return Err(Refusal::condition());
    }
    if ask.number("ifGenerationNotMatch")? == Some(object.generation) {
        return Ok(Reply { status: 304, headers: Vec::new(), body: Vec::new() });
    }
    if media {
        Ok(content(&object, ask.range.as_deref()))
    } else {
        Ok(json(200, &object.told(url)))
    }
}

fn plain(status: u16, text: String) -> Reply {
    let headers = vec![("content-type".to_owned(), "text/html; charset=UTF-8".to_owned())];
    Reply { status, headers, body: text.into_bytes() }
}

fn content(object: &Object, range: Option<&str>) -> Reply {
    let all = object.body.len();
    let (status, from, to) = match range.and_then(|range| bounds(range, all)) {
        // What is no range is ignored (RFC 9110, section 14.2).
        None => (200, 0, all),
        Some(Some((from, to))) => (206, from, to),
        Some(None) => {
            let mut reply = plain(416, "The requested range cannot be satisfied.".to_owned());
            reply.headers.push(("content-range".to_owned(), format!("bytes */{all}")));
            return reply;
        }
    };
    let mut headers = vec![
        ("content-type".to_owned(), object.content_type.clone()),
        ("x-goog-generation".to_owned(), object.generation.to_string()),
        ("x-goog-metageneration".to_owned(), "1".to_owned()),
        ("x-goog-stored-content-length".to_owned(), all.to_string()),
        ("accept-ranges".to_owned(), "bytes".to_owned()),
    ];
    if status == 206 {
        let last = to - 1;
        headers.push(("content-range".to_owned(), format!("bytes {from}-{last}/{all}")));
    }
    Reply { status, headers, body: object.body[from..to].to_vec() }
}

/// From and to (not included) of `bytes=from-last`, `bytes=from-` and `bytes=-so many`; within, `None` where there is no
/// such byte.
#[expect(
    clippy::option_option,
    reason = "no range and a range of nothing are answered differently"
)]
fn bounds(range: &str, all: usize) -> Option<Option<(usize, usize)>> {
    let (from, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from, last) {
        ("", last) => (all.saturating_sub(last.parse().ok()?), all),
        (from, "") => (from.parse().ok()?, all),
        (from, last) => {
            (from.parse().ok()?, last.parse::<usize>().ok()?.saturating_add(1).min(all))
        }
    };
    Some((from < to).then_some((from, to)))
}

/// A page of a bucket. With a delimiter, names that have it behind the prefix are told as one.
pub(super) fn list(world: &World, ask: &Ask, url: &str) -> Result<Value, Refusal> {
    let bucket = bucket(world, ask)?;
    let text = |name: &str| ask.query(name).unwrap_or_default();
    let (prefix, delimiter, start, end) =
        (text("prefix"), text("delimiter"), text("startOffset"), text("endOffset"));
    let size = ask.query("maxResults").and_then(|size| size.parse().ok()).filter(|size| *size > 0);
    let size = size.unwrap_or(1000).min(world.script.objects);
    let group = |name: &str| {
        let rest = name.get(prefix.len()..).filter(|_| !delimiter.is_empty())?;
        rest.find(delimiter).map(|at| name[..prefix.len() + at + delimiter.len()].to_owned())
    };
    let within = |object: &Object| {
        object.name.as_str() >= start && (end.is_empty() || object.name.as_str() < end)
    };
    let mut groups = BTreeSet::new();
    let mut entries = Vec::new();
    for object in world.objects(bucket, prefix).into_iter().filter(within) {
        match group(&object.name) {
            Some(group) if groups.insert(group.clone()) => {
                entries.push((group.clone(), Err(group)))
            }
            Some(_) => {}
            None => entries.push((object.name.clone(), Ok(object.told(url)))),
        }
    }
    let (page, next) =
        pages::page(&ask.but_the_token(), ask.query("pageToken"), size, entries.into_iter())?;
    let mut told = json!({"kind": "storage#objects"});
    let (items, prefixes): (Vec<_>, Vec<_>) = page.into_iter().partition(Result::is_ok);
    let items: Vec<Value> = items.into_iter().filter_map(Result::ok).collect();
    let prefixes: Vec<String> = prefixes.into_iter().filter_map(Result::err).collect();
    if !items.is_empty() {
        told["items"] = Value::Array(items);
    }
    if !prefixes.is_empty() {
        told["prefixes"] = json!(prefixes);
    }
    if let Some(next) = next {
        told["nextPageToken"] = json!(next);
    }
    Ok(told)
}

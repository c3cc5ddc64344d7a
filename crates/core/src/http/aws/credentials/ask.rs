//! Questions to those who hand out credentials, and what they answer.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::super::Credentials;
use super::{Trouble, World};
use crate::http::retry::{Miss, persist};
use crate::http::{Fault, Reply, Request};
use crate::secret::Secret;

/// A question without a body.
pub(super) fn get(url: String, headers: &[(&str, &str)]) -> Request {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Request { method: "GET", url, headers: headers.collect(), body: Vec::new() }
}

/// Asks, and asks again while that makes sense. `who` is for messages. A reply that is a refusal (4xx) is a reply.
pub(super) fn ask(
    world: &World,
    who: &str,
    request: &Request,
    limit: Duration,
) -> Result<Reply, Trouble> {
    let client = &world.wire.client;
    let asked = persist(client.bell(), true, |_| match client.send(request, limit) {
        Ok(reply) if reply.status == 429 || reply.status >= 500 => {
            Err(Miss::Lost(format!("it answered {}", reply.status)))
        }
        Ok(reply) => Ok(reply),
        Err(Fault::NotSent(e)) => Err(Miss::NotSent(e)),
        Err(Fault::Lost(e)) => Err(Miss::Lost(e)),
    });
    asked.map_err(|miss| {
        Trouble::unavailable(format!("{who} cannot be asked: {}", miss.into_error()))
    })
}

/// The reply of one who knows: refusals are troubles.
pub(super) fn granted(who: &str, reply: &Reply) -> Result<(), Trouble> {
    match reply.status {
        200..300 => Ok(()),
        status => Err(Trouble::auth(format!("{who} refused: it answered {status}"))),
    }
}

/// Credentials in JSON; `names` are those of id, secret, token and end.
pub(super) fn read(who: &str, value: &Value, names: [&str; 4]) -> Result<Credentials, Trouble> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
    let lacks = |name| Trouble::unavailable(format!("{who} gave credentials without `{name}`"));
    let need = |name| text(name).map(Secret::new).ok_or_else(|| lacks(name));
    let [id, secret, token, end] = names;
    let expires = match value.get(end) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(time(text).ok_or_else(|| lacks(end))?),
        Some(number) => {
            let milliseconds = number.as_i64().and_then(|it| Timestamp::from_millisecond(it).ok());
            Some(milliseconds.ok_or_else(|| lacks(end))?)
        }
    };
    Ok(Credentials {
        id: need(id)?,
        secret: need(secret)?,
        token: text(token).map(Secret::new),
        expires,
    })
}

/// A time of ISO 8601; older versions of the AWS CLI write `UTC` for `Z`.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    text.replace("UTC", "Z").parse().ok()
}

/// A body in JSON.
pub(super) fn json(who: &str, body: &[u8]) -> Result<Value, Trouble> {
    // The reason may quote what it met.
    serde_json::from_slice(body)
        .map_err(|_| Trouble::unavailable(format!("{who} did not answer in JSON")))
}

//! Google's published methods and schemas, and whether a call fits one of them.
//!
//! The table is made from the discovery documents that Google publishes (`scripts/google-shapes`). The service takes and
//! drops members that are read only; here they are refused, since who sends them believes that they have an effect.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::refusal::Refusal;
use crate::base64;
use crate::http::encode::decode;

mod table;

use table::{Kind, Member, Method, TABLE};

/// A call's method, and what its path names.
#[derive(Clone, Debug)]
pub(super) struct Route {
    method: &'static Method,
    /// The variables of the path, such as `region`.
    vars: BTreeMap<&'static str, String>,
    /// Enumerations may be numbers (`$alt=json;enum-encoding=int`), as Google's clients for Python want.
    numbers: bool,
}

/// Something that does not fit: where, and why.
pub(super) type Misfit = (String, String);

impl Route {
    /// Where a call leads; `path` as it was on the wire.
    pub(super) fn find(verb: &str, path: &str, query: &[(String, String)]) -> Option<Self> {
        let given: Vec<&str> = path.split('/').collect();
        let numbers = query.iter().any(|(name, value)| {
            matches!(name.as_str(), "$alt" | "alt") && value.ends_with("enum-encoding=int")
        });
        let fits = |method: &'static Method| {
            let vars = method.vars(&given).filter(|_| method.verb == verb)?;
            Some(Self { method, vars, numbers })
        };
        TABLE.methods.iter().find_map(fits)
    }

    /// The method's name without what all have in common, such as `jobs.submit`.
    pub(super) fn short(&self) -> &'static str {
        short(self.method.id)
    }

    /// What the path says, decoded.
    pub(super) fn var(&self, name: &str) -> &str {
        self.vars.get(name).map_or("", String::as_str)
    }

    /// All that the path says.
    pub(super) fn vars(&self) -> &BTreeMap<&'static str, String> {
        &self.vars
    }

    /// Whether a call fits its method.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn check(&self, query: &[(String, String)], body: &[u8]) -> Result<Value, Refusal> {
        let mut misfits = Vec::new();
        for (name, value) in query {
            self.check_parameter(name, value, &mut misfits);
        }
        let body = self.body(body)?;
        if let (Some(schema), false) = (self.method.request, body.is_null()) {
            let fit = Fit { requested: true, numbers: self.numbers };
            fit.schema(schema, &body, "", &mut misfits);
        }
        match misfits.first() {
            None => Ok(body),
            Some((_, said)) => {
                let message = format!("Invalid JSON payload received. {said}");
                let violations = misfits.clone();
                Err(Refusal { violations, ..Refusal::invalid(message) })
            }
        }
    }

    /// The body: JSON where the method has one, else none. An upload's is not looked at here.
    fn body(&self, body: &[u8]) -> Result<Value, Refusal> {
        match self.method.request {
            None if body.is_empty() || body == b"{}" => Ok(Value::Null),
            None => Err(Refusal::invalid("Invalid JSON payload received. There is no body here.")),
            Some(_) if body.is_empty() => Ok(Value::Object(serde_json::Map::new())),
            Some(_) => serde_json::from_slice(body).map_err(|fault| {
                Refusal::invalid(format!("Invalid JSON payload received. {fault}"))
            }),
        }
    }

    fn check_parameter(&self, name: &str, value: &str, misfits: &mut Vec<Misfit>) {
        // What every Google API takes, and no discovery document names.
        if name == "$alt" {
            return;
        }
        let common = TABLE.common.get(self.method.service()).into_iter().flatten();
        let Some(known) = self.method.query.iter().chain(common).find(|it| it.name == name) else {
            let said = format!(
                "Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not be found in request message."
            );
            return misfits.push((name.to_owned(), said));
        };
        let right = match &known.kind {
            Kind::Boolean => matches!(value, "true" | "false"),
            Kind::Words(words) => {
                words.contains(&value)
                    || (self.numbers && value.parse().is_ok_and(|n: usize| n < words.len()))
                    || (name == "alt" && value.starts_with("json;"))
            }
            Kind::Int32 => value.parse::<i32>().is_ok(),
            Kind::UInt32 => value.parse::<u32>().is_ok(),
            kind => kind.holds(value),
        };
        if !right {
            misfits.push((name.to_owned(), format!("Invalid value at '{name}', \"{value}\"")));
        }
    }

    /// Whether enumerations may be numbers.
    pub(super) fn is_numbered(&self) -> bool {
        self.numbers
    }

    /// What of the reply does not fit; `numbers`: enumerations may be numbers.
    pub(super) fn misfits(&self, body: &Value, numbers: bool) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        let fit = Fit { requested: false, numbers };
        if let Some(schema) = self.method.reply {
            fit.schema(schema, body, "", &mut misfits);
        }
        for name in ["metadata", "response"] {
            fit.packed(&body[name], &mut misfits);
        }
        misfits
    }
}

/// Whether a client's description of something fits a schema.
///
/// # Errors
/// It does not.
pub(super) fn described(schema: &str, value: &Value) -> Result<(), Refusal> {
    let mut misfits = Vec::new();
    Fit { requested: true, numbers: false }.schema(schema, value, "", &mut misfits);
    match misfits.first() {
        None => Ok(()),
        Some((_, said)) => Err(Refusal::invalid(format!("Invalid JSON payload received. {said}"))),
    }
}

/// A method's name without what all have in common.
pub(super) fn short(id: &str) -> &str {
    let id = id.strip_prefix("dataproc.projects.regions.").unwrap_or(id);
    id.strip_prefix("storage.").unwrap_or(id)
}

/// How a value is looked at.
#[derive(Clone, Copy)]
struct Fit {
    /// Sent by a client: nothing that is read only.
    requested: bool,
    numbers: bool,
}

impl Fit {
    /// A packed message (`google.protobuf.Any`) must fit the schema that it names.
    fn packed(self, message: &Value, misfits: &mut Vec<Misfit>) {
        let Some(kind) = message["@type"].as_str() else { return };
        let mut plain = message.clone();
        if let Some(members) = plain.as_object_mut() {
            members.remove("@type");
        }
        let schema = kind.rsplit('.').next().unwrap_or_default();
        self.schema(schema, &plain, schema, misfits);
    }

    fn schema(self, name: &str, value: &Value, at: &str, misfits: &mut Vec<Misfit>) {
        let (Some(members), Some(given)) = (TABLE.schemas.get(name), value.as_object()) else {
            return misfits.push(wrong(name, value, at));
        };
        for (name, value) in given {
            let at_member = below(at, name);
            match members.iter().find(|member| member.name == name) {
                None => {
                    let said =
                        format!("Unknown name \"{name}\" at '{}': Cannot find field.", top(at));
                    misfits.push((at_member, said));
                }
                Some(member) if member.output && self.requested => {
                    misfits.push((at_member.clone(), format!("'{at_member}' is output only.")));
                }
                Some(member) => self.kind(&member.kind, value, &at_member, misfits),
            }
        }
        let missing = |member: &&Member| member.required && is_empty(given.get(member.name));
        for member in members.iter().filter(missing) {
            let at = below(at, member.name);
            misfits.push((at.clone(), format!("Required field '{at}' is missing.")));
        }
    }

    fn kind(self, kind: &Kind, value: &Value, at: &str, misfits: &mut Vec<Misfit>) {
        match (kind, value) {
            (Kind::Schema(name), value) => self.schema(name, value, at, misfits),
            (Kind::List(of), Value::Array(values)) => {
                for (n, value) in values.iter().enumerate() {
                    self.kind(of, value, &format!("{at}[{n}]"), misfits);
                }
            }
            (Kind::Map(of), Value::Object(values)) => {
                for (name, value) in values {
                    self.kind(of, value, &below(at, name), misfits);
                }
            }
            (Kind::Words(words), Value::String(word)) if words.contains(&word.as_str()) => {}
            (Kind::Words(_), Value::Number(_)) if self.numbers => {}
            (Kind::Any, _) | (Kind::Boolean, Value::Bool(_)) | (Kind::Number, Value::Number(_)) => {
            }
            (Kind::Int32, Value::Number(n))
                if n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {}
            (Kind::UInt32, Value::Number(n))
                if n.as_u64().is_some_and(|n| u32::try_from(n).is_ok()) => {}
            (kind, Value::String(text)) if kind.holds(text) => {}
            (kind, value) => misfits.push(wrong(&format!("{kind:?}"), value, at)),
        }
    }
}

impl Kind {
    /// Whether a text is one of a kind that is a text on the wire.
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Int64 => text.parse::<i64>().is_ok(),
            Self::UInt64 => text.parse::<u64>().is_ok(),
            Self::Duration => seconds(text).is_some(),
            Self::Time => text.ends_with('Z') && text.parse::<Timestamp>().is_ok(),
            Self::Bytes => base64::decode(text).is_some(),
            _ => false,
        }
    }
}

/// The seconds of a duration such as `3.5s`.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let number = text.strip_suffix('s')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(part) && part.len() <= 9).then(|| number.parse().ok()).flatten()
}

fn wrong(wanted: &str, value: &Value, at: &str) -> Misfit {
    (at.to_owned(), format!("Invalid value at '{}' ({wanted}), {value}", top(at)))
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        _ => false,
    }
}

fn top(at: &str) -> &str {
    if at.is_empty() { "the message" } else { at }
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

impl Method {
    fn service(&self) -> &'static str {
        self.id.split('.').next().unwrap_or_default()
    }

    /// What the parts of a path say, if it is this method's.
    fn vars(&self, given: &[&str]) -> Option<BTreeMap<&'static str, String>> {
        if given.len() != self.path.len() {
            return None;
        }
        let mut vars = BTreeMap::new();
        for (wanted, given) in self.path.iter().zip(given) {
            let (before, verb) = wanted.split_once(':').unwrap_or((wanted, ""));
            let Some(name) = before.strip_prefix('{').and_then(|it| it.strip_suffix('}')) else {
                if wanted != given {
                    return None;
                }
                continue;
            };
            let value = match verb {
                "" => Some(*given).filter(|given| !given.contains(':')),
                verb => given.strip_suffix(verb).and_then(|it| it.strip_suffix(':')),
            };
            vars.insert(name, decode(value.filter(|value| !value.is_empty())?));
        }
        Some(vars)
    }
}

#[cfg(test)]
mod tests;

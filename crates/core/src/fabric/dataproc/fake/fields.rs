//! The parameter `fields`: what of a reply is wanted
//! (<https://cloud.google.com/storage/docs/json_api#partial-response>).

use serde_json::{Map, Value};

/// What is selected by such as `items(name,size),nextPageToken` or `items/name`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, Fields)>);

impl Fields {
    /// `None` where it makes no sense.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (fields, rest) = Self::read(text)?;
        rest.is_empty().then_some(fields)
    }

    fn read(mut text: &str) -> Option<(Self, &str)> {
        let mut all = Vec::new();
        loop {
            let end = text.find([',', '(', ')', '/']).unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            if name.is_empty() {
                return None;
            }
            let (inner, rest) = match rest.as_bytes().first() {
                Some(b'(') => {
                    let (inner, rest) = Self::read(&rest[1..])?;
                    (inner, rest.strip_prefix(')')?)
                }
                // One name behind it, not a list.
                Some(b'/') => {
                    let end = rest.find([',', ')']).unwrap_or(rest.len());
                    let (inner, _) = Self::read(&rest[1..end])?;
                    (inner, &rest[end..])
                }
                _ => (Self::default(), rest),
            };
            all.push((name.to_owned(), inner));
            match rest.strip_prefix(',') {
                Some(more) => text = more,
                None => return Some((Self(all), rest)),
            }
        }
    }

    /// What is left of a reply.
    pub(super) fn of(&self, told: Value) -> Value {
        match told {
            told if self.0.is_empty() => told,
            Value::Array(all) => all.into_iter().map(|one| self.of(one)).collect(),
            Value::Object(all) => Value::Object(self.members(all)),
            told => told,
        }
    }

    fn members(&self, all: Map<String, Value>) -> Map<String, Value> {
        let wanted = |name: &str| self.0.iter().find(|(known, _)| known == name || known == "*");
        let some = all.into_iter().filter_map(|(name, value)| {
            let (_, inner) = wanted(&name)?;
            Some((name, inner.of(value)))
        });
        some.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reply_has_what_is_selected_and_no_more() {
        let told =
            json!({"kind": "k", "items": [{"name": "a", "size": "1", "id": "x"}], "next": "n"});
        for (fields, left) in [
            ("kind", json!({"kind": "k"})),
            ("items(name,size),next", json!({"items": [{"name": "a", "size": "1"}], "next": "n"})),
            ("items/name,kind", json!({"items": [{"name": "a"}], "kind": "k"})),
            ("nothing", json!({})),
            ("*", told.clone()),
        ] {
            let parsed = Fields::parse(fields).expect("it makes sense");
            assert_eq!(parsed.of(told.clone()), left, "{fields}");
        }
    }

    #[test]
    fn what_makes_no_sense() {
        for fields in ["", ",", "a,", "a(", "a(b", "a)", "a()", "a/", "a(b)c"] {
            assert_eq!(Fields::parse(fields), None, "{fields}");
        }
    }
}

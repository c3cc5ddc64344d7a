//! What a cluster file says in Dataproc's own words, laid over what we would send.

use std::fmt;

use serde_json::{Map, Value};

use crate::secret::Text;

/// A JSON object that is merged into the body of `clusters.create` as RFC 7386 says: objects are merged member by member,
/// null removes, and all else replaces.
#[derive(Clone, PartialEq, Eq)]
pub struct Extra {
    /// As it stands in the file.
    pub text: Text,
    members: Map<String, Value>,
}

impl Extra {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// What is wrong with it, in words that hold nothing of it.
    pub fn parse(text: Text) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text.expose()).map_err(|e| {
            format!("is not JSON, as line {} column {} shows", e.line(), e.column())
        })?;
        match value {
            Value::Object(members) => Ok(Self { text, members }),
            _ => Err("is JSON, but no object".to_owned()),
        }
    }

    /// What is at this path of names, if anything is: null, too.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.members.get(*first)?, |value, name| value.get(*name))
    }

    /// Lays it over a body.
    pub(super) fn lay_over(&self, body: &mut Value) {
        merge(body, &self.members);
    }
}

/// Values may come from variables, or be secret.
impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extra({:?})", self.text)
    }
}

/// `MergePatch` of RFC 7386, section 2, of an object.
fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        match value {
            Value::Null => {
                members.remove(name);
            }
            Value::Object(inner) => {
                merge(members.entry(name.clone()).or_insert(Value::Null), inner)
            }
            other => {
                members.insert(name.clone(), other.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::sample::text;

    fn merged(mut body: Value, patch: &str) -> Value {
        Extra::parse(text(patch)).expect("an object").lay_over(&mut body);
        body
    }

    /// The examples of RFC 7386, appendix A, whose patches are objects.
    #[test]
    fn as_the_rfc_merges() {
        for (target, patch, result) in [
            (json!({"a": "b"}), r#"{"a":"c"}"#, json!({"a": "c"})),
            (json!({"a": "b"}), r#"{"b":"c"}"#, json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), r#"{"a":null}"#, json!({})),
            (json!({"a": "b", "b": "c"}), r#"{"a":null}"#, json!({"b": "c"})),
            (json!({"a": ["b"]}), r#"{"a":"c"}"#, json!({"a": "c"})),
            (json!({"a": "c"}), r#"{"a":["b"]}"#, json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), r#"{"a":{"b":"d","c":null}}"#, json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), r#"{"a":[1]}"#, json!({"a": [1]})),
            (json!({"e": null}), r#"{"a":1}"#, json!({"e": null, "a": 1})),
            (json!([1, 2]), r#"{"a":"b","c":null}"#, json!({"a": "b"})),
            (json!({}), r#"{"a":{"bb":{"ccc":null}}}"#, json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(merged(target, patch), result, "{patch}");
        }
    }

    #[test]
    fn only_objects_and_nothing_of_them_is_told() {
        assert_eq!(Extra::parse(text("[1]")), Err("is JSON, but no object".to_owned()));
        let fault = Extra::parse(text(r#"{"hunter2": }"#)).expect_err("no JSON");
        assert_eq!(fault, "is not JSON, as line 1 column 13 shows");
        let extra = Extra::parse(text(r#"{"a":{"hunter2":null}}"#)).expect("an object");
        assert_eq!(format!("{extra:?}"), "Extra(Text(22 bytes))");
        assert_eq!(extra.get(&["a", "hunter2"]), Some(&Value::Null));
        assert_eq!(extra.get(&["a", "b"]), None);
        assert_eq!(extra.get(&["a", "hunter2", "c"]), None);
        assert_eq!(extra.get(&[]), None);
    }
}

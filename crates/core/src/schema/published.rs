//! The schemas that this program publishes, compiled in.

use std::sync::Arc;

use crate::document::Document;
use crate::source::Source;

/// What the key of every published schema begins with.
pub const PREFIX: &str = "iglu:com.snowplowanalytics.dataflowrunner/";

/// A published schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its name, such as `PlaybookConfig`.
    pub name: &'static str,
    /// Its version, such as `2-0-0`.
    pub version: &'static str,
    /// The Avro schema.
    pub text: &'static str,
}

macro_rules! published {
    ($($name:literal $version:literal),* $(,)?) => {
        &[$(Published {
            name: $name,
            version: $version,
            text: include_str!(concat!(
                "../../../../schemas/com.snowplowanalytics.dataflowrunner/", $name, "/avro/", $version, ".avsc"
            )),
        }),*]
    };
}

const PUBLISHED: &[Published] = published![
    "ClusterConfig" "1-0-0",
    "ClusterConfig" "1-0-1",
    "ClusterConfig" "1-1-0",
    "DataprocClusterConfig" "1-0-0",
    "LocalClusterConfig" "1-0-0",
    "PlaybookConfig" "1-0-0",
    "PlaybookConfig" "1-0-1",
    "PlaybookConfig" "2-0-0",
    "YarnClusterConfig" "1-0-0",
];

/// All of them, by name and version.
pub fn published() -> &'static [Published] {
    PUBLISHED
}

/// The schema of a key such as `iglu:com.snowplowanalytics.dataflowrunner/PlaybookConfig/avro/2-0-0`, or of the part
/// of it behind the vendor, or of a name alone: its newest version.
pub fn find(key: &str) -> Option<Published> {
    let key = key.strip_prefix(PREFIX).unwrap_or(key);
    let parts: Vec<_> = key.split('/').collect();
    let (name, version) = match parts[..] {
        [name] => (name, None),
        [name, "avro", version] | [name, version] => (name, Some(version)),
        _ => return None,
    };
    let fits = |p: &&Published| p.name == name && version.is_none_or(|v| v == p.version);
    PUBLISHED.iter().rev().find(fits).copied()
}

impl Published {
    /// The key by which files name it.
    pub fn key(&self) -> String {
        format!("{PREFIX}{}/avro/{}", self.name, self.version)
    }

    /// Its text, to be read by [`Schema::parse`](super::Schema::parse).
    pub fn document(&self) -> Document {
        Document::plain(Arc::new(Source::new(self.key(), self.text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Node, Value, parse};
    use crate::schema::Schema;

    #[test]
    fn all_are_valid_and_their_names_are_their_keys() {
        for published in PUBLISHED {
            let document = published.document();
            let (schema, faults) = Schema::parse(&document);
            assert!(faults.is_empty(), "{:?}", faults.sorted());
            let schema = schema.expect("valid");
            let full = format!("com.snowplowanalytics.dataflowrunner.{}", published.name);
            assert_eq!(schema.tag(schema.root()), full);
            let found = find(&published.key()).expect("known by its key");
            assert_eq!(found, *published);
        }
        assert_eq!(find("PlaybookConfig").map(|p| p.version), Some("2-0-0"));
        assert_eq!(find("PlaybookConfig/avro/1-0-0").map(|p| p.version), Some("1-0-0"));
        assert_eq!(find("PlaybookConfig/jsonschema/1-0-0"), None);
        assert_eq!(find("Other"), None);
    }

    /// The program prints these schemas for people to read.
    #[test]
    fn every_field_and_record_is_explained() {
        fn look(node: &Node<'_>, named: &mut usize) {
            match &node.value {
                Value::Array(items) => items.iter().for_each(|item| look(item, named)),
                Value::Object(members) => {
                    let has = |key| members.iter().any(|m| m.key.is(key));
                    if has("name") {
                        *named += 1;
                        assert!(has("doc"), "no doc at {:?}", node.span);
                    }
                    members.iter().for_each(|m| look(&m.node, named));
                }
                _ => {}
            }
        }
        for published in PUBLISHED {
            let document = published.document();
            let mut named = 0;
            look(&parse(&document).0.expect("JSON"), &mut named);
            assert!(named > 4, "{}", published.key());
        }
    }
}

//! A JSON Schema of whole files, made from the Avro schema of their data: for editors.
//!
//! It is of draft-07, which the editors of VS Code and IntelliJ both know in full; of the later drafts they know parts
//! (<https://code.visualstudio.com/docs/languages/json>, <https://www.jetbrains.com/help/idea/json.html>).
//!
//! It takes what [`check`](super::check()) takes: unions plain or tagged; in lenient files also unknown keys, and null for
//! what may be absent. It cannot say that a key is there twice, nor that `1.0` is no integer.

use std::collections::HashSet;

use serde::{Serialize, Serializer};
use serde_json::{Number, Value as Json};

use super::{Field, Mode, Record, Schema, Type, TypeId};
use crate::json::{Node, Value};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Characters up to U+00FF: what bytes are in JSON.
const BYTES: &str = "^[\\u0000-\\u00ff]*$";

/// An editor sees the file before its template is rendered; a string may be anything then.
const ACTION: &str = "\\{\\{";

/// Files that have a schema.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// What their `schema` says.
    pub key: &'a str,
    /// A regular expression for all that it may say, if that is not only `key`.
    pub keys: Option<&'a str>,
    /// What people call the schema.
    pub title: &'a str,
    /// How strictly they are read.
    pub mode: Mode,
    /// Record and field of what a lenient file must have all the same, besides its `schema` and `data`.
    pub needed: &'a [(&'a str, &'a str)],
}

/// A JSON Schema, or a part of one. Serialise it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JsonSchema {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    schema: Option<&'static str>,
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    of: Option<&'static str>,
    #[serde(rename = "const", skip_serializing_if = "Option::is_none")]
    only: Option<String>,
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    symbols: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Box<JsonSchema>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    all_of: Vec<JsonSchema>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    any_of: Vec<JsonSchema>,
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    condition: Option<Box<JsonSchema>>,
    #[serde(rename = "then", skip_serializing_if = "Option::is_none")]
    consequence: Option<Box<JsonSchema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    property_names: Option<Box<JsonSchema>>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "in_order")]
    properties: Vec<(String, JsonSchema)>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "in_order")]
    pattern_properties: Vec<(String, JsonSchema)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_properties: Option<Additional>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_properties: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_properties: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "in_order")]
    definitions: Vec<(String, JsonSchema)>,
}

/// What other keys of an object may hold.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Additional {
    Any(bool),
    Of(Box<JsonSchema>),
}

/// The fields of a schema in its own order, which is a better one than that of the alphabet.
fn in_order<S: Serializer>(all: &[(String, JsonSchema)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(all.iter().map(|(name, schema)| (name, schema)))
}

impl JsonSchema {
    /// The schema of a whole file, `{"schema": …, "data": …}`, whose data is of `schema`.
    pub fn of_files(schema: &Schema<'_>, files: &Files<'_>) -> Self {
        let mut writer = Writer { schema, files, seen: HashSet::new(), definitions: Vec::new() };
        let data = writer.described(schema.root(), Some("What the file says."));
        let key = Self {
            description: Some("What the file is.".to_owned()),
            examples: files.keys.map(|_| files.key.to_owned()).into_iter().collect(),
            pattern: files.keys.map(str::to_owned),
            only: files.keys.is_none().then(|| files.key.to_owned()),
            ..Self::typed("string")
        };
        let mut definitions = writer.definitions;
        definitions.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self {
            schema: Some(DRAFT),
            title: Some(files.title.to_owned()),
            description: schema.doc(schema.root()).map(str::to_owned),
            properties: vec![("schema".to_owned(), key), ("data".to_owned(), data)],
            additional_properties: closed(files.mode),
            required: vec!["schema".to_owned(), "data".to_owned()],
            definitions,
            ..Self::typed("object")
        }
    }

    fn typed(of: &'static str) -> Self {
        Self { of: Some(of), ..Self::default() }
    }

    fn any(any_of: Vec<Self>) -> Self {
        Self { any_of, ..Self::default() }
    }

    fn lone_member() -> Self {
        Self { min_properties: Some(1), max_properties: Some(1), ..Self::typed("object") }
    }

    fn within(of: &'static str, minimum: Number, maximum: Number) -> Self {
        Self { minimum: Some(minimum), maximum: Some(maximum), ..Self::typed(of) }
    }

    /// Whether it is a union that has null among its branches.
    fn takes_null(&self) -> bool {
        self.of == Some("null") || self.any_of.iter().any(|one| one.of == Some("null"))
    }
}

/// Keys of lenient files may be unknown ones.
fn closed(mode: Mode) -> Option<Additional> {
    (mode == Mode::Strict).then_some(Additional::Any(false))
}

struct Writer<'w, 's> {
    schema: &'w Schema<'s>,
    files: &'w Files<'w>,
    /// The named types that are defined, or being so.
    seen: HashSet<TypeId>,
    definitions: Vec<(String, JsonSchema)>,
}

impl Writer<'_, '_> {
    /// A type with the description of the place where it stands.
    fn described(&mut self, of: TypeId, doc: Option<&str>) -> JsonSchema {
        let mut of = self.of(of);
        if of.reference.is_some() {
            // In this draft nothing counts beside a `$ref`.
            of = JsonSchema { all_of: vec![of], ..JsonSchema::default() };
        }
        JsonSchema { description: doc.map(str::to_owned), ..of }
    }

    fn of(&mut self, id: TypeId) -> JsonSchema {
        let schema = self.schema;
        match schema.get(id) {
            Type::Null => JsonSchema::typed("null"),
            Type::Boolean => JsonSchema::typed("boolean"),
            Type::Int => JsonSchema::within("integer", i32::MIN.into(), i32::MAX.into()),
            Type::Long => JsonSchema::within("integer", i64::MIN.into(), i64::MAX.into()),
            Type::Float => JsonSchema {
                minimum: Number::from_f64(f32::MIN.into()),
                maximum: Number::from_f64(f32::MAX.into()),
                ..JsonSchema::typed("number")
            },
            Type::Double => JsonSchema::typed("number"),
            Type::String => JsonSchema::typed("string"),
            Type::Bytes => {
                JsonSchema { pattern: Some(BYTES.to_owned()), ..JsonSchema::typed("string") }
            }
            Type::Array(items) => {
                JsonSchema { items: Some(Box::new(self.of(*items))), ..JsonSchema::typed("array") }
            }
            Type::Map(values) => {
                let values = Additional::Of(Box::new(self.of(*values)));
                JsonSchema { additional_properties: Some(values), ..JsonSchema::typed("object") }
            }
            Type::Union(branches) => self.union(branches),
            Type::Record(_) | Type::Enum(_) | Type::Fixed(_) => self.named(id),
        }
    }

    /// A named type stands once among the definitions, so one may be inside itself.
    fn named(&mut self, id: TypeId) -> JsonSchema {
        let schema = self.schema;
        let name = schema.tag(id);
        if self.seen.insert(id) {
            let definition = match schema.get(id) {
                Type::Record(record) => self.record(record),
                Type::Enum(of) => {
                    let symbols = of.symbols.iter().map(|symbol| symbol.to_string()).collect();
                    let action = JsonSchema {
                        pattern: Some(ACTION.to_owned()),
                        ..JsonSchema::typed("string")
                    };
                    JsonSchema::any(vec![JsonSchema { symbols, ..JsonSchema::default() }, action])
                }
                Type::Fixed(of) => JsonSchema {
                    pattern: Some(BYTES.to_owned()),
                    min_length: Some(of.size),
                    max_length: Some(of.size),
                    ..JsonSchema::typed("string")
                },
                _ => JsonSchema::default(),
            };
            let short = name.rsplit('.').next().unwrap_or(name);
            let definition = JsonSchema {
                title: Some(short.to_owned()),
                description: schema.doc(id).map(str::to_owned),
                ..definition
            };
            self.definitions.push((name.to_owned(), definition));
        }
        JsonSchema { reference: Some(format!("#/definitions/{name}")), ..JsonSchema::default() }
    }

    fn record(&mut self, record: &Record<'_>) -> JsonSchema {
        let mut properties = Vec::new();
        let mut required = Vec::new();
        let mut under_any_name = Vec::new();
        for field in &record.fields {
            let needed = self.is_needed(record, field);
            for name in std::iter::once(&field.name).chain(&field.aliases) {
                properties.push((name.to_string(), self.field(field, needed)));
            }
            match (needed, field.aliases.is_empty()) {
                (true, true) => required.push(field.name.to_string()),
                (true, false) => under_any_name.push(one_of_names(field)),
                (false, _) => {}
            }
        }
        JsonSchema {
            properties,
            required,
            all_of: under_any_name,
            additional_properties: closed(self.files.mode),
            ..JsonSchema::typed("object")
        }
    }

    fn field(&mut self, field: &Field<'_>, needed: bool) -> JsonSchema {
        let mut schema = self.described(field.of, field.doc.as_deref());
        if self.files.mode == Mode::Lenient && !needed && !schema.takes_null() {
            let description = schema.description.take();
            let null = JsonSchema::typed("null");
            schema = JsonSchema { description, ..JsonSchema::any(vec![schema, null]) };
        }
        // That a field may be absent is told by what is required; an editor would only offer to write null.
        let default = field.default.as_ref().map(json).filter(|default| !default.is_null());
        JsonSchema { default, ..schema }
    }

    fn is_needed(&self, record: &Record<'_>, field: &Field<'_>) -> bool {
        match self.files.mode {
            Mode::Strict => field.default.is_none() && !self.schema.is_nullable(field.of),
            Mode::Lenient => self.files.needed.contains(&(record.name.short(), &field.name)),
        }
    }

    /// The branches as they are, null last, and then as Avro's JSON encoding tags them.
    fn union(&mut self, branches: &[TypeId]) -> JsonSchema {
        let schema = self.schema;
        let (null, others): (Vec<TypeId>, Vec<TypeId>) =
            branches.iter().copied().partition(|b| matches!(schema.get(*b), Type::Null));
        let mut any: Vec<_> = others.into_iter().chain(null).map(|b| self.of(b)).collect();
        any.push(self.tagged(branches));
        let mut union = JsonSchema::any(any);
        if self.takes_tags_for_fields(branches) {
            let tags = branches.iter().map(|b| tag_pattern(schema.tag(*b))).collect::<Vec<_>>();
            let tag = JsonSchema { pattern: Some(tags.join("|")), ..JsonSchema::default() };
            union.condition = Some(Box::new(JsonSchema {
                property_names: Some(Box::new(tag)),
                ..JsonSchema::lone_member()
            }));
            union.consequence = Some(Box::new(self.tagged(branches)));
        }
        union
    }

    fn tagged(&mut self, branches: &[TypeId]) -> JsonSchema {
        let schema = self.schema;
        // Patterns, since editors would offer to write properties.
        let tags = branches.iter().map(|b| (tag_pattern(schema.tag(*b)), self.of(*b))).collect();
        JsonSchema {
            pattern_properties: tags,
            additional_properties: Some(Additional::Any(false)),
            ..JsonSchema::lone_member()
        }
    }

    /// Whether a record among the branches takes a tag for an unknown field. Where it has such a field, or a map is among
    /// them, what is inside decides.
    fn takes_tags_for_fields(&self, branches: &[TypeId]) -> bool {
        let schema = self.schema;
        let is_tag = |field: &Field<'_>| {
            let mut tags = branches.iter().map(|b| schema.tag(*b));
            tags.any(|tag| tag == field.name || tag.rsplit('.').next() == Some(&field.name))
        };
        let mut takes = false;
        for branch in branches {
            match schema.get(*branch) {
                Type::Map(_) => return false,
                Type::Record(record) if record.fields.iter().any(is_tag) => return false,
                Type::Record(_) => takes = self.files.mode == Mode::Lenient,
                _ => {}
            }
        }
        takes
    }
}

/// A record that has a needed field under any of its names.
fn one_of_names(field: &Field<'_>) -> JsonSchema {
    let names = std::iter::once(&field.name).chain(&field.aliases);
    let one =
        names.map(|name| JsonSchema { required: vec![name.to_string()], ..JsonSchema::default() });
    JsonSchema::any(one.collect())
}

/// A tag with its namespace or without.
fn tag_pattern(tag: &str) -> String {
    match tag.rsplit_once('.') {
        Some((namespace, short)) => format!("^({}\\.)?{short}$", namespace.replace('.', "\\.")),
        None => format!("^{tag}$"),
    }
}

fn json(node: &Node<'_>) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Number(n) if n.is_integer() => n.as_i64().into(),
        Value::Number(n) => n.as_f64().into(),
        Value::String(s) => s.get().into(),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Object(members) => {
            members.iter().map(|m| (m.key.get().into_owned(), json(&m.node))).collect()
        }
    }
}

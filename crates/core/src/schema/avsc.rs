//! Reads an Avro schema (<https://avro.apache.org/docs/1.12.0/specification/>) into a compact, resolved form.
//!
//! Logical types, orders and attributes that the specification does not name are accepted and ignored.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::check::{Mode, check_type};
use super::{Faults, Path};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, code};
use crate::document::Document;
use crate::json::{self, Node, Value};
use crate::source::Span;
use crate::suggest::{list, suggest};

/// A valid schema. It borrows from its own text.
#[derive(Debug)]
pub struct Schema<'s> {
    types: Vec<Type<'s>>,
    root: TypeId,
}

/// A type of one schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeId(usize);

/// An Avro type, with the types inside it by id.
#[derive(Debug)]
pub enum Type<'s> {
    /// `null`.
    Null,
    /// `boolean`.
    Boolean,
    /// `int`: 32 bits.
    Int,
    /// `long`: 64 bits.
    Long,
    /// `float`.
    Float,
    /// `double`.
    Double,
    /// `bytes`: in JSON a string of characters up to U+00FF.
    Bytes,
    /// `string`.
    String,
    /// `record`.
    Record(Record<'s>),
    /// `enum`.
    Enum(Enum<'s>),
    /// `array` of its items' type.
    Array(TypeId),
    /// `map` of its values' type.
    Map(TypeId),
    /// A union of these.
    Union(Vec<TypeId>),
    /// `fixed`.
    Fixed(Fixed<'s>),
}

/// The full name of a named type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name(String);

/// A record.
#[derive(Debug)]
pub struct Record<'s> {
    /// Its full name.
    pub name: Name,
    /// What it is for.
    pub doc: Option<Cow<'s, str>>,
    /// Its fields in order.
    pub fields: Vec<Field<'s>>,
}

/// A field of a record.
#[derive(Debug)]
pub struct Field<'s> {
    /// Its name.
    pub name: Cow<'s, str>,
    /// Other names that it may be written by.
    pub aliases: Vec<Cow<'s, str>>,
    /// What it is for.
    pub doc: Option<Cow<'s, str>>,
    /// Its type.
    pub of: TypeId,
    /// Its value where a record does not have it.
    pub default: Option<Node<'s>>,
}

/// An enum.
#[derive(Debug)]
pub struct Enum<'s> {
    /// Its full name.
    pub name: Name,
    /// What it is for.
    pub doc: Option<Cow<'s, str>>,
    /// Its symbols in order.
    pub symbols: Vec<Cow<'s, str>>,
}

/// A fixed number of bytes.
#[derive(Debug)]
pub struct Fixed<'s> {
    /// Its full name.
    pub name: Name,
    /// What it is for.
    pub doc: Option<Cow<'s, str>>,
    /// So many bytes.
    pub size: usize,
}

impl Name {
    /// The full name, with its namespace.
    pub fn full(&self) -> &str {
        &self.0
    }

    /// The name without its namespace.
    pub fn short(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or(&self.0)
    }
}

const PRIMITIVES: [(&str, Type<'static>); 8] = [
    ("null", Type::Null),
    ("boolean", Type::Boolean),
    ("int", Type::Int),
    ("long", Type::Long),
    ("float", Type::Float),
    ("double", Type::Double),
    ("bytes", Type::Bytes),
    ("string", Type::String),
];

impl<'s> Schema<'s> {
    /// Reads a schema; there is one when there is no error.
    pub fn parse(document: &'s Document) -> (Option<Self>, Diagnostics) {
        let (node, mut diagnostics) = json::parse(document);
        let Some(node) = node else { return (None, diagnostics) };
        let (names, types): (Vec<_>, Vec<_>) = PRIMITIVES.into_iter().unzip();
        let names = names.into_iter().enumerate().map(|(i, n)| (n.to_owned(), TypeId(i)));
        let mut reader = Reader {
            types,
            names: names.collect(),
            defaults: Vec::new(),
            faults: Faults::new(document),
        };
        let root = reader.read(&node, "", &Path::root("schema"));
        let Reader { types, defaults, mut faults, .. } = reader;
        let schema = Self { types, root };
        if faults.count() == 0 {
            schema.check_defaults(&defaults, &mut faults);
        }
        diagnostics.append(faults.finish());
        ((!diagnostics.has_errors()).then_some(schema), diagnostics)
    }

    /// The type of whole values.
    pub fn root(&self) -> TypeId {
        self.root
    }

    /// A type by its id.
    pub fn get(&self, id: TypeId) -> &Type<'s> {
        &self.types[id.0]
    }

    /// The name of a type as unions tag it: the full name, or the kind of an unnamed type.
    pub fn tag(&self, id: TypeId) -> &str {
        match self.get(id) {
            Type::Record(Record { name, .. })
            | Type::Enum(Enum { name, .. })
            | Type::Fixed(Fixed { name, .. }) => name.full(),
            Type::Array(_) => "array",
            Type::Map(_) => "map",
            Type::Union(_) => "union",
            _ => PRIMITIVES[id.0].0,
        }
    }

    /// What a named type is for.
    pub fn doc(&self, id: TypeId) -> Option<&str> {
        match self.get(id) {
            Type::Record(Record { doc, .. })
            | Type::Enum(Enum { doc, .. })
            | Type::Fixed(Fixed { doc, .. }) => doc.as_deref(),
            _ => None,
        }
    }

    /// A default must be a value of its field's type.
    fn check_defaults(&self, defaults: &[(TypeId, usize, String)], faults: &mut Faults<'_>) {
        for (id, index, path) in defaults {
            let Type::Record(record) = self.get(*id) else { continue };
            let field = &record.fields[*index];
            let Some(default) = &field.default else { continue };
            let mut wrong = Faults::new(faults.document());
            check_type(self, field.of, default, &Path::root(path), Mode::Strict, &mut wrong);
            for fault in wrong.finish().sorted() {
                let message = format!("a default of another type: {}", fault.message);
                faults.push(default.span, Diagnostic::error(code::AVSC_DEFAULT, message));
            }
        }
    }
}

struct Reader<'s> {
    types: Vec<Type<'s>>,
    /// By full name; a name that stands for itself only, such as `string`, too.
    names: HashMap<String, TypeId>,
    /// The fields with defaults, which are checked when all types are known.
    defaults: Vec<(TypeId, usize, String)>,
    faults: Faults<'s>,
}

/// Stands where a type could not be read; the schema is refused then.
const UNKNOWN: TypeId = TypeId(0);

impl<'s> Reader<'s> {
    fn read(&mut self, node: &Node<'s>, namespace: &str, path: &Path<'_>) -> TypeId {
        match &node.value {
            Value::String(name) => self.reference(&name.get(), node.span, namespace, path),
            Value::Array(branches) => self.union(branches, namespace, path),
            Value::Object(_) => self.object(node, namespace, path),
            other => {
                let message = format!("`{path}` is {}, not a type", other.kind());
                self.fault(node.span, code::AVSC_TYPE, message);
                UNKNOWN
            }
        }
    }

    fn reference(&mut self, name: &str, at: Span, namespace: &str, path: &Path<'_>) -> TypeId {
        let full = qualify(name, namespace);
        if let Some(id) = self.names.get(&full).or_else(|| self.names.get(name)) {
            return *id;
        }
        let near = suggest(name, self.names.keys().map(String::as_str));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        let mut fault = Diagnostic::error(code::AVSC_TYPE, format!("`{path}`: no type `{name}`"));
        fault.help = help;
        self.faults.push(at, fault);
        UNKNOWN
    }

    fn union(&mut self, branches: &[Node<'s>], namespace: &str, path: &Path<'_>) -> TypeId {
        let mut ids: Vec<TypeId> = Vec::new();
        let mut seen: HashSet<(&'static str, TypeId)> = HashSet::new();
        for (i, branch) in branches.iter().enumerate() {
            let path = path.index(i);
            let faults = self.faults.count();
            let id = self.read(branch, namespace, &path);
            if self.faults.count() > faults {
                continue;
            }
            // Two lists, two maps, or one type twice cannot be told apart.
            let kind = match self.types[id.0] {
                Type::Array(_) => ("array", UNKNOWN),
                Type::Map(_) => ("map", UNKNOWN),
                Type::Union(_) => {
                    self.fault(
                        branch.span,
                        code::AVSC_UNION,
                        format!("`{path}`: a union in a union"),
                    );
                    continue;
                }
                _ => ("", id),
            };
            if !seen.insert(kind) {
                let message = format!("`{path}`: a union with the same type twice");
                self.fault(branch.span, code::AVSC_UNION, message);
            }
            ids.push(id);
        }
        self.add(Type::Union(ids))
    }

    fn object(&mut self, node: &Node<'s>, namespace: &str, path: &Path<'_>) -> TypeId {
        let Some(kind) = member(node, "type") else {
            self.fault(node.span, code::AVSC_MISSING, format!("`{path}` has no `type`"));
            return UNKNOWN;
        };
        let name = match &kind.value {
            Value::String(name) => name.get(),
            _ => return self.read(kind, namespace, &path.key("type")),
        };
        match name.as_ref() {
            "array" | "map" => {
                let inside = if name == "array" { "items" } else { "values" };
                let Some(inner) = self.needed(node, inside, path) else { return UNKNOWN };
                let id = self.read(inner, namespace, &path.key(inside));
                self.add(if name == "array" { Type::Array(id) } else { Type::Map(id) })
            }
            "record" | "error" | "enum" | "fixed" => self.named(node, &name, namespace, path),
            _ => self.reference(&name, kind.span, namespace, &path.key("type")),
        }
    }

    fn named(&mut self, node: &Node<'s>, kind: &str, outer: &str, path: &Path<'_>) -> TypeId {
        let Some(name) = self.needed_string(node, "name", path) else { return UNKNOWN };
        let namespace = member(node, "namespace").and_then(string).unwrap_or(Cow::Borrowed(outer));
        let full = qualify(&name, &namespace);
        let inner = full.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
        if !full.split('.').all(is_name) {
            self.fault(node.span, code::AVSC_NAME, format!("`{path}`: `{full}` is not a name"));
        }
        // The name is known inside the type itself.
        let id = self.add(Type::Null);
        let aliases = self.strings(node, "aliases", path);
        for name in aliases.iter().map(|alias| qualify(alias, &inner)).chain([full.clone()]) {
            if self.names.insert(name.clone(), id).is_some() {
                let message = format!("`{path}`: the name `{name}` is taken");
                self.fault(node.span, code::AVSC_NAME, message);
            }
        }
        let name = Name(full);
        let doc = member(node, "doc").and_then(string);
        self.types[id.0] = match kind {
            "enum" => {
                let symbols = self.symbols(node, path);
                Type::Enum(Enum { name, doc, symbols })
            }
            "fixed" => {
                let size = self.size(node, path);
                Type::Fixed(Fixed { name, doc, size })
            }
            _ => {
                let fields = self.fields(node, id, &inner, path);
                Type::Record(Record { name, doc, fields })
            }
        };
        id
    }

    fn fields(
        &mut self,
        node: &Node<'s>,
        of: TypeId,
        namespace: &str,
        path: &Path<'_>,
    ) -> Vec<Field<'s>> {
        let Some(list) = self.needed(node, "fields", path) else { return Vec::new() };
        let path = path.key("fields");
        let Value::Array(items) = &list.value else {
            self.fault(list.span, code::AVSC_MISSING, format!("`{path}` is not a list"));
            return Vec::new();
        };
        let mut fields = Vec::new();
        let mut names = HashSet::new();
        for (i, item) in items.iter().enumerate() {
            let path = path.index(i);
            let Some(name) = self.needed_string(item, "name", &path) else { continue };
            let aliases = self.strings(item, "aliases", &path);
            for name in aliases.iter().chain([&name]) {
                if !is_name(name) {
                    self.fault(
                        item.span,
                        code::AVSC_NAME,
                        format!("`{path}`: `{name}` is not a name"),
                    );
                }
                if !names.insert(name.clone()) {
                    let message = format!("`{path}`: the name `{name}` is taken");
                    self.fault(item.span, code::AVSC_NAME, message);
                }
            }
            let Some(of_field) = self.needed(item, "type", &path) else { continue };
            let of_field = self.read(of_field, namespace, &path.key("type"));
            let default = member(item, "default").cloned();
            if default.is_some() {
                self.defaults.push((of, fields.len(), path.key("default").to_string()));
            }
            let doc = member(item, "doc").and_then(string);
            fields.push(Field { name, aliases, doc, of: of_field, default });
        }
        fields
    }

    fn symbols(&mut self, node: &Node<'s>, path: &Path<'_>) -> Vec<Cow<'s, str>> {
        self.needed(node, "symbols", path);
        let symbols = self.strings(node, "symbols", path);
        let mut seen = HashSet::new();
        for symbol in &symbols {
            if !is_name(symbol) || !seen.insert(symbol) {
                let message = format!("`{path}`: `{symbol}` is no symbol, or there twice");
                self.fault(node.span, code::AVSC_NAME, message);
            }
        }
        if let Some(default) = member(node, "default").and_then(string)
            && !symbols.contains(&default)
        {
            let message = format!(
                "`{path}`: the default `{default}` is not {}",
                list(symbols.iter().map(AsRef::as_ref))
            );
            self.fault(node.span, code::AVSC_DEFAULT, message);
        }
        symbols
    }

    fn size(&mut self, node: &Node<'s>, path: &Path<'_>) -> usize {
        let Some(size) = self.needed(node, "size", path) else { return 0 };
        let number = match size.value {
            Value::Number(n) => n.as_i64().and_then(|n| usize::try_from(n).ok()),
            _ => None,
        };
        number.unwrap_or_else(|| {
            self.fault(
                size.span,
                code::AVSC_SIZE,
                format!("`{path}`: the size of a fixed is a number of bytes"),
            );
            0
        })
    }

    fn strings(&mut self, node: &Node<'s>, key: &str, path: &Path<'_>) -> Vec<Cow<'s, str>> {
        let Some(list) = member(node, key) else { return Vec::new() };
        if let Value::Array(items) = &list.value {
            let strings: Vec<_> = items.iter().filter_map(string).collect();
            if strings.len() == items.len() {
                return strings;
            }
        }
        self.fault(
            list.span,
            code::AVSC_MISSING,
            format!("`{}` is not a list of strings", path.key(key)),
        );
        Vec::new()
    }

    fn needed_string(
        &mut self,
        node: &Node<'s>,
        key: &str,
        path: &Path<'_>,
    ) -> Option<Cow<'s, str>> {
        let value = self.needed(node, key, path)?;
        let found = string(value);
        if found.is_none() {
            self.fault(
                value.span,
                code::AVSC_MISSING,
                format!("`{}` is not a string", path.key(key)),
            );
        }
        found
    }

    fn needed<'n>(
        &mut self,
        node: &'n Node<'s>,
        key: &str,
        path: &Path<'_>,
    ) -> Option<&'n Node<'s>> {
        let found = member(node, key);
        if found.is_none() {
            self.fault(node.span, code::AVSC_MISSING, format!("`{path}` has no `{key}`"));
        }
        found
    }

    fn add(&mut self, new: Type<'s>) -> TypeId {
        self.types.push(new);
        TypeId(self.types.len() - 1)
    }

    fn fault(&mut self, at: Span, code: Code, message: String) {
        self.faults.push(at, Diagnostic::error(code, message));
    }
}

fn member<'n, 's>(node: &'n Node<'s>, key: &str) -> Option<&'n Node<'s>> {
    match &node.value {
        Value::Object(members) => members.iter().rev().find(|m| m.key.is(key)).map(|m| &m.node),
        _ => None,
    }
}

fn string<'s>(node: &Node<'s>) -> Option<Cow<'s, str>> {
    match node.value {
        Value::String(s) => Some(s.get()),
        _ => None,
    }
}

fn qualify(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}.{name}")
    }
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

//! Values as Go's text/template sees them, and where they come from.

use std::fmt;
use std::sync::Arc;

/// A value of a variable, of the types that Go gives to JSON.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Value {
    /// `nil`.
    #[default]
    Nil,
    /// `bool`.
    Bool(bool),
    /// `int`, of 64 bits.
    Int(i64),
    /// `uint8`: what indexing a string gives.
    Byte(u8),
    /// `float64`.
    Float(f64),
    /// `complex128`: only constants are ever complex.
    Complex(f64, f64),
    /// `string`: bytes, as a rule UTF-8.
    String(Arc<[u8]>),
    /// `[]interface {}`.
    List(Arc<[Value]>),
    /// `map[string]interface {}`.
    Map(Arc<Map>),
}

/// A map from names to values, in the order of its keys.
#[derive(Clone, Default)]
pub struct Map(Vec<(Box<str>, Value)>);

impl Map {
    /// The value of `key`.
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        let at = self.0.binary_search_by(|(k, _)| k.as_bytes().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| &**key)
    }

    /// Keys and values, in the order of the keys.
    pub fn entries(&self) -> &[(Box<str>, Value)] {
        &self.0
    }
}

/// Of equal keys the last one counts.
impl<K: Into<Box<str>>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        let mut all: Vec<_> = entries.into_iter().map(|(k, v)| (k.into(), v)).collect();
        all.reverse();
        all.sort_by(|a: &(Box<str>, Value), b| a.0.cmp(&b.0));
        all.dedup_by(|later, kept| later.0 == kept.0);
        Self(all)
    }
}

/// The type and the size, never what is in it: variables may be secret.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name())?;
        match self {
            Self::String(s) => write!(f, "({} bytes)", s.len()),
            Self::List(l) => write!(f, "({} elements)", l.len()),
            Self::Map(m) => write!(f, "({m:?})"),
            _ => Ok(()),
        }
    }
}

/// The number of keys, never what is in it.
impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.as_bytes().into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::String(bytes.into())
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }
}

/// A number becomes an `int` where it is written as one that fits, else a `float64`.
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Nil,
            Json::Bool(b) => Self::Bool(b),
            Json::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(i), _) => Self::Int(i),
                (None, f) => Self::Float(f.unwrap_or_default()),
            },
            Json::String(s) => s.as_str().into(),
            Json::Array(list) => Self::List(list.into_iter().map(Self::from).collect()),
            Json::Object(map) => {
                map.into_iter().map(|(k, v)| (k, Self::from(v))).collect::<Map>().into()
            }
        }
    }
}

impl Value {
    /// Go's name of the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Byte(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::String(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }

    /// Whether it is not the zero of its type, nor empty.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Byte(b) => *b != 0,
            Self::Float(f) => *f != 0.0,
            Self::Complex(r, i) => *r != 0.0 || *i != 0.0,
            Self::String(s) => !s.is_empty(),
            Self::List(l) => !l.is_empty(),
            Self::Map(m) => !m.0.is_empty(),
        }
    }
}

/// Where a value comes from: what may be said about it, and what it taints.
#[derive(Clone, Default)]
pub(super) enum Taint {
    /// Constants of the template alone.
    #[default]
    Literal,
    /// Variables, the clock.
    Input,
    /// The environment or a file: their names, each once.
    Secret(Arc<[Arc<str>]>),
}

impl Taint {
    /// Of what is made from both.
    pub(super) fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Secret(a), Self::Secret(b)) if !Arc::ptr_eq(a, b) => {
                let more = b.iter().filter(|name| !a.contains(name));
                Self::Secret(a.iter().chain(more).cloned().collect())
            }
            (Self::Secret(_), _) | (Self::Input, Self::Literal | Self::Input) => self.clone(),
            _ => other.clone(),
        }
    }

    /// Of a truth value or a number that was found out about it.
    pub(super) fn learned(&self) -> Self {
        match self {
            Self::Secret(_) => Self::Input,
            _ => self.clone(),
        }
    }

    pub(super) fn is_literal(&self) -> bool {
        matches!(self, Self::Literal)
    }
}

/// A value under way.
#[derive(Clone, Default)]
pub(super) struct Val {
    pub(super) value: Value,
    /// Whether Go sees it through an `interface {}`: fresh from a map or a list. Only error texts and
    /// `nil` tell the difference: `nil` in no interface is Go's invalid value.
    pub(super) boxed: bool,
    pub(super) taint: Taint,
}

impl Val {
    pub(super) fn new(value: Value, taint: Taint) -> Self {
        Self { value, boxed: false, taint }
    }

    pub(super) fn literal(value: Value) -> Self {
        Self::new(value, Taint::Literal)
    }

    /// An element of something with this taint.
    pub(super) fn element(value: &Value, taint: &Taint) -> Self {
        Self { value: value.clone(), boxed: true, taint: taint.clone() }
    }

    /// The type as Go sees it here.
    pub(super) fn static_type(&self) -> &'static str {
        if self.boxed { "interface {}" } else { self.value.type_name() }
    }

    /// Without the interface around it.
    pub(super) fn unboxed(mut self) -> Self {
        self.boxed = false;
        self
    }
}

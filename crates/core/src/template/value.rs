//! Values as Go's text/template sees them, and where they come from.

use std::fmt;
use std::ops::Deref;
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
    List(Arc<List>),
    /// `map[string]interface {}`.
    Map(Arc<Map>),
}

/// A list, as Go's slices are: a part of what there is room for. Slicing can bring back what is behind its
/// end, up to its capacity; behind what the list was made of that is `nil`.
#[derive(Clone, Default)]
pub struct List {
    room: Arc<[Value]>,
    start: usize,
    end: usize,
    /// Where its capacity ends.
    most: usize,
}

impl List {
    /// Up to which place it can be sliced.
    pub(super) fn capacity(&self) -> usize {
        self.most - self.start
    }

    /// The part between two places, with room up to a third; they must be in order and within the capacity.
    pub(super) fn slice(&self, from: usize, to: usize, most: usize) -> Self {
        let place = |at: usize| (self.start + at).min(self.most);
        Self { room: Arc::clone(&self.room), start: place(from), end: place(to), most: place(most) }
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.room[self.start..self.end]
    }
}

/// What a Go slice of interfaces has room for while JSON is decoded into it, one element after the other:
/// doubling at first, and what the runtime's size classes leave. Measured with Go 1.26; longer lists have
/// no room.
const CAPACITIES: [usize; 39] = [
    0, 1, 2, 4, 8, 16, 32, 71, 143, 303, 591, 1023, 1535, 2560, 3584, 5120, 6656, 8704, 11264,
    14336, 18432, 23552, 29696, 37376, 47104, 59392, 74752, 93696, 117_760, 147_456, 184_832,
    231_424, 289_792, 362_496, 453_632, 567_296, 709_632, 887_296, 1_109_504,
];

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        let mut room: Vec<Value> = items.into_iter().collect();
        let end = room.len();
        let most = CAPACITIES.into_iter().find(|most| *most >= end).unwrap_or(end);
        room.resize(most, Value::Nil);
        Self { room: room.into(), start: 0, end, most }
    }
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
            Self::List(l) => write!(f, "({l:?})"),
            Self::Map(m) => write!(f, "({m:?})"),
            _ => Ok(()),
        }
    }
}

/// The number of elements, never what is in it.
impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} elements", self.len())
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

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(Arc::new(list))
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
            Json::Array(list) => list.into_iter().map(Self::from).collect::<List>().into(),
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

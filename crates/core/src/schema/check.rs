//! Checks JSON against an Avro schema.
//!
//! A value of a union may be written plainly (`"x"`) or tagged as Avro's JSON encoding does (`{"string": "x"}`, with the
//! full or the short name of a named type). Which branch a plain value means is seen from its kind, and among several
//! records from their fields.

use std::collections::HashMap;

use super::avsc::{Record, Schema, Type, TypeId};
use super::kinds::byte_length;
use super::{Faults, Path};
use crate::diagnostic::{Code, Diagnostic, Severity, code};
use crate::json::{Member, Node, Number, Str, Value};
use crate::source::Span;
use crate::suggest::{list, suggest};

/// How strictly to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Unknown, mis-cased and duplicate keys are errors, and so are missing fields.
    Strict,
    /// As dataflow-runner 0.7.x read 1-*-* files: such keys are warnings, keys match without regard to case, the last of
    /// equal ones counts. A field that is absent or null is left to the caller.
    Lenient,
}

/// A checked value: what the schema makes of a JSON value.
#[derive(Debug)]
pub struct Checked<'a> {
    /// Where it stands in the rendered text; for a default, the record that lacks it.
    pub span: Span,
    /// What it is.
    pub is: Is<'a>,
}

/// What a checked value is. Of a union, the value of its branch.
#[derive(Debug)]
pub enum Is<'a> {
    /// Nothing that the schema allows; it has been reported.
    Invalid,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An int or a long.
    Integer(i64),
    /// A float or a double.
    Float(f64),
    /// A string, bytes or a fixed.
    String(Str<'a>),
    /// A symbol of an enum.
    Symbol(&'a str),
    /// The items of a list.
    Array(Vec<Checked<'a>>),
    /// The entries of a map, each key once.
    Map(Vec<Entry<'a>>),
    /// The fields of a record.
    Record(Fields<'a>),
}

/// An entry of a map.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its key.
    pub key: Str<'a>,
    /// Where the key stands in the rendered text.
    pub key_span: Span,
    /// Its value.
    pub value: Checked<'a>,
}

/// The fields of a record: those of the file and those that have a default.
#[derive(Debug)]
pub struct Fields<'a> {
    record: &'a Record<'a>,
    present: Vec<(usize, Checked<'a>)>,
    /// A bit for each name that is present, so that most of the absent ones need no search.
    marks: u64,
}

/// The bit of a name.
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let sum = |at: Option<&u8>| usize::from(at.copied().unwrap_or(0));
    1 << ((sum(bytes.first()) + 3 * sum(bytes.last()) + 7 * bytes.len()) % 64)
}

impl<'a> Fields<'a> {
    /// A field by name; `None`: absent, and without a default.
    pub fn get(&self, name: &str) -> Option<&Checked<'a>> {
        if self.marks & mark(name) == 0 {
            return None;
        }
        let mut present = self.present.iter();
        present.find(|(i, _)| self.record.fields[*i].name == name).map(|(_, checked)| checked)
    }

    /// The fields that there are, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Checked<'a>)> {
        self.present.iter().map(|(i, checked)| (self.record.fields[*i].name.as_ref(), checked))
    }
}

/// Checks `node` against the schema. Every fault goes to `faults`; what is valid comes back.
pub fn check<'a>(
    schema: &'a Schema<'a>,
    node: &Node<'a>,
    path: &Path<'_>,
    mode: Mode,
    faults: &mut Faults<'_>,
) -> Checked<'a> {
    check_type(schema, schema.root(), node, path, mode, faults)
}

/// Checks `node` against one type of the schema.
pub(super) fn check_type<'a>(
    schema: &'a Schema<'_>,
    of: TypeId,
    node: &Node<'a>,
    path: &Path<'_>,
    mode: Mode,
    faults: &mut Faults<'_>,
) -> Checked<'a> {
    Checker { schema, mode, faults, defaults: 0 }.check(of, node, path)
}

/// Which field a member of an object is.
enum Which {
    /// This one, by its place in the record.
    Field(usize),
    /// None; that one may have been meant.
    Unknown(Option<usize>),
}

struct Checker<'a, 'c, 'd> {
    schema: &'a Schema<'a>,
    mode: Mode,
    faults: &'c mut Faults<'d>,
    /// So many defaults are being filled in, each inside the one before.
    defaults: usize,
}

/// A default inside that many others is one that needs itself.
const MOST_DEFAULTS: usize = 8;

impl<'a> Checker<'a, '_, '_> {
    fn check(&mut self, of: TypeId, node: &Node<'a>, path: &Path<'_>) -> Checked<'a> {
        let is = match (self.schema.get(of), &node.value) {
            (Type::Union(branches), _) => return self.union(of, branches, node, path),
            (Type::Null, Value::Null) => Is::Null,
            (Type::Boolean, Value::Bool(b)) => Is::Bool(*b),
            (Type::Int, Value::Number(n)) => {
                self.integer(*n, i64::from(i32::MIN), i64::from(i32::MAX), node, path)
            }
            (Type::Long, Value::Number(n)) => self.integer(*n, i64::MIN, i64::MAX, node, path),
            (Type::Float, Value::Number(n)) => {
                let float = n.as_f64().filter(|f| f.abs() <= f64::from(f32::MAX));
                self.float(float, node, path)
            }
            (Type::Double, Value::Number(n)) => self.float(n.as_f64(), node, path),
            (Type::String, Value::String(s)) => Is::String(*s),
            (Type::Bytes, Value::String(s)) => self.bytes(*s, None, node, path),
            (Type::Fixed(fixed), Value::String(s)) => self.bytes(*s, Some(fixed.size), node, path),
            (Type::Enum(of), Value::String(s)) => self.symbol(&of.symbols, *s, node, path),
            (Type::Array(of), Value::Array(items)) => {
                let items = items.iter().enumerate();
                Is::Array(items.map(|(i, item)| self.check(*of, item, &path.index(i))).collect())
            }
            (Type::Map(of), Value::Object(members)) => self.map(*of, members, path),
            (Type::Record(record), Value::Object(members)) => {
                self.record(record, members, node.span, path)
            }
            _ => self.wrong_kind(of, node, path),
        };
        Checked { span: node.span, is }
    }

    fn record(
        &mut self,
        record: &'a Record<'a>,
        members: &[Member<'a>],
        span: Span,
        path: &Path<'_>,
    ) -> Is<'a> {
        let mut present: Vec<(usize, Checked<'a>)> = Vec::with_capacity(members.len());
        let mut meant = Vec::new();
        for member in members {
            // Members mostly come in the order of the fields.
            let next = present.last().map_or(0, |(field, _)| field + 1);
            let i = match self.field(record, next, member, path) {
                Which::Field(i) => i,
                Which::Unknown(near) => {
                    meant.extend(near.map(|i| (i, member.node.span)));
                    continue;
                }
            };
            let field = &record.fields[i];
            // 0.7.x took null for absent.
            let null = matches!(member.node.value, Value::Null) && self.mode == Mode::Lenient;
            let checked = match null {
                true => Checked { span: member.node.span, is: Is::Null },
                false => self.check(field.of, &member.node, &path.key(&field.name)),
            };
            match present.iter_mut().find(|(other, _)| *other == i) {
                Some((_, first)) => {
                    self.duplicate(&field.name, first.span, member, path);
                    *first = checked;
                }
                None => present.push((i, checked)),
            }
        }
        // What was meant is not missing as well. 0.7.x did not know it at all.
        for (i, span) in meant.into_iter().filter(|_| self.mode == Mode::Strict) {
            if present.iter().all(|(other, _)| *other != i) {
                present.push((i, Checked { span, is: Is::Invalid }));
            }
        }
        for (i, field) in record.fields.iter().enumerate() {
            // Most fields may be absent, and then nothing stands for them.
            if matches!(&field.default, Some(Node { value: Value::Null, .. }))
                || present.iter().any(|(other, _)| *other == i)
            {
                continue;
            }
            if let Some(default) = &field.default {
                if self.defaults == MOST_DEFAULTS {
                    let message = format!("`{path}`: a default that has itself inside");
                    return self
                        .invalid(default, Diagnostic::error(code::ENDLESS_DEFAULT, message));
                }
                self.defaults += 1;
                let checked = self.check(field.of, default, &path.key(&field.name));
                self.defaults -= 1;
                present.push((i, moved(checked, span)));
            } else if self.mode == Mode::Strict && !self.schema.is_nullable(field.of) {
                let message = format!("`{path}` has no `{}`", field.name);
                let opening = Span { end: span.start + 1, ..span };
                let fault = Diagnostic::error(code::MISSING_FIELD, message);
                self.faults
                    .push(opening, fault.label(format!("expected a field `{}`", field.name)));
            }
        }
        let marks = present.iter().fold(0, |all, (i, _)| all | mark(&record.fields[*i].name));
        Is::Record(Fields { record, present, marks })
    }

    /// The field that a member is, by name, looked for from the field `next` on. Reports it if it is none.
    fn field(
        &mut self,
        record: &Record<'_>,
        next: usize,
        member: &Member<'_>,
        path: &Path<'_>,
    ) -> Which {
        let key = member.key.get();
        let fields = &record.fields;
        let is = |i: &usize| fields[*i].name == key || fields[*i].aliases.contains(&key);
        let exact = (next..fields.len()).chain(0..next).find(is);
        if let Some(exact) = exact {
            return Which::Field(exact);
        }
        let folded = fields.iter().position(|f| f.name.to_lowercase() == key.to_lowercase());
        let quoted = self.quote_key(member);
        if let Some(i) = folded {
            let name = &fields[i].name;
            let message =
                format!("`{path}`: a key that differs from `{name}` in upper and lower case");
            let fault = self.by_mode(code::MISCASED_KEY, message);
            self.faults.push(member.key_span, fault.help(format!("write `{name}`")));
            return Which::Field(i);
        }
        if self.faults.is_full() {
            self.faults.push(member.key_span, self.by_mode(code::UNKNOWN_FIELD, String::new()));
            return Which::Unknown(None);
        }
        let names = || fields.iter().map(|f| f.name.as_ref());
        let (message, near) = match &quoted {
            Some(key) => (format!("unknown field `{key}` in `{path}`"), suggest(key, names())),
            None => (format!("unknown field in `{path}`"), None),
        };
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if fields.is_empty() => "it has no fields".to_owned(),
            None => format!("expected {}", list(names())),
        };
        let fault = self.by_mode(code::UNKNOWN_FIELD, message).help(help);
        let meant = near.and_then(|near| fields.iter().position(|f| f.name == near));
        self.faults.push(member.key_span, fault);
        Which::Unknown(meant)
    }

    fn map(&mut self, of: TypeId, members: &[Member<'a>], path: &Path<'_>) -> Is<'a> {
        let mut places: HashMap<_, usize> = HashMap::with_capacity(members.len());
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(members.len());
        for member in members {
            let key = member.key.get();
            let quoted = self.quote_key(member);
            let inner = quoted.as_deref().map_or(path.hidden(), |key| path.key(key));
            let value = self.check(of, &member.node, &inner);
            let entry = Entry { key: member.key, key_span: member.key_span, value };
            if let Some(place) = places.get(&key) {
                let shown = quoted.as_deref().unwrap_or("…");
                self.duplicate(shown, entries[*place].value.span, member, path);
                entries[*place] = entry;
            } else {
                places.insert(key, entries.len());
                entries.push(entry);
            }
        }
        Is::Map(entries)
    }

    fn duplicate(&mut self, name: &str, first: Span, again: &Member<'_>, path: &Path<'_>) {
        let message = format!("`{path}` has `{name}` more than once");
        let place = self.faults.document().place(first);
        let mut fault =
            self.by_mode(code::DUPLICATE_KEY, message).note("it is here too", Some(place));
        if self.mode == Mode::Lenient {
            fault = fault.label("the last one counts");
        }
        self.faults.push(again.key_span, fault);
    }

    fn union(
        &mut self,
        of: TypeId,
        branches: &'a [TypeId],
        node: &Node<'a>,
        path: &Path<'_>,
    ) -> Checked<'a> {
        if let Value::Object(members) = &node.value
            && let [member] = &members[..]
            && let Some(branch) = self.schema.tagged(branches, member)
        {
            let key = member.key.get();
            return self.check(branch, &member.node, &path.key(&key));
        }
        let fitting = || branches.iter().copied().filter(|b| self.schema.fits(*b, &node.value));
        let best = match fitting().count() {
            0 | 1 => fitting().next(),
            // The first of the best.
            _ => fitting().rev().max_by_key(|b| self.schema.likeness(*b, &node.value)),
        };
        match best {
            Some(branch) => self.check(branch, node, path),
            None => Checked { span: node.span, is: self.wrong_kind(of, node, path) },
        }
    }

    fn integer(
        &mut self,
        number: Number<'_>,
        min: i64,
        max: i64,
        node: &Node<'_>,
        path: &Path<'_>,
    ) -> Is<'a> {
        if !number.is_integer() {
            let fault =
                Diagnostic::error(code::NOT_AN_INTEGER, format!("`{path}` must be an integer"));
            return self.invalid(node, fault.label("has a fraction or an exponent"));
        }
        match number.as_i64().filter(|n| (min..=max).contains(n)) {
            Some(n) => Is::Integer(n),
            None => {
                let message = format!("`{path}` must be between {min} and {max}");
                self.invalid(node, Diagnostic::error(code::NUMBER_RANGE, message))
            }
        }
    }

    fn float(&mut self, number: Option<f64>, node: &Node<'_>, path: &Path<'_>) -> Is<'a> {
        number.map_or_else(
            || {
                let message = format!("`{path}` is beyond the range of numbers");
                self.invalid(node, Diagnostic::error(code::NUMBER_RANGE, message))
            },
            Is::Float,
        )
    }

    fn bytes(
        &mut self,
        string: Str<'a>,
        size: Option<usize>,
        node: &Node<'_>,
        path: &Path<'_>,
    ) -> Is<'a> {
        let length = byte_length(&string.get());
        let message = match (length, size) {
            (None, _) => format!("`{path}` must be bytes: characters up to `\\u00ff`, one a byte"),
            (Some(length), Some(size)) if length != size => {
                format!("`{path}` must be {size} bytes long, not {length}")
            }
            _ => return Is::String(string),
        };
        self.invalid(node, Diagnostic::error(code::NOT_BYTES, message))
    }

    fn symbol(
        &mut self,
        symbols: &'a [std::borrow::Cow<'a, str>],
        string: Str<'_>,
        node: &Node<'_>,
        path: &Path<'_>,
    ) -> Is<'a> {
        if let Some(symbol) = symbols.iter().find(|s| string.is(s)) {
            return Is::Symbol(symbol);
        }
        let names = || symbols.iter().map(AsRef::as_ref);
        let mut fault =
            Diagnostic::error(code::UNKNOWN_SYMBOL, format!("`{path}` must be {}", list(names())));
        if self.faults.document().quote(node.span).is_some() {
            let found = string.get();
            fault = fault.label(format!("found `{found}`"));
            fault.help = suggest(&found, names()).map(|near| format!("did you mean `{near}`?"));
        }
        self.invalid(node, fault)
    }

    fn wrong_kind(&mut self, of: TypeId, node: &Node<'_>, path: &Path<'_>) -> Is<'a> {
        let message = format!("`{path}` must be {}", self.schema.describe(of));
        let mut fault = Diagnostic::error(code::WRONG_TYPE, message)
            .label(format!("found {}", node.value.kind()));
        let fits = |value: Value<'_>| self.schema.fits(of, &value);
        let quoted = self.faults.document().quote(node.span);
        fault.help = match &node.value {
            Value::String(_) if fits(Value::Array(Box::default())) => {
                Some("put it in `[` and `]`".to_owned())
            }
            Value::String(s) if quoted.is_some() => {
                let s = s.get();
                let bare = match s.as_ref() {
                    "true" | "false" => fits(Value::Bool(true)),
                    "null" => fits(Value::Null),
                    s => s.parse::<f64>().is_ok() && fits(Value::Number(Number::ZERO)),
                };
                bare.then(|| format!("write `{s}` without quotes"))
            }
            Value::Number(_) | Value::Bool(_) if self.schema.takes_strings(of) => {
                Some("put it in `\"`".to_owned())
            }
            _ => None,
        };
        self.invalid(node, fault)
    }

    fn invalid(&mut self, node: &Node<'_>, fault: Diagnostic) -> Is<'a> {
        self.faults.push(node.span, fault);
        Is::Invalid
    }

    fn by_mode(&self, code: Code, message: String) -> Diagnostic {
        let severity = match self.mode {
            Mode::Strict => Severity::Error,
            Mode::Lenient => Severity::Warning,
        };
        Diagnostic { severity, ..Diagnostic::error(code, message) }
    }

    /// A key as it may be shown.
    fn quote_key(&self, member: &Member<'a>) -> Option<std::borrow::Cow<'a, str>> {
        self.faults.document().quote(member.key_span).map(|_| member.key.get())
    }
}

/// A default stands where the record that lacks it does.
fn moved(mut checked: Checked<'_>, span: Span) -> Checked<'_> {
    checked.span = span;
    match &mut checked.is {
        Is::Array(items) => {
            *items = std::mem::take(items).into_iter().map(|item| moved(item, span)).collect();
        }
        Is::Map(entries) => {
            for entry in entries {
                entry.key_span = span;
                let value = Checked { span, is: Is::Null };
                entry.value = moved(std::mem::replace(&mut entry.value, value), span);
            }
        }
        Is::Record(fields) => {
            for (_, field) in &mut fields.present {
                let value = Checked { span, is: Is::Null };
                *field = moved(std::mem::replace(field, value), span);
            }
        }
        _ => {}
    }
    checked
}

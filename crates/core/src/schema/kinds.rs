//! Which type a JSON value is of, as far as its kind tells, and what types are called in messages.

use super::avsc::{Schema, Type, TypeId};
use crate::json::{Member, Value};
use crate::suggest::list;

impl Schema<'_> {
    /// The branch that a lone member names as its tag. A record's field or a map's key of that name goes first where
    /// only so the value fits.
    pub(super) fn tagged(&self, branches: &[TypeId], member: &Member<'_>) -> Option<TypeId> {
        let value = &member.node.value;
        let key = member.key.get();
        let is_named = |b: &TypeId| {
            let tag = self.tag(*b);
            *tag == *key || (tag.contains('.') && tag.rsplit('.').next() == Some(&key))
        };
        let branch = branches.iter().copied().find(is_named)?;
        let plain = branches.iter().any(|b| match self.get(*b) {
            Type::Map(of) => self.fits(*of, value),
            Type::Record(record) => record.fields.iter().any(|f| f.name == key),
            _ => false,
        });
        (!plain || self.fits(branch, value)).then_some(branch)
    }

    /// Whether a value is of the kind that the type is written in.
    pub(super) fn fits(&self, of: TypeId, value: &Value<'_>) -> bool {
        match (self.get(of), value) {
            (Type::Union(branches), _) => branches.iter().any(|b| self.fits(*b, value)),
            (Type::Null, Value::Null)
            | (Type::Boolean, Value::Bool(_))
            | (Type::Int | Type::Long | Type::Float | Type::Double, Value::Number(_))
            | (Type::String | Type::Bytes | Type::Fixed(_) | Type::Enum(_), Value::String(_))
            | (Type::Array(_), Value::Array(_))
            | (Type::Map(_) | Type::Record(_), Value::Object(_)) => true,
            _ => false,
        }
    }

    /// How well a value of the right kind fits the type, to choose among branches of a union.
    pub(super) fn likeness(&self, of: TypeId, value: &Value<'_>) -> usize {
        let fits = match (self.get(of), value) {
            (Type::Int, Value::Number(n)) => n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            (Type::Long, Value::Number(n)) => n.as_i64().is_some(),
            (Type::Enum(of), Value::String(s)) => {
                let s = s.get();
                // An enum says more than a string.
                return if of.symbols.contains(&s) { 3 } else { 0 };
            }
            (Type::Bytes, Value::String(s)) => byte_length(&s.get()).is_some(),
            (Type::Fixed(of), Value::String(s)) => byte_length(&s.get()) == Some(of.size),
            (Type::Record(record), Value::Object(members)) => {
                let like = |m: &&Member<'_>| {
                    let mut fields = record.fields.iter();
                    fields.any(|f| m.key.is(&f.name) && self.fits(f.of, &m.node.value))
                };
                let absent = record.fields.iter().filter(|f| {
                    f.default.is_none()
                        && !self.is_nullable(f.of)
                        && !members.iter().any(|m| m.key.is(&f.name))
                });
                let like = members.iter().filter(like).count();
                return if like == members.len() && absent.count() == 0 {
                    usize::MAX
                } else {
                    like
                };
            }
            _ => true,
        };
        if fits { 2 } else { 1 }
    }

    pub(super) fn takes_strings(&self, of: TypeId) -> bool {
        match self.get(of) {
            Type::Union(branches) => branches.iter().any(|b| self.takes_strings(*b)),
            of => matches!(of, Type::String),
        }
    }

    pub(super) fn is_nullable(&self, of: TypeId) -> bool {
        self.fits(of, &Value::Null)
    }

    /// What a type is in JSON, for people.
    pub(super) fn describe(&self, of: TypeId) -> String {
        match self.get(of) {
            Type::Null => "null".to_owned(),
            Type::Boolean => "a boolean".to_owned(),
            Type::Int | Type::Long => "an integer".to_owned(),
            Type::Float | Type::Double => "a number".to_owned(),
            Type::Bytes | Type::String | Type::Fixed(_) => "a string".to_owned(),
            Type::Enum(of) => list(of.symbols.iter().map(AsRef::as_ref)),
            Type::Array(_) => "a list".to_owned(),
            Type::Map(_) | Type::Record(_) => "an object".to_owned(),
            Type::Union(branches) => {
                let is_null = |b: &&TypeId| matches!(self.get(**b), Type::Null);
                let rest = branches.iter().filter(|b| !is_null(b));
                let mut names: Vec<_> = rest.map(|b| self.describe(*b)).collect();
                names.extend(branches.iter().find(is_null).map(|_| "null".to_owned()));
                names.dedup();
                names.join(" or ")
            }
        }
    }
}

/// The number of bytes that a string of characters up to U+00FF stands for.
pub(super) fn byte_length(string: &str) -> Option<usize> {
    string.chars().all(|c| u32::from(c) <= 0xFF).then(|| string.chars().count())
}

//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`: Go's comparison without conversions.

use std::cmp::Ordering;

use super::error::Fault;
use super::funcs::text_of;
use super::value::{Val, Value};

/// Go's classes of comparable types.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Class {
    Bool,
    Complex,
    Int,
    Float,
    String,
    Uint,
    /// Lists, maps, nil.
    Other,
}

fn class(value: &Value) -> Class {
    match value {
        Value::Bool(_) => Class::Bool,
        Value::Complex(..) => Class::Complex,
        Value::Int(_) => Class::Int,
        Value::Float(_) => Class::Float,
        Value::String(_) => Class::String,
        Value::Byte(_) => Class::Uint,
        Value::Nil | Value::List(_) | Value::Map(_) => Class::Other,
    }
}

fn incompatible(a: &Value, b: &Value) -> Fault {
    let (a, b) = (a.type_name(), b.type_name());
    Fault::new(format!("incompatible types for comparison: {a} and {b}"))
}

/// Whether `first` equals one of `others`.
pub(super) fn eq(first: &Val, others: &[Val]) -> Result<bool, Fault> {
    if others.is_empty() {
        return Err(Fault::new("missing argument for comparison"));
    }
    for other in others {
        if equal(&first.value, &other.value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: &Value, b: &Value) -> Result<bool, Fault> {
    use Value::{Bool, Byte, Complex, Float, Int, List, Map, Nil, String};
    Ok(match (a, b) {
        (Bool(a), Bool(b)) => a == b,
        (Complex(ar, ai), Complex(br, bi)) => ar == br && ai == bi,
        (Float(a), Float(b)) => a == b,
        (Int(a), Int(b)) => a == b,
        (Byte(a), Byte(b)) => a == b,
        (Int(i), Byte(b)) | (Byte(b), Int(i)) => *i == i64::from(*b),
        (String(a), String(b)) => a == b,
        (Nil, Nil) => true,
        (Nil, _) | (_, Nil) => false,
        (List(_), List(_)) | (Map(_), Map(_)) => {
            let of = b.type_name();
            let shown = text_of("%s", b);
            return Err(Fault::hiding(
                format!("non-comparable type {shown}: {of}"),
                format!("non-comparable type: {of}"),
            ));
        }
        (List(_), Map(_)) | (Map(_), List(_)) => {
            let (ta, tb) = (a.type_name(), b.type_name());
            return Err(Fault::hiding(
                format!(
                    "non-comparable types {}: {ta}, {tb}: {}",
                    text_of("%s", a),
                    text_of("%v", b)
                ),
                format!("non-comparable types {ta}, {tb}"),
            ));
        }
        _ => return Err(incompatible(a, b)),
    })
}

/// `a < b`.
pub(super) fn lt(a: &Val, b: &Val) -> Result<bool, Fault> {
    let (a, b) = (&a.value, &b.value);
    let invalid = || Fault::new("invalid type for comparison");
    let (ka, kb) = (class(a), class(b));
    if ka == Class::Other || kb == Class::Other {
        return Err(invalid());
    }
    let order = match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Byte(a), Value::Byte(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Byte(b)) => Some(a.cmp(&(*b).into())),
        (Value::Byte(a), Value::Int(b)) => Some(i64::from(*a).cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ if ka == kb => return Err(invalid()),
        _ => return Err(incompatible(a, b)),
    };
    Ok(order == Some(Ordering::Less))
}

/// `a <= b`.
pub(super) fn le(a: &Val, b: &Val) -> Result<bool, Fault> {
    Ok(lt(a, b)? || equal(&a.value, &b.value)?)
}

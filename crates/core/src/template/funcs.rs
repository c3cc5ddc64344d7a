//! The functions that templates may call: Go's own and this program's five.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Inputs;
use super::compare;
use super::error::{Fault, Lack};
use super::escape;
use super::layout;
use super::number::{Bad, parse_int};
use super::printf::Printer;
use super::quote::quoted;
use super::value::{Taint, Val, Value};
use crate::base64;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Param {
    /// Any value, nil too.
    Any,
    /// A string.
    String,
}

/// A function. New ones are added to a table such as [`OURS`].
pub(super) struct Function {
    pub(super) name: &'static str,
    /// The parameters that must be given.
    pub(super) fixed: &'static [Param],
    /// Whether any number of further values may follow.
    pub(super) variadic: bool,
    pub(super) run: Run,
}

/// How a function is carried out.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// On its arguments.
    Plain(fn(&mut Call<'_>) -> Result<Val, Fault>),
    /// By the executor: the arguments behind the one that decides are not evaluated.
    And,
    /// Likewise.
    Or,
    /// By the executor, which knows how the argument is written.
    Call,
}

/// One call of a function.
pub(super) struct Call<'c> {
    pub(super) args: Vec<Val>,
    /// How the first argument is written; `…` if it came down the pipeline.
    pub(super) written: &'c dyn fmt::Display,
    pub(super) inputs: &'c Inputs<'c>,
    /// What the result is made from; the arguments to begin with.
    pub(super) taint: Taint,
}

/// The functions that a template may use.
#[derive(Clone, Copy)]
pub(super) struct Functions {
    /// Tables of them; of two with one name the first counts.
    pub(super) tables: &'static [&'static [Function]],
}

impl Functions {
    /// The function called `name`.
    pub(super) fn find(self, name: &str) -> Option<&'static Function> {
        self.all().find(|f| f.name == name)
    }

    /// All names.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        self.all().map(|f| f.name)
    }

    fn all(self) -> impl Iterator<Item = &'static Function> {
        self.tables.iter().copied().flatten()
    }
}

const fn plain(
    name: &'static str,
    fixed: &'static [Param],
    variadic: bool,
    run: fn(&mut Call<'_>) -> Result<Val, Fault>,
) -> Function {
    Function { name, fixed, variadic, run: Run::Plain(run) }
}

const ANY: &[Param] = &[Param::Any];
const TWO: &[Param] = &[Param::Any, Param::Any];
const STRING: &[Param] = &[Param::String];

/// All.
pub(super) static TABLES: &[&[Function]] = &[OURS, GO];

/// Go's.
pub(super) static GO: &[Function] = &[
    Function { name: "and", fixed: ANY, variadic: true, run: Run::And },
    Function { name: "or", fixed: ANY, variadic: true, run: Run::Or },
    Function { name: "call", fixed: ANY, variadic: true, run: Run::Call },
    plain("html", &[], true, |c| c.escaped(escape::html)),
    plain("index", ANY, true, |c| index(&c.args)),
    plain("slice", ANY, true, |c| slice(&c.args)),
    plain("js", &[], true, |c| c.escaped(escape::js)),
    plain("len", ANY, false, |c| len(&c.args[0])),
    plain("not", ANY, false, |c| bool(Ok(!c.args[0].value.truth()))),
    plain("print", &[], true, |c| c.printed(|p, args| p.print(args))),
    plain("printf", STRING, true, |c| {
        let format = c.bytes(0);
        c.printed(|p, args| p.printf(&format, &args[1..]))
    }),
    plain("println", &[], true, |c| c.printed(|p, args| p.println(args))),
    plain("urlquery", &[], true, |c| c.escaped(escape::query)),
    plain("eq", ANY, true, |c| bool(compare::eq(&c.args[0], &c.args[1..]))),
    plain("ne", TWO, false, |c| bool(compare::eq(&c.args[0], &c.args[1..]).map(|b| !b))),
    plain("lt", TWO, false, |c| bool(compare::lt(&c.args[0], &c.args[1]))),
    plain("le", TWO, false, |c| bool(compare::le(&c.args[0], &c.args[1]))),
    plain("gt", TWO, false, |c| bool(compare::le(&c.args[0], &c.args[1]).map(|b| !b))),
    plain("ge", TWO, false, |c| bool(compare::lt(&c.args[0], &c.args[1]).map(|b| !b))),
];

/// This program's, as in 0.7.x.
pub(super) static OURS: &[Function] = &[
    plain("nowWithFormat", STRING, false, |c| {
        c.taint = c.taint.join(&Taint::Input);
        let layout = c.bytes(0);
        string(layout::format(&layout, &layout::Moment::from(&(c.inputs.now)())))
    }),
    plain("timeWithFormat", &[Param::String, Param::String], false, time_with_format),
    plain("systemEnv", STRING, false, system_env),
    plain("base64", STRING, false, |c| string(base64::encode(&c.bytes(0)).into_bytes())),
    plain("base64File", STRING, false, base64_file),
];

fn bool(result: Result<bool, Fault>) -> Result<Val, Fault> {
    result.map(|b| Val::literal(Value::Bool(b)))
}

fn string(bytes: Vec<u8>) -> Result<Val, Fault> {
    Ok(Val::literal(bytes.into()))
}

/// `value` printed with `format`, for messages.
pub(super) fn text_of(format: &str, value: &Value) -> String {
    let mut printer = Printer::new(1 << 16);
    printer.printf(format.as_bytes(), std::slice::from_ref(value));
    printer.finish().map_or_else(|| "…".into(), |s| String::from_utf8_lossy(&s).into_owned())
}

impl Call<'_> {
    /// The bytes of the string `at`.
    pub(super) fn bytes(&self, at: usize) -> Arc<[u8]> {
        match self.args.get(at) {
            Some(Val { value: Value::String(s), .. }) => Arc::clone(s),
            _ => Arc::default(),
        }
    }

    /// The first argument as messages may show it: a constant's value, else how it is written.
    fn shown(&self) -> String {
        match self.args.first() {
            Some(Val { value: Value::String(s), taint, .. }) if taint.is_literal() => {
                String::from_utf8_lossy(s).into_owned()
            }
            _ => self.written.to_string(),
        }
    }

    /// The arguments printed.
    fn printed(&self, print: impl FnOnce(&mut Printer, &[Value])) -> Result<Val, Fault> {
        let values: Vec<Value> = self.args.iter().map(|arg| arg.value.clone()).collect();
        self.printed_values(&values, print).map(|s| Val::literal(s.into()))
    }

    fn printed_values(
        &self,
        values: &[Value],
        print: impl FnOnce(&mut Printer, &[Value]),
    ) -> Result<Vec<u8>, Fault> {
        let limit = self.inputs.limits.output;
        let mut printer = Printer::new(limit);
        print(&mut printer, values);
        printer.finish().ok_or_else(|| too_long(limit))
    }

    /// The arguments as `print` prints them, escaped. A nil is shown as the template's own output does.
    fn escaped(&self, escape: fn(&[u8]) -> Vec<u8>) -> Result<Val, Fault> {
        let values: Vec<Value> = (self.args.iter())
            .map(|arg| match &arg.value {
                Value::Nil => "<no value>".into(),
                value => value.clone(),
            })
            .collect();
        string(escape(&self.printed_values(&values, |p, args| p.print(args))?))
    }

    fn secret(&mut self, name: String) {
        self.taint = self.taint.join(&Taint::Secret([Arc::from(name)].into()));
    }
}

/// More was printed than may be.
pub(super) fn too_long(limit: usize) -> Fault {
    Fault::limit(format!("the output is larger than {limit} bytes"))
}

/// A message that quotes a number; without it unless all is constant.
fn numbers(args: &[Val], what: &str, numbers: String) -> Fault {
    let constant = args.iter().all(|arg| arg.taint.is_literal());
    let go = format!("{what}: {numbers}");
    let safe = if constant { go.clone() } else { what.to_owned() };
    Fault::hiding(go, safe)
}

/// A place in something of size `size`; the size itself is let through, as in Go. What came from a map or
/// a list must be unboxed first: `index` does so, `slice` in Go does not.
fn place(at: &Val, size: usize) -> Result<usize, Fault> {
    let n = match &at.value {
        Value::Nil if !at.boxed => {
            return Err(Fault::new("cannot index slice/array with nil"));
        }
        Value::Int(i) if !at.boxed => *i,
        Value::Byte(b) if !at.boxed => (*b).into(),
        _ => {
            let of = at.static_type();
            return Err(Fault::new(format!("cannot index slice/array with type {of}")));
        }
    };
    usize::try_from(n)
        .ok()
        .filter(|n| *n <= size)
        .ok_or_else(|| numbers(std::slice::from_ref(at), "index out of range", n.to_string()))
}

fn index(args: &[Val]) -> Result<Val, Fault> {
    let mut item = args[0].clone();
    if matches!(item.value, Value::Nil) {
        return Err(Fault::new("index of untyped nil"));
    }
    for at in &args[1..] {
        let at = at.clone().unboxed();
        let past = |what| Fault::new(format!("reflect: {what} index out of range"));
        item = match &item.value {
            Value::Nil => return Err(Fault::new("index of nil pointer")),
            Value::String(s) => match s.get(place(&at, s.len())?) {
                Some(b) => Val::literal(Value::Byte(*b)),
                None => return Err(past("string")),
            },
            Value::List(list) => match list.get(place(&at, list.len())?) {
                Some(element) => Val::element(element, &item.taint),
                None => return Err(past("slice")),
            },
            Value::Map(map) => match &at.value {
                Value::String(key) => {
                    Val::element(map.get(key).unwrap_or(&Value::Nil), &item.taint)
                }
                Value::Nil => {
                    return Err(Fault::new("value is nil; should be of type string"));
                }
                other => {
                    let of = other.type_name();
                    return Err(Fault::new(format!("value has type {of}; should be string")));
                }
            },
            other => {
                let of = other.type_name();
                return Err(Fault::new(format!("can't index item of type {of}")));
            }
        };
    }
    Ok(item)
}

fn slice(args: &[Val]) -> Result<Val, Fault> {
    let (item, indexes) = (&args[0], &args[1..]);
    if matches!(item.value, Value::Nil) {
        return Err(Fault::new("slice of untyped nil"));
    }
    if indexes.len() > 3 {
        return Err(Fault::new(format!("too many slice indexes: {}", indexes.len())));
    }
    let size = match &item.value {
        Value::String(_) if indexes.len() == 3 => {
            return Err(Fault::new("cannot 3-index slice a string"));
        }
        Value::String(s) => s.len(),
        Value::List(list) => list.capacity(),
        other => {
            return Err(Fault::new(format!("can't slice item of type {}", other.type_name())));
        }
    };
    let length = match &item.value {
        Value::List(list) => list.len(),
        _ => size,
    };
    let mut places = [0, length, size];
    for (place_of, at) in places.iter_mut().zip(indexes) {
        *place_of = place(at, size)?;
    }
    let [from, to, most] = places;
    for (a, b) in [(from, to), (to, most)] {
        if a > b {
            return Err(numbers(args, "invalid slice index", format!("{a} > {b}")));
        }
    }
    let value = match &item.value {
        Value::String(s) => Value::String(s[from..to].into()),
        Value::List(list) => list.slice(from, to, most).into(),
        other => other.clone(),
    };
    Ok(Val::literal(value))
}

fn len(item: &Val) -> Result<Val, Fault> {
    let size = match &item.value {
        Value::String(s) => s.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.entries().len(),
        Value::Nil if item.boxed => return Err(Fault::new("len of nil pointer")),
        Value::Nil => {
            return Err(Fault::new("reflect: call of reflect.Value.Type on zero Value"));
        }
        other => return Err(Fault::new(format!("len of type {}", other.type_name()))),
    };
    Ok(Val::literal(Value::Int(size as i64)))
}

fn time_with_format(call: &mut Call<'_>) -> Result<Val, Fault> {
    call.taint = call.taint.join(&Taint::Input);
    let epoch = call.bytes(0);
    let parsed = std::str::from_utf8(&epoch).map_or(Err(Bad::Syntax), |s| parse_int(s, 10));
    let seconds = parsed.map_err(|bad| {
        let go = format!("strconv.ParseInt: parsing {}: {}", quoted(&epoch), bad.text());
        let literal = call.args.first().is_some_and(|arg| arg.taint.is_literal());
        let safe = match bad {
            _ if literal => go.clone(),
            Bad::Syntax => format!("{} is not a whole number of seconds", call.shown()),
            Bad::Range => format!("{} is too large a number of seconds", call.shown()),
        };
        Fault::hiding(go, safe)
    })?;
    let now = (call.inputs.now)();
    let zone = now.time_zone();
    string(layout::format(&call.bytes(1), &layout::Moment::at(seconds, zone)))
}

fn system_env(call: &mut Call<'_>) -> Result<Val, Fault> {
    let name = call.bytes(0);
    let shown = call.shown();
    call.secret(format!("systemEnv {shown}"));
    match std::str::from_utf8(&name).ok().and_then(|name| (call.inputs.env)(name)) {
        Some(value) => string(value.into_encoded_bytes()),
        None => {
            let name = String::from_utf8_lossy(&name);
            let fault = Fault::hiding(
                format!("environment variable {name} not set"),
                format!("environment variable {shown} not set"),
            );
            Err(fault.lacking(Some(Lack::Environment(name.into_owned()))))
        }
    }
}

fn base64_file(call: &mut Call<'_>) -> Result<Val, Fault> {
    let path = call.bytes(0);
    let shown = call.shown();
    call.secret(format!("base64File {shown}"));
    let path = String::from_utf8_lossy(&path);
    match (call.inputs.read)(Path::new(&*path)) {
        Ok(data) => {
            // Before it is made four thirds as long.
            let limit = call.inputs.limits.output;
            if data.len() > limit {
                Err(too_long(limit))
            } else {
                string(base64::encode(&data).into_bytes())
            }
        }
        Err(error) => {
            let (verb, why) = os_error(&error);
            Err(Fault::hiding(format!("{verb} {path}: {why}"), format!("{verb} {shown}: {why}")))
        }
    }
}

/// The system call that Go names, and its words for what went wrong.
fn os_error(error: &io::Error) -> (&'static str, String) {
    match error.kind() {
        io::ErrorKind::NotFound => ("open", "no such file or directory".into()),
        io::ErrorKind::PermissionDenied => ("open", "permission denied".into()),
        io::ErrorKind::IsADirectory => ("read", "is a directory".into()),
        io::ErrorKind::NotADirectory => ("open", "not a directory".into()),
        io::ErrorKind::InvalidInput => ("open", "invalid argument".into()),
        _ => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            ("open", text.to_lowercase())
        }
    }
}

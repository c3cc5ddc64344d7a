//! What pipelines and their operands are worth.

use std::sync::Arc;

use super::ast::{At, Command, Expr, ExprKind, Number, Pipe};
use super::error::{Fault, Lack};
use super::exec::{Exec, Result};
use super::funcs::{Call, Function, Param, Run, too_long};
use super::value::{Taint, Val, Value};
use crate::suggest::suggest;

impl<'t> Exec<'t> {
    /// The value of a pipeline. Its variables are declared or set on the way.
    pub(super) fn pipeline(&mut self, dot: &Val, pipe: &'t Pipe) -> Result<Val> {
        self.at(At::Pipe(pipe));
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, command, value.take())?.unboxed());
        }
        let value = value.unwrap_or_default();
        for name in &pipe.decl {
            if pipe.assign {
                self.set_var(name, value.clone())?;
            } else {
                self.push_var(name, value.clone());
            }
        }
        Ok(value)
    }

    /// The value of a command; `last` is that of the one before it in the pipeline.
    fn command(&mut self, dot: &Val, command: &'t Command, last: Option<Val>) -> Result<Val> {
        self.spend(1)?;
        let Some((first, args)) = command.args.split_first() else { return Ok(Val::default()) };
        let bare = args.is_empty() && last.is_none();
        match &first.kind {
            ExprKind::Function(function) => {
                self.at(At::Expr(first));
                self.function(dot, function, At::Command(command), args, last)
            }
            ExprKind::Pipe(pipe) => {
                self.not_a_function(first, bare)?;
                self.pipeline(dot, pipe)
            }
            ExprKind::Field(_) | ExprKind::Chain(..) | ExprKind::Variable(..) => {
                self.reference(dot, first, bare)
            }
            kind => {
                self.at(At::Expr(first));
                self.not_a_function(first, bare)?;
                match kind {
                    ExprKind::Nil => self.fail("nil is not a command"),
                    ExprKind::Dot => Ok(dot.clone()),
                    _ => self.constant(first),
                }
            }
        }
    }

    fn not_a_function(&self, first: &Expr, bare: bool) -> Result<()> {
        if bare {
            Ok(())
        } else {
            self.fail(format!("can't give argument to non-function {first}"))
        }
    }

    /// A field, a variable, or fields of something; `bare` without arguments, which none of them takes.
    fn reference(&mut self, dot: &Val, expr: &'t Expr, bare: bool) -> Result<Val> {
        self.at(At::Expr(expr));
        match &expr.kind {
            ExprKind::Field(names) => self.fields(dot.clone(), names, bare),
            ExprKind::Variable(name, names) => {
                let value = self.var(name)?;
                if names.is_empty() {
                    self.not_a_function(expr, bare)?;
                }
                self.fields(value, names, bare)
            }
            ExprKind::Chain(inner, names) => {
                let value = self.argument(dot, Param::Any, inner)?;
                self.fields(value, names, bare)
            }
            _ => self.constant(expr),
        }
    }

    /// The field of the field … of `receiver`.
    fn fields(&mut self, mut receiver: Val, names: &[Box<str>], bare: bool) -> Result<Val> {
        for (at, name) in names.iter().enumerate() {
            let bare = bare || at + 1 < names.len();
            receiver = self.field(&receiver, name, bare)?;
        }
        Ok(receiver)
    }

    fn field(&mut self, receiver: &Val, name: &str, bare: bool) -> Result<Val> {
        self.spend(1)?;
        match &receiver.value {
            Value::Map(_) if !bare => {
                self.fail(format!("{name} is not a method but has arguments"))
            }
            Value::Map(map) => match map.get(name.as_bytes()) {
                Some(value) => Ok(Val::element(value, &receiver.taint)),
                None => {
                    let of_root = self.is_root(&receiver.value);
                    let help = suggest(name, map.keys())
                        .map(|near| format!("did you mean `{near}`?"))
                        .or_else(|| of_root.then(|| no_variable(name)));
                    let lack = of_root.then(|| Lack::Variable(name.to_owned()));
                    let text = format!("map has no entry for key \"{name}\"");
                    Err(self.error(Fault::new(text).help(help).lacking(lack)))
                }
            },
            Value::Nil if receiver.boxed => {
                self.fail(format!("nil pointer evaluating interface {{}}.{name}"))
            }
            Value::Nil => self.fail(format!("nil data; no entry for key \"{name}\"")),
            _ => {
                let of = receiver.static_type();
                self.fail(format!("can't evaluate field {name} in type {of}"))
            }
        }
    }

    fn constant(&mut self, expr: &'t Expr) -> Result<Val> {
        Ok(Val::literal(match &expr.kind {
            ExprKind::Bool(b) => Value::Bool(*b),
            ExprKind::String(_, bytes) => Value::String(Arc::clone(bytes)),
            ExprKind::Number(number) => return self.number(number),
            _ => Value::Nil,
        }))
    }

    /// A number of the type that its spelling suggests.
    fn number(&self, number: &Number) -> Result<Val> {
        let text = &*number.text;
        let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
        let hexadecimal = hexadecimal && !text.contains(['p', 'P']);
        let looks_float = text.contains(['.', 'e', 'E', 'p', 'P']);
        let value = match *number {
            Number { complex: Some((real, imaginary)), .. } => Value::Complex(real, imaginary),
            Number { float: Some(f), .. }
                if looks_float && !hexadecimal && !text.starts_with('\'') =>
            {
                Value::Float(f)
            }
            Number { int: Some(i), .. } => Value::Int(i),
            _ => return self.fail(format!("{text} overflows int")),
        };
        Ok(Val::literal(value))
    }

    /// The value of an argument. A constant must be one that `param` takes.
    fn argument(&mut self, dot: &Val, param: Param, expr: &'t Expr) -> Result<Val> {
        self.spend(1)?;
        self.at(At::Expr(expr));
        match &expr.kind {
            ExprKind::Nil if param == Param::String => self.fail("cannot assign nil to string"),
            ExprKind::Bool(_) | ExprKind::Number(_) if param == Param::String => {
                self.fail(format!("expected string; found {expr}"))
            }
            ExprKind::Dot => Ok(dot.clone()),
            ExprKind::Pipe(pipe) => self.pipeline(dot, pipe),
            ExprKind::Function(function) => self.function(dot, function, At::Expr(expr), &[], None),
            ExprKind::Field(_) | ExprKind::Variable(..) | ExprKind::Chain(..) => {
                self.reference(dot, expr, true)
            }
            _ => self.constant(expr),
        }
    }

    /// `value` as an argument for `param`.
    fn fitting(&self, value: Val, param: Param) -> Result<Val> {
        match (&value.value, param) {
            (_, Param::Any) => Ok(value),
            (Value::String(_), Param::String) => Ok(value.unboxed()),
            (Value::Nil, Param::String) if !value.boxed => {
                self.fail("invalid value; expected string")
            }
            (other, Param::String) => {
                let got = match other {
                    Value::Nil => "interface {}",
                    other => other.type_name(),
                };
                self.fail(format!("wrong type for value; expected string; got {got}"))
            }
        }
    }

    /// Calls `function`, which is written at `at`, with `args` and the value before it in the pipeline.
    fn function(
        &mut self,
        dot: &Val,
        function: &'static Function,
        at: At<'t>,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val> {
        let given = args.len() + usize::from(last.is_some());
        self.count(function, args.len(), given)?;
        match function.run {
            Run::And => self.first(dot, false, args, last),
            Run::Or => self.first(dot, true, args, last),
            Run::Plain(_) | Run::Call => {
                let values = self.arguments(dot, function, args, last)?;
                self.run(function, at, args, values)
            }
        }
    }

    /// The first argument whose truth is `wanted`, else the last; those behind it are not evaluated.
    fn first(
        &mut self,
        dot: &Val,
        wanted: bool,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val> {
        let mut value = Val::default();
        for arg in args {
            value = self.argument(dot, Param::Any, arg)?;
            if value.value.truth() == wanted {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    fn arguments(
        &mut self,
        dot: &Val,
        function: &Function,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Vec<Val>> {
        let mut values = Vec::with_capacity(args.len() + 1);
        for arg in args {
            let param = function.fixed.get(values.len()).copied().unwrap_or(Param::Any);
            let value = self.argument(dot, param, arg)?;
            values.push(self.fitting(value, param)?);
        }
        if let Some(last) = last {
            let param = function.fixed.get(values.len()).copied().unwrap_or(Param::Any);
            values.push(self.fitting(last, param)?);
        }
        Ok(values)
    }

    /// Whether `function` takes as many arguments as there are: `written`, and with the pipeline's `given`.
    fn count(&self, function: &Function, written: usize, given: usize) -> Result<()> {
        let (name, wanted) = (function.name, function.fixed.len());
        if function.variadic && given < wanted {
            self.fail(format!(
                "wrong number of args for {name}: want at least {wanted} got {written}"
            ))
        } else if !function.variadic && given != wanted {
            self.fail(format!("wrong number of args for {name}: want {wanted} got {given}"))
        } else {
            Ok(())
        }
    }

    /// Calls a function that takes values.
    fn run(
        &mut self,
        function: &Function,
        at: At<'t>,
        args: &'t [Expr],
        values: Vec<Val>,
    ) -> Result<Val> {
        let name = function.name;
        let Run::Plain(run) = function.run else {
            self.at(at);
            let callee = values.into_iter().next().unwrap_or_default();
            return Err(self.error(not_callable(args.first(), &callee)));
        };
        let taint = values.iter().fold(Taint::Literal, |taint, value| taint.join(&value.taint));
        if !(name == "index" && self.is_mentioned(values.get(1))) {
            values.iter().for_each(|value| self.touch(&value.value));
        }
        // What is read for a result that may be tiny.
        let read: usize = values.iter().map(|value| size(&value.value)).sum();
        self.spend_bytes(read)?;
        let written: &dyn std::fmt::Display = match args.first() {
            Some(first) => first,
            None => &"…",
        };
        let mut call = Call { args: values, written, inputs: self.inputs, taint };
        let result = run(&mut call);
        let taint = call.taint;
        match result {
            Ok(Val { value: Value::String(s), .. }) if s.len() > self.inputs.limits.output => {
                self.at(at);
                Err(self.error(too_long(self.inputs.limits.output)))
            }
            Ok(mut value) => {
                value.taint = match value.value {
                    Value::Bool(_) | Value::Int(_) | Value::Float(_) => taint.learned(),
                    _ => taint,
                };
                self.spend_bytes(size(&value.value))?;
                Ok(value)
            }
            Err(fault) => {
                self.at(at);
                let prefix = format!("error calling {name}: ");
                let go = prefix.clone() + &fault.go;
                let safe = prefix + &fault.safe;
                Err(self.error(Fault { go, safe, ..fault }))
            }
        }
    }
}

/// What looking at a value costs, in bytes.
fn size(value: &Value) -> usize {
    match value {
        Value::String(s) => s.len(),
        Value::List(list) => 16 * list.len(),
        Value::Map(map) => 16 * map.entries().len(),
        _ => 0,
    }
}

fn no_variable(name: &str) -> String {
    format!("no variable `{name}` is given")
}

/// No value of a template is a function.
fn not_callable(written: Option<&Expr>, callee: &Val) -> Fault {
    let of = callee.value.type_name();
    if matches!(callee.value, Value::Nil) {
        return Fault::new("error calling call: call of nil");
    }
    let safe = match written {
        Some(expr) => format!("error calling call: non-function {expr} of type {of}"),
        None => format!("error calling call: non-function of type {of}"),
    };
    match (&callee.value, written) {
        (_, Some(_)) => Fault::new(safe),
        (Value::String(s), None) => {
            let s = String::from_utf8_lossy(s);
            Fault::hiding(format!("error calling call: non-function {s} of type {of}"), safe)
        }
        (_, None) => Fault::hiding(
            format!("error calling call: non-function <{of} Value> of type {of}"),
            safe,
        ),
    }
}

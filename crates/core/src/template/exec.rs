//! Runs a template: walks its nodes and writes the text and the map. What the nodes' pipelines are worth
//! is for [`eval`](super::eval) to say.

use std::sync::Arc;

use super::ast::{At, Branch, List, Node, NodeKind, Pipe};
use super::error::{Error, ErrorKind, Fault};
use super::funcs::{text_of, too_long};
use super::map::Builder;
use super::printf::Printer;
use super::quote::quoted;
use super::value::{Map, Taint, Val, Value};
use super::{Inputs, Rendered, Template};
use crate::source::Span;

/// How many blocks and template calls may be under way when one more template is called. Go bounds the
/// calls at 100000; this is what the stack of a small thread holds.
pub(super) const MAX_DEPTH: u32 = 100;

pub(super) type Result<T> = std::result::Result<T, Box<Error>>;

/// What to do after a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// A rendering under way.
pub(super) struct Exec<'t> {
    template: &'t Template,
    pub(super) inputs: &'t Inputs<'t>,
    /// Whether the template has no actions: then it is itself what it makes.
    plain: bool,
    out: Vec<u8>,
    map: Builder,
    /// The variables in scope, the innermost last.
    vars: Vec<(&'t str, Val)>,
    /// The part looked at last: where an error is said to be.
    at: At<'t>,
    /// The template under way.
    name: &'t [u8],
    depth: u32,
    steps: u64,
    root: Arc<Map>,
    whole_root_used: bool,
}

/// Renders `template`.
pub(super) fn render(template: &Template, inputs: &Inputs<'_>) -> Result<Rendered> {
    let name = template.name.as_bytes();
    let nothing: &List = &List::new();
    let list = template.parsed.templates.get(name).unwrap_or(nothing);
    let text = template.source.text();
    let plain = match list.as_slice() {
        [] => text.is_empty(),
        [node] => matches!(node.kind, NodeKind::Text) && node.span.range() == (0..text.len()),
        _ => false,
    };
    let root = Arc::new(inputs.variables.clone());
    let dot = Val::new(Value::Map(Arc::clone(&root)), Taint::Input);
    let start = Node { pos: 0, span: Span::at(0), kind: NodeKind::Text };
    let mut exec = Exec {
        template,
        inputs,
        plain,
        out: Vec::with_capacity(if plain { 0 } else { text.len().min(inputs.limits.output) }),
        map: Builder::new(),
        vars: vec![("$", dot.clone())],
        at: At::Node(&start),
        name,
        depth: 0,
        steps: inputs.limits.steps,
        root,
        whole_root_used: false,
    };
    exec.list(&dot, list)?;
    Ok(Rendered {
        source: Arc::clone(&template.source),
        made: (!plain).then_some(exec.out),
        map: exec.map.finish(),
        whole_root_used: exec.whole_root_used,
    })
}

impl<'t> Exec<'t> {
    // Errors and limits.

    /// Says that execution is here now.
    pub(super) fn at(&mut self, at: At<'t>) {
        self.at = at;
    }

    /// `fault` at the part looked at last.
    #[cold]
    pub(super) fn error(&self, fault: Fault) -> Box<Error> {
        let text = &self.template.source.text()[..self.at.pos() as usize];
        let line = 1 + text.bytes().filter(|b| *b == b'\n').count();
        let column = text.len() - text.rfind('\n').map_or(0, |feed| feed + 1);
        let go = format!(
            "template: {}:{line}:{column}: executing {} at <{}>: {}",
            self.template.name,
            quoted(self.name),
            self.at,
            fault.go
        );
        let Fault { kind, safe: message, help, lack, .. } = fault;
        Box::new(Error { kind, span: self.at.span(), go, message, help, lack })
    }

    pub(super) fn fail<T>(&self, text: impl Into<String>) -> Result<T> {
        Err(self.error(Fault::new(text)))
    }

    /// Takes `steps` off what is left.
    pub(super) fn spend(&mut self, steps: u64) -> Result<()> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                let limit = self.inputs.limits.steps;
                Err(self.error(Fault::limit(format!("rendering takes more than {limit} steps"))))
            }
        }
    }

    /// Takes the making of `size` bytes off what is left.
    pub(super) fn spend_bytes(&mut self, size: usize) -> Result<()> {
        self.spend(size as u64 / 16)
    }

    /// Notes that `value` is used as a whole.
    pub(super) fn touch(&mut self, value: &Value) {
        self.whole_root_used |= self.is_root(value);
    }

    /// Whether `key` is a name that the template mentions.
    pub(super) fn is_mentioned(&self, key: Option<&Val>) -> bool {
        match key {
            Some(Val { value: Value::String(name), .. }) => {
                self.template.parsed.mentioned.contains(&**name)
            }
            _ => false,
        }
    }

    /// Whether `value` is the map of all variables.
    pub(super) fn is_root(&self, value: &Value) -> bool {
        matches!(value, Value::Map(map) if Arc::ptr_eq(map, &self.root))
    }

    // Variables.

    pub(super) fn push_var(&mut self, name: &'t str, value: Val) {
        self.vars.push((name, value));
    }

    /// The place of the innermost variable called `name`.
    fn find_var(&mut self, name: &str) -> Result<usize> {
        let place = self.vars.iter().rposition(|(n, _)| *n == name);
        // A template with thousands of variables must not search them for ever.
        let searched = self.vars.len() - place.unwrap_or(0);
        self.spend(searched as u64 / 32)?;
        place.map_or_else(|| self.fail(format!("undefined variable: {name}")), Ok)
    }

    pub(super) fn set_var(&mut self, name: &str, value: Val) -> Result<()> {
        let place = self.find_var(name)?;
        self.vars[place].1 = value;
        Ok(())
    }

    pub(super) fn var(&mut self, name: &str) -> Result<Val> {
        let place = self.find_var(name)?;
        Ok(self.vars[place].1.clone())
    }

    // Nodes.

    fn list(&mut self, dot: &Val, list: &'t List) -> Result<Flow> {
        self.depth += 1;
        let mut flow = Flow::Next;
        for node in list {
            flow = self.node(dot, node)?;
            if flow != Flow::Next {
                break;
            }
        }
        self.depth -= 1;
        Ok(flow)
    }

    fn node(&mut self, dot: &Val, node: &'t Node) -> Result<Flow> {
        self.spend(1)?;
        self.at(At::Node(node));
        match &node.kind {
            NodeKind::Text => self.text(node.span)?,
            NodeKind::Action(pipe) => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.decl.is_empty() {
                    self.at(At::Node(node));
                    self.print(node.span, &value)?;
                }
            }
            NodeKind::If(branch) => return self.branch(dot, branch, false),
            NodeKind::With(branch) => return self.branch(dot, branch, true),
            NodeKind::Range(branch) => return self.range(dot, branch),
            NodeKind::Template { name, pipe } => self.call(dot, name, pipe.as_ref())?,
            NodeKind::Break => return Ok(Flow::Break),
            NodeKind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let limit = self.inputs.limits.output;
        if bytes.len() > limit.min(u32::MAX as usize) - self.out.len() {
            return Err(self.error(too_long(limit)));
        }
        if !self.plain {
            self.out.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn text(&mut self, span: Span) -> Result<()> {
        let template = self.template;
        self.write(&template.source.text().as_bytes()[span.range()])?;
        self.map.text(span.range().len(), span);
        Ok(())
    }

    fn print(&mut self, span: Span, val: &Val) -> Result<()> {
        self.touch(&val.value);
        let before = self.out.len();
        match &val.value {
            Value::Nil => self.write(b"<no value>")?,
            Value::String(s) => self.write(s)?,
            value => {
                let limit = self.inputs.limits.output;
                let mut printer = Printer::new(limit - before);
                printer.print(std::slice::from_ref(value));
                match printer.finish() {
                    Some(bytes) => self.write(&bytes)?,
                    None => return Err(self.error(too_long(limit))),
                }
            }
        }
        self.map.value(self.out.len() - before, span, &val.taint);
        Ok(())
    }

    /// `if` and `with`; the latter makes the value the dot.
    fn branch(&mut self, dot: &Val, branch: &'t Branch, with: bool) -> Result<Flow> {
        let mark = self.vars.len();
        let mut chosen = None;
        for (pipe, list) in &branch.arms {
            let value = self.pipeline(dot, pipe)?;
            if value.value.truth() {
                chosen = Some((value, list));
                break;
            }
        }
        let flow = match (chosen, &branch.otherwise) {
            (Some((value, list)), _) => self.list(if with { &value } else { dot }, list)?,
            (None, Some(list)) => self.list(dot, list)?,
            (None, None) => Flow::Next,
        };
        self.vars.truncate(mark);
        Ok(flow)
    }

    fn range(&mut self, dot: &Val, branch: &'t Branch) -> Result<Flow> {
        let Some((pipe, list)) = branch.arms.first() else { return Ok(Flow::Next) };
        let outer = self.vars.len();
        let val = self.pipeline(dot, pipe)?;
        self.touch(&val.value);
        let taint = &val.taint;
        let key = |key: Value| Val::new(key, Taint::Literal);
        let count = self.turns(&val.value, pipe.decl.len())?;
        for at in 0..count {
            let (index, element) = match &val.value {
                Value::List(items) => (key(Value::Int(at as i64)), Val::element(&items[at], taint)),
                Value::Map(map) => {
                    let (name, value) = &map.entries()[at];
                    self.spend_bytes(name.len())?;
                    (Val::new((&**name).into(), taint.clone()), Val::element(value, taint))
                }
                Value::Byte(_) => {
                    (Val::default(), Val::new(Value::Byte(at as u8), taint.learned()))
                }
                _ => (Val::default(), Val::new(Value::Int(at as i64), taint.learned())),
            };
            if self.turn(pipe, list, index, element)? == Flow::Break {
                break;
            }
        }
        let mut flow = Flow::Next;
        if let Some(list) = branch.otherwise.as_ref().filter(|_| count == 0) {
            // As in Go a `break` in it, which leaves the loop around this one, gets no further than here.
            flow = match self.list(dot, list)? {
                Flow::Break => Flow::Next,
                flow => flow,
            };
        }
        self.vars.truncate(outer);
        Ok(flow)
    }

    /// How often to go through a loop over `value` with so many variables.
    fn turns(&self, value: &Value, variables: usize) -> Result<usize> {
        // Go prints the value in these errors.
        let (go, safe) = match value {
            Value::Int(_) | Value::Byte(_) if variables > 1 => (
                format!(
                    "can't use {} to iterate over more than one variable",
                    text_of("%v", value)
                ),
                "can't use a number to iterate over more than one variable".to_owned(),
            ),
            Value::Int(n) => return Ok(usize::try_from(*n).unwrap_or(0)),
            Value::Byte(n) => return Ok((*n).into()),
            Value::List(items) => return Ok(items.len()),
            Value::Map(map) => return Ok(map.entries().len()),
            Value::Nil => return Ok(0),
            value => (
                format!("range can't iterate over {}", text_of("%v", value)),
                format!("range can't iterate over a value of type {}", value.type_name()),
            ),
        };
        Err(self.error(Fault::hiding(go, safe)))
    }

    /// One turn of a loop.
    fn turn(&mut self, pipe: &'t Pipe, list: &'t List, index: Val, element: Val) -> Result<Flow> {
        self.spend(1)?;
        let mark = self.vars.len();
        match pipe.decl.as_slice() {
            [] => {}
            [one] if pipe.assign => self.set_var(one, element.clone())?,
            [first, second, ..] if pipe.assign => {
                self.set_var(first, index)?;
                self.set_var(second, element.clone())?;
            }
            [_] => self.vars[mark - 1].1 = element.clone(),
            [..] => {
                self.vars[mark - 2].1 = index;
                self.vars[mark - 1].1 = element.clone();
            }
        }
        let flow = self.list(&element, list)?;
        self.vars.truncate(mark);
        Ok(flow)
    }

    /// `{{template "name" pipe}}`.
    fn call(&mut self, dot: &Val, name: &'t [u8], pipe: Option<&'t Pipe>) -> Result<()> {
        let template = self.template;
        let Some((name, list)) = template.parsed.templates.get_key_value(name) else {
            return self.fail(format!("template {} not defined", quoted(name)));
        };
        if self.depth >= MAX_DEPTH {
            let text = format!("exceeded maximum template depth ({MAX_DEPTH})");
            return Err(self.error(Fault { kind: ErrorKind::Limit, ..Fault::new(text) }));
        }
        let dot = match pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Val::default(),
        };
        let vars = std::mem::replace(&mut self.vars, vec![("$", dot.clone())]);
        let outer = (self.at, self.name);
        self.name = name;
        self.list(&dot, list)?;
        (self.at, self.name) = outer;
        self.vars = vars;
        Ok(())
    }
}

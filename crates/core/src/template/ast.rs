//! What a template says, and how Go spells its parts in messages.

use std::fmt;
use std::sync::Arc;

use super::funcs::Function;
use super::quote::quoted;
use crate::source::Span;

/// A sequence of nodes.
pub(super) type List = Vec<Node>;

/// One thing to do, in order.
pub(super) struct Node {
    /// Where Go says it is; not always where it starts.
    pub(super) pos: u32,
    /// All of it; of an action with its delimiters.
    pub(super) span: Span,
    pub(super) kind: NodeKind,
}

pub(super) enum NodeKind {
    /// The text at the node's span.
    Text,
    Action(Pipe),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template {
        name: Box<[u8]>,
        pipe: Option<Pipe>,
    },
    Break,
    Continue,
}

/// `if`, `with` and `range`. An `else if` or `else with` is a further arm, so a long chain nests nothing.
pub(super) struct Branch {
    pub(super) arms: Vec<(Pipe, List)>,
    pub(super) otherwise: Option<List>,
}

/// `$a, $b := x | y`.
pub(super) struct Pipe {
    pub(super) pos: u32,
    pub(super) span: Span,
    pub(super) assign: bool,
    /// The variables declared or assigned, at most two.
    pub(super) decl: Vec<Box<str>>,
    pub(super) commands: Vec<Command>,
}

/// An operand and its arguments.
pub(super) struct Command {
    pub(super) pos: u32,
    pub(super) span: Span,
    pub(super) args: Vec<Expr>,
}

/// An operand.
pub(super) struct Expr {
    pub(super) pos: u32,
    pub(super) span: Span,
    pub(super) kind: ExprKind,
}

pub(super) enum ExprKind {
    Bool(bool),
    Nil,
    Dot,
    /// `.a.b`.
    Field(Vec<Box<str>>),
    /// `$a.b`: the variable with its dollar sign, then the fields.
    Variable(Box<str>, Vec<Box<str>>),
    /// `(…).a.b` or `f.a.b`.
    Chain(Box<Expr>, Vec<Box<str>>),
    Function(&'static Function),
    Number(Box<Number>),
    /// The literal as written, and what it stands for.
    String(Box<str>, Arc<[u8]>),
    Pipe(Box<Pipe>),
}

/// A numeric constant in all the types that can hold it.
#[derive(Debug)]
pub(super) struct Number {
    /// As written.
    pub(super) text: Box<str>,
    pub(super) int: Option<i64>,
    pub(super) float: Option<f64>,
    pub(super) complex: Option<(f64, f64)>,
}

/// Where execution is: the part that an error names.
#[derive(Clone, Copy)]
pub(super) enum At<'t> {
    Node(&'t Node),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Expr(&'t Expr),
}

impl At<'_> {
    pub(super) fn pos(self) -> u32 {
        match self {
            Self::Node(n) => n.pos,
            Self::Pipe(p) => p.pos,
            Self::Command(c) => c.pos,
            Self::Expr(e) => e.pos,
        }
    }

    pub(super) fn span(self) -> Span {
        match self {
            Self::Node(n) => n.span,
            Self::Pipe(p) => p.span,
            Self::Command(c) => c.span,
            Self::Expr(e) => e.span,
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(n) => n.fmt(f),
            Self::Pipe(p) => p.fmt(f),
            Self::Command(c) => c.fmt(f),
            Self::Expr(e) => e.fmt(f),
        }
    }
}

/// Only actions and template calls are ever named in full; of the others their pipeline is.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NodeKind::Text => f.write_str("text"),
            NodeKind::Action(pipe) => write!(f, "{{{{{pipe}}}}}"),
            NodeKind::If(_) => f.write_str("{{if}}"),
            NodeKind::With(_) => f.write_str("{{with}}"),
            NodeKind::Range(_) => f.write_str("{{range}}"),
            NodeKind::Template { name, pipe } => {
                write!(f, "{{{{template {}", quoted(name))?;
                if let Some(pipe) = pipe {
                    write!(f, " {pipe}")?;
                }
                f.write_str("}}")
            }
            NodeKind::Break => f.write_str("{{break}}"),
            NodeKind::Continue => f.write_str("{{continue}}"),
        }
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.decl.is_empty() {
            write!(f, "{} {} ", self.decl.join(", "), if self.assign { "=" } else { ":=" })?;
        }
        for (i, command) in self.commands.iter().enumerate() {
            let bar = if i > 0 { " | " } else { "" };
            write!(f, "{bar}{command}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, arg) in self.args.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            arg.in_place(f)?;
        }
        Ok(())
    }
}

impl Expr {
    /// With the parentheses that it stands in.
    fn in_place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Pipe(pipe) => write!(f, "({pipe})"),
            _ => write!(f, "{self}"),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = |f: &mut fmt::Formatter<'_>, names: &[Box<str>]| {
            names.iter().try_for_each(|name| write!(f, ".{name}"))
        };
        match &self.kind {
            ExprKind::Bool(b) => write!(f, "{b}"),
            ExprKind::Nil => f.write_str("nil"),
            ExprKind::Dot => f.write_str("."),
            ExprKind::Field(names) => fields(f, names),
            ExprKind::Variable(name, names) => {
                f.write_str(name)?;
                fields(f, names)
            }
            ExprKind::Chain(inner, names) => {
                inner.in_place(f)?;
                fields(f, names)
            }
            ExprKind::Function(function) => f.write_str(function.name),
            ExprKind::Number(number) => f.write_str(&number.text),
            ExprKind::String(literal, _) => f.write_str(literal),
            ExprKind::Pipe(pipe) => pipe.fmt(f),
        }
    }
}

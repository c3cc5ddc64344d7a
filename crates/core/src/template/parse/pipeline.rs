//! Pipelines, commands and operands: what stands inside of an action.

use super::super::ast::{Command, Expr, ExprKind, Number, Pipe};
use super::super::error::Error;
use super::super::lex::{Kind, Token};
use super::super::quote::quoted;
use super::{Parser, Result};
use crate::source::Span;
use crate::suggest::suggest;

impl<'t> Parser<'t> {
    /// Declarations and commands up to the token `end`, whose place comes back too.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Result<(Pipe, Span)> {
        let first = self.peek_solid().span;
        let mut pipe = Pipe {
            pos: first.start,
            span: first,
            assign: false,
            decl: Vec::new(),
            // Most have one. A file can hold tens of thousands of them.
            commands: Vec::with_capacity(1),
        };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.next_solid();
            match token.kind {
                kind if kind == end => {
                    self.check(&pipe, context, first.to(token.span))?;
                    return Ok((pipe, token.span));
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.back(token);
                    let command = self.command()?;
                    pipe.span = pipe.span.to(command.span);
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    /// `$a :=`, `$a =`, and in `range` also `$a, $b :=`.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<()> {
        loop {
            let variable = self.peek_solid();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            let behind = self.next();
            let next = if behind.kind == Kind::Space { self.next_solid() } else { behind.clone() };
            let name = self.text_of(&variable);
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assign = next.kind == Kind::Assign;
                    pipe.decl.push(name.into());
                    self.declare(name);
                    return Ok(());
                }
                Kind::Char if self.text_of(&next) == "," => {
                    pipe.decl.push(name.into());
                    self.declare(name);
                    if context != "range" || pipe.decl.len() >= 2 {
                        let text = format!("too many declarations in {context}");
                        return self.fail(next.span, text);
                    }
                    let second = self.peek_solid();
                    if !matches!(second.kind, Kind::Variable | Kind::RightDelim | Kind::RightParen)
                    {
                        return self.fail(second.span, "range can only initialize variables");
                    }
                }
                _ => {
                    // An argument, not a declaration.
                    self.back(next);
                    if behind.kind == Kind::Space {
                        self.back(behind);
                    }
                    self.back(variable);
                    return Ok(());
                }
            }
        }
    }

    fn check(&self, pipe: &Pipe, context: &str, all: Span) -> Result<()> {
        if pipe.commands.is_empty() {
            return self.fail(all, format!("missing value for {context}"));
        }
        for (i, command) in pipe.commands.iter().enumerate().skip(1) {
            use ExprKind::{Bool, Dot, Nil, Number, String};
            if let Some(Expr { kind: Bool(_) | Dot | Nil | Number(_) | String(..), span, .. }) =
                command.args.first()
            {
                let text = format!("non executable command in pipeline stage {}", i + 1);
                return self.fail(*span, text);
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command> {
        let first = self.peek_solid().span;
        let mut command = Command { pos: first.start, span: first, args: Vec::with_capacity(1) };
        loop {
            self.peek_solid();
            if let Some(operand) = self.operand()? {
                command.span = command.span.to(operand.span);
                command.args.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.back(token),
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if command.args.is_empty() {
            return self.fail(first, "empty command");
        }
        Ok(command)
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Result<Option<Expr>> {
        match self.term()? {
            Some(term) if self.peek() == Kind::Field => self.with_fields(term).map(Some),
            term => Ok(term),
        }
    }

    fn with_fields(&mut self, term: Expr) -> Result<Expr> {
        let mut span = term.span;
        // Go finds such an operand where its fields begin.
        let pos = span.end;
        let mut names = Vec::new();
        while self.peek() == Kind::Field {
            let token = self.next();
            span = span.to(token.span);
            names.push(self.field(&token));
        }
        let kind = match term.kind {
            ExprKind::Field(mut first) => {
                first.append(&mut names);
                ExprKind::Field(first)
            }
            ExprKind::Variable(name, _) => ExprKind::Variable(name, names),
            ExprKind::Bool(_)
            | ExprKind::String(..)
            | ExprKind::Number(_)
            | ExprKind::Nil
            | ExprKind::Dot => {
                let text = quoted(term.to_string().as_bytes());
                return self.fail(term.span, format!("unexpected . after term {text}"));
            }
            ExprKind::Chain(..) | ExprKind::Function(_) | ExprKind::Pipe(_) => {
                ExprKind::Chain(Box::new(term), names)
            }
        };
        Ok(Expr { pos, span, kind })
    }

    /// The name in a field token.
    fn field(&mut self, token: &Token) -> Box<str> {
        let name = &self.text_of(token)[1..];
        self.mention(name.as_bytes());
        name.into()
    }

    fn mention(&mut self, name: &[u8]) {
        if !self.out.mentioned.contains(name) {
            self.out.mentioned.insert(name.into());
        }
    }

    /// An operand without fields behind it, if one comes next.
    fn term(&mut self) -> Result<Option<Expr>> {
        let token = self.next_solid();
        if token.kind == Kind::LeftParen {
            return self.parentheses(token.span).map(Some);
        }
        match self.simple(&token)? {
            Some(kind) => Ok(Some(Expr { pos: token.span.start, span: token.span, kind })),
            None => {
                self.back(token);
                Ok(None)
            }
        }
    }

    /// A pipeline of which the opening parenthesis has been read.
    fn parentheses(&mut self, open: Span) -> Result<Expr> {
        self.deeper(open)?;
        let (pipe, close) = self.pipeline("parenthesized pipeline", Kind::RightParen)?;
        self.depth -= 1;
        Ok(Expr { pos: pipe.pos, span: open.to(close), kind: ExprKind::Pipe(Box::new(pipe)) })
    }

    /// A term of one token.
    fn simple(&mut self, token: &Token) -> Result<Option<ExprKind>> {
        let text = self.text_of(token);
        let number = |read: fn(&str) -> std::result::Result<Number, String>| match read(text) {
            Ok(number) => Ok(ExprKind::Number(Box::new(number))),
            Err(why) => self.fail(token.span, why),
        };
        Ok(Some(match token.kind {
            Kind::Identifier => match self.functions.find(text) {
                Some(function) => ExprKind::Function(function),
                None => return Err(self.no_function(token)),
            },
            Kind::Dot => ExprKind::Dot,
            Kind::Nil => ExprKind::Nil,
            Kind::Bool => ExprKind::Bool(text == "true"),
            Kind::Field => ExprKind::Field(vec![self.field(token)]),
            Kind::Variable if self.is_declared(text) => ExprKind::Variable(text.into(), Vec::new()),
            Kind::Variable => {
                let text = format!("undefined variable {}", quoted(text.as_bytes()));
                return self.fail(token.span, text);
            }
            Kind::CharConstant => number(Number::from_char)?,
            Kind::Complex => number(Number::from_complex)?,
            Kind::Number => number(Number::from_text)?,
            Kind::String | Kind::RawString => {
                let value = self.string(token)?;
                self.mention(&value);
                ExprKind::String(text.into(), value.into())
            }
            _ => return Ok(None),
        }))
    }

    fn no_function(&self, token: &Token) -> Box<Error> {
        let name = self.text_of(token);
        let text = format!("function {} not defined", quoted(name.as_bytes()));
        let mut error = self.error(token.span, text);
        error.help = match suggest(name, self.functions.names()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None => Some(format!("a variable is written with a dot: `.{name}`")),
        };
        error
    }
}

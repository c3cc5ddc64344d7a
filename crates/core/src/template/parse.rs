//! Tokens into a tree. Recursive descent; nesting is bounded, everything else is linear in the text.

mod pipeline;

use std::collections::{HashMap, HashSet};

use super::ast::{Branch, List, Node, NodeKind};
use super::error::{Error, ErrorKind};
use super::funcs::Functions;
use super::lex::{Kind, Lexer, Token};
use super::quote::{quoted, runes, unquote};
use crate::source::{Source, Span};

/// How deep parentheses and blocks may be nested, together. Go bounds parentheses alone, at 10000; this
/// is what the stack of a small thread holds.
pub(super) const MAX_NESTING: u32 = 64;

/// What a text defines.
pub(super) struct Parsed {
    /// All templates by name, the text's own among them.
    pub(super) templates: HashMap<Box<[u8]>, List>,
    /// Every field name and string constant.
    pub(super) mentioned: HashSet<Box<[u8]>>,
}

type Result<T> = std::result::Result<T, Box<Error>>;

/// What ends a list of nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Else,
}

impl Stop {
    fn text(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

/// What every template of a text has for itself while it is parsed.
struct Tree<'t> {
    /// Up to three tokens that were read ahead; the next one last.
    ahead: Vec<Token>,
    /// Where the token read last starts: its line is what Go's messages name.
    at: Option<u32>,
    /// The variables in scope, and how often each was declared.
    vars: Vec<&'t str>,
    declared: HashMap<&'t str, u32>,
    /// Where the action under way started.
    action: Option<u32>,
    ranges: u32,
}

impl Tree<'_> {
    fn new() -> Self {
        Self {
            ahead: Vec::new(),
            at: None,
            vars: Vec::new(),
            declared: HashMap::new(),
            action: None,
            ranges: 0,
        }
    }
}

struct Parser<'t> {
    name: &'t str,
    text: &'t str,
    lexer: Lexer<'t>,
    functions: Functions,
    tree: Tree<'t>,
    depth: u32,
    out: Parsed,
}

/// Parses the text of `source` as the template `name`.
pub(super) fn parse(source: &Source, name: &str, functions: Functions) -> Result<Parsed> {
    let mut parser = Parser {
        name,
        text: source.text(),
        lexer: Lexer::new(source.text()),
        functions,
        tree: Tree::new(),
        depth: 0,
        out: Parsed { templates: HashMap::new(), mentioned: HashSet::new() },
    };
    parser.file()?;
    Ok(parser.out)
}

impl<'t> Parser<'t> {
    // Tokens.

    fn next(&mut self) -> Token {
        if let Some(token) = self.tree.ahead.pop() {
            return token;
        }
        let token = self.lexer.token();
        self.tree.at = Some(token.span.start);
        token
    }

    fn back(&mut self, token: Token) {
        self.tree.ahead.push(token);
    }

    fn peek(&mut self) -> Kind {
        let token = self.next();
        let kind = token.kind;
        self.back(token);
        kind
    }

    fn next_solid(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_solid(&mut self) -> Token {
        let token = self.next_solid();
        self.back(token.clone());
        token
    }

    fn text_of(&self, token: &Token) -> &'t str {
        &self.text[token.span.range()]
    }

    // Errors.

    /// The line of a place, from 1.
    fn line(&self, at: u32) -> usize {
        1 + self.text.as_bytes()[..at as usize].iter().filter(|b| **b == b'\n').count()
    }

    fn error(&self, span: Span, text: impl Into<String>) -> Box<Error> {
        let message = text.into();
        // Go's line is 0 where a template has not begun.
        let line = self.tree.at.map_or(0, |at| self.line(at));
        let go = format!("template: {}:{line}: {message}", self.name);
        Box::new(Error { kind: ErrorKind::Parse, span, go, message, help: None, lack: None })
    }

    fn fail<T>(&self, span: Span, text: impl Into<String>) -> Result<T> {
        Err(self.error(span, text))
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Result<T> {
        if let Some(error) = &token.error {
            let mut text = error.to_string();
            let started = self.tree.action.map(|at| self.line(at));
            if let Some(started) = started.filter(|line| *line != self.line(token.span.start)) {
                let action = if text.ends_with(" action") { "" } else { " in action" };
                text += &format!("{action} started at {}:{started}", self.name);
            }
            return self.fail(token.span, text);
        }
        self.fail(token.span, format!("unexpected {} in {context}", self.spell(token)))
    }

    /// A token as Go shows it: long ones cut.
    fn spell(&self, token: &Token) -> String {
        let text = self.text_of(token);
        match token.kind {
            Kind::Eof => "EOF".into(),
            kind if kind.is_keyword() => format!("<{text}>"),
            _ if text.len() > 10 => {
                let end = runes(text.as_bytes()).nth(10).map_or(text.len(), |(at, _)| at);
                format!("{}...", quoted(&text.as_bytes()[..end]))
            }
            _ => quoted(text.as_bytes()),
        }
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token> {
        let token = self.next_solid();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    /// Goes one level deeper. Who comes back takes one off `depth`; after an error nobody does.
    fn deeper(&mut self, span: Span) -> Result<()> {
        self.depth += 1;
        if self.depth <= MAX_NESTING {
            return Ok(());
        }
        let mut error = self.error(span, "max expression depth exceeded");
        error.kind = ErrorKind::Limit;
        error.help = Some(format!("blocks and parentheses may be nested {MAX_NESTING} deep"));
        Err(error)
    }

    // Variables.

    fn declare(&mut self, name: &'t str) {
        self.tree.vars.push(name);
        *self.tree.declared.entry(name).or_default() += 1;
    }

    fn forget(&mut self, mark: usize) {
        for name in self.tree.vars.drain(mark..) {
            if let Some(n) = self.tree.declared.get_mut(name) {
                *n -= 1;
            }
        }
    }

    fn is_declared(&self, name: &str) -> bool {
        name == "$" || self.tree.declared.get(name).is_some_and(|n| *n > 0)
    }

    // Templates.

    fn file(&mut self) -> Result<()> {
        let mut root = List::new();
        loop {
            let token = self.next();
            match token.kind {
                Kind::Eof => break,
                Kind::LeftDelim => {
                    let word = self.next_solid();
                    if word.kind == Kind::Define {
                        self.definition()?;
                        continue;
                    }
                    self.back(word);
                }
                _ => {}
            }
            let span = token.span;
            self.back(token);
            if let Some(stop) = self.text_or_action(&mut root)? {
                return self.fail(span, format!("unexpected {}", stop.text()));
            }
        }
        self.add(Span::at(self.text.len()), self.name.as_bytes().into(), root)
    }

    /// Runs `parse` with a tree of its own; afterwards this tree goes on.
    fn own_tree<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.tree, Tree::new());
        let parsed = parse(self);
        self.tree = outer;
        parsed
    }

    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        self.own_tree(|p| {
            let token = p.next_solid();
            let name = p.template_name(&token, CONTEXT)?;
            p.expect(Kind::RightDelim, CONTEXT)?;
            let (list, stop, span) = p.list(token.span)?;
            if stop != Stop::End {
                return p.fail(span, format!("unexpected {} in {CONTEXT}", stop.text()));
            }
            p.add(token.span, name, list)
        })
    }

    /// Makes `list` the template `name`, unless one stands there and this one is empty.
    fn add(&mut self, span: Span, name: Box<[u8]>, list: List) -> Result<()> {
        let text = self.text;
        let is_empty = |list: &List| {
            list.iter().all(|node| match node.kind {
                NodeKind::Text => text[node.span.range()].trim().is_empty(),
                _ => false,
            })
        };
        match self.out.templates.get(&name) {
            Some(old) if !is_empty(old) && is_empty(&list) => {}
            Some(old) if !is_empty(old) => {
                let text = format!("template: multiple definition of template {}", quoted(&name));
                return self.fail(span, text);
            }
            _ => {
                self.out.templates.insert(name, list);
            }
        }
        Ok(())
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Result<Box<[u8]>> {
        match token.kind {
            Kind::String | Kind::RawString => self.string(token),
            _ => self.unexpected(token, context),
        }
    }

    fn string(&mut self, token: &Token) -> Result<Box<[u8]>> {
        match unquote(self.text_of(token)) {
            Some(text) => Ok(text.into()),
            None => self.fail(token.span, "invalid syntax"),
        }
    }

    /// Nodes up to `{{end}}` or `{{else}}`, and where that stands; they belong to what stands at `owner`.
    fn list(&mut self, owner: Span) -> Result<(List, Stop, Span)> {
        self.deeper(owner)?;
        let mut list = List::new();
        loop {
            let token = self.peek_solid();
            if token.kind == Kind::Eof {
                // Where the text ends tells nobody what is missing there.
                let mut error = self.error(owner, "unexpected EOF");
                error.help = Some("no `{{end}}` closes what begins here".to_owned());
                return Err(error);
            }
            if let Some(stop) = self.text_or_action(&mut list)? {
                self.depth -= 1;
                return Ok((list, stop, token.span));
            }
        }
    }

    /// Reads one node into `list`, unless it is one that ends a list.
    fn text_or_action(&mut self, list: &mut List) -> Result<Option<Stop>> {
        let token = self.next_solid();
        match token.kind {
            Kind::Text => {
                let (pos, span) = (token.span.start, token.span);
                list.push(Node { pos, span, kind: NodeKind::Text });
                Ok(None)
            }
            Kind::LeftDelim => {
                self.tree.action = Some(token.span.start);
                let stop = self.action(token.span, list)?;
                self.tree.action = None;
                Ok(stop)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self, delim: Span, list: &mut List) -> Result<Option<Stop>> {
        let token = self.next_solid();
        match token.kind {
            Kind::Else => {
                let next = self.peek_solid();
                if !matches!(next.kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Some(Stop::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Some(Stop::End));
            }
            Kind::If => self.control("if", Kind::If, list)?,
            Kind::Range => self.control("range", Kind::Range, list)?,
            Kind::With => self.control("with", Kind::With, list)?,
            Kind::Block => self.block(delim, list)?,
            Kind::Template => self.template(delim, list)?,
            Kind::Break => self.jump(&token, "{{break}}", NodeKind::Break, list)?,
            Kind::Continue => self.jump(&token, "{{continue}}", NodeKind::Continue, list)?,
            _ => self.output(token, delim, list)?,
        }
        Ok(None)
    }

    /// A pipeline whose value is printed; its first token has been read.
    fn output(&mut self, first: Token, delim: Span, list: &mut List) -> Result<()> {
        let pos = first.span.start;
        self.back(first);
        let (pipe, end) = self.pipeline("command", Kind::RightDelim)?;
        list.push(Node { pos, span: delim.to(end), kind: NodeKind::Action(pipe) });
        Ok(())
    }

    fn jump(&mut self, word: &Token, name: &str, kind: NodeKind, list: &mut List) -> Result<()> {
        self.expect(Kind::RightDelim, name)?;
        if self.tree.ranges == 0 {
            return self.fail(word.span, format!("{name} outside {{{{range}}}}"));
        }
        list.push(Node { pos: word.span.start, span: word.span, kind });
        Ok(())
    }

    /// `if`, `range` or `with`, of which the word has been read.
    fn control(&mut self, context: &str, word: Kind, out: &mut List) -> Result<()> {
        let mark = self.tree.vars.len();
        let mut branch = Box::new(Branch { arms: Vec::new(), otherwise: None });
        let ranges = u32::from(word == Kind::Range);
        loop {
            let (pipe, _) = self.pipeline(context, Kind::RightDelim)?;
            let owner = pipe.span;
            self.tree.ranges += ranges;
            let (list, stop, _) = self.list(owner)?;
            self.tree.ranges -= ranges;
            branch.arms.push((pipe, list));
            if stop == Stop::End {
                break;
            }
            if word != Kind::Range && self.peek() == word {
                self.next();
                continue;
            }
            branch.otherwise = Some(self.otherwise(owner)?);
            break;
        }
        self.forget(mark);
        let span = branch.arms.first().map(|(pipe, _)| pipe.span).unwrap_or_default();
        let kind = match word {
            Kind::If => NodeKind::If(branch),
            Kind::With => NodeKind::With(branch),
            _ => NodeKind::Range(branch),
        };
        out.push(Node { pos: span.start, span, kind });
        Ok(())
    }

    /// The nodes behind an `else`.
    fn otherwise(&mut self, owner: Span) -> Result<List> {
        let (list, stop, span) = self.list(owner)?;
        if stop != Stop::End {
            return self.fail(span, format!("expected end; found {}", stop.text()));
        }
        Ok(list)
    }

    fn block(&mut self, delim: Span, out: &mut List) -> Result<()> {
        const CONTEXT: &str = "block clause";
        let token = self.next_solid();
        let name = self.template_name(&token, CONTEXT)?;
        let (pipe, end) = self.pipeline(CONTEXT, Kind::RightDelim)?;
        let other = self.own_tree(|p| {
            let (list, stop, at) = p.list(token.span)?;
            if stop != Stop::End {
                return Ok(Some((stop, at)));
            }
            p.add(token.span, name.clone(), list)?;
            Ok(None)
        })?;
        if let Some((stop, at)) = other {
            return self.fail(at, format!("unexpected {} in {CONTEXT}", stop.text()));
        }
        let kind = NodeKind::Template { name, pipe: Some(pipe) };
        out.push(Node { pos: token.span.start, span: delim.to(end), kind });
        Ok(())
    }

    fn template(&mut self, delim: Span, out: &mut List) -> Result<()> {
        const CONTEXT: &str = "template clause";
        let token = self.next_solid();
        let name = self.template_name(&token, CONTEXT)?;
        let next = self.next_solid();
        let (pipe, end) = if next.kind == Kind::RightDelim {
            (None, next.span)
        } else {
            self.back(next);
            let (pipe, end) = self.pipeline(CONTEXT, Kind::RightDelim)?;
            (Some(pipe), end)
        };
        let kind = NodeKind::Template { name, pipe };
        out.push(Node { pos: token.span.start, span: delim.to(end), kind });
        Ok(())
    }
}

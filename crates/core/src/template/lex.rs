//! Cuts a template into tokens. Linear in the text: every byte is looked at a bounded number of times.

use super::{quote, unicode};
use crate::source::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The text could not be cut further; [`Token::error`] says why.
    Error,
    Bool,
    /// Any other printable ASCII character, such as a comma.
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Kind {
    /// The keyword spelled `word`.
    fn keyword(word: &str) -> Option<Self> {
        Some(match word {
            "block" => Self::Block,
            "break" => Self::Break,
            "continue" => Self::Continue,
            "define" => Self::Define,
            "else" => Self::Else,
            "end" => Self::End,
            "if" => Self::If,
            "nil" => Self::Nil,
            "range" => Self::Range,
            "template" => Self::Template,
            "with" => Self::With,
            _ => return None,
        })
    }

    /// Whether Go shows it as `<word>` in messages.
    pub(super) fn is_keyword(self) -> bool {
        use Kind::*;
        matches!(
            self,
            Block
                | Break
                | Continue
                | Dot
                | Define
                | Else
                | End
                | If
                | Nil
                | Range
                | Template
                | With
        )
    }
}

/// A piece of the text.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// Of [`Kind::Error`]: what is wrong.
    pub(super) error: Option<Box<str>>,
}

/// Reads tokens off a text.
pub(super) struct Lexer<'t> {
    text: &'t str,
    /// Where we are, and where the token under way started.
    pos: usize,
    start: usize,
    inside: bool,
    parens: u32,
    failed: bool,
    /// Comments that were skipped, with their delimiters.
    comments: Vec<Span>,
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || unicode::is_letter_or_digit(c)
}

/// The first left delimiter. Single braces are found a word at a time, which two of them are not.
fn find_left(text: &str) -> Option<usize> {
    text.match_indices('{').map(|(at, _)| at).find(|at| text[*at..].starts_with(LEFT))
}

/// `- ` behind a left delimiter.
fn left_trim(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('-') && chars.next().is_some_and(is_space)
}

/// ` -}}`.
fn right_trim(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_space)
        && chars.next() == Some('-')
        && chars.as_str().starts_with(RIGHT)
}

/// The comments of a template with their delimiters, up to where it can no longer be cut into tokens.
pub fn comments(text: &str) -> Vec<Span> {
    let mut lexer = Lexer::new(text);
    while !matches!(lexer.token().kind, Kind::Eof | Kind::Error) {}
    lexer.comments
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            pos: 0,
            start: 0,
            inside: false,
            parens: 0,
            failed: false,
            comments: Vec::new(),
        }
    }

    /// The next token. Behind an error or the end it stays there.
    pub(super) fn token(&mut self) -> Token {
        if self.failed {
            return if self.inside { self.fail("unclosed action") } else { self.emit(Kind::Eof) };
        }
        if self.inside { self.action() } else { self.outside() }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    fn skip_while(&mut self, accept: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&accept) {
            self.bump();
        }
    }

    fn accept(&mut self, set: &str) -> bool {
        let found = self.peek().is_some_and(|c| set.contains(c));
        if found {
            self.bump();
        }
        found
    }

    fn emit(&mut self, kind: Kind) -> Token {
        let span = Span::new(self.start, self.pos);
        self.start = self.pos;
        Token { kind, span, error: None }
    }

    fn fail(&mut self, message: impl Into<Box<str>>) -> Token {
        self.failed = true;
        Token { error: Some(message.into()), ..self.emit(Kind::Error) }
    }

    /// Outside of actions: text up to the next action, its left delimiter, or the end.
    fn outside(&mut self) -> Token {
        loop {
            let Some(text) = find_left(self.rest()) else {
                self.pos = self.text.len();
                return self.emit(if self.pos > self.start { Kind::Text } else { Kind::Eof });
            };
            let delim = self.pos + text;
            let trimmed = left_trim(&self.text[delim + LEFT.len()..]);
            let body = &self.text[self.start..delim];
            let body = if trimmed { body.trim_end_matches(is_space) } else { body };
            if !body.is_empty() {
                self.pos = self.start + body.len();
                let token = self.emit(Kind::Text);
                self.pos = delim;
                self.start = delim;
                return token;
            }
            self.start = delim;
            self.pos = delim + LEFT.len();
            let marker = if trimmed { 2 } else { 0 };
            if !self.rest()[marker..].starts_with("/*") {
                let token = self.emit(Kind::LeftDelim);
                self.pos += marker;
                self.start = self.pos;
                self.inside = true;
                self.parens = 0;
                return token;
            }
            self.pos += marker;
            self.start = self.pos;
            if let Err(token) = self.comment(delim) {
                return token;
            }
        }
    }

    /// Skips a comment, whose left delimiter is at `delim`, up to behind its right one.
    fn comment(&mut self, delim: usize) -> Result<(), Token> {
        match self.rest()[2..].find("*/") {
            Some(length) => self.pos += 2 + length + 2,
            None => return Err(self.fail("unclosed comment")),
        }
        let trimmed = right_trim(self.rest());
        if !trimmed && !self.rest().starts_with(RIGHT) {
            return Err(self.fail("comment ends before closing delimiter"));
        }
        self.pos += if trimmed { 2 } else { 0 } + RIGHT.len();
        self.comments.push(Span::new(delim, self.pos));
        if trimmed {
            self.skip_while(is_space);
        }
        self.start = self.pos;
        Ok(())
    }

    fn right_delim(&mut self) -> Token {
        let trimmed = right_trim(self.rest());
        if trimmed {
            self.pos += 2;
            self.start = self.pos;
        }
        self.pos += RIGHT.len();
        let token = self.emit(Kind::RightDelim);
        if trimmed {
            self.skip_while(is_space);
            self.start = self.pos;
        }
        self.inside = false;
        token
    }

    /// Inside an action.
    fn action(&mut self) -> Token {
        if self.rest().starts_with(RIGHT) || right_trim(self.rest()) {
            return match self.parens {
                0 => self.right_delim(),
                _ => self.fail("unclosed left paren"),
            };
        }
        let Some(c) = self.bump() else { return self.fail("unclosed action") };
        match c {
            c if is_space(c) => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' if self.bump() == Some('=') => self.emit(Kind::Declare),
            ':' => self.fail("expected :="),
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => match self.rest().find('`') {
                Some(length) => {
                    self.pos += length + 1;
                    self.emit(Kind::RawString)
                }
                None => self.fail("unterminated raw quoted string"),
            },
            '$' => self.name(Kind::Variable),
            '.' if self.peek().is_some_and(|c| !c.is_ascii_digit()) => self.name(Kind::Field),
            '.' | '+' | '-' | '0'..='9' => {
                self.pos = self.start;
                self.number()
            }
            c if is_alphanumeric(c) => self.word(),
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen)
            }
            ')' if self.parens == 0 => self.fail("unexpected right paren"),
            ')' => {
                self.parens -= 1;
                self.emit(Kind::RightParen)
            }
            c if c.is_ascii() && quote::is_print(c) => self.emit(Kind::Char),
            c => self.fail(format!("unrecognized character in action: {}", code_point(c))),
        }
    }

    /// A run of spaces, without the one that belongs to a trimming right delimiter.
    fn space(&mut self) -> Token {
        self.skip_while(is_space);
        // All spaces are one byte long.
        if right_trim(&self.text[self.pos - 1..]) {
            self.pos -= 1;
            if self.pos == self.start {
                return self.right_delim();
            }
        }
        self.emit(Kind::Space)
    }

    fn at_terminator(&self) -> bool {
        self.peek().is_none_or(|c| is_space(c) || matches!(c, '.' | ',' | '|' | ':' | ')' | '('))
            || self.rest().starts_with(RIGHT)
    }

    fn bad_character(&mut self) -> Token {
        match self.peek() {
            Some(c) => self.fail(format!("bad character {}", code_point(c))),
            None => self.fail("unclosed action"),
        }
    }

    fn word(&mut self) -> Token {
        self.skip_while(is_alphanumeric);
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = &self.text[self.start..self.pos];
        let kind = match word {
            "true" | "false" => Kind::Bool,
            word => Kind::keyword(word).unwrap_or(Kind::Identifier),
        };
        self.emit(kind)
    }

    /// `.name` or `$name`, of which the first character has been read; the name may be empty.
    fn name(&mut self, kind: Kind) -> Token {
        if self.at_terminator() {
            return self.emit(if kind == Kind::Field { Kind::Dot } else { kind });
        }
        self.skip_while(is_alphanumeric);
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.emit(kind)
    }

    /// What stands in `mark`s; the first has been read.
    fn quoted(&mut self, mark: char, kind: Kind, unterminated: &str) -> Token {
        loop {
            match self.bump() {
                Some('\\') if self.bump().is_some_and(|c| c != '\n') => {}
                None | Some('\n' | '\\') => return self.fail(unterminated),
                Some(c) if c == mark => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Token {
        let mut good = self.scan_number();
        let mut kind = Kind::Number;
        if good && matches!(self.peek(), Some('+' | '-')) {
            good = self.scan_number() && self.text[..self.pos].ends_with('i');
            kind = Kind::Complex;
        }
        if !good {
            let text = quote::quoted(&self.text.as_bytes()[self.start..self.pos]);
            return self.fail(format!("bad number syntax: {text}"));
        }
        self.emit(kind)
    }

    /// Takes what looks like a number; the parser finds out whether it is one.
    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        let mut exponent = "eE";
        if self.accept("0") {
            if self.accept("xX") {
                (digits, exponent) = ("0123456789abcdefABCDEF_", "pP");
            } else if self.accept("oO") {
                (digits, exponent) = ("01234567_", "");
            } else if self.accept("bB") {
                (digits, exponent) = ("01_", "");
            }
        }
        self.skip_while(|c| digits.contains(c));
        if self.accept(".") {
            self.skip_while(|c| digits.contains(c));
        }
        if self.accept(exponent) {
            self.accept("+-");
            self.skip_while(|c| "0123456789_".contains(c));
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.bump();
            return false;
        }
        true
    }
}

/// `U+0041 'A'`, or without the character if it cannot be printed.
fn code_point(c: char) -> String {
    let code = format!("U+{:04X}", u32::from(c));
    if quote::is_print(c) { format!("{code} '{c}'") } else { code }
}

//! The parser. It goes on behind faults it understands (a comma too many, a comment), so that all are shown at once.

use std::ops::Range;

use super::{Member, Node, Number, Str, Value, escape};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, code};
use crate::document::Document;
use crate::source::Span;

/// Lists and objects may be nested so deep.
pub const MAX_DEPTH: usize = 128;

/// After so many faults the rest of the text is not read.
const MAX_FAULTS: usize = 50;

/// Reads a whole document. Where it is clear what every faulty place was meant to be, there is a value all
/// the same, in which more faults can be looked for.
pub fn parse(document: &Document) -> (Option<Node<'_>>, Diagnostics) {
    let text = document.text();
    let mut parser = Parser {
        document,
        text,
        at: 0,
        depth: 0,
        nodes: Vec::new(),
        members: Vec::new(),
        faults: Diagnostics::new(),
        count: 0,
        faithful: true,
    };
    let node = parser.document().ok().filter(|_| parser.faithful);
    (node, parser.faults)
}

/// Nothing sensible can be read behind this fault.
struct Stop;

type Parsed<T> = Result<T, Stop>;

struct Parser<'a> {
    document: &'a Document,
    text: &'a str,
    at: usize,
    depth: usize,
    /// The items of the lists that are open; each list takes its own from the end when it closes.
    nodes: Vec<Node<'a>>,
    /// The members of the objects that are open, likewise.
    members: Vec<Member<'a>>,
    faults: Diagnostics,
    count: usize,
    /// Whether what was read over is surely what was meant; if not, there is no value.
    faithful: bool,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Parsed<Node<'a>> {
        if self.text.starts_with('\u{FEFF}') {
            self.at = 3;
            self.fault(code::JSON_BOM, "the text begins with a byte order mark", 0..3, |d| {
                d.help("save the file as UTF-8 without BOM")
            })?;
        }
        self.space()?;
        if self.peek().is_none() {
            let end = self.at..self.at;
            return self.stop(code::JSON_EMPTY, "the file is empty", end, |d| {
                d.help("write an object: `{\"schema\": …, \"data\": …}`")
            });
        }
        let node = self.value()?;
        self.space()?;
        if self.peek().is_some() {
            let rest = self.at..self.word_end(self.at);
            self.fault(code::JSON_TRAILING_TEXT, "text behind the end of the value", rest, |d| {
                d.help("a file holds one JSON value; look for a closing bracket too many")
            })?;
        }
        Ok(node)
    }

    fn value(&mut self) -> Parsed<Node<'a>> {
        let start = self.at;
        let value = match self.peek() {
            Some(b'"') => Value::String(self.string(b'"')?),
            Some(b'{') => self.object()?,
            Some(b'[') => self.array()?,
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number()?,
            Some(b'\'') => Value::String(self.single_quoted()?),
            Some(b) if b.is_ascii_alphabetic() || b == b'_' || b == b'$' => self.word()?,
            _ => return self.unexpected("a value"),
        };
        Ok(Node { span: Span::new(start, self.at), value })
    }

    fn array(&mut self) -> Parsed<Value<'a>> {
        let (open, first) = (self.at, self.nodes.len());
        self.items(open, b']', |parser| {
            let node = parser.value()?;
            parser.nodes.push(node);
            Ok(())
        })?;
        Ok(Value::Array(self.nodes.drain(first..).collect()))
    }

    fn object(&mut self) -> Parsed<Value<'a>> {
        let (open, first) = (self.at, self.members.len());
        self.items(open, b'}', |parser| {
            let start = parser.at;
            let key = parser.key()?;
            let key_span = Span::new(start, parser.at);
            parser.space()?;
            if parser.peek() == Some(b':') {
                parser.at += 1;
                parser.space()?;
            } else {
                let message = "no `:` behind a key";
                let at = parser.at..parser.word_end(parser.at);
                return parser.stop(code::JSON_MISSING_COLON, message, at, |d| {
                    d.label("expected `:`").help("an object holds `\"key\": value` pairs")
                });
            }
            let node = parser.value()?;
            parser.members.push(Member { key, key_span, node });
            Ok(())
        })?;
        Ok(Value::Object(self.members.drain(first..).collect()))
    }

    /// What stands between brackets, with the commas between. `self.at` is at the opening bracket.
    fn items(
        &mut self,
        open: usize,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return self.stop(code::JSON_DEPTH, &message, open..open + 1, |d| d);
        }
        self.at += 1;
        self.space()?;
        // The end of the last item, and the comma behind it.
        let (mut last, mut comma) = (None, None);
        loop {
            match self.peek() {
                Some(b) if b == close => break,
                None => {
                    let what = if close == b']' { "a list" } else { "an object" };
                    let opening = self.document.place(Span::new(open, open + 1));
                    let message = format!("{what} is not closed");
                    let end = self.at..self.at;
                    return self.stop(code::JSON_UNCLOSED, &message, end, |d| {
                        d.label(format!("expected `{}`", close as char))
                            .note("it is opened here", Some(opening))
                    });
                }
                Some(b',') => {
                    let at = self.at..self.at + 1;
                    self.at += 1;
                    if last.is_none() || comma.is_some() {
                        self.fault(
                            code::JSON_EXTRA_COMMA,
                            "a comma without a value before it",
                            at,
                            |d| d.help("take the comma out"),
                        )?;
                    } else {
                        comma = Some(at);
                    }
                    self.space()?;
                    continue;
                }
                Some(b) => {
                    if let (Some(end), None) = (last, &comma) {
                        if matches!(b, b']' | b'}' | b':') {
                            return self.unexpected(&format!("`,` or `{}`", close as char));
                        }
                        self.fault(
                            code::JSON_MISSING_COMMA,
                            "no comma between two values",
                            end..end,
                            |d| d.label("expected `,`"),
                        )?;
                    }
                }
            }
            item(self)?;
            (last, comma) = (Some(self.at), None);
            self.space()?;
        }
        if let Some(comma) = comma {
            self.fault(code::JSON_TRAILING_COMMA, "a comma behind the last value", comma, |d| {
                d.help("take the comma out: JSON has none behind the last value")
            })?;
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    fn key(&mut self) -> Parsed<Str<'a>> {
        match self.peek() {
            Some(b'"') => self.string(b'"'),
            Some(b'\'') => self.single_quoted(),
            Some(b) if b.is_ascii_alphanumeric() || b == b'_' || b == b'$' => {
                let word = self.at..self.word_end(self.at);
                self.at = word.end;
                let quoted = self.quote(word.clone());
                self.fault(code::JSON_UNQUOTED_KEY, "a key without quotes", word.clone(), |d| {
                    d.help(quoted.map_or("put `\"` around the key".to_owned(), |key| {
                        format!("write `\"{key}\"`")
                    }))
                })?;
                Ok(Str(&self.text[word]))
            }
            _ => self.unexpected("a key in `\"`"),
        }
    }

    /// A string up to the closing `quote`; `self.at` is at the opening one.
    fn string(&mut self, quote: u8) -> Parsed<Str<'a>> {
        let open = self.at;
        self.at += 1;
        let bytes = self.text.as_bytes();
        loop {
            let rest = &bytes[self.at..];
            let plain = rest.iter().position(|b| *b == quote || *b == b'\\' || *b < 0x20);
            self.at += plain.unwrap_or(rest.len());
            match self.peek() {
                Some(b) if b == quote => {
                    self.at += 1;
                    return Ok(Str(&self.text[open + 1..self.at - 1]));
                }
                Some(b'\\') => self.escape(quote)?,
                Some(b'\n' | b'\r') | None => {
                    let string = open..self.at;
                    return self.stop(code::JSON_UNCLOSED, "a string is not closed", string, |d| {
                        d.label("it goes on to the end of the line").help(
                            "close it with `\"`; a line break inside a string is written `\\n`",
                        )
                    });
                }
                Some(control) => {
                    let at = self.at..self.at + 1;
                    self.at += 1;
                    let message = format!("the control character U+{control:04X} in a string");
                    self.fault(code::JSON_CONTROL_CHARACTER, &message, at, |d| match control {
                        b'\t' => d.help("write a tab as `\\t`"),
                        _ => d.help(format!("write it as `\\u{control:04x}`")),
                    })?;
                }
            }
        }
    }

    fn escape(&mut self, quote: u8) -> Parsed<()> {
        let start = self.at;
        let bad = match escape(&self.text[start..]) {
            Ok((_, length)) => {
                self.at += length;
                return Ok(());
            }
            Err(bad) => bad,
        };
        self.at += bad.length;
        let at = start..self.at;
        if quote == b'\'' && self.text[at.clone()] == *"\\'" {
            return Ok(());
        }
        if bad.surrogate {
            return self.fault(code::JSON_SURROGATE, "half of a surrogate pair", at, |d| {
                d.help("write the character itself, or both halves: `\\ud83d\\ude00`")
            });
        }
        self.fault(code::JSON_ESCAPE, "an escape that JSON does not have", at, |d| {
            d.help("a backslash is written `\\\\`; the escapes are `\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX`")
        })
    }

    fn single_quoted(&mut self) -> Parsed<Str<'a>> {
        let start = self.at;
        let string = self.string(b'\'')?;
        let span = start..self.at;
        self.fault(code::JSON_SINGLE_QUOTES, "a string in single quotes", span, |d| {
            d.help("strings are put in `\"`")
        })?;
        Ok(string)
    }

    fn number(&mut self) -> Parsed<Value<'a>> {
        let start = self.at;
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_');
        let rest = &self.text.as_bytes()[start..];
        self.at += rest.iter().position(|b| !is_part(b)).unwrap_or(rest.len());
        let text = &self.text[start..self.at];
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if matches!(digits, "Infinity" | "NaN" | "inf" | "nan") {
            return self.no_number(start..self.at);
        }
        if let Some(help) = number_fault(text) {
            self.faithful = false;
            self.fault(code::JSON_NUMBER, "not a JSON number", start..self.at, |d| d.help(help))?;
        }
        Ok(Value::Number(Number(text)))
    }

    fn no_number(&mut self, at: Range<usize>) -> Parsed<Value<'a>> {
        self.faithful = false;
        self.fault(code::JSON_LITERAL, "JSON has no NaN and no Infinity", at, |d| {
            d.help("write a number, or `null` where there is none")
        })?;
        Ok(Value::Null)
    }

    /// `true`, `false`, `null`, or what people write for them.
    fn word(&mut self) -> Parsed<Value<'a>> {
        let at = self.at..self.word_end(self.at);
        self.at = at.end;
        let (value, meant) = match &self.text[at.clone()] {
            "null" => return Ok(Value::Null),
            "true" => return Ok(Value::Bool(true)),
            "false" => return Ok(Value::Bool(false)),
            "NaN" | "Infinity" => return self.no_number(at),
            "None" | "nil" | "undefined" | "NULL" | "Null" => (Value::Null, "null"),
            "True" | "TRUE" | "yes" => (Value::Bool(true), "true"),
            "False" | "FALSE" | "no" => (Value::Bool(false), "false"),
            _ => {
                self.fault(code::JSON_LITERAL, "a value without quotes", at.clone(), |d| {
                    d.help("put a string in `\"`; the words of JSON are `true`, `false`, `null`")
                })?;
                return Ok(Value::String(Str(&self.text[at])));
            }
        };
        self.fault(code::JSON_LITERAL, "not a word of JSON", at, |d| {
            d.help(format!("write `{meant}`"))
        })?;
        Ok(value)
    }

    /// White space, and the comments that do not belong there.
    fn space(&mut self) -> Parsed<()> {
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let space = rest.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
            self.at += space.unwrap_or(rest.len());
            if !matches!(self.peek(), Some(b'/' | b'#')) || !self.comment()? {
                return Ok(());
            }
        }
    }

    /// Reads over a comment and reports it, if there is one here.
    #[cold]
    fn comment(&mut self) -> Parsed<bool> {
        let rest = &self.text[self.at..];
        let comment = if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            return Ok(false);
        };
        let at = self.at..self.at + comment;
        self.at = at.end;
        self.fault(code::JSON_COMMENT, "a comment", at, |d| {
            d.help("JSON has no comments; a template has: `{{/* … */}}`")
        })?;
        Ok(true)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The end of the word at `start`, or of the one character there.
    fn word_end(&self, start: usize) -> usize {
        let rest = &self.text[start..];
        let word = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$' | '-' | '.'));
        let length = match word.unwrap_or(rest.len()) {
            0 => rest.chars().next().map_or(0, char::len_utf8),
            length => length,
        };
        start + length
    }

    fn quote(&self, at: Range<usize>) -> Option<&'a str> {
        self.document.quote(Span::new(at.start, at.end))
    }

    fn unexpected<T>(&mut self, expected: &str) -> Parsed<T> {
        let at = self.at..self.word_end(self.at);
        let message = match self.quote(at.clone()) {
            Some(found) => format!("`{found}` does not belong here"),
            None if at.is_empty() => "the text ends too early".to_owned(),
            None => "this does not belong here".to_owned(),
        };
        self.stop(code::JSON_UNEXPECTED, &message, at, |d| d.label(format!("expected {expected}")))
    }

    /// Reports a fault that ends the reading.
    fn stop<T>(
        &mut self,
        code: Code,
        message: &str,
        at: Range<usize>,
        more: impl FnOnce(Diagnostic) -> Diagnostic,
    ) -> Parsed<T> {
        self.fault(code, message, at, more)?;
        Err(Stop)
    }

    /// Reports a fault and goes on, up to [`MAX_FAULTS`] of them.
    fn fault(
        &mut self,
        code: Code,
        message: &str,
        at: Range<usize>,
        more: impl FnOnce(Diagnostic) -> Diagnostic,
    ) -> Parsed<()> {
        let span = Span::new(at.start, at.end);
        let mut fault = more(Diagnostic::error(code, message)).at(self.document.place(span));
        if !self.document.is_literal(span) {
            fault = fault.note("the text at fault is a value that the template put here", None);
        }
        self.faults.push(fault);
        self.count += 1;
        if self.count < MAX_FAULTS { Ok(()) } else { Err(Stop) }
    }
}

/// Why a number is none, as help; `None`: it is one.
fn number_fault(text: &str) -> Option<&'static str> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned.starts_with('+') || text.starts_with('+') {
        return Some("take the `+` out");
    }
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    if digits(whole) && whole.len() > 1 && whole.starts_with('0') {
        Some("take the leading zeros out")
    } else if !digits(whole) && fraction.is_some_and(digits) && whole.is_empty() {
        Some("write a digit before the point")
    } else if digits(whole) && fraction == Some("") {
        Some("write a digit behind the point")
    } else if digits(whole) && fraction.is_none_or(digits) && exponent.is_none_or(digits) {
        None
    } else {
        Some("put it in `\"` if it is a string")
    }
}

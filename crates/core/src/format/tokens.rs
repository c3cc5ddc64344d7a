//! The tokens of JSON and its template, which brackets and actions belong together, and the gaps between them.

use super::scan::{Word, is_space, segments};
use super::strings::{Reader, State};
use super::{Fault, fault};
use crate::diagnostic::code;
use crate::json::MAX_DEPTH;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
    Comma,
    Colon,
    /// A string, a number or word, a piece of one, or an action that gives one.
    Value,
    /// An action that has parts, up to an [`Kind::End`].
    Start,
    Else,
    End,
    /// Any other action that gives nothing; also one whose parts do not hold whole values.
    Silent,
    Comment,
}

impl Kind {
    /// Whether it is an action that gives nothing itself.
    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Start | Self::Else | Self::End | Self::Silent)
    }
}

/// A token, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Of brackets and of actions with parts: where the other end is among the tokens; of an `else` the action.
    pub(super) mate: usize,
    /// It holds line breaks.
    pub(super) breaks: usize,
}

/// All tokens of a text.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    pub(super) text: &'t str,
    pub(super) list: Vec<Token>,
}

/// The parts of actions that hold a token, from the inside out.
struct Clause {
    /// The action that it is a part of, and the part that holds this.
    start: usize,
    around: usize,
    depth: usize,
}

struct Lexer<'t> {
    reader: Reader<'t>,
    list: Vec<Token>,
    /// Brackets that are open, each with the part that it stands in.
    open: Vec<(usize, usize)>,
    clauses: Vec<Clause>,
    clause: usize,
    /// Actions of which a part holds half of a pair of brackets.
    loose: Vec<bool>,
}

/// The byte order mark, which is no token; where it stands is for others to say.
const MARK: char = '\u{FEFF}';

impl<'t> Tokens<'t> {
    /// The tokens of a text that is a template.
    pub(super) fn read(text: &'t str) -> Result<Self, Box<Fault>> {
        let start = if text.starts_with(MARK) { MARK.len_utf8() } else { 0 };
        let unread = || fault(code::TEMPLATE_PARSE, "no template", 0..0, "correct its actions");
        let reader = Reader::new(text, segments(text, start).ok_or_else(unread)?);
        let mut lexer = Lexer {
            reader,
            list: Vec::new(),
            open: Vec::new(),
            clauses: vec![Clause { start: usize::MAX, around: 0, depth: 0 }],
            clause: 0,
            loose: Vec::new(),
        };
        lexer.read(start)?;
        Ok(Self { text, list: lexer.finish()? })
    }

    /// What stands before the first token and is to stay.
    pub(super) fn prefix(&self) -> &'t str {
        &self.text[..if self.text.starts_with(MARK) { MARK.len_utf8() } else { 0 }]
    }

    pub(super) fn text_of(&self, at: usize) -> &'t str {
        &self.text[self.list[at].start..self.list[at].end]
    }

    /// The white space behind a token.
    pub(super) fn gap(&self, at: usize) -> &'t str {
        let end = self.list.get(at + 1).map_or(self.text.len(), |next| next.start);
        &self.text[self.list[at].end..end]
    }

    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.list.get(at).map(|token| token.kind)
    }

    /// Whether the tokens are those of the other text.
    pub(super) fn same(&self, other: &Self) -> bool {
        let both = |at| self.kind(at) == other.kind(at) && self.text_of(at) == other.text_of(at);
        self.prefix() == other.prefix()
            && self.list.len() == other.list.len()
            && (0..self.list.len()).all(both)
    }
}

impl Lexer<'_> {
    fn push(&mut self, kind: Kind, start: usize, end: usize) -> usize {
        let breaks = self.reader.text[start..end].matches('\n').count();
        self.list.push(Token { kind, start, end, mate: usize::MAX, breaks });
        self.loose.push(false);
        self.list.len() - 1
    }

    fn read(&mut self, start: usize) -> Result<(), Box<Fault>> {
        let (mut at, mut here) = (0, start);
        while let Some(segment) = self.reader.segments.get(at) {
            let span = segment.span.clone();
            if here >= span.end {
                at += 1;
            } else if let Some(word) = segment.word {
                (at, here) = self.action(at, word)?;
            } else {
                (at, here) = self.token(at, here, span.end)?;
            }
        }
        Ok(())
    }

    /// Reads a token, or white space, of the text segment `at`, which goes on to `end`.
    fn token(&mut self, at: usize, here: usize, end: usize) -> Result<(usize, usize), Box<Fault>> {
        let bytes = self.reader.text.as_bytes();
        match bytes[here] {
            space if is_space(space) => return Ok((at, here + 1)),
            b',' => _ = self.push(Kind::Comma, here, here + 1),
            b':' => _ = self.push(Kind::Colon, here, here + 1),
            b'{' | b'[' => self.open(here)?,
            b'}' | b']' => self.close(here)?,
            b'"' => {
                let (at, end) = self.reader.string(at, here)?;
                self.push(Kind::Value, here, end);
                return Ok((at, end));
            }
            _ => return Ok((at, self.bare(at, here, end)?)),
        }
        Ok((at, here + 1))
    }

    /// A number or a word; next to an action it may be a piece of one.
    fn bare(&mut self, at: usize, here: usize, end: usize) -> Result<usize, Box<Fault>> {
        let text = self.reader.text;
        let length = text[here..end]
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || b"+-._".contains(b))
            .count();
        let word = here..here + length;
        // What trim markers cut does not part them.
        let kept = self.reader.kept(at);
        let begins = here == kept.start && at > 0;
        let ends = word.end == kept.end && self.reader.word(at + 1).is_some();
        let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(&text[word.clone()]).is_ok();
        if length == 0 {
            let c = text[here..].chars().next().map_or(1, char::len_utf8);
            let help = "outside of strings there are only brackets, commas, colons, numbers, \
                        `true`, `false`, `null` and actions";
            let message = "this does not belong here";
            return Err(fault(code::JSON_UNEXPECTED, message, here..here + c, help));
        }
        if !begins && !ends && !is_json() {
            let help = "put a string in `\"`; the words of JSON are `true`, `false`, `null`";
            return Err(fault(code::JSON_LITERAL, "a value without quotes", word, help));
        }
        self.push(Kind::Value, word.start, word.end);
        Ok(word.end)
    }

    fn open(&mut self, here: usize) -> Result<(), Box<Fault>> {
        let token = self.push(Kind::Open, here, here + 1);
        self.open.push((token, self.clause));
        if self.open.len() > MAX_DEPTH {
            let help = "nest fewer lists and objects";
            let message = "nested too deeply";
            return Err(fault(code::JSON_DEPTH, message, here..here + 1, help));
        }
        Ok(())
    }

    fn close(&mut self, here: usize) -> Result<(), Box<Fault>> {
        let bytes = self.reader.text.as_bytes();
        let pair = |open: usize| matches!((bytes[open], bytes[here]), (b'{', b'}') | (b'[', b']'));
        let Some((open, clause)) = self.open.pop().filter(|(open, _)| pair(self.list[*open].start))
        else {
            let help = "each bracket needs its other one, also when the actions are left out";
            let message = "a bracket that closes nothing";
            return Err(fault(code::JSON_UNEXPECTED, message, here..here + 1, help));
        };
        let token = self.push(Kind::Close, here, here + 1);
        self.list[token].mate = open;
        self.list[open].mate = token;
        self.cross(clause, self.clause);
        Ok(())
    }

    /// Notes that what belongs together stands in two parts.
    fn cross(&mut self, mut a: usize, mut b: usize) {
        while a != b {
            let deeper =
                if self.clauses[a].depth >= self.clauses[b].depth { &mut a } else { &mut b };
            let clause = &self.clauses[*deeper];
            self.loose[clause.start] = true;
            *deeper = clause.around;
        }
    }

    fn action(&mut self, at: usize, word: Word) -> Result<(usize, usize), Box<Fault>> {
        let span = self.reader.segments[at].span.clone();
        let mut next = at + 1;
        if word != Word::Comment && !matches!(word, Word::Block | Word::Define) {
            self.reader.even(at)?;
        }
        match word {
            Word::Output => _ = self.push(Kind::Value, span.start, span.end),
            Word::Jump | Word::Set => _ = self.push(Kind::Silent, span.start, span.end),
            Word::Comment => _ = self.push(Kind::Comment, span.start, span.end),
            // Somebody may use them within strings, where each space counts.
            Word::Define => {
                next = self.reader.define(at)?;
                self.push(Kind::Silent, span.start, self.reader.segments[next - 1].span.end);
            }
            Word::Block => {
                next = self.reader.structure(at, State::Outside, None)?.0;
                self.push(Kind::Value, span.start, self.reader.segments[next - 1].span.end);
            }
            Word::If | Word::Range => {
                let start = self.push(Kind::Start, span.start, span.end);
                self.enter(start, self.clause);
            }
            Word::Else { .. } | Word::End => {
                let Clause { start, around, .. } = self.clauses[self.clause];
                if self.clause == 0 {
                    let message = "an end without a beginning";
                    return Err(fault(code::TEMPLATE_PARSE, message, span, "take it out"));
                }
                let ends = word == Word::End;
                let kind = if ends { Kind::End } else { Kind::Else };
                let token = self.push(kind, span.start, span.end);
                self.list[token].mate = start;
                // Up to the next part, or to the end.
                self.list[start].mate = token;
                self.clause = around;
                if !ends {
                    self.enter(start, around);
                }
            }
        }
        let end = self.reader.segments.get(next - 1).map_or(span.end, |last| last.span.end);
        Ok((next, end))
    }

    fn enter(&mut self, start: usize, around: usize) {
        self.clause = self.clauses.len();
        let depth = self.clauses[around].depth + 1;
        self.clauses.push(Clause { start, around, depth });
    }

    fn finish(mut self) -> Result<Vec<Token>, Box<Fault>> {
        if let Some((open, _)) = self.open.last() {
            let at = self.list[*open].start;
            let help = "each bracket needs its other one, also when the actions are left out";
            let message = "a bracket is not closed";
            return Err(fault(code::JSON_UNCLOSED, message, at..at + 1, help));
        }
        for token in &mut self.list {
            let parts = matches!(token.kind, Kind::Else | Kind::End);
            if parts && self.loose[token.mate] {
                token.kind = Kind::Silent;
            }
        }
        for (token, loose) in self.list.iter_mut().zip(self.loose) {
            if loose {
                token.kind = Kind::Silent;
            }
        }
        Ok(self.list)
    }
}

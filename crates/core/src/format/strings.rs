//! Which part of a text lies within JSON strings, whichever way its template goes.

use std::cell::Cell;
use std::ops::Range;

use super::scan::{Segment, Word, is_space};
use super::{Fault, fault};
use crate::diagnostic::code;

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Outside,
    Inside,
}

/// The segments of a text.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) segments: Vec<Segment>,
    /// A line break in a string is a fault: only a string that is not closed has one.
    strict: Cell<bool>,
    /// A backslash was found outside of strings, where JSON has none.
    stray: Cell<bool>,
}

type Read<T> = Result<T, Box<Fault>>;

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, segments: Vec<Segment>) -> Self {
        Self { text, segments, strict: Cell::new(true), stray: Cell::new(false) }
    }

    /// The action's kind; text is none.
    pub(super) fn word(&self, at: usize) -> Option<Word> {
        self.segments.get(at).and_then(|segment| segment.word)
    }

    /// The part of a text segment that trim markers leave.
    pub(super) fn kept(&self, at: usize) -> Range<usize> {
        let Range { mut start, mut end } = self.segments[at].span.clone();
        let bytes = self.text.as_bytes();
        if at > 0 && self.segments[at - 1].trims.1 {
            start += bytes[start..end].iter().take_while(|b| is_space(**b)).count();
        }
        if self.segments.get(at + 1).is_some_and(|next| next.trims.0) {
            end -= bytes[start..end].iter().rev().take_while(|b| is_space(**b)).count();
        }
        start..end
    }

    /// Reads a text segment from `from` on: up to its end, or, if `until_closed`, up to behind the quote that
    /// ends a string.
    fn quotes(
        &self,
        at: usize,
        from: usize,
        mut state: State,
        until_closed: bool,
    ) -> Read<(usize, State)> {
        let bytes = self.text.as_bytes();
        let kept = self.kept(at);
        let mut here = from;
        while here < kept.end {
            match (bytes[here], state) {
                (b'"', State::Inside) if until_closed => return Ok((here + 1, State::Outside)),
                (b'"', State::Inside) => state = State::Outside,
                (b'"', State::Outside) => state = State::Inside,
                (b'\\', State::Outside) => self.stray.set(true),
                (b'\\', State::Inside) => {
                    here += 1;
                    if here >= kept.end {
                        return Err(fault(
                            code::JSON_ESCAPE,
                            "an escape whose second half is an action",
                            here - 1..here,
                            "write the whole escape in the string, or all of it in the action",
                        ));
                    }
                }
                (b'\n', State::Inside) if here >= kept.start && self.strict.get() => {
                    return Err(unclosed(here..here));
                }
                _ => {}
            }
            here += 1;
        }
        Ok((self.segments[at].span.end, state))
    }

    /// The string that begins at `start`, in the text segment `at`: the segment in which it ends, and where.
    pub(super) fn string(&self, mut at: usize, start: usize) -> Read<(usize, usize)> {
        let mut from = start + 1;
        loop {
            match self.word(at) {
                None if at >= self.segments.len() => return Err(unclosed(start..start + 1)),
                None => {
                    let read = self.quotes(at, from, State::Inside, true);
                    // The fault is where it begins.
                    let read = read.map_err(|found| match found.code == code::JSON_UNCLOSED {
                        true => unclosed(start..found.span.start),
                        false => found,
                    });
                    if let (end, State::Outside) = read? {
                        return Ok((at, end));
                    }
                    at += 1;
                }
                Some(Word::Else { .. } | Word::End | Word::Jump) => {
                    return Err(crossing(start..start + 1, &self.segments[at]));
                }
                Some(Word::Define) => at = self.define(at)?,
                Some(word) if word.opens() => {
                    let (next, state) = self.structure(at, State::Inside, Some(State::Outside))?;
                    at = next;
                    if state == State::Outside {
                        return Ok((at - 1, self.segments[at - 1].span.end));
                    }
                }
                Some(_) => {
                    self.even(at)?;
                    at += 1;
                }
            }
            from = self.segments.get(at).map_or(self.text.len(), |segment| segment.span.start);
        }
    }

    /// Refuses an action that may begin a string or end one.
    pub(super) fn even(&self, at: usize) -> Read<()> {
        if !self.segments[at].odd {
            return Ok(());
        }
        Err(fault(
            code::JSON_UNCLOSED,
            "an action with one quote of a pair",
            self.segments[at].span.clone(),
            "write the quotes of a string outside of actions, or both within",
        ))
    }

    /// Reads from an action that opens to behind its `{{end}}`. `turn`: how each turn of the loop around begins.
    pub(super) fn structure(
        &self,
        at: usize,
        state: State,
        turn: Option<State>,
    ) -> Read<(usize, State)> {
        let opener = self.word(at);
        let turn = match opener {
            Some(Word::Range) => Some(state),
            Some(Word::Block | Word::Define) => None,
            _ => turn,
        };
        // A part that is left out leaves everything as it was.
        let mut left_out = true;
        let mut ends = None;
        let mut next = at + 1;
        self.even(at)?;
        loop {
            let (stop, end) = self.clause(next, state, turn)?;
            next = stop + 1;
            if ends.is_some_and(|known| known != end) {
                return Err(crossing(self.segments[at].span.clone(), &self.segments[stop]));
            }
            ends = Some(end);
            match self.word(stop) {
                Some(Word::Else { last }) => {
                    self.even(stop)?;
                    left_out &= !last;
                }
                _ => break,
            }
        }
        left_out |= opener != Some(Word::If);
        let end = ends.unwrap_or(state);
        if left_out && end != state {
            return Err(crossing(self.segments[at].span.clone(), &self.segments[next - 1]));
        }
        Ok((next, end))
    }

    /// Reads up to the `{{else}}` or `{{end}}` that ends a part.
    fn clause(&self, mut at: usize, mut state: State, turn: Option<State>) -> Read<(usize, State)> {
        loop {
            match self.word(at) {
                // A template that could be parsed has all its ends.
                None if at >= self.segments.len() => return Ok((at - 1, state)),
                None => {
                    state = self.quotes(at, self.segments[at].span.start, state, false)?.1;
                    at += 1;
                }
                Some(Word::Else { .. } | Word::End) => return Ok((at, state)),
                Some(Word::Jump) if turn.is_some_and(|turn| turn != state) => {
                    let jump = &self.segments[at];
                    return Err(crossing(jump.span.clone(), jump));
                }
                Some(Word::Define) => at = self.define(at)?,
                Some(word) if word.opens() => (at, state) = self.structure(at, state, turn)?,
                Some(_) => {
                    self.even(at)?;
                    at += 1;
                }
            }
        }
    }

    /// Behind a definition, which must neither begin a string nor end one for those who use it.
    pub(super) fn define(&self, at: usize) -> Read<usize> {
        let strict = self.strict.replace(false);
        self.stray.set(false);
        let outside = self.structure(at, State::Outside, None);
        // With a backslash in the open it is no JSON but part of a string.
        let read = if outside.is_err() && self.stray.get() {
            self.structure(at, State::Inside, None)
        } else {
            outside
        };
        self.strict.set(strict);
        Ok(read?.0)
    }
}

fn unclosed(at: Range<usize>) -> Box<Fault> {
    let help = "close it with `\"`; a line break inside a string is written `\\n`";
    fault(code::JSON_UNCLOSED, "a string is not closed", at, help)
}

fn crossing(at: Range<usize>, stop: &Segment) -> Box<Fault> {
    let what = match stop.word {
        Some(Word::Jump) => "a string that a jump leaves open",
        _ => "a string that begins or ends in one part of an action only",
    };
    fault(code::JSON_UNCLOSED, what, at, "let a string begin and end in the same part")
}

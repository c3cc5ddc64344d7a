//! Cuts a text that is a template into its text and its actions.

use std::ops::Range;

/// What an action is, as far as its place among JSON goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It gives a value, or several, or a part of one.
    Output,
    /// `if`, `with`.
    If,
    Range,
    Block,
    Define,
    Else {
        /// Without a condition of its own.
        last: bool,
    },
    End,
    /// `break`, `continue`.
    Jump,
    /// Gives a variable a value, and is nothing itself.
    Set,
    Comment,
}

impl Word {
    /// Whether an `{{end}}` belongs to it.
    pub(super) fn opens(self) -> bool {
        matches!(self, Self::If | Self::Range | Self::Block | Self::Define)
    }
}

/// A stretch of text, or an action with its delimiters.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) span: Range<usize>,
    /// `None`: text.
    pub(super) word: Option<Word>,
    /// It cuts the white space before it, and behind it.
    pub(super) trims: (bool, bool),
    /// One of its strings holds half of a pair of quotes: what it gives may begin a string or end one.
    pub(super) odd: bool,
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The segments from `start` on, without gaps. `None` only if the text is no template.
pub(super) fn segments(text: &str, start: usize) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut at = start;
    while at < text.len() {
        let next = text[at..].find(LEFT).map_or(text.len(), |found| at + found);
        if next > at {
            segments.push(Segment {
                span: at..next,
                word: None,
                trims: (false, false),
                odd: false,
            });
        }
        at = next;
        if at < text.len() {
            let action = action(text, at)?;
            at = action.span.end;
            segments.push(action);
        }
    }
    Some(segments)
}

fn action(text: &str, start: usize) -> Option<Segment> {
    let bytes = text.as_bytes();
    let mut body = start + LEFT.len();
    let cuts_before =
        bytes.get(body) == Some(&b'-') && bytes.get(body + 1).is_some_and(|b| is_space(*b));
    body += if cuts_before { 2 } else { 0 };
    let (end, word, odd) = if text[body..].starts_with("/*") {
        let close = body + 2 + text[body + 2..].find("*/")?;
        (close + text[close..].find(RIGHT)? + RIGHT.len(), Word::Comment, false)
    } else {
        let (end, odd) = end(text, body)?;
        (end, word(&text[body..end - RIGHT.len()]), odd)
    };
    let inner = &bytes[body..end - RIGHT.len()];
    let cuts_behind = matches!(inner, [.., space, b'-'] if is_space(*space));
    Some(Segment { span: start..end, word: Some(word), trims: (cuts_before, cuts_behind), odd })
}

/// Behind the right delimiter, and whether a string on the way has an odd number of quotes in it.
fn end(text: &str, body: usize) -> Option<(usize, bool)> {
    let bytes = text.as_bytes();
    let (mut at, mut odd) = (body, false);
    loop {
        match bytes.get(at)? {
            b'"' | b'\'' => {
                let close = close(bytes, at)?;
                odd |= quotes(&text[at + 1..close]) % 2 == 1;
                at = close + 1;
            }
            b'`' => {
                let close = at + 1 + text[at + 1..].find('`')?;
                odd |= text[at + 1..close].matches('"').count() % 2 == 1;
                at = close + 1;
            }
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Some((at + RIGHT.len(), odd)),
            _ => at += 1,
        }
    }
}

/// The mark that ends what the mark at `open` begins.
fn close(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    while *bytes.get(at)? != bytes[open] {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    Some(at)
}

/// How many quotes a Go string with escapes stands for.
fn quotes(literal: &str) -> usize {
    let escapes = literal.match_indices('\\').map(|(at, _)| &literal[at + 1..]);
    let spelled = ["\"", "x22", "042", "u0022", "U00000022"];
    escapes.filter(|escape| spelled.iter().any(|way| escape.starts_with(way))).count()
}

/// What the text between the delimiters is.
fn word(body: &str) -> Word {
    let body = body.trim_start();
    let end = body.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(body.len());
    match &body[..end] {
        "if" | "with" => Word::If,
        "range" => Word::Range,
        "block" => Word::Block,
        "define" => Word::Define,
        "else" => {
            let condition = body[end..].trim_start();
            Word::Else { last: !condition.starts_with(|c: char| c.is_alphabetic()) }
        }
        "end" => Word::End,
        "break" | "continue" => Word::Jump,
        "" if sets(body) => Word::Set,
        _ => Word::Output,
    }
}

/// Whether it is `$a := …`, `$a = …` or `$a, $b := …`.
fn sets(body: &str) -> bool {
    let name = |text: &str| {
        let text = text.trim_start().strip_prefix('$')?;
        Some(text.trim_start_matches(|c: char| c == '_' || c.is_alphanumeric()).trim_start().len())
    };
    let Some(rest) = name(body) else { return false };
    let rest = &body[body.len() - rest..];
    rest.starts_with([':', '=', ','])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_told_apart() {
        for (text, expected) in [
            ("{{.a}}", Word::Output),
            ("{{if .a}}", Word::If),
            ("{{- with .a -}}", Word::If),
            ("{{ range .a}}", Word::Range),
            ("{{block `x` .}}", Word::Block),
            ("{{define `x`}}", Word::Define),
            ("{{else}}", Word::Else { last: true }),
            ("{{- else -}}", Word::Else { last: true }),
            ("{{else if .a}}", Word::Else { last: false }),
            ("{{else with .a}}", Word::Else { last: false }),
            ("{{end}}", Word::End),
            ("{{break}}", Word::Jump),
            ("{{continue}}", Word::Jump),
            ("{{iffy}}", Word::Output),
            ("{{`if`}}", Word::Output),
            ("{{$a}}", Word::Output),
            ("{{$a := 1}}", Word::Set),
            ("{{$a = 1}}", Word::Set),
            ("{{$a.b}}", Word::Output),
            ("{{$a | printf `%d`}}", Word::Output),
            ("{{/* if }} */}}", Word::Comment),
            ("{{- /* if */ -}}", Word::Comment),
            ("{{template `x`}}", Word::Output),
        ] {
            let found = segments(text, 0).expect("a template");
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].word, Some(expected), "{text}");
        }
    }

    #[test]
    fn an_action_ends_outside_of_its_strings() {
        for action in
            [r#"{{"}}"}}"#, r#"{{"\"}}"}}"#, "{{`}}\\`}}", r"{{'}'}}", r"{{'\''}}", "{{/*}}*/}}"]
        {
            let text = format!("a{action}b");
            let spans: Vec<_> =
                segments(&text, 0).expect("a template").into_iter().map(|s| s.span).collect();
            assert_eq!(spans, [0..1, 1..text.len() - 1, text.len() - 1..text.len()], "{text}");
        }
    }

    #[test]
    fn halves_of_pairs_of_quotes_are_seen() {
        let odd = |text: &str| segments(text, 0).expect("a template")[0].odd;
        for text in [r#"{{"\""}}"#, "{{`\"`}}", r#"{{"\x22"}}"#, r#"{{printf "\u0022%s" .a}}"#] {
            assert!(odd(text), "{text}");
        }
        for text in ["{{`\"\"`}}", r#"{{printf "\"%s\"" .a}}"#, "{{\"a\"}}", "{{/* \" */}}"] {
            assert!(!odd(text), "{text}");
        }
    }

    #[test]
    fn trim_markers_need_their_space() {
        let trims = |text: &str| segments(text, 0).expect("a template")[0].trims;
        assert_eq!(trims("{{- .a -}}"), (true, true));
        assert_eq!(trims("{{-1}}"), (false, false));
        assert_eq!(trims("{{.a}}"), (false, false));
        assert_eq!(trims("{{- /* a */ -}}"), (true, true));
        assert_eq!(trims("{{/* a - */}}"), (false, false));
    }
}

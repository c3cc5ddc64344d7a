//! Warnings that are not to be told: of rules that the command line names, or that comments in the files name.
//!
//! A comment is one of the template, so it is not in the rendered text: `{{/* lint: allow CODE, CODE */}}` silences
//! these warnings on its own line, or where it stands alone on the next line that says something;
//! `{{/* lint: allow-file CODE */}}` does so for the whole file. Errors are never silenced.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::{Code, Diagnostic, Diagnostics, Place, Severity, code};
use crate::source::{Source, Span};
use crate::suggest::suggest;
use crate::template;

/// What a comment for `lint` begins with.
const MARK: &str = "lint:";

/// What it can say.
const LINE: &str = "allow";
const FILE: &str = "allow-file";

/// What is not to be told.
#[derive(Debug, Default)]
pub struct Allowed {
    everywhere: BTreeSet<Code>,
    comments: Vec<Comment>,
    /// What is wrong with the comments themselves.
    faults: Vec<Diagnostic>,
}

/// One rule that a comment names.
#[derive(Debug)]
struct Comment {
    code: Code,
    /// Its word.
    place: Place,
    /// The bytes in which a warning has to begin; none: anywhere in the file.
    line: Option<Range<u32>>,
    used: bool,
}

impl Allowed {
    /// These rules, wherever they are broken.
    pub fn everywhere(codes: impl IntoIterator<Item = Code>) -> Self {
        Self { everywhere: codes.into_iter().collect(), ..Self::default() }
    }

    /// And what the comments of this file say.
    pub fn read(&mut self, source: &Arc<Source>) {
        // Most files have none, and to cut a large one into tokens takes time.
        if !source.text().contains(MARK) {
            return;
        }
        let spans = template::comments(source.text());
        let bare = without(source.text(), &spans);
        for span in spans {
            self.comment(source, span, &bare);
        }
    }

    /// What is left of `faults`, with what is wrong with the comments.
    pub fn sift(&mut self, mut faults: Diagnostics) -> Diagnostics {
        faults.extend(std::mem::take(&mut self.faults));
        faults.0.retain(|fault| !self.silences(fault));
        faults
    }

    /// Comments that have silenced nothing so far, in the files that are wanted.
    pub fn unused(&self, wanted: &dyn Fn(&Source) -> bool) -> Diagnostics {
        let unused = self.comments.iter().filter(|comment| {
            // What would silence these very warnings is not told of by them.
            !comment.used && comment.code != code::UNUSED_ALLOW && wanted(&comment.place.source)
        });
        unused
            .map(|comment| {
                let text = format!("this comment silences no `{}`", comment.code);
                let fault = Diagnostic::warning(code::UNUSED_ALLOW, text);
                fault.at(comment.place.clone()).help("take it out; only warnings can be silenced")
            })
            .collect()
    }

    fn silences(&mut self, fault: &Diagnostic) -> bool {
        if fault.severity != Severity::Warning {
            return false;
        }
        let mut silenced = self.everywhere.contains(&fault.code);
        let Some(place) = &fault.place else { return silenced };
        for comment in self.comments.iter_mut().filter(|comment| comment.code == fault.code) {
            let here = comment.line.as_ref().is_none_or(|line| line.contains(&place.span.start));
            if here && comment.place.source.name() == place.source.name() {
                comment.used = true;
                silenced = true;
            }
        }
        silenced
    }

    fn comment(&mut self, source: &Arc<Source>, span: Span, bare: &str) {
        let text = &source.text()[span.range()];
        let (Some(start), Some(end)) = (text.find("/*"), text.rfind("*/")) else { return };
        let Some(said) = text[start + 2..end].trim_start().strip_prefix(MARK) else { return };
        // Where what is said begins in the file.
        let at = span.range().start + text[..end].len() - said.len();
        let mut words = words(said).map(|(offset, word)| {
            (word, Place::new(source, Span::new(at + offset, at + offset + word.len())))
        });
        let line = match words.next() {
            Some((LINE, _)) => Some(target(bare, span)),
            Some((FILE, _)) => None,
            Some((word, place)) => return self.faults.push(unknown_word(word, place)),
            None => {
                let place = Place::new(source, span);
                return self.faults.push(nothing_said("a comment that says nothing", place));
            }
        };
        let mut words = words.peekable();
        if words.peek().is_none() {
            let place = Place::new(source, span);
            self.faults.push(nothing_said("a comment that names no code", place));
        }
        for (word, place) in words {
            match Code::of(word) {
                Some(code) => {
                    self.comments.push(Comment { code, place, line: line.clone(), used: false });
                }
                None => self.faults.push(unknown_code(word, place)),
            }
        }
    }
}

/// The name of the rule that was most likely meant.
pub fn near(word: &str) -> Option<&'static str> {
    suggest(word, code::ALL.iter().map(|(code, _)| code.as_str()))
}

/// Words between commas and white space, with their offsets.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    words.map(|word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
}

/// The text with spaces in place of comments, as long as before and with the same lines.
fn without(text: &str, comments: &[Span]) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut at = 0;
    for comment in comments.iter().map(|span| span.range()) {
        bare.push_str(&text[at..comment.start]);
        bare.extend(text[comment.clone()].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        at = comment.end;
    }
    bare.push_str(&text[at..]);
    bare
}

/// The line that a comment is about: one that it stands on, if that says something else, or the next that does.
fn target(bare: &str, comment: Span) -> Range<u32> {
    let comment = comment.range();
    let first = line_at(bare, comment.start);
    let mut line =
        if says(bare, &first) { first } else { line_at(bare, comment.end.saturating_sub(1)) };
    while !says(bare, &line) && line.end < bare.len() {
        line = line_at(bare, line.end);
    }
    line.start as u32..line.end as u32
}

fn says(bare: &str, line: &Range<usize>) -> bool {
    !bare[line.clone()].trim().is_empty()
}

/// The line that the byte at `at` is in, with its end.
fn line_at(text: &str, at: usize) -> Range<usize> {
    let start = text.as_bytes()[..at].iter().rposition(|b| *b == b'\n').map_or(0, |feed| feed + 1);
    let feed = text.as_bytes()[at..].iter().position(|b| *b == b'\n');
    start..feed.map_or(text.len(), |feed| at + feed + 1)
}

fn unknown_word(word: &str, place: Place) -> Diagnostic {
    let fault = Diagnostic::warning(code::UNKNOWN_CODE, format!("`lint` has no word `{word}`"));
    let fault = fault.at(place);
    match suggest(word, [LINE, FILE]) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(FORMS),
    }
}

fn unknown_code(word: &str, place: Place) -> Diagnostic {
    let fault = Diagnostic::warning(code::UNKNOWN_CODE, format!("there is no code `{word}`"));
    let fault = fault.at(place);
    match near(word) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("the code of a warning stands before it, in brackets"),
    }
}

fn nothing_said(message: &str, place: Place) -> Diagnostic {
    Diagnostic::warning(code::UNKNOWN_CODE, message).at(place).help(FORMS)
}

const FORMS: &str = "write `lint: allow CODE, CODE`, or `lint: allow-file CODE` for the whole file";

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of warnings by `empty-field` at each `W` and errors by it at each `E`.
    fn told(text: &str) -> Vec<String> {
        let source = Arc::new(Source::new("f", text));
        let mut allowed = Allowed::default();
        allowed.read(&source);
        let fault = |(at, letter): (usize, &str)| {
            let fault = match letter {
                "W" => Diagnostic::warning(code::EMPTY_FIELD, "w"),
                _ => Diagnostic::error(code::EMPTY_FIELD, "e"),
            };
            fault.at(Place::new(&source, Span::new(at, at + 1)))
        };
        let faults = text.match_indices(['W', 'E']).map(fault).collect();
        let mut left = allowed.sift(faults);
        left.append(allowed.unused(&|_| true));
        left.sorted().iter().map(ToString::to_string).collect()
    }

    fn is_silent(text: &str) -> bool {
        told(text).is_empty()
    }

    #[test]
    fn a_comment_is_about_its_own_line_or_else_the_next_that_says_something() {
        for silent in [
            "W {{/* lint: allow empty-field */}}",
            "{{/* lint: allow empty-field */}} W\nx",
            "x\n{{/* lint: allow empty-field */}}\nW",
            "{{/* lint: allow empty-field */}}\r\n\r\n  {{/* why */}}\n\n  W",
            "{{- /* lint: allow empty-field */ -}}\nW",
            "{{/*\n lint: allow\n\tempty-field\n*/}}\nW",
            "W {{/* lint: allow\n empty-field */}}\nx",
            "x\n{{/* lint: allow\n empty-field */}} W\nx",
            "{{/* lint: allow empty-field */}}{{/* lint: allow no-room-for-tag,empty-field*/}}W",
            "{{/*lint:allow empty-field*/}}ñW",
        ] {
            let left = told(silent);
            assert!(left.iter().all(|line| line.contains("no-room-for-tag")), "{silent}: {left:?}");
        }
        for (text, at) in [
            ("x {{/* lint: allow empty-field */}}\nW", "f:2:1: "),
            ("W\n{{/* lint: allow empty-field */}}\nx", "f:1:1: "),
            ("{{/* lint: allow empty-field */}}\nx\nW", "f:3:1: "),
            ("W {{/* lint: allow wrong-type */}}", "f:1:1: "),
            ("W\n{{/* lint: allow empty-field */}}", "f:1:1: "),
        ] {
            let left = told(text);
            let warnings = left.iter().filter(|line| line.contains("[empty-field]: w"));
            assert!(warnings.eq([&format!("{at}warning[empty-field]: w")]), "{text}: {left:?}");
            assert!(left.iter().any(|line| line.contains("warning[unused-allow]")), "{left:?}");
        }
    }

    #[test]
    fn a_comment_can_be_about_the_whole_file() {
        assert!(is_silent("W\n\nW {{/* lint: allow-file empty-field */}}\nW"));
        assert!(is_silent(
            "W\n{{/* lint: allow empty-field */}}{{/* lint: allow-file empty-field */}}\nW"
        ));
        assert!(is_silent("{{/* lint: allow-file unused-allow */}}"), "it is not told of itself");
    }

    #[test]
    fn errors_are_told_whatever_is_allowed() {
        let left = told("E {{/* lint: allow-file empty-field */}}");
        assert_eq!(
            left,
            [
                "f:1:1: error[empty-field]: e",
                "f:1:25: warning[unused-allow]: this comment silences no `empty-field`; take it out; only warnings can be silenced",
            ]
        );
    }

    #[test]
    fn only_comments_of_the_template_count() {
        for text in [
            "/* lint: allow empty-field */ W",
            "{{/* see lint: allow empty-field */}} W",
            "{{\"{{/* lint: allow empty-field */}}\"}} W",
            "{{`{{/* lint: allow empty-field */}}`}} W",
            "{{/* {{/* lint: allow empty-field */}} W",
        ] {
            assert_eq!(told(text).len(), 1, "{text}: {:?}", told(text));
        }
    }

    #[test]
    fn what_nobody_understands_is_told_at_the_word() {
        for (text, line) in [
            (
                "x {{/* lint: allow empty-feild */}}",
                "f:1:20: warning[unknown-code]: there is no code `empty-feild`; did you mean `empty-field`?",
            ),
            (
                "x {{/* lint: alow-file empty-field */}}",
                "f:1:14: warning[unknown-code]: `lint` has no word `alow-file`; did you mean `allow-file`?",
            ),
            (
                "{{/* lint: allow */}}",
                "f:1:1: warning[unknown-code]: a comment that names no code; ",
            ),
            ("{{/* lint: */}}", "f:1:1: warning[unknown-code]: a comment that says nothing; "),
        ] {
            let left = told(text);
            assert!(matches!(&left[..], [one] if one.starts_with(line)), "{text}: {left:?}");
        }
        assert!(is_silent("{{/* lint: allow qqq */}}{{/* lint: allow-file unknown-code */}}"));
    }

    #[test]
    fn what_the_command_line_names_is_silent_everywhere_even_without_a_place() {
        let mut allowed = Allowed::everywhere([code::UNUSED_VARIABLE]);
        let mut faults = Diagnostics::new();
        faults.push(Diagnostic::warning(code::UNUSED_VARIABLE, "w"));
        faults.push(Diagnostic::warning(code::VARIABLE_GIVEN_TWICE, "w"));
        faults.push(Diagnostic::error(code::UNUSED_VARIABLE, "e"));
        let left: Vec<_> = allowed.sift(faults).iter().map(ToString::to_string).collect();
        assert_eq!(left, ["warning[variable-given-twice]: w", "error[unused-variable]: e"]);
    }

    #[test]
    fn a_file_is_told_from_another() {
        let [a, b] = ["a", "b"]
            .map(|name| Arc::new(Source::new(name, "W {{/* lint: allow-file empty-field */}}")));
        let mut allowed = Allowed::default();
        allowed.read(&a);
        let fault = |source| {
            Diagnostic::warning(code::EMPTY_FIELD, "w").at(Place::new(source, Span::at(0)))
        };
        let left = allowed.sift([fault(&a), fault(&b)].into_iter().collect());
        let left: Vec<_> = left.iter().map(ToString::to_string).collect();
        assert_eq!(left, ["b:1:1: warning[empty-field]: w"]);
        assert!(allowed.unused(&|_| true).is_empty());
    }
}

//! Warnings that are meant: `{{/* lint: allow CODE */}}` in the file, or `--allow CODE` on the command line.
//!
//! The comment is one of Go's templates, so that 0.7.x reads the same file. Errors are never silenced.

use std::cell::Cell;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, Severity, code};
use crate::source::{Source, Span};
use crate::suggest::suggest;

/// Rules that look at a cluster and a playbook together, or at the command line: one file alone does not tell whether a
/// comment about them is needed.
const OF_SEVERAL: [Code; 6] = [
    code::COMPONENT_MISSING,
    code::JAR_NOT_ON_CLUSTER,
    code::TWO_REGIONS,
    code::NO_ROOM_FOR_TAG,
    code::RULE_NOT_EXPORTED,
    code::UNUSED_VARIABLE,
];

/// Everything that is allowed.
#[derive(Debug, Default)]
pub struct Allowed {
    everywhere: Vec<Code>,
    comments: Vec<Comment>,
}

/// One code of one comment.
#[derive(Debug)]
struct Comment {
    source: Arc<Source>,
    /// Where the code stands.
    span: Span,
    code: Option<Code>,
    /// The lines that it is about, from 1; none: the whole file.
    lines: Option<Lines>,
    used: Cell<bool>,
}

/// The lines of the comment itself, and the one that it stands before.
#[derive(Clone, Copy, Debug)]
struct Lines {
    first: u32,
    last: u32,
    next: u32,
}

impl Allowed {
    /// With those of the command line.
    pub fn new(everywhere: Vec<Code>) -> Self {
        Self { everywhere, comments: Vec::new() }
    }

    /// Takes in the comments of a file, once.
    pub fn read(&mut self, source: &Arc<Source>) {
        let known = |comment: &Comment| Arc::ptr_eq(&comment.source, source);
        if !self.comments.iter().any(known) {
            comments(source, &mut self.comments);
        }
    }

    /// What is left of faults. An error that somebody tried to silence says that this cannot be.
    #[must_use]
    pub fn filter(&self, faults: Diagnostics) -> Diagnostics {
        faults.into_iter().filter_map(|fault| self.judge(fault)).collect()
    }

    /// Warnings about the comments themselves: codes that there are not, and those that silence nothing in a file of
    /// which `complete` says that every rule had a look at it.
    #[must_use]
    pub fn unused(&self, complete: &dyn Fn(&Source) -> bool) -> Diagnostics {
        let found = self.comments.iter().filter_map(|comment| {
            let fault = match comment.code {
                None => unknown(comment),
                Some(of) => {
                    let idle = !comment.used.get() && !OF_SEVERAL.contains(&of);
                    let found = (idle && complete(&comment.source)).then(|| {
                        let message = format!("`{of}` is allowed and is not found here");
                        let help = "take it out of the comment; `allow` is about the comment's own line and the next, `allow-file` about the file";
                        Diagnostic::warning(code::UNUSED_ALLOW, message).help(help)
                    });
                    found?
                }
            };
            Some(fault.at(Place::new(&comment.source, comment.span)))
        });
        self.filter(found.collect())
    }

    fn judge(&self, mut fault: Diagnostic) -> Option<Diagnostic> {
        let mut allowed = self.everywhere.contains(&fault.code);
        if let Some(place) = &fault.place {
            let line = place.source.position(place.span.start).line;
            for comment in &self.comments {
                if comment.code == Some(fault.code) && comment.covers(&place.source, line) {
                    comment.used.set(true);
                    allowed = true;
                }
            }
        }
        match fault.severity {
            Severity::Warning if allowed => None,
            Severity::Error if allowed => {
                fault = fault.note("it is an error, which cannot be allowed", None);
                Some(fault)
            }
            Severity::Warning | Severity::Error => Some(fault),
        }
    }
}

impl Comment {
    fn covers(&self, source: &Arc<Source>, line: u32) -> bool {
        Arc::ptr_eq(&self.source, source)
            && self.lines.is_none_or(|lines| {
                (lines.first..=lines.last).contains(&line) || line == lines.next
            })
    }
}

fn unknown(comment: &Comment) -> Diagnostic {
    let word = &comment.source.text()[comment.span.range()];
    let fault = Diagnostic::warning(code::UNKNOWN_CODE, "no rule has this code");
    match near(word) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("docs/diagnostics.md lists all codes"),
    }
}

/// The code that was most likely meant by a word that is none.
pub fn near(word: &str) -> Option<&'static str> {
    suggest(word, code::ALL.iter().map(|(code, _)| code.as_str()))
}

/// The comments of a text. One inside of a constant is taken for one, too.
fn comments(source: &Arc<Source>, found: &mut Vec<Comment>) {
    let text = source.text();
    let mut from = 0;
    while let Some(at) = text[from..].find("/*").map(|at| from + at) {
        from = at + 2;
        // A `/*` of a text, such as of a glob, begins none.
        let action = text[..at].trim_end_matches([' ', '-', '\t', '\n', '\r']);
        if !action.ends_with("{{") {
            continue;
        }
        let Some(length) = text[from..].find("*/") else { return };
        comment(source, action.len() - 2, from..from + length, found);
        from += length + 2;
    }
}

fn comment(
    source: &Arc<Source>,
    start: usize,
    body: std::ops::Range<usize>,
    found: &mut Vec<Comment>,
) {
    let text = source.text();
    let words = text[body.clone()].trim();
    let Some(order) = words.strip_prefix("lint:").map(str::trim_start) else { return };
    let (whole, codes) = match order.split_once(char::is_whitespace) {
        Some(("allow", codes)) => (false, codes),
        Some(("allow-file", codes)) => (true, codes),
        _ => return,
    };
    let end = text[body.end..].find("}}").map_or(text.len(), |at| body.end + at + 2);
    let line = |at: usize| source.position(u32::try_from(at).unwrap_or(u32::MAX)).line;
    let lines = Lines { first: line(start), last: line(end), next: line(next(text, end)) };
    for word in codes.split([',', ' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()) {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        found.push(Comment {
            source: Arc::clone(source),
            span: Span::new(at, at + word.len()),
            code: Code::of(word),
            lines: (!whole).then_some(lines),
            used: Cell::new(false),
        });
    }
}

/// Where the next thing is on a line behind `end` that is not a comment.
fn next(text: &str, end: usize) -> usize {
    let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let mut rest = text[line_end..].trim_start();
    loop {
        let inner = rest.strip_prefix("{{").map(|inner| inner.strip_prefix("- ").unwrap_or(inner));
        let Some(body) = inner.and_then(|inner| inner.strip_prefix("/*")) else { break };
        let Some((_, behind)) = body.split_once("*/") else { break };
        let Some((_, behind)) = behind.split_once("}}") else { break };
        rest = behind.trim_start();
    }
    text.len() - rest.len()
}

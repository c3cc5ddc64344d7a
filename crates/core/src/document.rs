//! A file as it is read: the text that its template gave, and where each byte of it came from.

mod view;

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::diagnostic::{Diagnostic, Place, code};
use crate::source::{Source, Span};
use crate::template::{self, SourceMap};
use view::View;

/// Where the bytes of a rendered text came from. A rendered file's source map implements it.
pub trait Origins: fmt::Debug + Send + Sync {
    /// The span of the user's own file that a rendered span came from.
    fn source(&self, rendered: Span) -> Span;

    /// Calls `each` with the pieces that overlap a rendered span, in order and without gaps.
    fn pieces(&self, rendered: Span, each: &mut dyn FnMut(Piece<'_>));
}

/// A stretch of a rendered text that has one origin.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Where it stands in the rendered text.
    pub rendered: Span,
    /// What put it there.
    pub origin: Origin<'a>,
}

/// What put a piece of rendered text there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The user's own file, letter by letter.
    Text,
    /// A variable or a function.
    Value,
    /// A function whose results are kept secret; how to show it instead, such as `systemEnv PASS`.
    Secret(&'a str),
}

impl Origins for SourceMap {
    fn source(&self, rendered: Span) -> Span {
        Self::source(self, rendered)
    }

    fn pieces(&self, rendered: Span, each: &mut dyn FnMut(Piece<'_>)) {
        for piece in Self::pieces(self, rendered) {
            let origin = match piece.origin {
                template::Origin::Text => Origin::Text,
                template::Origin::Value => Origin::Value,
                template::Origin::Secret(name) => Origin::Secret(name),
            };
            each(Piece { rendered: piece.rendered, origin });
        }
    }
}

/// A file after templating. Diagnostics about it point into the user's own file and quote only what stands there.
#[derive(Debug)]
pub struct Document {
    source: Arc<Source>,
    /// `None`: nothing was templated, the text is the source's.
    rendered: Option<Rendered>,
}

struct Rendered {
    text: String,
    origins: Box<dyn Origins>,
    /// Made when there is something to be shown of it.
    view: OnceLock<View>,
}

/// Shows the size only: the text may hold secrets.
impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rendered({} bytes)", self.text.len())
    }
}

/// What is said of a place in the rendered text.
const RENDERED: &str = "in the rendered text, where values are not shown";

/// The longest text that a diagnostic quotes, in bytes.
const LONGEST_QUOTE: usize = 100;

impl Document {
    /// A file that is read as it is.
    pub fn plain(source: Arc<Source>) -> Self {
        Self { source, rendered: None }
    }

    /// What a template has made of a file.
    ///
    /// # Errors
    /// When it is not UTF-8, which a variable's value can cause.
    pub fn of(rendered: template::Rendered) -> Result<Self, Box<Diagnostic>> {
        match rendered.made {
            Some(bytes) => Self::rendered(rendered.source, bytes, Box::new(rendered.map)),
            None => Ok(Self::plain(rendered.source)),
        }
    }

    fn rendered(
        source: Arc<Source>,
        bytes: Vec<u8>,
        origins: Box<dyn Origins>,
    ) -> Result<Self, Box<Diagnostic>> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self {
                source,
                rendered: Some(Rendered { text, origins, view: OnceLock::new() }),
            }),
            Err(e) => {
                let at = e.utf8_error().valid_up_to();
                let place = Place::new(&source, origins.source(Span::new(at, at + 1)));
                let message = "the rendered text is not UTF-8";
                Err(Box::new(Diagnostic::error(code::NOT_UTF_8, message).at(place)))
            }
        }
    }

    /// The user's own file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The rendered text.
    pub fn text(&self) -> &str {
        self.rendered.as_ref().map_or_else(|| self.source.text(), |r| &r.text)
    }

    /// The span of the user's own file that a rendered span came from.
    pub fn source_span(&self, rendered: Span) -> Span {
        self.rendered.as_ref().map_or(rendered, |r| r.origins.source(rendered))
    }

    /// The place in the user's own file that a rendered span came from.
    pub fn place(&self, rendered: Span) -> Place {
        Place { rendered: Some(rendered), ..Place::new(&self.source, self.source_span(rendered)) }
    }

    /// Adds to a fault of this file where it is in the rendered text, where the user's own file alone does not tell: in
    /// what was computed, or in text that was rendered more than once. No value of a variable and no secret is shown.
    pub fn show_rendered(&self, fault: Diagnostic) -> Diagnostic {
        let Some(rendered) = &self.rendered else { return fault };
        let Some(place) = fault.place.as_ref().filter(|it| Arc::ptr_eq(&it.source, &self.source))
        else {
            return fault;
        };
        let view = rendered.view.get_or_init(|| View::of(self));
        let at = place.rendered.or_else(|| view.first_of(place.span));
        match at.and_then(|at| view.place(at)) {
            Some(span) => fault.note(RENDERED, Some(Place::new(&view.source, span))),
            None => fault,
        }
    }

    /// Whether a rendered span stands letter by letter in the user's own file.
    pub fn is_literal(&self, span: Span) -> bool {
        let mut literal = true;
        self.pieces(span, &mut |piece| literal &= piece.origin == Origin::Text);
        literal
    }

    /// The rendered span as a diagnostic may show it: only what stands in the user's own file, short and on one line.
    pub fn quote(&self, span: Span) -> Option<&str> {
        let text = self.text().get(span.range())?;
        let fit = !text.is_empty() && text.len() <= LONGEST_QUOTE;
        (fit && !text.contains(char::is_control) && self.is_literal(span)).then_some(text)
    }

    /// The secret pieces of a rendered span, with how to show each. Empty for nearly every span.
    pub fn secrets(&self, span: Span) -> Vec<(Span, String)> {
        let mut found = Vec::new();
        self.pieces(span, &mut |piece| {
            if let Origin::Secret(name) = piece.origin {
                found.push((piece.rendered, format!("‹{name}›")));
            }
        });
        found
    }

    /// All secrets of the text as they are, not as JSON writes them, with how to show each.
    pub fn all_secrets(&self) -> Vec<(String, String)> {
        let all = self.secrets(Span::new(0, self.text().len())).into_iter();
        all.map(|(span, words)| {
            let piece = self.text().get(span.range()).unwrap_or_default();
            let decoded = serde_json::from_str(&format!("\"{piece}\""));
            (decoded.unwrap_or_else(|_| piece.to_owned()), words)
        })
        .collect()
    }

    /// The computed pieces of a rendered span, each as the user's own file writes it, such as `{{.day}}`.
    pub fn computed(&self, span: Span) -> Vec<(Span, String)> {
        let mut found = Vec::new();
        self.pieces(span, &mut |piece| {
            if piece.origin != Origin::Text {
                let written = self.written(self.source_span(piece.rendered));
                found.push((piece.rendered, written.to_owned()));
            }
        });
        found
    }

    /// An action as the user's own file writes it, if it is short and on one line.
    fn written(&self, action: Span) -> &str {
        let short = |text: &&str| text.len() <= LONGEST_QUOTE && !text.contains('\n');
        self.source.text().get(action.range()).filter(short).unwrap_or("{{…}}")
    }

    fn pieces(&self, span: Span, each: &mut dyn FnMut(Piece<'_>)) {
        if let Some(rendered) = &self.rendered {
            rendered.origins.pieces(span, each);
        }
    }
}

/// Origins for tests: `text` holds values between `‹` and `›` and secrets between `«NAME:` and `»`.
#[cfg(test)]
pub(crate) mod marked {
    use super::*;

    #[derive(Debug)]
    struct Marks(Vec<(Span, Span, Option<Option<String>>)>);

    impl Origins for Marks {
        fn source(&self, rendered: Span) -> Span {
            let mut pieces = self.0.iter().filter(|(r, ..)| overlaps(*r, rendered)).map(|p| {
                let shift = |at: u32| at - p.0.start + p.1.start;
                match p.2 {
                    None => Span {
                        start: shift(rendered.start.max(p.0.start)),
                        end: shift(rendered.end.min(p.0.end)),
                    },
                    Some(_) => p.1,
                }
            });
            let first = pieces.next().unwrap_or_default();
            pieces.fold(first, Span::to)
        }

        fn pieces(&self, rendered: Span, each: &mut dyn FnMut(Piece<'_>)) {
            for (span, _, origin) in self.0.iter().filter(|(r, ..)| overlaps(*r, rendered)) {
                let origin = match origin {
                    None => Origin::Text,
                    Some(None) => Origin::Value,
                    Some(Some(name)) => Origin::Secret(name),
                };
                each(Piece { rendered: *span, origin });
            }
        }
    }

    fn overlaps(a: Span, b: Span) -> bool {
        a.start < b.end && b.start < a.end
    }

    /// Renders `text` by taking its marks out.
    pub(crate) fn document(name: &str, text: &str) -> Document {
        let mut rendered = String::new();
        let mut marks = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let (body, origin, length) = if let Some(inner) = rest.strip_prefix('‹') {
                let value = &inner[..inner.find('›').expect("closed")];
                (value, Some(None), value.len() + 6)
            } else if let Some(inner) = rest.strip_prefix('«') {
                let all = &inner[..inner.find('»').expect("closed")];
                let (name, value) = all.split_once(':').expect("named");
                (value, Some(Some(name.to_owned())), all.len() + 4)
            } else {
                let end = rest.find(['‹', '«']).unwrap_or(rest.len());
                (&rest[..end], None, end)
            };
            let start = rendered.len();
            rendered.push_str(body);
            marks.push((Span::new(start, rendered.len()), Span::new(at, at + length), origin));
            rest = &rest[length..];
        }
        let source = Arc::new(Source::new(name, text));
        Document::rendered(source, rendered.into_bytes(), Box::new(Marks(marks))).expect("UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a template makes of the list `["1", "2"]`.
    fn of_a_list(text: &str) -> Document {
        let source = Arc::new(Source::new("x", text));
        let list = serde_json::json!(["1", "2"]);
        let inputs = template::Inputs {
            variables: &[("l", list.into())].into_iter().collect(),
            now: &|| jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC),
            env: &|_| None,
            read: &|_| Err(std::io::ErrorKind::NotFound.into()),
            limits: template::Limits::default(),
        };
        let rendered = template::Template::parse(&source).and_then(|it| it.render(&inputs));
        Document::of(rendered.expect("it is rendered")).expect("UTF-8")
    }

    #[test]
    fn of_a_loop_the_first_turn_is_shown() {
        let document = of_a_list("{{range .l}}a{{.}}b{{end}}");
        assert_eq!(document.text(), "a1ba2b");
        let place = Place::new(document.source(), Span::new(12, 19));
        let fault = document.show_rendered(Diagnostic::error(code::WRONG_TYPE, "m").at(place));
        let shown = fault.notes[0].place.as_ref().expect("a place");
        assert_eq!(shown.source.text(), "a‹{{.}}›ba‹{{.}}›b");
        assert_eq!(&shown.source.text()[shown.span.range()], "a‹{{.}}›b");
    }

    #[test]
    fn only_the_users_own_letters_are_quoted() {
        let document = marked::document("x", "abc‹value›d«systemEnv P:hunter2»e");
        assert_eq!(document.text(), "abcvaluedhunter2e");
        assert_eq!(document.quote(Span::new(0, 3)), Some("abc"));
        assert_eq!(document.quote(Span::new(0, 4)), None, "a variable's value");
        assert_eq!(document.quote(Span::new(10, 12)), None, "a secret");
        let all = Span::new(0, 17);
        assert_eq!(document.secrets(all), [(Span::new(9, 16), "‹systemEnv P›".to_owned())]);
        assert_eq!(document.source_span(Span::new(8, 9)), Span::new(14, 15));
        let plain = Document::plain(Arc::new(Source::new("x", "a\nb".repeat(60))));
        assert_eq!(plain.quote(Span::new(0, 3)), None, "two lines");
        let plain = Document::plain(Arc::new(Source::new("x", "ab".repeat(60))));
        assert_eq!(plain.quote(Span::new(0, 100)).map(str::len), Some(100));
        assert_eq!(plain.quote(Span::new(0, 101)), None, "long");
        assert!(!format!("{document:?}").contains("hunter2"));
    }

    /// The line of the view that a fault at a rendered span is shown with, and what is under its caret.
    fn shown(document: &Document, at: Span) -> Option<(String, String)> {
        let fault = Diagnostic::error(code::WRONG_TYPE, "m").at(document.place(at));
        seen(&document.show_rendered(fault))
    }

    fn seen(fault: &Diagnostic) -> Option<(String, String)> {
        let place = fault.notes.first()?.place.as_ref()?;
        let text = place.source.text();
        let line = text.lines().nth(place.source.position(place.span.start).line as usize - 1);
        Some((line.unwrap_or_default().to_owned(), text[place.span.range()].to_owned()))
    }

    #[test]
    fn what_was_computed_is_shown_in_the_rendered_text_too() {
        let document = marked::document("x", "abc\nd‹v\nw›e\nf«systemEnv P:hunter2»g");
        let text = document.text().to_owned();
        let at = |piece: &str| {
            let start = text.find(piece).expect("it is there");
            Span::new(start, start + piece.len())
        };
        let some = |line: &str, at: &str| Some((line.to_owned(), at.to_owned()));
        assert_eq!(shown(&document, at("bc")), None, "the file itself tells all");
        assert_eq!(shown(&document, at("g")), None);
        // A value's lines are counted, so the lines behind it have the numbers of the rendered text.
        assert_eq!(shown(&document, at("w")), some("d‹{{…}}›", "‹{{…}}›\n"));
        assert_eq!(shown(&document, at("nter")), some("f‹systemEnv P›g", "‹systemEnv P›"));
        assert_eq!(shown(&document, at("2g")), some("f‹systemEnv P›g", "‹systemEnv P›g"));
        assert_eq!(shown(&document, at("fhu")), some("f‹systemEnv P›g", "f‹systemEnv P›"));
        // Who only knows the place in the file.
        let place = Place::new(document.source(), document.source_span(at("hunter2")));
        let fault = Diagnostic::error(code::WRONG_TYPE, "m").at(place);
        assert_eq!(seen(&document.show_rendered(fault)), some("f‹systemEnv P›g", "‹systemEnv P›"));
        let other = Place::new(&Arc::new(Source::new("y", "z")), Span::at(0));
        let fault = Diagnostic::error(code::WRONG_TYPE, "m").at(other);
        assert_eq!(seen(&document.show_rendered(fault)), None, "of another file");
    }

    #[test]
    fn bytes_that_are_no_text_are_a_fault() {
        #[derive(Debug)]
        struct Shift;
        impl Origins for Shift {
            fn source(&self, rendered: Span) -> Span {
                Span { start: rendered.start + 2, end: rendered.end + 2 }
            }
            fn pieces(&self, _: Span, _: &mut dyn FnMut(Piece<'_>)) {}
        }
        let source = Arc::new(Source::new("x", "{{a}}"));
        let fault =
            Document::rendered(source, vec![b'a', 0xFF], Box::new(Shift)).expect_err("no text");
        assert_eq!(fault.to_string(), "x:1:4: error[not-utf-8]: the rendered text is not UTF-8");
    }
}

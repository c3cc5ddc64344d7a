//! Faults as people like to read them: what, where, the line itself with a caret, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use dataflow_runner_core::diagnostic::{Diagnostic, Place, Severity};

use super::escape;
use super::mask::masked;
use super::messages::count;

/// So many columns there are where no terminal says how many.
const USUAL_WIDTH: usize = 140;

/// All faults, and a line that counts them. Lines of files are cut to `width` columns, around what matters.
pub(crate) fn render(faults: &[Diagnostic], styled: bool, width: Option<usize>) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(width.unwrap_or(USUAL_WIDTH));
    let mut text = String::new();
    let mut room = MOST_OF_LONG_LINES;
    for fault in faults {
        text += &render_one(fault, &renderer, width, &mut room);
        text += "\n\n";
    }
    let errors = faults.iter().filter(|fault| fault.severity == Severity::Error).count();
    let counts = [(errors, "error"), (faults.len() - errors, "warning")];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts: Vec<_> = counts.map(|(number, what)| count(number, what)).collect();
    text += &counts.join(", ");
    text.push('\n');
    text
}

/// One fault, on a screen of that width if there is one.
fn render_one(
    fault: &Diagnostic,
    renderer: &Renderer,
    width: Option<usize>,
    room: &mut usize,
) -> String {
    // The renderer cuts lines, but never what is marked; and a label is to fit behind that.
    let longest = width.unwrap_or(USUAL_WIDTH) / 2;
    let behind = |margin: usize, text: &str| match width {
        Some(width) => wrapped(&escape::line(text), width.saturating_sub(margin)),
        // What is not for a screen is rather to be found by its words.
        None => escape::line(text),
    };
    let words = |text: &str| behind(MARGIN, text);
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let before = "warning[]: ".len() + fault.code.as_str().len();
    let title = level.primary_title(behind(before, &fault.message)).id(fault.code.as_str());
    let mut main = Group::with_title(title);
    if let Some(place) = &fault.place {
        main = point(main, place, fault.label.as_deref(), longest, room);
    } else if let Some(label) = &fault.label {
        main = main.element(Level::NOTE.message(words(label)));
    }
    for note in fault.notes.iter().filter(|note| note.place.is_none()) {
        main = main.element(Level::NOTE.message(words(&note.message)));
    }
    if let Some(help) = &fault.help {
        main = main.element(Level::HELP.message(words(help)));
    }
    let mut groups = vec![main];
    for note in &fault.notes {
        if let Some(place) = &note.place {
            let title = Level::NOTE.secondary_title(escape::line(&note.message));
            groups.push(point(Group::with_title(title), place, None, longest, room));
        }
    }
    renderer.render(&groups)
}

/// Columns before the words of a help: a margin as wide as the number of a line, `= help: `.
const MARGIN: usize = 14;

/// A text in lines that end between words, none wider than `room` if a word is not; nobody reads lines of less than 20.
fn wrapped(text: &str, room: usize) -> String {
    let room = room.max(20);
    let mut lines = String::with_capacity(text.len());
    let mut used = 0;
    for (at, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 {
            let fits = used + 1 + length <= room;
            lines.push(if fits { ' ' } else { '\n' });
            used = if fits { used + 1 } else { 0 };
        }
        lines.push_str(word);
        used += length;
    }
    lines
}

/// Adds the lines of a place, with a caret.
fn point<'a>(
    group: Group<'a>,
    place: &Place,
    label: Option<&str>,
    longest: usize,
    room: &mut usize,
) -> Group<'a> {
    let source = &place.source;
    let at = source.position(place.span.start);
    let path = escape::line(source.name());
    let Some(window) = Window::around(source.text(), place, room) else {
        let origin = Origin::path(path).line(at.line as usize).char_column(at.column as usize);
        return group.element(origin);
    };
    let window = window.marking(longest);
    let label = label.map(escape::line);
    let annotation = AnnotationKind::Primary.span(window.span).label(label);
    let line = at.line as usize;
    let snippet = Snippet::source(window.text).path(path).line_start(line).annotation(annotation);
    group.element(snippet)
}

/// The lines that a place touches: handing over the whole file for each fault would take long in a large one.
struct Window {
    text: String,
    span: std::ops::Range<usize>,
}

/// A line of more bytes is long.
const LONG_LINE: usize = 2000;
/// So many bytes of long lines are looked through to be shown, which takes a while: with many faults in a file on one
/// line the places of the rest must do.
const MOST_OF_LONG_LINES: usize = 1 << 20;

impl Window {
    /// `None` if there is nothing to be shown, or no `room` is left for a long line.
    fn around(text: &str, place: &Place, room: &mut usize) -> Option<Self> {
        let span = place.span.range();
        let start = span.start.min(text.len());
        // What goes over several lines is shown by its first.
        let first = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let last = text.get(start..)?.find('\n').map_or(text.len(), |at| start + at);
        // The carriage return of a line's end is no part of the line.
        let last = text[..last].strip_suffix('\r').map_or(last, str::len).max(start);
        let line = &text[first..last];
        if line.len() > LONG_LINE {
            *room = room.checked_sub(line.len())?;
        }
        let end = span.end.clamp(start, last);
        // A credential's key may stand on the line before its value.
        let before = (first.saturating_sub(CONTEXT)..).find(|at| text.is_char_boundary(*at))?;
        let text = masked(&text[before..last]).split_off(first - before);
        // Nobody would see it; what stands for it is as long.
        let text = text.replace('\u{feff}', "\u{fffd}");
        Some(Self { text, span: start - first..end - first })
    }

    /// With so many characters marked at most, from the first on.
    fn marking(mut self, longest: usize) -> Self {
        let marked = self.text.get(self.span.clone()).unwrap_or_default();
        if let Some((at, _)) = marked.char_indices().nth(longest) {
            self.span.end = self.span.start + at;
        }
        self
    }
}

/// So many bytes before a line are searched for the key of a credential.
const CONTEXT: usize = 200;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dataflow_runner_core::source::{Source, Span};

    use super::*;
    use dataflow_runner_core::diagnostic::code;

    #[test]
    fn a_fault_is_shown_where_it_is() {
        let source = Arc::new(Source::new("a.json", "{\n  \"jra\": 1,\n  \"ñ\": 2\n}"));
        let faults = [
            Diagnostic::error(code::UNKNOWN_FIELD, "unknown field `jra`")
                .at(Place::new(&source, Span::new(4, 9)))
                .label("not a field of a step")
                .help("did you mean `jar`?")
                .note("the schema says so", None)
                .note("as here", Some(Place::new(&source, Span::new(16, 20)))),
            Diagnostic::warning(code::UNUSED_VARIABLE, "variable `x` is not used"),
        ];
        assert_eq!(
            render(&faults, false, None),
            "\
error[unknown-field]: unknown field `jra`
 --> a.json:2:3
  |
2 |   \"jra\": 1,
  |   ^^^^^ not a field of a step
  |
  = note: the schema says so
  = help: did you mean `jar`?
note: as here
 --> a.json:3:3
  |
3 |   \"ñ\": 2
  |   ^^^

warning[unused-variable]: variable `x` is not used

1 error, 1 warning
"
        );
    }

    #[test]
    fn a_line_is_cut_to_the_screen_around_what_is_wrong() {
        let text =
            format!("{{\"a\": \"{}\", \"b\": 1, \"c\": \"{}\"}}", "x".repeat(200), "y".repeat(200));
        let at = text.find("\"b\"").expect("it is there");
        let source = Arc::new(Source::new("f", text));
        let fault =
            Diagnostic::error(code::WRONG_TYPE, "m").at(Place::new(&source, Span::new(at, at + 3)));
        let shown = render(&[fault], false, Some(40));
        assert!(shown.contains("\"b\": 1"), "{shown}");
        let longest = shown.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(40), "{longest:?}:\n{shown}");
    }

    #[test]
    fn what_is_longer_than_the_screen_is_marked_at_its_beginning() {
        let source = Arc::new(Source::new("f", format!("{{\"a\": \"{}ñ\"}}", "x".repeat(200))));
        let fault =
            Diagnostic::error(code::WRONG_TYPE, "m").at(Place::new(&source, Span::new(6, 209)));
        for width in [40, 80] {
            let shown = render(std::slice::from_ref(&fault), false, Some(width));
            let longest = shown.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(width), "{longest:?}:\n{shown}");
            let marks = shown.chars().filter(|c| *c == '^').count();
            assert_eq!(marks, width / 2, "{shown}");
        }
    }

    #[test]
    fn names_and_words_cannot_act_on_a_terminal() {
        let source = Arc::new(Source::new("a\u{202e}.json", "x"));
        let place = || Place::new(&source, Span::new(0, 1));
        let fault = Diagnostic::error(code::WRONG_TYPE, "m\u{202e}")
            .at(place())
            .label("l\u{202e}")
            .note("n\u{202e}", Some(place()))
            .note("o\u{202e}", None)
            .help("h\u{202e}");
        for width in [None, Some(80)] {
            let text = render(std::slice::from_ref(&fault), false, width);
            for shown in ["m", "--> a", "^ l", "note: n", "note: o", "help: h"] {
                assert!(text.contains(&format!("{shown}\\u202e")), "{shown}: {text}");
            }
            assert!(!text.contains('\u{202e}'), "{text}");
        }
    }

    #[test]
    fn what_stands_at_no_caret_is_told_as_a_note() {
        let fault = Diagnostic::error(code::WRONG_TYPE, "m").label("expected a string");
        let text = render(&[fault], false, None);
        assert!(text.contains("= note: expected a string\n"), "{text}");
    }

    #[test]
    fn a_byte_order_mark_is_seen() {
        let source = Arc::new(Source::new("f", "\u{feff}{}"));
        let fault = Diagnostic::error(code::JSON_BOM, "m").at(Place::new(&source, Span::new(0, 3)));
        let text = render(&[fault], false, None);
        assert!(text.contains("1 | \u{fffd}{}\n  | ^\n"), "{text}");
    }

    #[test]
    fn words_are_not_broken_by_the_screen() {
        let fault = Diagnostic::error(code::WRONG_TYPE, "some words that take more than a line")
            .note("a note that takes more than a line too", None)
            .help("and help that does not fit behind its margin either");
        let expected = "\
error[wrong-type]: some words that take
                   more than a line
 |
 = note: a note that takes more
         than a line too
 = help: and help that does not fit
         behind its margin either

1 error
";
        assert_eq!(render(std::slice::from_ref(&fault), false, Some(40)), expected);
        let long = render(&[fault], false, None);
        assert!(long.contains("more than a line\n") && long.lines().count() == 6, "{long}");
    }

    #[test]
    fn a_credential_below_its_key_is_starred_out() {
        let source = Arc::new(Source::new("f", "\"secretAccessKey\":\n  \"hunter2\""));
        let fault =
            Diagnostic::error(code::WRONG_TYPE, "m").at(Place::new(&source, Span::new(21, 30)));
        let text = render(&[fault], false, None);
        assert!(text.contains("2 |   \"*******\"\n"), "{text}");
    }

    #[test]
    fn lines_may_end_with_carriage_returns() {
        let source = Arc::new(Source::new("f", "a\r\nbc\r\n"));
        for (at, line) in [(3, "2 | bc\n"), (5, "2 | bc")] {
            let fault =
                Diagnostic::error(code::WRONG_TYPE, "m").at(Place::new(&source, Span::at(at)));
            let text = render(&[fault], false, None);
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_place_beyond_the_text_is_still_told() {
        let far = Arc::new(Source::new("far", "x"));
        let place = Place::new(&far, Span::new(4000, 4001));
        let text = render(&[Diagnostic::error(code::WRONG_TYPE, "m").at(place)], false, None);
        assert!(text.contains(" --> far:1:2\n"), "{text}");
    }

    #[test]
    fn long_lines_are_shown_while_there_is_room() {
        let long = Arc::new(Source::new("long", "x".repeat(5000)));
        let place = Place::new(&long, Span::new(4000, 4001));
        let fault = Diagnostic::error(code::WRONG_TYPE, "m").at(place);
        let mut room = 7000;
        let mut shown = || render_one(&fault, &Renderer::plain(), None, &mut room);
        let (first, second) = (shown(), shown());
        assert!(first.contains("--> long:1:4001\n") && first.contains("xxx"), "{first}");
        let longest = first.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(USUAL_WIDTH), "{longest:?}: {first}");
        assert!(second.contains("--> long:1:4001") && !second.contains("xxx"), "{second}");
        assert_eq!(room, 2000);
    }
}

//! The rendered text as it may be shown: what a template computed stands there as the template writes it.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Document, Origin};
use crate::source::{Source, Span};

/// A rendered text without the values of variables and without secrets. Its lines have the numbers they have in the
/// rendered text.
pub(super) struct View {
    /// As people see it.
    pub source: Arc<Source>,
    stretches: Vec<Stretch>,
    /// Where in the user's own file there is text that was rendered more than once.
    repeated: HashSet<u32>,
}

/// A part of the rendered text that has one origin.
struct Stretch {
    rendered: Span,
    /// Where it comes from in the user's own file.
    source: Span,
    /// Where it is in the view.
    shown: Span,
    computed: bool,
}

impl View {
    pub(super) fn of(document: &Document) -> Self {
        let mut text = String::new();
        let mut stretches = Vec::new();
        let (mut seen, mut repeated) = (HashSet::new(), HashSet::new());
        let rendered = document.text();
        document.pieces(Span::new(0, rendered.len()), &mut |piece| {
            let source = document.source_span(piece.rendered);
            let value = rendered.get(piece.rendered.range()).unwrap_or_default();
            let start = text.len();
            let computed = piece.origin != Origin::Text;
            match piece.origin {
                Origin::Text => text.push_str(value),
                Origin::Value => text.push_str(&format!("‹{}›", document.written(source))),
                Origin::Secret(name) => text.push_str(&format!("‹{name}›")),
            }
            if computed {
                text.extend(value.chars().filter(|c| *c == '\n'));
            }
            if !seen.insert(source.start) {
                repeated.insert(source.start);
            }
            let shown = Span::new(start, text.len());
            stretches.push(Stretch { rendered: piece.rendered, source, shown, computed });
        });
        let name = format!("{} (rendered)", document.source().name());
        Self { source: Arc::new(Source::view(name, text)), stretches, repeated }
    }

    /// Where a rendered span is in the view, if the user's own file alone does not tell all of it: it was computed, or is
    /// one of several that came from the same text.
    pub(super) fn place(&self, rendered: Span) -> Option<Span> {
        let touched = self.touched(rendered);
        let telling = |it: &Stretch| it.computed || self.repeated.contains(&it.source.start);
        touched.iter().any(telling).then(|| {
            let mut spans = touched.iter().map(|it| it.shown_of(rendered));
            let first = spans.next().unwrap_or_default();
            spans.fold(first, Span::to)
        })
    }

    /// The first rendered span that comes from a span of the user's own file.
    pub(super) fn first_of(&self, source: Span) -> Option<Span> {
        let touches = |it: &&Stretch| it.source.start < source.end && source.start < it.source.end;
        let mut from = self.stretches.iter().skip_while(|it| !touches(it));
        let first = from.next()?;
        let (mut found, mut end) = (first.rendered_of(source), first.source.end);
        // In a loop the next turn comes from before again.
        for next in from.take_while(touches) {
            if next.source.start < end {
                break;
            }
            (found, end) = (found.to(next.rendered_of(source)), next.source.end);
        }
        Some(found)
    }

    /// The stretches that `rendered` overlaps; of an empty one those that it is in or at the end of.
    fn touched(&self, rendered: Span) -> &[Stretch] {
        let empty = rendered.start == rendered.end;
        let before = |it: &Stretch| match empty {
            true => it.rendered.end < rendered.start,
            false => it.rendered.end <= rendered.start,
        };
        let first = self.stretches.partition_point(before);
        let behind = self.stretches.partition_point(|it| {
            it.rendered.start < rendered.end || empty && it.rendered.start == rendered.start
        });
        self.stretches.get(first..behind.max(first)).unwrap_or_default()
    }
}

impl Stretch {
    /// What of it in the view is of `rendered`: all, where it was computed.
    fn shown_of(&self, rendered: Span) -> Span {
        if self.computed {
            return self.shown;
        }
        let within =
            |at: u32| at.clamp(self.rendered.start, self.rendered.end) - self.rendered.start;
        Span {
            start: self.shown.start + within(rendered.start),
            end: self.shown.start + within(rendered.end),
        }
    }

    /// What of it in the rendered text comes from `source`: all, where it was computed.
    fn rendered_of(&self, source: Span) -> Span {
        if self.computed {
            return self.rendered;
        }
        let within = |at: u32| at.clamp(self.source.start, self.source.end) - self.source.start;
        Span {
            start: self.rendered.start + within(source.start),
            end: self.rendered.start + within(source.end),
        }
    }
}

//! From places in the rendered text back to the template.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::value::Taint;
use crate::source::Span;

/// Where a piece of the rendered text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It stands in the template, byte for byte.
    Text,
    /// It was computed, from constants, variables or the clock.
    Value,
    /// It was computed from the environment or a file: `systemEnv NAME`, `base64File PATH`, as written in
    /// the template; several are joined by ` + `.
    Secret(Arc<str>),
}

/// A stretch of the rendered text that comes from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'m> {
    /// Where it is in the rendered text.
    pub rendered: Span,
    /// What it comes from: the same text, or the whole `{{…}}` that computed it.
    pub source: Span,
    /// How it came about.
    pub origin: &'m Origin,
}

/// Ties every byte of the rendered text to the template.
#[derive(Clone, Default)]
pub struct SourceMap {
    pieces: Vec<Raw>,
    origins: Vec<Origin>,
}

#[derive(Clone, Copy, Debug)]
struct Raw {
    /// Where it starts in the rendered text; it ends where the next one starts.
    start: u32,
    end: u32,
    source: Span,
    /// Its place in [`SourceMap::origins`].
    origin: u32,
}

impl fmt::Debug for SourceMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceMap({} pieces)", self.len())
    }
}

const TEXT: u32 = 0;
const VALUE: u32 = 1;

impl SourceMap {
    /// How many pieces there are.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The smallest part of the template that all of `rendered` comes from: within text that stands in
    /// the template exactly it, else the whole `{{…}}`. An empty span gives the place of what stands
    /// there, at the end of the text of what stands before.
    pub fn source(&self, rendered: Span) -> Span {
        let mut pieces = self.touched(rendered).iter().map(|raw| raw.part(rendered));
        let first = pieces.next().unwrap_or_default();
        pieces.fold(first, Span::to)
    }

    /// The pieces that make up `rendered`, cut to it, in order. They leave no gap.
    pub fn pieces(&self, rendered: Span) -> impl Iterator<Item = Piece<'_>> {
        let touched = if rendered.start < rendered.end { self.touched(rendered) } else { &[] };
        touched.iter().filter_map(move |raw| {
            let cut = Span { start: raw.start.max(rendered.start), end: raw.end.min(rendered.end) };
            let origin = self.origins.get(raw.origin as usize)?;
            Some(Piece { rendered: cut, source: raw.part(cut), origin })
        })
    }

    /// The pieces that `rendered` overlaps; of an empty one the piece that it is in.
    fn touched(&self, rendered: Span) -> &[Raw] {
        let first = self.pieces.partition_point(|raw| raw.end <= rendered.start);
        let first = first.min(self.pieces.len().saturating_sub(1));
        let pieces = self.pieces.get(first..).unwrap_or_default();
        // As a rule one or two: counted sooner than searched.
        let count = pieces.iter().take_while(|raw| raw.start < rendered.end).count();
        &pieces[..count.max(1).min(pieces.len())]
    }
}

impl Raw {
    /// What the part of it within `rendered` comes from: of text the same part.
    fn part(&self, rendered: Span) -> Span {
        let Span { start, end } = self.source;
        let within = |place: u32| place.clamp(self.start, self.end);
        match self.origin {
            TEXT => Span {
                start: start + (within(rendered.start) - self.start),
                end: end - (self.end - within(rendered.end)),
            },
            _ => self.source,
        }
    }
}

/// Makes a [`SourceMap`], piece by piece.
#[derive(Default)]
pub(super) struct Builder {
    map: SourceMap,
    secrets: HashMap<Arc<str>, u32>,
    end: u32,
}

impl Builder {
    pub(super) fn new() -> Self {
        let origins = vec![Origin::Text, Origin::Value];
        Self { map: SourceMap { origins, ..SourceMap::default() }, ..Self::default() }
    }

    /// Notes that the next `length` bytes are those at `source`.
    pub(super) fn text(&mut self, length: usize, source: Span) {
        self.push(length, source, TEXT);
    }

    /// Notes that the next `length` bytes were computed at `source`.
    pub(super) fn value(&mut self, length: usize, source: Span, taint: &Taint) {
        let origin = match taint {
            Taint::Literal | Taint::Input => VALUE,
            Taint::Secret(names) => {
                let name: Arc<str> = names.join(" + ").into();
                let next = self.map.origins.len() as u32;
                let origin = *self.secrets.entry(Arc::clone(&name)).or_insert(next);
                if origin == next {
                    self.map.origins.push(Origin::Secret(name));
                }
                origin
            }
        };
        self.push(length, source, origin);
    }

    fn push(&mut self, length: usize, source: Span, origin: u32) {
        if length > 0 {
            let start = self.end;
            self.end += length as u32;
            self.map.pieces.push(Raw { start, end: self.end, source, origin });
        }
    }

    pub(super) fn finish(self) -> SourceMap {
        self.map
    }
}

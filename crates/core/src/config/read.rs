//! Reads typed values out of checked records. What is wrong is reported, and reading goes on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path as FilePath, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Place, Severity, code};
use crate::document::Document;
use crate::schema::{Checked, Faults, Fields, Is, Mode, Path};
use crate::secret::Text;
use crate::source::Span;

/// What all records of a file share.
pub(super) struct Reader<'d> {
    document: &'d Document,
    /// Where the file is at odds with its schema, in the rendered text, from first to last.
    misfits: Vec<Span>,
    /// What was found, by place in the rendered text.
    found: RefCell<Vec<(Span, Diagnostic)>>,
    mode: Mode,
}

/// A record of a file, with its path.
#[derive(Clone, Copy)]
pub(super) struct Record<'r> {
    reader: &'r Reader<'r>,
    fields: &'r Fields<'r>,
    pub(super) span: Span,
    pub(super) path: &'r Path<'r>,
}

impl<'d> Reader<'d> {
    pub(super) fn new(document: &'d Document, misfits: Vec<Span>, mode: Mode) -> Self {
        Self { document, misfits, found: RefCell::default(), mode }
    }

    /// Hands over what was found.
    pub(super) fn finish(&self, faults: &mut Faults<'_>) {
        for (at, fault) in self.found.take() {
            faults.push(at, fault);
        }
    }

    /// A checked value as a record, if it is one.
    pub(super) fn record<'r>(
        &'r self,
        value: &'r Checked<'r>,
        path: &'r Path<'r>,
    ) -> Option<Record<'r>> {
        match &value.is {
            Is::Record(fields) => Some(Record { reader: self, fields, span: value.span, path }),
            _ => None,
        }
    }
}

impl<'r> Record<'r> {
    pub(super) fn document(&self) -> &'r Document {
        self.reader.document
    }

    /// The place of the record in the user's own file.
    pub(super) fn source_span(&self) -> Span {
        self.document().source_span(self.span)
    }

    pub(super) fn fault(&self, at: Span, fault: Diagnostic) {
        self.reader.found.borrow_mut().push((at, fault));
    }

    /// A fault of the record as a whole, at its first character.
    pub(super) fn fault_here(&self, fault: Diagnostic) {
        self.fault(Span { end: self.span.start + 1, ..self.span }, fault);
    }

    /// Whether there is no error in the record, as far as it was read, but in the values of these fields.
    pub(super) fn is_right_but_for(&self, fields: &[&str]) -> bool {
        let here = |at: &Span| self.span.contains(*at);
        let apart = |at: &Span| {
            let fields = fields.iter().filter_map(|name| self.get(name));
            !fields.map(|checked| checked.span).any(|field| field.contains(*at))
        };
        let misfits = &self.reader.misfits;
        let first = misfits.partition_point(|at| at.start < self.span.start);
        let found = self.reader.found.borrow();
        let errors = found.iter().filter(|(_, fault)| fault.severity == Severity::Error);
        // What was found in this record was found last.
        let found = errors.map(|(at, _)| at).rev().take_while(|at| here(at));
        !misfits[first..].iter().take_while(|at| here(at)).chain(found).any(apart)
    }

    /// The value of a field that is neither absent nor null. It may be invalid.
    pub(super) fn get(&self, name: &str) -> Option<&'r Checked<'r>> {
        self.fields.get(name).filter(|checked| !matches!(checked.is, Is::Null))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The span of a field's value; of the whole record where it has no such field.
    pub(super) fn span_of(&self, name: &str) -> Span {
        self.get(name).map_or(self.span, |checked| checked.span)
    }

    /// A string field, if it is there.
    pub(super) fn text(&self, name: &str) -> Option<Text> {
        self.get(name).and_then(|checked| self.text_of(checked, &self.path.key(name)))
    }

    fn text_of(&self, checked: &Checked<'_>, path: &Path<'_>) -> Option<Text> {
        let Is::String(string) = checked.is else { return None };
        let text = string.text(checked.span, self.document());
        self.refuse_nul(&text, checked.span, path);
        Some(text)
    }

    fn refuse_nul(&self, text: &Text, at: Span, path: &Path<'_>) {
        if text.expose().contains('\0') {
            let message =
                format!("`{path}` holds the character U+0000, which no program can be given");
            self.fault(at, Diagnostic::error(code::NUL_CHARACTER, message));
        }
    }

    /// A string field that must be there and not empty.
    pub(super) fn needed(&self, name: &str) -> Option<Text> {
        if !self.has(name) {
            self.missing(name);
        }
        self.filled(name)
    }

    /// A string field that must not be empty if it is there.
    pub(super) fn filled(&self, name: &str) -> Option<Text> {
        let text = self.text(name)?;
        if text.expose().is_empty() {
            let message = format!("`{}` must not be empty", self.path.key(name));
            self.fault(self.span_of(name), Diagnostic::error(code::EMPTY_VALUE, message));
            return None;
        }
        Some(text)
    }

    /// A string field that people read: like [`Self::needed`], and a warning where a part of it is secret.
    pub(super) fn needed_name(&self, name: &str) -> Option<Text> {
        self.needed(name).inspect(|text| self.warn_of_secret(name, text))
    }

    /// Warns of a secret in a field that is shown by others than this program.
    pub(super) fn warn_of_secret(&self, name: &str, text: &Text) {
        if text.is_secret() {
            let message =
                format!("`{}` holds a secret, and it is shown to many", self.path.key(name));
            let fault = Diagnostic::warning(code::SECRET_IN_NAME, message);
            self.fault(self.span_of(name), fault.help(SECRET_HELP));
        }
    }

    /// A string field of a 1-*-* file that 0.7.x took for empty where it is absent; that is warned of.
    pub(super) fn or_empty(&self, name: &str) -> Text {
        if !self.has(name) {
            self.warn_empty(name);
        }
        self.text(name).unwrap_or_else(|| self.empty(name))
    }

    /// The empty text, in the place of a field.
    pub(super) fn empty(&self, name: &str) -> Text {
        Text::new("", self.document().source_span(self.span_of(name)))
    }

    /// Like [`Self::or_empty`], with `None` for the empty text.
    pub(super) fn filled_or_warned(&self, name: &str) -> Option<Text> {
        Some(self.or_empty(name)).filter(|text| !text.expose().is_empty())
    }

    /// Warns that an absent field is taken for empty.
    pub(super) fn warn_empty(&self, name: &str) {
        let message = format!("`{}` has no `{name}`", self.path);
        let fault = Diagnostic::warning(code::EMPTY_FIELD, message).label("taken for empty");
        self.fault_for_absent(name, fault);
    }

    /// Reports a needed field that is absent or null. In strict files the schema has said so already.
    pub(super) fn missing(&self, name: &str) {
        if self.reader.mode == Mode::Lenient {
            let fault =
                Diagnostic::error(code::MISSING_FIELD, format!("`{}` has no `{name}`", self.path));
            self.fault_for_absent(name, fault.label(format!("expected a field `{name}`")));
        }
    }

    /// At the null, if there is one.
    fn fault_for_absent(&self, name: &str, fault: Diagnostic) {
        match self.fields.get(name) {
            Some(null) => self.fault(null.span, fault),
            None => self.fault_here(fault),
        }
    }

    /// The valid strings of a list; empty where there is none.
    pub(super) fn texts(&self, name: &str) -> Vec<Text> {
        let path = self.path.key(name);
        let items = self.items(name);
        let mut all = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            all.extend(self.text_of(item, &path.index(i)));
        }
        all
    }

    /// The items of a list; none where there is no list.
    pub(super) fn items(&self, name: &str) -> &'r [Checked<'r>] {
        match self.get(name).map(|checked| &checked.is) {
            Some(Is::Array(items)) => items,
            _ => &[],
        }
    }

    /// Whether a list is absent or empty, rather than faulty.
    pub(super) fn is_empty_list(&self, name: &str) -> bool {
        match self.get(name).map(|checked| &checked.is) {
            Some(Is::Array(items)) => items.is_empty(),
            checked => checked.is_none(),
        }
    }

    /// The entries of a map of strings; empty where there is none. Keys are shown, so they must not be secret.
    pub(super) fn map(&self, name: &str) -> BTreeMap<String, Text> {
        let Some(Is::Map(entries)) = self.get(name).map(|checked| &checked.is) else {
            return BTreeMap::new();
        };
        let path = self.path.key(name);
        let entries = entries.iter().filter_map(|entry| {
            let key = entry.key.text(entry.key_span, self.document());
            if key.is_secret() {
                self.secret_name(entry.key_span, &format!("a key of `{path}`"));
            }
            let inner = self.entry_path(&path, key.expose(), entry.key_span);
            self.refuse_nul(&key, entry.key_span, &inner);
            self.text_of(&entry.value, &inner).map(|value| (key.expose().to_owned(), value))
        });
        entries.collect()
    }

    /// The path of a map's entry, with its key if that may be shown.
    pub(super) fn entry_path<'k>(&self, map: &'k Path<'k>, key: &'k str, at: Span) -> Path<'k> {
        if self.document().is_literal(at) { map.key(key) } else { map.hidden() }
    }

    /// The keys of a map, with their places in the rendered text.
    pub(super) fn keys(&self, name: &str) -> Vec<(String, Span)> {
        match self.get(name).map(|checked| &checked.is) {
            Some(Is::Map(entries)) => {
                entries.iter().map(|e| (e.key.get().into_owned(), e.key_span)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Reports a name that is secret.
    pub(super) fn secret_name(&self, at: Span, what: &str) {
        let fault = Diagnostic::error(code::SECRET_IN_NAME, format!("{what} holds a secret"));
        self.fault(at, fault.label("it would be shown").help(SECRET_HELP));
    }

    /// A symbol of an enum.
    pub(super) fn symbol(&self, name: &str) -> Option<&'r str> {
        match self.get(name)?.is {
            Is::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }

    /// A boolean.
    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        match self.get(name)?.is {
            Is::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// An integer.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name)?.is {
            Is::Integer(n) => Some(n),
            _ => None,
        }
    }

    /// An integer within a range, ends included.
    pub(super) fn integer_within(&self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let n = self.integer(name)?;
        if !range.contains(&n) {
            let (min, max) = range.into_inner();
            // An end that only the type sets is worth no words, unless it is the one that was passed.
            let open = n < min && max >= i64::from(u32::MAX);
            self.beyond(name, (min > i64::MIN).then_some(min), (!open).then_some(max));
            return None;
        }
        Some(n)
    }

    /// A number within a range, ends included.
    pub(super) fn float_within(&self, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let Is::Float(n) = self.get(name)?.is else { return None };
        if !range.contains(&n) {
            let (min, max) = range.into_inner();
            self.beyond(name, Some(min), max.is_finite().then_some(max));
            return None;
        }
        Some(n)
    }

    fn beyond<T: Display>(&self, name: &str, min: Option<T>, max: Option<T>) {
        let range = match (min, max) {
            (Some(min), Some(max)) => format!("between {min} and {max}"),
            (Some(min), None) => format!("{min} or more"),
            (None, Some(max)) => format!("{max} or less"),
            (None, None) => "in range".to_owned(),
        };
        let message = format!("`{}` must be {range}", self.path.key(name));
        self.fault(self.span_of(name), Diagnostic::error(code::NUMBER_RANGE, message));
    }

    /// What `read` makes of a record inside this one, if it is there.
    pub(super) fn inner<T>(&self, name: &str, read: impl FnOnce(Record<'_>) -> T) -> Option<T> {
        let checked = self.get(name)?;
        let path = self.path.key(name);
        self.reader.record(checked, &path).map(read)
    }

    /// The same of a record that must be there.
    pub(super) fn needed_record<T>(
        &self,
        name: &str,
        read: impl FnOnce(Record<'_>) -> T,
    ) -> Option<T> {
        if !self.has(name) {
            self.missing(name);
        }
        self.inner(name, read)
    }

    /// What `read` makes of each record of a list, with its index.
    pub(super) fn each<T>(
        &self,
        name: &str,
        mut read: impl FnMut(usize, Record<'_>) -> T,
    ) -> Vec<T> {
        self.each_right(name, |i, record| Some(read(i, record))).0
    }

    /// What `read` makes of those records of a list that it makes something of, and whether these are all items.
    pub(super) fn each_right<T>(
        &self,
        name: &str,
        mut read: impl FnMut(usize, Record<'_>) -> Option<T>,
    ) -> (Vec<T>, bool) {
        let list = self.path.key(name);
        let items = self.items(name);
        let mut all = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let path = list.index(i);
            all.extend(self.reader.record(item, &path).and_then(|record| read(i, record)));
        }
        let is_whole = all.len() == items.len();
        (all, is_whole)
    }

    /// A path of the file, seen from the file's own folder; absolute, since steps have folders of their own.
    pub(super) fn beside(&self, path: &Text) -> PathBuf {
        let file = FilePath::new(self.document().source().name());
        let path = file.parent().unwrap_or(FilePath::new("")).join(path.expose());
        std::path::absolute(&path).unwrap_or(path)
    }

    /// The place of a rendered span.
    pub(super) fn place(&self, at: Span) -> Place {
        self.document().place(at)
    }
}

/// Reports the keys of a map that `wrong` says something about.
pub(super) fn check_keys(
    data: &Record<'_>,
    name: &str,
    code: Code,
    wrong: impl Fn(&str) -> Option<&'static str>,
) {
    let map = data.path.key(name);
    for (key, at) in data.keys(name) {
        if let Some(label) = wrong(&key) {
            let path = data.entry_path(&map, &key, at);
            let message = format!("`{path}` is not a key that can be here");
            data.fault(at, Diagnostic::error(code, message).label(label));
        }
    }
}

const SECRET_HELP: &str = "take it from a variable if it is none";

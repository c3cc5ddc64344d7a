//! Words of command lines.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;

use crate::secret::Text;

/// One word of a command line, and how it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What the program gets.
    pub value: OsString,
    /// The same without secrets.
    pub shown: String,
    /// The same without values of variables, for logs; `None`: as it is shown.
    written: Option<String>,
}

impl Word {
    pub(super) fn of(text: &Text) -> Self {
        Self::found(text.expose().into(), text)
    }

    /// What the program gets for a text: the text itself, or what it names here.
    pub(super) fn found(value: OsString, text: &Text) -> Self {
        let written = text.is_computed().then(|| text.written().into());
        Self { value, shown: text.shown().into(), written }
    }

    /// See the field.
    pub(super) fn written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.shown)
    }

    /// The same with something before it.
    pub(super) fn after(self, prefix: &str) -> Self {
        let mut value = OsString::from(prefix);
        value.push(self.value);
        let put = |text: String| format!("{prefix}{text}");
        Self { value, shown: put(self.shown), written: self.written.map(put) }
    }

    /// The path that a `file:` URI means: `file:/x`, `file:///x` or `file://localhost/x` is `/x`.
    pub(super) fn without_scheme(self) -> Self {
        let strip = |text: &str| {
            let rest = text.strip_prefix("file:").unwrap_or(text);
            match rest.strip_prefix("//") {
                Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest).to_owned(),
                None => rest.to_owned(),
            }
        };
        Self {
            value: strip(&self.text()).into(),
            shown: strip(&self.shown),
            written: self.written.as_deref().map(strip),
        }
    }

    /// The word as a text: words are made of texts, but for paths of tools, which nobody asks.
    pub(super) fn text(&self) -> Cow<'_, str> {
        self.value.to_string_lossy()
    }

    /// A word without secrets.
    pub(super) fn plain(word: &str) -> Self {
        Self { value: word.into(), shown: word.into(), written: None }
    }

    /// A path of this machine.
    pub(super) fn path(path: &Path) -> Self {
        Self { value: path.into(), shown: path.display().to_string(), written: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn paths_of_file_uris() {
        for (uri, path) in
            [("file:/x", "/x"), ("file:///x", "/x"), ("file://localhost/x", "/x"), ("/x", "/x")]
        {
            let word = Word::of(&Text::new(uri, Span::at(0))).without_scheme();
            assert_eq!((&*word.text(), word.shown.as_str()), (path, path), "{uri}");
        }
    }
}

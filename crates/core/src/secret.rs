//! Values that must not be shown, and values that may be partly secret.

mod hidden;
mod literals;

use std::fmt;

pub use hidden::Hidden;
pub(crate) use literals::action;
pub use literals::{Literal, literals, names_credential};

use crate::source::Span;

/// A credential. It has no `Display` and no `Serialize`, and its `Debug` tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a value into custody.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one who must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A rendered string of a configuration file: its value, what may be shown of it, and where it stands.
///
/// What came from `systemEnv` or `base64File` is replaced by its origin in the shown form, such as
/// `--password ‹systemEnv PASS›`. Digests are taken over the shown form, so they are the same on every
/// rendering and tell nothing of the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    value: Box<str>,
    /// `None`: it stands in the file as it is, as nearly every text does.
    computed: Option<Box<Computed>>,
    /// Where it stands in the user's own file.
    pub span: Span,
}

/// What else there is to a text of which a part is computed.
#[derive(Clone, Default, PartialEq, Eq)]
struct Computed {
    /// `None`: the value itself may be shown.
    shown: Option<Box<str>>,
    /// `None`: as it is shown.
    written: Option<Box<str>>,
}

impl Text {
    /// A text without secrets.
    pub fn new(value: impl Into<Box<str>>, span: Span) -> Self {
        Self { value: value.into(), computed: None, span }
    }

    /// A text with secrets in it, and how to show it.
    pub fn with_secrets(value: String, shown: String, span: Span) -> Self {
        let computed = Computed { shown: Some(shown.into()), written: None };
        Self { computed: Some(Box::new(computed)), ..Self::new(value, span) }
    }

    /// The same, and how the file writes it.
    #[must_use]
    pub fn as_written(mut self, written: String) -> Self {
        self.computed.get_or_insert_default().written = Some(written.into());
        self
    }

    /// The value with its secrets, for the fabric only.
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// The value with each secret replaced by its origin.
    pub fn shown(&self) -> &str {
        let shown = self.computed.as_ref().and_then(|computed| computed.shown.as_deref());
        shown.unwrap_or(&self.value)
    }

    /// With all that was computed as the file writes it, such as `--day {{.day}}`: for logs, in which no value of
    /// a variable is to be found.
    pub fn written(&self) -> &str {
        let written = self.computed.as_ref().and_then(|computed| computed.written.as_deref());
        written.unwrap_or_else(|| self.shown())
    }

    /// Whether a part of it is computed.
    pub fn is_computed(&self) -> bool {
        self.computed.as_ref().is_some_and(|computed| computed.written.is_some())
    }

    /// Whether a part of it is secret.
    pub fn is_secret(&self) -> bool {
        self.computed.as_ref().is_some_and(|computed| computed.shown.is_some())
    }
}

/// The shown form.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

/// The size only: the value may come from a variable.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaks() {
        let text = Text::with_secrets("p=hunter2".into(), "p=‹systemEnv P›".into(), Span::at(0));
        assert_eq!(
            format!("{:?} {text} {text:?}", Secret::new("hunter2")),
            "Secret p=‹systemEnv P› Text(9 bytes)"
        );
        assert_eq!(text.expose(), "p=hunter2");
    }
}

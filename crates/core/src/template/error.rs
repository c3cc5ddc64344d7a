//! What can be wrong with a template, in Go's words and in words that are safe to show.

use std::fmt;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Place, code};
use crate::source::{Source, Span};

/// A template that cannot be parsed or rendered.
pub struct Error {
    pub(super) kind: ErrorKind,
    pub(super) span: Span,
    /// What Go prints. May quote values.
    pub(super) go: String,
    /// The useful part of it, without any value.
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) lack: Option<Lack>,
}

/// What was not given, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A variable.
    Variable(String),
    /// A variable of the environment.
    Environment(String),
}

/// When it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not a template.
    Parse,
    /// It could not be rendered with these variables.
    Exec,
    /// It asks for more than [`Limits`](super::Limits) or a fixed bound of this implementation allow.
    Limit,
}

impl ErrorKind {
    fn code(self) -> Code {
        match self {
            Self::Parse => code::TEMPLATE_PARSE,
            Self::Exec => code::TEMPLATE_EXEC,
            Self::Limit => code::TEMPLATE_LIMIT,
        }
    }
}

impl Error {
    /// When it went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where in the template's text.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The text that Go's text/template prints for the same fault. It may quote the value of a variable
    /// or a secret, as Go does: never show it.
    pub fn go_text(&self) -> &str {
        &self.go
    }

    /// What was not given, if that is all that is wrong.
    pub fn lack(&self) -> Option<&Lack> {
        self.lack.as_ref()
    }

    /// For the user: the useful part of Go's text without values, a caret at the template's text, help.
    pub fn diagnostic(&self, source: &Arc<Source>) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.kind.code(), self.message.as_str())
            .at(Place::new(source, self.span));
        match &self.help {
            Some(help) => diagnostic.help(help.as_str()),
            None => diagnostic,
        }
    }
}

/// The safe message.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The safe message, never Go's text.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?} at {:?}: {})", self.kind, self.span, self.message)
    }
}

impl std::error::Error for Error {}

/// Why a function or the evaluation of a node failed; the executor knows where.
pub(super) struct Fault {
    pub(super) kind: ErrorKind,
    pub(super) go: String,
    pub(super) safe: String,
    pub(super) help: Option<String>,
    pub(super) lack: Option<Lack>,
}

impl Fault {
    /// Words without any value in them.
    pub(super) fn new(text: impl Into<String>) -> Self {
        let go = text.into();
        Self { kind: ErrorKind::Exec, safe: go.clone(), go, help: None, lack: None }
    }

    /// Go's words quote a value; ours do not.
    pub(super) fn hiding(go: impl Into<String>, safe: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Exec, go: go.into(), safe: safe.into(), help: None, lack: None }
    }

    /// A bound was reached.
    pub(super) fn limit(text: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Limit, ..Self::new(text) }
    }

    pub(super) fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    pub(super) fn lacking(mut self, lack: Option<Lack>) -> Self {
        self.lack = lack;
        self
    }
}

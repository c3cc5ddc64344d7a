//! Go's text/template (as of Go 1.26, option `missingkey=error`), with a map from the rendered text back to
//! the template, and with the functions that playbooks may use.
//!
//! The whole language is here, and its error texts are Go's. What differs, on purpose:
//! - Everything is bounded: [`Limits`]; blocks and parentheses nest 64 deep (in Go parentheses 10000, blocks
//!   without end), and 100 blocks and template calls may be under way at a call (in Go 100000 calls).
//! - `%p` of a list or a map is not an address but an error in the text, as for any other value.

mod ast;
mod compare;
mod error;
mod escape;
mod eval;
mod exec;
mod float;
mod funcs;
mod layout;
mod lex;
mod map;
mod number;
mod parse;
mod printf;
mod quote;
mod unicode;
mod value;
mod verbs;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use error::{Error, ErrorKind, Lack};
pub use lex::comments;
pub use map::{Origin, Piece, SourceMap};
pub use value::{List, Map, Value};

use crate::source::Source;

/// A parsed template.
pub struct Template {
    source: Arc<Source>,
    name: Box<str>,
    parsed: parse::Parsed,
}

/// What a template is rendered with.
pub struct Inputs<'a> {
    /// The variables: what `.name` names.
    pub variables: &'a Map,
    /// Tells the time that `nowWithFormat` prints. Its zone is that of `timeWithFormat`, too. Asked only by these two.
    pub now: &'a dyn Fn() -> jiff::Zoned,
    /// The environment, for `systemEnv`.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// Reads a file, for `base64File`: its path as the template gives it. Files that never end are for it
    /// to refuse.
    pub read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// How much it may ask for.
    pub limits: Limits,
}

/// What rendering may use up. Whatever would take more is an error, found out within moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The size of the rendered text, and of every string on the way to it, in bytes.
    pub output: usize,
    /// The number of steps: each part of a template that is looked at, each turn of a loop, and each 16
    /// bytes of a string that is made.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output: 16 << 20, steps: 10_000_000 }
    }
}

/// A rendered template.
pub struct Rendered {
    /// The template.
    pub source: Arc<Source>,
    /// `None`: the template has no actions, it is the text itself.
    pub(crate) made: Option<Vec<u8>>,
    /// Where in the template each byte comes from.
    pub map: SourceMap,
    /// Whether the variables were used as a whole (printed, ranged over, given to a function): each of them
    /// counts as used then, whatever [`Mentioned::contains`] says.
    pub whole_root_used: bool,
}

/// The names in a template that may be variables.
#[derive(Debug)]
pub struct Mentioned {
    names: HashSet<Box<[u8]>>,
}

impl Template {
    /// Parses the text of `source`. The template's name is the last part of the source's.
    ///
    /// # Errors
    /// If the text is not a template, or nested too deeply.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Error> {
        Self::parse_with(source, funcs::TABLES)
    }

    fn parse_with(
        source: &Arc<Source>,
        tables: &'static [&'static [funcs::Function]],
    ) -> Result<Self, Error> {
        let name = base_name(source.name());
        match parse::parse(source, name, funcs::Functions { tables }) {
            Ok(parsed) => Ok(Self { source: Arc::clone(source), name: name.into(), parsed }),
            Err(error) => Err(*error),
        }
    }

    /// Renders it.
    ///
    /// # Errors
    /// If a variable is missing, a function fails, values do not fit, or a limit is reached.
    pub fn render(&self, inputs: &Inputs<'_>) -> Result<Rendered, Error> {
        exec::render(self, inputs).map_err(|error| *error)
    }

    /// What it names. The rest of it takes several times the space of its text.
    pub fn into_mentioned(self) -> Mentioned {
        Mentioned { names: self.parsed.mentioned }
    }
}

impl Mentioned {
    /// Whether `variable` is named anywhere, as a field or in a string. If not, it has no effect (but see
    /// [`Rendered::whole_root_used`]).
    pub fn contains(&self, variable: &str) -> bool {
        self.names.contains(variable.as_bytes())
    }
}

impl Rendered {
    /// The text; as a rule UTF-8, but a template can make any bytes.
    pub fn bytes(&self) -> &[u8] {
        self.made.as_deref().unwrap_or_else(|| self.source.text().as_bytes())
    }

    /// Whether it is the template itself, which has no actions.
    pub fn is_plain(&self) -> bool {
        self.made.is_none()
    }
}

fn base_name(path: &str) -> &str {
    let end = if cfg!(windows) { path.rfind(['/', '\\']) } else { path.rfind('/') };
    end.map_or(path, |end| &path[end + 1..])
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.source)
    }
}

/// The number of variables and the limits, never what is in them.
impl fmt::Debug for Inputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inputs({:?}, {:?})", self.variables, self.limits)
    }
}

/// The sizes only: the text may hold secrets.
impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pieces = self.map.len();
        write!(f, "Rendered({} bytes in {pieces} pieces)", self.bytes().len())
    }
}

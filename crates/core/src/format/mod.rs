//! Configurations in one style, text for text: only white space between the tokens of JSON changes.
//!
//! A file is formatted as it stands, with its template: nothing is rendered, and no action, string, number or word
//! is changed. What cannot be understood so is refused, and what comes out is held against what went in
//! before anybody sees it.

mod layout;
mod scan;
mod strings;
mod tokens;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Place};
use crate::source::{Source, Span};
use crate::template::Template;
use tokens::Tokens;

/// So many characters a line has, where the file allows for it.
pub const WIDTH: usize = 100;

/// Why a text is left as it is.
#[derive(Debug)]
pub enum Refused {
    /// It is no template, or no JSON when its actions are left out.
    Faulty(Box<Diagnostic>),
    /// The formatted text would not have been the same configuration: a fault of the formatter.
    Changed(&'static str),
}

/// Something that is no JSON.
#[derive(Debug)]
struct Fault {
    code: Code,
    message: &'static str,
    span: Range<usize>,
    help: &'static str,
}

fn fault(code: Code, message: &'static str, span: Range<usize>, help: &'static str) -> Box<Fault> {
    Box::new(Fault { code, message, span, help })
}

/// The text of `source` in our style.
///
/// # Errors
/// It cannot be formatted, and is best left as it is.
pub fn format(source: &Arc<Source>) -> Result<String, Refused> {
    checked(source, &layout::write)
}

/// Formats with `write`, and believes it nothing.
fn checked(source: &Arc<Source>, write: &dyn Fn(&Tokens<'_>) -> String) -> Result<String, Refused> {
    let refused = |found: Box<Fault>| {
        let place = Place::new(source, Span::new(found.span.start, found.span.end));
        Diagnostic::error(found.code, found.message).at(place).help(found.help)
    };
    Template::parse(source).map_err(|error| Refused::Faulty(Box::new(error.diagnostic(source))))?;
    let before =
        Tokens::read(source.text()).map_err(|found| Refused::Faulty(Box::new(refused(found))))?;
    let text = write(&before);
    let solid = |text: &str| text.bytes().filter(|b| !scan::is_space(*b)).collect::<Vec<_>>();
    if solid(source.text()) != solid(&text) {
        return Err(Refused::Changed("more than white space would change"));
    }
    let after = Tokens::read(&text)
        .map_err(|_| Refused::Changed("the formatted text could not be read again"))?;
    if !before.same(&after) {
        return Err(Refused::Changed("a string or an action would change"));
    }
    if write(&after) != text {
        return Err(Refused::Changed("the formatted text would be formatted otherwise again"));
    }
    Ok(text)
}

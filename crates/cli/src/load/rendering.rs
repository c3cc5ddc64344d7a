//! A template rendered, or all that it lacks.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::Arc;

use dataflow_runner_core::diagnostic::{Diagnostic, code};
use dataflow_runner_core::source::Source;
use dataflow_runner_core::template::{Error, Inputs, Lack, Map, Rendered, Template, Value};

/// Nobody wants to read of more than this.
const MOST: usize = 100;

/// Renders a template. Where variables are missing, of the command line or of the environment, all of them are told of
/// and not the first alone: it is rendered again with something in the place of each, until nothing is missing any more.
/// What else goes wrong with that may be due to what was put there, so it is not told.
/// With `takes_any` what is missing is taken for its own name.
///
/// # Errors
/// What is missing, or the one thing that is wrong.
pub(super) fn render(
    template: &Template,
    source: &Arc<Source>,
    inputs: &Inputs<'_>,
    takes_any: bool,
) -> Result<Rendered, Vec<Diagnostic>> {
    let mut error = match template.render(inputs) {
        Ok(rendered) => return Ok(rendered),
        Err(error) => error,
    };
    let mut missing = Missing::default();
    let mut faults = vec![error.diagnostic(source)];
    while let Some(lack) = error.lack()
        && missing.add(lack)
        && faults.len() < MOST
    {
        error = match missing.render(template, inputs) {
            Ok(rendered) if takes_any => return Ok(rendered),
            Ok(_) => break,
            Err(error) => error,
        };
        match error.lack() {
            Some(_) => faults.push(error.diagnostic(source)),
            None if takes_any => return Err(vec![error.diagnostic(source)]),
            None => {}
        }
    }
    if faults.len() >= MOST {
        let message = format!("no more than {MOST} of what is missing is told");
        faults.push(Diagnostic::error(code::TOO_MANY_FAULTS, message));
    }
    Err(faults)
}

/// Names of what was not given.
#[derive(Default)]
struct Missing {
    variables: BTreeSet<String>,
    environment: BTreeSet<String>,
}

impl Missing {
    /// `false` if it was known.
    fn add(&mut self, lack: &Lack) -> bool {
        match lack {
            Lack::Variable(name) => self.variables.insert(name.clone()),
            Lack::Environment(name) => self.environment.insert(name.clone()),
        }
    }

    /// Renders as if each had been given, with its name as its value.
    fn render(&self, template: &Template, inputs: &Inputs<'_>) -> Result<Rendered, Error> {
        let given = inputs.variables.entries().iter();
        let given = given.map(|(name, value)| (&**name, value.clone()));
        let stand_ins =
            self.variables.iter().map(|name| (name.as_str(), Value::from(name.as_str())));
        let variables: Map = given.chain(stand_ins).collect();
        let env = |name: &str| {
            let stand_in = || self.environment.get(name).map(OsString::from);
            (inputs.env)(name).or_else(stand_in)
        };
        template.render(&Inputs { variables: &variables, env: &env, ..*inputs })
    }
}

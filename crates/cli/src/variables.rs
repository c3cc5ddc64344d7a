//! The values that a command line gives to templates.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics, code};
use dataflow_runner_core::file;
use dataflow_runner_core::inputs::Inputs;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::args;
use crate::commands::Usage;
use crate::load::{LARGEST_FILE, text, unreadable};

/// Variables by name. A value may be anybody's secret: no diagnostic tells one, and there is no `Debug`.
#[derive(Default)]
pub(crate) struct Variables {
    values: BTreeMap<String, Given>,
}

struct Given {
    value: Value,
    /// The flag that gave it; none where it was given to the run before.
    flag: Option<&'static str>,
    /// The name that it has in the environment, where it is from there.
    environment: Option<String>,
}

impl Variables {
    /// Gathers them: the file first, then `--vars`, `--var` and `--var-env`; later ones win. Whatever is given
    /// twice in one of them is a warning.
    ///
    /// # Errors
    /// An argument that has not the form it should have.
    pub(crate) fn gather(
        args: &args::Variables,
        env: &dyn Fn(&str) -> Option<OsString>,
        faults: &mut Diagnostics,
    ) -> Result<Self, Usage> {
        let mut all = Self::default();
        if let Some(path) = &args.vars_file {
            match read(path) {
                Ok(pairs) => all.add("--vars-file", plain(pairs), faults),
                Err(fault) => faults.push(fault),
            }
        }
        let vars = args.vars.as_deref().map(pairs_of).transpose()?.unwrap_or_default();
        all.add("--vars", plain(vars), faults);
        let var = args.var.iter().map(|pair| parted(pair, "--var", "NAME=VALUE"));
        let var: Vec<_> = var.collect::<Result<_, _>>()?;
        let var = var.into_iter().map(|(name, value)| (name, Value::String(value)));
        all.add("--var", plain(var), faults);
        let var_env = args.var_env.iter().map(|pair| parted(pair, "--var-env", "NAME=ENVIRONMENT"));
        let var_env: Vec<_> = var_env.collect::<Result<_, _>>()?;
        let found = var_env.into_iter().filter_map(|(name, variable)| {
            let value = from_environment(&name, &variable, env);
            let value = value.map_err(|fault| faults.push(fault)).ok()?;
            Some((name, value, Some(variable)))
        });
        let found: Vec<_> = found.collect();
        all.add("--var-env", found, faults);
        Ok(all)
    }

    /// Gathers those of a run that was started before; what is given now wins.
    ///
    /// # Errors
    /// An argument that has not the form it should have.
    pub(crate) fn again(
        inputs: &Inputs,
        args: &args::Variables,
        env: &dyn Fn(&str) -> Option<OsString>,
        faults: &mut Diagnostics,
    ) -> Result<Self, Usage> {
        let mut all = Self::gather(args, env, faults)?;
        for (name, value) in &inputs.variables {
            let given = || Given { value: value.clone(), flag: None, environment: None };
            all.values.entry(name.clone()).or_insert_with(given);
        }
        for (name, variable) in &inputs.environment {
            let Entry::Vacant(place) = all.values.entry(name.clone()) else { continue };
            match from_environment(name, variable, env) {
                Ok(value) => {
                    let environment = Some(variable.clone());
                    place.insert(Given { value, flag: None, environment });
                }
                Err(fault) => faults.push(fault),
            }
        }
        Ok(all)
    }

    /// Keeps them, those of the environment by name only.
    pub(crate) fn keep(&self, inputs: &mut Inputs) {
        for (name, given) in &self.values {
            match &given.environment {
                Some(variable) => {
                    inputs.environment.insert(name.clone(), variable.clone());
                }
                None => {
                    inputs.variables.insert(name.clone(), given.value.clone());
                }
            }
        }
    }

    /// Names and values.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, given)| (name.as_str(), &given.value))
    }

    /// Warns of each that is given now and that nothing uses.
    pub(crate) fn warn_of_unused(&self, used: &dyn Fn(&str) -> bool, faults: &mut Diagnostics) {
        for (name, given) in self.values.iter().filter(|(name, _)| !used(name)) {
            let Some(flag) = given.flag else { continue };
            let message = format!("variable `{name}` is given by `{flag}` and never used");
            faults.push(
                Diagnostic::warning(code::UNUSED_VARIABLE, message)
                    .help(format!("a template uses it as `{}`", usage(name))),
            );
        }
    }

    fn add(&mut self, flag: &'static str, given: Vec<Named>, faults: &mut Diagnostics) {
        let mut names = BTreeSet::new();
        for (name, value, environment) in given {
            if !names.insert(name.clone()) {
                let message = format!("variable `{name}` is given twice by `{flag}`");
                let twice = Diagnostic::warning(code::VARIABLE_GIVEN_TWICE, message);
                faults.push(twice.help("the last value counts; take the others out"));
            }
            self.values.insert(name, Given { value, flag: Some(flag), environment });
        }
    }
}

/// A variable's name and value, and the name that it has in the environment, where it is from there.
type Named = (String, Value, Option<String>);

fn plain(pairs: impl IntoIterator<Item = (String, Value)>) -> Vec<Named> {
    pairs.into_iter().map(|(name, value)| (name, value, None)).collect()
}

/// The value of variable `name`, which is that of `variable` in the environment.
fn from_environment(
    name: &str,
    variable: &str,
    env: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Value, Diagnostic> {
    match env(variable).map(OsString::into_string) {
        Some(Ok(value)) => Ok(Value::String(value)),
        Some(Err(_)) => Err(Diagnostic::error(
            code::NOT_UTF_8,
            format!("environment variable `{variable}` is not UTF-8"),
        )),
        None => {
            let message = format!("environment variable `{variable}` is not set");
            let help = format!("`--var-env` takes the value of variable `{name}` from it");
            Err(Diagnostic::error(code::ENVIRONMENT_VARIABLE_NOT_SET, message).help(help))
        }
    }
}

/// How a template uses a variable: by a dot only if its name is a word.
fn usage(name: &str) -> String {
    let begins = |c: char| c == '_' || c.is_alphabetic();
    match name.starts_with(begins) && name.chars().all(|c| begins(c) || c.is_numeric()) {
        true => format!("{{{{.{name}}}}}"),
        false => format!("{{{{index . {name:?}}}}}"),
    }
}

/// `key,value,key,value` as 0.7.x took it.
fn pairs_of(vars: &str) -> Result<Vec<(String, Value)>, Usage> {
    if vars.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<_> = vars.split(',').collect();
    let pairs = words.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(Usage::new("--vars must have an even number of keys and values"));
    }
    Ok(pairs.map(|pair| (pair[0].to_owned(), Value::String(pair[1].to_owned()))).collect())
}

fn parted(pair: &str, flag: &str, form: &str) -> Result<(String, String), Usage> {
    match pair.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        // The argument itself is not told: it may be a value.
        _ => Err(Usage::new(format!("{flag} takes {form}"))),
    }
}

/// Names and values of a JSON object, in the order of the file.
fn read(path: &Path) -> Result<Vec<(String, Value)>, Diagnostic> {
    let fault = |message: String| Diagnostic::error(code::VARIABLES_FILE, message);
    let shown = path.display();
    let bytes = file::read(path, LARGEST_FILE)
        .map_err(|error| unreadable(code::VARIABLES_FILE, &shown.to_string(), path, &error))?;
    let source = text(shown.to_string(), bytes)?;
    let pairs: Result<Pairs, _> = serde_json::from_str(source.text());
    // The error's own words may quote a value.
    pairs.map(|pairs| pairs.0).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => {
            fault(format!("`{shown}` does not hold a JSON object"))
                .help("write {\"NAME\": VALUE, …}")
        }
        _ => fault(format!("`{shown}` is not JSON at line {}, column {}", e.line(), e.column())),
    })
}

/// A JSON object with all its members, also equal ones.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(args: &args::Variables) -> (Variables, Vec<String>) {
        let mut faults = Diagnostics::new();
        let env = |name: &str| (name == "SET").then(|| "from-env".into());
        let all = Variables::gather(args, &env, &mut faults)
            .unwrap_or_else(|usage| panic!("{}", usage.text()));
        (all, faults.sorted().iter().map(ToString::to_string).collect())
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn later_ones_win_and_files_give_any_type() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), r#"{"a": 1, "b": [1], "c": "f", "d": null}"#).expect("written");
        let args = args::Variables {
            vars_file: Some(file.path().into()),
            vars: Some("c,v,x,1".into()),
            var: words(&["x=2=3"]),
            var_env: words(&["e=SET"]),
        };
        let (all, faults) = gathered(&args);
        let values: Vec<_> = all.values().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(values, ["a=1", "b=[1]", "c=\"v\"", "d=null", "e=\"from-env\"", "x=\"2=3\""]);
        assert_eq!(faults, [""; 0]);
    }

    #[test]
    fn faults_name_variables_and_never_tell_values() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), r#""hunter2""#).expect("written");
        let args = args::Variables {
            vars_file: Some(file.path().into()),
            vars: Some("a,hunter2,a,hunter3".into()),
            var_env: words(&["e=UNSET"]),
            ..Default::default()
        };
        let (all, faults) = gathered(&args);
        let all_faults = faults.join("\n");
        assert!(all_faults.contains("variable `a` is given twice by `--vars`"), "{all_faults}");
        assert!(all_faults.contains("does not hold a JSON object"), "{all_faults}");
        assert!(all_faults.contains("environment variable `UNSET` is not set"), "{all_faults}");
        assert!(!all_faults.contains("hunter"), "{all_faults}");
        let mut unused = Diagnostics::new();
        all.warn_of_unused(&|_| false, &mut unused);
        assert_eq!(unused.warnings(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_a_fault() {
        use std::os::unix::ffi::OsStringExt;

        let args = args::Variables { var_env: words(&["a=E"]), ..Default::default() };
        let mut faults = Diagnostics::new();
        let env = |_: &str| Some(OsString::from_vec(vec![b'h', 0xff]));
        let gathered = Variables::gather(&args, &env, &mut faults);
        assert!(gathered.is_ok_and(|all| all.values().next().is_none()));
        let lines: Vec<_> = faults.sorted().iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["error[not-utf-8]: environment variable `E` is not UTF-8"]);
    }

    #[test]
    fn a_name_that_is_no_word_is_used_by_index() {
        assert_eq!(usage("day_2"), "{{.day_2}}");
        assert_eq!(usage("a-b"), "{{index . \"a-b\"}}");
        assert_eq!(usage("2"), "{{index . \"2\"}}");
    }

    #[test]
    fn what_has_not_the_form_is_wrong_usage() {
        for (vars, var) in [(Some("a,b,c"), ""), (None, "a"), (None, "=b")] {
            let var = if var.is_empty() { Vec::new() } else { words(&[var]) };
            let args = args::Variables { vars: vars.map(Into::into), var, ..Default::default() };
            assert!(Variables::gather(&args, &|_| None, &mut Diagnostics::new()).is_err());
        }
    }
}

//! The values that a command line gives to templates.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::args;
use crate::commands::Usage;

/// Variables by name. A value may be anybody's secret: no diagnostic tells one, and there is no `Debug`.
#[derive(Default)]
pub(crate) struct Variables {
    values: BTreeMap<String, (Value, &'static str)>,
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
                Ok(pairs) => all.add("--vars-file", pairs, faults),
                Err(fault) => faults.push(fault),
            }
        }
        let vars = args.vars.as_deref().map(pairs_of).transpose()?.unwrap_or_default();
        all.add("--vars", vars, faults);
        let var = args.var.iter().map(|pair| parted(pair, "--var", "NAME=VALUE"));
        let var: Vec<_> = var.collect::<Result<_, _>>()?;
        all.add("--var", var.into_iter().map(|(k, v)| (k, Value::String(v))).collect(), faults);
        let var_env = args.var_env.iter().map(|pair| parted(pair, "--var-env", "NAME=ENVIRONMENT"));
        let var_env: Vec<_> = var_env.collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for (name, variable) in var_env {
            match env(&variable).map(OsString::into_string) {
                Some(Ok(value)) => found.push((name, Value::String(value))),
                Some(Err(_)) => faults.push(Diagnostic::error(
                    "not-utf-8",
                    format!("environment variable `{variable}` is not UTF-8"),
                )),
                None => faults.push(
                    Diagnostic::error(
                        "environment-variable-not-set",
                        format!("environment variable `{variable}` is not set"),
                    )
                    .help(format!("`--var-env` takes the value of variable `{name}` from it")),
                ),
            }
        }
        all.add("--var-env", found, faults);
        Ok(all)
    }

    /// Names and values.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, (value, _))| (name.as_str(), value))
    }

    /// Warns of each that nothing uses.
    pub(crate) fn warn_of_unused(&self, used: &dyn Fn(&str) -> bool, faults: &mut Diagnostics) {
        for (name, (_, flag)) in self.values.iter().filter(|(name, _)| !used(name)) {
            let message = format!("variable `{name}` is given by `{flag}` and never used");
            faults.push(
                Diagnostic::warning("unused-variable", message)
                    .help(format!("a template uses it as `{}`", usage(name))),
            );
        }
    }

    fn add(&mut self, flag: &'static str, pairs: Vec<(String, Value)>, faults: &mut Diagnostics) {
        let mut names = std::collections::BTreeSet::new();
        for (name, value) in pairs {
            if !names.insert(name.clone()) {
                let message = format!("variable `{name}` is given twice by `{flag}`");
                let twice = Diagnostic::warning("variable-given-twice", message);
                faults.push(twice.help("the last value counts; take the others out"));
            }
            self.values.insert(name, (value, flag));
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
    let fault = |message: String| Diagnostic::error("variables-file", message);
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|e| fault(format!("cannot read variables from `{shown}`: {e}")))?;
    let pairs: Result<Pairs, _> = serde_json::from_slice(&bytes);
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

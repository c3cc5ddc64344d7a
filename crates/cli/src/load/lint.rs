//! What `lint` does beside reading files: values to try templates with, texts that are no files, and comments that
//! allow nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics, Severity, code};
use dataflow_runner_core::source::Source;
use serde_json::Value;

use super::{Any, Loader};
use crate::variables;

/// Beside the files, values for the templates of a whole folder.
const OF_FOLDER: &str = "vars.json";

/// What only `lint` has.
#[derive(Default)]
pub(super) struct Lints {
    given: Option<(PathBuf, String)>,
    /// The values of the folder that was looked at last.
    folder: Option<(PathBuf, Vec<(String, Value)>)>,
}

impl Lints {
    /// The text of a file that is none.
    pub(super) fn given(&self, path: &Path) -> Option<&str> {
        self.given.as_ref().filter(|(name, _)| name == path).map(|(_, text)| text.as_str())
    }
}

impl Loader {
    /// From now on what is valid is looked at, too.
    pub(crate) fn with_lints(mut self) -> Self {
        self.lints = Some(Lints::default());
        self
    }

    /// A text stands for the file of that name.
    pub(crate) fn give(&mut self, name: &Path, text: String) {
        if let Some(lints) = &mut self.lints {
            lints.given = Some((name.to_owned(), text));
        }
    }

    /// A file with the values that stand beside it, in `vars.json` and, stronger, in `NAME.vars.json`. What the command
    /// line gives goes before both.
    pub(crate) fn lint(&mut self, path: &Path) -> Option<Any> {
        let own = self.own_values(path);
        let beside = self.folder_values(path).into_iter().chain(own.iter().cloned());
        let given = self.variables.values().map(|(name, value)| (name.to_owned(), value.clone()));
        // The last of equal names counts.
        let all: BTreeMap<_, _> = beside.chain(given).collect();
        let map = all.into_iter().map(|(name, value)| (name, value.into())).collect();
        let before = std::mem::replace(&mut self.map, map);
        let (rendered, faulty) = (self.templates.len(), self.faults.errors());
        let any = self.any(path);
        if self.faults.errors() > faulty {
            self.say_where_values_are_from(path);
        }
        self.warn_of_idle(path, rendered, &own);
        self.map = before;
        any
    }

    /// Adds to faults the comments that allow what is not there, in files in which every rule had its look.
    pub(super) fn with_idle_comments(&self, mut faults: Diagnostics) -> Diagnostics {
        let complete = |source: &Source| {
            let here = |fault: &&Diagnostic| {
                fault.place.as_ref().is_some_and(|place| place.source.name() == source.name())
            };
            !faults.iter().filter(here).any(|fault| fault.severity == Severity::Error)
        };
        let idle = self.allowed.unused(&complete);
        faults.append(idle);
        faults
    }

    /// The values for one file alone.
    fn own_values(&mut self, path: &Path) -> Vec<(String, Value)> {
        self.values_of(&own(path))
    }

    fn folder_values(&mut self, path: &Path) -> Vec<(String, Value)> {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let known = self.lints.as_ref().and_then(|lints| lints.folder.as_ref());
        if let Some((_, values)) = known.filter(|(known, _)| *known == folder) {
            return values.clone();
        }
        let values = self.values_of(&folder.join(OF_FOLDER));
        if let Some(lints) = &mut self.lints {
            lints.folder = Some((folder, values.clone()));
        }
        values
    }

    fn values_of(&mut self, path: &Path) -> Vec<(String, Value)> {
        if !self.around.at(path).is_file() {
            return Vec::new();
        }
        variables::read(path).map_err(|fault| self.faults.push(fault)).unwrap_or_default()
    }

    /// Says in the fault of a missing variable where values may stand.
    fn say_where_values_are_from(&mut self, path: &Path) {
        let own = own(path);
        let name = own.file_name().unwrap_or_default().to_string_lossy();
        let words = format!(
            "`lint` takes values to try from `{name}` or `{OF_FOLDER}` beside the file, or from `--vars-file`"
        );
        let faults = std::mem::take(&mut self.faults);
        let told = faults.into_iter().map(|fault| {
            let missing = fault.code == code::TEMPLATE_EXEC
                && fault.message.contains("no entry for key")
                && fault.notes.is_empty();
            if missing { fault.note(words.clone(), None) } else { fault }
        });
        self.faults = told.collect();
    }

    /// Warns of values for this file alone that it does not use.
    fn warn_of_idle(&mut self, path: &Path, rendered: usize, own_values: &[(String, Value)]) {
        let Some(template) = self.templates.get(rendered) else { return };
        if !self.knows_uses {
            return;
        }
        let idle = own_values.iter().filter(|(name, _)| !template.mentions(name));
        let faults: Vec<_> = idle
            .map(|(name, _)| {
                let file = own(path);
                let message = format!("variable `{name}` of `{}` is never used", file.display());
                Diagnostic::warning(code::UNUSED_VARIABLE, message)
                    .help(format!("`{}` does not name it", path.display()))
            })
            .collect();
        self.faults.extend(faults);
    }
}

/// Where values for one file alone stand: beside `playbook.json` or `playbook.json.tmpl` in `playbook.vars.json`.
fn own(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = crate::commands::lint::ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    path.with_file_name(format!("{}.vars.json", stem.unwrap_or(&name)))
}

//! What a run was started with: kept, and loaded again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics, code};
use dataflow_runner_core::fabric::emr::Credentials;
use dataflow_runner_core::inputs::{self, Inputs, Kept, Started};
use dataflow_runner_core::source::Source;
use jiff::tz::TimeZone;

use super::{Around, Loader, read};
use crate::args;
use crate::commands::Usage;
use crate::variables::Variables;

/// What is to be otherwise than the first time.
pub(crate) struct Instead<'a> {
    /// Another cluster file.
    pub(crate) config: Option<&'a Path>,
    /// Another playbook.
    pub(crate) playbook: Option<&'a Path>,
    /// More variables, and other values of those that there were.
    pub(crate) variables: &'a args::Variables,
}

/// A run's files, about to be loaded again.
pub(crate) struct Again {
    /// Has copies of those files that are the same.
    pub(crate) loader: Loader,
    /// The name by which the loader knows the cluster file, where there is one.
    pub(crate) config: Option<PathBuf>,
    /// The same of the playbook.
    pub(crate) playbook: Option<PathBuf>,
}

/// A file of the first time.
pub(super) struct Copy {
    pub(super) kept: Kept,
    /// What names another in its place.
    flag: &'static str,
}

/// A file that was loaded.
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    pub(super) source: Arc<Source>,
    pub(super) credentials: Option<Credentials>,
}

impl Loader {
    /// For the files of a run that was started before: the same time, variables and files but for what is given
    /// instead. Variables of the environment are read there again.
    ///
    /// # Errors
    /// An argument that has not the form it should have.
    pub(crate) fn again(inputs: &Inputs, instead: &Instead<'_>) -> Result<Again, Usage> {
        Self::again_in(inputs, instead, Around::program())
    }

    pub(super) fn again_in(
        inputs: &Inputs,
        instead: &Instead<'_>,
        around: Around,
    ) -> Result<Again, Usage> {
        let mut faults = Diagnostics::new();
        let variables = Variables::again(inputs, instead.variables, &around.env, &mut faults)?;
        let now = inputs.started.again(TimeZone::system());
        let mut loader =
            Self::with(variables, Box::new(|| now), Some(inputs.started.clone()), around, faults);
        let mut file = |other: Option<&Path>, kept: Option<&Kept>, flag| match (other, kept) {
            (Some(other), _) => Some(other.to_owned()),
            (None, Some(kept)) => {
                let path = kept.path(loader.around.here.as_deref());
                loader.copies.insert(path.clone(), Copy { kept: kept.clone(), flag });
                Some(path)
            }
            (None, None) => None,
        };
        let config = file(instead.config, inputs.config.as_ref(), "--config");
        let playbook = file(instead.playbook, inputs.playbook.as_ref(), "--playbook");
        Ok(Again { loader, config, playbook })
    }

    /// What is to be kept of these files, which were loaded, and of all that they were rendered with. Secrets of steps
    /// are the plan's ([`Inputs::key_secrets`]).
    pub(crate) fn inputs(&self, config: Option<&Path>, playbook: Option<&Path>) -> Inputs {
        let mut inputs = Inputs {
            version: inputs::VERSION,
            started: self.started.clone().unwrap_or_else(|| Started::of(&self.now)),
            config: config.and_then(|path| self.kept(path)),
            playbook: playbook.and_then(|path| self.kept(path)),
            variables: Default::default(),
            environment: Default::default(),
            secrets: Default::default(),
        };
        self.variables.keep(&mut inputs);
        inputs
    }

    fn kept(&self, path: &Path) -> Option<Kept> {
        if let Some(copy) = self.copies.get(path) {
            return Some(copy.kept.clone());
        }
        let file = self.loaded.iter().find(|file| file.path == path)?;
        let here = self.around.here.as_deref();
        Some(Kept::of(&file.source, file.credentials.as_ref(), here))
    }

    /// The text of a file: of a copy, where there is one, with the credentials that the file itself has.
    pub(super) fn source(&mut self, path: &Path) -> Result<Source, Diagnostic> {
        if let Some(text) = self.texts.remove(path) {
            return text;
        }
        let name = path.display().to_string();
        let read = |name| read(&self.around.at(path), name);
        let Some(copy) = self.copies.get(path) else { return read(name) };
        if let Some(text) = copy.kept.whole() {
            return Ok(Source::new(name, text));
        }
        let source = read(name).map_err(|fault| {
            not_kept(path, copy.flag, "cannot be read any more").note(fault.message, None)
        })?;
        match copy.kept.is_of(source.text()) {
            true => Ok(source),
            false => Err(not_kept(path, copy.flag, "has changed since the run was started")),
        }
    }
}

fn not_kept(path: &Path, flag: &str, why: &str) -> Diagnostic {
    let name = path.display();
    let message =
        format!("the literal credentials of `{name}` are not kept with a run, and the file {why}");
    let help = format!("put the file back as it was, or name another by {flag}");
    Diagnostic::error(code::CREDENTIALS_NOT_KEPT, message).help(help)
}

//! What a run was started with, kept in its folder so that its files can be rendered again, with the same result.
//!
//! `runs/<run id>/inputs.json`, for nobody else to read: the files as their authors wrote them, the variables, and the
//! run's time. Literal credentials are cut out of the files, and a variable that is taken from the environment is kept
//! by name, so neither is ever in it. It goes away once the run has succeeded.

mod cut;
mod kept;
mod key;
mod started;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use cut::PLACEHOLDER;
pub use kept::Kept;
use serde::{Deserialize, Serialize};
pub use started::Started;

use crate::config::playbook::Step;
use crate::crash;
use crate::journal::sync_folder;
use key::Key;

/// The version of the format that this program writes. It reads this one and all before it.
pub const VERSION: u32 = 1;

/// The name of the file in a run's folder.
const FILE: &str = "inputs.json";
/// The same as long as it is not whole.
const PART: &str = "inputs.json.part";

/// What a run was started with.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inputs {
    /// The version of the format.
    pub version: u32,
    /// What `nowWithFormat` tells.
    pub started: Started,
    /// The cluster file, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Kept>,
    /// The playbook, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<Kept>,
    /// Values of variables by name.
    #[serde(default)]
    pub variables: BTreeMap<String, serde_json::Value>,
    /// Of each variable whose value the environment gives, the name that it has there.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// For each step that has secrets, by its id: a digest of them that tells nothing without the key of the state
    /// folder.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}

/// Why inputs cannot be kept or read. It quotes nothing of them.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Io(&'static str, io::Error),
    Missing,
    Newer(u32),
    Damaged { line: usize, column: usize },
    NoKey(&'static str),
}

impl Inputs {
    /// Keeps digests of the secrets of these steps, with the key of the state folder, which is made if there is none.
    ///
    /// # Errors
    /// The key can neither be read nor made.
    pub fn key_secrets(&mut self, steps: &[Step], state_folder: &Path) -> Result<(), Error> {
        self.secrets.clear();
        let mut secret = steps.iter().filter(|step| key::has_secrets(step)).peekable();
        if secret.peek().is_some() {
            let key = Key::of(state_folder)?;
            self.secrets = secret.map(|step| (step.id.clone(), key.digest(step))).collect();
        }
        Ok(())
    }

    /// The ids of those of these steps whose secrets are not those of the first time. What else of a step has changed
    /// its own digest tells; a step that has come to have secrets, or has none any more, has changed so.
    ///
    /// # Errors
    /// The key cannot be read: nothing can be told.
    pub fn changed_secrets(
        &self,
        steps: &[Step],
        state_folder: &Path,
    ) -> Result<Vec<String>, Error> {
        let kept = |step: &&Step| key::has_secrets(step) && self.secrets.contains_key(&step.id);
        let mut steps = steps.iter().filter(kept).peekable();
        if steps.peek().is_none() {
            return Ok(Vec::new());
        }
        let key = Key::existing(state_folder)?;
        let changed = steps.filter(|step| self.secrets.get(&step.id) != Some(&key.digest(step)));
        Ok(changed.map(|step| step.id.clone()).collect())
    }

    /// Keeps them in the folder of a run, in place of those that are there. On disk when this returns.
    ///
    /// # Errors
    /// They cannot be written; those that were there stay.
    pub fn write(&self, run_folder: &Path) -> Result<(), Error> {
        let (part, path) = (run_folder.join(PART), run_folder.join(FILE));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        private(&mut options);
        let write = || {
            let text = serde_json::to_vec(self)?;
            let mut file = options.open(&part)?;
            file.write_all(&text)?;
            file.sync_all()?;
            crash::point("inputs: about to be kept");
            fs::rename(&part, &path)?;
            crash::point("inputs: kept");
            sync_folder(run_folder)
        };
        write().map_err(|error| {
            // Half of them are of no use, and nobody should find them.
            let _ = fs::remove_file(&part);
            Error { path, kind: Kind::Io("write", error) }
        })
    }

    /// Reads those of a run.
    ///
    /// # Errors
    /// There are none (see [`Error::is_missing`]), they cannot be read, or a newer program wrote them.
    pub fn read(run_folder: &Path) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Format {
            version: u32,
        }

        let path = run_folder.join(FILE);
        let failed = |kind| Error { path: path.clone(), kind };
        let text = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => failed(Kind::Missing),
            _ => failed(Kind::Io("read", error)),
        })?;
        // The words of its error may quote a value.
        let damaged = |error: serde_json::Error| {
            failed(Kind::Damaged { line: error.line(), column: error.column() })
        };
        let format: Format = serde_json::from_slice(&text).map_err(damaged)?;
        if format.version > VERSION {
            return Err(failed(Kind::Newer(format.version)));
        }
        serde_json::from_slice(&text).map_err(damaged)
    }
}

/// Removes what was kept of a run's inputs, if anything was.
///
/// # Errors
/// It cannot be removed.
pub fn forget(run_folder: &Path) -> Result<(), Error> {
    crash::point("inputs: before they are removed");
    for name in [PART, FILE] {
        let path = run_folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error { path, kind: Kind::Io("remove", error) });
            }
            _ => {}
        }
    }
    Ok(())
}

/// A file that it makes is its owner's alone.
fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

impl Error {
    /// Nothing was kept, or it was removed since.
    pub fn is_missing(&self) -> bool {
        matches!(self.kind, Kind::Missing)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            Kind::Io(what, error) => write!(f, "cannot {what} `{path}`: {error}"),
            Kind::Missing => {
                write!(f, "what the run was started with is not kept: there is no `{path}`")
            }
            Kind::Newer(version) => {
                write!(f, "`{path}` has version {version}, this program reads up to {VERSION}")
            }
            Kind::Damaged { line, column } => {
                write!(f, "`{path}` is damaged at line {line}, column {column}")
            }
            Kind::NoKey(what) => write!(f, "`{path}` {what}"),
        }
    }
}

impl std::error::Error for Error {}

/// Names only: any value may be somebody's secret.
impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs")
            .field("version", &self.version)
            .field("started", &self.started)
            .field("config", &self.config)
            .field("playbook", &self.playbook)
            .field("variables", &self.variables.keys())
            .field("environment", &self.environment)
            .field("secrets", &self.secrets.keys())
            .finish()
    }
}

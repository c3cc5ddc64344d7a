//! Runs that are not to be told of any more.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Error, FILE, Kind, lock, runs, sync_folder};
use crate::folder;

/// What is being removed has this before its name, so that half of a run is never taken for a run.
const GOING: &str = ".removed-";

/// A run that nobody drives, nor can take up as long as this is there.
#[derive(Debug)]
pub struct Held {
    /// Locked.
    _journal: fs::File,
    folder: PathBuf,
}

impl Held {
    /// Keeps everybody from driving a run.
    ///
    /// # Errors
    /// Somebody drives it ([`Error::is_locked`]), or its journal cannot be opened.
    pub fn take(run_folder: &Path) -> Result<Self, Error> {
        let path = run_folder.join(FILE);
        // As whoever wants to drive it opens it: where files are read-only nothing is to be removed either.
        let journal = OpenOptions::new().read(true).append(true).open(&path).map_err(|error| {
            Error { path: path.clone(), kind: Kind::Io("open the journal", error) }
        })?;
        lock(&journal, &path)?;
        Ok(Self { _journal: journal, folder: run_folder.to_owned() })
    }

    /// How many bytes its folder holds.
    ///
    /// # Errors
    /// It cannot be looked into.
    pub fn size(&self) -> Result<u64, Error> {
        let failed = |error| self.error("look into", error);
        folder::size(&self.folder).map_err(failed)
    }

    /// Removes the run with all that is in its folder. From the first moment on it is not listed any more, even if we
    /// are killed.
    ///
    /// # Errors
    /// It cannot be removed, or not all of it.
    pub fn remove(self) -> Result<(), Error> {
        let failed = |error| self.error("remove", error);
        let (Some(runs), Some(name)) = (self.folder.parent(), self.folder.file_name()) else {
            return Err(failed(io::ErrorKind::InvalidFilename.into()));
        };
        let going = runs.join(format!("{GOING}{}", name.to_string_lossy()));
        // What is left of an earlier run of that name that was being removed.
        folder::remove(&going).map_err(failed)?;
        fs::rename(&self.folder, &going).and_then(|()| sync_folder(runs)).map_err(failed)?;
        folder::remove(&going).map_err(failed)
    }

    fn error(&self, what: &'static str, error: io::Error) -> Error {
        Error { path: self.folder.clone(), kind: Kind::Io(what, error) }
    }
}

/// Removes what is left of runs whose removal was broken off; how many bytes that was.
///
/// # Errors
/// Not all of it can be removed.
pub fn sweep(state_folder: &Path) -> Result<u64, Error> {
    let path = runs(state_folder);
    let failed = |error| Error { path: path.clone(), kind: Kind::Io("remove runs in", error) };
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(GOING) {
            bytes += folder::size(&entry.path()).map_err(failed)?;
            folder::remove(&entry.path()).map_err(failed)?;
        }
    }
    Ok(bytes)
}

/// Whether a folder of that name is a run's.
pub(super) fn is_run(name: &str) -> bool {
    !name.starts_with('.')
}

//! The files of a folder that are ours.

use std::io;
use std::path::{Path, PathBuf};

use dataflow_runner_core::schema::PREFIX;

/// How the names of our files end, the longest first.
pub(crate) const ENDINGS: [&str; 7] =
    [".json.gotmpl", ".json.tmpl", ".json.tpl", ".jsont", ".json", ".tmpl", ".tpl"];

/// What is in a folder.
#[derive(Default)]
pub(super) struct Walk {
    /// Cluster files and playbooks, sorted.
    pub(super) found: Vec<PathBuf>,
    /// How many files with such an ending are something else.
    pub(super) others: usize,
}

impl Walk {
    /// Looks into a folder and the folders in it, but for hidden ones and those that are links.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub(super) fn through(folder: &Path) -> io::Result<Self> {
        let mut walk = Self::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                let (path, name) = (entry.path(), entry.file_name());
                let name = name.to_string_lossy();
                let is = entry.file_type()?;
                if name.starts_with('.') {
                    continue;
                }
                if is.is_dir() {
                    folders.push(path);
                } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) && path.is_file() {
                    if is_ours(&path) {
                        walk.found.push(path);
                    } else {
                        walk.others += 1;
                    }
                }
            }
        }
        walk.found.sort();
        Ok(walk)
    }
}

/// Whether a file names one of our schemas. What cannot be read may: it is told why when it is looked at.
pub(super) fn is_ours(path: &Path) -> bool {
    let prefix = PREFIX.as_bytes();
    std::fs::read(path).map_or(true, |bytes| {
        bytes.windows(prefix.len()).any(|window| window[0] == prefix[0] && window == prefix)
    })
}

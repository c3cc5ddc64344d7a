//! A file as its author wrote it, but for its literal credentials.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cut;
use crate::fabric::emr::Credentials;
use crate::source::Source;

/// The copy of a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The file, as it was named on the command line; what is no UTF-8 in it is lost.
    path: String,
    /// The folder from which relative paths were seen: this one, and those in the file. Absolute; empty if it was not
    /// known.
    folder: PathBuf,
    /// What was in it, before any templating, with the placeholder where credentials were.
    text: String,
    /// From where to where they were, in bytes of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cut: Vec<(u32, u32)>,
}

impl Kept {
    /// The copy of a file that was read from the folder `here`, without its literal credentials. `said` are those that
    /// the file was found to say.
    pub fn of(source: &Source, said: Option<&Credentials>, here: Option<&Path>) -> Self {
        let places = cut::credentials(source.text(), said);
        // No file is so large that its offsets are not u32; see `Span`.
        let cut: Vec<_> = places.iter().map(|it| (it.start as u32, it.end as u32)).collect();
        Self {
            path: source.name().to_owned(),
            // Serde takes no other paths.
            folder: here.and_then(Path::to_str).map(PathBuf::from).unwrap_or_default(),
            text: cut::cut(source.text(), &cut).unwrap_or_default(),
            cut,
        }
    }

    /// The file as it is to be named by somebody in the folder `here`: as it was named, where that is the same folder.
    pub fn path(&self, here: Option<&Path>) -> PathBuf {
        match here == Some(&self.folder) {
            true => PathBuf::from(&self.path),
            false => self.folder.join(&self.path),
        }
    }

    /// The folder from which relative paths in the file are seen.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The text of the file, if it had no literal credentials.
    pub fn whole(&self) -> Option<&str> {
        self.cut.is_empty().then_some(&*self.text)
    }

    /// Whether `text` is the file's, but perhaps for other credentials of the same lengths.
    pub fn is_of(&self, text: &str) -> bool {
        cut::cut(text, &self.cut).is_some_and(|text| text == self.text)
    }
}

/// The size only: the file may hold what its author would not show.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, size, cut) = (&self.path, self.text.len(), self.cut.len());
        write!(f, "Kept({path}, {size} bytes, {cut} cut)")
    }
}

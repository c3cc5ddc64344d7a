//! Where the files are that a step names.

use std::path::{Path, PathBuf};

use super::super::roots::scheme;
use super::super::word::Word;
use super::{Making, file_name};
use crate::diagnostic::code;
use crate::fabric::Uri;
use crate::plan::is_local;
use crate::secret::Text;

/// What may stand where a file is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// A path, or a URI that means one.
    Machine,
    /// Also a URI that the tool understands by itself: Spark, Hadoop and what runs on it have file systems of their own.
    Tool,
}

/// Schemes of URIs that only EMR's own file systems understand.
const EMR_ONLY: [&str; 2] = ["s3", "s3n"];

/// The work folder of a cluster that is still to come, for people.
pub(in super::super) const SOME_WORK: &str = "‹work›";

/// What a COPY reads, in words.
pub(super) const SOURCE: &str = "the source";

/// Whether a path would mean something else in each step's folder.
fn is_astray(path: &Path) -> bool {
    path.is_relative() && !path.starts_with(SOME_WORK)
}

impl Making<'_> {
    /// A file that must be there, added to the command line; gives its path if it is one of this machine's.
    pub(super) fn file(
        &mut self,
        text: &Text,
        what: &'static str,
        reach: Reach,
    ) -> Option<PathBuf> {
        let word = self.locate(text, what, reach)?;
        let path = (scheme(&word.shown).is_none()).then(|| PathBuf::from(&word.value));
        self.made.argv.push(word);
        path
    }

    /// Where a file is that the playbook names; `None`: nowhere, and that was said.
    pub(super) fn locate(&mut self, text: &Text, what: &'static str, reach: Reach) -> Option<Word> {
        let value = text.expose();
        if is_local(value) {
            let Some(staged) = self.maker.staged else { return Some(Word::of(text)) };
            let Some(Uri(path)) = staged.get(value) else {
                self.fault(code::MISSING_FILE, Some(text), what, "was not staged", "");
                return None;
            };
            return Some(Word::plain(path));
        }
        let word = self.reached(text, what, reach)?;
        if scheme(&word.text()).is_some() {
            return Some(word);
        }
        let path = Path::new(&word.value);
        if is_astray(path) && !self.made.files.contains_key(value) {
            let help = "begin with `./` to mean a file beside the playbook";
            self.fault(
                code::MISSING_FILE,
                Some(text),
                what,
                "is a relative path, and steps run in folders of their own",
                help,
            );
            return None;
        }
        // What a root stands for may be made by another step; what was written as a path is to be there.
        if self.maker.staged.is_none()
            && path == Path::new(value)
            && path.is_absolute()
            && !path.exists()
        {
            self.fault(code::MISSING_FILE, Some(text), what, "is not there", "");
            return None;
        }
        Some(word)
    }

    /// A file or folder that need not be there yet; `None`: it cannot be, and that was said.
    pub(super) fn place(&mut self, text: &Text, what: &'static str, reach: Reach) -> Option<Word> {
        let word = match self.maker.staged.and_then(|staged| staged.get(text.expose())) {
            Some(Uri(path)) => Some(Word::plain(path)),
            None => self.reached(text, what, reach),
        };
        let word = word?;
        // What lies beside the playbook is not staged yet while it is checked.
        let staged_later = self.maker.staged.is_none() && what == SOURCE && is_local(text.expose());
        if scheme(&word.text()).is_none() && is_astray(Path::new(&word.value)) && !staged_later {
            let wrong = "is a relative path, and steps run in folders of their own";
            let help = "name it by a root, or by `work://`";
            self.fault(code::MISSING_FILE, Some(text), what, wrong, help);
            return None;
        }
        Some(word)
    }

    /// A path or URI with its root replaced, if it can be reached.
    pub(super) fn reached(
        &mut self,
        text: &Text,
        what: &'static str,
        reach: Reach,
    ) -> Option<Word> {
        let word = self.mapped(text);
        let scheme = match scheme(&word.text()) {
            None => return Some(word),
            Some("file") => return Some(word.without_scheme()),
            // What a tool cannot reach it says itself, but nobody outside EMR reads these.
            Some(scheme) if reach == Reach::Tool && !EMR_ONLY.contains(&scheme) => {
                return Some(word);
            }
            Some(scheme) => scheme.to_owned(),
        };
        // A scheme that a template made may be anything.
        let (wrong, whose) = match self::scheme(text.written()) == Some(&scheme) {
            true => (format!("is at `{scheme}:`, for which no folder stands"), scheme.as_str()),
            false => ("is a URI for whose scheme no folder stands".to_owned(), "‹scheme›"),
        };
        let help =
            format!("add a folder for `{whose}://…` to `roots` of the cluster's configuration");
        self.fault(code::UNMAPPED_URI, Some(text), what, wrong, &help);
        None
    }

    pub(super) fn files(&mut self, files: &[Text]) {
        for file in files {
            let Some(word) = self.locate(file, "the file", Reach::Machine) else { continue };
            let name = file_name(file.expose()).to_owned();
            if name.is_empty() || matches!(name.as_str(), "." | "..") {
                self.fault(code::MISSING_FILE, Some(file), "the file", "has no name", "");
            } else if self.made.files.insert(name, word.value.into()).is_some() {
                let wrong = "has the same name as another of this step";
                self.fault(code::DUPLICATE_FILE, Some(file), "the file", wrong, "");
            }
        }
    }
}

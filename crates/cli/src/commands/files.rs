//! Files that a command line names, and those in folders that it names.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use dataflow_runner_core::schema::PREFIX;

use super::Usage;

/// Stdin, as it is called on the command line.
pub(crate) const STDIN: &str = "-";

/// How names of files end that may be configurations. `.json.tmpl` is one that ends in `.tmpl`.
const ENDINGS: [&str; 3] = [".json", ".jsont", ".tmpl"];

/// No file is looked into further, in bytes.
const FAR: u64 = 64 << 20;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In the order of the command line; each file once. Files of a folder are sorted by name.
    pub(crate) files: Vec<File>,
    /// How many files were not taken that end as a configuration does.
    pub(crate) passed_over: usize,
}

/// A file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// As the command line names it, or its folder.
    pub(crate) path: PathBuf,
    /// The command line names it itself.
    pub(crate) named: bool,
    /// The folder that it was found in.
    pub(crate) folder: Option<PathBuf>,
}

impl File {
    /// Whether it is stdin.
    pub(crate) fn is_stdin(&self) -> bool {
        self.named && self.path == Path::new(STDIN)
    }
}

impl Found {
    /// Passes over files that are no configurations, also those that were named. What cannot be read is kept: somebody
    /// is to hear of it. So is stdin, which can be read once only.
    pub(crate) fn only_configs(&mut self) {
        let all = self.files.len();
        self.files.retain(|file| file.is_stdin() || may_be_config(&file.path));
        self.passed_over += all - self.files.len();
    }
}

/// Whether a text is a configuration, or wants to be one.
pub(crate) fn is_config(text: &[u8]) -> bool {
    text.windows(PREFIX.len()).any(|window| window == PREFIX.as_bytes())
}

/// The files that `paths` name, and those in folders that they name: below it, and configurations by name and content.
/// What is hidden is not taken, and links to folders are not followed.
///
/// # Errors
/// A folder that cannot be listed, or in which nothing is found.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Found, Usage> {
    let mut search = Search::default();
    for path in paths {
        if path != Path::new(STDIN) && path.is_dir() {
            let before = search.taken;
            search.walk(path)?;
            if search.taken == before {
                let text = format!("no configuration is in folder `{}`", path.display());
                return Err(Usage::new(text));
            }
        } else {
            search.take(path.clone(), None);
        }
    }
    Ok(search.found)
}

#[derive(Default)]
struct Search {
    found: Found,
    /// Where each file is in the list, by its real path.
    known: BTreeMap<PathBuf, usize>,
    /// How many were reached, also again.
    taken: usize,
}

impl Search {
    fn take(&mut self, path: PathBuf, folder: Option<&Path>) {
        self.taken += 1;
        let named = folder.is_none();
        let real = match path == Path::new(STDIN) {
            true => path.clone(),
            false => fs::canonicalize(&path).unwrap_or_else(|_| path.clone()),
        };
        let next = self.found.files.len();
        let at = *self.known.entry(real).or_insert(next);
        let folder = folder.map(Path::to_owned);
        match self.found.files.get_mut(at) {
            Some(file) => {
                file.named |= named;
                file.folder = file.folder.take().or(folder);
            }
            None => self.found.files.push(File { path, named, folder }),
        }
    }

    fn walk(&mut self, folder: &Path) -> Result<(), Usage> {
        let unlisted = |error: io::Error| {
            Usage::new(format!("cannot list folder `{}`: {error}", folder.display()))
        };
        let mut entries: Vec<_> =
            fs::read_dir(folder).and_then(Iterator::collect).map_err(unlisted)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        // `./a` is called `a`, as people do.
        let shown = if folder == Path::new(".") { Path::new("") } else { folder };
        for entry in entries {
            let name = entry.file_name();
            let (name, path) = (name.to_string_lossy(), shown.join(&name));
            if name.starts_with('.') {
                continue;
            }
            // The entry's own kind: a link is not what it leads to.
            if entry.file_type().map_err(unlisted)?.is_dir() {
                self.walk(&path)?;
            } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) && path.is_file() {
                match may_be_config(&path) {
                    true => self.take(path, Some(folder)),
                    false => self.found.passed_over += 1,
                }
            }
        }
        Ok(())
    }
}

/// Whether a file is a configuration; also if nobody can tell.
fn may_be_config(path: &Path) -> bool {
    // What is no file may wait for a writer.
    if !path.is_file() {
        return true;
    }
    let mut text = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(FAR).read_to_end(&mut text));
    read.is_err() || is_config(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[&str]) -> Self {
            let tree = Self(tempfile::tempdir().expect("a folder"));
            for name in files {
                let path = tree.path(name);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                // Data is what is called so.
                let text = if name.contains("data") { "{}" } else { PREFIX };
                fs::write(path, text).expect("a file");
            }
            tree
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn find(&self, names: &[&str]) -> Result<Found, Usage> {
            find(&names.iter().map(|name| self.path(name)).collect::<Vec<_>>())
        }

        fn names(&self, found: &Found) -> Vec<String> {
            let name = |file: &File| {
                let path = file.path.strip_prefix(self.0.path()).unwrap_or(&file.path);
                path.display().to_string()
            };
            found.files.iter().map(name).collect()
        }
    }

    #[test]
    fn of_a_folder_configurations_are_taken_sorted_by_name() {
        let tree = Tree::new(&[
            "b.json",
            "a/z.jsont",
            "a/b.json.tmpl",
            "c.tmpl",
            "data.json",
            "a/data.tmpl",
            "x.txt",
            ".hidden.json",
            ".hidden/a.json",
            "json",
        ]);
        let found = tree.find(&[""]).expect("something");
        assert_eq!(tree.names(&found), ["a/b.json.tmpl", "a/z.jsont", "b.json", "c.tmpl"]);
        assert_eq!(found.passed_over, 2);
        assert!(found.files.iter().all(|file| !file.named));
        assert_eq!(found.files[0].folder, Some(tree.path("a")));
    }

    #[test]
    fn a_folder_with_nothing_in_it_is_wrong_usage() {
        let tree = Tree::new(&["good/a.json", "bad/data.json"]);
        let usage = tree.find(&["good", "bad"]).expect_err("nothing in one");
        assert!(usage.text().starts_with("no configuration is in folder `"), "{}", usage.text());
        let again = tree.find(&["good/a.json", "good"]).expect("it was reached, if not again");
        assert_eq!(again.files.len(), 1);
    }

    #[test]
    fn a_file_that_is_reached_twice_is_there_once() {
        let tree = Tree::new(&["a/b.json", "a/c.json"]);
        let found = tree.find(&["a/c.json", "a", "a/../a/c.json"]).expect("something");
        assert_eq!(tree.names(&found), ["a/c.json", "a/b.json"]);
        let both = &found.files[0];
        assert_eq!((both.named, both.folder.as_ref()), (true, Some(&tree.path("a"))));
        assert!(!found.files[1].named);
    }

    #[test]
    fn what_is_named_is_taken_unless_only_configurations_are_wanted() {
        let tree = Tree::new(&["data.json", "a.txt"]);
        let mut found = tree.find(&["data.json", "a.txt", "none.json"]).expect("all");
        assert_eq!(tree.names(&found), ["data.json", "a.txt", "none.json"]);
        found.only_configs();
        assert_eq!(tree.names(&found), ["a.txt", "none.json"], "what is not there is to be told");
        assert_eq!(found.passed_over, 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_looked_into() {
        let mut found = find(&["/dev/null".into()]).expect("it is there");
        found.only_configs();
        assert_eq!((found.files.len(), found.passed_over), (1, 0));
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_followed_and_links_to_folders_are_not() {
        use std::os::unix::fs::symlink;

        let tree = Tree::new(&["there/a.json", "here/b.json"]);
        symlink(tree.path("there"), tree.path("here/folder")).expect("a link");
        symlink(tree.path("here"), tree.path("here/round")).expect("a link");
        symlink(tree.path("there/a.json"), tree.path("here/c.json")).expect("a link");
        symlink(tree.path("nowhere.json"), tree.path("here/d.json")).expect("a link");
        let found = tree.find(&["here"]).expect("something");
        assert_eq!(tree.names(&found), ["here/b.json", "here/c.json"]);
    }
}

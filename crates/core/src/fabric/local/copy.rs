//! COPY steps: the program's own binary copies files.

use std::ffi::OsString;
use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::glob;
use crate::crash;

/// The first argument of the program that makes it copy.
pub const ARGUMENT: &str = "__copy";

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Copied {
    files: u64,
    bytes: u64,
}

impl Copied {
    fn add(&mut self, bytes: u64) {
        *self = Self { files: self.files + 1, bytes: self.bytes + bytes };
    }
}

/// Copies; `arguments` are those after [`ARGUMENT`]: a source, a destination, and perhaps a pattern.
///
/// - A file is copied to the destination, or into it where that is a folder or ends with `/`.
/// - Of a folder all files are copied, each to the same path below the destination; with a pattern only those
///   whose path below the source matches it: `*` and `?` within one name, `**` across folders. Folders without
///   such a file are not made. Links are followed.
/// - Each file appears whole or not at all, with mode and time of change of its source.
///
/// How much was copied goes to `out`. Gives the exit code: 0, also where nothing matched; 1 with a message to
/// `err` where the source is absent or something could not be copied; 2 for wrong arguments.
pub fn main(
    arguments: impl Iterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let arguments: Vec<_> = arguments.collect();
    let (source, destination, pattern) = match &arguments[..] {
        [source, destination] => (source, destination, None),
        [source, destination, pattern] => (source, destination, Some(pattern.to_string_lossy())),
        _ => {
            _ = writeln!(err, "usage: {ARGUMENT} SOURCE DESTINATION [PATTERN]");
            return 2;
        }
    };
    let mut copied = Copied::default();
    let result = copy(Path::new(source), Path::new(destination), pattern.as_deref(), &mut copied);
    _ = writeln!(out, "{} files, {} bytes copied", copied.files, copied.bytes);
    match result {
        Ok(()) => 0,
        Err((path, cause)) => {
            _ = writeln!(err, "cannot copy `{}`: {cause}", path.display());
            1
        }
    }
}

/// With the path that it is about.
pub(super) type Result<T> = std::result::Result<T, (PathBuf, io::Error)>;

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> (PathBuf, io::Error) + '_ {
    |cause| (path.to_owned(), cause)
}

fn copy(
    source: &Path,
    destination: &Path,
    pattern: Option<&str>,
    copied: &mut Copied,
) -> Result<()> {
    let metadata = source.metadata().map_err(at(source))?;
    if metadata.is_dir() {
        // All of them first: the destination may lie in the source.
        let mut files = Vec::new();
        walk(
            source,
            &mut Vec::new(),
            &mut vec![source.canonicalize().map_err(at(source))?],
            &mut files,
        )?;
        fs::create_dir_all(destination).map_err(at(destination))?;
        for names in files {
            let below =
                names.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join("/");
            if pattern.is_none_or(|pattern| glob::matches(pattern, &below)) {
                let names: PathBuf = names.iter().collect();
                copied.add(copy_file(&source.join(&names), &destination.join(&names))?);
            }
        }
        return Ok(());
    }
    let Some(name) = source.file_name() else {
        return Err((source.to_owned(), io::Error::other("it has no name")));
    };
    if pattern.is_some_and(|pattern| !glob::matches(pattern, &name.to_string_lossy())) {
        return Ok(());
    }
    let into = destination.is_dir() || destination.to_string_lossy().ends_with('/');
    let to = if into { destination.join(name) } else { destination.to_owned() };
    copied.add(copy_file(source, &to)?);
    Ok(())
}

/// Finds the files below a folder, sorted, as their names from there on.
pub(super) fn walk(
    folder: &Path,
    names: &mut Vec<OsString>,
    above: &mut Vec<PathBuf>,
    files: &mut Vec<Vec<OsString>>,
) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let mut entries: Vec<_> = entries.collect::<io::Result<Vec<_>>>().map_err(at(folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        names.push(entry.file_name());
        if path.metadata().map_err(at(&path))?.is_dir() {
            let canonical = path.canonicalize().map_err(at(&path))?;
            if above.contains(&canonical) {
                return Err((path, io::Error::other("it is a link to a folder it lies in")));
            }
            above.push(canonical);
            walk(&path, names, above, files)?;
            above.pop();
        } else {
            files.push(names.clone());
        }
        names.pop();
    }
    Ok(())
}

/// Copies a file, which appears whole; gives its bytes.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<u64> {
    let metadata = from.metadata().map_err(at(from))?;
    if !metadata.is_file() {
        return Err((from.to_owned(), io::Error::other("it is no file")));
    }
    appear(to, |part| write_part(from, part, &metadata).map_err(at(to)))
}

/// Lets a file appear with what `write` puts into another beside it, or not at all.
pub(super) fn appear(to: &Path, write: impl FnOnce(&Path) -> Result<u64>) -> Result<u64> {
    let (Some(folder), Some(name)) = (to.parent(), to.file_name()) else {
        return Err((to.to_owned(), io::Error::other("it has no name")));
    };
    // A file without a folder before it is in the current one.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::create_dir_all(folder).map_err(at(folder))?;
    let part = folder.join(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    let written = write(&part).and_then(|bytes| {
        crash::point("local: before a copy appears");
        fs::rename(&part, to).map_err(at(to))?;
        crash::point("local: a copy is there");
        Ok(bytes)
    });
    written.inspect_err(|_| _ = fs::remove_file(&part))
}

/// Copies contents, mode and time of change.
fn write_part(from: &Path, part: &Path, metadata: &fs::Metadata) -> io::Result<u64> {
    let bytes = fs::copy(from, part)?;
    // A file that must not be written to can still be given its time, if it is opened to be read.
    File::open(part)?.set_times(FileTimes::new().set_modified(metadata.modified()?))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn run(arguments: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = main(arguments.iter().map(OsString::from), &mut out, &mut err);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    fn write(root: &Path, files: &[&str]) {
        for file in files {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), file).unwrap();
        }
    }

    /// Path below `root` → contents.
    fn read(root: &Path) -> BTreeMap<String, String> {
        let mut files = Vec::new();
        walk(root, &mut Vec::new(), &mut Vec::new(), &mut files).unwrap();
        let path = |names: &Vec<OsString>| names.iter().collect::<PathBuf>();
        let text = |path: &PathBuf| fs::read_to_string(root.join(path)).unwrap();
        files.iter().map(path).map(|p| (p.to_str().unwrap().to_owned(), text(&p))).collect()
    }

    #[test]
    fn a_folder_to_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        write(&from, &["a.csv", "b/c.csv", "b/d.txt", "e/.hidden"]);
        fs::create_dir(from.join("empty")).unwrap();
        write(&to, &["kept", "a.csv"]);
        fs::write(to.join("a.csv"), "old").unwrap();
        let (from, to_) = (from.to_str().unwrap(), to.to_str().unwrap());
        assert_eq!(run(&[from, to_]), (0, "4 files, 28 bytes copied\n".into(), String::new()));
        let all: Vec<_> = read(&to).into_iter().collect();
        let same = |name: &str| (name.to_owned(), name.to_owned());
        assert_eq!(all, ["a.csv", "b/c.csv", "b/d.txt", "e/.hidden", "kept"].map(same));
        assert!(!to.join("empty").exists());
    }

    #[test]
    fn a_pattern_chooses() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("from"), &["a.csv", "b/c.csv", "b/d.txt"]);
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        for (pattern, expected) in
            [("*.csv", 1), ("**/*.csv", 2), ("b/*", 2), ("**", 3), ("nothing", 0)]
        {
            let to = format!("to {}", pattern.replace(['*', '/'], "-"));
            let (code, out, err) = run(&[&path("from"), &path(&to), pattern]);
            assert_eq!((code, err.as_str()), (0, ""));
            assert!(out.starts_with(&format!("{expected} files")), "{pattern}: {out}");
            assert_eq!(read(Path::new(&path(&to))).len(), expected, "{pattern}");
        }
        let (code, out, _) = run(&[&path("from/a.csv"), &path("one"), "*.txt"]);
        assert_eq!((code, out.as_str()), (0, "0 files, 0 bytes copied\n"));
    }

    #[test]
    fn a_file_to_a_file_or_into_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &["a"]);
        fs::create_dir(folder.path().join("there")).unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        for to in ["new/b", "there", "slash/"] {
            assert_eq!(run(&[&path("a"), &path(to)]).0, 0, "{to}");
        }
        // Onto itself does no harm.
        assert_eq!(run(&[&path("a"), &path("a")]).0, 0);
        let all: Vec<_> = read(folder.path()).into_keys().collect();
        assert_eq!(all, ["a", "new/b", "slash/a", "there/a"]);
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "a");
    }

    #[test]
    fn the_destination_may_lie_in_the_source() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &["a", "b/c"]);
        let (from, to) = (folder.path().to_str().unwrap(), folder.path().join("b"));
        assert_eq!(run(&[from, to.to_str().unwrap()]).0, 0);
        let all: Vec<_> = read(folder.path()).into_keys().collect();
        assert_eq!(all, ["a", "b/a", "b/b/c", "b/c"]);
    }

    #[test]
    fn what_cannot_be_copied_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        write(folder.path(), &["from/a", "file"]);
        let (code, out, err) = run(&[&path("absent"), &path("to")]);
        assert_eq!((code, out.as_str()), (1, "0 files, 0 bytes copied\n"));
        assert!(err.starts_with(&format!("cannot copy `{}`: ", path("absent"))), "{err}");
        let (code, _, err) = run(&[&path("from"), &path("file")]);
        assert_eq!(code, 1, "a folder onto a file");
        assert!(err.contains("/file`"), "{err}");
        assert_eq!(run(&["one"]).0, 2);
        let left: Vec<_> = read(folder.path()).into_keys().collect();
        assert_eq!(left, ["file", "from/a"], "no parts are left");
    }

    #[cfg(unix)]
    #[test]
    fn mode_time_and_links() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        write(&from, &["a", "b/c"]);
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        let file = File::options().write(true).open(from.join("a")).unwrap();
        file.set_times(FileTimes::new().set_modified(old)).unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o555)).unwrap();
        symlink("a", from.join("link")).unwrap();
        symlink("b", from.join("folder")).unwrap();
        let to = folder.path().join("to");
        assert_eq!(run(&[from.to_str().unwrap(), to.to_str().unwrap()]).0, 0);
        let copy = to.join("a").metadata().unwrap();
        assert_eq!(copy.modified().unwrap(), old);
        assert_eq!(copy.permissions().mode() & 0o777, 0o555);
        assert!(!to.join("link").is_symlink() && to.join("folder/c").is_file());
        symlink("..", from.join("b/up")).unwrap();
        let (code, _, err) = run(&[from.to_str().unwrap(), to.to_str().unwrap()]);
        assert_eq!((code, err.contains("a link to a folder it lies in")), (1, true), "{err}");
    }
}

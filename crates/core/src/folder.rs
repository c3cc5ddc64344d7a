//! Folders, whole.

use std::fs;
use std::io;
use std::path::Path;

/// How many bytes the files in a folder hold; what goes while we look counts for nothing.
///
/// # Errors
/// It cannot be looked into.
pub(crate) fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            // Of a link its own length: what it leads to is not in here.
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(bytes)
}

/// Removes a folder; that another does the same is fine.
///
/// # Errors
/// Something in it cannot be removed.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    loop {
        match fs::remove_dir_all(folder) {
            // Either all is gone, or something in it went while we were at it.
            Err(err) if err.kind() == io::ErrorKind::NotFound && folder.exists() => {}
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            removed => return removed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_as_large_as_its_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("a/b");
        fs::create_dir_all(&inner).expect("a folder");
        fs::write(folder.path().join("one"), [0; 5]).expect("a file");
        fs::write(inner.join("two"), [0; 7]).expect("a file");
        assert_eq!(size(folder.path()).expect("it can be read"), 12);
        assert_eq!(size(&folder.path().join("none")).expect("nothing"), 0);
        assert!(size(&inner.join("two")).is_err());
        remove(&folder.path().join("a")).expect("it goes");
        remove(&folder.path().join("a")).expect("it is gone");
        assert_eq!(size(folder.path()).expect("it can be read"), 5);
    }
}

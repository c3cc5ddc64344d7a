//! What is staged: bytes of the program itself, or a file of this machine, of which only a piece is in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::hex::hex;

/// So much of a file is in memory at once, in bytes.
const PIECE: usize = 64 * 1024;

/// So many digits of a digest are enough.
const DIGITS: usize = 24;

/// What is staged, as it was when it was looked at.
pub(super) struct Content {
    source: Source,
    /// In bytes.
    pub(super) size: u64,
    digest: [u8; 32],
}

enum Source {
    Own(&'static [u8]),
    File(PathBuf),
}

impl Content {
    /// Bytes of the program itself.
    pub(super) fn own(bytes: &'static [u8]) -> Self {
        let digest = Sha256::digest(bytes).into();
        Self { source: Source::Own(bytes), size: bytes.len() as u64, digest }
    }

    /// A file, which is read once for that, as long as `go_on` says so.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn of(path: &Path, go_on: &dyn Fn() -> bool) -> io::Result<Self> {
        let source = Source::File(path.to_owned());
        let mut content = Self { source, size: 0, digest: [0; 32] };
        let mut reading = content.open()?;
        let mut piece = vec![0; PIECE];
        while reading.read(&mut piece)? > 0 {
            if !go_on() {
                return Err(io::Error::other("a signal came first"));
            }
        }
        (content.size, content.digest) = (reading.read, reading.digest.finalize().into());
        Ok(content)
    }

    /// A name that nothing else has.
    pub(super) fn name(&self) -> String {
        hex(&self.digest)[..DIGITS].to_owned()
    }

    /// Whose it is, for messages.
    pub(super) fn shown(&self) -> String {
        match &self.source {
            Source::Own(_) => "the launcher".to_owned(),
            Source::File(path) => format!("`{}`", path.display()),
        }
    }

    /// From its beginning.
    ///
    /// # Errors
    /// It cannot be read any more.
    pub(super) fn open(&self) -> io::Result<Reading> {
        let input: Box<dyn Read> = match &self.source {
            Source::Own(bytes) => Box::new(*bytes),
            Source::File(path) => Box::new(File::open(path)?),
        };
        Ok(Reading { input, digest: Sha256::new(), read: 0, ended: false })
    }
}

/// Reads a content again, and minds what it reads.
pub(super) struct Reading {
    input: Box<dyn Read>,
    digest: Sha256,
    read: u64,
    ended: bool,
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        self.digest.update(&into[..count]);
        self.read += count as u64;
        self.ended |= count == 0 && !into.is_empty();
        Ok(count)
    }
}

impl Reading {
    /// Whether it is seen now, as far as it was read, that it is not any more what it was.
    pub(super) fn differs(mut self, content: &Content) -> bool {
        if self.read < content.size {
            return self.ended;
        }
        let grew = self.input.read(&mut [0]).is_ok_and(|count| count > 0);
        grew || self.read > content.size || self.digest.finalize()[..] != content.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a file is another that had one text when it was looked at, and has another when so much of it is read.
    fn differs(before: &str, after: &str, most: u64) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        std::fs::write(&path, before).expect("a file");
        let content = Content::of(&path, &|| true).expect("it is there");
        assert_eq!((content.size, content.name().len()), (before.len() as u64, 24));
        std::fs::write(&path, after).expect("a file");
        let mut reading = content.open().expect("it is there");
        io::copy(&mut reading.by_ref().take(most), &mut io::sink()).expect("it is read");
        reading.differs(&content)
    }

    #[test]
    fn a_file_that_changes_differs() {
        assert!(!differs("content", "content", 7));
        assert!(!differs("", "", 1));
        assert!(differs("content", "Content", 7), "the same size");
        assert!(differs("content", "content, and more", 7), "the same beginning");
        assert!(differs("content", "cont", 7), "less");
        assert!(!differs("content", "Content", 3), "nobody knows yet");
    }

    #[test]
    fn equal_contents_have_equal_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        let long = [b'x'; PIECE + 1];
        std::fs::write(&path, long).expect("a file");
        let name = Content::of(&path, &|| true).expect("it is there").name();
        assert_eq!(name, hex(&Sha256::digest(long))[..24]);
        assert_ne!(name, Content::own(b"y").name());
        assert!(Content::of(&folder.path().join("y"), &|| true).is_err());
        let stopped = Content::of(&path, &|| false).err().expect("it is told to stop");
        assert_eq!(stopped.to_string(), "a signal came first");
    }
}

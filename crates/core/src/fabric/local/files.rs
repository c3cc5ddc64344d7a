//! Staged files and log files.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::places::{CONTROLLER, Places};
use super::{error, io_error, process};
use crate::crash;
use crate::fabric::{Chunk, ErrorKind, LocalFile, LogFile, Result, Uri};
use crate::hex::hex;

/// Bytes of a log file that are read at once.
const CHUNK: usize = 64 * 1024;

/// Copies a file to where its contents alone say, so the same file lies there once.
pub(super) fn stage(places: &Places, file: &LocalFile) -> Result<Uri> {
    const STAGE: &str = "stage a file";
    let Some(name) = file.path.file_name() else {
        return Err(error(ErrorKind::Config, STAGE, "the path does not name a file"));
    };
    let staged = places.staged();
    process::make_folder(&staged).map_err(io_error(STAGE, &staged))?;
    let _kept = keep(&staged);
    let mut from = File::open(&file.path).map_err(io_error(STAGE, &file.path))?;
    let metadata = from.metadata().map_err(io_error(STAGE, &file.path))?;
    if !metadata.is_file() {
        let message = format!("`{}` is not a file", file.path.display());
        return Err(error(ErrorKind::Config, STAGE, message));
    }
    // In a folder of the same file system, so that it can be moved to its place.
    let mut part = Part::new(&staged).map_err(io_error(STAGE, &staged))?;
    let digest = part.fill(&mut from).map_err(io_error(STAGE, &staged))?;
    let folder = staged.join(digest);
    process::make_folder(&folder).map_err(io_error(STAGE, &folder))?;
    let place = folder.join(name);
    crash::point("local: before a file is staged");
    fs::set_permissions(&part.path, metadata.permissions())
        .and_then(|()| fs::rename(&part.path, &place))
        .map_err(io_error(STAGE, &place))?;
    crash::point("local: a file is staged");
    place.into_os_string().into_string().map(Uri).map_err(|place| {
        error(ErrorKind::Config, STAGE, format!("`{}` is not UTF-8", place.to_string_lossy()))
    })
}

/// Keeps `prune` from what is being staged, as long as this is there. Not every file system has locks; where there are
/// none `prune` does nothing.
fn keep(staged: &Path) -> Option<File> {
    let folder = File::open(staged).ok()?;
    while folder.lock_shared().is_err_and(|err| err.kind() == io::ErrorKind::Interrupted) {}
    Some(folder)
}

/// A file that is being written; it goes away unless it was moved to its place.
struct Part {
    path: std::path::PathBuf,
    file: File,
}

impl Part {
    fn new(folder: &Path) -> io::Result<Self> {
        let pid = std::process::id();
        for n in 0_u32.. {
            let path = folder.join(format!(".{pid}.{n}.part"));
            match File::create_new(&path) {
                Ok(file) => return Ok(Self { path, file }),
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {}
                Err(err) => return Err(err),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Copies all of a file and gives its SHA-256 in hexadecimal.
    fn fill(&mut self, from: &mut File) -> io::Result<String> {
        let mut digest = Sha256::new();
        let mut buffer = vec![0; CHUNK];
        loop {
            match from.read(&mut buffer)? {
                0 => break,
                n => {
                    digest.update(&buffer[..n]);
                    self.file.write_all(&buffer[..n])?;
                }
            }
        }
        Ok(hex(&digest.finalize()))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.path);
    }
}

/// The names of a step's log files, most telling first.
const NAMES: [&str; 3] = ["stderr", "stdout", CONTROLLER];

/// The log files in a folder.
pub(super) fn logs(folder: &Path) -> Result<Vec<LogFile>> {
    let mut files = Vec::new();
    for name in NAMES {
        let path = folder.join(name);
        match path.metadata() {
            Ok(metadata) => files.push(LogFile {
                name: name.to_owned(),
                place: path.to_string_lossy().into_owned(),
                size: Some(metadata.len()),
            }),
            // A step that was not begun has not all of them.
            Err(err) if err.kind() == io::ErrorKind::NotFound && folder.exists() => {}
            Err(err) => return Err(io_error("list logs", folder)(err)),
        }
    }
    Ok(files)
}

/// A piece of a log file.
pub(super) fn read(file: &LogFile, from: u64) -> Result<Chunk> {
    let path = Path::new(&file.place);
    let read = || {
        let mut opened = File::open(path)?;
        opened.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&opened).take(CHUNK as u64).read_to_end(&mut bytes)?;
        // Asked after reading: what is written meanwhile is for the next piece.
        let at_end = opened.metadata()?.len() <= from.saturating_add(bytes.len() as u64);
        Ok(Chunk { bytes, at_end })
    };
    read().map_err(io_error("read a log", path))
}

//! Files of users, whatever they turn out to be: a file without end or a pipe into which nobody writes is no reason to hang.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use crate::suggest::suggest;

/// So long a pipe is waited for into which nobody writes yet: whoever makes one starts its writer beside us.
const WRITER_COMES: Duration = Duration::from_secs(5);

/// Reads a file, a device or a pipe (such as the `/dev/fd/63` of a shell's `<(…)`) to its end.
///
/// # Errors
/// It cannot be read; it has more than `most` bytes; it is a pipe into which nobody writes.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_within(path, most, WRITER_COMES)
}

fn read_within(path: &Path, most: u64, patience: Duration) -> io::Result<Vec<u8>> {
    let metadata = path.metadata().map_err(|error| match path.is_symlink() {
        true => io::Error::other("it is a link to what is not there"),
        false => error,
    })?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    // What says that it is too large is not even opened.
    if metadata.len() > most {
        return Err(too_large(most));
    }
    read_all(open(path, patience)?, most)
}

/// Reads what is there to its end.
///
/// # Errors
/// It cannot be read, or has more than `most` bytes.
pub fn read_all(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

fn too_large(most: u64) -> io::Error {
    io::Error::other(format!("it is larger than {} MiB", most >> 20))
}

#[cfg(not(unix))]
fn open(path: &Path, _: Duration) -> io::Result<impl Read> {
    File::open(path)
}

#[cfg(unix)]
fn open(path: &Path, patience: Duration) -> io::Result<Box<dyn Read>> {
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

    if !path.metadata()?.file_type().is_fifo() {
        return Ok(Box::new(File::open(path)?));
    }
    // Else to open it would wait for a writer.
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    let pipe = File::options().read(true).custom_flags(flags.cast_signed()).open(path)?;
    Ok(Box::new(Pipe { pipe, patience }))
}

/// A pipe that may not have a writer yet.
#[cfg(unix)]
struct Pipe {
    pipe: File,
    /// What is left of it; nothing once there was a writer.
    patience: Duration,
}

#[cfg(unix)]
impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.pipe.read(buffer) {
                // There is a writer, who takes his time.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.patience = Duration::ZERO;
                    wait(&self.pipe, None)?;
                }
                Ok(0) if self.patience > Duration::ZERO => {
                    if !wait(&self.pipe, Some(self.patience))? {
                        return Err(io::Error::other("it is a pipe into which nobody writes"));
                    }
                    self.patience = Duration::ZERO;
                }
                done => {
                    self.patience = Duration::ZERO;
                    return done;
                }
            }
        }
    }
}

/// Waits until there is something to be read, or the last writer is gone; `false` if neither happens in time.
#[cfg(unix)]
fn wait(pipe: &File, limit: Option<Duration>) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let limit = limit.map(|limit| Timespec {
        tv_sec: limit.as_secs().cast_signed(),
        tv_nsec: limit.subsec_nanos().into(),
    });
    loop {
        match poll(&mut [PollFd::new(pipe, PollFlags::IN)], limit.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            done => return Ok(done? > 0),
        }
    }
}

/// The name of the file beside an absent one that was most likely meant.
pub fn near(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = folder.unwrap_or(Path::new(".")).read_dir().ok()?;
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    let names: Vec<_> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let names = names.iter().map(String::as_str).filter(|near| *near != name);
    // An ending that both have makes no two names alike.
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let with_ending = |near: &&str| near.rsplit_once('.').map(|(_, of)| of) == Some(ending);
    let (same, others): (Vec<_>, Vec<_>) = names.partition(with_ending);
    let stems = same.iter().filter_map(|near| near.rsplit_once('.').map(|(stem, _)| stem));
    match suggest(stem, stems) {
        Some(near) => Some(format!("{near}.{ending}")),
        None => suggest(name, others).map(Into::into),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    fn wrong(path: &Path) -> String {
        read_within(path, 10, Duration::from_millis(1)).expect_err("refused").to_string()
    }

    #[test]
    fn only_what_ends_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("ten"), "0123456789").expect("writes");
        fs::write(at("eleven"), "0123456789a").expect("writes");
        fs::write(at("empty"), "").expect("writes");
        std::os::unix::fs::symlink("nowhere", at("dangling")).expect("links");
        std::os::unix::fs::symlink("ten", at("link")).expect("links");
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("binds");
        for name in ["ten", "link"] {
            assert_eq!(read(&at(name), 10).expect("is read"), b"0123456789", "{name}");
        }
        assert_eq!(read(&at("empty"), 10).expect("is read"), b"");
        assert_eq!(wrong(&at("eleven")), "it is larger than 0 MiB");
        assert_eq!(wrong(folder.path()), "it is a folder");
        assert_eq!(wrong(Path::new("/dev/zero")), "it is larger than 0 MiB");
        assert_eq!(wrong(&at("dangling")), "it is a link to what is not there");
        for name in ["absent", "ten/x", "socket"] {
            assert!(wrong(&at(name)).contains("(os error"), "{name}");
        }
    }

    #[test]
    fn a_pipe_is_read_if_somebody_writes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).expect("a pipe");
        assert_eq!(wrong(&path), "it is a pipe into which nobody writes");
        // The writer waits for a reader, the reader for bytes, then for the end.
        let writer = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut pipe = File::options().write(true).open(path).expect("opens");
                for part in ["0123", "45"] {
                    io::Write::write_all(&mut pipe, part.as_bytes()).expect("writes");
                    std::thread::yield_now();
                }
            }
        });
        assert_eq!(read(&path, 10).expect("is read"), b"012345");
        writer.join().expect("it wrote");
    }

    #[test]
    fn what_was_meant_is_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("playbook.json"), "").expect("writes");
        let near = |name: &str| near(&folder.path().join(name));
        fs::create_dir(folder.path().join("clusters.json")).expect("makes a folder");
        assert_eq!(near("playbok.json").as_deref(), Some("playbook.json"));
        assert_eq!(near("playbook.jsn").as_deref(), Some("playbook.json"));
        assert_eq!(near("cluster.json"), None);
        fs::write(folder.path().join("one.json"), "").expect("writes");
        assert_eq!(near("nope.json"), None, "no more than the ending is the same");
        fs::write(folder.path().join("LICENCE"), "").expect("writes");
        assert_eq!(near("LICENSE").as_deref(), Some("LICENCE"));
        assert_eq!(near("playbook.json"), None, "it is not said of itself");
    }
}

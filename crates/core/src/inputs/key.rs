//! The key of a state folder, and digests of secrets that tell nothing without it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::iter::once;
use std::path::Path;

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::{Error, Kind, private};
use crate::config::playbook::Step;
use crate::hex::hex;
use crate::journal::sync_folder;
use crate::secret::Text;

/// The name of the file in the state folder.
const FILE: &str = "key";
/// As long as the digests: a longer one adds nothing (RFC 2104, section 3).
const LENGTH: usize = 32;

/// The key of a state folder.
pub(super) struct Key(hmac::Key);

impl Key {
    /// The key, which is made if there is none.
    pub(super) fn of(state_folder: &Path) -> Result<Self, Error> {
        let path = state_folder.join(FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        private(&mut options);
        let fetch = || {
            let mut file = options.open(&path)?;
            // Whoever is first makes it, the others wait and read it. Closing the file lets go.
            file.lock()?;
            let mut bytes = read(&mut file)?;
            // One that is too short was being made by a process that died, and used by nobody.
            if bytes.len() < LENGTH {
                bytes = fresh()?;
                file.set_len(0)?;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(&bytes)?;
                file.sync_all()?;
                sync_folder(state_folder)?;
            }
            Ok(bytes)
        };
        let bytes = fetch().map_err(|error| failed(&path, Kind::Io("make the key", error)))?;
        Self::new(&bytes, &path)
    }

    /// The key that was made before.
    pub(super) fn existing(state_folder: &Path) -> Result<Self, Error> {
        let path = state_folder.join(FILE);
        let fetch = || {
            let mut file = File::open(&path)?;
            file.lock_shared()?;
            read(&mut file)
        };
        let bytes = fetch().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => failed(&path, Kind::NoKey("is gone")),
            _ => failed(&path, Kind::Io("read the key", error)),
        })?;
        Self::new(&bytes, &path)
    }

    fn new(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        if bytes.len() != LENGTH {
            return Err(failed(path, Kind::NoKey("is no key: remove it, and another is made")));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// The digest of a step's secrets, in hex. Nothing else of the step counts but which of its texts they are in.
    pub(super) fn digest(&self, step: &Step) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        let mut update = |bytes: &[u8]| {
            // With their lengths, so that no two steps give the same bytes.
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        };
        update(b"dataflow-runner secrets 1");
        update(step.id.as_bytes());
        for (place, text) in texts(step).enumerate().filter(|(_, text)| text.is_secret()) {
            update(&(place as u64).to_be_bytes());
            update(text.expose().as_bytes());
        }
        hex(context.sign().as_ref())
    }
}

/// Whether any text of a step is secret, in part or as a whole.
pub(super) fn has_secrets(step: &Step) -> bool {
    texts(step).any(Text::is_secret)
}

/// All texts of a step, always in the same order.
fn texts(step: &Step) -> impl Iterator<Item = &Text> {
    let work = &step.work;
    once(&step.name)
        .chain(work.program.texts())
        .chain(&work.arguments)
        .chain(work.properties.values())
        .chain(&work.files)
        .chain(step.depends_on.iter().flatten())
}

/// What is in it; no more than shows that it is too long.
fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(LENGTH + 1);
    file.take(LENGTH as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bytes that nobody can guess.
fn fresh() -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; LENGTH];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(bytes)
}

fn failed(path: &Path, kind: Kind) -> Error {
    Error { path: path.to_owned(), kind }
}

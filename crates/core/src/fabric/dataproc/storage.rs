//! Objects of Cloud Storage.
//!
//! <https://cloud.google.com/storage/docs/json_api/v1>, uploads in pieces:
//! <https://cloud.google.com/storage/docs/performing-resumable-uploads>.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::call::{Call, Cloud, Service};
use super::error;
use super::reply::{Object, Objects};
use crate::fabric::{Chunk, ErrorKind, Result};
use crate::hex::hex;
use crate::http::encode::encode;

/// What is larger goes up in pieces.
const AT_ONCE: u64 = 8 << 20;
/// A piece: a multiple of 256 KiB.
const PIECE: usize = 4 << 20;
/// So often an upload goes on after it was cut off.
const TRIES: usize = 5;

/// A bucket and the name of an object in it, or how names begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: String,
    pub(super) name: String,
}

impl Place {
    /// Of `gs://bucket/name`.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let (bucket, name) = uri.strip_prefix("gs://")?.split_once('/')?;
        let full = !bucket.is_empty() && !name.is_empty();
        full.then(|| Self { bucket: bucket.to_owned(), name: name.to_owned() })
    }

    pub(super) fn uri(&self) -> String {
        format!("gs://{}/{}", self.bucket, self.name)
    }

    fn path(&self) -> String {
        format!("/storage/v1/b/{}/o/{}", encode(&self.bucket), encode(&self.name))
    }
}

/// A file as it was when it was read first.
pub(super) struct Content {
    pub(super) digest: String,
    size: u64,
}

impl Content {
    /// Of a file, which is read in pieces.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let (mut file, mut digest, mut size) = (File::open(path)?, Sha256::new(), 0);
        let mut piece = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                return Ok(Self { digest: hex(&digest.finalize()), size });
            }
            digest.update(&piece[..read]);
            size += read as u64;
        }
    }
}

impl Cloud {
    /// The objects whose names begin so, by name.
    pub(super) fn objects(&self, prefix: &Place) -> Result<Vec<Object>> {
        let mut all = Vec::new();
        let mut token = String::new();
        loop {
            let path = format!("/storage/v1/b/{}/o", encode(&prefix.bucket));
            let mut call = Call::get(Service::Storage, "objects.list", path)
                .with("prefix", &prefix.name)
                .with("fields", "items(name,size),nextPageToken");
            if !token.is_empty() {
                call = call.with("pageToken", token);
            }
            let page: Objects = self.ask(&call)?;
            all.extend(page.items);
            token = page.next_page_token;
            if token.is_empty() {
                return Ok(all);
            }
        }
    }

    /// A piece of an object; nothing behind its end.
    pub(super) fn piece(&self, of: &Place, from: u64, length: u64) -> Result<Chunk> {
        let mut call = Call::get(Service::Storage, "objects.get", of.path()).with("alt", "media");
        let last = from.saturating_add(length.saturating_sub(1));
        call.headers.push(("range", format!("bytes={from}-{last}")));
        let reply = self.send(&call)?;
        if reply.status == 416 {
            return Ok(Chunk { bytes: Vec::new(), at_end: true });
        }
        let total =
            reply.header("content-range").and_then(|it| it.rsplit_once('/')?.1.parse().ok());
        if reply.status != 206 {
            let skip = usize::try_from(from).unwrap_or(usize::MAX).min(reply.body.len());
            return Ok(Chunk { bytes: reply.body[skip..].to_vec(), at_end: true });
        }
        let read = from.saturating_add(reply.body.len() as u64);
        let at_end = total.map_or((reply.body.len() as u64) < length, |total: u64| read >= total);
        Ok(Chunk { bytes: reply.body, at_end })
    }

    /// Puts a file where it is to lie, unless something lies there.
    pub(super) fn put(&self, file: &Path, content: &Content, to: &Place) -> Result<()> {
        let metadata = Call::get(Service::Storage, "objects.get", to.path()).with("fields", "name");
        match self.send(&metadata) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            // Who may not look may put all the same.
            Err(error) if error.kind == ErrorKind::Auth => {}
            Err(error) => return Err(error),
        }
        let unreadable = |why: io::Error| {
            let message = format!("`{}` cannot be read: {why}", file.display());
            error(ErrorKind::Config, "objects.insert", message)
        };
        let mut opened = File::open(file).map_err(unreadable)?;
        let done = if content.size <= AT_ONCE {
            let mut bytes = Vec::new();
            opened.take(AT_ONCE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
            if hex(&Sha256::digest(&bytes)) != content.digest {
                return Err(changed(file));
            }
            let call = insert(to, "media", Some((bytes, "application/octet-stream")));
            self.send(&call).map(drop)
        } else {
            self.put_pieces(file, &mut opened, content, to)
        };
        match done {
            // Somebody else put it there meanwhile: it has the same name, so it is the same.
            Err(error) if error.kind == ErrorKind::Conflict => Ok(()),
            done => done,
        }
    }

    /// The last piece goes up only if all together are what was read first.
    fn put_pieces(
        &self,
        path: &Path,
        file: &mut File,
        content: &Content,
        to: &Place,
    ) -> Result<()> {
        let unreadable = |why: io::Error| {
            let message = format!("`{}` cannot be read: {why}", path.display());
            error(ErrorKind::Config, "objects.insert", message)
        };
        let begun = self.send(&insert(to, "resumable", None))?;
        let Some(session) = begun.header("location").map(str::to_owned) else {
            let message = "the answer names no session to upload to";
            return Err(error(ErrorKind::Protocol, "objects.insert", message));
        };
        if Content::of(path).map_err(unreadable)?.digest != content.digest {
            return Err(changed(path));
        }
        let (mut at, mut tries) = (0, 0);
        while at < content.size {
            file.seek(SeekFrom::Start(at)).map_err(unreadable)?;
            let mut bytes = Vec::new();
            file.take(PIECE as u64).read_to_end(&mut bytes).map_err(unreadable)?;
            if bytes.is_empty() {
                return Err(changed(path));
            }
            let last = at + bytes.len() as u64 - 1;
            let range = format!("bytes {at}-{last}/{}", content.size);
            match self.session(&session, content.size, range, bytes) {
                Ok(Some(next)) => at = next,
                Ok(None) => return Ok(()),
                Err(error) if error.is_passing() && tries < TRIES => {
                    tries += 1;
                    // What came there of it is there.
                    let asked = format!("bytes */{}", content.size);
                    match self.session(&session, content.size, asked, Vec::new())? {
                        Some(next) => at = next,
                        None => return Ok(()),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let message = "all was sent, and the upload has not ended";
        Err(error(ErrorKind::Protocol, "objects.insert", message))
    }

    /// From which byte on it goes on; `None`: it is done.
    fn session(&self, url: &str, size: u64, range: String, bytes: Vec<u8>) -> Result<Option<u64>> {
        let reply = self.send(&Call {
            service: Service::Storage,
            operation: "objects.insert",
            method: "PUT",
            path: url.to_owned(),
            query: Vec::new(),
            headers: vec![("content-range", range)],
            body: Some((bytes, "application/octet-stream")),
            order: false,
        })?;
        if reply.status != 308 {
            // Some servers end an upload before all of it is there.
            let there: Object = serde_json::from_slice(&reply.body).unwrap_or_default();
            if there.length() != size {
                let message = format!("{} of {size} bytes are there", there.length());
                return Err(error(ErrorKind::Protocol, "objects.insert", message));
            }
            return Ok(None);
        }
        let last = reply.header("range").and_then(|it| it.rsplit_once('-')?.1.parse::<u64>().ok());
        Ok(Some(last.map_or(0, |last| last + 1)))
    }
}

fn insert<'a>(to: &Place, kind: &'static str, body: Option<(Vec<u8>, &'static str)>) -> Call<'a> {
    Call {
        service: Service::Storage,
        operation: "objects.insert",
        method: "POST",
        path: format!("/upload/storage/v1/b/{}/o", encode(&to.bucket)),
        query: vec![
            ("uploadType", kind.to_owned()),
            ("name", to.name.clone()),
            ("ifGenerationMatch", "0".to_owned()),
        ],
        headers: Vec::new(),
        body,
        order: false,
    }
}

fn changed(file: &Path) -> crate::fabric::Error {
    let message = format!("`{}` changed while it was read: start again", file.display());
    error(ErrorKind::Config, "objects.insert", message)
}

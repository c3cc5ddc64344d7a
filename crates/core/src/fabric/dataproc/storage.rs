//! Objects of Cloud Storage.
//!
//! <https://cloud.google.com/storage/docs/json_api/v1>, uploads in pieces:
//! <https://cloud.google.com/storage/docs/performing-resumable-uploads>.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::call::{Call, Cloud, Service};
use super::error;
use super::reply::{Object, Objects};
use crate::fabric::content::Content;
use crate::fabric::{Chunk, ErrorKind, Result};
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

impl Cloud {
    /// The objects whose names begin so, by name.
    pub(super) fn objects(&self, prefix: &Place) -> Result<Vec<Object>> {
        let path = format!("/storage/v1/b/{}/o", encode(&prefix.bucket));
        let call = Call::get(Service::Storage, "objects.list", path)
            .with("prefix", &prefix.name)
            .with("fields", "items(name,size),nextPageToken");
        self.pages(call, |page: Objects| (page.items, page.next_page_token))
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
        let done = if content.size <= AT_ONCE {
            let mut bytes = Vec::new();
            read_to(content, &mut bytes)?;
            let call = insert(to, "media", Some((bytes, "application/octet-stream")));
            self.send(&call).map(drop)
        } else {
            self.put_pieces(file, content, to)
        };
        match done {
            // Somebody else put it there meanwhile: it has the same name, so it is the same.
            Err(error) if error.kind == ErrorKind::Conflict => Ok(()),
            done => done,
        }
    }

    /// The last piece goes up only if all together are what was read first.
    fn put_pieces(&self, file: &Path, content: &Content, to: &Place) -> Result<()> {
        let begun = self.send(&insert(to, "resumable", None))?;
        let Some(session) = begun.header("location").map(str::to_owned) else {
            let message = "the answer names no session to upload to";
            return Err(error(ErrorKind::Protocol, "objects.insert", message));
        };
        let (mut at, mut tries) = (0, 0);
        while at < content.size {
            let bytes = piece_of(file, at).map_err(|why| unreadable(content, &why))?;
            if bytes.is_empty() {
                return Err(changed(content));
            }
            let last = at + bytes.len() as u64 - 1;
            if last + 1 >= content.size {
                read_to(content, &mut io::sink())?;
            }
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

/// The piece that begins at a byte.
fn piece_of(file: &Path, at: u64) -> io::Result<Vec<u8>> {
    let (mut file, mut bytes) = (File::open(file)?, Vec::new());
    file.seek(SeekFrom::Start(at))?;
    file.take(PIECE as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file again to its end: it must still be what it was.
fn read_to(content: &Content, into: &mut dyn Write) -> Result<()> {
    let differs = content.open().and_then(|mut reading| {
        // A byte more than there were shows that it grew.
        io::copy(&mut reading.by_ref().take(content.size + 1), into)?;
        Ok(reading.differs(content))
    });
    match differs {
        Ok(false) => Ok(()),
        Ok(true) => Err(changed(content)),
        Err(why) => Err(unreadable(content, &why)),
    }
}

fn unreadable(content: &Content, why: &io::Error) -> crate::fabric::Error {
    let message = format!("{} cannot be read: {why}", content.shown());
    error(ErrorKind::Config, "objects.insert", message)
}

fn changed(content: &Content) -> crate::fabric::Error {
    let message = format!("{} changed while it was read: start again", content.shown());
    error(ErrorKind::Config, "objects.insert", message)
}

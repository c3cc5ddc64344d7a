//! Log files of steps and of a cluster's set-up, on S3.

use super::call::is_denied;
use super::s3::{Page, Place, setup_folders};
use super::{Emr, NAME, error};
use crate::fabric::{Chunk, ClusterId, Error, ErrorKind, LogFile, Result, StepId};
use crate::http::Reply;
use crate::http::aws::{Call, Failure, Service};

/// So many bytes are read at once.
const PIECE: u64 = 1 << 20;

impl Emr {
    /// The log files of a step; none as long as EMR has not brought them. Where the cluster keeps none, that is an
    /// error: nobody needs to wait for them.
    pub(super) fn step_logs(&self, on: &ClusterId, id: &StepId) -> Result<Vec<LogFile>> {
        match self.log_folder(on)? {
            Some(logs) => self.list_logs(&logs.folder(&format!("{on}/steps/{id}/"))),
            None => Err(keeps_none()),
        }
    }

    /// The log files that tell why the set-up of a cluster failed.
    pub(super) fn setup_logs(&self, id: &ClusterId) -> Result<Vec<LogFile>> {
        let cluster = self.describe_cluster(id)?;
        let Some(logs) = Place::parse(&cluster.log_uri) else { return Err(keeps_none()) };
        let mut files = Vec::new();
        for folder in setup_folders(&cluster) {
            files.extend(self.list_logs(&logs.folder(&format!("{id}/{folder}")))?);
        }
        Ok(files)
    }

    /// Where a cluster's logs go. It never changes.
    fn log_folder(&self, on: &ClusterId) -> Result<Option<Place>> {
        if let Some((known, folder)) = &self.noticed().log_folder
            && known == on
        {
            return Ok(folder.clone());
        }
        let folder = Place::parse(&self.describe_cluster(on)?.log_uri);
        self.noticed().log_folder = Some((on.clone(), folder.clone()));
        Ok(folder)
    }

    fn list_logs(&self, folder: &Place) -> Result<Vec<LogFile>> {
        let bucket = Place { bucket: folder.bucket.clone(), key: String::new() };
        let mut files = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = vec![("list-type", "2"), ("prefix", folder.key.as_str())];
            query.extend(token.as_deref().map(|token| ("continuation-token", token)));
            let path = bucket.path();
            let reply = self.s3("ListObjectsV2", &path, &query, &[]).map_err(explained)?;
            let page = Page::read(&reply.body).ok_or_else(|| {
                error(ErrorKind::Protocol, "ListObjectsV2", "the answer is no list of objects")
            })?;
            // What ends with a slash is a folder that somebody made by hand.
            for (key, size) in page.objects.into_iter().filter(|(key, _)| !key.ends_with('/')) {
                let name = key.strip_prefix(&folder.key).unwrap_or(&key);
                let name = name.strip_suffix(".gz").unwrap_or(name).to_owned();
                let place = Place { bucket: folder.bucket.clone(), key }.uri();
                files.push(LogFile { name, place, size });
            }
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(files),
            }
        }
    }

    /// One piece of a log file as it lies there, packed or not.
    pub(super) fn read_log(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        let Some(place) = Place::parse(&file.place) else {
            let message = format!("`{}` is not on S3", file.place);
            return Err(error(ErrorKind::Config, "GetObject", message));
        };
        let last = from.saturating_add(PIECE - 1);
        let range = format!("bytes={from}-{last}");
        match self.s3("GetObject", &place.path(), &[], &[("range", &range)]) {
            Ok(reply) => Ok(chunk(reply, from)),
            // There is nothing from there on.
            Err(failure) if failure.code.as_deref() == Some("InvalidRange") => {
                Ok(Chunk { bytes: Vec::new(), at_end: true })
            }
            Err(failure) => Err(explained(failure)),
        }
    }

    fn s3(
        &self,
        operation: &'static str,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> std::result::Result<Reply, Failure> {
        self.account.call(&Call {
            service: Service::S3,
            operation,
            method: "GET",
            path,
            query,
            headers,
            body: &[],
            repeatable: true,
        })
    }
}

fn keeps_none() -> Error {
    let message = "the cluster keeps no logs: its configuration has no `logUri` on S3";
    error(ErrorKind::NotFound, "DescribeCluster", message)
}

/// What a reply holds of the file. A server may give all of it where a piece was asked for.
fn chunk(reply: Reply, from: u64) -> Chunk {
    let total =
        reply.header("content-range").and_then(|range| range.rsplit_once('/')?.1.parse().ok());
    if reply.status != 206 {
        let skip = usize::try_from(from).unwrap_or(usize::MAX).min(reply.body.len());
        return Chunk { bytes: reply.body[skip..].to_vec(), at_end: true };
    }
    let read = from.saturating_add(reply.body.len() as u64);
    // Without a total, a piece that is not full is the last.
    let at_end = match total {
        Some(total) => read >= total || reply.body.is_empty(),
        None => (reply.body.len() as u64) < PIECE,
    };
    Chunk { bytes: reply.body, at_end }
}

/// Says which right is missing.
fn explained(failure: Failure) -> Error {
    let denied = is_denied(&failure);
    let mut error = failure.error;
    NAME.clone_into(&mut error.fabric);
    if denied {
        error.kind = ErrorKind::Auth;
        error.message = format!(
            "{}; logs are read with the rights `s3:ListBucket` and `s3:GetObject` for the cluster's `logUri`",
            error.message
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, range: Option<&str>, body: &[u8]) -> Reply {
        let headers = range.map(|range| ("content-range".to_owned(), range.to_owned()));
        Reply { status, headers: headers.into_iter().collect(), body: body.to_vec() }
    }

    #[test]
    fn pieces() {
        let whole = PIECE as usize;
        for (reply, from, bytes, at_end) in [
            (reply(206, Some("bytes 0-2/5"), b"abc"), 0, &b"abc"[..], false),
            (reply(206, Some("bytes 3-4/5"), b"de"), 3, b"de", true),
            (reply(206, Some("bytes 3-4/*"), b"de"), 3, b"de", true),
            (reply(206, None, &vec![1; whole]), 3, &vec![1; whole], false),
            (reply(206, Some("bytes 0-2/5"), b""), 3, b"", true),
            (reply(200, None, b"abcde"), 3, b"de", true),
            (reply(200, None, b"abcde"), 9, b"", true),
        ] {
            assert_eq!(chunk(reply, from), Chunk { bytes: bytes.to_vec(), at_end });
        }
    }

    #[test]
    fn what_may_not_be_read() {
        let of = |code: &str| {
            let error = Error::new(ErrorKind::Config, "s3", "GetObject", "no");
            explained(Failure { error, code: Some(code.to_owned()) })
        };
        assert_eq!(of("AccessDenied").kind, ErrorKind::Auth);
        assert!(of("AccessDenied").message.contains("s3:GetObject"));
        assert_eq!(of("NoSuchKey").message, "no");
    }
}

//! Buckets and what is in them: what was put there, and what jobs write.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::job::Job;
use super::world::World;
use crate::base64;
use crate::clock::add;
use crate::http::encode::encode;

/// All buckets.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    buckets: BTreeSet<String>,
    objects: BTreeMap<(String, String), Object>,
    /// Resumable uploads that have begun, by their ids.
    pub(super) sessions: BTreeMap<String, Session>,
    generation: i64,
}

/// An object of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its bucket.
    pub bucket: String,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Such as `text/plain`.
    pub content_type: String,
    /// Another for each new content.
    pub generation: i64,
    /// When it came, or was replaced.
    pub at: Timestamp,
}

/// A resumable upload.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) bucket: String,
    pub(super) name: String,
    pub(super) content_type: String,
    /// `ifGenerationMatch`
    pub(super) generation: Option<i64>,
    /// The checksum that it must have.
    pub(super) crc32c: Option<String>,
    pub(super) body: Vec<u8>,
    pub(super) pieces: usize,
    /// What the metadata of the object is, once it is whole.
    pub(super) done: Option<Value>,
}

impl Storage {
    pub(super) fn new<'a>(buckets: impl Iterator<Item = &'a String>) -> Self {
        Self { buckets: buckets.cloned().collect(), ..Self::default() }
    }

    /// One more bucket.
    pub fn bucket(&mut self, name: &str) {
        self.buckets.insert(name.to_owned());
    }

    /// Whether there is a bucket.
    pub fn has(&self, bucket: &str) -> bool {
        self.buckets.contains(bucket)
    }

    /// What was put there; what jobs have written is in [`World::objects`].
    pub fn get(&self, bucket: &str, name: &str) -> Option<&Object> {
        self.objects.get(&(bucket.to_owned(), name.to_owned()))
    }

    /// Puts an object there, in place of what is there.
    pub fn put(
        &mut self,
        bucket: &str,
        name: &str,
        body: &[u8],
        kind: &str,
        at: Timestamp,
    ) -> &Object {
        self.generation = at.as_microsecond().max(self.generation + 1);
        let (bucket, name) = (bucket.to_owned(), name.to_owned());
        let object = Object {
            bucket: bucket.clone(),
            name: name.clone(),
            body: body.to_vec(),
            content_type: kind.to_owned(),
            generation: self.generation,
            at,
        };
        self.objects.entry((bucket, name)).insert_entry(object).into_mut()
    }

    /// Takes an object away.
    pub fn remove(&mut self, bucket: &str, name: &str) -> Option<Object> {
        self.objects.remove(&(bucket.to_owned(), name.to_owned()))
    }

    /// A new upload.
    pub(super) fn begin(&mut self, session: Session) -> String {
        let id = format!("upload-{}", self.sessions.len() + 1);
        self.sessions.insert(id.clone(), session);
        id
    }
}

impl World {
    /// What is in a bucket now and has a name that begins so, by name.
    pub fn objects(&self, bucket: &str, prefix: &str) -> Vec<Object> {
        let put = self.storage.objects.values();
        let put = put.filter(|object| object.bucket == bucket && object.name.starts_with(prefix));
        let mut all: Vec<Object> = put.cloned().collect();
        for job in &self.jobs {
            let uri = job.output.strip_prefix("gs://").and_then(|uri| uri.split_once('/'));
            let Some((_, name)) = uri.filter(|(own, _)| *own == bucket) else { continue };
            if name.starts_with(prefix) || prefix.starts_with(name) {
                let written = self.written(job, bucket, name);
                all.extend(written.into_iter().filter(|object| object.name.starts_with(prefix)));
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// One object of a bucket.
    pub fn object(&self, bucket: &str, name: &str) -> Option<Object> {
        self.objects(bucket, name).into_iter().find(|object| object.name == name)
    }

    /// The numbered objects of a job's output, as far as they have come. The last is replaced as it grows.
    fn written(&self, job: &Job, bucket: &str, name: &str) -> Vec<Object> {
        let late = self.script.late_output;
        let size = self.script.output_size.max(1);
        let mut all: Vec<Object> = Vec::new();
        for (n, (at, text)) in job.written(self.now).into_iter().enumerate() {
            let at = add(at, late);
            if at > self.now {
                break;
            }
            let generation = at.as_microsecond() + i64::try_from(n).unwrap_or(0);
            for byte in text.bytes() {
                if all.last().is_none_or(|last| last.body.len() >= size) {
                    all.push(Object {
                        bucket: bucket.to_owned(),
                        name: format!("{name}.{:09}", all.len()),
                        body: Vec::new(),
                        content_type: "application/octet-stream".to_owned(),
                        generation,
                        at,
                    });
                }
                if let Some(last) = all.last_mut() {
                    last.body.push(byte);
                    (last.generation, last.at) = (generation, at);
                }
            }
        }
        all
    }

    /// All that a job's driver has written, as far as it has come to the bucket.
    pub fn output(&self, job: &str) -> String {
        let uri = self.job(job).and_then(|job| job.output.strip_prefix("gs://"));
        let Some((bucket, name)) = uri.and_then(|uri| uri.split_once('/')) else {
            return String::new();
        };
        let objects = self.objects(bucket, &format!("{name}."));
        let all: Vec<u8> = objects.into_iter().flat_map(|object| object.body).collect();
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Puts a file into a bucket, as somebody else would; the bucket is made if need be.
    pub fn put(&mut self, bucket: &str, name: &str, body: impl AsRef<[u8]>) {
        let now = self.now;
        self.storage.bucket(bucket);
        self.storage.put(bucket, name, body.as_ref(), "application/octet-stream", now);
    }

    /// So much more of the fake's time passes before what jobs write comes.
    pub fn delay_output(&mut self, late: Duration) {
        self.script.late_output = late;
    }
}

impl Object {
    /// As Cloud Storage tells of it. What was composed of pieces has no MD5, so nobody may count on one.
    pub(super) fn told(&self, url: &str) -> Value {
        let Self { bucket, name, generation, .. } = self;
        let path = format!("storage/v1/b/{bucket}/o/{}", encode(name));
        let at = self.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        json!({
            "kind": "storage#object",
            "id": format!("{bucket}/{name}/{generation}"),
            "selfLink": format!("{url}/{path}"),
            "mediaLink": format!("{url}/download/{path}?generation={generation}&alt=media"),
            "name": name,
            "bucket": bucket,
            "generation": generation.to_string(),
            "metageneration": "1",
            "contentType": self.content_type,
            "storageClass": "STANDARD",
            "size": self.body.len().to_string(),
            "crc32c": crc32c(&self.body),
            "etag": base64::encode(&generation.to_be_bytes()),
            "timeCreated": at,
            "updated": at,
            "timeStorageClassUpdated": at,
        })
    }
}

/// CRC-32C (RFC 4960, appendix B) in base64 of its bytes, the highest first.
pub(super) fn crc32c(bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 { sum >> 1 ^ 0x82f6_3b78 } else { sum >> 1 }
        })
    });
    base64::encode(&(!sum).to_be_bytes())
}

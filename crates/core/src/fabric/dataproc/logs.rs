//! What a job's driver writes: a row of objects that grows while it runs.

use super::reply::Object;
use super::steps::parts_of;
use super::storage::Place;
use super::{Dataproc, error};
use crate::fabric::{Chunk, ErrorKind, LogFile, Result, StepId};

/// The one log of a step: both of its outputs, as they came.
const NAME: &str = "driveroutput";

/// So much is read at once, in bytes.
const PIECE: u64 = 1 << 20;

impl Dataproc {
    /// None as long as it has written none.
    pub(super) fn step_logs(&self, id: &StepId) -> Result<Vec<LogFile>> {
        let output = self.job_of(id)?.map(|job| job.driver_output_resource_uri);
        let Some(prefix) = output.as_deref().and_then(Place::parse) else { return Ok(Vec::new()) };
        let parts = self.cloud("objects.list")?.objects(&parts_of(&prefix))?;
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let size = parts.iter().map(Object::length).sum();
        Ok(vec![LogFile { name: NAME.to_owned(), place: prefix.uri(), size: Some(size) }])
    }

    /// A piece of a row of objects, as if it were one; or of the one object of that name.
    pub(super) fn read_log(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        let Some(place) = Place::parse(&file.place) else {
            let message = format!("`{}` is not in Cloud Storage", file.place);
            return Err(error(ErrorKind::Config, "objects.get", message));
        };
        let cloud = self.cloud("objects.get")?;
        if file.name != NAME {
            return cloud.piece(&place, from, PIECE);
        }
        let mut start = 0;
        let mut parts = cloud.objects(&parts_of(&place))?.into_iter();
        while let Some(part) = parts.next() {
            let end = start + part.length();
            if from < end {
                let place = Place { bucket: place.bucket.clone(), name: part.name };
                let chunk = cloud.piece(&place, from - start, PIECE)?;
                let more = parts.any(|part| part.length() > 0);
                return Ok(Chunk { at_end: chunk.at_end && !more, ..chunk });
            }
            start = end;
        }
        Ok(Chunk { bytes: Vec::new(), at_end: true })
    }
}

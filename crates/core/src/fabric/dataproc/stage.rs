//! Files of this machine that steps need: in the staging bucket, under names that tell their content.

use super::storage::Place;
use super::{Dataproc, error};
use crate::fabric::content::Content;
use crate::fabric::{ErrorKind, LocalFile, Result, Uri};

/// The folder in the staging bucket.
const FOLDER: &str = "dataflow-runner/staged";

impl Dataproc {
    /// Puts a file into the staging bucket, unless it is there.
    pub(super) fn stage_file(&self, file: &LocalFile) -> Result<Uri> {
        const STAGE: &str = "objects.insert";
        let bucket = self.config.as_ref().and_then(|config| config.staging_bucket.as_ref());
        let bucket = bucket.ok_or_else(|| {
            let message = format!(
                "`{}` cannot be staged: name a `stagingBucket` in the cluster file",
                file.path.display()
            );
            error(ErrorKind::Config, STAGE, message)
        })?;
        let cloud = self.cloud(STAGE)?;
        let content = Content::of(&file.path, &|| cloud.goes_on()).map_err(|why| {
            let message = format!("`{}` cannot be read: {why}", file.path.display());
            error(ErrorKind::Config, STAGE, message)
        })?;
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{FOLDER}/{}/{name}", content.name());
        let place = Place { bucket: bucket.expose().to_owned(), name };
        cloud.put(&file.path, &content, &place)?;
        Ok(Uri(place.uri()))
    }
}

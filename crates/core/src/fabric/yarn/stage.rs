//! What lies in HDFS because of us: the launcher and files of this machine, each under a name that tells its content.

use std::fs;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::application::{Resource, Site};
use super::lower::{is_brought, name_of};
use super::reply::FileStatus;
use super::{Yarn, error};
use crate::fabric::{ErrorKind, LocalFile, OrderedStep, Result, Uri};
use crate::hex::hex;
use crate::plan::is_local;
use crate::secret::Text;

/// The application master: `launcher/Launcher.java`, for Java 8 and later.
const LAUNCHER: &[u8] = include_bytes!("launcher.jar");

/// So many digits of a digest are enough.
const DIGITS: usize = 24;

impl Yarn {
    /// What is true of the whole cluster; asked for once.
    pub(super) fn site(&self) -> Result<Arc<Site>> {
        if let Some(site) = &self.noticed().site {
            return Ok(Arc::clone(site));
        }
        let file_system = self.rest.setting("fs.defaultFS")?.trim_end_matches('/').to_owned();
        let class_path = self.rest.setting("yarn.application.classpath")?;
        let path = format!("{}/launcher-{}.jar", self.config.staging, digest(LAUNCHER));
        let file = self.put(&path, || Ok(LAUNCHER.to_vec()))?;
        let launcher = Resource {
            name: "launcher.jar".to_owned(),
            uri: format!("{file_system}{path}"),
            size: file.length,
            timestamp: file.modification_time,
        };
        let site = Arc::new(Site { file_system, class_path, launcher });
        self.noticed().site = Some(Arc::clone(&site));
        Ok(site)
    }

    /// Puts a file of this machine into HDFS, unless it is there.
    pub(super) fn stage_file(&self, file: &LocalFile) -> Result<Uri> {
        let unreadable = |why: std::io::Error| {
            let message = format!("`{}` cannot be read: {why}", file.path.display());
            error(ErrorKind::Config, "stage", message)
        };
        let bytes = fs::read(&file.path).map_err(unreadable)?;
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = format!("{}/files/{}/{name}", self.config.staging, digest(&bytes));
        self.put(&path, || Ok(bytes))?;
        Ok(Uri(path))
    }

    /// A file below the staging folder that is there, whole, when this returns.
    fn put(&self, path: &str, bytes: impl FnOnce() -> Result<Vec<u8>>) -> Result<FileStatus> {
        if let Some(file) = self.rest.file_status(path)? {
            return Ok(file);
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.make_folders(folder)?;
        // Nobody sees half of it; who was faster wrote the same.
        let part = format!("{folder}/.{}-{name}", std::process::id());
        self.rest.write_file(&part, bytes()?)?;
        let renamed = self.rest.rename_file(&part, path);
        match self.rest.file_status(path)? {
            Some(file) => Ok(file),
            None => Err(renamed.err().unwrap_or_else(|| {
                error(
                    ErrorKind::Unavailable,
                    "stage",
                    format!("`{path}` was written and is not there"),
                )
            })),
        }
    }

    /// Folders one by one: ours are for us alone, those above them stay as HDFS would make them.
    fn make_folders(&self, folder: &str) -> Result<()> {
        let ends = folder.match_indices('/').map(|(at, _)| at).skip(1).chain([folder.len()]);
        let above: Vec<&str> = ends.map(|end| &folder[..end]).collect();
        // Most are there: from below it is soon known which are not.
        let mut missing = Vec::new();
        for path in above.iter().rev() {
            if self.rest.file_status(path)?.is_some() {
                break;
            }
            missing.push(*path);
        }
        for path in missing.iter().rev() {
            let ours = path.starts_with(&self.config.staging);
            self.rest.make_folder(path, if ours { "700" } else { "755" })?;
        }
        Ok(())
    }

    /// The files of a step as YARN wants to know them.
    pub(super) fn resources(
        &self,
        site: &Site,
        files: &[&Text],
        ordered: &OrderedStep<'_>,
    ) -> Result<Vec<Resource>> {
        let brought = files.iter().filter(|file| is_brought(file.expose()));
        brought.map(|file| self.resource(site, file.expose(), ordered)).collect()
    }

    fn resource(&self, site: &Site, file: &str, ordered: &OrderedStep<'_>) -> Result<Resource> {
        let gone = |what: &str| error(ErrorKind::Config, "stage", format!("`{file}` {what}"));
        let (uri, path) = if is_local(file) {
            let Uri(path) = ordered.staged.get(file).ok_or_else(|| gone("was not staged"))?;
            (format!("{}{path}", site.file_system), path.clone())
        } else {
            let path = path_of(file, &site.file_system);
            let path =
                path.ok_or_else(|| gone("lies in another file system than the cluster's"))?;
            (format!("{}{path}", site.file_system), path.to_owned())
        };
        let known = self.rest.file_status(&path)?.ok_or_else(|| gone("is not in HDFS"))?;
        Ok(Resource {
            name: name_of(file).to_owned(),
            uri,
            size: known.length,
            timestamp: known.modification_time,
        })
    }
}

/// The path of a URI of HDFS, if it is of this file system.
fn path_of<'u>(uri: &'u str, file_system: &str) -> Option<&'u str> {
    if let Some(path) = uri.strip_prefix(file_system).filter(|path| path.starts_with('/')) {
        return Some(path);
    }
    // Without a host it is the cluster's own.
    let path = uri.strip_prefix("hdfs://").or_else(|| uri.strip_prefix("hdfs:"))?;
    path.starts_with('/').then_some(path)
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))[..DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn a_uri_of_hdfs_is_of_this_cluster_or_of_another() {
        let path = |uri| path_of(uri, "hdfs://nn:9000");
        for (uri, expected) in [
            ("hdfs:///jars/x.jar", Some("/jars/x.jar")),
            ("hdfs:/jars/x.jar", Some("/jars/x.jar")),
            ("hdfs://nn:9000/jars/x.jar", Some("/jars/x.jar")),
            ("hdfs://nn:90001/x.jar", None),
            ("hdfs://other/x.jar", None),
            ("/x.jar", None),
        ] {
            assert_eq!(path(uri), expected, "{uri}");
        }
    }
}

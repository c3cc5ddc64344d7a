//! What lies in HDFS because of us: the launcher and files of this machine, each under a name that tells its content.

use std::sync::Arc;

use super::application::{Resource, Site};
use super::lower::{is_brought, name_of};
use super::{Yarn, error};
use crate::clock::timestamp;
use crate::fabric::content::Content;
use crate::fabric::{ErrorKind, LocalFile, OrderedStep, Result, Uri};
use crate::plan::is_local;
use crate::secret::Text;

/// The application master: `launcher/Launcher.java`, for Java 8 and later.
const LAUNCHER: &[u8] = include_bytes!("launcher.jar");

/// The rights of folders of ours.
pub(super) const OURS: &str = "700";

impl Yarn {
    /// What is true of the whole cluster; asked for once.
    pub(super) fn site(&self) -> Result<Arc<Site>> {
        if let Some(site) = &self.noticed().site {
            return Ok(Arc::clone(site));
        }
        let file_system = self.rest.setting("fs.defaultFS")?.trim_end_matches('/').to_owned();
        let class_path = self.rest.setting("yarn.application.classpath")?;
        let content = Content::own(LAUNCHER);
        let path = format!("{}/launcher-{}.jar", self.config.staging, content.name());
        let file = match self.rest.file_status(&path)? {
            Some(file) => file,
            None => {
                self.make_staging_folder()?;
                self.bring(&path, &content)?;
                let gone = || format!("`{path}` was written and is not there");
                let file = self.rest.file_status(&path)?;
                file.ok_or_else(|| error(ErrorKind::Unavailable, "stage", gone()))?
            }
        };
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
        let content = Content::of(&file.path, &|| self.rest.goes_on()).map_err(unreadable)?;
        // The staging folder is there after that.
        self.site()?;
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = format!("{}/files/{}", self.config.staging, content.name());
        let path = format!("{folder}/{name}");
        if self.rest.file_status(&path)?.is_none() {
            self.rest.make_folder(&folder, OURS)?;
            self.bring(&path, &content)?;
        }
        Ok(Uri(path))
    }

    /// Puts a file into a folder that is there: it is whole when it gets its name. Who was faster wrote the same.
    fn bring(&self, path: &str, content: &Content) -> Result<()> {
        let (folder, _) = path.rsplit_once('/').unwrap_or_default();
        // Others may have the same number on other machines.
        let part = format!("{folder}/.{}-{}", std::process::id(), timestamp().as_nanosecond());
        let written = self.rest.write_file(&part, content);
        let brought = written.and_then(|()| self.rest.rename_file(&part, path));
        brought.or_else(|failure| {
            // Nobody would ever look for it.
            _ = self.rest.remove_file(&part);
            match failure.kind {
                ErrorKind::Conflict if self.rest.file_status(path)?.is_some() => Ok(()),
                _ => Err(failure),
            }
        })
    }

    /// WebHDFS gives all folders that it makes on the way to one the same rights, and leaves those alone that are there: so
    /// ours is for us alone, and those above it are as HDFS would make them.
    fn make_staging_folder(&self) -> Result<()> {
        let staging = &self.config.staging;
        if let Some((above, _)) = staging.rsplit_once('/').filter(|(above, _)| !above.is_empty()) {
            self.rest.make_folder(above, "755")?;
        }
        self.rest.make_folder(staging, OURS)
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

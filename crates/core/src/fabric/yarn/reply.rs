//! Answers of YARN and of WebHDFS, as far as they are read. Seen on Hadoop 3.4.2.
//!
//! <https://hadoop.apache.org/docs/r3.4.2/hadoop-yarn/hadoop-yarn-site/ResourceManagerRest.html>,
//! <https://hadoop.apache.org/docs/r3.4.2/hadoop-project-dist/hadoop-hdfs/WebHDFS.html>

use serde::{Deserialize, Deserializer};

/// An application. Times are milliseconds since 1970, 0 for never.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct App {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) final_status: String,
    /// From 0 to 100.
    pub(super) progress: f32,
    pub(super) tracking_url: String,
    pub(super) diagnostics: String,
    pub(super) application_type: String,
    /// Joined by commas, in lower case.
    pub(super) application_tags: String,
    pub(super) launch_time: i64,
    pub(super) finished_time: i64,
    /// When the ResourceManager began that gave the id out.
    pub(super) cluster_id: i64,
    pub(super) am_container_logs: String,
    pub(super) am_host_http_address: String,
}

impl App {
    pub(super) fn has_tag(&self, tag: &str) -> bool {
        self.application_tags.split(',').any(|own| own.trim().eq_ignore_ascii_case(tag))
    }

    /// The container of its application master, from where its logs are.
    pub(super) fn container(&self) -> Option<&str> {
        self.am_container_logs.split('/').find(|part| part.starts_with("container_"))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct OneApp {
    pub(super) app: App,
}

#[derive(Debug, Deserialize)]
pub(super) struct Apps {
    pub(super) apps: Option<Listed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Listed {
    #[serde(deserialize_with = "one_or_many")]
    pub(super) app: Vec<App>,
}

/// Some versions write a list of one as its item.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<App>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Many(Vec<App>),
        One(Box<App>),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Many(apps) => apps,
        Either::One(app) => vec![*app],
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct NewApplication {
    pub(super) application_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterInfo {
    pub(super) cluster_info: Info,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    /// When the ResourceManager began: a part of the ids it gives out.
    pub(super) started_on: i64,
    /// Whether it knows already what it knew before, and whether it is the active one.
    #[serde(default)]
    pub(super) ha_state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Property {
    pub(super) property: Named,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    #[serde(rename = "FileStatus")]
    pub(super) file: FileStatus,
}

/// A file of HDFS.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileStatus {
    /// In bytes.
    pub(super) length: u64,
    /// Milliseconds since 1970. YARN wants it exact.
    pub(super) modification_time: i64,
    /// The last part of its path, in lists only.
    pub(super) path_suffix: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Statuses {
    #[serde(rename = "FileStatuses")]
    pub(super) all: Files,
}

#[derive(Debug, Deserialize)]
pub(super) struct Files {
    #[serde(rename = "FileStatus")]
    pub(super) files: Vec<FileStatus>,
}

/// Whether it was done.
#[derive(Debug, Deserialize)]
pub(super) struct Done {
    pub(super) boolean: bool,
}

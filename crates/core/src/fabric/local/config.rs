//! What a LocalClusterConfig says.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Text;

/// A valid `LocalClusterConfig` 1-0-0.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of clusters made from it.
    pub name: Text,
    /// The folder in which each cluster gets a work folder of its own. `None`: `clusters` in the state folder.
    pub work_folder: Option<PathBuf>,
    /// So many steps run at once. `None`: as many as the machine has cores.
    pub slots: Option<NonZeroU32>,
    /// Added to the environment of every step.
    pub environment: BTreeMap<String, Text>,
    /// URI prefix → folder: the longest prefix that fits names the folder that stands for it.
    pub roots: BTreeMap<String, PathBuf>,
    /// Where the tools are installed.
    pub tools: Tools,
    /// Between the TERM and the KILL of a cancelled step. Default 10 s.
    pub kill_after: Duration,
}

/// Folders of installed tools; `None`: the usual `*_HOME`, then PATH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tools {
    /// For JAVA_HOME.
    pub java: Option<PathBuf>,
    /// For HADOOP_HOME.
    pub hadoop: Option<PathBuf>,
    /// For SPARK_HOME.
    pub spark: Option<PathBuf>,
    /// For FLINK_HOME.
    pub flink: Option<PathBuf>,
    /// For HIVE_HOME.
    pub hive: Option<PathBuf>,
    /// For PIG_HOME.
    pub pig: Option<PathBuf>,
}

//! What a YarnClusterConfig says.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::secret::{Secret, Text};

/// A valid `YarnClusterConfig` 1-0-0.
#[derive(Clone, Debug)]
pub struct Config {
    /// What people call the cluster.
    pub name: Text,
    /// Where the ResourceManagers are: the beginnings of URLs, without a slash at the end.
    pub resource_managers: Vec<String>,
    /// The same of WebHDFS or HttpFS.
    pub web_hdfs: Vec<String>,
    /// The same of the JobHistoryServer.
    pub history: Option<String>,
    /// As whom steps run.
    pub user: String,
    /// How to get past a gateway.
    pub credentials: Option<Credentials>,
    /// Certificates in PEM that vouch for the servers.
    pub authorities: Option<PathBuf>,
    /// YARN's queue.
    pub queue: String,
    /// Of the container in which a program runs, in MiB.
    pub memory_mb: u32,
    /// Of the same.
    pub v_cores: u32,
    /// So many steps at once.
    pub slots: NonZeroU32,
    /// A folder in HDFS, without a slash at the end.
    pub staging: String,
    /// Added to the environment of every program.
    pub environment: BTreeMap<String, Text>,
    /// Added to the tags of every application.
    pub tags: Vec<String>,
}

/// How to get past a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Basic authentication.
    Password {
        /// Whose it is.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token.
    Token(Secret),
}

impl Credentials {
    /// What nobody else is to see of them.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Password { password, .. } => password,
            Self::Token(token) => token,
        }
    }
}

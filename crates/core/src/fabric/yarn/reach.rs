//! What finds this fabric again without its files, and the way back.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;

use super::NAME;
use super::config::{Config, Credentials};
use crate::diagnostic::{Diagnostic, code};
use crate::fabric::reach::Kept;
use crate::secret::Text;
use crate::source::Span;

const CLUSTER: &str = "name";
const MANAGERS: &str = "resourceManagers";
const FILES: &str = "webHdfs";
const HISTORY: &str = "historyServer";
const USER: &str = "user";
const AUTHORITIES: &str = "authorities";
const STAGING: &str = "stagingFolder";
/// As on other fabrics: whether the credentials stand in a file.
const CREDENTIALS: &str = "credentials";
const LITERAL: &str = "literal";

/// The words for the header of a journal.
pub(super) fn told(config: &Config) -> BTreeMap<String, String> {
    let told = [
        (CLUSTER, Some(config.name.shown().to_owned())),
        (MANAGERS, Some(config.resource_managers.join(" "))),
        (FILES, Some(config.web_hdfs.join(" "))),
        (HISTORY, config.history.clone()),
        (USER, Some(config.user.clone())),
        (AUTHORITIES, config.authorities.as_ref().map(|path| path.display().to_string())),
        (STAGING, Some(config.staging.clone())),
        (CREDENTIALS, config.credentials.as_ref().map(|_| LITERAL.to_owned())),
    ];
    told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

impl Config {
    /// What reaches the cluster of an earlier run, from the header of its journal: its steps can be looked at, stopped, and
    /// their logs be read; it has nothing of what only new steps need. Credentials come from its files.
    ///
    /// # Errors
    /// Something is missing in it, or its files are needed and not there (`credentials-not-kept`).
    pub fn reached(
        reach: &BTreeMap<String, String>,
        credentials: Option<Credentials>,
    ) -> Result<Self, Diagnostic> {
        let kept = Kept::new(NAME, reach);
        if kept.get(CREDENTIALS).is_some() && credentials.is_none() {
            let message = "the credentials of the run stood in its files as they are, and such are kept nowhere else";
            return Err(Diagnostic::error(code::CREDENTIALS_NOT_KEPT, message));
        }
        let addresses = |key| {
            let all: Vec<_> = kept.need(key)?.split_whitespace().map(str::to_owned).collect();
            match all.iter().all(|url| url.starts_with("http://") || url.starts_with("https://")) {
                true if !all.is_empty() => Ok(all),
                _ => Err(kept.wrong(key, "addresses of web services")),
            }
        };
        Ok(Self {
            name: Text::new(kept.need(CLUSTER)?, Span::at(0)),
            resource_managers: addresses(MANAGERS)?,
            web_hdfs: addresses(FILES)?,
            history: kept.get(HISTORY).map(str::to_owned),
            user: kept.need(USER)?.to_owned(),
            credentials,
            authorities: kept.get(AUTHORITIES).map(PathBuf::from),
            queue: String::new(),
            memory_mb: 0,
            v_cores: 0,
            slots: NonZeroU32::MIN,
            staging: kept.need(STAGING)?.to_owned(),
            environment: BTreeMap::new(),
            tags: Vec::new(),
        })
    }
}

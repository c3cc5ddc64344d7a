//! What finds this fabric again without its files, and the way back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Config, Credentials, NAME};
use crate::diagnostic::{Diagnostic, code};
use crate::fabric::reach::Kept;
use crate::http::google::{Impersonation, Source};
use crate::secret::Text;
use crate::source::Span;

const PROJECT: &str = "project";
const REGION: &str = "region";
const ENDPOINT: &str = "endpoint";
const STORAGE: &str = "storageEndpoint";
const CREDENTIALS: &str = "credentials";
const FILE: &str = "credentialsFile";
const IMPERSONATE: &str = "impersonate";
const QUOTA: &str = "quotaProject";

const DEFAULT: &str = "default";
const OF_FILE: &str = "file";
/// The word for what stands in a file of ours.
const LITERAL: &str = "literal";

/// Where clusters are, and who asks for them.
#[derive(Clone, Debug)]
pub struct Access {
    /// The project's id; `None`: the one that goes with the credentials.
    pub project: Option<String>,
    /// The region.
    pub region: Text,
    /// The beginning of the URLs of Dataproc; `None`: that of the region.
    pub endpoint: Option<String>,
    /// The same of Cloud Storage.
    pub storage_endpoint: Option<String>,
    /// Who asks.
    pub credentials: Credentials,
    /// As whom.
    pub impersonate: Option<String>,
    /// The project whose quota counts.
    pub quota_project: Option<String>,
}

impl Access {
    /// What a cluster's configuration says.
    pub fn of(config: &Config) -> Self {
        Self {
            project: config.project.as_ref().map(|project| project.expose().to_owned()),
            region: config.region.clone(),
            endpoint: config.endpoint.clone(),
            storage_endpoint: config.storage_endpoint.clone(),
            credentials: config.credentials.clone(),
            impersonate: config.impersonate.clone(),
            quota_project: config.quota_project.clone(),
        }
    }

    /// Where credentials come from, in the words of the layer that gets them.
    pub fn source(&self) -> Source {
        match &self.credentials {
            Credentials::Default => Source::Default,
            Credentials::File(path) => Source::File(path.clone()),
            Credentials::Json(text) => Source::Json(text.clone()),
            Credentials::Token(token) => Source::Token(token.clone()),
        }
    }

    /// Who they are to be turned into.
    pub fn impersonation(&self) -> Option<Impersonation> {
        let account = self.impersonate.clone()?;
        Some(Impersonation { account, delegates: Vec::new() })
    }

    /// What reaches the clusters of an earlier run, from the header of its journal ([`crate::fabric::Fabric::reach`]).
    /// Credentials that stood in a file are in no journal: then they come from `files`.
    ///
    /// # Errors
    /// Something is missing in it, or makes no sense; or the credentials are neither kept nor in `files`
    /// (`credentials-not-kept`).
    pub fn reached(
        reach: &BTreeMap<String, String>,
        files: Option<Credentials>,
    ) -> Result<Self, Diagnostic> {
        let kept = Kept::new(NAME, reach);
        let credentials = match (kept.need(CREDENTIALS)?, files) {
            (DEFAULT, _) => Credentials::Default,
            (OF_FILE, _) => Credentials::File(PathBuf::from(kept.need(FILE)?)),
            (LITERAL, Some(literal)) => literal,
            (LITERAL, None) => {
                let message = "the credentials of the run stood in its files as they are, and such are kept nowhere else";
                return Err(Diagnostic::error(code::CREDENTIALS_NOT_KEPT, message));
            }
            _ => return Err(kept.wrong(CREDENTIALS, "`default`, `file` or `literal`")),
        };
        let url = |key| match kept.get(key) {
            Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => {
                Err(kept.wrong(key, "the URL of an endpoint"))
            }
            url => Ok(url.map(str::to_owned)),
        };
        let word = |key| kept.get(key).map(str::to_owned);
        Ok(Self {
            project: word(PROJECT),
            region: Text::new(kept.need(REGION)?, Span::at(0)),
            endpoint: url(ENDPOINT)?,
            storage_endpoint: url(STORAGE)?,
            credentials,
            impersonate: word(IMPERSONATE),
            quota_project: word(QUOTA),
        })
    }
}

/// The words for the header of a journal; `project`: the one that was found out.
pub(super) fn told(access: &Access, project: Option<String>) -> BTreeMap<String, String> {
    let (word, file) = match &access.credentials {
        Credentials::Default => (DEFAULT, None),
        Credentials::File(path) => (OF_FILE, Some(path.display().to_string())),
        Credentials::Json(_) | Credentials::Token(_) => (LITERAL, None),
    };
    let words = [
        (PROJECT, access.project.clone().or(project)),
        (REGION, Some(access.region.expose().to_owned())),
        (ENDPOINT, access.endpoint.clone()),
        (STORAGE, access.storage_endpoint.clone()),
        (CREDENTIALS, Some(word.to_owned())),
        (FILE, file),
        (IMPERSONATE, access.impersonate.clone()),
        (QUOTA, access.quota_project.clone()),
    ];
    words.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn access(credentials: Credentials) -> Access {
        Access {
            project: Some("p".into()),
            region: Text::new("europe-west1", Span::at(0)),
            endpoint: Some("http://127.0.0.1:1".into()),
            storage_endpoint: None,
            credentials,
            impersonate: Some("a@b".into()),
            quota_project: None,
        }
    }

    #[test]
    fn there_and_back() {
        let token = Credentials::Token(Secret::new("hunter2"));
        for credentials in [Credentials::Default, Credentials::File("/k.json".into()), token] {
            let words = told(&access(credentials.clone()), None);
            assert!(!format!("{words:?}").contains("hunter2"));
            let literal = matches!(credentials, Credentials::Token(_));
            let lost = Access::reached(&words, None).err().map(|fault| fault.code.as_str());
            assert_eq!(lost, literal.then_some("credentials-not-kept"));
            let back = Access::reached(&words, Some(credentials.clone())).expect("it leads back");
            assert_eq!(told(&back, None), words);
            assert_eq!(back.credentials, credentials);
        }
    }

    #[test]
    fn what_is_wrong_with_a_header_is_told() {
        let words = |key: &str, value: Option<&str>| {
            let mut words = told(&access(Credentials::Default), None);
            words.remove(key);
            words.extend(value.map(|value| (key.to_owned(), value.to_owned())));
            words
        };
        for (key, value) in [
            (REGION, None),
            (CREDENTIALS, None),
            (CREDENTIALS, Some("x")),
            (CREDENTIALS, Some(OF_FILE)),
            (ENDPOINT, Some("x")),
        ] {
            let fault =
                Access::reached(&words(key, value), None).err().map(|fault| fault.code.as_str());
            assert_eq!(fault, Some("journal-reach"), "{key}");
        }
    }
}

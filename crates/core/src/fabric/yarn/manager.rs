//! Applications, through the ResourceManager.

use serde_json::{Value, json};

use super::error;
use super::reply::{App, Apps, ClusterInfo, NewApplication, OneApp, Property};
use super::rest::{Call, Rest, Service};
use crate::fabric::{ErrorKind, Result, StepId};
use crate::http::encode::encode;

/// Where the ResourceManager's API begins.
const PREFIX: &str = "/ws/v1/cluster";

impl Rest {
    fn manager<'a>(
        operation: &'static str,
        method: &'static str,
        path: &str,
        query: &'a [(&'a str, &'a str)],
    ) -> Call<'a> {
        let path = format!("{PREFIX}{path}");
        let service = Service::Manager;
        Call { service, operation, method, path, query, body: None, order: false }
    }

    /// A setting of the cluster.
    pub(super) fn setting(&self, name: &str) -> Result<String> {
        let query = [("name", name), ("format", "json")];
        let call = Self::manager("conf", "GET", "", &query);
        let found: Property = self.ask(&Call { path: "/conf".to_owned(), ..call })?;
        Ok(found.property.value)
    }

    /// When the ResourceManager began, in milliseconds since 1970.
    ///
    /// # Errors
    /// It does not know yet what it knew before: one that was restarted answers for some seconds as if it had never
    /// known an application (seen on Hadoop 3.4.2).
    pub(super) fn began(&self) -> Result<i64> {
        const INFO: &str = "info";
        let info: ClusterInfo = self.ask(&Self::manager(INFO, "GET", "/info", &[]))?;
        match info.cluster_info.ha_state.as_str() {
            "INITIALIZING" => {
                let message = "the ResourceManager has begun and does not know yet what it knew";
                Err(error(ErrorKind::Unavailable, INFO, message))
            }
            _ => Ok(info.cluster_info.started_on),
        }
    }

    /// An id for an application to come. Unused ones are forgotten.
    pub(super) fn new_application(&self) -> Result<StepId> {
        let call = Self::manager("new-application", "POST", "/apps/new-application", &[]);
        let new: NewApplication = self.ask(&call)?;
        Ok(StepId::new(new.application_id))
    }

    /// Submits an application. A second time with the same id is the first time.
    pub(super) fn submit_application(&self, application: &Value) -> Result<()> {
        let call = Self::manager("submit", "POST", "/apps", &[]);
        let body = Some(application.to_string().into_bytes());
        self.send(&Call { body, order: true, ..call }).map(drop)
    }

    /// An application, if the ResourceManager knows of it.
    pub(super) fn application(&self, id: &StepId) -> Result<Option<App>> {
        let path = format!("/apps/{}", encode(id.as_str()));
        match self.ask::<OneApp>(&Self::manager("application", "GET", &path, &[])) {
            Ok(found) => Ok(Some(found.app)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All applications with a tag.
    pub(super) fn tagged(&self, tag: &str) -> Result<Vec<App>> {
        let query = [("applicationTags", tag)];
        let found: Apps = self.ask(&Self::manager("applications", "GET", "/apps", &query))?;
        Ok(found.apps.map(|all| all.app).unwrap_or_default())
    }

    /// Asks an application to end; asking again is fine.
    pub(super) fn kill_application(&self, id: &str) -> Result<()> {
        let path = format!("/apps/{}/state", encode(id));
        let call = Self::manager("kill", "PUT", &path, &[]);
        let body = Some(json!({"state": "KILLED"}).to_string().into_bytes());
        self.send(&Call { body, ..call }).map(drop)
    }

    /// Lets an application end by itself at a time such as `2026-11-22T10:05:21.000+0000`, also if we die.
    pub(super) fn limit_application(&self, id: &StepId, until: &str) -> Result<()> {
        let path = format!("/apps/{}/timeout", encode(id.as_str()));
        let call = Self::manager("timeout", "PUT", &path, &[]);
        let body = json!({"timeout": {"type": "LIFETIME", "expiryTime": until}});
        self.send(&Call { body: Some(body.to_string().into_bytes()), ..call }).map(drop)
    }
}

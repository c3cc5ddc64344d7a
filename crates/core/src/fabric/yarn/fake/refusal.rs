//! What the fake says when it refuses a call.

use serde_json::json;

use crate::http::Reply;

/// A `RemoteException`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Such as `NotFoundException`.
    pub exception: &'static str,
    /// Its package.
    pub package: &'static str,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// One of the ResourceManager's.
    pub fn new(status: u16, exception: &'static str, message: impl Into<String>) -> Self {
        let package = "org.apache.hadoop.yarn.webapp";
        Self { status, exception, package, message: message.into() }
    }

    /// What was sent makes no sense.
    pub fn bad(message: impl AsRef<str>) -> Self {
        let message = format!("java.lang.Exception: {}", message.as_ref());
        Self::new(400, "BadRequestException", message)
    }

    /// There is no such application.
    pub fn unknown(id: &str) -> Self {
        let message = format!("java.lang.Exception: app with id: {id} not found");
        Self::new(404, "NotFoundException", message)
    }

    /// There is no such file.
    pub fn no_file(path: &str) -> Self {
        let message = format!("File does not exist: {path}");
        Self { package: "java.io", ..Self::new(404, "FileNotFoundException", message) }
    }

    /// A NameNode that stands by.
    pub fn standby() -> Self {
        let message = "Operation category READ is not supported in state standby. Visit https://s.apache.org/sbnn-error";
        let package = "org.apache.hadoop.ipc";
        Self { package, ..Self::new(403, "StandbyException", message) }
    }

    /// Nobody said who asks.
    pub fn nobody() -> Self {
        let message = "Authentication required";
        let package = "org.apache.hadoop.security.authentication.client";
        Self { package, ..Self::new(401, "AuthenticationException", message) }
    }

    pub(super) fn reply(&self) -> Reply {
        let Self { status, exception, package, message } = self;
        let class = format!("{package}.{exception}");
        let what = json!({"exception": exception, "message": message, "javaClassName": class});
        super::serve::json(*status, &json!({"RemoteException": what}))
    }
}

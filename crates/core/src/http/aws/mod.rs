//! AWS as it is reached from here: endpoints, credentials, signatures, quotas and the errors all its services share.

pub mod encode;
pub mod xml;

mod sign;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Client, Reply};
use crate::environment::Environment;
use crate::fabric::Error;
use crate::secret::Secret;
pub use verify::{Refusal, Signer, refusal, verify};

/// What an [`Account`] is made from.
#[derive(Debug)]
pub struct Settings {
    /// The region of the files, such as `eu-west-1`.
    pub region: String,
    /// How to sign.
    pub credentials: Source,
    /// The environment of the program.
    pub environment: Arc<Environment>,
    /// Sends.
    pub client: Arc<Client>,
    /// The folder through which all processes of this user share their quotas.
    pub quotas: PathBuf,
}

/// Where credentials come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The role of the EC2 instance this runs on.
    Instance,
    /// `AWS_ACCESS_KEY_ID` (or `AWS_ACCESS_KEY`), `AWS_SECRET_ACCESS_KEY` (or `AWS_SECRET_KEY`), `AWS_SESSION_TOKEN`.
    Environment,
    /// The default chain of AWS.
    Chain,
    /// A key.
    Key {
        /// The access key id.
        id: Secret,
        /// The secret access key.
        secret: Secret,
    },
}

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Amazon EMR: JSON 1.1, `X-Amz-Target: ElasticMapReduce.<operation>`.
    Emr,
    /// Amazon S3: REST, XML.
    S3,
    /// AWS STS: query, XML.
    Sts,
}

/// What requests are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id.
    pub id: Secret,
    /// The secret access key.
    pub secret: Secret,
    /// The session token, of credentials that expire.
    pub token: Option<Secret>,
    /// When they expire, if it is known.
    pub expires: Option<Timestamp>,
}

impl Service {
    /// As signatures name it.
    pub fn signing_name(self) -> &'static str {
        match self {
            Self::Emr => "elasticmapreduce",
            Self::S3 => "s3",
            Self::Sts => "sts",
        }
    }
}

/// One call of an operation.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Of which service.
    pub service: Service,
    /// In AWS's own words, such as `RunJobFlow`: for headers, quotas and messages.
    pub operation: &'static str,
    /// Such as `POST`.
    pub method: &'static str,
    /// From `/` on, encoded. On S3 the bucket comes first (`/bucket/key`); where it goes in the host is not the caller's.
    pub path: &'a str,
    /// Names and values, not encoded.
    pub query: &'a [(&'a str, &'a str)],
    /// Further headers, names in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// Sending it twice does no more than sending it once. Else it is only sent again when no byte of it left or
    /// AWS says that it did nothing.
    pub repeatable: bool,
}

/// Why a call came to nothing.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its `effect` says whether the call may have been carried out; its `kind` follows the table of codes that all
    /// services share, else `Config` for 4xx.
    pub error: Error,
    /// The code of AWS, such as `AccessDeniedException`, where AWS answered.
    pub code: Option<String>,
}

/// AWS as it is reached from here, with one set of credentials in one region.
#[derive(Debug)]
pub struct Account {
    settings: Settings,
}

impl Account {
    /// Reads what the environment and AWS's own files say. Nothing is sent.
    ///
    /// # Errors
    /// What they say makes no sense, or names what is not there.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self { settings })
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.settings.region
    }

    /// Where a service is reached, such as `https://elasticmapreduce.eu-west-1.amazonaws.com`.
    pub fn endpoint(&self, service: Service) -> String {
        let _ = service;
        String::new()
    }

    /// Where the credentials come from, in words without secrets, such as `profile`.
    pub fn credentials_source(&self) -> &'static str {
        "environment"
    }

    /// Makes a call: waits its turn within the quotas, signs, sends, and asks again what may be asked again, 2 s of
    /// waiting at most. What would take longer comes back as `Quota` or `Unavailable` with `not_before`.
    ///
    /// # Errors
    /// No reply, or one that is not 2xx.
    pub fn call(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let message = "not built yet";
        let error =
            Error::new(crate::fabric::ErrorKind::Unsupported, "emr", call.operation, message);
        Err(Failure { error, code: None })
    }
}

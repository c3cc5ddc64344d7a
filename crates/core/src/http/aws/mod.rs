//! AWS as it is reached from here: endpoints, credentials, signatures, quotas and the errors all its services share.

pub mod xml;

mod credentials;
mod endpoints;
mod error;
mod files;
mod ini;
mod principal;
mod sign;
#[cfg(test)]
mod tests;
mod verify;
mod wire;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::quota::Quota;
use super::retry::{Miss, persist};
use super::time::Time;
use super::{Client, Reply, Request, encode, lock};
use crate::clock::{add, timestamp};
use crate::environment::Environment;
use crate::fabric::{Error, ErrorKind};
use crate::secret::Secret;
use credentials::{Keeper, World};
use endpoints::Endpoints;
pub use endpoints::{is_endpoint, is_region};
use error::is_of_expiry;
use files::Files;
pub use verify::{Refusal, Signer, refusal, verify};
use wire::{Wire, failure};

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

/// How AWS was reached by another process, as far as that does not follow from the region. It holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Services with an endpoint that the user had named, or that is not the ordinary one.
    pub endpoints: Vec<(Service, String)>,
    /// The profile that the default chain began with, if it was named.
    pub profile: Option<String>,
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
    wire: Arc<Wire>,
    keeper: Keeper,
    quotas: PathBuf,
    /// So many times EMR's default quotas.
    factor: f64,
    /// The turns of the account that the credentials are of, by a name for it.
    quota: Mutex<Option<(String, Arc<Quota>)>>,
}

impl Account {
    /// Reads what the environment and AWS's own files say. Nothing is sent.
    ///
    /// # Errors
    /// What they say makes no sense, or names what is not there.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Self::again(settings, &Recorded::default())
    }

    /// The same, but as another process reached AWS: where that was is not for the environment of this one to say; which
    /// profile counts is, if it says so.
    ///
    /// # Errors
    /// As [`Account::new`].
    pub fn again(mut settings: Settings, recorded: &Recorded) -> Result<Self, Error> {
        if let Some(profile) = &recorded.profile {
            settings.environment = Arc::new(settings.environment.or(&files::PROFILE, profile));
        }
        Self::with_time(settings, &recorded.endpoints, Time::new("AWS", SKEW))
    }

    fn with_time(
        settings: Settings,
        endpoints: &[(Service, String)],
        time: Time,
    ) -> Result<Self, Error> {
        let Settings { region, credentials, environment, client, quotas } = settings;
        let config = |e: String| Error::new(ErrorKind::Config, "emr", "settings", e);
        let files = Files::read(&environment).map_err(config)?;
        let own = Endpoints::of(&environment, &files, &region).map_err(config)?;
        let endpoints = own.with(endpoints);
        let wire = Arc::new(Wire::new(client, endpoints, region, time));
        let world = World { environment, files, wire: Arc::clone(&wire) };
        let keeper =
            Keeper::new(credentials, world).map_err(|trouble| trouble.into_error("credentials"))?;
        Ok(Self { wire, keeper, quotas, factor: 1.0, quota: Mutex::default() })
    }

    /// The account has so many times EMR's default quotas (> 0; infinity: nobody waits for a turn).
    #[must_use]
    pub fn with_quotas(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.wire.region
    }

    /// Where a service is reached, such as `https://elasticmapreduce.eu-west-1.amazonaws.com`.
    pub fn endpoint(&self, service: Service) -> String {
        self.wire.endpoints.url(service, &self.wire.region)
    }

    /// Where the credentials come from, in words without secrets, such as `profile`.
    pub fn credentials_source(&self) -> &'static str {
        self.keeper.source()
    }

    /// From where they were to come.
    pub fn source(&self) -> &Source {
        self.keeper.wanted()
    }

    /// What another process needs to reach the same account, beside the region and the source of the credentials.
    pub fn recorded(&self) -> Recorded {
        let Wire { endpoints, region, .. } = self.wire.as_ref();
        let services = [Service::Emr, Service::S3, Service::Sts].into_iter();
        let unusual = services.filter_map(|it| Some((it, endpoints.unusual(it, region)?)));
        Recorded { endpoints: unusual.collect(), profile: self.keeper.profile() }
    }

    /// What should be told to people and was not yet: that the machine's clock is wrong, that quotas cannot be shared.
    pub fn take_notes(&self) -> Vec<String> {
        let mut notes = std::mem::take(&mut *lock(&self.wire.notes));
        notes.extend(lock(&self.quota).as_ref().and_then(|(_, quota)| quota.take_note()));
        notes
    }

    /// Makes a call: waits its turn within the quotas, signs, sends, and asks again what may be asked again, 2 s of
    /// waiting at most. What would take longer comes back as `Quota` or `Unavailable` with `not_before`.
    ///
    /// # Errors
    /// No reply, or one that is not 2xx.
    pub fn call(&self, call: &Call<'_>) -> Result<Reply, Failure> {
        let bell = self.wire.client.bell();
        let mut corrected = 0;
        let done = persist(bell, call.repeatable, |budget| {
            let tried = self.attempt(call, budget);
            corrected += usize::from(matches!(tried, Err(Miss::Corrected(_))));
            match tried {
                // What two corrections do not mend, a third will not: a region, a clock, credentials.
                Err(Miss::Corrected(failure)) if corrected > 2 => Err(Miss::Refused(failure)),
                other => other,
            }
        });
        done.map_err(|miss| {
            let wait = match &miss {
                Miss::Throttled(_, after) => Some(after.unwrap_or(AGAIN)),
                _ => None,
            };
            let mut failure = miss.into_error();
            if let Some(wait) = wait.filter(|_| failure.error.not_before.is_none()) {
                failure.error.not_before = Some(add(timestamp(), wait));
            }
            failure
        })
    }

    fn attempt(&self, call: &Call<'_>, budget: &mut Duration) -> Result<Reply, Miss<Failure>> {
        let credentials = self.keeper.credentials().map_err(|trouble| {
            Miss::Refused(Failure { error: trouble.into_error(call.operation), code: None })
        })?;
        let bell = self.wire.client.bell();
        let paced = self.factor.is_finite() && call.service == Service::Emr;
        let quota = paced.then(|| self.quota(&credentials));
        if let Some(quota) = &quota {
            quota.turn(call.operation, bell, budget).map_err(|at| {
                let message = "the account's quota is used up for now";
                let mut failure = failure(call, ErrorKind::Quota, message);
                failure.error.not_before = Some(at);
                Miss::Refused(failure)
            })?;
        }
        let tried = self.wire.attempt(call, Some(&credentials));
        match (tried, quota) {
            (Err(Miss::Throttled(failure, after)), Some(quota)) => {
                quota.throttled(call.operation, bell);
                Err(Miss::Throttled(failure, after))
            }
            (Err(Miss::Refused(failure)), _) if is_of_expiry(failure.code.as_deref()) => {
                Err(self.keeper.expired(&credentials, failure))
            }
            (Ok(reply), _) => {
                self.keeper.proved();
                Ok(reply)
            }
            (tried, _) => tried,
        }
    }

    fn quota(&self, credentials: &Credentials) -> Arc<Quota> {
        let endpoint = self.endpoint(Service::Emr);
        let name = principal::name(credentials.id.expose(), &self.wire.region, &endpoint);
        let mut quota = lock(&self.quota);
        match &*quota {
            Some((known, quota)) if *known == name => Arc::clone(quota),
            _ => {
                let fresh = Arc::new(Quota::new(&self.quotas, &name, self.factor));
                *quota = Some((name, Arc::clone(&fresh)));
                fresh
            }
        }
    }
}

/// Signs a request to STS that somebody else is to send, who learns by the answer who we are.
pub(super) fn sign_for_sts(
    request: &mut Request,
    credentials: &Credentials,
    region: &str,
    now: Timestamp,
) {
    sign::sign(request, credentials, sign::Scope { service: Service::Sts, region }, now);
}

/// AWS refuses what was signed further from its own time than this.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// When to try again after a throttle of which nobody says how long it lasts.
const AGAIN: Duration = Duration::from_secs(5);

//! Google's Application Default Credentials: who we are for Google's APIs, and tokens that say so
//! ([how they work](https://cloud.google.com/docs/authentication/application-default-credentials),
//! [AIP-4110](https://google.aip.dev/auth/4110)).
//!
//! `place` knows where credentials are, `identity` who they say we are, one file for each kind how it gets a token, and
//! `keeper` keeps the token and has it renewed in time.

mod amazon;
mod ask;
mod error;
mod executable;
mod external;
mod fields;
mod identity;
mod impersonate;
mod jwt;
mod keeper;
mod metadata;
mod place;
mod service_account;
mod subject;
#[cfg(test)]
mod tests;
mod user;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::time::Time;
use super::{Client, Request, lock};
use crate::environment::Environment;
use crate::secret::Secret;
use ask::is_token;
pub use error::{Error, Kind};
use identity::{Identity, Known, is_universe};
use impersonate::Impersonated;
use keeper::Keeper;
use place::Place;

/// The ordinary universe.
const GOOGLE: &str = "googleapis.com";
/// All that the identity itself may do.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How a person logs in.
const LOGIN: &str = "gcloud auth application-default login";
/// A claim whose times are further from Google's clock than this may be refused for that.
const SKEW: SignedDuration = SignedDuration::from_secs(30);

/// Where credentials come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Application Default Credentials: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, the file of gcloud, the
    /// metadata server.
    Default,
    /// A file of any type that Application Default Credentials know.
    File(PathBuf),
    /// The text of such a file.
    Json(Secret),
    /// The metadata server of the machine this runs on.
    Metadata,
    /// An access token, used as it is until it is refused.
    Token(Secret),
}

/// A service account to be in place of ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impersonation {
    /// Its address, such as `runner@my-project.iam.gserviceaccount.com`.
    pub account: String,
    /// The accounts on the way to it, the first one first: each may be taken by the one before it.
    pub delegates: Vec<String>,
}

/// What [`Credentials`] are made from.
#[derive(Debug)]
pub struct Settings {
    /// Where they come from.
    pub source: Source,
    /// Who they are to be turned into, if anybody.
    pub impersonate: Option<Impersonation>,
    /// The project whose quota counts; counts before what the environment and the file say.
    pub quota_project: Option<String>,
    /// The environment of the program.
    pub environment: Arc<Environment>,
    /// Sends.
    pub client: Arc<Client>,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    value: Secret,
    /// `None`: that is not known.
    expires: Option<Timestamp>,
}

/// Who we are for Google's APIs, with a token that is renewed in time. One for all threads.
#[derive(Debug)]
pub struct Credentials {
    world: World,
    place: Place,
    impersonate: Option<Impersonation>,
    quota: Option<String>,
    /// What kind of credentials they are, chosen once: a file that changes must not turn us into somebody else.
    word: &'static str,
    project: Mutex<Option<String>>,
    universe: Mutex<Option<String>>,
    keeper: Keeper,
}

/// All that those who get tokens look at.
#[derive(Debug)]
struct World {
    environment: Arc<Environment>,
    client: Arc<Client>,
    time: Time,
    /// A token that renews others as it was first, and as it is now.
    rotated: Mutex<Option<(Secret, Secret)>>,
    /// What should be told to people.
    notes: Mutex<Vec<String>>,
}

impl World {
    fn note(&self, note: String) {
        lock(&self.notes).push(note);
    }
}

impl Credentials {
    /// Finds out where credentials are, and reads them. Nothing is sent.
    ///
    /// # Errors
    /// There are none, or what is written makes no sense.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Self::with_time(settings, Time::new("Google", SKEW))
    }

    fn with_time(settings: Settings, time: Time) -> Result<Self, Error> {
        let Settings { source, impersonate, quota_project, environment, client } = settings;
        let place = Place::choose(&source, &environment)?;
        let known = Known::of(&place)?;
        let named = environment.get("GOOGLE_CLOUD_QUOTA_PROJECT").map(str::to_owned);
        let quota = quota_project.or(named).or(known.quota);
        if quota.as_deref().is_some_and(|it| !is_token(it)) {
            let message = "the project whose quota is to count is not the id of a project";
            return Err(Error::malformed(message));
        }
        let (rotated, notes) = (Mutex::default(), Mutex::default());
        let world = World { environment, client, time, rotated, notes };
        let universe = match &known.identity {
            // Nobody else knows.
            Identity::Token(_) => Some(named_universe(&world)?.unwrap_or(GOOGLE).to_owned()),
            _ => known.universe,
        };
        if let Some(universe) = &universe {
            agreed(&world, universe)?;
        }
        Ok(Self {
            world,
            place,
            impersonate,
            quota,
            word: known.identity.word(),
            project: Mutex::new(known.project),
            universe: Mutex::new(universe),
            keeper: Keeper::default(),
        })
    }

    /// Adds the headers that say who we are: `authorization`, and `x-goog-user-project` where a quota project is known.
    /// May ask for a token first. The token is for [`Credentials::refuse`].
    ///
    /// # Errors
    /// There is no token.
    pub fn authorize(&self, request: &mut Request) -> Result<Token, Error> {
        let token = self.keeper.token(&|| self.world.time.now(), &|| self.fetch())?;
        let mut set = |name: &str, value: String| {
            request.headers.retain(|(known, _)| known != name);
            request.headers.push((name.to_owned(), value));
        };
        set("authorization", format!("Bearer {}", token.value.expose()));
        if let Some(quota) = &self.quota {
            set("x-goog-user-project", quota.clone());
        }
        Ok(token)
    }

    /// A request with that token was answered with 401: whether there is another token now, so that the request may be
    /// sent once more with it. Two threads that are refused with the same token have it renewed once.
    ///
    /// # Errors
    /// It cannot be renewed.
    pub fn refuse(&self, used: &Token) -> Result<bool, Error> {
        self.keeper.refuse(used, &|| self.world.time.now(), &|| self.fetch())
    }

    /// The project whose quota counts, if it is another than that of the thing that is asked for.
    pub fn quota_project(&self) -> Option<&str> {
        self.quota.as_deref()
    }

    /// The domain below which the APIs are for these credentials: `googleapis.com`, but in clouds of others. May ask the
    /// metadata server, once.
    ///
    /// # Errors
    /// The metadata server does not say, or `GOOGLE_CLOUD_UNIVERSE_DOMAIN` says another one.
    pub fn universe_domain(&self) -> Result<String, Error> {
        if let Some(known) = &*lock(&self.universe) {
            return Ok(known.clone());
        }
        let universe = metadata::universe(&self.world, self.looked())?;
        if !is_universe(&universe) {
            return Err(Error::garbled("the metadata server gave a universe that is not a domain"));
        }
        agreed(&self.world, &universe)?;
        *lock(&self.universe) = Some(universe.clone());
        Ok(universe)
    }

    /// The project to work in, if nobody names one: `GOOGLE_CLOUD_PROJECT`, else the one of the service account's file,
    /// else the machine's. Of a person none is known. May ask the metadata server, once.
    ///
    /// # Errors
    /// The metadata server does not say.
    pub fn project(&self) -> Result<Option<String>, Error> {
        let named = ["GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"];
        if let Some(project) = named.iter().find_map(|name| self.world.environment.get(name)) {
            return Ok(Some(project.to_owned()));
        }
        if let Some(known) = &*lock(&self.project) {
            return Ok(Some(known.clone()));
        }
        if !matches!(self.place, Place::Metadata(_)) {
            return Ok(None);
        }
        let project = metadata::project(&self.world, self.looked())?;
        lock(&self.project).clone_from(&project);
        Ok(project)
    }

    /// Where tokens come from, in words without secrets, such as `service account`.
    pub fn source(&self) -> &'static str {
        self.word
    }

    /// What should be told to people and was not yet: that the machine's clock is wrong.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.world.notes))
    }

    /// Where was looked before the metadata server.
    fn looked(&self) -> Option<&str> {
        match &self.place {
            Place::Metadata(looked) => looked.as_deref(),
            _ => None,
        }
    }

    /// A token for whom we are to be. What is written is read again, as it may have changed: so a key is replaced, or a
    /// person logs in again, while a run goes on.
    fn fetch(&self) -> Result<Token, Error> {
        let known = Known::of(&self.place)?;
        let word = known.identity.word();
        if word != self.word {
            let was = self.word;
            let message = format!(
                "the credentials were of a {was}, and are now of a {word}; start anew with them"
            );
            return Err(Error::malformed(message));
        }
        let Some(Impersonation { account, delegates }) = &self.impersonate else {
            return known.identity.fetch(&self.world);
        };
        let named = self.world.environment.get("GOOGLE_CLOUD_QUOTA_PROJECT").map(str::to_owned);
        let impersonated = Impersonated {
            source: known.identity,
            url: impersonate::url(&self.universe_domain()?, account),
            delegates: delegates.clone(),
            lifetime: None,
            quota: named.or(known.quota),
        };
        impersonated.fetch(&self.world)
    }
}

fn named_universe(world: &World) -> Result<Option<&str>, Error> {
    let name = "GOOGLE_CLOUD_UNIVERSE_DOMAIN";
    match world.environment.get(name) {
        Some(named) if !is_universe(named) => {
            Err(Error::malformed(format!("`{name}` is not a domain, such as `{GOOGLE}`")))
        }
        named => Ok(named),
    }
}

/// Credentials of one universe are not to be sent to another one.
fn agreed(world: &World, universe: &str) -> Result<(), Error> {
    match named_universe(world)? {
        Some(named) if named != universe => Err(Error::malformed(format!(
            "`GOOGLE_CLOUD_UNIVERSE_DOMAIN` is `{named}`, but the credentials are for `{universe}`"
        ))),
        _ => Ok(()),
    }
}

//! Who a file of credentials says we are: its `type`, and what goes with each
//! ([AIP-4110](https://google.aip.dev/auth/4110)).

use serde_json::Value;

use super::ask::is_token;
use super::error::Error;
use super::external::External;
use super::fields::Fields;
use super::impersonate::Impersonated;
use super::place::Place;
use super::service_account::ServiceAccount;
use super::user::User;
use super::{GOOGLE, Token, World, metadata};
use crate::secret::Secret;

/// Who we are.
#[derive(Debug)]
pub(super) enum Identity {
    /// A service account of which we have a key.
    ServiceAccount(Box<ServiceAccount>),
    /// A person who logged in.
    User(User),
    /// Somebody of elsewhere.
    External(Box<External>),
    /// A service account by the leave of another identity.
    Impersonated(Box<Impersonated>),
    /// The service account of the machine; where else was looked before.
    Metadata(Option<String>),
    /// Whoever the token is for.
    Token(Secret),
}

/// An identity, and what else is written with it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) identity: Identity,
    /// `None`: the one who knows was not asked.
    pub(super) universe: Option<String>,
    pub(super) project: Option<String>,
    /// Whose quota counts.
    pub(super) quota: Option<String>,
}

impl Known {
    /// Reads what is in a place.
    ///
    /// # Errors
    /// It is not there, or makes no sense.
    pub(super) fn of(place: &Place) -> Result<Self, Error> {
        let plain = |identity| Self { identity, universe: None, project: None, quota: None };
        match (place, place.text()?) {
            (_, Some((text, name))) => {
                // The reason may quote what it met.
                let value: Value = serde_json::from_str(text.expose())
                    .map_err(|_| Error::malformed(format!("{name} is not JSON")))?;
                Self::read(Fields::of(&name, &value)?, None)
            }
            (Place::Token(token), None) => match is_token(token.expose()) {
                true => Ok(plain(Identity::Token(token.clone()))),
                false => Err(Error::malformed(
                    "the given token for Google is none: it is empty, or has blanks in it",
                )),
            },
            (Place::Metadata(looked), None) => Ok(plain(Identity::Metadata(looked.clone()))),
            // Such places have a text.
            (Place::File(..) | Place::Text(_), None) => {
                Err(Error::missing("nothing is written there"))
            }
        }
    }

    /// `within`: the universe of the identity that this is the source of.
    fn read(fields: Fields<'_>, within: Option<&str>) -> Result<Self, Error> {
        let own = fields.get("universe_domain")?;
        let universe = own.or(within).unwrap_or(GOOGLE).to_owned();
        if !is_universe(&universe) {
            return Err(
                fields.wrong("universe_domain", "is not a domain, such as `googleapis.com`")
            );
        }
        let quota = fields.get("quota_project_id")?.map(str::to_owned);
        if quota.as_deref().is_some_and(|it| !is_token(it)) {
            return Err(fields.wrong("quota_project_id", "is not the id of a project"));
        }
        let identity = match fields.get("type")? {
            Some("service_account") => {
                Identity::ServiceAccount(Box::new(ServiceAccount::read(fields, &universe)?))
            }
            Some("authorized_user") => Identity::User(User::of_google(fields, &universe)?),
            Some("external_account_authorized_user") => {
                Identity::User(User::of_workforce(fields, &universe)?)
            }
            Some("external_account") => external(fields, &universe, quota.clone())?,
            Some("impersonated_service_account") if within.is_none() => {
                return impersonated(fields, universe, quota);
            }
            other => return Err(unknown(fields, other)),
        };
        let project = fields.get("project_id")?.map(str::to_owned);
        Ok(Self { identity, universe: Some(universe), project, quota })
    }
}

fn external(fields: Fields<'_>, universe: &str, quota: Option<String>) -> Result<Identity, Error> {
    let source = Identity::External(Box::new(External::read(fields, universe)?));
    let Some(url) = fields.url("service_account_impersonation_url")? else { return Ok(source) };
    let options = fields.object("service_account_impersonation")?;
    let lifetime = options.map_or(Ok(None), |it| it.number("token_lifetime_seconds"))?;
    let delegates = Vec::new();
    Ok(Identity::Impersonated(Box::new(Impersonated { source, url, delegates, lifetime, quota })))
}

fn impersonated(
    fields: Fields<'_>,
    universe: String,
    quota: Option<String>,
) -> Result<Known, Error> {
    let source = fields.object("source_credentials")?;
    let source = source.ok_or_else(|| fields.wrong("source_credentials", "is missing"))?;
    let source = Known::read(source, Some(&universe))?;
    let url = fields.url("service_account_impersonation_url")?;
    let url = url.ok_or_else(|| fields.wrong("service_account_impersonation_url", "is missing"))?;
    let options = fields.object("service_account_impersonation")?;
    let identity = Identity::Impersonated(Box::new(Impersonated {
        source: source.identity,
        url,
        delegates: fields.texts("delegates")?,
        lifetime: options.map_or(Ok(None), |it| it.number("token_lifetime_seconds"))?,
        quota: source.quota,
    }));
    Ok(Known { identity, universe: source.universe, project: source.project, quota })
}

/// A `type` that is no use here. Values in a file of credentials are not shown, but for names that are known.
fn unknown(fields: Fields<'_>, kind: Option<&str>) -> Error {
    let Some(kind) = kind else {
        return fields.wrong(
            "type",
            "is missing: it is no file of credentials (one of an OAuth client, with `installed` or `web` in it, is not)",
        );
    };
    let kind = match kind {
        "gdch_service_account" => {
            "is `gdch_service_account`, an identity of Google Distributed Cloud Hosted"
        }
        "impersonated_service_account" => {
            "is `impersonated_service_account` again; name all accounts in `delegates` in its place"
        }
        _ => "is not known",
    };
    fields.wrong(
        "type",
        &format!(
            "{kind}; supported are `service_account`, `authorized_user`, `external_account`, \
             `external_account_authorized_user` and `impersonated_service_account`"
        ),
    )
}

/// Whether a text may be a universe: it becomes a part of host names.
pub(super) fn is_universe(text: &str) -> bool {
    let label =
        |it: &str| !it.is_empty() && it.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    text.contains('.') && text.split('.').all(label)
}

impl Identity {
    /// In a word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::ServiceAccount(_) => "service account",
            Self::User(_) => "user",
            Self::External(_) => "workload identity",
            Self::Impersonated(_) => "impersonation",
            Self::Metadata(_) => "metadata server",
            Self::Token(_) => "token",
        }
    }

    /// Gets a token.
    pub(super) fn fetch(&self, world: &World) -> Result<Token, Error> {
        match self {
            Self::ServiceAccount(account) => account.fetch(world),
            Self::User(user) => user.fetch(world),
            Self::External(external) => external.fetch(world),
            Self::Impersonated(impersonated) => impersonated.fetch(world),
            Self::Metadata(looked) => metadata::token(world, looked.as_deref()),
            Self::Token(token) => Ok(Token { value: token.clone(), expires: None }),
        }
    }
}

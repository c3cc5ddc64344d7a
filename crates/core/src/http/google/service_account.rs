//! The key of a service account: a signed claim, for a token
//! ([OAuth 2.0 for server to server](https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests)),
//! or in its place ([AIP-4111](https://google.aip.dev/auth/4111)).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::ask::{LIMIT, Question, form};
use super::error::Error;
use super::fields::Fields;
use super::jwt::Key;
use super::{GOOGLE, SCOPE, Token, World};
use crate::secret::Secret;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest that Google grants.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// A service account of which we have a key.
#[derive(Debug)]
pub(super) struct ServiceAccount {
    email: String,
    key: Key,
    key_id: Option<String>,
    token_uri: String,
    universe: String,
    /// The file, in words.
    place: String,
}

impl ServiceAccount {
    pub(super) fn read(fields: Fields<'_>, universe: &str) -> Result<Self, Error> {
        let key = Key::of_pem(fields.need("private_key")?);
        let key = key.ok_or_else(|| fields.wrong("private_key", "is no RSA key in PEM"))?;
        let default = || format!("https://oauth2.{universe}/token");
        Ok(Self {
            email: fields.need("client_email")?.to_owned(),
            key,
            key_id: fields.get("private_key_id")?.map(str::to_owned),
            token_uri: fields.url("token_uri")?.unwrap_or_else(default),
            universe: universe.to_owned(),
            place: fields.place.to_owned(),
        })
    }

    pub(super) fn fetch(&self, world: &World) -> Result<Token, Error> {
        // Other universes have nobody who gives a token for a claim; they take the claim itself.
        if self.universe != GOOGLE {
            return self.self_signed(world.time.now());
        }
        match self.exchange(world, false)? {
            Some(token) => Ok(token),
            None => self.exchange(world, true)?.ok_or_else(|| self.cannot_sign()),
        }
    }

    /// `None`: the clock was wrong, and is corrected now.
    fn exchange(&self, world: &World, corrected: bool) -> Result<Option<Token>, Error> {
        let assertion = self.sign(world.time.now(), json!({ "aud": self.token_uri }))?;
        let who = format!("the token endpoint `{}`", self.token_uri);
        let question = Question {
            who: &who,
            request: form(&self.token_uri, &[("grant_type", GRANT), ("assertion", &assertion)]),
            secrets: &[&assertion],
            limit: LIMIT,
        };
        let reply = question.ask(world)?;
        let Err(refusal) = question.granted(&reply) else {
            let value = question.json(&reply)?;
            return question.token(&value, world.time.now()).map(Some);
        };
        if refusal.is_of_grant()
            && !corrected
            && let Some(skew) = world.time.learn(&reply)
        {
            world.note(format!("{skew}; tokens are asked for with Google's time"));
            return Ok(None);
        }
        let advice = match refusal.is_of_grant() {
            true => format!(
                "is the key of `{}` in {} deleted or disabled, or the account? then a new key is needed",
                self.email, self.place
            ),
            false => String::new(),
        };
        Err(refusal.into_error(&who, &advice))
    }

    fn self_signed(&self, now: Timestamp) -> Result<Token, Error> {
        let token = self.sign(now, json!({ "sub": self.email }))?;
        Ok(Token { value: Secret::new(token), expires: now.checked_add(LIFETIME).ok() })
    }

    /// A claim for an hour, with `more` in it.
    fn sign(&self, now: Timestamp, mut more: Value) -> Result<String, Error> {
        more["iss"] = self.email.as_str().into();
        more["scope"] = SCOPE.into();
        more["iat"] = now.as_second().into();
        more["exp"] = now.as_second().saturating_add(LIFETIME.as_secs()).into();
        self.key.sign(self.key_id.as_deref(), &more).ok_or_else(|| self.cannot_sign())
    }

    fn cannot_sign(&self) -> Error {
        Error::malformed(format!("the key of `{}` in {} cannot sign", self.email, self.place))
    }
}

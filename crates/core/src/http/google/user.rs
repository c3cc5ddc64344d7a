//! A person who logged in: a token that renews others
//! ([RFC 6749, 6](https://www.rfc-editor.org/rfc/rfc6749#section-6)).

use super::ask::{LIMIT, Question, form};
use super::error::Error;
use super::fields::Fields;
use super::{LOGIN, Token, World};
use crate::base64;
use crate::http::lock;
use crate::secret::Secret;

/// A person, of Google (`authorized_user`) or of a workforce pool (`external_account_authorized_user`).
#[derive(Debug)]
pub(super) struct User {
    token_url: String,
    client_id: String,
    client_secret: Secret,
    refresh_token: Secret,
    /// Of a workforce pool: the client says who it is in a header.
    workforce: bool,
    /// The file, in words.
    place: String,
}

impl User {
    pub(super) fn of_google(fields: Fields<'_>, universe: &str) -> Result<Self, Error> {
        let default = || format!("https://oauth2.{universe}/token");
        Self::read(fields, fields.url("token_uri")?.unwrap_or_else(default), false)
    }

    pub(super) fn of_workforce(fields: Fields<'_>, universe: &str) -> Result<Self, Error> {
        let default = || format!("https://sts.{universe}/v1/oauthtoken");
        Self::read(fields, fields.url("token_url")?.unwrap_or_else(default), true)
    }

    fn read(fields: Fields<'_>, token_url: String, workforce: bool) -> Result<Self, Error> {
        Ok(Self {
            token_url,
            client_id: fields.need("client_id")?.to_owned(),
            client_secret: fields.secret("client_secret")?,
            refresh_token: fields.secret("refresh_token")?,
            workforce,
            place: fields.place.to_owned(),
        })
    }

    pub(super) fn fetch(&self, world: &World) -> Result<Token, Error> {
        let refresh = self.newest(world);
        let secret = self.client_secret.expose();
        let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        if !self.workforce {
            pairs.extend([("client_id", self.client_id.as_str()), ("client_secret", secret)]);
        }
        let mut request = form(&self.token_url, &pairs);
        let basic = basic(&self.client_id, secret);
        if self.workforce {
            request.headers.push(("authorization".to_owned(), basic.clone()));
        }
        let who = format!("the token endpoint `{}`", self.token_url);
        let secrets = [refresh.expose(), secret, &basic];
        let question = Question { who: &who, request, secrets: &secrets, limit: LIMIT };
        let reply = question.ask(world)?;
        question.granted(&reply).map_err(|refusal| {
            let advice = match refusal.is_of_grant() {
                true => {
                    format!("the login in {} has ended or was revoked: run `{LOGIN}`", self.place)
                }
                false => String::new(),
            };
            refusal.into_error(&who, &advice)
        })?;
        let value = question.json(&reply)?;
        let token = question.token(&value, world.time.now())?;
        if let Some(newer) = value.get("refresh_token").and_then(serde_json::Value::as_str) {
            let both = (self.refresh_token.clone(), Secret::new(newer));
            *lock(&world.rotated) = Some(both);
        }
        Ok(token)
    }

    /// Some who renew a token take the one that renews out of use, and give another one. The file stays as it is.
    fn newest(&self, world: &World) -> Secret {
        match &*lock(&world.rotated) {
            Some((first, newest)) if *first == self.refresh_token => newest.clone(),
            _ => self.refresh_token.clone(),
        }
    }
}

/// The header of a client that says who it is ([RFC 6749, 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
pub(super) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", base64::encode(format!("{id}:{secret}").as_bytes()))
}

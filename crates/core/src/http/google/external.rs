//! An identity of elsewhere, exchanged for a token
//! ([Workload Identity Federation](https://cloud.google.com/iam/docs/workload-identity-federation),
//! [AIP-4117](https://google.aip.dev/auth/4117), [RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)).

use serde_json::json;

use super::ask::{LIMIT, Question, form};
use super::error::Error;
use super::fields::Fields;
use super::impersonate;
use super::subject::Subject;
use super::user::basic;
use super::{SCOPE, Token, World};
use crate::http::encode;
use crate::secret::Secret;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// An identity of elsewhere.
#[derive(Debug)]
pub(super) struct External {
    pub(super) audience: String,
    /// In the words of [RFC 8693, 3](https://www.rfc-editor.org/rfc/rfc8693#section-3), or AWS's.
    pub(super) subject_type: String,
    /// The account that we are to be in the end, if any.
    pub(super) account: Option<String>,
    token_url: String,
    subject: Subject,
    client: Option<(String, Secret)>,
    /// The project that a person of a workforce pool works for.
    user_project: Option<String>,
}

impl External {
    pub(super) fn read(fields: Fields<'_>, universe: &str) -> Result<Self, Error> {
        let source = fields.object("credential_source")?;
        let source = source.ok_or_else(|| fields.wrong("credential_source", "is missing"))?;
        let default = || format!("https://sts.{universe}/v1/token");
        let audience = fields.need("audience")?.to_owned();
        let user_project = fields.get("workforce_pool_user_project")?.map(str::to_owned);
        if user_project.is_some() && !audience.contains("/workforcePools/") {
            let what = "is only for workforce pools, of which `audience` is none";
            return Err(fields.wrong("workforce_pool_user_project", what));
        }
        let client = match fields.get("client_id")? {
            Some(id) => {
                let secret = fields.get("client_secret")?.unwrap_or_default();
                Some((id.to_owned(), Secret::new(secret)))
            }
            None => None,
        };
        let url = fields.url("service_account_impersonation_url")?;
        Ok(Self {
            audience,
            subject_type: fields.need("subject_token_type")?.to_owned(),
            account: url.as_deref().and_then(impersonate::account),
            token_url: fields.url("token_url")?.unwrap_or_else(default),
            subject: Subject::read(source)?,
            client,
            user_project,
        })
    }

    pub(super) fn fetch(&self, world: &World) -> Result<Token, Error> {
        let subject = self.subject.token(self, world)?;
        let mut pairs = vec![
            ("grant_type", GRANT),
            ("audience", &self.audience),
            ("scope", SCOPE),
            ("requested_token_type", ACCESS_TOKEN),
            ("subject_token", subject.expose()),
            ("subject_token_type", &self.subject_type),
        ];
        let project = self.user_project.as_ref().filter(|_| self.client.is_none());
        let options = project.map(|it| encode::encode(&json!({ "userProject": it }).to_string()));
        pairs.extend(options.as_deref().map(|it| ("options", it)));
        let mut request = form(&self.token_url, &pairs);
        let (mut secret, mut header) = ("", String::new());
        if let Some((id, of_client)) = &self.client {
            (secret, header) = (of_client.expose(), basic(id, of_client.expose()));
            request.headers.push(("authorization".to_owned(), header.clone()));
        }
        let who = format!("the security token service `{}`", self.token_url);
        let secrets = [subject.expose(), secret, &header];
        let question = Question { who: &who, request, secrets: &secrets, limit: LIMIT };
        let reply = question.ask(world)?;
        question.granted(&reply).map_err(|refusal| {
            let advice = format!(
                "does the provider `{}` take what {} gives?",
                self.audience,
                self.subject.words()
            );
            refusal.into_error(&who, &advice)
        })?;
        let value = question.json(&reply)?;
        question.token(&value, world.time.now())
    }
}

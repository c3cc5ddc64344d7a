//! To be a service account by the leave of another identity
//! ([generateAccessToken](https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken)).

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Value, json};

use super::ask::{LIMIT, Question, get};
use super::error::Error;
use super::identity::Identity;
use super::{SCOPE, Token, World};
use crate::http::{Reply, Request, encode};

/// Seconds, if nothing else is said.
const LIFETIME: u64 = 3600;

/// Who is to be whom.
#[derive(Debug)]
pub(super) struct Impersonated {
    pub(super) source: Identity,
    /// Of the operation for the account.
    pub(super) url: String,
    pub(super) delegates: Vec<String>,
    /// Seconds.
    pub(super) lifetime: Option<u64>,
    /// Whose quota the question counts for.
    pub(super) quota: Option<String>,
}

impl Impersonated {
    pub(super) fn fetch(&self, world: &World) -> Result<Token, Error> {
        let source = self.source.fetch(world)?;
        let authorization = format!("Bearer {}", source.value.expose());
        let mut headers =
            vec![("content-type", "application/json"), ("authorization", &authorization)];
        headers.extend(self.quota.as_deref().map(|it| ("x-goog-user-project", it)));
        let body = json!({
            "delegates": self.delegates.iter().map(|it| full(it)).collect::<Vec<_>>(),
            "scope": [SCOPE],
            "lifetime": format!("{}s", self.lifetime.unwrap_or(LIFETIME)),
        });
        let body = body.to_string().into_bytes();
        let request = Request { method: "POST", body, ..get(self.url.clone(), &headers) };
        let who = format!("the IAM credentials service (`{}`)", self.url);
        let secrets = [source.value.expose()];
        let question = Question { who: &who, request, secrets: &secrets, limit: LIMIT };
        let reply = question.ask(world)?;
        question.granted(&reply).map_err(|refusal| {
            let advice = match refusal.status {
                403 | 404 => {
                    "does the account exist, have we `roles/iam.serviceAccountTokenCreator` on it, and is the IAM Service \
                     Account Credentials API (`iamcredentials.googleapis.com`) enabled?"
                }
                _ => "",
            };
            refusal.into_error(&who, advice)
        })?;
        let value = question.json(&reply)?;
        let expires = value.get("expireTime").and_then(Value::as_str);
        let expires: Option<Timestamp> = expires.and_then(|it| it.parse().ok());
        let expires = expires.ok_or_else(|| question.lacks("expireTime"))?;
        let expires = by_ours(expires, &reply, world.time.now());
        question.token_of(value.get("accessToken"), Some(expires))
    }
}

/// The URL for an account.
pub(super) fn url(universe: &str, account: &str) -> String {
    let account = encode::encode(account);
    format!(
        "https://iamcredentials.{universe}/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
    )
}

/// The account that a URL is for.
pub(super) fn account(url: &str) -> Option<String> {
    let name = url.rsplit('/').next()?.strip_suffix(":generateAccessToken")?;
    Some(encode::decode(name)).filter(|it| !it.is_empty())
}

/// An account as the operation names it.
fn full(account: &str) -> String {
    match account.starts_with("projects/") {
        true => account.to_owned(),
        false => format!("projects/-/serviceAccounts/{account}"),
    }
}

/// A time of Google's clock on ours, which may go wrong.
fn by_ours(time: Timestamp, reply: &Reply, now: Timestamp) -> Timestamp {
    let theirs = reply.header("date").and_then(|it| rfc2822::parse(it).ok());
    let left = theirs.map(|theirs| time.duration_since(theirs.timestamp()));
    left.and_then(|left| now.checked_add(left).ok()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_go_into_urls_and_come_out() {
        let url = url("example.com", "a-b@p.iam.gserviceaccount.com");
        assert_eq!(
            url,
            "https://iamcredentials.example.com/v1/projects/-/serviceAccounts/a-b%40p.iam.gserviceaccount.com:generateAccessToken"
        );
        assert_eq!(account(&url).as_deref(), Some("a-b@p.iam.gserviceaccount.com"));
        assert_eq!(account("https://x/y@z:generateAccessToken").as_deref(), Some("y@z"));
        assert_eq!(account("https://x/y@z:generateIdToken"), None);
        assert_eq!(account("https://x/:generateAccessToken"), None);
    }

    #[test]
    fn ends_are_told_by_our_clock() {
        let at = |text: &str| -> Timestamp { text.parse().expect("is a time") };
        let date = vec![("date".to_owned(), "Tue, 14 Nov 2023 22:00:00 GMT".to_owned())];
        let reply = Reply { status: 200, headers: date, body: Vec::new() };
        let (end, ours) = (at("2023-11-14T23:00:00Z"), at("2023-11-14T10:00:00Z"));
        assert_eq!(by_ours(end, &reply, ours), at("2023-11-14T11:00:00Z"));
        let silent = Reply { headers: Vec::new(), ..reply };
        assert_eq!(by_ours(end, &silent, ours), end);
    }
}

//! Who is let in, and Google's token endpoint (RFC 6749, RFC 7523).

use std::collections::BTreeMap;
use std::time::Duration;

use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use super::serve::json as as_json;
use crate::base64;
use crate::clock::timestamp;
use crate::http::Reply;
use crate::http::encode::decode;
use crate::http::fake::Received;

/// The token that the fake knows from the start.
pub(super) const TOKEN: &str = "ya29.fake/token-of_the.fake";

/// The key of the service account.
const KEY: &str = include_str!("service-account.pem");

/// Its name.
const ACCOUNT: &str = "runner@fake-project.iam.gserviceaccount.com";

/// What a person's login is known by: the client's id and secret, and the refresh token.
const PERSON: [&str; 3] =
    ["fake.apps.googleusercontent.com", "fake-client-secret", "1//fake-refresh-token"];

/// What Dataproc and Cloud Storage want.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The tokens that are known, and until when; on the wall's clock, since the fake began.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    known: BTreeMap<String, Option<Duration>>,
    given: usize,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self { known: BTreeMap::from([(TOKEN.to_owned(), None)]), given: 0 }
    }

    pub(super) fn add(&mut self, token: &str, until: Option<Duration>) {
        self.known.insert(token.to_owned(), until);
    }

    pub(super) fn forget(&mut self, token: &str) {
        self.known.remove(token);
    }

    pub(super) fn forget_all(&mut self) {
        self.known.clear();
    }

    /// Whether who asks has a token that is good.
    pub(super) fn admits(&self, received: &Received, now: Duration) -> bool {
        let header = received.header("authorization").unwrap_or_default();
        let token = header.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        let until = token.and_then(|(_, token)| self.known.get(token));
        until.is_some_and(|until| until.is_none_or(|until| now < until))
    }

    /// What is answered to who wants a token at `url`.
    pub(super) fn give(
        &mut self,
        received: &Received,
        url: &str,
        lifetime: Duration,
        now: Duration,
    ) -> Reply {
        let body = received.text();
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        };
        let form: BTreeMap<String, String> = body.split('&').map(pair).collect();
        let text = |name: &str| form.get(name).map_or("", String::as_str);
        let right = match text("grant_type") {
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => assertion(text("assertion"), url),
            "refresh_token" => {
                let given = ["client_id", "client_secret", "refresh_token"].map(text);
                if given == PERSON { Ok(()) } else { Err("Bad Request") }
            }
            _ => return refused("unsupported_grant_type", "Invalid grant_type"),
        };
        if let Err(why) = right {
            return refused("invalid_grant", why);
        }
        self.given += 1;
        let token = format!("ya29.fake-{}", self.given);
        self.add(&token, Some(now + lifetime));
        let told = json!({
            "access_token": token,
            "expires_in": lifetime.as_secs(),
            "token_type": "Bearer",
            "scope": SCOPE,
        });
        as_json(200, &told)
    }
}

fn refused(error: &str, why: &str) -> Reply {
    as_json(400, &json!({"error": error, "error_description": why}))
}

/// A key file of the service account.
pub(super) fn service_account(url: &str) -> Value {
    json!({
        "type": "service_account",
        "project_id": super::PROJECT,
        "private_key_id": "0123456789abcdef0123456789abcdef01234567",
        "private_key": KEY,
        "client_email": ACCOUNT,
        "client_id": "123456789012345678901",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": format!("{url}/token"),
        "universe_domain": "googleapis.com",
    })
}

/// A file of a person who has logged in.
pub(super) fn person(url: &str) -> Value {
    let [id, secret, token] = PERSON;
    json!({
        "type": "authorized_user",
        "client_id": id,
        "client_secret": secret,
        "refresh_token": token,
        "token_uri": format!("{url}/token"),
        "universe_domain": "googleapis.com",
    })
}

/// Whether a service account says so (<https://developers.google.com/identity/protocols/oauth2/service-account>).
fn assertion(text: &str, url: &str) -> Result<(), &'static str> {
    let parts: Vec<&str> = text.split('.').collect();
    let [head, claims, signature] = parts[..] else {
        return Err("Invalid JWT: it has not three parts.");
    };
    let signed = &text[..head.len() + 1 + claims.len()];
    let signature = plain(signature).ok_or("Invalid JWT Signature.")?;
    let key = public_key().ok_or("Invalid JWT Signature.")?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
    key.verify(signed.as_bytes(), &signature).map_err(|_| "Invalid JWT Signature.")?;
    let read =
        |part: &str| plain(part).and_then(|part| serde_json::from_slice::<Value>(&part).ok());
    let head = read(head).ok_or("Invalid JWT: its head is no JSON.")?;
    let claims = read(claims).ok_or("Invalid JWT: its claims are no JSON.")?;
    if head["alg"] != "RS256" || claims["iss"] != ACCOUNT {
        return Err("Invalid JWT: account not found.");
    }
    if claims["aud"] != format!("{url}/token") {
        return Err("Invalid JWT: Failed audience check.");
    }
    if !claims["scope"].as_str().unwrap_or_default().split(' ').any(|scope| scope == SCOPE) {
        return Err("Invalid OAuth scope or ID token audience provided.");
    }
    let (from, until) = (claims["iat"].as_i64().unwrap_or(0), claims["exp"].as_i64().unwrap_or(0));
    let now = timestamp().as_second();
    let soon = (now - 600..=now + 600).contains(&from) && now < until;
    if soon && (1..=3600).contains(&(until - from)) {
        return Ok(());
    }
    Err(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
    )
}

/// Base64 for URLs, without padding (RFC 7515).
fn plain(text: &str) -> Option<Vec<u8>> {
    let padding = "=".repeat(text.len().wrapping_neg() % 4);
    base64::decode(&(text.replace('-', "+").replace('_', "/") + &padding))
}

fn public_key() -> Option<Vec<u8>> {
    Some(key_pair()?.public_key().as_ref().to_vec())
}

/// The pair that [`KEY`] is.
pub(super) fn key_pair() -> Option<RsaKeyPair> {
    let lines: String = KEY.lines().filter(|line| !line.starts_with("-----")).collect();
    RsaKeyPair::from_pkcs8(&base64::decode(&lines)?).ok()
}

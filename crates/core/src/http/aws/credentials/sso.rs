//! A person who logged in by `aws sso login`
//! ([IAM Identity Center](https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html)).

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ring::digest;
use serde_json::{Value, json};

use super::super::files::{Files, Profile};
use super::super::{Credentials, lock};
use super::ask::{ask, get, granted, json as parse, read, time};
use super::{Trouble, World};
use crate::hex::hex;
use crate::http::Request;
use crate::http::encode;
use crate::secret::Secret;

const LIMIT: Duration = Duration::from_secs(10);
/// A token is renewed so long before it expires.
const EARLY: SignedDuration = SignedDuration::from_mins(5);

/// Who is to be whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    account: String,
    role: String,
    region: String,
    /// Where the AWS CLI keeps the token.
    file: PathBuf,
    /// For the hint.
    profile: String,
}

impl Login {
    /// Both kinds of profiles: with an `sso-session`, and the older one that says it all itself.
    pub(super) fn of(profile: Profile<'_>, files: &Files) -> Result<Self, Trouble> {
        let need = |section: Profile<'_>, name: &str| {
            section
                .need(name)
                .map(str::to_owned)
                .map_err(|e| Trouble::config(format!("profile {e}")))
        };
        let (section, key) = match profile.get("sso_session") {
            Some(name) => {
                let missing = || {
                    let message = format!(
                        "profile `{}` needs the `sso-session` `{name}`, which is not in {}",
                        profile.name,
                        files.places()
                    );
                    Trouble::config(message)
                };
                (files.session(name).ok_or_else(missing)?, name.to_owned())
            }
            None => (profile, need(profile, "sso_start_url")?),
        };
        let home = files.home.as_deref().ok_or_else(|| {
            Trouble::config(
                "`HOME` is not set, below which the AWS CLI keeps what it got by `aws sso login`",
            )
        })?;
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
        Ok(Self {
            account: need(profile, "sso_account_id")?,
            role: need(profile, "sso_role_name")?,
            region: need(section, "sso_region")?,
            file: home.join(".aws/sso/cache").join(hex(digest.as_ref()) + ".json"),
            profile: profile.name.to_owned(),
        })
    }

    /// Gets the credentials of the role.
    pub(super) fn credentials(&self, world: &World) -> Result<Credentials, Trouble> {
        let token = self.token(world)?;
        let pairs = [("role_name", self.role.as_str()), ("account_id", &self.account)];
        let base = world.wire.endpoints.sso(false, &self.region);
        let url = format!("{base}/federation/credentials?{}", encode::query(pairs));
        let who = format!("the SSO portal at `{base}`");
        let headers = [("x-amz-sso_bearer_token", token.expose())];
        let reply = ask(world, &who, &get(url, &headers), LIMIT)?;
        match reply.status {
            401 => return Err(self.login_again()),
            403 | 404 => {
                let message = format!(
                    "{who} does not give role `{}` of account `{}` to you",
                    self.role, self.account
                );
                return Err(Trouble::auth(message));
            }
            _ => granted(&who, &reply)?,
        }
        let value = parse(&who, &reply.body)?;
        let names = ["accessKeyId", "secretAccessKey", "sessionToken", "expiration"];
        read(&who, value.get("roleCredentials").unwrap_or(&Value::Null), names)
    }

    fn token(&self, world: &World) -> Result<Secret, Trouble> {
        let text = fs::read(&self.file).map_err(|_| self.login_again())?;
        let cached: Value = serde_json::from_slice(&text).map_err(|_| self.login_again())?;
        let text = |name: &str| cached.get(name).and_then(Value::as_str);
        let token = text("accessToken").ok_or_else(|| self.login_again())?;
        let now = world.wire.time.now();
        let expires = text("expiresAt").and_then(time).ok_or_else(|| self.login_again())?;
        if expires.duration_since(now) > EARLY {
            return Ok(Secret::new(token));
        }
        match self.renew(&cached, now, world) {
            Ok(Some(token)) => Ok(token),
            // What is good for some minutes more is good.
            _ if expires > now => Ok(Secret::new(token)),
            Ok(None) => Err(self.login_again()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Tokens of the newer kind can be renewed for as long as the session lasts. The new one is kept where the AWS CLI
    /// keeps its own, as the old one may be good for one renewal only.
    fn renew(
        &self,
        cached: &Value,
        now: Timestamp,
        world: &World,
    ) -> Result<Option<Secret>, Trouble> {
        let text = |name: &str| cached.get(name).and_then(Value::as_str);
        let (Some(refresh), Some(id), Some(secret)) =
            (text("refreshToken"), text("clientId"), text("clientSecret"))
        else {
            return Ok(None);
        };
        let over = text("registrationExpiresAt").and_then(time).is_some_and(|end| end <= now);
        if over {
            return Ok(None);
        }
        let body = json!({ "clientId": id, "clientSecret": secret, "grantType": "refresh_token", "refreshToken": refresh });
        let base = world.wire.endpoints.sso(true, &self.region);
        let who = format!("the SSO service at `{base}`");
        let request = Request {
            method: "POST",
            body: body.to_string().into_bytes(),
            ..get(format!("{base}/token"), &[("content-type", "application/json")])
        };
        let reply = ask(world, &who, &request, LIMIT)?;
        if reply.status >= 300 {
            return Ok(None);
        }
        let value = parse(&who, &reply.body)?;
        let Some(token) = value.get("accessToken").and_then(Value::as_str) else { return Ok(None) };
        let seconds = value.get("expiresIn").and_then(Value::as_i64).unwrap_or(0);
        let ends = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        let mut kept = cached.clone();
        kept["accessToken"] = token.into();
        kept["expiresAt"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
        if let Some(refresh) = value.get("refreshToken") {
            kept["refreshToken"] = refresh.clone();
        }
        if let Err(e) = keep(&self.file, kept.to_string().as_bytes()) {
            let note =
                format!("cannot keep the renewed SSO token in `{}`: {e}", self.file.display());
            lock(&world.wire.notes).push(note);
        }
        Ok(Some(Secret::new(token)))
    }

    fn login_again(&self) -> Trouble {
        let profile = &self.profile;
        Trouble::auth(format!(
            "profile `{profile}` needs a login by SSO, which is missing or has ended: run `aws sso login --profile {}`",
            crate::shell::word(profile)
        ))
    }
}

/// Whole or not at all, and for nobody else to read.
fn keep(file: &Path, text: &[u8]) -> std::io::Result<()> {
    let beside = file.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut it| it.write_all(text));
    let kept = written.and_then(|()| fs::rename(&beside, file));
    if kept.is_err() {
        let _ = fs::remove_file(&beside);
    }
    kept
}

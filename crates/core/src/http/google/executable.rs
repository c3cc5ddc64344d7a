//! A program that proves who we are elsewhere
//! ([executable-sourced credentials](https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers#create-credential-configuration)).

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::World;
use super::error::Error;
use super::external::External;
use super::fields::Fields;
use crate::http::program::{Said, listen};
use crate::secret::Secret;

const ALLOW: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
const WHO: &str = "the executable of the `credential_source`";
/// Milliseconds, and what it may be set to.
const DEFAULT: u64 = 30_000;
const BOUNDS: std::ops::RangeInclusive<u64> = 5_000..=120_000;

/// A program, and how to run it.
#[derive(Debug)]
pub(super) struct Executable {
    /// It may hold secrets.
    command: Secret,
    limit: Duration,
    /// Where it leaves what it said, to be read in its place while that is good.
    output: Option<String>,
}

impl Executable {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Error> {
        let limit = fields.number("timeout_millis")?.unwrap_or(DEFAULT);
        if !BOUNDS.contains(&limit) {
            return Err(fields.wrong("timeout_millis", "is not between 5000 and 120000"));
        }
        Ok(Self {
            command: fields.secret("command")?,
            limit: Duration::from_millis(limit),
            output: fields.get("output_file")?.map(str::to_owned),
        })
    }

    pub(super) fn token(&self, external: &External, world: &World) -> Result<Secret, Error> {
        if world.environment.get(ALLOW) != Some("1") {
            return Err(Error::refused(format!(
                "{WHO} may not be run: if you know where the file of credentials comes from, set `{ALLOW}` to `1`"
            )));
        }
        let now = world.time.now().as_second();
        if let Some(token) = self.left(now) {
            return Ok(token);
        }
        let said = self.run(external, world)?;
        let value: Value = serde_json::from_slice(&said)
            .map_err(|_| Error::garbled(format!("{WHO} did not answer in JSON")))?;
        read(&value, now)
    }

    /// What it left the last time, if that is good for some time to come.
    fn left(&self, now: i64) -> Option<Secret> {
        let value: Value = serde_json::from_slice(&fs::read(self.output.as_deref()?).ok()?).ok()?;
        value.get("expiration_time")?;
        read(&value, now).ok()
    }

    fn run(&self, external: &External, world: &World) -> Result<Vec<u8>, Error> {
        // Words without quotes, as Google's libraries in Python and Go take them apart.
        let mut words = self.command.expose().split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).stdin(Stdio::null());
        command.env("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", &external.audience);
        command.env("GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE", &external.subject_type);
        command.env("GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", "0");
        if let Some(account) = &external.account {
            command.env("GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL", account);
        }
        if let Some(output) = &self.output {
            command.env("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", output);
        }
        let limit = self.limit;
        match listen(&mut command, world.client.bell(), limit) {
            Said::All(said, status) if status.success() => Ok(said),
            Said::All(_, status) => Err(Error::refused(format!("{WHO} failed: {status}"))),
            Said::NotStarted(e) => Err(Error::missing(format!("{WHO} cannot be started: {e}"))),
            Said::Lost(e) => Err(Error::unreachable(format!("{WHO} is lost: {e}"))),
            Said::TooLate => Err(Error::unreachable(format!(
                "{WHO} did not end within {limit:?}, or before a signal came"
            ))),
        }
    }
}

/// What it said. Its own words are not told, as it may say anything; its code is.
fn read(value: &Value, now: i64) -> Result<Secret, Error> {
    let garbled = |what: &str| Error::garbled(format!("{WHO} {what}"));
    if value.get("version").and_then(Value::as_u64) != Some(1) {
        return Err(garbled("did not answer in version 1 of the format"));
    }
    match value.get("success").and_then(Value::as_bool) {
        Some(true) => {}
        Some(false) => {
            let code = value.get("code").and_then(Value::as_str).unwrap_or_default();
            let code: String = code
                .chars()
                .filter(|it| it.is_ascii_alphanumeric() || "_-".contains(*it))
                .take(40)
                .collect();
            return Err(Error::refused(format!("{WHO} says that it failed: `{code}`")));
        }
        None => return Err(garbled("does not say whether it had `success`")),
    }
    if value.get("expiration_time").is_some_and(|it| it.as_i64().is_none_or(|it| it <= now)) {
        return Err(garbled("gave a token that has expired"));
    }
    let field = match value.get("token_type").and_then(Value::as_str) {
        Some(
            "urn:ietf:params:oauth:token-type:jwt" | "urn:ietf:params:oauth:token-type:id_token",
        ) => "id_token",
        Some("urn:ietf:params:oauth:token-type:saml2") => "saml_response",
        _ => return Err(garbled("gave a token of a `token_type` that is not known")),
    };
    let token = value.get(field).and_then(Value::as_str).filter(|it| !it.is_empty());
    token.map(Secret::new).ok_or_else(|| garbled("gave no token"))
}

//! AWS proves who we are: a question to its STS, signed and not sent, which Google's sends
//! ([Workload Identity Federation with AWS](https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds)).
//!
//! The keys come, as in Google's libraries, from the environment or from the role of an EC2 instance.

use std::time::Duration;

use serde_json::{Value, json};

use super::World;
use super::ask::{Question, get};
use super::error::Error;
use super::fields::Fields;
use crate::http::aws::{Credentials, is_region, sign_for_sts};
use crate::http::{Request, encode};
use crate::secret::Secret;

/// It is next door.
const LIMIT: Duration = Duration::from_secs(2);
const WHO: &str = "the EC2 instance metadata service";

/// What a file says of AWS.
#[derive(Debug)]
pub(super) struct Amazon {
    /// Of the question, with `{region}` in it.
    verification_url: String,
    region_url: Option<String>,
    /// Of the role and its keys.
    keys_url: Option<String>,
    /// Of the token that the other two need.
    session_url: Option<String>,
}

impl Amazon {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, Error> {
        if fields.get("environment_id")? != Some("aws1") {
            return Err(fields.wrong("environment_id", "is not `aws1`, the only one that is known"));
        }
        let url = |name: &str| fields.get(name).map(|it| it.map(str::to_owned));
        let verification_url = fields.url("regional_cred_verification_url")?;
        Ok(Self {
            verification_url: verification_url
                .ok_or_else(|| fields.wrong("regional_cred_verification_url", "is missing"))?,
            region_url: url("region_url")?,
            keys_url: url("url")?,
            session_url: url("imdsv2_session_token_url")?,
        })
    }

    /// The signed question, as Google's STS wants it.
    pub(super) fn token(&self, audience: &str, world: &World) -> Result<Secret, Error> {
        let region = self.region(world)?;
        let keys = self.keys(world)?;
        let mut request = Request {
            method: "POST",
            ..get(
                in_order(&self.verification_url.replace("{region}", &region)),
                &[("x-goog-cloud-target-resource", audience)],
            )
        };
        sign_for_sts(&mut request, &keys, &region, world.time.now());
        let header = |(name, value): &(String, String)| {
            let name = if name == "authorization" { "Authorization" } else { name };
            json!({ "key": name, "value": value })
        };
        let headers: Vec<_> = request.headers.iter().map(header).collect();
        let signed = json!({ "url": request.url, "method": "POST", "headers": headers });
        Ok(Secret::new(encode::encode(&signed.to_string())))
    }

    fn region(&self, world: &World) -> Result<String, Error> {
        let named = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let region = match named.iter().find_map(|name| world.environment.get(name)) {
            Some(region) => region.to_owned(),
            None => {
                let url = self.region_url.as_deref();
                let url =
                    url.ok_or_else(|| missing("region", "`AWS_REGION` is not set", "region_url"))?;
                // The zone, which is the region and a letter.
                let zone = self.ask(world, url.to_owned())?;
                zone.trim_end_matches(|c: char| c.is_ascii_lowercase()).to_owned()
            }
        };
        match is_region(&region) {
            true => Ok(region),
            false => {
                Err(Error::malformed(format!("`{}` is not a region of AWS", region.escape_debug())))
            }
        }
    }

    fn keys(&self, world: &World) -> Result<Credentials, Error> {
        let variable = |name| world.environment.get(name).map(Secret::new);
        let both = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        if let Some((id, secret)) = both {
            let token = variable("AWS_SESSION_TOKEN");
            return Ok(Credentials { id, secret, token, expires: None });
        }
        let url = self.keys_url.as_deref();
        let url = url.ok_or_else(|| {
            missing("keys", "`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` are not set", "url")
        })?;
        let role = self.ask(world, url.to_owned())?;
        let role = role.lines().next().unwrap_or_default().trim();
        if role.is_empty() {
            return Err(Error::missing(
                "no keys of AWS, to prove who we are: the EC2 instance has no role",
            ));
        }
        let url = format!("{}/{}", url.trim_end_matches('/'), encode::encode(role));
        let said: Value = serde_json::from_str(&self.ask(world, url)?).unwrap_or_default();
        let text =
            |name: &str| said.get(name)?.as_str().filter(|it| !it.is_empty()).map(Secret::new);
        let lacks = |name: &str| Error::garbled(format!("{WHO} gave keys without `{name}`"));
        Ok(Credentials {
            id: text("AccessKeyId").ok_or_else(|| lacks("AccessKeyId"))?,
            secret: text("SecretAccessKey").ok_or_else(|| lacks("SecretAccessKey"))?,
            token: text("Token"),
            expires: None,
        })
    }

    fn ask(&self, world: &World, url: String) -> Result<String, Error> {
        let mut headers = Vec::new();
        let session;
        if let Some(url) = &self.session_url {
            let ttl = [("x-aws-ec2-metadata-token-ttl-seconds", "300")];
            session = send(world, Request { method: "PUT", ..get(url.clone(), &ttl) }, &[])?;
            headers.push(("x-aws-ec2-metadata-token", session.trim()));
        }
        let secrets: Vec<_> = headers.iter().map(|(_, value)| *value).collect();
        send(world, get(url, &headers), &secrets)
    }
}

fn send(world: &World, request: Request, secrets: &[&str]) -> Result<String, Error> {
    let question = Question { who: WHO, request, secrets, limit: LIMIT };
    let reply = question.ask(world)?;
    question.granted(&reply).map_err(|refusal| refusal.into_error(WHO, ""))?;
    Ok(String::from_utf8_lossy(&reply.body).trim().to_owned())
}

fn missing(what: &str, why: &str, field: &str) -> Error {
    Error::missing(format!(
        "no {what} of AWS, to prove who we are: {why}, and the `credential_source` has no `{field}`"
    ))
}

/// The URL with its query in the order in which it is signed.
fn in_order(url: &str) -> String {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let mut pairs: Vec<_> = query.split('&').filter(|it| !it.is_empty()).collect();
    pairs.sort_unstable();
    if pairs.is_empty() { place.to_owned() } else { format!("{place}?{}", pairs.join("&")) }
}

//! As much of STS as credentials need: `AssumeRole`, `AssumeRoleWithWebIdentity`, `GetCallerIdentity`.

use std::time::Duration;

use jiff::Timestamp;

use super::refusal::Refusal;
use crate::clock::add;
use crate::http::Reply;
use crate::http::aws::xml::escape;
use crate::http::aws::{Credentials, Service, refusal};
use crate::http::encode::decode;
use crate::http::fake::Received;
use crate::secret::Secret;

/// A request to STS: a form.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(received: &Received) -> Self {
        let body = received.text();
        let pairs = body.split('&').chain(received.query().split('&'));
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        let plain = |text: &str| decode(&text.replace('+', " "));
        Self(pairs.map(|(name, value)| (plain(name), plain(value))).collect())
    }

    pub(super) fn value(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// New credentials, and the reply that tells them.
pub(super) fn assume(
    form: &Form,
    number: usize,
    lifetime: Option<Duration>,
    now: Timestamp,
) -> Result<(Credentials, Reply), Refusal> {
    let operation = form.value("Action");
    let (role, session) = (form.value("RoleArn"), form.value("RoleSessionName"));
    check(form)?;
    let asked = form.value("DurationSeconds").parse().unwrap_or(3600);
    let expires = add(now, lifetime.unwrap_or(Duration::from_secs(asked)));
    let (id, secret, token) = (
        format!("ASIAFAKE{number:08}"),
        format!("secret-of-{number}"),
        format!("token+of/{number}=="),
    );
    let name = role.rsplit('/').next().unwrap_or_default();
    let body = format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>\
         <AssumedRoleUser><AssumedRoleId>AROAFAKE:{session}</AssumedRoleId>\
         <Arn>arn:aws:sts::123456789012:assumed-role/{}/{session}</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{}</Expiration></Credentials></{operation}Result>\
         <ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>\
         </{operation}Response>",
        escape(name),
        expires.strftime("%Y-%m-%dT%H:%M:%SZ")
    );
    let credentials = Credentials {
        id: Secret::new(id),
        secret: Secret::new(secret),
        token: Some(Secret::new(token)),
        expires: Some(expires),
    };
    Ok((credentials, xml(body)))
}

fn check(form: &Form) -> Result<(), Refusal> {
    let rule = |holds: bool, message: &str| {
        if holds { Ok(()) } else { Err(Refusal::new(400, "ValidationError", message)) }
    };
    rule(form.value("Version") == "2011-06-15", "Version must be 2011-06-15")?;
    rule(form.value("RoleArn").len() >= 20, "RoleArn must have 20 characters at least")?;
    let session = form.value("RoleSessionName");
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    rule(
        (2..=64).contains(&session.len()) && session.chars().all(plain),
        "RoleSessionName must satisfy [\\w+=,.@-]{2,64}",
    )?;
    let seconds = form.value("DurationSeconds");
    rule(
        seconds.is_empty() || seconds.parse().is_ok_and(|s: u32| (900..=43_200).contains(&s)),
        "DurationSeconds must be between 900 and 43200",
    )?;
    rule(
        form.value("Action") == "AssumeRole" || !form.value("WebIdentityToken").is_empty(),
        "WebIdentityToken must be given",
    )
}

/// Who the caller is.
pub(super) fn identity(id: &str) -> Reply {
    xml(format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::123456789012:user/fake</Arn><UserId>{}</UserId><Account>123456789012</Account>\
         </GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId>\
         </ResponseMetadata></GetCallerIdentityResponse>",
        escape(id)
    ))
}

/// An error of the services in general in the words of STS.
pub(super) fn dressed(refused: &Refusal) -> Reply {
    let (status, code) = match refused.code {
        "ThrottlingException" => (400, "Throttling"),
        "AccessDeniedException" => (403, "AccessDenied"),
        "ExpiredTokenException" => (403, "ExpiredToken"),
        code => (refused.status, code),
    };
    refusal(Service::Sts, status, code, &refused.message)
}

fn xml(body: String) -> Reply {
    let headers = vec![("content-type".to_owned(), "text/xml".to_owned())];
    Reply { status: 200, headers, body: body.into_bytes() }
}

//! Roles, taken with keys or with a token ([AWS STS](https://docs.aws.amazon.com/STS/latest/APIReference/)).

use std::fs;
use std::path::Path;

use super::super::{Call, Credentials, Service, encode, xml};
use super::ask::time;
use super::{Trouble, World};
use crate::fabric::ErrorKind;
use crate::http::retry::persist;
use crate::secret::Secret;

/// A role, and how to take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) arn: String,
    /// By what name the session is to be found in the account's trail.
    pub(super) session: String,
    pub(super) external_id: Option<String>,
    /// How long it lasts; `None`: an hour.
    pub(super) seconds: Option<u32>,
}

impl Role {
    pub(super) fn named(arn: &str, session: Option<&str>) -> Self {
        let session = session.unwrap_or("dataflow-runner").to_owned();
        Self { arn: arn.to_owned(), session, external_id: None, seconds: None }
    }
}

/// Takes a role with somebody's keys.
pub(super) fn assume(
    keys: &Credentials,
    role: &Role,
    world: &World,
) -> Result<Credentials, Trouble> {
    let external = role.external_id.as_deref().map(|id| ("ExternalId", id));
    call("AssumeRole", role, external, Some(keys), world)
}

/// Takes a role with a token in a file, which is read each time, as the token changes.
pub(super) fn assume_with_token(
    file: &Path,
    role: &Role,
    world: &World,
) -> Result<Credentials, Trouble> {
    let token = fs::read_to_string(file).map_err(|e| {
        Trouble::auth(format!(
            "cannot read the token for role `{}` in `{}`: {e}",
            role.arn,
            file.display()
        ))
    })?;
    let token = Some(("WebIdentityToken", token.trim()));
    call("AssumeRoleWithWebIdentity", role, token, None, world)
}

fn call(
    operation: &'static str,
    role: &Role,
    more: Option<(&str, &str)>,
    keys: Option<&Credentials>,
    world: &World,
) -> Result<Credentials, Trouble> {
    let seconds = role.seconds.map(|it| it.to_string());
    let mut form = vec![
        ("Action", operation),
        ("Version", "2011-06-15"),
        ("RoleArn", &role.arn),
        ("RoleSessionName", &role.session),
    ];
    form.extend(seconds.as_deref().map(|it| ("DurationSeconds", it)));
    form.extend(more);
    let body = encode::query(form);
    let call = Call {
        service: Service::Sts,
        operation,
        method: "POST",
        path: "/",
        query: &[],
        headers: &[],
        body: body.as_bytes(),
        // A session more or less changes nothing.
        repeatable: true,
    };
    let wire = &world.wire;
    let reply =
        persist(wire.client.bell(), true, |_| wire.attempt(&call, keys)).map_err(|miss| {
            let error = miss.into_error().error;
            let message =
                format!("role `{}` cannot be taken by `{operation}`: {}", role.arn, error.message);
            // Too much at once passes, as what is broken does.
            let kind =
                if error.kind == ErrorKind::Quota { ErrorKind::Unavailable } else { error.kind };
            Trouble::new(kind, message)
        })?;
    let text = String::from_utf8_lossy(&reply.body);
    let need = |name| {
        let lacks =
            || Trouble::unavailable(format!("`{operation}` gave credentials without `{name}`"));
        xml::text(&text, name).ok_or_else(lacks)
    };
    let expires = need("Expiration")?;
    Ok(Credentials {
        id: Secret::new(need("AccessKeyId")?),
        secret: Secret::new(need("SecretAccessKey")?),
        token: Some(Secret::new(need("SessionToken")?)),
        expires: time(expires.trim()),
    })
}

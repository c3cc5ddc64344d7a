//! The role of the EC2 instance this runs on, by version 2 of the instance metadata service
//! ([IMDSv2](https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html)).

use std::time::Duration;

use jiff::SignedDuration;

use super::super::Credentials;
use super::ask::{ask, get, granted, json, read};
use super::{Trouble, World};
use crate::http::{Fault, Request, hide_secrets};

/// It is next door.
const LIMIT: Duration = Duration::from_secs(1);
/// Credentials that have expired go on working when the service cannot renew them
/// ([static stability](https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html)).
const LONGER: SignedDuration = SignedDuration::from_mins(15);

/// Gets its credentials. `before` tells what was looked at before, for the message when there are none.
pub(super) fn fetch(world: &World, before: Option<&str>) -> Result<Credentials, Trouble> {
    let nowhere = |why: String| {
        Trouble::auth(match before {
            Some(before) => format!(
                "no AWS credentials: looked at {before}, and the role of an EC2 instance ({why})"
            ),
            None => format!("no credentials from the role of an EC2 instance: {why}"),
        })
    };
    if is_disabled(world) {
        return Err(nowhere("`AWS_EC2_METADATA_DISABLED` is set".to_owned()));
    }
    let base = base(world)?;
    let who = format!("the instance metadata service at `{}`", hide_secrets(&base));
    let token = token(world, &base, &who, &nowhere)?;
    let headers = [("x-aws-ec2-metadata-token", token.as_str())];
    let place = format!("{base}/latest/meta-data/iam/security-credentials/");
    let roles = ask(world, &who, &get(place.clone(), &headers), LIMIT)?;
    if roles.status == 404 {
        return Err(nowhere("it has none".to_owned()));
    }
    granted(&who, &roles)?;
    let roles = String::from_utf8_lossy(&roles.body).into_owned();
    let role = roles.lines().next().map(str::trim).filter(|role| !role.is_empty());
    let role = role.ok_or_else(|| nowhere("it has none".to_owned()))?;
    let role = crate::http::encode::encode(role);
    let reply = ask(world, &who, &get(format!("{place}{role}"), &headers), LIMIT)?;
    granted(&who, &reply)?;
    let value = json(&who, &reply.body)?;
    if let Some(code) =
        value.get("Code").and_then(|code| code.as_str()).filter(|it| *it != "Success")
    {
        return Err(Trouble::unavailable(format!("{who} has no credentials just now: `{code}`")));
    }
    let names = ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"];
    let mut credentials = read(&who, &value, names)?;
    let now = world.wire.time.now();
    if credentials.expires.is_some_and(|expires| expires <= now) {
        credentials.expires = now.checked_add(LONGER).ok();
    }
    Ok(credentials)
}

/// The token that all other questions need. Where nobody answers, this is no EC2 instance.
fn token(
    world: &World,
    base: &str,
    who: &str,
    nowhere: &dyn Fn(String) -> Trouble,
) -> Result<String, Trouble> {
    let ttl = ("x-aws-ec2-metadata-token-ttl-seconds".to_owned(), "21600".to_owned());
    let request = Request {
        method: "PUT",
        headers: vec![ttl],
        ..get(format!("{base}/latest/api/token"), &[])
    };
    let reply = match world.wire.client.send(&request, LIMIT) {
        Ok(reply) if reply.status < 500 => reply,
        Err(Fault::NotSent(e)) => return Err(nowhere(e)),
        // Somebody is there, but slow or broken.
        _ => ask(world, who, &request, LIMIT)?,
    };
    granted(who, &reply)?;
    let token = String::from_utf8_lossy(&reply.body).trim().to_owned();
    match token.is_empty() || token.contains(char::is_control) {
        true => Err(Trouble::unavailable(format!("{who} gave no token"))),
        false => Ok(token),
    }
}

fn is_disabled(world: &World) -> bool {
    world
        .environment
        .get("AWS_EC2_METADATA_DISABLED")
        .is_some_and(|it| it.eq_ignore_ascii_case("true"))
}

fn base(world: &World) -> Result<String, Trouble> {
    let said = |variable, setting| {
        world.environment.get(variable).or_else(|| world.files.setting(setting)).map(str::to_owned)
    };
    if let Some(url) = said("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint") {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
    let mode = said(variable, "ec2_metadata_service_endpoint_mode").unwrap_or_default();
    match mode.to_ascii_lowercase().as_str() {
        "" | "ipv4" => Ok("http://169.254.169.254".to_owned()),
        "ipv6" => Ok("http://[fd00:ec2::254]".to_owned()),
        _ => Err(Trouble::config(format!("`{variable}` is `{mode}`, not `IPv4` or `IPv6`"))),
    }
}

//! The role of an ECS task or an EKS pod
//! ([container provider](https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html)).

use std::fs;
use std::time::Duration;

use super::super::Credentials;
use super::ask::{ask, get, granted, json, read};
use super::{Trouble, World};
use crate::environment::Environment;

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const LIMIT: Duration = Duration::from_secs(2);

/// Whether there is one.
pub(super) fn is_configured(environment: &Environment) -> bool {
    [RELATIVE, FULL].iter().any(|name| environment.get(name).is_some())
}

/// Gets its credentials.
pub(super) fn fetch(world: &World) -> Result<Credentials, Trouble> {
    let url = url(&world.environment)?;
    let authorization = authorization(&world.environment)?;
    let headers: Vec<_> = authorization.iter().map(|it| ("authorization", it.as_str())).collect();
    let who = "the container's credentials endpoint";
    let reply = ask(world, who, &get(url, &headers), LIMIT)?;
    granted(who, &reply)?;
    let names = ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"];
    read(who, &json(who, &reply.body)?, names)
}

fn url(environment: &Environment) -> Result<String, Trouble> {
    if let Some(path) = environment.get(RELATIVE) {
        return Ok(format!("http://169.254.170.2/{}", path.trim_start_matches('/')));
    }
    let url = environment
        .get(FULL)
        .ok_or_else(|| Trouble::auth(format!("neither `{RELATIVE}` nor `{FULL}` is set")))?;
    // Over plain HTTP only to those that are on this machine or its own network, as AWS's clients do it.
    let authority =
        url.strip_prefix("http://").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let Some(authority) = authority else {
        return match url.starts_with("https://") {
            true => Ok(url.to_owned()),
            false => Err(Trouble::config(format!("`{FULL}` is no URL"))),
        };
    };
    // What stands before the `@` looks like a host, and is none.
    if authority.contains('@') {
        return Err(Trouble::config(format!("`{FULL}` has a user in it")));
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback = host.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback());
    match loopback
        || matches!(host, "localhost" | "169.254.170.2" | "169.254.170.23" | "fd00:ec2::23")
    {
        true => Ok(url.to_owned()),
        false => {
            Err(Trouble::config(format!("`{FULL}` names `{host}`, to which only HTTPS is safe")))
        }
    }
}

/// The file is read each time, as its token changes.
fn authorization(environment: &Environment) -> Result<Option<String>, Trouble> {
    let variable = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let token = match environment.get(variable) {
        Some(path) => {
            let read = fs::read_to_string(path);
            let text = read.map_err(|e| {
                Trouble::unavailable(format!("cannot read `{path}` (`{variable}`): {e}"))
            })?;
            Some(text.trim().to_owned())
        }
        None => environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned),
    };
    match token {
        Some(token) if token.contains(['\r', '\n']) => {
            Err(Trouble::config("the token for the container's credentials has more than one line"))
        }
        token => Ok(token),
    }
}

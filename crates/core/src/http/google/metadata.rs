//! The metadata server of Google's machines
//! ([access tokens](https://cloud.google.com/compute/docs/access/authenticate-workloads#applications)).

use std::time::Duration;

use super::ask::{Question, get};
use super::error::Error;
use super::place::nowhere;
use super::{GOOGLE, SCOPE, Token, World};
use crate::http::{Fault, Reply, encode};

/// It is next door.
const LIMIT: Duration = Duration::from_secs(3);
/// Whoever does not take a connection within that time is not there.
const SOON: Duration = Duration::from_secs(1);
const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");
const TOKEN: &str = "instance/service-accounts/default/token";

/// Gets the token of the machine's service account. `looked` tells where else was looked before, for the message when
/// there is nobody.
pub(super) fn token(world: &World, looked: Option<&str>) -> Result<Token, Error> {
    present(world, looked)?;
    let path = format!("{TOKEN}?scopes={}", encode::encode(SCOPE));
    let reply = ask(world, &path)?;
    let who = who(world);
    let question = question(world, &who, &path, LIMIT);
    if reply.status == 404 {
        let why = "the machine has no service account";
        return Err(match looked {
            Some(looked) => nowhere(looked, why),
            None => Error::missing(format!("no token from {who}: {why}; attach one to it")),
        });
    }
    question.granted(&reply).map_err(|refusal| refusal.into_error(&who, ""))?;
    let value = question.json(&reply)?;
    question.token(&value, world.time.now())
}

/// The project of the machine.
pub(super) fn project(world: &World, looked: Option<&str>) -> Result<Option<String>, Error> {
    text(world, looked, "project/project-id")
}

/// The universe of the machine.
pub(super) fn universe(world: &World, looked: Option<&str>) -> Result<String, Error> {
    // Servers that do not know the question yet are of the ordinary one.
    Ok(text(world, looked, "universe/universe-domain")?.unwrap_or_else(|| GOOGLE.to_owned()))
}

fn text(world: &World, looked: Option<&str>, path: &str) -> Result<Option<String>, Error> {
    present(world, looked)?;
    let reply = ask(world, path)?;
    if reply.status == 404 {
        return Ok(None);
    }
    let who = who(world);
    let question = question(world, &who, path, LIMIT);
    question.granted(&reply).map_err(|refusal| refusal.into_error(&who, ""))?;
    let text = String::from_utf8_lossy(&reply.body).trim().to_owned();
    Ok(Some(text).filter(|it| !it.is_empty()))
}

/// Where nobody takes a connection, this is no machine of Google's: no second try, so that who has no credentials does
/// not wait.
fn present(world: &World, looked: Option<&str>) -> Result<(), Error> {
    let who = who(world);
    let question = question(world, &who, "", SOON);
    let sent = world.client.send(&question.request, SOON);
    match (sent, looked) {
        (Err(Fault::NotSent(e)), Some(looked)) => Err(nowhere(looked, &e)),
        (Err(Fault::NotSent(e)), None) => Err(Error::unreachable(format!(
            "{who} cannot be asked: {e}; only machines of Google's have one"
        ))),
        (Ok(reply), _) if !is_flavored(&reply) && reply.status < 500 => Err(match looked {
            Some(looked) => nowhere(looked, &stranger(&who)),
            None => Error::garbled(stranger(&who)),
        }),
        // Somebody is there; slow or broken is for the question itself.
        _ => Ok(()),
    }
}

fn ask(world: &World, path: &str) -> Result<Reply, Error> {
    let who = who(world);
    let reply = question(world, &who, path, LIMIT).ask(world)?;
    match is_flavored(&reply) {
        true => Ok(reply),
        false => Err(Error::garbled(stranger(&who))),
    }
}

fn stranger(who: &str) -> String {
    format!("what answers as {who} is something else, as it does not say `Metadata-Flavor: Google`")
}

fn is_flavored(reply: &Reply) -> bool {
    reply.header(FLAVOR.0) == Some(FLAVOR.1)
}

fn question<'a>(world: &World, who: &'a str, path: &str, limit: Duration) -> Question<'a> {
    let url = format!("http://{}/computeMetadata/v1/{path}", host(world));
    Question { who, request: get(url, &[FLAVOR]), secrets: &[], limit }
}

fn who(world: &World) -> String {
    format!("the metadata server at `{}`", host(world))
}

/// Its address rather than its name, so no DNS server can send us elsewhere, or keep us waiting.
fn host(world: &World) -> &str {
    let named = ["GCE_METADATA_HOST", "GCE_METADATA_IP"];
    let named = named.iter().find_map(|name| world.environment.get(name));
    named.unwrap_or("169.254.169.254")
}

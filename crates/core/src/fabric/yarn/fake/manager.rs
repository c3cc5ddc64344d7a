//! The ResourceManager.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::application::State;
use super::refusal::Refusal;
use super::serve::{Ask, json, text};
use super::world::{FILE_SYSTEM, World};
use crate::clock::timestamp;
use crate::fabric::yarn::LONGEST_TAG;
use crate::http::Reply;

/// Members of an order that the ResourceManager reads.
const MEMBERS: [&str; 10] = [
    "am-container-spec",
    "application-id",
    "application-name",
    "application-tags",
    "application-type",
    "keep-containers-across-application-attempts",
    "max-app-attempts",
    "queue",
    "resource",
    "unmanaged-AM",
];

/// Where it is asked.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub(super) url: &'a str,
    pub(super) node: &'a str,
    pub(super) active: bool,
}

/// What it answers; `None` where it knows of no such question.
pub(super) fn answer(
    world: &mut World,
    here: Here<'_>,
    ask: &Ask,
) -> Option<Result<Reply, Refusal>> {
    Some(match ask.operation {
        "conf" => conf(world, ask),
        "info" => Ok(json(200, &info(world, here.active))),
        "new-application" => Ok(json(200, &new_application(world))),
        "submit" => submit(world, here, ask),
        "applications" => Ok(json(200, &applications(world, here, ask))),
        "application" => application(world, here, ask),
        "kill" => kill(world, here, ask),
        "timeout" => timeout(world, ask),
        _ => return None,
    })
}

fn conf(world: &mut World, ask: &Ask) -> Result<Reply, Refusal> {
    let name = ask.query("name").unwrap_or_default();
    let value = match name {
        "fs.defaultFS" => FILE_SYSTEM,
        "yarn.application.classpath" => "/hadoop/conf,/hadoop/share/*",
        _ => {
            world.note(format!("nobody needs to know `{name}`"));
            return Err(Refusal::new(
                404,
                "NotFoundException",
                format!("Property {name} not found"),
            ));
        }
    };
    let property =
        json!({"key": name, "value": value, "isFinal": false, "resource": "core-site.xml"});
    Ok(json(200, &json!({"property": property})))
}

fn info(world: &World, active: bool) -> Value {
    json!({"clusterInfo": {
        "id": world.began,
        "startedOn": world.began,
        "state": "STARTED",
        "haState": match active {
            true if world.recovers => "INITIALIZING",
            true => "ACTIVE",
            false => "STANDBY",
        },
        "rmStateStoreName": "org.apache.hadoop.yarn.server.resourcemanager.recovery.NullRMStateStore",
        "resourceManagerVersion": "3.4.2",
        "resourceManagerBuildVersion": "3.4.2",
        "resourceManagerVersionBuiltOn": "2025-08-20T10:36Z",
        "hadoopVersion": "3.4.2",
        "hadoopBuildVersion": "3.4.2",
        "hadoopVersionBuiltOn": "2025-08-20T10:30Z",
        "haZooKeeperConnectionState": "Could not find leader elector. Verify both HA and automatic failover are enabled.",
    }})
}

fn new_application(world: &mut World) -> Value {
    let (memory, cores) = (world.script.most_memory, world.script.most_v_cores);
    let information = |name: &str, units: &str, value: i64| {
        json!({
            "attributes": {}, "maximumAllocation": i64::MAX, "minimumAllocation": 0, "name": name,
            "resourceType": "COUNTABLE", "units": units, "value": value,
        })
    };
    let all = [information("memory-mb", "Mi", memory), information("vcores", "", cores)];
    json!({
        "application-id": world.give_id(),
        "maximum-resource-capability": {
            "memory": memory,
            "vCores": cores,
            "resourceInformations": {"resourceInformation": all},
        },
    })
}

fn submit(world: &mut World, here: Here<'_>, ask: &Ask) -> Result<Reply, Refusal> {
    let order = ask.body.as_object().ok_or_else(|| {
        Refusal::new(400, "WebApplicationException", "javax.xml.bind.UnmarshalException")
    })?;
    if let Some(odd) = order.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        world.note(format!("`{odd}` is no member of an order"));
    }
    let id = ask.body["application-id"].as_str().unwrap_or_default();
    if id.is_empty() {
        return Err(Refusal::bad(format!("Could not parse application id {id}")));
    }
    checked(id)?;
    resources(world, &ask.body["resource"])?;
    tags(world, &ask.body["application-tags"]["tag"])?;
    if ask.body["max-app-attempts"] != 1 {
        world.note(format!("{id} may be attempted more than once"));
    }
    let mut reply = json(202, &Value::Null);
    reply.body.clear();
    reply.headers.push(("location".to_owned(), format!("{}/ws/v1/cluster/apps/{id}", here.url)));
    if world.recovers {
        world.note(format!("{id} comes while it is not known what was known"));
    }
    match world.application(id) {
        // A second time is the first time.
        Some(known) => {
            let same = known.order == ask.body;
            if !same {
                world.note(format!("{id} is another the second time"));
            }
        }
        None => world.submit(id, ask.user(), &ask.body),
    }
    Ok(reply)
}

/// An id of the right form.
fn checked(id: &str) -> Result<(), Refusal> {
    let mut parts = id.split('_');
    if parts.next() != Some("application") {
        let message = format!(
            "Invalid ApplicationId prefix: {id}. The valid ApplicationId should start with prefix application"
        );
        return Err(Refusal::new(
            400,
            "BadRequestException",
            format!("java.lang.IllegalArgumentException: {message}"),
        ));
    }
    let numbers: Vec<_> = parts.map(str::parse::<i64>).collect();
    match numbers[..] {
        [Ok(_), Ok(_)] => Ok(()),
        _ => Err(Refusal::bad(format!("Could not parse application id {id}"))),
    }
}

fn resources(world: &World, wanted: &Value) -> Result<(), Refusal> {
    let (memory, cores) = (wanted["memory"].as_i64(), wanted["vCores"].as_i64());
    let (Some(memory), Some(cores)) = (memory, cores) else {
        return Err(Refusal::bad("no resource"));
    };
    if memory > world.script.most_memory {
        return Err(Refusal::bad("Requested more memory than configured max"));
    }
    if cores > world.script.most_v_cores {
        return Err(Refusal::bad("Requested more cores than configured max"));
    }
    if memory <= 0 || cores <= 0 {
        return Err(Refusal::bad(
            "Invalid resource request! Cannot allocate containers as requested resource is less than 0!",
        ));
    }
    Ok(())
}

fn tags(world: &mut World, tags: &Value) -> Result<(), Refusal> {
    for tag in tags.as_array().into_iter().flatten().map(|tag| tag.as_str().unwrap_or_default()) {
        let illegal = "java.lang.IllegalArgumentException:";
        if tag.chars().count() > LONGEST_TAG {
            let most = format!("maximum allowed length of a tag is {LONGEST_TAG}");
            return Err(Refusal::bad(format!("{illegal} Tag {tag} is too long, {most}")));
        }
        if !tag.is_ascii() {
            let only = "A tag can only have ASCII characters!";
            return Err(Refusal::bad(format!("{illegal} {only} Invalid tag - {tag}")));
        }
        if tag.is_empty() || tag.contains(',') || tag != tag.to_lowercase() {
            world.note(format!("`{tag}` does not stay as it is"));
        }
    }
    Ok(())
}

fn applications(world: &mut World, here: Here<'_>, ask: &Ask) -> Value {
    if let Some((odd, _)) =
        ask.query.iter().find(|(name, _)| !matches!(name.as_str(), "applicationTags" | "user.name"))
    {
        world.note(format!("`{odd}` is no filter that the fake knows"));
    }
    let tags: Vec<&str> = ask.query("applicationTags").unwrap_or_default().split(',').collect();
    if tags == [""] {
        world.note("somebody wants to hear of all applications".to_owned());
    }
    let meant = world
        .applications
        .iter()
        .filter(|app| !world.recovers && tags.iter().any(|tag| app.has_tag(tag)));
    let all: Vec<Value> =
        meant.rev().map(|app| app.told(here.node, world.began, world.now)).collect();
    match all.is_empty() {
        true => json!({"apps": {}}),
        false => json!({"apps": {"app": all}}),
    }
}

fn application(world: &World, here: Here<'_>, ask: &Ask) -> Result<Reply, Refusal> {
    checked(&ask.id)?;
    let app = world.application(&ask.id).filter(|_| !world.recovers);
    let app = app.ok_or_else(|| Refusal::unknown(&ask.id))?;
    Ok(json(200, &json!({"app": app.told(here.node, world.began, world.now)})))
}

fn kill(world: &mut World, here: Here<'_>, ask: &Ask) -> Result<Reply, Refusal> {
    checked(&ask.id)?;
    let now = world.now;
    let app = world.application_mut(&ask.id).ok_or_else(|| Refusal::unknown(&ask.id))?;
    if ask.body["state"] != "KILLED" {
        return Err(Refusal::bad("Only 'KILLED' is allowed as a target state."));
    }
    let under_way = app.state.is_alive();
    if under_way && app.asked.is_none() {
        app.asked = Some((ask.user().to_owned(), now));
    }
    let told = json!({"state": app.state.words().0});
    let mut reply = json(if under_way { 202 } else { 200 }, &told);
    if under_way {
        let place = format!("{}/ws/v1/cluster/apps/{}/state", here.url, ask.id);
        reply.headers.push(("location".to_owned(), place));
    }
    Ok(reply)
}

fn timeout(world: &mut World, ask: &Ask) -> Result<Reply, Refusal> {
    checked(&ask.id)?;
    let now = world.now;
    let app = world.application_mut(&ask.id).ok_or_else(|| Refusal::unknown(&ask.id))?;
    let wanted = &ask.body["timeout"];
    let time = wanted["expiryTime"].as_str().unwrap_or_default();
    let parsed = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.3f%z", time);
    let (Ok(until), Some("LIFETIME")) = (parsed, wanted["type"].as_str()) else {
        return Err(Refusal::bad(format!("Invalid timeout {wanted}")));
    };
    // The caller's clock is the wall's, the fake's may be far ahead of it.
    let left = until.duration_since(timestamp());
    if left <= SignedDuration::ZERO {
        return Err(Refusal::bad("Expire time is less than current time"));
    }
    if app.state != State::Accepted && app.state != State::Running {
        let state = app.state.words().0;
        let message = format!("Application timeout can not be updated in state {state}");
        return Err(Refusal::bad(message));
    }
    app.deadline = now.checked_add(left).ok();
    let told =
        json!({"type": "LIFETIME", "expiryTime": time, "remainingTimeInSeconds": left.as_secs()});
    Ok(json(200, &json!({"timeout": told})))
}

/// What a ResourceManager says that stands by: with the way to the active one, or, where that is not known, with a page.
pub(super) fn standing_by(active: Option<String>) -> Reply {
    match active {
        Some(place) => {
            let mut reply = text(307, &format!("This is standby RM. The redirect url is: {place}"));
            reply.headers.push(("location".to_owned(), place));
            reply
        }
        None => {
            let mut reply = text(200, "Can not find any active RM. Will retry in next 3 seconds.");
            reply.headers.push(("refresh".to_owned(), "3;url=/".to_owned()));
            reply
        }
    }
}

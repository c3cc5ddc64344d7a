//! Dataproc's methods for jobs.

use serde_json::Value;

use super::cluster::Cluster;
use super::clusters::{ORDER, listed};
use super::filter::Filter;
use super::job::{Job, JobState};
use super::refusal::Refusal;
use super::script::StepScript;
use super::serve::Ask;
use super::status::Status;
use super::world::World;
use super::{pages, rules};
use crate::clock::add;

/// The words of `jobStateMatcher`, in the order of their numbers.
const MATCHERS: [&str; 3] = ["ALL", "ACTIVE", "NON_ACTIVE"];

pub(super) fn submit(world: &mut World, ask: &Ask) -> Result<Value, Refusal> {
    let project = ask.var("projectId");
    let (request, order) = (ask.body["requestId"].as_str().unwrap_or_default(), &ask.body["job"]);
    rules::request_id(request)?;
    if let Some(id) = world.repeated("jobs.submit", request, order) {
        return Ok(world.jobs[of_id(world, ask, &id)?].told());
    }
    rules::job(order, project)?;
    let given = order["reference"]["jobId"].as_str();
    let id = given.map_or_else(|| world.uuid(), str::to_owned);
    if world.jobs.iter().any(|job| job.id == id && job.project == project) {
        return Err(Refusal::already_exists(path(ask, &id)));
    }
    let cluster = cluster_of(world, ask, order)?.clone();
    if !cluster.state().takes_jobs() {
        let message = format!(
            "Unable to submit job, cluster '{}' is in state {} and cannot accept jobs.",
            cluster.name,
            cluster.state().word()
        );
        return Err(Refusal::precondition(message));
    }
    mind(world, &id, request, order);
    let uuid = world.uuid();
    let folder = format!("google-cloud-dataproc-metainfo/{}/jobs/{id}", cluster.uuid);
    let now = world.now;
    let missing = missing_file(world, order);
    world.add_job(Job {
        id: id.clone(),
        uuid,
        project: project.to_owned(),
        region: ask.var("region").to_owned(),
        cluster: cluster.name.clone(),
        cluster_uuid: cluster.uuid.clone(),
        output: format!("gs://{}/{folder}/driveroutput", cluster.bucket),
        order: order.clone(),
        created: now,
        status: Status::new(JobState::Pending, now),
        history: Vec::new(),
        started: None,
        asked: None,
        ended: None,
        script: StepScript::done(0),
        turned: 0,
        exited: None,
    });
    if let (Some(file), Some(job)) = (missing, world.jobs.last_mut()) {
        job.script = StepScript::ends(super::End::Fails(format!("File not found: {file}")), 0);
    }
    if !request.is_empty() {
        world.requests.insert(("jobs.submit", request.to_owned()), (order.clone(), id));
    }
    // As it was taken, before any of its time has passed.
    Ok(world.jobs.last().map(Job::told).unwrap_or_default())
}

fn path(ask: &Ask, id: &str) -> String {
    format!("Job projects/{}/regions/{}/jobs/{id}", ask.var("projectId"), ask.var("region"))
}

/// The cluster that a job is for.
fn cluster_of<'w>(world: &'w World, ask: &Ask, order: &Value) -> Result<&'w Cluster, Refusal> {
    let (project, region) = (ask.var("projectId"), ask.var("region"));
    let name = order["placement"]["clusterName"].as_str().unwrap_or_default();
    let here = |cluster: &&Cluster| {
        cluster.project == project && cluster.region == region && cluster.name == name
    };
    world.alive().find(here).ok_or_else(|| {
        Refusal::not_found(format!("Cluster projects/{project}/regions/{region}/clusters/{name}"))
    })
}

/// A file of our own that the job wants, and that was never staged.
fn missing_file(world: &mut World, order: &Value) -> Option<String> {
    let staged = |uri: &&str| uri.contains("/dataflow-runner/staged/");
    let there = |uri: &str| {
        let (bucket, name) = uri.strip_prefix("gs://")?.split_once('/')?;
        let elsewhere = world.script.elsewhere.iter().any(|known| known == bucket);
        (elsewhere || world.storage.get(bucket, name).is_some()).then_some(())
    };
    let mut files = rules::files(rules::of_type(order)).into_iter().filter(staged);
    let missing = files.find(|uri| there(uri).is_none())?.to_owned();
    world.note(format!("a job wants {missing}, which is not there"));
    Some(missing)
}

fn mind(world: &mut World, id: &str, request: &str, order: &Value) {
    if order["reference"]["jobId"].is_null() || request.is_empty() {
        world.note(format!("the job {id} was submitted without a requestId or an id of its own"));
    }
    if let Some(label) = order["labels"][ORDER].as_str()
        && world.jobs.iter().any(|job| job.order["labels"][ORDER] == label)
    {
        world.note(format!("a second job of the order {label}"));
    }
}

fn of_id(world: &World, ask: &Ask, id: &str) -> Result<usize, Refusal> {
    let known = |job: &Job| {
        job.id == id && job.project == ask.var("projectId") && job.region == ask.var("region")
    };
    let found = world.jobs.iter().position(known);
    found.ok_or_else(|| Refusal::not_found(path(ask, id)))
}

pub(super) fn get(world: &World, ask: &Ask) -> Result<Value, Refusal> {
    Ok(world.jobs[of_id(world, ask, ask.var("jobId"))?].told())
}

pub(super) fn cancel(world: &mut World, ask: &Ask) -> Result<Value, Refusal> {
    let n = of_id(world, ask, ask.var("jobId"))?;
    let refuses = world.script.refuses_late_cancels;
    let (job, now) = (&mut world.jobs[n], world.now);
    if refuses && !job.is_active() {
        let message = format!("Job '{}' is already in state {}.", job.id, job.state().word());
        return Err(Refusal::precondition(message));
    }
    job.cancel(now);
    Ok(job.told())
}

pub(super) fn list(world: &World, ask: &Ask) -> Result<Value, Refusal> {
    let text = ask.query("filter").unwrap_or_default();
    let filter = Filter::read(text, "", &MATCHERS[1..])?;
    let wanted = ask.query("jobStateMatcher").unwrap_or("ALL");
    let number = wanted.parse().ok().and_then(|n: usize| MATCHERS.get(n));
    let wanted = *number.unwrap_or(&wanted);
    let cluster = ask.query("clusterName");
    let is = |job: &Job, word: &str| word == "ALL" || job.is_active() == (word == "ACTIVE");
    let shown = |job: &Job| {
        job.project == ask.var("projectId")
            && job.region == ask.var("region")
            && cluster.is_none_or(|cluster| job.cluster == cluster)
            && is(job, wanted)
            && add(job.created, world.script.late_jobs) <= world.now
            && filter.takes(&job.labels(), "", |word| is(job, word))
    };
    // Newest first.
    let all = world.jobs.iter().enumerate().rev().filter(|(_, job)| shown(job));
    let items = all.map(|(n, job)| (format!("{:020}", usize::MAX - n), job));
    let (page, next) = pages::page(
        &ask.but_the_token(),
        ask.query("pageToken"),
        ask.page_size(&world.script)?,
        items,
    )?;
    Ok(listed("jobs", page.into_iter().map(Job::told).collect(), next))
}

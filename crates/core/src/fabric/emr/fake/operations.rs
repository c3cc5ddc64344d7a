//! What each operation does, once its body fits its shape.

use serde_json::{Value, json};

use super::refusal::Refusal;
use super::world::{World, has_state, takes_steps};
use super::{limits, pages, replies};
use crate::clock::add;

type Reply = Result<Value, Refusal>;

/// So many of the latest steps of a cluster can be seen.
const VISIBLE: usize = 1000;

/// So many steps `ListSteps` takes by id, and clusters `TerminateJobFlows`.
const IDS: usize = 10;

pub(super) fn call(world: &mut World, operation: &str, region: &str, body: &Value) -> Reply {
    match operation {
        "RunJobFlow" => run_job_flow(world, region, body),
        "AddJobFlowSteps" => add_job_flow_steps(world, region, body),
        "TerminateJobFlows" => terminate_job_flows(world, region, body),
        "CancelSteps" => cancel_steps(world, region, body),
        "ListClusters" => list_clusters(world, region, body),
        "DescribeCluster" => {
            let cluster = world.find(operation, region, text(body, "ClusterId"))?;
            Ok(json!({"Cluster": replies::cluster(cluster)}))
        }
        "ListSteps" => list_steps(world, region, body),
        "DescribeStep" => describe_step(world, region, body),
        "ListBootstrapActions" => {
            let size = world.script.page;
            let cluster = world.find(operation, region, text(body, "ClusterId"))?;
            let actions = replies::bootstrap_actions(cluster);
            paged("BootstrapActions", operation, body, size, actions)
        }
        "ListInstanceGroups" => {
            let size = world.script.page;
            let cluster = world.find(operation, region, text(body, "ClusterId"))?;
            paged("InstanceGroups", operation, body, size, replies::instance_groups(cluster))
        }
        _ => Err(Refusal::new(400, "UnknownOperationException", operation)),
    }
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body[member].as_str().unwrap_or_default()
}

fn texts<'a>(body: &'a Value, member: &str) -> Vec<&'a str> {
    body[member].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// All that is to be listed, in the order it was given in.
fn paged(member: &str, operation: &str, body: &Value, size: usize, all: Vec<Value>) -> Reply {
    let count = all.len();
    let items = all.into_iter().enumerate().map(|(n, item)| (count - n, item));
    let (page, marker) = pages::page(operation, body, size, items)?;
    Ok(with_marker(member, page, marker))
}

fn with_marker(member: &str, page: Vec<Value>, marker: Option<String>) -> Value {
    let mut reply = json!({ member: page });
    if let Some(marker) = marker {
        reply["Marker"] = json!(marker);
    }
    reply
}

fn run_job_flow(world: &mut World, region: &str, body: &Value) -> Reply {
    let tagged = body["Tags"].as_array().is_some_and(|tags| !tags.is_empty());
    if tagged && world.denied.contains("AddTags") {
        let resource = format!("arn:aws:elasticmapreduce:{region}:123456789012:cluster/*");
        return Err(Refusal::denied("elasticmapreduce:AddTags", &resource));
    }
    limits::launch(body)?;
    let id = world.launch(region, body);
    let steps = body["Steps"].as_array().cloned().unwrap_or_default();
    world.submit(&id, &steps);
    let arn = replies::arn(region, &id);
    Ok(json!({"JobFlowId": id, "ClusterArn": arn}))
}

fn add_job_flow_steps(world: &mut World, region: &str, body: &Value) -> Reply {
    let id = text(body, "JobFlowId").to_owned();
    let steps = body["Steps"].as_array().cloned().unwrap_or_default();
    let cluster = world.find("AddJobFlowSteps", region, &id)?;
    takes_steps(cluster.state)?;
    if steps.is_empty() {
        return Err(Refusal::validation("Steps must not be empty"));
    }
    limits::steps(&steps)?;
    if cluster.active() + steps.len() > limits::STEPS {
        return Err(Refusal::validation(
            "Maximum number of active steps(State = 'Running', 'Pending' or 'Cancel_Pending') for cluster exceeded.",
        ));
    }
    let ends_all = |step: &Value| {
        matches!(
            step["ActionOnFailure"].as_str(),
            Some("CANCEL_AND_WAIT" | "TERMINATE_CLUSTER" | "TERMINATE_JOB_FLOW")
        )
    };
    if cluster.concurrency() > 1 && steps.iter().any(ends_all) {
        return Err(Refusal::validation(
            "Steps with ActionOnFailure other than CONTINUE need a step concurrency level of 1.",
        ));
    }
    let ids = world.submit(&id, &steps);
    Ok(json!({"StepIds": ids}))
}

/// Those that may be terminated are, even if the call then fails for the protected.
fn terminate_job_flows(world: &mut World, region: &str, body: &Value) -> Reply {
    let ids = texts(body, "JobFlowIds");
    if ids.is_empty() || ids.len() > IDS {
        return Err(Refusal::validation("JobFlowIds must have 1 to 10 members"));
    }
    for id in &ids {
        world.find("TerminateJobFlows", region, id)?;
    }
    let mut spared = false;
    for id in ids {
        let alive = world.cluster(id).filter(|cluster| cluster.state.takes_steps());
        if alive.is_some_and(super::cluster::Cluster::is_protected) {
            spared = true;
        } else {
            world.kill(id, super::script::Death::user());
        }
    }
    if spared {
        return Err(Refusal::validation(
            "Could not shut down one or more job flows since they are termination protected.",
        ));
    }
    Ok(json!({}))
}

fn cancel_steps(world: &mut World, region: &str, body: &Value) -> Reply {
    let now = world.now;
    let cluster = world.find("CancelSteps", region, text(body, "ClusterId"))?;
    let ids = texts(body, "StepIds");
    if ids.is_empty() || ids.len() > limits::STEPS {
        return Err(Refusal::invalid("InvalidStepIds", "StepIds must have 1 to 256 members"));
    }
    if !cluster.state.takes_steps() {
        let message = format!("Cluster id '{}' is not in a state to cancel steps.", cluster.id);
        return Err(Refusal::invalid("InvalidClusterState", message));
    }
    let cancelled: Vec<Value> = ids
        .into_iter()
        .map(|id| match cluster.cancel(id, now) {
            Ok(()) => json!({"StepId": id, "Status": "SUBMITTED"}),
            Err(reason) => json!({"StepId": id, "Status": "FAILED", "Reason": reason}),
        })
        .collect();
    Ok(json!({"CancelStepsInfoList": cancelled}))
}

fn list_clusters(world: &World, region: &str, body: &Value) -> Reply {
    let second = |member: &str| body[member].as_f64();
    let clusters = world.clusters.iter().enumerate().rev().filter(|(_, cluster)| {
        let created = replies::seconds(cluster.created);
        cluster.region == region
            && world.shows(cluster)
            && has_state(&body["ClusterStates"], cluster.state.word())
            && second("CreatedAfter").is_none_or(|after| created > after)
            && second("CreatedBefore").is_none_or(|before| created < before)
    });
    let (page, marker) = pages::page("ListClusters", body, world.script.page, clusters)?;
    Ok(with_marker("Clusters", page.into_iter().map(replies::cluster_summary).collect(), marker))
}

fn list_steps(world: &mut World, region: &str, body: &Value) -> Reply {
    let ids = texts(body, "StepIds");
    if ids.len() > IDS {
        return Err(Refusal::invalid(
            "InvalidStepIds",
            "A maximum of 10 step ids can be specified.",
        ));
    }
    let (now, late, size) = (world.now, world.script.late_steps, world.script.page);
    let cluster = world.find("ListSteps", region, text(body, "ClusterId"))?;
    if let Some(unknown) = ids.iter().find(|id| cluster.steps.iter().all(|step| step.id != **id)) {
        return Err(Refusal::no_such_step(unknown));
    }
    let steps = cluster.steps.iter().enumerate().rev().take(VISIBLE).filter(|(_, step)| {
        add(step.created, late) <= now
            && (ids.is_empty() || ids.contains(&step.id.as_str()))
            && has_state(&body["StepStates"], step.state.word())
    });
    let (page, marker) = pages::page("ListSteps", body, size, steps)?;
    Ok(with_marker("Steps", page.into_iter().map(replies::step).collect(), marker))
}

fn describe_step(world: &mut World, region: &str, body: &Value) -> Reply {
    let cluster = world.find("DescribeStep", region, text(body, "ClusterId"))?;
    let id = text(body, "StepId");
    let step = cluster.steps.iter().rev().take(VISIBLE).find(|step| step.id == id);
    let step = step.ok_or_else(|| Refusal::no_such_step(id))?;
    Ok(json!({"Step": replies::step(step)}))
}

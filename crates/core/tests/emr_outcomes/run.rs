//! One row, run: engine, fabric and far side, with a clock turned by hand.

use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{Clock, add};
use dataflow_runner_core::config::playbook::Playbook;
use dataflow_runner_core::config::{Config, load};
use dataflow_runner_core::diagnostic::Diagnostics;
use dataflow_runner_core::document::Document;
use dataflow_runner_core::driver::Driver;
use dataflow_runner_core::engine::{Fresh, Run, Settings, Start};
use dataflow_runner_core::event::{Event, EventKind, Goal, Outcome};
use dataflow_runner_core::fabric::emr;
use dataflow_runner_core::fabric::emr::fake::{Death, State, World};
use dataflow_runner_core::fabric::{ClusterId, Effect, RunId};
use dataflow_runner_core::journal::Journal;
use dataflow_runner_core::plan::Plan;
use dataflow_runner_core::source::Source;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::row::{Given, Row, name};
use super::side::{REGION, Side};

/// What came of a row.
pub(crate) struct Came {
    pub(crate) exit: u8,
    pub(crate) ends: Vec<String>,
    pub(crate) made: usize,
    pub(crate) left: usize,
    /// All events, one JSON object a line.
    pub(crate) said: String,
    /// What should never be: a run without end, an order carried out twice, an answer the fake cannot give.
    pub(crate) violations: Vec<String>,
}

/// Runs a row.
pub(crate) fn run(row: &Row) -> Came {
    // Ahead of the wall's clock, so that what that says of pauses is always over.
    let start: Timestamp = "2100-01-01T00:00:00Z".parse().expect("a time");
    let mut world = World::new(row.script.clone(), start);
    let (given, start) = match row.goal {
        Goal::Run | Goal::Down => give(&mut world, row.given, start),
        Goal::Up | Goal::RunTransient => (None, start),
    };
    world.denied.extend(row.denied.iter().cloned());
    let clock = Arc::new(Clock::turned_by_hand(start));
    let (client, bell) = (Arc::new(Bell::new()), Arc::new(Bell::new()));
    let bells = [Arc::clone(&client), Arc::clone(&bell)];
    let side = Side::start(world, Arc::clone(&clock), bells, row.faults.clone());
    let folder = tempfile::tempdir().expect("a folder");
    let fabric = super::fabric::over(&side.server.url(), client, folder.path(), cluster_file());
    let plan = plan(row);
    let mut journal = Journal::in_memory(usize::MAX);
    let mut events: Vec<Event> = Vec::new();
    let fresh = Fresh::new(RunId::new("r-20261122T100000Z-000000"), row.goal, given);
    let outcome = Run {
        plan: &plan,
        fabric: &fabric,
        clock: &clock,
        bell: &bell,
        settings: Settings::default(),
        driver: Driver::own("here"),
        journal: &mut journal,
    }
    .execute(Start::Fresh(fresh), &mut |event| events.push(event.clone()));
    let calls = side.calls();
    let world = side.world();
    let said = events.iter().map(|e| serde_json::to_string(e).expect("JSON") + "\n");
    Came {
        exit: exit(&outcome),
        ends: (0..row.steps.len()).map(|step| end_of(&events, step)).collect(),
        made: world.clusters.len(),
        left: world.alive().count(),
        said: said.collect::<String>() + &format!("{calls:?}\n"),
        violations: world.violations().to_vec(),
    }
}

/// As the program's own table of exit codes says.
fn exit(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Succeeded | Outcome::Noop { .. } | Outcome::Submitted => 0,
        Outcome::Failed { .. } => 1,
        Outcome::Refused { error } if error.effect == Effect::None => 4,
        Outcome::Refused { .. } | Outcome::InDoubt { .. } => 5,
        // Nobody interrupts but the far side, that has been asked too often.
        Outcome::Interrupted { .. } => 129,
    }
}

/// How a step ended, as the events tell it.
fn end_of(events: &[Event], step: usize) -> String {
    let id = format!("step-{}", step + 1);
    let end = events.iter().rev().find_map(|event| match &event.kind {
        EventKind::StepEnded { step, state, .. } if *step == id => Some(state.as_str().to_owned()),
        EventKind::StepSkipped { step, .. } if *step == id => Some("SKIPPED".to_owned()),
        _ => None,
    });
    end.unwrap_or_else(|| "-".to_owned())
}

/// Brings the cluster up that is there before, and the time to when it is as it should be.
fn give(world: &mut World, given: Given, start: Timestamp) -> (Option<ClusterId>, Timestamp) {
    let Given::In(state) = given else { return (Some(ClusterId::new("j-0000000000000")), start) };
    let body = json!({
        "Name": "given",
        "ReleaseLabel": "emr-7.5.0",
        "ServiceRole": "EMR_DefaultRole",
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "Instances": {
            "Ec2SubnetId": "subnet-1",
            "KeepJobFlowAliveWhenNoSteps": true,
            "InstanceGroups": [{"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}]
        }
    });
    let reply = world.call("RunJobFlow", REGION, &body).expect("it is launched");
    let id = reply["JobFlowId"].as_str().expect("an id").to_owned();
    let mut now = start;
    let mut pass = |world: &mut World, seconds| {
        now = add(now, Duration::from_secs(seconds));
        world.advance(now);
    };
    match state {
        State::Starting => pass(world, 10),
        State::Bootstrapping => pass(world, 125),
        State::Running | State::Waiting => pass(world, 180),
        State::Terminating | State::Terminated | State::TerminatedWithErrors => {
            pass(world, 200);
            let errors = state == State::TerminatedWithErrors;
            world.kill(&id, if errors { Death::internal() } else { Death::user() });
            pass(world, if state == State::Terminating { 5 } else { 100 });
        }
    }
    assert_eq!(world.cluster(&id).map(|cluster| cluster.state), Some(state));
    (Some(ClusterId::new(id)), now)
}

fn plan(row: &Row) -> Plan {
    if row.steps.is_empty() {
        return Plan::empty();
    }
    let steps = row.steps.iter().enumerate().map(|(n, (_, rule))| {
        json!({"type": "CUSTOM_JAR", "name": name(n), "actionOnFailure": rule, "jar": "command-runner.jar", "arguments": ["true"]})
    });
    let data =
        json!({"region": REGION, "credentials": credentials(), "steps": steps.collect::<Vec<_>>()});
    let Config::Playbook(playbook) = read("PlaybookConfig/avro/1-0-1", &data) else {
        panic!("not a playbook")
    };
    let playbook: Playbook = playbook;
    let mut faults = Diagnostics::new();
    Plan::new(playbook, &mut faults).unwrap_or_else(|| panic!("{faults:?}"))
}

fn cluster_file() -> emr::Config {
    let data = json!({
        "name": "outcomes",
        "logUri": "",
        "region": REGION,
        "credentials": credentials(),
        "roles": {"jobflow": "EMR_EC2_DefaultRole", "service": "EMR_DefaultRole"},
        "ec2": {
            "amiVersion": "7.5.0",
            "keyName": "",
            "location": {"vpc": {"subnetId": "subnet-1"}},
            "instances": {"master": {"type": "m5.xlarge"}}
        }
    });
    match read("ClusterConfig/avro/1-1-0", &data) {
        Config::Emr(config) => *config,
        _ => panic!("not a cluster"),
    }
}

fn credentials() -> Value {
    json!({"accessKeyId": "AKIAEXAMPLE", "secretAccessKey": "example"})
}

fn read(schema: &str, data: &Value) -> Config {
    let schema = format!("iglu:com.snowplowanalytics.dataflowrunner/{schema}");
    let text = json!({"schema": schema, "data": data}).to_string();
    let (config, diagnostics) = load(&Document::plain(Arc::new(Source::new("x.json", text))));
    config.unwrap_or_else(|| panic!("{:?}", diagnostics.sorted()))
}

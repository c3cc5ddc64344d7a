//! A run on EMR: the engine, the fabric and its client before the fake, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{Clock, add};
use dataflow_runner_core::config::Config;
use dataflow_runner_core::environment::Environment;
use dataflow_runner_core::event::Goal;
use dataflow_runner_core::fabric::emr::fake::{Fake, State, World};
use dataflow_runner_core::fabric::{ClusterId, Fabric, emr};
use dataflow_runner_core::http::Client;
use dataflow_runner_core::http::aws::{Account, Settings, Source};
use dataflow_runner_core::plan::Plan;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::dice::Dice;
use super::faults::Faults;
use super::run::{Ride, Went};
use super::spec::{Spec, read};

mod far;
mod happened;

use far::Far;
use happened::{later, truth};

const REGION: &str = "eu-west-1";

/// A day later all has come that was on its way.
const LATER: Duration = Duration::from_secs(86_400);

/// Runs a seed.
pub(crate) fn run(seed: u64) -> Went {
    let mut dice = Dice::new(seed, 1);
    let spec = Spec::roll(&mut dice, false);
    let far = Far::roll(&mut dice, &spec);
    // Ahead of the wall's clock, so that what that says of pauses is always over.
    let start: Timestamp = "2100-01-01T00:00:00Z".parse().expect("a time");
    let clock = Arc::new(Clock::turned_by_hand(start));
    let fake = Fake::start_by(far.script.clone(), Arc::clone(&clock)).expect("a port");
    fake.pass(far.skew);
    fake.skew(SignedDuration::try_from(far.skew).expect("it is small"));
    let bell = Arc::new(Bell::hasty());
    let folder = tempfile::tempdir().expect("a folder");
    let fabric = fabric(&fake, &bell, folder.path(), far.tick);
    let plan = spec.plan(fabric.capabilities());
    let given = (spec.goal == Goal::Run).then(|| given(&fake, &clock, &plan, far.before));
    let begun = fake.world(|world| world.now);
    fake.world(|world| world.denied.extend(far.denied.map(str::to_owned)));
    let mut faults = Faults::roll(&mut dice, &clock, &bell);
    let silence = faults.longest_silence();
    fake.fail_by(move |operation| faults.next(operation));
    let ride = Ride {
        spec: &spec,
        plan: &plan,
        fabric: &fabric,
        clock: &clock,
        bell: &bell,
        cluster: given.clone(),
        signal: None,
    };
    let told = ride.drive(&mut dice);
    let mut truth = fake.world(|world| truth(world, &spec, given.as_ref(), begun));
    fake.heal();
    fake.pass(LATER);
    fake.world(|world| later(world, &spec, &mut truth));
    truth.obscure = far.obscure(&truth, silence);
    truth.silence = silence;
    let faulty = fake.requests().iter().filter(|logged| logged.fault.is_some()).count();
    Went { requests: fake.requests().len(), faulty, ..Went::new(&spec, told, &truth) }
}

fn fabric(fake: &Fake, bell: &Arc<Bell>, folder: &std::path::Path, tick: u64) -> emr::Emr {
    let named = fake.environment();
    let named = named.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let environment: Environment = named.chain([("NO_PROXY", "127.0.0.1")]).collect();
    let environment = Arc::new(environment);
    let client = Arc::new(Client::new(&environment, Arc::clone(bell)).expect("a client"));
    let settings = Settings {
        region: REGION.to_owned(),
        credentials: Source::Environment,
        environment,
        client,
        quotas: folder.to_owned(),
    };
    let account = Account::new(settings).expect("an account").with_quotas(f64::INFINITY);
    emr::Emr::new(Some(cluster_file()), account).asking_every(Duration::from_secs(tick))
}

fn cluster_file() -> emr::Config {
    let data = json!({
        "name": "soak",
        "logUri": "",
        "region": REGION,
        "credentials": {"accessKeyId": "env", "secretAccessKey": "env"},
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

/// A cluster that is there before, and ready if it ever is.
fn given(fake: &Fake, clock: &Clock, plan: &Plan, before: bool) -> ClusterId {
    let order = json!({
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
    let made =
        fake.world(|world| world.call("RunJobFlow", REGION, &order)).expect("it is launched");
    let id = made["JobFlowId"].as_str().expect("an id").to_owned();
    let state = |of: &mut World| of.cluster(&id).map(|cluster| cluster.state);
    while matches!(fake.world(state), Some(State::Starting | State::Bootstrapping)) {
        pass(clock, 10);
    }
    let id = ClusterId::new(id);
    if before && fake.world(|world| world.alive().count()) == 1 {
        ran_before(fake, clock, &id, plan);
    }
    id
}

/// The same playbook ran there, and is done since a while.
fn ran_before(fake: &Fake, clock: &Clock, on: &ClusterId, plan: &Plan) {
    let steps: Vec<&_> = plan.steps().iter().collect();
    let order = serde_json::to_value(emr::request::add_job_flow_steps(on, &steps)).expect("JSON");
    fake.world(|world| world.call("AddJobFlowSteps", REGION, &order)).expect("they are taken");
    let busy = |world: &mut World| world.steps().any(|step| step.state.is_active());
    while fake.world(busy) && fake.world(|world| world.alive().count()) == 1 {
        pass(clock, 10);
    }
    pass(clock, 30);
}

fn pass(clock: &Clock, seconds: u64) {
    clock.wait(&Bell::new(), add(clock.now(), Duration::from_secs(seconds)));
}

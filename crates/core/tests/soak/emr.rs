//! A run on EMR: the engine, the fabric and its client before the fake, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{Clock, add};
use dataflow_runner_core::config::Config;
use dataflow_runner_core::environment::Environment;
use dataflow_runner_core::event::Goal;
use dataflow_runner_core::fabric::emr::fake::{
    Cluster, ClusterScript, Death, Fake, Fate as StepFate, Moment, Script, State, Step, StepEnd,
    StepScript, StepState, World,
};
use dataflow_runner_core::fabric::{ClusterId, Fabric, emr};
use dataflow_runner_core::http::Client;
use dataflow_runner_core::http::aws::{Account, Settings, Source};
use dataflow_runner_core::plan::Plan;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::dice::Dice;
use super::faults::Faults;
use super::run::{Ride, Went};
use super::spec::{Fate, Spec, read};
use super::truth::{self, End, StepRun, Truth};

const REGION: &str = "eu-west-1";

/// Clocks that differ by no more agree, whatever the second in which a reply's time is told.
const CLOSE: Duration = Duration::from_secs(2);

/// A run waits half an hour for answers, and what is lost is to be asked for twice after them.
const TOO_LONG: Duration = Duration::from_secs(20 * 60);

/// A day later all has come that was on its way.
const LATER: Duration = Duration::from_secs(86_400);

/// What the far side is like.
struct Far {
    script: Script,
    tick: u64,
    /// EMR's clock is ahead of ours by so much.
    skew: Duration,
    /// The playbook ran on the cluster before.
    before: bool,
    /// A right that is missing.
    denied: Option<&'static str>,
}

impl Far {
    fn roll(dice: &mut Dice, spec: &Spec) -> Self {
        let mut script = Script {
            page: dice.pick(&[3, 10, 50, 50]),
            late_clusters: dice.seconds(0, 40),
            late_steps: dice.seconds(0, 40),
            clusters: clusters(dice, spec.goal),
            ..Script::default()
        };
        // Steps that end within seconds of each other are told apart by them.
        let hasty = dice.percent(15);
        let pace = if hasty { 3 } else { dice.pick(&[20, 120, 120, 900]) };
        let run = spec.goal == Goal::Run;
        let rights =
            if run { &["ListSteps", "DescribeCluster"][..] } else { &["AddTags", "ListSteps"] };
        let before = run && dice.percent(25);
        let denied = dice.percent(5).then(|| dice.pick(rights));
        if denied == Some("DescribeCluster") {
            // Who may not ask about the cluster waits for ever for what it left waiting.
            for cluster in &mut script.clusters {
                cluster.running_steps = StepFate::Cancelled;
                cluster.pending_steps = StepFate::Cancelled;
            }
        }
        for step in &spec.steps {
            let first = before.then(|| StepScript::completes(1));
            let scripts = step.fates.iter().map(|fate| step_script(dice, *fate, pace));
            script.steps.insert(step.name.clone(), first.into_iter().chain(scripts).collect());
        }
        Self {
            script,
            tick: if hasty { dice.within(1, 3) } else { dice.pick(&[5, 15, 15, 30, 60]) },
            skew: if dice.percent(3) { dice.seconds(5, 250) } else { dice.seconds(0, 2) },
            before,
            denied,
        }
    }

    /// Why nobody could have found out everything, if so.
    fn obscure(&self, truth: &Truth, silence: Duration) -> Vec<&'static str> {
        let unheard = truth.runs.iter().any(|run| run.end == Some(End::Unheard));
        let down = truth.clusters.iter().any(|cluster| !cluster.stays);
        let blind = down && self.denied == Some("DescribeCluster");
        let spared = self.script.clusters.iter().any(|cluster| cluster.protected);
        let all = [
            (unheard, "a state that nobody has heard of"),
            (spared, "a cluster that may not be terminated"),
            (self.skew > CLOSE, "clocks that do not agree"),
            (silence > TOO_LONG, "nobody answered for long"),
            (self.denied == Some("ListSteps"), "what was ordered may not be listed"),
            (blind, "a cluster that may not be asked about"),
        ];
        all.into_iter().filter_map(|(holds, why)| holds.then_some(why)).collect()
    }
}

fn step_script(dice: &mut Dice, fate: Fate, pace: u64) -> StepScript {
    let end = match fate {
        Fate::Succeeds | Fate::Never => StepEnd::Completed,
        Fate::Exits(_) => StepEnd::Failed(None),
        Fate::Cancelled => dice.pick(&[StepEnd::Cancelled, StepEnd::Interrupted]),
        Fate::Unheard => StepEnd::Word("PAUSED"),
    };
    let never = fate == Fate::Never;
    StepScript {
        waits: dice.pick(&[Duration::ZERO, Duration::from_secs(1), Duration::from_secs(40)]),
        runs: (!never).then(|| dice.seconds(0, pace)),
        stubborn: dice.seconds(0, 60),
        refuses_cancel: !never && dice.percent(5),
        ..StepScript::ends(0, end)
    }
}

/// Most come up and stay.
fn clusters(dice: &mut Dice, goal: Goal) -> Vec<ClusterScript> {
    let usual = |dice: &mut Dice| ClusterScript {
        starting: dice.seconds(0, 300),
        bootstrapping: dice.seconds(0, 200),
        terminating: dice.seconds(45, 200),
        running_steps: dice.pick(&[StepFate::Cancelled, StepFate::Interrupted, StepFate::Kept]),
        pending_steps: dice.pick(&[StepFate::Cancelled, StepFate::Kept]),
        ..ClusterScript::default()
    };
    let broken = if goal == Goal::RunTransient && dice.percent(12) { dice.count(1, 5) } else { 0 };
    let mut all = Vec::new();
    for _ in 0..broken {
        let death = dice.pick(&[Death::bootstrap(), Death::provisioning()]);
        all.push(ClusterScript { death: Some((Moment::Bootstrapping, death)), ..usual(dice) });
    }
    let mut last = usual(dice);
    if dice.percent(18) {
        last.death = Some(death(dice));
    }
    last.protected = dice.percent(2);
    last.idle = dice.percent(4).then(|| dice.seconds(60, 900));
    all.push(last);
    all
}

fn death(dice: &mut Dice) -> (Moment, Death) {
    let somebody =
        Death { message: Some("Terminated by somebody else".to_owned()), ..Death::user() };
    match dice.within(0, 3) {
        0 => (
            Moment::Starting,
            dice.pick(&[Death::capacity(), Death::fleet_timeout(), Death::invalid("x")]),
        ),
        1 => (Moment::After(dice.seconds(0, 900)), dice.pick(&[Death::instance(), somebody])),
        _ => {
            let deaths =
                [Death::instance(), Death::spot(), Death::internal(), Death::unsaid(), somebody];
            (Moment::Ready(dice.seconds(0, 900)), dice.pick(&deaths))
        }
    }
}

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

/// What really happened by now.
fn truth(world: &World, spec: &Spec, given: Option<&ClusterId>, begun: Timestamp) -> Truth {
    let clusters = world.clusters.iter().map(|cluster| truth::Cluster {
        id: cluster.id.clone(),
        given: given.is_some_and(|given| given.as_str() == cluster.id),
        gone: cluster.state.is_over(),
        ended: cluster.ended,
        stays: cluster.state.takes_steps(),
        died: died(cluster),
    });
    let all = world.clusters.iter().flat_map(|on| on.steps.iter().map(move |step| (on, step)));
    let ours = all.filter(|(_, step)| step.created >= begun);
    let mut runs: Vec<_> = ours.map(|(on, step)| step_run(spec, on, step)).collect();
    runs.sort_by_key(|run| run.taken);
    let violations = world.violations().to_vec();
    Truth {
        clusters: clusters.collect(),
        runs,
        has_queue: true,
        most_at_once: Some(1),
        violations,
        end: world.now,
        obscure: Vec::new(),
        silence: Duration::ZERO,
    }
}

/// What came after the run.
fn later(world: &World, spec: &Spec, truth: &mut Truth) {
    for cluster in &world.clusters {
        let stays = cluster.state.takes_steps();
        match truth.clusters.iter_mut().find(|known| known.id == cluster.id) {
            Some(known) => known.stays = stays,
            None => truth.clusters.push(truth::Cluster {
                id: cluster.id.clone(),
                given: false,
                gone: false,
                ended: None,
                stays,
                died: false,
            }),
        }
    }
    let end = truth.end;
    let all = world.clusters.iter().flat_map(|on| on.steps.iter().map(move |step| (on, step)));
    truth.runs.extend(
        all.filter(|(_, step)| step.created > end).map(|(on, step)| step_run(spec, on, step)),
    );
    truth.violations = world.violations().to_vec();
}

/// It ended neither because of us nor since its steps were done.
fn died(cluster: &Cluster) -> bool {
    let usual = [Death::user(), Death::steps_completed(), Death::steps_with_errors()];
    cluster.death.as_ref().is_some_and(|death| !usual.contains(death))
}

fn step_run(spec: &Spec, on: &Cluster, step: &Step) -> StepRun {
    let place = spec.steps.iter().position(|known| known.name == step.name());
    let itself = step.started.zip(step.script.runs).map(|(at, runs)| add(at, runs));
    let end = match step.state {
        StepState::Pending | StepState::Running | StepState::CancelPending => None,
        StepState::Completed => Some(End::Succeeded),
        StepState::Failed => Some(End::Failed),
        StepState::Other(_) => Some(End::Unheard),
        StepState::Cancelled | StepState::Interrupted => {
            let by_strangers = !matches!(step.script.end, StepEnd::Completed | StepEnd::Failed(_));
            let obeys = step.asked.map(|asked| add(asked, step.script.stubborn));
            Some(if by_strangers && step.ended == itself {
                End::Foreign
            } else if obeys.is_some() && step.ended == obeys {
                End::Stopped
            } else if on.died.is_some() && step.ended == on.died {
                End::Swept
            } else if step.asked.is_some() {
                End::Stopped
            } else {
                End::Swept
            })
        }
    };
    StepRun {
        step: place.expect("it is of the playbook"),
        id: step.id.clone(),
        taken: step.created,
        started: step.started,
        ended: step.ended,
        end,
        asked: step.asked,
    }
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

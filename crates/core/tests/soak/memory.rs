//! A run on `memory`: no wire, but exit codes, several steps at once, and all that a fabric may be able to do or not.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::Clock;
use dataflow_runner_core::event::Goal;
use dataflow_runner_core::fabric::memory::{
    End as StepEnd, Fault, Memory, Operation, Script, StepScript, Taken,
};
use dataflow_runner_core::fabric::{
    Capabilities, ClusterId, ClusterState, ErrorKind, Pace, StepState, Token,
};
use jiff::Timestamp;

use super::dice::Dice;
use super::faults::FAULTY;
use super::run::{Ride, Went};
use super::spec::{FINE, Fate, NOOP, Spec};
use super::truth::{Cluster, End, StepRun, Truth};

const OPERATIONS: [Operation; 8] = [
    Operation::Launch,
    Operation::FindCluster,
    Operation::Inspect,
    Operation::Terminate,
    Operation::Submit,
    Operation::Find,
    Operation::Poll,
    Operation::Cancel,
];

/// No run calls an operation so often.
const CALLS: u32 = 2_000;

/// Runs a seed.
pub(crate) fn run(seed: u64) -> Went {
    let mut dice = Dice::new(seed, 3);
    let spec = Spec::roll(&mut dice, true);
    let capabilities = capabilities(&mut dice);
    let script = script(&mut dice, &spec);
    let start = Timestamp::UNIX_EPOCH;
    let clock = Arc::new(Clock::turned_by_hand(start));
    let memory = Memory::new(capabilities.clone(), script.clone(), Arc::clone(&clock));
    let given = (spec.goal == Goal::Run).then(|| ClusterId::new("given"));
    let memory = match &given {
        Some(given) => memory.with_cluster(given),
        None => memory,
    };
    let plan = spec.plan(&capabilities);
    let signal = dice.percent(8).then(|| dice.count(1, 40));
    let ride = Ride {
        spec: &spec,
        plan: &plan,
        fabric: &memory,
        clock: &clock,
        bell: &Bell::new(),
        cluster: given,
        signal,
    };
    let told = ride.drive(&mut dice);
    let truth = truth(&memory, &spec, &capabilities, clock.now());
    let calls = |operation| memory.calls(operation);
    let faulty = script.faults.keys().filter(|(operation, nth)| *nth <= calls(*operation)).count();
    let requests = OPERATIONS.into_iter().map(|operation| calls(operation) as usize).sum();
    Went { requests, faulty, ..Went::new(&spec, told, &truth) }
}

fn capabilities(dice: &mut Dice) -> Capabilities {
    let ordered_queue = dice.percent(40);
    let pace = match dice.within(0, 3) {
        // What rings runs at once what it takes: it has no queue.
        0 if !ordered_queue => {
            Pace { rings: true, ..Pace::steady(Duration::from_secs(60), Duration::from_secs(60)) }
        }
        1 => Pace {
            at_once: NonZeroUsize::new(dice.count(1, 4)),
            cluster_every: NonZeroU32::new(dice.count(2, 5) as u32),
            ..Memory::usual().pace
        },
        _ => Memory::usual().pace,
    };
    Capabilities {
        ordered_queue,
        launch_with_steps: ordered_queue && dice.percent(50),
        // What queues heeds the rules by itself, so nobody else's steps may wait behind one.
        parallel: NonZeroU32::new(if ordered_queue { 1 } else { dice.count(1, 5) as u32 }),
        pace,
        ..Memory::usual()
    }
}

fn script(dice: &mut Dice, spec: &Spec) -> Script {
    let steps = spec.steps.iter().map(|step| {
        let scripts = step.fates.iter().map(|fate| step_script(dice, *fate));
        (step.id.clone(), scripts.collect::<Vec<_>>())
    });
    let ends = [ClusterState::Failed, ClusterState::Stopped];
    Script {
        steps: steps.collect(),
        faults: faults(dice),
        notches: dice.count(0, 3) as u32,
        cluster_ends: dice.percent(10).then(|| (dice.count(0, 30) as u32, dice.pick(&ends))),
        bootstrap_failures: if dice.percent(12) { dice.count(1, 5) } else { 0 },
        late: dice.seconds(0, 9),
        tells: dice.percent(20).then_some(1),
        ..Script::default()
    }
}

fn step_script(dice: &mut Dice, fate: Fate) -> StepScript {
    let end = match fate {
        Fate::Succeeds => StepEnd::Exit(0),
        Fate::Exits(code) => StepEnd::Exit(code),
        Fate::Cancelled => StepEnd::Cancelled,
        Fate::Unheard => StepEnd::Unknown,
        Fate::Never => StepEnd::Never,
    };
    let mut looks = |most| dice.count(0, most) as u32;
    StepScript { pending: looks(2), running: looks(4), stubborn: looks(3), end }
}

fn faults(dice: &mut Dice) -> BTreeMap<(Operation, u32), Fault> {
    let mut faults = BTreeMap::new();
    for operation in OPERATIONS {
        for nth in (1..CALLS).filter(|_| dice.percent(FAULTY)).collect::<Vec<_>>() {
            let fault = match dice.within(0, 5) {
                0 => Fault::Refuse(ErrorKind::Quota),
                1 => Fault::Refuse(ErrorKind::Unavailable),
                2 | 3 => Fault::LoseRequest,
                _ => Fault::LoseAnswer,
            };
            faults.insert((operation, nth), fault);
        }
    }
    faults
}

/// What really happened.
fn truth(memory: &Memory, spec: &Spec, capabilities: &Capabilities, end: Timestamp) -> Truth {
    let gone = memory.gone();
    let alive = memory.left_over().into_iter().map(|(id, _)| (id, None));
    let all = gone.into_iter().map(|(id, asked)| (id, Some(asked))).chain(alive);
    let mut clusters: Vec<Cluster> = all
        .map(|(id, gone)| Cluster {
            id: id.as_str().to_owned(),
            given: id.as_str() == "given",
            gone: gone.is_some(),
            ended: None,
            stays: gone.is_none(),
            died: gone == Some(false),
        })
        .collect();
    clusters.sort_by_key(|cluster| Token::new(cluster.id.as_str()).numbers());
    let rings = capabilities.pace.rings;
    let runs: Vec<_> = memory.taken().iter().map(|taken| step_run(spec, taken, rings)).collect();
    let unheard = runs.iter().any(|run| run.end == Some(End::Unheard));
    Truth {
        clusters,
        runs,
        has_queue: capabilities.ordered_queue,
        most_at_once: capabilities.parallel.map(|most| most.get() as usize),
        violations: memory.violations(),
        end,
        silence: Duration::ZERO,
        obscure: unheard.then_some("a state that nobody has heard of").into_iter().collect(),
    }
}

/// Where the fabric rings a bell, a step runs since it was taken.
fn step_run(spec: &Spec, taken: &Taken, rings: bool) -> StepRun {
    let place = spec.steps.iter().position(|step| step.id == taken.step);
    let place = place.expect("it is of the playbook");
    let reads = spec.steps[place].reads_codes;
    let times = taken.times;
    let end = match taken.state {
        StepState::Pending | StepState::Running => None,
        StepState::Succeeded => Some(End::Succeeded),
        StepState::Failed if reads && taken.exit_code == Some(NOOP) => Some(End::Noop),
        StepState::Failed if reads && taken.exit_code == Some(FINE) => Some(End::Succeeded),
        StepState::Failed => Some(End::Failed),
        StepState::Cancelled if times.swept => Some(End::Swept),
        StepState::Cancelled if times.asked.is_some() => Some(End::Stopped),
        StepState::Cancelled => Some(End::Foreign),
        StepState::Unknown => Some(End::Unheard),
    };
    StepRun {
        step: place,
        id: taken.id.as_str().to_owned(),
        taken: times.taken,
        started: if rings { Some(times.taken) } else { times.started },
        ended: times.ended,
        end,
        asked: times.asked,
    }
}

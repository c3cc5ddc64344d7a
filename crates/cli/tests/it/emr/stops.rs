//! Signals at each phase of a run on EMR: how the program ends, what it asks of the far side, and what is left there.

use std::collections::BTreeMap;
use std::time::Duration;

use dataflow_runner_core::fabric::emr::fake::{ClusterScript, Fault, Script, StepScript, Tempo};
use rustix::process::Signal;

use super::Site;
use crate::harness::{playbook, script};
use crate::program::{Program, each};

const INT: Signal = Signal::INT;
const TERM: Signal = Signal::TERM;
const HUP: Signal = Signal::HUP;

/// So long goes by before it is looked what is left.
const AFTERWARDS: Duration = Duration::from_secs(7200);

/// What is to be interrupted.
#[derive(Clone, Copy)]
struct Phase {
    name: &'static str,
    /// What went before: `up`, and a run on it.
    before: Before,
    /// The command; `ID` stands for the cluster that is up.
    line: &'static str,
    world: World,
    at: At,
    ways: &'static [Way],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// A cluster is up.
    Up,
    /// Also, a run on it whose steps run, and whose driver was killed.
    Left,
    /// Also, a run on it of which a step failed.
    Failed,
    /// Also, a run on it that was told twice to end, and whose steps have not ended.
    InDoubt,
}

/// When it is interrupted.
#[derive(Clone, Copy)]
enum At {
    /// It has said this.
    Said(&'static str),
    /// It waits for the reply to this, which comes once it has been interrupted.
    Asked(&'static str),
    /// It waits for the reply to this, which never comes.
    Unanswered(&'static str),
}

/// A far side on which nothing happens by itself but this.
#[derive(Clone, Copy)]
enum World {
    /// Steps run for ever, and end at once when told to.
    Endless,
    /// Steps run for ever, and stop half an hour after they are told to; clusters go down as slowly.
    Stubborn,
    /// Clusters come up for half an hour.
    Coming,
    /// Clusters come up for half an hour, and go down as slowly.
    ComingSlowlyGone,
    /// Steps are done at once, and clusters go down for half an hour.
    SlowlyGone,
    /// Steps fail at once, and their logs never come.
    Failing,
    /// The same, but each runs for ever when it is ordered again.
    FailingOnce,
}

/// Signals, and what comes of them.
struct Way {
    signals: &'static [Signal],
    code: i32,
    /// What was asked of the far side.
    orders: &'static [&'static str],
    /// How many clusters and how many steps of them are left running.
    left: (usize, usize),
}

const fn way(
    signals: &'static [Signal],
    code: i32,
    orders: &'static [&'static str],
    left: (usize, usize),
) -> Way {
    Way { signals, code, orders, left }
}

const LAUNCH: &str = "RunJobFlow";
const SUBMIT: &str = "AddJobFlowSteps";
const CANCEL: &str = "CancelSteps";
const TERMINATE: &str = "TerminateJobFlows";

const TRANSIENT: &str = "run-transient -emr-config c.json -emr-playbook p.json";
/// With a playbook that is driven from here, step by step.
const DRIVEN: &str = "run-transient -emr-config c.json -emr-playbook d.json";
const UP: &str = "up -emr-config c.json";
const RUN: &str = "run -emr-playbook p.json -emr-cluster ID";
const LEAVE: &str = "run -emr-playbook p.json -emr-cluster ID --on-interrupt leave";
const DOWN: &str = "down -emr-config c.json -emr-cluster ID";
const NAMED: &str = "run -emr-playbook p.json -emr-cluster name:c";

#[rustfmt::skip]
const PHASES: &[Phase] = &[
    Phase { name: "looking for a cluster", before: Before::Up, line: NAMED, world: World::Endless,
        at: At::Unanswered("ListClusters"), ways: &[
            way(&[INT], 130, &[], (1, 0)),
            way(&[TERM], 143, &[], (1, 0)),
            way(&[HUP], 129, &[], (1, 0)),
        ] },
    Phase { name: "launch of a run", before: Before::Nothing, line: TRANSIENT, world: World::Endless,
        at: At::Asked(LAUNCH), ways: &[
            way(&[INT], 130, &[LAUNCH, TERMINATE], (0, 0)),
            way(&[TERM], 143, &[LAUNCH, TERMINATE], (0, 0)),
            way(&[HUP], 129, &[LAUNCH], (1, 2)),
        ] },
    Phase { name: "launch of a run that does not end", before: Before::Nothing, line: TRANSIENT, world: World::Stubborn,
        at: At::Asked(LAUNCH), ways: &[
            way(&[INT, INT], 5, &[LAUNCH, TERMINATE], (0, 0)),
        ] },
    Phase { name: "launch of a cluster", before: Before::Nothing, line: UP, world: World::Coming,
        at: At::Asked(LAUNCH), ways: &[
            way(&[INT], 130, &[LAUNCH, TERMINATE], (0, 0)),
            way(&[HUP], 129, &[LAUNCH], (1, 0)),
        ] },
    Phase { name: "coming up", before: Before::Nothing, line: UP, world: World::ComingSlowlyGone,
        at: At::Said("is coming up"), ways: &[
            way(&[INT, INT], 5, &[LAUNCH, TERMINATE], (0, 0)),
            way(&[TERM, INT], 5, &[LAUNCH, TERMINATE], (0, 0)),
            way(&[INT, HUP], 5, &[LAUNCH, TERMINATE], (0, 0)),
        ] },
    Phase { name: "asked while it comes up", before: Before::Nothing, line: UP, world: World::Coming,
        at: At::Unanswered("DescribeCluster"), ways: &[
            way(&[TERM], 143, &[LAUNCH, TERMINATE], (0, 0)),
            way(&[HUP], 129, &[LAUNCH], (1, 0)),
        ] },
    Phase { name: "submit", before: Before::Up, line: RUN, world: World::Endless,
        at: At::Asked(SUBMIT), ways: &[
            way(&[INT], 130, &[SUBMIT, CANCEL], (1, 0)),
            way(&[TERM], 143, &[SUBMIT, CANCEL], (1, 0)),
            way(&[HUP], 129, &[SUBMIT], (1, 2)),
        ] },
    Phase { name: "submit of what does not end", before: Before::Up, line: RUN, world: World::Stubborn,
        at: At::Asked(SUBMIT), ways: &[
            way(&[INT, TERM], 5, &[SUBMIT, CANCEL], (1, 0)),
        ] },
    Phase { name: "steps run, a question is not answered", before: Before::Up, line: RUN, world: World::Endless,
        at: At::Unanswered("ListSteps"), ways: &[
            way(&[INT], 130, &[SUBMIT, CANCEL], (1, 0)),
            way(&[TERM], 143, &[SUBMIT, CANCEL], (1, 0)),
            way(&[HUP], 129, &[SUBMIT], (1, 2)),
        ] },
    Phase { name: "steps run", before: Before::Up, line: RUN, world: World::Stubborn,
        at: At::Said("is RUNNING"), ways: &[
            way(&[INT, INT], 5, &[SUBMIT, CANCEL], (1, 0)),
            way(&[TERM, TERM], 5, &[SUBMIT, CANCEL], (1, 0)),
            way(&[TERM, HUP], 5, &[SUBMIT, CANCEL], (1, 0)),
        ] },
    Phase { name: "steps run, and are to be left", before: Before::Up, line: LEAVE, world: World::Endless,
        at: At::Said("is RUNNING"), ways: &[
            way(&[INT], 130, &[SUBMIT], (1, 2)),
            way(&[TERM], 143, &[SUBMIT], (1, 2)),
            way(&[HUP], 129, &[SUBMIT], (1, 2)),
        ] },
    Phase { name: "teardown is asked for", before: Before::Nothing, line: DRIVEN, world: World::SlowlyGone,
        at: At::Asked(TERMINATE), ways: &[
            way(&[HUP], 129, &[LAUNCH, SUBMIT, TERMINATE], (0, 0)),
            way(&[INT, INT], 5, &[LAUNCH, SUBMIT, TERMINATE], (0, 0)),
        ] },
    Phase { name: "teardown", before: Before::Nothing, line: DRIVEN, world: World::SlowlyGone,
        at: At::Said("is STOPPING"), ways: &[
            way(&[INT], 130, &[LAUNCH, SUBMIT, TERMINATE], (0, 0)),
            way(&[TERM], 143, &[LAUNCH, SUBMIT, TERMINATE], (0, 0)),
            way(&[HUP], 129, &[LAUNCH, SUBMIT, TERMINATE], (0, 0)),
            way(&[INT, INT], 5, &[LAUNCH, SUBMIT, TERMINATE], (0, 0)),
            way(&[TERM, INT], 5, &[LAUNCH, SUBMIT, TERMINATE], (0, 0)),
        ] },
    Phase { name: "down is asked for", before: Before::Up, line: DOWN, world: World::SlowlyGone,
        at: At::Asked(TERMINATE), ways: &[
            way(&[INT], 130, &[TERMINATE], (0, 0)),
            way(&[TERM], 143, &[TERMINATE], (0, 0)),
            way(&[HUP], 129, &[TERMINATE], (0, 0)),
        ] },
    Phase { name: "down", before: Before::Up, line: DOWN, world: World::SlowlyGone,
        at: At::Said("is STOPPING"), ways: &[
            way(&[INT], 130, &[TERMINATE], (0, 0)),
            way(&[TERM], 143, &[TERMINATE], (0, 0)),
            way(&[HUP], 129, &[TERMINATE], (0, 0)),
        ] },
    Phase { name: "attach", before: Before::Left, line: "attach last", world: World::Endless,
        at: At::Unanswered("ListSteps"), ways: &[
            way(&[INT], 130, &[], (1, 2)),
            way(&[TERM], 143, &[], (1, 2)),
            way(&[HUP], 129, &[], (1, 2)),
        ] },
    Phase { name: "attach that is to cancel", before: Before::Left, line: "attach last --on-interrupt cancel", world: World::Endless,
        at: At::Unanswered("ListSteps"), ways: &[
            way(&[INT], 130, &[CANCEL], (1, 0)),
            way(&[TERM], 143, &[CANCEL], (1, 0)),
        ] },
    Phase { name: "attach that cancels", before: Before::Left, line: "attach last --on-interrupt cancel", world: World::Stubborn,
        at: At::Said("is RUNNING"), ways: &[
            way(&[INT, INT], 5, &[CANCEL], (1, 0)),
            way(&[HUP], 129, &[], (1, 2)),
        ] },
    Phase { name: "attach to what is being cancelled", before: Before::InDoubt, line: "attach last", world: World::Stubborn,
        at: At::Asked(CANCEL), ways: &[
            way(&[INT], 130, &[CANCEL], (1, 0)),
            way(&[HUP], 129, &[CANCEL], (1, 0)),
        ] },
    Phase { name: "cancel without a driver", before: Before::Left, line: "cancel last", world: World::Stubborn,
        at: At::Asked(CANCEL), ways: &[
            way(&[HUP], 5, &[CANCEL], (1, 0)),
            way(&[INT, INT], 5, &[CANCEL], (1, 0)),
            way(&[TERM, HUP], 5, &[CANCEL], (1, 0)),
        ] },
    Phase { name: "resume, while it attaches", before: Before::Left, line: "resume last", world: World::Endless,
        at: At::Unanswered("ListSteps"), ways: &[
            way(&[INT], 130, &[CANCEL], (1, 0)),
            way(&[TERM], 143, &[CANCEL], (1, 0)),
            way(&[HUP], 129, &[], (1, 2)),
        ] },
    Phase { name: "resume, while it attaches to what does not end", before: Before::Left, line: "resume last", world: World::Stubborn,
        at: At::Said("is RUNNING"), ways: &[
            way(&[INT, INT], 5, &[CANCEL], (1, 0)),
        ] },
    Phase { name: "resume, while logs are waited for", before: Before::Left, line: "resume last --log-failed-steps --log-wait 2h", world: World::Failing,
        at: At::Said("Waiting for the logs"), ways: &[
            way(&[INT], 130, &[], (1, 0)),
            way(&[TERM], 143, &[], (1, 0)),
            way(&[HUP], 129, &[], (1, 0)),
        ] },
    Phase { name: "resume, while it looks for a cluster", before: Before::Left, line: "resume last --cluster name:c", world: World::Failing,
        at: At::Unanswered("ListClusters"), ways: &[
            way(&[INT], 130, &[], (1, 0)),
            way(&[HUP], 129, &[], (1, 0)),
        ] },
    Phase { name: "resume of a run that failed, while it looks for a cluster", before: Before::Failed, line: "resume last --cluster name:c", world: World::Failing,
        at: At::Unanswered("ListClusters"), ways: &[
            way(&[INT], 130, &[], (1, 0)),
            way(&[HUP], 129, &[], (1, 0)),
        ] },
    Phase { name: "resume of a run that failed", before: Before::Failed, line: "resume last", world: World::FailingOnce,
        at: At::Asked(SUBMIT), ways: &[
            way(&[INT], 130, &[SUBMIT, CANCEL], (1, 0)),
            way(&[HUP], 129, &[SUBMIT], (1, 2)),
        ] },
    Phase { name: "logs of a step that failed", before: Before::Up, line: "run -emr-playbook p.json -emr-cluster ID --log-failed-steps --log-wait 2h", world: World::Failing,
        at: At::Said("Waiting for the logs"), ways: &[
            way(&[INT], 1, &[SUBMIT], (1, 0)),
            way(&[TERM], 1, &[SUBMIT], (1, 0)),
            way(&[HUP], 1, &[SUBMIT], (1, 0)),
        ] },
];

impl Phase {
    fn site(&self) -> Site {
        let late = Duration::from_secs(1800);
        let endless = StepScript { stubborn: Duration::ZERO, ..StepScript::never_ends() };
        let step = match self.world {
            World::Stubborn => StepScript { stubborn: late, ..endless.clone() },
            World::SlowlyGone => StepScript::completes(0),
            World::Failing | World::FailingOnce => StepScript::fails(0),
            _ => endless.clone(),
        };
        let steps = match self.world {
            World::FailingOnce => ["first", "second"]
                .map(|name| (name.to_owned(), vec![step.clone(), endless.clone()]))
                .into(),
            _ => BTreeMap::new(),
        };
        let starting = match self.world {
            World::Coming | World::ComingSlowlyGone => late,
            _ => Duration::ZERO,
        };
        let terminating = match self.world {
            World::Stubborn | World::SlowlyGone | World::ComingSlowlyGone => late,
            _ => Duration::ZERO,
        };
        let bootstrapping = Duration::ZERO;
        let cluster =
            ClusterScript { starting, bootstrapping, terminating, ..ClusterScript::default() };
        let script = Script {
            clusters: vec![cluster],
            steps,
            step,
            log_delivery: Duration::MAX,
            ..Script::default()
        };
        let retried = r#", "retries": {"maxAttempts": 2}"#;
        Site::at(Tempo::REAL, script)
            .with("d.json", playbook(&self::script("only", "true", retried)))
    }

    /// What went before.
    fn before(&self, site: &Site, id: &str) {
        let run = || Program::start(site.command(&RUN.replace("ID", id)));
        match self.before {
            Before::Nothing | Before::Up => {}
            Before::Left => {
                // It never hears how its steps are.
                site.fake.fail("ListSteps", 1.., Fault::slow());
                let mut program = run();
                program.says("Successfully added");
                program.kill();
                site.fake.heal();
                site.fake.release();
                // What it asked last may arrive only now.
                site.fake.drain().expect("it answers");
            }
            Before::Failed => assert_eq!(run().end().0, Some(1)),
            Before::InDoubt => {
                let mut program = run();
                program.says("is RUNNING");
                program.signals_to_the_end(INT);
                assert_eq!(program.end().0, Some(5));
            }
        }
    }

    /// Interrupts it in one way.
    fn interrupt(&self, way: &Way) {
        let site = self.site();
        let id = match self.before {
            Before::Nothing => String::new(),
            _ => site.up(),
        };
        self.before(&site, &id);
        let before = site.orders().len();
        let asked = site.fake.requests().len();
        if let At::Asked(operation) | At::Unanswered(operation) = self.at {
            let next = site.fake.calls(operation) + 1;
            site.fake.fail(operation, next..=next, Fault::slow());
        }
        let mut program = Program::start(site.command(&self.line.replace("ID", &id)));
        let what = format!("{}, {:?}", self.name, way.signals);
        match self.at {
            At::Said(text) => program.says(text),
            At::Asked(operation) | At::Unanswered(operation) => {
                let held = || {
                    let new = site.fake.requests().split_off(asked);
                    new.iter().any(|request| request.operation == operation)
                };
                program.until(operation, |_| held());
            }
        }
        let (first, more) = way.signals.split_first().expect("a signal");
        program.signal(*first);
        if let At::Asked(_) = self.at {
            more.iter().for_each(|signal| program.insists(*signal));
            site.fake.release();
        } else if !more.is_empty() {
            // Those that are pending together are told in no order.
            program.says("Interrupted by SIG");
        }
        if let (At::Said(_), World::SlowlyGone, []) = (self.at, self.world, more) {
            program.says("Interrupted by SIG");
            site.fake.pass(AFTERWARDS);
        }
        more.iter().for_each(|signal| program.signals_to_the_end(*signal));
        let (code, said) = program.end();
        site.fake.release();
        assert_eq!(code, Some(way.code), "{what}: {said}");
        let mut orders = site.orders().split_off(before);
        if orders.iter().any(|order| order == TERMINATE) {
            // Whether steps are told to stop as well hangs on whether they were known by then.
            orders.retain(|order| order != CANCEL);
        }
        assert_eq!(orders, *way.orders, "{what}: {said}");
        site.nothing_was_twice();
        site.fake.pass(AFTERWARDS);
        let left = site.fake.world(|world| {
            (world.alive().count(), world.steps().filter(|step| step.state.is_active()).count())
        });
        assert_eq!(left, way.left, "{what}: {said}");
    }
}

#[test]
fn each_phase_is_interrupted_in_every_way() {
    let all: Vec<_> =
        PHASES.iter().flat_map(|phase| phase.ways.iter().map(move |way| (phase, way))).collect();
    each(&all, |(phase, way)| phase.interrupt(way));
}

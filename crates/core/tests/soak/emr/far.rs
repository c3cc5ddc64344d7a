//! What the far side is like: how soon, how late, and what becomes of each cluster and step.

use std::time::Duration;

use dataflow_runner_core::event::Goal;
use dataflow_runner_core::fabric::emr::fake::{
    ClusterScript, Death, Fate as StepFate, Moment, Script, StepEnd, StepScript,
};

use crate::dice::Dice;
use crate::spec::{Fate, Spec};
use crate::truth::{End, Truth};

/// Clocks that differ by no more agree, whatever the second in which a reply's time is told.
const CLOSE: Duration = Duration::from_secs(2);

/// A run waits half an hour for answers, and what is lost is to be asked for twice after them.
const TOO_LONG: Duration = Duration::from_secs(20 * 60);

/// What the far side is like.
pub(super) struct Far {
    pub(super) script: Script,
    /// In seconds.
    pub(super) tick: u64,
    /// EMR's clock is ahead of ours by so much.
    pub(super) skew: Duration,
    /// The playbook ran on the cluster before.
    pub(super) before: bool,
    /// A right that is missing.
    pub(super) denied: Option<&'static str>,
}

impl Far {
    pub(super) fn roll(dice: &mut Dice, spec: &Spec) -> Self {
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
    pub(super) fn obscure(&self, truth: &Truth, silence: Duration) -> Vec<&'static str> {
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

//! A random playbook: a chain or a graph, with rules, and what becomes of each attempt.

use std::sync::Arc;

use dataflow_runner_core::config::playbook::Playbook;
use dataflow_runner_core::config::{Config, load};
use dataflow_runner_core::diagnostic::Diagnostics;
use dataflow_runner_core::document::Document;
use dataflow_runner_core::event::Goal;
use dataflow_runner_core::fabric::Capabilities;
use dataflow_runner_core::plan::{self, Plan};
use dataflow_runner_core::source::Source;
use serde_json::{Value, json};

use super::dice::Dice;

/// The exit code that a no-op rule names, where there is one.
pub(crate) const NOOP: i32 = 3;
/// An exit code that a playbook may count as success.
pub(crate) const FINE: i32 = 5;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) goal: Goal,
    pub(crate) steps: Vec<StepSpec>,
    /// In the words of a 1-0-1 playbook.
    pub(crate) old: bool,
    pub(crate) most_at_once: Option<u64>,
}

/// A step, and its rules.
#[derive(Clone, Debug)]
pub(crate) struct StepSpec {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `None`: the one before it.
    pub(crate) needs: Option<Vec<usize>>,
    pub(crate) rule: &'static str,
    pub(crate) attempts: usize,
    pub(crate) delay: u64,
    pub(crate) timeout: Option<u64>,
    /// [`FINE`] and [`NOOP`] count as what they are called.
    pub(crate) reads_codes: bool,
    /// How each attempt ends, if nothing comes between; the last stands for all further ones.
    pub(crate) fates: Vec<Fate>,
}

/// How an attempt ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Succeeds,
    /// With this code.
    Exits(i32),
    /// By somebody else's hand.
    Cancelled,
    /// In a way that nobody has heard of.
    Unheard,
    /// Only when it is stopped.
    Never,
}

impl Spec {
    /// `codes`: where exit codes are told.
    pub(crate) fn roll(dice: &mut Dice, codes: bool) -> Self {
        let goal = dice.pick(&[Goal::Run, Goal::RunTransient]);
        let count = if dice.percent(60) { dice.count(1, 6) } else { dice.count(1, 30) };
        let (old, chain) = (dice.percent(20), dice.percent(35));
        // Most runs are to get somewhere.
        let doomed = dice.pick(&[0, 0, 10, 30]);
        let mut steps: Vec<StepSpec> = Vec::new();
        for place in 0..count {
            steps.push(StepSpec::roll(dice, place, old || chain, codes, doomed));
        }
        if old {
            steps
                .iter_mut()
                .filter(|s| s.rule == "SKIP_DEPENDENTS")
                .for_each(|s| s.rule = "CONTINUE");
        }
        let most_at_once = (!old && dice.percent(40)).then(|| dice.within(1, 4));
        Self { goal, steps, old, most_at_once }
    }

    /// The steps that a step waits for.
    pub(crate) fn needs(&self, step: usize) -> Vec<usize> {
        let before = || step.checked_sub(1).into_iter().collect();
        self.steps[step].needs.clone().unwrap_or_else(before)
    }

    /// Each step needs just the one before it, and has no rules but what its failure means for the others.
    pub(crate) fn is_plain_chain(&self) -> bool {
        (0..self.steps.len()).all(|place| {
            let step = &self.steps[place];
            let before: Vec<usize> = place.checked_sub(1).into_iter().collect();
            let rules = step.attempts == 1 && step.timeout.is_none() && !step.reads_codes;
            self.needs(place) == before
                && rules
                && matches!(step.rule, "CANCEL_AND_WAIT" | "CONTINUE")
        })
    }

    /// The playbook as the program reads it, and as the fabric takes it.
    pub(crate) fn plan(&self, fabric: &Capabilities) -> Plan {
        let mut faults = Diagnostics::new();
        let playbook = self.playbook();
        plan::check(&playbook, fabric, &mut faults);
        let plan = Plan::new(playbook, &mut faults);
        assert_eq!(faults.errors(), 0, "{faults:?}");
        plan.expect("a plan")
    }

    fn playbook(&self) -> Playbook {
        let (version, data) = if self.old {
            let credentials = json!({"accessKeyId": "env", "secretAccessKey": "env"});
            let steps: Vec<Value> = self.steps.iter().map(StepSpec::old_words).collect();
            ("1-0-1", json!({"region": "eu-west-1", "credentials": credentials, "steps": steps}))
        } else {
            let steps: Vec<Value> = self.steps.iter().map(|step| step.words(&self.steps)).collect();
            let most = self.most_at_once;
            ("2-0-0", json!({"name": "soak", "maxParallelSteps": most, "steps": steps}))
        };
        match read(&format!("PlaybookConfig/avro/{version}"), &data) {
            Config::Playbook(playbook) => playbook,
            _ => panic!("not a playbook"),
        }
    }
}

impl StepSpec {
    fn roll(dice: &mut Dice, place: usize, plain: bool, codes: bool, doomed: u64) -> Self {
        let needs = (!plain && dice.percent(75)).then(|| {
            let mut needs: Vec<usize> = match place {
                0 => Vec::new(),
                _ => (0..dice.count(0, 3)).map(|_| dice.count(0, place - 1)).collect(),
            };
            needs.sort_unstable();
            needs.dedup();
            needs
        });
        let rules = ["CANCEL_AND_WAIT", "CONTINUE", "SKIP_DEPENDENTS", "TERMINATE_CLUSTER"];
        let rule = if plain { dice.pick(&rules[..2]) } else { dice.pick(&rules) };
        let retried = !plain && dice.percent(40);
        let attempts = if retried { dice.count(2, 4) } else { 1 };
        let timeout = (!plain && dice.percent(20)).then(|| dice.within(1, 200));
        let fate = |dice: &mut Dice| match dice.within(0, 9) {
            _ if !dice.percent(doomed) => Fate::Succeeds,
            0 => Fate::Cancelled,
            1 if timeout.is_some() => Fate::Never,
            2 if dice.percent(10) => Fate::Unheard,
            3 if codes => Fate::Exits(NOOP),
            4 if codes => Fate::Exits(FINE),
            _ => Fate::Exits(1),
        };
        Self {
            // As ids of old playbooks are.
            id: format!("step-{}", place + 1),
            name: format!("name {place}"),
            needs,
            rule,
            attempts,
            delay: if retried { dice.pick(&[0, 0, 10, 90]) } else { 0 },
            timeout,
            reads_codes: codes && !plain && dice.percent(50),
            fates: (0..attempts).map(|_| fate(dice)).collect(),
        }
    }

    fn old_words(&self) -> Value {
        json!({"type": "CUSTOM_JAR", "name": self.name, "actionOnFailure": self.rule, "jar": "command-runner.jar",
            "arguments": ["true", self.id]})
    }

    fn words(&self, all: &[Self]) -> Value {
        let mut step = json!({"type": "COMMAND", "id": self.id, "name": self.name, "actionOnFailure": self.rule,
            "command": "true", "arguments": [self.id]});
        if let Some(needs) = &self.needs {
            step["dependsOn"] = needs.iter().map(|&need| all[need].id.clone()).collect();
        }
        if self.attempts > 1 {
            step["retries"] =
                json!({"maxAttempts": self.attempts, "delaySeconds": self.delay, "backoff": 2});
        }
        if let Some(limit) = self.timeout {
            step["timeoutSeconds"] = json!(limit);
        }
        if self.reads_codes {
            step["onResult"] = json!({"continueJob": [0, FINE], "terminateJobWithSuccess": [NOOP]});
        }
        step
    }
}

/// Reads a configuration.
pub(crate) fn read(schema: &str, data: &Value) -> Config {
    let schema = format!("iglu:com.snowplowanalytics.dataflowrunner/{schema}");
    let text = json!({"schema": schema, "data": data}).to_string();
    let (config, diagnostics) = load(&Document::plain(Arc::new(Source::new("x.json", text))));
    config.unwrap_or_else(|| panic!("{:?}", diagnostics.sorted()))
}

//! `emr_fake [OPTION=VALUE…]`: the fake of Amazon EMR, S3 and STS as a process of its own, for `scripts/bench` and for
//! trying things by hand.
//!
//! It prints the environment in which the program finds it, as lines of `NAME=VALUE`, then the ids of the clusters
//! that are there from the start, one a line, then an empty line. Each line on its stdin is answered by one of JSON
//! with what has come so far; when its stdin ends, so does it.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use dataflow_runner_core::fabric::emr::fake::{ClusterScript, Fake, Script, StepScript, Tempo};
use serde_json::{Map, Value, json};

/// What can be said on the command line.
struct Options {
    /// `region=eu-west-1`: where the clusters are that are there from the start.
    region: String,
    /// `clusters=N`: so many, ready and without work.
    clusters: usize,
    /// `second-ms=N`: a second of the fake's lasts so long.
    second_ms: u64,
    /// `quota=X`: so many times EMR's default quotas; without it there are none.
    quota: Option<f64>,
    /// `step-seconds=N`: so long each step runs; 0: for ever.
    step_seconds: u64,
    /// `step=NAME:MS`, any number of them: so long the steps with this name run.
    steps: Vec<(String, Duration)>,
    /// `boot-seconds=N`: so long a cluster starts.
    boot_seconds: u64,
    /// `fails=NAME`: steps of this name fail; may be repeated.
    fails: Vec<String>,
    /// `down-seconds=N`: so long a cluster goes down.
    down_seconds: u64,
}

impl Options {
    fn read(words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            region: "eu-west-1".to_owned(),
            clusters: 0,
            second_ms: 1000,
            quota: None,
            step_seconds: 60,
            steps: Vec::new(),
            boot_seconds: 0,
            fails: Vec::new(),
            down_seconds: 60,
        };
        for word in words {
            let (name, value) = word.split_once('=').ok_or(format!("`{word}` has no value"))?;
            match name {
                "region" => value.clone_into(&mut options.region),
                "clusters" => options.clusters = value.parse()?,
                "second-ms" => options.second_ms = value.parse()?,
                "quota" => options.quota = Some(value.parse()?),
                "step-seconds" => options.step_seconds = value.parse()?,
                "fails" => options.fails.push(value.to_owned()),
                "step" => {
                    let (name, ms) = value.rsplit_once(':').ok_or("`step` is NAME:MS")?;
                    options.steps.push((name.to_owned(), Duration::from_millis(ms.parse()?)));
                }
                "down-seconds" => options.down_seconds = value.parse()?,
                "boot-seconds" => options.boot_seconds = value.parse()?,
                _ => return Err(format!("there is no option `{name}`").into()),
            }
        }
        Ok(options)
    }

    fn script(&self) -> Script {
        let cluster = ClusterScript {
            starting: Duration::from_secs(self.boot_seconds),
            bootstrapping: Duration::ZERO,
            terminating: Duration::from_secs(self.down_seconds),
            ..ClusterScript::default()
        };
        let step = match self.step_seconds {
            0 => StepScript::never_ends(),
            seconds => StepScript::completes(seconds),
        };
        let script = Script {
            clusters: vec![cluster],
            step,
            tempo: Tempo::second_in_ms(self.second_ms),
            quota: self.quota,
            ..Script::default()
        };
        let named = |(name, runs): &(String, Duration)| {
            (name.clone(), StepScript { runs: Some(*runs), ..StepScript::completes(0) })
        };
        let script = self
            .steps
            .iter()
            .map(named)
            .fold(script, |script, (name, step)| script.step(&name, step));
        self.fails.iter().fold(script, |script, name| script.step(name, StepScript::fails(60)))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read(std::env::args().skip(1))?;
    let fake = Fake::start(options.script())?;
    let mut out = io::stdout();
    for (name, value) in fake.environment() {
        writeln!(out, "{name}={value}")?;
    }
    for number in 0..options.clusters {
        writeln!(out, "{}", cluster(&fake, &options.region, number)?)?;
    }
    writeln!(out)?;
    out.flush()?;
    for line in io::stdin().lines() {
        line?;
        writeln!(out, "{}", figures(&fake))?;
        out.flush()?;
    }
    Ok(())
}

/// A cluster that waits for steps; its id.
fn cluster(fake: &Fake, region: &str, number: usize) -> Result<String, String> {
    let group = json!({"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1});
    let order = json!({
        "Name": format!("cluster {number}"),
        "ReleaseLabel": "emr-7.5.0",
        "Instances": {"InstanceGroups": [group], "KeepJobFlowAliveWhenNoSteps": true},
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "ServiceRole": "EMR_DefaultRole",
    });
    let made = fake.world(|world| world.call("RunJobFlow", region, &order));
    let made = made.map_err(|refused| refused.message)?;
    made["JobFlowId"].as_str().map(str::to_owned).ok_or_else(|| "no id".to_owned())
}

/// What has come so far.
fn figures(fake: &Fake) -> Value {
    let (mut calls, mut throttled) = (Map::new(), 0);
    for logged in fake.requests() {
        let count = calls.entry(logged.operation).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap_or(0) + 1);
        let refused = logged.reply.filter(|reply| reply.status >= 400);
        if refused.is_some_and(|reply| reply.body.windows(10).any(|part| part == b"Throttling")) {
            throttled += 1;
        }
    }
    fake.world(|world| {
        let ended = world.steps().filter(|step| step.ended.is_some()).count();
        json!({
            "calls": calls,
            "throttled": throttled,
            "clusters": world.clusters.len(),
            "alive": world.alive().count(),
            "steps": world.steps().count(),
            "ended": ended,
            "violations": world.violations(),
        })
    })
}

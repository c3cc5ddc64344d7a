//! `dataproc_fake [OPTION=VALUE…]`: the fake of Dataproc, Cloud Storage and the token endpoint as a process of its own,
//! for `scripts/bench`, for clients that are not ours and for trying things by hand.
//!
//! It prints its URL, then the token that it knows, then a cluster's file for it, then the clusters that are there from the
//! start as `name@uuid`, one a line, then an empty line. Each line on its stdin is answered by one of JSON with what has
//! come so far, `pass SECONDS` when so much of its time has passed at once; when its stdin ends, so does it.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use dataflow_runner_core::clock::timestamp;
use dataflow_runner_core::fabric::dataproc::fake::{
    ClusterScript, Fake, Script, StepScript, Tempo,
};
use serde_json::{Map, Value, json};

/// What can be said on the command line.
struct Options {
    /// `clusters=N`: so many, ready and without work.
    clusters: usize,
    /// `service-account=FILE`: the key of a service account that the token endpoint knows is written there.
    service_account: Option<String>,
    /// The rest.
    script: Script,
}

impl Options {
    fn read(words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let cluster = ClusterScript { creating: Duration::ZERO, ..ClusterScript::default() };
        let script = Script::default().cluster(cluster);
        let mut options = Self { clusters: 0, service_account: None, script };
        for word in words {
            let (name, value) = word.split_once('=').ok_or(format!("`{word}` has no value"))?;
            options = options.with(name, value)?;
        }
        Ok(options)
    }

    fn with(mut self, name: &str, value: &str) -> Result<Self, Box<dyn Error>> {
        let script = &mut self.script;
        match name {
            "clusters" => self.clusters = value.parse()?,
            "service-account" => self.service_account = Some(value.to_owned()),
            "bucket" => script.buckets.push(value.to_owned()),
            // Its objects are on another server.
            "bucket-elsewhere" => script.elsewhere.push(value.to_owned()),
            // A second of the fake's lasts so long.
            "second-ms" => script.tempo.second = Tempo::second_in_ms(value.parse()?).second,
            // Each question moves the fake's time on by so many seconds.
            "notch" => script.tempo.notch = seconds(value)?,
            // So many requests a minute, on the wall's clock; without it any number.
            "quota" => script.quota = Some(value.parse()?),
            // So long a cluster is CREATING, and DELETING.
            "boot-seconds" => script.clusters[0].creating = seconds(value)?,
            "end-seconds" => script.clusters[0].deleting = seconds(value)?,
            // So long each step runs; 0: for ever.
            "step-seconds" => script.step = running(value, StepScript::done(0))?,
            // `runs=STEP:SECONDS,…`, `fails=STEP:SECONDS,…`: so long the jobs of that step run, and exit then with 0, or 1.
            "runs" | "fails" => {
                let end = StepScript::exits(i32::from(name == "fails"), 0);
                for step in value.split(',') {
                    let (step, time) = step.rsplit_once(':').ok_or("there is no `:SECONDS`")?;
                    self.script = self.script.step(step, running(time, end.clone())?);
                }
            }
            _ => return Err(format!("there is no option `{name}`").into()),
        }
        Ok(self)
    }
}

fn seconds(text: &str) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

/// A step that runs so long; 0: for ever.
fn running(time: &str, step: StepScript) -> Result<StepScript, Box<dyn Error>> {
    let time = seconds(time)?;
    Ok(StepScript { runs: (!time.is_zero()).then_some(time), ..step })
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { clusters, service_account, script } = Options::read(std::env::args().skip(1))?;
    let fake = Fake::start(script)?;
    if let Some(file) = service_account {
        std::fs::write(file, fake.service_account().to_string())?;
    }
    let mut out = io::stdout();
    writeln!(out, "{}\n{}\n{}", fake.url(), fake.token(), fake.cluster_file(""))?;
    for number in 0..clusters {
        let name = format!("cluster-{number}");
        let uuid = fake.world(|world| world.add_cluster(&name, &[]));
        writeln!(out, "{name}@{uuid}")?;
    }
    writeln!(out)?;
    out.flush()?;
    for line in io::stdin().lines() {
        if let Some(time) = line?.strip_prefix("pass ") {
            fake.pass(seconds(time)?);
        }
        writeln!(out, "{}", figures(&fake))?;
        out.flush()?;
    }
    Ok(())
}

/// What has come so far. Times are seconds since 1970 on the fake's clock, but `wall`.
fn figures(fake: &Fake) -> Value {
    let (mut calls, mut throttled) = (Map::new(), 0);
    let requests = fake.requests();
    let first = requests.first().map(|logged| logged.at.as_duration().as_secs_f64());
    for logged in requests {
        let count = calls.entry(logged.operation).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap_or(0) + 1);
        throttled += u32::from(logged.reply.is_some_and(|reply| reply.status == 429));
    }
    fake.world(|world| {
        let ends = world.jobs.iter().filter_map(|job| job.ended);
        json!({
            "calls": calls,
            "throttled": throttled,
            "clusters": world.clusters.len(),
            "alive": world.alive().count(),
            "jobs": world.jobs.len(),
            "outputs": world.jobs.iter().map(|job| job.output.as_str()).collect::<Vec<_>>(),
            "ended": ends.clone().count(),
            "last": ends.max().map(|at| at.as_duration().as_secs_f64()),
            "first": first,
            "now": world.now.as_duration().as_secs_f64(),
            "wall": timestamp().as_duration().as_secs_f64(),
            "violations": world.violations(),
        })
    })
}

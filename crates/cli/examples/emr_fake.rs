//! `emr_fake [OPTION=VALUE…]`: the fake of Amazon EMR, S3 and STS as a process of its own, for `scripts/bench` and for
//! trying things by hand.
//!
//! It prints the environment in which the program finds it, as lines of `NAME=VALUE`, then the ids of the clusters
//! that are there from the start, one a line, then an empty line. Each line on its stdin is answered by one of JSON
//! with what has come so far; when its stdin ends, so does it.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::clock::timestamp;
use dataflow_runner_core::fabric::emr::fake::{ClusterScript, Fake, Script, StepScript, Tempo};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Map, Value, json};

/// What can be said on the command line.
struct Options {
    /// `region=eu-west-1`: where the clusters are that are there from the start.
    region: String,
    /// `clusters=N`: so many, ready and without work.
    clusters: usize,
    /// `tls=FILE`: it serves over TLS, and whoever believes the authority in this file believes it.
    tls: Option<PathBuf>,
    /// The rest.
    script: Script,
}

impl Options {
    fn read(words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let cluster = ClusterScript {
            starting: Duration::ZERO,
            bootstrapping: Duration::ZERO,
            ..ClusterScript::default()
        };
        let script = Script { clusters: vec![cluster], ..Script::default() };
        let region = "eu-west-1".to_owned();
        let mut options = Self { region, clusters: 0, tls: None, script };
        for word in words {
            let (name, value) = word.split_once('=').ok_or(format!("`{word}` has no value"))?;
            options = options.with(name, value)?;
        }
        Ok(options)
    }

    fn with(mut self, name: &str, value: &str) -> Result<Self, Box<dyn Error>> {
        let script = &mut self.script;
        match name {
            "region" => value.clone_into(&mut self.region),
            "clusters" => self.clusters = value.parse()?,
            "tls" => self.tls = Some(value.into()),
            // A second of the fake's lasts so long.
            "second-ms" => script.tempo.second = Tempo::second_in_ms(value.parse()?).second,
            // Each question moves the fake's time on by so many seconds.
            "notch" => script.tempo.notch = seconds(value)?,
            // So many times EMR's default quotas, on the wall's clock; without it there are none.
            "quota" => script.quota = Some(value.parse()?),
            // So long a cluster starts, and is TERMINATING.
            "boot-seconds" => script.clusters[0].starting = seconds(value)?,
            "end-seconds" => script.clusters[0].terminating = seconds(value)?,
            // So long each step runs; 0: for ever.
            "step-seconds" => script.step = running(value, StepScript::completes(0))?,
            // `runs=NAME:SECONDS,…`, `fails=NAME:SECONDS,…`: so long the steps of that name run, and fail then.
            "runs" | "fails" => {
                let end = if name == "runs" { StepScript::completes } else { StepScript::fails };
                for step in value.split(',') {
                    let (step, time) = step.rsplit_once(':').ok_or("there is no `:SECONDS`")?;
                    self.script = self.script.step(step, running(time, end(0))?);
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
    let Options { region, clusters, tls, script } = Options::read(std::env::args().skip(1))?;
    let fake = match &tls {
        Some(file) => Fake::start_tls(script, certified(file)?)?,
        None => Fake::start(script)?,
    };
    let mut out = io::stdout();
    for (name, value) in fake.environment() {
        writeln!(out, "{name}={value}")?;
    }
    if let Some(file) = &tls {
        writeln!(out, "AWS_CA_BUNDLE={}", file.display())?;
    }
    for number in 0..clusters {
        writeln!(out, "{}", cluster(&fake, &region, number)?)?;
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

/// A certificate for this machine's own address, which vouches for itself and is written to `file`, and its key.
fn certified(file: &Path) -> Result<Arc<rustls::ServerConfig>, Box<dyn Error>> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.self_signed(&key)?;
    std::fs::write(file, certificate.pem())?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(Arc::new(config))
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

/// What has come so far. Times are seconds since 1970 on the fake's clock, but `wall`.
fn figures(fake: &Fake) -> Value {
    let (mut calls, mut throttled) = (Map::new(), 0);
    let requests = fake.requests();
    let first = requests.first().map(|logged| logged.at.as_duration().as_secs_f64());
    for logged in requests {
        let count = calls.entry(logged.operation).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap_or(0) + 1);
        let refused = logged.reply.filter(|reply| reply.status >= 400);
        if refused.is_some_and(|reply| reply.body.windows(10).any(|part| part == b"Throttling")) {
            throttled += 1;
        }
    }
    fake.world(|world| {
        let ended = world.steps().filter(|step| step.ended.is_some()).count();
        // When the last step of each cluster ended, where all have.
        let ends: BTreeMap<&str, f64> = world
            .clusters
            .iter()
            .filter_map(|cluster| {
                let ends: Option<Vec<_>> = cluster.steps.iter().map(|step| step.ended).collect();
                Some((cluster.id.as_str(), ends?.into_iter().max()?.as_duration().as_secs_f64()))
            })
            .collect();
        json!({
            "calls": calls,
            "throttled": throttled,
            "clusters": world.clusters.len(),
            "alive": world.alive().count(),
            "steps": world.steps().count(),
            "ended": ended,
            "ends": ends,
            "first": first,
            "now": world.now.as_duration().as_secs_f64(),
            "wall": timestamp().as_duration().as_secs_f64(),
            "violations": world.violations(),
        })
    })
}

//! `yarn_fake [OPTION=VALUE…]`: the fake of a Hadoop cluster as a process of its own, for `scripts/bench` and for trying
//! things by hand.
//!
//! It prints `CLUSTER=` and a cluster file that leads to it, then an empty line. Each line on its stdin is answered by
//! one of JSON with what has come so far; when its stdin ends, so does it.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use dataflow_runner_core::fabric::yarn::fake::{Fake, Script, StepScript, Tempo};
use serde_json::{Map, Value, json};

/// What can be said on the command line.
struct Options {
    /// `slots=N`: so many steps of a run at once.
    slots: u32,
    /// The rest.
    script: Script,
}

impl Options {
    fn read(words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self { slots: 8, script: Script::default() };
        for word in words {
            let (name, value) = word.split_once('=').ok_or(format!("`{word}` has no value"))?;
            match name {
                "slots" => options.slots = value.parse()?,
                // A second of the fake's lasts so long.
                "second-ms" => {
                    options.script.tempo.second = Tempo::second_in_ms(value.parse()?).second;
                }
                // So long each step runs.
                "step-seconds" => options.script.step = StepScript::exits(0, value.parse()?),
                _ => return Err(format!("there is no option `{name}`").into()),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { slots, script } = Options::read(std::env::args().skip(1))?;
    let script = Script { tempo: Tempo { notch: Duration::ZERO, ..script.tempo }, ..script };
    let fake = Fake::start(script)?;
    let mut out = io::stdout();
    writeln!(out, "CLUSTER={}\n", fake.cluster_file(&format!(r#", "slots": {slots}"#)))?;
    out.flush()?;
    for line in io::stdin().lines() {
        line?;
        writeln!(out, "{}", figures(&fake))?;
        out.flush()?;
    }
    Ok(())
}

/// What has come so far.
fn figures(fake: &Fake) -> Value {
    let mut calls = Map::new();
    for logged in fake.requests() {
        let count = calls.entry(logged.operation).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap_or(0) + 1);
    }
    fake.world(|world| {
        json!({
            "calls": calls,
            "applications": world.applications.len(),
            "alive": world.alive().count(),
            "violations": world.violations(),
        })
    })
}

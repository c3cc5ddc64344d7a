//! EMR, S3 and STS as tests know them, for other programs: prints the environment in which AWS's own clients find
//! them, then a line for each request, until standard input ends.
//!
//! ```text
//! cargo run --example fake_emr -- [second-ms=N] [notch=SECONDS] [quota=TIMES] [fails=STEP …] [runs=STEP …]
//! ```

#![expect(clippy::print_stdout, reason = "it is a program")]

use std::io::{self, Read};
use std::time::Duration;

use dataflow_runner_core::fabric::emr::fake::{Fake, Script, StepScript, Tempo};

fn main() -> io::Result<()> {
    let mut script = Script { log_delivery: Duration::from_secs(5), ..Script::default() };
    for word in std::env::args().skip(1) {
        script = told(script, &word).ok_or_else(|| io::Error::other(format!("what is {word}?")))?;
    }
    let fake = Fake::start(script)?;
    for (name, value) in fake.environment() {
        println!("{name}={value}");
    }
    io::stdin().read_to_end(&mut Vec::new())?;
    for request in fake.requests() {
        let status = request.reply.map_or(0, |reply| reply.status);
        println!("{} {status} {}", request.operation, request.body);
    }
    for violation in fake.world(|world| world.violations().to_vec()) {
        println!("violation: {violation}");
    }
    Ok(())
}

fn told(script: Script, word: &str) -> Option<Script> {
    let (name, value) = word.split_once('=')?;
    Some(match name {
        "second-ms" => Script { tempo: Tempo::second_in_ms(value.parse().ok()?), ..script },
        "notch" => Script { tempo: Tempo::notch_of(value.parse().ok()?), ..script },
        "quota" => Script { quota: Some(value.parse().ok()?), ..script },
        "fails" => script.step(value, StepScript::fails(60)),
        "runs" => script.step(value, StepScript::never_ends()),
        _ => return None,
    })
}

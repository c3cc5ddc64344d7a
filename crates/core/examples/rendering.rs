//! How long a template takes, for `scripts/bench`: `rendering TEMPLATE VARIABLES TIMES OUTPUT`. Prints the nanoseconds
//! of each rendering, and leaves the last one in the file OUTPUT. Parsing is not counted.
//!
//! `fixtures/gotemplate/speed` does the same with Go's engine.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use dataflow_runner_core::source::Source;
use dataflow_runner_core::template::{Inputs, Limits, Map, Template, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [template, variables, times, output] = &words[..] else {
        return Err("usage: rendering TEMPLATE VARIABLES TIMES OUTPUT".into());
    };
    let json: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&fs::read(variables)?)?;
    let variables: Map = json.into_iter().map(|(name, v)| (name, Value::from(v))).collect();
    let source = Arc::new(Source::new("speed", &*fs::read_to_string(template)?));
    let template = Template::parse(&source)?;
    let inputs = Inputs {
        variables: &variables,
        now: &jiff::Zoned::default,
        env: &|_| None,
        read: &|_| Err(io::ErrorKind::NotFound.into()),
        limits: Limits::default(),
    };
    let mut stdout = io::stdout().lock();
    let mut last = None;
    for _ in 0..times.parse()? {
        let since = Instant::now();
        let rendered = template.render(&inputs)?;
        let took = since.elapsed();
        writeln!(stdout, "{}", took.as_nanos())?;
        last = Some(rendered);
    }
    fs::write(output, last.as_ref().map_or(&[][..], |rendered| rendered.bytes()))?;
    Ok(())
}

//! `spawn_loop COUNT SLOTS PROGRAM`: starts `PROGRAM` `COUNT` times, `SLOTS` at once, and nothing else.
//!
//! The yardstick of `scripts/bench`: no runner of as many steps on this machine can be quicker.

use std::collections::VecDeque;
use std::error::Error;
use std::process::{Child, Command};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, slots, program] = arguments.as_slice() else {
        return Err("usage: spawn_loop COUNT SLOTS PROGRAM".into());
    };
    let (count, slots): (usize, usize) = (count.parse()?, slots.parse()?);
    let mut running = VecDeque::with_capacity(slots);
    for _ in 0..count {
        if running.len() == slots {
            finish(&mut running)?;
        }
        running.push_back(Command::new(program).spawn()?);
    }
    while !running.is_empty() {
        finish(&mut running)?;
    }
    Ok(())
}

/// Waits for the oldest child, which has to succeed.
fn finish(running: &mut VecDeque<Child>) -> Result<(), Box<dyn Error>> {
    match running.pop_front().map(|mut oldest| oldest.wait()).transpose()? {
        Some(status) if !status.success() => Err(format!("a child failed: {status}").into()),
        _ => Ok(()),
    }
}

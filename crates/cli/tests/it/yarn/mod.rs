//! Runs on a Hadoop cluster, against the fake of YARN.

mod commands;
mod endings;
mod reached;
#[cfg(unix)]
mod signals;

use std::process::Command;

use dataflow_runner_core::fabric::yarn::fake::{Fake, Script, Tempo};

use crate::harness::{Place, Ran, playbook, script};

/// A folder with a cluster file `c.json` and a playbook `p.json`, and a far side of its own.
pub(super) struct Site {
    pub(super) place: Place,
    pub(super) fake: Fake,
}

/// What runs the playbook.
pub(super) const RUN: &str = "run --config c.json --playbook p.json";

impl Site {
    /// Steps `first` and `second`. Time goes by with the questions that are asked, half a minute each, so a program that
    /// asks has nothing to wait for.
    pub(super) fn new(script: Script) -> Self {
        Self::playing(script, &[("first", ""), ("second", "")])
    }

    /// With these steps, and more in each.
    pub(super) fn playing(fates: Script, steps: &[(&str, &str)]) -> Self {
        let fake = start(fates);
        let steps: Vec<_> = steps.iter().map(|(id, more)| script(id, "true", more)).collect();
        let place = Place::new()
            .with("c.json", fake.cluster_file(""))
            .with("p.json", playbook(&steps.join(",")));
        Self { place, fake }
    }

    /// The program with arguments that have no spaces in them, about to be run here.
    pub(super) fn command(&self, line: &str) -> Command {
        let mut command = self.place.command(line.split(' '));
        hasten(&mut command);
        command
    }

    /// Runs the program.
    pub(super) fn words(&self, line: &str) -> Ran {
        Ran::from(self.command(line).output().expect("it starts"))
    }

    /// Runs what is sure to end so.
    pub(super) fn done(&self, line: &str, code: i32) -> Ran {
        let ran = self.words(line);
        assert_eq!(ran.code, Some(code), "{line}: {}", ran.stderr);
        ran
    }

    /// How often each step was submitted.
    pub(super) fn submissions<const N: usize>(&self, steps: [&str; N]) -> [usize; N] {
        self.fake.world(|world| steps.map(|step| world.submissions(step)))
    }

    /// Nothing runs any more, and nothing was done that should never be.
    pub(super) fn nothing_is_left(&self) {
        self.fake.pass(std::time::Duration::from_secs(10));
        self.fake.world(|world| {
            assert_eq!(world.violations(), [""; 0]);
            let alive: Vec<_> = world.alive().map(|app| app.name.clone()).collect();
            assert_eq!(alive, [""; 0], "applications are left");
        });
    }
}

/// A far side on which each question takes half a minute, unless its script says otherwise.
pub(super) fn start(fates: Script) -> Fake {
    let usual = fates.tempo == Script::default().tempo;
    let tempo = if usual { Tempo::notch_of(30) } else { fates.tempo };
    Fake::start(Script { tempo, ..fates }).expect("a port")
}

/// Lets the program wait for nothing.
pub(super) fn hasten(command: &mut Command) {
    for (name, value) in [("POLL_INTERVAL", "0.05s"), ("LOG_WAIT", "0s"), ("SETTLE", "0.1s")] {
        command.env(format!("DATAFLOW_RUNNER_{name}"), value);
    }
}

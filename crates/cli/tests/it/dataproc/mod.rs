//! Runs on Dataproc, against the fakes of Dataproc and Cloud Storage.

mod commands;
mod credentials;
mod endings;
mod fields;
mod keys;
mod reached;
#[cfg(unix)]
mod signals;
mod staging;
#[cfg(unix)]
mod unchanged;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::clock::until;
use dataflow_runner_core::fabric::dataproc::fake::{End, Fake, Script, StepScript, Tempo};

use crate::harness::{Place, Ran, playbook, script};
pub(super) use crate::yarn::hasten;

/// A folder with a cluster file `c.json` and a playbook `p.json`, and a far side of its own.
pub(super) struct Site {
    pub(super) place: Place,
    pub(super) fake: Arc<Fake>,
}

pub(super) const UP: &str = "up --config c.json";
pub(super) const TRANSIENT: &str = "run-transient --config c.json --playbook p.json";
/// On the only cluster there is.
pub(super) const RUN: &str = "run --config c.json --playbook p.json --cluster fake";

pub(super) const CREATE: &str = "clusters.create";
pub(super) const SUBMIT: &str = "jobs.submit";
pub(super) const CANCEL: &str = "jobs.cancel";
pub(super) const DELETE: &str = "clusters.delete";

impl Site {
    /// Steps `first` and `second`. Time goes by with the questions that are asked, half a minute each, so a program that
    /// asks has nothing to wait for.
    pub(super) fn new(fates: Script) -> Self {
        Self::playing(fates, &[("first", ""), ("second", "")])
    }

    /// With these steps, and more in each.
    pub(super) fn playing(fates: Script, steps: &[(&str, &str)]) -> Self {
        let book: Vec<_> = steps.iter().map(|(id, more)| script(id, "true", more)).collect();
        let ids: Vec<_> = steps.iter().map(|(id, _)| *id).collect();
        let fake = start(fates, &ids);
        let place = Place::new()
            .with("c.json", fake.cluster_file(""))
            .with("p.json", playbook(&book.join(",")));
        Self { place, fake: Arc::new(fake) }
    }

    /// With another file.
    pub(super) fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        Self { place: self.place.with(name, text), ..self }
    }

    /// Another place with the same files and the same far side, where nobody knows what was done here: another pod.
    pub(super) fn pod(&self) -> Self {
        Self { place: self.place.twin(), fake: Arc::clone(&self.fake) }
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

    /// Runs what is sure to end so and to say this.
    pub(super) fn says(&self, line: &str, code: i32, text: &str) -> Ran {
        let ran = self.done(line, code);
        assert!(ran.stderr.contains(text), "{line}: {text}: {}", ran.stderr);
        ran
    }

    /// A cluster that is up; its id.
    pub(super) fn up(&self) -> String {
        self.done(UP, 0).stdout.trim().to_owned()
    }

    /// What the far side was asked to do, questions left out.
    pub(super) fn orders(&self) -> Vec<&'static str> {
        let orders = [CREATE, SUBMIT, CANCEL, DELETE];
        let names = self.fake.requests().into_iter().map(|request| request.operation);
        names.filter(|name| orders.contains(name)).collect()
    }

    /// How often each step was submitted.
    pub(super) fn submissions<const N: usize>(&self, steps: [&str; N]) -> [usize; N] {
        self.fake.world(|world| steps.map(|step| world.submissions(step)))
    }

    /// How many clusters there ever were, and how many are left.
    pub(super) fn clusters(&self) -> (usize, usize) {
        self.fake.world(|world| (world.clusters.len(), world.alive().count()))
    }

    /// Nothing runs any more, and nothing was done twice.
    pub(super) fn nothing_is_left(&self) {
        self.nothing_runs();
        let alive =
            self.fake.world(|world| world.alive().map(|it| it.name.clone()).collect::<Vec<_>>());
        assert_eq!(alive, [""; 0], "clusters are left");
    }

    /// A step runs, in whatever process of ours.
    pub(super) fn until_it_runs(&self, step: &str) {
        while !self.fake.world(|world| world.jobs_of(step).any(|job| job.started.is_some())) {
            std::thread::yield_now();
        }
    }

    /// The step that runs ends so now, after it has written this, too.
    pub(super) fn finish(&self, step: &str, end: End, text: &str) {
        self.fake.world(|world| {
            let now = world.now;
            let id = world.jobs_of(step).last().expect("it was ordered").id.clone();
            let job = world.job_mut(&id).expect("it is there");
            let ran = until(job.started.expect("it runs"), now);
            job.script.output.push((ran, text.to_owned()));
            (job.script.end, job.script.runs) = (end, Some(ran));
        });
    }

    /// Starts a run whose driver is killed once a step runs.
    pub(super) fn left(&self, line: &str, step: &str) {
        let mut command = self.command(line);
        let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
        self.until_it_runs(step);
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        self.fake.drain().expect("it answers itself");
    }

    /// Without the files that runs were begun with, and without the copies of them.
    pub(super) fn without_files(&self) {
        for file in ["c.json", "p.json"] {
            std::fs::remove_file(self.place.path(file)).expect("it is there");
        }
        for run in std::fs::read_dir(self.place.state().join("runs")).expect("runs") {
            // Of a run that has succeeded nothing is kept.
            let _ = std::fs::remove_file(run.expect("a run").path().join("inputs.json"));
        }
    }

    /// No step runs any more, and nothing was done twice.
    pub(super) fn nothing_runs(&self) {
        self.nothing_was_twice();
        self.fake.pass(Duration::from_secs(60));
        let active =
            self.fake.world(|world| world.active().map(|job| job.id.clone()).collect::<Vec<_>>());
        assert_eq!(active, [""; 0], "jobs are left");
    }

    /// Nothing was done twice, nor anything else that should never be.
    pub(super) fn nothing_was_twice(&self) {
        assert_eq!(self.fake.world(|world| world.violations().to_vec()), [""; 0]);
    }
}

/// The first step runs until it is ended.
pub(super) fn endless() -> Script {
    Script::default().step("first", StepScript::never_ends())
}

/// A far side on which each question takes half a minute, unless its script says otherwise; it counts these steps.
pub(super) fn start(mut fates: Script, steps: &[&str]) -> Fake {
    for step in steps {
        let usual = vec![fates.step.clone()];
        fates.steps.entry((*step).to_owned()).or_insert(usual);
    }
    let usual = fates.tempo == Script::default().tempo;
    let tempo = if usual { Tempo::notch_of(30) } else { fates.tempo };
    Fake::start(Script { tempo, ..fates }).expect("a port")
}

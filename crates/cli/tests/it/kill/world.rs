//! Where a command is killed: a folder, a far side, and what can be told of both.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::event::{Event, EventKind, Outcome};
use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::fabric::dataproc::fake as dataproc;
use dataflow_runner_core::fabric::emr::fake::{Fake, Script, Tempo};
use dataflow_runner_core::fabric::yarn::fake as yarn;
use dataflow_runner_core::journal;

use rustix::process::{Pid, Signal, kill_process};

use crate::emr::hasten;
use crate::harness::{Place, Ran};

/// No command takes as long as this.
const LIMIT: Duration = Duration::from_secs(240);

/// What is not on this machine, so to say.
pub(super) enum Far {
    Nothing,
    Emr(Fake),
    Yarn(yarn::Fake),
    Dataproc(dataproc::Fake),
}

/// A folder with a cluster file `c.json` and a playbook `p.json`, and a far side of its own.
pub(super) struct World {
    pub(super) place: Place,
    pub(super) far: Far,
    /// The cluster that was there before the command.
    pub(super) cluster: Option<String>,
    /// The runs that were there before the command.
    pub(super) before: BTreeSet<RunId>,
}

impl World {
    /// On this machine.
    pub(super) fn local(place: Place) -> Self {
        Self { place, far: Far::Nothing, cluster: None, before: BTreeSet::new() }
    }

    /// On a far side on which each question takes a minute, so that whoever asks has nothing to wait for.
    pub(super) fn emr(place: Place, script: Script) -> Self {
        let fake = Fake::start(Script { tempo: Tempo::notch_of(60), ..script });
        Self { far: Far::Emr(fake.expect("a port")), ..Self::local(place) }
    }

    /// On the cluster of a cluster file that is there already.
    pub(super) fn yarn(place: Place, fake: yarn::Fake) -> Self {
        Self { far: Far::Yarn(fake), ..Self::local(place) }
    }

    /// On Dataproc.
    pub(super) fn dataproc(place: Place, fake: dataproc::Fake) -> Self {
        Self { far: Far::Dataproc(fake), ..Self::local(place) }
    }

    /// With a cluster that is up.
    pub(super) fn with_cluster(mut self) -> Self {
        let up = self.done("up --config c.json", 0);
        self.cluster = Some(up.stdout.trim().to_owned());
        self.remember()
    }

    /// What was done up to now is not the command's.
    pub(super) fn remember(mut self) -> Self {
        self.before = self.runs();
        self
    }

    /// The program with arguments that have no spaces in them, about to be run here; `CLUSTER` is the one's id that
    /// was there before.
    pub(super) fn command(&self, line: &str) -> Command {
        let cluster = self.cluster.as_deref().unwrap_or_default();
        let words = line.split(' ').map(|word| if word == "CLUSTER" { cluster } else { word });
        let mut command = self.place.command(words);
        match &self.far {
            Far::Nothing => {}
            Far::Emr(fake) => hasten(&mut command, fake),
            Far::Yarn(_) | Far::Dataproc(_) => crate::yarn::hasten(&mut command),
        }
        command
    }

    pub(super) fn run(&self, line: &str) -> Ran {
        Ran::from(output(&mut self.command(line)))
    }

    /// Runs what is sure to end so.
    pub(super) fn done(&self, line: &str, code: i32) -> Ran {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(code), "{line}: {}", ran.stderr);
        ran
    }

    /// All that the dead have asked for is done.
    pub(super) fn settle(&self) {
        match &self.far {
            Far::Nothing => Ok(()),
            Far::Emr(fake) => fake.drain(),
            Far::Yarn(fake) => fake.drain(),
            Far::Dataproc(fake) => fake.drain(),
        }
        .expect("the fake answers itself");
    }

    /// All runs, also those that were never begun.
    pub(super) fn runs(&self) -> BTreeSet<RunId> {
        journal::list(&self.place.state()).expect("they can be listed").into_iter().collect()
    }

    /// The events of a run; none where its journal was never begun.
    pub(super) fn events(&self, run: &RunId) -> Vec<Event> {
        let folder = journal::folder(&self.place.state(), run);
        journal::read(&folder).map(|contents| contents.events).unwrap_or_default()
    }

    /// The last run that was begun.
    pub(super) fn last(&self) -> Option<(RunId, Vec<Event>)> {
        let runs = self.runs().into_iter().map(|run| (self.events(&run), run));
        let begun = runs.filter_map(|(events, run)| Some((events.first()?.at, run, events)));
        begun.max_by_key(|(at, run, _)| (*at, run.clone())).map(|(_, run, events)| (run, events))
    }

    /// How the last run ended; what is wrong with its journal otherwise.
    pub(super) fn outcome(&self) -> Result<Outcome, String> {
        let (run, events) = self.last().ok_or("no run was begun")?;
        RunState::fold(&events).map_err(|fault| format!("{run} does not fold: {fault:?}"))?;
        match events.last().map(|event| &event.kind) {
            Some(EventKind::RunEnded { outcome }) => Ok(outcome.clone()),
            other => Err(format!("{run} has no end, but {other:?}")),
        }
    }

    /// Whether the variables of the last run still lie there.
    pub(super) fn keeps_inputs(&self) -> bool {
        let folder = |(run, _): (RunId, _)| journal::folder(&self.place.state(), &run);
        self.last().map(folder).is_some_and(|folder| folder.join("inputs.json").exists())
    }

    /// How often the program of a step was begun.
    pub(super) fn began(&self, step: &str) -> usize {
        match &self.far {
            Far::Emr(fake) => fake.world(|world| world.submissions(step)),
            Far::Yarn(fake) => fake.world(|world| world.submissions(step)),
            Far::Dataproc(fake) => fake.world(|world| world.submissions(step)),
            Far::Nothing => {
                let told = fs::read_to_string(self.place.path("ran").join(step));
                told.unwrap_or_default().lines().count()
            }
        }
    }

    /// How many clusters were ever made.
    pub(super) fn made(&self) -> usize {
        match &self.far {
            Far::Nothing => {}
            Far::Emr(fake) => return fake.world(|world| world.clusters.len()),
            Far::Dataproc(fake) => return fake.world(|world| world.clusters.len()),
            Far::Yarn(_) => return 0,
        }
        let logs = self.place.state().join("clusters/logs");
        let all = local_clusters(&logs);
        // One that was never finished never was a cluster, but its folder would be left.
        all.iter().filter(|name| logs.join(name).join("cluster.json").exists()).count()
    }

    /// The clusters that are there now.
    pub(super) fn living(&self) -> Vec<String> {
        match &self.far {
            Far::Emr(fake) => fake.world(|world| world.alive().map(|it| it.id.clone()).collect()),
            Far::Yarn(_) => Vec::new(),
            Far::Dataproc(fake) => fake.world(|world| {
                world.alive().map(|it| format!("{}@{}", it.name, it.uuid)).collect()
            }),
            Far::Nothing => local_clusters(&self.place.state().join("clusters")),
        }
    }

    /// What was done on the far side that should never be.
    pub(super) fn violations(&self) -> Vec<String> {
        match &self.far {
            Far::Nothing => Vec::new(),
            Far::Emr(fake) => fake.world(|world| world.violations().to_vec()),
            Far::Dataproc(fake) => fake.world(|world| {
                let left = world.active().map(|job| format!("{} is left", job.id));
                world.violations().iter().cloned().chain(left).collect()
            }),
            Far::Yarn(fake) => fake.world(|world| {
                let left = world.alive().map(|app| format!("{} is left", app.name));
                world.violations().iter().cloned().chain(left).collect()
            }),
        }
    }

    /// The processes that were started here and still run, once those are gone that only need a moment to go.
    pub(super) fn processes(&self) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let left = self.processes_now();
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            std::thread::yield_now();
        }
    }

    fn processes_now(&self) -> Vec<String> {
        let mark = self.place.path("").to_string_lossy().trim_end_matches("/here/").to_owned();
        let mut left = Vec::new();
        for entry in fs::read_dir("/proc").expect("processes").flatten() {
            let path = entry.path();
            let Ok(environment) = fs::read(path.join("environ")) else { continue };
            if contains(&environment, mark.as_bytes()) {
                let words = fs::read(path.join("cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&words).replace('\0', " ");
                left.push(format!("{} {line}", entry.file_name().to_string_lossy()));
            }
        }
        left
    }
}

/// Runs a command to its end, or to a limit that none comes near: by then it hangs, and is ended by a signal that no
/// test waits for.
pub(super) fn output(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
    let (ended, end) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                kill_process(pid, Signal::ABORT).expect("it is there");
            }
        });
        let output = child.wait_with_output().expect("it ends");
        drop(ended);
        output
    })
}

/// What has the name of a cluster in a folder.
fn local_clusters(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("local-")).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

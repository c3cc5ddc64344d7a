//! What the tests have in common.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::config::playbook::{Program, Step};
use dataflow_runner_core::config::sample;
pub use dataflow_runner_core::config::sample::text;
use dataflow_runner_core::fabric::local::{Config, Local, Surroundings, Tools};
use dataflow_runner_core::fabric::{
    ClusterId, ClusterState, ClusterStatus, Clusters, ErrorKind, Fabric, Launch, Order,
    OrderedStep, Result, StepId, StepState, StepStatus, Token, Uri,
};
use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tempfile::TempDir;

/// Only a broken fabric lets a test wait so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A fabric in a folder of its own, with a cluster.
pub struct Bench {
    pub folder: TempDir,
    pub bell: Arc<Bell>,
    pub local: Local,
    pub cluster: ClusterId,
}

/// A configuration whose grace is `grace`.
pub fn config(grace: Duration) -> Config {
    Config {
        name: text("test"),
        work_folder: None,
        slots: NonZeroU32::new(8),
        environment: [("ADDED".to_owned(), text("by configuration"))].into(),
        roots: BTreeMap::new(),
        tools: Tools::default(),
        kill_after: grace,
    }
}

/// A fabric that works in `folder`.
pub fn local(folder: &Path, config: Config, bell: &Arc<Bell>) -> Local {
    let around = Surroundings {
        environment: std::env::vars_os().collect(),
        work_folder: folder.to_owned(),
        program: std::env::current_exe().unwrap(),
        bell: Arc::clone(bell),
    };
    Local::new(config, around)
}

pub fn launch(token: &str) -> Launch<'static> {
    let intended = Timestamp::from_second(1_800_000_000).unwrap();
    Launch {
        token: Token::new(token),
        intended,
        foreign: false,
        transient: true,
        steps: Vec::new(),
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(config(PATIENCE))
    }

    pub fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bell = Arc::new(Bell::new());
        let local = local(&folder.path().join("work folder"), config, &bell);
        let cluster = local.launch(&launch("r-1.1.1")).unwrap();
        Self { folder, bell, local, cluster }
    }

    /// The same folder, as seen by a program that knows nothing yet.
    pub fn another(&self) -> (Local, Arc<Bell>) {
        let bell = Arc::new(Bell::new());
        (local(&self.work_folder(), config(PATIENCE), &bell), bell)
    }

    pub fn work_folder(&self) -> PathBuf {
        self.folder.path().join("work folder")
    }

    /// The folder of a step's logs.
    pub fn logs(&self, id: &StepId) -> PathBuf {
        self.work_folder().join("logs").join(self.cluster.as_str()).join(id.as_str())
    }

    pub fn log(&self, id: &StepId, name: &str) -> String {
        fs::read_to_string(self.logs(id).join(name)).unwrap()
    }

    /// A pipe with a name, for tests and steps to wait for one another.
    pub fn pipe(&self, name: &str) -> Pipe {
        Pipe::new(self.folder.path().join(name))
    }

    pub fn submit(&self, token: &str, step: &Step) -> Result<StepId> {
        submit(&self.local, &self.cluster, token, step)
    }

    /// Runs a script in the shell; `$0` is the folder of this test.
    pub fn script(&self, token: &str, script: &str) -> StepId {
        let folder = self.folder.path().to_str().unwrap();
        self.submit(token, &command(&["sh", "-c", script, folder])).unwrap()
    }

    pub fn status(&self, id: &StepId) -> StepStatus {
        status(&self.local, &self.cluster, id)
    }

    pub fn end(&self, id: &StepId) -> StepStatus {
        end(&self.local, &self.bell, &self.cluster, id)
    }

    pub fn cancel(&self, id: &StepId) {
        self.local.cancel(&self.cluster, std::slice::from_ref(id)).unwrap();
    }
}

pub fn submit(local: &Local, on: &ClusterId, token: &str, step: &Step) -> Result<StepId> {
    with_order(token, step, |order| Ok(local.submit(on, order)?.remove(0)))
}

pub fn with_order<T>(token: &str, step: &Step, then: impl FnOnce(&Order<'_>) -> T) -> T {
    let (token, staged) = (Token::new(token), BTreeMap::<String, Uri>::new());
    let steps = vec![OrderedStep { step, attempt: 1, staged: &staged }];
    then(&Order {
        token: &token,
        intended: Timestamp::UNIX_EPOCH,
        foreign: false,
        along: false,
        ids: &[],
        others: &[],
        steps,
    })
}

pub fn status(local: &Local, on: &ClusterId, id: &StepId) -> StepStatus {
    let mut polled = local.poll(on, std::slice::from_ref(id)).unwrap();
    assert_eq!(polled.len(), 1);
    polled.remove(0).1
}

/// Waits for the bell, and then for a status that says more than that the step runs.
pub fn end(local: &Local, bell: &Bell, on: &ClusterId, id: &StepId) -> StepStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = status(local, on, id);
        if !matches!(status.native.as_str(), "STARTING" | "RUNNING") {
            return status;
        }
        assert!(Instant::now() < deadline, "{status:?}");
        // Never by time: only the bell.
        assert!(bell.wait(PATIENCE).ended, "the bell did not ring: {status:?}");
    }
}

/// Waits for the bell until a cluster is gone, or cannot go.
pub fn down(local: &Local, bell: &Bell, id: &ClusterId) -> ClusterStatus {
    loop {
        let status = local.inspect(id).unwrap();
        if status.state.is_final() {
            return status;
        }
        assert_eq!(status.state, ClusterState::Stopping);
        assert!(bell.wait(PATIENCE).ended, "the bell did not ring: {status:?}");
    }
}

/// Waits for the bell until a step has ended; `None`: its cluster is gone.
pub fn end_or_gone(bench: &Bench, id: &StepId) -> Option<StepState> {
    loop {
        match bench.local.poll(&bench.cluster, std::slice::from_ref(id)) {
            Ok(polled) if !matches!(polled[0].1.native.as_str(), "STARTING" | "RUNNING") => {
                return Some(polled[0].1.state);
            }
            Ok(_) => assert!(bench.bell.wait(PATIENCE).ended, "the bell did not ring"),
            Err(err) if err.kind == ErrorKind::NotFound => return None,
            Err(err) => panic!("{err}"),
        }
    }
}

/// Waits for the bell until a cluster is gone, or not to be found any more.
pub fn down_or_gone(local: &Local, bell: &Bell, id: &ClusterId) {
    loop {
        match local.inspect(id) {
            Ok(status) if status.state.is_final() => return,
            Ok(status) => {
                assert_eq!(status.state, ClusterState::Stopping);
                assert!(bell.wait(PATIENCE).ended, "the bell did not ring");
            }
            Err(err) => return assert_eq!(err.kind, ErrorKind::NotFound),
        }
    }
}

/// Looks again and again until it is so, for what no bell tells.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::yield_now();
    }
}

pub fn command(words: &[&str]) -> Step {
    let (command, arguments) = words.split_first().unwrap();
    step(Program::Command { command: text(command) }, arguments)
}

pub fn step(program: Program, arguments: &[&str]) -> Step {
    sample::step_of("step", program, arguments)
}

/// Whether a process is there and not dead.
pub fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat[stat.rfind(')').unwrap()..].starts_with(") Z"))
}

/// The pid in the first line of a step's record that begins with `who`.
pub fn pid(record: &Path, who: &str) -> String {
    let mut pid = None;
    until("the record tells it", || {
        let text = fs::read_to_string(record).unwrap_or_default();
        let line =
            text.split_inclusive('\n').find(|line| line.starts_with(who) && line.ends_with('\n'));
        let word = if who == "shim" { 3 } else { 1 };
        pid = line.and_then(|line| line.split(' ').nth(word)).map(str::to_owned);
        pid.is_some()
    });
    pid.unwrap()
}

pub fn kill(pid: &str) {
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// A pipe that is open for both at this end, so that the other end never waits to open it.
pub struct Pipe(File);

impl Pipe {
    fn new(path: PathBuf) -> Self {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        Self(File::options().read(true).write(true).open(path).unwrap())
    }

    /// The next line that a step writes.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        loop {
            let limit = Timespec::try_from(PATIENCE).unwrap();
            let ready = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&limit)).unwrap();
            assert_eq!(ready, 1, "nothing came within {PATIENCE:?}");
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            match byte {
                [b'\n'] => return String::from_utf8(line).unwrap(),
                [byte] => line.push(byte),
            }
        }
    }

    /// A line for one step that reads.
    pub fn go(&mut self) {
        self.0.write_all(b"go\n").unwrap();
    }
}

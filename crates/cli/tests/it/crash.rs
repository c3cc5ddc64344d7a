//! What is left, and what can be told of it, when things break around a run.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::fabric::StepState;
use dataflow_runner_core::{engine::state::Phase, journal};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::harness::{Place, Ran, cluster, playbook, script};

const TRANSIENT: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

/// A program that steps talk to by two pipes: `up`, in which they say that they run, and `gate`, at which they wait.
pub(crate) struct World {
    pub(crate) place: Place,
    up: BufReader<std::fs::File>,
    gate: std::fs::File,
}

impl World {
    /// A world in which each of these steps says `up` with its process, waits at the gate, and does the rest.
    pub(crate) fn new(steps: &[(&str, &str, &str)]) -> Self {
        let place = Place::new().with("c.json", cluster(r#", "slots": 4, "killAfterSeconds": 1"#));
        let pipe = |name: &str| {
            let path = place.path(name);
            assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo is there").success());
            // Open for both at this end, so that the other never waits to open it.
            std::fs::File::options().read(true).write(true).open(path).expect("a pipe")
        };
        let (up, gate) = (BufReader::new(pipe("up")), pipe("gate"));
        let here = place.path(".");
        let steps: Vec<_> = steps
            .iter()
            .map(|(id, rest, more)| {
                let here = here.display();
                script(id, &format!("cd '{here}'; echo $$ > up; read x < gate; {rest}"), more)
            })
            .collect();
        Self { place: place.with("p.json", playbook(&steps.join(","))), up, gate }
    }

    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.place.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    }

    /// The process of the next step that says that it runs.
    pub(crate) fn step(&mut self) -> Pid {
        let mut line = String::new();
        self.up.read_line(&mut line).expect("a line");
        let number = line.trim().parse().ok().filter(|number| *number > 1);
        number.and_then(Pid::from_raw).expect("the number of a process")
    }

    pub(crate) fn open_gate(&mut self) {
        self.gate.write_all(b"go\n").expect("a pipe");
    }

    /// The one folder of a run.
    fn run(&self) -> PathBuf {
        only(&self.place.state().join("runs"))
    }

    /// The one cluster's folder of logs.
    fn logs(&self) -> PathBuf {
        only(&self.place.state().join("clusters/logs"))
    }

    fn cluster(&self) -> String {
        self.logs().file_name().expect("a name").to_str().expect("text").to_owned()
    }

    fn state(&self) -> RunState {
        let contents = journal::read(&self.run()).expect("the journal can be read");
        RunState::fold(&contents.events).expect("its events are legal")
    }

    fn down(&self) -> Ran {
        self.place.run(["down", "--config", "c.json", "--cluster", &self.cluster()])
    }
}

fn only(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let all: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn lives(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    test_kill_process(process).is_ok()
        && !stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|s| s.starts_with(" Z")))
}

/// Looks again and again, as nobody tells.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::yield_now();
    }
}

/// Whether there are only folders in a folder.
fn is_bare(folder: &Path) -> bool {
    let mut entries = std::fs::read_dir(folder).expect("a folder");
    entries.all(|entry| {
        let path = entry.expect("it can be listed").path();
        path.is_dir() && is_bare(&path)
    })
}

fn end(child: Child) -> Ran {
    Ran::from(child.wait_with_output().expect("it ends"))
}

/// The record of each step, by the step's name.
fn records(logs: &Path) -> Vec<(String, String)> {
    let mut all: Vec<_> = std::fs::read_dir(logs)
        .expect("logs")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.is_dir())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let step = name.split('.').next().expect("a step").to_owned();
            (step, std::fs::read_to_string(path.join("record")).unwrap_or_default())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn killed_while_steps_run() {
    let mut world = World::new(&[
        ("a", "exit 0", r#", "dependsOn": []"#),
        ("b", "exit 7", r#", "dependsOn": []"#),
        ("c", "exit 0", r#", "dependsOn": []"#),
        ("d", "exit 0", r#", "dependsOn": ["a"]"#),
    ]);
    let mut child = world.start(&TRANSIENT);
    let steps = [world.step(), world.step(), world.step()];
    child.kill().expect("it runs");
    assert_eq!(child.wait().expect("it ends").signal(), Some(9));

    // Its journal tells what it had ordered, and of no end.
    let state = world.state();
    assert_eq!(state.outcome, None);
    assert_eq!(state.busy.iter().copied().collect::<Vec<_>>(), [0, 1, 2]);
    assert!(matches!(state.steps[3].phase, Phase::Waiting { .. }));

    // The steps run on, and how they end is kept.
    assert!(steps.iter().all(|step| lives(*step)));
    world.open_gate();
    world.open_gate();
    let ended = |world: &World| {
        records(&world.logs()).iter().filter(|(_, record)| record.contains("\nended ")).count()
    };
    // A program may begin before its shim has noted it.
    let noted =
        |world: &World| records(&world.logs()).iter().all(|(_, record)| record.contains("\ntool "));
    until("two steps end, all noted", || ended(&world) == 2 && noted(&world));
    for (step, record) in records(&world.logs()) {
        let code = if step == "b" { 7 } else { 0 };
        let last = record.lines().last().expect("a line");
        let fits = last.ends_with(&format!(" exited {code}")) || last.starts_with("tool ");
        assert!(fits, "{step}: {record}");
    }
    assert_eq!(steps.iter().filter(|step| lives(**step)).count(), 1);

    // A new program ends what still runs, and removes everything.
    let down = world.down();
    assert_eq!(down.code, Some(0), "{}", down.stderr);
    assert!(!steps.iter().any(|step| lives(*step)));
    assert!(!world.place.state().join("clusters").join(world.cluster()).exists());
    let cancelled = records(&world.logs()).iter().filter(|r| r.1.contains("\ncancelled ")).count();
    assert_eq!((ended(&world), cancelled), (2, 1));
}

#[test]
fn killed_at_each_event() {
    // The program's events come as lines; each is in the journal before it is seen.
    let json = [&TRANSIENT[..], &["--output", "json"]].concat();
    let mut killed = 0;
    for at in 1.. {
        let mut world = World::new(&[("a", "exit 0", ""), ("b", "exit 0", "")]);
        world.gate.write_all(b"go\ngo\n").expect("a pipe");
        let mut child = world.start(&json);
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let seen = lines.by_ref().take(at).count();
        child.kill().expect("it is our child");
        let ended = child.wait().expect("it ends");
        if seen < at {
            break;
        }
        killed += usize::from(ended.signal() == Some(9));
        let state = world.state();
        assert!(state.seq >= at as u64, "what was seen is in the journal: {} < {at}", state.seq);
        if state.outcome.is_some() {
            continue;
        }
        for (step, run) in state.steps.iter().enumerate() {
            if run.phase == Phase::Ended(StepState::Succeeded) {
                let (_, record) = &records(&world.logs())[step];
                assert!(record.ends_with(" exited 0\n"), "{record}");
            }
        }
        let clusters = std::fs::read_dir(world.place.state().join("clusters/logs"));
        if clusters.is_ok_and(|mut clusters| clusters.next().is_some()) {
            let down = world.down();
            // 4: it was down already.
            assert!(matches!(down.code, Some(0 | 4)), "after event {at}: {}", down.stderr);
            let folder = world.place.state().join("clusters").join(world.cluster());
            // Killed while it was made: then it never was a cluster, and nothing is in it.
            let unmade = down.code == Some(4) && !world.logs().join("cluster.json").exists();
            assert!(!folder.exists() || (unmade && is_bare(&folder)), "after event {at}");
        }
    }
    assert!(killed > 5, "{killed}");
}

#[test]
fn a_torn_end_of_the_journal_is_no_harm() {
    let mut world = World::new(&[("a", "exit 0", "")]);
    let mut child = world.start(&TRANSIENT);
    world.step();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let whole = world.state();
    let path = world.run().join("journal.jsonl");
    let mut file = std::fs::File::options().append(true).open(path).expect("a journal");
    file.write_all(br#"{"seq":99,"at":"2026-"#).expect("it can be written");
    assert_eq!(world.state(), whole);
    assert_eq!(world.down().code, Some(0));
}

/// Runs the program so that no file of its may grow beyond so many blocks of 512 bytes.
pub(crate) fn limited(world: &Place, blocks: u32, args: &[&str]) -> Ran {
    let inner = world.command(args);
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(inner.get_program()).args(inner.get_args()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(world.path(".")).stdin(Stdio::null());
    Ran::from(command.output().expect("sh is there"))
}

#[test]
fn a_full_state_folder_starts_nothing_more_and_leaves_nothing_behind() {
    let (mut refused, mut failed, mut succeeded) = (0, 0, 0);
    for blocks in 0..20 {
        let steps: Vec<_> = ["a", "b", "c"].map(|id| script(id, "true", "")).into();
        let place =
            Place::new().with("c.json", cluster("")).with("p.json", playbook(&steps.join(",")));
        let ran = limited(&place, blocks, &TRANSIENT);
        match ran.code {
            Some(0) => succeeded += 1,
            Some(1) => {
                assert!(ran.stderr.contains("journal cannot be written"), "{}", ran.stderr);
                failed += 1;
            }
            Some(3 | 4) => refused += 1,
            code => panic!("{blocks} blocks: {code:?} {}", ran.stderr),
        }
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        let local = place.state().join("clusters");
        if local.exists() {
            let left: Vec<_> = std::fs::read_dir(&local)
                .expect("it can be listed")
                .map(|entry| entry.expect("it can be listed").file_name())
                .filter(|name| name.to_string_lossy().starts_with("local-"))
                .collect();
            assert_eq!(left, [""; 0], "{blocks} blocks: {}", ran.stderr);
        }
    }
    assert!(refused > 0 && failed > 0 && succeeded > 0, "{refused} {failed} {succeeded}");
}

#[test]
fn a_state_folder_that_cannot_be() {
    let world = World::new(&[("a", "exit 0", "")]);
    let place = world.place.with("file", "");
    for folder in ["file", "file/below", "/proc/self/nothing", "/dev/null"] {
        let ran = place.run(TRANSIENT.iter().chain(&["--state-dir", folder]));
        assert_eq!(ran.code, Some(3), "{folder}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error[cannot-record-run]: "), "{}", ran.stderr);
    }
}

#[test]
fn a_work_folder_that_vanishes_is_doubt_and_leaves_nothing_running() {
    for gone in ["clusters", "clusters/logs"] {
        let mut world = World::new(&[("a", "exit 0", ""), ("b", "exit 0", "")]);
        let up = world.place.words("up --config c.json");
        let id = up.stdout.trim().to_owned();
        let child =
            world.start(&["run", "--config", "c.json", "--playbook", "p.json", "--cluster", &id]);
        let step = world.step();
        std::fs::remove_dir_all(world.place.state().join(gone)).expect("it is there");
        world.open_gate();
        let ran = end(child);
        assert_eq!(ran.code, Some(5), "{gone}: {}", ran.stderr);
        assert!(ran.stderr.contains("In doubt, something may be running"), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("look at cluster `{id}`")), "{}", ran.stderr);
        assert!(!lives(step));
    }
}

#[test]
fn a_signal_ends_what_runs_in_a_work_folder_that_vanished() {
    for gone in ["clusters", "clusters/logs"] {
        let mut world = World::new(&[("a", "exit 0", "")]);
        let child = world.start(&TRANSIENT);
        let step = world.step();
        std::fs::remove_dir_all(world.place.state().join(gone)).expect("it is there");
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, Signal::TERM).expect("it is there");
        let ran = end(child);
        assert_eq!(ran.code, Some(143), "{gone}: {}", ran.stderr);
        assert!(!lives(step), "{gone}: {}", ran.stderr);
    }
}

#[test]
fn five_hundred_steps_at_once_and_ten_megabytes_of_logs() {
    let steps: Vec<_> = (0..500)
        .map(|n| script(&format!("s{n}"), "exit 0", r#", "dependsOn": []"#))
        .chain([script(
            "loud",
            "head -c 10000000 /dev/zero | tr '\\0' x; exit 1",
            r#", "dependsOn": []"#,
        )])
        .collect();
    let place = Place::new()
        .with("c.json", cluster(r#", "slots": 501"#))
        .with("p.json", playbook(&steps.join(",")));
    let mut command = place.command(TRANSIENT.iter().chain(&["--log-failed-steps"]));
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let loud = said.lines().map(str::len).max();
    assert_eq!(loud, Some(10_000_000));
    assert_eq!(said.matches(" completed successfully").count(), 500);
    assert!(said.contains("1/501 steps failed to complete successfully"));
}

#[test]
fn a_hangup_closes_the_journal_with_its_end() {
    let mut world = World::new(&[("a", "exit 0", "")]);
    let child = world.start(&TRANSIENT);
    let step = world.step();
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::HUP).expect("it is there");
    assert_eq!(end(child).code, Some(129));
    let state = world.state();
    assert_eq!(state.interrupted, Some((1, true)));
    assert!(state.outcome.is_some());
    journal::Journal::resume(&world.run()).expect("nobody holds it any more");
    assert!(lives(step));
    assert_eq!(world.down().code, Some(0));
    assert!(!lives(step));
}

#[test]
fn a_signal_to_down_ends_the_wait_and_the_cluster_goes_down_by_the_next() {
    let mut world = World::new(&[("a", "exit 0", "")]);
    let mut child = world.start(&TRANSIENT);
    let step = world.step();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    // Its shim does not answer for as long as we want: so does `down`.
    let record = records(&world.logs()).remove(0).1;
    let number = record.split(' ').nth(3).expect("a shim").parse().ok().filter(|pid| *pid > 1);
    let shim = number.and_then(Pid::from_raw).expect("a process");
    kill_process(shim, Signal::STOP).expect("it is there");
    let args = ["down", "--config", "c.json", "--cluster", &world.cluster()];
    let mut down = world.start(&args);
    let mut said = BufReader::new(down.stderr.take().expect("a pipe")).lines();
    assert!(said.any(|line| line.expect("text").contains("is STOPPING")));
    let pid = i32::try_from(down.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::TERM).expect("it is there");
    assert_eq!(end(down).code, Some(143));
    kill_process(shim, Signal::CONT).expect("it is there");
    let down = world.down();
    assert_eq!(down.code, Some(0), "{}", down.stderr);
    assert!(!lives(step) && !lives(shim));
}

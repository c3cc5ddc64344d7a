//! The shim: a process between the program and a step, which outlives the program, looks after the step's
//! process group and keeps its record.
//!
//! It is the program's own binary with [`ARGUMENT`] as its first argument. Where it can, it looks after one step
//! after the other, each as if it were a new one: what a step needs comes by a `Wire`, and with the program
//! that order ends, though never the step. Else it runs the one step that its arguments tell.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::places::{CANCEL, CONTROLLER, RECORD, STOPPING, StepPlace};
use super::process::{self, Alarm, Ending, FILES, Force, Identity, Wire};
use super::record::{End, How, Keeper, Shim, Tool};
use super::{now, time};

/// The first argument of the program that makes it a shim.
pub const ARGUMENT: &str = "__step";

/// After the KILL of a group, before it is given up as unkillable.
const UNKILLABLE: Duration = Duration::from_secs(5);
/// Between two looks whether a group whose leader has ended is gone; it has no waiting of its own.
const LOOK: Duration = Duration::from_millis(50);

/// A shim without a step ends after so long: a run may wait for hours.
const IDLE: Duration = Duration::from_secs(1);

/// The variables that differ from step to step.
pub(super) const VARIABLES: [&str; 4] =
    ["DATAFLOW_CLUSTER", "DATAFLOW_STEP", "DATAFLOW_ATTEMPT", "DATAFLOW_WORK"];

/// This process.
struct Own {
    alarm: Alarm,
    identity: Identity,
    /// It may look after another step.
    serves: bool,
}

/// What is to be done for one step.
struct Assignment {
    logs: PathBuf,
    directory: PathBuf,
    grace: Duration,
    machine: String,
    program: OsString,
    arguments: Vec<OsString>,
    /// Added to the environment that this process has.
    environment: Vec<(&'static str, OsString)>,
    files: Option<Files>,
}

/// The files of a step that the program has opened for it.
struct Files {
    controller: File,
    /// Its standard output and error, until it has them.
    streams: Option<(File, File)>,
}

/// Runs steps: the one that `arguments`, those after [`ARGUMENT`], tell, or those that are ordered over standard
/// input. Gives the exit code of the shim: 0 when each record says how its step ended, else 1.
pub fn main(arguments: impl Iterator<Item = OsString>) -> u8 {
    process::detach();
    let mut arguments = arguments.peekable();
    let told = if arguments.peek().is_some() { once(arguments) } else { serve() };
    u8::from(told.is_err())
}

fn once(arguments: impl Iterator<Item = OsString>) -> io::Result<()> {
    let assignment = Assignment::read(arguments).ok_or(io::ErrorKind::InvalidInput)?;
    assignment.look_after(&Own::new(false)?).map(drop)
}

/// Runs one step after the other. What a step could leave to the next is looked at after each: with anything
/// that is out of the ordinary this process ends, as it would have if it had been for that step alone.
fn serve() -> io::Result<()> {
    let wire = Wire::given()?;
    let own = Own::new(true)?;
    while let Some((words, files)) = wire.next(&own.alarm, IDLE)? {
        let assignment = Assignment::ordered(words, files).ok_or(io::ErrorKind::InvalidData)?;
        if !assignment.look_after(&own)? {
            break;
        }
        wire.done()?;
    }
    Ok(())
}

impl Own {
    fn new(serves: bool) -> io::Result<Self> {
        Ok(Self { alarm: Alarm::set()?, identity: Identity::own(), serves })
    }
}

impl Assignment {
    fn read(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        Some(Self {
            logs: arguments.next()?.into(),
            directory: arguments.next()?.into(),
            grace: Duration::from_millis(arguments.next()?.to_str()?.parse().ok()?),
            machine: arguments.next()?.into_string().ok()?,
            program: arguments.next()?,
            arguments: arguments.collect(),
            environment: Vec::new(),
            files: None,
        })
    }

    fn ordered(words: Vec<OsString>, files: [File; FILES]) -> Option<Self> {
        let mut words = words.into_iter();
        let mut environment = Vec::with_capacity(VARIABLES.len());
        for name in VARIABLES {
            environment.push((name, words.next()?));
        }
        let [controller, stdout, stderr] = files;
        let files = Files { controller, streams: Some((stdout, stderr)) };
        Some(Self { environment, files: Some(files), ..Self::read(words)? })
    }

    /// Sees the step to its end. Gives whether this process may look after another: `false` also if somebody
    /// wants this one stopped, however it ended.
    fn look_after(mut self, own: &Own) -> io::Result<bool> {
        let streams = self.files.as_mut().and_then(|files| files.streams.take());
        match self.run(own, streams) {
            // After the record was let go of: whoever wants the step stopped writes first and looks at that
            // second, so that either they see that we are through with it or we see this.
            Ok(released) => Ok(released && !self.is_unwanted(&own.alarm) && self.leaves_nothing()),
            Err(err) => {
                self.note(&format!("the shim failed: {err}"));
                Err(err)
            }
        }
    }

    /// Gives whether the step is known to be over and let go of.
    fn run(&self, own: &Own, streams: Option<(File, File)>) -> io::Result<bool> {
        let machine = self.machine.clone();
        let shim = Shim { machine, process: own.identity, holds: own.serves };
        let mut keeper = match Keeper::claim(&self.logs.join(RECORD), &shim) {
            // Somebody made sure that this attempt is never begun.
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            claimed => claimed?,
        };
        // After the claim: whoever wants it stopped writes first and looks at the record second, so that
        // either they see the claim or we see this.
        if self.is_unwanted(&own.alarm) {
            self.note("cancelled before it began");
            let how = How::Unstarted("it was cancelled before it began".into());
            keeper.end(&End { at: now(), how, cancelled: true })?;
            return Ok(false);
        }
        let (started, clock) = (now(), Instant::now());
        let child = match self.spawn(streams) {
            Ok(child) => child,
            Err(err) => {
                // Without its name, which may hold a secret: the first lines of this log tell it as it may be told.
                self.note(&format!("cannot start its program: {err}"));
                let how = How::Unstarted(format!("cannot start its program: {err}"));
                keeper.end(&End { at: started, how, cancelled: false })?;
                return Ok(keeper.held);
            }
        };
        let group = child.id();
        // Without this line the step could still be run and its end be kept, so a failure waits for the end.
        let told = keeper.tool(Tool { process: Identity::of(group), started });
        let (ending, stop) = self.watch(child, &own.alarm)?;
        // The length of it by the clock that nobody sets.
        let lasted = i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX);
        let at = started.saturating_add(lasted);
        self.sweep(group, &own.alarm, stop);
        told?;
        self.note(&format!(
            "{} after {}.{:03} s",
            sentence(ending, stop.is_some()),
            lasted / 1000,
            lasted % 1000
        ));
        keeper.end(&End { at, how: How::Ran(ending), cancelled: stop.is_some() })?;
        Ok(keeper.held)
    }

    fn spawn(&self, streams: Option<(File, File)>) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // Else it gets those that this process was given for it.
        if let Some((stdout, stderr)) = streams {
            command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        }
        process::own_group(&mut command);
        // Here and not by the command: that would cost a copy of this process for each step.
        std::env::set_current_dir(&self.directory)?;
        command.spawn()
    }

    /// Whether nothing of the step is left in this process or below it, and its records are where they were: so
    /// that what is done to this process from now on can be meant for no step but the next.
    fn leaves_nothing(&self) -> bool {
        // Not in a folder that may have to go.
        let home = std::env::set_current_dir(Path::new("/"));
        home.is_ok() && self.logs.join(RECORD).exists() && process::is_alone()
    }

    fn is_unwanted(&self, alarm: &Alarm) -> bool {
        alarm.asked() || self.is_cancelled() || self.logs.with_file_name(STOPPING).exists()
    }

    fn is_cancelled(&self) -> bool {
        self.logs.join(CANCEL).exists()
    }

    /// Waits for the program's end; if somebody asks, sends its group a TERM, and a KILL at the time that
    /// comes back with the ending.
    fn watch(&self, mut child: Child, alarm: &Alarm) -> io::Result<(Ending, Option<Instant>)> {
        let group = child.id();
        let mut kill_at = None;
        let mut killed = false;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok((process::ending(status), kill_at));
            }
            let now = Instant::now();
            // Where there are no signals, only the file tells.
            if kill_at.is_none() && (alarm.asked() || (cfg!(not(unix)) && self.is_cancelled())) {
                self.note("asked to stop: TERM");
                process::signal_group(group, Force::Term);
                kill_at = Some(now + self.grace);
            }
            if kill_at.is_some_and(|at| now >= at) && !killed {
                self.note(&format!("still there after {:?}: KILL", self.grace));
                process::signal_group(group, Force::Kill);
                killed = true;
            }
            let left = kill_at.filter(|_| !killed).map(|at| at.saturating_duration_since(now));
            alarm.wait(left);
        }
    }

    /// Ends what the program left behind in its group.
    fn sweep(&self, group: u32, alarm: &Alarm, kill_at: Option<Instant>) {
        if !process::group_lives(group) {
            return;
        }
        let kill_at = kill_at.unwrap_or_else(|| {
            self.note("its program ended and left others behind: TERM");
            process::signal_group(group, Force::Term);
            Instant::now() + self.grace
        });
        let mut give_up = None;
        while process::group_lives(group) {
            let now = Instant::now();
            match give_up {
                None if now >= kill_at => {
                    self.note("some of them are still there: KILL");
                    process::signal_group(group, Force::Kill);
                    give_up = Some(now + UNKILLABLE);
                }
                Some(at) if now >= at => return self.note("some of them could not be killed"),
                _ => {}
            }
            alarm.wait(Some(LOOK));
        }
    }

    /// Says it in the controller log, as far as that can be written: it is for people only.
    fn note(&self, text: &str) {
        let line = format!("{} {text}\n", time(now()));
        if let Some(files) = &self.files {
            _ = (&files.controller).write_all(line.as_bytes());
            return;
        }
        let file = OpenOptions::new().append(true).create(true).open(self.logs.join(CONTROLLER));
        if let Ok(mut file) = file {
            _ = file.write_all(line.as_bytes());
        }
    }
}

/// The words before those of the step: its folders, its grace between TERM and KILL, and [`process::machine`],
/// which is always the same and would cost each shim some time to find out.
pub(super) fn arguments(place: &StepPlace, grace: Duration, machine: &str) -> [OsString; 4] {
    let (logs, directory) = (&place.logs, &place.directory);
    let grace = grace.as_millis().to_string();
    [logs.into(), directory.into(), grace.into(), machine.into()]
}

/// How it ended, for people.
pub(super) fn sentence(ending: Ending, cancelled: bool) -> String {
    let asked = if cancelled { "cancelled: " } else { "" };
    match ending {
        Ending::Exited(code) => format!("{asked}ended with exit code {code}"),
        Ending::Killed(signal) => format!("{asked}killed by {}", process::signal_name(signal)),
    }
}

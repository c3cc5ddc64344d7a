//! The shim: a process between the program and a step, which outlives the program, looks after the step's
//! process group and keeps its record.
//!
//! It is the program's own binary with [`ARGUMENT`] as its first argument, and runs for every step: nothing
//! is done here that could be done by the one who starts it.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::places::{CANCEL, CONTROLLER, RECORD, STOPPING, StepPlace};
use super::process::{self, Alarm, Ending, Force, Identity};
use super::record::{End, How, Keeper, Shim, Tool};
use super::{now, time};

/// The first argument of the program that makes it a shim.
pub const ARGUMENT: &str = "__step";

/// After the KILL of a group, before it is given up as unkillable.
const UNKILLABLE: Duration = Duration::from_secs(5);
/// Between two looks whether a group whose leader has ended is gone; it has no waiting of its own.
const LOOK: Duration = Duration::from_millis(50);

/// What the arguments say.
struct Assignment {
    logs: PathBuf,
    directory: PathBuf,
    grace: Duration,
    machine: String,
    program: OsString,
    arguments: Vec<OsString>,
}

/// Runs one step; `arguments` are those after [`ARGUMENT`]. Gives the exit code of the shim: 0 when the
/// record says how the step ended, else 1.
pub fn main(arguments: impl Iterator<Item = OsString>) -> u8 {
    let Some(assignment) = Assignment::read(arguments) else { return 1 };
    process::detach();
    match assignment.run() {
        Ok(()) => 0,
        Err(err) => {
            assignment.note(&format!("the shim failed: {err}"));
            1
        }
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
        })
    }

    fn run(&self) -> io::Result<()> {
        // Before the claim: from then on others may signal us.
        let alarm = Alarm::set()?;
        let shim = Shim { machine: self.machine.clone(), process: Identity::own() };
        let mut keeper = match Keeper::claim(&self.logs.join(RECORD), &shim) {
            // Somebody made sure that this attempt is never begun.
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            claimed => claimed?,
        };
        // After the claim: whoever wants it stopped writes first and looks at the record second, so that
        // either they see the claim or we see this.
        if self.is_unwanted(&alarm) {
            self.note("cancelled before it began");
            let how = How::Unstarted("it was cancelled before it began".into());
            return keeper.end(&End { at: now(), how, cancelled: true });
        }
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        process::own_group(&mut command);
        let (started, clock) = (now(), Instant::now());
        // Here and not by the one who starts us: that would cost it a copy of itself for each step.
        let spawned = std::env::set_current_dir(&self.directory).and_then(|()| command.spawn());
        let child = match spawned {
            Ok(child) => child,
            Err(err) => {
                // Without its name, which may hold a secret: the first lines of this log tell it as it may be told.
                self.note(&format!("cannot start its program: {err}"));
                let how = How::Unstarted(format!("cannot start its program: {err}"));
                return keeper.end(&End { at: started, how, cancelled: false });
            }
        };
        let group = child.id();
        // Without this line the step could still be run and its end be kept, so a failure waits for the end.
        let told = keeper.tool(Tool { process: Identity::of(group), started });
        let (ending, stop) = self.watch(child, &alarm)?;
        // The length of it by the clock that nobody sets.
        let lasted = i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX);
        let at = started.saturating_add(lasted);
        self.sweep(group, &alarm, stop);
        told?;
        self.note(&format!(
            "{} after {}.{:03} s",
            sentence(ending, stop.is_some()),
            lasted / 1000,
            lasted % 1000
        ));
        keeper.end(&End { at, how: How::Ran(ending), cancelled: stop.is_some() })
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
        let file = OpenOptions::new().append(true).create(true).open(self.logs.join(CONTROLLER));
        if let Ok(mut file) = file {
            _ = file.write_all(format!("{} {text}\n", time(now())).as_bytes());
        }
    }
}

/// The arguments before those of the step: its folders, its grace between TERM and KILL, and
/// [`process::machine`], which is always the same and would cost each shim some time to find out.
pub(super) fn arguments(place: &StepPlace, grace: Duration, machine: &str) -> [OsString; 5] {
    let (logs, directory) = (&place.logs, &place.directory);
    let grace = grace.as_millis().to_string();
    [ARGUMENT.into(), logs.into(), directory.into(), grace.into(), machine.into()]
}

/// How it ended, for people.
pub(super) fn sentence(ending: Ending, cancelled: bool) -> String {
    let asked = if cancelled { "cancelled: " } else { "" };
    match ending {
        Ending::Exited(code) => format!("{asked}ended with exit code {code}"),
        Ending::Killed(signal) => format!("{asked}killed by {}", process::signal_name(signal)),
    }
}

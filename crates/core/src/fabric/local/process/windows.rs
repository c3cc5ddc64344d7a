//! Windows, with nothing but the standard library and the tools every Windows has. Not tried.

use std::io;
use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{Ending, Force, Identity};

/// Between two looks at what cannot be waited for.
const LOOK: Duration = Duration::from_millis(100);

/// `CREATE_NEW_PROCESS_GROUP` of Win32's CreateProcess.
const NEW_GROUP: u32 = 0x0000_0200;

/// How a process ended.
pub(in super::super) fn ending(status: ExitStatus) -> Ending {
    Ending::Exited(status.code().unwrap_or(-1))
}

/// There are no signals; a record of another machine may name one.
pub(in super::super) fn signal_name(signal: i32) -> String {
    format!("signal {signal}")
}

/// Lets the process that will be spawned lead a process group of its own.
pub(in super::super) fn own_group(command: &mut Command) {
    command.creation_flags(NEW_GROUP);
}

/// Nothing to leave here: shims get no events of the console of another group.
pub(in super::super) fn detach() {}

/// There is no way to ask another's console program.
pub(crate) fn ask_to_end(_number: u32) -> bool {
    false
}

/// Ends a process and its descendants. There is no way to ask a program without a window.
pub(in super::super) fn signal_group(group: u32, _force: Force) {
    let mut kill = Command::new("taskkill");
    kill.args(["/T", "/F", "/PID", &group.to_string()]);
    _ = kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// What a program left behind is not known here.
pub(in super::super) fn group_lives(_group: u32) -> bool {
    false
}

/// In the shim: nobody can ask it but by the file in the step's folder.
pub(in super::super) struct Alarm {}

impl Alarm {
    pub(in super::super) fn set() -> io::Result<Self> {
        Ok(Self {})
    }

    pub(in super::super) fn asked(&self) -> bool {
        false
    }

    pub(in super::super) fn wait(&self, limit: Option<Duration>) {
        std::thread::park_timeout(limit.map_or(LOOK, |limit| limit.min(LOOK)));
    }
}

/// A process that may not be our child.
#[derive(Debug)]
pub(in super::super) struct Process {
    identity: Identity,
}

impl Process {
    pub(in super::super) fn find(identity: Identity) -> Option<Self> {
        identity.is_alive().then_some(Self { identity })
    }

    /// A shim looks for the file itself, so there is nothing to send but the end.
    pub(in super::super) fn signal(&self, force: Force) {
        if force == Force::Kill {
            signal_group(self.identity.pid, force);
        }
    }

    pub(in super::super) fn wait(&self, deadline: Option<Instant>) -> bool {
        loop {
            if !self.identity.is_alive() {
                return true;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return false;
            }
            std::thread::park_timeout(LOOK);
        }
    }
}

/// The leader of the group, if it still runs.
pub(in super::super) fn members(_session: u32, group: Identity) -> Vec<Process> {
    Process::find(group).into_iter().collect()
}

/// When a process started: its creation date as PowerShell prints it.
pub(in super::super) fn start_of(pid: u32) -> Option<u64> {
    let ask = format!("(Get-Process -Id {pid}).StartTime.ToFileTimeUtc()");
    let answer = Command::new("powershell").args(["-NoProfile", "-Command", &ask]).output().ok()?;
    std::str::from_utf8(&answer.stdout).ok()?.trim().parse().ok()
}

/// Whether it is proven that nobody who lives has this number. What cannot be asked here proves nothing.
pub(super) fn is_nobody(_pid: u32) -> bool {
    false
}

/// Starts of processes are points in time here, so nothing more is needed.
pub(crate) fn machine() -> String {
    "-".to_owned()
}

/// Makes a folder, and those above it.
pub(in super::super) fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Makes a folder that must not be there yet.
pub(in super::super) fn make_new_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}

/// Links need a privilege here, so the file is copied.
pub(in super::super) fn link(file: &Path, at: &Path) -> io::Result<()> {
    std::fs::copy(file, at).map(drop)
}

/// Whether it is a file; its name says whether it can be run.
pub(in super::super) fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// The names of files a program of that name may have.
pub(in super::super) fn program_files(name: &str) -> Vec<String> {
    [".exe", ".cmd", ".bat", ""].iter().map(|ending| format!("{name}{ending}")).collect()
}

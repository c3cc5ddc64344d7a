//! Unix. What only Linux can tell (starts of processes, handles of processes that are not our children) is
//! done in a slower way elsewhere; only Linux was tried.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Signal, WaitOptions, kill_process_group, setsid, test_kill_process_group, waitpgid,
};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use super::{Ending, Force, Identity};

/// Between two looks at what cannot be waited for.
const LOOK: Duration = Duration::from_millis(20);

/// How a process ended.
pub(in super::super) fn ending(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(signal)) => Ending::Killed(signal),
        // A waited-for process has one or the other.
        (None, None) => Ending::Exited(-1),
    }
}

/// `SIGTERM`, or `signal 60` for one without a name.
pub(in super::super) fn signal_name(signal: i32) -> String {
    let name = signal_hook::low_level::signal_name(signal);
    name.map_or_else(|| format!("signal {signal}"), str::to_owned)
}

/// Lets the process that will be spawned lead a process group of its own.
pub(in super::super) fn own_group(command: &mut Command) {
    command.process_group(0);
}

/// Leaves the session (and so the terminal and its signals) of the program that started this process, and
/// takes in orphaned descendants, which in a container without an init process nobody else would.
pub(in super::super) fn detach() {
    // Fails only for a leader of a group, which is as good: the terminal's signals do not reach it.
    _ = setsid();
    #[cfg(target_os = "linux")]
    {
        _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
}

/// Sends a process the signal that asks it to end; whether it was sent.
pub(crate) fn ask_to_end(number: u32) -> bool {
    pid(number).is_some_and(|pid| rustix::process::kill_process(pid, Signal::TERM).is_ok())
}

/// Signals every process of a group; one that is gone is fine.
pub(in super::super) fn signal_group(group: u32, force: Force) {
    let Some(group) = group_id(group) else { return };
    match force {
        Force::Term => {
            _ = kill_process_group(group, Signal::TERM);
            // A stopped process sees its TERM only when it goes on.
            _ = kill_process_group(group, Signal::CONT);
        }
        Force::Kill => _ = kill_process_group(group, Signal::KILL),
    }
}

/// Whether a group still has members, after burying those that are dead children of this process.
pub(in super::super) fn group_lives(group: u32) -> bool {
    let Some(group) = group_id(group) else { return false };
    while let Ok(Some(_)) = waitpgid(group, WaitOptions::NOHANG) {}
    // EPERM: members that we may not signal, such as a program that changed its user.
    !matches!(test_kill_process_group(group), Err(rustix::io::Errno::SRCH))
}

/// Rings in the shim: when a child ends, and when somebody asks it to stop.
pub(in super::super) struct Alarm {
    rings: UnixStream,
    asked: Arc<AtomicBool>,
}

impl Alarm {
    /// Catches the signals from now on. They are caught, not ignored: what is ignored would be inherited.
    pub(in super::super) fn set() -> io::Result<Self> {
        let (rings, ring) = UnixStream::pair()?;
        rings.set_nonblocking(true)?;
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            signal_hook::flag::register(signal, Arc::clone(&asked))?;
        }
        for signal in [SIGCHLD, SIGTERM, SIGINT, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, ring.try_clone()?)?;
        }
        Ok(Self { rings, asked })
    }

    /// Whether somebody asked to stop. It stays so.
    pub(in super::super) fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits for a ring, `limit` at most. May also end for no reason.
    pub(in super::super) fn wait(&self, limit: Option<Duration>) {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        _ = poll(&mut [PollFd::new(&self.rings, PollFlags::IN)], limit.as_ref());
        self.silence();
    }

    /// The same, but also for something to read elsewhere; gives whether there is.
    #[cfg(target_os = "linux")]
    pub(super) fn wait_or(&self, other: std::os::fd::BorrowedFd<'_>, limit: Duration) -> bool {
        let limit = Timespec::try_from(limit).ok();
        let mut both =
            [PollFd::new(&self.rings, PollFlags::IN), PollFd::new(&other, PollFlags::IN)];
        let polled = poll(&mut both, limit.as_ref());
        let ready = polled.is_ok() && !both[1].revents().is_empty();
        self.silence();
        ready
    }

    fn silence(&self) {
        while matches!((&self.rings).read(&mut [0; 64]), Ok(64)) {}
    }
}

/// A process that may not be our child.
#[derive(Debug)]
pub(in super::super) struct Process {
    identity: Identity,
    /// Holds the process as such, not its number; `None` where the kernel cannot.
    handle: Option<OwnedFd>,
}

impl Process {
    /// Finds the very process, if it still runs.
    pub(in super::super) fn find(identity: Identity) -> Option<Self> {
        let handle = handle(identity.pid);
        // Looked at after the handle was taken: if it is this one now, the handle holds this one.
        identity.is_alive().then_some(Self { identity, handle })
    }

    /// Sends it a signal.
    pub(in super::super) fn signal(&self, force: Force) {
        let signal = match force {
            Force::Term => Signal::TERM,
            Force::Kill => Signal::KILL,
        };
        #[cfg(target_os = "linux")]
        if let Some(handle) = &self.handle {
            _ = rustix::process::pidfd_send_signal(handle, signal);
            return;
        }
        if let Some(pid) = pid(self.identity.pid) {
            _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Waits for its end; `false` if it still ran at the deadline.
    pub(in super::super) fn wait(&self, deadline: Option<Instant>) -> bool {
        loop {
            let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
            if !self.identity.is_alive() {
                return true;
            }
            if left == Some(Duration::ZERO) {
                return false;
            }
            match &self.handle {
                // Readable from the moment it has ended.
                Some(handle) => {
                    let left = left.and_then(|left| Timespec::try_from(left).ok());
                    _ = poll(&mut [PollFd::new(handle, PollFlags::IN)], left.as_ref());
                }
                None => std::thread::park_timeout(left.map_or(LOOK, |left| left.min(LOOK))),
            }
        }
    }
}

/// Processes of a session that this machine's record names; for a shim that can no longer look after them.
/// A session's number is not given away again while it has members, so session, group and an age not above
/// that of the group's leader together tell them from strangers.
#[cfg(target_os = "linux")]
pub(in super::super) fn members(session: u32, group: Identity) -> Vec<Process> {
    let Ok(all) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| {
        let stat = Stat::of(pid)?;
        let ours = group.start != 0
            && stat.session == session
            && stat.group == group.pid
            && stat.start >= group.start;
        if ours { Process::find(Identity { pid, start: stat.start }) } else { None }
    })
    .collect()
}

/// As on Linux, but only the leader of the group can be found.
#[cfg(not(target_os = "linux"))]
pub(in super::super) fn members(_session: u32, group: Identity) -> Vec<Process> {
    Process::find(group).into_iter().collect()
}

#[cfg(target_os = "linux")]
fn handle(number: u32) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid(number)?, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn handle(_number: u32) -> Option<OwnedFd> {
    None
}

fn pid(number: u32) -> Option<Pid> {
    // Never 1: to signal the group of that number is to signal every process there is (kill(2)).
    Pid::from_raw(i32::try_from(number).ok().filter(|&number| number > 1)?)
}

/// Never group 1: kill(2) takes its negative for all processes there are.
fn group_id(number: u32) -> Option<Pid> {
    pid(number).filter(|group| !group.is_init())
}

/// What `/proc/PID/stat` says (proc(5)), as far as it is of use here.
#[cfg(target_os = "linux")]
struct Stat {
    group: u32,
    session: u32,
    /// In clock ticks since the machine was started.
    start: u64,
}

#[cfg(target_os = "linux")]
impl Stat {
    /// `None` also for a process that is dead but not yet buried.
    fn of(pid: u32) -> Option<Self> {
        Self::read(pid).filter(|(dead, _)| !dead).map(|(_, stat)| stat)
    }

    /// And whether it is dead but not yet buried.
    fn read(pid: u32) -> Option<(bool, Self)> {
        // One read of a buffer that holds every such line there can be: this is done for each step.
        let mut buffer = [0; 2048];
        let size = std::fs::File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut buffer).ok()?;
        let text = &buffer[..size];
        // The second field is the program's name in parentheses, and may hold anything.
        let after = text.iter().rposition(|b| *b == b')')? + 1;
        let mut fields = std::str::from_utf8(text.get(after..)?).ok()?.split_ascii_whitespace();
        let dead = matches!(fields.next()?, "Z" | "X" | "x");
        let group = fields.nth(1)?.parse().ok()?;
        let session = fields.next()?.parse().ok()?;
        // The 22nd field, after the 6th.
        let start = fields.nth(15)?.parse().ok()?;
        Some((dead, Self { group, session, start }))
    }
}

/// When a process started; `None` if there is none that lives.
#[cfg(target_os = "linux")]
pub(in super::super) fn start_of(pid: u32) -> Option<u64> {
    Stat::of(pid).map(|stat| stat.start)
}

/// Whether it is proven that nobody who lives has this number.
pub(super) fn is_nobody(number: u32) -> bool {
    #[cfg(target_os = "linux")]
    if Stat::read(number).is_some_and(|(dead, _)| dead) {
        return true;
    }
    // EPERM: somebody we may not signal.
    pid(number).is_some_and(|pid| {
        matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
    })
}

/// As on Linux, but from `ps`, to the second: a digest of the text it prints. Not tried.
#[cfg(not(target_os = "linux"))]
pub(in super::super) fn start_of(pid: u32) -> Option<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let ps = Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = ps.stdout.trim_ascii();
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    (ps.status.success() && !text.is_empty()).then(|| hash.finish().max(1))
}

/// Within what numbers of processes mean the same: this boot of this machine, and this container.
#[cfg(target_os = "linux")]
pub(crate) fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{}/{}", boot.trim(), space.display())
}

/// As on Linux, but a start of the machine or a container is not told from another.
#[cfg(not(target_os = "linux"))]
pub(crate) fn machine() -> String {
    "-".to_owned()
}

/// Makes a folder, and those above it, that only its owner may look into.
pub(in super::super) fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a folder that must not be there yet.
pub(in super::super) fn make_new_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

/// Puts a file under a second name.
pub(in super::super) fn link(file: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(file, at)
}

/// Whether it is a file that can be run.
pub(in super::super) fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The names of files a program of that name may have.
pub(in super::super) fn program_files(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_found_by_nobody() {
        let mut child = Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let process = Process::find(Identity::of(child.id())).expect("it waits for its input");
        assert!(!process.wait(Some(Instant::now())), "it still runs");
        process.signal(Force::Term);
        assert!(process.wait(None), "dead, though not yet waited for");
        assert_eq!(start_of(child.id()), None, "a dead child that is not buried does not live");
        assert!(is_nobody(child.id()) && !is_nobody(std::process::id()));
        assert_eq!(ending(child.wait().unwrap()), Ending::Killed(15));
        assert_eq!(signal_name(15), "SIGTERM");
        assert_eq!(signal_name(99), "signal 99");
    }
}

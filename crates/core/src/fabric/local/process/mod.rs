//! Processes of this machine: the only place of this fabric where platforms differ.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg_attr(not(target_os = "linux"), path = "no_wire.rs")]
mod wire;

#[cfg(unix)]
pub(super) use unix::*;
#[cfg(unix)]
pub(crate) use unix::{ask_to_end, machine};
#[cfg(windows)]
pub(super) use windows::*;
#[cfg(windows)]
pub(crate) use windows::{ask_to_end, machine};
pub(super) use wire::*;

/// A process, told from a later one with the same number by its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Its number.
    pub pid: u32,
    /// When it started, in the platform's own unit; 0: could not be found out, which proves nothing.
    pub start: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// What is sent to a process group to end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Force {
    /// Please.
    Term,
    /// At once.
    Kill,
}

impl Identity {
    /// This very process.
    pub(crate) fn own() -> Self {
        let pid = std::process::id();
        Self { pid, start: start_of(pid).unwrap_or(0) }
    }

    /// The process that has this number now.
    pub(super) fn of(pid: u32) -> Self {
        Self { pid, start: start_of(pid).unwrap_or(0) }
    }

    /// Whether this very process still runs; `false` also where that cannot be found out.
    pub(crate) fn is_alive(self) -> bool {
        self.start != 0 && start_of(self.pid) == Some(self.start)
    }

    /// Whether it is proven that this very process runs no more. Not to see it is no proof: a system may hide
    /// the processes of others (`hidepid` in proc(5)).
    pub(crate) fn is_gone(self) -> bool {
        match start_of(self.pid) {
            Some(start) => self.start != 0 && self.start != start,
            None => is_nobody(self.pid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_itself_and_is_not_its_namesake() {
        let own = Identity::own();
        assert!(own.is_alive());
        assert!(!own.is_gone());
        assert!(Identity { start: own.start + 1, ..own }.is_gone(), "same number, other start");
        assert!(!Identity { start: 0, ..own }.is_gone(), "an unknown start proves nothing");
        assert!(!Identity { start: own.start + 1, ..own }.is_alive(), "same number, other start");
        assert!(!Identity { start: 0, ..own }.is_alive(), "an unknown start proves nothing");
        assert!(!Identity { pid: u32::MAX, ..own }.is_alive());
    }
}

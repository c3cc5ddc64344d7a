//! Processes of this machine: the only place of this fabric where platforms differ.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg_attr(not(target_os = "linux"), path = "no_wire.rs")]
mod wire;

#[cfg(unix)]
pub(super) use unix::*;
#[cfg(windows)]
pub(super) use windows::*;
pub(super) use wire::*;

/// A process, told from a later one with the same number by its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
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
    pub(super) fn own() -> Self {
        let pid = std::process::id();
        Self { pid, start: start_of(pid).unwrap_or(0) }
    }

    /// The process that has this number now.
    pub(super) fn of(pid: u32) -> Self {
        Self { pid, start: start_of(pid).unwrap_or(0) }
    }

    /// Whether this very process still runs; `false` also where that cannot be found out.
    pub(super) fn is_alive(self) -> bool {
        self.start != 0 && start_of(self.pid) == Some(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_itself_and_is_not_its_namesake() {
        let own = Identity::own();
        assert!(own.is_alive());
        assert!(!Identity { start: own.start + 1, ..own }.is_alive(), "same number, other start");
        assert!(!Identity { start: 0, ..own }.is_alive(), "an unknown start proves nothing");
        assert!(!Identity { pid: u32::MAX, ..own }.is_alive());
    }
}

//! Where this very program may be killed, so that it can be proven that nothing is lost by it.
//!
//! Wherever something begins or is done that others see (a line of the journal, a request, a folder, a process) there is
//! a [`point`] with a name. A program that was [armed](arm) dies at one of them as `kill -9` would have it: tests
//! kill it at each, and look at what comes of the run. All of it is in debug builds only; in release builds there is
//! nothing of it.

use std::path::PathBuf;

/// Says where this process is to die: at the `at`-th point that it reaches, from 1, whichever thread reaches it; and
/// where the names of the points are to be written as they are reached, a line each. Only the first call counts.
#[cfg(debug_assertions)]
pub fn arm(at: Option<u64>, log: Option<PathBuf>) {
    armed::arm(at, log);
}

/// Does nothing in this build.
#[cfg(not(debug_assertions))]
pub fn arm(_: Option<u64>, _: Option<PathBuf>) {}

/// Here this process may be killed.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    armed::point(name);
}

/// Does nothing in this build.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_: &'static str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::fs::File;
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::{Mutex, OnceLock, PoisonError};

    static ARMED: OnceLock<Mutex<Armed>> = OnceLock::new();

    struct Armed {
        at: Option<u64>,
        log: Option<File>,
        reached: u64,
    }

    pub(super) fn arm(at: Option<u64>, log: Option<PathBuf>) {
        let open = |path| File::options().append(true).create(true).open(path).ok();
        if at.is_some() || log.is_some() {
            ARMED.get_or_init(|| Mutex::new(Armed { at, log: log.and_then(open), reached: 0 }));
        }
    }

    pub(super) fn point(name: &'static str) {
        let Some(armed) = ARMED.get() else { return };
        // Held while it dies, so that no other thread gets past its own next point.
        let mut armed = armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.reached += 1;
        if let Some(log) = &mut armed.log {
            _ = log.write_all(format!("{name}\n").as_bytes());
        }
        if armed.at == Some(armed.reached) {
            die();
        }
    }

    #[cfg(unix)]
    fn die() {
        use rustix::process::{Signal, getpid, kill_process};
        _ = kill_process(getpid(), Signal::KILL);
    }

    #[cfg(not(unix))]
    fn die() {
        std::process::abort();
    }
}

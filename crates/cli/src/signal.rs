//! Signals ring the bell. The program's only platform code.
//!
//! Not tried: anything but Linux.

use std::sync::Arc;

use dataflow_runner_core::bell::Bell;

/// What to ask who interrupts the program at a terminal.
pub(crate) struct Ask {
    /// Puts the question.
    pub(crate) question: Box<dyn Fn() + Send>,
    /// What a yes does, before the bell rings.
    pub(crate) yes: Box<dyn Fn() + Send>,
}

/// From now on HUP, INT and TERM ring the bell instead of ending the program; those that are ignored at
/// start (`nohup`, a background command of a script) stay ignored.
///
/// # Errors
/// The system refuses.
#[cfg(unix)]
pub(crate) fn ring(bell: &Arc<Bell>, mut ask: Option<Ask>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let ignored = ignored();
    let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|n| ignored >> (n - 1) & 1 == 0);
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    let bell = Arc::clone(bell);
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        loop {
            let numbers: Vec<_> = signals.wait().collect();
            for number in numbers {
                // Another signal than Ctrl-C means what it means, also in the middle of the question.
                let other = match (number, ask.take()) {
                    (SIGINT, Some(ask)) => put(&ask, &mut signals),
                    _ => None,
                };
                bell.signal(other.unwrap_or(number));
            }
        }
    })?;
    Ok(())
}

/// Asks, and does what a yes does. Another signal, which is given back, the end of the input, or a minute without an
/// answer is a no.
#[cfg(unix)]
fn put(ask: &Ask, signals: &mut signal_hook::iterator::Signals) -> Option<i32> {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::{Duration, Instant};

    /// Between two looks whether another signal came.
    const LOOK: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(60);

    (ask.question)();
    let (told, answer) = channel();
    // It may read for ever: then it ends with the program.
    let reader = std::thread::Builder::new().name("answer".into()).spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        let _ = told.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"));
    });
    let since = Instant::now();
    while reader.is_ok() && since.elapsed() < LONGEST {
        match answer.recv_timeout(LOOK) {
            Ok(true) => {
                (ask.yes)();
                return None;
            }
            Err(RecvTimeoutError::Timeout) => {
                let other = signals.pending().next();
                if other.is_some() {
                    return other;
                }
            }
            _ => return None,
        }
    }
    None
}

/// The signals that are ignored, the first one in the lowest bit. Where that cannot be told: none.
///
/// Linux tells it in `SigIgn` of `/proc/self/status`, proc(5); asking `sigaction` would need unsafe code.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// From now on Ctrl-C rings the bell.
///
/// # Errors
/// The system refuses.
#[cfg(not(unix))]
pub(crate) fn ring(bell: &Arc<Bell>, _ask: Option<Ask>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};

    for number in [SIGINT, SIGTERM] {
        let flag = Arc::new(std::sync::atomic::AtomicBool::new(false));
        signal_hook::flag::register(number, Arc::clone(&flag))?;
        let bell = Arc::clone(bell);
        // There is no pipe to wait on here, so somebody must look.
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            loop {
                std::thread::park_timeout(std::time::Duration::from_millis(200));
                if flag.swap(false, std::sync::atomic::Ordering::Relaxed) {
                    bell.signal(number);
                }
            }
        })?;
    }
    Ok(())
}

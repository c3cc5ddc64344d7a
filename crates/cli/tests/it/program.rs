//! The program while it runs: what it says, and the signals it is sent.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What has not come by then never will.
const LONGEST: Duration = Duration::from_secs(60);
/// Between two looks at what nobody tells, and two signals to who does not end.
const LOOK: Duration = Duration::from_millis(20);
/// Signals within a second are one wish.
const ONE_WISH: Duration = Duration::from_millis(1050);

/// The program, started.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (told, lines) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).expect("text") > 0 {
                if told.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, said: String::new() }
    }

    /// Hears what it says for so long at most; whether it has said its last.
    fn hear(&mut self, limit: Duration) -> bool {
        match self.lines.recv_timeout(limit) {
            Ok(line) => {
                self.said += &line;
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        }
    }

    /// Waits until it has said this.
    pub(crate) fn says(&mut self, text: &str) {
        self.until(text, |said| said.contains(text));
    }

    /// Waits until this is so, of what it has said or of anything else.
    pub(crate) fn until(&mut self, what: &str, mut so: impl FnMut(&str) -> bool) {
        let since = Instant::now();
        while !so(&self.said) {
            assert!(!self.hear(LOOK), "it ended before `{what}`: {}", self.said);
            assert!(since.elapsed() < LONGEST, "never `{what}`: {}", self.said);
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // Until somebody waits for it, it is there.
        kill_process(pid.expect("a process"), signal).expect("it is there");
    }

    /// Sends a signal until those that came are more than one wish.
    pub(crate) fn insists(&mut self, signal: Signal) {
        let since = Instant::now();
        while since.elapsed() < ONE_WISH {
            self.signal(signal);
            assert!(!self.hear(LOOK), "it ended: {}", self.said);
        }
    }

    /// Sends a signal until it ends.
    pub(crate) fn signals_to_the_end(&mut self, signal: Signal) {
        let since = Instant::now();
        while !self.hear(LOOK) {
            assert!(since.elapsed() < LONGEST, "it does not end: {}", self.said);
            self.signal(signal);
        }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ends");
    }

    /// How it ended, and all it said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let since = Instant::now();
        while !self.hear(LOOK) {
            assert!(since.elapsed() < LONGEST, "it does not end: {}", self.said);
        }
        (self.child.wait().expect("it ends").code(), self.said)
    }
}

/// Does the same with all of these, a few at once: each waits most of its time. Those before that fail do not keep the
/// rest from being tried.
pub(crate) fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut failed = None;
                while let Some(one) =
                    all.get(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
                {
                    let one = std::panic::AssertUnwindSafe(|| work(one));
                    failed = std::panic::catch_unwind(one).err().or(failed);
                }
                if let Some(failed) = failed {
                    std::panic::resume_unwind(failed);
                }
            });
        }
    });
}

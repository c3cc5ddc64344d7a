//! Programs that are run for what they say, such as those that hand out credentials.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::bell::Bell;

/// How soon its end is noticed.
const SOON: Duration = Duration::from_millis(10);
/// The most that is listened to, in bytes.
const LONGEST: u64 = 1 << 20;

/// What came of a program.
#[derive(Debug)]
pub(super) enum Said {
    /// All it said, and how it ended.
    All(Vec<u8>, ExitStatus),
    /// There is none, or it must not be run.
    NotStarted(io::Error),
    /// Nobody knows what it did.
    Lost(io::Error),
    /// It did not end in time or before a signal came, and was killed.
    TooLate,
}

/// Runs a program to its end, but not for longer than `limit` or beyond a signal. What it says to its standard error
/// is dropped, as it may hold secrets.
pub(super) fn listen(command: &mut Command, bell: &Bell, limit: Duration) -> Said {
    let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(e) => return Said::NotStarted(e),
    };
    let end = end(&mut child, bell, limit);
    if !matches!(end, Ok(Some(_))) {
        let _ = child.kill();
        let _ = child.wait();
    }
    match end {
        Ok(Some((output, status))) => Said::All(output, status),
        Ok(None) => Said::TooLate,
        Err(e) => Said::Lost(e),
    }
}

/// All it says and how it ends, if it does so in time and no signal comes. It may close its output long before.
fn end(
    child: &mut Child,
    bell: &Bell,
    limit: Duration,
) -> io::Result<Option<(Vec<u8>, ExitStatus)>> {
    let Some(mut stdout) = child.stdout.take() else { return Ok(None) };
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let _ = stdout.by_ref().take(LONGEST).read_to_end(&mut output);
        sender.send(output)
    });
    let start = Instant::now();
    let mut said = None;
    loop {
        said = match said {
            None => receiver.recv_timeout(SOON).ok(),
            said => said,
        };
        if let Some(output) = said {
            if let Some(status) = child.try_wait()? {
                return Ok(Some((output, status)));
            }
            said = Some(output);
        }
        if start.elapsed() > limit || !bell.pause(SOON) {
            return Ok(None);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn said(line: &str, bell: &Bell) -> Said {
        listen(Command::new("sh").args(["-c", line]), bell, Duration::from_millis(200))
    }

    #[test]
    fn who_does_not_end_is_not_waited_for() {
        assert!(matches!(said("exec >&-; exec sleep 20", &Bell::new()), Said::TooLate));
        assert!(matches!(said("exec sleep 20", &Bell::new()), Said::TooLate));
        let bell = Bell::new();
        bell.signal(15);
        assert!(matches!(said("exec sleep 20", &bell), Said::TooLate));
    }
}

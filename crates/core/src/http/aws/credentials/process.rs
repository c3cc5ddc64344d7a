//! A program that hands out credentials
//! ([process provider](https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html)).

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use super::super::Credentials;
use super::Trouble;
use super::ask::{json, read};
use crate::bell::Bell;

/// It may have to ask somebody.
const LIMIT: Duration = Duration::from_secs(60);
/// How soon its end is noticed.
const SOON: Duration = Duration::from_millis(10);

/// Runs it by the shell, as the line is one for a shell. Neither the line nor what the program says is shown: both may
/// hold secrets.
pub(super) fn run(line: &str, bell: &Bell) -> Result<Credentials, Trouble> {
    let who = "the `credential_process` of the profile";
    let mut child = shell(line)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| Trouble::auth(format!("{who} cannot be started: {e}")))?;
    let end = end(&mut child, bell, LIMIT);
    if !matches!(end, Ok(Some(_))) {
        let _ = child.kill();
        let _ = child.wait();
    }
    let end = end.map_err(|e| Trouble::unavailable(format!("{who} is lost: {e}")))?;
    let (output, status) = end.ok_or_else(|| {
        Trouble::unavailable(format!("{who} did not end within {LIMIT:?}, or before a signal came"))
    })?;
    if !status.success() {
        return Err(Trouble::auth(format!("{who} failed: {status}")));
    }
    let value = json(who, &output)?;
    if value.get("Version").and_then(serde_json::Value::as_i64) != Some(1) {
        return Err(Trouble::auth(format!("{who} did not answer in version 1 of its format")));
    }
    read(who, &value, ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"])
}

fn shell(line: &str) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd.exe", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(shell);
    command.args([flag, line]);
    command
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
        let _ = stdout.by_ref().take(1 << 20).read_to_end(&mut output);
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

    fn ended(line: &str, bell: &Bell) -> Option<Vec<u8>> {
        let mut child = shell(line).stdout(Stdio::piped()).spawn().expect("starts");
        let end = end(&mut child, bell, Duration::from_millis(200)).expect("is there");
        let _ = child.kill();
        let _ = child.wait();
        end.map(|(output, _)| output)
    }

    #[test]
    fn who_does_not_end_is_not_waited_for() {
        assert_eq!(ended("exec >&-; exec sleep 20", &Bell::new()), None);
        assert_eq!(ended("exec sleep 20", &Bell::new()), None);
        let bell = Bell::new();
        bell.signal(15);
        assert_eq!(ended("exec sleep 20", &bell), None);
    }
}

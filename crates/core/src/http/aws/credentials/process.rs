//! A program that hands out credentials
//! ([process provider](https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html)).

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::super::Credentials;
use super::Trouble;
use super::ask::{json, read};
use crate::bell::Bell;

/// It may have to ask somebody.
const LIMIT: Duration = Duration::from_secs(60);
/// How soon a signal is noticed meanwhile.
const GLANCE: Duration = Duration::from_millis(100);

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
    let output = output(&mut child, bell);
    if output.is_none() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| Trouble::unavailable(format!("{who} is lost: {e}")))?;
    let output = output
        .ok_or_else(|| Trouble::unavailable(format!("{who} did not end within {LIMIT:?}")))?;
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

/// All it says, if it ends in time and no signal comes.
fn output(child: &mut Child, bell: &Bell) -> Option<Vec<u8>> {
    let mut stdout = child.stdout.take()?;
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let _ = stdout.by_ref().take(1 << 20).read_to_end(&mut output);
        sender.send(output)
    });
    let start = Instant::now();
    loop {
        match receiver.recv_timeout(GLANCE) {
            Ok(output) => return Some(output),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                if start.elapsed() > LIMIT || !bell.pause(Duration::ZERO) {
                    return None;
                }
            }
        }
    }
}

//! A program that hands out credentials
//! ([process provider](https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html)).

use std::process::{Command, Stdio};
use std::time::Duration;

use super::super::Credentials;
use super::Trouble;
use super::ask::{json, read};
use crate::bell::Bell;
use crate::http::program::{Said, listen};

/// It may have to ask somebody.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs it by the shell, as the line is one for a shell. Neither the line nor what the program says is shown: both may
/// hold secrets.
pub(super) fn run(line: &str, bell: &Bell) -> Result<Credentials, Trouble> {
    let who = "the `credential_process` of the profile";
    let mut command = shell(line);
    let (output, status) = match listen(command.stdin(Stdio::null()), bell, LIMIT) {
        Said::All(output, status) => (output, status),
        Said::NotStarted(e) => {
            return Err(Trouble::auth(format!("{who} cannot be started: {e}")));
        }
        Said::Lost(e) => return Err(Trouble::unavailable(format!("{who} is lost: {e}"))),
        Said::TooLate => {
            return Err(Trouble::unavailable(format!(
                "{who} did not end within {LIMIT:?}, or before a signal came"
            )));
        }
    };
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

//! Reports what went wrong to Sentry, if the user has named one. The protocol is a POST of a few lines of JSON
//! (<https://develop.sentry.dev/sdk/foundations/transport/envelopes/>), so it is written here by hand.

mod dsn;
pub(crate) mod trouble;

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock;
use dataflow_runner_core::environment::Environment;
use dataflow_runner_core::http::{Client, Reply, Request};
use serde_json::json;

use crate::exit::Exit;
pub(crate) use dsn::Dsn;
use trouble::Trouble;

/// Nobody waits longer for Sentry, as in 0.7.x.
const LIMIT: Duration = Duration::from_secs(5);

/// Who sends it.
const CLIENT: &str = concat!("dataflow-runner/", env!("CARGO_PKG_VERSION"));

/// What Sentry calls this version.
const RELEASE: &str = concat!("dataflow-runner@", env!("CARGO_PKG_VERSION"));

/// Whether an end is one to report: all that went wrong, but not wrong usage, and not that somebody else is at work.
pub(crate) fn is_error(exit: Exit) -> bool {
    !matches!(exit, Exit::Success | Exit::Noop(_) | Exit::Usage | Exit::Locked)
}

/// Sends a report and waits until it is taken, five seconds at most.
///
/// # Errors
/// Why it was not taken, without the DSN.
pub(crate) fn report(
    dsn: &Dsn,
    command: &str,
    exit: Exit,
    trouble: &Trouble,
    environment: Environment,
) -> Result<(), String> {
    let request = Request {
        method: "POST",
        url: dsn.url(),
        headers: vec![
            ("content-type".to_owned(), "application/x-sentry-envelope".to_owned()),
            ("x-sentry-auth".to_owned(), dsn.authentication(CLIENT)),
        ],
        body: envelope(command, exit, trouble).into_bytes(),
    };
    let (answer, answered) = mpsc::channel();
    let send = move || {
        // Whoever has waited long enough is gone.
        _ = answer.send(sent(&request, &environment));
    };
    let thread = std::thread::Builder::new().name("sentry".into());
    thread.spawn(send).map_err(|error| error.to_string())?;
    // The limit of a request is the client's; this one holds whatever keeps it, such as looking up a name.
    answered.recv_timeout(LIMIT).unwrap_or_else(|_| Err("it did not answer in time".to_owned()))
}

fn sent(request: &Request, environment: &Environment) -> Result<(), String> {
    let client = Client::new(environment, Arc::new(Bell::new()))?;
    match client.send(request, LIMIT) {
        Ok(Reply { status: 200..300, .. }) => Ok(()),
        Ok(Reply { status, .. }) => Err(format!("it answered with status {status}")),
        Err(fault) => Err(fault.to_string()),
    }
}

/// An envelope with one event: three lines of JSON.
fn envelope(command: &str, exit: Exit, trouble: &Trouble) -> String {
    let id = format!("{:016x}{:016x}", chance(), chance());
    let now = clock::timestamp().to_string();
    let fabric = trouble.fabric().unwrap_or("none");
    let code = exit.code().to_string();
    let event = json!({
        "event_id": id,
        "timestamp": now,
        "platform": "other",
        "level": "error",
        "logger": "dataflow-runner",
        "release": RELEASE,
        "tags": { "command": command, "fabric": fabric, "exit_code": code },
        "logentry": { "formatted": trouble.message() },
        "extra": { "run": trouble.run(), "failed_steps": trouble.steps() },
        // Messages have ids in them, by which each would be of its own kind.
        "fingerprint": [command, fabric, code, trouble.kind()],
    });
    let event = event.to_string();
    let head = json!({ "event_id": id, "sent_at": now });
    let item = json!({ "type": "event", "length": event.len() });
    format!("{head}\n{item}\n{event}\n")
}

/// A number that nobody could have guessed, from the standard library's own source of such numbers.
fn chance() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_error_is_not_reported() {
        for exit in [Exit::Success, Exit::Noop(9), Exit::Usage, Exit::Locked] {
            assert!(!is_error(exit), "{exit:?}");
        }
        let errors = [Exit::Failed, Exit::Invalid, Exit::Refused, Exit::InDoubt, Exit::Signal(15)];
        assert!(errors.into_iter().all(is_error));
    }

    #[test]
    fn an_envelope_is_three_lines_of_json_of_the_length_it_says() {
        let text = envelope("run", Exit::Failed, &Trouble::default());
        let [head, item, event] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
        let json = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
        assert_eq!(json(item)["length"], event.len());
        assert_eq!(json(head)["event_id"], json(event)["event_id"]);
        assert_eq!(json(event)["event_id"].as_str().map(str::len), Some(32));
        assert_eq!(json(event)["fingerprint"], json!(["run", "none", "1", "other"]));
    }
}

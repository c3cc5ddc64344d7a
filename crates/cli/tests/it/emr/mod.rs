//! The commands of 0.7.x against the fake of EMR: files, messages, requests and exit codes.

mod bodies;
mod clusters;
mod comebacks;
mod commands;
mod credentials;
mod failures;
mod faults;
mod keys;
mod logs;
mod orphans;
mod reached;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod stops;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::fabric::emr::fake::{Fake, Script, Tempo};

use crate::harness::{Place, Ran, emr_cluster, emr_playbook, playbook_1, recorded};

/// A folder with a cluster file `c.json` and a playbook `p.json`, and a far side of its own.
pub(super) struct Site {
    pub(super) place: Place,
    pub(super) fake: Arc<Fake>,
}

impl Site {
    /// Steps `first` and `second`. Time goes by with the questions that are asked, a minute each, so a program that
    /// asks has nothing to wait for.
    pub(super) fn new(script: Script) -> Self {
        Self::at(Tempo::notch_of(60), script)
    }

    /// The same, but time goes by as it is told.
    pub(super) fn at(tempo: Tempo, script: Script) -> Self {
        let place = Place::new()
            .with("c.json", emr_cluster())
            .with("p.json", emr_playbook(&["first", "second"], "CANCEL_AND_WAIT"));
        let fake = Fake::start(Script { tempo, ..script });
        Self { place, fake: Arc::new(fake.expect("a port")) }
    }

    /// Another place with the same files and the same far side, where nobody knows what was done here: another pod.
    pub(super) fn pod(&self) -> Self {
        Self { place: self.place.twin(), fake: Arc::clone(&self.fake) }
    }

    /// With another playbook.
    pub(super) fn playing(self, playbook: impl AsRef<[u8]>) -> Self {
        self.with("p.json", playbook)
    }

    /// With another file.
    pub(super) fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        Self { place: self.place.with(name, text), ..self }
    }

    /// The program with arguments that have no spaces in them, about to be run here.
    pub(super) fn command(&self, line: &str) -> Command {
        let mut command = self.place.command(line.split(' '));
        hasten(&mut command, &self.fake);
        command
    }

    /// Runs the program.
    pub(super) fn words(&self, line: &str) -> Ran {
        Ran::from(self.command(line).output().expect("it starts"))
    }

    /// A cluster that is up; its id.
    pub(super) fn up(&self) -> String {
        let ran = self.words("up -emr-config c.json");
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stdout.trim().to_owned()
    }

    /// What the far side was asked to do, questions left out.
    pub(super) fn orders(&self) -> Vec<String> {
        let orders = ["RunJobFlow", "AddJobFlowSteps", "CancelSteps", "TerminateJobFlows"];
        let names = self.fake.requests().into_iter().map(|request| request.operation);
        names.filter(|name| orders.contains(&name.as_str())).collect()
    }

    /// Nothing runs any more, and nothing was done twice.
    pub(super) fn nothing_is_left(&self) {
        self.nothing_was_twice();
        self.fake.pass(Duration::from_secs(3600));
        let alive =
            self.fake.world(|world| world.alive().map(|one| one.id.clone()).collect::<Vec<_>>());
        assert_eq!(alive, [""; 0], "clusters are left");
    }

    /// Nothing was done twice, nor anything else that should never be.
    pub(super) fn nothing_was_twice(&self) {
        assert_eq!(self.fake.world(|world| world.violations().to_vec()), [""; 0]);
    }
}

/// Leads the program to a far side, and lets it wait for nothing.
pub(super) fn hasten(command: &mut Command, fake: &Fake) {
    for (name, value) in fake.environment() {
        command.env(name, recorded(&value));
    }
    for (name, value) in [
        ("POLL_INTERVAL", "0.05s"),
        ("BOOTSTRAP_RETRY_DELAY", "0s"),
        ("LOG_WAIT", "0s"),
        ("SETTLE", "0.1s"),
        ("QUOTA_FACTOR", "1000"),
    ] {
        command.env(format!("DATAFLOW_RUNNER_{name}"), value);
    }
}

/// What was said, level and all, with the ids and times that no test knows as `j-…`, `s-…`, `r-…` and `TIME`.
pub(super) fn said(ran: &Ran) -> Vec<String> {
    ran.messages().into_iter().map(plain).collect()
}

fn plain(message: &str) -> String {
    let ends = |c: char| !c.is_ascii_alphanumeric() && !"-:._".contains(c);
    let word = |word: &str| {
        let told = word.trim_end_matches(['.', ':', ',']);
        let rest = &word[told.len()..];
        let is_id = told.len() == 15 && told[2..].bytes().all(|b| b.is_ascii_alphanumeric());
        let is_time = told.len() == 20 && told.ends_with('Z') && told.starts_with("20");
        match told.get(..2) {
            Some(kind @ ("j-" | "s-")) if is_id => format!("{kind}…{rest}"),
            Some("r-") => format!("r-…{rest}"),
            _ if is_time => format!("TIME{rest}"),
            _ => word.to_owned(),
        }
    };
    message
        .split_inclusive(ends)
        .map(|part| {
            let end = part.find(ends).unwrap_or(part.len());
            word(&part[..end]) + &part[end..]
        })
        .collect()
}

/// Starts a command whose messages can be read while it runs.
pub(super) fn watched(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
}

/// A process that drives a run; it ends with the test, whatever becomes of that.
pub(super) struct Driver {
    child: Child,
    fake: Arc<Fake>,
}

/// Starts it, and waits until it says this.
pub(super) fn begun(site: &Site, line: &str, text: &str) -> Driver {
    let mut child = watched(site.command(line));
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let driver = Driver { child, fake: Arc::clone(&site.fake) };
    while !said.contains(text) {
        assert_ne!(stderr.read_line(&mut said).expect("text"), 0, "{line}: {said}");
    }
    // Else it would wait at some time until it can say more.
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    driver
}

/// Starts it, and kills it once it says this.
pub(super) fn dies(site: &Site, line: &str, text: &str) {
    begun(site, line, text).kill();
}

impl Driver {
    /// Kills it. All that it asked for is done then.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        self.fake.drain().expect("the fake answers itself");
    }

    /// Waits for its end; its exit code.
    pub(super) fn end(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It has mostly ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn files_for_emr_are_linted_and_planned_without_credentials() {
    let place = Place::new()
        .with("c.json", emr_cluster())
        .with("p.json", playbook_1(r#""CANCEL_AND_WAIT""#));
    let ran = place.words("lint c.json p.json");
    assert_eq!((ran.messages(), ran.code), (vec!["info msg=\"2 files are valid\""], Some(0)));
    for line in ["plan -emr-config c.json -emr-playbook p.json", "plan -emr-playbook p.json"] {
        let ran = place.words(line);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{line}");
        let first = "Playbook p on emr: 1 step in 1 stage, at most 1 at once\n";
        assert!(ran.stdout.starts_with(first), "{}", ran.stdout);
    }
}

#[test]
fn without_credentials_nothing_is_begun() {
    let place = Place::new()
        .with("c.json", emr_cluster())
        .with("p.json", playbook_1(r#""CANCEL_AND_WAIT""#));
    for line in [
        "up -emr-config c.json",
        "run -emr-playbook p.json -emr-cluster j-1",
        "run-transient -emr-config c.json -emr-playbook p.json",
        "down -emr-config c.json -emr-cluster j-1",
    ] {
        let ran = place.words(line);
        assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)), "{line}");
        let fault = "error[aws-settings]: emr credentials: the credentials are to come from the environment, \
                     but `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` are not set";
        assert!(ran.stderr.starts_with(fault), "{}", ran.stderr);
        assert!(!place.state().exists(), "{line}");
    }
}

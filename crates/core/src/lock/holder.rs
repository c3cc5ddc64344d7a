//! What is in a lock: who holds it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fabric::RunId;
use crate::fabric::local::process::{self, Identity};

/// The version of what is written into locks. One that is higher is a held lock all the same.
const VERSION: u32 = 1;

/// When a lock is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// When its run has succeeded; it stays after all else, a crash too.
    Hard,
    /// With its run, however that ends.
    Soft,
}

/// Where a process runs, and as whom.
#[derive(Clone, Debug, Default)]
pub struct Here {
    /// The user's name.
    pub user: String,
    /// The machine's name.
    pub host: String,
}

/// Who holds a lock. In the lock it is a line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// The version of this form.
    dataflow_runner_lock: u32,
    /// When it is released.
    pub kind: Kind,
    /// The user's name.
    pub user: String,
    /// The machine's name.
    pub host: String,
    /// The process's number.
    pub pid: u32,
    /// When the process started, in the platform's own unit; 0: not known.
    start: u64,
    /// Within what numbers of processes mean the same, see [`process::machine`].
    machine: String,
    /// The run.
    pub run: RunId,
    /// The version of the program.
    pub program: String,
    /// Since when.
    pub since: Timestamp,
    /// Told apart from all other holders by this, also from the same one on another day.
    nonce: String,
}

/// Whose a lock is, by what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A run of this program.
    Run(Box<Holder>),
    /// A run of 0.7.x, which writes the number of a process.
    Old {
        /// The number: of the process that started it where the lock is a file, else its own.
        pid: u32,
    },
    /// Not known: something else is in it, so much of it.
    Foreign {
        /// In bytes.
        size: usize,
    },
}

impl Holder {
    /// This process, about to hold a lock for a run. `chance` is a number that nobody could have guessed.
    pub fn new(
        kind: Kind,
        here: Here,
        run: RunId,
        program: &str,
        now: Timestamp,
        chance: u64,
    ) -> Self {
        let own = Identity::own();
        Self {
            dataflow_runner_lock: VERSION,
            kind,
            user: here.user,
            host: here.host,
            pid: own.pid,
            start: own.start,
            machine: process::machine(),
            run,
            program: program.to_owned(),
            since: now,
            nonce: format!("{chance:016x}"),
        }
    }

    /// The same, as it says of itself when it takes a lock now.
    pub(super) fn at(&self, now: Timestamp) -> Self {
        Self { since: now, ..self.clone() }
    }

    /// A name that no other holder has, fit for a file's name.
    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The line.
    pub(super) fn line(&self) -> Vec<u8> {
        // Made of strings and numbers only, which always serialise.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// Whether these words are of the same holder.
    pub(super) fn wrote(&self, content: &[u8]) -> bool {
        matches!(Owner::of(content), Owner::Run(holder) if holder.nonce == self.nonce)
    }

    /// Whether it is proven that the process runs no more. It is not for a process of another machine, of another
    /// container, or from before a restart: two machines may have one name.
    pub(super) fn is_gone(&self, host: &str) -> bool {
        self.host == host
            && self.machine == process::machine()
            && Identity { pid: self.pid, start: self.start }.is_gone()
    }
}

impl Owner {
    /// What is in a lock, read.
    pub(crate) fn of(content: &[u8]) -> Self {
        let foreign = Self::Foreign { size: content.len() };
        let Ok(text) = std::str::from_utf8(content) else { return foreign };
        let text = text.trim();
        if let Ok(holder) = serde_json::from_str::<Holder>(text) {
            return Self::Run(Box::new(holder));
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(pid) if digits => Self::Old { pid },
            _ => foreign,
        }
    }

    /// Since when, if it says so.
    pub(super) fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Run(holder) => Some(holder.since),
            Self::Old { .. } | Self::Foreign { .. } => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
        })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(holder) => {
                let Holder { user, host, pid, run, .. } = holder.as_ref();
                write!(f, "held by `{user}` on `{host}`, process {pid}, run `{run}`")
            }
            Self::Old { pid } => {
                write!(f, "held by dataflow-runner 0.7.x, which noted process {pid}")
            }
            Self::Foreign { size: 0 } => f.write_str("held, but it is empty: nobody knows by whom"),
            Self::Foreign { size } => {
                write!(f, "held by something that is not dataflow-runner ({size} bytes)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holder() -> Holder {
        let here = Here { user: "hadoop".into(), host: "box".into() };
        let run = RunId::new("r-1");
        Holder::new(Kind::Soft, here, run, "0.8.0", Timestamp::UNIX_EPOCH, 7)
    }

    #[test]
    fn a_line_says_who_holds_it() {
        let line = holder().line();
        let text = std::str::from_utf8(&line).expect("text");
        assert!(text.starts_with(r#"{"dataflowRunnerLock":1,"kind":"soft","user":"hadoop""#));
        assert_eq!(text.find('\n'), Some(text.len() - 1), "one line");
        let Owner::Run(read) = Owner::of(&line) else { panic!("not ours: {text}") };
        assert_eq!(*read, holder());
        let pid = std::process::id();
        let said = format!("held by `hadoop` on `box`, process {pid}, run `r-1`");
        assert_eq!(Owner::of(&line).to_string(), said);
    }

    #[test]
    fn what_0_7_wrote_is_known() {
        for text in ["4711\n", "4711", " 4711 \n"] {
            assert_eq!(Owner::of(text.as_bytes()), Owner::Old { pid: 4711 }, "{text:?}");
        }
        for text in ["", "+1", "-1", "99999999999", "1 2", "{}", "\u{0661}"] {
            let size = text.len();
            assert_eq!(Owner::of(text.as_bytes()), Owner::Foreign { size }, "{text:?}");
        }
    }

    #[test]
    fn a_later_version_may_say_more() {
        let line = String::from_utf8(holder().line()).expect("text");
        let later =
            line.replacen("\"dataflowRunnerLock\":1", "\"new\":[],\"dataflowRunnerLock\":2", 1);
        assert!(matches!(Owner::of(later.as_bytes()), Owner::Run(_)), "{later}");
    }

    #[test]
    fn only_the_dead_of_this_machine_are_gone() {
        let own = holder();
        assert!(!own.is_gone("box"), "it runs");
        let dead = Holder { start: own.start + 1, ..own.clone() };
        assert!(dead.is_gone("box"));
        assert!(!dead.is_gone("other"));
        let elsewhere = Holder { machine: "m".into(), ..dead };
        assert!(!elsewhere.is_gone("box"));
    }

    proptest! {
        #[test]
        fn whatever_is_in_it_it_is_held(content: Vec<u8>) {
            let owner = Owner::of(&content);
            prop_assert!(!matches!(owner, Owner::Run(_)));
            prop_assert!(owner.to_string().starts_with("held"));
        }

        #[test]
        fn names_come_back_as_they_were(user: String, host: String, chance: u64) {
            let holder = Holder::new(
                Kind::Hard, Here { user, host }, RunId::new("r"), "0", Timestamp::UNIX_EPOCH, chance,
            );
            let line = holder.line();
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            prop_assert!(holder.wrote(&line));
            let other = Holder { nonce: "x".into(), ..holder.clone() };
            prop_assert!(!other.wrote(&line));
            prop_assert_eq!(Owner::of(&line), Owner::Run(Box::new(holder)));
        }
    }
}

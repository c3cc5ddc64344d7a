//! Who drives a run.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fabric::local::process::{self, Identity};

/// A process that drives a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// The name of its machine.
    pub host: String,
    /// Its number there.
    pub pid: u32,
    /// When it was started, as its machine counts: with the number, that is no other process for sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
}

impl Driver {
    /// This process, on the machine of that name.
    pub fn own(host: impl Into<String>) -> Self {
        let Identity { pid, start } = Identity::own();
        Self { host: host.into(), pid, start: (start != 0).then_some(start) }
    }

    /// Whether it is surely gone: it was a process of the machine of that name, and is none any more.
    pub fn is_gone(&self, here: &str) -> bool {
        self.host == here && self.known().is_some_and(|it| !it.is_alive())
    }

    /// Asks it to end, as `kill` does, if it is a process of the machine of that name and surely still the same.
    /// Whether it was asked.
    pub fn ask_to_end(&self, here: &str) -> bool {
        let asks = |it: Identity| it.is_alive() && process::ask_to_end(it.pid);
        self.host == here && self.known().is_some_and(asks)
    }

    fn known(&self) -> Option<Identity> {
        self.start.map(|start| Identity { pid: self.pid, start })
    }
}

/// For people: `process 4711 on host etl-3`.
impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on host {}", self.pid, self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gone_is_who_surely_is() {
        let own = Driver::own("here");
        assert!(!own.is_gone("here"));
        let gone = Driver { pid: u32::MAX, ..own.clone() };
        assert_eq!(gone.is_gone("here"), gone.start.is_some());
        assert!(!gone.is_gone("there") && !Driver { start: None, ..gone }.is_gone("here"));
    }

    #[test]
    fn nobody_is_asked_by_mistake() {
        let own = Driver::own("here");
        let strangers = [
            Driver { host: "there".into(), ..own.clone() },
            Driver { start: own.start.map(|start| start + 1), ..own.clone() },
            Driver { start: None, ..own.clone() },
            // No process can have this number.
            Driver { pid: u32::MAX, ..own },
        ];
        for stranger in strangers {
            assert!(!stranger.ask_to_end("here"), "{stranger}");
        }
    }
}

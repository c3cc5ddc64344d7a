//! The suite that every fabric must pass, over this one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::config::playbook::Step;
use dataflow_runner_core::fabric::Fabric;
use dataflow_runner_core::fabric::conformance::{Behaviour, CASES, Subject};
use dataflow_runner_core::fabric::local::Local;
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::bench::{command, config, local};

struct Here {
    folder: TempDir,
    bell: Arc<Bell>,
    local: Local,
}

impl Here {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let bell = Arc::new(Bell::new());
        let local = local(&folder.path().join("clusters"), config(Duration::from_secs(60)), &bell);
        Self { folder, bell, local }
    }
}

impl Subject for Here {
    fn fabric(&self) -> &dyn Fabric {
        &self.local
    }

    fn step(&self, id: &str, does: Behaviour) -> Step {
        let step = match does {
            Behaviour::Exits(code) => command(&["sh", "-c", &format!("echo ended; exit {code}")]),
            // Nobody ever writes to what it reads.
            Behaviour::RunsUntilStopped => command(&["tail", "-f", "/dev/null"]),
        };
        Step { id: id.to_owned(), ..step }
    }

    fn file(&self) -> PathBuf {
        let path = self.folder.path().join("a file");
        std::fs::write(&path, "content").expect("it can be written");
        path
    }

    fn wait(&self) {
        // A start rings no bell, so a look follows soon in any case.
        self.bell.wait(Duration::from_millis(20));
    }
}

/// A trial for each case.
pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    CASES.iter().map(|(name, case)| {
        Trial::test(format!("conformance::{name}"), move || {
            case(&Here::new());
            Ok(())
        })
    })
}

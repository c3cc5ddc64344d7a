//! The suite that every fabric must pass.

use std::path::PathBuf;

use super::*;
use crate::fabric::conformance::{Behaviour, CASES, Subject};

struct Under {
    there: There,
    folder: tempfile::TempDir,
}

impl Subject for Under {
    fn fabric(&self) -> &dyn Fabric {
        &self.there.dataproc
    }

    fn step(&self, id: &str, does: Behaviour) -> Step {
        let script = match does {
            Behaviour::Exits(code) => StepScript::exits(code, 1),
            Behaviour::RunsUntilStopped => StepScript::never_ends(),
        };
        // The run's id is of the suite's own making.
        let job = format!("r-conformance-{id}-");
        self.there.fake.world(|world| world.script.steps.insert(job, vec![script]));
        command(id)
    }

    fn file(&self) -> PathBuf {
        let path = self.folder.path().join("a file");
        std::fs::write(&path, "content").expect("a file");
        path
    }

    fn wait(&self) {
        self.there.pass(1);
    }
}

#[test]
fn every_case() {
    for (name, case) in CASES {
        println!("{name}");
        let soon = ClusterScript {
            creating: Duration::from_secs(2),
            deleting: Duration::from_secs(2),
            ..ClusterScript::default()
        };
        // Lists tell of things later than they are there, and in small pages.
        let script = Script { late_jobs: Duration::from_secs(2), page: 2, ..Script::default() };
        let folder = tempfile::tempdir().expect("a folder");
        let staging = format!(r#", "stagingBucket": "{BUCKET}""#);
        case(&Under { there: There::with(script.cluster(soon), &staging), folder });
    }
}

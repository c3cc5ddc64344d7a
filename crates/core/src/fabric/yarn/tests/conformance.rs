//! The suite that every fabric must pass.

use std::path::PathBuf;

use super::*;
use crate::fabric::conformance::{Behaviour, CASES, Subject};
use crate::fabric::yarn::fake::StepScript;

struct Under {
    there: There,
    folder: tempfile::TempDir,
}

impl Subject for Under {
    fn fabric(&self) -> &dyn Fabric {
        &self.there.yarn
    }

    fn step(&self, id: &str, does: Behaviour) -> Step {
        let script = match does {
            Behaviour::Exits(code) => StepScript::exits(code, 1),
            Behaviour::RunsUntilStopped => StepScript::never_ends(),
        };
        self.there.fake.world(|world| world.script.steps.insert(id.to_owned(), vec![script]));
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
        let folder = tempfile::tempdir().expect("a folder");
        case(&Under { there: There::new(Script::default()), folder });
    }
}

//! What stands against a playbook on YARN, as far as it can be told before anything is sent.

use std::collections::HashSet;

use super::application::LONGEST_ARGUMENTS;
use super::lower::{is_brought, lower, name_of};
use crate::config::playbook::{Playbook, Program, Runner, Step};
use crate::diagnostic::{Diagnostics, code};
use crate::fabric::faults::Faults;
use crate::secret::Text;

/// Tags by which the applications of a step are found again: nobody else may set them.
const OURS: [&str; 3] = ["spark.yarn.tags", "yarn.tags", "mapreduce.job.tags"];

/// Tells all of it.
pub fn playbook(playbook: &Playbook, all: &mut Diagnostics) {
    let mut faults = Faults { source: &playbook.source, all };
    for step in &playbook.steps {
        faults.files(step);
        faults.properties(step);
        faults.length(step);
        if let Program::Copy { pattern: Some(pattern), .. } = &step.work.program {
            let message = "Hadoop's distcp cannot be told which files to copy by a pattern";
            let help = "name a folder that holds just these files";
            faults.error(pattern.span, code::COPY_PATTERN, message, help);
        }
    }
}

impl Faults<'_> {
    /// Files are brought to the node under the last parts of their names.
    fn files(&mut self, step: &Step) {
        let mut names = HashSet::new();
        for file in lower(step, "").files {
            let name = name_of(file.expose());
            if name.is_empty() || matches!(name, "." | "..") {
                self.error(file.span, code::MISSING_FILE, "the file has no name", "name a file");
            } else if !names.insert(name) || name == "launcher.jar" {
                let message = "the file has the same name as another of this step";
                self.error(
                    file.span,
                    code::DUPLICATE_FILE,
                    message,
                    "give one of them another name",
                );
            }
        }
        if let Some(jar) = local_only(step).filter(|jar| is_elsewhere(jar.expose())) {
            let message = "the file lies in a file system from which YARN brings nothing to a node";
            let help = "put it beside the playbook, into HDFS, or onto each node";
            self.error(jar.span, code::UNMAPPED_URI, message, help);
        }
    }

    fn properties(&mut self, step: &Step) {
        let ours = step.work.properties.iter().filter(|(key, _)| OURS.contains(&key.as_str()));
        for (key, value) in ours {
            let message = format!("`{key}` is set by the program itself");
            let help =
                "by it the applications of a step are found again; use `tags` of the cluster file";
            self.error(value.span, code::OWN_PROPERTY, message, help);
        }
    }

    fn length(&mut self, step: &Step) {
        let words = lower(step, "").words;
        let length: usize = words.iter().map(|word| word.value.len() + 1).sum();
        if length > LONGEST_ARGUMENTS {
            let message = format!(
                "what the step runs has {length} bytes, and {LONGEST_ARGUMENTS} can be given to a program on YARN"
            );
            let help = "put what is long into a file and give its name";
            self.error(step.span, code::STEP_LENGTH, message, help);
        }
    }
}

/// What must be a file of the node when the program starts.
fn local_only(step: &Step) -> Option<&Text> {
    match &step.work.program {
        Program::CustomJar { jar, .. } => match Runner::of(jar.expose()) {
            None => Some(jar),
            Some(Runner::Script) => step.work.arguments.first(),
            Some(Runner::Command) => None,
        },
        Program::Flink { jar, .. } => Some(jar),
        Program::Command { command } => Some(command),
        _ => None,
    }
}

/// A URI of another file system.
fn is_elsewhere(name: &str) -> bool {
    name.contains("://") && !is_brought(name) && !name.starts_with("file:")
}

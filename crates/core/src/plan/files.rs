//! The files beside a playbook that go to the cluster with it.

use std::path::PathBuf;

use crate::config::playbook::{Playbook, Program, Runner, Step};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, code};
use crate::fabric::LocalFile;
use crate::secret::Text;

/// Looks whether the files beside the playbook are there.
pub fn check_files(playbook: &Playbook, faults: &mut Diagnostics) {
    for (name, file) in local_files(playbook) {
        let fault = match std::fs::metadata(&file.path) {
            Ok(found) if found.is_file() => continue,
            Ok(_) => Diagnostic::error(code::NOT_A_FILE, "it is not a file")
                .help("only single files beside the playbook go to the cluster with it; name folders by a URI"),
            Err(error) => Diagnostic::error(code::MISSING_FILE, format!("the file beside the playbook cannot be read: {error}"))
                .help("names that begin with `./` or `../` are taken from the playbook's own folder"),
        };
        faults.push(fault.at(Place::new(&playbook.source, name.span)));
    }
}

/// The files beside the playbook that its steps want, by the names they have there.
pub(super) fn local_files(playbook: &Playbook) -> Vec<(&Text, LocalFile)> {
    let folder = PathBuf::from(playbook.source.name());
    let folder = folder.parent().map(PathBuf::from).unwrap_or_default();
    let texts = playbook.steps.iter().flat_map(texts_of_files);
    texts
        .filter(|text| is_local(text.expose()))
        .map(|text| (text, LocalFile { path: folder.join(text.expose()) }))
        .collect()
}

/// Whether a name in a playbook means a file beside it.
pub fn is_local(name: &str) -> bool {
    name.starts_with("./") || name.starts_with("../")
}

/// Every text of a step that may name a file.
pub(crate) fn texts_of_files(step: &Step) -> impl Iterator<Item = &Text> {
    let program = match &step.work.program {
        Program::CustomJar { jar, .. } | Program::Flink { jar, .. } => [Some(jar), None],
        Program::Command { command } => [Some(command), None],
        Program::Spark { application, .. } => [Some(application), None],
        Program::SparkSql { file } | Program::Hive { file } | Program::Pig { file } => {
            [Some(file), None]
        }
        Program::Streaming { mapper, reducer, .. } => [Some(mapper), reducer.as_ref()],
        Program::Copy { source, .. } => [Some(source), None],
    };
    // The program that EMR's own jars run.
    let run_by_jar = match &step.work.program {
        Program::CustomJar { jar, .. } if Runner::of(jar.expose()).is_some() => {
            step.work.arguments.first()
        }
        _ => None,
    };
    program.into_iter().flatten().chain(run_by_jar).chain(&step.work.files)
}

//! `lint`: are these files right?

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dataflow_runner_core::diagnostic::code;
use dataflow_runner_core::source::Source;

use super::Usage;
use super::files::{self, File, Found};
use crate::args::{self, Level};
use crate::exit::Exit;
use crate::load::{Any, Loader, read_stdin};
use crate::ui::Ui;
use crate::ui::messages::count;

pub(super) fn run(args: &args::Lint, ui: &mut Ui) -> Result<Exit, Usage> {
    let mut found = files::find(&args.files)?;
    if args.only_configs {
        found.only_configs();
    }
    let mut loader = Loader::new(&args.variables)?;
    loader.look_closer();
    if args.any_vars {
        loader.take_any_variables();
    }
    take_stdin(args, &mut found, &mut loader);
    let mut allowed = args.allow.clone();
    // No wonder.
    allowed.extend(found.files.is_empty().then_some(code::UNUSED_VARIABLE));
    loader.allow(&allowed);
    let loaded = Files::load(&found.files, &mut loader);
    let told = loaded.hold(&mut loader);
    // What stands for a variable may be right where its value is not, and the other way round.
    let faults = loader.faults_and_unused(&|source| !args.any_vars && told.contains(source.name()));
    let warned = faults.warnings() > 0;
    let first = found.files.first().map(|file| file.path.as_path());
    let faulty = ui.faults_as(faults, args.message_format, first);
    if found.passed_over > 0 {
        let files = count(found.passed_over, "file");
        ui.message(Level::Info, format!("passed over: {files} without the name of a schema"));
    }
    // The program ends here: to take a large plan apart first would only take time.
    std::mem::forget(loaded);
    if faulty {
        return Ok(Exit::Invalid);
    }
    if warned && args.deny_warnings {
        ui.message(Level::Error, "warnings count as errors (--deny-warnings)");
        return Ok(Exit::Invalid);
    }
    let verb = if found.files.len() == 1 { "is" } else { "are" };
    let text = match found.files.len() {
        0 => "there is nothing to check".to_owned(),
        files => format!("{} {verb} valid", count(files, "file")),
    };
    ui.message(Level::Info, text);
    Ok(Exit::Success)
}

/// Gives the loader what is on stdin, if it is to be checked, under the name that it has.
fn take_stdin(args: &args::Lint, found: &mut Found, loader: &mut Loader) {
    let Some(at) = found.files.iter().position(File::is_stdin) else { return };
    let source = read_stdin(args.stdin_name.display().to_string());
    let is_other = |source: &Source| !files::is_config(source.text().as_bytes());
    if args.only_configs && source.as_ref().is_ok_and(is_other) {
        found.files.remove(at);
        found.passed_over += 1;
        return;
    }
    loader.put(args.stdin_name.clone(), source);
    found.files[at].path = args.stdin_name.clone();
    // An editor gives the text that is not saved yet: it stands for the file.
    let mut index = 0;
    found.files.retain(|file| {
        index += 1;
        index == at + 1 || file.path != args.stdin_name
    });
}

/// Files that could be loaded, with those that are there together.
struct Files<'f>(Vec<(&'f File, Any)>);

impl<'f> Files<'f> {
    fn load(files: &'f [File], loader: &mut Loader) -> Self {
        Self(files.iter().filter_map(|file| Some((file, loader.any(&file.path)?))).collect())
    }

    /// Holds playbooks against the cluster that is named with them, or lies beside them, where there is just one: with
    /// several it is not said which playbook is for which. Names the files of which all that can be told was.
    fn hold(&self, loader: &mut Loader) -> BTreeSet<String> {
        let mut together: BTreeMap<Option<&Path>, Vec<&(&File, Any)>> = BTreeMap::new();
        for loaded @ (file, _) in &self.0 {
            if file.named {
                together.entry(None).or_default().push(loaded);
            }
            if let Some(folder) = &file.folder {
                together.entry(Some(folder)).or_default().push(loaded);
            }
        }
        let mut told = BTreeSet::new();
        let name = |path: &PathBuf| path.display().to_string();
        for group in together.values() {
            let clusters: Vec<_> = group.iter().filter_map(|(_, any)| any.described()).collect();
            for (file, any) in group {
                match (any.playbook(), &clusters[..]) {
                    (None, _) => {}
                    (Some(playbook), [cluster]) => cluster.lint(playbook, loader.sink()),
                    (Some(_), _) => continue,
                }
                told.insert(name(&file.path));
            }
        }
        told
    }
}

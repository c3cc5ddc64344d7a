//! `lint`: are these files right, and is what they say meant?

mod walk;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use dataflow_runner_core::plan::Plan;

use super::Usage;
use crate::args::{self, Level};
use crate::exit::Exit;
use crate::load::{Any, Loader};
use crate::target::Target;
use crate::ui::Ui;
use crate::ui::messages::count;

pub(crate) use walk::ENDINGS;
use walk::{Walk, is_ours};

/// A file that is to be looked at.
struct File {
    path: PathBuf,
    /// It stands on the command line itself.
    named: bool,
}

pub(super) fn run(args: &args::Lint, ui: &mut Ui) -> Result<Exit, Usage> {
    let mut loader = Loader::new(&args.variables)?.with_lints();
    let mut others = 0;
    let files = files(args, &mut loader, &mut others)?;
    let (mut plans, mut targets) = (Vec::new(), Vec::new());
    for file in &files {
        match loader.lint(&file.path) {
            Some(Any::Plan(plan)) => plans.push((file, plan)),
            Some(Any::Target(target)) => targets.push((file, target)),
            None => {}
        }
    }
    pair(&plans, &targets, &mut loader);
    let faults = loader.faults();
    let denied = args.deny_warnings && faults.warnings() > 0;
    if others > 0 {
        let verb = if others == 1 { "is" } else { "are" };
        let text =
            format!("{} {verb} neither a cluster file nor a playbook", count(others, "file"));
        ui.message(Level::Info, text);
    }
    if ui.faults(faults) {
        return Ok(Exit::Invalid);
    }
    if denied {
        ui.error("warnings are denied");
        return Ok(Exit::Invalid);
    }
    let verb = if files.len() == 1 { "is" } else { "are" };
    ui.message(Level::Info, format!("{} {verb} valid", count(files.len(), "file")));
    // The program ends here: to take a large plan apart first would only take time.
    std::mem::forget(plans);
    Ok(Exit::Success)
}

/// All files that are meant, each once.
fn files(args: &args::Lint, loader: &mut Loader, others: &mut usize) -> Result<Vec<File>, Usage> {
    let mut files: Vec<File> = Vec::new();
    let add = |files: &mut Vec<File>, path: PathBuf, named: bool| {
        if !files.iter().any(|file| file.named && file.path == path) {
            files.push(File { path, named });
        }
    };
    for path in &args.files {
        if path == Path::new("-") {
            loader.give(&args.stdin_name, stdin()?);
            add(&mut files, args.stdin_name.clone(), true);
        } else if path.is_dir() {
            let walk = Walk::through(path).map_err(|error| {
                Usage::new(format!("cannot look into `{}`: {error}", path.display()))
            })?;
            if walk.found.is_empty() && !args.skip_others {
                return Err(nothing(path));
            }
            *others += walk.others;
            walk.found.into_iter().for_each(|path| add(&mut files, path, false));
        } else if args.skip_others && !is_ours(path) {
            *others += 1;
        } else {
            add(&mut files, path.clone(), true);
        }
    }
    Ok(files)
}

fn nothing(folder: &Path) -> Usage {
    let endings = ENDINGS.join(", ");
    Usage::new(format!(
        "`{}` holds no cluster file and no playbook: no file ({endings}) that names a schema of dataflow-runner",
        folder.display()
    ))
}

fn stdin() -> Result<String, Usage> {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| Usage::new(format!("cannot read stdin: {error}")))?;
    Ok(text)
}

/// Holds playbooks against the cluster that they are for: the one cluster file of those that are named, else the one of
/// their own folder. With several it is not said which.
fn pair(plans: &[(&File, Box<Plan>)], targets: &[(&File, Target)], loader: &mut Loader) {
    let named: Vec<_> = targets.iter().filter(|(file, _)| file.named).collect();
    let mut folders: BTreeMap<&Path, Vec<&Target>> = BTreeMap::new();
    for (file, target) in targets {
        folders.entry(folder(file)).or_default().push(target);
    }
    for (file, plan) in plans {
        match (&named[..], folders.get(folder(file)).map(Vec::as_slice)) {
            ([(_, target)], _) if file.named => target.lint(plan, loader.sink()),
            (_, Some([target])) => target.lint(plan, loader.sink()),
            _ => {}
        }
    }
}

fn folder(file: &File) -> &Path {
    file.path.parent().unwrap_or(Path::new(""))
}

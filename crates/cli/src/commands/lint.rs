//! `lint`: are these files right?

use super::Usage;
use crate::args::{self, Level};
use crate::exit::Exit;
use crate::load::{Any, Loader};
use crate::ui::Ui;
use crate::ui::messages::count;

pub(super) fn run(args: &args::Lint, ui: &mut Ui) -> Result<Exit, Usage> {
    let mut loader = Loader::new(&args.variables)?;
    let (mut plans, mut targets) = (Vec::new(), Vec::new());
    for file in &args.files {
        match loader.any(file) {
            Some(Any::Plan(plan)) => plans.push(plan),
            Some(Any::Target(target)) => targets.push(target),
            None => {}
        }
    }
    // With several clusters it is not said which playbook is for which.
    if let [target] = &targets[..] {
        for plan in &plans {
            target.lint(plan, loader.sink());
        }
    }
    if ui.faults(loader.faults()) {
        return Ok(Exit::Invalid);
    }
    let verb = if args.files.len() == 1 { "is" } else { "are" };
    ui.message(Level::Info, format!("{} {verb} valid", count(args.files.len(), "file")));
    // The program ends here: to take a large plan apart first would only take time.
    std::mem::forget(plans);
    Ok(Exit::Success)
}

//! `export`: a playbook in a form that others run.

use dataflow_runner_core::diagnostic::{Diagnostic, code};
use dataflow_runner_core::fabric::dataproc::workflow;

use super::Usage;
use crate::args::{self, Form};
use crate::exit::Exit;
use crate::load::{self, Loader};
use crate::target::Target;
use crate::ui::Ui;

pub(super) fn run(args: &args::Export, ui: &mut Ui) -> Result<Exit, Usage> {
    let Form::DataprocWorkflow = args.to;
    let playbook = super::playbook(&args.playbook.path)?;
    let mut loader = Loader::new(&args.variables)?;
    let plan = loader.plan(playbook);
    let target = loader.target_for(args.config.path.as_deref(), &plan)?;
    if let (Some(playbook), Some(cluster)) = (load::playbook(&plan), load::described(&target)) {
        cluster.lint(playbook, loader.sink());
    }
    let template = match (plan, target) {
        (Ok(plan), Ok(target)) => match target {
            Target::Dataproc { config: Some(config), .. } => {
                Some(workflow(&plan, &config, loader.sink()))
            }
            _ => {
                let message = "a workflow of Dataproc is made from a DataprocClusterConfig";
                let help = "name such a file with --config";
                loader.sink().push(Diagnostic::error(code::WRONG_FABRIC, message).help(help));
                None
            }
        },
        // What is wrong with them was said.
        _ => None,
    };
    if ui.faults(loader.faults()) {
        return Ok(Exit::Invalid);
    }
    let Some(template) = template else { return Ok(Exit::Invalid) };
    ui.print(format!("{template:#}\n").as_bytes());
    Ok(Exit::Success)
}

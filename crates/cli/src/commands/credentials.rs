//! A key that is written in a file is in no journal: who is to reach the cluster of a run needs that file once more.

use std::path::Path;

use dataflow_runner_core::diagnostic::{Diagnostics, Severity};
use dataflow_runner_core::fabric::emr;
use dataflow_runner_core::inputs::Inputs;
use dataflow_runner_core::journal::Header;

use super::Usage;
use crate::args;
use crate::load::Loader;
use crate::load::again::Instead;
use crate::target::Target;

/// What the files of a run say of where it is, where its journal does not say all: those that it was begun with, as long as they
/// are what they were; `config`: this cluster file instead. None, where nothing more is to be had; what is wrong with a
/// file is among `faults`.
///
/// # Errors
/// No file says where the run is.
pub(super) fn of_files(
    header: &Header,
    run_folder: &Path,
    config: Option<&Path>,
    faults: &mut Diagnostics,
) -> Result<Option<Target>, Usage> {
    if emr::keeps_credentials(&header.reach) {
        return Ok(None);
    }
    let none = args::Variables::default();
    let (mut loader, config, playbook) = match (Inputs::read(run_folder), config) {
        (Ok(inputs), config) => {
            let instead = Instead { config, playbook: None, variables: &none };
            let again = Loader::again(&inputs, &instead)?;
            (again.loader, again.config, again.playbook)
        }
        // They are kept until the run has succeeded.
        (Err(_), Some(config)) => (Loader::new(&none)?, Some(config.to_owned()), None),
        (Err(_), None) => return Ok(None),
    };
    // It says where the run is only if there is no cluster file.
    let playbook = playbook.filter(|_| config.is_none());
    let plan = playbook.map_or(Err(None), |path| loader.plan(&path));
    let target = loader.target_for(config.as_deref(), &plan)?;
    let wrong = loader.faults();
    faults.extend(wrong.iter().filter(|fault| fault.severity == Severity::Error).cloned());
    Ok(target.ok())
}

//! Where a cluster file says that steps run.

use std::path::Path;
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics};
use dataflow_runner_core::fabric::Fabric;
use dataflow_runner_core::fabric::local::{self, Local};
use dataflow_runner_core::plan::Plan;

/// What a cluster file describes.
pub(crate) enum Target {
    /// This machine.
    Local(Box<local::Config>),
    /// Amazon EMR, of which this version only checks the files.
    Emr,
}

impl Target {
    /// The fabric, ready to be asked. `None`: this version has none for it.
    ///
    /// # Errors
    /// The program does not find itself, which local steps need.
    pub(crate) fn fabric(
        &self,
        state: &Path,
        bell: &Arc<Bell>,
    ) -> Result<Option<Box<dyn Fabric>>, Diagnostic> {
        let Self::Local(config) = self else { return Ok(None) };
        let program = std::env::current_exe().map_err(|e| {
            Diagnostic::error("no-program", format!("the program cannot find its own file: {e}"))
        })?;
        let around = local::Surroundings {
            environment: std::env::vars_os().collect(),
            work_folder: state.join("clusters"),
            program,
            bell: Arc::clone(bell),
        };
        Ok(Some(Box::new(Local::new((**config).clone(), around))))
    }

    /// What the fabric can never do of a plan, whatever is installed here.
    pub(crate) fn lint(&self, plan: &Plan, faults: &mut Diagnostics) {
        // Nothing is touched, so any folder does.
        if let Ok(Some(fabric)) = self.fabric(Path::new(""), &Arc::new(Bell::new())) {
            plan.check(fabric.capabilities(), faults);
        }
    }

    /// That steps cannot be run there yet.
    pub(crate) fn not_yet() -> Diagnostic {
        let message = "this version runs steps on fabric `local` only; EMR comes next";
        Diagnostic::error("fabric-not-ready", message).help(
            "`lint`, `render` and `plan` work for EMR; use 0.7.x to run, or a LocalClusterConfig",
        )
    }
}

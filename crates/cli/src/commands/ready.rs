//! What `plan` and all runs begin with: everything is read and checked before anything is done.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::fabric::Fabric;
use dataflow_runner_core::plan::Plan;

use super::Usage;
use crate::load::Loader;
use crate::{args, state};

/// All that could be wrong in the input, and is not as far as the loader has no faults.
pub(super) struct Ready {
    pub(super) plan: Plan,
    /// `None`: this version has none for what the cluster file describes.
    pub(super) fabric: Option<Box<dyn Fabric>>,
    /// The folder in which runs are recorded.
    pub(super) state: PathBuf,
}

impl Ready {
    /// Reads both files and holds them against each other; whatever is wrong goes to the loader's faults.
    ///
    /// # Errors
    /// It is not said where to run.
    pub(super) fn of(
        config: Option<&Path>,
        playbook: Option<&Path>,
        global: &args::Global,
        bell: &Arc<Bell>,
        loader: &mut Loader,
    ) -> Result<Option<Self>, Usage> {
        let plan = playbook.map_or_else(|| Some(Plan::empty()), |path| loader.plan(path));
        let target = loader.target_for(config, plan.as_ref())?;
        let state = state::folder(global.state_dir.as_ref(), &crate::env);
        let state = state.map_err(|fault| loader.sink().push(fault)).ok();
        let (Some(plan), Some(target), Some(state)) = (plan, target, state) else {
            return Ok(None);
        };
        let fabric = target.fabric(&state, bell);
        let fabric = fabric.map_err(|fault| loader.sink().push(fault)).ok().flatten();
        if let Some(fabric) = &fabric {
            plan.check(fabric.capabilities(), loader.sink());
            plan.check_files(loader.sink());
            // Also what is not installed here.
            if let Some(playbook) = plan.playbook() {
                fabric.check(playbook, loader.sink());
            }
        }
        Ok(Some(Self { plan, fabric, state }))
    }
}

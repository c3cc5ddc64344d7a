//! What `plan` and all runs begin with: everything is read and checked before anything is done.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics, code};
use dataflow_runner_core::event::Goal;
use dataflow_runner_core::fabric::{Discreet, Fabric};
use dataflow_runner_core::inputs::Inputs;
use dataflow_runner_core::journal::Header;
use dataflow_runner_core::plan::{self, Plan};

use super::Usage;
use crate::load::{self, Loader};
use crate::target::{Around, Target};
use crate::{args, state};

/// All that could be wrong in the input, and is not as far as the loader has no faults.
pub(super) struct Ready {
    pub(super) plan: Plan,
    pub(super) fabric: Arc<dyn Fabric>,
    /// The folder in which runs are recorded.
    pub(super) state: PathBuf,
    /// What all of it was made from; kept where there is something to go on with.
    pub(super) inputs: Option<Inputs>,
}

/// How the fabric is to be asked.
pub(super) struct Ways<'a> {
    pub(super) bell: &'a Arc<Bell>,
    /// As the flags say; `None`: it is not to be reached at all.
    pub(super) engine: Option<&'a args::Engine>,
    /// So long is waited for logs that come late, where that is said.
    pub(super) log_wait: Option<Duration>,
    /// The header of the run that goes on: the far side is reached as it was then.
    pub(super) before: Option<&'a Header>,
}

impl<'a> Ways<'a> {
    fn around(&self, state: &'a Path) -> Around<'a> {
        Around {
            state,
            bell: self.bell,
            reach: self.engine.is_some(),
            quota_factor: self.engine.map_or(1.0, |engine| engine.quota_factor),
            settle: self.engine.and_then(|engine| engine.settle),
            poll: self.engine.and_then(|engine| engine.poll_interval),
            log_wait: self.log_wait,
        }
    }
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
        ways: &Ways<'_>,
        loader: &mut Loader,
    ) -> Result<Option<Self>, Usage> {
        let plan = playbook.map_or_else(|| Ok(Plan::empty()), |path| loader.plan(path));
        let target = loader.target_for(config, &plan)?;
        let state = state::folder(global.state_dir.as_ref(), &crate::env);
        let state = state.map_err(|fault| loader.sink().push(fault)).ok();
        let target = match ways.before {
            Some(header) => target.map(|target| target.reached_before(header)),
            None => target,
        };
        let fabric = match (&target, &state) {
            (Ok(target), Some(state)) => {
                let made = target.fabric(&ways.around(state));
                made.map_err(|fault| loader.sink().push(fault)).ok()
            }
            _ => None,
        };
        let playbook = load::playbook(&plan);
        let (Some(fabric), Some(state)) = (fabric, state) else {
            if let (Some(playbook), Some(cluster)) = (playbook, load::described(&target)) {
                cluster.lint(playbook, loader.sink());
            }
            return Ok(None);
        };
        let fabric: Arc<dyn Fabric> = Arc::new(Discreet::new(fabric, loader.hidden()));
        if let Some(playbook) = playbook {
            plan::check(playbook, fabric.capabilities(), loader.sink());
            if fabric.capabilities().stages {
                plan::check_files(playbook, loader.sink());
            }
            // Also what is not installed here.
            fabric.check(playbook, loader.sink());
        }
        Ok(plan.ok().map(|plan| Self { plan, fabric, state, inputs: None }))
    }

    /// What reaches the cluster of an earlier run by its journal; `files`: what its files say, for credentials that are
    /// written in one.
    pub(super) fn again(
        header: &Header,
        files: Option<Target>,
        global: &args::Global,
        ways: &Ways<'_>,
        faults: &mut Diagnostics,
    ) -> Option<Self> {
        let state = state::folder(global.state_dir.as_ref(), &crate::env);
        let reached = state.and_then(|state| {
            let fabric = Target::reached(header, files)?.fabric(&ways.around(&state))?;
            Ok(Self { plan: Plan::empty(), fabric, state, inputs: None })
        });
        let help = |fault: Diagnostic| match fault.code {
            code::CREDENTIALS_NOT_KEPT => {
                fault.help("name that file with --config, and the cluster with --cluster")
            }
            _ => fault,
        };
        reached.map_err(|fault| faults.push(help(fault))).ok()
    }

    /// A run that is not waited for must be one that the fabric carries alone.
    pub(super) fn check_detached(&self, goal: Goal, flag: &str, faults: &mut Diagnostics) {
        let fabric = self.fabric.capabilities();
        let (why, or) = if !fabric.ordered_queue {
            ("it needs this program to start one step after the other", "")
        } else if !self.plan.is_plain_chain() {
            let or = ", or make it a chain without retries, time limits, rules on exit codes \
                      and rules other than CANCEL_AND_WAIT and CONTINUE";
            ("the playbook needs this program until its end", or)
        } else if goal.launches() && !fabric.launch_with_steps {
            ("its cluster needs this program to go down", "")
        } else {
            return;
        };
        let message = format!("a run on `{}` cannot be left alone ({flag}): {why}", fabric.fabric);
        let help = format!("run it without {flag}{or}");
        faults.push(Diagnostic::error(code::NOT_ALONE, message).help(help));
    }
}

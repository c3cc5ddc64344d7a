//! What can never be done of a playbook on a cluster, whatever is installed here.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::config::ClusterKind;
use dataflow_runner_core::config::playbook::Playbook;
use dataflow_runner_core::diagnostic::Diagnostics;
use dataflow_runner_core::fabric::{Fabric, dataproc, emr, local, yarn};
use dataflow_runner_core::plan;

use super::{Around, Target};

/// A cluster as its file describes it; without that, where the file is not right, or there is none.
#[derive(Clone, Copy)]
pub(crate) enum Described<'a> {
    Local(Option<&'a local::Config>),
    Emr(Option<&'a emr::Config>),
    Yarn(Option<&'a yarn::Config>),
    Dataproc(Option<&'a dataproc::Config>),
}

impl From<ClusterKind> for Described<'_> {
    fn from(kind: ClusterKind) -> Self {
        match kind {
            ClusterKind::Local => Self::Local(None),
            ClusterKind::Emr => Self::Emr(None),
            ClusterKind::Yarn => Self::Yarn(None),
            ClusterKind::Dataproc => Self::Dataproc(None),
        }
    }
}

impl<'a> From<&'a Target> for Described<'a> {
    fn from(target: &'a Target) -> Self {
        match target {
            Target::Local(config) => Self::Local(Some(config)),
            Target::Emr { config, .. } => Self::Emr(config.as_deref()),
            Target::Yarn(config) => Self::Yarn(Some(config)),
            Target::Dataproc { config, .. } => Self::Dataproc(config.as_deref()),
        }
    }
}

impl Described<'_> {
    /// Tells of it.
    pub(crate) fn lint(self, playbook: &Playbook, faults: &mut Diagnostics) {
        match self {
            // This machine runs all types of steps; what else it could not do depends on its file.
            Self::Local(None) => {}
            Self::Local(Some(config)) => {
                // Nothing is touched, so any folder does.
                let (state, bell) = (Path::new(""), Arc::new(Bell::new()));
                let around = Around {
                    state,
                    bell: &bell,
                    reach: false,
                    quota_factor: 1.0,
                    settle: None,
                    poll: None,
                    log_wait: None,
                };
                if let Ok(fabric) = super::local(config, &around) {
                    plan::check(playbook, fabric.capabilities(), faults);
                    fabric.check_playbook(playbook, faults);
                }
            }
            Self::Emr(config) => {
                plan::check(playbook, &emr::capabilities(), faults);
                emr::check_playbook(playbook, config, faults);
            }
            Self::Yarn(config) => {
                let slots = config.map_or(NonZeroU32::MIN, |config| config.slots);
                plan::check(playbook, &yarn::capabilities(slots), faults);
                yarn::check_playbook(playbook, faults);
            }
            Self::Dataproc(config) => {
                plan::check(playbook, &dataproc::capabilities(), faults);
                dataproc::check_playbook(playbook, faults);
                if let Some(config) = config {
                    dataproc::check_together(playbook, config, faults);
                }
            }
        }
    }
}

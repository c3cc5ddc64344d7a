//! Where things lie in the work folder.
//!
//! ```text
//! <work folder>/<cluster>/work            shared by the steps of a cluster, `work://` in playbooks
//! <work folder>/<cluster>/steps/<step>/   the current directory of one attempt
//! <work folder>/logs/<cluster>/           cluster.json, and `stopping` from when it was asked to go down
//! <work folder>/logs/<cluster>/<step>/    record, cancel, stdout, stderr, controller
//! <work folder>/staged/<sha256>/<name>    files that lie beside playbooks
//! ```
//!
//! The folder of a cluster goes with it; what is under `logs` stays, so that a run that failed can be
//! looked at, and its steps' results be proven, when its cluster is gone.

use std::path::{Path, PathBuf};

use super::error;
use crate::fabric::{ClusterId, ErrorKind, Order, OrderedStep, Result, StepId};

/// Longer names of files are refused by the usual file systems.
const LONGEST_NAME: usize = 250;

/// The work folder.
#[derive(Clone, Debug)]
pub(super) struct Places(PathBuf);

/// The folders of one cluster.
#[derive(Clone, Debug)]
pub(super) struct ClusterPlace {
    /// It is there as long as the cluster is.
    pub folder: PathBuf,
    /// What stays of it.
    pub logs: PathBuf,
}

/// The folders of one attempt of a step.
#[derive(Clone, Debug)]
pub(super) struct StepPlace {
    /// Its current directory.
    pub directory: PathBuf,
    /// Its record and logs.
    pub logs: PathBuf,
}

impl Places {
    pub(super) fn new(work_folder: &Path) -> Self {
        // Steps run in folders of their own, so a relative path would mean another place to them.
        Self(std::path::absolute(work_folder).unwrap_or_else(|_| work_folder.to_owned()))
    }

    pub(super) fn root(&self) -> &Path {
        &self.0
    }

    pub(super) fn staged(&self) -> PathBuf {
        self.0.join("staged")
    }

    /// What stays of all clusters.
    pub(super) fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    pub(super) fn cluster(&self, id: &ClusterId) -> Result<ClusterPlace> {
        let name = id.as_str();
        if !is_cluster(name) {
            return Err(error(
                ErrorKind::NotFound,
                "look up a cluster",
                "no cluster has such an id",
            ));
        }
        Ok(ClusterPlace { folder: self.0.join(name), logs: self.logs().join(name) })
    }
}

impl ClusterPlace {
    pub(super) fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    pub(super) fn steps(&self) -> PathBuf {
        self.folder.join("steps")
    }

    pub(super) fn descriptor(&self) -> PathBuf {
        self.logs.join("cluster.json")
    }

    pub(super) fn stopping(&self) -> PathBuf {
        self.logs.join(STOPPING)
    }

    pub(super) fn step(&self, id: &StepId) -> Result<StepPlace> {
        let name = id.as_str();
        if !is_name(name) {
            return Err(error(ErrorKind::NotFound, "look up a step", "no step has such an id"));
        }
        Ok(StepPlace {
            directory: self.folder.join("steps").join(name),
            logs: self.logs.join(name),
        })
    }
}

/// Beside the folders of the steps in a cluster's logs: it goes down, nothing is begun any more.
pub(super) const STOPPING: &str = "stopping";
/// In a step's logs: what is known of it, see `record`.
pub(super) const RECORD: &str = "record";
/// In a step's logs: it is to stop, or not to begin.
pub(super) const CANCEL: &str = "cancel";
/// In a step's logs: what this fabric did with it.
pub(super) const CONTROLLER: &str = "controller";

impl StepPlace {
    pub(super) fn record(&self) -> PathBuf {
        self.logs.join(RECORD)
    }

    pub(super) fn cancel(&self) -> PathBuf {
        self.logs.join(CANCEL)
    }
}

/// The beginning of the ids of an attempt that an order brings, whatever its sending.
pub(super) fn order_prefix(order: &Order<'_>, step: &OrderedStep<'_>) -> Option<String> {
    let (number, _) = order.token.numbers()?;
    Some(format!("{}.{}.{}.{number}.", step.step.id, step.attempt, order.token.run()?))
}

/// The id of an attempt: the step first, so that people find it; the order's token, so that it is the only one.
pub(super) fn step_id(order: &Order<'_>, step: &OrderedStep<'_>) -> Result<StepId> {
    let id = format!("{}.{}.{}", step.step.id, step.attempt, order.token);
    if !is_name(&id) {
        return Err(error(
            ErrorKind::Config,
            "name a step",
            format!("`{}` cannot be part of a file's name, or is too long", step.step.id),
        ));
    }
    Ok(StepId::new(id))
}

/// Whether a cluster may have this id. The prefix keeps `logs` and `staged`, and whatever else lies there, from being
/// taken for one.
pub(super) fn is_cluster(name: &str) -> bool {
    name.starts_with(super::cluster::PREFIX) && is_name(name)
}

/// Whether it is the name of a file and nothing else: ids come from the user and from journals.
fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.bytes().all(plain)
        && !matches!(name, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_never_lead_out_of_the_work_folder() {
        let places = Places::new(Path::new("/w"));
        for id in
            ["", ".", "..", "logs", "staged", "local-../../etc", "local-a/b", "/etc", "local-a\0"]
        {
            let err = places.cluster(&ClusterId::new(id)).expect_err(id);
            assert_eq!(err.kind, ErrorKind::NotFound);
        }
        let cluster = places.cluster(&ClusterId::new("local-1")).unwrap();
        assert_eq!(cluster.logs, Path::new("/w/logs/local-1"));
        for id in ["", ".", "..", "../x", "a/b"] {
            assert!(cluster.step(&StepId::new(id)).is_err(), "{id:?}");
        }
        assert!(cluster.step(&StepId::new("x".repeat(LONGEST_NAME + 1))).is_err());
    }
}

//! Runs steps on clusters of Google Dataproc.

mod check;
mod config;
mod extra;
pub mod fake;
pub(crate) mod forms;
pub(crate) mod limits;
#[cfg_attr(not(test), expect(dead_code, reason = "nothing is sent yet"))]
mod request;
mod script;

pub use check::{cluster as check_cluster, playbook as check_playbook, together as check_together};
pub use config::{
    Accelerator, Config, Credentials, Disks, FailedWorkers, Group, InitializationAction, Network,
    Preemptibility, Secondary, Selection,
};
pub use extra::Extra;

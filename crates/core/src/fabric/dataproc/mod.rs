//! Runs steps on clusters of Google Dataproc.

mod config;
mod extra;

pub use config::{
    Accelerator, Config, Credentials, Disks, FailedWorkers, Group, InitializationAction, Network,
    Preemptibility, Secondary, Selection,
};
pub use extra::Extra;

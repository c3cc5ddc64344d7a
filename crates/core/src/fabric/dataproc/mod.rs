//! Runs steps on clusters of Google Dataproc.

mod config;
mod extra;
pub mod fake;

pub use config::{
    Accelerator, Config, Credentials, Disks, FailedWorkers, Group, InitializationAction, Network,
    Preemptibility, Secondary, Selection,
};
pub use extra::Extra;

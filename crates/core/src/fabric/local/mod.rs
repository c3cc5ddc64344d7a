//! Runs steps on this machine.

mod config;

pub use config::{Config, Tools};

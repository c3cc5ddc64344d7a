//! Runs steps on Google Dataproc.

pub mod fake;

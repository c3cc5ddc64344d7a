//! Where steps run.

pub mod local;

//! Where steps run.

pub mod emr;
pub mod local;

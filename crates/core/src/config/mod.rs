//! From files and variables to valid, typed configurations.

pub mod playbook;

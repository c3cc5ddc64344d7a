//! From files and variables to valid, typed configurations.

mod digest;
pub mod playbook;
#[cfg(any(test, feature = "conformance"))]
pub mod sample;

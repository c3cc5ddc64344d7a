//! The library behind dataflow-runner. It never prints, never exits, and reads the environment only
//! where a name says so.
//!
//! Data flows one way: files and variables become a [`diagnostic`]-checked plan, the engine runs the
//! plan on a fabric, and everything that happens is an event in a journal.

mod base64;
pub mod bell;
pub mod clock;
pub mod config;
pub mod crash;
pub mod diagnostic;
pub mod document;
pub mod driver;
pub mod engine;
pub mod environment;
pub mod event;
pub mod fabric;
pub mod file;
mod folder;
pub mod format;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod graph;
mod hex;
pub mod http;
pub mod inputs;
pub mod journal;
pub mod json;
pub mod lint;
pub mod lock;
pub mod logs;
pub mod plan;
pub mod report;
pub mod schema;
pub mod secret;
pub mod shell;
pub mod source;
pub mod suggest;
pub mod template;

//! Avro schemas, and JSON checked against them: every fault at once, with its path and its place.

mod avsc;
mod check;
mod faults;
mod json_schema;
mod kinds;
mod path;
mod published;
#[cfg(test)]
mod tests;

pub use avsc::{Enum, Field, Fixed, Name, Record, Schema, Type, TypeId};
pub use check::{Checked, Entry, Fields, Is, Mode, check};
pub use faults::Faults;
pub use json_schema::{Files, JsonSchema};
pub use path::Path;
pub use published::{PREFIX, Published, find, published};

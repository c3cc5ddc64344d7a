//! Runs steps on Amazon EMR.

pub mod api;
mod config;
mod lower;
mod pattern;
pub mod request;

pub use config::{
    Bootstrap, Config, Configuration, Credentials, Ebs, Group, Location, Release, Roles, Tag,
    Volumes,
};

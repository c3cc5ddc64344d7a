//! Runs steps on Amazon EMR.

mod config;
pub mod fake;

pub use config::{
    Bootstrap, Config, Configuration, Credentials, Ebs, Group, Location, Release, Roles, Tag,
    Volumes,
};

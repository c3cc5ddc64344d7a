//! Runs steps on Amazon EMR.

pub mod api;
mod check;
mod config;
mod find;
mod lower;
mod pattern;
mod reply;
pub mod request;
mod s3;
mod status;

pub use config::{
    Bootstrap, Config, Configuration, Credentials, Ebs, Group, Location, Release, Roles, Tag,
    Volumes,
};

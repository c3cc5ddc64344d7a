//! A far side like Amazon EMR, on this machine.

mod cluster;
mod limits;
mod operations;
mod pages;
mod refusal;
mod replies;
mod script;
mod shapes;
mod step;
mod world;

pub use cluster::{Cluster, State};
pub use refusal::Refusal;
pub use script::{
    ClusterScript, Death, ErrorDetail, FailureDetails, Fate, Moment, Script, StepEnd, StepScript,
};
pub use step::{State as StepState, Step};
pub use world::World;

#[cfg(test)]
mod tests;

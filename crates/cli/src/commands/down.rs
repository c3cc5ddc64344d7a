//! `down`: take a cluster down, named by its id or by the run it is of.

use dataflow_runner_core::event::Goal;

use super::drive::{Errand, drive};
use super::runs::Told;
use super::{Usage, runs};
use crate::args;
use crate::exit::Exit;
use crate::ui::Ui;

pub(super) fn run(args: &args::Down, global: &args::Global, ui: &mut Ui) -> Result<Exit, Usage> {
    let told = args.run.as_deref().map(|run| runs::told(run, global, ui)).transpose()?;
    let (config, reached, cluster) = match &told {
        None => (Some(super::config(&args.config.path)?), None, super::cluster(&args.cluster.id)?),
        Some(Some(told)) => (None, Some((&told.contents.header, told.folder())), cluster_of(told)?),
        // What is wrong with its journal was said.
        Some(None) => return Ok(Exit::Failed),
    };
    let errand = Errand {
        goal: Goal::Down,
        config,
        reached,
        playbook: None,
        cluster: Some(cluster),
        variables: &args.variables,
        steps: &args::Steps::default(),
        logs: &args::Logs::default(),
        engine: &args.engine,
        locks: &args::Locks::default(),
        naming: &args::Naming::default(),
        selection: &args::Selection::default(),
        detached: None,
        global,
    };
    drive(&errand, ui)
}

/// The cluster of a run that nobody drives.
fn cluster_of(told: &Told) -> Result<&str, Usage> {
    let Told { id, state, .. } = told;
    if told.driven {
        let text = format!(
            "run {id} is still driven: `dataflow-runner cancel {id}` ends it, and what it brought up"
        );
        return Err(Usage::new(text));
    }
    let ordered = state.orders.values().any(|order| order.launch);
    let unknown = || match ordered {
        true => format!(
            "run {id} has ordered a cluster, and nobody knows yet whether it came: \
             `dataflow-runner attach {id}` looks for it"
        ),
        false => format!("run {id} has no cluster: none was launched"),
    };
    let cluster = state.cluster.id.as_ref().map(|cluster| cluster.as_str());
    cluster.ok_or_else(|| Usage::new(unknown()))
}

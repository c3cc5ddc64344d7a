//! Which cluster `--cluster` means: an id, or one that is looked for by its name or a label.

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::Clock;
use dataflow_runner_core::fabric::{
    ClusterId, ClusterStatus, Error, ErrorKind, Fabric, Query, Result,
};

use super::asked::{Asked, TRIES, asked};
use crate::args::Level;
use crate::exit::Exit;
use crate::ui::messages::with_hint;
use crate::ui::{Ui, escape};

/// The cluster that is meant: nothing was sent yet but questions.
///
/// # Errors
/// There is none such, or several, or no answer; all is said.
pub(super) fn named(
    given: &str,
    fabric: &dyn Fabric,
    bell: &Bell,
    ui: &mut Ui,
) -> std::result::Result<ClusterId, Exit> {
    let Some(query) = query(given) else { return Ok(ClusterId::new(given)) };
    let found = look(&query, fabric, bell, TRIES).and_then(|found| match found {
        Asked::Answer(found) => Ok(Asked::Answer(only(given, found, fabric)?)),
        Asked::Signal(signal) => Ok(Asked::Signal(signal)),
    });
    match found {
        Ok(Asked::Answer(cluster)) => {
            let text = format!("Cluster {} is {}", escape::line(given), cluster.id);
            ui.message(Level::Info, text);
            Ok(cluster.id)
        }
        Ok(Asked::Signal(signal)) => {
            ui.error("Interrupted before anything was started");
            Err(Exit::Signal(signal))
        }
        Err(error) => {
            let text = match error.kind {
                ErrorKind::NotFound | ErrorKind::Conflict => error.message,
                _ => with_hint(&error),
            };
            ui.error(text);
            Err(Exit::Refused)
        }
    }
}

/// Makes sure that a cluster can take steps, as far as the fabric tells: a run that goes on there forgets its own.
///
/// # Errors
/// It is not there, or goes down; that is said.
pub(super) fn takes_steps(
    id: &ClusterId,
    fabric: &dyn Fabric,
    bell: &Bell,
    ui: &mut Ui,
) -> std::result::Result<(), Exit> {
    let Some(clusters) = fabric.clusters() else { return Ok(()) };
    let why = match asked(bell, &Clock::machine(None), TRIES, || clusters.inspect(id)) {
        Ok(Asked::Answer(it)) if it.state.is_past_steps() => {
            format!("cluster `{id}` takes no steps any more: it is {}", it.native)
        }
        Err(error) if error.kind == ErrorKind::NotFound => with_hint(&error),
        // Who may not look can run steps all the same, and what else is wrong the run itself meets.
        _ => return Ok(()),
    };
    ui.error(why);
    Err(Exit::Refused)
}

/// What to look for; `None`: it is an id.
fn query(given: &str) -> Option<Query> {
    let (kind, rest) = given.split_once(':')?;
    match kind {
        "name" => Some(Query::Name(rest.to_owned())),
        "newest" => Some(Query::Newest(rest.to_owned())),
        "tag" | "label" => {
            let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
            Some(Query::Tag { key: key.to_owned(), value: value.to_owned() })
        }
        _ => None,
    }
}

/// What there is, asked for so often at most.
pub(super) fn look(
    query: &Query,
    fabric: &dyn Fabric,
    bell: &Bell,
    most: u32,
) -> Result<Asked<Vec<ClusterStatus>>> {
    let Some(clusters) = fabric.clusters() else {
        let name = fabric.capabilities().fabric;
        return Err(Error::new(ErrorKind::Unsupported, name, "list", "it has no clusters to list"));
    };
    asked(bell, &Clock::machine(None), most, || clusters.list(query))
}

/// The one that was found.
fn only(given: &str, found: Vec<ClusterStatus>, fabric: &dyn Fabric) -> Result<ClusterStatus> {
    let name = fabric.capabilities().fabric;
    let refuse = |kind, message| Err(Error::new(kind, name, "list", message));
    match <[ClusterStatus; 1]>::try_from(found) {
        Ok([only]) => Ok(only),
        Err(none) if none.is_empty() => {
            refuse(ErrorKind::NotFound, format!("no cluster that is up or coming up is `{given}`"))
        }
        Err(several) => {
            let each = several.iter().map(|cluster| {
                let created = cluster.created.map(|at| format!(", created {at}"));
                let (id, state) = (&cluster.id, &cluster.native);
                format!("`{id}` ({}, {state}{})", cluster.name, created.unwrap_or_default())
            });
            let each = each.collect::<Vec<_>>().join(", ");
            let count = several.len();
            refuse(
                ErrorKind::Conflict,
                format!(
                    "{count} clusters are `{given}`: {each}; name one by its id, or the newest by `newest:NAME`"
                ),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_named_or_looked_for() {
        assert_eq!(query("j-1234"), None);
        assert_eq!(query("other:x"), None, "ids are the fabric's own business");
        assert_eq!(query("name:a:b"), Some(Query::Name("a:b".into())));
        assert_eq!(query("newest:etl"), Some(Query::Newest("etl".into())));
        let tag =
            |key: &str, value: &str| Some(Query::Tag { key: key.into(), value: value.into() });
        assert_eq!(query("tag:team=data=x"), tag("team", "data=x"));
        assert_eq!(query("tag:team"), tag("team", ""));
        assert_eq!(query("label:team=data"), tag("team", "data"));
    }
}

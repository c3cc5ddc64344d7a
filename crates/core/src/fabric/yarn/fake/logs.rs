//! Logs of containers: from a NodeManager while they run, from the JobHistoryServer afterwards.

use super::application::Application;
use super::serve::{Ask, text};
use super::world::World;
use crate::http::Reply;

/// What a NodeManager answers.
pub(super) fn on_node(world: &World, ask: &Ask) -> Reply {
    match of_container(world, ask).filter(|app| app.state.is_alive()) {
        Some(app) => wrapped(app, &ask.file, true),
        None => {
            let said = "java.lang.Exception: Unknown container. Container either has not started or has already completed or doesn't belong to this node at all.";
            text(404, said)
        }
    }
}

/// What the JobHistoryServer answers.
pub(super) fn in_history(world: &World, ask: &Ask) -> Reply {
    match of_container(world, ask).filter(|app| !app.state.is_alive() && app.started.is_some()) {
        Some(app) => wrapped(app, &ask.file, false),
        None => text(200, &format!("Can not find logs for container:{}", ask.id)),
    }
}

fn of_container<'w>(world: &'w World, ask: &Ask) -> Option<&'w Application> {
    world.applications.iter().find(|app| app.started.is_some() && app.container() == ask.id)
}

/// A log with what YARN puts around it.
fn wrapped(app: &Application, name: &str, running: bool) -> Reply {
    let container = app.container();
    let body = match name {
        "stdout" => &app.script.stdout,
        "stderr" => &app.script.stderr,
        _ => return text(200, &format!("Can not find logs for container:{container}")),
    };
    // What is there of a running program has no end of its own.
    let (kind, end) = match running {
        true => (
            "LOCAL",
            format!(
                "End of LogType:{name}.This log file belongs to a running container ({container}) and so may not be complete."
            ),
        ),
        false => ("AGGREGATED", format!("\nEnd of LogType:{name}")),
    };
    let (line, size) = ("=".repeat(68), body.len());
    let stars = "*".repeat(71);
    text(
        200,
        &format!(
            "Container: {container} on 127.0.0.1:42357\nLogAggregationType: {kind}\n{line}\nLogType:{name}\nLogLastModifiedTime:Sun Nov 22 09:44:02 +0000 2026\nLogLength:{size}\nLogContents:\n{body}{end}\n{stars}\n\n"
        ),
    )
}

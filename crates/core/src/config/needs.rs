//! What steps need, by the ids of other steps.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, code};
use crate::graph::Graph;
use crate::secret::Text;
use crate::source::Span;
use crate::suggest::suggest;

/// The names in a step, and where they stand.
pub(crate) struct Names<'a> {
    pub(crate) id: Text,
    /// The ids of the steps it needs; absent: it needs the one before it.
    pub(crate) needs: Option<Vec<(Cow<'a, Text>, Span)>>,
    /// The step itself.
    pub(crate) span: Span,
}

/// Which step needs which. A name that no step has, and steps that wait for each other, are faults.
pub(crate) fn resolve(steps: &[Names<'_>], fault: &mut dyn FnMut(Span, Diagnostic)) -> Graph {
    let mut places = HashMap::with_capacity(steps.len());
    for (place, step) in steps.iter().enumerate() {
        places.entry(step.id.expose()).or_insert(place);
    }
    let sorted = OnceCell::new();
    let needs = steps.iter().enumerate().map(|(place, step)| match &step.needs {
        None => place.checked_sub(1).into_iter().collect(),
        Some(names) => {
            let mut needs = Vec::with_capacity(names.len());
            for (name, span) in names {
                match places.get(name.expose()) {
                    Some(&place) => needs.push(place),
                    None => fault(*span, unknown(name, sorted.get_or_init(|| ids(steps)))),
                }
            }
            needs
        }
    });
    let graph = Graph::new(needs).unwrap_or_default();
    for cycle in graph.cycles() {
        fault(begin(steps, &cycle, &places), endless(steps, &cycle));
    }
    graph
}

/// Those that may be told, in one order, so that of two ids that are as near the same is told each time.
fn ids<'a>(steps: &'a [Names<'_>]) -> Vec<&'a str> {
    let written = steps.iter().map(|step| &step.id).filter(|id| !id.is_computed());
    let mut ids: Vec<_> = written.map(Text::expose).collect();
    ids.sort_unstable();
    ids
}

fn unknown(name: &Text, ids: &[&str]) -> Diagnostic {
    let help = match suggest(name.written(), ids.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`dependsOn` takes ids of steps of this playbook".to_owned(),
    };
    Diagnostic::error(code::UNKNOWN_STEP, "`dependsOn` names a step that does not exist")
        .label("no step has this id")
        .help(help)
}

/// How many steps of a cycle are named.
const MOST_NAMES: usize = 8;

fn endless(steps: &[Names<'_>], cycle: &[usize]) -> Diagnostic {
    let name = |step: usize| format!("`{}`", steps[step].id.written());
    let first = name(cycle[0]);
    let message = if cycle.len() == 1 {
        format!("step {first} needs itself")
    } else {
        let shown: Vec<_> = cycle.iter().take(MOST_NAMES).map(|&step| name(step)).collect();
        let more = if cycle.len() > MOST_NAMES { " → …" } else { "" };
        format!("steps wait for each other: {}{more} → {first}", shown.join(" → "))
    };
    Diagnostic::error(code::DEPENDENCY_CYCLE, message)
        .label("a step of the cycle")
        .help("take one of these names out of its `dependsOn`")
}

/// The name by which the first step of a cycle needs the next; the step, where it stands behind that one without a name.
fn begin(steps: &[Names<'_>], cycle: &[usize], places: &HashMap<&str, usize>) -> Span {
    let (first, next) = (&steps[cycle[0]], cycle[1 % cycle.len()]);
    let leads = |(name, _): &&(Cow<'_, Text>, Span)| places.get(name.expose()) == Some(&next);
    let name = first.needs.iter().flatten().find(leads);
    name.map_or(first.span, |(_, span)| *span)
}

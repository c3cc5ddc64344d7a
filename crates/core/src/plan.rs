//! A playbook resolved into a graph, and what a fabric cannot do of it.

mod check;
mod files;

use std::borrow::Cow;
use std::num::NonZeroU32;

use crate::config::needs::{self, Names};
use crate::config::playbook::{OnFailure, OnResult, Playbook, Retries, Rules, Step};
use crate::diagnostic::{Diagnostics, Place};
use crate::event::{self, Event, EventKind};
use crate::fabric::{Capabilities, LocalFile};
use crate::graph::Graph;
use crate::secret::Text;
pub use check::check;
use files::local_files;
pub(crate) use files::texts_of_files;
pub use files::{check_files, is_local};

/// Steps that know each other. They are named by their place in the playbook, from 0.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    told: Told,
    graph: Graph,
}

/// Where a plan is from.
#[derive(Clone, Debug, Default)]
enum Told {
    /// There are no steps to run (`up`, `down`).
    #[default]
    Nothing,
    /// What it runs is known.
    Playbook(Box<Playbook>),
    /// It can be followed, but nothing more of it can be ordered.
    Journal { rules: Vec<Rules>, max_parallel: Option<NonZeroU32> },
}

impl Plan {
    /// A plan without steps.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Resolves the names of a playbook. `None`, with the faults, if a name is unknown or steps wait for each
    /// other.
    pub fn new(mut playbook: Playbook, faults: &mut Diagnostics) -> Option<Self> {
        if let Some(graph) = playbook.graph.take() {
            return Some(Self { told: Told::Playbook(playbook.into()), graph });
        }
        let before = faults.errors();
        let names: Vec<_> = playbook.steps.iter().map(names).collect();
        let graph = needs::resolve(&names, &mut |span, fault| {
            faults.push(fault.at(Place::new(&playbook.source, span)));
        });
        drop(names);
        (faults.errors() == before).then(|| Self { told: Told::Playbook(playbook.into()), graph })
    }

    /// The plan of a journal: enough to follow its run to the end, as long as nothing more is ordered. `None`: the
    /// journal does not tell the rules of its steps.
    pub fn of_journal(events: &[Event]) -> Option<Self> {
        let steps = event::steps(events);
        let max_parallel = match events.first().map(|event| &event.kind) {
            Some(EventKind::RunStarted { max_parallel, .. }) => *max_parallel,
            _ => None,
        };
        let rules: Vec<_> = steps.iter().map(|step| step.rules.clone()).collect::<Option<_>>()?;
        let needs = steps.iter().enumerate().map(|(place, step)| match &step.needs {
            None => place.checked_sub(1).into_iter().collect(),
            Some(needs) => needs.clone(),
        });
        let graph = Graph::new(needs)?;
        let whole = graph.topological().len() == graph.len();
        whole.then_some(Self { told: Told::Journal { rules, max_parallel }, graph })
    }

    /// The playbook, where it is at hand.
    pub fn playbook(&self) -> Option<&Playbook> {
        match &self.told {
            Told::Playbook(playbook) => Some(playbook),
            Told::Nothing | Told::Journal { .. } => None,
        }
    }

    /// What the steps run, in the order of the playbook; nothing, where that is not at hand.
    pub fn steps(&self) -> &[Step] {
        self.playbook().map_or(&[], |p| &p.steps)
    }

    /// What is decided about a step.
    pub fn rules(&self, step: usize) -> &Rules {
        match &self.told {
            Told::Journal { rules, .. } => &rules[step],
            Told::Nothing | Told::Playbook(_) => &self.steps()[step].rules,
        }
    }

    /// The steps that must have succeeded before `step` may start.
    pub fn needs(&self, step: usize) -> &[usize] {
        self.graph.needs(step)
    }

    /// The steps that wait for `step`.
    pub fn needed_by(&self, step: usize) -> &[usize] {
        self.graph.needed_by(step)
    }

    /// Whether each step is `step`, or needs it, directly or not.
    pub fn from(&self, step: usize) -> Vec<bool> {
        let mut reached = vec![false; self.graph.len()];
        let mut next = vec![step];
        while let Some(step) = next.pop() {
            if !std::mem::replace(&mut reached[step], true) {
                next.extend(self.needed_by(step));
            }
        }
        reached
    }

    /// Each step needs just the one before it, and the fabric can do all that is to be decided on the way.
    pub fn is_plain_chain(&self) -> bool {
        let alone = |place: usize| {
            let rules = self.rules(place);
            self.needs(place).iter().copied().eq(place.checked_sub(1))
                && rules.retries == Retries::NONE
                && rules.timeout.is_none()
                && rules.on_result == OnResult::default()
                && matches!(rules.on_failure, OnFailure::CancelAndWait | OnFailure::Continue)
        };
        (0..self.graph.len()).all(alone)
    }

    /// At most so many steps at once, whatever the fabric could do.
    pub fn max_parallel(&self) -> Option<NonZeroU32> {
        match &self.told {
            Told::Playbook(playbook) => playbook.max_parallel,
            Told::Journal { max_parallel, .. } => *max_parallel,
            Told::Nothing => None,
        }
    }

    /// How many steps may run at once on a fabric.
    pub fn parallel(&self, fabric: &Capabilities) -> usize {
        let limits = [self.max_parallel(), fabric.parallel];
        limits.iter().flatten().map(|n| n.get() as usize).min().unwrap_or(usize::MAX)
    }

    /// Sorts the steps into stages: those of one stage need only steps of earlier ones, so they may run at
    /// once. Nothing waits for a stage to end: a step starts when what it needs has succeeded.
    pub fn stages(&self) -> Vec<Vec<usize>> {
        let mut stage = vec![0; self.graph.len()];
        for step in self.graph.topological() {
            stage[step] = self.needs(step).iter().map(|&n| stage[n] + 1).max().unwrap_or(0);
        }
        let mut stages = vec![Vec::new(); stage.iter().max().map_or(0, |last| last + 1)];
        for (step, stage) in stage.into_iter().enumerate() {
            stages[stage].push(step);
        }
        stages
    }

    /// The files beside the playbook that its steps want, by the names they have there.
    pub fn local_files(&self) -> Vec<(&Text, LocalFile)> {
        self.playbook().map(local_files).unwrap_or_default()
    }
}

fn names(step: &Step) -> Names<'_> {
    let needs = step.depends_on.as_ref();
    let needs = needs.map(|all| all.iter().map(|it| (Cow::Borrowed(it), it.span)).collect());
    Names { id: Text::new(&*step.id, step.span), needs, span: step.span }
}

#[cfg(test)]
mod tests;

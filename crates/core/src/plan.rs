//! A playbook resolved into a graph, and what a fabric cannot do of it.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::config::fields::Field;
use crate::config::needs::{self, Names};
use crate::config::playbook::{
    OnFailure, OnResult, Playbook, Program, Retries, Rules, Runner, Step,
};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, code};
use crate::event::{self, Event, EventKind};
use crate::fabric::{Capabilities, ExitCodes, LocalFile};
use crate::graph::Graph;
use crate::secret::Text;

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
    pub fn new(playbook: Playbook, faults: &mut Diagnostics) -> Option<Self> {
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

    /// What the fabric cannot do of it.
    pub fn check(&self, fabric: &Capabilities, faults: &mut Diagnostics) {
        let Some(playbook) = self.playbook() else { return };
        for step in &playbook.steps {
            for (field, code, message, help) in refusals(step, fabric) {
                let place = Place::new(&playbook.source, step.span_of(field));
                faults.push(Diagnostic::error(code, message).at(place).help(help));
            }
        }
    }

    /// Looks whether the files beside the playbook are there.
    pub fn check_files(&self, faults: &mut Diagnostics) {
        let Some(playbook) = self.playbook() else { return };
        for (name, file) in self.local_files() {
            let fault = match std::fs::metadata(&file.path) {
                Ok(found) if found.is_file() => continue,
                Ok(_) => Diagnostic::error(code::NOT_A_FILE, "it is not a file")
                    .help("only single files beside the playbook go to the cluster with it; name folders by a URI"),
                Err(error) => Diagnostic::error(code::MISSING_FILE, format!("the file beside the playbook cannot be read: {error}"))
                    .help("names that begin with `./` or `../` are taken from the playbook's own folder"),
            };
            faults.push(fault.at(Place::new(&playbook.source, name.span)));
        }
    }

    /// The files beside the playbook that its steps want, by the names they have there.
    pub fn local_files(&self) -> Vec<(&Text, LocalFile)> {
        let Some(playbook) = self.playbook() else { return Vec::new() };
        let folder = PathBuf::from(playbook.source.name());
        let folder = folder.parent().map(PathBuf::from).unwrap_or_default();
        let texts = playbook.steps.iter().flat_map(texts_of_files);
        texts
            .filter(|text| is_local(text.expose()))
            .map(|text| (text, LocalFile { path: folder.join(text.expose()) }))
            .collect()
    }
}

/// Whether a name in a playbook means a file beside it.
pub fn is_local(name: &str) -> bool {
    name.starts_with("./") || name.starts_with("../")
}

/// Every text of a step that may name a file.
pub(crate) fn texts_of_files(step: &Step) -> impl Iterator<Item = &Text> {
    let program = match &step.work.program {
        Program::CustomJar { jar, .. } | Program::Flink { jar, .. } => [Some(jar), None],
        Program::Command { command } => [Some(command), None],
        Program::Spark { application, .. } => [Some(application), None],
        Program::SparkSql { file } | Program::Hive { file } | Program::Pig { file } => {
            [Some(file), None]
        }
        Program::Streaming { mapper, reducer, .. } => [Some(mapper), reducer.as_ref()],
        Program::Copy { source, .. } => [Some(source), None],
    };
    // The program that EMR's own jars run.
    let run_by_jar = match &step.work.program {
        Program::CustomJar { jar, .. } if Runner::of(jar.expose()).is_some() => {
            step.work.arguments.first()
        }
        _ => None,
    };
    program.into_iter().flatten().chain(run_by_jar).chain(&step.work.files)
}

fn names(step: &Step) -> Names<'_> {
    let needs = step.depends_on.as_ref();
    let needs = needs.map(|all| all.iter().map(|it| (Cow::Borrowed(it), it.span)).collect());
    Names { id: Text::new(&*step.id, step.span), needs, span: step.span }
}

/// Field, code, message and help of each thing that a fabric cannot do of a step.
fn refusals(step: &Step, fabric: &Capabilities) -> Vec<(Field, Code, String, String)> {
    let mut all = Vec::new();
    let name = fabric.fabric;
    let kind = step.work.program.step_type();
    if !fabric.step_types.contains(&kind) {
        let known: Vec<_> = fabric.step_types.iter().map(|t| t.as_str()).collect();
        all.push((
            Field::Type,
            code::STEP_TYPE_NOT_ON_FABRIC,
            format!("fabric `{name}` runs no steps of type {}", kind.as_str()),
            format!("it runs {}", known.join(", ")),
        ));
    }
    if !fabric.failure_rules.contains(&step.rules.on_failure) {
        let known: Vec<_> = fabric.failure_rules.iter().map(|r| r.as_str()).collect();
        all.push((
            Field::ActionOnFailure,
            code::FAILURE_RULE_NOT_ON_FABRIC,
            format!("fabric `{name}` cannot do {}", step.rules.on_failure.as_str()),
            format!("it can do {}", known.join(", ")),
        ));
    }
    if fabric.exit_codes == ExitCodes::None && step.rules.on_result != OnResult::default() {
        all.push((
            Field::OnResult,
            code::NO_EXIT_CODES_ON_FABRIC,
            format!("fabric `{name}` does not tell exit codes"),
            "take `onResult` out".to_owned(),
        ));
    }
    if !fabric.cancel_running && step.rules.timeout.is_some() {
        all.push((
            Field::TimeoutSeconds,
            code::NO_CANCEL_ON_FABRIC,
            format!("fabric `{name}` cannot stop a running step"),
            "take `timeoutSeconds` out".to_owned(),
        ));
    }
    all
}

#[cfg(test)]
mod tests;

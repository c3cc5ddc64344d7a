//! `runs --orphans`: clusters that runs brought up, and that no run looks after.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock;
use dataflow_runner_core::diagnostic::{Diagnostic, code};
use dataflow_runner_core::event::{EventKind, Goal, Outcome};
use dataflow_runner_core::fabric::{ClusterId, ClusterStatus, Discreet, Fabric, Query, RunId};
use dataflow_runner_core::journal::{self, Header};
use dataflow_runner_core::report::{Standing, Summary};
use serde_json::json;

use super::asked::Asked;
use super::{Usage, cluster, runs};
use crate::args::{self, Level};
use crate::exit::Exit;
use crate::load::Loader;
use crate::target::{Around, Target};
use crate::ui::messages::{count, signal_name, with_hint};
use crate::ui::{Ui, escape};

/// A fabric that does not answer is asked so often: there may be more of them that do not.
const TRIES: u32 = 2;

/// A cluster that a run brought up.
struct Found {
    fabric: String,
    cluster: ClusterStatus,
    run: RunId,
    told: Told,
}

/// What the journals of this folder tell of a cluster.
struct Told {
    /// It is meant to be there.
    looked_after: bool,
    /// Why it is, or why not.
    why: String,
    /// Its run's journal leads to it.
    known: bool,
}

pub(super) fn run(
    args: &args::Orphans,
    json: bool,
    global: &args::Global,
    ui: &mut Ui,
) -> Result<Exit, Usage> {
    let Some((state, ids)) = runs::all(global, ui) else { return Ok(Exit::Failed) };
    let bell = Arc::new(Bell::new());
    let around = Around {
        state: &state,
        bell: &bell,
        reach: true,
        settle: None,
        quota_factor: args.quota_factor,
        poll: None,
        log_wait: None,
    };
    let mut places = Places::default();
    if let Some(path) = &args.config.path {
        match of_file(path, args, &around, ui)? {
            Some(fabric) => places.add(fabric),
            None => return Ok(Exit::Invalid),
        }
    }
    for id in ids.iter().rev() {
        match journal::glance(&journal::folder(&state, id)) {
            Ok(glance) => places.of_journal(&glance.header, &around, ui),
            Err(error) => {
                ui.message(Level::Warning, format!("run {id} cannot be told of: {error}"));
            }
        }
    }
    let mut found = places.ask(&bell, &Journals { state: &state, ids: &ids }, ui);
    found.retain(|found| args.all || !found.told.looked_after);
    found.sort_by_key(|found| Reverse(found.cluster.created));
    if json {
        let lines: String = found.iter().map(|found| machine(found) + "\n").collect();
        ui.print(lines.as_bytes());
    } else {
        ui.print(people(&found).as_bytes());
    }
    if found.iter().all(|found| found.told.looked_after) {
        let asked = count(places.asked.len() - places.unasked, "fabric");
        let text = format!("No cluster is without a run that looks after it ({asked} asked)");
        ui.message(Level::Info, text);
    }
    Ok(if places.unasked > 0 { Exit::Refused } else { Exit::Success })
}

/// Where a cluster file leads.
fn of_file(
    path: &Path,
    args: &args::Orphans,
    around: &Around<'_>,
    ui: &mut Ui,
) -> Result<Option<Arc<dyn Fabric>>, Usage> {
    let mut loader = Loader::new(&args.variables)?;
    ui.hide(loader.variables());
    let target = loader.target(path).ok();
    let fabric = target.map(|target| target.fabric(around));
    let fabric = fabric.and_then(|made| made.map_err(|fault| loader.sink().push(fault)).ok());
    let faulty = ui.faults(loader.faults());
    let fabric = fabric.map(|fabric| Arc::new(Discreet::new(fabric, loader.hidden())) as _);
    Ok(fabric.filter(|_| !faulty))
}

/// The fabrics to ask, each once.
#[derive(Default)]
struct Places {
    fabrics: Vec<Arc<dyn Fabric>>,
    /// Fabric and reach of all that were named.
    asked: BTreeSet<(String, BTreeMap<String, String>)>,
    /// So many of them could not be asked.
    unasked: usize,
}

impl Places {
    fn add(&mut self, fabric: Arc<dyn Fabric>) {
        self.asked.insert((fabric.capabilities().fabric.to_owned(), fabric.reach()));
        self.fabrics.push(fabric);
    }

    fn of_journal(&mut self, header: &Header, around: &Around<'_>, ui: &mut Ui) {
        if !self.asked.insert((header.fabric.clone(), header.reach.clone())) {
            return;
        }
        match Target::reached(header, None).and_then(|target| target.fabric(around)) {
            Ok(fabric) => self.fabrics.push(fabric),
            Err(Diagnostic { message, help, code, .. }) => {
                let help = match code {
                    code::CREDENTIALS_NOT_KEPT => Some("name that file with --config".to_owned()),
                    _ => help,
                };
                let why = help.map_or(message.clone(), |help| format!("{message}; {help}"));
                self.cannot_ask(&header.fabric, &header.reach, &why, ui);
            }
        }
    }

    /// The clusters of ours of all fabrics.
    fn ask(&mut self, bell: &Bell, journals: &Journals<'_>, ui: &mut Ui) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for fabric in std::mem::take(&mut self.fabrics) {
            let name = fabric.capabilities().fabric;
            match cluster::look(&Query::Ours, &*fabric, bell, TRIES) {
                // Who interrupts it has seen enough.
                Ok(Asked::Signal(_)) => return found,
                Ok(Asked::Answer(clusters)) => {
                    for cluster in clusters {
                        // Two ways may lead to the same place.
                        let is_it = |it: &Found| it.fabric == name && it.cluster.id == cluster.id;
                        let run = cluster.token.as_ref().and_then(|token| token.run());
                        if let Some(run) = run.filter(|_| !found.iter().any(is_it)) {
                            let told = journals.told(&run, &cluster.id);
                            found.push(Found { fabric: name.to_owned(), cluster, run, told });
                        }
                    }
                }
                Err(error) => self.cannot_ask(name, &fabric.reach(), &with_hint(&error), ui),
            }
            for message in fabric.warnings() {
                ui.message(Level::Warning, message);
            }
        }
        found
    }

    fn cannot_ask(
        &mut self,
        fabric: &str,
        reach: &BTreeMap<String, String>,
        why: &str,
        ui: &mut Ui,
    ) {
        self.unasked += 1;
        let place = ["workFolder", "region", "endpoint", "profile"];
        let place: Vec<_> = place.iter().filter_map(|key| reach.get(*key)).collect();
        let place = place.iter().map(|word| escape::line(word)).collect::<Vec<_>>().join(", ");
        let text = format!("what is left behind on {fabric} ({place}) cannot be told: {why}");
        ui.message(Level::Warning, text);
    }
}

/// What was begun here.
struct Journals<'a> {
    state: &'a Path,
    ids: &'a [RunId],
}

impl Journals<'_> {
    /// Whether a run looks after a cluster that it brought up.
    fn told(&self, run: &RunId, cluster: &ClusterId) -> Told {
        let orphan = |why: String, known| Told { looked_after: false, why, known };
        if !self.ids.contains(run) {
            return orphan("no journal of its run is here".to_owned(), false);
        }
        let folder = journal::folder(self.state, run);
        let read = journal::glance(&folder).and_then(|it| Ok((it, journal::read(&folder)?)));
        let (glance, contents) = match read {
            Ok(read) => read,
            Err(error) => return orphan(format!("its run cannot be told of: {error}"), false),
        };
        let Summary { standing, goal, .. } = Summary::of(glance);
        if standing == Standing::Running {
            let why = "its run is driven".to_owned();
            return Told { looked_after: true, why, known: true };
        }
        let launched = contents.events.iter().filter_map(|event| match &event.kind {
            EventKind::Launched { cluster, .. } => Some(cluster),
            _ => None,
        });
        let launched: Vec<_> = launched.collect();
        let known = launched.contains(&cluster);
        match launched.last() {
            Some(other) if !known => orphan(format!("its run has cluster {other} instead"), false),
            _ => match standing {
                Standing::Ended(outcome) if goal == Some(Goal::Up) && outcome.is_success() => {
                    Told { looked_after: true, why: "`up` brought it up to stay".to_owned(), known }
                }
                standing => orphan(because(&standing), known),
            },
        }
    }
}

/// How the run of a cluster stands that it does not look after.
fn because(standing: &Standing) -> String {
    let outcome = match standing {
        Standing::Running | Standing::Left => {
            return "its run was left, nobody drives it".to_owned();
        }
        Standing::Ended(outcome) => outcome,
    };
    match outcome {
        Outcome::Succeeded | Outcome::Noop { .. } | Outcome::Submitted => {
            "its run succeeded, and left it".to_owned()
        }
        Outcome::Failed { .. } => "its run failed, and left it".to_owned(),
        Outcome::Refused { .. } => "its run was refused, and left it".to_owned(),
        Outcome::Interrupted { signal, left: true } => {
            format!("its run was told to leave it, by {}", signal_name(*signal))
        }
        Outcome::Interrupted { signal, left: false } => {
            format!("its run was interrupted by {}, and left it", signal_name(*signal))
        }
        Outcome::InDoubt { .. } => "its run ended in doubt".to_owned(),
    }
}

/// The clusters in columns, and how to end one.
fn people(found: &[Found]) -> String {
    let now = clock::timestamp();
    let rows: Vec<[String; 6]> = found
        .iter()
        .map(|Found { cluster, run, told, .. }| {
            let age = cluster.created.map(|created| age(clock::until(created, now)));
            [
                escape::line(cluster.id.as_str()),
                escape::line(&cluster.name),
                cluster.state.as_str().to_owned(),
                age.unwrap_or_else(|| "-".to_owned()),
                escape::line(run.as_str()),
                escape::line(&told.why),
            ]
        })
        .collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..6).map(|column| widest(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, &width)| format!("{cell:<width$}")).collect::<Vec<_>>();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    let orphans = || found.iter().map(|found| &found.told).filter(|told| !told.looked_after);
    let by_run = "dataflow-runner down --run RUN";
    let by_id = "dataflow-runner down --config FILE --cluster CLUSTER";
    text += &match (orphans().any(|told| told.known), orphans().any(|told| !told.known)) {
        (false, false) => String::new(),
        (true, false) => format!("End one: {by_run}\n"),
        (false, true) => format!("End one: {by_id}\n"),
        (true, true) => {
            format!("End one: {by_run} (where its run knows it), or {by_id}\n")
        }
    };
    text
}

/// How long, in the largest unit that tells enough.
fn age(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds}s"),
        seconds @ ..7_200 => format!("{}m", seconds / 60),
        seconds @ ..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn machine(found: &Found) -> String {
    let Found { fabric, cluster, run, told } = found;
    json!({
        "cluster": cluster.id,
        "name": cluster.name,
        "fabric": fabric,
        "state": cluster.state,
        "native": cluster.native,
        "created": cluster.created,
        "run": run,
        "orphan": !told.looked_after,
        "why": told.why,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_unit_that_tells_enough() {
        for (seconds, told) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (7_199, "119m"),
            (7_200, "2h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (8_640_000, "100d"),
        ] {
            assert_eq!(age(Duration::from_secs(seconds)), told, "{seconds}");
        }
    }
}

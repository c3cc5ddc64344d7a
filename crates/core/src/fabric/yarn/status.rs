//! What YARN says of applications, in our words: the only place where its words are read.

use jiff::Timestamp;

use super::application::{ATTEMPT, DETACHED, TYPE};
use super::reply::App;
use crate::fabric::{StepState, StepStatus};

/// How a line of the launcher's diagnostics begins when the program failed.
const CODE: &str = "exit code ";

/// What Spark says when the driver failed that it ran in the cluster.
const SPARK_CODE: &str = "User application exited with status ";

/// So many characters of diagnostics are told.
const TOLD: usize = 2000;

/// A step, from its launcher and from the applications that it started.
pub(super) struct Step<'a> {
    pub(super) launcher: &'a App,
    pub(super) children: Vec<&'a App>,
}

/// Where an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waits,
    Runs,
    Succeeded,
    Failed,
    Killed,
    /// In a state that nobody here has heard of.
    Unheard,
}

/// By YARN's two words.
/// <https://hadoop.apache.org/docs/r3.4.2/api/org/apache/hadoop/yarn/api/records/YarnApplicationState.html>,
/// `FinalApplicationStatus` beside it.
fn stage(app: &App) -> Stage {
    match (app.state.as_str(), app.final_status.as_str()) {
        ("NEW" | "NEW_SAVING" | "SUBMITTED" | "ACCEPTED", _) => Stage::Waits,
        ("RUNNING", _) => Stage::Runs,
        ("FINISHED", "SUCCEEDED") => Stage::Succeeded,
        // It is told so until the attempt has been cleaned up.
        ("FINISHING" | "FINAL_SAVING" | "KILLING" | "ACCEPTED_KILLING", _) => Stage::Runs,
        ("FINISHED", "FAILED" | "ENDED") | ("FAILED", _) => Stage::Failed,
        ("FINISHED", "KILLED") | ("KILLED", _) => Stage::Killed,
        _ => Stage::Unheard,
    }
}

pub(super) fn is_over(app: &App) -> bool {
    matches!(stage(app), Stage::Succeeded | Stage::Failed | Stage::Killed)
}

impl<'a> Step<'a> {
    /// The step of a launcher among all applications of its run.
    pub(super) fn of(launcher: &'a App, all: &'a [App]) -> Self {
        let tag = attempt_tag(launcher);
        let is_child =
            |app: &&App| app.application_type != TYPE && tag.is_some_and(|tag| app.has_tag(tag));
        Self { launcher, children: all.iter().filter(is_child).collect() }
    }

    /// Applications that are to end, since what started them did not end well.
    pub(super) fn strays(&self) -> Vec<&'a App> {
        if !matches!(stage(self.launcher), Stage::Failed | Stage::Killed) {
            return Vec::new();
        }
        self.alive().collect()
    }

    /// All of it that is not over.
    pub(super) fn live(&self) -> Vec<&'a App> {
        [self.launcher].into_iter().filter(|app| !is_over(app)).chain(self.alive()).collect()
    }

    fn alive(&self) -> impl Iterator<Item = &'a App> {
        self.children.iter().copied().filter(|app| !is_over(app))
    }

    pub(super) fn status(&self) -> StepStatus {
        let launcher = self.launcher;
        let detached = launcher.has_tag(DETACHED);
        match stage(launcher) {
            Stage::Waits => told(StepState::Pending, launcher),
            Stage::Runs => running(launcher, self.children.last().copied()),
            Stage::Succeeded if detached => self.by_children(),
            Stage::Succeeded => succeeded(launcher),
            Stage::Failed | Stage::Killed if self.alive().next().is_some() => {
                let status = running(launcher, self.children.last().copied());
                let reason =
                    "its program has ended, and an application that it started is being ended";
                StepStatus { reason: Some(reason.to_owned()), ended: None, ..status }
            }
            Stage::Failed => StepStatus {
                exit_code: self.exit_code(),
                reason: self.why_failed(),
                ..told(StepState::Failed, launcher)
            },
            Stage::Killed => {
                // The lifetime that was set for it: nobody stopped it.
                let late = launcher.diagnostics.contains("exceeded the lifetime");
                let state = if late { StepState::Failed } else { StepState::Cancelled };
                StepStatus { reason: reason(launcher), ..told(state, launcher) }
            }
            Stage::Unheard => told(StepState::Unknown, launcher),
        }
    }

    /// The program has handed its work over: those who have it say how it ends.
    fn by_children(&self) -> StepStatus {
        let Some(child) = self.verdict() else {
            let reason = "its program has ended well, but no application carries its tag: nobody can say what became of its work";
            let status = told(StepState::Unknown, self.launcher);
            return StepStatus { reason: Some(reason.to_owned()), ..status };
        };
        let status = match stage(child) {
            Stage::Waits | Stage::Runs => return running(self.launcher, Some(child)),
            Stage::Succeeded => succeeded(child),
            Stage::Failed => {
                StepStatus { exit_code: self.exit_code(), ..told(StepState::Failed, child) }
            }
            Stage::Killed => told(StepState::Cancelled, child),
            Stage::Unheard => told(StepState::Unknown, child),
        };
        let started = told(StepState::Running, self.launcher).started;
        StepStatus { reason: reason(child), started, ..status }
    }

    /// What the program said at its end, after what the applications said that failed because of it, or it because of them.
    fn why_failed(&self) -> Option<String> {
        let failed = self.children.iter().filter(|child| stage(child) == Stage::Failed);
        let theirs = failed
            .filter_map(|child| Some(format!("application `{}`: {}", child.id, reason(child)?)));
        let all: Vec<_> = theirs.chain(reason(self.launcher)).collect();
        (!all.is_empty()).then(|| all.join("\n"))
    }

    /// The child that says most: one that still runs, else one that failed, else any.
    fn verdict(&self) -> Option<&'a App> {
        let worst = |app: &&&App| match stage(app) {
            Stage::Waits | Stage::Runs => 3,
            Stage::Unheard => 2,
            Stage::Failed | Stage::Killed => 1,
            Stage::Succeeded => 0,
        };
        self.children.iter().max_by_key(worst).copied()
    }

    /// The program's own, where somebody tells it: Spark's driver in the cluster tells it to its own application only.
    fn exit_code(&self) -> Option<i32> {
        let by_child = self.children.iter().find_map(|child| code(&child.diagnostics, SPARK_CODE));
        by_child.or_else(|| code(&self.launcher.diagnostics, CODE))
    }
}

/// The tag of the attempt that an application of ours is, which all that it starts have, too.
fn attempt_tag(launcher: &App) -> Option<&str> {
    launcher.application_tags.split(',').map(str::trim).find(|tag| tag.starts_with(ATTEMPT))
}

/// The tag of the order that an application of ours came from: it begins with that of the run.
fn order_tag(launcher: &App) -> Option<&str> {
    let tags = || launcher.application_tags.split(',').map(str::trim);
    tags().find(|tag| tags().any(|run| !run.is_empty() && is_order_of(tag, run)))
}

/// The tag of the run that it came from.
pub(super) fn run_tag(launcher: &App) -> Option<&str> {
    let order = order_tag(launcher)?;
    order.rsplit_once('.').map(|(run, _)| run)
}

/// `<run>.<order>`.
fn is_order_of(tag: &str, run: &str) -> bool {
    let number = tag.strip_prefix(run).and_then(|rest| rest.strip_prefix('.'));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Its program ended with 0: nothing else is called so by the launcher.
fn succeeded(app: &App) -> StepStatus {
    StepStatus { exit_code: Some(0), ..told(StepState::Succeeded, app) }
}

fn running(launcher: &App, child: Option<&App>) -> StepStatus {
    let status = told(StepState::Running, launcher);
    let Some(child) = child else { return status };
    let shown = told(StepState::Running, child);
    StepStatus { progress: shown.progress, link: shown.link, ended: None, ..status }
}

fn told(state: StepState, app: &App) -> StepStatus {
    let time = |at: i64| (at > 0).then(|| Timestamp::from_millisecond(at).ok()).flatten();
    let native = match is_over(app) {
        true => format!("{}/{}", app.state, app.final_status),
        false => app.state.clone(),
    };
    // YARN tells of 5 or 50 % before an application says anything itself; what is no number is no progress.
    let part = app.progress / 100.0;
    StepStatus {
        started: time(app.launch_time),
        ended: time(app.finished_time).filter(|_| is_over(app)),
        progress: (0.0..=1.0).contains(&part).then_some(part).filter(|_| !is_over(app)),
        link: Some(app.tracking_url.clone()).filter(|url| !url.is_empty() && url != "UNASSIGNED"),
        ..StepStatus::new(state, native)
    }
}

/// The number behind some words, at the beginning of the first line that has them there.
fn code(diagnostics: &str, words: &str) -> Option<i32> {
    let line = diagnostics.lines().find_map(|line| line.trim().strip_prefix(words))?;
    line.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// What YARN says of how it ended, after what that means where it has a meaning. What an application says of itself, such
/// as the last words of its program, may have the same words in it and means something else.
fn reason(app: &App) -> Option<String> {
    let said: String = app.diagnostics.trim().chars().take(TOLD).collect();
    if said.is_empty() {
        return None;
    }
    let by_yarn = app.state != "FINISHED";
    Some(match meaning(&said).filter(|_| by_yarn) {
        Some(meaning) => format!("{meaning}: {said}"),
        None => said,
    })
}

/// What people ask of YARN's own words; each was seen on Hadoop 3.4.2.
fn meaning(said: &str) -> Option<&'static str> {
    const MEANINGS: [(&str, &str); 9] = [
        (
            "exitCode: -104",
            "it took more memory than its container has: raise `memoryMb`, or the memory of its application",
        ),
        ("exitCode: -103", "it took more virtual memory than YARN allows its container"),
        ("exitCode: -1000", "a node could not bring what the step needs from HDFS"),
        ("exitCode: -100", "its container was lost with its node"),
        ("exitCode: 143", "its container was stopped from outside"),
        ("exitCode: 127", "the nodes have no Java where YARN says it is"),
        ("to unknown queue", "there is no such queue: give another as `queue`"),
        (" timed out. Failing the application", "its launcher did not come up in time"),
        ("exceeded the lifetime", "it took longer than it may"),
    ];
    MEANINGS.iter().find(|(words, _)| said.contains(words)).map(|(_, meaning)| *meaning)
}

//! One command, killed once or twice, followed, and what has to have come of it.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use dataflow_runner_core::event::{EventKind, Outcome};

use super::world::{World, output};
use crate::harness::Ran;

/// What is done, and what has to come of it, killed or not.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// What is there before.
    pub(super) world: fn() -> World,
    /// The command that is killed.
    pub(super) command: &'static str,
    /// How it goes on after that.
    pub(super) again: Again,
    /// The exit code of whoever saw it through.
    pub(super) code: i32,
    /// How the run ended.
    pub(super) outcome: fn(&Outcome) -> bool,
    /// How often each step was begun.
    pub(super) began: &'static [(&'static str, usize)],
    /// The cluster that is left is told on standard output.
    pub(super) prints_cluster: bool,
    /// How many clusters there ever were, and how many are left.
    pub(super) clusters: (usize, usize),
}

/// How a user goes on after a kill.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// `attach last`; where the run was never begun, the same command.
    Attach,
    /// The same command, whose run is an old one; in every other world `attach last`, where the run was taken up.
    Same,
    /// The same command in all cases.
    Always,
}

/// What came of a kill.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Killed {
    /// It died where it was to die.
    pub(super) once: bool,
    /// Whoever followed died as well.
    pub(super) twice: bool,
}

impl Scenario {
    /// The points that the command passes when nobody kills it, and what is wrong then.
    pub(super) fn points(&self) -> (Vec<String>, Vec<String>) {
        let world = (self.world)();
        let log = world.place.path("points");
        let mut command = world.command(self.command);
        command.env("DATAFLOW_RUNNER_CRASH_LOG", &log);
        let ran = Ran::from(output(&mut command));
        let wrong = self.faults(&world, &ran, "");
        let points = fs::read_to_string(log).unwrap_or_default();
        (points.lines().map(str::to_owned).collect(), wrong)
    }

    /// Kills the command at a point, and perhaps whoever follows it; what is wrong after that.
    pub(super) fn kill(&self, at: u64, then_at: Option<u64>) -> (Killed, Vec<String>) {
        let (killed, wrong, _) = self.tell_kill(at, then_at);
        (killed, wrong)
    }

    /// The same, and what was said.
    pub(super) fn tell_kill(&self, at: u64, then_at: Option<u64>) -> (Killed, Vec<String>, String) {
        let world = (self.world)();
        let mut told = String::new();
        let mut killed = Killed::default();
        let mut ran = dying(&world, self.command, at, &mut told);
        killed.once = ran.is_none();
        if let (None, Some(then_at)) = (&ran, then_at) {
            ran = dying(&world, &self.follow(&world, at, &mut told), then_at, &mut told);
            killed.twice = ran.is_none();
        }
        let ran = ran.unwrap_or_else(|| {
            let line = self.follow(&world, at + then_at.unwrap_or(0), &mut told);
            let ran = world.run(&line);
            tell(&mut told, &line, &ran);
            ran
        });
        let wrong = self.faults(&world, &ran, &told);
        let place = match then_at {
            Some(then_at) => format!("{} at {at}, then at {then_at}", self.name),
            None => format!("{} at {at}", self.name),
        };
        let wrong = wrong.into_iter().map(|wrong| format!("{place}: {wrong}")).collect();
        (killed, wrong, told)
    }

    /// What a user does who finds the command dead.
    fn follow(&self, world: &World, at: u64, told: &mut String) -> String {
        let last = world.last();
        let begun = match self.again {
            Again::Always => false,
            Again::Attach => last.as_ref().is_some_and(|(run, _)| !world.before.contains(run)),
            Again::Same => {
                let taken_up = |kind: &EventKind| matches!(kind, EventKind::Resumed { .. });
                at.is_multiple_of(2)
                    && last.is_some_and(|(_, all)| all.iter().any(|it| taken_up(&it.kind)))
            }
        };
        if begun {
            return "attach last".to_owned();
        }
        if self.again == Again::Attach && world.runs().len() > world.before.len() {
            // There is a folder of a run that never was. Who attaches is told so, and nothing is done.
            let ran = world.run("attach last");
            tell(told, "attach last", &ran);
        }
        self.command.to_owned()
    }

    /// What is wrong.
    fn faults(&self, world: &World, ran: &Ran, told: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |so: bool, what: String| {
            if !so {
                wrong.push(what);
            }
        };
        check(ran.code == Some(self.code), format!("exit code {:?}, not {}", ran.code, self.code));
        match world.outcome() {
            Ok(outcome) => check((self.outcome)(&outcome), format!("outcome {outcome:?}")),
            Err(fault) => check(false, fault),
        }
        let success = world.outcome() == Ok(Outcome::Succeeded);
        check(!(success && world.keeps_inputs()), "its inputs are still there".to_owned());
        let left = world.processes();
        check(left.is_empty(), format!("processes are left: {left:?}"));
        for (step, times) in self.began {
            let began = world.began(step);
            check(began == *times, format!("step `{step}` was begun {began} times, not {times}"));
        }
        let living = world.living();
        if self.prints_cluster {
            let printed = ran.stdout.trim();
            check(living == [printed], format!("`{printed}` was printed, {living:?} is there"));
        }
        let clusters = (world.made(), living.len());
        let what = format!("clusters (made, left): {clusters:?}, not {:?}", self.clusters);
        check(clusters == self.clusters, what);
        let violations = world.violations();
        check(violations.is_empty(), format!("violations: {violations:?}"));
        if let Some(last) = wrong.last_mut() {
            let events: Vec<_> = world.last().into_iter().flat_map(|(_, events)| events).collect();
            let lines: Vec<_> = events
                .iter()
                .map(|event| serde_json::to_string(event).unwrap_or_default())
                .collect();
            *last +=
                &format!("\n{told}--- events\n{}\n--- the end\n{}", lines.join("\n"), ran.stderr);
        }
        wrong
    }
}

/// Runs a command that is to be killed at a point; how it ended, if it came to its end before that.
fn dying(world: &World, line: &str, at: u64, told: &mut String) -> Option<Ran> {
    let mut command = world.command(line);
    let log = world.place.path("points");
    _ = fs::remove_file(&log);
    command.env("DATAFLOW_RUNNER_CRASH_AT", at.to_string());
    command.env("DATAFLOW_RUNNER_CRASH_LOG", &log);
    let output = output(&mut command);
    world.settle();
    let died = output.status.signal() == Some(9);
    let ran = Ran::from(output);
    tell(told, line, &ran);
    if died {
        let points = fs::read_to_string(log).unwrap_or_default();
        *told += &format!("--- killed at {at}, {}\n", points.lines().last().unwrap_or_default());
    }
    (!died).then_some(ran)
}

fn tell(told: &mut String, line: &str, ran: &Ran) {
    *told += &format!("--- {line}: {:?}\n{}", ran.code, ran.stderr);
}

//! Drives one run, and says what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::clock::{Clock, add};
use dataflow_runner_core::driver::Driver;
use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::engine::{Fresh, Run, Settings, Start};
use dataflow_runner_core::event::{Event, Outcome};
use dataflow_runner_core::fabric::{ClusterId, Fabric, RunId};
use dataflow_runner_core::journal::Journal;
use dataflow_runner_core::plan::Plan;

use super::RUN;
use super::diary::Diary;
use super::dice::Dice;
use super::oracle::judge;
use super::spec::Spec;
use super::truth::{Told, Truth};

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Went {
    pub(crate) requests: usize,
    pub(crate) faulty: usize,
    /// The outcome in one word.
    pub(crate) outcome: &'static str,
    /// Why what is in doubt could not be found out.
    pub(crate) doubts: Vec<&'static str>,
    /// What should not be.
    pub(crate) wrong: Vec<String>,
    /// The events, one a line.
    pub(crate) said: String,
}

impl Went {
    pub(crate) fn new(spec: &Spec, told: Told, truth: &Truth) -> Self {
        let doubts = match &told.outcome {
            Outcome::InDoubt { .. } => truth.obscure.clone(),
            _ => Vec::new(),
        };
        let wrong = judge(spec, &told, truth);
        let lines = told.events.iter().map(|e| serde_json::to_string(e).expect("JSON") + "\n");
        let said = match wrong.is_empty() {
            true => String::new(),
            false => format!("{spec:#?}\n{truth:#?}\n{}", lines.collect::<String>()),
        };
        Self { outcome: told.outcome.word(), doubts, wrong, said, ..Self::default() }
    }
}

/// What comes where somebody wants a run to end (POSIX SIGTERM).
pub(crate) const SIGNAL: i32 = 15;

/// A run that is to be driven.
pub(crate) struct Ride<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) plan: &'a Plan,
    pub(crate) fabric: &'a dyn Fabric,
    pub(crate) clock: &'a Clock,
    pub(crate) bell: &'a Bell,
    pub(crate) cluster: Option<ClusterId>,
    /// After so many events somebody wants it to end.
    pub(crate) signal: Option<usize>,
}

/// What a killed driver leaves by.
struct Killed;

impl Ride<'_> {
    /// To the end of the run, with as many drivers as it takes.
    pub(crate) fn drive(&self, dice: &mut Dice) -> Told {
        let diary = Diary::roll(dice);
        let deaths = if dice.percent(20) { dice.count(1, 3) } else { 0 };
        let mut deaths: Vec<usize> = (0..deaths).map(|_| dice.count(1, 60)).collect();
        let (mut events, mut left_alone) = (Vec::new(), Duration::ZERO);
        let mut journal = diary.begin(self.clock.now());
        let mut start = self.fresh();
        let outcome = loop {
            if let Some(outcome) = self.drive_once(start, &mut journal, &mut deaths, &mut events) {
                break outcome;
            }
            drop(journal);
            if dice.percent(50) {
                diary.tear(&mut events, dice);
            }
            let alone = dice.seconds(0, 1200);
            left_alone += alone;
            self.clock.wait(&Bell::new(), add(self.clock.now(), alone));
            journal = diary.go_on(&events);
            start = match events.is_empty() {
                true => self.fresh(),
                false => {
                    let state = Box::new(RunState::fold(&events).expect("it folds"));
                    match &state.outcome {
                        Some(outcome) if !outcome.is_open() => break outcome.clone(),
                        _ => Start::Attach { state, cancel: None },
                    }
                }
            };
        };
        let kept = diary.check(&events, &outcome);
        Told::new(outcome, events, left_alone, kept)
    }

    fn fresh(&self) -> Start {
        Start::Fresh(Fresh::new(RunId::new(RUN), self.spec.goal, self.cluster.clone()))
    }

    /// To the end of the run, or of its driver.
    fn drive_once(
        &self,
        start: Start,
        journal: &mut Journal,
        deaths: &mut Vec<usize>,
        events: &mut Vec<Event>,
    ) -> Option<Outcome> {
        let run = Run {
            plan: self.plan,
            fabric: self.fabric,
            clock: self.clock,
            bell: self.bell,
            settings: Settings::default(),
            driver: Driver { host: "here".into(), pid: 1, start: None },
            journal,
        };
        let seen = &mut |event: &Event| {
            events.push(event.clone());
            if self.signal == Some(events.len()) {
                self.bell.signal(SIGNAL);
            }
            if let Some(death) = deaths.iter().position(|death| *death == events.len()) {
                deaths.remove(death);
                resume_unwind(Box::new(Killed));
            }
        };
        match catch_unwind(AssertUnwindSafe(|| run.execute(start, seen))) {
            Ok(outcome) => Some(outcome),
            Err(killed) if killed.is::<Killed>() => None,
            Err(other) => resume_unwind(other),
        }
    }
}

//! Signals while something comes up, runs or goes down: nothing is left, or it is left to be found again.

use std::time::Duration;

use dataflow_runner_core::fabric::dataproc::fake::{
    ClusterScript, Fault, JobState, Script, StepScript,
};
use rustix::process::Signal;

use super::{CREATE, DELETE, RUN, SUBMIT, Site, TRANSIENT, UP, endless};
use crate::program::Program;

const DAY: Duration = Duration::from_secs(86_400 * 13);

/// A cluster that comes up for days.
fn coming() -> Script {
    Script::default().cluster(ClusterScript { creating: DAY, ..ClusterScript::default() })
}

/// A cluster that goes down for as long as nobody lets time pass.
fn slowly_gone() -> Script {
    let fates = Script::default().step("first", StepScript::done(0));
    fates.cluster(ClusterScript { deleting: DAY, ..ClusterScript::default() })
}

/// Signals the command once it has said this; how it ended, and what it said.
fn signalled(site: &Site, line: &str, text: &str, signals: &[Signal]) -> (Option<i32>, String) {
    let mut program = Program::start(site.command(line));
    program.says(text);
    let (first, more) = signals.split_first().expect("a signal");
    program.signal(*first);
    for signal in more {
        program.says("Interrupted by SIG");
        program.signals_to_the_end(*signal);
    }
    program.end()
}

#[test]
fn what_comes_up_and_what_runs_is_ended_or_left_and_found_again() {
    for (line, fates, text) in [
        (UP, coming as fn() -> Script, "is coming up"),
        (TRANSIENT, coming as fn() -> Script, "started successfully"),
        (TRANSIENT, endless as fn() -> Script, "is RUNNING"),
    ] {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
            let site = Site::new(fates());
            let (ended, said) = signalled(&site, line, text, &[signal]);
            assert_eq!(ended, Some(code), "{line} {text}: {said}");
            assert_eq!(site.orders().contains(&DELETE), signal != Signal::HUP, "{said}");
            if signal == Signal::HUP {
                site.done("cancel last", 0);
            }
            assert_eq!(site.orders().iter().filter(|order| **order == CREATE).count(), 1);
            site.nothing_is_left();
        }
    }
}

#[test]
fn a_run_on_a_cluster_of_others_cancels_its_steps() {
    for (signal, code, left) in
        [(Signal::INT, 130, false), (Signal::TERM, 143, false), (Signal::HUP, 129, true)]
    {
        let site = Site::new(endless());
        site.up();
        let (ended, said) = signalled(&site, RUN, "is RUNNING", &[signal]);
        assert_eq!(ended, Some(code), "{said}");
        let state = |site: &Site| site.fake.world(|world| world.jobs[0].state());
        assert_eq!(state(&site) == JobState::Running, left);
        site.done("cancel last", 0);
        assert_eq!(state(&site), JobState::Cancelled);
        assert_eq!(site.clusters(), (1, 1));
        site.nothing_runs();
    }
}

#[test]
fn what_is_to_be_left_is_left() {
    let site = Site::new(endless());
    let line = format!("{TRANSIENT} --on-interrupt leave");
    let (ended, said) = signalled(&site, &line, "is RUNNING", &[Signal::INT]);
    assert_eq!(ended, Some(130), "{said}");
    assert!(!site.orders().contains(&DELETE));
    site.done("cancel last", 0);
    site.nothing_is_left();
}

#[test]
fn while_it_goes_down_it_goes_on_going_down() {
    for (signals, code) in [
        (&[Signal::INT, Signal::INT][..], 5),
        (&[Signal::TERM, Signal::INT][..], 5),
        (&[Signal::HUP][..], 129),
    ] {
        let site = Site::new(slowly_gone());
        let (ended, said) = signalled(&site, TRANSIENT, "is STOPPING", signals);
        assert_eq!(ended, Some(code), "{signals:?}: {said}");
        assert!(site.orders().contains(&DELETE));
        site.fake.pass(DAY);
        site.nothing_is_left();
    }
}

/// Nobody was told what came of the order, and it is taken back all the same.
#[test]
fn what_was_ordered_without_an_answer_is_ended() {
    for (line, operation) in [(UP, CREATE), (TRANSIENT, CREATE), (TRANSIENT, SUBMIT)] {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let site = Site::new(if operation == CREATE { coming() } else { endless() });
            site.fake.fail(operation, .., Fault::ReplyLost);
            let program = Program::start(site.command(line));
            let ordered = || match operation {
                CREATE => site.clusters().0 > 0,
                _ => site.submissions(["first"]) == [1],
            };
            while !ordered() {
                std::thread::yield_now();
            }
            program.signal(signal);
            let (ended, said) = program.end();
            assert_eq!(ended, Some(code), "{line} {operation}: {said}");
            assert_eq!(site.clusters().0, 1);
            site.nothing_is_left();
        }
    }
}

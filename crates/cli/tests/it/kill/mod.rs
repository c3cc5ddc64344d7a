//! kill -9 at every point: whatever a command was doing when it died, whoever comes back brings the run to the end that
//! it would have had, and nothing is done twice, lost or left behind.
//!
//! A [`Scenario`] is run once to learn how many points it passes (`dataflow_runner_core::crash`), then once for each
//! of them, in a world of its own: the command dies there, and is followed as a user would.

mod scenario;
mod scenarios;
mod sweep;
mod world;

use scenario::Scenario;
use scenarios::*;
use sweep::{Choice, Figures, sweep};

/// In the tests that are always run, each kind of point is tried once, and one point of so many.
const STRIDE: usize = 9;

/// So many worlds at once: most of the time they wait, as orders that were lost are sent again after a while.
const THREADS: usize = 4;

/// Some points of a scenario; none is wrong.
fn sample(scenario: &Scenario) {
    let figures = sweep(scenario, Choice::Every(STRIDE), THREADS);
    assert!(figures.wrong.is_empty(), "{}", figures.wrong.join("\n\n"));
    assert!(figures.killed > 3, "{figures:?}");
}

#[test]
fn a_transient_chain_on_this_machine() {
    sample(&LOCAL_TRANSIENT);
}

#[test]
fn a_chain_on_a_living_cluster_of_this_machine() {
    sample(&LOCAL_CHAIN);
}

#[test]
fn a_graph_with_retries_on_this_machine() {
    sample(&LOCAL_GRAPH);
}

#[test]
fn up_on_this_machine() {
    sample(&LOCAL_UP);
}

#[test]
fn down_on_this_machine() {
    sample(&LOCAL_DOWN);
}

#[test]
fn cancel_on_this_machine() {
    sample(&LOCAL_CANCEL);
}

#[test]
fn resume_on_this_machine() {
    sample(&LOCAL_RESUME);
}

#[test]
fn a_transient_chain_on_a_far_side() {
    sample(&EMR_TRANSIENT);
}

#[test]
fn a_chain_on_a_living_cluster_of_a_far_side() {
    sample(&EMR_CHAIN);
}

#[test]
fn a_graph_with_retries_on_a_far_side() {
    sample(&EMR_GRAPH);
}

#[test]
fn up_on_a_far_side() {
    sample(&EMR_UP);
}

#[test]
fn down_on_a_far_side() {
    sample(&EMR_DOWN);
}

#[test]
fn cancel_on_a_far_side() {
    sample(&EMR_CANCEL);
}

#[test]
fn resume_on_a_far_side() {
    sample(&EMR_RESUME);
}

#[test]
fn a_chain_on_a_hadoop_cluster() {
    sample(&YARN_CHAIN);
}

#[test]
fn a_graph_with_retries_on_a_hadoop_cluster() {
    sample(&YARN_GRAPH);
}

#[test]
fn cancel_on_a_hadoop_cluster() {
    sample(&YARN_CANCEL);
}

#[test]
fn resume_on_a_hadoop_cluster() {
    sample(&YARN_RESUME);
}

#[test]
fn a_transient_chain_on_dataproc() {
    sample(&DATAPROC_TRANSIENT);
}

#[test]
fn a_chain_on_a_living_cluster_of_dataproc() {
    sample(&DATAPROC_CHAIN);
}

#[test]
fn a_graph_with_retries_on_dataproc() {
    sample(&DATAPROC_GRAPH);
}

#[test]
fn up_on_dataproc() {
    sample(&DATAPROC_UP);
}

#[test]
fn down_on_dataproc() {
    sample(&DATAPROC_DOWN);
}

#[test]
fn cancel_on_dataproc() {
    sample(&DATAPROC_CANCEL);
}

#[test]
fn resume_on_dataproc() {
    sample(&DATAPROC_RESUME);
}

/// What the ring of real tools runs: `cargo test --test it kill:: -- --ignored --nocapture`. To look at one kill, name
/// what is in the scenario's name, and its point: `DATAFLOW_RUNNER_TEST_KILL='up, local' DATAFLOW_RUNNER_TEST_POINT=15`.
#[test]
#[ignore = "minutes: every point, and many a pair of them"]
fn every_point_of_every_scenario() {
    let name = told("DATAFLOW_RUNNER_TEST_KILL").unwrap_or_default();
    let chosen = ALL.iter().filter(|scenario| scenario.name.contains(&name));
    if let Some(point) = told("DATAFLOW_RUNNER_TEST_POINT") {
        let at = point.parse().expect("a number");
        for scenario in chosen {
            let (killed, wrong, said) = scenario.tell_kill(at, None);
            println!("{}: {killed:?}\n{said}\n{}", scenario.name, wrong.join("\n\n"));
        }
        return;
    }
    let shown = |figures: &Figures| println!("{figures}");
    let all: Vec<Figures> =
        chosen.map(|scenario| sweep(scenario, Choice::All, THREADS)).inspect(shown).collect();
    let wrong: Vec<_> = all.iter().flat_map(|figures| figures.wrong.clone()).collect();
    let (points, killed, pairs, seconds) = all.iter().fold((0, 0, 0, 0.0), |sum, figures| {
        let Figures { points, killed, pairs, seconds, .. } = figures;
        (sum.0 + points, sum.1 + killed, sum.2 + pairs, sum.3 + seconds)
    });
    println!(
        "kills: {points} points, {killed} died there, {pairs} twice, {} wrong, {seconds:.0} s",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(killed >= 300 || !name.is_empty(), "{killed}");
}

#[expect(clippy::disallowed_methods, reason = "set by whoever runs the tests, not by a test")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

//! How often a fabric is asked.

use super::*;

/// Each question is a notch: so many of them a step runs.
fn runs(questions: u32) -> StepScript {
    StepScript { pending: 0, running: questions, end: End::Exit(0), stubborn: 0 }
}

/// When each step ended, in milliseconds.
fn ends(ran: &Ran) -> Vec<(String, i128)> {
    let ended = ran.events.iter().filter_map(|event| match &event.kind {
        EventKind::StepEnded { step, .. } => {
            Some((step.clone(), event.at.duration_since(Timestamp::UNIX_EPOCH).as_millis()))
        }
        _ => None,
    });
    ended.collect()
}

#[test]
fn a_fabric_is_asked_each_second_in_the_first_half_minute_of_each_step() {
    let second = Duration::from_secs(1);
    let mut bench = Bench::dag("a b long", &[("b", "a")]);
    bench.capabilities.pace = Pace { eager: second * 30, ..Pace::steady(second, second * 15) };
    let bench = bench.does("a", &[runs(40)]).does("b", &[runs(20)]).does("long", &[runs(64)]);
    let ran = bench.run().clean();
    let ended = ends(&ran);
    let names: Vec<_> = ended.iter().map(|(step, _)| step.as_str()).collect();
    assert_eq!(names, ["a", "b", "long"]);
    // 30 questions in 30 s; ten more take 1.5 s, 2.25 s … 15 s.
    assert!((130_000..140_000).contains(&ended[0].1), "{ended:?}");
    // Though another step runs for long.
    let took = ended[1].1 - ended[0].1;
    assert!((20_000..23_000).contains(&took), "{ended:?}");
}

//! Any lines as events: no panic, and they fold to a state or are refused.
#![no_main]

use dataflow_runner_core::engine::state::RunState;
use dataflow_runner_core::event::Event;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let events: Vec<Event> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if let Ok(state) = RunState::fold(&events) {
        assert_eq!(state.seq, events.len() as u64);
    }
});

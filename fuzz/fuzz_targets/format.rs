//! See `dataflow_runner_core::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dataflow_runner_core::fuzz::run("format", input));

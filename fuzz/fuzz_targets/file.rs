//! Any text as a configuration: no panic, and refused if and only if there is an error to show.
#![no_main]

use std::sync::Arc;

use dataflow_runner_core::config;
use dataflow_runner_core::document::Document;
use dataflow_runner_core::source::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let document = Document::plain(Arc::new(Source::new("file.json", text)));
    let (config, faults) = config::load(&document);
    assert_eq!(config.is_none(), faults.has_errors());
    for fault in faults.sorted() {
        let place = fault.place.as_ref().expect("every fault of a file has a place");
        assert!(place.span.range().end <= text.len());
    }
});

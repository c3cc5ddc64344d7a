//! Any text as a template: no panic, no hang, and a map that covers the output.
#![no_main]

use std::io;
use std::sync::Arc;

use dataflow_runner_core::source::{Source, Span};
use dataflow_runner_core::template::{Inputs, Limits, Map, Origin, Template, Value};
use jiff::{Timestamp, tz::TimeZone};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let source = Arc::new(Source::new("playbook", text));
    let Ok(template) = Template::parse(&source) else { return };
    let variables = Map::from_iter([
        ("x", Value::from("text")),
        ("n", Value::Int(3)),
        ("l", Value::from(serde_json::json!([1, "a", null, 2.5, {"k": "v"}]))),
    ]);
    let rendered = template.render(&Inputs {
        variables: &variables,
        now: &|| Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC),
        env: &|name| (name == "E").then(|| "secret".into()),
        read: &|_| Err(io::ErrorKind::NotFound.into()),
        limits: Limits { output: 1 << 16, steps: 100_000 },
    });
    let Ok(rendered) = rendered else { return };
    let mut end = 0;
    for piece in rendered.map.pieces(Span::new(0, rendered.bytes().len())) {
        assert_eq!(piece.rendered.start, end);
        end = piece.rendered.end;
        let from = &text[piece.source.range()];
        if *piece.origin == Origin::Text {
            assert_eq!(from.as_bytes(), &rendered.bytes()[piece.rendered.range()]);
        }
    }
    assert_eq!(end as usize, rendered.bytes().len());
});

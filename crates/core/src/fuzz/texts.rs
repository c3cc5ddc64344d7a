//! Texts of users, and files of our own that may be damaged.

use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config;
use crate::config::playbook::Playbook;
use crate::diagnostic::{Diagnostics, code};
use crate::document::Document;
use crate::engine::state::RunState;
use crate::event::Event;
use crate::fabric::{dataproc, emr, local, yarn};
use crate::format::{self, Refused};
use crate::inputs::Inputs as Kept;
use crate::journal;
use crate::lock::Owner;
use crate::plan::Plan;
use crate::report::Report;
use crate::schema::{Faults, Mode, Path as SchemaPath, Schema, check};
use crate::source::{Source, Span};
use crate::template::{Inputs, Limits, Map, Origin, Template, Value};

fn document(name: &str, text: &str) -> Document {
    Document::plain(Arc::new(Source::new(name, text)))
}

/// Every fault of a file has a place in it.
fn are_placed(faults: Diagnostics, text: &str) {
    for fault in faults.sorted() {
        if fault.code == code::TOO_MANY_FAULTS {
            continue;
        }
        let place = fault.place.as_ref().expect("every fault of a file has a place");
        assert!(place.span.range().end <= text.len());
        assert!(text.is_char_boundary(place.span.range().start));
    }
}

/// Any text as a template: the map covers what is rendered, and text stands where the map says.
pub(super) fn template(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
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
    assert!(rendered.bytes().len() <= (1 << 16).max(text.len()));
    let mut end = 0;
    for piece in rendered.map.pieces(Span::new(0, rendered.bytes().len())) {
        assert_eq!(piece.rendered.start, end);
        end = piece.rendered.end;
        let from = &text[piece.source.range()];
        if *piece.origin == Origin::Text {
            assert_eq!(from.as_bytes(), &rendered.bytes()[piece.rendered.range()]);
        }
    }
    assert!(rendered.is_plain() || end as usize == rendered.bytes().len());
}

/// Any text as JSON: what is read without a fault is what serde_json reads, and what it refuses has a fault.
pub(super) fn json(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let document = document("file.json", text);
    let (node, faults) = crate::json::parse(&document);
    let right = !faults.has_errors();
    are_placed(faults, text);
    match serde_json::from_str::<serde_json::Value>(text) {
        // It has a limit of depth, as we have; and it takes no number beyond those of f64.
        Ok(_) => assert!(right || text.contains(['[', '{'])),
        Err(error) => assert!(!right || error.to_string().contains("number out of range")),
    }
    assert!(node.is_some() || !right);
}

/// A schema and a value, with a line of `---` between them.
pub(super) fn schema(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (avsc, value) = text.split_once("\n---\n").unwrap_or((text, "{}"));
    let avsc_document = document("schema.avsc", avsc);
    let (schema, faults) = Schema::parse(&avsc_document);
    assert_eq!(schema.is_none(), faults.has_errors());
    are_placed(faults, avsc);
    let Some(schema) = schema else { return };
    let document = document("file.json", value);
    let (Some(node), _) = crate::json::parse(&document) else { return };
    for mode in [Mode::Strict, Mode::Lenient] {
        let mut faults = Faults::new(&document);
        _ = check(&schema, &node, &SchemaPath::root("data"), mode, &mut faults);
        are_placed(faults.finish(), value);
    }
}

/// Any text as a configuration: refused if and only if there is an error to show; a playbook makes a plan or is refused.
pub(super) fn load(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (read, mut faults) = config::load_or_draft(&document("file.json", text), true);
    assert_eq!(read.is_err(), faults.has_errors());
    let hold = |playbook: &Playbook, faults: &mut Diagnostics| {
        emr::check_playbook(playbook, None, faults);
        yarn::check_playbook(playbook, faults);
        dataproc::check_playbook(playbook, faults);
    };
    match read {
        Ok(config::Config::Playbook(playbook)) => {
            hold(&playbook, &mut faults);
            let mut faults = Diagnostics::new();
            assert_eq!(Plan::new(playbook, &mut faults).is_none(), faults.has_errors());
        }
        Err(Some(config::Draft::Playbook(draft))) => hold(draft.playbook(), &mut faults),
        _ => {}
    }
    are_placed(faults, text);
}

/// Any bytes as a journal: what is read folds to a state that counts the events, or is refused; also without the checksums
/// that keep nearly all of it from being looked at.
pub(super) fn journal(input: &[u8]) {
    if let Ok(contents) = journal::parse(input, Path::new("journal.jsonl")) {
        assert!(contents.torn <= input.len() as u64);
        _ = Report::of(&contents, false);
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    let events: Vec<Event> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if let Ok(state) = RunState::fold(&events) {
        assert_eq!(state.seq, events.len() as u64);
    }
}

/// What this machine's own fabric, locks and runs find in their files.
pub(super) fn local(input: &[u8]) {
    local::fuzz_record(input);
    _ = Owner::of(input);
    _ = serde_json::from_slice::<Kept>(input);
}

/// Any text formatted: only white space changes, and a second time nothing. Else it is refused with a reason in it.
pub(super) fn format(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let source = Arc::new(Source::new("file.json", text));
    let formatted = match format::format(&source) {
        Ok(formatted) => formatted,
        Err(Refused::Faulty(fault)) => return are_placed([*fault].into_iter().collect(), text),
        Err(Refused::Changed(why)) => panic!("{why}"),
    };
    let solid = |text: &str| text.replace([' ', '\t', '\r', '\n'], "");
    assert_eq!(solid(text), solid(&formatted));
    let again = format::format(&Arc::new(Source::new("file.json", formatted.as_str())));
    assert!(matches!(again, Ok(again) if again == formatted));
}

//! What a file says is the same before and after, whatever its variables are.

use std::fs;
use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::golden::files;
use super::*;
use crate::template::{Inputs, Limits, Map};

/// What a text is rendered as.
fn rendered(text: &str, variables: &Json) -> Option<String> {
    let variables = variables.as_object().expect("an object").clone();
    let variables: Map = variables.into_iter().map(|(name, value)| (name, value.into())).collect();
    let inputs = Inputs {
        variables: &variables,
        now: &|| Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC),
        env: &|name| (name == "PASS").then(|| "hunter2".into()),
        read: &|path| match path.to_str() {
            Some("pass") => Ok(b"hunter2".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        },
        limits: Limits { output: 1 << 18, steps: 100_000 },
    };
    let rendered = Template::parse(&source(text)).ok()?.render(&inputs).ok()?;
    String::from_utf8(rendered.bytes().to_vec()).ok()
}

/// What it means.
fn meaning(text: &str, variables: &Json) -> Option<Json> {
    serde_json::from_str(&rendered(text, variables)?).ok()
}

/// Formats it, if that is possible, and compares. Says whether there was something to compare.
fn compare(text: &str, variables: &Json) -> bool {
    let formatted = match format(&source(text)) {
        Ok(formatted) => formatted,
        Err(Refused::Faulty(_)) => return false,
        Err(Refused::Changed(why)) => panic!("{why}: {text:?}"),
    };
    let before = meaning(text, variables);
    assert_eq!(before, meaning(&formatted, variables), "{text}\n{formatted}");
    let is_rendered = |text| rendered(text, variables).is_some();
    assert_eq!(is_rendered(text), is_rendered(&formatted), "{text}");
    before.is_some()
}

fn variables_beside(path: &std::path::Path) -> Json {
    let mut all =
        json!({"day": "2026-11-22", "bucket": "b", "subnet": "s", "countries": ["AT", "DE"]});
    let text = fs::read_to_string(path.with_extension("vars.json")).unwrap_or("{}".to_owned());
    let own: serde_json::Map<String, Json> = serde_json::from_str(&text).unwrap_or_default();
    all.as_object_mut().expect("an object").extend(own);
    all
}

#[test]
fn valid_files_mean_the_same() {
    let mut compared = 0;
    for folder in [
        "fixtures/valid",
        "fixtures/warned",
        "examples/local",
        "examples/emr",
        "examples/yarn",
        "examples/dataproc",
    ] {
        for path in files(folder, ".json") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            assert!(compare(&text, &variables_beside(&path)), "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared}");
}

#[test]
fn invalid_files_do_no_harm() {
    let mut compared = 0;
    for path in files("fixtures/invalid", ".json") {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        compared += usize::from(compare(&text, &variables_beside(&path)));
    }
    assert!(compared >= 100, "{compared}");
}

/// The templates that Go rendered for us, as a whole value and as a part of a string.
#[test]
fn templates_of_every_kind_mean_the_same() {
    let mut compared = 0;
    for name in ["cases.json", "more.json"] {
        let path = files("fixtures/gotemplate", name).remove(0);
        let file: Json =
            serde_json::from_str(&fs::read_to_string(path).expect("UTF-8")).expect("JSON");
        for case in file["cases"].as_array().expect("cases") {
            let template = case["t"].as_str().expect("a template");
            for text in [
                format!("[1,   {template}  ,   \"a   b\"]"),
                format!("[  \"a   {template}   b\"  ,1]"),
                format!("{{\n\"a\":  1, {template}\n\"b\":2  }}"),
            ] {
                compared += usize::from(compare(&text, &file["data"]));
            }
        }
    }
    assert!(compared >= 250, "{compared}");
}

/// White space, and an action that gives nothing.
fn gap() -> BoxedStrategy<String> {
    prop_oneof![
        6 => Just(String::new()),
        4 => "[ \t\n]{1,4}",
        1 => Just("\r\n".to_owned()),
        1 => Just("{{/* c */}}".to_owned()),
        1 => Just("\n{{- /* lint: allow x */}}\n".to_owned()),
        1 => Just(" {{/* lint: allow y */ -}} ".to_owned()),
        1 => Just("{{$v := .x}}".to_owned()),
    ]
    .boxed()
}

fn leaf() -> BoxedStrategy<String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("1{{.n}}".to_owned()),
        Just("tru{{if .x}}e{{else}}e{{end}}".to_owned()),
        Just("{{.s}}".to_owned()),
        Just(r#""a  {{.n}}  {{if .x}}  b{{else}}c  {{end}}""#.to_owned()),
        Just(r#""a {{- if .x -}} "#.to_owned() + "\n  b {{- end}}\""),
        Just(r#""a{{if .x}}", "b{{end}}""#.to_owned()),
        Just(r#"{{template "t" .}}"#.to_owned()),
        any::<i16>().prop_map(|n| n.to_string()),
        "[a-zñ ,:{}\\[\\]]{0,30}".prop_map(|text| format!("\"{}\"", text.replace('{', "{ "))),
    ]
    .boxed()
}

/// Texts that are rendered as JSON values. What is boxed needs less of the stack, at each of many levels.
fn value() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 40, 5, |inner| {
        // An item or a member, each with a comma behind it.
        let part = (inner.clone(), gap(), gap(), 0..7_u8)
            .prop_map(|(value, a, b, kind)| match kind {
                0 => format!("{{{{if .x}}}}{a}{value}{b},{{{{end}}}}"),
                1 => format!("\n{{{{if .x}}}}\n{value},{b}\n{{{{else}}}}{a}1,\n{{{{end}}}}\n"),
                2 => format!("{{{{range .l}}}}{a}{value},{b}{{{{end}}}}"),
                3 => format!("\n{{{{- range .l}}}}\n{value}{b},\n{{{{- end}}}}{a}"),
                _ => format!("{a}{value}{b},"),
            })
            .boxed();
        let keyed = |part: &String| part.replace("\u{1}", "\"k\" :");
        let list = (prop::collection::vec(part, 0..5), inner.clone(), gap(), gap())
            .prop_map(|(parts, last, a, b)| format!("[{a}{}{last}{b}]", parts.concat()))
            .boxed();
        let member = (inner.clone(), gap(), gap(), gap(), 0..5_u8)
            .prop_map(|(value, a, b, c, kind)| match kind {
                0 => format!("{{{{if .x}}}}{a}\u{1}{b}{value}{c},{{{{end}}}}"),
                1 => format!("\n{{{{with .n}}}}\n\u{1}{value},{b}\n{{{{end}}}}\n"),
                _ => format!("{a}\u{1}{b}{value}{c},"),
            })
            .boxed();
        let object = (prop::collection::vec(member, 0..5), inner, gap())
            .prop_map(move |(parts, last, a)| {
                format!(" {{ {}{a}\"last\":{last}{a}}}", keyed(&parts.concat()))
            })
            .boxed();
        let parts = value_parts();
        prop_oneof![3 => list, 3 => object, 1 => parts]
    })
}

fn value_parts() -> impl Strategy<Value = String> {
    (leaf(), leaf(), gap()).prop_map(|(yes, no, gap)| {
        // What is more than one value stands in a list.
        format!("[{{{{if .x}}}}{gap}{yes}{{{{else}}}}{no}{gap}{{{{end}}}}]")
    })
}

proptest! {
    #[test]
    fn any_document_means_the_same(value in value(), before in gap(), behind in gap()) {
        let text = format!("{before}{value}{behind}{{{{define \"t\"}}}} [ 1,  2 ] {{{{end}}}}\n");
        for x in [true, false] {
            let variables = json!({"x": x, "n": 5, "s": "\"q  r\"", "l": [1, 2]});
            prop_assert!(format(&source(&text)).is_ok(), "{text}");
            compare(&text, &variables);
        }
    }

    #[test]
    fn no_text_is_too_odd(
        text in r#"([\[\]{},:"\\]|[ \n\t]{1,3}|1|tr|true|"a  b"|\{\{(/\* lint: \*/|/\* c \*/|if \.x|else|end|range \.l|\.s|"\\""|- \.s -|\$y := 1|break|define "d"|template "d"|block "b" \.)\}\}){0,24}"#
    ) {
        let found = format(&source(&text));
        if let Ok(formatted) = &found {
            prop_assert_eq!(&super::text(formatted), formatted);
        }
        let why = match found {
            Err(Refused::Changed(why)) => Some(why),
            _ => None,
        };
        prop_assert_eq!(why, None);
    }
}

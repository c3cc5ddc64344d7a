//! Rendered text back to the template; secrets; which variables count as used.

use super::super::{Origin, Template};
use super::{render, source};
use crate::source::Span;

/// The source texts and origins of all pieces.
fn pieces(text: &str, json: &str) -> Vec<(String, String, String)> {
    let rendered = render(text, json).expect(text);
    let all = Span::new(0, rendered.bytes().len());
    (rendered.map.pieces(all))
        .map(|piece| {
            let shown = String::from_utf8_lossy(&rendered.bytes()[piece.rendered.range()]);
            let origin = match piece.origin {
                Origin::Text => "text".into(),
                Origin::Value => "value".into(),
                Origin::Secret(name) => name.to_string(),
            };
            (shown.into_owned(), text[piece.source.range()].to_owned(), origin)
        })
        .collect()
}

fn strings(pieces: &[(String, String, String)]) -> Vec<(&str, &str, &str)> {
    pieces.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect()
}

#[test]
fn pieces_name_their_places() {
    let text = "a {{- .x -}} b{{range $i, $e := .l}}<{{ $e }}>{{end}}{{define \"T\"}}({{.}}){{end}}{{template \"T\" 1}}";
    let found = pieces(text, r#"{"x": "X", "l": ["p", "q"]}"#);
    assert_eq!(
        strings(&found),
        [
            ("a", "a", "text"),
            ("X", "{{- .x -}}", "value"),
            ("b", "b", "text"),
            ("<", "<", "text"),
            ("p", "{{ $e }}", "value"),
            (">", ">", "text"),
            ("<", "<", "text"),
            ("q", "{{ $e }}", "value"),
            (">", ">", "text"),
            ("(", "(", "text"),
            ("1", "{{.}}", "value"),
            (")", ")", "text"),
        ]
    );
}

#[test]
fn spans_are_as_small_as_can_be() {
    let text = "héllo {{.x}} wörld{{.empty}}!";
    let rendered = render(text, r#"{"x": "XYZ", "empty": ""}"#).expect("fine");
    let map = &rendered.map;
    assert_eq!(rendered.bytes(), "héllo XYZ wörld!".as_bytes());
    let of = |start, end| &text[map.source(Span::new(start, end)).range()];
    assert_eq!(of(1, 3), "é");
    assert_eq!(of(8, 9), "{{.x}}");
    assert_eq!(of(7, 9), "{{.x}}", "wholly inside the value");
    assert_eq!(of(5, 8), "o {{.x}}");
    assert_eq!(of(9, 12), "{{.x}} w");
    assert_eq!(of(0, rendered.bytes().len()), text);
    assert_eq!(of(16, 17), "d");
    assert_eq!(map.source(Span::at(1)), Span::at(1));
    assert_eq!(of(8, 8), "{{.x}}");
    let end = map.source(Span::at(rendered.bytes().len()));
    assert_eq!(end, Span::at(text.len()));
    // Behind the end is the end; of nothing there is nothing.
    assert_eq!(map.source(Span::new(90, 99)), end);
    let nothing = render("{{/* c */}}", "{}").expect("empty").map;
    assert_eq!(nothing.source(Span::at(0)), Span::at(0));
    assert_eq!(nothing.pieces(Span::new(0, 9)).count(), 0);
}

#[test]
fn plain_means_no_actions() {
    for (text, plain) in [
        ("{\"a\": 1}", true),
        ("", true),
        ("{{/* c */}}", false),
        ("a{{/**/}}", false),
        ("{{1}}", false),
    ] {
        assert_eq!(render(text, "{}").expect(text).is_plain(), plain, "{text}");
    }
}

#[test]
fn secrets_taint_what_is_made_of_them() {
    let origin = |text: &str| {
        let found = pieces(text, r#"{"name": "TOKEN", "m": {"s3cret": "v"}, "l": [1, 2]}"#);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found[0].2.clone()
    };
    for text in [
        "{{systemEnv \"TOKEN\"}}",
        "{{\"TOKEN\" | systemEnv}}",
        "{{systemEnv \"TOKEN\" | printf \"%q\"}}",
        "{{print 1 (base64 (systemEnv \"TOKEN\")) 2}}",
        "{{$a := systemEnv \"TOKEN\"}}{{$b := print $a}}{{$b}}",
        "{{$a := 1}}{{$a = systemEnv \"TOKEN\"}}{{$a}}",
        "{{with systemEnv \"TOKEN\"}}{{.}}{{end}}",
        "{{with $x := systemEnv \"TOKEN\"}}{{$x}}{{end}}",
        "{{define \"T\"}}{{html .}}{{end}}{{template \"T\" (systemEnv \"TOKEN\")}}",
        "{{or \"\" (systemEnv \"TOKEN\")}}",
        "{{and 1 (systemEnv \"TOKEN\")}}",
        "{{slice (systemEnv \"TOKEN\") 1 3}}",
        "{{index (systemEnv \"TOKEN\") 0}}",
        "{{printf \"%d\" (systemEnv \"TOKEN\")}}",
        "{{urlquery (js (html (systemEnv \"TOKEN\")))}}",
        "{{print (systemEnv \"TOKEN\") (systemEnv \"TOKEN\")}}",
        "{{nowWithFormat (systemEnv \"TOKEN\")}}",
    ] {
        assert_eq!(origin(text), "systemEnv TOKEN", "{text}");
    }
    assert_eq!(origin("{{base64File \"key.pem\"}}"), "base64File key.pem");
    assert_eq!(
        origin("{{printf \"%s:%s\" (systemEnv \"TOKEN\") (base64File \"key.pem\")}}"),
        "systemEnv TOKEN + base64File key.pem"
    );
    assert_eq!(origin("{{systemEnv .name}}"), "systemEnv .name", "not the variable's value");
    for text in [
        "{{len (systemEnv \"TOKEN\")}}",
        "{{eq (systemEnv \"TOKEN\") \"x\"}}",
        "{{not (systemEnv \"TOKEN\")}}",
        "{{if eq (systemEnv \"TOKEN\") \"s3cret\"}}{{\"yes\"}}{{end}}",
        "{{with systemEnv \"TOKEN\"}}{{$.name}}{{end}}",
        "{{and (systemEnv \"TOKEN\") .name}}",
        "{{print (len (systemEnv \"TOKEN\"))}}",
        "{{nowWithFormat \"2006\"}}",
        "{{.name}}",
        "{{\"constant\"}}",
    ] {
        assert_eq!(origin(text), "value", "{text}");
    }
    let found = pieces("{{if systemEnv \"TOKEN\"}}yes{{end}}", "{}");
    assert_eq!(strings(&found), [("yes", "yes", "text")]);
}

#[test]
fn used_variables() {
    let text = "{{.a}}{{.m.b}}{{$.c}}{{(.m).d}}{{index . \"e\"}}{{$x := 1}}{{/* f */}} g";
    let mentioned = Template::parse(&source(text)).expect("fine").into_mentioned();
    for (name, used) in [
        ("a", true),
        ("b", true),
        ("c", true),
        ("d", true),
        ("e", true),
        ("m", true),
        ("f", false),
        ("g", false),
        ("x", false),
    ] {
        assert_eq!(mentioned.contains(name), used, "{name}");
    }
    for (text, whole) in [
        ("{{.a}}", false),
        ("{{with .}}{{.a}}{{end}}", false),
        ("{{if .}}{{end}}", false),
        ("{{define \"T\"}}{{.a}}{{end}}{{template \"T\" .}}", false),
        ("{{index . \"a\"}}", false),
        ("{{.}}", true),
        ("{{$}}", true),
        ("{{range .}}{{end}}", true),
        ("{{$x := .}}{{range $k, $v := $x}}{{end}}", true),
        ("{{printf \"%v\" .}}", true),
        ("{{index . .a}}", true),
        ("{{index . (print \"a\" \"\")}}", false),
        ("{{$x := index . (print \"a\" \"b\")}}", true),
        ("{{define \"T\"}}{{.}}{{end}}{{template \"T\" .}}", true),
    ] {
        let rendered = render(text, r#"{"a": "b", "b": 1}"#).expect(text);
        assert_eq!(rendered.whole_root_used, whole, "{text}");
    }
}

//! Whatever the template.

use proptest::prelude::*;

use super::super::{Limits, Origin};
use super::render_within;
use crate::source::Span;

const JSON: &str =
    r#"{"x": "é\u0000", "n": 3, "f": 2.5, "l": [1, "a", null], "m": {"k": {"x": 1}}, "z": null}"#;
const LIMITS: Limits = Limits { output: 20_000, steps: 20_000 };

/// Bits that templates are made of, well formed or not.
fn bits() -> impl Strategy<Value = String> {
    let bit = prop::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "\n",
        "|",
        "(",
        ")",
        ".",
        ".x",
        ".l",
        ".m.k",
        ".z",
        ".nope",
        "$",
        "$a",
        ":=",
        "=",
        ",",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "template",
        "block",
        "break",
        "continue",
        "nil",
        "true",
        "\"T\"",
        "\"%v %d %x\"",
        "`r`",
        "'c'",
        "1",
        "-2",
        "0x1p3",
        "1.5e3",
        "1i",
        "1+2i",
        "printf",
        "print",
        "len",
        "index",
        "slice",
        "eq",
        "lt",
        "and",
        "or",
        "not",
        "html",
        "js",
        "call",
        "systemEnv \"TOKEN\"",
        "nowWithFormat",
        "timeWithFormat \"0\"",
        "base64",
        "/*",
        "*/",
        "text",
        "é",
        "\u{a0}",
        "\\",
        "\"",
        "`",
    ]);
    prop::collection::vec(bit, 0..40).prop_map(|bits| bits.concat())
}

/// Well formed more often than not.
fn nodes() -> impl Strategy<Value = String> {
    let operand = prop::sample::select(vec![
        ".",
        ".x",
        ".n",
        ".f",
        ".l",
        ".m",
        ".z",
        "$",
        "\"s\"",
        "1",
        "2.5",
        "nil",
        "true",
        "'c'",
        "(len .x)",
        "(index .l 1)",
        "(printf \"%5.2v|%q\" . .)",
        "(systemEnv \"TOKEN\")",
        "1i",
    ]);
    let pipe = (operand.clone(), operand).prop_flat_map(|(a, b)| {
        prop::sample::select(vec![
            a.to_owned(),
            format!("{a} | print"),
            format!("printf \"%v %s %d %x %T %+q\" {a} {b}"),
            format!("eq {a} {b}"),
            format!("and {a} {b}"),
            format!("or {a} {b} | html"),
            format!("$v := {a}"),
            format!("slice {a} {b}"),
        ])
    });
    let leaf = prop_oneof![
        3 => "[ -~\u{e9}]{0,6}".prop_map(|s| s.replace("{{", "")),
        4 => pipe.clone().prop_map(|p| format!("{{{{{p}}}}}")),
        1 => Just("{{- /* c */ -}}".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let body = prop::collection::vec(inner, 0..4).prop_map(|nodes| nodes.concat());
        (
            prop::sample::select(vec!["if", "with", "range", "range $i, $e :="]),
            pipe.clone(),
            body.clone(),
            body,
        )
            .prop_map(|(word, pipe, a, b)| {
                format!("{{{{{word} {pipe}}}}}{a}{{{{else}}}}{b}{{{{end}}}}")
            })
    })
}

/// Renders, and looks at what must hold of every rendering.
fn look(text: &str) -> Result<(), TestCaseError> {
    let rendered = match render_within(text, JSON, LIMITS) {
        Ok(rendered) => rendered,
        Err(error) => {
            let span = error.span();
            prop_assert!(text.get(span.range()).is_some(), "{span:?} of {text:?}");
            prop_assert!(error.go_text().starts_with("template: playbook:"));
            return Ok(());
        }
    };
    let mut end = 0;
    for piece in rendered.map.pieces(Span::new(0, rendered.bytes().len())) {
        prop_assert_eq!(piece.rendered.start, end, "no gap and no overlap");
        prop_assert!(piece.rendered.end > end);
        end = piece.rendered.end;
        prop_assert_eq!(rendered.map.source(piece.rendered), piece.source);
        let from = text.get(piece.source.range());
        match piece.origin {
            Origin::Text => prop_assert_eq!(
                from.map(str::as_bytes),
                Some(&rendered.bytes()[piece.rendered.range()])
            ),
            _ => prop_assert!(from.is_some_and(|s| s.starts_with("{{") && s.ends_with("}}"))),
        }
    }
    prop_assert_eq!(end as usize, rendered.bytes().len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bits(text in bits()) {
        look(&text)?;
    }

    #[test]
    fn any_nodes(text in prop::collection::vec(nodes(), 1..4)) {
        look(&text.concat())?;
    }

    #[test]
    fn any_text(text in "\\PC{0,40}") {
        look(&text)?;
        look(&format!("{{{{{text}}}}}"))?;
        look(&format!("{{{{printf {text:?} .x .n .l}}}}"))?;
    }

    #[test]
    fn text_stays_as_it_is(text in "[^{]{0,200}") {
        let rendered = render_within(&text, "{}", LIMITS).expect("no actions");
        prop_assert_eq!(rendered.bytes(), text.as_bytes());
        prop_assert!(rendered.is_plain());
    }
}

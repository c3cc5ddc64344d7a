//! What users see of errors: codes, carets, help, and never a value.

use super::super::{Error, Lack, Template};
use super::{render, source, variables};

fn error(text: &str, json: &str) -> Error {
    render(text, json).expect_err(text)
}

/// The diagnostic's code, the text at its caret, message and help.
fn shown(text: &str, json: &str) -> String {
    let source = source(text);
    let diagnostic = error(text, json).diagnostic(&source);
    let span = diagnostic.place.as_ref().expect("a place").span;
    let help = diagnostic.help.map_or(String::new(), |help| format!("; {help}"));
    format!("{} <{}> {}{help}", diagnostic.code, &text[span.range()], diagnostic.message)
}

#[test]
fn carets_and_help() {
    let json = r#"{"region": "eu", "m": {"deep": 1}, "s": "x"}"#;
    for (text, wanted) in [
        (
            "a {{.regoin}}",
            "template-exec <.regoin> map has no entry for key \"regoin\"; did you mean `region`?",
        ),
        (
            "{{.bucket}}",
            "template-exec <.bucket> map has no entry for key \"bucket\"; no variable `bucket` is given",
        ),
        ("{{.m.zzz}}", "template-exec <.m.zzz> map has no entry for key \"zzz\""),
        (
            "{{ systemEnw \"X\" }}",
            "template-parse <systemEnw> function \"systemEnw\" not defined; did you mean `systemEnv`?",
        ),
        (
            "{{bucket}}",
            "template-parse <bucket> function \"bucket\" not defined; a variable is written with a dot: `.bucket`",
        ),
        (
            "{{if .s}}{{if .m}}{{end}}x",
            "template-parse <.s> unexpected EOF; no `{{end}}` closes what begins here",
        ),
        ("x\n{{.s", "template-parse <> unclosed action"),
        ("{{.s @}}", "template-parse <@> unexpected \"@\" in operand"),
        ("{{if .s}}a{{end}}{{end}}", "template-parse <{{> unexpected {{end}}"),
        ("{{(.s}}", "template-parse <> unclosed left paren"),
        (
            "{{ .s | systemEnv }}",
            "template-exec <systemEnv> error calling systemEnv: environment variable … not set",
        ),
        (
            "{{systemEnv \"NOPE\"}}",
            "template-exec <systemEnv \"NOPE\"> error calling systemEnv: environment variable NOPE not set",
        ),
        ("{{template \"T\"}}", "template-exec <{{template \"T\"}}> template \"T\" not defined"),
    ] {
        assert_eq!(shown(text, json), wanted, "{text}");
    }
}

/// Go's texts quote values; ours quote only what stands in the template.
#[test]
fn values_are_never_shown() {
    let json = r#"{"v": "hunter2", "n": 31337, "l": ["hunter2", 31337], "m": {"k": "hunter2"}}"#;
    for (text, safe) in [
        ("{{range .v}}{{end}}", "range can't iterate over a value of type string"),
        (
            "{{range $a, $b := .n}}{{end}}",
            "can't use a number to iterate over more than one variable",
        ),
        (
            "{{timeWithFormat .v \"2006\"}}",
            "error calling timeWithFormat: .v is not a whole number of seconds",
        ),
        (
            "{{timeWithFormat (print .n .v) \"2006\"}}",
            "error calling timeWithFormat: print .n .v is not a whole number of seconds",
        ),
        ("{{systemEnv .v}}", "error calling systemEnv: environment variable .v not set"),
        ("{{base64File .v}}", "error calling base64File: open .v: no such file or directory"),
        ("{{index .l .n}}", "error calling index: index out of range"),
        ("{{index .l (or .n)}}", "error calling index: index out of range"),
        ("{{eq .l .l}}", "error calling eq: non-comparable type: []interface {}"),
        (
            "{{eq .l .m}}",
            "error calling eq: non-comparable types []interface {}, map[string]interface {}",
        ),
        ("{{.v | call}}", "error calling call: non-function of type string"),
    ] {
        let error = error(text, json);
        for shown in
            [error.to_string(), format!("{error:?}"), error.diagnostic(&source(text)).to_string()]
        {
            assert!(!shown.contains("hunter2") && !shown.contains("31337"), "{text}: {shown}");
        }
        assert_eq!(error.to_string(), safe, "{text}");
    }
    let constant = error("{{timeWithFormat \"soon\" \"2006\"}}", "{}");
    assert_eq!(
        constant.to_string(),
        "error calling timeWithFormat: strconv.ParseInt: parsing \"soon\": invalid syntax"
    );
}

#[test]
fn debug_hides_values() {
    let map =
        variables(r#"{"v": "hunter2", "l": ["hunter2"], "m": {"hunter2": 31337}, "n": 31337}"#);
    let text = "hunter2{{.v}}";
    let rendered = render(text, r#"{"v": "hunter2"}"#).expect("fine");
    let template = Template::parse(&source(text)).expect("fine");
    let values: Vec<String> = map.entries().iter().map(|(_, v)| format!("{v:?}")).collect();
    let all = format!("{map:?} {values:?} {rendered:?} {template:?} {:?}", rendered.map);
    assert!(!all.contains("hunter2") && !all.contains("31337"), "{all}");
    assert!(all.contains("string(7 bytes)"), "{all}");
}

#[test]
fn a_variable_that_is_not_given_is_named_and_only_such_a_one() {
    let json = r#"{"m": {"deep": 1}, "s": "x"}"#;
    let missing = |text| error(text, json).lack().cloned();
    assert_eq!(missing("{{.a}}"), Some(Lack::Variable("a".to_owned())));
    assert_eq!(missing("{{with .m}}{{$.b}}{{end}}"), Some(Lack::Variable("b".to_owned())));
    for text in ["{{.m.a}}", "{{with .m}}{{.a}}{{end}}", "{{.s.a}}", "{{.s", "{{index 1 2}}"] {
        assert_eq!(missing(text), None, "{text}");
    }
}

#[test]
fn comments_are_found_with_their_delimiters() {
    let found = |text: &str| -> Vec<String> {
        let spans = super::super::comments(text);
        spans.into_iter().map(|span| text[span.range()].to_owned()).collect()
    };
    assert_eq!(
        found(
            "a {{/* b */}} {{- /* }} */ -}}\n{{\"{{/* s */}}\"}}{{/* {{/* */}}{{`{{/* r */}}`}} /* n */"
        ),
        ["{{/* b */}}", "{{- /* }} */ -}}", "{{/* {{/* */}}"]
    );
    assert_eq!(found("{{/* a */}}{{'}}{{/* b */}}"), ["{{/* a */}}"], "no further than the fault");
    assert_eq!(found("{{/* a"), [""; 0]);
}

//! What is left as it is, and why.

use super::*;

fn refusal(text: &str) -> String {
    match format(&source(text)) {
        Ok(text) => panic!("formatted: {text}"),
        Err(Refused::Faulty(fault)) => fault.to_string(),
        Err(Refused::Changed(why)) => panic!("{why}"),
    }
}

#[test]
fn what_is_no_json_when_actions_are_left_out_is_told() {
    let deep = "[".repeat(129);
    let cases = [
        ("[1", "f:1:1: error[json-unclosed]: a bracket is not closed"),
        ("[1}", "f:1:3: error[json-unexpected]: a bracket that closes nothing"),
        ("]", "f:1:1: error[json-unexpected]: a bracket that closes nothing"),
        ("{{if .x}}[{{else}}[1,{{end}} 2]", "f:1:10: error[json-unclosed]: a bracket is not"),
        (&deep, "f:1:129: error[json-depth]: nested too deeply"),
        ("{a: 1}", "f:1:2: error[json-literal]: a value without quotes"),
        ("[01]", "f:1:2: error[json-literal]: a value without quotes"),
        ("['a']", "f:1:2: error[json-unexpected]: this does not belong here"),
        ("[1] // one", "f:1:5: error[json-unexpected]: this does not belong here"),
        ("[\u{a0}1]", "f:1:2: error[json-unexpected]: this does not belong here"),
        ("[\"a]", "f:1:2: error[json-unclosed]: a string is not closed"),
        ("[\"a\n\"]", "f:1:2: error[json-unclosed]: a string is not closed"),
        ("[\"a{{.b}}\n\"]", "f:1:2: error[json-unclosed]: a string is not closed"),
        ("[1, {{.a}]", "f:1:7: error[template-parse]: bad character U+007D '}'"),
        ("[{{if .a}}1]", "f:1:7: error[template-parse]: unexpected EOF"),
    ];
    for (text, expected) in cases {
        let found = refusal(text);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
}

#[test]
fn what_may_be_within_a_string_is_not_touched() {
    let cases = [
        // In one part only.
        (r#"[{{if .x}}"a{{else}}"b{{end}}  c"]"#, "begins or ends in one part"),
        (r#"["a{{if .x}}", "b"{{end}}  c"]"#, "begins or ends in one part"),
        (r#"["a{{if .x}}"{{else if .y}}"{{end}}  , 1]"#, "begins or ends in one part"),
        (r#"["a{{if .x}}"{{else}}b{{end}}  , 1]"#, "begins or ends in one part"),
        (r#"["a{{range .x}}"{{end}}  , 1]"#, "begins or ends in one part"),
        (r#"["a{{with .x}}"{{end}}  , 1]"#, "begins or ends in one part"),
        (r#"["a{{block "b" .}}"{{end}}  , 1]"#, "begins or ends in one part"),
        (r#"[{{block "b" .}}"{{end}}  a", 1]"#, "begins or ends in one part"),
        // Left half-way.
        (r#"[{{range .x}}"a{{break}}"{{end}}  1]"#, "a jump leaves open"),
        (r#"["{{range .x}}", "{{if .y}}"{{continue}}"{{end}}", "{{end}}"]"#, "a jump leaves open"),
        // By another text.
        (r#"{{define "q"}}"{{end}}[{{template "q"}}a,   b{{template "q"}}]"#, "in one part"),
        (r#"{{define "q"}}"\"{{end}}[{{template "q"}}  "]"#, "in one part"),
        // By an action.
        (r#"[{{"\""}}1,   2{{"\""}}]"#, "one quote of a pair"),
        ("[{{`\"`}}1,   2{{`\"`}}]", "one quote of a pair"),
        (r#"[{{printf "\"%s" .a}}   1, 2"]"#, "one quote of a pair"),
        (r#"[{{$q := "\""}}{{$q}}1,   2{{$q}}]"#, "one quote of a pair"),
        (r#"["a{{"\""}}  , 1]"#, "one quote of a pair"),
        (r#"{{define "q"}}{{"\""}}{{end}}[1]"#, "one quote of a pair"),
        (r#"["{{with "\""}}{{.}}{{end}}  ,   1, ""]"#, "one quote of a pair"),
        (r#"["a{{with .x}}{{else with "\""}}{{.}}{{end}}  ,   1, ""]"#, "one quote of a pair"),
        // By a value behind a backslash.
        (r#"["a\{{.b}}"]"#, "an escape whose second half is an action"),
        (r#"["a\  {{- .b}}"]"#, "an escape whose second half is an action"),
    ];
    for (text, expected) in cases {
        let found = refusal(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
}

/// The formatter does not believe itself.
#[test]
fn a_text_that_would_be_another_is_held_back() {
    type Write<'w> = &'w dyn Fn(&Tokens<'_>) -> String;
    let cases: [(Write<'_>, &str); 6] = [
        (&|tokens| tokens.text.replace('1', "2"), "more than white space would change"),
        (&|tokens| tokens.text.replace('1', ""), "more than white space would change"),
        (&|tokens| tokens.text.replace("a b", "ab"), "a string or an action would change"),
        (&|tokens| tokens.text.replace(".c }}", ".c}}"), "a string or an action would change"),
        (&|tokens| tokens.text.replace("1 2", "12"), "a string or an action would change"),
        (&|tokens| format!(" {}", tokens.text), "would be formatted otherwise again"),
    ];
    for (write, expected) in cases {
        match checked(&source(r#"["a b", {{ .c }}, 1 2]"#), write) {
            Err(Refused::Changed(why)) => assert!(why.contains(expected), "{why}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let broken = |_: &Tokens<'_>| "[ { {.a}}]".to_owned();
    match checked(&source("[{{.a}}]"), &broken) {
        Err(Refused::Changed(why)) => assert!(why.contains("could not be read again"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_still_nothing() {
    assert_eq!(text(""), "");
    assert_eq!(text(" \n\n"), " \n\n");
    assert_eq!(text("\u{FEFF}"), "\u{FEFF}");
}

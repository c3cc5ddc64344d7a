use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::document::marked;
use crate::source::Source;

fn plain(text: &str) -> Document {
    Document::plain(Arc::new(Source::new("x", text)))
}

/// The faults of `text`, one a line.
fn faults(text: &str) -> Vec<String> {
    parse(&plain(text)).1.sorted().iter().map(ToString::to_string).collect()
}

/// As serde_json sees it.
fn to_serde(node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => serde_json::from_str(&n.to_string()).expect("a number"),
        Value::String(s) => s.get().into_owned().into(),
        Value::Array(items) => items.iter().map(to_serde).collect(),
        Value::Object(members) => {
            members.iter().map(|m| (m.key.get().into_owned(), to_serde(&m.node))).collect()
        }
    }
}

#[test]
fn spans_and_duplicates_are_kept() {
    let document = plain(r#" {"a": [1, "é\n"], "a": -2.5e3} "#);
    let (node, faults) = parse(&document);
    assert!(faults.is_empty());
    let node = node.expect("valid");
    let text = |span: Span| &document.text()[span.range()];
    assert_eq!(text(node.span), document.text().trim());
    let Value::Object(members) = &node.value else { panic!("an object") };
    assert_eq!(members.iter().map(|m| text(m.key_span)).collect::<Vec<_>>(), ["\"a\"", "\"a\""]);
    let Value::Array(items) = &members[0].node.value else { panic!("a list") };
    assert_eq!(items.iter().map(|i| text(i.span)).collect::<Vec<_>>(), ["1", r#""é\n""#]);
    let Value::Number(n) = members[1].node.value else { panic!("a number") };
    assert_eq!((n.is_integer(), n.as_i64(), n.as_f64()), (false, None, Some(-2500.0)));
}

#[test]
fn numbers_have_their_limits() {
    let number = |text| Number(text);
    assert_eq!(number("9223372036854775807").as_i64(), Some(i64::MAX));
    assert_eq!(number("9223372036854775808").as_i64(), None);
    assert_eq!(number("1e999").as_f64(), None);
}

#[test]
fn faults_help() {
    let cases = [
        (
            "",
            "x:1:1: error[json-empty]: the file is empty; write an object: `{\"schema\": …, \"data\": …}`",
        ),
        (
            "\u{FEFF}1",
            "x:1:1: error[json-bom]: the text begins with a byte order mark; save the file as UTF-8 without BOM",
        ),
        (
            "[1,]",
            "x:1:3: error[json-trailing-comma]: a comma behind the last value; take the comma out: JSON has none behind the last value",
        ),
        ("[1 2]", "x:1:3: error[json-missing-comma]: no comma between two values (expected `,`)"),
        (
            "[,1]",
            "x:1:2: error[json-extra-comma]: a comma without a value before it; take the comma out",
        ),
        (
            "[1,,2]",
            "x:1:4: error[json-extra-comma]: a comma without a value before it; take the comma out",
        ),
        (
            "1 // one",
            "x:1:3: error[json-comment]: a comment; JSON has no comments; a template has: `{{/* … */}}`",
        ),
        (
            "/* one",
            "x:1:1: error[json-comment]: a comment; JSON has no comments; a template has: `{{/* … */}}`\nx:1:7: error[json-empty]: the file is empty; write an object: `{\"schema\": …, \"data\": …}`",
        ),
        (
            "# one\n1",
            "x:1:1: error[json-comment]: a comment; JSON has no comments; a template has: `{{/* … */}}`",
        ),
        (
            "'it\\'s'",
            "x:1:1: error[json-single-quotes]: a string in single quotes; strings are put in `\"`",
        ),
        ("{a: 1}", "x:1:2: error[json-unquoted-key]: a key without quotes; write `\"a\"`"),
        (
            "[NaN]",
            "x:1:2: error[json-literal]: JSON has no NaN and no Infinity; write a number, or `null` where there is none",
        ),
        (
            "-Infinity",
            "x:1:1: error[json-literal]: JSON has no NaN and no Infinity; write a number, or `null` where there is none",
        ),
        ("True", "x:1:1: error[json-literal]: not a word of JSON; write `true`"),
        (
            "abc",
            "x:1:1: error[json-literal]: a value without quotes; put a string in `\"`; the words of JSON are `true`, `false`, `null`",
        ),
        ("+1", "x:1:1: error[json-number]: not a JSON number; take the `+` out"),
        ("-01", "x:1:1: error[json-number]: not a JSON number; take the leading zeros out"),
        (".5", "x:1:1: error[json-number]: not a JSON number; write a digit before the point"),
        ("5.", "x:1:1: error[json-number]: not a JSON number; write a digit behind the point"),
        ("1e", "x:1:1: error[json-number]: not a JSON number; put it in `\"` if it is a string"),
        ("-", "x:1:1: error[json-number]: not a JSON number; put it in `\"` if it is a string"),
        ("0x1F", "x:1:1: error[json-number]: not a JSON number; put it in `\"` if it is a string"),
        (
            "\"a\tb\"",
            "x:1:3: error[json-control-character]: the control character U+0009 in a string; write a tab as `\\t`",
        ),
        (
            "\"a\u{0}b\"",
            "x:1:3: error[json-control-character]: the control character U+0000 in a string; write it as `\\u0000`",
        ),
        (
            "\"a\nb\"",
            "x:1:1: error[json-unclosed]: a string is not closed (it goes on to the end of the line); close it with `\"`; a line break inside a string is written `\\n`",
        ),
        (
            r#""\q""#,
            r#"x:1:2: error[json-escape]: an escape that JSON does not have; a backslash is written `\\`; the escapes are `\" \\ \/ \b \f \n \r \t \uXXXX`"#,
        ),
        (
            r#""\u12é""#,
            r#"x:1:2: error[json-escape]: an escape that JSON does not have; a backslash is written `\\`; the escapes are `\" \\ \/ \b \f \n \r \t \uXXXX`"#,
        ),
        (
            r#""\ud83d!""#,
            r"x:1:2: error[json-surrogate]: half of a surrogate pair; write the character itself, or both halves: `\ud83d\ude00`",
        ),
        (
            r#""\ude00\ud83d""#,
            "x:1:2: error[json-surrogate]: half of a surrogate pair; write the character itself, or both halves: `\\ud83d\\ude00`\nx:1:8: error[json-surrogate]: half of a surrogate pair; write the character itself, or both halves: `\\ud83d\\ude00`",
        ),
        (
            "{} }",
            "x:1:4: error[json-trailing-text]: text behind the end of the value; a file holds one JSON value; look for a closing bracket too many",
        ),
        ("[1", "x:1:3: error[json-unclosed]: a list is not closed (expected `]`)"),
        ("[1}", "x:1:3: error[json-unexpected]: `}` does not belong here (expected `,` or `]`)"),
        (
            "{\"a\" 1}",
            "x:1:6: error[json-missing-colon]: no `:` behind a key (expected `:`); an object holds `\"key\": value` pairs",
        ),
        ("{\"a\":}", "x:1:6: error[json-unexpected]: `}` does not belong here (expected a value)"),
        ("{[", "x:1:2: error[json-unexpected]: `[` does not belong here (expected a key in `\"`)"),
        ("{\"a\":", "x:1:6: error[json-unexpected]: the text ends too early (expected a value)"),
    ];
    for (text, expected) in cases {
        assert_eq!(faults(text).join("\n"), expected, "{text:?}");
    }
}

#[test]
fn all_faults_at_once() {
    let text = "{a: 'x', // one\n \"b\": [1 2,], \"c\": None,}";
    let codes: Vec<_> = parse(&plain(text)).1.sorted().iter().map(|d| d.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "json-unquoted-key",
            "json-single-quotes",
            "json-comment",
            "json-missing-comma",
            "json-trailing-comma",
            "json-literal",
            "json-trailing-comma",
        ]
    );
    let document = plain(text);
    let node = parse(&document).0.expect("readable all the same");
    assert_eq!(to_serde(&node).to_string(), r#"{"a":"x","b":[1,2],"c":null}"#);
}

#[test]
fn the_depth_and_the_number_of_faults_are_bounded() {
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert!(faults(&nested(MAX_DEPTH)).is_empty());
    assert_eq!(
        faults(&nested(1_000_000)),
        ["x:1:129: error[json-depth]: nested deeper than 128 levels"]
    );
    // The depth is of what is open, not of all that was opened.
    assert!(faults(&format!("[{}1]", "[[]],".repeat(500))).is_empty());
    assert_eq!(faults(&format!("[{}]", ",".repeat(100_000))).len(), 50);
}

#[test]
fn values_of_variables_are_not_quoted() {
    let document = marked::document("x", "{‹hunter2›: 1, \"b\": ‹\"›}");
    let faults = parse(&document).1.sorted();
    let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("a key without quotes; put `\"` around the key"), "{}", lines[0]);
    assert!(lines[1].contains("a string is not closed"), "{}", lines[1]);
    assert!(faults.iter().all(|f| f.notes.len() == 1 && !format!("{f:?}").contains("hunter2")));
}

#[test]
fn secrets_are_shown_by_their_origin() {
    let shown = |text: &str| {
        let document = marked::document("x", text);
        let node = parse(&document).0.expect("valid");
        let Value::String(s) = node.value else { panic!("a string") };
        let text = s.text(node.span, &document);
        (text.expose().to_owned(), text.shown().to_owned(), text.is_secret())
    };
    let case = |a: &str, b: &str, c| (a.to_owned(), b.to_owned(), c);
    assert_eq!(shown(r#""a‹v›\n""#), case("av\n", "av\n", false));
    assert_eq!(
        shown(r#""p=«env P:x\"y»\u00e9«env Q:z»""#),
        case("p=x\"yéz", "p=‹env P›é‹env Q›", true)
    );
    // An escape that lies half in a secret is not shown, and neither is what it makes.
    assert_eq!(shown(r#""a\«env P:nb»c""#), case("a\nbc", "a‹env P›c", true));
    assert_eq!(shown(r#""«env P:a\»nc""#), case("a\nc", "‹env P›c", true));
    // The whole string, quotes too.
    assert_eq!(shown(r#"«env P:"abc"»"#), case("abc", "‹env P›", true));
}

proptest! {
    #[test]
    fn reads_what_serde_json_writes(value in values(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let document = plain(&text.expect("written"));
        let (node, faults) = parse(&document);
        prop_assert!(faults.is_empty(), "{:?}", faults);
        prop_assert_eq!(to_serde(&node.expect("valid")), value);
    }

    #[test]
    fn agrees_with_serde_json_on_what_is_json(text in r#"[\[\]{},:"\\u0-9d8c.eE+\- a'/*]{0,12}"#) {
        let document = plain(&text);
        let accepted = parse(&document).1.is_empty();
        let serde = serde_json::from_str::<serde_json::Value>(&text).map_err(|e| e.to_string());
        // A number may be too large for serde_json and yet be JSON.
        let is_json = serde.is_ok() || serde.is_err_and(|e| e.contains("out of range"));
        prop_assert_eq!(accepted, is_json, "{:?}", text);
    }

    #[test]
    fn no_text_is_too_odd(text in r#"([\[\]{},:"'\\utf #/*-]|NaN|é|\PC){0,40}"#) {
        let document = plain(&text);
        let (node, faults) = parse(&document);
        prop_assert!(node.is_some() || faults.has_errors());
        if let Some(node) = node {
            let _ = format!("{node:?}{}", to_serde(&node));
        }
    }
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        // Eighths: serde_json reads other fractions only nearly right.
        any::<i32>().prop_map(|n| (f64::from(n) / 8.0).into()),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

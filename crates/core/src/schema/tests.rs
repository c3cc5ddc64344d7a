//! What the checker accepts and says. Random schemas are in `random`.

use std::sync::Arc;

use super::*;
use crate::document::{Document, marked};
use crate::json::{self, Node};
use crate::source::Source;

mod json_schema;
mod random;

fn plain(text: &str) -> Document {
    Document::plain(Arc::new(Source::new("x", text)))
}

/// The faults of a schema, one a line, without help.
fn avsc_faults(text: &str) -> Vec<String> {
    let document = plain(text);
    let (schema, faults) = Schema::parse(&document);
    assert_eq!(schema.is_none(), faults.has_errors());
    faults.sorted().iter().map(ToString::to_string).collect()
}

/// Checks `value` (with the marks of [`marked`]) against a schema and gives the faults, one a line.
fn faults(schema: &str, value: &str, mode: Mode) -> Vec<String> {
    let (schema, value) = (plain(schema), marked::document("x", value));
    let (schema, wrong) = Schema::parse(&schema);
    let schema = schema.unwrap_or_else(|| panic!("{wrong:?}"));
    let (node, wrong) = json::parse(&value);
    assert!(wrong.is_empty(), "{wrong:?}");
    let node: Node<'_> = node.expect("JSON");
    let mut faults = Faults::new(&value);
    check(&schema, &node, &Path::root("data"), mode, &mut faults);
    faults.finish().sorted().iter().map(ToString::to_string).collect()
}

#[test]
fn faults_of_schemas_are_found() {
    let record = |fields: &str| format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#);
    let cases = [
        (
            r#"["null","strin"]"#.into(),
            "x:1:9: error[avsc-type]: `schema[1]`: no type `strin`; did you mean `string`?",
        ),
        (
            r#""strin""#.into(),
            "x:1:1: error[avsc-type]: `schema`: no type `strin`; did you mean `string`?",
        ),
        ("1".into(), "x:1:1: error[avsc-type]: `schema` is a number, not a type"),
        ("{}".into(), "x:1:1: error[avsc-missing]: `schema` has no `type`"),
        (r#"{"type":"array"}"#.into(), "x:1:1: error[avsc-missing]: `schema` has no `items`"),
        (
            r#"{"type":"record","fields":[]}"#.into(),
            "x:1:1: error[avsc-missing]: `schema` has no `name`",
        ),
        (
            r#"{"type":"record","name":5,"fields":[]}"#.into(),
            "x:1:25: error[avsc-missing]: `schema.name` is not a string",
        ),
        (
            r#"{"type":"record","name":"R"}"#.into(),
            "x:1:1: error[avsc-missing]: `schema` has no `fields`",
        ),
        (
            r#"{"type":"record","name":"R","fields":{}}"#.into(),
            "x:1:38: error[avsc-missing]: `schema.fields` is not a list",
        ),
        (
            r#"{"type":"record","name":"9","fields":[]}"#.into(),
            "x:1:1: error[avsc-name]: `schema`: `9` is not a name",
        ),
        (
            record(r#"{"type":"int"}"#),
            "x:1:39: error[avsc-missing]: `schema.fields[0]` has no `name`",
        ),
        (
            record(r#"{"name":"a"}"#),
            "x:1:39: error[avsc-missing]: `schema.fields[0]` has no `type`",
        ),
        (
            record(r#"{"name":"a-b","type":"int"}"#),
            "x:1:39: error[avsc-name]: `schema.fields[0]`: `a-b` is not a name",
        ),
        (
            record(r#"{"name":"a","type":"int"},{"name":"b","type":"int","aliases":["a"]}"#),
            "x:1:65: error[avsc-name]: `schema.fields[1]`: the name `a` is taken",
        ),
        (
            record(r#"{"name":"a","type":"int","aliases":"b"}"#),
            "x:1:74: error[avsc-missing]: `schema.fields[0].aliases` is not a list of strings",
        ),
        (
            record(r#"{"name":"a","type":{"type":"fixed","name":"R","size":1}}"#),
            "x:1:58: error[avsc-name]: `schema.fields[0].type`: the name `R` is taken",
        ),
        (
            record(r#"{"name":"a","type":"int","default":"1"}"#),
            "x:1:74: error[avsc-default]: a default of another type: `schema.fields[0].default` must be an integer",
        ),
        (
            record(r#"{"name":"a","type":["null","int"],"default":"1"}"#),
            "x:1:83: error[avsc-default]: a default of another type: `schema.fields[0].default` must be an integer or null",
        ),
        (
            r#"["int","int"]"#.into(),
            "x:1:8: error[avsc-union]: `schema[1]`: a union with the same type twice",
        ),
        (
            r#"[{"type":"map","values":"int"},{"type":"map","values":"string"}]"#.into(),
            "x:1:32: error[avsc-union]: `schema[1]`: a union with the same type twice",
        ),
        (r#"["int",["null"]]"#.into(), "x:1:8: error[avsc-union]: `schema[1]`: a union in a union"),
        (
            r#"{"type":"enum","name":"E"}"#.into(),
            "x:1:1: error[avsc-missing]: `schema` has no `symbols`",
        ),
        (
            r#"{"type":"enum","name":"E","symbols":["A","A"]}"#.into(),
            "x:1:1: error[avsc-name]: `schema`: `A` is no symbol, or there twice",
        ),
        (
            r#"{"type":"enum","name":"E","symbols":["A","B"],"default":"C"}"#.into(),
            "x:1:1: error[avsc-default]: `schema`: the default `C` is not `A` or `B`",
        ),
        (
            r#"{"type":"fixed","name":"F","size":-1}"#.into(),
            "x:1:35: error[avsc-size]: `schema`: the size of a fixed is a number of bytes",
        ),
        (
            r#"{"type":"fixed","name":"F"}"#.into(),
            "x:1:1: error[avsc-missing]: `schema` has no `size`",
        ),
    ];
    for (schema, expected) in cases {
        let schema: String = schema;
        assert_eq!(avsc_faults(&schema), [expected], "{schema}");
    }
}

#[test]
fn a_default_that_needs_itself_is_refused() {
    let endless = r#"{"type":"record","name":"R","fields":[{"name":"f","type":"R","default":{}}]}"#;
    let found = avsc_faults(endless);
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("f`: a default that has itself inside"), "{}", found[0]);
}

#[test]
fn names_have_namespaces_and_know_themselves() {
    let schema = r#"{"type":"record","name":"Tree","namespace":"com.ns","aliases":["Old"],"fields":[
        {"name":"left","type":["null","Tree"]},
        {"name":"right","type":["null","com.ns.Tree"]},
        {"name":"old","type":["null","Old"]},
        {"name":"leaf","type":{"type":"record","name":"org.Leaf","fields":[
            {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A"]}}]}},
        {"name":"kinds","type":{"type":"array","items":"org.Kind"}},
        {"name":"when","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#;
    let value = r#"{"left": {"Tree": {"left": null, "leaf": {"kind": "A"}, "kinds": [], "when": 1}},
        "right": {"com.ns.Tree": {"leaf": {"kind": "A"}, "kinds": ["A", "B"], "when": 1}},
        "leaf": {"kind": "B"}, "kinds": ["A"], "when": 2}"#;
    assert_eq!(
        faults(schema, value, Mode::Strict),
        [
            r#"x:2:73: error[unknown-symbol]: `data.right["com.ns.Tree"].kinds[1]` must be `A` (found `B`)"#,
            "x:3:26: error[unknown-symbol]: `data.leaf.kind` must be `A` (found `B`)",
        ]
    );
    // A short name of another namespace is not in reach.
    assert_eq!(avsc_faults(&schema.replace("org.Kind\"", "Kind\"")).len(), 1);
}

#[test]
fn every_type_takes_what_it_should_and_says_what_it_wants() {
    let cases = [
        (r#""null""#, "null", ""),
        (r#""null""#, "0", "`data` must be null (found a number)"),
        (r#""boolean""#, "true", ""),
        (
            r#""boolean""#,
            r#""true""#,
            "`data` must be a boolean (found a string); write `true` without quotes",
        ),
        (r#""int""#, "-2147483648", ""),
        (r#""int""#, "2147483648", "`data` must be between -2147483648 and 2147483647"),
        (r#""int""#, "1.0", "`data` must be an integer (has a fraction or an exponent)"),
        (
            r#""int""#,
            r#""12""#,
            "`data` must be an integer (found a string); write `12` without quotes",
        ),
        (r#""int""#, r#""twelve""#, "`data` must be an integer (found a string)"),
        (r#""long""#, "9223372036854775807", ""),
        (
            r#""long""#,
            "9223372036854775808",
            "`data` must be between -9223372036854775808 and 9223372036854775807",
        ),
        (r#""float""#, "1", ""),
        (r#""float""#, "1e39", "`data` is beyond the range of numbers"),
        (r#""double""#, "1e39", ""),
        (r#""double""#, "1e309", "`data` is beyond the range of numbers"),
        (r#""bytes""#, r#""\u00ffÿ""#, ""),
        (
            r#""bytes""#,
            r#""\u0100""#,
            "`data` must be bytes: characters up to `\\u00ff`, one a byte",
        ),
        (r#"{"type":"fixed","name":"F","size":2}"#, r#""\u0000ÿ""#, ""),
        (r#"{"type":"fixed","name":"F","size":2}"#, r#""ÿ""#, "`data` must be 2 bytes long, not 1"),
        (r#""string""#, "1", "`data` must be a string (found a number); put it in `\"`"),
        (r#"{"type":"enum","name":"E","symbols":["ONE","TWO"]}"#, r#""ONE""#, ""),
        (
            r#"{"type":"enum","name":"E","symbols":["ONE","TWO"]}"#,
            r#""one""#,
            "`data` must be `ONE` or `TWO` (found `one`); did you mean `ONE`?",
        ),
        (
            r#"{"type":"enum","name":"E","symbols":["ONE","TWO"]}"#,
            "1",
            "`data` must be `ONE` or `TWO` (found a number)",
        ),
        (r#"{"type":"array","items":"int"}"#, "[1,2]", ""),
        (
            r#"{"type":"array","items":"int"}"#,
            "[1,true]",
            "`data[1]` must be an integer (found a boolean)",
        ),
        (
            r#"{"type":"array","items":"string"}"#,
            r#""a""#,
            "`data` must be a list (found a string); put it in `[` and `]`",
        ),
        (r#"{"type":"map","values":"int"}"#, r#"{"a b": 1}"#, ""),
        (
            r#"{"type":"map","values":"int"}"#,
            r#"{"a b": null}"#,
            "`data[\"a b\"]` must be an integer (found null)",
        ),
        (
            r#"{"type":"map","values":"int"}"#,
            r#"{"a": 1, "a": 2}"#,
            "`data` has `a` more than once",
        ),
        (r#"["null","string"]"#, r#""x""#, ""),
        (r#"["null","string"]"#, r#"{"string": "x"}"#, ""),
        (
            r#"["null","string"]"#,
            r#"{"string": 1}"#,
            "`data.string` must be a string (found a number); put it in `\"`",
        ),
        (
            r#"["null","string"]"#,
            r#"{"strin": "x"}"#,
            "`data` must be a string or null (found an object)",
        ),
        (r#"["null","string"]"#, "[]", "`data` must be a string or null (found a list)"),
        (
            r#"["null","string","int"]"#,
            "true",
            "`data` must be a string or an integer or null (found a boolean); put it in `\"`",
        ),
        (r#"["null","int","long","double"]"#, "3000000000", ""),
        (r#"["null","int","long","double"]"#, "1.5", ""),
        (r#"["bytes","string"]"#, r#""€""#, ""),
        (r#"["string",{"type":"enum","name":"E","symbols":["A"]}]"#, r#""A""#, ""),
        (r#"["string",{"type":"enum","name":"E","symbols":["A"]}]"#, r#""B""#, ""),
        (
            r#"["string",{"type":"enum","name":"E","symbols":["A"]}]"#,
            r#"{"E": "B"}"#,
            "`data.E` must be `A` (found `B`)",
        ),
        (r#"["null",{"type":"map","values":"string"}]"#, r#"{"map": "x"}"#, ""),
        (r#"["null",{"type":"map","values":"string"}]"#, r#"{"map": {"a": "x"}}"#, ""),
    ];
    for (schema, value, expected) in cases {
        let found = faults(schema, value, Mode::Strict);
        let found: Vec<_> = found.iter().map(|f| f.split_once("]: ").expect("code").1).collect();
        let expected: Vec<_> = Some(expected).into_iter().filter(|e| !e.is_empty()).collect();
        assert_eq!(found, expected, "{schema} {value}");
    }
}

const RECORD: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"jar","type":"string"},
    {"name":"count","type":"int","default":7},
    {"name":"codes","type":{"type":"array","items":"int"},"default":[1,2]},
    {"name":"inner","type":["null",{"type":"record","name":"I","fields":[{"name":"a","type":"int","aliases":["b"]}]}]}]}"#;

#[test]
fn records_in_strict_files() {
    let cases = [
        (r#"{"jar": "x"}"#, vec![]),
        (r#"{"jar": "x", "inner": {"b": 1}}"#, vec![]),
        (r#"{"jar": "x", "inner": {"I": {"a": 1}}}"#, vec![]),
        (r"{}", vec!["x:1:1: error[missing-field]: `data` has no `jar` (expected a field `jar`)"]),
        (
            r#"{"jra": "x", "inner": {"a": 1.5}, "jar": null}"#,
            vec![
                "x:1:2: error[unknown-field]: unknown field `jra` in `data`; did you mean `jar`?",
                "x:1:29: error[not-an-integer]: `data.inner.a` must be an integer (has a fraction or an exponent)",
                "x:1:42: error[wrong-type]: `data.jar` must be a string (found null)",
            ],
        ),
        (
            r#"{"jar": "x", "mapper": 1}"#,
            vec![
                "x:1:14: error[unknown-field]: unknown field `mapper` in `data`; expected `jar`, `count`, `codes` or `inner`",
            ],
        ),
        (
            r#"{"Jar": "x"}"#,
            vec![
                "x:1:2: error[miscased-key]: `data`: a key that differs from `jar` in upper and lower case; write `jar`",
            ],
        ),
        (
            r#"{"jar": "x", "jar": 1}"#,
            vec![
                "x:1:14: error[duplicate-key]: `data` has `jar` more than once",
                "x:1:21: error[wrong-type]: `data.jar` must be a string (found a number); put it in `\"`",
            ],
        ),
    ];
    for (value, expected) in cases {
        assert_eq!(faults(RECORD, value, Mode::Strict), expected, "{value}");
    }
}

#[test]
fn records_in_lenient_files() {
    let cases = [
        // What is absent or null is for the caller to judge.
        (r"{}", vec![]),
        (r#"{"jar": null}"#, vec![]),
        (
            r#"{"JAR": "x", "jra": 1, "jar": "y"}"#,
            vec![
                "x:1:2: warning[miscased-key]: `data`: a key that differs from `jar` in upper and lower case; write `jar`",
                "x:1:14: warning[unknown-field]: unknown field `jra` in `data`; did you mean `jar`?",
                "x:1:24: warning[duplicate-key]: `data` has `jar` more than once (the last one counts)",
            ],
        ),
        (
            r#"{"jar": 1}"#,
            vec![
                "x:1:9: error[wrong-type]: `data.jar` must be a string (found a number); put it in `\"`",
            ],
        ),
    ];
    for (value, expected) in cases {
        assert_eq!(faults(RECORD, value, Mode::Lenient), expected, "{value}");
    }
}

#[test]
fn what_was_meant_is_there_unless_the_field_is_or_0_7_took_it_for_nothing() {
    let names = |text: &str, mode: Mode| -> Vec<String> {
        let (schema, value) = (plain(RECORD), plain(text));
        let schema = Schema::parse(&schema).0.expect("valid");
        let node = json::parse(&value).0.expect("JSON");
        let mut faults = Faults::new(&value);
        let checked = check(&schema, &node, &Path::root(""), mode, &mut faults);
        let Is::Record(fields) = &checked.is else { panic!("a record") };
        let is_valid = |(name, of): (&str, &Checked<'_>)| match of.is {
            Is::Invalid => format!("{name}?"),
            _ => name.to_owned(),
        };
        fields.iter().map(is_valid).collect()
    };
    let defaults = ["count", "codes"];
    assert_eq!(names(r#"{"jra": "x"}"#, Mode::Strict), ["jar?", "count", "codes"]);
    assert_eq!(names(r#"{"jra": "x"}"#, Mode::Lenient), defaults);
    assert_eq!(names(r#"{"jra": "x", "jar": "y"}"#, Mode::Strict), ["jar", "count", "codes"]);
    assert_eq!(names(r#"{"other": "x"}"#, Mode::Strict), defaults);
}

#[test]
fn values_come_back_with_defaults_and_the_last_duplicate() {
    let (schema, value) = (plain(RECORD), plain(r#" {"jar": "x", "JAR": "y"}"#));
    let schema = Schema::parse(&schema).0.expect("valid");
    let node = json::parse(&value).0.expect("JSON");
    let mut faults = Faults::new(&value);
    let checked = check(&schema, &node, &Path::root(""), Mode::Lenient, &mut faults);
    let Is::Record(fields) = &checked.is else { panic!("a record") };
    assert_eq!(fields.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["jar", "count", "codes"]);
    assert!(matches!(fields.get("jar").map(|c| &c.is), Some(Is::String(s)) if s.is("y")));
    assert!(matches!(fields.get("count").map(|c| &c.is), Some(Is::Integer(7))));
    assert!(fields.get("inner").is_none());
    let codes = fields.get("codes").expect("a default");
    assert_eq!(codes.span, node.span, "a default stands where the record does");
    let Is::Array(items) = &codes.is else { panic!("a list") };
    assert!(items.iter().all(|i| i.span == node.span));
}

#[test]
fn the_better_of_two_records_is_meant() {
    let schema = r#"["null",
        {"type":"record","name":"A","fields":[{"name":"a","type":"int"},{"name":"c","type":"int"}]},
        {"type":"record","name":"B","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}]"#;
    assert!(faults(schema, r#"{"a": 1, "b": "x"}"#, Mode::Strict).is_empty());
    assert!(faults(schema, r#"{"a": 1, "c": 1}"#, Mode::Strict).is_empty());
    let longer_first = r#"[{"type":"record","name":"A","fields":[{"name":"a","type":"int"},{"name":"c","type":"int"}]},
        {"type":"record","name":"B","fields":[{"name":"a","type":"int"}]}]"#;
    assert!(faults(longer_first, r#"{"a": 1}"#, Mode::Strict).is_empty());
    assert_eq!(
        faults(schema, r#"{"b": 1, "a": 1, "c": 1}"#, Mode::Strict),
        ["x:1:2: error[unknown-field]: unknown field `b` in `data`; expected `a` or `c`"]
    );
}

#[test]
fn a_symbol_is_meant_before_a_string() {
    let schema = plain(r#"["string",{"type":"enum","name":"E","symbols":["A"]}]"#);
    let schema = Schema::parse(&schema).0.expect("valid");
    for (text, symbol) in [(r#""A""#, true), (r#""B""#, false)] {
        let value = plain(text);
        let node = json::parse(&value).0.expect("JSON");
        let mut faults = Faults::new(&value);
        let checked = check(&schema, &node, &Path::root(""), Mode::Strict, &mut faults);
        assert_eq!(matches!(checked.is, Is::Symbol("A")), symbol, "{text}");
    }
}

#[test]
fn what_the_user_did_not_write_is_never_quoted() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"one","type":{"type":"enum","name":"E","symbols":["ONE"]}},
        {"name":"map","type":{"type":"map","values":"int"}},
        {"name":"n","type":"int"}]}"#;
    let value = r#"{"one": "‹on›", "map": {"k«env P:onf»": "x", "k«env P:onf»": 1}, "n": "‹12›", "‹onf›": 1}"#;
    let found = faults(schema, value, Mode::Strict);
    assert_eq!(
        found,
        [
            "x:1:9: error[unknown-symbol]: `data.one` must be `ONE`",
            "x:1:41: error[wrong-type]: `data.map[…]` must be an integer (found a string)",
            "x:1:46: error[duplicate-key]: `data.map` has `…` more than once",
            "x:1:71: error[wrong-type]: `data.n` must be an integer (found a string)",
            "x:1:79: error[unknown-field]: unknown field in `data`; expected `one`, `map` or `n`",
        ]
    );
}

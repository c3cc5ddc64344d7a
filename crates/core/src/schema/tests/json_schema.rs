//! What becomes of each type. That validators agree with the checker is looked at in the ring of real tools.

use serde_json::{Value as Json, json};

use super::plain;
use crate::schema::{Files, JsonSchema, Mode, Schema, Type, TypeId, published};

fn written(avsc: &str, mode: Mode, keys: Option<&str>) -> Json {
    let document = plain(avsc);
    let (schema, faults) = Schema::parse(&document);
    let schema = schema.unwrap_or_else(|| panic!("{faults:?}"));
    let files = Files { key: "k/1", keys, title: "T 1", mode, needed: &[("R", "b"), ("In", "b")] };
    serde_json::to_value(JsonSchema::of_files(&schema, &files)).expect("JSON")
}

/// The definition of `ns.R` with these fields.
fn record(fields: &str, mode: Mode) -> Json {
    let avsc = format!(r#"{{"type":"record","name":"R","namespace":"ns","fields":[{fields}]}}"#);
    written(&avsc, mode, None)["definitions"]["ns.R"].take()
}

/// What a type becomes.
fn of(avro: &str) -> Json {
    record(&format!(r#"{{"name":"f","type":{avro}}}"#), Mode::Strict)["properties"]["f"].take()
}

#[test]
fn whole_files_have_two_keys() {
    let avsc = r#"{"type":"record","name":"R","namespace":"ns","doc":"For.","fields":[]}"#;
    let data = json!({
        "description": "What the file says.",
        "allOf": [{"$ref": "#/definitions/ns.R"}],
    });
    assert_eq!(
        written(avsc, Mode::Strict, None),
        json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "T 1",
            "description": "For.",
            "type": "object",
            "properties": {
                "schema": {"description": "What the file is.", "type": "string", "const": "k/1"},
                "data": data,
            },
            "additionalProperties": false,
            "required": ["schema", "data"],
            "definitions": {"ns.R": {
                "title": "R", "description": "For.", "type": "object", "additionalProperties": false,
            }},
        })
    );
    assert_eq!(
        written(avsc, Mode::Lenient, Some("^k/[0-9]$")),
        json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "T 1",
            "description": "For.",
            "type": "object",
            "properties": {
                "schema": {
                    "description": "What the file is.",
                    "type": "string",
                    "pattern": "^k/[0-9]$",
                    "examples": ["k/1"],
                },
                "data": data,
            },
            "required": ["schema", "data"],
            "definitions": {"ns.R": {"title": "R", "description": "For.", "type": "object"}},
        })
    );
}

#[test]
fn types_without_a_name() {
    let bytes = "^[\\u0000-\\u00ff]*$";
    let int = json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX});
    let cases = [
        (r#""null""#, json!({"type": "null"})),
        (r#""boolean""#, json!({"type": "boolean"})),
        (r#""int""#, int.clone()),
        (r#""long""#, json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX})),
        (
            r#""float""#,
            json!({"type": "number", "minimum": f64::from(f32::MIN), "maximum": f64::from(f32::MAX)}),
        ),
        (r#""double""#, json!({"type": "number"})),
        (r#""bytes""#, json!({"type": "string", "pattern": bytes})),
        (r#""string""#, json!({"type": "string"})),
        (r#"{"type":"array","items":"int"}"#, json!({"type": "array", "items": int})),
        (
            r#"{"type":"map","values":"int"}"#,
            json!({"type": "object", "additionalProperties": int}),
        ),
        (
            r#"["null","string",{"type":"fixed","name":"x.Md5","size":2}]"#,
            json!({"anyOf": [
                {"type": "string"},
                {"$ref": "#/definitions/x.Md5"},
                {"type": "null"},
                {
                    "type": "object",
                    "patternProperties": {
                        "^null$": {"type": "null"},
                        "^string$": {"type": "string"},
                        "^(x\\.)?Md5$": {"$ref": "#/definitions/x.Md5"},
                    },
                    "additionalProperties": false,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ]}),
        ),
    ];
    for (avro, expected) in cases {
        assert_eq!(of(avro), expected, "{avro}");
    }
}

#[test]
fn named_types_are_defined_once() {
    let avsc = r#"{"type":"record","name":"R","fields":[
        {"name":"a","doc":"A.","type":{"type":"fixed","name":"a.b.F","size":2,"doc":"Two."}},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"],"doc":"Either."}},
        {"name":"r","type":["null","R"]},
        {"name":"s","type":{"type":"array","items":"E"}}]}"#;
    let whole = written(avsc, Mode::Strict, None);
    let names: Vec<_> = whole["definitions"].as_object().expect("definitions").keys().collect();
    assert_eq!(names, ["E", "R", "a.b.F"]);
    let definitions = &whole["definitions"];
    assert_eq!(
        definitions["a.b.F"],
        json!({
            "title": "F", "description": "Two.", "type": "string",
            "pattern": "^[\\u0000-\\u00ff]*$", "minLength": 2, "maxLength": 2,
        })
    );
    // A symbol, or what a template makes one of.
    assert_eq!(
        definitions["E"],
        json!({
            "title": "E", "description": "Either.",
            "anyOf": [{"enum": ["X", "Y"]}, {"type": "string", "pattern": "\\{\\{"}],
        })
    );
    let fields = &definitions["R"]["properties"];
    assert_eq!(
        fields["a"],
        json!({"description": "A.", "allOf": [{"$ref": "#/definitions/a.b.F"}]})
    );
    assert_eq!(fields["r"]["anyOf"][0], json!({"$ref": "#/definitions/R"}));
    assert_eq!(fields["s"]["items"], json!({"$ref": "#/definitions/E"}));
    assert_eq!(definitions["R"]["required"], json!(["a", "e", "s"]));
}

#[test]
fn fields_of_strict_files() {
    let fields = r#"
        {"name":"a","type":"string"},
        {"name":"b","type":["null","string"]},
        {"name":"c","type":"int","default":7},
        {"name":"d","type":["null","int"],"default":null},
        {"name":"e","type":{"type":"map","values":["boolean","double"]},"default":{"k":true,"l":0.5}},
        {"name":"f","aliases":["g"],"type":"string"}"#;
    let record = record(fields, Mode::Strict);
    assert_eq!(record["required"], json!(["a"]));
    // By one of its names.
    assert_eq!(record["allOf"], json!([{"anyOf": [{"required": ["f"]}, {"required": ["g"]}]}]));
    assert_eq!(record["additionalProperties"], json!(false));
    let fields = &record["properties"];
    assert_eq!(fields["g"], json!({"type": "string"}));
    assert_eq!(fields["c"]["default"], json!(7));
    assert_eq!(fields["d"].get("default"), None, "absent says more than null");
    assert_eq!(fields["e"]["default"], json!({"k": true, "l": 0.5}));
}

#[test]
fn fields_of_lenient_files_may_be_absent_and_null() {
    let fields = r#"
        {"name":"a","doc":"A.","type":"string"},
        {"name":"b","type":"string"},
        {"name":"c","type":["null","int"],"default":null},
        {"name":"d","type":{"type":"record","name":"In","fields":[{"name":"b","type":"In"}]}}"#;
    let whole = written(
        &format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#),
        Mode::Lenient,
        None,
    );
    let record = &whole["definitions"]["R"];
    assert_eq!(record["required"], json!(["b"]));
    assert_eq!(record.get("additionalProperties"), None);
    let fields = &record["properties"];
    assert_eq!(
        fields["a"],
        json!({"description": "A.", "anyOf": [{"type": "string"}, {"type": "null"}]})
    );
    assert_eq!(fields["b"], json!({"type": "string"}));
    assert_eq!(fields["c"]["anyOf"].as_array().map(Vec::len), Some(3), "null is there already");
    assert_eq!(fields["d"]["anyOf"][0]["allOf"], json!([{"$ref": "#/definitions/In"}]));
    assert_eq!(whole["definitions"]["In"]["required"], json!(["b"]));
}

/// A record that takes unknown fields would take a tag for one, and not look inside.
#[test]
fn tags_in_lenient_files_are_no_fields() {
    let of = |union: &str, mode| {
        let field = format!(r#"{{"name":"f","type":{union}}}"#);
        record(&field, mode)["properties"]["f"].take()
    };
    let union = r#"["null",{"type":"record","name":"In","fields":[]}]"#;
    let lenient = of(union, Mode::Lenient);
    assert_eq!(
        lenient["if"],
        json!({
            "type": "object", "minProperties": 1, "maxProperties": 1,
            "propertyNames": {"pattern": "^null$|^(ns\\.)?In$"},
        })
    );
    assert_eq!(lenient["then"], lenient["anyOf"][2]);
    assert_eq!(lenient["then"]["patternProperties"]["^null$"], json!({"type": "null"}));
    let without = [
        (union, Mode::Strict),
        (r#"["null","string"]"#, Mode::Lenient),
        (
            r#"["null",{"type":"record","name":"In","fields":[]},{"type":"map","values":"int"}]"#,
            Mode::Lenient,
        ),
        (
            r#"["null",{"type":"record","name":"In","fields":[{"name":"null","type":"int"}]}]"#,
            Mode::Lenient,
        ),
        (
            r#"["null",{"type":"record","name":"In","fields":[{"name":"In","type":"int"}]}]"#,
            Mode::Lenient,
        ),
    ];
    for (union, mode) in without {
        assert_eq!(of(union, mode).get("if"), None, "{union}");
    }
}

/// Every field of every published schema is there with its words, and every record that one can get to.
#[test]
fn all_fields_are_there_with_their_descriptions() {
    for published in published() {
        let document = published.document();
        let schema = Schema::parse(&document).0.expect("valid");
        let json = crate::config::json_schema(published).expect("of a known kind");
        let json = serde_json::to_value(json).expect("JSON");
        assert_eq!(json["title"], json!(format!("{} {}", published.name, published.version)));
        let definitions = json["definitions"].as_object().expect("definitions");
        let mut named = 0;
        for_each_named(&schema, schema.root(), &mut Vec::new(), &mut |id| {
            named += 1;
            let definition = &definitions[schema.tag(id)];
            assert_eq!(definition["description"].as_str(), schema.doc(id));
            assert!(schema.doc(id).is_some(), "{}", schema.tag(id));
            if let Type::Record(record) = schema.get(id) {
                let properties = definition["properties"].as_object().expect("properties");
                assert_eq!(properties.len(), record.fields.len());
                for field in &record.fields {
                    let found = &properties[field.name.as_ref()];
                    assert_eq!(found["description"].as_str(), field.doc.as_deref());
                }
            }
        });
        assert_eq!(definitions.len(), named, "{}", published.key());
    }
}

fn for_each_named(
    schema: &Schema<'_>,
    id: TypeId,
    seen: &mut Vec<TypeId>,
    look: &mut impl FnMut(TypeId),
) {
    if seen.contains(&id) {
        return;
    }
    seen.push(id);
    let inner: Vec<TypeId> = match schema.get(id) {
        Type::Array(of) | Type::Map(of) => vec![*of],
        Type::Union(branches) => branches.clone(),
        Type::Record(record) => record.fields.iter().map(|field| field.of).collect(),
        _ => Vec::new(),
    };
    if matches!(schema.get(id), Type::Record(_) | Type::Enum(_) | Type::Fixed(_)) {
        look(id);
    }
    for id in inner {
        for_each_named(schema, id, seen, look);
    }
}

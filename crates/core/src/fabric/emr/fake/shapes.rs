//! EMR's published shapes, and whether a body fits one of them.
//!
//! The table is made from the API model that AWS publishes through botocore (`scripts/emr-shapes`). How a body that
//! does not fit is refused follows AWS's own services: a wrong type or an unknown member is a
//! `SerializationException`, everything else a `ValidationException` that counts its faults.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::refusal::Refusal;

/// Every shape by its name.
static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("shapes.txt")));

#[derive(Debug, Default)]
struct Table {
    operations: BTreeMap<&'static str, [Option<&'static str>; 2]>,
    shapes: BTreeMap<&'static str, Shape>,
}

#[derive(Debug)]
enum Shape {
    Struct(Vec<Member>),
    List(&'static str),
    Map(&'static str, &'static str),
    Text { range: Range, xml: bool, words: Vec<&'static str> },
    Integer(Range),
    Double(Range),
    Boolean,
    Timestamp,
}

#[derive(Debug)]
struct Member {
    name: &'static str,
    required: bool,
    shape: &'static str,
}

#[derive(Debug, Default)]
struct Range {
    min: Option<i64>,
    max: Option<i64>,
}

/// What does not fit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Misfits {
    /// Wrong types and unknown members.
    pub(super) serialization: Vec<String>,
    /// Missing members, lengths, characters, words, in AWS's own phrases.
    pub(super) validation: Vec<String>,
}

/// Whether the table has the operation.
pub(super) fn knows(operation: &str) -> bool {
    TABLE.operations.contains_key(operation)
}

/// Whether a request fits.
///
/// # Errors
/// It does not.
pub(super) fn request(operation: &str, body: &Value) -> Result<(), Refusal> {
    let misfits = misfits(operation, 0, body);
    if let Some(first) = misfits.serialization.first() {
        return Err(Refusal::serialization(first));
    }
    match misfits.validation.len() {
        0 => Ok(()),
        count => Err(Refusal::validation(format!(
            "{count} validation error{} detected: {}",
            if count == 1 { "" } else { "s" },
            misfits.validation.join("; ")
        ))),
    }
}

/// What of a reply does not fit.
pub(super) fn reply(operation: &str, body: &Value) -> Misfits {
    misfits(operation, 1, body)
}

fn misfits(operation: &str, way: usize, body: &Value) -> Misfits {
    let mut misfits = Misfits::default();
    match TABLE.operations.get(operation) {
        None => misfits.serialization.push(format!("unknown operation {operation}")),
        Some(shapes) => match shapes[way] {
            Some(shape) => fit(shape, body, "", &mut misfits),
            None if body.as_object().is_some_and(serde_json::Map::is_empty) => {}
            None => misfits.serialization.push(format!("{operation} has no such body")),
        },
    }
    misfits
}

fn fit(shape: &str, value: &Value, at: &str, misfits: &mut Misfits) {
    match (TABLE.shapes.get(shape), value) {
        (Some(Shape::Struct(members)), Value::Object(given)) => {
            for (name, value) in given {
                match members.iter().find(|member| member.name == name) {
                    Some(member) => fit(member.shape, value, &below(at, &lower(name)), misfits),
                    None => misfits
                        .serialization
                        .push(format!("unknown member '{name}' of {shape} at '{at}'")),
                }
            }
            for member in members.iter().filter(|m| m.required && !given.contains_key(m.name)) {
                misfits.validation.push(format!(
                    "Value null at '{}' failed to satisfy constraint: Member must not be null",
                    below(at, &lower(member.name))
                ));
            }
        }
        (Some(Shape::List(of)), Value::Array(values)) => {
            for (n, value) in (1..).zip(values) {
                fit(of, value, &below(at, &format!("{n}.member")), misfits);
            }
        }
        (Some(Shape::Map(key, of)), Value::Object(given)) => {
            for (name, value) in given {
                fit(key, &Value::String(name.clone()), &below(at, "key"), misfits);
                fit(of, value, &below(at, name), misfits);
            }
        }
        (Some(Shape::Text { range, xml, words }), Value::String(text)) => {
            fit_text(text, range, *xml, words, at, misfits);
        }
        (Some(Shape::Integer(range)), Value::Number(number)) if number.is_i64() => {
            let number = number.as_i64().unwrap_or_default();
            if !range.holds(number) {
                misfits.validation.push(constraint(&number.to_string(), at, "range", range));
            }
        }
        (Some(Shape::Double(range)), Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            if range.min.is_some_and(|min| number < min as f64) {
                misfits.validation.push(constraint(&number.to_string(), at, "range", range));
            }
        }
        (Some(Shape::Boolean), Value::Bool(_)) | (Some(Shape::Timestamp), Value::Number(_)) => {}
        (_, value) => {
            misfits.serialization.push(format!("{} is no {shape} at '{at}'", kind(value)));
        }
    }
}

fn fit_text(text: &str, range: &Range, xml: bool, words: &[&str], at: &str, misfits: &mut Misfits) {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if !range.holds(length) {
        misfits.validation.push(constraint(text, at, "length", range));
    }
    if xml && !text.chars().all(is_xml) {
        misfits.validation.push(format!(
            "Value at '{at}' failed to satisfy constraint: Member must satisfy regular expression pattern"
        ));
    }
    if !words.is_empty() && !words.contains(&text) {
        misfits.validation.push(format!(
            "Value '{text}' at '{at}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            words.join(", ")
        ));
    }
}

fn constraint(value: &str, at: &str, what: &str, range: &Range) -> String {
    let range = match (range.min, range.max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("greater than or equal to {min}"),
        (_, max) => format!("less than or equal to {}", max.unwrap_or(i64::MAX)),
    };
    format!(
        "Value '{value}' at '{at}' failed to satisfy constraint: Member must have {what} {range}"
    )
}

/// The characters of the model's pattern.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a structure",
    }
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// AWS's messages start the names of members in lower case.
fn lower(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

impl Range {
    fn read(word: &str) -> Option<Self> {
        let (min, max) = word.split_once("..")?;
        // Bounds such as `0.0` are whole numbers all the same.
        let bound = |text: &str| text.parse::<f64>().ok().map(|bound| bound as i64);
        Some(Self { min: bound(min), max: bound(max) })
    }

    fn holds(&self, number: i64) -> bool {
        self.min.is_none_or(|min| min <= number) && self.max.is_none_or(|max| number <= max)
    }
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut table = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&'static str> = line.split(' ').collect();
            let [kind, name, rest @ ..] = words.as_slice() else { continue };
            if let ("operation", [input, output]) = (*kind, rest) {
                let given = |shape: &&'static str| (*shape != "-").then_some(*shape);
                table.operations.insert(name, [given(input), given(output)]);
            } else if let Some(shape) = Shape::read(kind, rest) {
                table.shapes.insert(name, shape);
            }
        }
        table
    }
}

impl Shape {
    fn read(kind: &str, rest: &[&'static str]) -> Option<Self> {
        let range = || rest.iter().find_map(|word| Range::read(word)).unwrap_or_default();
        Some(match (kind, rest) {
            ("struct", members) => {
                Self::Struct(members.iter().filter_map(|member| Member::read(member)).collect())
            }
            ("list", [of]) => Self::List(of),
            ("map", [key, value]) => Self::Map(key, value),
            ("string", rest) => Self::Text {
                range: range(),
                xml: rest.contains(&"xml"),
                words: rest
                    .iter()
                    .filter(|word| **word != "xml" && !word.contains(".."))
                    .flat_map(|words| words.split('|'))
                    .collect(),
            },
            ("integer", _) => Self::Integer(range()),
            ("double", _) => Self::Double(range()),
            ("boolean", _) => Self::Boolean,
            ("timestamp", _) => Self::Timestamp,
            _ => return None,
        })
    }
}

impl Member {
    fn read(word: &'static str) -> Option<Self> {
        let (name, shape) = word.split_once(':')?;
        let required = name.ends_with('!');
        Some(Self { name: name.trim_end_matches('!'), required, shape })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(operation: &str, body: Value) -> Refusal {
        request(operation, &body).expect_err("it does not fit")
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("shapes.txt").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), TABLE.operations.len() + TABLE.shapes.len());
        for (name, shape) in &TABLE.shapes {
            let needs: Vec<&str> = match shape {
                Shape::Struct(members) => members.iter().map(|member| member.shape).collect(),
                Shape::List(of) => vec![of],
                Shape::Map(key, of) => vec![key, of],
                _ => Vec::new(),
            };
            for need in needs {
                assert!(TABLE.shapes.contains_key(need), "{name} needs {need}");
            }
        }
    }

    #[test]
    fn what_fits() {
        let steps = json!([{"Name": "a", "ActionOnFailure": "CONTINUE",
            "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["true", ""]}}]);
        assert_eq!(
            request("AddJobFlowSteps", &json!({"JobFlowId": "j-1", "Steps": steps})),
            Ok(())
        );
        assert_eq!(request("ListClusters", &json!({"CreatedAfter": 1.5})), Ok(()));
    }

    #[test]
    fn unknown_members_and_wrong_types_do_not_serialize() {
        for body in [
            json!({"ClusterId": "j-1", "clusterId": "j-1"}),
            json!({"ClusterId": 1}),
            json!({"ClusterId": null}),
            json!(["j-1"]),
        ] {
            assert_eq!(refused("DescribeCluster", body).code, "SerializationException");
        }
        let deep = json!({"JobFlowId": "j-1", "Steps": [{"Name": "a", "HadoopJarStep": {"Jar": "x", "Arguments": []}}]});
        assert_eq!(
            refused("AddJobFlowSteps", deep).message,
            "unknown member 'Arguments' of HadoopJarStepConfig at 'steps.1.member.hadoopJarStep'"
        );
    }

    #[test]
    fn missing_members_lengths_characters_and_words_are_counted() {
        let body = json!({"JobFlowId": "j-1", "Steps": [{
            "Name": "n".repeat(257), "ActionOnFailure": "STOP", "HadoopJarStep": {"Args": ["\u{1}"]}}]});
        let refusal = refused("AddJobFlowSteps", body);
        assert_eq!(refusal.code, "ValidationException");
        assert!(refusal.message.starts_with("4 validation errors detected: "), "{refusal:?}");
        assert!(
            refusal.message.contains("Value null at 'steps.1.member.hadoopJarStep.jar' failed to"),
            "{refusal:?}"
        );
        assert!(refusal.message.contains("Value 'STOP' at 'steps.1.member.actionOnFailure'"));
        let one = refused("DescribeCluster", json!({}));
        assert!(one.message.starts_with("1 validation error detected: "), "{one:?}");
    }

    #[test]
    fn an_operation_without_a_reply_says_nothing() {
        assert_eq!(reply("TerminateJobFlows", &json!({})), Misfits::default());
        assert_ne!(reply("TerminateJobFlows", &json!({"a": 1})), Misfits::default());
    }
}

//! Faults as a document of SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), for
//! what shows them beside the code, such as GitHub's code scanning.

use std::path::{Component, Path};

use dataflow_runner_core::diagnostic::{Code, Diagnostic, Place, Severity};
use serde::Serialize;

/// The document. Where a fault has no place, it is put at the beginning of `file`: GitHub takes no document with a
/// result that has none (<https://github.com/github/codeql-action/issues/2459>). Paths below `here` are told from there.
pub(super) fn document(faults: &[Diagnostic], file: Option<&Path>, here: Option<&Path>) -> String {
    let mut rules: Vec<Rule> = Vec::new();
    let result = |fault: &Diagnostic| {
        let known = rules.iter().position(|rule| rule.id == fault.code.as_str());
        let index = known.unwrap_or(rules.len());
        match rules.get_mut(index) {
            // A rule can be a warning here and an error there.
            Some(rule) if fault.severity == Severity::Error => {
                rule.default_configuration.level = level(fault.severity);
            }
            Some(_) => {}
            None => rules.push(Rule::of(fault.code, fault.severity)),
        }
        Finding::of(fault, index, file, here)
    };
    let results = faults.iter().map(result).collect();
    let driver = Driver { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION"), rules };
    let document = Document {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results }],
    };
    // It is made of strings and numbers only, which always serialise.
    serde_json::to_string_pretty(&document).map(|text| text + "\n").unwrap_or_default()
}

#[derive(Serialize)]
struct Document {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
    /// These two GitHub wants, too.
    full_description: Message,
    help: Message,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

/// What SARIF calls a result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

/// From 1, the end not included.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

impl Rule {
    fn of(code: Code, severity: Severity) -> Self {
        let text = |text: String| Message { text };
        Self {
            id: code.as_str(),
            short_description: text(code.summary().to_owned()),
            full_description: text(code.summary().to_owned()),
            help: text(format!("`{code}`: {}", code.summary())),
            default_configuration: Configuration { level: level(severity) },
        }
    }
}

impl Finding {
    fn of(fault: &Diagnostic, index: usize, file: Option<&Path>, here: Option<&Path>) -> Self {
        let place = match (&fault.place, file) {
            (Some(place), _) => Some(Physical::at(place, here)),
            (None, Some(file)) => Some(Physical::beginning(file, here)),
            (None, None) => None,
        };
        let located =
            place.map(|place| Location { id: None, physical_location: place, message: None });
        // What shows a rendered text is no file that others could open.
        let in_file = |place: &&Place| !place.source.is_view();
        let notes = fault
            .notes
            .iter()
            .filter_map(|note| Some((note, note.place.as_ref().filter(in_file)?)));
        let notes = notes.enumerate().map(|(index, (note, place))| Location {
            id: Some(index + 1),
            physical_location: Physical::at(place, here),
            message: Some(Message { text: note.message.clone() }),
        });
        Self {
            rule_id: fault.code.as_str(),
            rule_index: index,
            level: level(fault.severity),
            message: Message { text: text(fault) },
            locations: located.into_iter().collect(),
            related_locations: notes.collect(),
        }
    }
}

impl Physical {
    fn at(place: &Place, here: Option<&Path>) -> Self {
        let [start, end] =
            [place.span.start, place.span.end].map(|offset| place.source.position(offset));
        Self {
            artifact_location: Artifact { uri: uri(Path::new(place.source.name()), here) },
            region: Region {
                start_line: start.line,
                start_column: start.column,
                end_line: end.line,
                end_column: end.column,
            },
        }
    }

    fn beginning(file: &Path, here: Option<&Path>) -> Self {
        let region = Region { start_line: 1, start_column: 1, end_line: 1, end_column: 1 };
        Self { artifact_location: Artifact { uri: uri(file, here) }, region }
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// All that is said, but for notes that have a place of their own.
fn text(fault: &Diagnostic) -> String {
    let mut text = fault.message.clone();
    if let Some(label) = &fault.label {
        text += &format!(" ({label})");
    }
    let notes = fault.notes.iter().filter(|note| note.place.is_none()).map(|note| &note.message);
    for more in notes.chain(&fault.help) {
        text += "; ";
        text += more;
    }
    text
}

/// A path as a reference of RFC 3986: relative where it can be told from here.
fn uri(path: &Path, here: Option<&Path>) -> String {
    let path = here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir => parts.push("..".to_owned()),
            // `C:` stays as it is there.
            Component::Prefix(prefix) => parts.push(prefix.as_os_str().to_string_lossy().into()),
            Component::Normal(name) => parts.push(encoded(&name.to_string_lossy())),
        }
    }
    let joined = parts.join("/");
    if path.is_absolute() { format!("file:///{joined}") } else { joined }
}

fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(byte.into());
            }
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dataflow_runner_core::diagnostic::code;
    use dataflow_runner_core::source::{Source, Span};
    use serde_json::{Value, json};

    use super::*;

    fn made(faults: &[Diagnostic], file: Option<&Path>) -> Value {
        let text = document(faults, file, None);
        assert!(text.ends_with("}\n"));
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn a_document_without_results_is_one() {
        let name = env!("CARGO_PKG_NAME");
        assert_eq!(
            made(&[], None),
            json!({
                "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
                "version": "2.1.0",
                "runs": [{
                    "tool": {"driver": {"name": name, "version": env!("CARGO_PKG_VERSION"), "rules": []}},
                    "columnKind": "unicodeCodePoints",
                    "results": [],
                }],
            })
        );
    }

    #[test]
    fn a_fault_is_told_with_its_rule_place_and_notes() {
        let source = Arc::new(Source::new("a b/ñ.json", "{\n  \"ñ\": 1, \"jra\": 2\n}"));
        let fault = Diagnostic::error(code::UNKNOWN_FIELD, "unknown field `jra`")
            .at(Place::new(&source, Span::new(13, 18)))
            .label("here")
            .help("did you mean `jar`?")
            .note("so it is", None)
            .note("as there", Some(Place::new(&source, Span::new(4, 8))))
            .note("rendered", Some(Place::new(&Arc::new(Source::view("v", "x")), Span::at(0))));
        let made = made(&[fault], None);
        let place = |columns: [u32; 2]| {
            json!({
                "artifactLocation": {"uri": "a%20b/%C3%B1.json"},
                "region": {"startLine": 2, "startColumn": columns[0], "endLine": 2, "endColumn": columns[1]},
            })
        };
        assert_eq!(
            made["runs"][0]["results"],
            json!([{
                "ruleId": "unknown-field",
                "ruleIndex": 0,
                "level": "error",
                "message": {"text": "unknown field `jra` (here); so it is; did you mean `jar`?"},
                "locations": [{"physicalLocation": place([11, 16])}],
                "relatedLocations": [
                    {"id": 1, "physicalLocation": place([3, 6]), "message": {"text": "as there"}},
                ],
            }])
        );
        assert_eq!(
            made["runs"][0]["tool"]["driver"]["rules"],
            json!([{
                "id": "unknown-field",
                "shortDescription": {"text": "a field that the schema does not have"},
                "fullDescription": {"text": "a field that the schema does not have"},
                "help": {"text": "`unknown-field`: a field that the schema does not have"},
                "defaultConfiguration": {"level": "error"},
            }])
        );
    }

    #[test]
    fn each_rule_is_there_once_as_bad_as_its_worst() {
        let faults = [
            Diagnostic::warning(code::UNKNOWN_FIELD, "1"),
            Diagnostic::warning(code::EMPTY_FIELD, "2"),
            Diagnostic::error(code::UNKNOWN_FIELD, "3"),
            Diagnostic::warning(code::UNKNOWN_FIELD, "4"),
        ];
        let made = made(&faults, Some(Path::new("f.json")));
        let run = &made["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| (&rule["id"], &rule["defaultConfiguration"]["level"]))
            .collect();
        let rule = |id: &str, level: &str| (json!(id), json!(level));
        let [first, second] = [rule("unknown-field", "error"), rule("empty-field", "warning")];
        assert_eq!(rules, [(&first.0, &first.1), (&second.0, &second.1)]);
        let results = run["results"].as_array().expect("results");
        let indices: Vec<_> = results.iter().map(|result| result["ruleIndex"].as_u64()).collect();
        assert_eq!(indices, [Some(0), Some(1), Some(0), Some(0)]);
        assert_eq!(
            results[0]["locations"][0]["physicalLocation"],
            json!({
                "artifactLocation": {"uri": "f.json"},
                "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
            }),
            "GitHub wants a place"
        );
        assert_eq!(results[0].get("relatedLocations"), None);
    }

    #[test]
    fn paths_are_relative_where_they_can_be() {
        let here = if cfg!(windows) { r"C:\work" } else { "/work" };
        let uri = |path: &Path| uri(path, Some(Path::new(here)));
        assert_eq!(uri(Path::new("./a/b.json")), "a/b.json");
        assert_eq!(uri(Path::new("../b.json")), "../b.json");
        assert_eq!(uri(Path::new("<stdin>")), "%3Cstdin%3E");
        assert_eq!(uri(Path::new("a:%#.json")), "a%3A%25%23.json");
        assert_eq!(uri(&Path::new(here).join("x").join("y.json")), "x/y.json");
        let elsewhere = if cfg!(windows) { r"C:\else\y.json" } else { "/else/y.json" };
        let told = if cfg!(windows) { "file:///C:/else/y.json" } else { "file:///else/y.json" };
        assert_eq!(uri(Path::new(elsewhere)), told);
    }
}

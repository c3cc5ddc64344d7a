//! Whatever stands in a file, and wherever it came from the environment or a variable: no diagnostic tells its value.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use dataflow_runner_core::bell::Bell;
use dataflow_runner_core::config::playbook::Playbook;
use dataflow_runner_core::config::{Config, Draft, load_or_draft};
use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics};
use dataflow_runner_core::document::Document;
use dataflow_runner_core::fabric::local::{self, Local, Surroundings};
use dataflow_runner_core::fabric::{Fabric, dataproc, emr, yarn};
use dataflow_runner_core::plan::{self, Plan};
use dataflow_runner_core::source::Source;
use dataflow_runner_core::template::{Inputs, Limits, Map, Template, Value};
use jiff::Zoned;
use jiff::tz::TimeZone;

/// Stands in all values, in no fixture and in no message.
const MARK: &str = "zq9x";
/// The same for numbers.
const NUMBER: &str = "91827364";

/// All that is said of a file, in every form that there is.
fn said(name: &str, text: String, value: &str) -> String {
    let source = Arc::new(Source::new(name, text));
    let of = |text: String| -> serde_json::Value { serde_json::from_str(&text).expect("JSON") };
    let quoted = serde_json::Value::from(value);
    let variables: Map = [
        ("v", Value::from(value)),
        ("m", of(format!(r#"{{"k": {quoted}}}"#)).into()),
        ("l", of(format!("[{quoted}]")).into()),
        ("n", of(NUMBER.to_owned()).into()),
    ]
    .into_iter()
    .collect();
    let env = |name: &str| (name == "S").then(|| OsString::from(value));
    let inputs = Inputs {
        variables: &variables,
        now: &|| Zoned::new(jiff::Timestamp::UNIX_EPOCH, TimeZone::UTC),
        env: &env,
        read: &|_| Err(std::io::ErrorKind::NotFound.into()),
        limits: Limits::default(),
    };
    let rendered = match Template::parse(&source).and_then(|template| template.render(&inputs)) {
        Ok(rendered) => rendered,
        Err(error) => return told(&error.diagnostic(&source)) + &format!("{error} {error:?}"),
    };
    let mut all = format!("{rendered:?}");
    let document = match Document::of(rendered) {
        Ok(document) => document,
        Err(fault) => return told(&fault),
    };
    let (read, mut faults) = load_or_draft(&document, true);
    all += &format!("{document:?}");
    match read {
        Ok(Config::Playbook(playbook)) => {
            hold(&playbook, &mut faults);
            Plan::new(playbook, &mut faults);
        }
        Err(Some(Draft::Playbook(draft))) => hold(draft.playbook(), &mut faults),
        _ => {}
    }
    faults.sorted().iter().fold(all, |all, fault| all + &told(fault))
}

/// What the fabrics say of a playbook.
fn hold(playbook: &Playbook, faults: &mut Diagnostics) {
    emr::check_playbook(playbook, None, faults);
    yarn::check_playbook(playbook, faults);
    dataproc::check_playbook(playbook, faults);
    plan::check(playbook, &emr::capabilities(), faults);
    plan::check_files(playbook, faults);
    let around = Surroundings {
        environment: BTreeMap::new(),
        work_folder: "work".into(),
        program: "program".into(),
        bell: Arc::new(Bell::new()),
    };
    let reach = [("workFolder", "/work"), ("killAfterMillis", "0")];
    let reach = reach.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let config = local::Config::reached(&reach).expect("a configuration");
    Local::new(config, around).check(playbook, faults);
}

fn told(fault: &Diagnostic) -> String {
    format!("{fault}\n{fault:?}\n")
}

/// The strings (without their quotes) and the numbers of a JSON text, as ranges.
fn tokens(text: &str) -> Vec<(std::ops::Range<usize>, bool)> {
    let (mut found, mut at) = (Vec::new(), 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let start = at;
        at += 1;
        if bytes[start] == b'"' {
            while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            found.push((start + 1..at.min(bytes.len()), true));
            at += 1;
        } else if bytes[start].is_ascii_digit() {
            while at < bytes.len() && bytes[at].is_ascii_digit() {
                at += 1;
            }
            found.push((start..at, false));
        }
    }
    found
}

/// Whether a value of ours is told.
fn leaks(said: &str) -> bool {
    said.contains(MARK) || said.contains(NUMBER)
}

/// The fixtures of a folder that are plain JSON.
fn fixtures(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let paths =
        fs::read_dir(&folder).expect("fixtures").map(|entry| entry.expect("readable").path());
    let texts = paths.filter(|path| path.to_string_lossy().ends_with(".json"));
    let texts = texts.map(|path| fs::read_to_string(path).expect("UTF-8"));
    texts.filter(|text| !text.contains("{{") && text.len() < 20_000).collect()
}

#[test]
fn no_fault_of_a_file_tells_a_value() {
    let mut tried = 0;
    for (folder, every) in [("valid", 1), ("warned", 1), ("invalid", 5)] {
        let texts = fixtures(folder);
        let tokens = texts.iter().flat_map(|text| tokens(text).into_iter().map(move |t| (text, t)));
        for (text, (token, is_string)) in tokens.step_by(every) {
            let old = &text[token.clone()];
            let values = match is_string {
                true => [
                    MARK.to_owned(),
                    format!("{old}{MARK}"),
                    format!("{MARK}\", \"{MARK}\": \"{MARK}"),
                    format!("{MARK}\\q{MARK}\n{MARK}\0"),
                ],
                false => [
                    NUMBER.to_owned(),
                    format!("-{NUMBER}.5e99999"),
                    format!("{MARK} {MARK}"),
                    format!("\"{MARK}\""),
                ],
            };
            for value in values {
                for expression in ["{{systemEnv \"S\"}}", "{{.v}}"] {
                    let mut text = text.clone();
                    text.replace_range(token.clone(), expression);
                    let said = said("f.json", text, &value);
                    assert!(!leaks(&said), "`{old}`: {expression} as {value:?}:\n{said}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 3000, "{tried}");
}

#[test]
fn no_fault_of_a_template_tells_a_value() {
    let faulty = [
        ".x.y",
        "index V 99999999",
        "index V \"a\"",
        "index V V",
        "index .m V 1",
        "index .l V",
        "index .l 7 V",
        "slice V 3 1",
        "slice .l V",
        "slice V 91827365",
        "len V | index .l",
        "len 1 V",
        "lt V 1",
        "lt 1 V",
        "eq V 1",
        "eq .m .m",
        "eq V .l",
        "call V",
        "call V 1",
        "V | call",
        "base64 .l",
        "base64File V",
        "base64File (printf \"%s/x\" V)",
        "systemEnv V",
        "systemEnv (print V)",
        "V | systemEnv",
        "timeWithFormat V \"2006\"",
        "timeWithFormat \"x\" V | timeWithFormat V",
        "nowWithFormat 1 V",
        "template V",
        "with V}}{{.x}}{{end",
        "range V}}{{.x}}{{end",
        "range $i, $c := V}}{{$c.x}}{{end",
        "template \"t\" V",
        "printf V | index .l",
        "printf \"%99999999d\" V",
        "html V | len | lt \"a\"",
        "not V V",
        "and V .x.y",
        "V.x",
        "$v := V}}{{$v.x",
        "$v := V}}{{index $v 99999999",
        "break V",
    ];
    let mut wrong = 0;
    for fault in faulty {
        for value in [".v", "(systemEnv \"S\")", ".m.k", "(index .l 0)", ".n"] {
            let body = fault.replace('V', value);
            let text = format!("{{{{define \"t\"}}}}{{{{.x.y}}}}{{{{end}}}}{{{{{body}}}}}");
            let said = said("f.json", text, MARK);
            wrong += usize::from(said.contains("error[template-"));
            assert!(!leaks(&said), "{body}:\n{said}");
        }
    }
    assert!(wrong > 150, "only {wrong} of them are wrong");
}

//! `fixtures/gotemplate`: data, templates, and what Go 1.26 made of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use serde::Deserialize;

use super::super::error::Fault;
use super::super::funcs::{Function, GO, OURS, Param, Run};
use super::super::value::{Val, Value};
use super::super::{Error, Inputs, Limits, Map, Rendered, Template, layout};
use crate::source::Source;

#[derive(Deserialize)]
struct File {
    data: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    zone: Option<String>,
    now: Option<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    n: String,
    t: String,
}

/// What Go said: the text, its bytes in hexadecimal where it is not UTF-8, or the error.
#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Ok(String),
    Hex(String),
    Err(String),
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gotemplate");
    let text = fs::read_to_string(folder.join(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

fn upper(text: &[u8]) -> String {
    String::from_utf8_lossy(text).to_uppercase()
}

/// The two functions of the harness that are not the program's.
static HARNESS: &[Function] = &[
    Function {
        name: "up",
        fixed: &[Param::String],
        variadic: false,
        run: Run::Plain(|call| Ok(Val::literal(Value::from(&*upper(&call.bytes(0)))))),
    },
    Function {
        name: "fail",
        fixed: &[Param::String],
        variadic: false,
        run: Run::Plain(|call| Err(Fault::new(String::from_utf8_lossy(&call.bytes(0))))),
    },
];
static ALL: &[&[Function]] = &[HARNESS, OURS, GO];

impl File {
    fn render(&self, text: &str) -> Result<Rendered, Error> {
        let source = Arc::new(Source::new("some/where/playbook", text));
        let template = Template::parse_with(&source, ALL)?;
        let zone = self.zone.as_deref().unwrap_or("UTC");
        let now: jiff::Timestamp = self
            .now
            .as_deref()
            .map_or_else(jiff::Timestamp::default, |now| now.parse().expect("a timestamp"));
        let variables: Map =
            self.data.iter().map(|(k, v)| (k.as_str(), Value::from(v.clone()))).collect();
        template.render(&Inputs {
            variables: &variables,
            now: &|| now.in_tz(zone).expect("a zone"),
            env: &|name| self.env.get(name).map(OsString::from),
            read: &|path| match path.to_str() {
                Some(".") => Err(io::ErrorKind::IsADirectory.into()),
                Some("blob/x") => Err(io::ErrorKind::NotADirectory.into()),
                path => match path.and_then(|path| self.files.get(path)) {
                    Some(text) => Ok(text.clone().into_bytes()),
                    None => Err(io::ErrorKind::NotFound.into()),
                },
            },
            limits: Limits::default(),
        })
    }
}

fn check(cases: &str, outcomes: &str) {
    let file: File = read(cases);
    let wanted: BTreeMap<String, Outcome> = read(outcomes);
    let mut wrong = String::new();
    for Case { n, t } in &file.cases {
        let got = match file.render(t) {
            Ok(rendered) => match std::str::from_utf8(rendered.bytes()) {
                Ok(text) => Outcome::Ok(text.to_owned()),
                Err(_) => {
                    Outcome::Hex(rendered.bytes().iter().map(|b| format!("{b:02x}")).collect())
                }
            },
            Err(error) => Outcome::Err(error.go_text().to_owned()),
        };
        if got != wanted[n] {
            wrong += &format!("{n}: {t}\n  Go: {:?}\n  we: {got:?}\n", wanted[n]);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(file.cases.len(), wanted.len());
}

#[test]
fn the_cases_that_0_7_was_measured_with() {
    check("cases.json", "go_out.json");
}

#[test]
fn more_cases() {
    check("more.json", "more_out.json");
}

#[test]
fn time_layouts() {
    #[derive(Deserialize)]
    struct Layouts {
        layouts: Vec<String>,
        zones: Vec<String>,
        instants: Vec<(i64, i32)>,
    }
    let file: Layouts = read("layouts.json");
    let wanted: BTreeMap<String, BTreeMap<String, Vec<String>>> = read("layouts_out.json");
    let mut wrong = String::new();
    for zone in &file.zones {
        let tz = jiff::tz::TimeZone::get(zone).expect("a zone");
        for &(second, nano) in &file.instants {
            let moment = layout::Moment::at(second, &tz).with_nano(nano.into());
            let key = format!("{second}.{nano:09}");
            for (layout, wanted) in file.layouts.iter().zip(&wanted[zone][&key]) {
                let got = layout::format(layout.as_bytes(), &moment);
                if got != wanted.as_bytes() {
                    let got = String::from_utf8_lossy(&got);
                    wrong += &format!("{zone} {key} {layout}\n  Go: {wanted}\n  we: {got}\n");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

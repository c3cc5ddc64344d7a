//! `fixtures/gotemplate`: data, templates, and what Go 1.26 made of them.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use serde::Deserialize;

use super::super::error::Fault;
use super::super::funcs::{Function, GO, OURS, Param, Run};
use super::super::value::{Val, Value};
use super::super::{Inputs, Limits, Map, Template, layout, unicode};
use crate::source::Source;

/// What the templates of a file see.
#[derive(Deserialize)]
pub(super) struct World {
    data: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    zone: Option<String>,
    now: Option<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(flatten)]
    world: World,
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
pub(super) enum Outcome {
    Ok(String),
    Hex(String),
    Err(String),
}

/// A line of `generated.jsonl`: the first of a group names it; zone and time where they are not those of the
/// file's first line.
#[derive(Deserialize)]
pub(super) struct Made {
    group: Option<String>,
    t: String,
    zone: Option<String>,
    now: Option<String>,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

pub(super) fn text(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gotemplate");
    fs::read_to_string(folder.join(name)).expect(name)
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&text(name)).expect(name)
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

impl World {
    fn variables(&self) -> Map {
        self.data.iter().map(|(k, v)| (k.as_str(), Value::from(v.clone()))).collect()
    }

    /// What becomes of `text`, in another zone or at another time if they are given.
    fn outcome(
        &self,
        text: &str,
        variables: &Map,
        zone: Option<&str>,
        now: Option<&str>,
    ) -> Outcome {
        let zone = zone.or(self.zone.as_deref()).unwrap_or("UTC");
        let now: jiff::Timestamp = now
            .or(self.now.as_deref())
            .map_or_else(jiff::Timestamp::default, |now| now.parse().expect("a timestamp"));
        let inputs = Inputs {
            variables,
            now: &|| now.in_tz(zone).expect("a zone"),
            env: &|name| self.env.get(name).map(OsString::from),
            read: &|path| match path.to_str() {
                Some(".") => Err(io::ErrorKind::IsADirectory.into()),
                Some("blob/x") => Err(io::ErrorKind::NotADirectory.into()),
                Some(path) if path.contains('\0') => Err(io::ErrorKind::InvalidInput.into()),
                path => match path.map(|path| path.trim_start_matches("./")) {
                    Some(path) if self.files.contains_key(path) => {
                        Ok(self.files[path].clone().into_bytes())
                    }
                    _ => Err(io::ErrorKind::NotFound.into()),
                },
            },
            limits: Limits::default(),
        };
        let source = Arc::new(Source::new("some/where/playbook", text));
        let rendered =
            Template::parse_with(&source, ALL).and_then(|template| template.render(&inputs));
        match rendered {
            Ok(rendered) => match std::str::from_utf8(rendered.bytes()) {
                Ok(text) => Outcome::Ok(text.to_owned()),
                Err(_) => {
                    Outcome::Hex(rendered.bytes().iter().map(|b| format!("{b:02x}")).collect())
                }
            },
            Err(error) => Outcome::Err(error.go_text().to_owned()),
        }
    }
}

fn check(cases: &str, outcomes: &str) {
    let file: File = read(cases);
    let wanted: BTreeMap<String, Outcome> = read(outcomes);
    let variables = file.world.variables();
    let mut wrong = String::new();
    for Case { n, t } in &file.cases {
        let got = file.world.outcome(t, &variables, None, None);
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

/// The world of `generated.jsonl`, and its cases.
pub(super) fn generated() -> (World, Vec<Made>) {
    let text = text("generated.jsonl");
    let (world, cases) = text.split_once('\n').expect("lines");
    let cases = cases.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    (serde_json::from_str(world).expect("the first line"), cases)
}

#[test]
fn generated_cases() {
    let (world, cases) = generated();
    let variables = world.variables();
    let mut wrong = String::new();
    let mut seen = HashSet::new();
    let mut name = "";
    for Made { group, t, zone, now, outcome } in &cases {
        name = group.as_deref().unwrap_or(name);
        assert!(seen.insert((t, zone, now)), "twice: {t}");
        let got = match world.outcome(t, &variables, zone.as_deref(), now.as_deref()) {
            Outcome::Err(text) => {
                Outcome::Err(text.strip_prefix("template: playbook:").expect(&text).to_owned())
            }
            good => good,
        };
        if got != *outcome {
            wrong += &format!("{name}: {t:?} {zone:?} {now:?}\n  Go: {outcome:?}\n  we: {got:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen.len() > 3_000);
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

#[test]
fn characters() {
    let wanted: BTreeMap<String, (u64, u64)> = read("unicode.json");
    for (class, has) in [
        ("LETTERS_AND_DIGITS", unicode::is_letter_or_digit as fn(char) -> bool),
        ("PRINTABLE", unicode::is_print),
    ] {
        let all = (0..=0x10_FFFF).filter(|code| char::from_u32(*code).is_some_and(has));
        let got = all.fold((0, 0), |(count, sum), code| (count + 1, sum + u64::from(code)));
        assert_eq!(got, wanted[class], "{class}");
    }
}

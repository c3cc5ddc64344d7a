//! Every example in docs/diagnostics.md is what the program prints; `UPDATE_DOCS=1` writes them anew.

use std::path::{Path, PathBuf};

use dataflow_runner_core::diagnostic::code;
use dataflow_runner_core::fabric::RunId;
use dataflow_runner_core::journal::{self, Header, Journal};

use crate::harness::{Place, Ran};

/// Codes whose sections have no example, and why.
const WITHOUT: [(&str, &str); 12] = [
    ("too-many-faults", "it comes behind a thousand others"),
    ("not-bytes", "no published schema has bytes"),
    ("endless-default", "no published schema has such a default"),
    ("step-type-not-on-fabric", "every fabric of this program runs all types"),
    ("no-cancel-on-fabric", "every fabric of this program stops what runs"),
    ("no-program", "the program would have to lose its own file while it starts"),
    ("avsc-default", "published schemas are sound; who uses the library checks their own"),
    ("avsc-missing", "the same"),
    ("avsc-name", "the same"),
    ("avsc-size", "the same"),
    ("avsc-type", "the same"),
    ("avsc-union", "the same"),
];

/// Where the files lie that examples name. No two have the same name.
const FOLDERS: [&str; 3] = ["invalid", "warned", "diagnostics"];

/// What begins an example's command, behind what it sets in the environment.
const PROGRAM: &str = "dataflow-runner";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One section of the page.
struct Section<'a> {
    code: &'a str,
    /// Command and output of its example.
    example: Option<(&'a str, &'a str)>,
}

/// The sections of the page, in its order.
fn sections(page: &str) -> Vec<Section<'_>> {
    let sections = page.split("\n### ").skip(1);
    let section = |text: &'_ str| -> (usize, usize) {
        let start = text.find("\n```text\n$ ").map_or(text.len(), |at| at + "\n```text\n$ ".len());
        let end = text[start..].find("\n```\n").map_or(text.len(), |at| start + at + 1);
        (start, end)
    };
    let read = |text| {
        let (start, end) = section(text);
        let (code, _) = text.split_once('\n').expect("a heading, and text below it");
        Section { code, example: text[start..end].split_once('\n') }
    };
    sections.map(read).collect()
}

/// All files that examples name, and a folder of runs that no program of today can go on with.
fn place() -> Place {
    let mut place = Place::new().with("scripts/load.sh", "");
    for folder in FOLDERS {
        let files = std::fs::read_dir(root().join("fixtures").join(folder)).expect("a folder");
        for file in files.map(|file| file.expect("a file").path()) {
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            if !name.ends_with(".json") {
                continue;
            }
            assert!(!place.path(&name).exists(), "two files are named {name}");
            place = place.with(&name, std::fs::read(&file).expect("it can be read"));
        }
    }
    forge(&place);
    place
}

/// Runs as later versions, or files that are gone, leave them.
fn forge(place: &Place) {
    let kept = root().join("fixtures/journals/v1-down.jsonl");
    let run = place.path("kept");
    std::fs::create_dir(&run).expect("a folder");
    std::fs::copy(kept, run.join("journal.jsonl")).expect("it is copied");
    let kept = journal::read(&run).expect("a journal");
    for (run, fabric, reach) in [
        ("r-of-later", "abacus", vec![]),
        ("r-of-local", "local", vec![("killAfterMillis", "1000")]),
        ("r-of-emr", "emr", vec![("region", "eu-west-1"), ("credentials", "literal")]),
    ] {
        let reach = reach.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let header = Header {
            run: RunId::new(run),
            fabric: fabric.to_owned(),
            reach: reach.collect(),
            ..kept.header.clone()
        };
        let mut forged = Journal::create(&place.path("state"), &header).expect("a journal");
        kept.events.iter().for_each(|event| forged.append(event).expect("memory"));
    }
}

/// What the program prints for people when it is started by this line.
fn printed(place: &Place, line: &str) -> String {
    let at = line.find(PROGRAM).unwrap_or_else(|| panic!("no {PROGRAM} in `{line}`"));
    let args = line[at + PROGRAM.len()..].split_whitespace();
    let mut command = place.command(args.chain(["--output", "human"]));
    for variable in line[..at].split_whitespace() {
        let (name, value) = variable.split_once('=').expect("NAME=VALUE");
        command.env(name, value);
    }
    let ran = Ran::from(command.output().expect("it starts"));
    assert!(ran.code == Some(3) || !ran.stderr.contains("error["), "{line}: {:?}", ran.code);
    same_run(&ran.stderr)
}

/// Every run has an id of its own: here it is always the same.
fn same_run(text: &str) -> String {
    const ID: &str = "r-20261122T101500Z-7f3k2m";
    let is_id = |word: &str| {
        let like = |(is, should): (u8, u8)| match should {
            b'0'..=b'9' => is.is_ascii_digit(),
            b'a'..=b'z' => is.is_ascii_lowercase() || is.is_ascii_digit(),
            should => is == should,
        };
        word.bytes().zip(*b"r-00000000T000000Z-aaaaaa").all(like)
    };
    let mut same = text.to_owned();
    for (at, _) in text.match_indices("r-2") {
        if text.get(at..at + ID.len()).is_some_and(is_id) {
            same.replace_range(at..at + ID.len(), ID);
        }
    }
    same
}

#[test]
fn no_file_is_there_for_nothing() {
    let root = root();
    let page = std::fs::read_to_string(root.join("docs/diagnostics.md")).expect("the page");
    for file in std::fs::read_dir(root.join("fixtures/diagnostics")).expect("a folder") {
        let name = file.expect("a file").file_name().to_string_lossy().into_owned();
        assert!(page.contains(&name), "no example is about {name}");
    }
}

#[test]
fn every_code_has_a_section_with_a_true_example() {
    let path = root().join("docs/diagnostics.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (contents, _) = page.split_once("\n### ").expect("sections");
    let sections = sections(&page);
    let told: Vec<_> = sections.iter().map(|section| section.code).collect();
    let codes: Vec<_> = code::ALL.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(told, codes, "the page has every code, in the order of the table");
    let place = place();
    let (mut anew, mut wrong) = (page.clone(), Vec::new());
    for Section { code, example } in &sections {
        assert!(contents.contains(&format!("[{code}](#{code})")), "{code} is not in the contents");
        let without = WITHOUT.iter().any(|(other, _)| other == code);
        assert_eq!(example.is_none(), without, "{code}: an example, or a reason why there is none");
        let Some((line, was)) = example else { continue };
        let is = printed(&place, line);
        assert!(is.contains(&format!("[{code}]: ")), "{line}\n{is}");
        if is != *was {
            wrong.push(format!("{code}: `{line}` prints\n{is}"));
            anew = anew.replace(&format!("$ {line}\n{was}```\n"), &format!("$ {line}\n{is}```\n"));
        }
    }
    #[expect(clippy::disallowed_methods, reason = "a switch for people who change messages")]
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, anew).expect("written");
        return;
    }
    assert!(wrong.is_empty(), "UPDATE_DOCS=1 writes the page anew\n{}", wrong.join("\n"));
}

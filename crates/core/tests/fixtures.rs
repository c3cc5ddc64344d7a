//! Every file below `fixtures/valid`, `fixtures/warned` and `fixtures/invalid`, and what is said about it.
//!
//! Each is rendered first, with the variables of `x.vars.json` if that is beside it, an environment in which only
//! `PASS` is set (to `hunter2`) and a file `pass` for `base64File`. `x.txt` beside `x.json` has one diagnostic a line,
//! sorted, with its notes below it; `UPDATE_FIXTURES=1` writes these files anew.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataflow_runner_core::config::{Config, load};
use dataflow_runner_core::diagnostic::{Diagnostic, Diagnostics};
use dataflow_runner_core::document::Document;
use dataflow_runner_core::fabric::dataproc;
use dataflow_runner_core::source::Source;
use dataflow_runner_core::template::{Inputs, Limits, Map, Template};
use jiff::Zoned;
use jiff::tz::TimeZone;

/// What no fixture's diagnostics may quote.
const SECRETS: [&str; 2] = ["hunter2", "aHVudGVyMg"];

/// The files of a folder, with what is said about each, and whether there is a configuration all the same.
fn files(folder: &str) -> Vec<(PathBuf, String, bool)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("readable").path());
    let is_fixture = |p: &PathBuf| {
        let name = p.to_string_lossy();
        name.ends_with(".json") && !name.ends_with(".vars.json")
    };
    let mut paths: Vec<_> = paths.filter(is_fixture).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("UTF-8");
        let variables = fs::read_to_string(path.with_extension("vars.json")).unwrap_or_default();
        let (read, diagnostics) = match render(Arc::new(Source::new(name, text)), &variables) {
            Ok(document) => {
                let (config, diagnostics) = load(&document);
                let shown = |fault: Diagnostic| document.show_rendered(fault);
                (config.is_some(), diagnostics.into_iter().map(shown).collect::<Diagnostics>())
            }
            Err(fault) => (false, [*fault].into_iter().collect()),
        };
        assert_eq!(!read, diagnostics.has_errors(), "{}", path.display());
        let lines = told(diagnostics);
        assert!(!SECRETS.iter().any(|secret| lines.contains(secret)), "{lines}");
        (path, lines, read)
    };
    paths.into_iter().map(read).collect()
}

/// A file as its template renders it.
fn render(source: Arc<Source>, variables: &str) -> Result<Document, Box<Diagnostic>> {
    let variables: serde_json::Map<String, serde_json::Value> = if variables.is_empty() {
        Default::default()
    } else {
        serde_json::from_str(variables).expect("JSON")
    };
    let variables: Map = variables.into_iter().map(|(name, value)| (name, value.into())).collect();
    let pass = "hunter2";
    let env = |name: &str| (name == "PASS").then(|| OsString::from(pass));
    let read = |path: &Path| match path.to_str() {
        Some("pass") => Ok(pass.as_bytes().to_vec()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let inputs = Inputs {
        variables: &variables,
        now: &|| Zoned::new(jiff::Timestamp::UNIX_EPOCH, TimeZone::UTC),
        env: &env,
        read: &read,
        limits: Limits { output: 1 << 16, steps: 10_000 },
    };
    let rendered = Template::parse(&source).and_then(|template| template.render(&inputs));
    let rendered = rendered.map_err(|error| Box::new(error.diagnostic(&source)))?;
    Document::of(rendered)
}

/// One diagnostic a line, its notes below it.
fn told(diagnostics: Diagnostics) -> String {
    let mut lines = String::new();
    for fault in diagnostics.sorted() {
        lines += &format!("{fault}\n");
        for note in &fault.notes {
            let place = note.place.as_ref().map(|place| format!(" ({place})"));
            lines += &format!("  note: {}{}\n", note.message, place.unwrap_or_default());
        }
    }
    lines
}

/// Compares with what is beside the files, or writes it.
fn compare(files: &[(PathBuf, String, bool)]) {
    let mut wrong = Vec::new();
    for (path, found, _) in files {
        let beside = path.with_extension("txt");
        #[expect(clippy::disallowed_methods, reason = "a switch for people who change messages")]
        if std::env::var("UPDATE_FIXTURES").is_ok() {
            fs::write(&beside, found).expect("written");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if *found != expected {
            wrong.push(format!("{}\nexpected:\n{expected}found:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn valid_files_are_read_without_a_word() {
    let files = files("valid");
    assert!(files.len() >= 8);
    for (path, found, read) in files {
        assert!(read && found.is_empty(), "{}\n{found}", path.display());
    }
}

#[test]
fn files_with_warnings_are_read() {
    let files = files("warned");
    assert!(files.len() >= 8);
    for (path, found, read) in &files {
        assert!(*read && !found.is_empty(), "{}\n{found}", path.display());
    }
    compare(&files);
}

#[test]
fn the_faults_of_invalid_files_are_found() {
    let files = files("invalid");
    assert!(files.len() >= 150);
    for (path, _, read) in &files {
        assert!(!read, "{}", path.display());
    }
    compare(&files);
}

#[test]
fn examples_have_neither_faults_nor_warnings() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for fabric in ["yarn", "dataproc"] {
        for name in ["cluster.json", "playbook.json"] {
            let text = fs::read_to_string(examples.join(fabric).join(name)).expect("UTF-8");
            let source = Arc::new(Source::new(name, text));
            let variables = r#"{"day": "2026-11-22", "bucket": "words"}"#;
            let document = render(source, variables).expect("it renders");
            let (config, mut diagnostics) = load(&document);
            if let (Some(Config::Playbook(playbook)), "dataproc") = (&config, fabric) {
                dataproc::check_playbook(playbook, &mut diagnostics);
            }
            assert!(config.is_some() && diagnostics.is_empty(), "{}", told(diagnostics));
        }
    }
}

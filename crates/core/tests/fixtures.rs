//! Every file below `fixtures/valid`, `fixtures/warned` and `fixtures/invalid`, and what is said about it.
//!
//! `x.txt` beside `x.json` has one diagnostic a line, sorted; `UPDATE_FIXTURES=1` writes these files anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataflow_runner_core::config::load;
use dataflow_runner_core::document::Document;
use dataflow_runner_core::source::Source;

/// The files of a folder, with what is said about each, and whether there is a configuration all the same.
fn files(folder: &str) -> Vec<(PathBuf, String, bool)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut paths: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("UTF-8");
        let document = Document::plain(Arc::new(Source::new(name, text)));
        let (config, diagnostics) = load(&document);
        assert_eq!(config.is_none(), diagnostics.has_errors(), "{}", path.display());
        let lines: String = diagnostics.sorted().iter().map(|d| format!("{d}\n")).collect();
        (path, lines, config.is_some())
    };
    paths.into_iter().map(read).collect()
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
    assert!(files.len() >= 100);
    for (path, _, read) in &files {
        assert!(!read, "{}", path.display());
    }
    compare(&files);
}

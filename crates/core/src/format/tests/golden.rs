//! `fixtures/format`: `x.in.json` as it is formatted in `x.json`, a rule each.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

pub(super) fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut paths: Vec<_> = paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    paths.sort();
    paths
}

#[test]
fn every_rule_has_a_file() {
    let files = files("fixtures/format", ".in.json");
    assert!(files.len() >= 80, "{}", files.len());
    let mut wrong = String::new();
    for path in files {
        let before = fs::read_to_string(&path).expect("UTF-8");
        let beside = PathBuf::from(path.to_string_lossy().replace(".in.json", ".json"));
        let found = text(&before);
        #[expect(clippy::disallowed_methods, reason = "a switch for people who change rules")]
        if std::env::var("UPDATE_FIXTURES").is_ok() {
            fs::write(&beside, &found).expect("written");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if found != expected {
            wrong += &format!("{}\nexpected:\n{expected}found:\n{found}\n", path.display());
        }
        assert_eq!(text(&found), found, "{}", path.display());
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Lines that a comment for `lint` is about: its own, and the next one.
#[test]
fn comments_for_lint_stay_with_their_lines() {
    let about = |text: &str| {
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        let marked = |at: &usize| lines[*at].contains("lint:");
        let about = (0..lines.len()).filter(marked).map(|at| {
            let next: Option<&String> = lines.get(at + 1);
            (lines[at].clone(), next.cloned().unwrap_or_default())
        });
        about.collect::<Vec<(String, String)>>()
    };
    let mut comments = 0;
    for path in files("fixtures/format", ".in.json") {
        let before = fs::read_to_string(&path).expect("UTF-8");
        let found = about(&before);
        comments += found.len();
        assert_eq!(found, about(&text(&before)), "{}", path.display());
    }
    assert!(comments >= 5, "{comments}");
}

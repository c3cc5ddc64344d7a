//! `fmt`.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::harness::{Place, Ran};

const UGLY: &str = "{\"a\":1,\n\n\n  {{if .x}}\n\"b\":[ 1,2 ],\n{{end}}\"c\":   \"{{ .day }}  x\"}";
const FINE: &str =
    "{\n  \"a\": 1,\n\n  {{if .x}}\n    \"b\": [1, 2],\n  {{end}}\"c\": \"{{ .day }}  x\"\n}\n";

fn text(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).expect("a file")
}

#[test]
fn files_are_formatted_where_they_are_without_any_variable() {
    let place = Place::new().with("a.json", UGLY).with("b.json", FINE).with("c.json", UGLY);
    let ran = place.words("fmt a.json b.json c.json");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(0)), "{}", ran.stderr);
    assert_eq!(ran.messages(), ["info msg=\"2 files formatted\""]);
    for name in ["a.json", "b.json", "c.json"] {
        assert_eq!(text(&place, name), FINE, "{name}");
    }
    let ran = place.words("fmt a.json b.json c.json");
    assert_eq!(ran.messages(), ["info msg=\"3 files are formatted already\""]);
    let names = std::fs::read_dir(place.path("")).expect("a folder").count();
    assert_eq!(names, 3, "nothing else is left behind");
}

#[test]
fn check_writes_nothing_and_names_what_would_change() {
    let place = Place::new().with("a.json", UGLY).with("b.json", FINE).with("c.json", UGLY);
    let ran = place.words("fmt --check a.json b.json c.json");
    assert_eq!((ran.stdout.as_str(), ran.code), ("a.json\nc.json\n", Some(1)));
    assert_eq!(ran.messages(), ["info msg=\"2 files would change\""]);
    assert_eq!(text(&place, "a.json"), UGLY);
    let ran = place.words("fmt --check b.json");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(0)));
    assert_eq!(ran.messages(), ["info msg=\"1 file is formatted already\""]);
    let ran = place.words("fmt --check a.json --output json");
    assert_eq!(ran.stdout, "{\"file\":\"a.json\",\"wouldChange\":true}\n");
}

#[test]
fn diff_shows_it_and_no_credential() {
    let keys = "{\n  \"secretAccessKey\":\"hunter2\",\n  \"b\": 1\n}\n";
    let place = Place::new().with("a.json", keys);
    for line in ["fmt --diff a.json", "fmt --check --diff a.json"] {
        let ran = place.words(line);
        let diff = "--- a.json\n+++ a.json\n@@ -1,4 +1,4 @@\n {\n-  \"secretAccessKey\":\"*******\",\n+  \
                    \"secretAccessKey\": \"*******\",\n   \"b\": 1\n }\n";
        assert_eq!((ran.stdout.as_str(), ran.code), (diff, Some(1)), "{line}");
    }
    assert_eq!(text(&place, "a.json"), keys);
}

fn piped(place: &Place, line: &str, input: &str) -> Ran {
    let mut command = place.command(line.split(' '));
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it is read");
    Ran::from(child.wait_with_output().expect("it ends"))
}

#[test]
fn stdin_is_formatted_to_stdout() {
    let place = Place::new();
    for input in [UGLY, FINE] {
        let ran = piped(&place, "fmt -", input);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), (FINE, "", Some(0)));
    }
    let ran = piped(&place, "fmt --check -", UGLY);
    assert_eq!((ran.stdout.as_str(), ran.code), ("<stdin>\n", Some(1)));
    let ran = piped(&place, "fmt -", "[1");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)));
    assert!(ran.stderr.contains("--> <stdin>:1:1"), "{}", ran.stderr);
    let ran = place.words("fmt - a.json");
    assert_eq!(ran.messages(), ["error msg=\"`-` stands alone: stdin is formatted to stdout\""]);
    assert_eq!(ran.code, Some(2));
}

#[test]
fn what_cannot_be_formatted_is_told_and_left_and_the_rest_formatted() {
    let place = Place::new()
        .with("a.json", "[ 1,\n {{if .x}} ]")
        .with("b.json", "[ 1, 2}")
        .with("c.json", [b'[', 0xFF, b']'])
        .with("d.json", "{a :1}")
        .with("good.json", "[ 1,2]");
    let ran = place.words("fmt a.json b.json c.json d.json good.json none.json");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)));
    for fault in [
        "error[template-parse]: ",
        "error[json-unexpected]: a bracket that closes nothing\n --> b.json:1:7",
        "error[not-utf-8]: `c.json` is not UTF-8\n --> c.json:1:2",
        "error[json-literal]: a value without quotes\n --> d.json:1:2",
        "error[cannot-read-file]: cannot read `none.json`",
        "\n5 errors\n",
    ] {
        assert!(ran.stderr.contains(fault), "{fault}:\n{}", ran.stderr);
    }
    assert_eq!(text(&place, "a.json"), "[ 1,\n {{if .x}} ]");
    assert_eq!(text(&place, "b.json"), "[ 1, 2}");
    assert_eq!(text(&place, "d.json"), "{a :1}");
    assert_eq!(text(&place, "good.json"), "[1, 2]\n");
}

#[cfg(unix)]
#[test]
fn links_and_modes_stay_and_a_formatted_file_is_not_touched() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let place = Place::new().with("folder/a.json", UGLY).with("b.json", FINE);
    symlink("folder/a.json", place.path("link.json")).expect("a link");
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(place.path("folder/a.json"), mode(0o640)).expect("its mode");
    let inode = |name: &str| std::fs::metadata(place.path(name)).expect("a file").ino();
    let before = inode("b.json");
    assert_eq!(place.words("fmt link.json b.json").code, Some(0));
    assert_eq!(text(&place, "folder/a.json"), FINE);
    let link = std::fs::symlink_metadata(place.path("link.json")).expect("a link");
    assert!(link.is_symlink());
    let now = std::fs::metadata(place.path("folder/a.json")).expect("a file").mode();
    assert_eq!(now & 0o777, 0o640);
    assert_eq!(inode("b.json"), before);

    std::fs::write(place.path("b.json"), UGLY).expect("a file");
    std::fs::set_permissions(place.path("b.json"), mode(0o440)).expect("its mode");
    let ran = place.words("fmt b.json");
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.messages()[0], "error msg=\"cannot write `b.json`: it is read-only\"");
    assert_eq!(text(&place, "b.json"), UGLY);
}

#[test]
fn the_examples_are_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in std::fs::read_dir(root.join("examples")).expect("examples") {
        let folder = folder.expect("readable").path();
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        let paths = entries.map(|entry| entry.expect("readable").path());
        files.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "json")));
    }
    assert!(files.len() >= 9, "{files:?}");
    let args = ["fmt".into(), "--check".into()].into_iter().chain(files);
    let ran = Place::new().run(args.map(|arg: std::path::PathBuf| arg));
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(0)), "{}", ran.stderr);
}

#[test]
fn the_playbook_of_the_readme_is_formatted() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).expect("it is there");
    let blocks = readme.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let files: Vec<_> = blocks.filter(|block| block.contains("iglu:")).collect();
    assert!(!files.is_empty());
    for file in files {
        let ran = piped(&Place::new(), "fmt --diff -", file);
        assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(0)), "{}", ran.stderr);
    }
}

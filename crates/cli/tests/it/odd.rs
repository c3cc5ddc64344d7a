//! Files that are not what they should be: each is told of, none is waited for.

use crate::harness::{Place, cluster, playbook};

/// What is said of a file, without the frame.
fn told(place: &Place, line: &str) -> Vec<String> {
    let ran = place.words(line);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)), "{line}: {}", ran.stderr);
    let lines = ran.stderr.lines().map(|line| line.trim_start_matches([' ', '|', '=']).to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_file_that_is_no_text_is_shown_where_it_is_not() {
    let place = Place::new()
        .with("latin.json", b"{\n  \"name\": \"caf\xe9\"}")
        .with("wide.json", b"\xff\xfe{\0}\0")
        .with("big-endian.json", b"\xfe\xff\0{\0}")
        .with("packed.json", b"\x1f\x8b\x08\0\0")
        .with("noise.json", b"{\0\xff");
    let said = told(&place, "lint latin.json");
    assert_eq!(said[..2], ["error[not-utf-8]: `latin.json` is not UTF-8", "--> latin.json:2:15"]);
    assert!(said[2].ends_with("\"name\": \"caf\u{fffd}\"}"), "{said:?}");
    assert_eq!(said[3], "^ byte 0xE9");
    for (name, what) in [
        ("wide.json", "^ it is UTF-16"),
        ("big-endian.json", "^ it is UTF-16"),
        ("packed.json", "^ it is packed with gzip"),
        ("noise.json", "^ it is no text"),
    ] {
        let said = told(&place, &format!("lint {name}"));
        assert_eq!(said[1..4], [format!("--> {name}:1:1"), "1 |".to_owned(), what.to_owned()]);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_of_with_what_was_meant() {
    let place = Place::new()
        .with("playbook.json", "{}")
        .with("folder.json/x", "")
        .with("folders.json", "{}")
        .with("below/vars.json", "{}");
    let wrong = |name: &str, why: &str| {
        let said = told(&place, &format!("render {name}"));
        assert_eq!(said[0], format!("error[cannot-read-file]: cannot read `{name}`: {why}"));
        said.into_iter().find(|line| line.starts_with("help: "))
    };
    assert_eq!(wrong("folder.json", "it is a folder"), None);
    let absent = "No such file or directory (os error 2)";
    let meant = Some("help: did you mean `playbook.json`?".to_owned());
    assert_eq!(wrong("playbok.json", absent), meant);
    assert_eq!(wrong("cluster.json", absent), None);
    let below = Some("help: did you mean `below/vars.json`?".to_owned());
    assert_eq!(wrong("below/var.json", absent), below);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", place.path("link.json")).expect("links");
        assert_eq!(wrong("link.json", "it is a link to what is not there"), None);
    }
}

#[test]
fn an_empty_file_and_one_of_blanks_hold_no_value() {
    let place = Place::new()
        .with("empty.json", "")
        .with("blank.json", " \n\n")
        .with("bom.json", "\u{feff}");
    for (name, at) in [("empty.json", "1:1"), ("blank.json", "3:1"), ("bom.json", "1:2")] {
        let said = told(&place, &format!("lint {name}"));
        let error = said.iter().position(|line| line == "error[json-empty]: the file is empty");
        let error = error.expect("it is empty");
        assert_eq!(said[error + 1], format!("--> {name}:{at}"));
    }
}

#[test]
fn variables_and_files_of_templates_are_read_with_the_same_care() {
    let endless = r#"{"id": "a", "type": "COMMAND", "command": "x", "arguments": ["{{base64File "/dev/zero"}}"]}"#;
    let place = Place::new()
        .with("c.json", cluster(""))
        .with("p.json", playbook(endless))
        .with("vars.json", "{}")
        .with("folder/x", "");
    assert!(told(&place, "lint p.json")[0].starts_with("error[template-exec]: "));
    let said = told(&place, "lint c.json --vars-file folder");
    assert_eq!(said[0], "error[variables-file]: cannot read `folder`: it is a folder");
    let said = told(&place, "lint c.json --vars-file vrs.json");
    assert_eq!(said[1], "help: did you mean `vars.json`?");
}

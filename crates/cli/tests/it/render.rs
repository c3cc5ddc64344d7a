//! `render`.

use crate::harness::{Place, Ran};

#[test]
fn a_file_is_rendered_byte_for_byte() {
    let place = Place::new()
        .with("t", "a{{.x}}\r\n{{- range .list}} {{.}}{{end}}\n\n{{systemEnv \"HOME_IS\"}} ñ")
        .with("v.json", r#"{"list": [1, "two"], "x": "overruled"}"#);
    let mut command = place.command(["render", "t", "-vars-file", "v.json", "-vars", "x,b,y,c"]);
    let ran = Ran::from(command.env("HOME_IS", "here").output().expect("it starts"));
    assert_eq!(ran.stdout, "ab 1 two\n\nhere ñ");
    let unused = "warning[unused-variable]: variable `y` is given by `--vars` and never used\n";
    assert!(ran.stderr.starts_with(unused), "{}", ran.stderr);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn faults_go_to_stderr_and_end_with_3() {
    let place = Place::new().with("t", "one\n{{.missing}}");
    let ran = place.words("render t");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)));
    assert!(ran.stderr.contains("--> t:2:"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("1 error\n"), "{}", ran.stderr);
    let ran = place.words("render absent");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)));
    assert!(
        ran.stderr.starts_with("error[cannot-read-file]: cannot read `absent`: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly_and_a_full_disk_does_not() {
    let place = Place::new().with("t", "x".repeat(1 << 20));
    let ran = Ran::unread(&mut place.command(["render", "t"]));
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));

    if cfg!(target_os = "linux") {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let output = place.command(["render", "t"]).stdout(full).output().expect("it starts");
        let ran = Ran::from(output);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains("cannot write to stdout"), "{}", ran.stderr);
    }
}

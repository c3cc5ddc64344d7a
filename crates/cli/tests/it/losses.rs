//! What becomes of a run whose own files go away or break.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::harness::{Place, playbook, script};
use crate::signals::{self, Waiting};
use crate::stops::{interrupted, left, lives};

/// The folder of the only run.
fn run(place: &Place) -> PathBuf {
    let run = fs::read_dir(place.state().join("runs")).expect("runs").next();
    run.expect("a run").expect("it").path()
}

#[test]
fn a_run_whose_folder_goes_away_is_still_ended() {
    for gone in ["runs", ""] {
        let place = signals::place("");
        let waiting = Waiting::start(&place, &[], &[]);
        let folder = if gone.is_empty() { run(&place) } else { place.state().join(gone) };
        fs::remove_dir_all(folder).expect("it is there");
        waiting.signal(Signal::TERM);
        let (code, said, step) = waiting.end();
        assert_eq!((code, lives(&step)), (Some(143), false), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn who_attaches_needs_the_inputs_only_for_what_is_to_be_ordered() {
    let (place, step) = left();
    for inputs in [None, Some(""), Some("{}"), Some("{\"version\": 1, \"config\": 3}")] {
        let file = run(&place).join("inputs.json");
        let _ = fs::remove_file(&file);
        if let Some(text) = inputs {
            fs::write(&file, text).expect("written");
        }
        let (code, said) = interrupted(&place, "attach last", "Attached to run", Signal::INT);
        assert_eq!((code, lives(&step)), (Some(130), true), "{inputs:?}: {said}");
    }
    assert_eq!(place.words("cancel last").code, Some(0));
    assert!(!lives(&step));
}

#[test]
fn who_would_order_without_the_inputs_orders_nothing() {
    let place = signals::place("");
    let text = fs::read_to_string(place.path("p.json")).expect("a playbook");
    let first = text.split_once("\"steps\": [").expect("steps").1.trim_end_matches("]}}");
    let steps = format!("{first}, {}", script("next", "touch \"$HOME/next\"", ""));
    let place = place.with("p.json", playbook(&steps));
    let mut waiting = Waiting::start(&place, &[], &[]);
    waiting.child.kill().expect("it runs");
    let step = waiting.end().2;
    let journal = run(&place).join("journal.jsonl");
    let before = fs::read(&journal).expect("a journal");
    for inputs in [None, Some(""), Some("{}")] {
        let file = run(&place).join("inputs.json");
        let _ = fs::remove_file(&file);
        if let Some(text) = inputs {
            fs::write(&file, text).expect("written");
        }
        let ran = place.words("attach last");
        assert_eq!(ran.code, Some(3), "{inputs:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("was begun with is needed: "), "{}", ran.stderr);
        assert_eq!(fs::read(&journal).expect("a journal"), before, "{inputs:?}");
        assert!(lives(&step), "{}", ran.stderr);
    }
    let id = run(&place).file_name().expect("a name").to_string_lossy().into_owned();
    let ran = place.words(&format!("down --run {id}"));
    assert_eq!((ran.code, lives(&step)), (Some(0), false), "{}", ran.stderr);
}

//! What becomes of a run whose own files go away or break.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use dataflow_runner_core::fabric::emr::fake::{ClusterScript, Script};
use rustix::process::Signal;

use crate::crash::{World, limited};
use crate::emr::Site;
use crate::harness::{Place, Ran, cluster, playbook, script};
use crate::program::Program;
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

/// A run of two steps on a cluster that stays, of which the first was left running and has ended by now.
fn left_halfway(first: &str, second: &str) -> World {
    let more = r#", "dependsOn": ["a"]"#;
    let mut world = World::new(&[("a", first, ""), ("b", second, more)]);
    let up = world.place.words("up --config c.json");
    // Of that nobody asks any more.
    fs::remove_dir_all(run(&world.place)).expect("it is there");
    let line = format!("run --config c.json --playbook p.json --cluster {}", up.stdout);
    let mut child = world.start(&line.split_whitespace().collect::<Vec<_>>());
    world.step();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    // Whoever comes to the gate finds it open.
    (0..4).for_each(|_| world.open_gate());
    world
}

const RAN: &str = "echo ran >> ran";
const FAILS_ONCE: &str = "[ -e again ] || { : > again; exit 3; }";

fn ran(place: &Place) -> String {
    fs::read_to_string(place.path("ran")).unwrap_or_default()
}

/// There is a little more room each time.
#[test]
fn who_goes_on_in_a_full_state_folder_starts_nothing_that_is_not_recorded() {
    for (verb, first) in [("attach", "exit 0"), ("resume", FAILS_ONCE)] {
        let world = left_halfway(first, RAN);
        let mut full = 0;
        for blocks in 0.. {
            let told = limited(&world.place, blocks, &[verb, "last"]);
            if told.code == Some(0) {
                break;
            }
            full += 1;
            assert!(matches!(told.code, Some(1 | 3 | 5)), "{verb} {blocks}: {}", told.stderr);
            let says = ["annot write `", "cannot be recorded"].map(|it| told.stderr.contains(it));
            assert!(says.contains(&true), "{verb} {blocks}: {}", told.stderr);
            assert!(!told.stderr.contains("--skip"), "{verb} {blocks}: {}", told.stderr);
            assert!(blocks < 40, "{}", told.stderr);
        }
        assert!(full > 5, "{verb}: it was never full");
        assert_eq!(ran(&world.place), "ran\n", "{verb}");
    }
}

/// The program as one who may not write what is not his to write, whoever runs the tests.
fn mere(place: &Place, line: &str) -> Ran {
    let mut command = place.command(line.split(' '));
    if rustix::process::geteuid().is_root() {
        let inner = std::mem::replace(&mut command, Command::new("setpriv"));
        let right = "-dac_override,-dac_read_search";
        command.args(["--bounding-set", right, "--inh-caps", right]);
        command.arg(inner.get_program()).args(inner.get_args()).env_clear();
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(place.path("."));
    }
    Ran::from(command.output().expect("it starts"))
}

fn permit(place: &Place, write: bool) {
    for (path, mode) in [
        (run(place).join("journal.jsonl"), 0o600),
        (run(place).join("inputs.json"), 0o600),
        (run(place), 0o700),
        (place.state().join("runs"), 0o700),
        (place.state(), 0o700),
    ] {
        let mode = if write { mode } else { mode & 0o500 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    }
}

#[test]
fn a_state_folder_that_is_read_only_is_looked_at_and_nothing_more() {
    let world = left_halfway("exit 0", RAN);
    let place = &world.place;
    permit(place, false);
    let journal = fs::read(run(place).join("journal.jsonl")).expect("a journal");
    for (line, code) in [
        ("status last", 0),
        ("runs", 0),
        ("report last", 0),
        ("attach last", 1),
        ("resume last", 1),
        ("cancel last", 1),
    ] {
        let told = mere(place, line);
        assert_eq!(told.code, Some(code), "{line}: {}", told.stderr);
        let denied = told.stderr.contains("journal.jsonl`: Permission denied");
        assert_eq!(denied, code != 0, "{line}: {}", told.stderr);
        assert_eq!(ran(place), "", "{line}");
    }
    assert_eq!(fs::read(run(place).join("journal.jsonl")).expect("a journal"), journal);
    permit(place, true);
    let told = mere(place, "attach last");
    assert_eq!((told.code, ran(place).as_str()), (Some(0), "ran\n"), "{}", told.stderr);
}

/// By it one can tell that a secret is not what it was; what cannot be told is said.
#[test]
fn who_resumes_without_the_key_of_the_state_folder_is_told_so() {
    const RESUME: &str = "resume last";
    let secret = r#", "name": "{{systemEnv "HOME"}}""#;
    let body =
        "[ -e \"$HOME/again\" ] || { : > \"$HOME/again\"; exit 3; }; echo ran >> \"$HOME/ran\"";
    let (is_gone, is_none) = ("is gone", "is no key: remove it, and another is made");
    for (key, code, said) in [
        (None, 0, is_gone),
        (Some(&b""[..]), 0, is_none),
        (Some(b"short"), 0, is_none),
        (Some(&[7; 32]), 0, "a secret of step `a` is not what it was when the run began"),
        (Some(&[7; 64]), 3, is_none),
    ] {
        let place = Place::new().with("c.json", cluster(""));
        let place = place.with("p.json", playbook(&script("a", body, secret)));
        let began = place.words("run-transient --config c.json --playbook p.json");
        assert_eq!(began.code, Some(1), "{}", began.stderr);
        let (file, journal) = (place.state().join("key"), run(&place).join("journal.jsonl"));
        let whole = fs::read(&file).expect("there is one");
        let before = fs::read(&journal).expect("a journal");
        match key {
            None => fs::remove_file(&file).expect("it is there"),
            Some(bytes) => fs::write(&file, bytes).expect("written"),
        }
        let told = place.words(RESUME);
        assert_eq!(told.code, Some(code), "{key:?}: {}", told.stderr);
        assert!(told.stderr.contains(said), "{key:?}: {}", told.stderr);
        if code != 0 {
            assert_eq!(fs::read(&journal).expect("a journal"), before, "{key:?}");
            fs::write(&file, &whole).expect("written");
            let told = place.words(RESUME);
            assert_eq!(told.code, Some(0), "{key:?}: {}", told.stderr);
            assert!(!told.stderr.contains("not what it was"), "{key:?}: {}", told.stderr);
        }
        let ran = fs::read_to_string(place.path("../home/ran")).expect("it ran");
        assert_eq!(ran, "ran\n", "{key:?}");
        assert_eq!(fs::metadata(&file).expect("a key").len(), 32, "{key:?}");
    }
}

/// To end it nothing is ordered anew; to follow it, another cluster may have to be.
#[test]
fn who_ends_a_run_needs_no_inputs_whatever_its_cluster_is_about_to_do() {
    let starting = std::time::Duration::from_secs(86_400);
    let coming = ClusterScript { starting, ..ClusterScript::default() };
    let site = Site::new(Script { clusters: vec![coming], ..Script::default() });
    let mut up = Program::start(site.command("up -emr-config c.json"));
    up.says("is coming up");
    up.kill();
    fs::remove_file(run(&site.place).join("inputs.json")).expect("it is there");
    let ran = site.words("attach last");
    assert_eq!(
        (ran.code, site.orders()),
        (Some(3), vec!["RunJobFlow".to_owned()]),
        "{}",
        ran.stderr
    );
    let ran = site.words("cancel last");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(site.orders(), ["RunJobFlow", "TerminateJobFlows"]);
    site.nothing_is_left();
}

//! `resume` on this machine, by each of its flags.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use dataflow_runner_core::event::{EventKind, Outcome};
use dataflow_runner_core::journal;
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Place, Ran, cluster, playbook, script};
use crate::signals::{self, Waiting};

const TRANSIENT: &str = "run-transient --config c.json --playbook p.json";

/// A step that tells that it was begun, and does the rest.
fn step(place: &Place, id: &str, rest: &str, more: &str) -> String {
    let ran = place.path("ran").join(id);
    script(id, &format!("echo ran >> '{}'; {rest}", ran.display()), more)
}

/// A chain of `a`, `b` and `c`; of which `b` fails until somebody [`mend`]s it, and does this before.
fn place(before: &str) -> Place {
    let place =
        Place::new().with("c.json", cluster(r#", "killAfterSeconds": 1"#)).with("ran/x", "");
    let b = format!("{before} test -e \"$HOME/mended\"");
    let steps =
        [step(&place, "a", "true", ""), step(&place, "b", &b, ""), step(&place, "c", "true", "")];
    place.with("p.json", playbook(&steps.join(",")))
}

fn mend(place: &Place) {
    fs::write(place.path("../home/mended"), "").expect("a file");
}

/// How often each of `a`, `b` and `c` was begun.
fn began(place: &Place) -> [usize; 3] {
    ["a", "b", "c"].map(|id| {
        let told = fs::read_to_string(place.path("ran").join(id));
        told.unwrap_or_default().lines().count()
    })
}

/// A run of which `b` has failed.
fn failed(before: &str) -> Place {
    let place = place(before);
    let ran = place.words(TRANSIENT);
    assert_eq!((ran.code, began(&place)), (Some(1), [1, 1, 0]), "{}", ran.stderr);
    place
}

/// Runs a line that ends so, after which the steps were begun so often.
fn done(place: &Place, line: &str, code: i32, times: [usize; 3]) -> Ran {
    let ran = place.words(line);
    assert_eq!((ran.code, began(place)), (Some(code), times), "{line}: {}", ran.stderr);
    ran
}

/// The same, and that it says this and leaves the journal alone.
fn refused(place: &Place, line: &str, code: i32, text: &str) {
    let (before, times) = (journal_of(place), began(place));
    let ran = done(place, line, code, times);
    assert!(ran.stderr.contains(text), "{line}: {text}: {}", ran.stderr);
    assert!(journal_of(place) == before, "{line} wrote");
}

fn folder(place: &Place) -> PathBuf {
    let runs = fs::read_dir(place.state().join("runs")).expect("runs");
    let runs: Vec<_> = runs.map(|run| run.expect("a run").path()).collect();
    let of_steps = |run: &&PathBuf| {
        let contents = journal::read(run).expect("a journal");
        match contents.events.first().map(|event| &event.kind) {
            Some(EventKind::RunStarted { steps, .. }) => !steps.is_empty(),
            _ => true,
        }
    };
    runs.iter().find(of_steps).expect("a run with steps").clone()
}

fn journal_of(place: &Place) -> Vec<u8> {
    fs::read(folder(place).join("journal.jsonl")).expect("a journal")
}

/// What is in doubt still, left out and given up, as the last `resumed` tells.
fn last_resumed(place: &Place) -> (Option<String>, Vec<String>, Vec<String>) {
    let events = journal::read(&folder(place)).expect("a journal").events;
    let told = events.into_iter().rev().find_map(|event| match event.kind {
        EventKind::Resumed { cluster, left_out, given_up, .. } => {
            Some((cluster.map(|id| id.to_string()), left_out, given_up))
        }
        _ => None,
    });
    told.expect("it was resumed")
}

#[test]
fn what_is_done_stays_done_and_the_rest_runs_on_another_cluster() {
    let place = failed("");
    // As often as it takes.
    done(&place, "resume last", 1, [1, 2, 0]);
    mend(&place);
    let ran = done(&place, "resume", 0, [1, 3, 1]);
    assert!(ran.stderr.contains("Transient run completed successfully"), "{}", ran.stderr);
    assert_eq!(last_resumed(&place), (None, vec![], vec![]));
    let clusters = fs::read_dir(place.state().join("clusters/logs")).expect("logs").count();
    assert_eq!(clusters, 3);
    assert!(!folder(&place).join("inputs.json").exists(), "nobody needs them any more");
    // A run that has succeeded is told of; nothing of it is taken up.
    let asked = journal_of(&place);
    let ran = done(&place, "resume --from a", 0, [1, 3, 1]);
    assert!(ran.stderr.contains("has ended at"), "{}", ran.stderr);
    assert_eq!(journal_of(&place), asked);
}

#[test]
fn steps_are_chosen_by_name() {
    for (flags, times, left_out) in [
        ("--skip b", [1, 1, 1], vec!["b"]),
        ("--only c", [1, 1, 1], vec!["b"]),
        ("--only b,c --skip b", [1, 1, 1], vec!["b"]),
        ("--from c", [1, 1, 1], vec!["b"]),
    ] {
        let place = failed("");
        done(&place, &format!("resume {flags}"), 0, times);
        assert_eq!(last_resumed(&place).1, left_out, "{flags}");
    }
    // What was left out stays so, until somebody names what is to run.
    let place = failed("");
    done(&place, "resume --skip c", 1, [1, 2, 0]);
    mend(&place);
    done(&place, "resume", 0, [1, 3, 0]);
    let place = failed("");
    done(&place, "resume --skip c", 1, [1, 2, 0]);
    mend(&place);
    done(&place, "resume --from b", 0, [1, 3, 1]);
    // What is done is done, whoever is named.
    let place = failed("");
    mend(&place);
    done(&place, "resume --from a", 0, [1, 2, 1]);

    let place = failed("");
    for (flags, text) in [
        ("--from x", "--from names no step of the playbook: x"),
        ("--only a,x", "--only names no step of the playbook: x"),
        ("--skip x", "--skip names no step of the playbook: x"),
        ("--only a", "no step is left to run"),
        ("--skip b,c", "no step is left to run"),
        ("--from b --only b", "cannot be used with"),
    ] {
        refused(&place, &format!("resume {flags}"), 2, text);
    }
}

#[test]
fn steps_that_changed_came_or_went_are_to_be_accepted() {
    let place = failed("");
    let steps = [
        step(&place, "a", "exit 7", ""),
        step(&place, "b", "true", ""),
        step(&place, "d", "true", ""),
    ];
    let place = place.with("other.json", playbook(&steps.join(",")));
    let line = "resume --playbook other.json";
    refused(
        &place,
        line,
        3,
        "steps that are not what they were: `a`, `b`, `d`, `c`; nothing was ordered",
    );
    // `a` is done, whatever it has become since.
    done(&place, &format!("{line} --accept-changes"), 0, [1, 2, 0]);
    assert!(place.path("ran/d").exists(), "it came in");
    // The same file elsewhere is no change.
    let place = failed("");
    mend(&place);
    fs::rename(place.path("p.json"), place.path("moved.json")).expect("it is there");
    done(&place, "resume --playbook moved.json", 0, [1, 2, 1]);
}

#[test]
fn what_lay_on_a_cluster_that_is_gone_is_to_be_made_again_or_not_to_be_missed() {
    let wants = ": work://x;";
    let why = "step `b` wants something that lies on a cluster, and the one of before is gone";
    let lost = || {
        let place = failed(wants);
        mend(&place);
        place
    };
    refused(&lost(), "resume", 3, why);
    refused(&lost(), "resume --only b", 3, why);
    done(&lost(), "resume --accept-lost-hdfs", 0, [1, 2, 1]);
    done(&lost(), "resume --from b", 0, [1, 2, 1]);
    // It is not to run, so it wants nothing.
    done(&lost(), "resume --skip b", 0, [1, 1, 1]);
    // Nothing was made that could be missed.
    let place = place(wants);
    let text = fs::read_to_string(place.path("p.json")).expect("a playbook");
    let place = place.with("p.json", text.replacen("ran/a'; true", "ran/a'; exit 1", 1));
    done(&place, TRANSIENT, 1, [1, 0, 0]);
    done(&place, "resume", 1, [2, 0, 0]);
}

#[test]
fn on_a_cluster_that_is_there_all_is_as_it_was() {
    let place = place(": work://x;");
    let up = || place.words("up --config c.json").stdout.trim().to_owned();
    let (one, two) = (up(), up());
    done(&place, &format!("run --config c.json --playbook p.json --cluster {one}"), 1, [1, 1, 0]);
    let id = folder(&place).file_name().expect("a name").to_string_lossy().into_owned();
    done(&place, &format!("resume {id}"), 1, [1, 2, 0]);
    assert_eq!(last_resumed(&place).0, Some(one.clone()));
    mend(&place);
    let lost = "step `b` wants something that lies on a cluster";
    let elsewhere = format!("resume {id} --cluster {two}");
    refused(&place, &elsewhere, 3, lost);
    // A run that went on where nothing is would have forgotten its own.
    let three = up();
    assert_eq!(place.words(&format!("down --config c.json --cluster {three}")).code, Some(0));
    for gone in [format!("{two}-none"), three] {
        let line = format!("resume {id} --accept-lost-hdfs --cluster {gone}");
        refused(&place, &line, 4, &gone);
    }
    let ran = done(&place, &format!("{elsewhere} --accept-lost-hdfs"), 0, [1, 3, 1]);
    assert!(ran.stderr.contains(&format!("Going on on cluster {two}")), "{}", ran.stderr);
    assert_eq!(last_resumed(&place).0, Some(two.clone()));
    for cluster in [one, two] {
        let down = place.words(&format!("down --config c.json --cluster {cluster}"));
        assert_eq!(down.code, Some(0), "{}", down.stderr);
    }
    let place = failed("");
    refused(&place, "resume --cluster local-x", 2, "a run of `run-transient` brings its own up");
}

#[test]
fn who_was_interrupted_goes_on_and_who_was_left_is_followed_first() {
    let place = signals::place("test -e \"$HOME/mended\" && exit 0;");
    let waiting = Waiting::start(&place, &[], &[]);
    waiting.signal(Signal::INT);
    assert_eq!(waiting.end().0, Some(130));
    mend(&place);
    let ran = place.words("resume");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!ran.stderr.contains("Attached"), "it has ended: {}", ran.stderr);

    // Nobody drives it, and its step goes on: until that ends nothing is begun a second time.
    let place = signals::place("test -e \"$HOME/mended\" && exit 0;");
    let mut waiting = Waiting::start(&place, &[], &[]);
    waiting.child.kill().expect("it runs");
    let step = waiting.end().2;
    mend(&place);
    let mut command = place.command(["resume"]);
    let child = command.stderr(Stdio::piped()).spawn().expect("it starts");
    signals::sweep(&step);
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said = ran.messages().join("\n");
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("{text}: {said}"));
    assert!(
        at("Attached to run") < at("was FAILED") && at("was FAILED") < at("Resuming run"),
        "{said}"
    );
}

#[test]
fn a_step_in_doubt_is_to_be_named() {
    let doubtful = || {
        let place = signals::place("");
        let text = fs::read_to_string(place.path("p.json")).expect("a playbook");
        let first = text.split_once("\"steps\": [").expect("steps").1.trim_end_matches("]}}");
        let after = place.path("ran/after");
        let next = script("next", &format!("echo ran >> '{}'", after.display()), "");
        let place = place.with("ran/x", "").with("p.json", playbook(&format!("{first}, {next}")));
        let id = place.words("up --config c.json").stdout.trim().to_owned();
        let mut command =
            place.command(["run", "--config", "c.json", "--playbook", "p.json", "--cluster", &id]);
        let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
        let step = fs::read_to_string(place.path("pipe")).expect("the step writes its number");
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        // As when the machine goes down: nobody has seen how it ended.
        let logs = place.state().join("clusters/logs").join(&id);
        let mut records = fs::read_dir(&logs).expect("logs").map(|it| it.expect("it").path());
        let record = records.find(|path| path.is_dir()).expect("a step").join("record");
        let record = fs::read_to_string(record).expect("a record");
        let shim = record.split(' ').nth(3).expect("a shim").parse().ok().filter(|pid| *pid > 1);
        kill_process(shim.and_then(Pid::from_raw).expect("a process"), Signal::KILL)
            .expect("it runs");
        signals::sweep(step.trim());
        place
    };
    let place = doubtful();
    let ran = place.words("attach last");
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    let outcome = || journal::read(&folder(&place)).expect("a journal").events.pop();
    assert!(matches!(
        outcome().map(|event| event.kind),
        Some(EventKind::RunEnded { outcome: Outcome::InDoubt { .. } })
    ),);
    for flags in ["", " --skip next"] {
        let ran = place.words(&format!("resume{flags}"));
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("nobody can tell how step wait ended"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("--skip wait") && ran.stderr.contains("--from wait"),
            "{}",
            ran.stderr
        );
    }
    assert!(!place.path("ran/after").exists());
    let ran = place.words("resume --skip wait");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(last_resumed(&place).1, ["wait"]);
    assert_eq!(last_resumed(&place).2, ["wait"]);
    assert!(place.path("ran/after").exists());
}

#[test]
fn what_was_never_begun_or_is_driven_is_not_resumed() {
    let place = failed("");
    let run = folder(&place);
    let whole = journal_of(&place);
    let header = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    fs::write(run.join("journal.jsonl"), &whole[..header]).expect("written");
    for line in ["resume", "attach"] {
        refused(&place, line, 4, "was never begun: its program died before anything was ordered");
    }
    done(&place, "cancel", 0, [1, 1, 0]);
    fs::write(run.join("journal.jsonl"), &whole).expect("written");
    // Somebody has it, who does not say who it is.
    let (held, _) = journal::Journal::resume(&run).expect("nobody has it");
    let text = "`status ";
    let ran = place.words("resume");
    assert_eq!(ran.code, Some(17), "{}", ran.stderr);
    assert!(ran.stderr.contains(text), "{}", ran.stderr);
    drop(held);
    mend(&place);
    done(&place, "resume", 0, [1, 2, 1]);
}

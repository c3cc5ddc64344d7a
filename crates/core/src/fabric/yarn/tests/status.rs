//! YARN's words in ours.

use serde_json::json;

use super::*;
use crate::fabric::yarn::application::DETACHED;
use crate::fabric::yarn::reply::{App, Apps, OneApp};
use crate::fabric::yarn::status::Step as Seen;

/// A launcher of an attempt.
fn launcher(state: &str, end: &str) -> App {
    App {
        id: "application_1_0001".to_owned(),
        state: state.to_owned(),
        final_status: end.to_owned(),
        application_type: TYPE.to_owned(),
        application_tags: "dataflow-runner,r-1,r-1.2,attempt-2".to_owned(),
        ..App::default()
    }
}

fn child(state: &str, end: &str) -> App {
    let tags = "other, r-1,Attempt-2".to_owned();
    App { application_type: "SPARK".to_owned(), application_tags: tags, ..launcher(state, end) }
}

fn detached(mut launcher: App) -> App {
    launcher.application_tags += ",";
    launcher.application_tags += DETACHED;
    launcher
}

fn saying(mut app: App, diagnostics: &str) -> App {
    app.diagnostics = diagnostics.to_owned();
    app
}

fn status(launcher: &App, all: &[App]) -> StepStatus {
    Seen::of(launcher, all).status()
}

/// The words of `YarnApplicationState` and `FinalApplicationStatus`, each with each.
#[test]
fn every_pair_of_words() {
    let ends = ["UNDEFINED", "SUCCEEDED", "FAILED", "KILLED", "ENDED"];
    let (pending, running) = (StepState::Pending, StepState::Running);
    let (failed, killed, unknown) = (StepState::Failed, StepState::Cancelled, StepState::Unknown);
    for (state, expected) in [
        ("NEW", [pending; 5]),
        ("NEW_SAVING", [pending; 5]),
        ("SUBMITTED", [pending; 5]),
        ("ACCEPTED", [pending; 5]),
        ("RUNNING", [running; 5]),
        ("FINISHED", [unknown, StepState::Succeeded, failed, killed, failed]),
        ("FAILED", [failed; 5]),
        ("KILLED", [killed; 5]),
    ] {
        for (end, expected) in ends.into_iter().zip(expected) {
            let told = status(&launcher(state, end), &[]);
            assert_eq!(told.state, expected, "{state}/{end}");
        }
    }
    for (state, end) in [
        ("", ""),
        ("", "SUCCEEDED"),
        ("SUCCEEDED", "SUCCEEDED"),
        ("finished", "succeeded"),
        ("FINISHED", ""),
        ("FINISHED", "succeeded"),
        ("FINISHED", "DONE"),
        ("DONE", "SUCCEEDED"),
    ] {
        assert_eq!(status(&launcher(state, end), &[]).state, unknown, "{state}/{end}");
    }
}

#[test]
fn a_launcher_tells_its_programs_exit_code() {
    for (diagnostics, code) in [
        ("exit code 7\nexit code 9", Some(7)),
        ("exit code 130", Some(130)),
        ("exit code x", None),
        ("Exit code: 7", None),
        ("", None),
    ] {
        let told = status(&saying(launcher("FINISHED", "FAILED"), diagnostics), &[]);
        assert_eq!((told.state, told.exit_code), (StepState::Failed, code), "{diagnostics}");
        let reason = Some(diagnostics.to_owned()).filter(|it| !it.is_empty());
        assert_eq!(told.reason, reason);
    }
    assert_eq!(status(&launcher("FINISHED", "SUCCEEDED"), &[]).exit_code, Some(0));
    assert_eq!(status(&launcher("KILLED", "KILLED"), &[]).exit_code, None);
}

/// What Spark's driver ended with in the cluster only its own application tells.
#[test]
fn a_driver_in_the_cluster_tells_its_own_exit_code() {
    let launcher = saying(detached(launcher("FINISHED", "FAILED")), "exit code 1\n");
    let spark = saying(child("FINISHED", "FAILED"), "User application exited with status 3");
    assert_eq!(status(&launcher, &[launcher.clone(), spark]).exit_code, Some(3));
    assert_eq!(status(&launcher, &[]).exit_code, Some(1));
}

#[test]
fn a_step_that_hands_its_work_over_ends_as_that_does() {
    let done = detached(launcher("FINISHED", "SUCCEEDED"));
    let (ok, runs) = (child("FINISHED", "SUCCEEDED"), child("RUNNING", "UNDEFINED"));
    let bad = saying(child("FINISHED", "FAILED"), "no such table");
    let killed = child("KILLED", "KILLED");
    for (children, state, code) in [
        (vec![], StepState::Unknown, None),
        (vec![ok.clone()], StepState::Succeeded, Some(0)),
        (vec![bad.clone()], StepState::Failed, None),
        (vec![killed], StepState::Cancelled, None),
        (vec![ok.clone(), bad.clone()], StepState::Failed, None),
        (vec![bad.clone(), ok.clone()], StepState::Failed, None),
        (vec![bad.clone(), runs.clone()], StepState::Running, None),
        (vec![child("ODD", ""), bad.clone()], StepState::Unknown, None),
    ] {
        let told = status(&done, &children);
        assert_eq!((told.state, told.exit_code), (state, code), "{children:?}");
        assert_eq!(told.ended, None);
    }
    assert_eq!(status(&done, &[bad]).reason.as_deref(), Some("no such table"));
    // Its work has begun before it was handed over.
    let starting = detached(launcher("RUNNING", "UNDEFINED"));
    assert_eq!(status(&starting, &[ok]).state, StepState::Running);
    // One that waits for all that it starts says how it ends.
    let attached = launcher("FINISHED", "SUCCEEDED");
    assert_eq!(status(&attached, &[child("FINISHED", "FAILED")]).state, StepState::Succeeded);
}

#[test]
fn a_step_goes_on_until_its_strays_are_ended() {
    let dead = saying(launcher("KILLED", "KILLED"), "was killed by user bob");
    let (runs, over) = (child("RUNNING", "UNDEFINED"), child("KILLED", "KILLED"));
    let all = [dead.clone(), runs];
    let step = Seen::of(&dead, &all);
    assert_eq!((step.strays().len(), step.live().len()), (1, 1));
    assert_eq!(step.status().state, StepState::Running);
    let all = [dead.clone(), over];
    let step = Seen::of(&dead, &all);
    assert_eq!((step.strays().len(), step.live().len()), (0, 0));
    assert_eq!(step.status().state, StepState::Cancelled);
    // What is left by one who ended well is not stray.
    let done = detached(launcher("FINISHED", "SUCCEEDED"));
    assert_eq!(Seen::of(&done, &[child("RUNNING", "UNDEFINED")]).strays().len(), 0);
}

#[test]
fn children_are_those_with_the_tag_of_the_attempt() {
    let runs = launcher("RUNNING", "UNDEFINED");
    let of = |tags: &str, kind: &str| {
        let mut app = child("RUNNING", "UNDEFINED");
        (app.application_tags, app.application_type) = (tags.to_owned(), kind.to_owned());
        let all = [app];
        Seen::of(&runs, &all).children.len()
    };
    assert_eq!(of("attempt-2", "MAPREDUCE"), 1);
    assert_eq!(of("r-1,attempt-20", "MAPREDUCE"), 0, "another attempt");
    assert_eq!(of("r-1", "MAPREDUCE"), 0, "of the run alone");
    assert_eq!(of("r-1,attempt-2", TYPE), 0, "a launcher");
}

#[test]
fn yarns_own_words_are_explained_and_a_programs_are_not() {
    let yarn = |words: &str| saying(launcher("FAILED", "FAILED"), words);
    for (words, meaning) in [
        ("AM Container exited with  exitCode: -104\nmore", "it took more memory"),
        ("exited with  exitCode: -103\n", "it took more virtual memory"),
        ("exited with  exitCode: -1000\n", "a node could not bring"),
        ("exited with  exitCode: -100\n", "its container was lost with its node"),
        ("exited with  exitCode: 143\n", "its container was stopped from outside"),
        ("exited with  exitCode: 127\n", "the nodes have no Java"),
        ("submitted by user alice to unknown queue: nope", "there is no such queue"),
        ("ApplicationMaster for attempt a timed out. Failing the application.", "its launcher did"),
    ] {
        let told = status(&yarn(words), &[]);
        let reason = told.reason.expect("a reason");
        assert!(reason.starts_with(meaning) && reason.ends_with(words.trim()), "{reason}");
        assert_eq!((told.state, told.exit_code), (StepState::Failed, None));
        let program = saying(launcher("FINISHED", "FAILED"), &format!("exit code 1\n{words}"));
        let reason = status(&program, &[]).reason.expect("a reason");
        assert!(reason.starts_with("exit code 1\n"), "{reason}");
    }
    assert_eq!(status(&yarn("anything else"), &[]).reason.as_deref(), Some("anything else"));
    let long = status(&yarn(&"ü".repeat(5000)), &[]).reason.expect("a reason");
    assert_eq!(long.chars().count(), 2000);
}

/// Nobody stopped what was ended by its own lifetime.
#[test]
fn a_lifetime_that_is_over_is_a_failure() {
    let late = "Application is killed by ResourceManager as it has exceeded the lifetime period.";
    let told = status(&saying(launcher("KILLED", "KILLED"), late), &[]);
    assert_eq!(told.state, StepState::Failed);
    assert!(told.reason.expect("a reason").starts_with("it took longer than it may: "));
}

#[test]
fn times_progress_and_link_are_told_where_they_are() {
    let mut app = launcher("RUNNING", "UNDEFINED");
    (app.launch_time, app.finished_time) = (1_000, 0);
    (app.progress, app.tracking_url) = (50.0, "http://rm/proxy/x/".to_owned());
    let told = status(&app, &[]);
    assert_eq!(told.started.map(Timestamp::as_second), Some(1));
    assert_eq!((told.ended, told.progress, told.native.as_str()), (None, Some(0.5), "RUNNING"));
    assert_eq!(told.link.as_deref(), Some("http://rm/proxy/x/"));
    (app.state, app.final_status) = ("FINISHED".to_owned(), "SUCCEEDED".to_owned());
    (app.finished_time, app.tracking_url) = (3_000, "UNASSIGNED".to_owned());
    let told = status(&app, &[]);
    assert_eq!(told.ended.map(Timestamp::as_second), Some(3));
    let native = "FINISHED/SUCCEEDED";
    assert_eq!((told.progress, told.link, told.native.as_str()), (None, None, native));
    (app.state, app.progress) = ("RUNNING".to_owned(), f32::NAN);
    assert_eq!(status(&app, &[]).progress, None);
    // Of what a step has started the last is shown.
    let mut spark = child("RUNNING", "UNDEFINED");
    (spark.progress, spark.tracking_url) = (10.0, "http://rm/proxy/spark/".to_owned());
    let told = status(&app, &[spark]);
    assert_eq!((told.progress, told.link.as_deref()), (Some(0.1), Some("http://rm/proxy/spark/")));
}

fn captured(name: &str) -> serde_json::Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/wire/yarn");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).expect("it is there");
    serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["body"].take()
}

#[test]
fn what_a_real_cluster_said() {
    let read = |name: &str| serde_json::from_value::<OneApp>(captured(name)).expect(name).app;
    for (name, state, reason) in [
        ("app-running", StepState::Running, None),
        ("app-finished", StepState::Succeeded, None),
        ("killed-final", StepState::Cancelled, Some("Application application_")),
        ("app-timeout-killed-final", StepState::Failed, Some("it took longer")),
        ("oom-final", StepState::Failed, Some("it took more memory")),
        ("bad-timestamp-final", StepState::Failed, Some("a node could not bring")),
        ("missing-resource-final", StepState::Failed, Some("a node could not bring")),
        ("command-not-found-final", StepState::Failed, Some("the nodes have no Java")),
        ("unregistered-exit7-final", StepState::Failed, Some("Application application_")),
        ("submit-no-such-queue-app", StepState::Failed, Some("there is no such queue")),
    ] {
        let app = read(name);
        let told = status(&app, &[]);
        assert_eq!(told.state, state, "{name}");
        let begins = |reason: &str| told.reason.as_ref().is_some_and(|it| it.starts_with(reason));
        assert!(reason.map_or(told.reason.is_none(), begins), "{name}: {:?}", told.reason);
        let container = app.container().is_some_and(|it| it.ends_with("_01_000001"));
        assert_eq!(container, name != "submit-no-such-queue-app", "{name}");
    }
    let none: Apps = serde_json::from_value(captured("apps-by-tag-none")).expect("none");
    assert!(none.apps.is_some_and(|all| all.app.is_empty()));
    let all: Apps =
        serde_json::from_value(captured("apps-by-tag-spark-cluster-exit3")).expect("two");
    let spark = all.apps.expect("some").app.remove(0);
    assert!(spark.application_type == "SPARK" && spark.has_tag("DR-spark-cluster-exit3"));
    // Some versions write one as no list.
    let one: Apps = serde_json::from_value(json!({"apps": {"app": {"id": "a"}}})).expect("one");
    assert_eq!(one.apps.expect("some").app[0].id, "a");
    let null: Apps = serde_json::from_value(json!({"apps": null})).expect("null");
    assert!(null.apps.is_none());
}

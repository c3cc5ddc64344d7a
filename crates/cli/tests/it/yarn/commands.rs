//! The commands, and what they say where there is nothing to bring up or to choose.

use dataflow_runner_core::fabric::yarn::fake::{Fault, Script};

use super::{RUN, Site};

#[test]
fn run_needs_no_cluster_and_runs_each_step_as_an_application() {
    let site = Site::new(Script::default());
    let ran = site.done(RUN, 0);
    assert!(ran.stderr.contains("All steps completed successfully"), "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 1]);
    site.fake.world(|world| {
        let launcher = world.launchers("first").next().expect("one");
        let words = &launcher.program.as_ref().expect("read").words;
        assert_eq!(words.join(" "), "sh -c true");
        assert!(launcher.ended <= world.launchers("second").next().map(|app| app.created));
    });
    site.nothing_is_left();
    // The one there is may be named.
    site.done(&format!("{RUN} --cluster fake"), 0);
    let ran = site.done(&format!("{RUN} --cluster other"), 2);
    assert!(ran.stderr.contains("`fake`; leave it out"), "{}", ran.stderr);
    assert_eq!(site.submissions(["first"]), [2]);
}

#[test]
fn what_is_wrong_with_a_playbook_is_said_though_no_cluster_is_named() {
    let site = Site::new(Script::default());
    let unknown =
        r#"{"id": "a", "type": "COPY", "source": "/a", "destination": "/b", "files": []}"#;
    let place = site.place.with("p.json", crate::harness::playbook(unknown));
    let ran = Site { place, ..site }.done(RUN, 3);
    assert!(ran.stderr.contains("`files`"), "{}", ran.stderr);
}

#[test]
fn there_is_nothing_to_bring_up_or_down() {
    let site = Site::new(Script::default());
    for line in [
        "up --config c.json",
        "down --config c.json --cluster fake",
        "run-transient --config c.json --playbook p.json",
    ] {
        let ran = site.done(line, 3);
        assert!(
            ran.stderr.contains("error[no-clusters]: cluster `fake` is there"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("use `run` with the same files"), "{}", ran.stderr);
    }
    assert_eq!(site.fake.calls("*"), 0, "nobody was asked");
}

#[test]
fn files_are_linted_and_planned_without_asking_anybody() {
    let site = Site::new(Script::default());
    let ran = site.done("lint c.json p.json", 0);
    assert_eq!(ran.messages(), ["info msg=\"2 files are valid\""]);
    let ran = site.done("plan --config c.json --playbook p.json", 0);
    let first = "Playbook demo on yarn: 2 steps in 2 stages, at most 8 at once\n";
    assert!(ran.stdout.starts_with(first), "{}", ran.stdout);
    assert!(ran.stdout.contains("sh -c true"), "{}", ran.stdout);
    assert_eq!(site.fake.calls("*"), 0);
    let wrong = r#"{"id": "a", "type": "SPARK", "file": "./pi.py", "properties": {"spark.yarn.tags": "x"}}"#;
    let site = Site {
        place: site.place.with("p.json", crate::harness::playbook(wrong)).with("pi.py", ""),
        ..site
    };
    for line in ["plan --config c.json --playbook p.json", RUN] {
        let ran = site.done(line, 3);
        assert!(ran.stderr.contains("error[own-property]"), "{line}: {}", ran.stderr);
    }
    assert_eq!(site.fake.calls("*"), 0);
}

#[test]
fn the_same_key_is_the_same_run_wherever_it_is_asked_for() {
    let site = Site::new(Script::default());
    let line = format!("{RUN} --idempotency-key nightly");
    site.done(&line, 0);
    site.done(&line, 0);
    assert_eq!(site.submissions(["first", "second"]), [1, 1]);
    // From a machine that knows nothing of the first run, what that has done is found by its tags.
    let ran = site.done(&format!("{line} --state-dir elsewhere"), 0);
    assert!(ran.stderr.contains("All steps completed successfully"), "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 1]);
    site.nothing_is_left();
}

/// What the ResourceManager has forgotten may have run.
#[test]
fn what_was_forgotten_is_in_doubt_where_there_is_no_journal() {
    let site = Site::new(Script::default());
    let line = format!("{RUN} --idempotency-key nightly");
    site.done(&line, 0);
    site.fake.world(|world| world.restart(false));
    let elsewhere = format!("{line} --state-dir elsewhere --lost-contact-after 0.5s");
    let ran = site.done(&elsewhere, 5);
    assert!(ran.stderr.contains("In doubt, something may be running"), "{}", ran.stderr);
    let hint = "which the ResourceManager does not know: if it never ran, take ";
    assert_eq!(ran.stderr.matches(hint).count(), 1, "{}", ran.stderr);
    assert_eq!(site.submissions(["first", "second"]), [1, 1]);
    // Of another key nothing was ever ordered.
    site.done(&elsewhere.replace("nightly", "weekly"), 0);
    assert_eq!(site.submissions(["first", "second"]), [2, 2]);
    site.nothing_is_left();
}

#[test]
fn an_answer_that_is_lost_starts_nothing_twice() {
    let site = Site::new(Script::default());
    site.fake.fail("submit", 1..=7, Fault::ReplyLost);
    site.done(RUN, 0);
    assert_eq!(site.submissions(["first", "second"]), [1, 1]);
    site.nothing_is_left();
}

#[test]
fn who_is_not_let_in_is_told_so() {
    use dataflow_runner_core::fabric::yarn::fake::Access;
    let site = Site::new(Script { access: Access::Kerberos, ..Script::default() });
    let ran = site.done(RUN, 4);
    assert!(ran.stderr.contains("wants Kerberos"), "{}", ran.stderr);
    assert_eq!(site.submissions(["first"]), [0]);
}

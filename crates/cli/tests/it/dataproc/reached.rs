//! What is done about a run by its journal alone, and while somebody else drives it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use dataflow_runner_core::fabric::dataproc::fake::{
    ClusterScript, End, Fault, Script, State, StepScript,
};
use serde_json::Value;

use super::{CANCEL, CREATE, DELETE, RUN, SUBMIT, Site, TRANSIENT, UP, endless};

const FOLLOW: &str = "logs last first --follow";

/// A site whose credentials are in a file beside the cluster file, not in it.
fn with_key_file(fates: Script) -> Site {
    let site = Site::new(fates);
    let key = site.place.path("key.json").display().to_string();
    let file = site.fake.cluster_file_as(&format!(r#"{{"file": "{key}"}}"#), "");
    let account = site.fake.service_account().to_string();
    site.with("key.json", account).with("c.json", file)
}

fn failing_once() -> Script {
    Script::default().attempts(
        "first",
        [
            StepScript::exits(3, 10)
                .writing(&[(1, "java.lang.OutOfMemoryError: Java heap space\n")]),
            StepScript::done(10),
        ],
    )
}

#[test]
fn a_run_that_ended_is_looked_at_without_its_files() {
    let site = with_key_file(failing_once());
    site.done(TRANSIENT, 1);
    site.without_files();
    let told = site.done("status", 0).stdout;
    assert!(told.contains("first") && told.contains("FAILED"), "{told}");
    // The bucket is there when the cluster is gone.
    let ran = site.done("logs", 0);
    let expected = "java.lang.OutOfMemoryError: Java heap space\ndataflow-runner: exit code 3\n";
    assert_eq!(ran.stdout, expected);
    assert!(ran.stderr.contains("probable cause: "), "{}", ran.stderr);
    assert_eq!(site.done("logs last first --file driveroutput", 0).stdout, expected);
    site.done("cancel last", 0);
    assert!(!site.orders().contains(&CANCEL));
    site.nothing_is_left();
}

#[test]
fn a_run_that_was_left_is_attached_by_its_journal() {
    for transient in [true, false] {
        let site = with_key_file(endless());
        if !transient {
            site.up();
        }
        site.left(if transient { TRANSIENT } else { RUN }, "first");
        let asked = site.fake.calls("*");
        let told: Value =
            serde_json::from_str(&site.done("status --json", 0).stdout).expect("JSON");
        assert_eq!((&told["state"], site.fake.calls("*")), (&Value::from("left"), asked));
        site.finish("first", End::Exits(3), "");
        // By the copies of its files.
        for file in ["c.json", "p.json"] {
            std::fs::remove_file(site.place.path(file)).expect("it is there");
        }
        let ran = site.done("attach last", 1);
        assert!(ran.stderr.contains("exit code 3"), "{}", ran.stderr);
        assert_eq!(site.submissions(["first", "second"]), [1, 0]);
        assert_eq!(site.clusters(), (1, usize::from(!transient)));
        site.nothing_runs();
    }
}

#[test]
fn what_is_left_of_a_run_is_ordered_by_who_attaches() {
    let site = Site::new(endless());
    site.left(TRANSIENT, "first");
    site.finish("first", End::Done, "");
    site.done("attach last", 0);
    assert_eq!(site.orders(), [CREATE, SUBMIT, SUBMIT, DELETE]);
    site.nothing_is_left();
}

#[test]
fn credentials_that_stood_in_the_cluster_file_are_kept_nowhere_else() {
    let site = Site::new(endless());
    site.left(TRANSIENT, "first");
    let file = std::fs::read(site.place.path("c.json")).expect("a file");
    std::fs::remove_file(site.place.path("c.json")).expect("it is there");
    let before = site.fake.calls("*");
    for line in ["attach last", "cancel last", "logs last first", "down --run last"] {
        site.says(line, 3, "credentials-not-kept");
    }
    assert_eq!(site.fake.calls("*"), before);
    site.says("cancel last", 3, "put the file back as it was");
    let site = site.with("c.json", &file);
    site.done("cancel last", 0);
    site.nothing_is_left();
}

#[test]
fn a_run_is_cancelled_by_its_journal() {
    let site = with_key_file(endless());
    site.left(TRANSIENT, "first");
    site.without_files();
    site.done("cancel last", 0);
    assert!(site.orders().contains(&DELETE));
    site.nothing_is_left();

    let site = with_key_file(endless());
    site.up();
    site.left(RUN, "first");
    site.without_files();
    site.done("cancel last", 0);
    assert_eq!(site.orders(), [CREATE, SUBMIT, CANCEL]);
    assert_eq!(site.clusters(), (1, 1), "it was there before");
    site.nothing_runs();
}

#[test]
fn a_run_that_failed_is_resumed() {
    let site = with_key_file(failing_once());
    site.done(TRANSIENT, 1);
    // By the copies of its files.
    for file in ["c.json", "p.json"] {
        std::fs::remove_file(site.place.path(file)).expect("it is there");
    }
    site.done("resume last", 0);
    assert_eq!(site.submissions(["first", "second"]), [2, 1]);
    assert_eq!(site.clusters(), (2, 0));
    site.nothing_is_left();

    let site = Site::new(failing_once());
    site.up();
    site.done(RUN, 1);
    site.done("resume last", 0);
    assert_eq!((site.submissions(["first", "second"]), site.clusters()), ([2, 1], (1, 1)));
    site.nothing_runs();
}

#[test]
fn the_cluster_of_a_run_goes_down() {
    let site = with_key_file(Script::default());
    site.up();
    site.without_files();
    site.done("down --run last", 0);
    site.nothing_is_left();

    // Another has got its name: that stays.
    let site = with_key_file(Script::default());
    site.up();
    site.fake.world(|world| {
        let cluster = world.cluster_mut("fake").expect("it is up");
        cluster.script = ClusterScript::default().turning(0, State::Deleting, "");
    });
    site.fake.pass(std::time::Duration::from_secs(120));
    site.fake.world(|world| world.add_cluster("fake", &[]));
    site.without_files();
    site.done("down --run last", 0);
    assert_eq!(site.clusters(), (2, 1));
}

#[test]
fn clusters_that_no_run_has_are_told_of() {
    let site = Site::new(Script::default());
    let (first, file) = (site.up(), std::fs::read_to_string(site.place.path("c.json")));
    let other = file.expect("a file").replace(r#""name": "fake""#, r#""name": "other""#);
    let site = site.with("d.json", other);
    let lost = site.done("up --config d.json", 0).stdout.trim().to_owned();
    // Nobody of ours.
    site.fake.world(|world| world.add_cluster("theirs", &[("team", "data")]));
    for run in std::fs::read_dir(site.place.state().join("runs")).expect("runs") {
        let run = run.expect("a run").path();
        if std::fs::read_to_string(run.join("journal.jsonl")).expect("text").contains(&lost) {
            std::fs::remove_dir_all(run).expect("it is there");
        }
    }
    let told = |line: &str| -> Vec<String> {
        let ran = site.done(line, 0);
        let ids = ran.stdout.lines().map(|line| {
            let told: Value = serde_json::from_str(line).expect("JSON");
            told["cluster"].as_str().expect("an id").to_owned()
        });
        ids.collect()
    };
    assert_eq!(told("runs --orphans --json --config c.json"), [lost.as_str()]);
    let mut all = told("runs --orphans --all --json --config c.json");
    all.sort();
    assert_eq!(all, [first, lost.clone()]);
    site.done(&format!("down --config d.json --cluster {lost}"), 0);
    assert_eq!(told("runs --orphans --json --config c.json"), [""; 0]);
    site.fake.fail("clusters.list", .., Fault::denied("dataproc.clusters.list"));
    site.says("runs --orphans --config c.json", 4, "dataproc.clusters.list");
}

/// Somebody who looks.
fn looker(site: &Site, line: &str) -> (Child, BufReader<ChildStdout>) {
    let mut command = site.command(line);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    (child, stdout)
}

fn line(from: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("text");
    line
}

/// A run whose first step has written `one` and does not end by itself.
fn running() -> (Site, Child) {
    let first = StepScript::never_ends().writing(&[(0, "one\n")]);
    let site = Site::new(Script { output_size: 5, ..Script::default() }.step("first", first));
    site.up();
    let run = site.command(RUN).stderr(Stdio::null()).spawn().expect("it starts");
    site.until_it_runs("first");
    (site, run)
}

/// Its output lies in many objects.
#[test]
fn logs_are_followed_to_the_end_of_the_step() {
    let (site, mut run) = running();
    assert_eq!(site.done("logs last first", 0).stdout, "one\n");
    let (follower, mut printed) = looker(&site, FOLLOW);
    assert_eq!(line(&mut printed), "one\n");
    site.fake.world(|world| {
        let id = world.jobs_of("first").next().expect("it runs").id.clone();
        let job = world.job_mut(&id).expect("it runs");
        job.script.output.push((std::time::Duration::ZERO, "two, and a little more\n".to_owned()));
    });
    assert_eq!(line(&mut printed), "two, and a little more\n");
    site.finish("first", End::Done, "three");
    let mut rest = String::new();
    printed.read_to_string(&mut rest).expect("text");
    let said = follower.wait_with_output().expect("it ends");
    assert_eq!((rest.as_str(), said.status.code()), ("three", Some(0)));
    assert_eq!(run.wait().expect("it ends").code(), Some(0), "the run goes on");
    site.nothing_runs();
}

#[test]
fn a_run_is_watched_to_its_end() {
    let (site, mut run) = running();
    let (watcher, mut printed) = looker(&site, "status last --watch");
    let first = line(&mut printed);
    assert!(first.contains(": running; "), "{first}");
    site.finish("first", End::Done, "");
    let mut rest = String::new();
    printed.read_to_string(&mut rest).expect("text");
    assert_eq!(watcher.wait_with_output().expect("it ends").status.code(), Some(0));
    let last = rest.lines().last().expect("its end");
    assert!(last.contains("2 of 2 steps done"), "{last}");
    assert_eq!(run.wait().expect("it ends").code(), Some(0));
    site.nothing_runs();
}

/// Nobody was there when the cluster went, and with it the step.
#[test]
fn who_comes_back_to_a_cluster_that_is_gone_hears_how_its_steps_ended() {
    let gone = ClusterScript::default().turning(3600, State::Deleting, "");
    let site = Site::new(endless().cluster(gone));
    site.left(TRANSIENT, "first");
    site.fake.pass(std::time::Duration::from_secs(7200));
    site.done("attach last", 1);
    assert_eq!(site.submissions(["first", "second"]), [1, 0]);
    site.nothing_is_left();
}

/// It is known that it was asked for, and not what came of it.
#[test]
fn a_launch_whose_driver_died_is_found() {
    for line in [UP, TRANSIENT] {
        let site = Site::new(Script::default());
        site.fake.fail(CREATE, .., Fault::ReplyLost);
        let mut command = site.command(line);
        let mut child = command.stderr(Stdio::null()).spawn().expect("it starts");
        while site.clusters().0 == 0 {
            std::thread::yield_now();
        }
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        site.fake.drain().expect("it answers itself");
        site.fake.heal();
        site.done("attach last", 0);
        assert_eq!(site.clusters(), (1, usize::from(line == UP)));
        site.nothing_runs();
    }
}

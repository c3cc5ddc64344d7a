//! Runs that hold a lock, and those that find it held.

use std::fs;
use std::io::Write;
use std::time::Duration;

use dataflow_runner_core::lock::consul::fake::Fake;
use rustix::process::Signal;

use crate::harness::{Place, Ran, cluster, playbook, script};
use crate::program::Program;
use crate::signals::{self, Waiting, sweep};
use crate::stops::{left, lives};

/// Long enough for a machine that is busy; what waits for so long has failed.
const LONG: Duration = Duration::from_secs(60);
const RUN: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

/// Where locks are.
enum Keeper {
    File,
    Consul(Fake),
}

impl Keeper {
    fn both() -> [Self; 2] {
        [Self::File, Self::Consul(Fake::start().expect("a port"))]
    }

    /// The flags for a lock there.
    fn flags(&self, kind: &str) -> Vec<String> {
        let mut flags = vec![kind.to_owned(), "locks".to_owned()];
        if let Self::Consul(fake) = self {
            flags.extend(["--consul".to_owned(), fake.address()]);
        }
        flags
    }

    fn content(&self, place: &Place) -> Option<String> {
        match self {
            Self::File => fs::read_to_string(place.path("locks")).ok(),
            Self::Consul(fake) => fake.get("locks"),
        }
    }

    fn put(&self, place: &Place, content: &str) {
        match self {
            Self::File => fs::write(place.path("locks"), content).expect("written"),
            Self::Consul(fake) => fake.put("locks", content),
        }
    }
}

/// A place for runs whose step ends with this code.
fn ending(code: i32) -> Place {
    let step = script("a", &format!("exit {code}"), "");
    Place::new().with("c.json", cluster("")).with("p.json", playbook(&step))
}

fn run(place: &Place, flags: &[String]) -> Ran {
    place.run(RUN.into_iter().map(ToOwned::to_owned).chain(flags.iter().cloned()))
}

fn lock(place: &Place, verb: &str, keeper: &Keeper, more: &[&str]) -> Ran {
    let head = ["lock".to_owned(), verb.to_owned()];
    let more = more.iter().map(|word| (*word).to_owned());
    place.run(head.into_iter().chain(keeper.flags("--lock")).chain(more))
}

fn says(ran: &Ran, text: &str) {
    assert!(ran.stderr.contains(text), "`{text}` is not in:\n{}", ran.stderr);
}

fn strs(flags: &[String]) -> Vec<&str> {
    flags.iter().map(String::as_str).collect()
}

#[test]
fn who_finds_it_held_ends_with_17_and_says_by_whom() {
    for keeper in Keeper::both() {
        for kind in ["--lock", "-softLock"] {
            let place = signals::place("");
            let holder = Waiting::start(&place, &[], &strs(&keeper.flags(kind)));
            let content = keeper.content(&place).expect("it is held");
            let pid = holder.child.id();
            assert!(content.contains(&format!("\"pid\":{pid},")), "{content}");
            for other in ["-lock", "--softLock"] {
                let ran = run(&place, &keeper.flags(other));
                assert_eq!((ran.code, ran.stdout.as_str()), (Some(17), ""), "{}", ran.stderr);
                let messages = ran.messages();
                assert_eq!(messages[0], "warning msg=\"lock already held at locks\"");
                assert!(messages[1].contains(&format!("process {pid}, run `r-")), "{messages:?}");
                assert!(messages[1].contains(", since 20") && messages.len() == 2, "{messages:?}");
            }
            assert_eq!(keeper.content(&place), Some(content), "as it was");
            let runs = fs::read_dir(place.state().join("runs")).expect("runs").count();
            assert_eq!(runs, 1, "what did not begin is not recorded");
            holder.signal(Signal::TERM);
            assert_eq!(holder.end().0, Some(143));
            match kind {
                "--lock" => {
                    assert!(keeper.content(&place).is_some(), "a hard lock stays");
                    assert_eq!(lock(&place, "break", &keeper, &["--yes"]).code, Some(0));
                }
                _ => assert_eq!(keeper.content(&place), None, "a soft lock goes"),
            }
        }
    }
}

#[test]
fn what_becomes_of_it_when_the_run_ends() {
    for keeper in Keeper::both() {
        let (hard, soft) = (keeper.flags("--lock"), keeper.flags("--softLock"));
        for flags in [&hard, &soft] {
            let place = ending(0);
            let ran = run(&place, flags);
            assert_eq!((ran.code, keeper.content(&place)), (Some(0), None), "{}", ran.stderr);
            assert!(!ran.stderr.contains("lock"), "nothing to say: {}", ran.stderr);
        }
        let place = ending(1);
        let ran = run(&place, &soft);
        assert_eq!((ran.code, keeper.content(&place)), (Some(1), None), "{}", ran.stderr);
        let ran = run(&place, &hard);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        says(&ran, "the lock at locks is kept, as the run has not succeeded");
        says(&ran, "dataflow-runner lock break --lock locks");
        assert!(keeper.content(&place).is_some());
        assert_eq!(run(&place, &soft).code, Some(17));
    }
}

#[test]
fn an_early_end_with_success_releases_it() {
    let step = script("a", "exit 3", r#", "onResult": {"terminateJobWithSuccess": [3]}"#);
    let place = Place::new().with("c.json", cluster("")).with("p.json", playbook(&step));
    let flags = ["--lock", "locks", "--noop-exit-code", "9"].map(ToOwned::to_owned);
    let ran = run(&place, &flags);
    assert_eq!((ran.code, Keeper::File.content(&place)), (Some(9), None), "{}", ran.stderr);
}

#[test]
fn no_lock_is_taken_for_files_that_are_wrong() {
    for keeper in Keeper::both() {
        let place = ending(0).with("p.json", "{}");
        keeper.put(&place, "4711\n");
        let ran = run(&place, &keeper.flags("--lock"));
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        if let Keeper::Consul(fake) = &keeper {
            assert_eq!(fake.requests(), [""; 0], "it is not even asked");
        }
    }
}

#[test]
fn a_lock_of_0_7_is_a_held_lock() {
    for keeper in Keeper::both() {
        let place = ending(0);
        keeper.put(&place, "4711\n");
        for kind in ["--lock", "--softLock"] {
            let ran = run(&place, &keeper.flags(kind));
            assert_eq!(ran.code, Some(17));
            says(&ran, "the lock is held by dataflow-runner 0.7.x, which noted process 4711");
        }
        assert_eq!(keeper.content(&place).as_deref(), Some("4711\n"));
    }
}

#[test]
fn a_holder_that_is_killed() {
    for keeper in Keeper::both() {
        let place = signals::place("");
        let mut holder = Waiting::start(&place, &[], &strs(&keeper.flags("--lock")));
        holder.child.kill().expect("it runs");
        let pid = holder.child.id();
        let (_, _, step) = holder.end();
        sweep(&step);
        let place = place.with("p.json", playbook(&script("a", "true", "")));
        let ran = run(&place, &keeper.flags("--softLock"));
        assert_eq!(ran.code, Some(17), "a hard lock outlives its holder: {}", ran.stderr);
        let status = lock(&place, "status", &keeper, &[]);
        assert_eq!(status.code, Some(17));
        let said = "(a hard lock; its process is gone)\n";
        assert!(status.stdout.ends_with(said), "{}", status.stdout);
        let ran = lock(&place, "break", &keeper, &["--yes"]);
        says(&ran, "Broke the lock at locks, which was held by `uid ");
        says(&ran, &format!("process {pid}, run `r-"));
        assert_eq!((ran.code, keeper.content(&place)), (Some(0), None));

        let place = signals::place("");
        let mut holder = Waiting::start(&place, &[], &strs(&keeper.flags("--softLock")));
        holder.child.kill().expect("it runs");
        let pid = holder.child.id();
        let (_, _, step) = holder.end();
        sweep(&step);
        let place = place.with("p.json", playbook(&script("a", "true", "")));
        if let Keeper::Consul(fake) = &keeper {
            let ran = run(&place, &keeper.flags("--lock"));
            assert_eq!(ran.code, Some(17), "until its session ends: {}", ran.stderr);
            fake.expire();
        }
        let ran = run(&place, &keeper.flags("--lock"));
        assert_eq!((ran.code, keeper.content(&place)), (Some(0), None), "{}", ran.stderr);
        if matches!(keeper, Keeper::File) {
            says(&ran, "took over the lock at locks: run `r-");
            says(&ran, &format!("its process {pid} is gone"));
        }
    }
}

#[test]
fn signals_release_a_soft_lock() {
    for keeper in Keeper::both() {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
            let place = signals::place("");
            let holder = Waiting::start(&place, &[], &strs(&keeper.flags("--softLock")));
            holder.signal(signal);
            let (ended, said, step) = holder.end();
            assert_eq!((ended, keeper.content(&place)), (Some(code), None), "{said}");
            let warned = said.contains("is released though something may be running");
            assert_eq!(warned, signal == Signal::HUP, "{said}");
            if signal == Signal::HUP {
                sweep(&step);
            }
        }
    }
}

#[test]
fn a_run_in_doubt_lets_a_soft_lock_go_and_keeps_a_hard_one() {
    for (kind, kept) in [("--softLock", false), ("--lock", true)] {
        let config = cluster(r#", "killAfterSeconds": 60"#);
        let place = signals::place("trap '' TERM;").with("c.json", config);
        let mut holder = Waiting::start(&place, &[], &strs(&Keeper::File.flags(kind)));
        holder.signal(Signal::INT);
        holder.until("Interrupted by SIGINT");
        while holder.child.try_wait().expect("it is our child").is_none() {
            holder.signal(Signal::INT);
            std::thread::yield_now();
        }
        let (ended, said, step) = holder.end();
        sweep(&step);
        assert_eq!(ended, Some(5), "{said}");
        assert_eq!(Keeper::File.content(&place).is_some(), kept);
        assert_eq!(said.contains("is released though something may be running"), !kept, "{said}");
    }
}

#[test]
fn a_run_that_waits_goes_on_when_it_is_free() {
    for keeper in Keeper::both() {
        let place = ending(0);
        keeper.put(&place, "4711");
        let mut flags = strs(&keeper.flags("--lock")).join(" ");
        flags += " --lock-wait 2h";
        let command = place.command(RUN.into_iter().chain(flags.split(' ')));
        let mut waits = Program::start(command);
        if let Keeper::Consul(fake) = &keeper {
            assert!(fake.wait_for("GET /v1/kv/locks?index=", 1, LONG));
        }
        waits.says("Waiting for the lock at locks, held by dataflow-runner 0.7.x");
        match &keeper {
            Keeper::File => fs::remove_file(place.path("locks")).expect("removed"),
            Keeper::Consul(fake) => fake.delete("locks"),
        }
        let (ended, said) = waits.end();
        assert_eq!((ended, keeper.content(&place)), (Some(0), None), "{said}");
    }
}

#[test]
fn a_run_that_waits_is_ended_by_a_signal_or_by_its_limit() {
    for keeper in Keeper::both() {
        let place = ending(0);
        keeper.put(&place, "4711");
        let flags = strs(&keeper.flags("--lock")).join(" ");
        let ran = place.words(&format!("{} {flags} --lock-wait 0.1s", RUN.join(" ")));
        assert_eq!(ran.code, Some(17), "{}", ran.stderr);
        says(&ran, "lock already held at locks");

        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
            let line = format!("{} {flags} --lock-wait 2h", RUN.join(" "));
            let mut waits = Program::start(place.command(line.split(' ')));
            waits.says("Waiting for the lock");
            waits.signal(signal);
            let (ended, said) = waits.end();
            assert_eq!(ended, Some(code), "{said}");
            assert!(said.contains("before the lock was taken: nothing was started"), "{said}");
        }
        assert!(!place.state().join("runs").exists(), "nothing was started");
        assert_eq!(keeper.content(&place).as_deref(), Some("4711"));
    }
}

/// Who finds it held, or waits for it in vain, has not touched the run.
#[test]
fn a_run_that_was_left_is_gone_on_with_only_under_the_lock() {
    for keeper in Keeper::both() {
        let (place, step) = left();
        keeper.put(&place, "4711");
        let run = fs::read_dir(place.state().join("runs")).expect("runs").next();
        let journal = run.expect("a run").expect("it").path().join("journal.jsonl");
        let before = fs::read(&journal).expect("a journal");
        let flags = strs(&keeper.flags("--softLock")).join(" ");
        for verb in ["attach", "resume"] {
            let ran = place.words(&format!("{verb} last {flags}"));
            assert_eq!(ran.code, Some(17), "{verb}: {}", ran.stderr);
            for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
                let line = format!("{verb} last {flags} --lock-wait 2h");
                let mut waits = Program::start(place.command(line.split(' ')));
                waits.says("Waiting for the lock");
                waits.signal(signal);
                let (ended, said) = waits.end();
                assert_eq!(ended, Some(code), "{verb}: {said}");
            }
            assert_eq!(fs::read(&journal).expect("a journal"), before, "{verb}");
        }
        assert!(lives(&step));
        assert_eq!(keeper.content(&place).as_deref(), Some("4711"));
        sweep(&step);
    }
}

#[test]
fn a_lock_that_changed_hands_is_left() {
    for kind in ["--lock", "--softLock"] {
        for keeper in Keeper::both() {
            let place = Place::new().with("c.json", cluster(""));
            let pipe = place.path("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
            assert!(made.success());
            // Opening it for reading ends when somebody opens it for writing.
            let step = script("a", &format!("cat '{}'", pipe.display()), "");
            let place = place.with("p.json", playbook(&step));
            let words = RUN.into_iter().map(ToOwned::to_owned).chain(keeper.flags(kind));
            let mut command = place.command(words);
            let child = command.stderr(std::process::Stdio::piped()).spawn().expect("it starts");
            let mut end = fs::OpenOptions::new().write(true).open(&pipe).expect("the step reads");
            assert_eq!(lock(&place, "break", &keeper, &["--yes"]).code, Some(0));
            keeper.put(&place, "4711");
            end.write_all(b"on").expect("written");
            drop(end);
            let ran = Ran::from(child.wait_with_output().expect("it ends"));
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            says(
                &ran,
                "the lock at locks is not this run's any more: it is held by dataflow-runner 0.7.x",
            );
            assert_eq!(keeper.content(&place).as_deref(), Some("4711"));
        }
    }
}

#[test]
fn status_says_who_and_break_asks() {
    for keeper in Keeper::both() {
        let place = ending(1);
        let free = lock(&place, "status", &keeper, &[]);
        assert_eq!((free.stdout.as_str(), free.code), ("free\n", Some(0)));
        let free = lock(&place, "status", &keeper, &["--json"]);
        assert_eq!(free.stdout, "{\"held\":false,\"lock\":\"locks\"}\n");
        says(&lock(&place, "break", &keeper, &[]), "The lock at locks is free");

        assert_eq!(run(&place, &keeper.flags("--lock")).code, Some(1));
        let held = lock(&place, "status", &keeper, &["--json"]);
        assert_eq!(held.code, Some(17));
        let told: serde_json::Value = serde_json::from_str(&held.stdout).expect("JSON");
        assert_eq!((&told["held"], &told["by"]["kind"]), (&true.into(), &"hard".into()), "{told}");
        assert_eq!(told["by"]["program"], env!("CARGO_PKG_VERSION"));
        assert_eq!(told["by"]["gone"], true, "{told}");
        let asked = lock(&place, "break", &keeper, &[]);
        assert_eq!(asked.code, Some(2), "nobody is there to ask");
        says(&asked, "say --yes to break the lock");
        assert!(keeper.content(&place).is_some());
    }
}

#[test]
fn what_stands_in_the_way_is_told() {
    let place = ending(0);
    let ran = run(&place, &["--lock".into(), "no/lock".into()]);
    assert_eq!(ran.code, Some(3));
    says(&ran, "there is no folder `no`; make it first");

    let gone = Fake::start().expect("a port").address();
    let ran = run(&place, &["--lock".into(), "a".into(), "--consul".into(), gone]);
    assert_eq!(ran.code, Some(4));
    says(&ran, "cannot look at the lock `a` in Consul at `http://127.0.0.1:");

    for (path, consul) in [("/a", "127.0.0.1"), ("a", "unix:///s")] {
        let ran = run(&place, &["--lock", path, "--consul", consul].map(ToOwned::to_owned));
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    }
    assert!(!place.state().join("runs").exists(), "nothing was started");
}

#[test]
fn an_empty_name_is_no_lock() {
    let place = ending(0);
    let ran = run(&place, &["--lock", "", "--softLock", "", "--consul", ""].map(ToOwned::to_owned));
    assert_eq!(ran.code, Some(0), "as in 0.7.x: {}", ran.stderr);
}

#[test]
fn a_token_reaches_consul_and_nobody_else() {
    let fake = Fake::start().expect("a port");
    fake.demand("hush");
    let place = ending(0);
    let words = RUN.map(ToOwned::to_owned).into_iter();
    let keeper = Keeper::Consul(fake);
    let words: Vec<String> = words.chain(keeper.flags("--softLock")).collect();
    let ran = Ran::from(place.command(&words).output().expect("it starts"));
    assert_eq!(ran.code, Some(4));
    says(&ran, "Permission denied");
    let mut command = place.command(&words);
    let ran = Ran::from(command.env("CONSUL_HTTP_TOKEN", "hush").output().expect("it starts"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hush"));
}

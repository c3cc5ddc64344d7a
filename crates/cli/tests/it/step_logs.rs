//! `logs`: what steps on this machine write, by the journal alone.

use std::io::Write;

use crate::harness::{Place, Ran, cluster, playbook, script};

const TRANSIENT: [&str; 5] = ["run-transient", "--config", "c.json", "--playbook", "p.json"];

fn place(steps: &[String]) -> Place {
    Place::new()
        .with("c.json", cluster(r#", "slots": 2"#))
        .with("p.json", playbook(&steps.join(",")))
}

/// Runs `logs` in a folder in which the files of the run are not; what it prints may be no text.
fn logs(place: &Place, line: &str) -> (Vec<u8>, String, Option<i32>) {
    let line = format!("logs {line}");
    let mut command = place.command(line.split_whitespace());
    let ended = command.current_dir(place.path("../home")).output().expect("it starts");
    let said = String::from_utf8(ended.stderr).expect("it says text");
    (ended.stdout, said, ended.status.code())
}

fn text(place: &Place, line: &str) -> String {
    let (printed, said, code) = logs(place, line);
    assert_eq!(code, Some(0), "{line}: {said}");
    String::from_utf8(printed).expect("it is text")
}

#[test]
fn what_failed_is_printed_byte_for_byte_and_explained() {
    let traceback = r#"printf 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nValueError: odd\n' >&2"#;
    let place = place(&[
        script("good", "echo fine", ""),
        script("bad", &format!(r"printf 'half\377\033[2J\r\nend'; {traceback}; exit 3"), ""),
        script("late", "true", ""),
    ]);
    assert_eq!(place.run(TRANSIENT).code, Some(1));
    std::fs::remove_file(place.path("c.json")).expect("it is there");

    let (printed, said, code) = logs(&place, "");
    assert_eq!(code, Some(0), "{said}");
    let begin = b"Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nValueError: odd\nhalf\xff\x1b[2J\r\nend2";
    assert!(printed.starts_with(begin), "{:?}", String::from_utf8_lossy(&printed));
    let order = [
        "Step 'bad' with id 'bad.1.",
        "log file 'stderr'",
        "log file 'stdout'",
        "log file 'controller'",
        "' failed: probable cause: ValueError: odd",
    ];
    let places: Vec<_> = order.iter().map(|text| said.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{said}");
    assert!(!said.contains("'good'"), "{said}");

    let (printed, _, code) = logs(&place, "last bad --file stdout");
    assert_eq!((printed.as_slice(), code), (&b"half\xff\x1b[2J\r\nend"[..], Some(0)));
    assert_eq!(text(&place, "last good --file stdout"), "fine\n");
    // Messages are hidden, results are not.
    let (printed, said, _) = logs(&place, "last go --file stdout --log-level fatal");
    assert_eq!((printed.as_slice(), said.as_str()), (&b"fine\n"[..], ""));
}

#[test]
fn where_nothing_failed_it_is_what_began_last() {
    let place =
        place(&[script("one", "echo 1", ""), script("two", "echo 2", r#", "dependsOn": ["one"]"#)]);
    assert_eq!(place.run(TRANSIENT).code, Some(0));
    assert_eq!(text(&place, "--file stdout"), "2\n");
    assert_eq!(text(&place, "last one --follow --file stdout"), "1\n", "it has ended");
    assert_eq!(text(&place, "--follow --file stdout"), "2\n");
}

#[test]
fn each_attempt_has_logs_of_its_own() {
    let body = r#"cd "$HOME"; echo x >> tries; wc -l < tries; test $(wc -l < tries) = 2"#;
    let retries = r#", "retries": {"maxAttempts": 3}"#;
    let place = place(&[script("flaky", body, retries)]);
    let ran = place.run(TRANSIENT);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(text(&place, "last flaky --file stdout").trim(), "2");
    assert_eq!(text(&place, "last flaky --attempt 1 --file stdout").trim(), "1");
    let (_, said, code) = logs(&place, "last flaky --attempt 3");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("step `flaky` had no attempt 3 yet; the last was 2"), "{said}");
}

#[test]
fn what_is_not_there_is_told() {
    let place =
        place(&[script("bad", "exit 1", ""), script("never", "true", r#", "dependsOn": ["bad"]"#)]);
    let (_, said, code) = logs(&place, "");
    assert_eq!(code, Some(2), "{said}");
    assert_eq!(place.words("up --config c.json").code, Some(0));
    let (_, said, code) = logs(&place, "");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("has begun: there are no logs"), "{said}");
    assert_eq!(place.run(TRANSIENT).code, Some(1));
    for (line, expected, words) in [
        ("last bda", 2, "the run has no step `bda`; did you mean `bad`?"),
        ("last bad --file stdot", 2, "has no log `stdot`; did you mean `stdout`?"),
        ("last bad --file x", 2, "has no log `x`; choose `stderr`, `stdout` or `controller`"),
        ("last --attempt 1", 2, "the following required arguments were not provided"),
        ("last bad --attempt 0", 2, "0 is not in"),
        ("last never", 1, "step `never` has not begun, as step `bad`"),
        ("last never --follow", 1, "step `never` has not begun, as step `bad`"),
        ("r-9", 2, "there is no run r-9"),
    ] {
        let (printed, said, code) = logs(&place, line);
        assert_eq!((printed.len(), code), (0, Some(expected)), "{line}: {said}");
        assert!(said.contains(words), "{line}: {said}");
    }
    let logs = std::fs::read_dir(place.state().join("clusters/logs")).expect("logs");
    logs.for_each(|folder| {
        std::fs::remove_dir_all(folder.expect("a folder").path()).expect("gone")
    });
    let (_, said, code) = self::logs(&place, "last bad");
    assert_eq!(code, Some(4), "{said}");
}

#[test]
fn nobody_needs_to_read_to_the_end() {
    let place = place(&[script("long", "seq 100000", "")]);
    assert_eq!(place.run(TRANSIENT).code, Some(0));
    let ran = Ran::unread(&mut place.command(["logs", "--file", "stdout", "--log-level", "error"]));
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
}

/// The same, but of what grows.
#[cfg(unix)]
mod growing {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;

    /// A run whose steps wait at a gate each, and those who follow it.
    struct World {
        place: Place,
        run: Child,
    }

    /// Somebody who follows.
    struct Follower {
        child: Child,
        stdout: BufReader<ChildStdout>,
        stderr: BufReader<ChildStderr>,
    }

    impl World {
        /// Each step says `begun` and its name, waits at its gate, and does the rest.
        fn new(steps: &[(&str, &str, &str)]) -> Self {
            let place =
                Place::new().with("c.json", cluster(r#", "slots": 4, "killAfterSeconds": 1"#));
            let here = place.path(".").display().to_string();
            let body = |(id, rest, more): &(&str, &str, &str)| {
                let gate = place.path(&format!("gate-{id}"));
                assert!(Command::new("mkfifo").arg(gate).status().expect("mkfifo").success());
                script(id, &format!("echo begun {id}; read x < '{here}/gate-{id}'; {rest}"), more)
            };
            let steps: Vec<_> = steps.iter().map(body).collect();
            let place = place.with("p.json", playbook(&steps.join(",")));
            let mut command = place.command(TRANSIENT);
            let run = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("starts");
            let mut world = Self { place, run };
            let mut said = BufReader::new(world.run.stderr.take().expect("a pipe"));
            let mut line = String::new();
            while !line.contains("Step '")
                && !line.contains("launched")
                && !line.contains("teps to")
            {
                line.clear();
                assert_ne!(said.read_line(&mut line).expect("text"), 0, "it ended");
            }
            // It may say on what it likes.
            std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
            world
        }

        /// Lets a step go on. Whoever opens the pipe waits for the step to come to it.
        fn open(&self, step: &str) {
            let path = self.place.path(&format!("gate-{step}"));
            let mut gate = std::fs::File::options().write(true).open(path).expect("a pipe");
            gate.write_all(b"go\n").expect("the step reads");
        }

        fn follow(&self, line: &str) -> Follower {
            let mut command = self.place.command(["logs", "last", "--follow"]);
            command.args(line.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().expect("it starts");
            let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
            let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
            Follower { child, stdout, stderr }
        }

        fn end(mut self) -> Option<i32> {
            self.run.wait().expect("it ends").code()
        }
    }

    impl Follower {
        fn line(&mut self) -> String {
            let mut line = String::new();
            self.stdout.read_line(&mut line).expect("text");
            line
        }

        /// Reads messages until one has `text` in it.
        fn until(&mut self, text: &str) {
            let mut line = String::new();
            while !line.contains(text) {
                line.clear();
                assert_ne!(self.stderr.read_line(&mut line).expect("text"), 0, "never `{text}`");
            }
        }

        fn signal(&self, signal: Signal) {
            let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("an id");
            kill_process(pid, signal).expect("it is there");
        }

        /// All that it still prints and says, and how it ends.
        fn end(mut self) -> (String, String, Option<i32>) {
            let (mut printed, mut said) = (String::new(), String::new());
            self.stdout.read_to_string(&mut printed).expect("text");
            self.stderr.read_to_string(&mut said).expect("text");
            (printed, said, self.child.wait().expect("it ends").code())
        }
    }

    #[test]
    fn what_is_there_comes_at_once_and_the_rest_as_it_is_written() {
        let world = World::new(&[("a", "printf 'two\\nthree'; exit 1", "")]);
        let mut follower = world.follow("--file stdout");
        assert_eq!(follower.line(), "begun a\n");
        world.open("a");
        let (printed, said, code) = follower.end();
        assert_eq!((printed.as_str(), code), ("two\nthree", Some(0)), "{said}");
        assert!(said.contains(": RUNNING") && said.contains(": FAILED"), "{said}");
        assert_eq!(world.end(), Some(1), "the end of the run is another's");
    }

    #[test]
    fn all_logs_are_followed_line_by_line() {
        let world = World::new(&[("a", "echo oops >&2; echo out", "")]);
        let mut follower = world.follow("a");
        follower.until("Content of log file 'stdout'");
        world.open("a");
        let (printed, said, code) = follower.end();
        assert_eq!(code, Some(0), "{said}");
        for line in ["begun a\n", "oops\n", "out\n", "  run: sh -c "] {
            assert_eq!(printed.matches(line).count(), 1, "{line:?} in {printed}");
        }
        assert_eq!(world.end(), Some(0));
    }

    #[test]
    fn a_signal_ends_only_the_looking() {
        let world = World::new(&[("a", "true", "")]);
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
            let mut follower = world.follow("--file stdout");
            assert_eq!(follower.line(), "begun a\n");
            follower.signal(signal);
            assert_eq!(follower.end().2, Some(code));
        }
        world.open("a");
        assert_eq!(world.end(), Some(0));
    }

    #[test]
    fn a_step_that_has_not_begun_is_waited_for() {
        let world = World::new(&[("a", "true", ""), ("b", "echo here", r#", "dependsOn": ["a"]"#)]);
        let mut follower = world.follow("b --file stdout");
        follower.until("Waiting for step `b` to begin");
        world.open("a");
        assert_eq!(follower.line(), "begun b\n");
        world.open("b");
        assert_eq!(follower.line(), "here\n");
        assert_eq!(follower.end().2, Some(0));
        assert_eq!(world.end(), Some(0));
    }

    /// It failed and is to be tried again: what comes is the next attempt.
    #[test]
    fn the_attempt_to_come_is_waited_for() {
        let body = r#"cd "$HOME"; test -f again || { touch again; exit 1; }; echo twice"#;
        let retries = r#", "retries": {"maxAttempts": 2, "delaySeconds": 3}"#;
        let world = World::new(&[("a", body, retries)]);
        world.open("a");
        let is_over = |said: String| said.contains("  WAITING    a ") || said.contains("attempt 2");
        while !is_over(world.place.words("status").stdout) {
            std::thread::yield_now();
        }
        let mut follower = world.follow("a --file stdout");
        assert_eq!(follower.line(), "begun a\n");
        world.open("a");
        let (printed, said, code) = follower.end();
        assert_eq!((printed.as_str(), code), ("twice\n", Some(0)), "{said}");
        assert!(said.contains(": SUCCEEDED") && !said.contains(": FAILED"), "{said}");
        assert_eq!(world.end(), Some(0));
    }

    #[test]
    fn a_step_that_will_not_begin_is_not_waited_for() {
        let world = World::new(&[("a", "exit 1", ""), ("b", "true", r#", "dependsOn": ["a"]"#)]);
        let mut follower = world.follow("b");
        follower.until("Waiting for step `b` to begin");
        world.open("a");
        let (printed, said, code) = follower.end();
        assert_eq!((printed.as_str(), code), ("", Some(1)), "{said}");
        assert!(said.contains("step `b` has not begun, as step `a`"), "{said}");
        assert_eq!(world.end(), Some(1));
    }

    /// Nobody writes the journal any more, so the fabric is asked how the step goes on.
    #[test]
    fn a_step_of_a_run_that_nobody_drives_is_followed_to_its_end() {
        let mut world =
            World::new(&[("a", "echo done", ""), ("b", "true", r#", "dependsOn": ["a"]"#)]);
        let mut follower = world.follow("--file stdout");
        assert_eq!(follower.line(), "begun a\n");
        world.run.kill().expect("it runs");
        world.run.wait().expect("its end");
        let (_, said, code) = logs(&world.place, "last b --follow");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("has not begun, and nobody drives run r-"), "{said}");
        world.open("a");
        assert_eq!(follower.line(), "done\n");
        let (_, said, code) = follower.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(": SUCCEEDED"), "{said}");
        let down = world.place.words("down --run last");
        assert_eq!(down.code, Some(0), "{}", down.stderr);
    }

    #[test]
    fn a_reader_that_is_gone_ends_it() {
        let world = World::new(&[("a", "echo more", "")]);
        let mut follower = world.follow("--file stdout");
        assert_eq!(follower.line(), "begun a\n");
        let Follower { mut child, stdout, stderr } = follower;
        drop(stdout);
        world.open("a");
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
        drop(stderr);
        assert_eq!(world.end(), Some(0));
    }
}

//! How steps end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use dataflow_runner_core::fabric::StepState;

use crate::bench::{Bench, command, config, lives};

pub fn exit_codes_and_signals() {
    let bench = Bench::new();
    for (n, (script, state, code, reason)) in [
        ("exit 0", StepState::Succeeded, Some(0), None),
        ("exit 3", StepState::Failed, Some(3), None),
        ("exit 137", StepState::Failed, Some(137), None),
        ("kill -9 $$", StepState::Failed, None, Some("killed by SIGKILL")),
        ("kill -TERM $$", StepState::Failed, None, Some("killed by SIGTERM")),
    ]
    .into_iter()
    .enumerate()
    {
        let id = bench.script(&format!("r-1.{n}.1"), script);
        let status = bench.end(&id);
        let told = (status.state, status.exit_code, status.reason.as_deref());
        assert_eq!(told, (state, code, reason), "{script}");
        assert!(status.ended.is_some() && status.link.is_some());
        assert_eq!(bench.status(&id), status, "it stays so");
        let (other, _) = bench.another();
        assert_eq!(crate::bench::status(&other, &bench.cluster, &id), status, "for all");
    }
}

pub fn what_cannot_be_started() {
    let bench = Bench::new();
    let program = bench.folder.path().join("program");
    fs::write(&program, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let id = bench.submit("r-1.2.1", &command(&[program.to_str().unwrap()])).unwrap();
    let status = bench.end(&id);
    assert_eq!((status.state, status.native.as_str()), (StepState::Failed, "NOT_STARTED"));
    let reason = status.reason.unwrap();
    assert!(reason.starts_with("cannot start its program: No such file"), "{reason}");
    assert_eq!((status.exit_code, status.started), (None, None));
    assert!(bench.log(&id, "controller").contains("cannot start its program: "));
}

pub fn cancelled() {
    let bench = Bench::new();
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let wait = r#"echo up >"$0/up"; read x <"$0/gate""#;
    let plain = bench.script("r-1.2.1", wait);
    let polite = bench.script("r-1.3.1", &format!("trap 'exit 0' TERM; {wait}"));
    let done = bench.script("r-1.4.1", "exit 0");
    up.line();
    up.line();
    assert_eq!(bench.end(&done).state, StepState::Succeeded);
    for id in [&plain, &polite, &plain, &done] {
        bench.cancel(id);
    }
    let status = bench.end(&plain);
    assert_eq!((status.state, status.exit_code), (StepState::Cancelled, None));
    assert_eq!(status.reason.as_deref(), Some("killed by SIGTERM"));
    let status = bench.end(&polite);
    assert_eq!((status.state, status.exit_code), (StepState::Cancelled, Some(0)));
    assert_eq!(bench.status(&done).state, StepState::Succeeded, "what has ended has ended");
    bench.cancel(&plain);
    assert!(!bench.logs(&done).join("cancel").exists());
    assert!(bench.log(&plain, "controller").contains("asked to stop: TERM\n"));
}

pub fn one_that_ignores_term_is_killed() {
    let bench = Bench::with(config(Duration::from_millis(50)));
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let id = bench.script("r-1.2.1", r#"trap '' TERM; echo up >"$0/up"; read x <"$0/gate""#);
    up.line();
    bench.cancel(&id);
    let status = bench.end(&id);
    assert_eq!(status.state, StepState::Cancelled);
    assert_eq!(status.reason.as_deref(), Some("killed by SIGKILL"));
    assert!(bench.log(&id, "controller").contains("still there after 50ms: KILL\n"));
}

pub fn what_is_left_behind_is_ended() {
    let bench = Bench::new();
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let id = bench.script("r-1.2.1", r#"cat <"$0/gate" & echo $! >"$0/up"; exit 5"#);
    let left = up.line();
    let status = bench.end(&id);
    assert_eq!((status.state, status.exit_code), (StepState::Failed, Some(5)));
    assert!(!lives(&left), "before the step is said to have ended");
    let controller = bench.log(&id, "controller");
    assert!(controller.contains("left others behind: TERM\n"), "{controller}");
    assert!(!controller.contains("KILL"), "{controller}");
}

pub fn left_behind_and_stubborn() {
    let bench = Bench::with(config(Duration::from_millis(50)));
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let stubborn = r#"trap "" TERM; echo $$ >"$0/up"; read x <"$0/gate""#;
    // The one left behind is in the group, but with a parent that is gone; the other has a session of its own.
    let script =
        format!("sh -c '{stubborn}' \"$0\" & setsid sh -c '{stubborn}' \"$0\" & read x <\"$0/ok\"");
    let mut ok = bench.pipe("ok");
    let id = bench.script("r-1.2.1", &script);
    let both = [up.line(), up.line()];
    ok.go();
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    let alive: Vec<_> = both.iter().filter(|pid| lives(pid)).collect();
    assert_eq!(alive.len(), 1, "who leaves the group on purpose may stay");
    crate::bench::kill(alive[0]);
    let controller = bench.log(&id, "controller");
    assert!(controller.contains("some of them are still there: KILL\n"), "{controller}");
}

pub fn a_program_inherits_no_handlers() {
    let bench = Bench::new();
    // The shim catches these; its program dies of them as usual.
    for (n, signal) in ["HUP", "INT", "TERM", "PIPE", "CHLD"].into_iter().enumerate() {
        let id = bench.script(&format!("r-1.{n}.1"), &format!("kill -{signal} $$; exit 7"));
        let status = bench.end(&id);
        if signal == "CHLD" {
            assert_eq!(status.exit_code, Some(7));
        } else {
            assert_eq!(status.reason, Some(format!("killed by SIG{signal}")));
        }
    }
    let id = bench.script("r-1.9.1", "exec ps -o sid=,pgid=,tty= -p $$");
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    let out = bench.log(&id, "stdout");
    let words: Vec<_> = out.split_whitespace().collect();
    let record = bench.logs(&id).join("record");
    let (shim, tool) = (crate::bench::pid(&record, "shim"), crate::bench::pid(&record, "tool"));
    assert_eq!(words, [shim.as_str(), tool.as_str(), "?"], "a group of its own, no terminal");
}

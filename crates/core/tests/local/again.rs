//! A shim that looks after one step after the other.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::time::Duration;

use dataflow_runner_core::fabric::{Clusters, Fabric, StepId, StepState};
use rustix::process::{Pid, Signal, kill_process};

use crate::bench::{self, Bench, Pipe, command, config, down, kill, lives, pid, until};

/// The shim of a step.
fn shim(bench: &Bench, id: &StepId) -> String {
    pid(&bench.logs(id).join("record"), "shim")
}

/// Runs a script to its success; gives the shim that looked after it.
fn succeed(bench: &Bench, token: &str, script: &str) -> String {
    let id = bench.script(token, script);
    let status = bench.end(&id);
    assert_eq!(status.state, StepState::Succeeded, "{status:?}");
    shim(bench, &id)
}

/// Two steps of which the second is looked after by the shim of the first: one that succeeds, and one that runs and
/// waits at `gate`; and the process of that one.
fn two(bench: &Bench, up: &mut Pipe) -> ([StepId; 2], String) {
    for n in 0.. {
        let first = bench.script(&format!("r-7.{n}.1"), "exit 0");
        assert_eq!(bench.end(&first).state, StepState::Succeeded);
        let second = bench.script(&format!("r-8.{n}.1"), r#"echo $$ >"$0/up"; read x <"$0/gate""#);
        let tool = up.line();
        // A shim offers itself a moment after its step has ended, and not for ever.
        if shim(bench, &first) == shim(bench, &second) {
            return ([first, second], tool);
        }
        bench.cancel(&second);
        assert_eq!(bench.end(&second).state, StepState::Cancelled);
    }
    unreachable!("there is always a next number")
}

fn signal(pid: &str, signal: Signal) {
    kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), signal).unwrap();
}

pub fn nothing_of_a_step_reaches_the_next() {
    let bench = Bench::new();
    let look = r#"pwd; umask; env | sort; ls /proc/$$/fd; cat; ulimit -n; ps -o sid=,nice= -p $$"#;
    let spoil = "umask 077; cd /; export DATAFLOW_X=1 DATAFLOW_STEP=x; ulimit -n 20; exec 7>spoilt; echo late >&2";
    let (mut shims, mut first, mut n) = (HashMap::new(), None, 0);
    until("one shim has looked after three steps", || {
        n += 1;
        let id = bench.script(&format!("r-1.{n}.1"), &format!("{look}; cd \"$PWD\"; {spoil}"));
        assert_ne!(bench.end(&id).state, StepState::Unknown);
        let shim = shim(&bench, &id);
        let seen = bench.log(&id, "stdout").replace(id.as_str(), "ID").replace(&shim, "SHIM");
        assert!(seen.contains("\nADDED=by configuration\n"), "{seen}");
        assert_eq!(&seen, first.get_or_insert_with(|| seen.clone()));
        assert_eq!(bench.log(&id, "stderr"), "late\n");
        let record = bench.log(&id, "record");
        assert!(record.starts_with("shim 2 ") && record.lines().count() == 3, "{record}");
        assert_eq!(bench.log(&id, "controller").matches(" ended with exit code ").count(), 1);
        let steps = shims.entry(shim).or_insert(0);
        *steps += 1;
        *steps == 3
    });
}

pub fn what_hides_keeps_its_shim_from_the_next() {
    let bench = Bench::new();
    let (mut up, mut gate, mut ok) = (bench.pipe("up"), bench.pipe("gate"), bench.pipe("ok"));
    // In a session of its own, and with no parent but the shim.
    let script = r#"(setsid sh -c 'echo $$ >"$0/up"; read x <"$0/gate"' "$0" &); read x <"$0/ok""#;
    let id = bench.script("r-1.2.1", script);
    let hidden = up.line();
    ok.go();
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    let first = shim(&bench, &id);
    assert_ne!(succeed(&bench, "r-1.3.1", "exit 0"), first, "another, as there always was");
    assert!(lives(&hidden), "it is not followed");
    until("the first shim ends", || !lives(&first));
    gate.go();
    until("what hid ends", || !lives(&hidden));
    // One that hid and is dead by then is no hindrance.
    let script = r#"(setsid sh -c 'echo $$ >"$0/up"' "$0" &); read x <"$0/ok""#;
    let mut n = 0;
    until("its shim looks after the next step too", || {
        n += 1;
        let id = bench.script(&format!("r-2.{n}.1"), script);
        let hidden = up.line();
        until("it ends", || !lives(&hidden));
        ok.go();
        assert_eq!(bench.end(&id).state, StepState::Succeeded);
        succeed(&bench, &format!("r-3.{n}.1"), "exit 0") == shim(&bench, &id)
    });
}

pub fn what_stays_in_the_group_is_ended_first() {
    let bench = Bench::with(config(Duration::from_millis(50)));
    let mut up = bench.pipe("up");
    let script = r#"sh -c 'trap "" TERM; echo $$ >"$0/up"; sleep 1000' "$0" & read x <"$0/ok""#;
    let mut ok = bench.pipe("ok");
    let id = bench.script("r-1.2.1", script);
    let left = up.line();
    ok.go();
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    assert!(!lives(&left), "before its shim takes another step");
}

pub fn what_cannot_be_started_harms_no_other() {
    let bench = Bench::new();
    let absent = bench.folder.path().join("absent");
    let mut n = 0;
    until("one shim looks after it and those around it", || {
        n += 1;
        let first = succeed(&bench, &format!("r-1.{n}.1"), "exit 0");
        let absent = command(&[absent.to_str().unwrap()]);
        let id = bench.submit(&format!("r-2.{n}.1"), &absent).unwrap();
        let status = bench.end(&id);
        assert_eq!((status.state, status.native.as_str()), (StepState::Failed, "NOT_STARTED"));
        let third = succeed(&bench, &format!("r-3.{n}.1"), "exit 0");
        first == shim(&bench, &id) && first == third
    });
}

pub fn killed_between_two_steps() {
    let bench = Bench::new();
    let first = succeed(&bench, "r-1.2.1", "exit 0");
    kill(&first);
    until("it is dead", || !lives(&first));
    assert_ne!(succeed(&bench, "r-1.3.1", "exit 0"), first);
}

pub fn killed_with_its_second_step() {
    let bench = Bench::with(config(Duration::from_millis(50)));
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let ([first, second], tool) = two(&bench, &mut up);
    assert_eq!(pid(&bench.logs(&second).join("record"), "tool"), tool);
    kill(&shim(&bench, &second));
    let status = bench.end(&second);
    assert_eq!((status.state, status.native.as_str()), (StepState::Unknown, "LOST"));
    assert_eq!(bench.status(&first).state, StepState::Succeeded);
    succeed(&bench, "r-1.4.1", "exit 0");
    bench.cancel(&second);
    until("the orphan is gone", || !lives(&tool));
}

pub fn without_a_step_it_ends() {
    let bench = Bench::new();
    let first = succeed(&bench, "r-1.2.1", "exit 0");
    until("it ends", || !lives(&first));
    succeed(&bench, "r-1.3.1", "exit 0");
}

/// The signal of a cancel is on its way when the step ends.
pub fn a_cancel_that_comes_late() {
    let bench = Bench::new();
    let (mut up, mut gate) = (bench.pipe("up"), bench.pipe("gate"));
    let id = bench.script("r-1.2.1", r#"echo $$ >"$0/up"; read x <"$0/gate""#);
    let tool = up.line();
    let first = shim(&bench, &id);
    assert_eq!(pid(&bench.logs(&id).join("record"), "tool"), tool);
    signal(&first, Signal::STOP);
    gate.go();
    until("the program ends", || !lives(&tool));
    let (other, _) = bench.another();
    other.cancel(&bench.cluster, std::slice::from_ref(&id)).unwrap();
    signal(&first, Signal::CONT);
    assert_eq!(bench.end(&id).state, StepState::Succeeded, "it had ended");
    assert_ne!(succeed(&bench, "r-1.3.1", "exit 0"), first, "nobody's signal reaches another step");
}

/// A cancel that has written its marker, and not yet looked whom to signal.
pub fn a_marker_without_a_signal() {
    for marker in ["cancel", "../stopping"] {
        let bench = Bench::new();
        let (mut up, mut gate) = (bench.pipe("up"), bench.pipe("gate"));
        let id = bench.script("r-1.2.1", r#"echo up >"$0/up"; read x <"$0/gate""#);
        up.line();
        let marker = bench.logs(&id).join(marker);
        fs::write(&marker, "").unwrap();
        gate.go();
        assert_eq!(bench.end(&id).state, StepState::Succeeded);
        fs::remove_file(&marker).unwrap();
        assert_ne!(succeed(&bench, "r-1.3.1", "exit 0"), shim(&bench, &id));
    }
}

pub fn a_term_without_a_marker() {
    let bench = Bench::new();
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let ([first, second], _) = two(&bench, &mut up);
    let one = shim(&bench, &second);
    signal(&one, Signal::TERM);
    assert_eq!(bench.end(&second).state, StepState::Cancelled);
    assert_eq!(bench.status(&first).state, StepState::Succeeded);
    let third = succeed(&bench, "r-1.4.1", "exit 0");
    assert_ne!(third, one);
    // While it has no step.
    signal(&third, Signal::TERM);
    until("it ends", || !lives(&third));
    assert_ne!(succeed(&bench, "r-1.5.1", "exit 0"), third);
}

/// Who does not give a shim its steps cannot know where a signal without a marker would arrive.
pub fn no_marker_can_be_written() {
    let bench = Bench::new();
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let ([_, id], tool) = two(&bench, &mut up);
    let ids = std::slice::from_ref(&id);
    std::os::unix::fs::symlink("/absent/file", bench.logs(&id).join("cancel")).unwrap();
    pid(&bench.logs(&id).join("record"), "tool");
    let (other, _) = bench.another();
    assert_eq!(bench::status(&other, &bench.cluster, &id).state, StepState::Running);
    other.cancel(&bench.cluster, ids).unwrap_err();
    assert!(lives(&tool));
    bench.local.cancel(&bench.cluster, ids).unwrap();
    assert_eq!(bench.end(&id).state, StepState::Cancelled);
    assert_ne!(succeed(&bench, "r-1.3.1", "exit 0"), shim(&bench, &id));
}

/// Nor can who finds no record tell what became of the step.
pub fn no_record_is_left() {
    let bench = Bench::new();
    let (mut up, mut gate) = (bench.pipe("up"), bench.pipe("gate"));
    let ([_, id], _) = two(&bench, &mut up);
    let first = shim(&bench, &id);
    fs::remove_dir_all(bench.logs(&id)).unwrap();
    gate.go();
    assert_eq!(bench.end(&id).state, StepState::Unknown);
    assert_ne!(succeed(&bench, "r-1.3.1", "exit 0"), first);
}

pub fn cancels_at_any_moment() {
    let bench = Bench::new();
    let (other, _) = bench.another();
    for n in 0..100_u32 {
        let victim = bench.script(&format!("r-1.{n}.1"), "exit 0");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // At another moment each time.
                (0..n * 500).for_each(|_| std::hint::spin_loop());
                other.cancel(&bench.cluster, std::slice::from_ref(&victim)).unwrap();
            });
            let state = bench.end(&victim).state;
            assert!(matches!(state, StepState::Succeeded | StepState::Cancelled), "{state:?}");
            // Whatever becomes of that one, this is not meant.
            succeed(&bench, &format!("r-2.{n}.1"), "exit 0");
        });
    }
}

pub fn another_program_hears_of_the_end() {
    let bench = Bench::new();
    let (mut up, mut gate, _later) = (bench.pipe("up"), bench.pipe("gate"), bench.pipe("later"));
    let (other, bell) = bench.another();
    let mut n = 0;
    until("the shim goes on, so that its end is not what the other hears", || {
        n += 1;
        let one =
            bench.script(&format!("r-1.{n}.1"), r#"echo up >"$0/up"; read x <"$0/gate"; exit 3"#);
        up.line();
        pid(&bench.logs(&one).join("record"), "tool");
        // The second is told from memory, as all are from now on, until the bell rings.
        for _ in 0..2 {
            let seen = bench::status(&other, &bench.cluster, &one);
            assert_eq!(seen.state, StepState::Running);
        }
        gate.go();
        assert_eq!(bench.end(&one).exit_code, Some(3));
        let two = bench.script(&format!("r-2.{n}.1"), r#"echo up >"$0/up"; read x <"$0/later""#);
        up.line();
        assert_eq!(bench::end(&other, &bell, &bench.cluster, &one).exit_code, Some(3));
        let seen = bench::status(&other, &bench.cluster, &two);
        assert_eq!(seen.state, StepState::Running);
        other.cancel(&bench.cluster, std::slice::from_ref(&two)).unwrap();
        assert_eq!(bench::end(&other, &bell, &bench.cluster, &two).state, StepState::Cancelled);
        shim(&bench, &one) == shim(&bench, &two)
    });
}

/// A shim that has gone on is not taken for one that looks after a step, whatever that step's record says.
pub fn a_damaged_record_reaches_nobody() {
    let bench = Bench::new();
    let (mut up, mut gate) = (bench.pipe("up"), bench.pipe("gate"));
    let ([one, two], _) = two(&bench, &mut up);
    let path = bench.logs(&one).join("record");
    let record = fs::read_to_string(&path).unwrap();
    let end = record.find("ended ").unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(end as u64).unwrap();
    let (other, _) = bench.another();
    for local in [&bench.local, &other] {
        let status = bench::status(local, &bench.cluster, &one);
        assert_eq!((status.state, status.native.as_str()), (StepState::Unknown, "LOST"));
        local.cancel(&bench.cluster, std::slice::from_ref(&one)).unwrap();
    }
    assert_eq!(bench.status(&two).state, StepState::Running);
    gate.go();
    assert_eq!(bench.end(&two).state, StepState::Succeeded);
    let controller = bench.log(&two, "controller");
    assert!(!controller.contains("asked to stop"), "{controller}");
}

pub fn no_shim_outlives_its_cluster() {
    let bench = Bench::new();
    let (mut up, _gate) = (bench.pipe("up"), bench.pipe("gate"));
    let id = bench.script("r-1.2.1", r#"echo up >"$0/up"; read x <"$0/gate""#);
    up.line();
    let idle = succeed(&bench, "r-1.3.1", "exit 0");
    let busy = shim(&bench, &id);
    bench.local.terminate(&bench.cluster).unwrap();
    down(&bench.local, &bench.bell, &bench.cluster);
    assert!(!lives(&busy) && !lives(&idle));
    assert_eq!(bench.status(&id).state, StepState::Cancelled);
}

pub fn a_long_command_line() {
    let bench = Bench::new();
    let first = succeed(&bench, "r-1.2.1", "exit 0");
    let long = "x".repeat(100_000);
    let step = command(&["sh", "-c", "echo ${#0} $DATAFLOW_ATTEMPT; cat", &long]);
    let id = bench.submit("r-1.3.1", &step).unwrap();
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    assert_eq!(bench.log(&id, "stdout"), "100000 1\n");
    assert!(bench.log(&id, "record").starts_with("shim 1 "));
    assert_ne!(shim(&bench, &id), first);
}

//! Every command on fabric `local`, and what may go wrong with it.

use std::process::{Command, Stdio};

use dataflow_runner_core::lock::consul::fake::{Fake, Trick};

use super::net::canary;
use super::world::{May, World, step};
use crate::harness::Ran;

const TRANSIENT: &str = "run-transient --config c.json --playbook p.json";

/// How messages may look.
const OUTPUTS: [&str; 3] = ["human", "logfmt", "json"];

fn everywhere(check: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        for output in OUTPUTS {
            let check = &check;
            scope.spawn(move || check(&format!("--output {output} --log-level debug")));
        }
    });
}

#[test]
fn what_is_told_of_files_and_plans() {
    everywhere(|how| {
        let world = World::new(&[step("a", "true")]);
        world.run(&format!("lint c.json p.json {how}"), 0);
        let plan = format!("plan --config c.json --playbook p.json {how}");
        let shown = world.printing(&plan, May::Variables);
        assert!(shown.stdout.contains("‹systemEnv CANARY›"), "{}", shown.stdout);
        world.printing(&format!("{plan} --json"), May::Variables);
        let rendered = world.printing(&format!("render p.json {how}"), May::All);
        let doors = ["systemEnv", "base64File", "var", "vars", "vars-file", "var-env"];
        assert!(world.has(rendered.stdout.as_bytes(), &doors), "{}", rendered.stdout);
        assert!(!world.place.state().exists());
    });
}

#[test]
fn runs_that_succeed_and_runs_that_fail() {
    everywhere(|how| {
        let world = World::new(&[step("good", "true"), step("bad", "test -e \"$HOME/mended\"")]);
        world.run(&format!("{TRANSIENT} --log-failed-steps {how}"), 1);
        let looks =
            ["status", "status --json", "status --watch", "report", "report --json", "runs"];
        for line in looks.into_iter().chain(["runs --json", "runs --orphans --all --json"]) {
            world.run(&format!("{line} {how}"), 0);
        }
        // Its steps say nothing, so all of it is ours.
        for (line, code) in [
            ("logs", 0),
            ("logs last bad --file controller", 0),
            ("logs last bad --file none", 2),
            ("logs last nobody", 2),
            ("logs last bad --attempt 9", 2),
            ("logs --follow", 0),
        ] {
            world.run(&format!("{line} {how}"), code);
        }
        world.run(&format!("resume {how}"), 1);
        world.run(&format!("attach {how}"), 1);
        world.run(&format!("cancel {how}"), 0);
        std::fs::write(world.place.path("../home/mended"), "").expect("a file");
        let resume = "resume --var of_var=other --accept-changes";
        world.run(&format!("{resume} {how}"), 0);
        world.run(&format!("{TRANSIENT} {how}"), 0);
        world.run(&format!("runs prune --older-than 0s {how}"), 0);
    });
}

#[test]
fn clusters_that_stay_up() {
    everywhere(|how| {
        let world = World::new(&[step("a", "exit 3")]);
        let up = world.run("up --config c.json --output logfmt", 0);
        let id = up.stdout.trim();
        world.run(&format!("run --config c.json --cluster {id} --playbook p.json {how}"), 1);
        world.run(&format!("down --config c.json --cluster {id} {how}"), 0);
        world.run(&format!("down --config c.json --cluster {id}-gone {how}"), 4);
        world.run(&format!("run --config c.json --cluster {id} --playbook p.json {how}"), 4);
    });
}

/// A world whose step says by a pipe that it runs, and waits.
#[cfg(unix)]
fn waiting() -> World {
    let pipes = ["up", "gate"];
    let world =
        World::new(&[step("a", "cd \"$HOME/../here\"; echo $$ > up; read x < gate; exit 3")]);
    for pipe in pipes {
        let made = Command::new("mkfifo").arg(world.place.path(pipe)).status();
        assert!(made.expect("mkfifo is there").success());
    }
    world
}

#[cfg(unix)]
#[test]
fn runs_that_are_left_and_taken_up_again() {
    for next in ["attach --on-interrupt leave", "cancel"] {
        let world = waiting();
        let mut command = world.command(TRANSIENT);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let up =
            std::fs::read_to_string(world.place.path("up")).expect("the step says that it runs");
        assert!(!up.is_empty());
        child.kill().expect("it is our child");
        let killed = Ran::from(child.wait_with_output().expect("it ends"));
        world.look("killed", &killed, May::Nothing);
        world.run("status --json", 0);
        // Opened for both, so that nobody waits for the other.
        let gate = std::fs::File::options().read(true).write(true).open(world.place.path("gate"));
        let mut gate = gate.expect("a pipe");
        if next != "cancel" {
            std::io::Write::write_all(&mut gate, b"go\n").expect("a pipe");
        }
        world.run(next, if next == "cancel" { 0 } else { 1 });
    }
}

/// The journal's first lines can be written, and then no more.
#[cfg(unix)]
#[test]
fn a_journal_that_cannot_be_written_any_more() {
    for blocks in [1, 2, 4] {
        let world = World::new(&[step("a", "true"), step("b", "true")]);
        let inner = world.command(TRANSIENT);
        let mut command = Command::new("sh");
        // What is ignored stays so in who is started: writing is an error then, not a signal.
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        command.args(["-c", &limit]).arg(inner.get_program()).args(inner.get_args());
        command.env_clear().current_dir(world.place.path("."));
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = Ran::from(command.output().expect("it starts"));
        assert_ne!(ran.code, Some(0), "{}", ran.stderr);
        world.look(&format!("{blocks} blocks"), &ran, May::Nothing);
    }
}

#[test]
fn locks_in_a_consul_that_wants_a_token() {
    let world = World::new(&[step("a", "false")]);
    let consul = Fake::start().expect("a port");
    consul.demand(&canary("Consul token"));
    let at = format!("--consul {}", consul.address());
    world.run(&format!("{TRANSIENT} --lock locks {at}"), 1);
    world.clean("the lock", consul.get("locks").expect("it is held").as_bytes(), May::Nothing);
    for request in consul.requests() {
        world.clean("a request to Consul", request.as_bytes(), May::Nothing);
    }
    world.run(&format!("{TRANSIENT} --soft-lock locks {at}"), 17);
    for line in ["status", "status --json", "break --yes"] {
        let code = if line.starts_with("status") { 17 } else { 0 };
        world.run(&format!("lock {line} --lock locks {at} --log-level debug"), code);
    }
    for (request, trick) in [("GET", Trick::NoLeader), ("PUT", Trick::DoneAndLost)] {
        consul.trick(request, trick);
        world.run(&format!("{TRANSIENT} --soft-lock locks {at}"), 1);
    }
    consul.demand("another");
    for line in ["lock status", "lock break --yes"] {
        world.run(&format!("{line} --lock locks {at}"), 4);
    }
    world.run(&format!("{TRANSIENT} --lock locks {at}"), 4);
}

//! What is killed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use dataflow_runner_core::event::Outcome;
use dataflow_runner_core::fabric::dataproc::fake as dataproc;
use dataflow_runner_core::fabric::emr::fake::{Script, StepScript};
use dataflow_runner_core::fabric::yarn::fake as yarn;

use super::scenario::{Again, Scenario};
use super::world::World;
use crate::harness::{Place, cluster, emr_cluster, emr_playbook, playbook, script};

/// All of them.
pub(super) const ALL: [Scenario; 25] = [
    LOCAL_TRANSIENT,
    LOCAL_CHAIN,
    LOCAL_GRAPH,
    LOCAL_UP,
    LOCAL_DOWN,
    LOCAL_CANCEL,
    LOCAL_RESUME,
    EMR_TRANSIENT,
    EMR_CHAIN,
    EMR_GRAPH,
    EMR_UP,
    EMR_DOWN,
    EMR_CANCEL,
    EMR_RESUME,
    YARN_CHAIN,
    YARN_GRAPH,
    YARN_CANCEL,
    YARN_RESUME,
    DATAPROC_TRANSIENT,
    DATAPROC_CHAIN,
    DATAPROC_GRAPH,
    DATAPROC_UP,
    DATAPROC_DOWN,
    DATAPROC_CANCEL,
    DATAPROC_RESUME,
];

const TRANSIENT: &str = "run-transient --config c.json --playbook p.json";
const RUN: &str = "run --config c.json --playbook p.json --cluster CLUSTER";
const RUN_AT_HOME: &str = "run --config c.json --playbook p.json";
const UP: &str = "up --config c.json";
const DOWN: &str = "down --config c.json --cluster CLUSTER";

fn succeeded(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Succeeded)
}

fn interrupted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Interrupted { left: false, .. })
}

pub(super) const LOCAL_TRANSIENT: Scenario = Scenario {
    name: "a transient chain, local",
    world: || local(&[("a", "", ""), ("b", "", "")]),
    command: TRANSIENT,
    again: Again::Attach,
    code: 0,
    outcome: succeeded,
    began: &[("a", 1), ("b", 1)],
    prints_cluster: false,
    clusters: (1, 0),
};

pub(super) const LOCAL_CHAIN: Scenario = Scenario {
    name: "a chain on a living cluster, local",
    // The first runs on while whoever started it is dead.
    world: || local(&[("a", "; sleep 0.1", ""), ("b", "", "")]).with_cluster(),
    command: RUN,
    clusters: (1, 1),
    ..LOCAL_TRANSIENT
};

pub(super) const LOCAL_GRAPH: Scenario = Scenario {
    name: "a graph with retries, local",
    world: || {
        local(&[
            ("a", "", r#", "dependsOn": []"#),
            ("b", AT_THE_THIRD, r#", "dependsOn": ["a"], "retries": {"maxAttempts": 3}"#),
            ("c", "", r#", "dependsOn": []"#),
            (
                "d",
                "; exit 1",
                r#", "dependsOn": ["c"], "retries": {"maxAttempts": 2}, "actionOnFailure": "SKIP_DEPENDENTS""#,
            ),
            ("e", "", r#", "dependsOn": ["b", "c"]"#),
        ])
    },
    code: 1,
    outcome: |outcome| matches!(outcome, Outcome::Failed { failed: 1, .. }),
    began: &[("a", 1), ("b", 3), ("c", 1), ("d", 2), ("e", 1)],
    ..LOCAL_TRANSIENT
};

pub(super) const LOCAL_UP: Scenario = Scenario {
    name: "up, local",
    world: || local(&[("a", "", "")]),
    command: UP,
    prints_cluster: true,
    began: &[("a", 0)],
    clusters: (1, 1),
    ..LOCAL_TRANSIENT
};

pub(super) const LOCAL_DOWN: Scenario = Scenario {
    name: "down, local",
    world: || local(&[("a", "", "")]).with_cluster(),
    command: DOWN,
    began: &[("a", 0)],
    ..LOCAL_TRANSIENT
};

pub(super) const LOCAL_CANCEL: Scenario = Scenario {
    name: "cancel, local",
    world: || {
        let world = local(&[("a", "", ""), ("b", "; sleep 1000", ""), ("c", "", "")]);
        abandoned(&world, TRANSIENT, "Step 'b' with id");
        world.remember()
    },
    command: "cancel last",
    again: Again::Always,
    outcome: interrupted,
    began: &[("a", 1), ("b", 1), ("c", 0)],
    ..LOCAL_TRANSIENT
};

pub(super) const LOCAL_RESUME: Scenario = Scenario {
    name: "resume, local",
    world: || {
        let world = local(&[("a", "", ""), ("b", AT_THE_SECOND, ""), ("c", "", "")]);
        world.done(TRANSIENT, 1);
        world.remember()
    },
    command: "resume last",
    again: Again::Same,
    began: &[("a", 1), ("b", 2), ("c", 1)],
    clusters: (2, 0),
    ..LOCAL_TRANSIENT
};

pub(super) const EMR_TRANSIENT: Scenario = Scenario {
    name: "a transient chain, emr",
    world: || emr(Script::default()),
    ..LOCAL_TRANSIENT
};

pub(super) const EMR_CHAIN: Scenario = Scenario {
    name: "a chain on a living cluster, emr",
    world: || emr(Script::default()).with_cluster(),
    command: RUN,
    clusters: (1, 1),
    ..EMR_TRANSIENT
};

pub(super) const EMR_GRAPH: Scenario = Scenario {
    name: "a graph with retries, emr",
    world: || {
        let mut fates = Script::default().step("d", StepScript::fails(60));
        let thrice = [StepScript::fails(60), StepScript::fails(60), StepScript::completes(60)];
        fates.steps.insert("b".to_owned(), thrice.into());
        let place = Place::new().with("c.json", emr_cluster());
        World::emr(place.with("p.json", graph()), fates)
    },
    code: LOCAL_GRAPH.code,
    outcome: LOCAL_GRAPH.outcome,
    began: LOCAL_GRAPH.began,
    ..EMR_TRANSIENT
};

pub(super) const EMR_UP: Scenario = Scenario {
    name: "up, emr",
    world: || emr(Script::default()),
    command: UP,
    prints_cluster: true,
    began: &[("a", 0)],
    clusters: (1, 1),
    ..EMR_TRANSIENT
};

pub(super) const EMR_DOWN: Scenario = Scenario {
    name: "down, emr",
    world: || emr(Script::default()).with_cluster(),
    command: DOWN,
    began: &[("a", 0)],
    ..EMR_TRANSIENT
};

pub(super) const EMR_CANCEL: Scenario = Scenario {
    name: "cancel, emr",
    world: || {
        let world = emr(Script::default().step("b", StepScript::never_ends()));
        abandoned(&world, TRANSIENT, "Step 'a' with id");
        world.remember()
    },
    command: "cancel last",
    again: Again::Always,
    outcome: interrupted,
    began: &[("a", 1), ("b", 1)],
    ..EMR_TRANSIENT
};

pub(super) const EMR_RESUME: Scenario = Scenario {
    name: "resume, emr",
    world: || {
        let mut script = Script::default();
        let twice = [StepScript::fails(60), StepScript::completes(60)];
        script.steps.insert("a".to_owned(), twice.into());
        let world = emr(script);
        world.done(TRANSIENT, 1);
        world.remember()
    },
    command: "resume last",
    again: Again::Same,
    began: &[("a", 2), ("b", 2)],
    clusters: (2, 0),
    ..EMR_TRANSIENT
};

pub(super) const YARN_CHAIN: Scenario = Scenario {
    name: "a chain, yarn",
    world: || at_home(yarn::Script::default(), &chain()),
    command: RUN_AT_HOME,
    began: &[("a", 1), ("b", 1), ("c", 1)],
    clusters: (0, 0),
    ..LOCAL_TRANSIENT
};

pub(super) const YARN_GRAPH: Scenario = Scenario {
    name: "a graph with retries, yarn",
    world: || {
        let [good, bad] = [0, 1].map(|code| yarn::StepScript::exits(code, 60));
        let fates = yarn::Script::default().step("d", bad.clone());
        at_home(fates.attempts("b", [bad.clone(), bad, good]), &graph())
    },
    code: LOCAL_GRAPH.code,
    outcome: LOCAL_GRAPH.outcome,
    began: LOCAL_GRAPH.began,
    ..YARN_CHAIN
};

pub(super) const YARN_CANCEL: Scenario = Scenario {
    name: "cancel, yarn",
    world: || {
        let child = yarn::ChildScript::never_ends("MAPREDUCE");
        let endless = yarn::StepScript::never_ends().starting(child);
        let world = at_home(yarn::Script::default().step("b", endless), &chain());
        abandoned(&world, RUN_AT_HOME, "Step 'b' with id");
        world.remember()
    },
    command: "cancel last",
    again: Again::Always,
    outcome: interrupted,
    began: &[("a", 1), ("b", 1), ("c", 0)],
    ..YARN_CHAIN
};

pub(super) const YARN_RESUME: Scenario = Scenario {
    name: "resume, yarn",
    world: || {
        let [good, bad] = [0, 1].map(|code| yarn::StepScript::exits(code, 60));
        let world = at_home(yarn::Script::default().attempts("b", [bad, good]), &chain());
        world.done(RUN_AT_HOME, 1);
        world.remember()
    },
    command: "resume last",
    again: Again::Same,
    began: &[("a", 1), ("b", 2), ("c", 1)],
    ..YARN_CHAIN
};

pub(super) const DATAPROC_TRANSIENT: Scenario = Scenario {
    name: "a transient chain, dataproc",
    world: || on_dataproc(dataproc::Script::default(), &chain()),
    began: YARN_CHAIN.began,
    ..LOCAL_TRANSIENT
};

pub(super) const DATAPROC_CHAIN: Scenario = Scenario {
    name: "a chain on a living cluster, dataproc",
    world: || on_dataproc(dataproc::Script::default(), &chain()).with_cluster(),
    command: RUN,
    clusters: (1, 1),
    ..DATAPROC_TRANSIENT
};

pub(super) const DATAPROC_GRAPH: Scenario = Scenario {
    name: "a graph with retries on a living cluster, dataproc",
    world: || {
        let [good, bad] = [0, 1].map(|code| dataproc::StepScript::exits(code, 60));
        let fates = dataproc::Script::default().step("d", bad.clone());
        on_dataproc(fates.attempts("b", [bad.clone(), bad, good]), &graph()).with_cluster()
    },
    command: RUN,
    code: LOCAL_GRAPH.code,
    outcome: LOCAL_GRAPH.outcome,
    began: LOCAL_GRAPH.began,
    clusters: (1, 1),
    ..DATAPROC_TRANSIENT
};

pub(super) const DATAPROC_UP: Scenario = Scenario {
    name: "up, dataproc",
    command: UP,
    prints_cluster: true,
    began: &[("a", 0)],
    clusters: (1, 1),
    ..DATAPROC_TRANSIENT
};

pub(super) const DATAPROC_DOWN: Scenario = Scenario {
    name: "down, dataproc",
    world: DATAPROC_CHAIN.world,
    command: DOWN,
    began: &[("a", 0)],
    ..DATAPROC_TRANSIENT
};

pub(super) const DATAPROC_CANCEL: Scenario = Scenario {
    name: "cancel, dataproc",
    world: || {
        let endless = dataproc::StepScript::never_ends();
        let world = on_dataproc(dataproc::Script::default().step("b", endless), &chain());
        abandoned(&world, TRANSIENT, "Step 'b' with id");
        world.remember()
    },
    command: "cancel last",
    again: Again::Always,
    outcome: interrupted,
    began: &[("a", 1), ("b", 1), ("c", 0)],
    ..DATAPROC_TRANSIENT
};

pub(super) const DATAPROC_RESUME: Scenario = Scenario {
    name: "resume, dataproc",
    world: || {
        let [good, bad] = [0, 1].map(|code| dataproc::StepScript::exits(code, 60));
        let world = on_dataproc(dataproc::Script::default().attempts("b", [bad, good]), &chain());
        world.done(TRANSIENT, 1);
        world.remember()
    },
    command: "resume last",
    again: Again::Same,
    began: &[("a", 1), ("b", 2), ("c", 1)],
    clusters: (2, 0),
    ..DATAPROC_TRANSIENT
};

/// What a step does that succeeds when it is begun for the second time, and for the third.
const AT_THE_SECOND: &str = r#"; [ "$(wc -l < "$ran")" -ge 2 ]"#;
const AT_THE_THIRD: &str = r#"; [ "$(wc -l < "$ran")" -ge 3 ]"#;

/// A world on this machine with these steps: each tells that it was begun, and does the rest.
fn local(steps: &[(&str, &str, &str)]) -> World {
    let place = Place::new().with("c.json", cluster(r#", "slots": 2, "killAfterSeconds": 1"#));
    std::fs::create_dir(place.path("ran")).expect("a folder");
    let ran = place.path("ran");
    let steps: Vec<_> = steps
        .iter()
        .map(|(id, rest, more)| {
            let ran = ran.join(id).display().to_string();
            script(id, &format!(r#"ran='{ran}'; echo "$DATAFLOW_ATTEMPT" >> "$ran"{rest}"#), more)
        })
        .collect();
    World::local(place.with("p.json", playbook(&steps.join(","))))
}

/// A world on a far side with the steps `a` and `b`.
fn emr(script: Script) -> World {
    let place = Place::new().with("c.json", emr_cluster());
    World::emr(place.with("p.json", emr_playbook(&["a", "b"], "CANCEL_AND_WAIT")), script)
}

/// A world with a cluster that is there already.
fn at_home(fates: yarn::Script, playbook: &str) -> World {
    let fake = crate::yarn::start(fates);
    let place = Place::new().with("c.json", fake.cluster_file(""));
    World::yarn(place.with("p.json", playbook), fake)
}

/// A world on Dataproc, with credentials in a file of their own.
fn on_dataproc(fates: dataproc::Script, playbook: &str) -> World {
    let fake = crate::dataproc::start(fates, &["a", "b", "c", "d", "e"]);
    let cluster = fake.cluster_file_as(r#"{"file": "key.json"}"#, "");
    let key = fake.authorized_user().to_string();
    let place = Place::new().with("c.json", cluster).with("key.json", key);
    World::dataproc(place.with("p.json", playbook), fake)
}

/// A playbook of the steps `a`, `b` and `c`, one after the other.
fn chain() -> String {
    playbook(&["a", "b", "c"].map(|id| script(id, "", "")).join(","))
}

/// The playbook of [`LOCAL_GRAPH`], for a far side that is told what becomes of its steps.
fn graph() -> String {
    let steps = [
        ("a", "", r#", "dependsOn": []"#),
        ("b", "", r#", "dependsOn": ["a"], "retries": {"maxAttempts": 3}"#),
        ("c", "", r#", "dependsOn": []"#),
        (
            "d",
            "",
            r#", "dependsOn": ["c"], "retries": {"maxAttempts": 2}, "actionOnFailure": "SKIP_DEPENDENTS""#,
        ),
        ("e", "", r#", "dependsOn": ["b", "c"]"#),
    ];
    let steps: Vec<_> = steps.iter().map(|(id, rest, more)| script(id, rest, more)).collect();
    playbook(&steps.join(","))
}

/// Runs the playbook up to a message and the start of step `b`, and leaves it without anybody who drives it.
fn abandoned(world: &World, line: &str, text: &str) {
    let mut command = world.command(line);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut all = String::new();
    while !all.contains(text) {
        assert_ne!(said.read_line(&mut all).expect("text"), 0, "it ended: {all}");
    }
    while world.began("b") == 0 {
        std::thread::yield_now();
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    world.settle();
}

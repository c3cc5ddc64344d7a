use std::num::NonZeroU32;
use std::path::PathBuf;

use super::*;
use crate::config::playbook::{Program, StepType};
use crate::config::sample;
use crate::fabric::ExitCodes;
use crate::fabric::memory::Memory;

fn plan(edges: &[(&str, Option<&[&str]>)]) -> Result<Plan, Vec<String>> {
    let steps = edges.iter().map(|(id, needs)| {
        let mut step = sample::step(id, "true", &[]);
        step.depends_on = needs.map(|needs| needs.iter().map(|n| sample::text(n)).collect());
        step
    });
    let mut faults = Diagnostics::new();
    let plan = Plan::new(sample::playbook(steps.collect()), &mut faults);
    plan.ok_or_else(|| {
        faults.sorted().iter().map(|d| format!("{}: {}", d.code, d.message)).collect()
    })
}

#[test]
fn absent_needs_mean_the_step_before_and_empty_ones_none() {
    let plan = plan(&[("a", None), ("b", None), ("c", Some(&[])), ("d", Some(&["a", "c", "a"]))])
        .expect("valid");
    let needs: Vec<&[usize]> = (0..4).map(|step| plan.needs(step)).collect();
    assert_eq!(needs, [&[][..], &[0], &[], &[0, 2]]);
    assert_eq!(plan.needed_by(0), [1, 3]);
    assert_eq!(plan.stages(), [vec![0, 2], vec![1, 3]]);
}

#[test]
fn unknown_names_and_cycles_are_all_told() {
    let faults = plan(&[
        ("a", Some(&["nope"])),
        ("b", Some(&["c"])),
        ("c", Some(&["b"])),
        ("d", Some(&["d"])),
        ("e", Some(&["b"])),
    ]);
    let mut faults = faults.expect_err("invalid");
    faults.sort();
    assert_eq!(
        faults,
        [
            "dependency-cycle: step `d` needs itself",
            "dependency-cycle: steps wait for each other: `b` → `c` → `b`",
            "unknown-step: `dependsOn` names a step that does not exist",
        ]
    );
}

#[test]
fn a_long_cycle_is_told_in_short() {
    let ids: Vec<String> = (0..500).map(|n| format!("s{n}")).collect();
    let needs: Vec<[&str; 1]> = (0..500).map(|n| [ids[(n + 1) % 500].as_str()]).collect();
    let edges: Vec<_> =
        ids.iter().zip(&needs).map(|(id, need)| (id.as_str(), Some(&need[..]))).collect();
    let faults = plan(&edges).expect_err("invalid");
    assert_eq!(faults.len(), 1);
    assert!(faults[0].ends_with("`s6` → `s7` → … → `s0`"), "{faults:?}");
}

#[test]
fn only_a_plain_chain_is_one() {
    let chain = plan(&[("a", None), ("b", Some(&["a"]))]).expect("valid");
    assert!(chain.is_plain_chain());
    assert!(!plan(&[("a", None), ("b", Some(&[]))]).expect("valid").is_plain_chain());
    let with = |change: fn(&mut Step)| {
        let mut playbook = chain.playbook().expect("there is one").clone();
        change(&mut playbook.steps[1]);
        Plan::new(playbook, &mut Diagnostics::new()).expect("valid").is_plain_chain()
    };
    assert!(with(|step| step.rules.on_failure = OnFailure::Continue));
    assert!(!with(|step| step.rules.on_failure = OnFailure::SkipDependents));
    assert!(!with(|step| step.rules.timeout = Some(std::time::Duration::from_secs(1))));
    assert!(!with(|step| step.rules.on_result.terminate_job_with_success = vec![3]));
    assert!(!with(|step| step.rules.retries.max_attempts = NonZeroU32::new(2).expect("not zero")));
}

#[test]
fn what_a_fabric_cannot_do_is_refused_before_anything_starts() {
    let mut poor = Memory::usual();
    poor.step_types = &[StepType::Spark];
    poor.failure_rules = &[OnFailure::CancelAndWait];
    poor.exit_codes = ExitCodes::None;
    poor.cancel_running = false;
    let mut step = sample::step("a", "true", &[]);
    step.rules.on_failure = OnFailure::TerminateCluster;
    step.rules.on_result.terminate_job_with_success = vec![3];
    step.rules.timeout = Some(std::time::Duration::from_secs(1));
    let (playbook, mut faults) = (sample::playbook(vec![step]), Diagnostics::new());
    check(&playbook, &poor, &mut faults);
    let told: Vec<_> = faults.sorted().into_iter().map(|d| d.code).collect();
    let wanted = [
        "failure-rule-not-on-fabric",
        "no-cancel-on-fabric",
        "no-exit-codes-on-fabric",
        "step-type-not-on-fabric",
    ];
    assert_eq!(told, wanted);
    let mut none = Diagnostics::new();
    check(&playbook, &Memory::usual(), &mut none);
    assert!(none.is_empty(), "{none:?}");
}

#[test]
fn files_beside_the_playbook_are_told() {
    let mut step = sample::step("a", "./count.sh", &["./not-a-file"]);
    step.work.files =
        vec![sample::text("../lib/x.txt"), sample::text("s3://bucket/y"), sample::text("/etc/z")];
    let mut playbook = sample::playbook(vec![step]);
    playbook.source = std::sync::Arc::new(crate::source::Source::new("books/p.json", ""));
    let plan = Plan::new(playbook, &mut Diagnostics::new()).expect("valid");
    let files: Vec<_> = plan
        .local_files()
        .into_iter()
        .map(|(name, file)| (name.shown().to_owned(), file.path))
        .collect();
    assert_eq!(
        files,
        [
            ("./count.sh".to_owned(), PathBuf::from("books/./count.sh")),
            ("../lib/x.txt".to_owned(), PathBuf::from("books/../lib/x.txt")),
        ]
    );
}

#[test]
fn what_emrs_own_jars_run_may_lie_beside_the_playbook() {
    let local = |jar: &str| {
        let mut step = sample::step("a", "true", &["./run.sh", "./argument"]);
        step.work.program = Program::CustomJar { jar: sample::text(jar), main_class: None };
        let plan = Plan::new(sample::playbook(vec![step]), &mut Diagnostics::new()).expect("valid");
        plan.local_files().into_iter().map(|(name, _)| name.shown().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(local("command-runner.jar"), ["./run.sh"]);
    assert_eq!(
        local("s3://eu-west-1.elasticmapreduce/libs/script-runner/script-runner.jar"),
        ["./run.sh"]
    );
    assert_eq!(local("other.jar"), [""; 0]);
}

#[test]
fn files_beside_the_playbook_must_be_there_and_be_files() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("there"), "").expect("it can be written");
    let mut step = sample::step("a", "true", &[]);
    step.work.files = ["./there", "./gone", "./"].map(sample::text).to_vec();
    let mut playbook = sample::playbook(vec![step]);
    let path = folder.path().join("p.json").display().to_string();
    playbook.source = std::sync::Arc::new(crate::source::Source::new(path, ""));
    let mut faults = Diagnostics::new();
    check_files(&playbook, &mut faults);
    let codes: Vec<_> = faults.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["missing-file", "not-a-file"]);
}

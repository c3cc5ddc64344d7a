//! Steps that run as they should.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use dataflow_runner_core::config::playbook::Program;
use dataflow_runner_core::fabric::{
    ErrorKind, Fabric, LocalFile, Order, OrderedStep, StepState, Token, Uri,
};
use dataflow_runner_core::secret::Text;
use dataflow_runner_core::source::Span;
use jiff::Timestamp;

use crate::bench::{Bench, command, config, step, text};

pub fn a_step_has_its_own_folder_and_environment() {
    let bench = Bench::new();
    let script = r#"pwd; ls -A; echo "$ADDED"; echo "$DATAFLOW_CLUSTER $DATAFLOW_STEP"
        echo "$DATAFLOW_ATTEMPT $PATH"; echo shared > "$DATAFLOW_WORK/x"; touch y; cat"#;
    let one = bench.script("r-1.2.1", script);
    let status = bench.end(&one);
    assert_eq!(status.state, StepState::Succeeded, "{status:?}");
    let (started, ended) = (status.started.unwrap(), status.ended.unwrap());
    assert!(started <= ended);
    let cluster = bench.work_folder().join(bench.cluster.as_str());
    let expected = format!(
        "{}\nby configuration\n{} step\n1 {}\n",
        cluster.join("steps").join(one.as_str()).display(),
        bench.cluster,
        std::env::var("PATH").unwrap(),
    );
    assert_eq!(bench.log(&one, "stdout"), expected);
    let two = bench.submit("r-1.3.1", &command(&["cat", "work://x", "y"])).unwrap();
    let status = bench.end(&two);
    assert_eq!((status.state, status.exit_code), (StepState::Failed, Some(1)), "y is the other's");
    assert_eq!(bench.log(&two, "stdout"), "shared\n");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&cluster), mode(&bench.logs(&one))), (0o700, 0o700));
    let controller = bench.log(&one, "controller");
    assert!(controller.contains(&format!("{one} on {}\n  run: ", bench.cluster)), "{controller}");
    assert!(controller.contains("environment added: ADDED, DATAFLOW_CLUSTER,"), "{controller}");
    assert!(controller.contains("ended with exit code 0 after 0."), "{controller}");
}

pub fn files_lie_in_the_folder() {
    let bench = Bench::new();
    let path = bench.folder.path().join("beside.sh");
    fs::write(&path, "#!/bin/sh\necho \"$1\" \"$(cat data.txt)\" \"$0\"\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let data = bench.folder.path().join("data.txt");
    fs::write(&data, "data").unwrap();
    let stage = |path: &Path| bench.local.stage(&LocalFile { path: path.to_owned() }).unwrap();
    let staged: BTreeMap<String, Uri> =
        [("./beside.sh".to_owned(), stage(&path)), ("../data.txt".to_owned(), stage(&data))].into();
    let mut step = command(&["./beside.sh", "argument"]);
    step.work.files = vec![text("../data.txt")];
    let token = Token::new("r-1.2.1");
    let steps = vec![OrderedStep { step: &step, attempt: 2, staged: &staged }];
    let order = Order {
        token: &token,
        intended: Timestamp::UNIX_EPOCH,
        foreign: false,
        along: false,
        ids: &[],
        others: &[],
        steps,
    };
    let id = bench.local.submit(&bench.cluster, &order).unwrap().remove(0);
    assert_eq!(id.as_str(), "step.2.r-1.2.1");
    let status = bench.end(&id);
    assert_eq!(status.state, StepState::Succeeded, "{}", bench.log(&id, "stderr"));
    assert_eq!(bench.log(&id, "stdout"), format!("argument data {}\n", staged["./beside.sh"].0));
}

pub fn the_types_of_steps_that_need_no_tool() {
    let bench = Bench::new();
    let jar = |jar: &str| Program::CustomJar { jar: text(jar), main_class: None };
    let runner = step(jar("command-runner.jar"), &["sh", "-c", "echo command > $0", "work://one"]);
    let id = bench.submit("r-1.2.1", &runner).unwrap();
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    let script = bench.folder.path().join("script");
    fs::write(&script, "echo \"script $1\" > \"$2\"; exit 4").unwrap();
    let runner = step(
        jar("s3://region.elasticmapreduce/libs/script-runner/script-runner.jar"),
        &[script.to_str().unwrap(), "a b", "work://two"],
    );
    let id = bench.submit("r-1.3.1", &runner).unwrap();
    assert_eq!(bench.end(&id).exit_code, Some(4), "{}", bench.log(&id, "stderr"));
    let (source, destination) =
        (text("work://"), text(bench.folder.path().join("to").to_str().unwrap()));
    let copy = step(Program::Copy { source, destination, pattern: Some(text("t*")) }, &[]);
    let id = bench.submit("r-1.4.1", &copy).unwrap();
    assert_eq!(bench.end(&id).state, StepState::Succeeded, "{}", bench.log(&id, "stderr"));
    assert_eq!(bench.log(&id, "stdout"), "1 files, 11 bytes copied\n");
    assert_eq!(fs::read_to_string(bench.folder.path().join("to/two")).unwrap(), "script a b\n");
}

pub fn logs_are_read_piece_by_piece() {
    let bench = Bench::new();
    // Every byte there is, 1,000 times.
    let all: Vec<u8> = (0..=255).cycle().take(256_000).collect();
    fs::write(bench.folder.path().join("bytes"), &all).unwrap();
    let id = bench.script("r-1.2.1", "cat \"$0/bytes\"; echo done >&2");
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    // Also when the cluster is gone, and by another program.
    fs::remove_dir_all(bench.work_folder().join(bench.cluster.as_str())).unwrap();
    let (other, _) = bench.another();
    let logs = other.logs(&bench.cluster, &id).unwrap();
    let names: Vec<_> = logs.iter().map(|log| (log.name.as_str(), log.size)).collect();
    assert_eq!(names[..2], [("stderr", Some(5)), ("stdout", Some(256_000))]);
    assert_eq!(names[2].0, "controller");
    let mut bytes = Vec::new();
    loop {
        let chunk = other.read(&logs[1], bytes.len() as u64).unwrap();
        assert!(chunk.bytes.len() <= 65_536 && (chunk.at_end || !chunk.bytes.is_empty()));
        bytes.extend(chunk.bytes);
        if chunk.at_end {
            break;
        }
    }
    assert!(bytes == all, "{} bytes", bytes.len());
    let behind = other.read(&logs[0], 1_000).unwrap();
    assert!(behind.bytes.is_empty() && behind.at_end);
    fs::remove_dir_all(bench.logs(&id)).unwrap();
    assert_eq!(other.logs(&bench.cluster, &id).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(other.read(&logs[0], 0).unwrap_err().kind, ErrorKind::NotFound);
}

pub fn ten_megabytes_on_both_streams() {
    let bench = Bench::new();
    let id = bench.script("r-1.2.1", "head -c 10000000 /dev/zero; head -c 10000000 /dev/zero >&2");
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    for name in ["stdout", "stderr"] {
        assert_eq!(bench.logs(&id).join(name).metadata().unwrap().len(), 10_000_000);
    }
}

pub fn no_secret_is_written_anywhere() {
    let mut config = config(Duration::from_secs(60));
    let secret = |shown: &str| {
        Text::with_secrets(
            shown.replace('X', "hunter2"),
            shown.replace('X', "‹systemEnv P›"),
            Span::at(0),
        )
    };
    config.environment = [("PASSWORD".to_owned(), secret("X"))].into();
    let bench = Bench::with(config);
    let mut step = command(&["sh", "-c", "test \"${#PASSWORD} $1\" = \"7 p=$PASSWORD\"", "sh"]);
    step.work.arguments.push(secret("p=X"));
    let id = bench.submit("r-1.2.1", &step).unwrap();
    assert_eq!(bench.end(&id).state, StepState::Succeeded);
    let controller = bench.log(&id, "controller");
    assert!(controller.contains("sh 'p=‹systemEnv P›'\n"), "{controller}");
    let mut grep = std::process::Command::new("grep");
    let found = grep.args(["-r", "hunter2"]).arg(bench.folder.path()).output().unwrap();
    assert_eq!(found.status.code(), Some(1), "{found:?}");
}

pub fn five_hundred_at_once() {
    let bench = Bench::new();
    let (mut up, gate) = (bench.pipe("up"), bench.pipe("gate"));
    let script = r#"exec 3<"$0/gate"; echo up >"$0/up"; cat <&3"#;
    let ids: Vec<_> = (0..500).map(|n| bench.script(&format!("r-1.{n}.1"), script)).collect();
    for _ in &ids {
        assert_eq!(up.line(), "up");
    }
    let polled = bench.local.poll(&bench.cluster, &ids).unwrap();
    assert_eq!(polled.len(), 500);
    assert!(polled.iter().all(|(_, status)| status.state == StepState::Running));
    drop(gate);
    for id in &ids {
        assert_eq!(bench.end(id).state, StepState::Succeeded);
    }
}

pub fn staged_files() {
    let bench = Bench::new();
    let stage = |path: &Path| bench.local.stage(&LocalFile { path: path.to_owned() });
    let path = bench.folder.path().join("run me.sh");
    fs::write(&path, "one").unwrap();
    let one = stage(&path).unwrap();
    assert_eq!(stage(&path).unwrap(), one);
    assert!(Path::new(&one.0).is_absolute());
    // SHA-256 of "one".
    let digest = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    assert!(one.0.ends_with(&format!("staged/{digest}/run me.sh")), "{}", one.0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(stage(&path).unwrap(), one);
    assert_eq!(Path::new(&one.0).metadata().unwrap().permissions().mode() & 0o777, 0o755);
    fs::write(&path, "two").unwrap();
    let two = stage(&path).unwrap();
    assert_ne!(two, one);
    assert_eq!(fs::read_to_string(&one.0).unwrap(), "one", "it stays what it was");
    assert_eq!(stage(&bench.folder.path().join("absent")).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(stage(bench.folder.path()).unwrap_err().kind, ErrorKind::Config);
    let parts = fs::read_dir(bench.work_folder().join("staged")).unwrap().count();
    assert_eq!(parts, 2, "nothing but the two is left");
}

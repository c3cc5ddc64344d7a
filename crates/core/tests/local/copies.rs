//! What the program itself does as a step: s3-dist-cp.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use dataflow_runner_core::crash;
use dataflow_runner_core::fabric::StepState;
use dataflow_runner_core::fabric::local::dist_cp;

use crate::bench::{Bench, command, text};

/// The first argument that makes this binary copy, and die at the point of that number.
pub const KILLED: &str = "killed";

/// See [`KILLED`].
pub fn killed(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let at = arguments.next().and_then(|at| at.to_str()?.parse().ok());
    crash::arm(at, None);
    dist_cp::main(arguments, &mut std::io::stdout(), &mut std::io::stderr()).into()
}

/// Path → text, without what was not finished.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (!name.ends_with(".part")).then(|| (name, fs::read_to_string(entry.path()).unwrap()))
    };
    entries.filter_map(read).collect()
}

pub fn killed_while_it_copies() {
    let names = ["a1", "a2", "b1", "b2", "c1"];
    for options in [&["--srcPattern=.*"][..], &["--groupBy=.*/(.)[0-9]", "--outputCodec=none"]] {
        let mut points = 0;
        for at in 1.. {
            let folder = tempfile::tempdir().unwrap();
            let (from, to) = (folder.path().join("from"), folder.path().join("to"));
            fs::create_dir(&from).unwrap();
            for name in names {
                fs::write(from.join(name), format!("<{name}>")).unwrap();
            }
            let status = Command::new(std::env::current_exe().unwrap())
                .args([KILLED, &at.to_string(), "s3://b/in", "--deleteOnSuccess"])
                .args(["--src".as_ref(), from.as_os_str(), "--dest".as_ref(), to.as_os_str()])
                .args(options)
                .output()
                .unwrap()
                .status;
            let (left, written) = (tree(&from), tree(&to));
            for name in names {
                let text = format!("<{name}>");
                let is_written = written.values().any(|all| all.contains(&text));
                assert!(
                    is_written || left.get(name) == Some(&text),
                    "{options:?} {at}: {name} is lost"
                );
            }
            let is_whole = |(name, text): (&String, &String)| {
                text.split_inclusive('>').all(|one| one.contains(name.as_str()))
            };
            assert!(written.iter().all(is_whole), "{options:?} {at}: {written:?}");
            let groups = if options.len() == 1 { 5 } else { 3 };
            assert!(
                left.len() == names.len() || written.len() == groups,
                "{at}: removed too early"
            );
            if status.success() {
                assert!(left.is_empty());
                break;
            }
            points += 1;
        }
        assert_eq!(points, if options.len() == 1 { 20 } else { 16 }, "each point was reached");
    }
}

pub fn s3_dist_cp_in_a_step() {
    let bench = Bench::new();
    let (from, to) = (bench.folder.path().join("from"), bench.folder.path().join("to"));
    fs::create_dir(&from).unwrap();
    fs::write(from.join("part-0"), "1").unwrap();
    fs::write(from.join("part-1"), "2").unwrap();
    let words = ["s3-dist-cp", "--groupBy=.*/(part)-.*", "--s3Endpoint=x", "--src"];
    let mut step = command(&words);
    step.work
        .arguments
        .extend([&from, Path::new("--dest"), &to].map(|path| text(path.to_str().unwrap())));
    let id = bench.submit("r-1.2.1", &step).unwrap();
    let status = bench.end(&id);
    assert_eq!((status.state, status.exit_code), (StepState::Succeeded, Some(0)));
    assert_eq!(tree(&to), [("part".to_owned(), "12".to_owned())].into());
    assert_eq!(bench.log(&id, "stdout"), "1 files, 2 bytes written from 2 files\n");
    assert_eq!(bench.log(&id, "stderr"), "`--s3Endpoint=x` is ignored on this machine\n");
}

pub fn s3_dist_cp_that_fails() {
    let bench = Bench::new();
    let folder = bench.folder.path().to_str().unwrap();
    let step =
        command(&["s3-dist-cp", &format!("--src={folder}"), "--dest=/x", "--srcPattern=nothing"]);
    let id = bench.submit("r-1.2.1", &step).unwrap();
    let status = bench.end(&id);
    assert_eq!((status.state, status.exit_code), (StepState::Failed, Some(1)));
    assert!(bench.log(&id, "stderr").contains("no file is to be copied"));
}

//! What is put into HDFS, and how many requests that and all else take.

use serde_json::json;

use super::*;
use crate::fabric::yarn::fake::{Fault, Refusal};

/// A step may take so many, the questions left out that are asked once a tick for all.
const MOST: usize = 12;

const STAGING: &str = "/user/alice/.dataflow-runner";

/// What a step with a time limit takes from when its order is intended until it is on its way.
fn ordering(there: &There, yarn: &Yarn, order: u32) -> Vec<&'static str> {
    let mut step = command("a");
    step.rules.timeout = Some(Duration::from_secs(60));
    let staged = BTreeMap::new();
    there.asked(|| {
        let ids = yarn.reserve(&there.home, 1).expect("ids are given out");
        let sent =
            there.ordering(order, &step, &ids, &staged, |order| yarn.submit(&there.home, order));
        assert_eq!(sent, Ok(ids));
    })
}

#[test]
fn a_step_takes_few_requests_wherever_and_whenever_it_is_ordered() {
    let there = There::new(Script::default());
    // Not even the home of the user is there.
    let first = ordering(&there, &there.yarn, 1);
    assert_eq!(
        first,
        [
            "conf",
            "conf",
            "GETFILESTATUS",
            "MKDIRS",
            "MKDIRS",
            "CREATE",
            "CREATE data",
            "RENAME",
            "GETFILESTATUS",
            "new-application",
            "submit",
            "timeout",
        ],
    );
    assert!(first.len() <= MOST);
    let next = ["new-application", "submit", "timeout"];
    assert_eq!(ordering(&there, &there.yarn, 2), next);
    let another_process = fabric(&there.fake.cluster_file(""));
    let again = ordering(&there, &another_process, 3);
    assert_eq!(again[..3], ["conf", "conf", "GETFILESTATUS"]);
    assert_eq!(again[3..], next);
    assert_eq!(ordering(&there, &another_process, 4), next);
}

#[test]
fn a_file_is_put_there_once() {
    let (_folder, path) = file("run.sh", b"exit 0");
    let there = There::new(Script::default());
    there.reserve(1);
    let stage = |yarn: &Yarn| {
        there.asked(|| drop(yarn.stage(&LocalFile { path: path.clone() }).expect("it is staged")))
    };
    let put = ["GETFILESTATUS", "MKDIRS", "CREATE", "CREATE data", "RENAME"];
    assert_eq!(stage(&there.yarn), put);
    assert_eq!(stage(&there.yarn), ["GETFILESTATUS"]);
    let another_process = fabric(&there.fake.cluster_file(""));
    assert_eq!(stage(&another_process), ["conf", "conf", "GETFILESTATUS", "GETFILESTATUS"]);
}

#[test]
fn our_folders_are_for_us_alone_and_those_above_are_for_all() {
    let (_folder, path) = file("run.sh", b"exit 0");
    for staging in [STAGING, "/data/team/etl/staging", "/staging"] {
        let there = There::with(Script::default(), &format!(r#", "stagingFolder": "{staging}""#));
        let uri = there.yarn.stage(&LocalFile { path: path.clone() }).expect("it is staged");
        there.fake.world(|world| {
            let rights = |path: &str| world.files.get(path).map(|file| file.rights.clone());
            for (end, _) in uri.0.match_indices('/').skip(1) {
                let folder = &uri.0[..end];
                let expected = if folder.starts_with(staging) { "700" } else { "755" };
                assert_eq!(rights(folder).as_deref(), Some(expected), "{folder}");
            }
            assert_eq!(rights(&uri.0).as_deref(), Some("600"));
        });
    }
    // What was there before is as it was.
    let there = There::new(Script::default());
    there.fake.world(|world| world.files.make("/user/alice", "750", 1));
    there.yarn.stage(&LocalFile { path }).expect("it is staged");
    there.fake.world(|world| {
        assert_eq!(world.files.get("/user/alice").map(|it| it.rights.as_str()), Some("750"));
    });
}

#[test]
fn nobody_sees_half_a_file() {
    let (_folder, path) = file("big", &[7; 300_000]);
    let there = There::new(Script::default());
    there.reserve(1);
    let stage = || there.yarn.stage(&LocalFile { path: path.clone() });
    let refusal = || Fault::Refuse(Refusal::new(403, "AccessControlException", "no"));
    for operation in ["CREATE data", "RENAME"] {
        there.fake.fail(operation, .., refusal());
        assert_eq!(stage().expect_err("it is refused").kind, ErrorKind::Auth);
        there.fake.heal();
        there.fake.world(|world| {
            let inside = format!("{STAGING}/files/");
            let left: Vec<_> = world.files.paths().filter(|it| it.starts_with(&inside)).collect();
            assert_eq!(left.len(), 1, "only the folder: {left:?}");
        });
    }
    let uri = stage().expect("it is staged");
    let bytes = there.fake.world(|world| world.files.get(&uri.0).and_then(|it| it.bytes.clone()));
    assert_eq!(bytes, Some(vec![7; 300_000]));
}

/// Between our question and our order somebody else has put the same there.
#[test]
fn who_was_faster_is_good_enough() {
    let (_folder, path) = file("x", b"content");
    let there = There::new(Script::default());
    let uri = there.yarn.stage(&LocalFile { path: path.clone() }).expect("it is staged");
    let missing = Refusal::new(404, "FileNotFoundException", "File does not exist");
    let next = there.fake.calls("GETFILESTATUS") + 1;
    there.fake.fail("GETFILESTATUS", next..=next, Fault::Refuse(missing));
    let asked = there.asked(|| {
        assert_eq!(there.yarn.stage(&LocalFile { path: path.clone() }), Ok(uri.clone()));
    });
    assert_eq!(asked[5..], ["DELETE", "GETFILESTATUS"]);
    there.fake.world(|world| {
        let folder = uri.0.rsplit_once('/').expect("a path").0;
        let inside = world.files.paths().filter(|it| it.starts_with(&format!("{folder}/"))).count();
        assert_eq!(inside, 1);
    });
}

/// Two machines may have processes of the same number, as containers do.
#[test]
fn nobody_writes_where_another_writes() {
    let (_folder, path) = file("x", b"content");
    let there = There::new(Script::default());
    for _ in 0..2 {
        let uri = there.yarn.stage(&LocalFile { path: path.clone() }).expect("it is staged");
        there.fake.world(|world| assert!(world.files.remove(&uri.0)));
    }
    let created = there.fake.requests();
    let created = created.iter().filter(|logged| logged.operation == "CREATE");
    let written: Vec<_> = created.map(|logged| logged.request.path().to_owned()).collect();
    assert_eq!(written.len(), 3, "the launcher, and the file twice");
    assert_ne!(written[1], written[2]);
}

#[test]
fn a_file_that_changes_on_its_way_is_not_staged() {
    for changed in [&b"Content"[..], b"cont", b"content and more"] {
        let (_folder, path) = file("x", b"content");
        let there = There::new(Script::default());
        there.reserve(1);
        let meanwhile = path.clone();
        there.fake.fail_by(move |operation| {
            if operation == "CREATE" {
                std::fs::write(&meanwhile, changed).expect("a file");
            }
            None
        });
        let error = there.yarn.stage(&LocalFile { path }).expect_err("it is another");
        assert_eq!((error.kind, error.effect), (ErrorKind::Config, Effect::None));
        assert!(error.message.ends_with("x` changed while it was read: start again"), "{error}");
        there.fake.world(|world| {
            let inside = format!("{STAGING}/files/");
            assert_eq!(world.files.paths().filter(|it| it.starts_with(&inside)).count(), 1);
        });
    }
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let there = There::new(Script::default());
    let error = there.yarn.stage(&LocalFile { path: "/not/there".into() }).expect_err("it is not");
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.starts_with("`/not/there` cannot be read: "), "{error}");
    assert_eq!(there.fake.calls("*"), 0);
}

/// A file of this machine, and the folder that goes with it.
fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("a file");
    (folder, path)
}

#[test]
fn files_are_brought_as_they_are_in_hdfs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run me.sh");
    std::fs::write(&path, "exit 0").expect("a file");
    let there = There::new(Script::default());
    let uri = there.yarn.stage(&LocalFile { path }).expect("it is staged");
    assert!(uri.0.starts_with("/user/alice/.dataflow-runner/files/"), "{uri:?}");
    let mut step = sample::step("a", "./bin/run me.sh", &[]);
    step.work.files.push(sample::text("hdfs:///jobs/pi.py"));
    let staged = BTreeMap::from([("./bin/run me.sh".to_owned(), uri.clone())]);
    let ids = there.reserve(1);
    let submit = || {
        let fabric = &there.yarn;
        there.ordering(2, &step, &ids, &staged, |order| fabric.submit(&there.home, order))
    };
    let missing = submit().expect_err("a file is not there");
    assert_eq!(missing.kind, ErrorKind::Config);
    assert_eq!(missing.message, "`hdfs:///jobs/pi.py` is not in HDFS");
    there.fake.world(|world| {
        world.files.make("/jobs", "755", 5);
        world.files.write("/jobs/pi.py", b"pi", "644", 5);
    });
    submit().expect("it is taken");
    there.fake.world(|world| {
        let app = world.application(ids[0].as_str()).expect("it is there");
        assert_eq!(app.program.as_ref().expect("read").words, ["./run me.sh"]);
        let entries = &app.order["am-container-spec"]["local-resources"]["entry"];
        let value =
            |at: usize| (entries[at]["key"].clone(), entries[at]["value"]["resource"].clone());
        assert_eq!(value(1), (json!("run me.sh"), json!(format!("hdfs://fake:9000{}", uri.0))));
        assert_eq!(value(2), (json!("pi.py"), json!("hdfs://fake:9000/jobs/pi.py")));
        assert!(app.state.is_alive(), "sizes and times are exact: {}", app.diagnostics);
    });
}

#[test]
fn a_copy_reads_what_lay_beside_the_playbook_from_hdfs() {
    let (_folder, path) = file("words.txt", b"to be");
    let there = There::new(Script::default());
    let uri = there.yarn.stage(&LocalFile { path }).expect("it is staged");
    let (source, destination) = ("./in/words.txt", "hdfs:///words");
    let [from, to] = [source, destination].map(sample::text);
    let step =
        sample::step_of("a", Program::Copy { source: from, destination: to, pattern: None }, &[]);
    let staged = BTreeMap::from([(source.to_owned(), uri.clone())]);
    let ids = there.reserve(1);
    there
        .ordering(1, &step, &ids, &staged, |order| there.yarn.submit(&there.home, order))
        .expect("it is taken");
    there.fake.world(|world| {
        let app = world.application(ids[0].as_str()).expect("it is there");
        let words = &app.program.as_ref().expect("read").words;
        assert_eq!(words[..], ["hadoop", "distcp", uri.0.as_str(), destination]);
    });
}

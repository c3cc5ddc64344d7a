//! Logs, wherever they are.

use super::*;
use crate::fabric::yarn::fake::{End, StepScript};

const TEXT: &str = "line 1\nLogContents:\nEnd of LogType:stdout\nline 2";

fn script() -> StepScript {
    StepScript::exits(0, 10).writing(TEXT, "oh\n")
}

/// All logs of a step as they are now, and where they are.
fn read(there: &There, id: &StepId) -> Vec<(String, String)> {
    let files = there.yarn.logs(&there.home, id).expect("it answers");
    let text = |file: &LogFile| {
        let chunk = there.yarn.read(file, 0).expect("it answers");
        assert!(chunk.at_end);
        let place = file.place.split(':').next().unwrap_or_default().to_owned();
        assert!(["stderr", "stdout"].contains(&file.name.as_str()));
        (place, String::from_utf8(chunk.bytes).expect("text"))
    };
    files.iter().map(text).collect()
}

fn both(place: &str) -> Vec<(String, String)> {
    ["oh\n", TEXT].map(|text| (place.to_owned(), text.to_owned())).to_vec()
}

#[test]
fn from_the_node_while_it_runs_and_then_from_where_the_launcher_left_them() {
    let there = There::new(Script::default().step("a", script()));
    let id = there.start(2, &command("a"));
    assert_eq!(read(&there, &id), [], "nothing has begun");
    there.pass(5);
    assert_eq!(read(&there, &id), both("node"));
    there.pass(10);
    assert_eq!(read(&there, &id), both("hdfs"));
    // Also when nobody knows the application any more.
    there.fake.world(|world| world.restart(false));
    assert_eq!(read(&there, &id), both("hdfs"));
}

#[test]
fn a_log_that_has_left_its_node_is_read_where_it_is_now() {
    let there = There::new(Script::default().step("a", script()));
    let id = there.start(2, &command("a"));
    there.pass(5);
    let files = there.yarn.logs(&there.home, &id).expect("it answers");
    let stdout = files.iter().find(|file| file.name == "stdout").expect("it is there");
    there.pass(10);
    let read = |from| there.yarn.read(stdout, from).expect("it answers");
    assert_eq!(read(0).bytes, TEXT.as_bytes());
    assert_eq!(read(5).bytes, &TEXT.as_bytes()[5..]);
    // Nowhere any more: there is nothing to tell.
    there.fake.world(|world| {
        world.restart(false);
        assert!(world.files.remove(&format!("/user/alice/.dataflow-runner/logs/{id}")));
    });
    assert_eq!(read(0), Chunk { bytes: Vec::new(), at_end: true });
}

#[test]
fn of_what_was_killed_the_history_has_them() {
    let endless = StepScript { runs: None, ..script() };
    let there = There::new(Script::default().step("a", endless.clone()));
    let id = there.start(2, &command("a"));
    there.pass(5);
    there.yarn.cancel(&there.home, std::slice::from_ref(&id)).expect("it is asked");
    there.pass(5);
    assert_eq!(read(&there, &id), both("history"));

    let out_of_memory = End::Container(-104, String::new());
    let there =
        There::new(Script::default().step("a", StepScript { end: out_of_memory, ..script() }));
    let id = there.start(2, &command("a"));
    there.pass(20);
    assert_eq!(read(&there, &id), both("history"));
}

#[test]
fn where_no_history_is_there_are_none() {
    let endless = StepScript { runs: None, ..script() };
    let there = There::new(Script::default().step("a", endless));
    let history = format!(r#" "historyServer": "{}","#, there.fake.history());
    let file = there.fake.cluster_file("");
    let yarn = fabric(&file.replace(&history, ""));
    let id = there.start(2, &command("a"));
    there.pass(5);
    yarn.cancel(&there.home, std::slice::from_ref(&id)).expect("it is asked");
    there.pass(5);
    assert_eq!(yarn.logs(&there.home, &id).expect("it answers"), []);
    let nowhere = LogFile { name: "x".to_owned(), place: "x".to_owned(), size: None };
    assert_eq!(yarn.read(&nowhere, 0).expect_err("it is nowhere").kind, ErrorKind::NotFound);
    let place = "history:/ws/v1/history/containerlogs/c/stdout".to_owned();
    let unread = LogFile { place, ..nowhere };
    assert_eq!(yarn.read(&unread, 0).expect_err("no history").kind, ErrorKind::Unsupported);
}

#[test]
fn a_long_log_comes_in_pieces() {
    let long = "0123456789abcdef".repeat(100_000);
    let there = There::new(Script::default().step("a", script().writing(&long, "")));
    let id = there.start(2, &command("a"));
    there.pass(30);
    let files = there.yarn.logs(&there.home, &id).expect("it answers");
    let file = files.iter().find(|file| file.name == "stdout").expect("it is there");
    let read = |from| there.yarn.read(file, from).expect("it answers");
    let first = read(0);
    assert_eq!((first.bytes.len(), first.at_end), (1 << 20, false));
    let rest = read(1 << 20);
    assert_eq!((rest.bytes.len(), rest.at_end), (1_600_000 - (1 << 20), true));
    assert_eq!([first.bytes, rest.bytes].concat(), long.as_bytes());
    let asked = there.asked(|| {
        assert_eq!(read(1_600_000), Chunk { bytes: Vec::new(), at_end: true });
    });
    assert_eq!(asked, [""; 0], "its size says that there is no more");
}

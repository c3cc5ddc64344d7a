use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::engine::state::RunState;
use crate::event::{EventKind, Goal, Outcome};
use crate::fabric::ClusterId;

fn header() -> Header {
    Header {
        version: VERSION,
        run: RunId::new("r-1"),
        program: "0.8.0".into(),
        created: Timestamp::UNIX_EPOCH,
        fabric: "local".into(),
        reach: BTreeMap::from([("workFolder".into(), "/data".into())]),
        time_zone: "Europe/Berlin".into(),
        noop_exit_code: 0,
    }
}

/// Events of a run that takes a cluster down.
fn events() -> Vec<Event> {
    let cluster = ClusterId::new("c-1");
    let kinds = [
        EventKind::RunStarted {
            run: RunId::new("r-1"),
            goal: Goal::Down,
            fabric: "local".into(),
            playbook: None,
            tags: BTreeMap::new(),
            steps: Vec::new(),
            cluster: Some(cluster),
            name: None,
            driver: None,
            max_parallel: None,
            left_out: Vec::new(),
        },
        EventKind::Warning { message: "a \"quoted\"\nname with \u{1F980} and ,\"sum\":\"".into() },
        EventKind::RunEnded { outcome: Outcome::Succeeded },
    ];
    let at = Timestamp::UNIX_EPOCH;
    kinds.into_iter().zip(1..).map(|(kind, seq)| Event { seq, at, kind }).collect()
}

struct Folder(tempfile::TempDir);

impl Folder {
    /// A state folder with one run in it.
    fn with_run() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder can be made"));
        let mut journal = Journal::create(folder.0.path(), &header()).expect("it can be made");
        for event in events() {
            journal.append(&event).expect("it can be written");
        }
        journal.sync().expect("it can be synced");
        folder
    }

    fn run(&self) -> PathBuf {
        folder(self.0.path(), &RunId::new("r-1"))
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.run().join(FILE)).expect("it is there")
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(self.run().join(FILE), bytes).expect("it can be written");
    }
}

#[test]
fn what_was_written_is_read() {
    let folder = Folder::with_run();
    let contents = read(&folder.run()).expect("it is whole");
    assert_eq!((contents.header, contents.events, contents.torn), (header(), events(), 0));
    assert_eq!(list(folder.0.path()).expect("there are runs"), [RunId::new("r-1")]);
    assert_eq!(list(&folder.0.path().join("none")).expect("there is no folder"), []);
}

#[test]
fn every_line_is_json_for_any_tool() {
    let folder = Folder::with_run();
    let text = String::from_utf8(folder.bytes()).expect("it is text");
    assert_eq!(text.lines().count(), 4);
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
        assert_eq!(value["sum"].as_str().map(str::len), Some(SUM_DIGITS));
    }
}

/// Wherever a crash tears the file, all whole lines are read, and it goes on from there.
#[test]
fn a_torn_tail_is_cut_and_the_journal_goes_on() {
    let folder = Folder::with_run();
    let whole = folder.bytes();
    let first = whole.iter().position(|&b| b == b'\n').expect("there is a header") + 1;
    for length in first..whole.len() {
        folder.write(&whole[..length]);
        let read = read(&folder.run()).unwrap_or_else(|error| panic!("{length}: {error}"));
        let lines = whole[..length].iter().filter(|&&b| b == b'\n').count();
        assert_eq!(read.events, events()[..lines - 1], "{length}");
        let (mut journal, resumed) = Journal::resume(&folder.run()).expect("it goes on");
        assert_eq!(resumed, read);
        for event in &events()[lines - 1..] {
            journal.append(event).expect("it can be written");
        }
        drop(journal);
        assert_eq!(folder.bytes(), whole, "the same bytes as without the crash");
    }
}

#[test]
fn a_file_torn_in_its_header_is_no_journal() {
    let folder = Folder::with_run();
    let whole = folder.bytes();
    for length in [0, 1, 20] {
        folder.write(&whole[..length]);
        let error = read(&folder.run()).expect_err("there is no header").to_string();
        assert!(error.ends_with("is damaged in line 1: there is no header"), "{error}");
    }
}

/// Any other change is refused: a bit, a line lost, doubled, or moved.
#[test]
fn damage_is_refused_and_its_line_named() {
    let folder = Folder::with_run();
    let whole = folder.bytes();
    let lines: Vec<&[u8]> = whole.split_inclusive(|&b| b == b'\n').collect();
    let refused = |bytes: Vec<u8>| {
        folder.write(&bytes);
        read(&folder.run()).expect_err("it is damaged").to_string()
    };
    let of = |order: &[usize]| order.iter().flat_map(|&n| lines[n]).copied().collect::<Vec<u8>>();
    assert!(refused(of(&[0, 2, 3])).contains("in line 2: its checksum does not fit"));
    assert!(refused(of(&[0, 1, 1, 2, 3])).contains("in line 3: its checksum does not fit"));
    assert!(refused(of(&[0, 2, 1, 3])).contains("in line 2: its checksum does not fit"));
    assert!(refused(of(&[1, 2, 3])).contains("in line 1"));
    assert!(refused([lines[0], b"\n"].concat()).contains("in line 2: it has no checksum"));
    assert!(refused([lines[0], b"\xff\n"].concat()).contains("in line 2: it is not text"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_changed_byte_is_misread(at in any::<prop::sample::Index>(), bits in 1..=255_u8) {
        let folder = Folder::with_run();
        let mut bytes = folder.bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= bits;
        folder.write(&bytes);
        if let Ok(contents) = read(&folder.run()) {
            // Only the end of the last line may go unseen: then that line is torn.
            prop_assert!(contents.torn > 0, "byte {} changed", at);
            prop_assert_eq!(&contents.events[..], &events()[..contents.events.len()]);
        }
    }
}

#[test]
fn one_writer_a_time_and_any_reader() {
    let folder = Folder::with_run();
    let (_held, _) = Journal::resume(&folder.run()).expect("nobody has it");
    assert!(Journal::resume(&folder.run()).expect_err("it is held").is_locked());
    assert!(read(&folder.run()).is_ok(), "to read needs no lock");
}

#[test]
fn a_run_is_removed_only_when_nobody_drives_it() {
    let folder = Folder::with_run();
    let (state, run) = (folder.0.path(), super::folder(folder.0.path(), &RunId::new("r-1")));
    let driver = Journal::resume(&run).expect("nobody else writes it");
    assert!(Held::take(&run).expect_err("somebody drives it").is_locked());
    drop(driver);
    let held = Held::take(&run).expect("nobody drives it");
    assert!(Journal::resume(&run).expect_err("it is to go").is_locked());
    assert_eq!(
        held.size().expect("it can be read"),
        fs::metadata(run.join(FILE)).expect("it is there").len()
    );
    // What was left when such a removal was broken off.
    let half = run.with_file_name(".removed-r-1");
    fs::create_dir_all(half.join("x")).expect("it can be made");
    assert_eq!(list(state).expect("it can be listed"), [RunId::new("r-1")]);
    held.remove().expect("it goes");
    assert_eq!((run.exists(), half.exists()), (false, false));
    fs::create_dir(&half).expect("it can be made");
    fs::write(half.join("y"), "123").expect("it can be written");
    assert_eq!(list(state).expect("it can be listed"), []);
    assert_eq!(sweep(state).expect("it is swept"), 3);
    assert_eq!((half.exists(), sweep(state).expect("nothing is left")), (false, 0));
    assert_eq!(sweep(&state.join("none")).expect("nothing is there"), 0);
    Journal::create(state, &header()).expect("there is no such run any more");
}

#[test]
fn a_run_is_made_once() {
    let folder = Folder::with_run();
    let error = Journal::create(folder.0.path(), &header()).expect_err("there is such a run");
    assert!(error.is_begun() && error.to_string().contains("there is a run in"), "{error}");
}

#[test]
fn an_unwritable_state_folder_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("it can be written");
    let error = Journal::create(&file, &header()).expect_err("a file is no folder").to_string();
    assert!(error.starts_with("cannot make the folder `"), "{error}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_look() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with_run();
    for path in [runs(folder.0.path()), folder.run()] {
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{path:?}");
    }
}

#[test]
fn once_broken_nothing_more_is_written() {
    let mut journal = Journal::in_memory(700);
    let mut failed = 0;
    for event in events().iter().cycle().take(20) {
        failed += usize::from(journal.append(event).is_err());
    }
    assert!(failed > 10, "{failed}");
    assert!(journal.sync().is_err(), "what could not be written is not synced");
}

#[test]
fn a_newer_journal_is_refused_as_such() {
    let folder = Folder::with_run();
    let newer = Header { version: VERSION + 1, ..header() };
    folder.write(seal(&newer, "").expect("it can be sealed").0.as_bytes());
    let error = read(&folder.run()).expect_err("it is newer").to_string();
    assert!(error.ends_with("has version 2, this program reads up to 1"), "{error}");
}

/// What was once written must be readable for ever: never change these files.
#[test]
fn journals_of_all_versions_load() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/journals");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("the fixtures are there") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_none_or(|end| end != "jsonl") {
            continue;
        }
        let bytes = fs::read(&path).expect("it can be read");
        let contents = parse(&bytes, &path).unwrap_or_else(|error| panic!("{error}"));
        let state = RunState::fold(&contents.events)
            .unwrap_or_else(|illegal| panic!("{path:?}: {illegal}"));
        assert!(state.outcome.is_some(), "{path:?} tells of a whole run");
        seen += 1;
    }
    assert!(seen >= 2, "{seen}");
}

#[test]
fn a_glance_tells_what_the_first_and_the_last_lines_tell() {
    for padding in [0, 10_000] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let run = super::folder(folder.path(), &header().run);
        let mut journal = Journal::create(folder.path(), &header()).expect("it is made");
        let glance = || glance(&run).expect("it is there");
        assert_eq!((glance().begun, glance().last, glance().driven), (None, None, true));
        let mut events = events();
        // Long playbooks make long first events, and long messages long last ones.
        if let EventKind::RunStarted { tags, name, .. } = &mut events[0].kind {
            tags.insert("long".to_owned(), "x".repeat(padding));
            *name = Some("nightly".to_owned());
        }
        events[1].kind = EventKind::Warning { message: "y".repeat(padding) };
        for (count, event) in (1..).zip(&events) {
            journal.append(event).expect("it is written");
            let glance = glance();
            assert_eq!(glance.header, header());
            let cluster = match &events[0].kind {
                EventKind::RunStarted { cluster, .. } => cluster.clone(),
                _ => None,
            };
            let (goal, name) = (Goal::Down, Some("nightly".into()));
            let begun = Begun { goal, playbook: None, name, cluster };
            assert_eq!(super::begun(&run).ok(), Some((header().created, Some(begun.clone()))));
            assert_eq!(glance.begun, Some(begun), "{padding}");
            assert_eq!(glance.last.as_ref(), Some(event), "{padding} {count}");
        }
        drop(journal);
        assert!(!glance().driven);
        // What was torn is no line.
        let path = run.join(FILE);
        let bytes = fs::read(&path).expect("it is there");
        fs::write(&path, &bytes[..bytes.len() - 1]).expect("it is written");
        assert_eq!(glance().last.as_ref(), Some(&events[1]), "{padding}");
    }
    assert!(glance(std::path::Path::new("nowhere")).is_err());
}

#[test]
fn a_pulse_changes_with_the_journal_and_its_driver() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let run = super::folder(folder.path(), &header().run);
    assert!(pulse(&run).is_err(), "there is none");
    let mut journal = Journal::create(folder.path(), &header()).expect("it is made");
    let begun = pulse(&run).expect("it is there");
    assert!(begun.driven);
    assert_eq!(pulse(&run).ok(), Some(begun), "nothing happened");
    journal.append(&events()[0]).expect("it is written");
    let grown = pulse(&run).expect("it is there");
    assert!(grown.length > begun.length && grown.driven);
    drop(journal);
    assert_eq!(pulse(&run).ok(), Some(Pulse { driven: false, ..grown }));
}

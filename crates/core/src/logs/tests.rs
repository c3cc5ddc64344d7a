//! From the bytes that a fabric gives to what a person sees.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use proptest::prelude::*;

use super::look::{Look, Seen, Whose};
use super::*;
use crate::bell::{Bell, Rung};
use crate::clock::Clock;
use crate::config::playbook::Playbook;
use crate::diagnostic::Diagnostics;
use crate::fabric::memory::Memory;
use crate::fabric::{
    Capabilities, Chunk, Clusters, ErrorKind, Found, LocalFile, Order, StepStatus, Uri,
};

/// A fabric that holds log files, and nothing else.
#[derive(Debug)]
pub(super) struct Files {
    files: Vec<(String, Vec<u8>)>,
    /// Bytes of a chunk.
    chunk: usize,
    capabilities: Capabilities,
    /// What it says instead of which files there are.
    refuses: Option<ErrorKind>,
    /// Each chunk takes ten seconds of this clock.
    slow: Option<Arc<Clock>>,
}

impl Files {
    fn new(files: Vec<(String, Vec<u8>)>) -> Self {
        Self { files, chunk: 1000, capabilities: Memory::usual(), refuses: None, slow: None }
    }

    pub(super) fn of(files: &[(&str, &[u8])]) -> Self {
        Self::new(files.iter().map(|(name, bytes)| ((*name).into(), bytes.to_vec())).collect())
    }

    pub(super) fn in_pieces_of(self, chunk: usize) -> Self {
        Self { chunk, ..self }
    }

    fn gather(&self, lines: usize) -> Findings {
        let id = StepId::new("s-1");
        gather(self, &ClusterId::new("j-1"), &id, lines, &mut || true).expect("logs are listed")
    }

    fn no<T>() -> Result<T> {
        Err(Error::new(ErrorKind::Unsupported, "files", "ask", "there are only files here"))
    }
}

impl Fabric for Files {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    fn check(&self, _: &Playbook, _: &mut Diagnostics) {}
    fn describe(&self, _: &Playbook) -> Vec<Vec<String>> {
        Vec::new()
    }
    fn is_on_cluster(&self, _text: &str) -> bool {
        false
    }

    fn reach(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
    fn clusters(&self) -> Option<&dyn Clusters> {
        None
    }
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
    fn home(&self) -> Option<ClusterId> {
        None
    }

    fn stage(&self, _: &LocalFile) -> Result<Uri> {
        Self::no()
    }
    fn reserve(&self, _: &ClusterId, _: usize) -> Result<Vec<StepId>> {
        Ok(Vec::new())
    }

    fn submit(&self, _: &ClusterId, _: &Order<'_>) -> Result<Vec<StepId>> {
        Self::no()
    }
    fn find(&self, _: &ClusterId, _: &Order<'_>) -> Result<Found<Vec<StepId>>> {
        Self::no()
    }
    fn poll(&self, _: &ClusterId, _: &[StepId]) -> Result<Vec<(StepId, StepStatus)>> {
        Self::no()
    }
    fn cancel(&self, _: &ClusterId, _: &[StepId]) -> Result<()> {
        Self::no()
    }
    fn logs(&self, _: &ClusterId, _: &StepId) -> Result<Vec<LogFile>> {
        if let Some(kind) = self.refuses {
            return Err(Error::new(kind, "files", "list", "no"));
        }
        let file = |(name, bytes): &(String, Vec<u8>)| LogFile {
            name: name.clone(),
            place: format!("mem://{name}"),
            size: Some(bytes.len() as u64),
        };
        Ok(self.files.iter().map(file).collect())
    }
    fn read(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        if let Some(clock) = &self.slow {
            clock.wait(&Bell::new(), crate::clock::add(clock.now(), Duration::from_secs(10)));
        }
        let Some((_, all)) = self.files.iter().find(|(name, _)| *name == file.name) else {
            return Self::no();
        };
        let from = usize::try_from(from).expect("it is small").min(all.len());
        let end = (from + self.chunk).min(all.len());
        Ok(Chunk { bytes: all[from..end].to_vec(), at_end: end == all.len() })
    }
}

pub(super) fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

fn numbers(count: usize) -> String {
    (1..=count).map(|n| format!("line {n}\n")).collect()
}

#[test]
fn the_ends_of_all_logs_are_shown_in_order_with_parts_joined() {
    let files = Files::of(&[
        ("controller.gz", &packed("c\n")),
        ("stdout.gz", &packed(&numbers(5))),
        ("stderr.gz", &[packed(&numbers(2)), packed("line 3\n")].concat()),
        ("syslog.gz", &packed("late\n")),
        ("syslog.2026-11-22-10.gz", &packed("early\n")),
    ]);
    let findings = files.gather(4);
    let shown: Vec<_> = findings
        .excerpts
        .iter()
        .map(|log| (log.name.as_str(), log.lines.join("|"), log.earlier, log.notes.len()))
        .collect();
    assert_eq!(
        shown,
        [
            ("stderr.gz", "line 1|line 2|line 3".to_owned(), 0, 0),
            ("stdout.gz", "line 2|line 3|line 4|line 5".to_owned(), 1, 0),
            ("controller.gz", "c".to_owned(), 0, 0),
            ("syslog.gz", "early|late".to_owned(), 0, 0),
        ]
    );
    assert_eq!(findings.excerpts[3].place, "mem://syslog.gz");
    assert_eq!(findings.cause, None);
}

#[test]
fn what_is_cut_off_damaged_or_not_packed_is_shown_as_far_as_it_goes() {
    let text = numbers(20_000);
    let whole = packed(&text);
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xff);
    let files = Files::of(&[
        ("stderr.gz", &whole[..whole.len() / 2]),
        ("stdout.gz", &damaged),
        ("controller.gz", b"plain\n"),
        ("syslog.gz", &[packed("one\n"), b"not gzip".to_vec()].concat()),
        ("empty.gz", b""),
    ]);
    let findings = files.gather(3);
    let [cut, damaged, plain, trailing, empty] = &findings.excerpts[..] else { panic!("5 logs") };
    assert_eq!(cut.notes, ["it is cut off: gzip's end is missing"]);
    assert!(cut.earlier > 5000 && cut.lines.len() == 3, "{cut:?}");
    assert!(damaged.notes[0].starts_with("it is damaged from here on"), "{damaged:?}");
    assert!(damaged.earlier > 5000, "{damaged:?}");
    assert_eq!((&plain.lines[..], plain.notes.len()), (&["plain".to_owned()][..], 1));
    assert_eq!(plain.notes, ["it is not packed, though its name says so"]);
    assert_eq!(trailing.lines, ["one"]);
    assert_eq!(trailing.notes.len(), 1, "{trailing:?}");
    assert_eq!((empty.lines.len(), empty.notes.len()), (0, 0));
}

#[test]
fn a_log_that_cannot_be_read_has_a_note_and_the_others_are_shown() {
    let files = Files::of(&[("stdout", b"out\n")]);
    let gone = LogFile { name: "stderr".into(), place: "mem://gone".into(), size: None };
    let listed = files.logs(&ClusterId::new("j"), &StepId::new("s")).expect("a list");
    let huge = LogFile { size: Some(LARGEST + 1), ..gone.clone() };
    let findings = read(&files, &[listed, vec![gone]].concat(), 9, &mut || true);
    assert!(findings.excerpts[0].notes[0].starts_with("mem://gone cannot be read: "));
    assert_eq!(findings.excerpts[1].lines, ["out"]);
    let findings = read(&files, &[huge], 9, &mut || true);
    assert_eq!(findings.excerpts[0].notes, ["not read, as it has over 1 GiB; it is at mem://gone"]);
}

#[test]
fn reading_ends_when_somebody_says_so() {
    let files = Files::of(&[("stderr", numbers(10_000).as_bytes())]);
    let listed = files.logs(&ClusterId::new("j"), &StepId::new("s")).expect("a list");
    let mut asked = 0;
    let findings = read(&files, &listed, 9, &mut || {
        asked += 1;
        asked < 4
    });
    assert_eq!(asked, 4);
    assert_eq!(findings.excerpts[0].notes, ["it was not read to its end"]);
    let seen = findings.excerpts[0].earlier;
    assert!((200..500).contains(&seen), "three pieces of a thousand bytes: {seen}");
}

#[test]
fn what_unpacks_to_much_is_left_when_somebody_says_so() {
    let bomb = packed(&"x".repeat(9 << 20));
    let mut files = Files::of(&[("stderr.gz", &bomb)]);
    files.chunk = bomb.len();
    let listed = files.logs(&ClusterId::new("j"), &StepId::new("s")).expect("a list");
    let mut asked = 0;
    let findings = read(&files, &listed, 9, &mut || {
        asked += 1;
        asked < 3
    });
    assert_eq!(asked, 3, "before its only piece, and twice while that is unpacked");
    assert_eq!(findings.excerpts[0].notes, ["it was not read to its end"]);
}

#[test]
fn logs_that_come_in_drops_are_not_read_for_ever() {
    let clock = Arc::new(Clock::turned_by_hand(Timestamp::UNIX_EPOCH));
    let mut files = Files::of(&[("stderr", numbers(10_000).as_bytes())]);
    files.slow = Some(Arc::clone(&clock));
    let whose = Whose::Step(ClusterId::new("j-1"), StepId::new("s-1"));
    let mut look = Look::new(whose, clock.now(), Duration::ZERO);
    let seen = look.take(&files, LINES, &clock, false);
    let Some(Seen::Some(found)) = seen else { panic!("{seen:?}") };
    assert_eq!(found.excerpts[0].notes, ["it was not read to its end"]);
    assert_eq!(clock.now().as_second(), 60);
}

#[test]
fn the_controller_tells_of_the_end() {
    let ended = |text: &str| {
        let files = Files::of(&[
            ("controller.gz", &packed(text)),
            ("stderr.gz", b"Step failed with exitCode 1"),
        ]);
        let listed = files.logs(&ClusterId::new("j"), &StepId::new("s")).expect("a list");
        tells_of_the_end(&files, &listed, &mut || true)
    };
    assert_eq!(
        ended("a\n2026-11-22T10:01:01Z WARN Step failed with exitCode 1 and took 2 seconds\n"),
        Ok(true)
    );
    assert_eq!(
        ended("2026-11-22T10:01:01Z INFO Step succeeded with exitCode 0 and took 2 seconds"),
        Ok(true)
    );
    assert_eq!(ended("2026-11-22T10:01:01Z INFO startExec 'Step'\n"), Ok(false));
}

const FAILED: &str = "2026-11-22T10:01:01Z WARN Step failed with exitCode 1 and took 2 seconds\n";

/// Looks by a clock turned by hand until there is something to tell; gives it, and how long that took.
fn watched(worlds: &[Files], delivery: Duration) -> (Seen, i64) {
    let clock = Clock::turned_by_hand(Timestamp::UNIX_EPOCH);
    let whose = Whose::Step(ClusterId::new("j-1"), StepId::new("s-1"));
    let mut look = Look::new(whose, clock.now(), delivery);
    for look_number in 0.. {
        let world = &worlds[look_number.min(worlds.len() - 1)];
        if let Some(seen) = look.take(world, LINES, &clock, false) {
            return (seen, clock.now().as_second());
        }
        let rung = clock.wait(&Bell::new(), look.due());
        assert_eq!(rung, Rung::default());
    }
    unreachable!("a clock turned by hand does not wait for ever")
}

#[test]
fn logs_are_told_of_as_soon_as_they_are_complete_or_no_more_can_come() {
    let early = || Files::of(&[("stderr", b"Traceback\n"), ("controller", b"startExec\n")]);
    let late =
        || Files::of(&[("stderr", b"x: command not found\n"), ("controller", FAILED.as_bytes())]);
    let delivery = Duration::from_secs(600);
    let (seen, took) = watched(&[Files::of(&[]), early(), early(), late()], delivery);
    let Seen::All(found) = seen else { panic!("{seen:?}") };
    assert_eq!(
        found.cause.map(|cause| cause.sentence).as_deref(),
        Some("the program `x` is not there")
    );
    assert_eq!(took, 40, "looks at 0, 5, 15, 35 and 40 s; at the last one nothing had changed");

    let (seen, took) = watched(&[early()], delivery);
    assert!(matches!(&seen, Seen::Some(found) if found.excerpts.len() == 2), "{seen:?}");
    assert_eq!(took, 600);
}

#[test]
fn what_is_refused_is_not_asked_for_again_and_what_fails_for_a_while_is() {
    let refusing = |kind| Files { refuses: Some(kind), ..Files::of(&[]) };
    let (seen, took) = watched(&[refusing(ErrorKind::Auth)], Duration::from_secs(600));
    assert!(matches!(seen, Seen::Nothing(_)), "{seen:?}");
    assert_eq!(took, 0);
    let (seen, took) = watched(&[refusing(ErrorKind::Unavailable)], Duration::from_secs(600));
    assert!(matches!(seen, Seen::Nothing(_)), "{seen:?}");
    assert_eq!(took, 600);
}

/// `fixtures/logs/NAME.log` and what is to be said of it, `NAME.txt`.
#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of this test, not of the library")]
fn causes_of_fixtures_are_those_written_beside_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/logs");
    let mut logs: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .collect();
    logs.sort();
    assert!(logs.len() >= 15, "{}", logs.len());
    let mut wrong = Vec::new();
    for path in logs {
        let text = std::fs::read_to_string(&path).expect("text");
        let said = told(Files::new(parts(&text)).gather(LINES).cause);
        let expected = path.with_extension("txt");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&expected, &said).expect("it is written");
        } else if std::fs::read_to_string(&expected).expect("an expectation") != said {
            wrong.push(format!("{}:\n{said}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn parts(text: &str) -> Vec<(String, Vec<u8>)> {
    let named = |part: &str| {
        let (name, text) = part.split_once(" <==\n").expect("a name");
        let packs = name.ends_with(".gz");
        (name.to_owned(), if packs { packed(text) } else { text.as_bytes().to_vec() })
    };
    text.split("==> ").skip(1).map(named).collect()
}

fn told(cause: Option<Cause>) -> String {
    let Some(cause) = cause else { return "nothing\n".to_owned() };
    let evidence: String = cause.evidence.iter().map(|line| format!("  | {line}\n")).collect();
    format!("{}\n  advice: {}\n  in {}\n{evidence}", cause.sentence, cause.advice, cause.file)
}

/// Pieces of which logs are made that are hard to read.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let texts = [
        "\tat a.B.c(D.java:1)\n",
        "Caused by: ",
        "java.lang.OutOfMemoryError",
        "a.b.CException: ñ",
        "Traceback (most recent call last):\n",
        "  File \"",
        "\", line 1",
        "Container exitCode: -",
        "FAILED: ",
        "ERROR ",
        "Permission denied: user=",
        "Command exiting with ret '",
        "\n",
        "s3://",
        "Current usage: ",
        "path ",
        " already exists",
        ": ",
        "Application application_",
        " failed ",
        "\r",
    ];
    prop_oneof![
        proptest::sample::select(texts.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #[test]
    fn whatever_a_log_holds_something_is_shown_and_little_is_kept(
        pieces in proptest::collection::vec(piece(), 0..60),
        pack in any::<bool>(),
        cut in any::<proptest::sample::Index>(),
        chunk in 1..5000_usize,
        lines in 0..9_usize,
    ) {
        let bytes = pieces.concat();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).expect("memory");
        let bytes = if pack { encoder.finish().expect("memory") } else { bytes };
        let bytes = bytes[..cut.index(bytes.len() + 1)].to_vec();
        let mut files = Files::new(vec![("stderr.gz".into(), bytes)]);
        files.chunk = chunk;
        let findings = files.gather(lines);
        prop_assert_eq!(findings.excerpts.len(), 1);
        prop_assert!(findings.excerpts[0].lines.len() <= lines);
        if let Some(cause) = findings.cause {
            prop_assert!(cause.evidence.len() <= 8 && !cause.evidence.is_empty());
            prop_assert!(cause.sentence.chars().count() <= 401, "{}", cause.sentence);
            prop_assert!(cause.evidence.iter().all(|line| line.chars().count() <= 401));
        }
    }
}

/// What is packed well unpacks to far more than it is: only the end of it is ever held.
#[test]
fn a_small_file_that_unpacks_to_much_is_read_in_bounded_memory() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..16 {
        encoder.write_all(&vec![b'x'; 1 << 20]).expect("memory");
    }
    encoder.write_all(b"\nlast\n").expect("memory");
    let files = Files::of(&[("stderr.gz", &encoder.finish().expect("memory"))]);
    let findings = files.gather(LINES);
    let [long, last] = &findings.excerpts[0].lines[..] else { panic!("two lines") };
    assert!(long.len() < 2 * lines::LONGEST && long.ends_with("more bytes"), "{}", long.len());
    assert_eq!(last, "last");
}

//! The record of one attempt of a step: a file that only grows, one line for each thing that happened.
//!
//! ```text
//! shim 1 <machine> <pid> <start>          the attempt is claimed: nobody else runs it
//! shim 2 <machine> <pid> <start>          … by one that holds the lock of this file for as long as it does
//! tool <pid> <start> <milliseconds>       its program runs
//! ended <milliseconds> exited 0           … and ended; `killed 9` by a signal, `unstarted why` not begun;
//! cancelled <milliseconds> exited 0       … or ended after somebody had stopped it
//! void 1 why                              instead of all that: it was not begun and never will be
//! ```
//!
//! The file is made with the demand that it be new, so of a shim and of one who wants to be sure that none
//! comes (see `find`) only the first gets it. A line counts when its line feed is there, and the whole file
//! only if all of its lines make sense: a torn or damaged record proves nothing. Growing one file, instead
//! of replacing it, needs no new block of a full disk when the step ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::str::SplitAsciiWhitespace;

use super::process::{Ending, Identity};

/// What a record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Who claimed the attempt.
    pub shim: Option<Shim>,
    /// Its program.
    pub tool: Option<Tool>,
    /// How it ended.
    pub end: Option<End>,
    /// Why it was never begun and never will be.
    pub void: Option<String>,
}

/// The one who claimed an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shim {
    /// Where its number means it, see [`super::process::machine`].
    pub machine: String,
    /// Itself. It is also the leader of its session.
    pub process: Identity,
    /// It may outlive the step, and look after another by then: until it has let go of this one it holds the
    /// lock (flock(2)) of the record. Else it ends with the step.
    pub holds: bool,
}

impl Shim {
    /// Whether its process, if it lives, still looks after the step of this record.
    pub(super) fn attends(&self, record: &Path) -> bool {
        !self.holds || is_held(record)
    }
}

/// The program of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tool {
    /// Itself, the leader of its process group.
    pub process: Identity,
    /// When it was started, in milliseconds since 1970.
    pub started: i64,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// How.
    pub how: How,
    /// Somebody had asked for it.
    pub cancelled: bool,
}

/// How its program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It ran.
    Ran(Ending),
    /// It could not be started, or was not, and why.
    Unstarted(String),
}

/// A record that is being kept. Its lock is held no longer than this lives.
pub(super) struct Keeper {
    file: File,
    /// Its lock is held, so others can tell when the shim lets go of it.
    pub held: bool,
}

impl Keeper {
    /// Claims an attempt.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if another was first; else it could not be written.
    pub(super) fn claim(path: &Path, shim: &Shim) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        // Before the first line: whoever reads that may ask. Not every file system has locks.
        let held = shim.holds && file.try_lock().is_ok();
        let mut keeper = Self { file, held };
        let Identity { pid, start } = shim.process;
        let version = if held { 2 } else { 1 };
        keeper.line(&format!("shim {version} {} {pid} {start}", shim.machine))?;
        Ok(keeper)
    }

    pub(super) fn tool(&mut self, tool: Tool) -> io::Result<()> {
        let Tool { process: Identity { pid, start }, started } = tool;
        self.line(&format!("tool {pid} {start} {started}"))
    }

    pub(super) fn end(&mut self, end: &End) -> io::Result<()> {
        let how = match &end.how {
            How::Ran(Ending::Exited(code)) => format!("exited {code}"),
            How::Ran(Ending::Killed(signal)) => format!("killed {signal}"),
            How::Unstarted(why) => format!("unstarted {}", one_line(why)),
        };
        let verb = if end.cancelled { "cancelled" } else { "ended" };
        self.line(&format!("{verb} {} {how}", end.at))
    }

    /// One write a line, so that a reader never sees half of it on a file system of this machine.
    fn line(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}

/// Makes sure that an attempt which nobody has claimed is never begun; `false` if it was claimed.
///
/// # Errors
/// It could not be written.
pub(super) fn fence(path: &Path, why: &str) -> io::Result<bool> {
    match OpenOptions::new().append(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(format!("void 1 {}\n", one_line(why)).as_bytes()).map(|()| true)
        }
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(err) => Err(err),
    }
}

/// Whether somebody holds the lock of a record. Also where that cannot be found out: then only the shim's
/// process tells.
fn is_held(path: &Path) -> bool {
    !File::open(path).is_ok_and(|file| file.try_lock_shared().is_ok())
}

/// Waits until nobody holds the lock of a record; `false` if that cannot be done.
pub(super) fn wait_released(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    loop {
        match file.lock_shared() {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            locked => return locked.is_ok(),
        }
    }
}

/// Any bytes as a record, for fuzzing: an end is of an attempt that was claimed.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_record(bytes: &[u8]) {
    if let Some(record) = Record::parse(bytes) {
        assert!(record.shim.is_some() || record.tool.is_none() && record.end.is_none());
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

impl Record {
    /// Reads a record; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read; [`io::ErrorKind::InvalidData`] if it makes no sense.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&bytes).map(Some).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "the record makes no sense")
            }),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
        }
    }

    /// What the complete lines say; `None` if they make no sense.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let complete = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let mut record = Self::default();
        for line in std::str::from_utf8(&bytes[..complete]).ok()?.lines() {
            record.add(line)?;
        }
        Some(record)
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let mut words = line.split_ascii_whitespace();
        let verb = words.next()?;
        match verb {
            "shim" if *self == Self::default() => {
                let holds = match words.next()? {
                    "1" => false,
                    "2" => true,
                    _ => return None,
                };
                let machine = words.next()?.to_owned();
                self.shim = Some(Shim { machine, process: identity(&mut words)?, holds });
            }
            "tool" if self.shim.is_some() && self.tool.is_none() && self.end.is_none() => {
                let process = identity(&mut words)?;
                self.tool = Some(Tool { process, started: words.next()?.parse().ok()? });
            }
            "ended" | "cancelled" if self.shim.is_some() && self.end.is_none() => {
                let at = words.next()?.parse().ok()?;
                let how = match words.next()? {
                    "exited" if self.tool.is_some() => {
                        How::Ran(Ending::Exited(words.next()?.parse().ok()?))
                    }
                    "killed" if self.tool.is_some() => {
                        How::Ran(Ending::Killed(words.next()?.parse().ok()?))
                    }
                    "unstarted" => How::Unstarted(words.by_ref().collect::<Vec<_>>().join(" ")),
                    _ => return None,
                };
                self.end = Some(End { at, how, cancelled: verb == "cancelled" });
            }
            "void" if *self == Self::default() && words.next()? == "1" => {
                self.void = Some(words.by_ref().collect::<Vec<_>>().join(" "));
            }
            _ => return None,
        }
        words.next().is_none().then_some(())
    }
}

fn identity(words: &mut SplitAsciiWhitespace<'_>) -> Option<Identity> {
    Some(Identity { pid: words.next()?.parse().ok()?, start: words.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &str = "shim 1 m 10 100\ntool 11 101 5000\nended 6000 exited 10\n";

    fn end(text: &str) -> Option<End> {
        Record::parse(text.as_bytes())?.end
    }

    #[test]
    fn what_is_kept_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let shim = Shim {
            machine: "m/pid:[4]".into(),
            process: Identity { pid: 10, start: 100 },
            holds: false,
        };
        let tool = Tool { process: Identity { pid: 11, start: 0 }, started: 5 };
        let hows = [
            How::Ran(Ending::Exited(-1)),
            How::Ran(Ending::Killed(9)),
            How::Unstarted("no such\nfile".into()),
            How::Unstarted(String::new()),
        ];
        for (n, how) in hows.into_iter().enumerate() {
            let path = folder.path().join(n.to_string());
            assert_eq!(Record::read(&path).unwrap(), None);
            let mut keeper = Keeper::claim(&path, &shim).unwrap();
            keeper.tool(tool).unwrap();
            let end = End { at: 7, how, cancelled: n % 2 == 0 };
            keeper.end(&end).unwrap();
            let record = Record::read(&path).unwrap().unwrap();
            assert_eq!(
                (record.shim, record.tool, record.void),
                (Some(shim.clone()), Some(tool), None)
            );
            let read = record.end.unwrap();
            assert_eq!((read.at, read.cancelled), (end.at, end.cancelled));
            match end.how {
                How::Unstarted(why) => {
                    assert_eq!(read.how, How::Unstarted(why.replace('\n', " ")));
                }
                how => assert_eq!(read.how, how),
            }
        }
    }

    #[test]
    fn only_the_first_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let shim =
            Shim { machine: "m".into(), process: Identity { pid: 1, start: 1 }, holds: false };
        assert!(fence(&one, "asked for\ntwice").unwrap());
        let err = Keeper::claim(&one, &shim).err().expect("it is void");
        assert_eq!(err.kind(), io::ErrorKind::AlreadyExists);
        let record = Record::read(&one).unwrap().unwrap();
        assert_eq!(record.void.as_deref(), Some("asked for twice"));
        Keeper::claim(&two, &shim).map(drop).unwrap();
        assert!(!fence(&two, "late").unwrap(), "it is claimed");
    }

    #[test]
    fn who_holds_it_attends() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let process = Identity { pid: 1, start: 1 };
        let mut shim = Shim { machine: "m".into(), process, holds: true };
        let keeper = Keeper::claim(&one, &shim).unwrap();
        assert!(keeper.held);
        assert_eq!(Record::read(&one).unwrap().unwrap().shim.as_ref(), Some(&shim));
        assert!(shim.attends(&one) && shim.attends(&one), "to look changes nothing");
        assert!(shim.attends(&folder.path().join("gone")), "only its process tells");
        drop(keeper);
        assert!(!shim.attends(&one) && wait_released(&one));
        shim.holds = false;
        let keeper = Keeper::claim(&two, &shim).unwrap();
        assert!(!keeper.held && shim.attends(&two));
        drop(keeper);
        assert!(shim.attends(&two), "as long as it lives");
    }

    #[test]
    fn a_torn_record_is_no_end() {
        assert!(end(WHOLE).is_some());
        for cut in 0..WHOLE.len() {
            assert_eq!(end(&WHOLE[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_damaged_record_is_no_end() {
        for text in [
            "tool 11 101 5000\nended 6000 exited 0\n",
            "shim 1 m 10 100\nended 6000 exited 0\n",
            "shim 3 m 10 100\ntool 11 101 5000\nended 6000 exited 0\n",
            "shim 1 m 10 100\ntool 11 101 5000\nended 6000 exited 0 0\n",
            "shim 1 m 10 100\ntool 11 101 5000\nended 6000 exited\n",
            "shim 1 m 10 100\ntool 11 101 5000\nended 6000 exited 0\nended 6000 exited 0\n",
            "shim 1 m 10 100\ntool 11 101 5000\n\0\0\0\0\nended 6000 exited 0\n",
            "void 1 x\ntool 11 101 5000\nended 6000 exited 0\n",
        ] {
            assert_eq!(Record::parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let end = Record::parse(&bytes).and_then(|record| record.end);
            prop_assert!(end.is_none(), "chance does not write records");
        }

        #[test]
        fn one_wrong_byte_never_makes_a_failure_a_success(at in 0..WHOLE.len(), byte in any::<u8>()) {
            let mut bytes = WHOLE.replace("exited 10", "killed 9").into_bytes();
            let at = at.min(bytes.len() - 1);
            bytes[at] = byte;
            let how = Record::parse(&bytes).and_then(|record| record.end).map(|end| end.how);
            prop_assert!(!matches!(how, Some(How::Ran(Ending::Exited(0)))));
        }
    }
}

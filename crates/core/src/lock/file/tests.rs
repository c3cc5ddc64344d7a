use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::super::{Fault, Here, Lock, Taker};
use super::*;
use crate::bell::Bell;
use crate::fabric::RunId;

fn holder(kind: Kind, chance: u64) -> Holder {
    let here = Here { user: "u".into(), host: "here".into() };
    Holder::new(kind, here, RunId::new("r-1"), "0.8.0", Timestamp::UNIX_EPOCH, chance)
}

/// A lock of a process that is gone: a child that has ended, with the number it had.
fn of_the_dead(kind: Kind) -> Vec<u8> {
    let mut child = std::process::Command::new("true").spawn().expect("it starts");
    let pid = child.id();
    child.wait().expect("it ends");
    let line = String::from_utf8(holder(kind, 99).line()).expect("text");
    let own = format!("\"pid\":{}", std::process::id());
    assert!(line.contains(&own), "{line}");
    line.replace(&own, &format!("\"pid\":{pid}")).into_bytes()
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("lock")
    }

    fn take(&self, kind: Kind, chance: u64) -> Result<(Mine, Option<Holder>), Refusal> {
        take(&self.path(), &holder(kind, chance))
    }

    fn owner(&self) -> Option<Owner> {
        look(&self.path()).expect("it can be looked at").map(|seen| seen.owner)
    }

    /// All files of the folder.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("a folder");
        entries.map(|e| e.expect("entry").file_name().into_string().expect("text")).collect()
    }
}

#[test]
fn one_takes_it_the_other_sees_who_did() {
    for kind in [Kind::Hard, Kind::Soft] {
        let place = Place::new();
        assert_eq!(place.owner(), None);
        let (mine, took_over) = place.take(kind, 1).expect("free");
        assert_eq!((took_over, place.files()), (None, vec!["lock".to_owned()]));
        let Err(Refusal::Taken(Some(seen))) = place.take(kind, 2) else { panic!("two winners") };
        let Owner::Run(owner) = seen.owner else { panic!("not known: {}", seen.owner) };
        assert_eq!((owner.kind, owner.pid, owner.run.as_str()), (kind, std::process::id(), "r-1"));
        assert!(owner.since > Timestamp::UNIX_EPOCH, "since it was taken");
        assert_eq!(mine.release(), Ok(Released::Freed));
        assert_eq!((place.owner(), place.files()), (None, vec![]));
        place.take(kind, 3).expect("free again");
    }
}

#[test]
fn whatever_is_there_holds_it() {
    let place = Place::new();
    for (content, owner) in [
        ("4711\n", Owner::Old { pid: 4711 }),
        ("", Owner::Foreign { size: 0 }),
        ("no idea", Owner::Foreign { size: 7 }),
    ] {
        fs::write(place.path(), content).expect("written");
        let Err(Refusal::Taken(Some(seen))) = place.take(Kind::Soft, 1) else { panic!("taken") };
        assert_eq!(seen.owner, owner);
        assert!(seen.since.is_some(), "files tell when they were written");
        assert_eq!(fs::read_to_string(place.path()).expect("still there"), content);
    }
    fs::remove_file(place.path()).expect("removed");
    fs::create_dir(place.path()).expect("a folder");
    assert!(matches!(place.take(Kind::Soft, 1), Err(Refusal::Taken(Some(_)))), "a folder");
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_holds_it() {
    let place = Place::new();
    std::os::unix::fs::symlink("nowhere", place.path()).expect("a link");
    assert!(matches!(place.take(Kind::Soft, 1), Err(Refusal::Taken(Some(_)))));
    assert_eq!(place.files(), ["lock"]);
}

#[test]
fn a_soft_lock_of_the_dead_is_taken_over() {
    let place = Place::new();
    fs::write(place.path(), of_the_dead(Kind::Soft)).expect("written");
    let (mine, took_over) = place.take(Kind::Hard, 1).expect("nobody holds it");
    assert_eq!(took_over.map(|holder| holder.nonce().to_owned()), Some(format!("{:016x}", 99)));
    assert_eq!(mine.release(), Ok(Released::Freed));
}

#[test]
fn a_hard_lock_of_the_dead_stays() {
    let place = Place::new();
    let content = of_the_dead(Kind::Hard);
    fs::write(place.path(), &content).expect("written");
    assert!(matches!(place.take(Kind::Soft, 1), Err(Refusal::Taken(Some(_)))));
    assert_eq!(fs::read(place.path()).expect("still there"), content);
}

#[test]
fn a_soft_lock_from_elsewhere_stays() {
    let place = Place::new();
    let dead = String::from_utf8(of_the_dead(Kind::Soft)).expect("text");
    let elsewhere = dead.replace("\"host\":\"here\"", "\"host\":\"there\"");
    assert_ne!(elsewhere, dead);
    fs::write(place.path(), elsewhere).expect("written");
    assert!(matches!(place.take(Kind::Soft, 1), Err(Refusal::Taken(Some(_)))));
}

#[test]
fn what_is_not_ours_any_more_is_left() {
    let place = Place::new();
    let (mine, _) = place.take(Kind::Hard, 1).expect("free");
    fs::write(place.path(), "4711\n").expect("written");
    let Ok(Released::NotOurs(Some(seen))) = mine.release() else { panic!("released") };
    assert_eq!(seen.owner, Owner::Old { pid: 4711 });
    assert_eq!(fs::read_to_string(place.path()).expect("still there"), "4711\n");

    let place = Place::new();
    let (mine, _) = place.take(Kind::Hard, 1).expect("free");
    fs::remove_file(place.path()).expect("removed");
    let (other, _) = place.take(Kind::Hard, 2).expect("free");
    assert!(matches!(mine.release(), Ok(Released::NotOurs(Some(_)))));
    assert_eq!(other.release(), Ok(Released::Freed));

    let (mine, _) = place.take(Kind::Hard, 1).expect("free");
    fs::remove_file(place.path()).expect("removed");
    assert_eq!(mine.release(), Ok(Released::NotOurs(None)));
}

#[test]
fn it_is_broken_as_it_was_seen_and_not_otherwise() {
    let place = Place::new();
    let (first, _) = place.take(Kind::Hard, 1).expect("free");
    let seen = look(&place.path()).expect("looked").expect("held");
    assert_eq!(first.release(), Ok(Released::Freed));
    assert_eq!(break_open(&place.path(), &seen), Ok(Broken::Freed), "already");
    let (second, _) = place.take(Kind::Hard, 2).expect("free");
    assert_eq!(break_open(&place.path(), &seen), Ok(Broken::Changed));
    let seen = look(&place.path()).expect("looked").expect("held");
    assert_eq!(break_open(&place.path(), &seen), Ok(Broken::Freed));
    assert_eq!(second.release(), Ok(Released::NotOurs(None)));
}

/// Whoever is about to remove the file is waited for, and what he leaves is looked at anew: the place may hold
/// another's lock by then.
#[cfg(target_os = "linux")]
#[test]
fn one_remover_at_a_time() {
    let place = Place::new();
    let path = place.path();
    fs::write(&path, of_the_dead(Kind::Soft)).expect("written");
    let remover = File::open(&path).expect("there");
    remover.lock().expect("locked");
    std::thread::scope(|scope| {
        let second = scope.spawn(|| remove(&path, Need::Proven, &|_| true));
        let opened = || {
            let files = fs::read_dir("/proc/self/fd").expect("our own files").flatten();
            files.filter(|file| fs::read_link(file.path()).is_ok_and(|it| it == path)).count()
        };
        while opened() < 2 {
            assert!(!second.is_finished(), "it removes what somebody else is about to remove");
            std::thread::yield_now();
        }
        fs::remove_file(&path).expect("removed");
        let ours = holder(Kind::Hard, 2).line();
        assert!(make(&path, &ours, "2").expect("made"));
        drop(remover);
        let removal = second.join().expect("no panic").expect("looked at");
        assert!(matches!(removal, Removal::Changed));
        assert_eq!(fs::read(&path).expect("still there"), ours);
    });
}

#[test]
fn what_cannot_be_made_says_why() {
    let place = Place::new();
    let path = place.0.path().join("no/lock");
    let Err(Refusal::Failed(error)) = take(&path, &holder(Kind::Hard, 1)) else { panic!("taken") };
    assert_eq!(error.fault, Fault::Ours);
    let folder = place.0.path().join("no");
    assert!(error.to_string().contains(&format!("no folder `{}`; make it", folder.display())));
    for path in ["", "/", ".."] {
        let taken = take(Path::new(path), &holder(Kind::Hard, 1));
        assert!(taken.is_err(), "{path:?}");
    }
}

#[test]
fn a_file_system_without_links_has_locks_too() {
    let place = Place::new();
    assert!(make_in_place(&place.path(), b"1").expect("made"));
    assert!(!make_in_place(&place.path(), b"2").expect("not made"));
    assert_eq!(fs::read(place.path()).expect("there"), b"1");
}

/// As over NFS, where the first reply may get lost and the second request finds what the first has made.
#[test]
fn a_link_that_was_made_in_spite_of_an_error_is_made() {
    let place = Place::new();
    let path = place.path();
    let made = make_by(&path, b"ours", "1", &|whole| {
        fs::hard_link(whole, &path)?;
        Err(ErrorKind::AlreadyExists.into())
    });
    assert!(made.expect("made"));
    assert_eq!(place.files(), ["lock"]);
    fs::remove_file(&path).expect("removed");
    let made = make_by(&path, b"ours", "1", &|_| {
        fs::write(&path, "theirs")?;
        Err(ErrorKind::AlreadyExists.into())
    });
    assert!(!made.expect("not made"));
    let denied = make_by(&path.with_file_name("other"), b"ours", "1", &|_| {
        Err(ErrorKind::StorageFull.into())
    });
    denied.expect_err("fails");
    assert_eq!(place.files(), ["lock"]);
}

#[test]
fn a_lock_that_could_not_be_written_is_not_there() {
    let place = Place::new();
    let full = make_in_steps(&place.path(), |file| {
        file.write_all(b"ha")?;
        Err(ErrorKind::StorageFull.into())
    });
    assert_eq!(full.expect_err("fails").kind(), ErrorKind::StorageFull);
    assert_eq!(place.files(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_pipe_holds_it_and_is_not_opened() {
    let place = Place::new();
    let made = std::process::Command::new("mkfifo").arg(place.path()).status().expect("it starts");
    assert!(made.success());
    assert!(matches!(place.take(Kind::Soft, 1), Err(Refusal::Taken(Some(_)))));
    let seen = look(&place.path()).expect("it can be looked at").expect("it is there");
    let error = break_open(&place.path(), &seen).expect_err("it is no lock").to_string();
    assert!(error.contains("neither a file nor a folder"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_can_be_broken() {
    let place = Place::new();
    std::os::unix::fs::symlink("/nowhere/at/all", place.path()).expect("made");
    let seen = look(&place.path()).expect("it can be looked at").expect("it is there");
    assert_eq!(break_open(&place.path(), &seen).expect("broken"), Broken::Freed);
    assert_eq!(place.files(), [""; 0]);
}

fn taker<'a>(holder: &'a Holder, bell: &'a Arc<Bell>) -> Taker<'a> {
    Taker { holder, bell, tell: Arc::new(|_| {}) }
}

#[test]
fn waiting_ends_when_it_is_free() {
    let place = Place::new();
    let (mine, _) = place.take(Kind::Hard, 1).expect("free");
    let (lock, holder, bell) =
        (Lock::file(place.path()), holder(Kind::Hard, 2), Arc::new(Bell::new()));
    let mut mine = Some(mine);
    let mut told = 0;
    let held = lock.wait(&taker(&holder, &bell), Duration::from_secs(3600), &mut |_| {
        told += 1;
        mine.take().expect("told once").release().expect("released");
    });
    held.expect("it is free").release().expect("released");
    assert_eq!(told, 1);
}

#[test]
fn waiting_ends_by_a_signal_and_by_its_limit() {
    let place = Place::new();
    let (mine, _) = place.take(Kind::Hard, 1).expect("free");
    let (lock, holder, bell) =
        (Lock::file(place.path()), holder(Kind::Hard, 2), Arc::new(Bell::new()));
    let ended =
        lock.wait(&taker(&holder, &bell), Duration::from_secs(3600), &mut |_| bell.signal(15));
    assert!(matches!(ended, Err(Refusal::Interrupted(15))));
    for limit in [Duration::ZERO, Duration::from_millis(60)] {
        let ended = lock.wait(&taker(&holder, &bell), limit, &mut |_| {});
        assert!(matches!(ended, Err(Refusal::Taken(Some(_)))));
    }
    mine.release().expect("released");
}

use std::sync::Arc;

use super::*;

const NONE: Duration = Duration::ZERO;

fn quota(folder: &Path) -> Quota {
    Quota::new(folder, "account", 1.0)
}

/// How many calls go at once.
fn burst(quotas: &[Quota], bell: &Bell) -> usize {
    let turns = quotas.iter().cycle().map(|it| it.turn("ListSteps", bell, &mut NONE.clone()));
    turns.take_while(Result::is_ok).count()
}

#[test]
fn processes_share_what_there_is() {
    let folder = tempfile::tempdir().expect("has a folder");
    let place = folder.path().join("deep").join("down");
    let quotas: Vec<_> = (0..5).map(|_| quota(&place)).collect();
    // 8 by the tests of the law; a slow machine may earn some more meanwhile.
    let count = burst(&quotas, &Bell::new());
    assert!((8..20).contains(&count), "{count}");
    assert_eq!(quotas.iter().find_map(Quota::take_note), None);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!((mode(&place), mode(&place.join("account.json"))), (0o700, 0o600));
    }
    // Another account has its own.
    let other = Quota::new(&place, "other", 1.0);
    assert_eq!(other.turn("ListSteps", &Bell::new(), &mut NONE.clone()), Ok(()));
}

#[test]
fn who_must_wait_is_told_until_when_and_keeps_the_slot() {
    let folder = tempfile::tempdir().expect("has a folder");
    let (bell, quota) = (Bell::new(), quota(folder.path()));
    quota.throttled("RunJobFlow", &bell);
    let first = quota.turn("RunJobFlow", &bell, &mut NONE.clone()).expect_err("waits");
    let wait = until(timestamp(), first);
    assert!(wait <= Duration::from_secs(2), "{wait:?}");
    let again = quota.turn("RunJobFlow", &bell, &mut NONE.clone());
    assert!(again == Err(first) || again.is_ok(), "{again:?}");
    // With patience a turn comes, and the wait is taken from the budget: questions wait 200 ms after a throttle.
    let mut budget = Duration::from_secs(30);
    assert_eq!(quota.turn("DescribeCluster", &bell, &mut budget), Ok(()));
    assert!(budget <= Duration::from_secs(30));
}

/// What was promised before AWS said no is not kept after it.
#[test]
fn a_throttle_takes_promised_slots_away() {
    let folder = tempfile::tempdir().expect("has a folder");
    let (bell, quota) = (Bell::new(), quota(folder.path()));
    while quota.turn("ListSteps", &bell, &mut NONE.clone()).is_ok() {}
    assert!(lock(&quota.held).contains_key("ListSteps"));
    quota.throttled("ListSteps", &bell);
    assert!(!lock(&quota.held).contains_key("ListSteps"));
}

#[test]
fn a_signal_ends_the_wait() {
    let folder = tempfile::tempdir().expect("has a folder");
    let (bell, quota) = (Bell::new(), quota(folder.path()));
    quota.throttled("ListSteps", &bell);
    bell.signal(15);
    let mut budget = Duration::from_secs(3600);
    assert!(quota.turn("ListSteps", &bell, &mut budget).is_err());
    assert_eq!(budget, Duration::from_secs(3600));
    // What is left goes out nevertheless: nothing has to be waited for.
    assert_eq!(quota.turn("TerminateJobFlows", &bell, &mut budget), Ok(()));
}

#[test]
fn a_folder_that_cannot_be_is_told_once_and_hurts_nobody() {
    let folder = tempfile::tempdir().expect("has a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("writes");
    let quota = quota(&file);
    let count = burst(std::slice::from_ref(&quota), &Bell::new());
    assert!((8..20).contains(&count), "{count}");
    let note = quota.take_note().expect("is told");
    assert!(note.contains("account.json"), "{note}");
    assert!(quota.turn("ListClusters", &Bell::new(), &mut NONE.clone()).is_ok());
    assert_eq!(quota.take_note(), None);
}

#[test]
fn a_torn_file_is_as_good_as_none() {
    let folder = tempfile::tempdir().expect("has a folder");
    for text in ["", "{\"at\":17", "\u{0}\u{0}", "[]", "{\"at\":-9223372036854775808,\"all\":{}}"] {
        fs::write(folder.path().join("account.json"), text).expect("writes");
        let count = burst(&[quota(folder.path())], &Bell::new());
        assert!((8..20).contains(&count), "{count} {text}");
    }
}

/// A process that was stopped while it held the file must not stop the others.
#[test]
fn a_file_that_is_held_is_not_waited_for_long() {
    let folder = tempfile::tempdir().expect("has a folder");
    let quota = quota(folder.path());
    assert!(quota.turn("ListSteps", &Bell::new(), &mut NONE.clone()).is_ok());
    let holder = File::open(folder.path().join("account.json")).expect("opens");
    holder.lock().expect("locks");
    assert!(quota.turn("ListSteps", &Bell::new(), &mut NONE.clone()).is_ok());
    assert_eq!(quota.take_note(), None);
}

#[test]
fn threads_at_once_lose_nothing() {
    let folder = tempfile::tempdir().expect("has a folder");
    let quotas: Arc<Vec<_>> = Arc::new((0..8).map(|_| quota(folder.path())).collect());
    let counts: usize = std::thread::scope(|scope| {
        let turns = quotas.chunks(1).map(|quota| {
            scope.spawn(|| {
                let bell = Bell::new();
                let turn = |_| quota[0].turn("ListSteps", &bell, &mut NONE.clone()).is_ok();
                (0..8).map(turn).filter(|went| *went).count()
            })
        });
        let turns: Vec<_> = turns.collect();
        turns.into_iter().map(|it| it.join().expect("ends")).sum()
    });
    assert!((8..20).contains(&counts), "{counts}");
}

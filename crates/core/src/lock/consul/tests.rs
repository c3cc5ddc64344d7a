use std::sync::Mutex;

use jiff::Timestamp;

use super::super::{Fault, Here, Lock, Owner};
use super::fake::{Fake, Trick};
use super::*;
use crate::fabric::RunId;

mod captures;

/// Long enough for a machine that is busy; what waits for so long has failed.
const LONG: Duration = Duration::from_secs(60);

fn holder(kind: Kind, chance: u64) -> Holder {
    let here = Here { user: "u".into(), host: "here".into() };
    Holder::new(kind, here, RunId::new("r-1"), "0.8.0", Timestamp::UNIX_EPOCH, chance)
}

struct Place {
    fake: Fake,
    consul: Arc<Consul>,
    bell: Arc<Bell>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Place {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(variables: &[(&str, &str)]) -> Self {
        let fake = Fake::start().expect("a port");
        let consul = reach(&fake.address(), variables).expect("settings");
        Self { fake, consul, bell: Arc::default(), told: Arc::default() }
    }

    fn lock(&self) -> Lock {
        Lock::consul(Arc::clone(&self.consul), "locks/a").expect("a key")
    }

    fn take(&self, kind: Kind, chance: u64) -> Result<super::super::Held, Refusal> {
        let told = Arc::clone(&self.told);
        let tell: super::super::Tell = Arc::new(move |text| told.lock().expect("whole").push(text));
        let holder = holder(kind, chance);
        self.lock().take(&Taker { holder: &holder, bell: &self.bell, tell })
    }

    fn taken(&self, kind: Kind, chance: u64) -> Owner {
        match self.take(kind, chance) {
            Err(Refusal::Taken(Some(seen))) => seen.owner,
            other => panic!("not taken: {other:?}"),
        }
    }

    fn failed(&self, kind: Kind) -> Error {
        match self.take(kind, 1) {
            Err(Refusal::Failed(error)) => error,
            other => panic!("not failed: {other:?}"),
        }
    }

    fn count(&self, begins: &str) -> usize {
        self.fake.requests().iter().filter(|request| request.starts_with(begins)).count()
    }
}

fn reach(address: &str, variables: &[(&str, &str)]) -> Result<Arc<Consul>, Error> {
    let environment: Environment = variables.iter().copied().collect();
    let settings = Settings::of(address, &environment)?;
    let mut consul = Consul::new(settings, &environment, &Arc::default())?;
    (consul.pauses, consul.renewal) = ([Duration::from_millis(5); 4], Duration::from_millis(20));
    Ok(Arc::new(consul))
}

#[test]
fn one_takes_it_the_other_sees_who_did() {
    for kind in [Kind::Hard, Kind::Soft] {
        let place = Place::new();
        let mine = place.take(kind, 1).expect("free");
        let Owner::Run(owner) = place.taken(Kind::Hard, 2) else { panic!("not known") };
        assert_eq!((owner.kind, owner.run.as_str()), (kind, "r-1"));
        assert!(matches!(place.taken(Kind::Soft, 3), Owner::Run(_)));
        assert_eq!(mine.release(), Ok(Released::Freed));
        assert_eq!((place.fake.get("locks/a"), place.fake.sessions()), (None, vec![]));
        place.take(kind, 4).expect("free again").release().expect("released");
    }
}

#[test]
fn a_key_of_0_7_holds_it() {
    let place = Place::new();
    place.fake.put("locks/a", "4711\n");
    for kind in [Kind::Hard, Kind::Soft] {
        assert_eq!(place.taken(kind, 1), Owner::Old { pid: 4711 });
    }
    assert_eq!(place.fake.get("locks/a").as_deref(), Some("4711\n"));
}

/// It comes between the look and the making.
#[test]
fn a_key_of_0_7_that_comes_late_holds_it() {
    for kind in [Kind::Hard, Kind::Soft] {
        let place = Place::new();
        std::thread::scope(|scope| {
            // As the first look has no reply, it is looked at again after a pause.
            place.fake.trick("GET /v1/kv/", Trick::Lost);
            scope.spawn(|| {
                assert!(place.fake.wait_for("GET /v1/kv/", 1, LONG));
                place.fake.put("locks/a", "4711");
            });
            assert_eq!(place.taken(kind, 1), Owner::Old { pid: 4711 });
        });
        assert_eq!(place.fake.sessions(), [""; 0], "no session is left behind");
    }
    // The request that makes it does not change one that is there either.
    let place = Place::new();
    place.fake.put("locks/a", "4711");
    let key = Key::new("locks/a").expect("a key");
    assert!(!place.consul.create(&key, b"x").expect("an answer"));
    let session = place.consul.open_session("s").expect("a session");
    assert_eq!(place.consul.lock(&key, b"x", &session).expect("an answer"), Locked::Exists);
    assert_eq!(place.fake.get("locks/a").as_deref(), Some("4711"));
}

#[test]
fn a_lost_answer_is_no_lost_lock() {
    for (kind, order) in [(Kind::Hard, "PUT /v1/kv/"), (Kind::Soft, "PUT /v1/txn")] {
        for trick in [Trick::Lost, Trick::DoneAndLost, Trick::NoLeader] {
            let place = Place::new();
            place.fake.trick(order, trick);
            let mine = place.take(kind, 1).expect("free");
            assert_eq!(place.count(order), if trick == Trick::DoneAndLost { 1 } else { 2 });
            assert!(place.fake.get("locks/a").is_some_and(|value| value.contains("0000000001")));
            let end = if kind == Kind::Hard { "DELETE" } else { "PUT /v1/session/destroy" };
            place.fake.trick(end, trick);
            assert!(mine.release().is_ok(), "{kind} {trick:?}");
            assert_eq!((place.fake.get("locks/a"), place.fake.sessions()), (None, vec![]));
        }
    }
}

#[test]
fn a_lost_answer_is_no_lock_if_another_was_faster() {
    for (kind, order) in [(Kind::Hard, "PUT /v1/kv/"), (Kind::Soft, "PUT /v1/txn")] {
        let place = Place::new();
        place.fake.trick(order, Trick::Lost);
        place.fake.trick("GET /v1/kv/locks/a?other", Trick::Lost);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(place.fake.wait_for(order, 1, LONG));
                place.fake.put("locks/a", "4711");
            });
            // Whether the other came before or after ours: who has it is told right.
            match place.take(kind, 1) {
                Ok(_) => panic!("the other has no care: ours must be gone"),
                Err(Refusal::Taken(Some(seen))) => assert_eq!(seen.owner, Owner::Old { pid: 4711 }),
                Err(other) => panic!("{other:?}"),
            }
        });
    }
}

#[test]
fn what_was_perhaps_made_is_taken_back() {
    let place = Place::new();
    place.fake.trick("PUT /v1/kv/", Trick::DoneAndLost);
    for _ in 0..5 {
        place.fake.trick("GET /v1/kv/locks/a?consistent&lost", Trick::Lost);
    }
    // A signal while it is not known whose it is.
    let bell = Arc::clone(&place.bell);
    place.fake.trick("GET", Trick::NoLeader);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(place.fake.wait_for("GET", 1, LONG));
            bell.signal(2);
        });
        assert!(matches!(place.take(Kind::Hard, 1), Err(Refusal::Interrupted(2))));
    });
    assert_eq!(place.fake.get("locks/a"), None);
}

#[test]
fn a_lock_that_changed_hands_is_left() {
    for kind in [Kind::Hard, Kind::Soft] {
        let place = Place::new();
        let mine = place.take(kind, 1).expect("free");
        place.fake.delete("locks/a");
        place.fake.put("locks/a", "4711");
        let Ok(Released::NotOurs(Some(seen))) = mine.release() else { panic!("released") };
        assert_eq!(seen.owner, Owner::Old { pid: 4711 });
        assert_eq!(place.fake.get("locks/a").as_deref(), Some("4711"));
        assert_eq!(place.fake.sessions(), [""; 0]);
        place.fake.delete("locks/a");
        let mine = place.take(kind, 1).expect("free");
        place.fake.delete("locks/a");
        assert_eq!(mine.release(), Ok(Released::NotOurs(None)));
    }
}

#[test]
fn it_is_broken_as_it_was_seen_and_not_otherwise() {
    let place = Place::new();
    let first = place.take(Kind::Hard, 1).expect("free");
    let seen = place.lock().look().expect("an answer").expect("held");
    first.release().expect("released");
    assert_eq!(place.lock().break_open(&seen), Ok(Broken::Freed), "already");
    let second = place.take(Kind::Soft, 2).expect("free");
    assert_eq!(place.lock().break_open(&seen), Ok(Broken::Changed));
    let seen = place.lock().look().expect("an answer").expect("held");
    place.fake.trick("DELETE", Trick::DoneAndLost);
    assert_eq!(place.lock().break_open(&seen), Ok(Broken::Freed));
    assert_eq!(second.release(), Ok(Released::NotOurs(None)));
}

#[test]
fn a_soft_lock_is_renewed_and_goes_with_its_session() {
    let place = Place::new();
    let mine = place.take(Kind::Soft, 1).expect("free");
    assert!(place.fake.wait_for("PUT /v1/session/renew/", 1, LONG), "it is renewed");
    drop(mine);
    // As if the process were gone.
    place.fake.expire();
    place.take(Kind::Hard, 2).expect("free").release().expect("released");
    assert_eq!(place.told.lock().expect("whole").as_slice(), [""; 0]);
}

#[test]
fn a_session_that_ended_is_told_of() {
    let place = Place::new();
    let mine = place.take(Kind::Soft, 1).expect("free");
    place.fake.expire();
    assert!(place.fake.wait_for("PUT /v1/txn", 2, LONG), "it is taken again");
    assert_eq!(mine.release(), Ok(Released::Freed));
    let told = place.told.lock().expect("whole").join("\n");
    assert!(
        told.contains("the lock `locks/a`: its session ended") && told.contains("holds it again"),
        "{told}"
    );

    let place = Place::new();
    let mine = place.take(Kind::Soft, 1).expect("free");
    place.fake.expire();
    place.fake.put("locks/a", "4711");
    assert!(place.fake.wait_for("PUT /v1/session/destroy", 1, LONG), "it is not taken again");
    assert!(matches!(mine.release(), Ok(Released::NotOurs(Some(_)))));
    let told = place.told.lock().expect("whole").join("\n");
    assert!(told.contains("lost: its session ended") && told.contains("process 4711"), "{told}");
}

/// A Consul that has just lost its sessions has other troubles, too, for a moment.
#[test]
fn trouble_on_the_way_to_a_new_session_does_not_lose_the_lock() {
    for (request, locks) in [("PUT /v1/session/create", 2), ("PUT /v1/txn", 3)] {
        let place = Place::new();
        let mine = place.take(Kind::Soft, 1).expect("free");
        place.fake.trick(request, Trick::NoLeader);
        place.fake.expire();
        let goes_on = place.fake.wait_for("PUT /v1/txn", locks, LONG);
        assert!(goes_on, "{request}: it is given up");
        assert_eq!(mine.release(), Ok(Released::Freed), "{request}");
        let told = place.told.lock().expect("whole").join("\n");
        assert!(told.contains("cannot be taken again yet"), "{told}");
        assert!(told.contains("holds it again"), "{told}");
        assert!(!told.contains("lost:"), "{told}");
    }
}

#[test]
fn a_token_is_sent_and_asked_for() {
    let place = Place::with(&[("CONSUL_HTTP_TOKEN", "hush")]);
    place.fake.demand("hush");
    place.take(Kind::Soft, 1).expect("free").release().expect("released");
    place.fake.demand("other");
    let error = place.failed(Kind::Hard);
    assert_eq!(error.fault, Fault::Theirs);
    let error = error.to_string();
    assert!(error.contains("Permission denied") && error.contains("CONSUL_HTTP_TOKEN"), "{error}");
    assert!(!error.contains("hush"), "{error}");
    assert_eq!(place.count("GET"), 2 + 1, "it is not asked again");
}

#[test]
fn a_namespace_is_part_of_every_request() {
    let place = Place::with(&[("CONSUL_NAMESPACE", "a b"), ("CONSUL_PARTITION", "p")]);
    place.take(Kind::Soft, 1).expect("free").release().expect("released");
    place.take(Kind::Hard, 1).expect("free").release().expect("released");
    for request in place.fake.requests() {
        assert!(request.ends_with("ns=a%20b&partition=p"), "{request}");
    }
}

#[test]
fn no_consul_is_an_error_that_says_where() {
    let gone = {
        let fake = Fake::start().expect("a port");
        fake.address()
    };
    let consul = reach(&gone, &[]).expect("settings");
    let error = Lock::consul(consul, "a").expect("a key").look().expect_err("nobody there");
    assert_eq!(error.fault, Fault::Theirs);
    let begins = format!("cannot look at the lock `a` in Consul at `http://{gone}`: ");
    assert!(error.to_string().starts_with(&begins), "{error}");
}

/// Something between Consul and us that knows no such path proves nothing: neither that nobody holds the lock, nor that
/// our session is gone.
#[test]
fn what_is_not_found_by_another_is_not_gone() {
    let page = |_: &crate::http::fake::Received| {
        crate::http::fake::Answer::new(404, "text/html", "<h1>404 page not found</h1>")
    };
    let server = crate::http::fake::Server::start(page).expect("a port");
    let consul = reach(&server.url(), &[]).expect("settings");
    let key = Key::new("locks/a").expect("a key");
    consul.look(&key).expect_err("nobody said that it is free");
    consul.renew("0000-1").expect_err("nobody said that it is gone");
}

#[test]
fn keys_are_keys() {
    for (key, encoded) in
        [("a", "a"), ("a/b/", "a/b/"), ("a b?%ü", "a%20b%3F%25%C3%BC"), ("..a", "..a")]
    {
        let place = Place::new();
        let lock = Lock::consul(Arc::clone(&place.consul), key).expect(key);
        assert_eq!(lock.look(), Ok(None));
        assert_eq!(place.fake.requests(), [format!("GET /v1/kv/{encoded}?consistent")]);
        place.fake.put(key, "1");
        assert!(lock.look().expect("an answer").is_some(), "{key}");
    }
    let place = Place::new();
    for key in ["", "/", "/a", "a//b", "a/../b", "a/.", "./a", "a//"] {
        let error = Lock::consul(Arc::clone(&place.consul), key).expect_err(key);
        assert_eq!(error.fault, Fault::Ours);
        assert!(error.to_string().starts_with(&format!("`{key}` cannot be a key in Consul")));
    }
}

#[test]
fn waiting_ends_when_consul_tells_of_a_change() {
    let place = Place::new();
    let mine = place.take(Kind::Hard, 1).expect("free");
    let holder = holder(Kind::Soft, 2);
    let taker = Taker { holder: &holder, bell: &place.bell, tell: Arc::new(|_| {}) };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(place.fake.wait_for("GET /v1/kv/locks/a?index=", 1, LONG));
            mine.release().expect("released");
        });
        let mut told = 0;
        let held = place.lock().wait(&taker, Duration::from_secs(3600), &mut |_| told += 1);
        held.expect("it is free").release().expect("released");
        assert_eq!(told, 1);
    });
    assert!(place.count("GET /v1/kv/locks/a?index=") <= 2, "it is not asked all the time");
}

#[test]
fn waiting_ends_by_a_signal_and_by_its_limit() {
    let place = Place::new();
    let _mine = place.take(Kind::Hard, 1).expect("free");
    let holder = holder(Kind::Soft, 2);
    let taker = Taker { holder: &holder, bell: &place.bell, tell: Arc::new(|_| {}) };
    let ended = place.lock().wait(&taker, Duration::from_millis(50), &mut |_| {});
    assert!(matches!(ended, Err(Refusal::Taken(Some(_)))));
    let ended = place.lock().wait(&taker, LONG * 60, &mut |_| place.bell.signal(15));
    assert!(matches!(ended, Err(Refusal::Interrupted(15))));
}

/// A Consul that is away for a while ends no wait that had begun.
#[test]
fn waiting_outlasts_trouble() {
    let place = Place::new();
    let mine = place.take(Kind::Hard, 1).expect("free");
    let holder = holder(Kind::Hard, 2);
    let taker = Taker { holder: &holder, bell: &place.bell, tell: Arc::new(|_| {}) };
    let mut mine = Some(mine);
    let held = place.lock().wait(&taker, Duration::from_secs(3600), &mut |_| {
        if let Some(mine) = mine.take() {
            mine.release().expect("released");
            // More often than a single request is tried.
            for _ in 0..PAUSES.len() + 2 {
                place.fake.trick("GET /v1/kv/locks/a?consistent", Trick::NoLeader);
            }
        }
    });
    held.expect("it is free").release().expect("released");
}

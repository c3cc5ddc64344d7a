//! Tokens are kept, renewed in time, and once for all.

use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::*;

/// A person's credentials; the n-th question is answered by `answer`.
fn credentials(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> (Bench, Credentials) {
    let bench = Bench::new(move |_, count| answer(count));
    let credentials = bench.credentials(bench.json(&user()), &[]).expect("makes sense");
    (bench, credentials)
}

fn nth(count: usize) -> Answer {
    granted(&format!("T{count}"))
}

fn refused() -> Answer {
    answer(400, &json!({ "error": "invalid_grant" }))
}

#[test]
fn a_token_is_renewed_some_minutes_before_its_end() {
    let (bench, credentials) = credentials(nth);
    assert_eq!(bearer(&credentials).expect("is granted"), "T1");
    turn(3599 - 226);
    assert_eq!(bearer(&credentials).expect("is kept"), "T1");
    turn(1);
    assert_eq!(bearer(&credentials).expect("is renewed"), "T2");
    assert_eq!(bench.seen().len(), 2);
}

#[test]
fn short_tokens_are_kept_for_two_thirds_of_their_time() {
    let (_bench, credentials) = credentials(|count| {
        answer(200, &json!({ "access_token": format!("T{count}"), "expires_in": 300 }))
    });
    assert_eq!(bearer(&credentials).expect("is granted"), "T1");
    turn(199);
    assert_eq!(bearer(&credentials).expect("is kept"), "T1");
    turn(1);
    assert_eq!(bearer(&credentials).expect("is renewed"), "T2");
}

#[test]
fn a_token_without_an_end_is_kept() {
    let (bench, credentials) =
        credentials(|count| answer(200, &json!({ "access_token": format!("T{count}") })));
    bearer(&credentials).expect("is granted");
    turn(1_000_000);
    assert_eq!(bearer(&credentials).expect("is kept"), "T1");
    assert_eq!(bench.seen().len(), 1);
}

#[test]
fn a_renewal_that_fails_goes_unnoticed_while_the_token_is_good() {
    let (bench, credentials) = credentials(|count| match count {
        1 | 4 => nth(count),
        _ => refused(),
    });
    bearer(&credentials).expect("is granted");
    turn(3599 - 100);
    assert_eq!(bearer(&credentials).expect("is good"), "T1");
    assert_eq!(bearer(&credentials).expect("is good"), "T1");
    // Not with each call.
    assert_eq!(bench.seen().len(), 2);
    turn(100);
    let error = bearer(&credentials).expect_err("has ended");
    assert_eq!((error.kind, error.passing), (Kind::Refused, true));
    assert_eq!(error.not_before, Some(now() + SignedDuration::from_secs(30)));
    assert!(
        error.message.contains("cannot be renewed: ") && error.message.contains(LOGIN),
        "{error}"
    );
    assert_eq!(bearer(&credentials).expect_err("has ended"), error);
    assert_eq!(bench.seen().len(), 3);
    turn(30);
    assert_eq!(bearer(&credentials).expect("is renewed"), "T4");
}

#[test]
fn who_never_had_a_token_is_told_each_time() {
    let (bench, credentials) = credentials(|count| if count == 2 { nth(2) } else { refused() });
    let error = bearer(&credentials).expect_err("is refused");
    assert_eq!((error.kind, error.passing, error.not_before), (Kind::Refused, false, None));
    assert_eq!(bearer(&credentials).expect("is granted"), "T2");
    assert_eq!(bench.seen().len(), 2);
}

#[test]
fn a_refusal_has_the_token_renewed_once() {
    let (bench, credentials) = credentials(nth);
    let used = credentials.authorize(&mut request()).expect("is granted");
    assert!(credentials.refuse(&used).expect("is renewed"));
    // Somebody else was refused with the same one.
    assert!(credentials.refuse(&used).expect("is renewed already"));
    assert_eq!(bench.seen().len(), 2);
    let newer = credentials.authorize(&mut request()).expect("is there");
    assert_ne!(newer, used);
    // The new one is not taken either, so it is not the token.
    assert!(!credentials.refuse(&newer).expect("asks nobody"));
    assert_eq!(bench.seen().len(), 2);
    turn(30);
    assert!(credentials.refuse(&newer).expect("is renewed"));
    assert_eq!(bench.seen().len(), 3);
}

#[test]
fn a_refusal_may_bring_nothing() {
    let (_bench, credentials) = credentials(|_| granted("T"));
    let used = credentials.authorize(&mut request()).expect("is granted");
    assert!(!credentials.refuse(&used).expect("is the same"));
    let (_bench, credentials) =
        self::credentials(|count| if count == 1 { nth(1) } else { refused() });
    let used = credentials.authorize(&mut request()).expect("is granted");
    let error = credentials.refuse(&used).expect_err("cannot be renewed");
    assert_eq!((error.kind, error.passing), (Kind::Refused, true));
}

#[test]
fn threads_that_have_none_wait_for_one_renewal() {
    const THREADS: usize = 8;
    let begun = Arc::new(Barrier::new(THREADS + 1));
    let (bench, credentials) = credentials({
        let begun = Arc::clone(&begun);
        move |count| {
            if count == 1 {
                begun.wait();
            }
            nth(count)
        }
    });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // The barrier lets the answer go when all have come this far.
                let one = thread::scope(|inner| {
                    let one = inner.spawn(|| bearer(&credentials));
                    begun.wait();
                    one.join()
                });
                assert_eq!(one.expect("ends").expect("is granted"), "T1");
            });
        }
    });
    assert_eq!(bench.seen().len(), 1);
}

#[test]
fn who_has_a_good_token_does_not_wait_for_the_next_one() {
    let (entered, enters) = channel();
    let (release, released) = channel::<()>();
    let channels = Mutex::new((entered, released));
    let (_bench, credentials) = credentials(move |count| {
        if count == 2 {
            let (entered, released) = &*lock(&channels);
            entered.send(()).expect("somebody waits");
            // So that who waits here for ever is a test that fails.
            let _ = released.recv_timeout(Duration::from_secs(20));
        }
        nth(count)
    });
    bearer(&credentials).expect("is granted");
    let late = 3599 - 100;
    turn(late);
    thread::scope(|scope| {
        let renewer = scope.spawn(|| {
            turn(late);
            bearer(&credentials)
        });
        enters.recv().expect("is asked");
        assert_eq!(bearer(&credentials).expect("is good"), "T1");
        release.send(()).expect("waits");
        assert_eq!(renewer.join().expect("ends").expect("is granted"), "T2");
    });
    assert_eq!(bearer(&credentials).expect("is there"), "T2");
}

#[test]
fn a_file_may_be_renewed_but_not_be_that_of_another_kind() {
    let bench = Bench::new(|received, _| granted(field(&pairs(received), "refresh_token")));
    let path = bench.file("adc.json", &user());
    let credentials = bench.credentials(Source::File(path.clone()), &[]).expect("makes sense");
    assert_eq!(bearer(&credentials).expect("is granted"), "hunter-refresh");
    bench.file("adc.json", &with(user(), "refresh_token", "of-a-new-login".into()));
    turn(3600);
    assert_eq!(bearer(&credentials).expect("is granted"), "of-a-new-login");
    bench.file("adc.json", &service_account());
    turn(3600);
    let error = bearer(&credentials).expect_err("is somebody else");
    assert!(error.message.contains("were of a user, and are now of a service account"), "{error}");
    turn(30);
    std::fs::remove_file(&path).expect("removes");
    let error = bearer(&credentials).expect_err("is not there");
    assert_eq!((error.kind, error.passing), (Kind::Missing, true));
    turn(30);
    bench.file("adc.json", &user());
    assert_eq!(bearer(&credentials).expect("is granted"), "hunter-refresh");
}

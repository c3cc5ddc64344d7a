use std::cell::Cell;
use std::net::TcpListener;

use jiff::SignedDuration;

use super::*;
use crate::bell::Bell;
use crate::fabric::Effect;
use crate::http::fake::{Answer, Received, Server};

pub(super) const KEY: (&str, &str) = ("AWS_ACCESS_KEY_ID", "AKID");
pub(super) const SECRET: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "hunter2");

thread_local! {
    /// The clock of the test that runs on this thread.
    static NOW: Cell<Timestamp> = const { Cell::new(Timestamp::constant(1_700_000_000, 0)) };
}

pub(super) fn now() -> Timestamp {
    NOW.get()
}

pub(super) fn turn(by: SignedDuration) {
    NOW.set(NOW.get() + by);
}

/// An account whose every endpoint is one server, and all that server was asked.
pub(super) struct Bench {
    pub(super) account: Account,
    pub(super) home: tempfile::TempDir,
    seen: Arc<Mutex<Vec<Received>>>,
    server: Server,
}

pub(super) type Handler = Box<dyn Fn(&Received, usize) -> Answer + Send + Sync>;

/// `files` are those of AWS: config and credentials. `{}` in them and in the variables stands for the server.
pub(super) fn bench(
    source: Source,
    variables: &[(&str, &str)],
    files: [&str; 2],
    handler: Handler,
) -> Result<Bench, Error> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let server = Server::start({
        let seen = Arc::clone(&seen);
        move |received| {
            let mut seen = lock(&seen);
            seen.push(received.clone());
            let count = seen.len();
            drop(seen);
            handler(received, count)
        }
    })
    .expect("starts");
    let home = tempfile::tempdir().expect("has a folder");
    std::fs::create_dir(home.path().join(".aws")).expect("makes it");
    for (name, text) in ["config", "credentials"].iter().zip(files) {
        let text = text.replace("{}", &server.url());
        std::fs::write(home.path().join(".aws").join(name), text).expect("writes");
    }
    let place = home.path().to_str().expect("is text").to_owned();
    let own =
        |(name, value): &(&str, &str)| ((*name).to_owned(), value.replace("{}", &server.url()));
    let mut environment: Vec<_> = variables.iter().map(own).collect();
    environment.push(("HOME".to_owned(), place));
    for name in ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT"] {
        if !environment.iter().any(|(known, _)| known == name) {
            environment.push((name.to_owned(), server.url()));
        }
    }
    let environment: Arc<Environment> = Arc::new(environment.into_iter().collect());
    let client = Client::new(&environment, Arc::new(Bell::new())).expect("makes sense");
    let settings = Settings {
        region: "eu-west-1".to_owned(),
        credentials: source,
        environment,
        client: Arc::new(client),
        quotas: home.path().join("quotas"),
    };
    let account = Account::with_time(settings, &[], Time::new("AWS", SKEW).by(now))?;
    Ok(Bench { account, home, seen, server })
}

impl Bench {
    pub(super) fn seen(&self) -> Vec<Received> {
        lock(&self.seen).clone()
    }

    pub(super) fn credentials(&self) -> Result<Credentials, Error> {
        self.account.keeper.credentials().map_err(|trouble| trouble.into_error("test"))
    }
}

fn simple(handler: impl Fn(&Received, usize) -> Answer + Send + Sync + 'static) -> Bench {
    bench(Source::Environment, &[KEY, SECRET], ["", ""], Box::new(handler)).expect("makes sense")
}

fn call(repeatable: bool) -> Call<'static> {
    Call {
        service: Service::Emr,
        operation: if repeatable { "ListSteps" } else { "RunJobFlow" },
        method: "POST",
        path: "/",
        query: &[],
        headers: &[],
        body: b"{}",
        repeatable,
    }
}

fn get(path: &str) -> Call<'_> {
    let call =
        Call { service: Service::S3, operation: "GetObject", method: "GET", path, ..call(true) };
    Call { body: b"", ..call }
}

fn ok() -> Answer {
    Answer::new(200, "application/x-amz-json-1.1", "{}")
}

fn refuse(status: u16, code: &str, message: &str) -> Answer {
    let mut reply = refusal(Service::Emr, status, code, message);
    reply.headers.push(("date".to_owned(), "Tue, 14 Nov 2023 22:13:20 GMT".to_owned()));
    Answer::Reply(reply)
}

fn key() -> Credentials {
    let (id, secret) = (Secret::new(KEY.1), Secret::new(SECRET.1));
    Credentials { id, secret, token: None, expires: None }
}

#[test]
fn calls_are_signed_and_say_what_they_want() {
    let bench = simple(|_, _| ok());
    bench.account.call(&call(true)).expect("answers");
    let query = [("prefix", "a b"), ("list-type", "2")];
    bench.account.call(&Call { query: &query, ..get("/logs") }).expect("answers");
    let seen = bench.seen();
    for (received, service) in seen.iter().zip(["elasticmapreduce", "s3"]) {
        let signer = verify(received, now(), |_| Some(key())).expect("is believed");
        assert_eq!((signer.service.as_str(), signer.region.as_str()), (service, "eu-west-1"));
    }
    assert_eq!(seen[0].header("x-amz-target"), Some("ElasticMapReduce.ListSteps"));
    assert_eq!(seen[0].header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(seen[1].target, "/logs?list-type=2&prefix=a%20b");
    assert_eq!(bench.account.endpoint(Service::Emr), bench.server.url());
    assert_eq!(
        (bench.account.region(), bench.account.credentials_source()),
        ("eu-west-1", "environment")
    );
    assert!(!format!("{:?}", bench.account).contains("hunter2"));
}

/// What each fault means for a question and for an order: kind, effect, and whether it was sent again.
#[test]
fn faults() {
    use ErrorKind::{Auth, Config, Protocol, Quota, Unavailable};
    let html = |status| Answer::new(status, "text/html", "<html>nginx</html>");
    let redirect = Answer::Reply(Reply {
        status: 302,
        headers: vec![("location".to_owned(), "https://login.example/?secret".to_owned())],
        body: Vec::new(),
    });
    // Lost: a question is asked again, an order is in doubt. Refused: neither. Throttled: both are sent again.
    let lost = |kind| [(kind, Effect::None, true), (kind, Effect::Unknown, false)];
    let refused = |kind| [(kind, Effect::None, false); 2];
    let throttled = [(Quota, Effect::None, true); 2];
    let table = [
        (Answer::Cut, lost(Unavailable), "127.0.0.1"),
        (
            Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
            lost(Unavailable),
            "127.0.0.1",
        ),
        (Answer::Raw(b"what?\r\n\r\n".to_vec()), lost(Unavailable), "not HTTP"),
        (refuse(500, "InternalFailure", ""), lost(Unavailable), "InternalFailure"),
        (refuse(400, "InternalServerException", "oh"), lost(Unavailable), "oh"),
        (html(500), lost(Unavailable), "answered 500 with `text/html`"),
        (html(502), lost(Unavailable), "answered 502"),
        (html(200), lost(Protocol), "answered 200 with `text/html`"),
        (html(400), lost(Protocol), "answered 400 with `text/html`"),
        (redirect, refused(Protocol), "a redirect to `login.example`"),
        (
            refuse(400, "ValidationException", "no such thing"),
            refused(Config),
            "`ValidationException`: no such thing",
        ),
        (refuse(400, "AccessDeniedException", "not authorized"), refused(Auth), "not authorized"),
        (
            refuse(400, "UnrecognizedClientException", ""),
            refused(Auth),
            "UnrecognizedClientException",
        ),
        (
            refuse(400, "InvalidSignatureException", "secret"),
            refused(Auth),
            "`InvalidSignatureException`",
        ),
        (refuse(400, "ThrottlingException", "Rate exceeded"), throttled, "Rate exceeded"),
        (refuse(429, "Whatever", ""), throttled, "Whatever"),
        (Answer::new(429, "text/plain", "slow down"), throttled, "too many requests"),
    ];
    std::thread::scope(|scope| {
        for (answer, expected, words) in table {
            for (repeatable, (kind, effect, again)) in [true, false].into_iter().zip(expected) {
                let answer = answer.clone();
                scope.spawn(move || {
                    let what = format!("{answer:?} {repeatable}");
                    let bench = simple(move |_, _| answer.clone());
                    let error = bench.account.call(&call(repeatable)).expect_err("fails").error;
                    assert_eq!((error.kind, error.effect), (kind, effect), "{what}: {error}");
                    assert_eq!(bench.seen().len() > 1, again, "{what}: {}", bench.seen().len());
                    // Who was throttled and is to wait for long is told so in words of our own.
                    let told =
                        error.message.contains(words) || error.message.contains("quota is used up");
                    assert!(told, "{what}: {error}");
                    assert!(!error.message.contains("secret"), "{what}: {error}");
                    assert_eq!(error.not_before.is_some(), kind == Quota, "{what}: {error:?}");
                });
            }
        }
    });
}

#[test]
fn an_order_that_did_not_leave_has_no_effect() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = format!("http://{}", listener.local_addr().expect("has an address"));
    drop(listener);
    let variables = [KEY, SECRET, ("AWS_ENDPOINT_URL", address.as_str())];
    let bench = bench(Source::Environment, &variables, ["", ""], Box::new(|_, _| ok()))
        .expect("makes sense");
    let error = bench.account.call(&call(false)).expect_err("fails").error;
    assert_eq!((error.kind, error.effect), (ErrorKind::Unavailable, Effect::None), "{error}");
}

#[test]
fn what_passes_is_not_noticed() {
    // An order that AWS throttled was not carried out; a question may be asked twice.
    for (first, repeatable) in [
        (refuse(400, "ThrottlingException", "Rate exceeded"), true),
        (refuse(503, "SlowDown", ""), false),
        (Answer::Cut, true),
    ] {
        let bench = simple(move |_, count| if count == 1 { first.clone() } else { ok() });
        let operation = Call { operation: "DescribeCluster", ..call(repeatable) };
        bench.account.call(&operation).expect("answers");
        assert_eq!(bench.seen().len(), 2);
    }
}

#[test]
fn errors_carry_what_aws_says() {
    let bench = simple(|_, _| refuse(400, "ValidationException", "bad"));
    let failure = bench.account.call(&call(true)).expect_err("fails");
    assert_eq!(failure.code.as_deref(), Some("ValidationException"));
    assert_eq!(failure.error.request_id.as_deref(), Some("00000000-0000-0000-0000-000000000000"));
    assert_eq!(
        failure.error.to_string(),
        "emr ListSteps: `ValidationException`: bad (request 00000000-0000-0000-0000-000000000000)"
    );
}

/// A service whose clock is so many minutes ahead of ours.
fn skewed(minutes: i64) -> Bench {
    let theirs = now() + SignedDuration::from_mins(minutes);
    simple(move |received, _| {
        let checked = verify(received, theirs, |_| Some(key()));
        let mut reply = match checked {
            Ok(_) => Reply { status: 200, headers: Vec::new(), body: b"{}".to_vec() },
            Err(refusal) => refusal.reply(Service::Emr),
        };
        let date = theirs.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        reply.headers.push(("date".to_owned(), date));
        Answer::Reply(reply)
    })
}

#[test]
fn a_clock_that_is_wrong_is_corrected_and_told() {
    for (minutes, words) in [(20, "20 minutes behind AWS"), (-20, "20 minutes ahead of AWS")] {
        let bench = skewed(minutes);
        // An order, too: it was refused, so nothing was done.
        bench.account.call(&call(false)).expect("is corrected");
        bench.account.call(&call(true)).expect("stays corrected");
        assert_eq!(bench.seen().len(), 3);
        let notes = bench.account.take_notes();
        assert!(notes.len() == 1 && notes[0].contains(words), "{notes:?}");
        assert!(bench.account.take_notes().is_empty());
    }
}

#[test]
fn a_wrong_key_is_no_matter_of_time() {
    let bench = simple(|received, _| {
        let secret = Secret::new("another");
        let refusal = verify(received, now(), |_| Some(Credentials { secret, ..key() }));
        let date = now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut reply = refusal.expect_err("is not believed").reply(Service::Emr);
        reply.headers.push(("date".to_owned(), date));
        Answer::Reply(reply)
    });
    let error = bench.account.call(&call(true)).expect_err("fails").error;
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(!error.message.contains("clock"), "{error}");
    assert_eq!((bench.seen().len(), bench.account.take_notes()), (1, Vec::new()));
}

#[test]
fn who_calls_too_often_is_told_when_to_come_back() {
    let bench = simple(|_, _| ok());
    // One in five seconds, so that its turn is further away than is waited for.
    let rare = Call { operation: "SetTerminationProtection", ..call(true) };
    let mut calls = (0..10).map(|_| bench.account.call(&rare));
    let error = calls.find_map(Result::err).expect("ends").error;
    assert_eq!((error.kind, error.effect), (ErrorKind::Quota, Effect::None), "{error}");
    assert!(error.not_before.is_some());
    assert!(bench.seen().len() < 10);
    // Others have turns of their own, and S3 has no such quota.
    bench.account.call(&call(false)).expect("goes out");
    for _ in 0..40 {
        bench.account.call(&get("/logs/a")).expect("answers");
    }
    // What other processes of the same account go by.
    let files = std::fs::read_dir(bench.home.path().join("quotas")).expect("is there");
    assert_eq!(files.count(), 1);
}

#[test]
fn buckets_elsewhere_are_asked_there() {
    for moved in [301, 400] {
        let bench = simple(move |received, _| {
            let signer = verify(received, now(), |_| Some(key())).expect("is believed");
            if signer.region == "us-east-2" {
                return Answer::new(200, "binary/octet-stream", "found");
            }
            let mut reply =
                refusal(Service::S3, moved, "AuthorizationHeaderMalformed", "elsewhere");
            reply.headers.push(("x-amz-bucket-region".to_owned(), "us-east-2".to_owned()));
            Answer::Reply(reply)
        });
        for _ in 0..2 {
            let reply = bench.account.call(&get("/logs/a")).expect("is found");
            assert_eq!(reply.body, b"found");
        }
        assert_eq!(bench.seen().len(), 3);
    }
}

#[test]
fn a_bucket_that_is_nowhere_is_not_looked_for_for_ever() {
    let bench = simple(|_, count| {
        let mut reply = refusal(Service::S3, 301, "PermanentRedirect", "elsewhere");
        let region = format!("region-{count}");
        reply.headers.push(("x-amz-bucket-region".to_owned(), region));
        Answer::Reply(reply)
    });
    bench.account.call(&get("/logs/a")).expect_err("ends");
    assert_eq!(bench.seen().len(), 3);
}

#[test]
fn s3_is_asked_again_later_when_it_says_so() {
    let bench = simple(|_, _| {
        let mut reply = refusal(Service::S3, 503, "SlowDown", "Please reduce your request rate.");
        reply.headers.push(("retry-after".to_owned(), "60".to_owned()));
        Answer::Reply(reply)
    });
    let error = bench.account.call(&get("/logs/a")).expect_err("is throttled").error;
    assert_eq!((error.kind, bench.seen().len()), (ErrorKind::Quota, 1));
    assert!(error.message.contains("`SlowDown`: Please reduce your request rate."), "{error}");
    let wait = error.not_before.expect("is told").duration_since(timestamp());
    assert!(wait.as_secs() > 10, "{wait}");
}

#[test]
fn nobody_keeps_a_run_away_for_long() {
    let bench = simple(|_, _| {
        let mut reply = refusal(Service::S3, 429, "SlowDown", "later");
        reply.headers.push(("retry-after".to_owned(), "86400".to_owned()));
        Answer::Reply(reply)
    });
    let error = bench.account.call(&get("/logs/a")).expect_err("is throttled").error;
    let wait = error.not_before.expect("is told").duration_since(timestamp());
    assert!((200..=300).contains(&wait.as_secs()), "{wait}");
}

#[test]
fn s3_says_what_is_not_there() {
    let bench = simple(|received, _| match received.method.as_str() {
        "HEAD" => Answer::Reply(Reply { status: 404, headers: Vec::new(), body: Vec::new() }),
        _ => Answer::Reply(refusal(
            Service::S3,
            404,
            "NoSuchKey",
            "The specified key does not exist.",
        )),
    });
    let failure = bench.account.call(&get("/logs/a")).expect_err("fails");
    assert_eq!(
        (failure.error.kind, failure.code.as_deref()),
        (ErrorKind::NotFound, Some("NoSuchKey"))
    );
    let failure =
        bench.account.call(&Call { method: "HEAD", ..get("/logs/a") }).expect_err("fails");
    assert_eq!((failure.error.kind, failure.code), (ErrorKind::NotFound, None));
    assert_eq!(bench.seen().len(), 2);
}

#[test]
fn settings_that_make_no_sense_are_refused_before_anything_is_sent() {
    for (variables, words) in [
        (vec![KEY, SECRET, ("AWS_ENDPOINT_URL", "nonsense")], "AWS_ENDPOINT_URL"),
        (vec![KEY], "`AWS_SECRET_ACCESS_KEY` is not"),
        (vec![SECRET], "`AWS_ACCESS_KEY_ID` is not"),
        (vec![], "are not set"),
    ] {
        let made = bench(Source::Environment, &variables, ["", ""], Box::new(|_, _| ok()));
        let error = made.err().expect("is refused");
        assert!(error.message.contains(words), "{error}");
    }
}

/// What a reply calls a region becomes a part of a host's name, to which requests go signed.
#[test]
fn a_region_that_is_none_is_not_gone_to() {
    for region in ["evil.example/", "eu-west-2.evil.example", "EU", "a@b", ""] {
        let bench = simple(move |_, _| {
            let mut reply = refusal(Service::S3, 301, "PermanentRedirect", "elsewhere");
            reply.headers.push(("x-amz-bucket-region".to_owned(), region.to_owned()));
            Answer::Reply(reply)
        });
        let get = Call { service: Service::S3, method: "GET", path: "/b/k", ..call(true) };
        bench.account.call(&get).expect_err("is refused");
        assert_eq!(bench.seen().len(), 1, "{region}");
        assert_eq!(bench.account.wire.region_of(&get), "eu-west-1", "{region}");
    }
}

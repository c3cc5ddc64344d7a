//! Being a service account by the leave of somebody else.

use super::*;
use crate::http::Trust;
use crate::http::tests::authority;

const TAKEN: &str = "other@p.iam.gserviceaccount.com";

/// An answer of the IAM credentials service: a token for an hour, by its own clock, which is three hours ahead.
fn taken(token: &str) -> Answer {
    let Answer::Reply(mut reply) =
        answer(200, &json!({ "accessToken": token, "expireTime": "2023-11-15T02:13:20Z" }))
    else {
        unreachable!("is a reply")
    };
    reply.headers.push(("date".to_owned(), "Wed, 15 Nov 2023 01:13:20 GMT".to_owned()));
    Answer::Reply(reply)
}

fn both(received: &Received, _: usize) -> Answer {
    match received.path() {
        "/token" | "/sts" => granted("of-the-source"),
        _ if received.header("authorization") == Some("Bearer of-the-source") => taken("taken"),
        _ => Answer::new(401, "text/plain", ""),
    }
}

fn file() -> Value {
    json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": format!("{{}}/v1/projects/-/serviceAccounts/{TAKEN}:generateAccessToken"),
        "delegates": ["a@p.iam.gserviceaccount.com", "projects/-/serviceAccounts/b"],
        "quota_project_id": "of-the-file",
        "source_credentials": with(user(), "quota_project_id", "of-the-source".into()),
    })
}

fn body(received: &Received) -> Value {
    serde_json::from_slice(&received.body).expect("is JSON")
}

#[test]
fn a_file_names_the_account() {
    let bench = Bench::new(both);
    let credentials = bench.credentials(bench.json(&file()), &[]).expect("makes sense");
    assert_eq!(bearer(&credentials).expect("is granted"), "taken");
    assert_eq!(credentials.quota_project(), Some("of-the-file"));
    let seen = bench.seen();
    assert_eq!(seen[1].method, "POST");
    assert!(seen[1].target.ends_with(":generateAccessToken"), "{}", seen[1].target);
    assert_eq!(seen[1].header("content-type"), Some("application/json"));
    assert_eq!(seen[1].header("x-goog-user-project"), Some("of-the-source"));
    let expected = json!({
        "delegates": [
            "projects/-/serviceAccounts/a@p.iam.gserviceaccount.com",
            "projects/-/serviceAccounts/b",
        ],
        "scope": ["https://www.googleapis.com/auth/cloud-platform"],
        "lifetime": "3600s",
    });
    assert_eq!(body(&seen[1]), expected);
    // An hour, less what it is renewed early.
    turn(3600 - 230);
    bearer(&credentials).expect("is kept");
    assert_eq!(bench.seen().len(), 2);
    turn(10);
    bearer(&credentials).expect("is granted");
    assert_eq!(bench.seen().len(), 4);
}

#[test]
fn an_identity_of_elsewhere_becomes_an_account() {
    let bench = Bench::new(both);
    let path = bench.home.path().join("token");
    std::fs::write(&path, "of-elsewhere").expect("writes");
    let file = with(
        external(json!({ "file": path })),
        "service_account_impersonation_url",
        format!("{{}}/v1/projects/-/serviceAccounts/{TAKEN}:generateAccessToken").into(),
    );
    let lifetime = json!({ "token_lifetime_seconds": 600 });
    let file = with(file, "service_account_impersonation", lifetime);
    assert_eq!(bench.token(&file).expect("is granted"), "taken");
    let sent = body(&bench.seen()[1]);
    assert_eq!((&sent["lifetime"], &sent["delegates"]), (&json!("600s"), &json!([])));
}

/// The address of the service is Google's own here, so the way there leads through a proxy.
#[test]
fn who_asks_for_it_is_another_account() {
    let names = Arc::new(Mutex::new(Vec::new()));
    let iam = Server::start_tls(authority().config, {
        let names = Arc::clone(&names);
        move |received| {
            lock(&names).push((received.header("host").map(str::to_owned), received.clone()));
            both(received, 0)
        }
    });
    let iam = iam.expect("starts");
    let to = iam.address();
    let proxy = Server::start(move |_| Answer::Tunnel(to)).expect("starts");
    let bench = Bench::new(both);
    let url = proxy.url();
    let variables = [("HTTPS_PROXY", url.as_str()), ("GOOGLE_CLOUD_QUOTA_PROJECT", "q")];
    let mut settings = bench.settings(bench.json(&user()), &variables);
    let trust = Trust { unchecked: true, ..Trust::default() };
    let client = Client::trusting(&settings.environment, Arc::new(Bell::new()), trust);
    settings.client = Arc::new(client.expect("makes sense"));
    settings.impersonate =
        Some(Impersonation { account: TAKEN.to_owned(), delegates: vec!["d".to_owned()] });
    let credentials = made(settings).expect("makes sense");
    assert_eq!(bearer(&credentials).expect("is granted"), "taken");
    let seen = lock(&names);
    let (host, received) = &seen[0];
    assert_eq!(host.as_deref(), Some("iamcredentials.googleapis.com"));
    assert_eq!(
        received.target,
        "/v1/projects/-/serviceAccounts/other%40p.iam.gserviceaccount.com:generateAccessToken"
    );
    assert_eq!(received.header("x-goog-user-project"), Some("q"));
    assert_eq!(body(received)["delegates"], json!(["projects/-/serviceAccounts/d"]));
}

#[test]
fn a_refusal_says_which_right_is_lacking() {
    let bench = Bench::new(|received, count| match received.path() {
        "/token" => both(received, count),
        _ => answer(
            403,
            &json!({ "error": { "code": 403, "status": "PERMISSION_DENIED", "message": "Permission\n denied of-the-source" } }),
        ),
    });
    let error = bench.token(&file()).expect_err("is refused");
    assert_eq!((error.kind, error.passing), (Kind::Refused, false));
    for words in [
        "403: `PERMISSION_DENIED`: Permission denied ‹secret›",
        "roles/iam.serviceAccountTokenCreator",
        TAKEN,
    ] {
        assert!(error.message.contains(words), "{words}: {error}");
    }
    let bench = Bench::new(|received, count| match received.path() {
        "/token" => both(received, count),
        _ => answer(200, &json!({ "accessToken": "hunter", "expireTime": "soon" })),
    });
    let error = bench.token(&file()).expect_err("has no end");
    assert!(error.message.contains("`expireTime`"), "{error}");
}

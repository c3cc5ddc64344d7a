//! Files of people, files that make no sense, and what endpoints say.

use super::*;

#[test]
fn a_person_renews_a_token() {
    let bench = Bench::new(|_, _| granted("T"));
    let file = with(user(), "quota_project_id", "of-the-file".into());
    let credentials = bench.credentials(bench.json(&file), &[]).expect("makes sense");
    let mut sent = request();
    credentials.authorize(&mut sent).expect("is granted");
    let expected = [("authorization", "Bearer T"), ("x-goog-user-project", "of-the-file")];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    assert_eq!(sent.headers, expected.map(own));
    let expected = [
        ("client_id", "client-1"),
        ("client_secret", "hunter-client"),
        ("grant_type", "refresh_token"),
        ("refresh_token", "hunter-refresh"),
    ];
    assert_eq!(bench.forms()[0], expected.map(own));
    assert_eq!(credentials.project().expect("asks nobody"), None);
}

#[test]
fn whose_quota_counts() {
    let bench = Bench::new(nobody);
    let file = with(user(), "quota_project_id", "of-the-file".into());
    let variable = [("GOOGLE_CLOUD_QUOTA_PROJECT", "of-the-environment")];
    let quota = |variables: &[(&str, &str)], named: Option<&str>| {
        let quota_project = named.map(str::to_owned);
        let settings = Settings { quota_project, ..bench.settings(bench.json(&file), variables) };
        made(settings).map(|it| it.quota_project().map(str::to_owned))
    };
    assert_eq!(quota(&[], None).expect("is known").as_deref(), Some("of-the-file"));
    assert_eq!(quota(&variable, None).expect("is known").as_deref(), Some("of-the-environment"));
    assert_eq!(quota(&variable, Some("named")).expect("is known").as_deref(), Some("named"));
    let error = quota(&[], Some("two\r\nlines: 1")).expect_err("is no header");
    assert_eq!(error.kind, Kind::Malformed);
}

#[test]
fn a_login_that_has_ended_says_how_to_log_in() {
    let bench = Bench::new(|_, _| {
        let description = "Token has been expired or revoked: hunter-refresh, hunter-client";
        answer(400, &json!({ "error": "invalid_grant", "error_description": description }))
    });
    let path = bench.file("adc.json", &user());
    let credentials = bench.credentials(Source::File(path.clone()), &[]).expect("makes sense");
    let error = bearer(&credentials).expect_err("is refused");
    assert_eq!((error.kind, error.passing), (Kind::Refused, false));
    for words in ["gcloud auth application-default login", "`invalid_grant`", "400", "‹secret›"]
    {
        assert!(error.message.contains(words), "{words}: {error}");
    }
    assert!(error.message.contains(path.to_str().expect("is text")), "{error}");
    assert!(!error.message.contains("hunter"), "{error}");
}

#[test]
fn a_person_of_a_workforce_pool_gets_a_new_token_that_renews() {
    let bench = Bench::new(|received, count| {
        let form = pairs(received);
        assert_eq!(received.header("authorization"), Some("Basic Yzpz"));
        assert_eq!(received.target, "/oauthtoken");
        let expected = if count == 1 { "first" } else { "second" };
        assert_eq!(field(&form, "refresh_token"), expected);
        assert_eq!(form.len(), 2);
        let body = json!({ "access_token": format!("T{count}"), "expires_in": "3600", "refresh_token": "second" });
        answer(200, &body)
    });
    let file = json!({
        "type": "external_account_authorized_user",
        "audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/q",
        "client_id": "c",
        "client_secret": "s",
        "refresh_token": "first",
        "token_url": "{}/oauthtoken",
    });
    let credentials = bench.credentials(bench.json(&file), &[]).expect("makes sense");
    for token in ["T1", "T2", "T3"] {
        assert_eq!(bearer(&credentials).expect("is granted"), token);
        turn(3600);
    }
}

#[test]
fn files_that_make_no_sense_say_which_field_and_show_nothing() {
    let bench = Bench::new(nobody);
    let service = service_account;
    let impersonated =
        json!({ "type": "impersonated_service_account", "source_credentials": user() });
    let again = json!({
        "type": "impersonated_service_account",
        "source_credentials": { "type": "impersonated_service_account" },
    });
    for (file, words) in [
        (json!([]), "which are a JSON object"),
        (json!({ "installed": { "client_secret": "hunter" } }), "`type` is missing"),
        (json!({ "type": 7 }), "`type` is not a text"),
        (json!({ "type": "gdch_service_account" }), "Google Distributed Cloud"),
        (json!({ "type": "hunter" }), "`type` is not known; supported are `service_account`"),
        (with(service(), "private_key", json!(null)), "`private_key` is missing"),
        (with(service(), "private_key", "hunter".into()), "`private_key` is no RSA key"),
        (
            with(service(), "private_key", pem("PRIVATE KEY", "aHVudGVy").into()),
            "`private_key` is no RSA key",
        ),
        (with(service(), "client_email", "".into()), "`client_email` is missing"),
        (
            with(service(), "token_uri", "http://hunter.example/".into()),
            "`token_uri` is no URL that begins with `https://`",
        ),
        (with(service(), "universe_domain", "a/b.c".into()), "`universe_domain` is not a domain"),
        (with(service(), "quota_project_id", "a\nb".into()), "`quota_project_id` is not"),
        (with(user(), "refresh_token", json!(null)), "`refresh_token` is missing"),
        (with(user(), "client_secret", json!(1)), "`client_secret` is not a text"),
        (impersonated, "`service_account_impersonation_url` is missing"),
        (again, "name all accounts in `delegates`"),
        (external(json!(null)), "`credential_source` is missing"),
        (
            external(json!({ "certificate": { "use_default_certificate_config": true } })),
            "names none of `file`, `url`, `executable`",
        ),
        (external(json!({ "file": "a", "url": "b" })), "names more than one source"),
        (external(json!({ "environment_id": "aws2" })), "`environment_id` is not `aws1`"),
        (
            external(json!({ "environment_id": "aws1" })),
            "`regional_cred_verification_url` is missing",
        ),
        (external(json!({ "file": "a", "format": { "type": "xml" } })), "`format` is neither"),
        (
            external(json!({ "file": "a", "format": { "type": "json" } })),
            "`subject_token_field_name` is missing",
        ),
        (
            external(json!({ "executable": { "command": "a", "timeout_millis": 10 } })),
            "`timeout_millis` is not between",
        ),
        (
            with(external(json!({ "file": "a" })), "workforce_pool_user_project", "p".into()),
            "is only for workforce pools",
        ),
    ] {
        let error = bench.credentials(bench.json(&file), &[]).expect_err("is refused");
        assert_eq!(error.kind, Kind::Malformed, "{error}");
        assert!(error.message.contains(words), "{words}: {error}");
        assert!(!format!("{error:?}").contains("hunter"), "{error}");
    }
    let garbage = Source::Json(Secret::new("{\"private_key\": \"hunter"));
    let error = bench.credentials(garbage, &[]).expect_err("is refused");
    assert_eq!(
        (error.kind, error.message.as_str()),
        (Kind::Malformed, "the given JSON is not JSON")
    );
}

#[test]
fn endpoints_that_answer_nonsense() {
    for (body, words) in [
        ("<html>hunter</html>", "did not answer in JSON"),
        ("{}", "without a usable `token`"),
        ("{\"access_token\": \"a\\r\\nhunter: b\", \"expires_in\": 1}", "without a usable `token`"),
        (
            "{\"access_token\": \"hunter\", \"expires_in\": \"soon\"}",
            "without a usable `expires_in`",
        ),
    ] {
        let bench = Bench::new(move |_, _| Answer::new(200, "text/html", body));
        let error = bench.token(&user()).expect_err("makes no sense");
        assert_eq!((error.kind, error.passing), (Kind::Malformed, true), "{error}");
        assert!(error.message.contains(words), "{error}");
        assert!(!error.message.contains("hunter"), "{error}");
    }
    let bench = Bench::new(|_, _| Answer::new(403, "text/html", "<html>hunter</html>"));
    let error = bench.token(&user()).expect_err("is refused");
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.message.ends_with("refused: it answered 403"), "{error}");
}

#[test]
fn endpoints_that_are_broken_may_mend() {
    let bench = Bench::new(|_, count| match count {
        1 => Answer::new(503, "text/plain", ""),
        2 => answer(400, &json!({ "error": "internal_failure" })),
        3 => Answer::Cut,
        _ => granted("T"),
    });
    assert_eq!(bench.token(&user()).expect("is granted"), "T");
    let bench = Bench::new(|_, _| Answer::new(500, "text/plain", "hunter"));
    let error = bench.token(&user()).expect_err("is broken");
    assert_eq!((error.kind, error.passing), (Kind::Unreachable, true));
    assert!(error.message.contains("it answered 500"), "{error}");
}

#[test]
fn nothing_secret_is_shown() {
    let bench = Bench::new(|_, _| granted("hunter-token"));
    let key = KEY.lines().next().expect("has lines");
    for file in [
        service_account(),
        user(),
        external(json!({ "url": "{}/x", "headers": { "x-key": "hunter" } })),
        external(json!({ "executable": { "command": "hunter" } })),
    ] {
        let source = bench.json(&file);
        let settings = bench.settings(source, &[("GOOGLE_CLOUD_PROJECT", "hunter")]);
        let mut shown = format!("{settings:?}");
        let credentials = made(settings).expect("makes sense");
        let mut request = request();
        let done = credentials.authorize(&mut request);
        shown += &format!("{credentials:?} {done:?} {request:?}");
        shown += &format!("{:?}", Known::of(&credentials.place));
        assert!(!shown.contains("hunter") && !shown.contains(key), "{shown}");
    }
}

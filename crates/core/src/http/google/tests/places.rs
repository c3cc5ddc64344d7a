//! Where credentials are looked for.

use super::*;

/// Who answers: the file by its client.
fn by_client(received: &Received, _: usize) -> Answer {
    granted(field(&pairs(received), "client_id"))
}

#[test]
fn the_variable_then_gcloud_then_the_machine() {
    let bench = Bench::new(by_client);
    let found = |variables: &[(&str, &str)]| {
        bench.credentials(Source::Default, variables).and_then(|it| bearer(&it))
    };
    let place = |name: &str, client: &str| {
        let path = bench.file(name, &with(user(), "client_id", client.into()));
        path.to_str().expect("is text").to_owned()
    };
    place(".config/gcloud/application_default_credentials.json", "of-gcloud");
    assert_eq!(found(&[]).expect("is there"), "of-gcloud");
    place("else/application_default_credentials.json", "of-gcloud-elsewhere");
    let folder = bench.home.path().join("else");
    let elsewhere = ("CLOUDSDK_CONFIG", folder.to_str().expect("is text"));
    assert_eq!(found(&[elsewhere]).expect("is there"), "of-gcloud-elsewhere");
    let path = place("named.json", "named");
    let named = ("GOOGLE_APPLICATION_CREDENTIALS", path.as_str());
    assert_eq!(found(&[elsewhere, named]).expect("is there"), "named");
    // A file that is named and not there is not passed over.
    let wrong = [("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/named.json")];
    let error = found(&wrong).expect_err("is not there");
    assert_eq!(error.kind, Kind::Missing);
    for words in ["`/nowhere/named.json`", "GOOGLE_APPLICATION_CREDENTIALS"] {
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn who_has_none_is_told_all_places() {
    let bench = Bench::new(nobody);
    let off = [("NO_GCE_CHECK", "true")];
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = listener.local_addr().expect("has an address").to_string();
    drop(listener);
    let nowhere = [("GCE_METADATA_HOST", address.as_str())];
    let error = bench.credentials(Source::Default, &off).expect_err("has none");
    let credentials = bench.credentials(Source::Default, &nowhere).expect("may be a machine");
    let errors = [
        (error, "NO_GCE_CHECK"),
        (bearer(&credentials).expect_err("has none"), &address),
        (credentials.project().expect_err("has none"), &address),
        (credentials.universe_domain().expect_err("has none"), &address),
    ];
    for (error, last) in errors {
        assert_eq!((error.kind, error.passing), (Kind::Missing, false), "{error}");
        for words in [
            "`GOOGLE_APPLICATION_CREDENTIALS` (is not set)",
            ".config/gcloud/application_default_credentials.json` (is not there)",
            "the metadata server",
            "gcloud auth application-default login",
            last,
        ] {
            assert!(error.message.contains(words), "{words}: {error}");
        }
    }
    // Who says that this is a machine of Google's is to wait for its metadata server.
    let credentials = bench.credentials(Source::Metadata, &nowhere).expect("makes sense");
    let error = bearer(&credentials).expect_err("does not answer");
    assert_eq!((error.kind, error.passing), (Kind::Unreachable, true));
}

#[test]
fn a_token_is_used_as_it_is() {
    let bench = Bench::new(nobody);
    let given = || Source::Token(Secret::new("hunter2"));
    let credentials = bench.credentials(given(), &[]).expect("makes sense");
    let used = credentials.authorize(&mut request()).expect("is there");
    assert_eq!(bearer(&credentials).expect("is there"), "hunter2");
    assert!(!credentials.refuse(&used).expect("needs nobody"));
    assert_eq!(credentials.universe_domain().expect("is known"), "googleapis.com");
    assert_eq!(credentials.project().expect("asks nobody"), None);
    let error = bench.credentials(Source::Token(Secret::new("two\nlines")), &[]);
    assert_eq!(error.expect_err("is none").kind, Kind::Malformed);
    let elsewhere = [("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "cloud.example")];
    let credentials = bench.credentials(given(), &elsewhere).expect("makes sense");
    assert_eq!(credentials.universe_domain().expect("is known"), "cloud.example");
    let projects = [("GOOGLE_CLOUD_PROJECT", "p"), ("GCLOUD_PROJECT", "q")];
    let credentials = bench.credentials(given(), &projects).expect("makes sense");
    assert_eq!(credentials.project().expect("is named").as_deref(), Some("p"));
}

#[test]
fn credentials_do_not_leave_their_universe() {
    let bench = Bench::new(nobody);
    let elsewhere = [("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "cloud.example")];
    let error = bench.credentials(bench.json(&user()), &elsewhere).expect_err("is refused");
    assert_eq!(error.kind, Kind::Malformed);
    assert!(
        error.message.contains("`cloud.example`") && error.message.contains("`googleapis.com`")
    );
    let wrong = [("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "a b")];
    assert!(bench.credentials(bench.json(&user()), &wrong).is_err());
}

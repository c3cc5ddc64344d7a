use jiff::SignedDuration;

use super::super::tests::{Bench, Handler, KEY, SECRET, bench, now, turn};
use super::super::{Call, Service, refusal, verify};
use super::*;
use crate::http::fake::{Answer, Received};
use crate::secret::Secret;

fn chain(variables: &[(&str, &str)], files: [&str; 2], handler: Handler) -> Result<Bench, Error> {
    bench(Source::Chain, variables, files, handler)
}

fn nobody() -> Handler {
    Box::new(|received, _| panic!("nobody was to be asked {received:?}"))
}

fn json(body: impl Into<String>) -> Answer {
    Answer::new(200, "application/json", body.into())
}

fn not_found() -> Answer {
    Answer::new(404, "text/html", "404 - Not Found")
}

/// A time so many minutes from now, as AWS writes it.
fn minutes(count: i64) -> String {
    (now() + SignedDuration::from_mins(count)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn ids(found: Result<Credentials, Error>) -> (String, String, Option<String>) {
    let found = found.expect("is found");
    let own = |secret: &Secret| secret.expose().to_owned();
    (own(&found.id), own(&found.secret), found.token.as_ref().map(own))
}

fn three(id: &str, secret: &str, token: &str) -> (String, String, Option<String>) {
    (id.to_owned(), secret.to_owned(), Some(token.to_owned()))
}

/// The shapes of the metadata service, as its documentation shows them.
fn metadata(received: &Received, credentials: &str) -> Answer {
    let token = || received.header("x-aws-ec2-metadata-token") == Some("TOKEN");
    match (received.method.as_str(), received.target.as_str()) {
        ("PUT", "/latest/api/token") => {
            assert_eq!(received.header("x-aws-ec2-metadata-token-ttl-seconds"), Some("21600"));
            Answer::new(200, "text/plain", "TOKEN")
        }
        ("GET", "/latest/meta-data/iam/security-credentials/") if token() => {
            Answer::new(200, "text/plain", "emr runner")
        }
        ("GET", "/latest/meta-data/iam/security-credentials/emr%20runner") if token() => {
            json(credentials)
        }
        _ => Answer::new(401, "text/html", "401 - Unauthorized"),
    }
}

fn metadata_credentials(id: &str, expires: &str) -> String {
    format!(
        "{{\"Code\" : \"Success\", \"LastUpdated\" : \"2012-04-26T16:39:16Z\", \"Type\" : \"AWS-HMAC\", \"AccessKeyId\" : \
         \"{id}\", \"SecretAccessKey\" : \"S\", \"Token\" : \"T\", \"Expiration\" : \"{expires}\"}}"
    )
}

#[test]
fn the_environment_has_two_names_for_each() {
    let old = [("AWS_ACCESS_KEY", "A"), ("AWS_SECRET_KEY", "S"), ("AWS_SESSION_TOKEN", "T")];
    for source in [Source::Environment, Source::Chain] {
        let bench = bench(source, &old, ["", ""], nobody()).expect("makes sense");
        assert_eq!(ids(bench.credentials()), three("A", "S", "T"));
        assert_eq!(bench.account.credentials_source(), "environment");
    }
}

#[test]
fn the_instance_has_a_role() {
    for (source, word) in [(Source::Instance, "instance"), (Source::Chain, "instance")] {
        let reply = metadata_credentials("A", &minutes(360));
        let handler: Handler = Box::new(move |received, _| metadata(received, &reply));
        let bench = bench(source, &[], ["", ""], handler).expect("makes sense");
        assert_eq!(ids(bench.credentials()), three("A", "S", "T"));
        assert_eq!(bench.account.credentials_source(), word);
        // They are good for hours: nobody is asked again.
        bench.credentials().expect("are there");
        assert_eq!(bench.seen().len(), 3);
    }
}

#[test]
fn an_instance_without_a_role_says_so() {
    let handler: Handler = Box::new(|received, _| match received.method.as_str() {
        "PUT" => Answer::new(200, "text/plain", "TOKEN"),
        _ => not_found(),
    });
    let bench = bench(Source::Instance, &[], ["", ""], handler).expect("makes sense");
    let error = bench.credentials().expect_err("has none");
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains("it has none"), "{error}");
}

#[test]
fn who_has_none_is_told_all_places() {
    let off = [("AWS_EC2_METADATA_DISABLED", "true")];
    let bench = chain(&off, ["", ""], nobody()).expect("makes sense");
    let error = bench.credentials().expect_err("has none");
    assert_eq!(error.kind, ErrorKind::Auth);
    for place in [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "profile `default`",
        "config",
        "credentials",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_EC2_METADATA_DISABLED",
    ] {
        assert!(error.message.contains(place), "{place}: {error}");
    }
    // Where nobody answers, it is no EC2 instance.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = format!("http://{}", listener.local_addr().expect("has an address"));
    drop(listener);
    let nowhere = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", address.as_str())];
    let bench = chain(&nowhere, ["", ""], nobody()).expect("makes sense");
    let error = bench.credentials().expect_err("has none");
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains(&address[7..]), "{error}");
}

#[test]
fn a_token_that_is_no_header_is_none() {
    for token in ["", "A\nB"] {
        let handler: Handler = Box::new(move |_, _| Answer::new(200, "text/plain", token));
        let bench = bench(Source::Instance, &[], ["", ""], handler).expect("makes sense");
        let error = bench.credentials().expect_err("has none");
        assert!(error.message.contains("gave no token"), "{error}");
    }
}

#[test]
fn a_metadata_service_that_is_broken_may_mend() {
    let reply = metadata_credentials("A", &minutes(60));
    let handler: Handler = Box::new(move |received, count| match count {
        1 => Answer::new(500, "text/plain", ""),
        2 => Answer::Cut,
        _ => metadata(received, &reply),
    });
    let healed = bench(Source::Instance, &[], ["", ""], handler).expect("makes sense");
    assert_eq!(ids(healed.credentials()).0, "A");
    let handler: Handler =
        Box::new(|received, _| metadata(received, "{\"Code\": \"AssumeRoleUnauthorizedAccess\"}"));
    let broken = bench(Source::Instance, &[], ["", ""], handler).expect("makes sense");
    let error = broken.credentials().expect_err("has none");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("AssumeRoleUnauthorizedAccess"), "{error}");
}

#[test]
fn what_the_instance_cannot_renew_goes_on_working() {
    let reply = metadata_credentials("A", &minutes(-60));
    let handler: Handler = Box::new(move |received, _| metadata(received, &reply));
    let bench = bench(Source::Instance, &[], ["", ""], handler).expect("makes sense");
    assert!(bench.credentials().expect("is found").expires > Some(now()));
}

#[test]
fn containers() {
    let body = format!(
        "{{\"RoleArn\":\"arn\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"T\",\"Expiration\":\"{}\"}}",
        minutes(360)
    );
    let handler = |token: &'static str| -> Handler {
        let body = body.clone();
        Box::new(move |received, _| match received.header("authorization") {
            Some(it) if it == token => json(body.clone()),
            _ => Answer::new(403, "text/plain", ""),
        })
    };
    let full = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "{}/get?x=y");
    let token = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc");
    let given = chain(&[full, token], ["", ""], handler("Basic abc")).expect("makes sense");
    assert_eq!(ids(given.credentials()), three("A", "S", "T"));
    assert_eq!(given.account.credentials_source(), "container");
    assert_eq!(given.seen()[0].target, "/get?x=y");
    let folder = tempfile::tempdir().expect("has a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "of the file\n").expect("writes");
    let file = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.to_str().expect("is text"));
    let given = chain(&[full, file], ["", ""], handler("of the file")).expect("makes sense");
    assert_eq!(ids(given.credentials()).0, "A");
    let refused = chain(&[full], ["", ""], handler("another")).expect("makes sense");
    assert_eq!(refused.credentials().expect_err("is refused").kind, ErrorKind::Auth);
    for (variables, words) in [
        (vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/")], "only HTTPS"),
        (
            vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:x@example.com/")],
            "has a user in it",
        ),
        (
            vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.example.com/")],
            "only HTTPS",
        ),
        (vec![full, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\nx: y")], "more than one line"),
    ] {
        let refused = chain(&variables, ["", ""], nobody()).expect("makes sense");
        let error = refused.credentials().expect_err("is refused");
        assert!(error.kind == ErrorKind::Config && error.message.contains(words), "{error}");
    }
}

#[test]
fn profiles_with_keys() {
    let files = [
        "[profile p]\nregion = x\n",
        "[p]\naws_access_key_id = A\naws_secret_access_key = S\naws_session_token = T\n",
    ];
    let found = chain(&[("AWS_PROFILE", "p")], files, nobody()).expect("makes sense");
    assert_eq!(ids(found.credentials()), three("A", "S", "T"));
    assert_eq!(found.account.credentials_source(), "profile");
    let error = chain(&[("AWS_PROFILE", "q")], files, nobody()).err().expect("is refused");
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains("there is no profile `q`"), "{error}");
}

/// STS as it is captured from the real one.
fn sts(received: &Received, expires: &str) -> Answer {
    let form = received.text();
    let who = if form.contains("WebIdentity") { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
    Answer::new(
        200,
        "text/xml",
        format!(
            "<{who}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <{who}Result>\n    <AssumedRoleUser>\n      \
         <AssumedRoleId>AROA3XFRBF535PLBIFPI4:s3-access-example</AssumedRoleId>\n      <Arn>arn:aws:sts::1:assumed-role/x</Arn>\n    \
         </AssumedRoleUser>\n    <Credentials>\n      <SecretAccessKey>S/+&amp;</SecretAccessKey>\n      <SessionToken>T==</SessionToken>\n      \
         <Expiration>{expires}</Expiration>\n      <AccessKeyId>ASIA</AccessKeyId>\n    </Credentials>\n  </{who}Result>\n  \
         <ResponseMetadata>\n    <RequestId>c6104cbe</RequestId>\n  </ResponseMetadata>\n</{who}Response>"
        ),
    )
}

fn of_sts() -> (String, String, Option<String>) {
    three("ASIA", "S/+&", "T==")
}

#[test]
fn roles_are_taken_with_the_keys_of_another_profile() {
    let config = "[default]\nrole_arn = arn:aws:iam::1:role/a b\nsource_profile = base\nexternal_id = e/1\nduration_seconds = 900\nrole_session_name = me\n";
    let keys = "[base]\naws_access_key_id = AKID\naws_secret_access_key = hunter2\n";
    let expires = minutes(15);
    let handler: Handler = Box::new(move |received, _| {
        let secret = Secret::new("hunter2");
        let known = |id: &str| {
            (id == "AKID").then(|| Credentials {
                id: Secret::new(id),
                secret,
                token: None,
                expires: None,
            })
        };
        let signer = verify(received, now(), known).expect("is believed");
        assert_eq!((signer.service.as_str(), signer.region.as_str()), ("sts", "eu-west-1"));
        sts(received, &expires)
    });
    let found = chain(&[], [config, keys], handler).expect("makes sense");
    assert_eq!(ids(found.credentials()), of_sts());
    assert_eq!(found.account.credentials_source(), "role");
    assert_eq!(
        found.seen()[0].text(),
        "Action=AssumeRole&DurationSeconds=900&ExternalId=e%2F1&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b&\
         RoleSessionName=me&Version=2011-06-15"
    );
}

#[test]
fn roles_have_other_sources_too() {
    let expires = minutes(60);
    let role = "[default]\nrole_arn = r\ncredential_source = ";
    let environment = format!("{role}Environment\n");
    // The environment's keys would count before the profile, but for a profile that is reached from another.
    let own = format!("{environment}[profile x]\nrole_arn = s\nsource_profile = default\n");
    let end = expires.clone();
    let handler: Handler = Box::new(move |received, _| match received.method.as_str() {
        "POST" => sts(received, &end),
        _ => metadata(received, &metadata_credentials("A", &end)),
    });
    let instance =
        chain(&[], [&format!("{role}Ec2InstanceMetadata\n"), ""], handler).expect("makes sense");
    assert_eq!(ids(instance.credentials()), of_sts());
    assert_eq!(instance.seen().len(), 4);
    let error = chain(&[("AWS_PROFILE", "x")], [&own, ""], nobody()).err().expect("is refused");
    assert!(error.message.contains("environment, in which there are none"), "{error}");
    // With its own keys as the source.
    let itself = "[default]\nrole_arn = r\nsource_profile = default\naws_access_key_id = A\naws_secret_access_key = S\n";
    let handler: Handler = Box::new(move |received, _| sts(received, &expires));
    let found = chain(&[], [itself, ""], handler).expect("makes sense");
    assert_eq!(ids(found.credentials()), of_sts());
}

#[test]
fn half_a_key_does_not_make_us_somebody_else() {
    for half in ["aws_access_key_id = A\n", "aws_secret_access_key = hunter2\n"] {
        let file = format!("[default]\n{half}");
        let error = chain(&[], ["", &file], nobody()).err().expect("is refused");
        assert_eq!(error.kind, ErrorKind::Config);
        assert!(error.message.contains("but no `aws_"), "{error}");
        assert!(!error.message.contains("hunter2"), "{error}");
    }
}

#[test]
fn profiles_that_make_no_sense_are_refused_at_once() {
    for (config, words) in [
        ("role_arn = r\nsource_profile = default\n", "lead in a circle"),
        (
            "role_arn = r\nsource_profile = b\n[profile b]\nrole_arn = s\nsource_profile = default\n",
            "`default` → `b` → `default`",
        ),
        ("role_arn = r\nsource_profile = absent\n", "needs profile `absent`"),
        ("role_arn = r\nsource_profile = b\n[profile b]\nregion = x\n", "which has no credentials"),
        ("role_arn = r\n", "neither `source_profile` nor `credential_source`"),
        ("role_arn = r\nsource_profile = b\ncredential_source = Environment\n", "both"),
        ("role_arn = r\ncredential_source = Moon\n", "`Moon`"),
        ("role_arn = r\nsource_profile = b\nmfa_serial = m\n", "mfa_serial"),
        ("role_arn = r\nsource_profile = b\nduration_seconds = x\n", "duration_seconds"),
        ("sso_session = s\n", "`sso-session` `s`"),
        ("sso_start_url = u\n", "`sso_account_id`"),
        ("aws_access_key_id = A\n", "has `aws_access_key_id`, but no `aws_secret_access_key`"),
        ("aws_secret_access_key = S\n", "but no `aws_access_key_id`"),
    ] {
        let error =
            chain(&[], [&format!("[default]\n{config}"), ""], nobody()).err().expect("is refused");
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert!(error.message.contains(words), "{words}: {error}");
    }
}

#[test]
fn a_refused_role_is_refused_and_a_broken_sts_may_mend() {
    let config = "[default]\nrole_arn = r\nsource_profile = b\n[profile b]\naws_access_key_id = A\naws_secret_access_key = S\n";
    for (answer, kind, count) in [
        (refusal(Service::Sts, 403, "AccessDenied", "not authorized"), ErrorKind::Auth, 1),
        (refusal(Service::Sts, 403, "InvalidClientTokenId", "no"), ErrorKind::Auth, 1),
        (refusal(Service::Sts, 400, "IDPCommunicationError", "no"), ErrorKind::Unavailable, 5),
    ] {
        let handler: Handler = Box::new(move |_, _| Answer::Reply(answer.clone()));
        let refused = chain(&[], [config, ""], handler).expect("makes sense");
        let error = refused.credentials().expect_err("is refused");
        assert_eq!((error.kind, refused.seen().len()), (kind, count), "{error}");
        assert!(error.message.contains("role `r`"), "{error}");
    }
}

#[test]
fn web_identity_reads_its_token_anew() {
    let folder = tempfile::tempdir().expect("has a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "eyJ.one\n").expect("writes");
    let path = file.to_str().expect("is text");
    let variables = [("AWS_WEB_IDENTITY_TOKEN_FILE", path), ("AWS_ROLE_ARN", "r")];
    let handler: Handler = Box::new(|received, count| {
        assert_eq!(received.header("authorization"), None);
        sts(received, &minutes(if count == 1 { 60 } else { 120 }))
    });
    let found = chain(&variables, ["", ""], handler).expect("makes sense");
    assert_eq!(ids(found.credentials()), of_sts());
    std::fs::write(&file, "eyJ.two").expect("writes");
    turn(SignedDuration::from_mins(55));
    assert_eq!(ids(found.credentials()), of_sts());
    let sent: Vec<_> = found.seen().iter().map(Received::text).collect();
    assert!(sent[0].contains("WebIdentityToken=eyJ.one"), "{sent:?}");
    assert!(sent[1].contains("WebIdentityToken=eyJ.two"), "{sent:?}");
    // A profile can say the same.
    let config = format!("[default]\nrole_arn = r\nweb_identity_token_file = {path}\n");
    let handler: Handler = Box::new(|received, _| sts(received, &minutes(60)));
    let found = chain(&[], [&config, ""], handler).expect("makes sense");
    assert_eq!(ids(found.credentials()), of_sts());
    assert_eq!(found.account.credentials_source(), "web identity");
}

#[cfg(unix)]
#[test]
fn processes() {
    let run = |command: &str| {
        let config = format!("[default]\ncredential_process = {command}\n");
        chain(&[], [&config, ""], nobody()).expect("makes sense").credentials()
    };
    let good = r#"printf '%s' '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "S", "SessionToken": "T", "Expiration": "2099-01-01T00:00:00Z"}'"#;
    assert_eq!(ids(run(good)), three("A", "S", "T"));
    for (command, kind) in [
        ("echo hunter2; exit 3", ErrorKind::Auth),
        ("echo hunter2", ErrorKind::Unavailable),
        (r#"echo '{"Version": 2}'"#, ErrorKind::Auth),
        (r#"echo '{"Version": 1, "AccessKeyId": "hunter2"}'"#, ErrorKind::Unavailable),
    ] {
        let error = run(command).expect_err("fails");
        assert_eq!(error.kind, kind, "{error}");
        assert!(!error.message.contains("hunter2"), "{error}");
    }
}

const PORTAL: &str = "{\"roleCredentials\":{\"accessKeyId\":\"A\",\"secretAccessKey\":\"S\",\"sessionToken\":\"T\",\"expiration\":1700003600000}}";

/// Keeps a token where the AWS CLI does: below the SHA-1 of `key`.
fn log_in(bench: &Bench, name: &str, token: &str) -> std::path::PathBuf {
    let cache = bench.home.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).expect("makes it");
    let file = cache.join(name);
    std::fs::write(&file, token).expect("writes");
    file
}

// `printf https://example.awsapps.com/start | sha1sum`, `printf corp | sha1sum`.
const OF_URL: &str = "e8be5486177c5b5392bd9aa76563515b29358e6e.json";
const OF_SESSION: &str = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

#[test]
fn who_logged_in_gets_a_role() {
    let older = "[default]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = r/1\n";
    let newer = "[default]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r/1\n[sso-session corp]\nsso_start_url = https://x\nsso_region = eu-west-1\n";
    for (config, name, expires) in
        [(older, OF_URL, minutes(60).replace('Z', "UTC")), (newer, OF_SESSION, minutes(60))]
    {
        let handler: Handler =
            Box::new(|received, _| match received.header("x-amz-sso_bearer_token") {
                Some("TOKEN") => json(PORTAL),
                _ => Answer::new(
                    401,
                    "application/json",
                    "{\"message\":\"Session token not found or invalid\"}",
                ),
            });
        let bench = chain(&[], [config, ""], handler).expect("makes sense");
        let error = bench.credentials().expect_err("nobody has logged in");
        assert!(
            error.kind == ErrorKind::Auth
                && error.message.contains("aws sso login --profile default"),
            "{error}"
        );
        log_in(&bench, name, &format!("{{\"accessToken\":\"TOKEN\",\"expiresAt\":\"{expires}\"}}"));
        assert_eq!(ids(bench.credentials()), three("A", "S", "T"));
        assert_eq!(bench.account.credentials_source(), "sso");
        assert_eq!(bench.seen()[0].target, "/federation/credentials?account_id=1&role_name=r%2F1");
    }
}

#[test]
fn a_login_is_renewed_and_kept() {
    let config = "[default]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n[sso-session corp]\nsso_start_url = https://x\nsso_region = eu-west-1\n";
    let handler: Handler = Box::new(|received, _| match received.path() {
        "/token" => {
            let sent: serde_json::Value = serde_json::from_slice(&received.body).expect("is JSON");
            let expected = serde_json::json!({"clientId": "C", "clientSecret": "D", "grantType": "refresh_token", "refreshToken": "R"});
            assert_eq!(sent, expected);
            json(
                r#"{"accessToken":"NEW","expiresIn":3600,"refreshToken":"R2","tokenType":"Bearer"}"#,
            )
        }
        _ if received.header("x-amz-sso_bearer_token") == Some("NEW") => json(PORTAL),
        _ => Answer::new(401, "application/json", "{}"),
    });
    let bench = chain(&[], [config, ""], handler).expect("makes sense");
    let expired = minutes(-1);
    let file = log_in(
        &bench,
        OF_SESSION,
        &format!(
            r#"{{"accessToken":"OLD","expiresAt":"{expired}","clientId":"C","clientSecret":"D","refreshToken":"R","region":"x"}}"#
        ),
    );
    assert_eq!(ids(bench.credentials()), three("A", "S", "T"));
    let kept: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).expect("reads")).expect("is JSON");
    assert_eq!(
        (&kept["accessToken"], &kept["refreshToken"], &kept["region"]),
        (&"NEW".into(), &"R2".into(), &"x".into())
    );
    assert_eq!(kept["expiresAt"], minutes(60));
    assert_eq!(std::fs::read_dir(file.parent().expect("has one")).expect("reads").count(), 1);
    // Where it cannot be renewed, a person has to do it.
    log_in(&bench, OF_SESSION, &format!(r#"{{"accessToken":"OLD","expiresAt":"{expired}"}}"#));
    turn(SignedDuration::from_hours(2));
    let error = bench.credentials().expect_err("has ended");
    assert!(
        error.kind == ErrorKind::Unavailable && error.message.contains("aws sso login"),
        "{error}"
    );
    // What it was registered with has ended: there is no sense in asking.
    let (asked, over) = (bench.seen().len(), minutes(-1));
    log_in(
        &bench,
        OF_SESSION,
        &format!(
            r#"{{"accessToken":"OLD","expiresAt":"{expired}","clientId":"C","clientSecret":"D","refreshToken":"R","registrationExpiresAt":"{over}"}}"#
        ),
    );
    turn(SignedDuration::from_mins(1));
    let error = bench.credentials().expect_err("has ended");
    assert!(error.message.contains("aws sso login"), "{error}");
    assert_eq!(bench.seen().len(), asked);
}

/// An instance whose service works or not, as `broken` says by the number of the question. Its credentials last until
/// so many minutes from the start as `until` says by the number of their turn.
fn instance(
    broken: impl Fn(usize) -> bool + Send + Sync + 'static,
    until: impl Fn(usize) -> i64 + Send + Sync + 'static,
) -> Bench {
    let turns = std::sync::atomic::AtomicUsize::new(0);
    let handler: Handler = Box::new(move |received, count| {
        if broken(count) {
            return not_found();
        }
        let new = received.method == "PUT";
        let turn = turns.fetch_add(usize::from(new), std::sync::atomic::Ordering::SeqCst);
        let turn = turn + usize::from(new);
        // The server's thread has a clock of its own, which stands still.
        metadata(received, &metadata_credentials(&format!("A{turn}"), &minutes(until(turn))))
    });
    bench(Source::Instance, &[], ["", ""], handler).expect("makes sense")
}

fn hourly(turn: usize) -> i64 {
    turn as i64 * 60
}

#[test]
fn credentials_are_renewed_well_before_they_expire() {
    let lasting = instance(|_| false, hourly);
    assert_eq!(ids(lasting.credentials()).0, "A1");
    turn(SignedDuration::from_mins(49));
    assert_eq!(ids(lasting.credentials()).0, "A1");
    turn(SignedDuration::from_mins(2));
    assert_eq!(ids(lasting.credentials()).0, "A2");
    assert_eq!(ids(lasting.credentials()).0, "A2");
    assert_eq!(lasting.seen().len(), 6);
}

#[test]
fn what_lasts_for_minutes_is_renewed_when_a_third_is_left() {
    let short = instance(|_| false, |turn| turn as i64 * 15);
    assert_eq!(ids(short.credentials()).0, "A1");
    turn(SignedDuration::from_mins(9));
    assert_eq!(ids(short.credentials()).0, "A1");
    turn(SignedDuration::from_mins(2));
    assert_eq!(ids(short.credentials()).0, "A2");
}

#[test]
fn a_renewal_that_fails_is_noticed_only_when_the_old_ones_have_expired() {
    let bench = instance(|count| (4..=6).contains(&count), |turn| turn as i64 * 70 - 10);
    assert_eq!(ids(bench.credentials()).0, "A1");
    turn(SignedDuration::from_mins(51));
    for _ in 0..3 {
        assert_eq!(ids(bench.credentials()).0, "A1");
    }
    // It is not asked at every call.
    assert_eq!(bench.seen().len(), 4);
    turn(SignedDuration::from_secs(31));
    assert_eq!(ids(bench.credentials()).0, "A1");
    assert_eq!(bench.seen().len(), 5);
    turn(SignedDuration::from_mins(9));
    let error = bench.credentials().expect_err("have expired");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("instance") && error.message.contains("404"), "{error}");
    assert_eq!(error.not_before, Some(now() + AGAIN));
    assert_eq!(bench.credentials().expect_err("not yet"), error);
    assert_eq!(bench.seen().len(), 6);
    turn(SignedDuration::from_secs(31));
    assert_eq!(ids(bench.credentials()).0, "A2");
}

#[test]
fn credentials_that_are_not_renewed_yet_are_used_on() {
    let bench = instance(|_| false, |_| 60);
    bench.credentials().expect("are there");
    turn(SignedDuration::from_mins(55));
    for _ in 0..3 {
        bench.credentials().expect("are there");
    }
    assert_eq!(bench.seen().len(), 6);
}

/// Some caches give the same ones until the very end.
#[test]
fn the_same_credentials_once_more_are_not_asked_for_at_every_call() {
    let expires = minutes(60);
    let same: Handler = Box::new(move |_, _| {
        let keys = r#""AccessKeyId":"A","SecretAccessKey":"S","Token":"T""#;
        json(format!("{{{keys},\"Expiration\":\"{expires}\"}}"))
    });
    let container = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "{}/get")];
    let bench = chain(&container, ["", ""], same).expect("makes sense");
    bench.credentials().expect("are there");
    turn(SignedDuration::from_mins(55));
    for _ in 0..3 {
        bench.credentials().expect("are there");
    }
    assert_eq!(bench.seen().len(), 2);
}

#[test]
fn what_came_from_a_file_does_not_come_from_elsewhere_when_the_file_is_gone() {
    let config = "[default]\nrole_arn = r\nsource_profile = b\n[profile b]\naws_access_key_id = A\naws_secret_access_key = S\n";
    let handler: Handler = Box::new(|received, _| sts(received, &minutes(60)));
    let bench = chain(&[], [config, ""], handler).expect("makes sense");
    bench.credentials().expect("are there");
    std::fs::write(bench.home.path().join(".aws/config"), "").expect("writes");
    turn(SignedDuration::from_mins(61));
    let error = bench.credentials().expect_err("are gone");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("role"), "{error}");
    assert_eq!(bench.seen().len(), 1);
}

/// EMR that takes only the credentials with this id, and hands credentials out as a container would.
fn expiring(good: &'static str) -> Handler {
    Box::new(move |received, count| match received.path() {
        "/get" => {
            let expires = minutes(360);
            json(format!(
                r#"{{"AccessKeyId":"A{count}","SecretAccessKey":"S","Token":"T","Expiration":"{expires}"}}"#
            ))
        }
        _ if received.header("authorization").is_some_and(|it| it.contains(good)) => json("{}"),
        _ => Answer::Reply(refusal(Service::Emr, 400, "ExpiredTokenException", "expired")),
    })
}

#[test]
fn what_aws_calls_expired_is_renewed() {
    let call = Call {
        service: Service::Emr,
        operation: "RunJobFlow",
        method: "POST",
        path: "/",
        query: &[],
        headers: &[],
        body: b"{}",
        repeatable: false,
    };
    let container = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "{}/get")];
    let renewed = chain(&container, ["", ""], expiring("=A3/")).expect("makes sense");
    renewed.account.call(&call).expect("is renewed");
    assert_eq!(renewed.seen().len(), 4);
    // Newer ones and newer ones still, none of them good: that is no matter of age.
    let never = chain(&container, ["", ""], expiring("=B/")).expect("makes sense");
    let error = never.account.call(&call).expect_err("fails").error;
    assert_eq!(error.kind, ErrorKind::Auth, "{error}");
    // Those of the environment nobody renews.
    let fixed =
        bench(Source::Environment, &[KEY, SECRET], ["", ""], expiring("=B/")).expect("makes sense");
    let error = fixed.account.call(&call).expect_err("fails").error;
    assert_eq!((error.kind, fixed.seen().len()), (ErrorKind::Auth, 1));
    assert!(error.message.contains("a new run needs new ones"), "{error}");
}

/// Some tools put sessions of an hour into the files. Before the first call was taken, nobody waits for a new one; after
/// it, somebody may well bring one.
#[test]
fn what_has_expired_at_the_start_is_refused_and_later_it_is_contact_lost() {
    const KEYS: &str =
        "[default]\naws_access_key_id = A\naws_secret_access_key = S\naws_session_token = T\n";
    let call = Call {
        service: Service::Emr,
        operation: "ListSteps",
        method: "POST",
        path: "/",
        query: &[],
        headers: &[],
        body: b"{}",
        repeatable: true,
    };
    let expired = || Answer::Reply(refusal(Service::Emr, 400, "ExpiredTokenException", "expired"));
    let start = chain(&[], ["", KEYS], Box::new(move |_, _| expired())).expect("makes sense");
    let error = start.account.call(&call).expect_err("fails").error;
    assert_eq!(error.kind, ErrorKind::Auth, "{error}");
    assert!(error.message.ends_with("(from: profile) need to be renewed"), "{error}");
    let later =
        Box::new(move |_: &Received, count| if count == 1 { json("{}") } else { expired() });
    let later = chain(&[], ["", KEYS], later).expect("makes sense");
    later.account.call(&call).expect("is taken");
    let error = later.account.call(&call).expect_err("fails").error;
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    assert!(error.not_before.is_some());
}

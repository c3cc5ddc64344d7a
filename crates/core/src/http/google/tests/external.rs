//! Identities of elsewhere.

use super::*;
use crate::http::aws;

fn exchanged(received: &Received, _: usize) -> Answer {
    match received.path() {
        "/sts" => granted("T"),
        _ => Answer::new(404, "text/plain", ""),
    }
}

/// What was shown to the security token service as a proof.
fn subject(bench: &Bench) -> String {
    let last = bench.seen().pop().expect("was asked");
    assert_eq!((last.method.as_str(), last.target.as_str()), ("POST", "/sts"));
    field(&pairs(&last), "subject_token").to_owned()
}

#[test]
fn a_token_in_a_file_is_exchanged() {
    let bench = Bench::new(exchanged);
    let path = bench.home.path().join("token");
    std::fs::write(&path, "of-elsewhere\n").expect("writes");
    let path = path.to_str().expect("is text");
    assert_eq!(bench.token(&external(json!({ "file": path }))).expect("is granted"), "T");
    let expected = [
        ("audience", AUDIENCE),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        ("subject_token", "of-elsewhere"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    assert_eq!(bench.forms()[0], expected.map(own));
    assert_eq!(bench.seen()[0].header("authorization"), None);
    std::fs::write(path, "{\"a\": {}, \"token\": \"in-json\"}").expect("writes");
    let format = |field: &str| json!({ "type": "json", "subject_token_field_name": field });
    let file = |field: &str| external(json!({ "file": path, "format": format(field) }));
    assert_eq!(bench.token(&file("token")).expect("is granted"), "T");
    assert_eq!(subject(&bench), "in-json");
    let error = bench.token(&file("a")).expect_err("is no text");
    assert!(error.message.contains("no JSON with `a`"), "{error}");
    std::fs::write(path, " \n").expect("writes");
    let error = bench.token(&external(json!({ "file": path }))).expect_err("is empty");
    assert!(error.message.contains("it is empty"), "{error}");
    let error = bench.token(&external(json!({ "file": "/nowhere/token" }))).expect_err("is not");
    assert_eq!(error.kind, Kind::Missing);
    assert!(error.message.contains("`/nowhere/token`"), "{error}");
}

#[test]
fn a_server_tells_who_we_are() {
    let bench = Bench::new(|received, count| match received.target.as_str() {
        "/identity?resource=x" if received.header("metadata") == Some("True") => {
            answer(200, &json!({ "access_token": "of-azure" }))
        }
        _ => exchanged(received, count),
    });
    let format = json!({ "type": "json", "subject_token_field_name": "access_token" });
    let source = json!({ "url": "{}/identity?resource=x", "headers": { "Metadata": "True" }, "format": format });
    assert_eq!(bench.token(&external(source)).expect("is granted"), "T");
    assert_eq!(subject(&bench), "of-azure");
    let source = json!({ "url": "{}/identity?resource=hunter", "headers": { "a": "b" } });
    let error = bench.token(&external(source)).expect_err("is refused");
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.message.contains("/identity`") && !error.message.contains("hunter"), "{error}");
}

#[test]
fn clients_say_who_they_are_and_people_for_what_they_work() {
    let bench = Bench::new(exchanged);
    let path = bench.home.path().join("token");
    std::fs::write(&path, "of-elsewhere").expect("writes");
    let pool = "//iam.googleapis.com/locations/global/workforcePools/p/providers/q";
    let file = with(external(json!({ "file": path })), "audience", pool.into());
    let file = with(file, "workforce_pool_user_project", "my project".into());
    bench.token(&file).expect("is granted");
    let file = with(with(file, "client_id", "c".into()), "client_secret", "s".into());
    bench.token(&file).expect("is granted");
    let (seen, forms) = (bench.seen(), bench.forms());
    assert_eq!(seen[0].header("authorization"), None);
    let options = crate::http::encode::decode(field(&forms[0], "options"));
    assert_eq!(options, "{\"userProject\":\"my project\"}");
    assert_eq!(seen[1].header("authorization"), Some("Basic Yzpz"));
    assert_eq!(field(&forms[1], "options"), "");
}

#[test]
fn who_is_not_believed_is_told_where_to_look() {
    let bench = Bench::new(|received, _| {
        let quoted = field(&pairs(received), "subject_token").to_owned();
        answer(
            400,
            &json!({ "error": "invalid_target", "error_description": format!("no: {quoted}") }),
        )
    });
    let path = bench.home.path().join("token");
    std::fs::write(&path, "hunter/of+elsewhere").expect("writes");
    let error = bench.token(&external(json!({ "file": path }))).expect_err("is refused");
    assert_eq!(error.kind, Kind::Refused);
    for words in ["/sts`", "`invalid_target`: no: ‹secret›", AUDIENCE, "/token`"] {
        assert!(error.message.contains(words), "{words}: {error}");
    }
    assert!(!error.message.contains("hunter"), "{error}");
}

/// AWS shows what was to be signed, which holds the session's token, and Google may quote it.
#[test]
fn what_aws_says_of_a_wrong_signature_is_not_told() {
    let bench = Bench::new(|_, _| {
        let quoted = "Received invalid AWS response: The Canonical String should have been POST x-amz-security-token:hunter2";
        answer(400, &json!({ "error": "invalid_grant", "error_description": quoted }))
    });
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let credentials = bench.credentials(bench.json(&amazon()), &variables).expect("makes sense");
    let error = bearer(&credentials).expect_err("is refused");
    assert!(error.message.contains("Received invalid AWS response"), "{error}");
    assert!(!error.message.contains("hunter2"), "{error}");
}

#[cfg(unix)]
mod executables {
    use super::*;

    const ALLOWED: (&str, &str) = ("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");

    fn run(bench: &Bench, script: &str, output: Option<&str>) -> Result<String, Error> {
        use std::os::unix::fs::PermissionsExt;
        let path = bench.home.path().join("prove");
        std::fs::write(&path, script).expect("writes");
        // Run by the shell: a file that was just written may be held open by a child of another test.
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("is allowed");
        let command = format!("sh {} one two", path.display());
        let source = json!({ "executable": { "command": command, "output_file": output } });
        bench.credentials(bench.json(&external(source)), &[ALLOWED]).and_then(|it| bearer(&it))
    }

    fn says(value: &Value) -> String {
        format!("cat <<'END'\n{value}\nEND\n")
    }

    fn good(token: &str) -> Value {
        json!({
            "version": 1,
            "success": true,
            "token_type": "urn:ietf:params:oauth:token-type:jwt",
            "id_token": token,
            "expiration_time": 1_700_003_600,
        })
    }

    #[test]
    fn a_program_is_run_only_if_that_is_allowed() {
        let bench = Bench::new(nobody);
        let mark = bench.home.path().join("mark");
        let source = json!({ "executable": { "command": format!("touch {}", mark.display()) } });
        for variables in [&[][..], &[("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "true")]] {
            let file = bench.json(&external(source.clone()));
            let credentials = bench.credentials(file, variables).expect("makes sense");
            let error = bearer(&credentials).expect_err("is not allowed");
            assert_eq!(error.kind, Kind::Refused);
            assert!(error.message.contains(ALLOWED.0), "{error}");
            assert!(!mark.exists());
        }
    }

    #[test]
    fn a_program_proves_who_we_are() {
        let bench = Bench::new(exchanged);
        let script = "echo \"{\\\"version\\\": 1, \\\"success\\\": true, \\\"saml_response\\\": \
             \\\"$1 $2 $GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE $GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE\\\", \
             \\\"token_type\\\": \\\"urn:ietf:params:oauth:token-type:saml2\\\"}\"";
        assert_eq!(run(&bench, script, None).expect("is granted"), "T");
        assert_eq!(subject(&bench), format!("one two {AUDIENCE} 0"));
    }

    #[test]
    fn what_it_left_is_used_while_it_is_good() {
        let bench = Bench::new(exchanged);
        let output = bench.file("left.json", &good("left"));
        let output = output.to_str().expect("is text");
        let script = says(&good("fresh"));
        run(&bench, &script, Some(output)).expect("is granted");
        assert_eq!(subject(&bench), "left");
        bench.file("left.json", &with(good("left"), "expiration_time", 1_700_000_000.into()));
        run(&bench, &script, Some(output)).expect("is granted");
        assert_eq!(subject(&bench), "fresh");
        // How long it is good is not known.
        bench.file("left.json", &with(good("left"), "expiration_time", json!(null)));
        run(&bench, &script, Some(output)).expect("is granted");
        assert_eq!(subject(&bench), "fresh");
    }

    #[test]
    fn a_program_that_fails_says_so_and_tells_no_secrets() {
        let bench = Bench::new(nobody);
        let failed = json!({ "version": 1, "success": false, "code": "401", "message": "hunter" });
        for (script, words) in [
            ("echo hunter; echo hunter >&2; exit 3".to_owned(), "failed: exit status: 3"),
            ("echo hunter".to_owned(), "did not answer in JSON"),
            (says(&failed), "says that it failed: `401`"),
            (says(&with(good("hunter"), "version", 2.into())), "version 1"),
            (says(&with(good("hunter"), "success", json!(null))), "`success`"),
            (says(&with(good("hunter"), "expiration_time", 1_600_000_000.into())), "has expired"),
            (says(&with(good("hunter"), "token_type", "hunter".into())), "`token_type`"),
            (says(&with(good("hunter"), "id_token", json!(null))), "gave no token"),
        ] {
            let error = run(&bench, &script, None).expect_err("fails");
            assert!(error.message.contains(words), "{words}: {error}");
            assert!(!error.message.contains("hunter"), "{error}");
        }
        let source = json!({ "executable": { "command": "/nowhere/prove" } });
        let file = bench.json(&external(source));
        let credentials = bench.credentials(file, &[ALLOWED]).expect("makes sense");
        assert_eq!(bearer(&credentials).expect_err("is not there").kind, Kind::Missing);
    }
}

fn amazon() -> Value {
    let file = external(json!({
        "environment_id": "aws1",
        "region_url": "{}/zone",
        "url": "{}/roles",
        "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Version=2011-06-15&Action=GetCallerIdentity",
        "imdsv2_session_token_url": "{}/session",
    }));
    with(file, "subject_token_type", "urn:ietf:params:aws:token-type:aws4_request".into())
}

/// The request that was to be sent to AWS, as AWS would get it.
fn signed(subject: &str) -> (String, Received) {
    let text = crate::http::encode::decode(subject);
    let value: Value = serde_json::from_str(&text).expect("is JSON");
    let text = |value: &Value| value.as_str().expect("is a text").to_owned();
    let headers = value["headers"].as_array().expect("is a list").iter();
    let headers =
        headers.map(|it| (text(&it["key"]).to_ascii_lowercase(), text(&it["value"]))).collect();
    let url = text(&value["url"]);
    let (host, query) = url.split_once('?').expect("has a query");
    let method = text(&value["method"]);
    (host.to_owned(), Received { method, target: format!("/?{query}"), headers, body: Vec::new() })
}

#[test]
fn aws_proves_who_we_are_by_keys_of_the_environment() {
    let bench = Bench::new(exchanged);
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_SESSION_TOKEN", "session"),
    ];
    let credentials = bench.credentials(bench.json(&amazon()), &variables).expect("makes sense");
    assert_eq!(bearer(&credentials).expect("is granted"), "T");
    assert_eq!(bench.seen().len(), 1);
    let (host, received) = signed(&subject(&bench));
    assert_eq!(host, "https://sts.eu-west-1.amazonaws.com");
    assert_eq!(received.query(), "Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(received.header("x-goog-cloud-target-resource"), Some(AUDIENCE));
    let authorization = received.header("authorization").expect("is signed");
    let names = "SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource,";
    assert!(authorization.contains(names), "{authorization}");
    let (id, secret) = (Secret::new("AKID"), Secret::new("hunter2"));
    let keys = aws::Credentials { id, secret, token: Some(Secret::new("session")), expires: None };
    let signer = aws::verify(&received, now(), |id| (id == "AKID").then_some(keys));
    let signer = signer.expect("is signed by the key");
    assert_eq!((signer.region.as_str(), signer.service.as_str()), ("eu-west-1", "sts"));
}

#[test]
fn aws_proves_who_we_are_by_the_role_of_the_instance() {
    let bench = Bench::new(|received, count| {
        let session = received.header("x-aws-ec2-metadata-token") == Some("S");
        match (received.method.as_str(), received.target.as_str()) {
            ("PUT", "/session") => {
                assert_eq!(received.header("x-aws-ec2-metadata-token-ttl-seconds"), Some("300"));
                Answer::new(200, "text/plain", "S")
            }
            ("GET", "/zone") if session => Answer::new(200, "text/plain", "us-east-2b"),
            ("GET", "/roles") if session => Answer::new(200, "text/plain", "my role"),
            ("GET", "/roles/my%20role") if session => {
                answer(200, &json!({ "AccessKeyId": "AKID", "SecretAccessKey": "s", "Token": "t" }))
            }
            _ => exchanged(received, count),
        }
    });
    assert_eq!(bench.token(&amazon()).expect("is granted"), "T");
    let (host, received) = signed(&subject(&bench));
    assert_eq!(host, "https://sts.us-east-2.amazonaws.com");
    assert_eq!(received.header("x-amz-security-token"), Some("t"));
}

#[test]
fn aws_may_know_nothing() {
    let bench = Bench::new(|_, _| Answer::new(200, "text/plain", "a/b"));
    let error = bench.token(&amazon()).expect_err("is no region");
    assert_eq!(error.kind, Kind::Malformed);
    assert!(error.message.contains("is not a region of AWS"), "{error}");
    let bench = Bench::new(nobody);
    let source = json!({
        "environment_id": "aws1",
        "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity",
    });
    let token = |variables: &[(&str, &str)]| {
        let file = bench.json(&external(source.clone()));
        bench.credentials(file, variables).and_then(|it| bearer(&it)).expect_err("knows nothing")
    };
    assert!(token(&[]).message.contains("`AWS_REGION` is not set"));
    let error = token(&[("AWS_DEFAULT_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "A")]);
    assert_eq!(error.kind, Kind::Missing);
    assert!(error.message.contains("`AWS_SECRET_ACCESS_KEY`"), "{error}");
}

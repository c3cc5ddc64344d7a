//! Whose name requests are signed in.

use dataflow_runner_core::fabric::emr::fake::Script;

use super::Site;
use crate::harness::{Ran, emr_cluster};

const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

fn with(site: Site, id: &str, secret: &str) -> Site {
    let words = r#""accessKeyId": "env", "secretAccessKey": "env""#;
    let keys = format!(r#""accessKeyId": "{id}", "secretAccessKey": "{secret}""#);
    site.with("c.json", emr_cluster().replace(words, &keys))
}

/// Of the request that launched.
fn signer(site: &Site) -> String {
    let launch = site.fake.requests().into_iter().find(|request| request.operation == "RunJobFlow");
    launch.and_then(|launch| launch.signer).expect("it was signed").id
}

#[test]
fn env_default_and_keys_in_the_file() {
    let site = Site::new(Script::default());
    let key = |name: &str| {
        let environment = site.fake.environment();
        environment.into_iter().find(|(known, _)| known == name).expect("a key").1
    };
    let (id, secret) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"));
    for (one, two, kept) in
        [("env", "env", true), ("default", "default", true), (id.as_str(), secret.as_str(), false)]
    {
        let site = with(Site::new(Script::default()), one, two);
        let mut command = site.command("up -emr-config c.json");
        if !kept {
            command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        }
        let ran = Ran::from(command.output().expect("it starts"));
        assert_eq!(ran.code, Some(0), "{one}: {}", ran.stderr);
        assert_eq!(signer(&site), id, "{one}");
    }
}

#[test]
fn the_names_of_older_days_count_too() {
    let site = Site::new(Script::default());
    let mut command = site.command("up -emr-config c.json");
    for (new, old) in
        [("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")]
    {
        let environment = site.fake.environment();
        let (_, value) = environment.into_iter().find(|(known, _)| known == new).expect("a key");
        command.env_remove(new).env(old, value);
    }
    let ran = Ran::from(command.output().expect("it starts"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn a_profile_may_assume_a_role() {
    let site = with(Site::new(Script::default()), "default", "default");
    let key = |name: &str| {
        let environment = site.fake.environment();
        environment.into_iter().find(|(known, _)| known == name).expect("a key").1
    };
    let credentials = format!(
        "[base]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        key("AWS_ACCESS_KEY_ID"),
        key("AWS_SECRET_ACCESS_KEY")
    );
    let config = format!(
        "[profile deploy]\nrole_arn = {ROLE}\nsource_profile = base\nrole_session_name = nightly\n"
    );
    std::fs::write(site.place.path("credentials"), credentials).expect("a file");
    std::fs::write(site.place.path("config"), config).expect("a file");
    let mut command = site.command("up -emr-config c.json");
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_PROFILE", "deploy")
        .env("AWS_CONFIG_FILE", site.place.path("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", site.place.path("credentials"));
    let ran = Ran::from(command.output().expect("it starts"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(site.fake.calls("AssumeRole"), 1);
    assert!(signer(&site).starts_with("ASIA"), "{}", signer(&site));
}

#[test]
fn half_a_word_is_an_error() {
    for (word, one, two) in
        [("iam", "iam", "x"), ("env", "x", "env"), ("default", "default", "env")]
    {
        let site = with(Site::new(Script::default()), one, two);
        let ran = site.words("up -emr-config c.json");
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        let text = "access-key and secret-key must both be set to";
        assert!(ran.stderr.contains(text) && ran.stderr.contains(word), "{}", ran.stderr);
        assert_eq!(site.fake.calls("*"), 0);
    }
}

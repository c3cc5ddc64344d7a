//! As whom Google is asked.

use std::time::Duration;

use dataflow_runner_core::fabric::dataproc::fake::{Fault, Script, StepScript};

use super::{Site, TRANSIENT};

fn bearer(site: &Site) -> std::collections::BTreeSet<String> {
    let requests = site.fake.requests().into_iter().filter(|it| it.operation != "token");
    requests.filter_map(|it| it.request.header("authorization").map(str::to_owned)).collect()
}

fn in_files(fates: Script) -> [Site; 4] {
    let with = |credentials: &str, key: &str| {
        let site = Site::new(fates.clone());
        let key =
            if key == "user" { site.fake.authorized_user() } else { site.fake.service_account() };
        let path = site.place.path("key.json").display().to_string();
        let text = serde_json::Value::from(key.to_string()).to_string();
        let credentials = credentials.replace("PATH", &path).replace("JSON", &text);
        let file = site.fake.cluster_file_as(&credentials, "");
        site.with("key.json", key.to_string()).with("c.json", file)
    };
    [
        with(r#"{"file": "PATH"}"#, ""),
        with(r#"{"json": JSON}"#, ""),
        with(r#"{"file": "PATH"}"#, "user"),
        with("null", ""),
    ]
}

#[test]
fn keys_of_service_accounts_and_of_people_are_turned_into_tokens() {
    for site in in_files(Script::default()) {
        let mut command = site.command(TRANSIENT);
        command.env("GOOGLE_APPLICATION_CREDENTIALS", site.place.path("key.json"));
        let ran = crate::harness::Ran::from(command.output().expect("it starts"));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert_eq!(site.fake.calls("token"), 1);
        assert_eq!(bearer(&site), ["Bearer ya29.fake-1".to_owned()].into());
        site.nothing_is_left();
    }
}

/// Google forgets one, and tells of each how long it is good.
#[test]
fn a_token_is_renewed_in_mid_run() {
    let fates = Script::default().step("first", StepScript::never_ends());
    let [site, ..] = in_files(fates);
    let mut command = site.command(TRANSIENT);
    let mut child = command.stderr(std::process::Stdio::null()).spawn().expect("it starts");
    site.until_it_runs("first");
    site.fake.forget_tokens();
    let tokens = || site.fake.calls("token");
    while tokens() < 2 {
        assert_eq!(child.try_wait().expect("its state"), None, "it ended");
        std::thread::yield_now();
    }
    site.finish("first", dataflow_runner_core::fabric::dataproc::fake::End::Done, "");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(site.submissions(["first", "second"]), [1, 1]);
    site.nothing_is_left();

    // One that is good for no time is renewed before it is refused.
    let [site, ..] = in_files(Script { lifetime: Duration::from_secs(60), ..Script::default() });
    site.done(TRANSIENT, 0);
    site.nothing_is_left();
}

#[test]
fn what_is_wrong_with_credentials_is_told_and_nothing_is_ordered() {
    let [site, ..] = in_files(Script::default());
    site.fake.fail("token", .., Fault::Body(r#"{"error": "invalid_grant"}"#));
    let ran = site.words(&format!("{TRANSIENT} --lost-contact-after 0.3s"));
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert_eq!(site.orders(), [""; 0]);

    let site = Site::new(Script::default());
    let file = site.fake.cluster_file_as(r#"{"file": "none.json"}"#, "");
    let site = site.with("c.json", file);
    site.says(TRANSIENT, 3, "none.json");
    assert_eq!(site.fake.calls("*"), 0);
    assert!(!site.place.state().exists());
}

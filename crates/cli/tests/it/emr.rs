//! Files for EMR where there is no EMR.

use crate::harness::{Place, emr_cluster, playbook_1};

#[test]
fn files_for_emr_are_linted_and_planned_without_credentials() {
    let place = Place::new()
        .with("c.json", emr_cluster())
        .with("p.json", playbook_1(r#""CANCEL_AND_WAIT""#));
    let ran = place.words("lint c.json p.json");
    assert_eq!((ran.messages(), ran.code), (vec!["info msg=\"2 files are valid\""], Some(0)));
    for line in ["plan -emr-config c.json -emr-playbook p.json", "plan -emr-playbook p.json"] {
        let ran = place.words(line);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{line}");
        let first = "Playbook p on emr: 1 step in 1 stage, at most 1 at once\n";
        assert!(ran.stdout.starts_with(first), "{}", ran.stdout);
    }
}

#[test]
fn without_credentials_nothing_is_begun() {
    let place = Place::new()
        .with("c.json", emr_cluster())
        .with("p.json", playbook_1(r#""CANCEL_AND_WAIT""#));
    for line in [
        "up -emr-config c.json",
        "run -emr-playbook p.json -emr-cluster j-1",
        "run-transient -emr-config c.json -emr-playbook p.json",
        "down -emr-config c.json -emr-cluster j-1",
    ] {
        let ran = place.words(line);
        assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(3)), "{line}");
        let fault = "error[aws-settings]: emr credentials: the credentials are to come from the environment, \
                     but `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` are not set";
        assert!(ran.stderr.starts_with(fault), "{}", ran.stderr);
        assert!(!place.state().exists(), "{line}");
    }
}

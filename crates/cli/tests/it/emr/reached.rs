//! What is done about a run on EMR by its journal alone.

use dataflow_runner_core::fabric::emr::fake::{Fault, Script, State};

use super::Site;
use crate::harness::{Ran, emr_cluster};

/// Runs the program where nobody has said where EMR is.
fn unaware(site: &Site, line: &str) -> Ran {
    let mut command = site.command(line);
    Ran::from(command.env_remove("AWS_ENDPOINT_URL").output().expect("it starts"))
}

#[test]
fn the_cluster_of_a_run_goes_down_at_the_endpoint_where_it_came_up() {
    let site = Site::new(Script::default());
    let id = site.up();
    std::fs::remove_file(site.place.path("c.json")).expect("it is there");
    let ran = unaware(&site, "down --run last");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("EMR cluster terminated successfully"), "{}", ran.stderr);
    site.fake.world(|world| {
        let cluster = world.cluster(&id).expect("it is known");
        assert_eq!(cluster.state, State::Terminated);
    });
    site.nothing_is_left();
}

#[test]
fn a_run_without_a_cluster_has_none_to_take_down() {
    let site = Site::new(Script::default());
    site.fake.fail("RunJobFlow", .., Fault::denied("elasticmapreduce:RunJobFlow"));
    assert_eq!(site.words("up -emr-config c.json").code, Some(4));
    let ran = unaware(&site, "down --run last");
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("has no cluster: none was launched"), "{}", ran.stderr);
    assert_eq!(site.fake.calls("TerminateJobFlows"), 0);
}

/// A key that is written in a file is in no journal, so nobody is taken for its owner.
#[test]
fn a_key_of_a_file_is_not_kept() {
    let site = Site::new(Script::default());
    let environment = site.fake.environment();
    let key = |name: &str| {
        environment.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    };
    let words = r#""accessKeyId": "env", "secretAccessKey": "env""#;
    let (id, secret) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"));
    let keys = format!(r#""accessKeyId": "{id}", "secretAccessKey": "{secret}""#);
    let site =
        Site { place: site.place.with("c.json", emr_cluster().replace(words, &keys)), ..site };
    let cluster = site.up();
    let asked = site.fake.calls("*");
    let ran = unaware(&site, "down --run last");
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error[credentials-not-kept]: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("name that file with --config"), "{}", ran.stderr);
    assert_eq!(site.fake.calls("*"), asked);
    let ran = site.words(&format!("down --config c.json --cluster {cluster}"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

//! Files beside the playbook.

use dataflow_runner_core::fabric::dataproc::fake::Script;

use super::{SUBMIT, Site, TRANSIENT, UP};
use crate::harness::playbook;

const STEP: &str = r#"{"id": "first", "type": "SPARK", "file": "./pi.py"}"#;

fn site(more: &str) -> Site {
    let site = Site::new(Script::default().bucket("mine"));
    let file = site.fake.cluster_file(more);
    site.with("c.json", file).with("p.json", playbook(STEP)).with("pi.py", "print(3)")
}

#[test]
fn they_are_put_into_the_staging_bucket_once() {
    let site = site(r#", "stagingBucket": "mine""#);
    site.done(TRANSIENT, 0);
    let sent = site.fake.requests().into_iter().find(|it| it.operation == SUBMIT).expect("one");
    let file = sent.body["job"]["pysparkJob"]["mainPythonFileUri"].as_str().expect("a file");
    let name = file.strip_prefix("gs://mine/").expect("in that bucket").to_owned();
    assert!(name.starts_with("dataflow-runner/staged/") && name.ends_with("/pi.py"), "{file}");
    site.fake.world(|world| {
        let object = world.storage.get("mine", &name).expect("it is there");
        assert_eq!(object.body, b"print(3)");
    });
    // It is there already.
    site.done(TRANSIENT, 0);
    assert!(site.fake.requests().iter().filter(|it| it.operation == "objects.insert").count() <= 2);
    site.nothing_is_left();
}

#[test]
fn without_a_bucket_nothing_is_ordered() {
    let site = site("");
    for line in ["plan --config c.json --playbook p.json", TRANSIENT] {
        let ran = site.says(line, 3, "error[no-staging-bucket]");
        assert!(ran.stderr.contains("stagingBucket"), "{}", ran.stderr);
    }
    assert_eq!(site.fake.calls("*"), 0);
    // A file of the playbook alone is nobody's fault.
    site.done("lint p.json", 0);
    site.done(UP, 0);
    let ran = site.words("run --config c.json --playbook p.json --cluster fake");
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert_eq!(site.fake.calls(SUBMIT), 0);
}

//! Which cluster `--cluster` means.

use dataflow_runner_core::fabric::emr::fake::Script;

use super::{Site, said};
use crate::harness::emr_cluster;

fn site() -> Site {
    let tags = r#""tags": [{"key": "team", "value": "data"}]"#;
    let other = emr_cluster()
        .replace(r#""name": "c""#, r#""name": "other""#)
        .replace(r#""tags": []"#, tags);
    Site::new(Script::default()).with("o.json", other)
}

#[test]
fn a_cluster_goes_by_its_name_or_label() {
    let site = site();
    let c = site.up();
    assert_eq!(site.words("up -emr-config o.json").code, Some(0));
    for (word, told) in [("name:c", c.as_str()), ("newest:c", c.as_str())] {
        let ran = site.words(&format!("run -emr-playbook p.json --cluster {word} --async"));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let first = format!("info msg=\"Cluster {word} is {told}\"");
        assert_eq!(ran.messages()[0], first);
    }
    let ran = site.words("run -emr-playbook p.json --cluster tag:team=data --async");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let steps = site
        .fake
        .world(|world| world.clusters.iter().map(|one| one.steps.len()).collect::<Vec<_>>());
    assert_eq!(steps, [4, 2]);
}

#[test]
fn what_is_ambiguous_is_told_with_the_candidates() {
    let site = site();
    let (one, two) = (site.up(), site.up());
    let ran = site.words("run -emr-playbook p.json --cluster name:c");
    assert_eq!((ran.code, ran.messages().len()), (Some(4), 1), "{}", ran.stderr);
    assert!(ran.stderr.contains("2 clusters are `name:c`"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&one) && ran.stderr.contains(&two), "{}", ran.stderr);
    assert_eq!(site.orders(), ["RunJobFlow", "RunJobFlow"]);
    let ran = site.words("down -emr-config c.json --cluster newest:c");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let alive =
        site.fake.world(|world| world.alive().map(|one| one.id.clone()).collect::<Vec<_>>());
    assert_eq!(alive, [one]);
}

#[test]
fn what_is_not_there_is_refused() {
    let site = site();
    let ran = site.words("run -emr-playbook p.json --cluster name:nobody");
    assert_eq!(ran.code, Some(4));
    assert_eq!(said(&ran), ["error msg=\"no cluster that is up or coming up is `name:nobody`\""]);
    let ran = site.words("run -emr-playbook p.json -emr-cluster j-0000000000000");
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stderr.contains("j-0000000000000"), "{}", ran.stderr);
    assert_eq!(site.orders(), [""; 0]);
}

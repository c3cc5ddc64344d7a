//! `schema`.

use crate::harness::Place;

#[test]
fn schemas_are_listed_and_printed() {
    let place = Place::new();
    let all = place.words("schema");
    assert_eq!((all.stderr.as_str(), all.code), ("", Some(0)));
    let prefix = "iglu:com.snowplowanalytics.dataflowrunner/";
    assert!(all.stdout.lines().all(|line| line.starts_with(prefix)), "{}", all.stdout);
    for key in all.stdout.lines() {
        let printed = place.run(["schema", key]);
        let schema: serde_json::Value = serde_json::from_str(&printed.stdout).expect("JSON");
        let name = key.strip_prefix(prefix).and_then(|key| key.split('/').next());
        assert_eq!(schema["name"].as_str(), name);
    }
    assert!(all.stdout.contains("LocalClusterConfig/avro/1-0-0\n"));
}

#[test]
fn an_unknown_name_is_wrong_usage() {
    let ran = Place::new().words("schema LocalClusterConfg");
    assert_eq!(
        (ran.messages(), ran.code),
        (
            vec![
                "error msg=\"there is no schema LocalClusterConfg; did you mean LocalClusterConfig?\""
            ],
            Some(2)
        )
    );
}

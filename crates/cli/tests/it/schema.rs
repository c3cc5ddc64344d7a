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

#[test]
fn a_json_schema_of_each_is_printed() {
    let place = Place::new();
    for key in place.words("schema").stdout.lines() {
        let printed = place.run(["schema", "--json-schema", key]);
        assert_eq!((printed.stderr.as_str(), printed.code), ("", Some(0)));
        assert!(printed.stdout.ends_with("}\n"), "{}", printed.stdout);
        let schema: serde_json::Value = serde_json::from_str(&printed.stdout).expect("JSON");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        let of = &schema["properties"]["schema"];
        assert!(of["const"] == key || of["examples"][0] == key, "{of}");
        assert!(printed.stdout.starts_with("{\n  \"$schema\": "), "{}", printed.stdout);
    }
    let newest = place.words("schema PlaybookConfig --json-schema").stdout;
    assert_eq!(newest, place.words("schema --json-schema PlaybookConfig/2-0-0").stdout);
}

#[test]
fn a_json_schema_is_of_one_that_there_is() {
    let place = Place::new();
    let ran = place.words("schema --json-schema");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(2)));
    assert!(ran.stderr.contains("<NAME>"), "{}", ran.stderr);
    let ran = place.words("schema --json-schema ClusterConfg");
    let expected = "error msg=\"there is no schema ClusterConfg; did you mean ClusterConfig?\"";
    assert_eq!((ran.messages(), ran.code), (vec![expected], Some(2)));
}

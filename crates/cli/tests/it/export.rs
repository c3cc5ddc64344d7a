//! Playbooks in forms that others run.

use serde_json::{Value, json};

use crate::harness::{Place, Ran, cluster, playbook};

const CLUSTER: &str = r#"{"schema": "iglu:com.snowplowanalytics.dataflowrunner/DataprocClusterConfig/avro/1-0-0",
    "data": {"name": "etl", "region": "europe-west1", "idleTtlSeconds": 600}}"#;

fn export(place: &Place) -> Ran {
    place.words("export --to dataproc-workflow --config c.json --playbook p.json --var day=monday")
}

#[test]
fn a_playbook_is_a_workflow_template() {
    let steps = r#"{"id": "load", "type": "CUSTOM_JAR", "jar": "gs://b/x.jar", "arguments": ["{{.day}}", "of {{.day}}"]},
        {"id": "count", "type": "SPARK", "file": "gs://b/x.py", "arguments": ["{{ .day }}"]}"#;
    let place = Place::new().with("c.json", CLUSTER).with("p.json", playbook(steps));
    let ran = export(&place);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let template: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let expected = json!([
        {"stepId": "load",
            "hadoopJob": {"mainJarFileUri": "gs://b/x.jar", "args": ["monday", "of monday"]}},
        {"stepId": "count", "prerequisiteStepIds": ["load"],
            "pysparkJob": {"mainPythonFileUri": "gs://b/x.py", "args": ["monday"]}},
    ]);
    assert_eq!(template["jobs"], expected);
    let fields = json!(["jobs['load'].hadoopJob.args[0]", "jobs['count'].pysparkJob.args[0]"]);
    assert_eq!(template["parameters"][0]["fields"], fields);
    assert_eq!(template["parameters"][0]["name"], "DAY");
    let cluster = &template["placement"]["managedCluster"];
    assert_eq!(cluster["clusterName"], "etl");
    assert_eq!(cluster["config"]["lifecycleConfig"], json!({"idleDeleteTtl": "600s"}));
}

#[test]
fn what_cannot_be_said_there_is_told_at_its_place() {
    let steps = r#"{"id": "load", "type": "COMMAND", "command": "./x.sh", "timeoutSeconds": 60}"#;
    let place =
        Place::new().with("c.json", CLUSTER).with("p.json", playbook(steps)).with("x.sh", "");
    let ran = export(&place);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    for said in ["error[file-not-exported]", "warning[rule-not-exported]", "p.json:"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let ran = export(&place.with("c.json", cluster("")));
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("error[wrong-fabric]"), "{}", ran.stderr);
}

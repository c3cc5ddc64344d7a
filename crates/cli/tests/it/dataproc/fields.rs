//! All that a cluster file can say, as Dataproc is told it; and what goes to and comes from Cloud Storage.

use std::time::Duration;

use dataflow_runner_core::fabric::dataproc::fake::{Script, StepScript};
use serde_json::{Value, json};

use super::{CREATE, Site, TRANSIENT, UP};
use crate::harness::playbook;

/// Machines with everything, and what becomes of them.
const MACHINES: &str = r#""machineType": "n2-standard-4", "minCpuPlatform": "Intel Ice Lake",
    "image": "projects/fake-project/global/images/etl-1", "bootDiskType": "hyperdisk-balanced", "bootDiskSizeGb": 200,
    "bootDiskProvisionedIops": 4000, "bootDiskProvisionedThroughput": 300, "numLocalSsds": 1,
    "localSsdInterface": "nvme", "accelerators": [{"type": "nvidia-tesla-t4", "count": 2}]"#;

fn machines() -> Value {
    json!({
        "machineTypeUri": "n2-standard-4",
        "minCpuPlatform": "Intel Ice Lake",
        "imageUri": "projects/fake-project/global/images/etl-1",
        "diskConfig": {
            "bootDiskType": "hyperdisk-balanced",
            "bootDiskSizeGb": 200,
            "bootDiskProvisionedIops": "4000",
            "bootDiskProvisionedThroughput": "300",
            "numLocalSsds": 1,
            "localSsdInterface": "nvme",
        },
        "accelerators": [{"acceleratorTypeUri": "nvidia-tesla-t4", "acceleratorCount": 2}],
    })
}

/// What is sent to launch a cluster of this file: the parameter for workers that fail, and the body.
fn sent(more: &str) -> (Option<String>, Value) {
    let site = Site::new(Script::default().bucket("acme-staging").bucket("acme-temp"));
    let file = site.fake.cluster_file(more);
    let site = site.with("c.json", file);
    site.done(UP, 0);
    site.nothing_was_twice();
    let all = site.fake.requests();
    let create = all.iter().find(|it| it.operation == CREATE).expect("it was sent");
    let mut query = create.request.query().split('&').filter_map(|pair| pair.split_once('='));
    let action = query.find(|(name, _)| *name == "actionOnFailedPrimaryWorkers");
    (action.map(|(_, value)| value.to_owned()), create.body.clone())
}

fn group(more: Value) -> Value {
    let mut group = machines();
    group
        .as_object_mut()
        .zip(more.as_object())
        .expect("objects")
        .0
        .extend(more.as_object().expect("an object").clone());
    group
}

#[test]
fn every_field_of_a_cluster_is_sent() {
    let (action, body) = sent(&format!(
        r#", "zone": "europe-west1-b", "imageVersion": "2.2-debian12",
        "master": {{"numInstances": 1, {MACHINES}}}, "workers": {{"numInstances": 4, {MACHINES}}},
        "secondaryWorkers": {{"numInstances": 10, "preemptibility": "SPOT", {MACHINES},
            "machineTypeSelections": [{{"machineTypes": ["n2-standard-8", "n2d-standard-8"], "rank": 1}}],
            "standardCapacityBase": 2, "standardCapacityPercentAboveBase": 20}},
        "network": {{"subnetwork": "etl", "internalIpOnly": true, "tags": ["etl"], "metadata": {{"PIP": "x==1"}}}},
        "serviceAccount": "etl@fake-project.iam.gserviceaccount.com",
        "serviceAccountScopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "initializationActions": [{{"executableFile": "gs://acme/init.sh", "timeoutSeconds": 300}}],
        "optionalComponents": ["FLINK", "DOCKER"], "properties": {{"spark:spark.executor.memory": "4g"}},
        "autoscalingPolicy": "nightly", "idleTtlSeconds": 3600, "maxAgeSeconds": 28800, "labels": {{"team": "data"}},
        "kmsKey": "projects/fake-project/locations/europe-west1/keyRings/etl/cryptoKeys/disks",
        "stagingBucket": "acme-staging", "tempBucket": "acme-temp", "componentGateway": true,
        "onFailedWorkers": "DELETE",
        "extra": "{{\"config\": {{\"gceClusterConfig\": {{\"shieldedInstanceConfig\": {{\"enableSecureBoot\": true}}}}}}}}""#
    ));
    assert_eq!(action.as_deref(), Some("DELETE"));
    assert_eq!(
        (&body["clusterName"], &body["projectId"]),
        (&json!("fake"), &json!("fake-project"))
    );
    assert_eq!(body["labels"]["team"], "data");
    let expected = json!({
        "configBucket": "acme-staging",
        "tempBucket": "acme-temp",
        "gceClusterConfig": {
            "zoneUri": "europe-west1-b",
            "subnetworkUri": "etl",
            "internalIpOnly": true,
            "tags": ["etl"],
            "metadata": {"PIP": "x==1"},
            "serviceAccount": "etl@fake-project.iam.gserviceaccount.com",
            "serviceAccountScopes": ["https://www.googleapis.com/auth/cloud-platform"],
            "shieldedInstanceConfig": {"enableSecureBoot": true},
        },
        "masterConfig": group(json!({"numInstances": 1})),
        "workerConfig": group(json!({"numInstances": 4})),
        "secondaryWorkerConfig": group(json!({
            "numInstances": 10,
            "preemptibility": "SPOT",
            "instanceFlexibilityPolicy": {
                "instanceSelectionList": [{"machineTypes": ["n2-standard-8", "n2d-standard-8"], "rank": 1}],
                "provisioningModelMix": {"standardCapacityBase": 2, "standardCapacityPercentAboveBase": 20},
            },
        })),
        "softwareConfig": {
            "imageVersion": "2.2-debian12",
            "optionalComponents": ["FLINK", "DOCKER"],
            "properties": {"spark:spark.executor.memory": "4g"},
        },
        "initializationActions": [{"executableFile": "gs://acme/init.sh", "executionTimeout": "300s"}],
        "autoscalingConfig": {"policyUri": "projects/fake-project/regions/europe-west1/autoscalingPolicies/nightly"},
        "lifecycleConfig": {"idleDeleteTtl": "3600s", "autoDeleteTtl": "28800s"},
        "encryptionConfig": {"kmsKey": "projects/fake-project/locations/europe-west1/keyRings/etl/cryptoKeys/disks"},
        "endpointConfig": {"enableHttpPortAccess": true},
    });
    assert_eq!(body["config"], expected);
}

#[test]
fn a_single_node_and_a_network() {
    let (action, body) = sent(r#", "singleNode": true, "network": {"network": "default"}"#);
    assert_eq!(action.as_deref(), Some("NO_ACTION"));
    let expected = json!({
        "gceClusterConfig": {"networkUri": "default"},
        "masterConfig": {"numInstances": 1},
        "softwareConfig": {"properties": {"dataproc:dataproc.allow.zero.workers": "true"}},
    });
    assert_eq!(body["config"], expected);
}

/// Small ones at once, large ones in pieces; an interrupted piece goes on where it was.
#[test]
fn files_go_up_at_once_and_in_pieces() {
    let large: Vec<u8> = (0..9_000_000_u32).map(|n| (n % 251) as u8).collect();
    let site = Site::new(Script { keeps: Some(256 << 10), ..Script::default() }.bucket("mine"));
    let file = site.fake.cluster_file(r#", "stagingBucket": "mine""#);
    let step = r#"{"id": "first", "type": "SPARK", "jar": "./a.jar", "mainClass": "A", "files": ["./b.txt"]}"#;
    let site = site.with("c.json", file).with("p.json", playbook(step)).with("b.txt", "b");
    std::fs::write(site.place.path("a.jar"), &large).expect("a file");
    site.done(TRANSIENT, 0);
    site.fake.world(|world| {
        let staged = world.objects("mine", "dataflow-runner/staged/");
        let body = |name: &str| {
            let object = staged.iter().find(|it| it.name.ends_with(name));
            object.expect("it is there").body.clone()
        };
        assert_eq!((body("/b.txt"), body("/a.jar") == large), (b"b".to_vec(), true));
    });
    assert!(site.fake.calls("objects.piece") > 3, "{}", site.fake.calls("objects.piece"));
    site.nothing_is_left();
}

/// A log in many objects, of more pages than one.
#[test]
fn a_log_is_read_from_all_of_its_objects() {
    let lines: String = (0..40).map(|n| format!("line {n}\n")).collect();
    let step =
        StepScript { output: vec![(Duration::ZERO, lines.clone())], ..StepScript::exits(3, 10) };
    let script = Script { output_size: 64, objects: 2, ..Script::default() };
    let site = Site::playing(script.step("first", step), &[("first", "")]);
    site.done(TRANSIENT, 1);
    let ran = site.words("logs last first --config c.json");
    assert!(ran.stdout.contains(&lines), "{ran:?}");
}

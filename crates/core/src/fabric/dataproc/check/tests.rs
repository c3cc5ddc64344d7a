//! What is said of faulty cluster files, and where, is in the fixtures `invalid/dataproc-*`.

use std::collections::BTreeMap;

use super::super::config::{Accelerator, InitializationAction, Network, Selection};
use super::super::request::tests::config;
use super::*;
use crate::config::sample::{self, step, step_of, text};

fn codes(faults: &Diagnostics) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.code.as_str()).collect()
}

fn of_cluster(config: &Config) -> Vec<&'static str> {
    let mut faults = Diagnostics::new();
    cluster(config, &mut faults);
    codes(&faults)
}

fn of_step(step: Step) -> Vec<&'static str> {
    let mut faults = Diagnostics::new();
    playbook(&sample::playbook(vec![step]), &mut faults);
    codes(&faults)
}

fn texts(all: &[&str]) -> Vec<Text> {
    all.iter().map(|word| text(word)).collect()
}

#[test]
fn places_of_clusters() {
    assert_eq!(of_cluster(&config()), [""; 0]);
    assert_eq!(of_cluster(&Config { name: text("E"), ..config() }), ["cluster-name"]);
    assert_eq!(of_cluster(&Config { project: Some(text("E")), ..config() }), ["project"]);
    let zoned = |region: &str, zone: &str| {
        of_cluster(&Config { region: text(region), zone: Some(text(zone)), ..config() })
    };
    assert_eq!(zoned("us-central1", "us-central1-f"), [""; 0]);
    assert_eq!(zoned("us-central1", "us-central2-f"), ["zone"]);
    assert_eq!(zoned("us_central1", "us-central2-f"), ["region"], "nothing is known of the zone");
    let empty = Config { name: text(""), region: text(""), ..config() };
    assert_eq!(of_cluster(&empty), [""; 0], "that was told where it was read");
}

#[test]
fn machines_and_their_zone() {
    let uri = "projects/p/zones/us-central1-a/machineTypes/e2-medium";
    let with = |kind: &str, zone: Option<&str>| {
        let group = Group { machine_type: Some(text(kind)), ..Group::default() };
        let selections = vec![Selection { machine_types: texts(&[kind]), rank: None }];
        let of_group = |group: &Group| {
            let group = Some(group.clone());
            let zone = zone.map(text);
            of_cluster(&Config { workers: group, zone, ..config() })
        };
        let codes = of_group(&group);
        let secondary = Some(Secondary { selections, ..Secondary::default() });
        let others = Config { secondary_workers: secondary, zone: zone.map(text), ..config() };
        assert_eq!(of_cluster(&others), codes);
        let kind = Accelerator { kind: text(kind), count: 1 };
        let accelerated = of_group(&Group { accelerators: vec![kind], ..Group::default() });
        assert_eq!(accelerated.len(), codes.len());
        codes
    };
    assert_eq!(with("e2-medium", None), [""; 0]);
    assert_eq!(with("E2", None), ["machine-type"]);
    assert_eq!(with(uri, None), ["zone-needed"]);
    assert_eq!(with(uri, Some("us-central1-a")), [""; 0]);
}

#[test]
fn disks_of_machines() {
    let of = |disks: Disks| {
        let secondary = Secondary {
            group: Group { disks: disks.clone(), ..Group::default() },
            ..Secondary::default()
        };
        let codes = of_cluster(&Config { secondary_workers: Some(secondary), ..config() });
        let master = Some(Group { disks, ..Group::default() });
        assert_eq!(of_cluster(&Config { master, ..config() }), codes);
        codes
    };
    for boot in BOOT_DISKS {
        assert_eq!(of(Disks { boot_type: Some(text(boot)), ..Disks::default() }), [""; 0]);
        let fast = |iops, throughput| Disks {
            boot_type: Some(text(boot)),
            boot_iops: iops,
            boot_throughput: throughput,
            ..Disks::default()
        };
        let expected = if boot == PROVISIONED_DISK { &[][..] } else { &["disk-speed"] };
        assert_eq!(of(fast(Some(1), None)), expected, "{boot}");
        assert_eq!(of(fast(None, Some(1))), expected, "{boot}");
    }
    assert_eq!(of(Disks { boot_type: Some(text("ssd")), ..Disks::default() }), ["disk-type"]);
    let interface = |word| Disks { local_ssd_interface: Some(text(word)), ..Disks::default() };
    assert_eq!(of(interface("nvme")), [""; 0]);
    assert_eq!(of(interface("NVME")), ["ssd-interface"]);
}

#[test]
fn networks_and_accounts() {
    let of = |network: Network| of_cluster(&Config { network, ..config() });
    let both = Network {
        network: Some(text("default")),
        subnetwork: Some(text("sub0")),
        ..Network::default()
    };
    assert_eq!(of(both), ["network"]);
    let tags = |count: usize| Network {
        tags: (0..count).map(|n| text(&format!("t{n}"))).collect(),
        ..Network::default()
    };
    assert_eq!(of(tags(64)), [""; 0]);
    assert_eq!(of(tags(65)), ["too-many-network-tags"]);
    assert_eq!(of(Network { tags: texts(&["A"]), ..Network::default() }), ["network-tag"]);
    let account = Some(text("etl"));
    assert_eq!(of_cluster(&Config { service_account: account, ..config() }), ["service-account"]);
    let service_account_scopes = texts(&["bigquery"]);
    assert_eq!(of_cluster(&Config { service_account_scopes, ..config() }), ["scope"]);
}

#[test]
fn software_of_clusters() {
    let image_version = Some(text("new"));
    assert_eq!(of_cluster(&Config { image_version, ..config() }), ["image-version"]);
    let optional_components = texts(&COMPONENTS);
    assert_eq!(of_cluster(&Config { optional_components, ..config() }), [""; 0]);
    let optional_components = texts(&["flink"]);
    assert_eq!(of_cluster(&Config { optional_components, ..config() }), ["component"]);
    let action = |file| InitializationAction { executable_file: text(file), timeout: None };
    let initialization_actions = vec![action("gs://b1b/x"), action("./x")];
    let faulty = Config { initialization_actions, ..config() };
    assert_eq!(of_cluster(&faulty), ["initialization-action"]);
}

#[test]
fn what_came_from_a_variable_is_not_guessed_at() {
    let said = |component: Text| {
        let mut faults = Diagnostics::new();
        cluster(&Config { optional_components: vec![component], ..config() }, &mut faults);
        faults.iter().map(ToString::to_string).collect::<String>()
    };
    let meant = "did you mean `FLINK`";
    assert!(said(text("FLINC")).contains(meant));
    let computed = text("FLINC").as_written("{{.x}}".to_owned());
    assert!(!said(computed).contains(meant));
    let secret = Text::with_secrets("FLINC".to_owned(), "‹env X›".to_owned(), Span::default());
    assert!(!said(secret).contains(meant));
}

#[test]
fn labels_leave_room_for_ours() {
    let with = |count: usize| {
        let label = |n| (format!("k{n}"), Text::new("v", Span::at(n)));
        of_cluster(&Config { labels: (0..count).map(label).collect(), ..config() })
    };
    assert_eq!(with(30), [""; 0]);
    assert_eq!(with(31), ["too-many-labels"]);
    let labels = BTreeMap::from([("a".to_owned(), text("B"))]);
    assert_eq!(of_cluster(&Config { labels, ..config() }), ["label-value"]);
}

#[test]
fn scaling_and_storage() {
    let policy = |project: Option<&str>, policy: &str| {
        let (project, policy) = (project.map(text), Some(text(policy)));
        of_cluster(&Config { project, autoscaling_policy: policy, ..config() })
    };
    assert_eq!(policy(Some("acme-etl"), "nightly"), [""; 0]);
    assert_eq!(policy(None, "nightly"), ["autoscaling-policy"]);
    assert_eq!(policy(Some("acme-etl"), "a b"), ["autoscaling-policy"]);
    let of = |region| format!("projects/acme-etl/locations/{region}/autoscalingPolicies/x");
    assert_eq!(policy(None, &of("us-central1")), [""; 0]);
    assert_eq!(policy(None, &of("us-central2")), ["autoscaling-policy"]);
    let bucket = || Some(text("gs://etl"));
    assert_eq!(of_cluster(&Config { staging_bucket: bucket(), ..config() }), ["bucket"]);
    assert_eq!(of_cluster(&Config { temp_bucket: bucket(), ..config() }), ["bucket"]);
    assert_eq!(of_cluster(&Config { kms_key: Some(text("k")), ..config() }), ["kms-key"]);
}

#[test]
fn what_extra_must_leave_alone() {
    let of = |json: &str| of_cluster(&Config { extra: Extra::parse(text(json)).ok(), ..config() });
    for good in ["{}", r#"{"config": null}"#, r#"{"labels": {"a": null}}"#, r#"{"labels": {}}"#] {
        assert_eq!(of(good), [""; 0], "{good}");
    }
    for bad in [
        r#"{"clusterName": "x"}"#,
        r#"{"clusterName": null}"#,
        r#"{"projectId": "x"}"#,
        r#"{"labels": null}"#,
        r#"{"labels": "x"}"#,
        r#"{"labels": {"dataflow-runner-run": "x"}}"#,
        r#"{"labels": {"dataflow-runner-order": null}}"#,
    ] {
        assert_eq!(of(bad), ["extra"], "{bad}");
    }
}

fn scripts() -> [Program; 3] {
    let file = || text("gs://b/x");
    [
        Program::SparkSql { file: file() },
        Program::Hive { file: file() },
        Program::Pig { file: file() },
    ]
}

#[test]
fn arguments_of_scripts_are_variables() {
    for (program, word) in scripts().into_iter().zip(["--hivevar", "-d", "-p"]) {
        assert_eq!(of_step(step_of("s", program.clone(), &[word, "a=1"])), [""; 0]);
        assert_eq!(of_step(step_of("s", program, &[word, "a=1", "b"])), ["script-argument"]);
    }
    assert_eq!(of_step(step("s", "true", &["b"])), [""; 0]);
}

#[test]
fn properties_that_dataproc_sets() {
    for key in OF_DATAPROC {
        let spark = Program::Spark { application: text("gs://b/x.py"), main_class: None };
        let mut step = step_of("s", spark, &[]);
        step.work.properties = BTreeMap::from([(key.to_owned(), text("x"))]);
        assert_eq!(of_step(step.clone()), ["own-property"], "{key}");
        step.work.properties = BTreeMap::from([(format!("{key}.x"), text("x"))]);
        assert_eq!(of_step(step), [""; 0]);
    }
}

#[test]
fn files_that_jobs_bring() {
    let flink = Program::Flink { jar: text("gs://b/x.jar"), main_class: None };
    let spark = Program::Spark { application: text("gs://b/x.py"), main_class: None };
    let with = |program: &Program, file: &str| {
        let mut step = step_of("s", program.clone(), &[]);
        step.work.files = texts(&[file]);
        of_step(step)
    };
    for program in scripts().iter().chain([&flink]) {
        assert_eq!(with(program, "gs://b/y.jar"), [""; 0]);
        assert_eq!(with(program, "gs://b/y.txt"), ["files-not-on-fabric"]);
    }
    assert_eq!(with(&spark, "gs://b/y.txt"), [""; 0]);
    assert_eq!(with(&spark, "s3://b/y.txt"), ["unmapped-uri"]);
    assert_eq!(with(&spark, "s3n://b/y.txt"), ["unmapped-uri"]);
    assert_eq!(with(&spark, "s3a://b/y.txt"), [""; 0]);
}

#[test]
fn copies_have_no_pattern() {
    let copy = |pattern: Option<&str>| {
        let (source, destination) = (text("gs://b/x"), text("hdfs:///x"));
        of_step(step_of(
            "s",
            Program::Copy { source, destination, pattern: pattern.map(text) },
            &[],
        ))
    };
    assert_eq!(copy(None), [""; 0]);
    assert_eq!(copy(Some("*.gz")), ["copy-pattern"]);
}

#[test]
fn components_that_steps_need() {
    let of = |program: &Program, image: Option<&str>, components: &[&str]| {
        let config = Config {
            image_version: image.map(text),
            optional_components: texts(components),
            ..config()
        };
        let mut faults = Diagnostics::new();
        let step = step_of("s", program.clone(), &[]);
        together(&sample::playbook(vec![step]), &config, &mut faults);
        assert!(!faults.has_errors());
        codes(&faults)
    };
    let flink = Program::Flink { jar: text("gs://b/x.jar"), main_class: None };
    assert_eq!(of(&flink, None, &[]), ["component-missing"]);
    assert_eq!(of(&flink, None, &["FLINK"]), [""; 0]);
    let jar = |jar| Program::CustomJar { jar: text(jar), main_class: None };
    let pig = Program::Pig { file: text("gs://b/x") };
    let command = Program::Command { command: text("true") };
    for program in [jar("command-runner.jar"), pig, command] {
        assert_eq!(of(&program, None, &[]), [""; 0]);
        assert_eq!(of(&program, Some("2.2-debian12"), &[]), [""; 0]);
        assert_eq!(of(&program, Some("2.3-debian12"), &[]), ["component-missing"]);
        assert_eq!(of(&program, Some("2.3.4-debian12"), &["PIG"]), [""; 0]);
        assert_eq!(of(&program, Some("3.0-debian12"), &[]), ["component-missing"]);
    }
    assert_eq!(of(&jar("gs://b/x.jar"), Some("2.3-debian12"), &[]), [""; 0]);
}

#[test]
fn files_of_this_machine_need_a_bucket() {
    let of = |file: &str, bucket: Option<&str>| {
        let program = Program::Spark { application: text(file), main_class: None };
        let config = Config { staging_bucket: bucket.map(text), ..config() };
        let mut faults = Diagnostics::new();
        together(&sample::playbook(vec![step_of("a", program, &[])]), &config, &mut faults);
        codes(&faults)
    };
    assert_eq!(of("./pi.py", None), ["no-staging-bucket"]);
    assert_eq!(of("../pi.py", None), ["no-staging-bucket"]);
    assert_eq!(of("./pi.py", Some("mine")), [""; 0]);
    assert_eq!(of("gs://b/pi.py", None), [""; 0]);
}

//! What files become. What is said about faulty ones is in the fixtures.

use std::path::PathBuf;

use super::*;
use crate::config::fields::Field;
use crate::config::playbook::{OnFailure, Program, Step};
use crate::diagnostic::Severity;
use crate::document::marked;
use crate::fabric::emr::{Credentials, Location, Release};
use crate::secret::Text;

fn fixture(name: &str) -> Config {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/");
    let text = std::fs::read_to_string(format!("{folder}{name}")).expect("a fixture");
    let source = Source::new(format!("folder/{}", name.rsplit('/').next().expect("a name")), text);
    load(&Document::plain(Arc::new(source))).0.expect("valid")
}

fn playbook(config: Config) -> Playbook {
    match config {
        Config::Playbook(playbook) => playbook,
        other => panic!("{other:?}"),
    }
}

fn strings(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(Text::expose).collect()
}

/// A 2-0-0 playbook of these steps, with the marks of [`marked`].
fn marked_playbook(steps: &str) -> Document {
    let key = format!("{PREFIX}PlaybookConfig/avro/2-0-0");
    let text = format!(r#"{{"schema": "{key}", "data": {{"name": "n", "steps": [{steps}]}}}}"#);
    marked::document("x", &text)
}

fn only_step(steps: &str) -> Step {
    let document = marked_playbook(steps);
    let (config, faults) = load(&document);
    let mut playbook = playbook(config.unwrap_or_else(|| panic!("{:?}", faults.sorted())));
    assert_eq!(playbook.steps.len(), 1);
    playbook.steps.remove(0)
}

#[test]
fn a_playbook_of_2_0_0() {
    let playbook = playbook(fixture("valid/playbook.json"));
    assert_eq!(
        (playbook.name.expose(), playbook.max_parallel.map(u32::from)),
        ("nightly", Some(4))
    );
    assert_eq!(playbook.tags["team"].expose(), "data");
    assert!(playbook.emr.is_none() && playbook.schema.ends_with("PlaybookConfig/avro/2-0-0"));
    let step = |id: &str| playbook.steps.iter().find(|s| s.id == id).expect("a step");
    let types: Vec<_> =
        playbook.steps.iter().map(|s| s.work.program.step_type().as_str()).collect();
    assert_eq!(
        types,
        [
            "COPY",
            "CUSTOM_JAR",
            "COMMAND",
            "SPARK",
            "SPARK",
            "SPARK_SQL",
            "HIVE",
            "PIG",
            "STREAMING",
            "FLINK"
        ]
    );
    // Properties of `defaults` reach the types that have them, under the step's own.
    let properties = |id| {
        let all = &step(id).work.properties;
        all.iter().map(|(k, v)| format!("{k}={}", v.expose())).collect::<Vec<_>>()
    };
    assert_eq!(properties("spark-jar"), ["a.b=c", "spark.executor.cores=4"]);
    assert_eq!(properties("flink"), ["a.b=c", "spark.executor.cores=1"]);
    assert!(properties("copy").is_empty() && properties("command").is_empty());
    // Absent is the step before, empty is none.
    assert!(step("copy").depends_on.is_none());
    assert_eq!(step("jar").depends_on.as_deref().map(strings), Some(vec![]));
    assert_eq!(step("command").depends_on.as_deref().map(strings), Some(vec!["copy"]));
    // What is wrong with a field is told where the field stands, or the default for it.
    let text = playbook.source.text();
    let written = |id, field| &text[step(id).span_of(field).range()];
    assert_eq!(written("sql", Field::Type), "\"SPARK_SQL\"");
    assert_eq!(written("sql", Field::ActionOnFailure), "\"SKIP_DEPENDENTS\"");
    let default = |field| step("hive").span_of(field).start < step("copy").span.start;
    assert_eq!(written("hive", Field::ActionOnFailure), "\"CONTINUE\"");
    assert!(default(Field::ActionOnFailure) && !default(Field::TimeoutSeconds));
    assert!(
        written("copy", Field::OnResult).starts_with('{'),
        "of a field that is not there, the step"
    );
    // A step's own policy goes before the defaults'.
    assert_eq!(step("sql").rules.on_failure, OnFailure::SkipDependents);
    assert_eq!(step("hive").rules.on_failure, OnFailure::Continue);
    let seconds = |id| step(id).rules.timeout.map(|t| t.as_secs());
    assert_eq!((seconds("hive"), seconds("pig")), (Some(60), Some(3600)));
    let retries = |id| {
        let r = step(id).rules.retries;
        (r.max_attempts.get(), r.delay.as_secs(), r.backoff)
    };
    assert_eq!((retries("spark-file"), retries("pig")), ((3, 10, 2.5), (2, 0, 1.0)));
    let on_result = &step("flink").rules.on_result;
    assert_eq!(on_result.continue_job, [0, 1]);
    assert_eq!(on_result.terminate_job_with_success, [3]);
    assert_eq!(step("pig").rules.on_result.continue_job, [0]);
    assert_eq!((step("command").name.expose(), step("pig").name.expose()), ("Count", "pig"));
    assert_eq!(strings(&step("command").work.files), ["./count"]);
    assert!(matches!(&step("spark-file").work.program,
        Program::Spark { application, main_class: None } if application.expose() == "a.py"));
    assert!(matches!(&step("streaming").work.program,
        Program::Streaming { mapper, reducer: Some(reducer), source, destination }
        if strings(&[mapper.clone(), reducer.clone(), source.clone(), destination.clone()]) == ["cat", "wc", "in", "out"]));
    let span = step("pig").span;
    assert!(playbook.source.text()[span.range()].starts_with(r#"{"id": "pig""#));
}

#[test]
fn a_playbook_of_1_is_a_chain() {
    let playbook = playbook(fixture("valid/emr-playbook.json"));
    assert_eq!(playbook.name.expose(), "emr-playbook");
    assert_eq!(playbook.tags["team"].expose(), "data");
    let ids: Vec<_> = playbook
        .steps
        .iter()
        .map(|s| (s.id.as_str(), s.name.expose(), s.rules.on_failure))
        .collect();
    assert_eq!(
        ids,
        [("step-1", "load", OnFailure::Continue), ("step-2", "check", OnFailure::CancelAndWait)]
    );
    assert!(playbook.steps.iter().all(|s| s.depends_on.is_none()));
    assert_eq!(strings(&playbook.steps[0].work.arguments), ["a"]);
    assert!(
        matches!(&playbook.steps[0].work.program, Program::CustomJar { jar, .. } if jar.expose() == "a.jar")
    );
    let emr = playbook.emr.expect("region and credentials");
    assert_eq!((emr.region.expose(), emr.credentials), ("eu-west-1", Credentials::Instance));
}

#[test]
fn static_keys_are_secret_and_their_places_are_known() {
    let playbook = playbook(fixture("valid/emr-playbook-1-0-0.json"));
    let emr = playbook.emr.expect("credentials");
    assert!(!format!("{emr:?}").contains("AKIA"));
    let Credentials::Key { id, secret, at } = emr.credentials else { panic!("a key") };
    assert_eq!((id.expose(), secret.expose()), ("AKIA", "abc"));
    assert_eq!(at.map(|at| &playbook.source.text()[at.range()]), [r#""AKIA""#, r#""abc""#]);
}

#[test]
fn a_cluster_of_emr() {
    let Config::Emr(config) = fixture("valid/emr-cluster.json") else { panic!("EMR") };
    let texts = [&config.name, &config.region, &config.ami_version].map(Text::expose);
    assert_eq!(texts, ["etl", "eu-west-1", "7.5.0"]);
    assert_eq!(config.log_uri.as_ref().map(Text::expose), Some("s3://logs/"));
    assert_eq!(config.key_name.as_ref().map(Text::expose), Some("key"));
    assert_eq!(config.credentials, Credentials::Environment);
    assert_eq!(config.roles.instances.as_ref().map(Text::expose), Some("EMR_EC2_DefaultRole"));
    assert_eq!(config.roles.service.as_ref().map(Text::expose), Some("EMR_DefaultRole"));
    assert_eq!(config.release(), Release::Label("emr-7.5.0".to_owned()));
    assert!(matches!(&config.location, Location::Subnet(subnet) if subnet.expose() == "subnet-1"));
    let core = config.core.as_ref().expect("a core group");
    let task = config.task.as_ref().expect("a task group");
    assert_eq!((config.master.count, core.count, task.count), (1, 2, 3));
    assert_eq!(task.bid.as_ref().map(Text::expose), Some("0.015"));
    let ebs = core.ebs.as_ref().expect("volumes");
    let volume = &ebs.volumes[0];
    assert!(ebs.optimized);
    assert_eq!((volume.per_instance, volume.size_gb, volume.volume_type.expose()), (2, 100, "gp3"));
    assert_eq!((volume.iops, volume.throughput), (Some(3000), Some(250)));
    assert_eq!((config.tags[0].key.expose(), config.tags[0].value.expose()), ("team", "data"));
    let bootstrap = &config.bootstrap[0];
    assert_eq!(
        (bootstrap.name.expose(), bootstrap.path.expose()),
        ("setup", "s3://bucket/setup.sh")
    );
    assert_eq!(strings(&bootstrap.args), ["1.5"]);
    let inner = &config.configurations[1].configurations[0];
    assert_eq!((inner.classification.expose(), inner.properties["A"].expose()), ("export", "b"));
    assert_eq!(strings(&config.applications), ["Hadoop", "Spark"]);
    assert!(config.security_configuration.is_none(), "the empty text");
}

#[test]
fn tagged_unions_and_absent_groups_of_emr() {
    let Config::Emr(config) = fixture("valid/emr-cluster-tagged.json") else { panic!("EMR") };
    assert!(matches!(&config.location, Location::Zone(zone) if zone.expose() == "eu-west-1a"));
    assert_eq!(config.core.map(|core| core.count), Some(1));
    assert!(config.task.is_none());
    // 0.7.x lost everything behind an absent group.
    assert_eq!(config.tags.len(), 1);
    let Config::Emr(config) = fixture("warned/emr-empty-fields.json") else { panic!("EMR") };
    assert!(config.core.is_none(), "without a count there are none");
    assert!(
        config.log_uri.is_none() && config.key_name.is_none() && config.roles.service.is_none()
    );
    let Config::Emr(config) = fixture("warned/emr-ebs-not-sent.json") else { panic!("EMR") };
    let volume = &config.master.ebs.as_ref().expect("volumes").volumes[0];
    assert_eq!((volume.iops, volume.throughput), (None, None));
}

#[test]
fn a_local_cluster_and_its_folders() {
    let Config::Local(config) = fixture("valid/local.json") else { panic!("local") };
    assert_eq!(config.name.expose(), "here");
    // Steps run elsewhere, so what is relative to the file is made absolute.
    let beside = |path: &str| std::path::absolute(path).expect("there is a current folder");
    assert_eq!(config.work_folder, Some(beside("folder/work")));
    assert_eq!(config.slots.map(u32::from), Some(4));
    assert_eq!(config.environment["TZ"].expose(), "UTC");
    assert_eq!(config.roots["s3://bucket/"], beside("folder/data"));
    assert_eq!(config.roots["hdfs:///"], PathBuf::from("/srv/hdfs"));
    assert_eq!(config.tools.spark, Some(PathBuf::from("/opt/spark")));
    assert_eq!(config.kill_after.as_secs(), 5);
    let Config::Local(config) = fixture("valid/local-least.json") else { panic!("local") };
    assert_eq!((config.slots, config.work_folder, config.kill_after.as_secs()), (None, None, 10));
}

#[test]
fn a_digest_is_of_what_a_step_says() {
    let digest = |step: &str| only_step(step).digest();
    let one = digest(
        r#"{"id": "a", "type": "SPARK", "jar": "a.jar", "arguments": ["x", "y"], "properties": {"k": "v", "l": "w"}}"#,
    );
    assert_eq!(one.len(), 64);
    let again = r#"{ "properties": {"l": "w", "k": "v"}, "arguments":["x","\u0079"],"jar":"a.jar",
        "type":"SPARK","id": "a", "name": null}"#;
    assert_eq!(digest(again), one, "white space, order and escapes say nothing");
    let others = [
        r#"{"id": "b", "type": "SPARK", "jar": "a.jar", "arguments": ["x", "y"], "properties": {"k": "v", "l": "w"}}"#,
        r#"{"id": "a", "type": "CUSTOM_JAR", "jar": "a.jar", "arguments": ["x", "y"], "properties": {"k": "v", "l": "w"}}"#,
        r#"{"id": "a", "type": "SPARK", "jar": "b.jar", "arguments": ["x", "y"], "properties": {"k": "v", "l": "w"}}"#,
        r#"{"id": "a", "type": "SPARK", "jar": "a.jar", "arguments": ["xy"], "properties": {"k": "v", "l": "w"}}"#,
        r#"{"id": "a", "type": "SPARK", "jar": "a.jar", "arguments": ["x", "y"], "properties": {"k": "v", "l": "x"}}"#,
    ];
    let more = [
        r#""name": "other""#,
        r#""mainClass": "a.B""#,
        r#""files": ["f"]"#,
        r#""dependsOn": []"#,
        r#""actionOnFailure": "CONTINUE""#,
        r#""retries": {"maxAttempts": 2}"#,
        r#""timeoutSeconds": 5"#,
        r#""onResult": {"continueJob": [0, 1]}"#,
        r#""onResult": {"terminateJobWithSuccess": [3]}"#,
    ];
    let more =
        more.map(|field| format!(r#"{{"id": "a", "type": "SPARK", "jar": "a.jar", {field}}}"#));
    let mut all: Vec<_> =
        others.iter().map(|s| digest(s)).chain(more.iter().map(|s| digest(s))).collect();
    all.push(one);
    all.push(digest(r#"{"id": "a", "type": "SPARK", "jar": "a.jar"}"#));
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "every field counts");
}

#[test]
fn a_digest_does_not_depend_on_secrets() {
    let step = |secret: &str| {
        only_step(&format!(
            r#"{{"id": "a", "type": "COMMAND", "command": "c", "arguments": ["--p=«systemEnv P:{secret}»"]}}"#
        ))
    };
    let (one, other) = (step("hunter2"), step("correct horse"));
    assert_eq!(one.digest(), other.digest());
    let argument = &one.work.arguments[0];
    assert_eq!((argument.expose(), argument.shown()), ("--p=hunter2", "--p=‹systemEnv P›"));
    let plain = only_step(
        r#"{"id": "a", "type": "COMMAND", "command": "c", "arguments": ["--p=‹hunter2›"]}"#,
    );
    assert_ne!(plain.digest(), one.digest());
    assert!(!plain.work.arguments[0].is_secret(), "a variable's value is no secret of ours");
}

#[test]
fn secrets_are_no_names() {
    let lines = |document: &Document| -> Vec<String> {
        let (_, faults) = load(document);
        faults
            .sorted()
            .iter()
            .map(|f| f.to_string().split_once("x:1:").expect("placed").1.to_owned())
            .collect()
    };
    let found = lines(&marked_playbook(
        r#"{"id": "«env A:a»", "name": "«env A:a»", "type": "COMMAND", "command": "«env A:a»", "dependsOn": ["«env A:a»"]}"#,
    ));
    let expected = [
        "122: error[secret-in-name]: `data.steps[0].id` holds a secret (it would be shown); take it from a variable if it is none",
        "143: warning[secret-in-name]: `data.steps[0].name` holds a secret, and it is shown to many; take it from a variable if it is none",
        "213: error[secret-in-name]: `data.steps[0].dependsOn[0]` holds a secret (it would be shown); take it from a variable if it is none",
    ];
    assert_eq!(found, expected);
    // What a variable made is not told either: as the file writes it, or not at all.
    let found = lines(&marked_playbook(
        r#"{"id": "lo‹ad›", "type": "COMMAND", "command": "x", "dependsOn": ["lo‹ad›"]}, {"id": "b", "type": "COMMAND", "command": "x", "dependsOn": ["loaf"]}"#,
    ));
    assert!(found[0].contains("step `lo‹ad›` needs itself"), "{found:?}");
    assert!(found[1].ends_with("; `dependsOn` takes ids of steps of this playbook"), "{found:?}");
    let local = format!(
        r#"{{"schema": "{PREFIX}LocalClusterConfig/avro/1-0-0", "data": {{"name": "«env A:a»",
        "environment": {{"«env A:a»": "«env A:a»"}}, "roots": {{"s3://a/": "«env A:a»"}}, "workFolder": "«env A:a»", "tools": {{"java": "«env A:a»"}}}}}}"#
    );
    let codes = |text: &str| {
        let (_, faults) = load(&marked::document("x", text));
        faults
            .sorted()
            .iter()
            .map(|f| (f.code.as_str(), f.severity, f.message.clone()))
            .collect::<Vec<_>>()
    };
    let expected = [
        (Severity::Warning, "`data.name` holds a secret, and it is shown to many"),
        (Severity::Error, "a key of `data.environment` holds a secret"),
        (Severity::Warning, "`data.roots` holds a secret, and it is shown to many"),
        (Severity::Warning, "`data.workFolder` holds a secret, and it is shown to many"),
        (Severity::Warning, "`data.tools.java` holds a secret, and it is shown to many"),
    ];
    let expected: Vec<_> = expected.map(|(s, m)| ("secret-in-name", s, m.to_owned())).into();
    assert_eq!(codes(&local), expected);
    let cluster = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/valid/emr-cluster.json"
    ));
    let cluster = cluster.expect("a fixture").replace("\"etl\"", "\"«env A:a»\"");
    assert_eq!(codes(&cluster)[0].2, "`data.name` holds a secret, and it is shown to many");
    let playbook = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/valid/emr-playbook.json"
    ));
    let playbook = playbook.expect("a fixture").replace("\"team\"", "\"«env A:a»\"");
    assert_eq!(codes(&playbook)[0].2, "`data.tags[0].key` holds a secret");
}

/// Whatever is wrong, no diagnostic tells the value of a variable or a secret.
#[test]
fn diagnostics_quote_the_users_own_text_only() {
    // What users wrote in the fixtures and nobody else would say.
    let words = [
        "argumens",
        "owner",
        "field `comment`",
        "TERMINATE`",
        "SPARKSQL",
        "custom-jar",
        "sparc",
        "Playbok",
        "jra",
        "A=B",
        "`team`",
        "bucket\"",
        "com.acme",
        "`Continue`",
        "`2`",
        "`60`",
    ];
    let mut said_plainly = std::collections::HashSet::<&str>::new();
    for file in ["invalid", "warned"].iter().flat_map(|f| files(f)) {
        let text = std::fs::read_to_string(file).expect("UTF-8");
        let plain = Document::plain(Arc::new(Source::new("x", text.as_str())));
        let plain = format!("{:?}", load(&plain).1);
        said_plainly.extend(words.iter().filter(|word| plain.contains(&word.replace('"', "\\\""))));
        let rendered = marked::document("x", &format!("‹{text}›"));
        let (_, faults) = load(&rendered);
        assert!(!faults.is_empty());
        for fault in faults.iter() {
            let said = format!("{fault:?}");
            assert!(!words.iter().any(|word| said.contains(&word.replace('"', "\\\""))), "{said}");
        }
    }
    assert_eq!(said_plainly.len(), words.len(), "{said_plainly:?}");
}

/// The fixtures of a folder that no template makes.
fn files(folder: &str) -> impl Iterator<Item = PathBuf> {
    let folder = format!("{}/../../fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
    let paths =
        std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("readable").path());
    paths.filter(|path| {
        let name = path.to_string_lossy();
        name.ends_with(".json")
            && !name.ends_with(".vars.json")
            && !std::fs::read_to_string(path).expect("UTF-8").contains("{{")
    })
}

/// All values inside `value`, as JSON pointers.
fn pointers(value: &serde_json::Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        serde_json::Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, item)| pointers(item, &format!("{at}/{i}"), out));
        }
        serde_json::Value::Object(map) => {
            map.iter().for_each(|(key, item)| {
                pointers(item, &format!("{at}/{}", key.replace('/', "~1")), out)
            });
        }
        _ => {}
    }
}

/// Whatever one puts in the place of any value: there is a configuration, or an error that says why not.
#[test]
fn nothing_is_refused_without_a_word() {
    let others = ["null", "\"\"", "-1", "true", "[null]", "{\"x\": 1}"];
    let others = others.map(|text| serde_json::from_str::<serde_json::Value>(text).expect("JSON"));
    let mut accepted = 0;
    for file in files("valid") {
        let text = std::fs::read_to_string(file).expect("UTF-8");
        let valid: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let mut all = Vec::new();
        pointers(&valid, "", &mut all);
        for (pointer, other) in all.iter().flat_map(|p| others.iter().map(move |o| (p, o))) {
            let mut changed = valid.clone();
            *changed.pointer_mut(pointer).expect("there") = other.clone();
            let document = Document::plain(Arc::new(Source::new("x", changed.to_string())));
            let (config, faults) = load(&document);
            assert_eq!(
                config.is_none(),
                faults.has_errors(),
                "{pointer} {other} {:?}",
                faults.sorted()
            );
            accepted += usize::from(config.is_some());
        }
    }
    assert!(accepted > 100, "{accepted}");
}

/// Which steps of a faulty playbook are right, by their ids.
fn drafted(steps: &str) -> Vec<String> {
    let (read, _) = load_or_draft(&marked_playbook(steps), false);
    let Err(Some(Draft::Playbook(draft))) = read else { panic!("{read:?}") };
    draft.playbook().steps.iter().map(|step| step.id.clone()).collect()
}

#[test]
fn of_a_faulty_playbook_the_steps_are_left_of_which_it_is_known_what_they_run() {
    let step = |id: &str, more: &str| {
        format!(r#"{{"id": "{id}", "type": "COMMAND", "command": "x"{more}}}"#)
    };
    let faulty = step("f", r#", "comand": "y""#);
    for beside in [
        r#", "name": 1"#,
        r#", "dependsOn": ["nowhere"]"#,
        r#", "dependsOn": [1]"#,
        r#", "actionOnFailure": "STOP""#,
        r#", "retries": {"maxAttempts": 0, "more": 1}"#,
        r#", "timeoutSeconds": -1"#,
        r#", "onResult": {"continueJob": []}"#,
    ] {
        let steps = [step("a", beside), faulty.clone(), step("b", "")].join(", ");
        assert_eq!(drafted(&steps), ["a", "b"], "{beside}");
    }
    for wrong in [
        r#", "arguments": ["x", 1]"#,
        r#", "arguments": ["\u0000"]"#,
        r#", "files": 1"#,
        r#", "argments": ["x"]"#,
        r#", "properties": {"a": "b"}"#,
        r#", "file": "x""#,
        r#", "id": "a b""#,
    ] {
        let steps = [step("a", ""), step("f", wrong), step("b", "")].join(", ");
        assert_eq!(drafted(&steps), ["a", "b"], "{wrong}");
    }
    assert_eq!(drafted(&[step("a", ""), step("a", "")].join(", ")), ["a", "a"]);
    assert_eq!(drafted("{}"), [""; 0]);
}
